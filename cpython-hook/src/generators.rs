//! Generators and coroutines whose code is compiled: resumed, passed through and made without CPython's calls.
//!
//! *Problem*: a generator does little between two yields, so what lies around a resumption decides its speed: `gen_send_ex2`,
//! the hook, finding the entry; and in a chain of generators that delegate to each other (`yield from`, `await`) all of that
//! at every link. *Method*: whoever resumes a generator comes here, from compiled code directly ([`resume`]), from C code by the
//! slots of the generators' types ([`resume_for_c`]), and from what is left by the hook ([`resume_frame`]). The code unit at which it is suspended gives the entry by one look into a table. A generator that is
//! suspended in a delegating loop would hand the value on to its receiver and hand back what that yields: if
//! the receiver is a suspended generator with compiled code itself, it is *passed through*, which means made the current frame
//! without running its code. Only the last of a chain runs; the others run again when the one below returns or raises.
//! *Invariants*:
//! - every generator of a chain is linked, counted as a recursion, marked executing and on the exception stack while one below it
//!   runs, and its frame stands at its `SEND`: nobody can tell it from one that runs;
//! - a frame that is passed through keeps its stack's depth, so its slots hold what the depth says, always;
//! - when the inner one ends, the outer goes on in compiled code if there is any, and else in the interpreter, at the same place.

use crate::{code_state::CodeState, compile::ResumePoint, extraction::interpret_loop, hook, tiering};
use columba_cpython_runtime::{
    arguments, call_frames,
    code::Code,
    direct::OUT_WORDS,
    entering,
    frame::{Frame, Generator},
    generator::{self, Outcome},
    layout::{self, frame as frame_layout},
    object,
    thread::ThreadState,
};
use columba_jit_core::ir::op::Status;
use pyo3::ffi::{self, PyObject};
use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicU64, Ordering},
};

/// Generators resumed by compiled code, passed through, and made, without CPython.
pub static RESUMED: AtomicU64 = AtomicU64::new(0);
/// Resumed by C code that iterates or sends.
pub static ITERATED: AtomicU64 = AtomicU64::new(0);
pub static PASSED: AtomicU64 = AtomicU64::new(0);
pub static MADE: AtomicU64 = AtomicU64::new(0);
/// Closed without being run.
pub static CLOSED: AtomicU64 = AtomicU64::new(0);

/// Counts under the GIL, so without an atomic addition.
#[inline(always)]
pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
}

const SUSPENDED: i8 = frame_layout::STATE_SUSPENDED as i8;
const EXECUTING: i8 = frame_layout::STATE_EXECUTING as i8;

/// Where compiled code goes on with a frame. Valid until Python code runs.
#[derive(Clone, Copy)]
struct Place<'a> {
    state: &'a CodeState,
    point: &'a ResumePoint,
}

/// The place of a suspended frame in the code unit at `distance` from the one it stands at, which is in the code.
#[inline(always)]
fn place_of<'a>(frame: Frame, distance: isize) -> Option<Place<'a>> {
    let state = CodeState::of(frame.code())?;
    let points = state.resume_points();
    if points.is_null() {
        return None;
    }
    // SAFETY: the table is as long as the code, and one longer.
    let point = unsafe { &*points.offset(frame.lasti() + distance) };
    Some(Place { state, point })
}

/// Resumes a generator or coroutine for compiled code; see [`generator::Resumer`].
///
/// # Safety
/// As for [`generator::offer`].
pub unsafe fn resume(
    thread: ThreadState,
    generator: Generator,
    sent: *mut PyObject,
) -> Option<(Outcome, *mut PyObject)> {
    let place = place_of_live(generator)?;
    // SAFETY: as for this function.
    let result = unsafe { resume_at(thread, generator, place, sent) };
    if result.is_some() {
        count(&RESUMED, 1);
    }
    result
}

/// Resumes a generator or coroutine for C code, which keeps the value. `None`: nothing was done.
///
/// # Safety
/// The GIL is held; `target` is exactly a generator or coroutine; both are alive, and the caller keeps them so.
#[inline(always)]
pub unsafe fn resume_for_c(target: *mut PyObject, sent: *mut PyObject) -> Option<(Outcome, *mut PyObject)> {
    // SAFETY: says the caller.
    unsafe {
        let generator = Generator::new(target);
        let place = place_of_live(generator).filter(|place| place.point.iterated)?;
        object::incref(sent);
        let result = resume_at(ThreadState::holding_gil(), generator, place, sent);
        match result {
            None => object::decref(sent),
            Some(_) => {
                count(&ITERATED, 1);
                place.state.count_gain();
            }
        }
        result
    }
}

