//! `with` and `async with`.

use super::{ERROR, OK, Object, Owned, capi, interned, interned::Name, messages};
use pyo3_ffi as ffi;
use std::{ffi::CStr, ptr::null_mut};

const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// `BEFORE_WITH`.
pub(super) unsafe extern "C" fn before_with(manager: Object, dest: *mut Object) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes two words.
    unsafe {
        enter(
            Owned::steal(manager),
            dest,
            (&interned::ENTER, c"'%.200s' object does not support the context manager protocol"),
            (
                &interned::EXIT,
                c"'%.200s' object does not support the context manager protocol (missed __exit__ method)",
            ),
        )
    }
}

/// `BEFORE_ASYNC_WITH`.
pub(super) unsafe extern "C" fn before_async_with(manager: Object, dest: *mut Object) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes two words.
    unsafe {
        enter(
            Owned::steal(manager),
            dest,
            (&interned::AENTER, c"'%.200s' object does not support the asynchronous context manager protocol"),
            (
                &interned::AEXIT,
                c"'%.200s' object does not support the asynchronous context manager protocol (missed __aexit__ method)",
            ),
        )
    }
}

unsafe fn enter(manager: Owned, dest: *mut Object, enter: (&Name, &CStr), exit: (&Name, &CStr)) -> i64 {
    // SAFETY: says the caller.
    unsafe {
        let Some(enter) = special(&manager, enter) else {
            return ERROR;
        };
        let Some(exit) = special(&manager, exit) else {
            return ERROR;
        };
        drop(manager);
        // The callee may write to the word below its arguments.
        let mut room = [null_mut::<ffi::PyObject>()];
        let arguments = room.as_mut_ptr().add(1);
        let result = ffi::PyObject_Vectorcall(enter.as_ptr(), arguments, ARGUMENTS_OFFSET, null_mut());
        drop(enter);
        let Some(result) = Owned::steal_or_null(result) else {
            return ERROR;
        };
        dest.write(exit.into_ptr());
        dest.add(1).write(result.into_ptr());
        OK
    }
}

/// The bound special method; when the type has none, `TypeError` with the given text.
unsafe fn special(manager: &Owned, (name, format): (&Name, &CStr)) -> Option<Owned> {
    // SAFETY: the GIL is held.
    unsafe {
        let name = name.get();
        if name.is_null() {
            return None;
        }
        let method = Owned::steal_or_null(capi::_PyObject_LookupSpecial(manager.as_ptr(), name));
        if method.is_none() && ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), messages::type_name(manager.as_ptr()));
        }
        method
    }
}

/// `WITH_EXCEPT_START`.
pub(super) unsafe extern "C" fn with_except_start(exit: Object, exception: Object) -> Object {
    // SAFETY: the contract of helpers. The exception keeps its type and traceback alive.
    unsafe {
        let ty = ffi::Py_TYPE(exception).cast();
        let mut traceback = ffi::PyException_GetTraceback(exception);
        ffi::Py_XDECREF(traceback);
        if traceback.is_null() {
            // Somebody has removed it and re-raised the exception. CPython passes the null on, and crashes.
            traceback = ffi::Py_None();
        }
        let mut arguments = [null_mut(), ty, exception, traceback];
        ffi::PyObject_Vectorcall(exit, arguments.as_mut_ptr().add(1), 3 | ARGUMENTS_OFFSET, null_mut())
    }
}
