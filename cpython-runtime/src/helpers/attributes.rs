//! Attributes and methods.

use super::{ERROR, OK, Object, Owned, capi};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// `LOAD_ATTR`.
pub(super) unsafe extern "C" fn load_attr(owner: Object, name: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let owner = Owned::steal(owner);
        ffi::PyObject_GetAttr(owner.as_ptr(), name)
    }
}

/// `LOAD_METHOD`: (unbound method, object), or (null, attribute).
pub(super) unsafe extern "C" fn load_method(object: Object, name: Object, dest: *mut Object) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes two words.
    unsafe {
        let object = Owned::steal(object);
        let mut method = null_mut();
        let is_unbound = capi::_PyObject_GetMethod(object.as_ptr(), name, &mut method);
        let Some(method) = Owned::steal_or_null(method) else {
            return ERROR;
        };
        if is_unbound != 0 {
            dest.write(method.into_ptr());
            dest.add(1).write(object.into_ptr());
        } else {
            drop(object);
            dest.write(null_mut());
            dest.add(1).write(method.into_ptr());
        }
        OK
    }
}

/// `STORE_ATTR`.
pub(super) unsafe extern "C" fn store_attr(value: Object, owner: Object, name: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        let owner = Owned::steal(owner);
        let status = ffi::PyObject_SetAttr(owner.as_ptr(), name, value.as_ptr());
        drop(value);
        drop(owner);
        if status == 0 { OK } else { ERROR }
    }
}

/// `_PyDictValues_AddToInsertionOrder`: before the values lie their capacity, how many are set, and, backwards, the indices
/// in the order in which they were set.
pub(super) unsafe extern "C" fn note_first_store(values: *mut u8, index: i64) {
    // SAFETY: the values of a live instance, which have a byte for each of the keys; says the table.
    unsafe {
        let count = values.sub(2);
        let size = count.read() + 1;
        count.sub(usize::from(size)).write(index as u8);
        count.write(size);
    }
}

/// `DELETE_ATTR`.
pub(super) unsafe extern "C" fn delete_attr(owner: Object, name: Object) -> i64 {
    // SAFETY: the contract of helpers; setting null deletes.
    unsafe {
        let owner = Owned::steal(owner);
        if ffi::PyObject_SetAttr(owner.as_ptr(), name, null_mut()) == 0 { OK } else { ERROR }
    }
}
