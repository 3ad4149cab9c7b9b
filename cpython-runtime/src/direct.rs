//! Calls of Python functions from compiled code without an argument tuple, a vectorcall or a second look at the hook.
//!
//! *Problem*: `_PyFunction_Vectorcall` copies every argument, parses, and enters the hook, which has to find out again what
//! the caller knew. *Method*: whoever owns the compiled code registers an [`Entrance`]; helpers that are about to call a
//! Python function offer it the call, with references that move into the new frame. The frame is pushed on CPython's data
//! stack, exactly as `_PyEvalFramePushAndInit` does, and cleared as `_PyFrame_Clear` does. *Invariants*: an offer that is
//! refused has changed nothing; one that is accepted has consumed every reference. *Source*: `Python/frame.c`,
//! `Python/ceval.c` of 3.11.

use crate::{
    code::Code,
    frame::Frame,
    layout::{frame, frame_object, function},
    object,
    thread::ThreadState,
};
use pyo3_ffi::{self as ffi, PyObject};
use std::{
    ptr::{null, null_mut},
    sync::atomic::{AtomicPtr, Ordering},
};

/// Takes over a call of a Python function with `count` positional arguments at `arguments`; function and arguments are
/// owned. `None`: nothing was done. `Some`: all were consumed; null with an exception set, or a new reference.
pub type Entrance = unsafe fn(ThreadState, *mut PyObject, *const *mut PyObject, usize) -> Option<*mut PyObject>;

static ENTRANCE: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Registers who takes calls over.
pub fn set_entrance(entrance: Entrance) {
    ENTRANCE.store(entrance as *mut (), Ordering::Relaxed);
}

