//! Reference counts and the fields of built-in objects.
//!
//! `incref` and `decref` are CPython's own inline functions as PyO3 writes them where an interpreter counts all references
//! (`_Py_RefTotal`); elsewhere plain instances end in [`crate::helpers::instances`]. Readers here are for exact types whose layout the headers give.

use crate::layout::{build, cell, dict, float, list, long, object, tuple, type_object};
use pyo3_ffi::{PyObject, PyTypeObject};

/// Adds a reference.
///
/// # Safety
/// `object` is alive; the GIL is held.
#[inline(always)]
pub unsafe fn incref(object: *mut PyObject) {
    // SAFETY: says the caller.
    unsafe { pyo3_ffi::Py_INCREF(object) }
}

/// Drops a reference; may run any code.
///
/// # Safety
/// `object` is alive and a reference to it is owned; the GIL is held.
#[inline(always)]
pub unsafe fn decref(object: *mut PyObject) {
    // SAFETY: says the caller.
    unsafe {
        if build::REF_DEBUG != 0 {
            return pyo3_ffi::Py_DECREF(object);
        }
        let count = object.cast::<u8>().add(object::OB_REFCNT).cast::<isize>();
        count.write(count.read() - 1);
        if count.read() == 0 {
            crate::helpers::dealloc(object);
        }
    }
}

/// The type: borrowed.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub unsafe fn type_of(object: *mut PyObject) -> *mut PyTypeObject {
    // SAFETY: every object has a type at this offset.
    unsafe { read(object, object::OB_TYPE) }
}

/// Reads a field.
///
/// # Safety
/// `object` is alive and has a field of type `T` at `offset`.
#[inline(always)]
pub unsafe fn read<T: Copy>(object: *mut PyObject, offset: usize) -> T {
    // SAFETY: says the caller.
    unsafe { object.cast::<u8>().add(offset).cast::<T>().read() }
}

/// `ob_fval` of a float.
///
/// # Safety
/// `object` is a live float.
#[inline(always)]
pub unsafe fn float_value(object: *mut PyObject) -> f64 {
    // SAFETY: says the caller.
    unsafe { read(object, float::OB_FVAL) }
}

/// `ob_size`: the number of items, or for an int its digits with the sign of the value.
///
/// # Safety
/// `object` is a live object of variable size.
#[inline(always)]
pub unsafe fn size(object: *mut PyObject) -> isize {
    // SAFETY: says the caller.
    unsafe { read(object, object::OB_SIZE) }
}

/// The digits of an int, 30 bits each, least first.
///
/// # Safety
/// `object` is a live int.
#[inline(always)]
pub unsafe fn long_digits(object: *mut PyObject) -> *const u32 {
    // SAFETY: the array lies in the object.
    unsafe { object.cast::<u8>().add(long::OB_DIGIT).cast() }
}

/// The items of a list.
///
/// # Safety
/// `object` is a live list; the pointer is valid until the list changes.
#[inline(always)]
pub unsafe fn list_items(object: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: says the caller.
    unsafe { read(object, list::OB_ITEM) }
}

/// The items of a tuple.
///
/// # Safety
/// `object` is a live tuple.
#[inline(always)]
pub unsafe fn tuple_items(object: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: the array lies in the object.
    unsafe { object.cast::<u8>().add(tuple::OB_ITEM).cast() }
}

/// The content of a cell: borrowed, or null when empty.
///
/// # Safety
/// `object` is a live cell.
#[inline(always)]
pub unsafe fn cell_content(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: says the caller.
    unsafe { read(object, cell::OB_REF) }
}

/// The keys object of a dict.
///
/// # Safety
/// `object` is a live dict.
#[inline(always)]
pub unsafe fn dict_keys(object: *mut PyObject) -> *mut u8 {
    // SAFETY: says the caller.
    unsafe { read(object, dict::MA_KEYS) }
}

/// `tp_version_tag`: 0 when the type has no valid one.
///
/// # Safety
/// `ty` is a live type.
#[inline(always)]
pub unsafe fn type_version(ty: *mut PyTypeObject) -> u32 {
    // SAFETY: says the caller.
    unsafe { read(ty.cast(), type_object::TP_VERSION_TAG) }
}

/// Whether a str is interned.
///
/// # Safety
/// A live str; the GIL is held.
pub unsafe fn is_interned(string: *mut PyObject) -> bool {
    // SAFETY: says the caller. The lowest two bits of a str's state say whether it is interned (unicodeobject.h).
    unsafe { read::<u32>(string, crate::layout::str::STATE) & 3 != 0 }
}
