//! Thread states, the interpreter state, and recursion accounting as 3.11 does it.
//!
//! *Problem*: entering a frame takes the current frame, the data stack, the recursion count and the tracing flag of a
//! thread, none of which CPython publishes. *Method*: thin views with offsets from its headers. *Invariants*: a view
//! does not keep what it shows alive; fields that CPython changes without the GIL, or reads without it, are atomics
//! here.

use crate::{
    frame::Frame,
    layout::{cframe, exc_info, interp, runtime, thread},
};
use pyo3_ffi::{PyInterpreterState, PyObject, PyThreadState};
use std::{
    ffi::{c_char, c_int},
    sync::atomic::{AtomicI32, AtomicPtr, AtomicU64},
};

unsafe extern "C" {
    /// Raises `RecursionError` when the limit is really reached; -1 then.
    fn _Py_CheckRecursiveCall(thread: *mut PyThreadState, where_: *const c_char) -> c_int;
    static _PyRuntime: u8;
}

view! {
    /// A thread state.
    ThreadState of "PyThreadState" {
        interp_ptr, set_interp_ptr: *mut PyInterpreterState = thread::INTERP;
        next, set_next: *mut PyThreadState = thread::NEXT;
        recursion_remaining, set_recursion_remaining: i32 = thread::RECURSION_REMAINING;
        recursion_limit, set_recursion_limit: i32 = thread::RECURSION_LIMIT;
        /// How many frames a new coroutine remembers as its origin.
        origin_tracking_depth, set_origin_tracking_depth: i32 = thread::COROUTINE_ORIGIN_TRACKING_DEPTH;
        tracing, set_tracing: i32 = thread::TRACING;
        /// The event of the trace function that runs.
        tracing_what, set_tracing_what: i32 = thread::TRACING_WHAT;
        cframe_ptr, set_cframe_ptr: *mut u8 = thread::CFRAME;
        c_profilefunc, set_c_profilefunc: *mut u8 = thread::C_PROFILEFUNC;
        c_tracefunc, set_c_tracefunc: *mut u8 = thread::C_TRACEFUNC;
        c_traceobj, set_c_traceobj: *mut PyObject = thread::C_TRACEOBJ;
        c_profileobj, set_c_profileobj: *mut PyObject = thread::C_PROFILEOBJ;
        curexc_type, set_curexc_type: *mut PyObject = thread::CUREXC_TYPE;
        curexc_value, set_curexc_value: *mut PyObject = thread::CUREXC_VALUE;
        curexc_traceback, set_curexc_traceback: *mut PyObject = thread::CUREXC_TRACEBACK;
        /// Top of the stack of handled exceptions.
        exc_info_ptr, set_exc_info_ptr: *mut u8 = thread::EXC_INFO;
        async_exc, set_async_exc: *mut PyObject = thread::ASYNC_EXC;
        thread_id, set_thread_id: u64 = thread::THREAD_ID;
        /// Unique within the interpreter, unlike the address.
        id, set_id: u64 = thread::ID;
        /// How deeply deallocations are nested, as far as the trash can counts them, and what it put off.
        trash_delete_nesting, set_trash_delete_nesting: i32 = thread::TRASH_DELETE_NESTING;
        trash_delete_later, set_trash_delete_later: *mut PyObject = thread::TRASH_DELETE_LATER;
        datastack_chunk, set_datastack_chunk: *mut u8 = thread::DATASTACK_CHUNK;
        datastack_top, set_datastack_top: *mut *mut PyObject = thread::DATASTACK_TOP;
        datastack_limit, set_datastack_limit: *mut *mut PyObject = thread::DATASTACK_LIMIT;
    }
}

impl ThreadState {
    /// The current thread's state.
    ///
    /// # Safety
    /// The GIL is held, as long as the view is used.
    pub unsafe fn current() -> Self {
        // SAFETY: the GIL is held, so there is a current thread state and it stays alive.
        unsafe { Self::new(pyo3_ffi::PyThreadState_Get()) }
    }

    /// The same, in line.
    ///
    /// # Safety
    /// As for [`ThreadState::current`].
    #[inline(always)]
    pub unsafe fn holding_gil() -> Self {
        // SAFETY: who holds the GIL is the current thread.
        unsafe { Self::new(gil_holder().load(std::sync::atomic::Ordering::Relaxed)) }
    }

    /// The innermost activation of the interpreter's loop.
    #[inline(always)]
    pub fn cframe(self) -> CFrame {
        // SAFETY: `cframe` always points to a live `_PyCFrame`, at least the one inside the thread state.
        unsafe { CFrame::new(self.cframe_ptr()) }
    }

