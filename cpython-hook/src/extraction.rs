//! Pulling a frame out of a running interpreter loop, so that compiled code can go on in the middle.
//!
//! Problem: a function called once, or a module body, sits in a long loop; the hook gets it back only when it ends.
//! Method: the ticker's pending call runs in the main thread inside the loop and *arms* the thread: it installs a C
//! trace function for this thread alone. The interpreter then reports the next backward edge. If the frame that jumped
//! was entered through [`interpret_loop`], the trace function points the frame's next instruction at two code units of
//! our own, `PUSH_NULL; RETURN_VALUE`, and disarms. The interpreter leaves its loop with null and no exception, and the
//! hook restores what was changed: the position, and the value stack, of which only the first slot was overwritten.
//! While the hook is parked ([`crate::parking`]) the interpreter inlines Python calls, so the frame that jumped may be the last
//! of several in one run of the interpreter's loop. It is then made to look like the first, so that all of that run is
//! left; when it has ended, we clear it and go on with its caller, as the interpreter would have, until the first has ended.
//! No code object is ever written to, so other threads and other activations of the same code notice nothing.
//!
//! Invariants:
//! - Only a frame whose interpreter loop was entered by us may be pulled out: our `Activation` is then the next outer
//!   `_PyCFrame`, found from the thread state (never from a list of our own: greenlets move stacks).
//! - Every frame of the run but the first lies on the data stack of its thread, and begins none of its chunks.
//! - The stack is declared empty while the frame is pulled out, as `RETURN_VALUE` expects.
//! - A thread that is traced or profiled is never armed; a trace function installed later simply replaces ours.
//! - An armed thread is disarmed after a bounded number of events, by an exception, and at the next tick.

use crate::{code_state::CodeState, config, hook::_PyEval_EvalFrameDefault, ticker, tiering};
use columba_cpython_runtime::{
    call_frames,
    frame::Frame,
    helpers::pending,
    layout::{cframe, frame::OWNED_BY_THREAD, opcode, stack_chunk},
    thread::{CFrame, ThreadState},
};
use pyo3::ffi::{self, PyFrameObject, PyObject};
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    ptr::null_mut,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering},
};

/// One run of the interpreter's loop on behalf of the hook: a `_PyCFrame` with a tail of our own.
#[repr(C, align(8))]
struct Activation {
    cframe: [Cell<u8>; cframe::SIZE],
    magic: Cell<u64>,
    /// The frame that the loop was entered with.
    frame: Cell<*mut c_void>,
    /// The frame that was pulled out: that one, or one that the loop had inlined.
    pulled: Cell<*mut c_void>,
    /// Code unit at which it was pulled out; negative when none was.
    offset: Cell<i32>,
    depth: Cell<i32>,
    /// What its first stack slot held.
    bottom: Cell<*mut PyObject>,
}

const MAGIC: u64 = 0x636f_6c75_6d62_6121;

/// `PUSH_NULL; RETURN_VALUE`, what a pulled-out frame executes. Read only.
static LEAVE: [u16; 2] = [opcode::PUSH_NULL as u16, opcode::RETURN_VALUE as u16];

/// Frames inlined into one run of the interpreter's loop that are looked at.
const MOST_INLINED: usize = 64;

/// Trace events after which an armed thread is disarmed.
const EVENTS: u32 = 64;

static EVENTS_LEFT: AtomicU32 = AtomicU32::new(0);
static ARMED: AtomicPtr<ffi::PyThreadState> = AtomicPtr::new(null_mut());
static POSTPONED: AtomicBool = AtomicBool::new(false);

/// How often loops were looked for and pulled out.
pub static TIMES_ARMED: AtomicU64 = AtomicU64::new(0);
/// Loops pulled out of the interpreter.
pub static TIMES_EXTRACTED: AtomicU64 = AtomicU64::new(0);

/// Those of them that the interpreter had inlined into their callers.
pub static TIMES_INLINED: AtomicU64 = AtomicU64::new(0);

