//! Globals, builtins, and the names of module and class bodies.
//!
//! Method: exact dicts are searched directly; any other mapping through its item protocol, with `KeyError` as "absent".

use super::{ERROR, OK, Object, Owned, capi, interned, messages, owned::into_ptr_or_null};
use crate::{frame::Frame, layout::str as str_layout, object};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// The running frame.
///
/// # Safety
/// `frame` is a live `_PyInterpreterFrame`, and the GIL is held while the view is used.
#[inline(always)]
pub(super) unsafe fn view(frame: *mut u8) -> Frame {
    // SAFETY: says the caller.
    unsafe { Frame::new(frame) }
}

#[inline(always)]
unsafe fn is_exact_dict(object: Object) -> bool {
    // SAFETY: `object` is alive.
    unsafe { object::type_of(object) == &raw mut ffi::PyDict_Type }
}

/// What looking a name up in one namespace gave.
enum Found {
    Value(Owned),
    Absent,
    Error,
}

/// An exact dict's value: borrowed, or null (with an exception when the search failed).
#[inline(always)]
unsafe fn dict_get(dict: Object, name: Object) -> Object {
    // SAFETY: `dict` is a dict; names are strings, whose hash is cached once it has been asked for.
    unsafe {
        let hash: isize = object::read(name, str_layout::HASH);
        if hash != -1 && object::type_of(name) == &raw mut ffi::PyUnicode_Type {
            capi::_PyDict_GetItem_KnownHash(dict, name, hash)
        } else {
            ffi::PyDict_GetItemWithError(dict, name)
        }
    }
}

unsafe fn find_in_dict(dict: Object, name: Object) -> Found {
    // SAFETY: as for `dict_get`.
    unsafe {
        let value = dict_get(dict, name);
        if !value.is_null() {
            Found::Value(Owned::new_reference(value))
        } else if ffi::PyErr_Occurred().is_null() {
            Found::Absent
        } else {
            Found::Error
        }
    }
}

unsafe fn find_in_mapping(mapping: Object, name: Object) -> Found {
    // SAFETY: both are alive.
    unsafe {
        match Owned::steal_or_null(ffi::PyObject_GetItem(mapping, name)) {
            Some(value) => Found::Value(value),
            None if ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyError) != 0 => {
                ffi::PyErr_Clear();
                Found::Absent
            }
            None => Found::Error,
        }
    }
}

unsafe fn find(namespace: Object, name: Object) -> Found {
    // SAFETY: both are alive.
    unsafe { if is_exact_dict(namespace) { find_in_dict(namespace, name) } else { find_in_mapping(namespace, name) } }
}

unsafe fn value_or_name_error(found: Found, name: Object) -> Object {
    match found {
        Found::Value(value) => value.into_ptr(),
        Found::Absent => {
            // SAFETY: the GIL is held; `name` is a live string.
            unsafe { messages::name_not_defined(name) };
            null_mut()
        }
        Found::Error => null_mut(),
    }
}

/// `LOAD_GLOBAL`.
pub(super) unsafe extern "C" fn load_global(frame: *mut u8, name: Object) -> Object {
    // SAFETY: the contract of helpers; the frame owns its namespaces.
    unsafe {
        let frame = view(frame);
        let (globals, builtins) = (frame.f_globals(), frame.f_builtins());
        if is_exact_dict(globals) && is_exact_dict(builtins) {
            let value = dict_get(globals, name);
            if !value.is_null() {
                object::incref(value);
                return value;
            }
            if !ffi::PyErr_Occurred().is_null() {
                return null_mut();
            }
            return value_or_name_error(find_in_dict(builtins, name), name);
        }
        match find_in_mapping(globals, name) {
            Found::Absent => value_or_name_error(find_in_mapping(builtins, name), name),
            found => value_or_name_error(found, name),
        }
    }
}

/// `STORE_GLOBAL`.
pub(super) unsafe extern "C" fn store_global(frame: *mut u8, name: Object, value: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        let status = ffi::PyDict_SetItem(view(frame).f_globals(), name, value.as_ptr());
        if status == 0 { OK } else { ERROR }
    }
}

/// `DELETE_GLOBAL`.
pub(super) unsafe extern "C" fn delete_global(frame: *mut u8, name: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        if ffi::PyDict_DelItem(view(frame).f_globals(), name) == 0 {
            return OK;
        }
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyError) != 0 {
            messages::name_not_defined(name);
        }
        ERROR
    }
}

