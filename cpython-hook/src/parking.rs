//! Taking the hook out while it brings nothing, and putting it back for short samples.
//!
//! *Problem*: while any hook is installed, CPython 3.11 does not inline Python calls (`CALL`, `CALL_PY_EXACT_ARGS` and
//! `BINARY_SUBSCR_GETITEM` test `interp->eval_frame`), so code that mostly calls and is not compiled runs slower than it
//! would without us. *Method*: entries of code that is not compiled are counted in *windows*. A window that passed quickly, in a
//! process where for a while compiled code was not entered, or not often enough to save what the hook costs, ends with the
//! hook *parked*: the slot is null as in a plain interpreter. The ticker puts the hook back a moment later, for the next
//! window. So that hot code is found about as early as if every call were seen, each call seen counts for as many as passed
//! unseen meanwhile, measured by the time the hook was out and in ([`weight`]). Loops that start running meanwhile are
//! found by the ticker as ever: a frame that the interpreter has inlined can be pulled out as well ([`crate::extraction`]).
//!
//! *Invariants*:
//! - The slot is emptied only under the GIL and from inside the hook: CPython reads it twice around a call, so another thread
//!   must never take the function away. Filling an empty slot is harmless at any time, so the ticker needs no GIL for it.
//! - Only an empty slot is filled, by one atomic exchange: somebody else's function stays. When that one goes away again
//!   and leaves the slot empty, the hook comes back.
//! - The hook is parked only while a ticker runs that will put it back. A forked child begins with the hook in place.
//! - A small threshold, and stress of any kind, ask for exact counts: nothing is parked then.

use crate::{config, hook, ticker};
use columba_cpython_runtime::direct::GAINED;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// Entries of code that is not compiled in a window, and in the first of all, which is long enough that what a short program
/// calls a thousand times is found without fail.
const WINDOW: u64 = 256;
const FIRST_WINDOW: u64 = 4096;
/// Nanoseconds that the hook takes from each entry.
const COST: u64 = 12;
/// Nanoseconds per entry from which on that is not worth a pause: while no compiled code is entered at all, and while some is,
/// of which we only guess how much time it saves.
const SLOW_ENTRY: u64 = 2000;
const SLOW_ENTRY_BESIDE_COMPILED: u64 = 250;
/// For how many nanoseconds compiled code may not have been worth the hook.
const SILENCE: u64 = 32_000_000;
/// How many nanoseconds the hook stays parked at least.
const PAUSE: u64 = 1_000_000;
/// For how many calls one may count.
const MOST: u64 = 40;

/// Whether the hook is out by our own doing.
static PARKED: AtomicBool = AtomicBool::new(false);
/// Entries left in the window, and its size. This and the words below are written under the GIL, or by the ticker while the hook
/// is parked.
static LEFT: AtomicI64 = AtomicI64::new(FIRST_WINDOW as i64);
static SIZE: AtomicU64 = AtomicU64::new(FIRST_WINDOW);
static WEIGHT: AtomicI64 = AtomicI64::new(1);
/// When the window began, and when the hook was parked last.
static BEGAN: AtomicU64 = AtomicU64::new(0);
static PARKED_AT: AtomicU64 = AtomicU64::new(0);
/// How long a window took before the hook was parked.
static SPAN: AtomicU64 = AtomicU64::new(1);
/// The end of the last window in which compiled code was worth the hook.
static WORTHWHILE: AtomicU64 = AtomicU64::new(0);
/// How often the hook was parked.
pub static TIMES: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds of the monotonic clock.
fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: an out-parameter on this stack.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Whether the hook is out by our own doing; it counts as installed then.
#[inline(always)]
pub fn is_parked() -> bool {
    PARKED.load(Relaxed)
}

/// For how many calls the one that is seen now counts.
#[inline(always)]
pub fn weight() -> i64 {
    WEIGHT.load(Relaxed)
}

/// Code that is not compiled is entered by the hook. Whether the window ends with it.
#[inline(always)]
pub fn count_entry() -> bool {
    let left = LEFT.load(Relaxed) - 1;
    LEFT.store(left, Relaxed);
    left <= 0
}

/// The last entry of a window: parks the hook, if that is what the window says, or begins another.
pub fn end_window() {
    let now = now();
    let (size, span) = (SIZE.load(Relaxed), now.saturating_sub(BEGAN.load(Relaxed)));
    begin_window(now, WINDOW);
    WEIGHT.store(1, Relaxed);
    let gained = GAINED.swap(0, Relaxed);
    if gained >= size * COST {
        WORTHWHILE.store(now, Relaxed);
    }
    let worthwhile = WORTHWHILE.load(Relaxed);
    let is_silent = worthwhile == 0 || now.saturating_sub(worthwhile) >= SILENCE;
    let is_quick = span < size * if gained == 0 { SLOW_ENTRY } else { SLOW_ENTRY_BESIDE_COMPILED };
    if !(is_silent && is_quick && config::may_park() && ticker::runs() && hook::take_out()) {
        return;
    }
    SPAN.store((span * WINDOW / size).max(1), Relaxed);
    PARKED_AT.store(now, Relaxed);
    PARKED.store(true, Relaxed);
    TIMES.fetch_add(1, Relaxed);
    ticker::hurry();
}

fn begin_window(now: u64, size: u64) {
    BEGAN.store(now, Relaxed);
    SIZE.store(size, Relaxed);
    LEFT.store(size as i64, Relaxed);
}

/// The hook was installed just now. The GIL is held, and no ticker runs.
pub fn begin() {
    PARKED.store(false, Relaxed);
    WEIGHT.store(1, Relaxed);
    begin_window(now(), FIRST_WINDOW);
}

/// The ticker's turn: puts the hook back when it has been out for long enough. Whether it was parked.
pub fn end_pause() -> bool {
    let is_parked = is_parked();
    if is_parked {
        let now = now();
        let pause = now.saturating_sub(PARKED_AT.load(Relaxed));
        if pause >= PAUSE {
            put_back(now, (1 + pause / SPAN.load(Relaxed)).min(MOST));
        }
    }
    is_parked
}

/// Puts the hook back at once if it is parked, and it will not be parked again. The ticker may do the same meanwhile.
pub fn end_now() {
    if is_parked() {
        put_back(now(), 1);
    }
}

/// Whoever takes the hook away for good: it is not to come back. No ticker runs.
pub fn forget() {
    PARKED.store(false, Relaxed);
}

/// All is in order before the function is in its place: another thread may pass through it at once.
fn put_back(now: u64, weight: u64) {
    begin_window(now, WINDOW);
    WEIGHT.store(weight as i64, Relaxed);
    PARKED.store(false, Relaxed);
    if !hook::put_back() {
        PARKED.store(true, Relaxed);
    }
}