/// Runs a frame in the interpreter in such a way that its loops, and those of what is inlined into it, can be pulled out.
pub fn interpret_loop(thread: ThreadState, first: Frame, mut throwflag: c_int) -> *mut PyObject {
    let activation = Activation {
        cframe: [const { Cell::new(0) }; cframe::SIZE],
        magic: Cell::new(MAGIC),
        frame: Cell::new(first.as_ptr()),
        pulled: Cell::new(null_mut()),
        offset: Cell::new(-1),
        depth: Cell::new(0),
        bottom: Cell::new(null_mut()),
    };
    let outer = thread.cframe();
    // SAFETY: the array is a `_PyCFrame` in size and alignment and lives until this function returns.
    let inner = unsafe { CFrame::new(activation.cframe.as_ptr().cast_mut()) };
    let mut frame = first;
    loop {
        inner.set_use_tracing(outer.use_tracing());
        inner.set_current_frame(outer.current_frame());
        inner.set_previous(outer.as_ptr());
        thread.set_cframe_ptr(inner.as_ptr());
        // SAFETY: an unlinked frame.
        let mut result = unsafe { _PyEval_EvalFrameDefault(thread.as_ptr(), frame.as_ptr(), throwflag) };
        thread.set_cframe_ptr(outer.as_ptr());
        outer.set_use_tracing(inner.use_tracing());
        throwflag = 0;
        let offset = activation.offset.replace(-1);
        if offset >= 0 {
            debug_assert!(result.is_null() && thread.curexc_type().is_null());
            let entered = frame;
            // SAFETY: `pull_out` has stored a frame that this loop ran, and nothing has run since.
            frame = unsafe { Frame::new(activation.pulled.get().cast::<u8>()) };
            if frame.as_ptr::<u8>() != entered.as_ptr() {
                TIMES_INLINED.fetch_add(1, Ordering::Relaxed);
                outer.set_current_frame(frame.previous());
                activation.frame.set(frame.as_ptr());
            }
            // SAFETY: slot 0 of the value stack exists, `pull_out` has checked.
            unsafe { frame.set_slot(frame.code().nlocalsplus() as usize, activation.bottom.get()) };
            frame.set_depth(activation.depth.get());
            frame.resume_at(offset as usize);
            let state = CodeState::of(frame.code());
            match state.and_then(|state| tiering::on_loop_entry(thread, frame, state, offset as u32)) {
                Some(ended) => result = ended,
                None => continue,
            }
        }
        if frame.as_ptr::<u8>() == first.as_ptr() {
            retire(&activation);
            return result;
        }
        (frame, throwflag) = return_to_caller(thread, frame, result);
        activation.frame.set(frame.as_ptr());
    }
}

/// A frame that the interpreter had inlined has ended, elsewhere: clears it, and has the interpreter go on in the frame that
/// called it, which is given back unlinked, with the result or, by the flag, an exception.
#[cold]
#[inline(never)]
fn return_to_caller(thread: ThreadState, frame: Frame, result: *mut PyObject) -> (Frame, c_int) {
    // SAFETY: the frames below an inlined one are alive and wait for it; it was pushed on this thread's data stack, where
    // nothing lies above it, and has ended. A caller's stack has room for the result.
    unsafe {
        let caller = Frame::new(thread.cframe().current_frame());
        call_frames::clear_and_pop(thread, frame);
        thread.cframe().set_current_frame(caller.previous());
        // The interpreter counts the caller again.
        thread.leave_recursive_call();
        if result.is_null() {
            return (caller, 1);
        }
        let top = caller.stacktop();
        caller.set_slot(top as usize, result);
        caller.set_stacktop(top + 1);
        (caller, 0)
    }
}

/// Makes sure that what remains of an activation on the C stack is not taken for one.
#[inline(always)]
fn retire(activation: &Activation) {
    // SAFETY: an ordinary store that must not be optimised away although the activation dies here.
    unsafe { activation.magic.as_ptr().write_volatile(0) };
}

/// Whether native code runs, of this frame, which is the current one: asked in a pending call.
pub fn runs_natively(frame: Frame) -> bool {
    !frame.is_entry() && pending::is_serving()
}

