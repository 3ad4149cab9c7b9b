//! What CPython does around a generator's frame: making it, resuming it, and ending it.
//!
//! *Problem*: `gen_send_ex2`, `make_gen` and `_PyFrame_Copy` of CPython 3.11 are hidden, and the ways to them from outside build
//! arguments, look up the hook, or raise `StopIteration`. *Method*: their parts are rebuilt here. Whoever owns compiled code
//! registers a [`Resumer`]; helpers that are about to resume a generator or coroutine offer it the resumption.
//! *Invariants*: an offer that is refused has changed nothing and consumed nothing; between [`begin`] and [`suspended`] or
//! [`finish`] the generator counts as executing, so nobody else can resume it, and its entry is the top of the exception stack.
//! *Source*: `Objects/genobject.c`, `Python/frame.c` and `RETURN_GENERATOR` in `Python/ceval.c` of 3.11.

use crate::{
    call_frames,
    code::Code,
    frame::{Frame, Generator},
    layout::{code, exc_info, frame, function, generator},
    object, spare_generators,
    thread::{ExcInfo, ThreadState},
};
use columba_jit_core::build::Prelude;
use pyo3_ffi::{self as ffi, PyObject, PyTypeObject};
use std::{
    ffi::c_char,
    ptr::{null, null_mut},
    sync::atomic::{AtomicPtr, Ordering},
};

unsafe extern "C" {
    fn _PyErr_FormatFromCause(exception: *mut PyObject, format: *const c_char, ...) -> *mut PyObject;
    fn _PyObject_GC_NewVar(ty: *mut PyTypeObject, items: isize) -> *mut PyObject;
}

/// What a resumption came to; the first two with a new reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Returned,
    Yielded,
    Raised,
}

/// Resumes an exact generator or coroutine with a value, which is owned. `None`: nothing was done.
pub type Resumer = unsafe fn(ThreadState, Generator, *mut PyObject) -> Option<(Outcome, *mut PyObject)>;

static RESUMER: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Registers who resumes generators.
pub fn set_resumer(resumer: Resumer) {
    RESUMER.store(resumer as *mut (), Ordering::Relaxed);
}

/// Offers the resumption of an iterator or awaitable with a value, which an accepted offer consumes.
///
/// # Safety
/// The GIL is held; `target` is alive and somebody else keeps it so; `value` is owned.
#[inline(always)]
pub unsafe fn offer(
    thread: ThreadState,
    target: *mut PyObject,
    value: *mut PyObject,
) -> Option<(Outcome, *mut PyObject)> {
    // SAFETY: only `set_resumer` stores there; the rest says the caller.
    unsafe {
        if !is_resumable(target) {
            return None;
        }
        let resumer = RESUMER.load(Ordering::Relaxed);
        if resumer.is_null() {
            return None;
        }
        let resumer = std::mem::transmute::<*mut (), Resumer>(resumer);
        resumer(thread, Generator::new(target), value)
    }
}

/// Whether the object is exactly a generator or a coroutine.
///
/// # Safety
/// `target` is alive.
#[inline(always)]
pub unsafe fn is_resumable(target: *mut PyObject) -> bool {
    // SAFETY: says the caller.
    let ty = unsafe { object::type_of(target) };
    ty == &raw mut ffi::PyGen_Type || ty == &raw mut ffi::PyCoro_Type
}

/// Marks a suspended generator as executing.
#[inline(always)]
pub fn begin(thread: ThreadState, generator: Generator) {
    thread.set_exc_info_ptr(mark_executing(generator, thread.exc_info_ptr()));
}

/// The same on top of an entry of the exception stack; the generator's own is to become the top.
#[inline(always)]
pub fn mark_executing(generator: Generator, top: *mut u8) -> *mut u8 {
    let own = generator.exc_state();
    // SAFETY: the entry lies in the generator.
    unsafe { ExcInfo::new(own) }.set_previous_item(top);
    generator.set_frame_state(frame::STATE_EXECUTING as i8);
    own
}

/// Undoes what [`begin`] and linking did for a generator that has yielded.
#[inline(always)]
pub fn suspended(thread: ThreadState, generator: Generator) {
    thread.set_exc_info_ptr(mark_suspended(generator));
}

/// The same; the entry of the exception stack that is to become the top.
#[inline(always)]
pub fn mark_suspended(generator: Generator) -> *mut u8 {
    let previous = generator.exc_state().wrapping_add(exc_info::PREVIOUS_ITEM).cast::<*mut u8>();
    generator.frame().set_previous(null_mut());
    // SAFETY: the entry lies in the generator.
    unsafe { previous.replace(null_mut()) }
}

/// Ends a generator whose frame has returned, or raised when `result` is null.
///
/// # Safety
/// The GIL is held; the frame is unlinked, its generator began and is kept alive by the caller.
#[inline(always)]
pub unsafe fn finish(thread: ThreadState, generator: Generator, result: *mut PyObject) {
    // SAFETY: says the caller; references in the exception state and in the frame are the generator's.
    unsafe {
        if generator.frame_state() == frame::STATE_EXECUTING as i8 {
            generator.set_frame_state(frame::STATE_COMPLETED as i8);
        }
        suspended(thread, generator);
        if result.is_null() {
            forbid_stop_iteration(generator);
        }
        let handled = generator.exc_state().add(exc_info::EXC_VALUE).cast::<*mut PyObject>().replace(null_mut());
        if !handled.is_null() {
            object::decref(handled);
        }
        generator.set_frame_state(frame::STATE_CLEARED as i8);
        call_frames::clear(thread, generator.frame());
    }
}

