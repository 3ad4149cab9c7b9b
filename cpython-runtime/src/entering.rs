//! Entering compiled code from compiled code and from helpers: whether that may be done, and how.
//!
//! *Problem*: the hook is asked for every function that CPython runs; whoever knows the callee's compiled code wants
//! no second look. *Method*: whoever compiles registers its hook and what is left to do where compiled code did not
//! simply finish; code that did has released its locals itself. *Invariants*: nothing is entered unless the hook is in
//! force, in its slot or parked, nor while somebody traces; a frame that was entered is cleared and popped when the
//! call is over, whatever its end.

use crate::{
    call_frames::clear_and_pop,
    code::Code,
    direct::{self, Direct, Entry, OUT_WORDS},
    frame::Frame,
    object, stack_limit,
    thread::ThreadState,
    vectorcall::{self, Vectorcall},
};
use columba_jit_core::ir::op::Status;
use pyo3_ffi::PyObject;
use std::{
    ffi::c_void,
    mem::MaybeUninit,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

/// What is left to do when compiled code did not simply finish: it returned in another way, raised, or took an exit. Gets the
/// frame, linked, the version that ran, its status and `out`; gives the call's result.
pub type Finish = unsafe fn(ThreadState, Frame, *const c_void, i64, *mut u64) -> *mut PyObject;

/// Makes the generator of a call with that many positional arguments, all as for [`offer`](crate::direct_calls::offer).
pub type Make = unsafe fn(ThreadState, *mut PyObject, *const *mut PyObject, usize) -> Option<*mut PyObject>;

static HOOK: AtomicPtr<()> = AtomicPtr::new(null_mut());
static PARKED: AtomicPtr<()> = AtomicPtr::new(null_mut());
static FINISH: AtomicPtr<()> = AtomicPtr::new(null_mut());
static MAKE: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Says whether the hook counts as installed although its slot is empty.
pub type Parked = fn() -> bool;

/// Registers who compiles: its index of extras, its frame evaluation function, who knows whether that is parked, who ends
/// activations, who makes generators, and what calls functions that were adopted.
pub fn register(extra: isize, hook: *const (), parked: Parked, finish: Finish, make: Make, adopted: Vectorcall) {
    PARKED.store(parked as *mut (), Relaxed);
    MAKE.store(make as *mut (), Relaxed);
    HOOK.store(hook.cast_mut(), Relaxed);
    FINISH.store(finish as *mut (), Relaxed);
    vectorcall::register(adopted);
    direct::register(extra);
}

/// Whether compiled code may be entered now by whoever is not CPython: the hook is in force, nobody traces, and the C stack is
/// not nearly used up.
#[inline(always)]
pub fn may_enter(thread: ThreadState) -> bool {
    is_in_force(thread) && stack_limit::is_surely_shallow(thread)
}

/// The same for whoever has asked once, at this depth of the C stack.
#[inline(always)]
pub fn is_in_force(thread: ThreadState) -> bool {
    let installed = thread.interpreter().eval_frame();
    (installed == HOOK.load(Relaxed).cast() || installed.is_null() && is_parked()) && thread.cframe().use_tracing() == 0
}

#[cold]
#[inline(never)]
fn is_parked() -> bool {
    let parked = PARKED.load(Relaxed);
    // SAFETY: only `register` stores there.
    !parked.is_null() && unsafe { std::mem::transmute::<*mut (), Parked>(parked) }()
}

/// The same for a call of a function, which nobody may have given another way to be called.
///
/// # Safety
/// `callable` is a live function.
#[inline(always)]
pub unsafe fn may_call(thread: ThreadState, callable: *mut PyObject) -> bool {
    // SAFETY: says the caller.
    may_enter(thread) && unsafe { vectorcall::is_called_plainly(callable) }
}

/// Runs compiled code on a frame that was pushed for it, and pops the frame.
///
/// # Safety
/// The GIL is held; `direct` is that of the code of the function; the frame is not linked and owns its locals and the function.
#[inline(always)]
pub(crate) unsafe fn enter(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    entry: Entry,
    frame: Frame,
) -> *mut PyObject {
    // SAFETY: says the caller.
    unsafe {
        let cframe = thread.cframe();
        if !thread.enter_recursive_call() {
            return refuse_recursion(thread, frame);
        }
        frame.set_previous(cframe.current_frame());
        cframe.set_current_frame(frame.as_ptr());
        direct.entered.set(direct.entered.get() + 1);
        let version = direct.version.get();
        let mut out = MaybeUninit::<[u64; OUT_WORDS]>::uninit();
        let out = out.as_mut_ptr().cast::<u64>();
        let status = entry(direct.ctx.get(), thread.as_ptr(), frame.as_ptr(), out, direct.start.get());
        if status != Status::Finished as i64 {
            return finish(thread, frame, version, status, out);
        }
        cframe.set_current_frame(frame.previous());
        thread.leave_recursive_call();
        thread.set_datastack_top(frame.as_ptr());
        let result = out.read() as *mut PyObject;
        direct.spares.release(callable);
        object::decref(code.as_ptr());
        result
    }
}

/// The recursion limit is reached, `RecursionError` set; nothing has run.
#[cold]
#[inline(never)]
unsafe fn refuse_recursion(thread: ThreadState, frame: Frame) -> *mut PyObject {
    frame.set_depth(0);
    // SAFETY: pushed just now and not linked.
    unsafe { clear_and_pop(thread, frame) };
    null_mut()
}

/// Has a generator be made, as [`Make`] says.
///
/// # Safety
/// As for [`offer`](crate::direct_calls::offer).
#[inline(never)]
pub(crate) unsafe fn make(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<*mut PyObject> {
    // SAFETY: only `register` stores there, before code has a state; the rest says the caller.
    unsafe {
        let make = std::mem::transmute::<*mut (), Make>(MAKE.load(Relaxed));
        make(thread, callable, arguments, count)
    }
}

#[cold]
#[inline(never)]
unsafe fn finish(
    thread: ThreadState,
    frame: Frame,
    version: *const c_void,
    status: i64,
    out: *mut u64,
) -> *mut PyObject {
    // SAFETY: only `register` stores there; the rest is as `Finish` wants it, and the frame was pushed for the call.
    unsafe {
        let finish = std::mem::transmute::<*mut (), Finish>(FINISH.load(Relaxed));
        let result = finish(thread, frame, version, status, out);
        clear_and_pop(thread, frame);
        result
    }
}
