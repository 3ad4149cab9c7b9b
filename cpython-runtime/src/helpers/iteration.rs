//! `for`.

use super::{Object, Owned};
use crate::object;
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// `GET_ITER`.
pub(super) unsafe extern "C" fn get_iter(iterable: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let iterable = Owned::steal(iterable);
        ffi::PyObject_GetIter(iterable.as_ptr())
    }
}

/// `FOR_ITER`: the next item, or null; then an exception is set unless the iterator is exhausted.
pub(super) unsafe extern "C" fn for_iter(iterator: Object) -> Object {
    // SAFETY: the contract of helpers; `GET_ITER` has checked that the slot is there.
    unsafe {
        let Some(next) = (*object::type_of(iterator)).tp_iternext else {
            super::messages::raise(ffi::PyExc_SystemError, c"FOR_ITER without an iterator");
            return null_mut();
        };
        let item = next(iterator);
        if item.is_null()
            && !ffi::PyErr_Occurred().is_null()
            && ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) != 0
        {
            ffi::PyErr_Clear();
        }
        item
    }
}