/// A `StopIteration` that leaves a generator's code would end the loop around it unseen: it becomes a `RuntimeError`.
#[cold]
unsafe fn forbid_stop_iteration(generator: Generator) {
    // SAFETY: an exception is set, says the caller.
    unsafe {
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) != 0 {
            let coroutine = object::type_of(generator.as_ptr()) == &raw mut ffi::PyCoro_Type;
            let text = if coroutine { c"coroutine raised StopIteration" } else { c"generator raised StopIteration" };
            _PyErr_FormatFromCause(ffi::PyExc_RuntimeError, c"%s".as_ptr(), text.as_ptr());
        }
    }
}

/// Makes a generator, coroutine or asynchronous generator for a function, as its code up to `RETURN_GENERATOR` does. The
/// arguments, which go into the first `filled` slots, move into it, and are followed by as many of `defaults` as are missing; null with an exception when memory ran out then. `None`:
/// nothing was done, and CPython shall try.
///
/// # Safety
/// The GIL is held; `callable` is a function whose code is `made_by`, with this prelude; the arguments are owned.
#[inline(always)]
pub unsafe fn make(
    thread: ThreadState,
    callable: *mut PyObject,
    made_by: Code,
    prelude: &Prelude,
    arguments: *const *mut PyObject,
    filled: usize,
    defaults: *const *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: the object has room for its code's frame; every field is set before anybody can see it.
    unsafe {
        let kind = i64::from(made_by.flags());
        let ty = if kind & code::CO_GENERATOR != 0 {
            &raw mut ffi::PyGen_Type
        } else if kind & code::CO_COROUTINE != 0 {
            if thread.origin_tracking_depth() != 0 {
                return None;
            }
            &raw mut ffi::PyCoro_Type
        } else {
            &raw mut ffi::PyAsyncGen_Type
        };
        let locals = made_by.nlocalsplus() as usize;
        let words = locals + made_by.stacksize() as usize;
        let made = spare_generators::take(ty, words).unwrap_or_else(|| _PyObject_GC_NewVar(ty, words as isize));
        if made.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let field = |offset: usize| made.cast::<u8>().add(offset).cast::<*mut PyObject>();
        let owned = |object: *mut PyObject| {
            object::incref(object);
            object
        };
        field(generator::GI_CODE).write(owned(made_by.as_ptr()));
        field(generator::GI_WEAKREFLIST).write(null_mut());
        field(generator::GI_NAME).write(owned(object::read(callable, function::FUNC_NAME)));
        field(generator::GI_QUALNAME).write(owned(object::read(callable, function::FUNC_QUALNAME)));
        field(generator::GI_EXC_STATE + exc_info::EXC_VALUE).write(null_mut());
        field(generator::GI_EXC_STATE + exc_info::PREVIOUS_ITEM).write(null_mut());
        field(generator::ORIGIN_OR_FINALIZER).write(null_mut());
        for flag in [generator::HOOKS_INITED, generator::AG_CLOSED, generator::AG_RUNNING_ASYNC] {
            made.cast::<u8>().add(flag).write(0);
        }
        let whole = Generator::new(made);
        whole.set_frame_state(frame::STATE_CREATED as i8);
        let inside = whole.frame();
        call_frames::fill_header(inside, owned(callable), made_by, frame::OWNED_BY_GENERATOR);
        inside.set_previous(null_mut());
        inside.set_prev_instr(made_by.first_unit().wrapping_add(prelude.unit as usize));
        inside.set_stacktop(locals as i32);
        call_frames::fill_slots(inside, made_by, arguments, filled, defaults);
        let slots = inside.localsplus();
        if prelude.free_variables {
            let closure: *mut PyObject = object::read(callable, function::FUNC_CLOSURE);
            let count = made_by.nfreevars() as usize;
            for i in 0..count {
                slots.add(locals - count + i).write(owned(object::tuple_items(closure).add(i).read()));
            }
        }
        for &cell in &prelude.cells {
            let slot = slots.add(cell as usize);
            let content = slot.read();
            let holder = ffi::PyCell_New(content);
            if holder.is_null() {
                // The frame is in order, so CPython's own deallocator takes it apart.
                ffi::PyObject_GC_Track(made.cast());
                object::decref(made);
                return Some(null_mut());
            }
            slot.write(holder);
            if !content.is_null() {
                object::decref(content);
            }
        }
        ffi::PyObject_GC_Track(made.cast());
        Some(made)
    }
}

/// Moves the contents of the frame of a generator function's call into a new generator. As after `RETURN_GENERATOR` the
/// caller may clear the frame.
///
/// # Safety
/// As for [`make`]; the frame is unlinked, fresh, and its code's.
pub unsafe fn make_from_frame(thread: ThreadState, frame: Frame, prelude: &Prelude) -> Option<*mut PyObject> {
    // SAFETY: a fresh frame's slots are arguments or null; what moves out is not cleared, since the depth says so.
    unsafe {
        if !frame.f_locals().is_null() {
            return None;
        }
        let slots = frame.localsplus();
        let made = make(thread, frame.f_func(), frame.code(), prelude, slots, frame.stacktop() as usize, null())?;
        frame.set_stacktop(0);
        Some(made)
    }
}