/// Offers a call.
///
/// # Safety
/// The GIL is held; `callable` and the arguments are alive and owned.
#[inline(always)]
pub unsafe fn offer(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<*mut PyObject> {
    // SAFETY: only `set_entrance` stores there; the rest says the caller.
    unsafe {
        if object::type_of(callable) != &raw mut ffi::PyFunction_Type {
            return None;
        }
        let entrance = ENTRANCE.load(Ordering::Relaxed);
        if entrance.is_null() {
            return None;
        }
        let entrance = std::mem::transmute::<*mut (), Entrance>(entrance);
        entrance(thread, callable, arguments, count)
    }
}

/// The defaults of the arguments that follow the first `count`: as many as are missing. `None` when there are too many
/// arguments, or when one has no default.
///
/// # Safety
/// `callable` is a live function with this code, which takes positional arguments only.
#[inline(always)]
pub unsafe fn missing(callable: *mut PyObject, code: Code, count: usize) -> Option<*const *mut PyObject> {
    let wanted = code.argcount() as usize;
    if count >= wanted {
        return (count == wanted).then_some(null());
    }
    // SAFETY: says the caller; the tuple is the function's.
    unsafe {
        let defaults: *mut PyObject = object::read(callable, function::FUNC_DEFAULTS);
        let available = if defaults.is_null() { 0 } else { object::size(defaults) as usize };
        let first = wanted.saturating_sub(available);
        if count < first || available > wanted {
            return None;
        }
        Some(object::tuple_items(defaults).add(count - first))
    }
}

/// Pushes a frame for the function and moves arguments into its first locals; `None` when the current chunk of the data
/// stack has no room, or when a missing argument has no default.
///
/// # Safety
/// As for [`Entrance`]; the function's code takes positional arguments only and is no generator.
#[inline(always)]
pub unsafe fn push_frame(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<Frame> {
    // SAFETY: the words between `datastack_top` and `datastack_limit` are free; a function's fields are alive with it.
    unsafe {
        let locals = code.nlocalsplus() as usize;
        let wanted = code.argcount() as usize;
        let words = locals + code.stacksize() as usize + frame::SPECIALS_WORDS as usize;
        let base = thread.datastack_top();
        if base.is_null() || (thread.datastack_limit().offset_from(base) as usize) <= words {
            return None;
        }
        let defaults = missing(callable, code, count)?;
        thread.set_datastack_top(base.add(words));
        let frame = Frame::new(base.cast::<u8>());
        frame.set_f_func(callable);
        frame.set_f_globals(object::read(callable, function::FUNC_GLOBALS));
        frame.set_f_builtins(object::read(callable, function::FUNC_BUILTINS));
        frame.set_f_locals(null_mut());
        object::incref(code.as_ptr());
        frame.set_f_code(code.as_ptr());
        frame.set_frame_obj(null_mut());
        frame.set_stacktop(locals as i32);
        frame.set_prev_instr(code.first_unit().wrapping_sub(1));
        frame.set_is_entry(false);
        frame.set_owner(frame::OWNED_BY_THREAD as u8);
        let slots = frame.localsplus();
        // Volatile, so that these few words do not become a call of memcpy or memset.
        for i in 0..count {
            slots.add(i).write_volatile(arguments.add(i).read());
        }
        for i in count..wanted {
            let value = defaults.add(i - count).read();
            object::incref(value);
            slots.add(i).write(value);
        }
        for i in wanted..locals {
            slots.add(i).write_volatile(null_mut());
        }
        Some(frame)
    }
}

/// Clears a frame that has ended, and gives its words back.
///
/// # Safety
/// The frame was pushed by [`push_frame`] on this thread, is unlinked, its value stack is empty, and no frame lies above.
#[inline(always)]
pub unsafe fn clear_and_pop(thread: ThreadState, frame: Frame) {
    // SAFETY: slots below `stacktop` are owned or null; the frame owns function and code.
    unsafe {
        thread.set_recursion_remaining(thread.recursion_remaining() - 1);
        clear(thread, frame);
        thread.set_recursion_remaining(thread.recursion_remaining() + 1);
        thread.set_datastack_top(frame.as_ptr());
    }
}

/// `_PyFrame_Clear`, for a frame of a call or of a generator that has ended.
///
/// # Safety
/// As for [`clear_and_pop`], but for where the frame lies.
#[inline(always)]
pub(crate) unsafe fn clear(thread: ThreadState, frame: Frame) {
    // SAFETY: as for `clear_and_pop`.
    unsafe {
        let seen = frame.frame_obj();
        if !seen.is_null() {
            frame.set_frame_obj(null_mut());
            if ffi::Py_REFCNT(seen) > 1 {
                take_ownership(thread, seen, frame);
                object::decref(seen);
                return;
            }
            object::decref(seen);
        }
        let slots = frame.localsplus();
        for i in 0..frame.stacktop() as usize {
            let value = slots.add(i).read();
            if !value.is_null() {
                object::decref(value);
            }
        }
        let locals = frame.f_locals();
        if !locals.is_null() {
            object::decref(locals);
        }
        object::decref(frame.f_func());
        object::decref(frame.f_code());
    }
}

/// Moves a frame's contents into the frame object that outlives it.
///
/// # Safety
/// As for [`clear_and_pop`]; `seen` is the frame's own object.
#[cold]
unsafe fn take_ownership(thread: ThreadState, seen: *mut PyObject, frame: Frame) {
    // SAFETY: a frame object has room for its code's frame (it is a variable-sized object made for it).
    unsafe {
        let bytes = frame::LOCALSPLUS + 8 * frame.stacktop() as usize;
        let data = seen.cast::<u8>().add(frame_object::F_FRAME_DATA);
        std::ptr::copy_nonoverlapping(frame.as_ptr::<u8>(), data, bytes);
        let kept = Frame::new(data);
        let in_generator = kept.is_generator_owned();
        seen.cast::<u8>().add(frame_object::F_FRAME).cast::<*mut u8>().write(data);
        kept.set_owner(frame::OWNED_BY_FRAME_OBJECT as u8);
        let first = kept.code().firsttraceable() as usize;
        if kept.prev_instr() < kept.code().first_unit().add(first) {
            kept.set_prev_instr(kept.code().first_unit().add(first));
        }
        // The frame is unlinked, so the current one is the caller's; its object may have to be made. A generator's frame has
        // no caller any more.
        let back = if in_generator { null_mut() } else { ffi::PyThreadState_GetFrame(thread.as_ptr()) };
        if back.is_null() {
            if !in_generator {
                ffi::PyErr_Clear();
            }
        } else {
            seen.cast::<u8>().add(frame_object::F_BACK).cast::<*mut PyObject>().write(back.cast());
            kept.set_previous(null_mut());
        }
        if ffi::PyObject_GC_IsTracked(seen) == 0 {
            ffi::PyObject_GC_Track(seen.cast());
        }
    }
}
