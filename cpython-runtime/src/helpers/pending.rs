//! What a back edge services when `eval_breaker` is set.
//!
//! *Problem*: `eval_frame_handle_pending` of ceval.c is hidden, and compiled code must neither starve signals and other
//! threads nor be left for each of their requests. *Method*: the exported parts in the same order: signals and pending
//! calls, then a release of the GIL when somebody asked for it. An asynchronous exception is left to the interpreter,
//! which raises it at its own next check. *Invariant*: when nothing is pending for this thread afterwards, the word is
//! what `COMPUTE_EVAL_BREAKER` makes it, so a poll that found nothing is not repeated at every back edge.

use super::{ERROR, OK};
use crate::{
    frame::Frame,
    layout::{interp, runtime, thread},
    object,
    thread::{ThreadState, main_thread_id},
};
use pyo3_ffi as ffi;
use std::{
    ptr::null_mut,
    sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering::Relaxed},
};

unsafe extern "C" {
    static _PyRuntime: u8;
}

/// Compiled code goes to the interpreter.
const LEAVE: i64 = 1;

/// Says whether the activation that asks shall leave its code, for a better version say. Runs under the GIL and no Python.
pub type LeaveQuery = fn(Frame) -> bool;

static LEAVE_QUERY: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Registers whom to ask.
pub fn set_leave_query(query: LeaveQuery) {
    LEAVE_QUERY.store(query as *mut (), Relaxed);
}

/// Whether native code serves requests now.
static SERVING: AtomicBool = AtomicBool::new(false);

/// Whether a pending call that asks this is run on behalf of native code, rather than by the interpreter's loop. (While a
/// signal handler runs that native code called, what the handler calls is mistaken for native, too.)
pub fn is_serving() -> bool {
    SERVING.load(Relaxed)
}

fn is_asked_to_leave(thread: ThreadState) -> bool {
    let query = LEAVE_QUERY.load(Relaxed);
    let frame = thread.current_frame();
    if query.is_null() || frame.is_null() {
        return false;
    }
    // SAFETY: only `set_leave_query` stores there.
    unsafe { std::mem::transmute::<*mut (), LeaveQuery>(query)(frame) }
}

/// `eval_frame_handle_pending` of ceval.c.
pub(super) unsafe extern "C" fn handle_pending(thread: *mut ffi::PyThreadState, frame: *mut u8) -> i64 {
    let _ = frame;
    // SAFETY: the contract of helpers.
    unsafe { handle(ThreadState::new(thread)) }
}

/// [`OK`], [`ERROR`], or something else when compiled code is to be left.
///
/// # Safety
/// The GIL is held by the thread.
pub(super) unsafe fn handle(view: ThreadState) -> i64 {
    // SAFETY: the thread state outlives this function, also while the GIL is released.
    unsafe {
        let thread = view.as_ptr();
        let signals = signals_pending().load(Relaxed) != 0;
        let calls = interpreter_word(view, interp::PENDING_CALLS_TO_DO).load(Relaxed) != 0;
        // Does nothing but in the main thread.
        if signals || calls {
            let before = SERVING.swap(true, Relaxed);
            let failed = ffi::Py_MakePendingCalls() != 0;
            SERVING.store(before, Relaxed);
            if failed {
                return ERROR;
            }
        }
        let released = view.interpreter().gil_drop_request().load(Relaxed) != 0;
        if released {
            ffi::PyEval_SaveThread();
            ffi::PyEval_RestoreThread(thread);
        }
        let async_exc: *mut ffi::PyObject = object::read(thread.cast(), thread::ASYNC_EXC);
        if !async_exc.is_null() || view.cframe().use_tracing() != 0 || is_asked_to_leave(view) {
            return LEAVE;
        }
        if !(signals || calls || released) {
            compute_eval_breaker(view);
        }
        OK
    }
}

fn signals_pending() -> &'static AtomicI32 {
    // SAFETY: an aligned atomic int in a static of CPython.
    unsafe { &*(&raw const _PyRuntime).add(runtime::SIGNALS_PENDING).cast() }
}

unsafe fn interpreter_word(thread: ThreadState, offset: usize) -> &'static AtomicI32 {
    // SAFETY: an aligned int of the interpreter state, which outlives its threads.
    unsafe { &*thread.interp_ptr().cast::<u8>().add(offset).cast() }
}

/// `COMPUTE_EVAL_BREAKER` of ceval.c. The word is cleared first: a request that arrives in between sets it again and
/// stays, one that arrived before is seen by the reads.
unsafe fn compute_eval_breaker(thread: ThreadState) {
    // SAFETY: the GIL is held, and the interpreter state is alive; `pthread_self` only asks.
    unsafe {
        let breaker = thread.interpreter().eval_breaker();
        breaker.store(0, std::sync::atomic::Ordering::SeqCst);
        let is_main = libc::pthread_self() as u64 == main_thread_id();
        let set = thread.interpreter().gil_drop_request().load(Relaxed) != 0
            || interpreter_word(thread, interp::PENDING_ASYNC_EXC).load(Relaxed) != 0
            || is_main
                && (signals_pending().load(Relaxed) != 0
                    || interpreter_word(thread, interp::PENDING_CALLS_TO_DO).load(Relaxed) != 0);
        if set {
            breaker.store(1, Relaxed);
        }
    }
}
