//! Pulling a frame out of a running interpreter loop, so that compiled code can go on in the middle.
//!
//! Problem: a function called once, or a module body, sits in a long loop; the hook gets it back only when it ends.
//! Method: the ticker's pending call runs in the main thread inside the loop and *arms* the thread: it installs a C
//! trace function for this thread alone. The interpreter then reports the next backward edge. If the frame that jumped
//! was entered through [`interpret_loop`], the trace function points the frame's next instruction at two code units of
//! our own, `PUSH_NULL; RETURN_VALUE`, and disarms. The interpreter leaves its loop with null and no exception, and the
//! hook restores what was changed: the position, and the value stack, of which only the first slot was overwritten.
//! No code object is ever written to, so other threads and other activations of the same code notice nothing.
//!
//! Invariants:
//! - Only a frame whose interpreter loop was entered by us may be pulled out: our `Activation` is then the next outer
//!   `_PyCFrame`, found from the thread state (never from a list of our own: greenlets move stacks).
//! - The stack is declared empty while the frame is pulled out, as `RETURN_VALUE` expects.
//! - A thread that is traced or profiled is never armed; a trace function installed later simply replaces ours.
//! - An armed thread is disarmed after a bounded number of events, by an exception, and at the next tick.

use crate::{code_state::CodeState, hook::_PyEval_EvalFrameDefault, tiering};
use columba_cpython_runtime::{
    frame::Frame,
    layout::{cframe, opcode},
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
    frame: Cell<*mut c_void>,
    /// Code unit at which the frame was pulled out; negative when it was not.
    offset: Cell<i32>,
    depth: Cell<i32>,
    /// What the first stack slot held.
    bottom: Cell<*mut PyObject>,
}

const MAGIC: u64 = 0x636f_6c75_6d62_6121;

/// `PUSH_NULL; RETURN_VALUE`, what a pulled-out frame executes. Read only.
static LEAVE: [u16; 2] = [opcode::PUSH_NULL as u16, opcode::RETURN_VALUE as u16];

/// Trace events after which an armed thread is disarmed.
const EVENTS: u32 = 64;

static EVENTS_LEFT: AtomicU32 = AtomicU32::new(0);
static ARMED: AtomicPtr<ffi::PyThreadState> = AtomicPtr::new(null_mut());
static POSTPONED: AtomicBool = AtomicBool::new(false);

/// How often loops were looked for and pulled out.
pub static TIMES_ARMED: AtomicU64 = AtomicU64::new(0);
/// Loops pulled out of the interpreter.
pub static TIMES_EXTRACTED: AtomicU64 = AtomicU64::new(0);

/// Runs a frame in the interpreter in such a way that its loops can be pulled out.
pub fn interpret_loop(thread: ThreadState, frame: Frame, state: &CodeState, mut throwflag: c_int) -> *mut PyObject {
    let activation = Activation {
        cframe: [const { Cell::new(0) }; cframe::SIZE],
        magic: Cell::new(MAGIC),
        frame: Cell::new(frame.as_ptr()),
        offset: Cell::new(-1),
        depth: Cell::new(0),
        bottom: Cell::new(null_mut()),
    };
    let outer = thread.cframe();
    // SAFETY: the array is a `_PyCFrame` in size and alignment and lives until this function returns.
    let inner = unsafe { CFrame::new(activation.cframe.as_ptr().cast_mut()) };
    loop {
        inner.set_use_tracing(outer.use_tracing());
        inner.set_current_frame(outer.current_frame());
        inner.set_previous(outer.as_ptr());
        thread.set_cframe_ptr(inner.as_ptr());
        // SAFETY: an unlinked frame.
        let result = unsafe { _PyEval_EvalFrameDefault(thread.as_ptr(), frame.as_ptr(), throwflag) };
        thread.set_cframe_ptr(outer.as_ptr());
        outer.set_use_tracing(inner.use_tracing());
        let offset = activation.offset.replace(-1);
        if offset < 0 {
            retire(&activation);
            return result;
        }
        debug_assert!(result.is_null() && thread.curexc_type().is_null());
        // SAFETY: slot 0 of the value stack exists, `pull_out` has checked.
        unsafe { frame.set_slot(frame.code().nlocalsplus() as usize, activation.bottom.get()) };
        frame.set_depth(activation.depth.get());
        frame.resume_at(offset as usize);
        if let Some(result) = tiering::on_loop_entry(thread, frame, state, offset as u32) {
            retire(&activation);
            return result;
        }
        throwflag = 0;
    }
}

