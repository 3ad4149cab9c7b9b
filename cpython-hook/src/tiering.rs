//! The policy: what is compiled, when, how often again, and where running code is entered.
//!
//! Method: a code object is compiled when its calls reach `threshold`, or when the ticker finds it looping. Exits are
//! counted by the guess that failed; after so many (`exits_before`) the code is compiled again with that guess
//! generalised, and all else as before. Later versions wait longer and generalise all that ever failed, and the
//! `LAST_VERSION`-th makes no guesses at all, so there is no storm. A slow backend works in the [`background`]: until it is
//! done what was there before goes on, the interpreter or the version whose guesses failed.
//! Invariants: a compilation that fails, or panics, is remembered as a refusal and never tried again; while one is
//! under way the code object counts as refused, so it cannot start twice.

use crate::{
    background,
    code_state::{CALLS_PER_LOOK, CodeState, ExitKey},
    compile::{self, CompileRequest, CompiledCode, Draft},
    config, hook,
    job::Refusal,
    ticker,
};
use columba_cpython_runtime::{capture, code::Code, frame::Frame, thread::ThreadState};
use columba_jit_core::{
    code::Placement,
    exit::{Exit, Reason},
};
use pyo3::ffi::PyObject;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
};

/// Exits at one guess before it is generalised in one of the first versions.
const EXITS_PER_GUESS: u64 = 8;
/// The same where a global name was not where it had been.
const NAMESPACE_EXITS: u64 = 4 * EXITS_PER_GUESS;
/// Exits of a version that is being replaced before the interpreter takes over until then.
const EXITS_MEANWHILE: u32 = 64;
/// Versions that are compiled again as soon as that; the next waits four times as long, and those after it sixteen times.
const EAGER_VERSIONS: u32 = 4;
/// Code units that compile in about the time between two samples of the ticker.
const UNITS_PER_SAMPLE: usize = 150;
/// The same when only the IR is made meanwhile, and the rest in the background.
const UNITS_BUILT_PER_SAMPLE: usize = 600;
/// Calls until a function is compiled one of whose loops was.
const CALLS_AFTER_LOOP: i64 = 2;
/// Classes that are remembered for an attribute access, and failures after which it is not guessed any more.
const MOST_RECEIVERS: usize = 4;
const MOST_FAILURES: u64 = 6 * EXITS_PER_GUESS;
/// The version that makes no guesses.
const LAST_VERSION: u32 = 12;

/// Activations that make up for one exit of a guess.
const ENTRIES_PER_EXIT: u64 = 500;

/// A countdown that is never reached: refused code.
const NEVER: i64 = i64::MAX;
/// A countdown that is always reached: compiled code.
const ALWAYS: i64 = i64::MIN / 2;

/// Totals for `stats()`.
#[derive(Default)]
pub struct Totals {
    pub seen: AtomicU64,
    pub compiled: AtomicU64,
    pub refused: AtomicU64,
    pub bytes: AtomicU64,
    pub compile_nanoseconds: AtomicU64,
    pub exits: AtomicU64,
    pub loops_entered: AtomicU64,
}

/// Totals of this process.
pub static TOTALS: Totals = Totals {
    seen: AtomicU64::new(0),
    compiled: AtomicU64::new(0),
    refused: AtomicU64::new(0),
    bytes: AtomicU64::new(0),
    compile_nanoseconds: AtomicU64::new(0),
    exits: AtomicU64::new(0),
    loops_entered: AtomicU64::new(0),
};

/// A code object is run for the first time.
pub fn first_sight<'a>(frame: Frame) -> Option<&'a CodeState> {
    let state = CodeState::of_or_new(frame.code(), config::threshold())?;
    TOTALS.seen.fetch_add(1, Ordering::Relaxed);
    if state.may_loop {
        ticker::wake();
    }
    Some(state)
}

/// The countdown has run out: compile, if it has not been tried.
#[cold]
pub fn on_hot(state: &CodeState, frame: Frame) -> Option<Rc<CompiledCode>> {
    if state.under_way.get() {
        background::install();
        if state.under_way.get() {
            state.countdown.set(CALLS_PER_LOOK);
            return None;
        }
        return state.compiled();
    }
    compile_now(state, Some(frame))
}

