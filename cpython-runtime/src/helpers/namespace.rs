//! Names of module and class bodies that compiled code keeps raw: read, type-checked, stored, written back.
//!
//! *Problem*: between two places where Python can run, nobody else sees the namespace of a body; but what is done to it then
//! must not run Python either. *Method*: only *plain* namespaces are touched, exact dicts whose keys are all exact strs:
//! searching those compares no keys by `__eq__`. A value is replaced only if its release cannot reach a finaliser.
//! *Invariants*: nothing here raises or changes the exception that is set; every change goes through CPython's own functions,
//! so that the dict's version tag, which others cache by, is right.

use super::{
    Object,
    boxing::{box_bool, box_float, box_int, int_value, is_same_bool, is_same_float, is_same_int},
    capi,
    names::view,
};
use crate::{
    layout::{dict_keys, str as str_layout},
    object,
};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// Answers of [`name_kind`].
const FLOAT: i64 = 1;
const INT: i64 = 2;
const BOOL: i64 = 3;

/// The hash of a name if `namespace` is plain and the name can be searched in it.
///
/// # Safety
/// `namespace` is null or alive, `name` a live exact str; the GIL is held.
#[inline(always)]
unsafe fn plain_hash(namespace: Object, name: Object) -> Option<isize> {
    // SAFETY: the type is checked before the keys are looked at.
    unsafe {
        if namespace.is_null() || !is_plain(namespace) {
            return None;
        }
        let hash: isize = object::read(name, str_layout::HASH);
        (hash != -1).then_some(hash)
    }
}

/// Whether a dictionary is exact and has keys that are exact strs only.
///
/// # Safety
/// `dictionary` is alive; the GIL is held.
#[inline(always)]
pub(crate) unsafe fn is_plain(dictionary: Object) -> bool {
    // SAFETY: the type is checked before the keys are looked at.
    unsafe {
        object::type_of(dictionary) == &raw mut ffi::PyDict_Type
            && i64::from(object::dict_keys(dictionary).add(dict_keys::DK_KIND).read()) != dict_keys::KIND_GENERAL
    }
}

/// The value of a name in a plain namespace: borrowed; null when absent or when the namespace is not plain.
///
/// # Safety
/// As for [`plain_hash`].
#[inline(always)]
pub(crate) unsafe fn peek(namespace: Object, name: Object) -> Object {
    // SAFETY: says the caller.
    unsafe {
        match plain_hash(namespace, name) {
            Some(hash) => capi::_PyDict_GetItem_KnownHash(namespace, name, hash),
            None => null_mut(),
        }
    }
}

/// Stores a name that is in a plain namespace already, with a value whose release runs no Python.
///
/// # Safety
/// As for [`plain_hash`]; `value` is alive.
pub(crate) unsafe fn put(namespace: Object, name: Object, value: Object) {
    // SAFETY: the name's entry exists, so nothing is allocated; should that ever be untrue, the exception that is set is
    // kept all the same.
    unsafe {
        let Some(hash) = plain_hash(namespace, name) else { return };
        if capi::_PyDict_SetItem_KnownHash(namespace, name, value, hash) < 0 {
            ffi::PyErr_Clear();
        }
    }
}

/// Whether dropping one reference to `value` cannot run Python.
///
/// # Safety
/// `value` is alive.
#[inline(always)]
unsafe fn releases_quietly(value: Object) -> bool {
    // SAFETY: says the caller.
    unsafe {
        let ty = object::type_of(value);
        ty == &raw mut ffi::PyLong_Type
            || ty == &raw mut ffi::PyFloat_Type
            || ty == &raw mut ffi::PyBool_Type
            || ty == &raw mut ffi::PyUnicode_Type
            || ty == &raw mut ffi::PyBytes_Type
            || ffi::Py_REFCNT(value) > 1
    }
}

/// The value of a name in the frame's own namespace: borrowed, or null.
pub(super) unsafe extern "C" fn peek_name(frame: *mut u8, name: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe { peek(view(frame).f_locals(), name) }
}