/// Whether native code may run when compiled code returns to this frame.
fn may_run_natively(frame: Frame) -> bool {
    !frame.is_entry() && CodeState::of(frame.code()).is_some_and(|state| state.times_entered() > 0)
}

/// Asks the interpreter to report the next backward edge of this thread. Called from the pending call.
/// Returns whether it was worth trying.
pub fn arm(thread: ThreadState) -> bool {
    disarm(thread);
    let frame = thread.current_frame();
    let native = !frame.is_null() && runs_natively(frame);
    if frame.is_null() || !has_candidate(frame, native) {
        POSTPONED.store(false, Ordering::Relaxed);
        return false;
    }
    if !thread.c_tracefunc().is_null() || !thread.c_profilefunc().is_null() || thread.tracing() != 0 {
        return false;
    }
    if native {
        // Compiled code runs: wait until it returns to the interpreter.
        POSTPONED.store(true, Ordering::Relaxed);
        return true;
    }
    POSTPONED.store(false, Ordering::Relaxed);
    TIMES_ARMED.fetch_add(1, Ordering::Relaxed);
    EVENTS_LEFT.store(EVENTS, Ordering::Relaxed);
    ARMED.store(thread.as_ptr(), Ordering::Relaxed);
    thread.set_c_tracefunc(trace as *mut u8);
    thread.cframe().set_use_tracing(255);
    true
}

/// Undoes [`arm`], whatever happened meanwhile.
fn disarm(thread: ThreadState) {
    if thread.c_tracefunc() == trace as *mut u8 {
        thread.set_c_tracefunc(null_mut());
        let traced = thread.tracing() == 0 && !thread.c_profilefunc().is_null();
        thread.cframe().set_use_tracing(if traced { 255 } else { 0 });
        ARMED.store(null_mut(), Ordering::Relaxed);
        ticker::go_on_counting();
    }
}

/// Whether the thread is traced by this module only.
pub fn is_armed(thread: ThreadState) -> bool {
    thread.c_tracefunc() == trace as *mut u8 && thread.c_profilefunc().is_null()
}

/// Compiled code is about to be entered in a thread that looks traced: if that is our doing, undo it for now.
pub fn postpone(thread: ThreadState) {
    if thread.c_tracefunc() == trace as *mut u8 {
        disarm(thread);
        POSTPONED.store(true, Ordering::Relaxed);
    }
}

/// Compiled code has returned to the hook: arm now if that was postponed.
#[inline(always)]
pub fn resume_postponed(thread: ThreadState) {
    // Below other compiled code it would be postponed again.
    if POSTPONED.load(Ordering::Relaxed)
        && (thread.current_frame().is_null() || !may_run_natively(thread.current_frame()))
    {
        arm_postponed(thread);
    }
}

#[cold]
fn arm_postponed(thread: ThreadState) {
    if columba_cpython_runtime::thread::main_thread_id() == thread.thread_id() {
        arm(thread);
    }
}

/// Whether one of the innermost frames runs a loop that the policy would like to have. Native frames are no entry frames,
/// and neither are those that the interpreter has inlined into its innermost loop.
fn has_candidate(mut frame: Frame, native: bool) -> bool {
    let mut interpreted = !native;
    for _ in 0..16 {
        if frame.is_null() {
            return false;
        }
        if interpreted || frame.is_entry() {
            // Code that was never called while the hook was in its place has no state yet.
            let state = CodeState::of_or_new(frame.code(), config::threshold());
            if state.is_some_and(|state| state.is_watched() && state.loops()) {
                return true;
            }
        }
        interpreted &= !frame.is_entry();
        // SAFETY: the frames of a running thread are alive; the last one's `previous` is null.
        frame = unsafe { Frame::new(frame.previous()) };
    }
    false
}

