//! Strings: f-strings, and `+=` in place.

use super::{ERROR, OK, Object, Owned, capi, interned, owned};
use crate::object;
use pyo3_ffi as ffi;
use std::{ffi::c_int, ptr::null_mut};

/// `BINARY_OP_INPLACE_ADD_UNICODE`: appends to the string in the slot, in place when the slot is its only owner.
pub(super) unsafe extern "C" fn concat_in_place(slot: *mut Object, right: Object) -> i64 {
    // SAFETY: the contract of helpers; the slot owns an exact str. `PyUnicode_Append` consumes the slot's reference and
    // leaves null there when it fails.
    unsafe {
        let right = Owned::steal(right);
        ffi::PyUnicode_Append(slot, right.as_ptr());
        if slot.read().is_null() { ERROR } else { OK }
    }
}

/// `BUILD_STRING`.
pub(super) unsafe extern "C" fn build_string(items: *mut Object, count: i64) -> Object {
    // SAFETY: the contract of helpers: `count` owned strings; released last to first, as popping does.
    unsafe {
        let separator = interned::EMPTY.get();
        let result =
            if separator.is_null() { null_mut() } else { capi::_PyUnicode_JoinArray(separator, items, count as isize) };
        for i in (0..count as usize).rev() {
            object::decref(items.add(i).read());
        }
        result
    }
}

/// `FORMAT_VALUE`.
pub(super) unsafe extern "C" fn format_value(value: Object, spec: Object, conversion: i64) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let mut value = Owned::steal(value);
        let spec = Owned::steal_or_null(spec);
        let convert: Option<unsafe extern "C" fn(Object) -> Object> = match conversion {
            0 => None,
            1 => Some(ffi::PyObject_Str),
            2 => Some(ffi::PyObject_Repr),
            3 => Some(ffi::PyObject_ASCII),
            _ => {
                let format = c"unexpected conversion flag %d";
                ffi::PyErr_Format(ffi::PyExc_SystemError, format.as_ptr(), conversion as c_int);
                return null_mut();
            }
        };
        if let Some(convert) = convert {
            let converted = Owned::steal_or_null(convert(value.as_ptr()));
            // The unconverted value goes before the specification does.
            value = match converted {
                Some(converted) => converted,
                None => {
                    drop(value);
                    return null_mut();
                }
            };
        }
        if spec.is_none() && object::type_of(value.as_ptr()) == &raw mut ffi::PyUnicode_Type {
            return value.into_ptr();
        }
        let result = ffi::PyObject_Format(value.as_ptr(), owned::as_ptr_or_null(&spec));
        drop(value);
        drop(spec);
        result
    }
}