/// Where compiled code goes on with a generator that is suspended or fresh.
#[inline(always)]
fn place_of_live<'a>(generator: Generator) -> Option<Place<'a>> {
    if generator.frame_state() >= EXECUTING {
        return None;
    }
    place_of(generator.frame(), 1)
}

/// Resumes a generator whose place that is.
///
/// # Safety
/// As for [`generator::offer`].
#[inline(always)]
unsafe fn resume_at(
    thread: ThreadState,
    generator: Generator,
    place: Place<'_>,
    sent: *mut PyObject,
) -> Option<(Outcome, *mut PyObject)> {
    let frame = generator.frame();
    // SAFETY: `None` is immortal as far as the process goes.
    let unexpected = generator.frame_state() != SUSPENDED && sent != unsafe { ffi::Py_None() };
    if place.point.entry == ResumePoint::NONE || unexpected || !entering::may_enter(thread) {
        return None;
    }
    generator::begin(thread, generator);
    if place.point.sent == ResumePoint::NONE {
        // SAFETY: nothing has run since the entry was read from the table of the version in use.
        let compiled = unsafe { place.state.peek_compiled().unwrap_unchecked() };
        if compiled.out_words <= OUT_WORDS && thread.recursion_remaining() > 0 {
            let compiled = compiled.clone();
            let top = frame.stacktop();
            // SAFETY: CPython leaves room for the value that a suspended frame is sent.
            unsafe { frame.set_slot(top as usize, sent) };
            thread.set_recursion_remaining(thread.recursion_remaining() - 1);
            place.state.entered.set(place.state.entered.get() + 1);
            let mut out = MaybeUninit::<[u64; OUT_WORDS]>::uninit();
            let out = out.as_mut_ptr().cast();
            frame.link(thread);
            let entry = i64::from(place.point.entry);
            // SAFETY: as in `hook::enter`.
            let status = unsafe { (compiled.entry)(compiled.ctx, thread.as_ptr(), frame.as_ptr(), out, entry) };
            if status == Status::Yielded as i64 && thread.cframe().use_tracing() == 0 {
                frame.unlink(thread);
                thread.leave_recursive_call();
                generator::suspended(thread, generator);
                // SAFETY: what it has yielded.
                return Some((Outcome::Yielded, unsafe { out.read() } as *mut PyObject));
            }
            let result = hook::conclude_resumed(thread, frame, place.state, compiled, status, out);
            return Some(concluded(thread, generator, result));
        }
    }
    let result = go_on(thread, frame, place, sent);
    Some(concluded(thread, generator, result))
}

/// What has come of a generator that began: it is suspended again, or has ended.
#[inline(never)]
pub(crate) fn concluded(thread: ThreadState, generator: Generator, result: *mut PyObject) -> (Outcome, *mut PyObject) {
    if !result.is_null() && generator.frame_state() == SUSPENDED {
        generator::suspended(thread, generator);
        return (Outcome::Yielded, result);
    }
    // SAFETY: it has ended, and the caller keeps it alive.
    unsafe { generator::finish(thread, generator, result) };
    (if result.is_null() { Outcome::Raised } else { Outcome::Returned }, result)
}

/// Goes on with a frame that CPython resumes, the value sent being on its stack. `None`: there is no code for it.
#[inline(always)]
pub fn resume_frame(thread: ThreadState, frame: Frame, state: &CodeState) -> Option<*mut PyObject> {
    if state.resume_points().is_null() {
        tiering::on_hot(state, frame)?;
        if state.resume_points().is_null() {
            return None;
        }
    }
    // SAFETY: the table is as long as the code, and one longer.
    let point = unsafe { &*state.resume_points().offset(frame.lasti() + 1) };
    if point.entry == ResumePoint::NONE {
        return None;
    }
    if point.sent == ResumePoint::NONE {
        return Some(enter(thread, frame, state, point.entry));
    }
    let top = frame.stacktop() - 1;
    // SAFETY: a resumed frame has the value sent on its stack.
    let sent = unsafe { frame.slot(top as usize) };
    frame.set_stacktop(top);
    Some(go_on(thread, frame, Place { state, point }, sent))
}

