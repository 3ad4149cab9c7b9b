//! Frames of calls: pushed on CPython's data stack, filled, cleared and popped.
//!
//! *Problem*: CPython's own functions for this are hidden. *Method*: their parts are rebuilt here; a frame is pushed
//! exactly as `_PyEvalFramePushAndInit` does, and cleared as `_PyFrame_Clear` does. *Invariants*: a frame that cannot
//! be pushed has changed nothing; one that is pushed has consumed the references to its function and arguments.
//! *Source*: `Python/frame.c`, `Python/ceval.c` of 3.11.

use crate::{
    arguments,
    code::Code,
    direct::{Direct, Shape},
    frame::Frame,
    layout::{frame, frame_object, function},
    object,
    thread::ThreadState,
};
use pyo3_ffi::{self as ffi, PyObject};
use std::ptr::null_mut;

/// Where the next frame begins on the data stack, and where it would end; `None` when the current chunk has no room for it.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub(crate) unsafe fn room(thread: ThreadState, shape: Shape) -> Option<(Frame, *mut *mut PyObject)> {
    let base = thread.datastack_top();
    let end = base.wrapping_add(shape.words);
    // Null lies below any limit, and then nothing above it is free.
    if base.is_null() || end >= thread.datastack_limit() {
        return None;
    }
    // SAFETY: the words between `datastack_top` and `datastack_limit` are free.
    Some((unsafe { Frame::new(base.cast::<u8>()) }, end))
}

/// Takes that room for a call of the function; the locals are the caller's to fill.
///
/// # Safety
/// As [`room`] gave it, with nothing pushed since; as for [`fill_header`], and the shape is that of the code.
#[inline(always)]
pub(crate) unsafe fn begin(
    thread: ThreadState,
    frame: Frame,
    end: *mut *mut PyObject,
    callable: *mut PyObject,
    code: Code,
    shape: Shape,
) {
    thread.set_datastack_top(end);
    // SAFETY: says the caller.
    unsafe { fill_header(frame, callable, code, frame::OWNED_BY_THREAD) };
    // As while the interpreter runs it: the garbage collector must not look at its stack.
    frame.set_stacktop(-1);
    frame.set_prev_instr(shape.before_first);
}

