//! `for`.

use super::{Object, Owned};
use crate::{
    generator::{self, Outcome},
    object,
    thread::ThreadState,
};
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

/// `FOR_ITER` over what may be a generator whose code is compiled. The end of one is no exception here.
pub(super) unsafe extern "C" fn for_iter_direct(thread: *mut ffi::PyThreadState, iterator: Object) -> Object {
    // SAFETY: the contract of helpers; a refused offer has not consumed the value, and `None` outlives a lost count.
    unsafe {
        if object::type_of(iterator) == &raw mut ffi::PyGen_Type {
            let none = ffi::Py_None();
            object::incref(none);
            match generator::offer(ThreadState::new(thread), iterator, none) {
                Some((Outcome::Yielded, item)) => return item,
                Some((Outcome::Raised, _)) => return null_mut(),
                Some((Outcome::Returned, value)) => {
                    object::decref(value);
                    return null_mut();
                }
                None => object::decref(none),
            }
        }
        for_iter(iterator)
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
