//! A clock that looks for hot loops, and that ends the hook's pauses ([`crate::parking`]).
//!
//! Problem: nobody calls the hook while a loop runs. Method: a thread wakes every 2 ms while there is something to find
//! and less and less often otherwise; if the main thread is running Python then, it posts a pending call, which arms
//! the main thread ([`crate::extraction`]).
//! Under `stress="loops"` and `"tiers"` there is no thread: the pending call posts itself again, so it runs at each poll of the
//! main thread, and every few polls count as a tick. While the thread is traced it does not, since a traced `RESUME` waits
//! until nothing is pending; it starts again when the thread is disarmed, or code is seen for the first time.
//! Invariants: the ticker never takes the GIL and never touches objects; it reads and writes words that CPython itself
//! accesses atomically. At most one pending call is under way. A forked child starts with none and makes its own
//! thread; the thread is joined before the interpreter goes away. A child forked by a thread other than the initial one
//! has no ticker: such a process may end by that thread's end, which another thread would prevent.

use crate::{background, config, extraction, hook, parking};
use columba_cpython_runtime::thread::{Interpreter, ThreadState, gil_holder, main_thread_id};
use pyo3::ffi;
use std::{
    ffi::{c_int, c_void},
    ptr::null_mut,
    sync::{
        Condvar, Mutex, Once,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

const PERIOD: Duration = Duration::from_millis(2);
/// Looks without a find before the period is doubled, and how often it is doubled.
const PATIENCE: u32 = 25;
const DOUBLINGS: u32 = 5;

struct Ticker {
    /// True when the thread shall end.
    stop: Mutex<bool>,
    bell: Condvar,
    handle: Mutex<Option<JoinHandle<()>>>,
}

/// The running ticker of this process; leaked in a forked child, where its thread does not exist.
static TICKER: AtomicPtr<Ticker> = AtomicPtr::new(null_mut());
/// The main thread's state, to compare with the holder of the GIL.
static MAIN: AtomicPtr<ffi::PyThreadState> = AtomicPtr::new(null_mut());
/// Whether this process was forked by a thread other than its parent's initial one.
static FORKED_BY_THREAD: AtomicBool = AtomicBool::new(false);
static FORKING_BY_THREAD: AtomicBool = AtomicBool::new(false);
static POSTED: AtomicBool = AtomicBool::new(false);
static MISSES: AtomicU32 = AtomicU32::new(0);
/// Calls of [`look`] that are not traced until the next tick, while polls are counted, and what the distances between ticks are made from.
static CALLS_LEFT: AtomicU32 = AtomicU32::new(0);
static DISTANCES: AtomicU32 = AtomicU32::new(0);
/// Pending calls that CPython serves at one poll: so often the call that posts itself again runs there.
const CALLS_PER_POLL: u32 = 32;
/// Polls between two ticks, at most.
const MOST_POLLS: u32 = 8;
/// Pending calls that ran.
pub static TICKS: AtomicU64 = AtomicU64::new(0);

/// Starts the thread unless it runs. The GIL is held.
pub fn start() {
    static AT_FORK: Once = Once::new();
    // SAFETY: registers a function that only stores to atomics.
    AT_FORK.call_once(|| unsafe {
        libc::pthread_atfork(Some(before_fork), None, Some(forget_in_child));
    });
    if !TICKER.load(Ordering::Acquire).is_null() || FORKED_BY_THREAD.load(Ordering::Relaxed) {
        return;
    }
    MAIN.store(main_thread_state(), Ordering::Relaxed);
    MISSES.store(0, Ordering::Relaxed);
    let ticker =
        Box::into_raw(Box::new(Ticker { stop: Mutex::new(false), bell: Condvar::new(), handle: Mutex::new(None) }));
    // SAFETY: never freed while its thread runs: `stop` joins first.
    let shared: &'static Ticker = unsafe { &*ticker };
    // SAFETY: the main interpreter outlives the thread, which is joined at exit.
    let interpreter = unsafe { Interpreter::new(ffi::PyInterpreterState_Main()) };
    let eval_breaker = interpreter.eval_breaker();
    match spawn_quietly("columba-ticker", 64 << 10, move || run(shared, eval_breaker)) {
        Ok(handle) => {
            *shared.handle.lock().unwrap() = Some(handle);
            TICKER.store(ticker, Ordering::Release);
        }
        // Without a thread loops are not entered in the middle; everything else works.
        // SAFETY: nobody else has seen it.
        Err(_) => drop(unsafe { Box::from_raw(ticker) }),
    }
}

/// A thread that signals do not reach: they are for the main thread. All are blocked while it is made, so that it inherits
/// the mask.
pub fn spawn_quietly(
    name: &str,
    stack_size: usize,
    body: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    // SAFETY: plain calls with values on this stack.
    unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let handle = std::thread::Builder::new().name(name.to_owned()).stack_size(stack_size).spawn(body);
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, null_mut());
        handle
    }
}

/// Whether there is a ticker.
pub fn runs() -> bool {
    !TICKER.load(Ordering::Relaxed).is_null()
}

/// The hook was parked: its pause is not to last longer than a period. The GIL is held.
pub fn hurry() {
    if MISSES.load(Ordering::Relaxed) >= PATIENCE {
        ring();
    }
}

fn ring() {
    // SAFETY: the GIL is held by every caller of `ring`, `start` and `stop`, so it is not freed meanwhile.
    if let Some(ticker) = unsafe { TICKER.load(Ordering::Acquire).as_ref() } {
        ticker.bell.notify_one();
    }
}