    /// The frame that runs.
    #[inline(always)]
    pub fn current_frame(self) -> Frame {
        // SAFETY: the current frame is alive; it may be null, which only `is_null` looks at.
        unsafe { Frame::new(self.cframe().current_frame()) }
    }

    /// The interpreter this thread belongs to.
    #[inline(always)]
    pub fn interpreter(self) -> Interpreter {
        // SAFETY: outlives its threads.
        unsafe { Interpreter::new(self.interp_ptr()) }
    }

    /// The top of the stack of handled exceptions.
    #[inline(always)]
    pub fn exc_info(self) -> ExcInfo {
        // SAFETY: never null while the thread lives.
        unsafe { ExcInfo::new(self.exc_info_ptr()) }
    }

    /// Counts one more Python frame, as `_Py_EnterRecursiveCall` does. `false`: `RecursionError` is set and nothing
    /// is counted.
    #[inline(always)]
    pub fn enter_recursive_call(self) -> bool {
        let remaining = self.recursion_remaining();
        self.set_recursion_remaining(remaining - 1);
        // SAFETY: the GIL is held; the message suffix is the interpreter's own.
        if remaining <= 0 && unsafe { _Py_CheckRecursiveCall(self.as_ptr(), c"".as_ptr()) } != 0 {
            // `_Py_CheckRecursiveCall` has given the unit back already.
            return false;
        }
        true
    }

    /// Undoes [`ThreadState::enter_recursive_call`].
    #[inline(always)]
    pub fn leave_recursive_call(self) {
        self.set_recursion_remaining(self.recursion_remaining() + 1);
    }
}

view! {
    /// One activation of `_PyEval_EvalFrameDefault`, on the C stack.
    CFrame of "_PyCFrame" {
        /// 0 or 255.
        use_tracing, set_use_tracing: u8 = cframe::USE_TRACING;
        current_frame, set_current_frame: *mut u8 = cframe::CURRENT_FRAME;
        previous, set_previous: *mut u8 = cframe::PREVIOUS;
    }
}

view! {
    /// One entry of the stack of handled exceptions.
    ExcInfo of "_PyErr_StackItem" {
        exc_value, set_exc_value: *mut PyObject = exc_info::EXC_VALUE;
        previous_item, set_previous_item: *mut u8 = exc_info::PREVIOUS_ITEM;
    }
}

view! {
    /// The interpreter state.
    Interpreter of "PyInterpreterState" {
        /// The PEP 523 hook; null when the interpreter's own loop is used.
        eval_frame, set_eval_frame: *mut u8 = interp::EVAL_FRAME;
    }
}

impl Interpreter {
    /// The hook's place as a word that may be exchanged: CPython writes it under the GIL.
    pub fn eval_frame_slot(self) -> &'static AtomicPtr<u8> {
        // SAFETY: an aligned pointer; interpreters are never freed while in use.
        unsafe { &*self.as_ptr::<u8>().add(interp::EVAL_FRAME).cast() }
    }

    /// Non-zero when a back edge should look at signals, pending calls, the GIL, or asynchronous exceptions.
    #[inline(always)]
    pub fn eval_breaker(self) -> &'static AtomicI32 {
        // SAFETY: an aligned i32 that CPython accesses atomically; interpreters are never freed while in use.
        unsafe { &*self.as_ptr::<u8>().add(interp::EVAL_BREAKER).cast() }
    }

    /// Non-zero when another thread waits for the GIL.
    #[inline(always)]
    pub fn gil_drop_request(self) -> &'static AtomicI32 {
        // SAFETY: as for `eval_breaker`.
        unsafe { &*self.as_ptr::<u8>().add(interp::GIL_DROP_REQUEST).cast() }
    }
}

/// The thread state that holds the GIL, or null: may be read by any thread at any time.
#[inline]
pub fn gil_holder() -> &'static AtomicPtr<PyThreadState> {
    // SAFETY: `_PyRuntime` is a static of CPython; the field is an aligned atomic pointer.
    unsafe { &*(&raw const _PyRuntime).add(runtime::TSTATE_CURRENT).cast() }
}

/// `pthread_self()` of the thread that handles signals and pending calls.
pub fn main_thread_id() -> u64 {
    // SAFETY: as above; an aligned unsigned long.
    unsafe {
        (*(&raw const _PyRuntime).add(runtime::MAIN_THREAD).cast::<AtomicU64>())
            .load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Address of the int object -5; objects up to 256 follow at `layout::long::SIZE` rounded to their stride.
#[inline]
pub fn small_ints() -> *const u8 {
    // SAFETY: an address inside `_PyRuntime`, not read here.
    unsafe { (&raw const _PyRuntime).add(runtime::SMALL_INTS) }
}
