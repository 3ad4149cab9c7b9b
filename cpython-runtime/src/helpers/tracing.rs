//! Trace events of frames that compiled code runs.
//!
//! *Problem*: a call below compiled code may switch tracing on for the frames above it, and then an exception passes
//! through them: the interpreter would report it in each. *Method*: `call_trace` of ceval.c and its callers are hidden, and
//! rebuilt here from exported parts. Line events are not reported: compiled code is left at the next handler.

use super::{Object, Owned};
use crate::thread::ThreadState;
use pyo3_ffi as ffi;
use std::{ffi::c_int, ptr::null_mut};

unsafe extern "C" {
    fn PyThreadState_EnterTracing(thread: *mut ffi::PyThreadState);
    fn PyThreadState_LeaveTracing(thread: *mut ffi::PyThreadState);
}

type TraceFunction = unsafe extern "C" fn(Object, *mut ffi::PyFrameObject, c_int, Object) -> c_int;

/// `call_trace`: false when the trace function raised.
unsafe fn call_trace(thread: ThreadState, function: *mut u8, object: Object, what: c_int, argument: Object) -> bool {
    if thread.tracing() != 0 {
        return true;
    }
    // SAFETY: the function is the thread's trace or profile function; the current frame is the one reported.
    unsafe {
        let Some(frame) = Owned::steal_or_null(ffi::PyThreadState_GetFrame(thread.as_ptr()).cast()) else {
            return false;
        };
        let function = std::mem::transmute::<*mut u8, TraceFunction>(function);
        let before = thread.tracing_what();
        thread.set_tracing_what(what);
        PyThreadState_EnterTracing(thread.as_ptr());
        let failed = function(object, frame.as_ptr().cast(), what, argument) != 0;
        PyThreadState_LeaveTracing(thread.as_ptr());
        thread.set_tracing_what(before);
        !failed
    }
}

/// `call_exc_trace`: reports the exception that is set to the trace function.
///
/// # Safety
/// The GIL is held, an exception is set, and the frame it passes is the current one.
pub(super) unsafe fn trace_exception(thread: ThreadState) {
    let function = thread.c_tracefunc();
    if function.is_null() {
        return;
    }
    // SAFETY: says the caller; what is fetched is owned and is restored or dropped.
    unsafe {
        let (mut ty, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
        ffi::PyErr_Fetch(&mut ty, &mut value, &mut traceback);
        ffi::PyErr_NormalizeException(&mut ty, &mut value, &mut traceback);
        let shown = if traceback.is_null() { ffi::Py_None() } else { traceback };
        let argument = Owned::steal_or_null(ffi::PyTuple_Pack(3, ty, value, shown));
        let went_well = match argument {
            Some(argument) => {
                call_trace(thread, function, thread.c_traceobj(), ffi::PyTrace_EXCEPTION, argument.as_ptr())
            }
            None => {
                ffi::PyErr_Clear();
                true
            }
        };
        if went_well {
            ffi::PyErr_Restore(ty, value, traceback);
        } else {
            ffi::Py_XDECREF(ty);
            ffi::Py_XDECREF(value);
            ffi::Py_XDECREF(traceback);
        }
    }
}

/// `trace_function_exit`: reports that the current frame is left with `value`, or with an exception when it is null.
/// False when a trace function raised.
///
/// # Safety
/// The GIL is held, and `value` is null or alive.
pub unsafe fn trace_exit(thread: ThreadState, value: *mut ffi::PyObject) -> bool {
    let functions = [(thread.c_tracefunc(), thread.c_traceobj()), (thread.c_profilefunc(), thread.c_profileobj())];
    for (function, object) in functions {
        if function.is_null() {
            continue;
        }
        // SAFETY: says the caller; what is fetched is owned and is restored or dropped.
        unsafe {
            let (mut ty, mut raised, mut traceback) = (null_mut(), null_mut(), null_mut());
            ffi::PyErr_Fetch(&mut ty, &mut raised, &mut traceback);
            if call_trace(thread, function, object, ffi::PyTrace_RETURN, value) {
                ffi::PyErr_Restore(ty, raised, traceback);
            } else {
                ffi::Py_XDECREF(ty);
                ffi::Py_XDECREF(raised);
                ffi::Py_XDECREF(traceback);
                return false;
            }
        }
    }
    true
}
