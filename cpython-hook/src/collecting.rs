//! Goes through a whole generator for somebody who takes all its values; see [`columba_cpython_runtime::collecting`].
//!
//! *Problem*: what `generators::resume` looks up and checks for each value is the same for most values of a loop. *Method*: the
//! version in use is held for as long as it stays in use, and the entry is remembered together with the instruction for which it
//! was looked up; what Python code can have changed between two values is compared with what is known, and nothing more.
//! *Invariants*: what is entered is what `generators::resume` would enter; whatever is not as expected is left to
//! `tp_iternext`, value by value.

use crate::{
    code_state::CodeState,
    compile::{CompiledCode, ResumePoint},
    generators, hook,
};
use columba_cpython_runtime::{
    collecting::Sink,
    direct::OUT_WORDS,
    entering,
    frame::Generator,
    generator::{self, Outcome},
    layout::frame::STATE_EXECUTING,
    object,
    thread::ThreadState,
};
use columba_jit_core::{build::SINK_BITS, ir::op::Status};
use pyo3::ffi::{self, PyObject};
use std::{
    mem::MaybeUninit,
    ptr::null,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Generators gone through.
pub static COLLECTED: AtomicU64 = AtomicU64::new(0);

/// What came of a generator that was resumed once or more.
enum Step {
    /// A value was yielded, but not simply by compiled code.
    Value(*mut PyObject),
    /// Nothing was done: it has to be resumed in another way.
    Refused,
    Ended,
    Raised,
}

/// Goes through a generator; see [`columba_cpython_runtime::collecting::Collector`].
///
/// # Safety
/// The GIL is held; `generator` is an exact generator, and the caller keeps it alive.
pub unsafe fn collect(thread: ThreadState, generator: Generator, sink: &mut Sink) -> Option<bool> {
    if generator.frame_state() >= STATE_EXECUTING as i8 || !entering::may_enter(thread) {
        return None;
    }
    // The generator keeps its code object, and that its state.
    let state = CodeState::of(generator.frame().code())?;
    if state.resume_points().is_null() {
        return None;
    }
    COLLECTED.store(COLLECTED.load(Relaxed) + 1, Relaxed);
    loop {
        // SAFETY: says the caller.
        let value = unsafe {
            match resume_repeatedly(thread, generator, state, sink) {
                Step::Value(value) => value,
                Step::Ended => return Some(true),
                Step::Raised => return Some(false),
                Step::Refused => {
                    let value = ffi::PyIter_Next(generator.as_ptr());
                    if value.is_null() {
                        return Some(ffi::PyErr_Occurred().is_null());
                    }
                    value
                }
            }
        };
        // SAFETY: it was yielded just now.
        if !unsafe { sink.take(value) } {
            return Some(false);
        }
    }
}

/// Resumes a generator as often as it simply yields in the version that is in use now.
///
/// # Safety
/// As for [`collect`]; `state` is that of the generator's code, which may be entered at this depth of the C stack.
unsafe fn resume_repeatedly(thread: ThreadState, generator: Generator, state: &CodeState, sink: &mut Sink) -> Step {
    let Some(compiled) = state.compiled() else { return Step::Refused };
    if compiled.out_words > OUT_WORDS || compiled.resume_points.is_empty() {
        return Step::Refused;
    }
    let mut resumed = 0;
    // SAFETY: says the caller.
    let step = unsafe { resume_version(thread, generator, state, &compiled, sink, &mut resumed) };
    generators::count(&generators::RESUMED, resumed);
    step
}

#[inline(always)]
unsafe fn resume_version(
    thread: ThreadState,
    generator: Generator,
    state: &CodeState,
    compiled: &Rc<CompiledCode>,
    sink: &mut Sink,
    resumed: &mut u64,
) -> Step {
    let frame = generator.frame();
    let points = compiled.resume_points.as_ptr();
    // SAFETY: `None` is immortal as far as the process goes.
    let none = unsafe { ffi::Py_None() };
    let mut out = MaybeUninit::<[u64; OUT_WORDS]>::uninit();
    let out = out.as_mut_ptr().cast::<u64>();
    let (mut stands, mut entry) = (null(), 0);
    // Code that can gives its values to the sink by itself.
    let above = if compiled.takes_sink { (&raw mut *sink as i64) << SINK_BITS } else { 0 };
    loop {
        // Python code has run since the last time.
        if generator.frame_state() >= STATE_EXECUTING as i8
            || state.resume_points() != points
            || !entering::is_in_force(thread)
            || thread.recursion_remaining() <= 0
        {
            return Step::Refused;
        }
        if frame.prev_instr().cast_const() != stands {
            // SAFETY: the table is as long as the code, and one longer.
            let point = unsafe { &*points.offset(frame.lasti() + 1) };
            if point.entry == ResumePoint::NONE || point.sent != ResumePoint::NONE {
                return Step::Refused;
            }
            (stands, entry) = (frame.prev_instr(), i64::from(point.entry) | above);
        }
        generator::begin(thread, generator);
        // SAFETY: CPython leaves room for the value that a suspended frame is sent.
        unsafe {
            object::incref(none);
            frame.set_slot(frame.stacktop() as usize, none);
        }
        thread.set_recursion_remaining(thread.recursion_remaining() - 1);
        state.entered.set(state.entered.get() + 1);
        *resumed += 1;
        frame.link(thread);
        // SAFETY: as in `hook::enter`.
        let status = unsafe { (compiled.entry)(compiled.ctx, thread.as_ptr(), frame.as_ptr(), out, entry) };
        if status != Status::Yielded as i64 || thread.cframe().use_tracing() != 0 {
            let result = hook::conclude_resumed(thread, frame, state, compiled.clone(), status, out);
            return match generators::concluded(thread, generator, result) {
                (Outcome::Yielded, value) => Step::Value(value),
                (Outcome::Raised, _) => Step::Raised,
                (Outcome::Returned, value) => {
                    // SAFETY: what was returned is owned, and nobody asks for it.
                    unsafe { object::decref(value) };
                    Step::Ended
                }
            };
        }
        frame.unlink(thread);
        thread.leave_recursive_call();
        generator::suspended(thread, generator);
        // SAFETY: what it has yielded.
        if !unsafe { sink.take(out.read() as *mut PyObject) } {
            return Step::Raised;
        }
    }
}