/// `close()` throws a `GeneratorExit` in and throws it away again. Where the frame is suspended outside of every handler, all
/// that comes of it is that the stack is dropped: done here, without the traceback that nobody can see. Whether it was
/// done; then the exception is still set, as the interpreter leaves it.
pub fn close(thread: ThreadState, frame: Frame, state: &CodeState) -> bool {
    // Only `gen_close` sets the class alone: what `throw` is given has been made an instance. An exception being handled would
    // have made it one, too, and is left to the interpreter with it.
    // SAFETY: the exception types live as long as the interpreter.
    let closing = thread.curexc_type() == unsafe { ffi::PyExc_GeneratorExit } && thread.curexc_value().is_null();
    if !closing || state.resume_points().is_null() || thread.cframe().use_tracing() != 0 {
        return false;
    }
    // SAFETY: the table is as long as the code, and one longer.
    let point = unsafe { state.resume_points().offset(frame.lasti() + 1).read() };
    if !point.bare || thread.recursion_remaining() <= 0 {
        return false;
    }
    count(&CLOSED, 1);
    let locals = frame.code().nlocalsplus();
    let mut top = frame.stacktop();
    frame.link(thread);
    thread.set_recursion_remaining(thread.recursion_remaining() - 1);
    while top > locals {
        top -= 1;
        // SAFETY: the stack's slots are owned or null, and their deallocators leave the exception as it is.
        unsafe { ffi::Py_XDECREF(frame.slot(top as usize)) };
    }
    thread.leave_recursive_call();
    frame.unlink(thread);
    frame.set_stacktop(locals);
    // SAFETY: `gen_close` clears the frame of a generator that the exception has left.
    unsafe { call_frames::take_function(frame) };
    true
}

/// Runs an unlinked frame whose generator is executing; as the hook does.
#[inline(always)]
fn go_on(thread: ThreadState, frame: Frame, place: Place<'_>, sent: *mut PyObject) -> *mut PyObject {
    if place.point.sent != ResumePoint::NONE
        && receiver(frame).is_some()
        // With nothing left the frame's own code finds out that the recursion is too deep.
        && thread.recursion_remaining() > 1
    {
        return pass_through(thread, frame, place, sent);
    }
    run(thread, frame, place, sent)
}

#[inline(always)]
fn run(thread: ThreadState, frame: Frame, place: Place<'_>, sent: *mut PyObject) -> *mut PyObject {
    let top = frame.stacktop();
    // SAFETY: CPython leaves room for the value that a suspended frame is sent.
    unsafe { frame.set_slot(top as usize, sent) };
    frame.set_stacktop(top + 1);
    enter(thread, frame, place.state, place.point.entry)
}

#[inline(always)]
fn enter(thread: ThreadState, frame: Frame, state: &CodeState, entry: u16) -> *mut PyObject {
    // SAFETY: nothing has run since the entry was read from the table of the version in use.
    let compiled = unsafe { state.peek_compiled().unwrap_unchecked() }.clone();
    hook::enter(thread, frame, state, compiled, i64::from(entry))
}

/// What a delegating frame delegates to, if that is a suspended generator or coroutine.
#[inline(always)]
fn receiver(frame: Frame) -> Option<Generator> {
    receiver_in(frame, frame.stacktop() as usize - 1)
}

/// The same where the slot on top of the stack is known.
#[inline(always)]
fn receiver_in(frame: Frame, slot: usize) -> Option<Generator> {
    // SAFETY: the receiver lies on top of the stack of a frame that is suspended in a delegating loop.
    unsafe {
        let receiver = frame.slot(slot);
        if !generator::is_resumable(receiver) {
            return None;
        }
        let inner = Generator::new(receiver);
        (inner.frame_state() == SUSPENDED).then_some(inner)
    }
}

/// The table of the code object that was looked up last: the links of a chain mostly have the same code. Valid until Python
/// code runs.
struct LastTable<'a> {
    code: Code,
    state: &'a CodeState,
    points: *const ResumePoint,
}