/// [`push_frame`], the short way where there is one.
///
/// # Safety
/// As for [`push_simple_frame`].
#[inline(always)]
pub(crate) unsafe fn push(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    shape: Shape,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<Frame> {
    // SAFETY: says the caller.
    unsafe {
        if count == shape.arguments {
            push_simple_frame(thread, callable, code, shape, arguments)
        } else {
            push_frame(thread, callable, code, shape, arguments, count)
        }
    }
}

/// The same as [`push_frame`] for as many arguments as the code takes, by the shape of its code.
///
/// # Safety
/// As for [`push_frame`]; the shape is that of the function's code.
#[inline(always)]
unsafe fn push_simple_frame(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    shape: Shape,
    arguments: *const *mut PyObject,
) -> Option<Frame> {
    // SAFETY: as in `push_frame`.
    unsafe {
        let (frame, end) = room(thread, shape)?;
        begin(thread, frame, end, callable, code, shape);
        let slots = frame.localsplus();
        let filled = shape.arguments;
        // The first few one by one: a loop over so few words costs more than they do.
        if filled > 0 {
            slots.write(arguments.read());
            if filled > 1 {
                slots.add(1).write(arguments.add(1).read());
                if filled > 2 {
                    slots.add(2).write(arguments.add(2).read());
                    for i in 3..filled {
                        slots.add(i).write_volatile(arguments.add(i).read());
                    }
                }
            }
        }
        for i in filled..shape.locals {
            slots.add(i).write_volatile(null_mut());
        }
        Some(frame)
    }
}

/// Pushes a frame for the function and moves arguments into its first locals; `None` when the current chunk of the data
/// stack has no room, or when a missing argument has no default. The frame is not linked, but marked as running.
///
/// # Safety
/// The GIL is held; `callable` and the arguments are alive and owned; the function's code takes positional arguments
/// only and is no generator.
#[inline(always)]
unsafe fn push_frame(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    shape: Shape,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<Frame> {
    // SAFETY: the words between `datastack_top` and `datastack_limit` are free; a function's fields are alive with it.
    unsafe {
        let (frame, end) = room(thread, shape)?;
        let defaults = arguments::missing(callable, code, count)?;
        begin(thread, frame, end, callable, code, shape);
        fill_slots(frame, code, arguments, count, defaults);
        Some(frame)
    }
}

/// Fills in what all new frames of a function have in common; the caller sets the depth, the next instruction and what is
/// linked. The reference to the function moves into the frame, which takes another to the code.
///
/// # Safety
/// The frame's words are free; `callable` is a live function with this code.
#[inline(always)]
pub(crate) unsafe fn fill_header(frame: Frame, callable: *mut PyObject, code: Code, owner: i64) {
    // SAFETY: a function's fields are alive with it.
    unsafe {
        frame.set_f_func(callable);
        frame.set_f_globals(object::read(callable, function::FUNC_GLOBALS));
        frame.set_f_builtins(object::read(callable, function::FUNC_BUILTINS));
        object::incref(code.as_ptr());
    }
    frame.set_f_locals(null_mut());
    frame.set_f_code(code.as_ptr());
    frame.set_frame_obj(null_mut());
    frame.set_is_entry(false);
    frame.set_owner(owner as u8);
}

/// Moves arguments into the first `count` locals of a new frame; as many defaults as are missing follow, and the other locals
/// are unset.
///
/// # Safety
/// The frame has room for its code's locals; the arguments are alive and owned; `defaults` are those that
/// [`arguments::missing`] gave, or `count` is at least as much as the code takes.
#[inline(always)]
pub(crate) unsafe fn fill_slots(
    frame: Frame,
    code: Code,
    arguments: *const *mut PyObject,
    count: usize,
    defaults: *const *mut PyObject,
) {
    let wanted = (code.argcount() as usize).max(count);
    let slots = frame.localsplus();
    // SAFETY: says the caller.
    unsafe {
        // Volatile, so that these few words do not become a call of memcpy or memset.
        for i in 0..count {
            slots.add(i).write_volatile(arguments.add(i).read());
        }
        for i in count..wanted {
            let value = defaults.add(i - count).read();
            object::incref(value);
            slots.add(i).write(value);
        }
        for i in wanted..code.nlocalsplus() as usize {
            slots.add(i).write_volatile(null_mut());
        }
    }
}

/// Clears a frame that has ended, and gives its words back.
///
/// # Safety
/// The frame was pushed by `push` on this thread, is unlinked, its value stack is empty, and no frame lies above.
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
        match Direct::of(frame.code()) {
            Some(direct) => direct.spares.release(frame.f_func()),
            None => object::decref(frame.f_func()),
        }
        object::decref(frame.f_code());
    }
}

/// Takes the function out of a frame that will only be cleared, if it is to be used again and nobody has the frame's object.
///
/// # Safety
/// As for [`clear_and_pop`], but CPython clears the frame.
pub unsafe fn take_function(frame: Frame) {
    // SAFETY: the frame owns its function; who clears it gives up a reference to whatever object stands there.
    unsafe {
        if frame.frame_obj().is_null()
            && let Some(direct) = Direct::of(frame.code())
            && direct.spares.wants(frame.f_func())
        {
            let none = ffi::Py_None();
            object::incref(none);
            let function = frame.f_func();
            frame.set_f_func(none);
            direct.spares.release(function);
        }
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
        // no caller any more, and C code may have called without any. An exception that passes is not to be cleared; one that
        // making the object raises, CPython has.
        let back = if in_generator { null_mut() } else { ffi::PyThreadState_GetFrame(thread.as_ptr()) };
        if !back.is_null() {
            seen.cast::<u8>().add(frame_object::F_BACK).cast::<*mut PyObject>().write(back.cast());
            kept.set_previous(null_mut());
        }
        if ffi::PyObject_GC_IsTracked(seen) == 0 {
            ffi::PyObject_GC_Track(seen.cast());
        }
    }
}