/// `LOAD_NAME` where all namespaces are plain: borrowed; null sends the caller to the general way.
pub(super) unsafe extern "C" fn look_name(frame: *mut u8, name: Object) -> Object {
    // SAFETY: the contract of helpers; the frame owns its namespaces.
    unsafe {
        let frame = view(frame);
        let (locals, globals) = (frame.f_locals(), frame.f_globals());
        let Some(hash) = plain_hash(locals, name) else { return null_mut() };
        let mut value = capi::_PyDict_GetItem_KnownHash(locals, name, hash);
        if value.is_null() && globals != locals {
            if plain_hash(globals, name).is_none() {
                return null_mut();
            }
            value = capi::_PyDict_GetItem_KnownHash(globals, name, hash);
        }
        if value.is_null() {
            value = peek(frame.f_builtins(), name);
        }
        value
    }
}

/// What a name's value is, for code that wants it raw.
pub(super) unsafe extern "C" fn name_kind(frame: *mut u8, name: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = peek(view(frame).f_locals(), name);
        if value.is_null() {
            return 0;
        }
        let ty = object::type_of(value);
        if ty == &raw mut ffi::PyFloat_Type {
            FLOAT
        } else if ty == &raw mut ffi::PyLong_Type {
            if int_value(value).is_some() { INT } else { 0 }
        } else if ty == &raw mut ffi::PyBool_Type {
            BOOL
        } else {
            0
        }
    }
}

/// The value of a name that is an exact float.
pub(super) unsafe extern "C" fn name_float(frame: *mut u8, name: Object) -> f64 {
    // SAFETY: the contract of helpers; any other type gives 0.
    unsafe {
        let value = peek(view(frame).f_locals(), name);
        if !value.is_null() && object::type_of(value) == &raw mut ffi::PyFloat_Type {
            object::float_value(value)
        } else {
            0.0
        }
    }
}

/// The value of a name that is an exact int or a bool.
pub(super) unsafe extern "C" fn name_int(frame: *mut u8, name: Object) -> i64 {
    // SAFETY: the contract of helpers; a bool is an int, any other type gives 0.
    unsafe {
        let value = peek(view(frame).f_locals(), name);
        if value.is_null() {
            return 0;
        }
        let ty = object::type_of(value);
        if ty == &raw mut ffi::PyLong_Type || ty == &raw mut ffi::PyBool_Type {
            int_value(value).unwrap_or(0)
        } else {
            0
        }
    }
}

/// `STORE_NAME` if that runs no Python.
pub(super) unsafe extern "C" fn replace_name(frame: *mut u8, name: Object, value: Object) -> i64 {
    // SAFETY: the contract of helpers. The entry exists, so the dict is not resized and nothing is allocated.
    unsafe {
        let namespace = view(frame).f_locals();
        let Some(hash) = plain_hash(namespace, name) else { return 0 };
        let old = capi::_PyDict_GetItem_KnownHash(namespace, name, hash);
        if old.is_null() || !releases_quietly(old) {
            return 0;
        }
        if capi::_PyDict_SetItem_KnownHash(namespace, name, value, hash) < 0 {
            ffi::PyErr_Clear();
            return 0;
        }
        1
    }
}

/// Writes a raw float back to its name.
pub(super) unsafe extern "C" fn flush_name_float(frame: *mut u8, name: Object, value: f64) {
    // SAFETY: the contract of helpers.
    unsafe {
        let namespace = view(frame).f_locals();
        if !is_same_float(peek(namespace, name), value) {
            let boxed = box_float(value);
            put(namespace, name, boxed);
            object::decref(boxed);
        }
    }
}

/// Writes a raw int back to its name.
pub(super) unsafe extern "C" fn flush_name_int(frame: *mut u8, name: Object, value: i64) {
    // SAFETY: the contract of helpers.
    unsafe {
        let namespace = view(frame).f_locals();
        if !is_same_int(peek(namespace, name), value) {
            let boxed = box_int(value);
            put(namespace, name, boxed);
            object::decref(boxed);
        }
    }
}

/// Writes a raw truth value back to its name.
pub(super) unsafe extern "C" fn flush_name_bool(frame: *mut u8, name: Object, value: i64) {
    // SAFETY: the contract of helpers.
    unsafe {
        let namespace = view(frame).f_locals();
        if !is_same_bool(peek(namespace, name), value != 0) {
            let boxed = box_bool(value != 0);
            put(namespace, name, boxed);
            object::decref(boxed);
        }
    }
}