/// Whether the interpreter has already spent about as long in this code's loops as the program will wait for their
/// compilation: then compiling at once costs at most twice what knowing the future would.
fn loop_has_earned_compilation(state: &CodeState) -> bool {
    let units = if config::compiles_in_background() { UNITS_BUILT_PER_SAMPLE } else { UNITS_PER_SAMPLE };
    config::threshold() == 0
        || config::stress_loops()
        || state.sampled.get() as usize * units >= state.code().code_units() as usize
}

/// A frame was pulled out of the interpreter at a loop header. `None`: the interpreter goes on.
#[cold]
pub fn on_loop_entry(thread: ThreadState, frame: Frame, state: &CodeState, offset: u32) -> Option<*mut PyObject> {
    state.sampled.set(state.sampled.get() + 1);
    if thread.cframe().use_tracing() != 0 {
        return None;
    }
    let known = state.loop_version(offset).0;
    if known.is_none() && !loop_has_earned_compilation(state) {
        return None;
    }
    let fitting = match known {
        Some(known) if !state.loop_is_stale(offset) => Some(known),
        known => compile_loop(state, frame, offset).or(known),
    };
    let compiled = fitting?;
    let entry = compiled.entry_at(offset)?;
    // A function that loops is worth a version of its own soon: the next call need not wait for the ticker.
    if state.countdown.get() > CALLS_AFTER_LOOP && state.refusal.borrow().is_none() {
        state.countdown.set(CALLS_AFTER_LOOP);
    }
    state.loops_entered.set(state.loops_entered.get() + 1);
    TOTALS.loops_entered.fetch_add(1, Ordering::Relaxed);
    Some(hook::enter(thread, frame, state, compiled, entry))
}

/// Exits at one guess before the code is compiled again, by how often it has been compiled.
fn exits_before(versions: u32) -> u64 {
    EXITS_PER_GUESS << (2 * versions.saturating_sub(EAGER_VERSIONS).min(2))
}

/// Compiled code was left through an exit; the frame is rebuilt already.
pub fn on_exit(state: &CodeState, compiled: &Rc<CompiledCode>, exit: &Exit, frame: Frame) {
    TOTALS.exits.fetch_add(1, Ordering::Relaxed);
    let key = ExitKey { origin: exit.origin, reason: exit.reason };
    if state.is_being_replaced(compiled) {
        // What fails is known to, and the next version will count for itself.
        if state.count_failure_meanwhile() > EXITS_MEANWHILE {
            state.withdraw(compiled);
        }
        return;
    }
    if exit.reason == Reason::Version {
        note_receiver(state, compiled, key, frame);
    }
    let exits = {
        let mut exits = state.exits.borrow_mut();
        let count = exits.entry(key).or_default();
        count.total += 1;
        count.since_compiled += 1;
        count.since_compiled
    };
    if exits < EXITS_PER_GUESS || exit.reason == Reason::Interrupt {
        return;
    }
    let is_whole = state.compiled().is_some_and(|current| Rc::ptr_eq(&current, compiled));
    let versions = if is_whole { state.versions.get() } else { state.versions_of_loop(compiled) };
    if exits < exits_before(versions) {
        return;
    }
    // A guess that nearly always holds is worth its exits.
    if is_whole && exits * ENTRIES_PER_EXIT < state.times_entered() - state.entered_before.get() {
        return;
    }
    if is_whole {
        if state.versions.get() < LAST_VERSION {
            state.retire();
            state.countdown.set(0);
            state.set_watched(true);
        }
    } else {
        state.set_loop_stale(compiled);
    }
}

/// A guard of a type's version may have failed: the type of the topmost item, which is the object of every attribute access, is
/// remembered. Too many at one instruction, or too many failures with a class that the version knew, and nothing is. How often
/// a class fails before a version knows it says nothing: a version whose guesses nearly always hold is kept for long.
fn note_receiver(state: &CodeState, compiled: &CompiledCode, key: ExitKey, frame: Frame) {
    if frame.depth() < 1 {
        return;
    }
    let top = (frame.code().nlocalsplus() + frame.depth() - 1) as usize;
    // SAFETY: the frame was rebuilt just now: an item of its stack.
    let Some(version) = (unsafe { capture::note_class(frame.slot(top)) }) else { return };
    let failures = {
        let mut exits = state.exits.borrow_mut();
        let count = exits.entry(key).or_default();
        count.of_known_class += u64::from(compiled.was_told_of(key.origin, version));
        count.of_known_class
    };
    let mut receivers = state.receivers.borrow_mut();
    let known = receivers.contains_key(&key.origin);
    let seen = receivers.entry(key.origin).or_default();
    if !(seen.contains(&version) || known && seen.is_empty()) {
        seen.push(version);
    }
    if seen.len() > MOST_RECEIVERS || failures > MOST_FAILURES {
        seen.clear();
    }
}