/// The trace function. Runs in the armed thread, for any of its frames.
unsafe extern "C" fn trace(
    _object: *mut PyObject,
    _frame: *mut PyFrameObject,
    what: c_int,
    _argument: *mut PyObject,
) -> c_int {
    // SAFETY: trace functions are called with the GIL held.
    let thread = unsafe { ThreadState::current() };
    if thread.as_ptr() != ARMED.load(Ordering::Relaxed) {
        disarm(thread);
        return 0;
    }
    if what == ffi::PyTrace_LINE && pull_out(thread) {
        TIMES_EXTRACTED.fetch_add(1, Ordering::Relaxed);
        disarm(thread);
        return 0;
    }
    let left = EVENTS_LEFT.load(Ordering::Relaxed);
    EVENTS_LEFT.store(left.saturating_sub(1), Ordering::Relaxed);
    if left == 0 || what == ffi::PyTrace_EXCEPTION {
        disarm(thread);
    }
    0
}

/// The frame with which the interpreter's loop was entered that runs this one, if all between can be left and gone on with.
fn first_of_run(thread: ThreadState, mut frame: Frame) -> Option<Frame> {
    for _ in 0..MOST_INLINED {
        if frame.is_null() || frame.is_entry() {
            return (!frame.is_null()).then_some(frame);
        }
        if frame.owner() != OWNED_BY_THREAD as u8 || begins_chunk(thread, frame) {
            return None;
        }
        // SAFETY: the frames of a running thread are alive; the last one's `previous` is null.
        frame = unsafe { Frame::new(frame.previous()) };
    }
    None
}

/// Whether a frame lies at the beginning of a chunk of the thread's data stack, which goes away with it.
fn begins_chunk(thread: ThreadState, frame: Frame) -> bool {
    let mut chunk = thread.datastack_chunk();
    while !chunk.is_null() {
        if chunk.wrapping_add(stack_chunk::DATA) == frame.as_ptr() {
            return true;
        }
        // SAFETY: chunks are alive as long as anything lies in them or in those after them.
        chunk = unsafe { chunk.add(stack_chunk::PREVIOUS).cast::<*mut u8>().read() };
    }
    false
}

/// Redirects the current frame to [`LEAVE`] if it stands at a loop header and is run by [`interpret_loop`].
fn pull_out(thread: ThreadState) -> bool {
    let cframe = thread.cframe();
    // SAFETY: inside a trace function there is a current frame.
    let frame = unsafe { Frame::new(cframe.current_frame()) };
    let outer = cframe.previous().cast::<Activation>();
    if outer.is_null() {
        return false;
    }
    let Some(first) = first_of_run(thread, frame) else { return false };
    // SAFETY: `previous` of a cframe that runs is a live `_PyCFrame`. When it is not ours, the words behind it are
    // other memory of the C stack or of the thread state, readable all the same, and the comparison fails: only an
    // activation of ours that has not ended carries both the magic number and the address of a running frame.
    let (magic, owner) = unsafe {
        ((&raw const (*outer).magic).cast::<u64>().read(), (&raw const (*outer).frame).cast::<*mut c_void>().read())
    };
    if magic != MAGIC || owner != first.as_ptr() {
        return false;
    }
    // SAFETY: ours, and alive until the interpreter returns to it.
    let activation = unsafe { &*outer };
    let code = frame.code();
    let offset = frame.lasti();
    let Some(state) = CodeState::of_or_new(code, config::threshold()) else { return false };
    if offset < 0 || code.stacksize() < 1 || !state.is_loop_header(offset as u32) || frame.has_unusual_trace_switches()
    {
        return false;
    }
    activation.pulled.set(frame.as_ptr());
    activation.offset.set(offset as i32);
    activation.depth.set(frame.depth());
    let bottom = code.nlocalsplus() as usize;
    // SAFETY: the stack has at least one slot (checked above); with depth 0 its content is arbitrary but readable.
    activation.bottom.set(unsafe { frame.slot(bottom) });
    frame.set_depth(0);
    // The interpreter reloads position and stack from the frame when the trace function returns.
    frame.set_prev_instr(LEAVE.as_ptr().cast_mut());
    if !frame.is_entry() {
        // The interpreter leaves its loop when an entry frame returns, and finds the frame below linked.
        frame.set_is_entry(true);
        // SAFETY: an activation begins with its `_PyCFrame`.
        unsafe { CFrame::new(outer.cast::<u8>()) }.set_current_frame(frame.previous());
    }
    true
}