/// Makes sure that what remains of an activation on the C stack is not taken for one.
#[inline(always)]
fn retire(activation: &Activation) {
    // SAFETY: an ordinary store that must not be optimised away although the activation dies here.
    unsafe { activation.magic.as_ptr().write_volatile(0) };
}

/// Asks the interpreter to report the next backward edge of this thread. Called from the pending call.
/// Returns whether it was worth trying.
pub fn arm(thread: ThreadState) -> bool {
    disarm(thread);
    let frame = thread.current_frame();
    if frame.is_null() || !has_candidate(frame) {
        POSTPONED.store(false, Ordering::Relaxed);
        return false;
    }
    if !thread.c_tracefunc().is_null() || !thread.c_profilefunc().is_null() || thread.tracing() != 0 {
        return false;
    }
    if !frame.is_entry() {
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
    if POSTPONED.load(Ordering::Relaxed) && (thread.current_frame().is_null() || thread.current_frame().is_entry()) {
        arm_postponed(thread);
    }
}

#[cold]
fn arm_postponed(thread: ThreadState) {
    if columba_cpython_runtime::thread::main_thread_id() == thread.thread_id() {
        arm(thread);
    }
}

/// Whether one of the innermost frames runs a loop that the policy would like to have.
fn has_candidate(mut frame: Frame) -> bool {
    for _ in 0..16 {
        if frame.is_null() {
            return false;
        }
        if frame.is_entry() && CodeState::of(frame.code()).is_some_and(|state| state.is_watched() && state.loops()) {
            return true;
        }
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

/// Redirects the current frame to [`LEAVE`] if it stands at a loop header and was entered through [`interpret_loop`].
fn pull_out(thread: ThreadState) -> bool {
    let cframe = thread.cframe();
    // SAFETY: inside a trace function there is a current frame.
    let frame = unsafe { Frame::new(cframe.current_frame()) };
    let outer = cframe.previous().cast::<Activation>();
    if !frame.is_entry() || outer.is_null() {
        return false;
    }
    // SAFETY: `previous` of a cframe that runs is a live `_PyCFrame`. When it is not ours, the words behind it are
    // other memory of the C stack or of the thread state, readable all the same, and the comparison fails: only an
    // activation of ours that has not ended carries both the magic number and the address of a running frame.
    let (magic, owner) = unsafe {
        ((&raw const (*outer).magic).cast::<u64>().read(), (&raw const (*outer).frame).cast::<*mut c_void>().read())
    };
    if magic != MAGIC || owner != frame.as_ptr() {
        return false;
    }
    // SAFETY: ours, and alive until the interpreter returns to it.
    let activation = unsafe { &*outer };
    let code = frame.code();
    let offset = frame.lasti();
    let Some(state) = CodeState::of(code) else { return false };
    if offset < 0 || code.stacksize() < 1 || !state.is_loop_header(offset as u32) || frame.has_unusual_trace_switches()
    {
        return false;
    }
    activation.offset.set(offset as i32);
    activation.depth.set(frame.depth());
    let bottom = code.nlocalsplus() as usize;
    // SAFETY: the stack has at least one slot (checked above); with depth 0 its content is arbitrary but readable.
    activation.bottom.set(unsafe { frame.slot(bottom) });
    frame.set_depth(0);
    // The interpreter reloads position and stack from the frame when the trace function returns.
    frame.set_prev_instr(LEAVE.as_ptr().cast_mut());
    true
}