/// Guesses that failed too often, for version number `next`; their counts start again. Versions after the eager ones make none
/// that ever failed.
fn failed_guesses(state: &CodeState, next: u32) -> Vec<ExitKey> {
    let enough = if next > EAGER_VERSIONS { 1 } else { EXITS_PER_GUESS };
    let mut exits = state.exits.borrow_mut();
    exits.values_mut().for_each(|count| count.since_compiled = 0);
    // A namespace that has got a new name is most likely complete now.
    let rename = |key: &ExitKey| key.reason == Reason::Version && state.code().loads_global_at(key.origin);
    let enough = |key: &ExitKey| if rename(key) { enough.max(NAMESPACE_EXITS) } else { enough };
    exits.iter().filter(|(key, count)| count.total >= enough(key)).map(|(key, _)| *key).collect()
}

fn count_compilation(compiled: &CompiledCode) {
    TOTALS.compiled.fetch_add(1, Ordering::Relaxed);
    TOTALS.bytes.fetch_add(compiled.bytes as u64, Ordering::Relaxed);
    TOTALS.compile_nanoseconds.fetch_add(compiled.compile_time.as_nanos() as u64, Ordering::Relaxed);
}

/// Notes what a frame's locals hold: guesses for the next compilation of its code.
pub fn remember_locals(state: &CodeState, frame: Frame) {
    let examples = compile::local_examples(frame);
    state.local_examples.replace(examples);
}

/// Compiles a version for a loop that runs in the interpreter. It is entered at that loop only, so the function's own
/// version is not disturbed by what one activation's loop looks like.
fn compile_loop(state: &CodeState, frame: Frame, header: u32) -> Option<Rc<CompiledCode>> {
    let versions = state.loop_version(header).1;
    if state.loop_is_under_way(header) {
        return None;
    }
    if state.refusal.borrow().is_some() || versions > LAST_VERSION {
        state.set_watched(config::stress_loops());
        return None;
    }
    remember_locals(state, frame);
    let generalise = failed_guesses(state, versions + 1);
    let request = CompileRequest {
        frame: Some(frame),
        loop_header: Some(header),
        local_examples: Vec::new(),
        generalise: &generalise,
        receivers: state.receivers.borrow().clone(),
        generic: versions + 1 > LAST_VERSION,
        dump: false,
    };
    match start(state, &request) {
        Ok(Started::Finished(compiled)) => {
            keep_loop(state, header, compiled);
            state.loop_version(header).0
        }
        Ok(Started::UnderWay) => {
            state.set_loop_under_way(header, true);
            state.exits_meanwhile.set(0);
            None
        }
        Err(refusal) => {
            refuse(state, refusal);
            None
        }
    }
}

/// How a compilation has begun.
enum Started {
    /// It is over.
    Finished(Rc<CompiledCode>),
    /// It goes on in the background; [`finish_version`] will be told.
    UnderWay,
}

/// Compiles, or begins to. What is asked for without a frame is waited for.
fn start(state: &CodeState, request: &CompileRequest<'_>) -> Result<Started, Refusal> {
    guarded(|| {
        if request.frame.is_some() && config::compiles_in_background() {
            let draft = Draft::new(state.code(), request, Placement::Fresh)?;
            if request.loop_header.is_none() {
                state.arguments_under_way.replace(draft.rest.arguments());
            }
            if background::submit(state.code(), draft, None, request.loop_header) {
                return Ok(Started::UnderWay);
            }
        }
        compile::compile(state.code(), request).map(|compiled| Started::Finished(Rc::new(compiled)))
    })
}

