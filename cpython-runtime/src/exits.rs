//! Leaving compiled code: the frame is rebuilt so that the interpreter can go on in the middle of the function.
//!
//! Method: the exit's description ([`Exit`]) names where each local and stack slot comes from; the values are in the
//! activation's `out` buffer. Invariants: the frame is unlinked; nothing can look at it while it is half built, since
//! old contents of slots are dropped only when everything is in place; a failed allocation while boxing becomes a
//! `MemoryError` raised at the exit's instruction.

use crate::{frame::Frame, object};
use columba_jit_core::exit::{Exit, Source};
use pyo3_ffi::{self as ffi, PyObject};
use std::{ffi::c_int, ptr::null_mut};

unsafe extern "C" {
    fn _PyEval_EvalFrameDefault(
        thread: *mut ffi::PyThreadState,
        frame: *mut ffi::_PyInterpreterFrame,
        throwflag: c_int,
    ) -> *mut PyObject;
}

/// Rebuilds the frame and runs it to its end in the interpreter.
///
/// # Safety
/// As for [`rebuild_frame`]; `thread` is the current thread.
pub unsafe fn finish_exit(
    thread: *mut ffi::PyThreadState,
    frame: Frame,
    exit: &Exit,
    values: *const u64,
) -> *mut PyObject {
    // SAFETY: says the caller.
    unsafe {
        let throwflag = rebuild_frame(frame, exit, values);
        _PyEval_EvalFrameDefault(thread, frame.as_ptr(), throwflag)
    }
}

/// Rebuilds the frame: locals, stack, depth, position. The result is the `throwflag` to enter the interpreter with.
///
/// # Safety
/// The GIL is held; the frame is unlinked and belongs to the code that `exit` was compiled from; `values` holds the
/// exit's values, whose owned references are given away.
pub unsafe fn rebuild_frame(frame: Frame, exit: &Exit, values: *const u64) -> c_int {
    let base = frame.code().nlocalsplus() as usize;
    let mut failed = false;
    let mut old = Vec::with_capacity(exit.locals.len());
    for &(index, source) in &exit.locals {
        // SAFETY: the description's indices are those of the frame's locals.
        let current = unsafe { frame.slot(index as usize) };
        // SAFETY: says the caller.
        if unsafe { holds(current, source, values) } {
            continue;
        }
        // SAFETY: as above; the old reference is kept until the frame is complete.
        unsafe { frame.set_slot(index as usize, value(frame, source, values, &mut failed)) };
        if !current.is_null() {
            old.push(current);
        }
    }
    for (position, &source) in exit.stack.iter().enumerate() {
        // SAFETY: the stack was empty while native code ran, and the description fits the code's stack size.
        unsafe { frame.set_slot(base + position, value(frame, source, values, &mut failed)) };
    }
    frame.set_depth(exit.stack.len() as i32);
    frame.resume_at(exit.offset as usize);
    for reference in old {
        // SAFETY: owned by the slot it was taken from.
        unsafe { object::decref(reference) };
    }
    if failed {
        // SAFETY: the GIL is held.
        unsafe { ffi::PyErr_NoMemory() };
        frame.mark_at(exit.offset as usize);
        return 1;
    }
    0
}

/// Whether a slot already holds an equal object of the exact type, which then keeps its identity.
///
/// # Safety
/// `current` is null or alive; `values` holds the exit's values.
unsafe fn holds(current: *mut PyObject, source: Source, values: *const u64) -> bool {
    if current.is_null() {
        return false;
    }
    // SAFETY: says the caller; each branch checks the exact type before it reads the value.
    unsafe {
        let word = |index: u32| values.add(index as usize).read();
        match source {
            Source::Int(index) => {
                if ffi::PyLong_CheckExact(current) == 0 {
                    return false;
                }
                let mut overflow = 0;
                let value = ffi::PyLong_AsLongLongAndOverflow(current, &mut overflow);
                overflow == 0 && value == word(index) as i64
            }
            // Bits, not `==`: a NaN keeps its object, and 0.0 is not -0.0.
            Source::Float(index) => {
                ffi::PyFloat_CheckExact(current) != 0 && object::float_value(current).to_bits() == word(index)
            }
            Source::Owned(_) | Source::Borrowed(_) | Source::Bool(_) | Source::Const(_) | Source::Null => false,
        }
    }
}

/// A new reference for a slot, or null where the source says so or memory ran out.
///
/// # Safety
/// As for [`rebuild_frame`].
unsafe fn value(frame: Frame, source: Source, values: *const u64, failed: &mut bool) -> *mut PyObject {
    // SAFETY: says the caller.
    unsafe {
        let word = |index: u32| values.add(index as usize).read();
        let borrowed = |reference: *mut PyObject| {
            ffi::Py_XINCREF(reference);
            reference
        };
        let boxed = match source {
            Source::Owned(index) => return word(index) as *mut PyObject,
            Source::Borrowed(index) => return borrowed(word(index) as *mut PyObject),
            Source::Const(index) => {
                return borrowed(*object::tuple_items(frame.code().co_consts()).add(index as usize));
            }
            Source::Null => return null_mut(),
            Source::Bool(index) => ffi::PyBool_FromLong((word(index) & 0xff != 0) as _),
            Source::Int(index) => ffi::PyLong_FromLongLong(word(index) as i64),
            Source::Float(index) => ffi::PyFloat_FromDouble(f64::from_bits(word(index))),
        };
        if boxed.is_null() {
            // The `MemoryError` is raised when the frame is complete.
            ffi::PyErr_Clear();
            *failed = true;
            return borrowed(ffi::Py_None());
        }
        boxed
    }
}
