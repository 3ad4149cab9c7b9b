//! Raising, catching and re-raising.
//!
//! *Problem*: handlers find on their stack what the interpreter's `exception_unwind` puts there, and tracebacks must
//! name every frame. *Method*: the parts of that label, one helper each; raising normalises and chains as `do_raise`
//! of `Python/ceval.c` does. *Invariants*: an exception that leaves here is normalised where a handler may look at
//! it; the stack of handled exceptions has as many entries as the interpreter's would have.

use super::{ERROR, Object, Owned, capi, messages, names, owned::into_ptr_or_null, tracing};
use crate::{object, thread::ExcInfo, thread::ThreadState};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// Sets an exception again with its own traceback (`_PyErr_Restore` as RERAISE uses it).
///
/// # Safety
/// The GIL is held; `exception` is an exception instance.
pub(super) unsafe fn restore(exception: Owned) {
    // SAFETY: says the caller; all three references are given away.
    unsafe {
        let ty: Object = object::type_of(exception.as_ptr()).cast();
        object::incref(ty);
        let traceback = ffi::PyException_GetTraceback(exception.as_ptr());
        ffi::PyErr_Restore(ty, exception.into_ptr(), traceback);
    }
}

/// 1 if an exception is set.
pub(super) unsafe extern "C" fn error_set(thread: *mut ffi::PyThreadState) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe { i64::from(!ThreadState::new(thread).curexc_type().is_null()) }
}

/// `LOAD_ASSERTION_ERROR`.
pub(super) unsafe extern "C" fn load_assertion_error() -> Object {
    // SAFETY: the class lives as long as the interpreter.
    unsafe { Owned::new_reference(ffi::PyExc_AssertionError).into_ptr() }
}

/// The label `error` of ceval.c: a traceback entry for this frame. A frame that has not reached its first `RESUME` gets
/// none.
pub(super) unsafe extern "C" fn add_traceback(thread: *mut ffi::PyThreadState, frame: *mut u8) {
    // SAFETY: the contract of helpers; the frame is the thread's current one and complete, so the frame object asked for
    // is its own.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            messages::raise(ffi::PyExc_SystemError, c"error return without exception set");
        }
        let frame = names::view(frame);
        let first = frame.code().firsttraceable() as isize;
        if !frame.is_generator_owned() && frame.lasti() < first {
            return;
        }
        let thread_view = ThreadState::new(thread);
        match Owned::steal_or_null(ffi::PyThreadState_GetFrame(thread).cast()) {
            Some(frame_object) => {
                ffi::PyTraceBack_Here(frame_object.as_ptr().cast());
            }
            None => {
                // No memory for the frame object: that has replaced the exception, and the lookup has cleared it.
                ffi::PyErr_NoMemory();
            }
        }
        if thread_view.cframe().use_tracing() != 0 {
            tracing::trace_exception(thread_view);
        }
    }
}

/// The end of `exception_unwind` of ceval.c: what the handler finds on its stack.
pub(super) unsafe extern "C" fn catch_exception(thread: *mut ffi::PyThreadState) -> Object {
    let _ = thread;
    let (mut ty, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
    // SAFETY: the contract of helpers; fetched references are owned.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            messages::raise(ffi::PyExc_SystemError, c"error return without exception set");
        }
        ffi::PyErr_Fetch(&mut ty, &mut value, &mut traceback);
        ffi::PyErr_NormalizeException(&mut ty, &mut value, &mut traceback);
        ffi::PyException_SetTraceback(value, if traceback.is_null() { ffi::Py_None() } else { traceback });
        ffi::Py_XDECREF(traceback);
        ffi::Py_XDECREF(ty);
        value
    }
}

/// `PUSH_EXC_INFO`.
pub(super) unsafe extern "C" fn push_exc_info(thread: *mut ffi::PyThreadState, exception: Object) -> Object {
    // SAFETY: the contract of helpers; the reference of the stack entry moves to the caller, a new one takes its place.
    unsafe {
        let info = ThreadState::new(thread).exc_info();
        let previous = info.exc_value();
        object::incref(exception);
        info.set_exc_value(exception);
        if previous.is_null() { Owned::new_reference(ffi::Py_None()).into_ptr() } else { previous }
    }
}

/// `POP_EXCEPT`.
pub(super) unsafe extern "C" fn pop_except(thread: *mut ffi::PyThreadState, previous: Object) {
    // SAFETY: the contract of helpers; the entry's reference is released after it was replaced.
    unsafe {
        let info = ThreadState::new(thread).exc_info();
        let handled = info.exc_value();
        info.set_exc_value(previous);
        drop(Owned::steal_or_null(handled));
    }
}