/// What has been compiled in the background is put into use, or its refusal noted.
pub fn finish_version(state: &CodeState, header: Option<u32>, made: Result<CompiledCode, Refusal>) {
    forget_version(state.code(), header);
    state.exits.borrow_mut().values_mut().for_each(|count| count.since_compiled = 0);
    match (made, header) {
        (Ok(compiled), None) => keep(state, Rc::new(compiled)),
        (Ok(compiled), Some(header)) => {
            keep_loop(state, header, Rc::new(compiled));
            state.set_watched(true);
            ticker::wake();
        }
        (Err(refusal), _) => refuse(state, refusal),
    }
}

/// Nothing is made in the background any more, for the code or its loop at `header`.
pub fn forget_version(code: Code, header: Option<u32>) {
    let Some(state) = CodeState::of(code) else { return };
    match header {
        Some(header) => state.set_loop_under_way(header, false),
        None => {
            state.under_way.set(false);
            state.arguments_under_way.take();
            // What is compiled is called as such, whatever this says.
            state.countdown.set(if state.compiled().is_some() { ALWAYS } else { config::threshold() });
        }
    }
}

fn keep(state: &CodeState, compiled: Rc<CompiledCode>) {
    state.versions.set(state.versions.get() + 1);
    state.entered_before.set(state.times_entered());
    count_compilation(&compiled);
    drop(state.replace_compiled(Some(compiled)));
    state.countdown.set(ALWAYS);
}

fn keep_loop(state: &CodeState, header: u32, compiled: Rc<CompiledCode>) {
    count_compilation(&compiled);
    drop(state.replace_loop(header, compiled));
}

/// An earlier version, if there is one, stays in use.
fn refuse(state: &CodeState, refusal: Refusal) {
    TOTALS.refused.fetch_add(1, Ordering::Relaxed);
    state.refusal.replace(Some(refusal));
    state.set_watched(config::stress_loops());
    state.countdown.set(if state.compiled().is_some() { ALWAYS } else { NEVER });
}

/// Compiles a code object and puts the result into use.
pub fn compile_now(state: &CodeState, frame: Option<Frame>) -> Option<Rc<CompiledCode>> {
    if state.refusal.borrow().is_some() || state.countdown.replace(NEVER) == NEVER {
        state.countdown.set(NEVER);
        return None;
    }
    let generalise = failed_guesses(state, state.versions.get() + 1);
    let request = CompileRequest {
        frame,
        loop_header: None,
        local_examples: state.local_examples.borrow().clone(),
        generalise: &generalise,
        receivers: state.receivers.borrow().clone(),
        generic: state.versions.get() + 1 >= LAST_VERSION,
        dump: false,
    };
    let started = start(state, &request);
    let previous = state.take_retired();
    match started {
        Ok(Started::Finished(compiled)) => {
            keep(state, compiled);
            if let Some(frame) = frame {
                background::made(state, frame);
            }
        }
        Ok(Started::UnderWay) => {
            state.under_way.set(true);
            state.exits_meanwhile.set(0);
            state.countdown.set(CALLS_PER_LOOK);
            if previous.is_some() {
                drop(state.replace_compiled(previous));
                state.countdown.set(ALWAYS);
            }
        }
        Err(refusal) => refuse(state, refusal),
    }
    state.compiled()
}

/// Puts a second version into use in place of the first, unless that has gone out of use meanwhile.
pub fn replace_version(state: &CodeState, first: &Rc<CompiledCode>, header: Option<u32>, second: CompiledCode) {
    let current = header.map_or_else(|| state.compiled(), |header| state.loop_version(header).0);
    if !current.is_some_and(|current| Rc::ptr_eq(&current, first)) {
        return;
    }
    count_compilation(&second);
    let second = Rc::new(second);
    let old = match header {
        None => state.replace_compiled(Some(second)),
        Some(header) => state.replace_loop(header, second),
    };
    drop(old);
    if state.may_loop {
        state.set_watched(true);
        state.shall_leave.set(true);
        ticker::wake();
    }
}

/// Runs the compiler; a panic there is a refusal.
pub fn run_compiler(code: Code, request: &CompileRequest<'_>) -> Result<CompiledCode, Refusal> {
    guarded(|| compile::compile(code, request))
}

/// A panic is a refusal.
fn guarded<T>(compile: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(compile))
        .unwrap_or_else(|panic| Err(Refusal { reason: format!("the compiler panicked: {}", panic_message(&*panic)) }))
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "no message",
    }
}