impl<'a> LastTable<'a> {
    /// Where a suspended generator goes on in compiled code.
    #[inline(always)]
    fn place(&mut self, generator: Generator) -> Option<Place<'a>> {
        let frame = generator.frame();
        let code = frame.code();
        if code.as_ptr::<u8>() != self.code.as_ptr::<u8>() {
            let state = CodeState::of(code)?;
            let points = state.resume_points();
            if points.is_null() {
                return None;
            }
            *self = LastTable { code, state, points };
        }
        // SAFETY: the table is as long as the code, and one longer.
        let point = unsafe { &*self.points.offset(frame.lasti() + 1) };
        (point.entry != ResumePoint::NONE).then_some(Place { state: self.state, point })
    }
}

/// The two instructions at which links of a chain were last found to delegate, with their receiver in the same slot: most of the
/// others stand there as well, and no table has to be asked. Valid until Python code runs.
struct Delegating {
    /// Chosen by a bit of the address in which they differ: which of them it is cannot be predicted, that it is one can.
    at: [usize; 2],
    bit: u32,
    last: usize,
    slot: usize,
}

impl Delegating {
    fn new(frame: Frame) -> Delegating {
        let at = frame.prev_instr() as usize;
        Delegating { at: [at; 2], bit: 0, last: at, slot: frame.stacktop() as usize - 1 }
    }

    /// Whether a suspended frame stands at one of them.
    #[inline(always)]
    fn holds(&self, frame: Frame) -> bool {
        let at = frame.prev_instr() as usize;
        self.at[(at >> self.bit) & 1] == at
    }

    /// A frame that is suspended in a delegating loop, at none of them.
    #[inline(always)]
    fn learn(&mut self, frame: Frame) {
        let slot = frame.stacktop() as usize - 1;
        if slot != self.slot {
            *self = Delegating::new(frame);
            return;
        }
        let at = frame.prev_instr() as usize;
        self.bit = (at ^ self.last).trailing_zeros() % usize::BITS;
        self.at[(at >> self.bit) & 1] = at;
        self.at[(self.last >> self.bit) & 1] = self.last;
        self.last = at;
    }
}

/// Makes a frame that delegates to a suspended generator the one that the generator runs for; `outer` runs the frame.
#[inline(always)]
fn pass(frame: Frame, inner: Generator, outer: *mut u8) {
    // SAFETY: a frame that delegates is its generator's.
    let own = unsafe { frame.generator() }.exc_state();
    frame.set_previous(outer);
    frame.set_is_entry(false);
    // From the `YIELD_VALUE` back to the `SEND`.
    frame.set_prev_instr(frame.prev_instr().wrapping_sub(1));
    generator::mark_executing(inner, own);
}

/// Runs the last of a chain of generators, of which `frame`, with its place, is the first.
#[inline(never)]
fn pass_through(thread: ThreadState, mut frame: Frame, place: Place<'_>, sent: *mut PyObject) -> *mut PyObject {
    let mut table = LastTable { code: frame.code(), state: place.state, points: place.state.resume_points() };
    let mut known = Delegating::new(frame);
    let cframe = thread.cframe();
    let mut outer: *mut u8 = cframe.current_frame();
    let remaining = thread.recursion_remaining();
    let most = remaining as usize - 1;
    let mut passed = 0;
    let mut last = None;
    while passed < most
        && let Some(inner) = receiver_in(frame, known.slot)
    {
        let inside = inner.frame();
        let mut found = None;
        if !known.holds(inside) {
            found = table.place(inner);
            if found.is_none() {
                break;
            }
        }
        pass(frame, inner, outer);
        outer = frame.as_ptr();
        frame = inside;
        passed += 1;
        if let Some(Place { point, .. }) = found {
            if point.sent == ResumePoint::NONE {
                last = found;
                break;
            }
            known.learn(frame);
        }
    }
    if passed == 0 {
        return run(thread, frame, place, sent);
    }
    // SAFETY: the frames of the chain are their generators'.
    let ends_with = unsafe { frame.generator() };
    // SAFETY: it was looked up before, in the same tables.
    let place = unsafe { last.or_else(|| table.place(ends_with)).unwrap_unchecked() };
    let (handled, left) = (ends_with.exc_state(), remaining - passed as i32);
    cframe.set_current_frame(outer);
    thread.set_exc_info_ptr(handled);
    thread.set_recursion_remaining(left);
    count(&PASSED, passed as u64);
    let mut result = run(thread, frame, place, sent);
    loop {
        // SAFETY: the frames of the chain are their generators'.
        let mut ended = unsafe { frame.generator() };
        if !result.is_null() && ended.frame_state() == SUSPENDED && cframe.use_tracing() == 0 {
            // What one of a chain yields all above it yield.
            thread.set_recursion_remaining(thread.recursion_remaining() + passed as i32);
            frame = thread.current_frame();
            loop {
                generator::mark_suspended(ended);
                frame.set_prev_instr(frame.prev_instr().wrapping_add(1));
                // SAFETY: as above.
                ended = unsafe { frame.generator() };
                ended.set_frame_state(SUSPENDED);
                passed -= 1;
                outer = frame.previous();
                if passed == 0 {
                    break;
                }
                // SAFETY: the frame above in the chain.
                frame = unsafe { Frame::new(outer) };
            }
            thread.set_exc_info_ptr(ended.exc_state());
            cframe.set_current_frame(outer);
            return result;
        }
        frame = thread.current_frame();
        result = come_back(thread, frame, ended, result);
        passed -= 1;
        if passed == 0 {
            return result;
        }
    }
}