/// `LOAD_NAME`.
pub(super) unsafe extern "C" fn load_name(frame: *mut u8, name: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let frame = view(frame);
        let locals = frame.f_locals();
        if locals.is_null() {
            ffi::PyErr_Format(ffi::PyExc_SystemError, c"no locals when loading %R".as_ptr(), name);
            return null_mut();
        }
        let mut found = find(locals, name);
        if matches!(found, Found::Absent) {
            // Globals are searched as a dict, whatever their type: here CPython asks no `__getitem__`.
            found = find_in_dict(frame.f_globals(), name);
        }
        if matches!(found, Found::Absent) {
            found = find(frame.f_builtins(), name);
        }
        value_or_name_error(found, name)
    }
}

/// `STORE_NAME`.
pub(super) unsafe extern "C" fn store_name(frame: *mut u8, name: Object, value: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        let locals = view(frame).f_locals();
        if locals.is_null() {
            ffi::PyErr_Format(ffi::PyExc_SystemError, c"no locals found when storing %R".as_ptr(), name);
            return ERROR;
        }
        let status = if is_exact_dict(locals) {
            ffi::PyDict_SetItem(locals, name, value.as_ptr())
        } else {
            ffi::PyObject_SetItem(locals, name, value.as_ptr())
        };
        if status == 0 { OK } else { ERROR }
    }
}

/// `DELETE_NAME`. Any error of the deletion becomes the `NameError`, as in CPython.
pub(super) unsafe extern "C" fn delete_name(frame: *mut u8, name: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let locals = view(frame).f_locals();
        if locals.is_null() {
            ffi::PyErr_Format(ffi::PyExc_SystemError, c"no locals when deleting %R".as_ptr(), name);
            return ERROR;
        }
        if ffi::PyObject_DelItem(locals, name) == 0 {
            return OK;
        }
        messages::name_not_defined(name);
        ERROR
    }
}

/// The name of a localsplus slot: borrowed, or null when there is no such slot.
///
/// # Safety
/// The GIL is held and the frame is alive.
pub(super) unsafe fn slot_name(frame: Frame, index: i64) -> Object {
    // SAFETY: `co_localsplusnames` is a tuple; `PyTuple_GetItem` checks the index.
    unsafe { ffi::PyTuple_GetItem(frame.code().localsplusnames(), index as isize) }
}

/// `unbound_local_error` of ceval.c.
pub(super) unsafe extern "C" fn unbound_local(frame: *mut u8, index: i64) {
    // SAFETY: the contract of helpers.
    unsafe { messages::unbound_local(slot_name(view(frame), index)) }
}

/// `LOAD_BUILD_CLASS`.
pub(super) unsafe extern "C" fn load_build_class(frame: *mut u8) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let name = interned::BUILD_CLASS.get();
        if name.is_null() {
            return null_mut();
        }
        match find(view(frame).f_builtins(), name) {
            Found::Value(value) => value.into_ptr(),
            Found::Absent => {
                messages::raise(ffi::PyExc_NameError, c"__build_class__ not found");
                null_mut()
            }
            Found::Error => null_mut(),
        }
    }
}

/// `SETUP_ANNOTATIONS`.
pub(super) unsafe extern "C" fn setup_annotations(frame: *mut u8) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let locals = view(frame).f_locals();
        if locals.is_null() {
            messages::raise(ffi::PyExc_SystemError, c"no locals found when setting up annotations");
            return ERROR;
        }
        let name = interned::ANNOTATIONS.get();
        if name.is_null() {
            return ERROR;
        }
        match find(locals, name) {
            Found::Value(_) => OK,
            Found::Error => ERROR,
            Found::Absent => {
                let Some(annotations) = Owned::steal_or_null(ffi::PyDict_New()) else {
                    return ERROR;
                };
                let status = if is_exact_dict(locals) {
                    ffi::PyDict_SetItem(locals, name, annotations.as_ptr())
                } else {
                    ffi::PyObject_SetItem(locals, name, annotations.as_ptr())
                };
                if status == 0 { OK } else { ERROR }
            }
        }
    }
}

/// The value of a name in a class body's namespace: null with or without an exception.
///
/// # Safety
/// The contract of helpers; `locals` is not null.
pub(super) unsafe fn find_or_null(locals: Object, name: Object) -> Object {
    // SAFETY: says the caller.
    match unsafe { find(locals, name) } {
        Found::Value(value) => into_ptr_or_null(Some(value)),
        Found::Absent | Found::Error => null_mut(),
    }
}
