//! Cell and free variables.

use super::{ERROR, OK, Object, Owned, messages, names};
use crate::{frame::Frame, layout::cell, layout::function, object};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// Stores into a cell and gives back what it held; no count changes.
///
/// # Safety
/// `cell` is a live cell.
#[inline(always)]
unsafe fn exchange(cell: Object, value: Object) -> Object {
    // SAFETY: the field lies in the cell.
    unsafe { cell.cast::<u8>().add(cell::OB_REF).cast::<Object>().replace(value) }
}

/// `format_exc_unbound` of ceval.c: a cell of this function, or a free variable, is empty.
#[cold]
unsafe fn unbound(frame: Frame, index: i64) {
    // SAFETY: the GIL is held and the frame alive.
    unsafe {
        if !ffi::PyErr_Occurred().is_null() {
            return;
        }
        let name = names::slot_name(frame, index);
        let code = frame.code();
        if index < i64::from(code.nplaincellvars()) + i64::from(code.nlocals()) {
            messages::unbound_local(name);
        } else {
            messages::unbound_free(name);
        }
    }
}

/// `MAKE_CELL`.
pub(super) unsafe extern "C" fn make_cell(slot: *mut Object) -> i64 {
    // SAFETY: the contract of helpers; the slot owns its content, and the new cell takes its own reference to it.
    unsafe {
        let made = ffi::PyCell_New(slot.read());
        if made.is_null() {
            return ERROR;
        }
        drop(Owned::steal_or_null(slot.replace(made)));
        OK
    }
}

/// `LOAD_DEREF`.
pub(super) unsafe extern "C" fn load_deref(frame: *mut u8, index: i64) -> Object {
    // SAFETY: the contract of helpers; slot `index` holds a cell.
    unsafe {
        let frame = names::view(frame);
        let value = object::cell_content(frame.slot(index as usize));
        if value.is_null() {
            unbound(frame, index);
        } else {
            object::incref(value);
        }
        value
    }
}

/// `LOAD_CLASSDEREF`: the namespace of the class body first, then the cell.
pub(super) unsafe extern "C" fn load_class_deref(frame: *mut u8, index: i64) -> Object {
    // SAFETY: the contract of helpers; slot `index` holds a cell.
    unsafe {
        let view = names::view(frame);
        let name = names::slot_name(view, index);
        if name.is_null() {
            return null_mut();
        }
        if !view.f_locals().is_null() {
            let value = names::find_or_null(view.f_locals(), name);
            if !value.is_null() || !ffi::PyErr_Occurred().is_null() {
                return value;
            }
        }
        load_deref(frame, index)
    }
}

/// `STORE_DEREF`.
pub(super) unsafe extern "C" fn store_deref(cell: Object, value: Object) {
    // SAFETY: the contract of helpers; the cell owns its content.
    unsafe { drop(Owned::steal_or_null(exchange(cell, value))) }
}

/// `DELETE_DEREF`.
pub(super) unsafe extern "C" fn delete_deref(frame: *mut u8, index: i64) -> i64 {
    // SAFETY: the contract of helpers; slot `index` holds a cell, which owns its content.
    unsafe {
        let frame = names::view(frame);
        match Owned::steal_or_null(exchange(frame.slot(index as usize), null_mut())) {
            Some(_) => OK,
            None => {
                unbound(frame, index);
                ERROR
            }
        }
    }
}

/// `COPY_FREE_VARS`.
pub(super) unsafe extern "C" fn copy_free_vars(frame: *mut u8, count: i64) {
    // SAFETY: the contract of helpers; the function's closure is a tuple of at least `count` cells, and the slots for
    // free variables follow the plain cells and are still empty.
    unsafe {
        let frame = names::view(frame);
        let closure: Object = object::read(frame.f_func(), function::FUNC_CLOSURE);
        let code = frame.code();
        let first = (code.nlocals() + code.nplaincellvars()) as usize;
        let cells = object::tuple_items(closure);
        for i in 0..count as usize {
            let cell = cells.add(i).read();
            object::incref(cell);
            frame.set_slot(first + i, cell);
        }
    }
}