/// Ends the thread and waits for it. It never needs the GIL, so the caller may hold it.
pub fn stop() {
    let ticker = TICKER.swap(null_mut(), Ordering::AcqRel);
    if ticker.is_null() {
        return;
    }
    // SAFETY: taken out of `TICKER`, so this is the only place that frees it, after the thread has ended.
    let ticker = unsafe { Box::from_raw(ticker) };
    *ticker.stop.lock().unwrap() = true;
    ticker.bell.notify_one();
    let handle = ticker.handle.lock().unwrap().take();
    if let Some(handle) = handle {
        let _ = handle.join();
    }
}

/// Has ticks come by a count of polls, always the same, from now until the hook is removed. The GIL is held.
pub fn count_polls() {
    DISTANCES.store(0, Ordering::Relaxed);
    CALLS_LEFT.store(CALLS_PER_POLL, Ordering::Relaxed);
    go_on_counting();
}

/// Counts polls again, if that is what is done in place of a clock.
pub fn go_on_counting() {
    if config::stress_loops() && config::loop_entry() && hook::is_enabled() && !POSTED.load(Ordering::Relaxed) {
        post();
    }
}

fn post() {
    POSTED.store(true, Ordering::Relaxed);
    // SAFETY: may be called without the GIL, from any thread.
    if unsafe { ffi::Py_AddPendingCall(Some(look), null_mut()) } != 0 {
        POSTED.store(false, Ordering::Relaxed);
    }
}

/// While polls are counted: whether this call is a tick. The distances are those of a random generator that always starts
/// alike, so that ticks fall on all places of a loop.
fn is_tick() -> bool {
    let left = CALLS_LEFT.load(Ordering::Relaxed).saturating_sub(1);
    CALLS_LEFT.store(left, Ordering::Relaxed);
    if left > 0 {
        return false;
    }
    let next = DISTANCES.load(Ordering::Relaxed).wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    DISTANCES.store(next, Ordering::Relaxed);
    CALLS_LEFT.store(CALLS_PER_POLL * (1 + (next >> 16) % MOST_POLLS), Ordering::Relaxed);
    true
}

/// Something new may run for long: look at the usual pace again.
pub fn wake() {
    if MISSES.swap(0, Ordering::Relaxed) >= PATIENCE {
        ring();
    }
    go_on_counting();
}

/// In the parent, in the thread that forks.
extern "C" fn before_fork() {
    // SAFETY: plain system calls.
    let initial = unsafe { libc::gettid() == libc::getpid() };
    FORKING_BY_THREAD.store(!initial, Ordering::Relaxed);
}

/// In a forked child: the thread is gone, and with it what it may have locked.
extern "C" fn forget_in_child() {
    FORKED_BY_THREAD.fetch_or(FORKING_BY_THREAD.load(Ordering::Relaxed), Ordering::Relaxed);
    TICKER.store(null_mut(), Ordering::Release);
    POSTED.store(false, Ordering::Relaxed);
    parking::end_now();
}

/// Makes the child's own ticker, after CPython has put itself in order.
pub fn after_fork_in_child() {
    POSTED.store(false, Ordering::Relaxed);
    if hook::is_enabled() && config::loop_entry() && config::stress_loops() {
        count_polls();
    } else if hook::is_enabled() {
        start();
    }
}

fn main_thread_state() -> *mut ffi::PyThreadState {
    // SAFETY: the GIL is held, so the list of threads stands still.
    unsafe {
        let mut thread = ffi::PyInterpreterState_ThreadHead(ffi::PyInterpreterState_Main());
        while !thread.is_null() && ThreadState::new(thread).thread_id() != main_thread_id() {
            thread = ffi::PyThreadState_Next(thread);
        }
        thread
    }
}

fn run(ticker: &Ticker, eval_breaker: &std::sync::atomic::AtomicI32) {
    let mut stop = ticker.stop.lock().unwrap();
    // Whether the hook was put back at the last look: it may be parked again soon.
    let mut samples = false;
    while !*stop {
        let idle = !samples && !parking::is_parked();
        let doublings = if idle { (MISSES.load(Ordering::Relaxed) / PATIENCE).min(DOUBLINGS) } else { 0 };
        stop = ticker.bell.wait_timeout(stop, PERIOD * (1 << doublings)).unwrap().0;
        if *stop {
            return;
        }
        samples = parking::end_pause();
        let main = MAIN.load(Ordering::Relaxed);
        if !config::loop_entry()
            || POSTED.load(Ordering::Relaxed)
            || main.is_null()
            || gil_holder().load(Ordering::Relaxed) != main
        {
            MISSES.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        post();
        // CPython computes the breaker for the calling thread, which may not run pending calls: set it for the main one.
        eval_breaker.store(1, Ordering::Relaxed);
    }
}

/// The pending call: runs in the main thread, at a point where the interpreter serves requests.
extern "C" fn look(_argument: *mut c_void) -> c_int {
    POSTED.store(false, Ordering::Relaxed);
    if config::stress_loops() {
        if is_tick() {
            tick();
        }
        // SAFETY: pending calls run with the GIL held.
        if unsafe { ThreadState::current() }.cframe().use_tracing() == 0 {
            go_on_counting();
        }
    } else {
        tick();
    }
    0
}

fn tick() {
    TICKS.fetch_add(1, Ordering::Relaxed);
    if hook::is_enabled() && hook::is_in_force() && config::loop_entry() {
        // SAFETY: pending calls run with the GIL held.
        let thread = unsafe { ThreadState::current() };
        background::install();
        let frame = thread.current_frame();
        if !frame.is_null() && extraction::runs_natively(frame) {
            background::sampled(frame);
        }
        if extraction::arm(thread) {
            MISSES.store(0, Ordering::Relaxed);
            return;
        }
    }
    MISSES.fetch_add(1, Ordering::Relaxed);
}