/// `check_except_type_valid` of ceval.c.
///
/// # Safety
/// The GIL is held; `ty` is alive.
pub(super) unsafe fn is_catchable(ty: Object) -> bool {
    // SAFETY: says the caller; the tuple's items are read within its size.
    unsafe {
        let all_classes = if ffi::PyTuple_Check(ty) != 0 {
            (0..object::size(ty)).all(|i| ffi::PyExceptionClass_Check(object::tuple_items(ty).offset(i).read()) != 0)
        } else {
            ffi::PyExceptionClass_Check(ty) != 0
        };
        if !all_classes {
            let text = c"catching classes that do not inherit from BaseException is not allowed";
            messages::raise(ffi::PyExc_TypeError, text);
        }
        all_classes
    }
}

/// `CHECK_EXC_MATCH`.
pub(super) unsafe extern "C" fn check_exc_match(exception: Object, ty: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let ty = Owned::steal(ty);
        if !is_catchable(ty.as_ptr()) {
            return ERROR;
        }
        i64::from(ffi::PyErr_GivenExceptionMatches(exception, ty.as_ptr()) != 0)
    }
}

/// `RAISE_VARARGS` (`do_raise` of ceval.c).
pub(super) unsafe extern "C" fn raise_varargs(
    thread: *mut ffi::PyThreadState,
    exception: Object,
    cause: Object,
) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let cause = Owned::steal_or_null(cause);
        match Owned::steal_or_null(exception) {
            Some(exception) => {
                raise(exception, cause);
                0
            }
            None => i64::from(reraise_handled(thread)),
        }
    }
}

/// A bare `raise`: `true` when the handled exception is set again.
unsafe fn reraise_handled(thread: *mut ffi::PyThreadState) -> bool {
    // SAFETY: there is always a topmost entry; its exception is an instance, None or null.
    unsafe {
        let value = ExcInfo::new(capi::_PyErr_GetTopmostException(thread)).exc_value();
        if value.is_null() || value == ffi::Py_None() {
            messages::raise(ffi::PyExc_RuntimeError, c"No active exception to reraise");
            return false;
        }
        restore(Owned::new_reference(value));
        true
    }
}

/// The exception that a class or instance stands for.
enum Raisable {
    Instance(Owned),
    /// An exception is set: making the instance failed.
    Failed,
    Neither,
}

unsafe fn raisable(object: &Owned) -> Raisable {
    // SAFETY: the GIL is held.
    unsafe {
        if ffi::PyExceptionClass_Check(object.as_ptr()) != 0 {
            match Owned::steal_or_null(ffi::PyObject_CallNoArgs(object.as_ptr())) {
                Some(instance) => Raisable::Instance(instance),
                None => Raisable::Failed,
            }
        } else if ffi::PyExceptionInstance_Check(object.as_ptr()) != 0 {
            Raisable::Instance(Owned::new_reference(object.as_ptr()))
        } else {
            Raisable::Neither
        }
    }
}

/// `raise exception from cause`. `PyErr_SetObject` adds the context.
unsafe fn raise(exception: Owned, cause: Option<Owned>) {
    // SAFETY: the GIL is held; `PyException_SetCause` takes over the reference to the cause.
    unsafe {
        let value = match raisable(&exception) {
            Raisable::Instance(value) => value,
            Raisable::Failed => return,
            Raisable::Neither => {
                drop(exception);
                messages::raise(ffi::PyExc_TypeError, c"exceptions must derive from BaseException");
                return;
            }
        };
        if ffi::PyExceptionInstance_Check(value.as_ptr()) == 0 {
            ffi::PyErr_Format(
                ffi::PyExc_TypeError,
                c"calling %R should have returned an instance of BaseException, not %R".as_ptr(),
                exception.as_ptr(),
                object::type_of(value.as_ptr()),
            );
            return;
        }
        // A class is raised as itself even when its call gave an instance of another one.
        let ty = if ffi::PyExceptionClass_Check(exception.as_ptr()) != 0 {
            exception
        } else {
            Owned::new_reference(object::type_of(exception.as_ptr()).cast())
        };
        if let Some(cause) = cause {
            let fixed = if cause.as_ptr() == ffi::Py_None() {
                None
            } else {
                match raisable(&cause) {
                    Raisable::Instance(instance) => Some(instance),
                    Raisable::Failed => return,
                    Raisable::Neither => {
                        messages::raise(ffi::PyExc_TypeError, c"exception causes must derive from BaseException");
                        return;
                    }
                }
            };
            drop(cause);
            ffi::PyException_SetCause(value.as_ptr(), into_ptr_or_null(fixed));
        }
        ffi::PyErr_SetObject(ty.as_ptr(), value.as_ptr());
    }
}

/// `RERAISE`.
pub(super) unsafe extern "C" fn reraise(frame: *mut u8, exception: Object, lasti: Object) {
    // SAFETY: the contract of helpers.
    unsafe {
        let exception = Owned::steal(exception);
        if let Some(lasti) = Owned::steal_or_null(lasti) {
            if ffi::PyLong_Check(lasti.as_ptr()) == 0 {
                messages::raise(ffi::PyExc_SystemError, c"lasti is not an int");
                return;
            }
            names::view(frame).mark_at(ffi::PyLong_AsLong(lasti.as_ptr()) as usize);
        }
        restore(exception);
    }
}