/// Goes on with a frame that was passed through, when `inner` has come to an end, or has yielded while tracing is on. As
/// the hook does.
#[inline(never)]
fn come_back(thread: ThreadState, frame: Frame, inner: Generator, mut result: *mut PyObject) -> *mut PyObject {
    if !result.is_null() && inner.frame_state() == SUSPENDED {
        generator::suspended(thread, inner);
        frame.set_prev_instr(frame.prev_instr().wrapping_add(1));
        // SAFETY: the frames of a chain are their generators'.
        unsafe { frame.generator() }.set_frame_state(SUSPENDED);
        result = hook::report_yield(thread, result);
        frame.unlink(thread);
        thread.leave_recursive_call();
        return result;
    }
    let Some(state) = CodeState::of(frame.code()) else { unreachable!("only code with a state is passed through") };
    // SAFETY: the stack of `frame` keeps `inner` alive; the slot owns the reference that is exchanged.
    unsafe {
        generator::finish(thread, inner, result);
        if !result.is_null() {
            let top = frame.stacktop() as usize - 1;
            frame.set_slot(top, result);
            object::decref(inner.as_ptr());
        }
    }
    frame.unlink(thread);
    thread.leave_recursive_call();
    if result.is_null() {
        return interpret_loop(thread, frame, 1);
    }
    // The frame stands at its `SEND`; the loop is four units long.
    if let Some(place) = place_of(frame, 2)
        && place.point.sent != ResumePoint::NONE
        && thread.cframe().use_tracing() == 0
    {
        return enter(thread, frame, state, place.point.sent);
    }
    frame.resume_at((frame.lasti() + 4) as usize);
    interpret_loop(thread, frame, 0)
}

/// Makes the generator of a call that CPython has made a frame for. `None`: the interpreter shall do it.
pub fn make_from_frame(thread: ThreadState, frame: Frame, state: &CodeState) -> Option<*mut PyObject> {
    // SAFETY: as in `place_of`; the version is kept while it is used.
    let compiled = unsafe { state.peek_compiled() }?.clone();
    let prelude = compiled.prelude.as_ref()?;
    if thread.recursion_remaining() <= 0 || frame.lasti() >= 0 {
        return None;
    }
    count(&MADE, 1);
    // SAFETY: an unlinked frame at its beginning, with the prelude of its own code.
    unsafe { generator::make_from_frame(thread, frame, prelude) }
}

/// Takes over the call of a function that makes a generator; see [`entering`].
///
/// # Safety
/// As for [`entering::Make`].
pub unsafe fn make_directly(
    thread: ThreadState,
    function: *mut PyObject,
    arguments: *const *mut PyObject,
    filled: usize,
) -> Option<*mut PyObject> {
    // SAFETY: function and arguments are alive and owned, says the caller.
    unsafe {
        let state = CodeState::of(Code::new(object::read::<*mut PyObject>(function, layout::function::FUNC_CODE)))?;
        if !state.makes_plain_generators() || !entering::may_call(thread, function) || thread.recursion_remaining() <= 0
        {
            return None;
        }
        let compiled = state.peek_compiled()?.clone();
        let prelude = compiled.prelude.as_ref()?;
        let code: Code = state.code();
        let defaults = arguments::missing(function, code, filled)?;
        let made = generator::make(thread, function, code, prelude, arguments, filled, defaults)?;
        count(&MADE, 1);
        object::decref(function);
        Some(made)
    }
}
