//! Compiling on a thread of its own, so that the program does not wait.
//!
//! *Problem*: good code takes long to make. *Method*: what a compilation needs of CPython is taken under the GIL; the [`Job`]
//! that is left is plain data, which a worker thread runs without the GIL. The interpreter, or an older version, goes on
//! meanwhile. What is finished is put into use by the main thread, where it serves requests, or by whoever calls the function
//! often enough. There are two kinds of jobs:
//! - *versions* of a backend that is slow ([`columba_jit_core::backend::Caps::SLOW`]): whatever [`tiering`] wants compiled;
//! - *second tiers*, when two backends are chosen: the first compiles at once. The ticker samples what runs; a version that is
//!   found running a few times is compiled again by the second, and replaced if it is still in use then. An activation that runs
//!   a loop in the old version is asked to leave it, and is then found and entered as any running loop is. With
//!   `background=False` the program waits for the worker, and nothing is under way when it goes on.
//!
//! *Invariants*: the worker touches nothing of CPython; the code object and the first version are kept alive, by references
//! under the GIL, while a job of theirs is under way. No lock is held across a call into CPython. No process is forked
//! while the worker compiles; a child has no worker and makes a new one; the worker is joined before the interpreter goes away.

use crate::{
    code_state::CodeState,
    compile::{CompiledCode, Draft, Rest},
    config,
    job::{Done, Job, Refusal},
    ticker, tiering,
};
use columba_cpython_runtime::{code::Code, frame::Frame, helpers::pending, thread::Interpreter};
use pyo3::ffi::{self, PyObject};
use std::{
    cell::{RefCell, UnsafeCell},
    collections::{HashMap, VecDeque},
    ffi::{c_int, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::null_mut,
    rc::Rc,
    sync::{
        Condvar, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicPtr, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

/// Samples that find a code object's native code running before it counts as hot: some milliseconds.
const SAMPLES: u32 = 2;

/// A result under the number of its job.
type Finished = (u64, Result<Done, Refusal>);

struct Worker {
    jobs: Mutex<Jobs>,
    bell: Condvar,
    finished: Mutex<Vec<Finished>>,
    /// Rung when something is added to `finished`.
    done: Condvar,
    handle: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Waiting>,
    stop: bool,
}

struct Waiting {
    number: u64,
    job: Job,
    /// Whether the worker asks the main thread to put the result into use, because nobody waits for it.
    announced: bool,
}

/// The worker of this process; leaked in a forked child, where its thread does not exist.
static WORKER: AtomicPtr<Worker> = AtomicPtr::new(null_mut());
/// Held by the worker while it compiles, and by a thread that forks: a code generator may have locks of its own (LLVM does),
/// and a child must not find them taken.
static COMPILING: ForkLock = ForkLock(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

/// A mutex that may be unlocked in the child of a fork by the thread that locked it in the parent.
struct ForkLock(UnsafeCell<libc::pthread_mutex_t>);
// SAFETY: a mutex is made to be shared.
unsafe impl Sync for ForkLock {}

impl ForkLock {
    extern "C" fn lock() {
        // SAFETY: initialised statically, never destroyed or moved.
        unsafe { libc::pthread_mutex_lock(COMPILING.0.get()) };
    }

    extern "C" fn unlock() {
        // SAFETY: as above; locked by this thread.
        unsafe { libc::pthread_mutex_unlock(COMPILING.0.get()) };
    }
}

/// Number of the last job.
static LAST: AtomicU64 = AtomicU64::new(0);

/// What a job was made from.
struct UnderWay {
    /// Owned.
    code: *mut PyObject,
    rest: Rest,
    /// The version of the first tier that this one is to replace; `None` if it is no second tier.
    first: Option<Rc<CompiledCode>>,
    /// The header, of a version for a loop.
    header: Option<u32>,
}

/// Used under the GIL only.
struct UnderGil<T>(RefCell<T>);
// SAFETY: every function that uses it runs under the GIL, and no borrow is held across a call into CPython.
unsafe impl<T> Sync for UnderGil<T> {}

static UNDER_WAY: UnderGil<Option<HashMap<u64, UnderWay>>> = UnderGil(RefCell::new(None));

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ticker found this frame running native code. The GIL is held.
pub fn sampled(frame: Frame) {
    if config::current().second_backend().is_none() {
        return;
    }
    let Some(state) = CodeState::of(frame.code()) else { return };
    state.native_samples.set(state.native_samples.get() + 1);
    if state.native_samples.get() < SAMPLES && !config::stress_tiers() {
        return;
    }
    state.native_samples.set(0);
    submit_versions(state, frame);
    if !config::current().background {
        install();
    }
}

/// A version has been made. Under `stress="tiers"` it is hot already if it has no loop: those are seldom found running.
pub fn made(state: &CodeState, frame: Frame) {
    if config::stress_tiers() && config::current().second_backend().is_some() && !state.loops() {
        submit_versions(state, frame);
    }
}

/// Has the versions in use of a code object compiled again, as far as that has not been tried.
fn submit_versions(state: &CodeState, frame: Frame) {
    let own = state.compiled().map(|compiled| (None, compiled));
    for (header, first) in own.into_iter().chain(state.loop_versions()) {
        if !first.promoted.replace(true)
            && let Ok(Some(draft)) = catch_unwind(AssertUnwindSafe(|| Draft::again(frame, &first)))
        {
            submit(state.code(), draft, Some(first), header);
        }
    }
}

/// Has the job of a draft run, for a version of the code, or of its loop at `header`. `false` when no thread can be had.
pub fn submit(code: Code, draft: Draft, first: Option<Rc<CompiledCode>>, header: Option<u32>) -> bool {
    let Some(worker) = worker() else { return false };
    let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    // SAFETY: the code object is alive; the reference is given back in `install`.
    unsafe { ffi::Py_INCREF(code.as_ptr()) };
    let Draft { job, rest } = draft;
    let from = UnderWay { code: code.as_ptr(), rest, first, header };
    UNDER_WAY.0.borrow_mut().get_or_insert_default().insert(number, from);
    let waits = config::stress_tiers() || !config::current().background;
    lock(&worker.jobs).waiting.push_back(Waiting { number, job, announced: !waits });
    worker.bell.notify_one();
    if waits {
        let mut finished = lock(&worker.finished);
        while !finished.iter().any(|(done, _)| *done == number) {
            finished = worker.done.wait(finished).unwrap_or_else(PoisonError::into_inner);
        }
    }
    if config::stress_tiers() {
        // At the next poll: at which one shall not depend on a clock.
        // SAFETY: may be called from any thread.
        unsafe { ffi::Py_AddPendingCall(Some(install_pending), null_mut()) };
    }
    true
}

/// The worker, made now if there is none; `None` when no thread can be had: the first tier stays.
fn worker() -> Option<&'static Worker> {
    // SAFETY: freed by `stop` only, which holds the GIL as every caller of this does.
    if let Some(worker) = unsafe { WORKER.load(Ordering::Acquire).as_ref() } {
        return Some(worker);
    }
    pending::set_leave_query(shall_leave);
    static AT_FORK: Once = Once::new();
    // SAFETY: registers functions that only lock and unlock.
    AT_FORK.call_once(|| unsafe {
        libc::pthread_atfork(Some(ForkLock::lock), Some(ForkLock::unlock), Some(ForkLock::unlock));
    });
    // SAFETY: the main interpreter outlives the worker, which is joined at exit.
    let interpreter = unsafe { Interpreter::new(ffi::PyInterpreterState_Main()) };
    let eval_breaker = interpreter.eval_breaker();
    let worker = Box::into_raw(Box::new(Worker {
        jobs: Mutex::default(),
        bell: Condvar::new(),
        finished: Mutex::default(),
        done: Condvar::new(),
        handle: Mutex::default(),
    }));
    // SAFETY: never freed while its thread runs: `stop` joins first.
    let shared: &'static Worker = unsafe { &*worker };
    let handle = ticker::spawn_quietly("columba-compiler", 8 << 20, move || run(shared, eval_breaker));
    match handle {
        Ok(handle) => {
            *lock(&shared.handle) = Some(handle);
            WORKER.store(worker, Ordering::Release);
            Some(shared)
        }
        Err(_) => {
            // SAFETY: nobody else has seen it.
            drop(unsafe { Box::from_raw(worker) });
            None
        }
    }
}

/// The worker's thread.
fn run(worker: &Worker, eval_breaker: &std::sync::atomic::AtomicI32) {
    loop {
        let Waiting { number, job, announced } = {
            let mut jobs = lock(&worker.jobs);
            loop {
                if jobs.stop {
                    return;
                }
                match jobs.waiting.pop_front() {
                    Some(job) => break job,
                    None => jobs = worker.bell.wait(jobs).unwrap_or_else(PoisonError::into_inner),
                }
            }
        };
        ForkLock::lock();
        let result = catch_unwind(AssertUnwindSafe(|| job.run()))
            .unwrap_or_else(|_| Err(Refusal { reason: "the compiler panicked".to_owned() }));
        ForkLock::unlock();
        lock(&worker.finished).push((number, result));
        worker.done.notify_one();
        if announced {
            // When the queue of pending calls is full, the next tick installs it.
            // SAFETY: may be called without the GIL, from any thread.
            unsafe { ffi::Py_AddPendingCall(Some(install_pending), null_mut()) };
            eval_breaker.store(1, Ordering::Relaxed);
        }
    }
}

extern "C" fn install_pending(_argument: *mut c_void) -> c_int {
    install();
    0
}

/// Puts what is finished into use. The GIL is held.
pub fn install() {
    // SAFETY: see `worker`.
    let Some(worker) = (unsafe { WORKER.load(Ordering::Acquire).as_ref() }) else { return };
    let finished = std::mem::take(&mut *lock(&worker.finished));
    for (number, result) in finished {
        let Some(from) = UNDER_WAY.0.borrow_mut().as_mut().and_then(|jobs| jobs.remove(&number)) else { continue };
        // SAFETY: a code object that this job owns a reference to.
        let code = unsafe { Code::new(from.code) };
        if let Some(state) = CodeState::of(code) {
            let made = result.map(|done| from.rest.with(done));
            match (&from.first, made) {
                (Some(first), Ok(second)) => tiering::replace_version(state, first, from.header, second),
                // The first tier stays.
                (Some(_), Err(_)) => {}
                (None, made) => tiering::finish_version(state, from.header, made),
            }
        }
        drop(from.first);
        // SAFETY: the reference that `submit` took; nothing is borrowed.
        unsafe { ffi::Py_DECREF(from.code) };
    }
}

/// Whether an activation runs a version that has a better one by now: once for each.
fn shall_leave(frame: Frame) -> bool {
    CodeState::of(frame.code()).is_some_and(|state| state.shall_leave.take())
}

/// Ends the worker and waits for it. What is under way is given up. The GIL is held.
pub fn stop() {
    let worker = WORKER.swap(null_mut(), Ordering::AcqRel);
    if !worker.is_null() {
        // SAFETY: taken out of `WORKER`, so this is the only place that frees it, after the thread has ended.
        let worker = unsafe { Box::from_raw(worker) };
        {
            let mut jobs = lock(&worker.jobs);
            jobs.stop = true;
            jobs.waiting.clear();
        }
        worker.bell.notify_one();
        let handle = lock(&worker.handle).take();
        if let Some(handle) = handle {
            let _ = handle.join();
        }
    }
    forget_under_way();
}

fn forget_under_way() {
    let jobs = UNDER_WAY.0.borrow_mut().take();
    for (_, from) in jobs.into_iter().flatten() {
        match &from.first {
            Some(first) => first.promoted.set(false),
            // SAFETY: a code object that this job owns a reference to.
            None => tiering::forget_version(unsafe { Code::new(from.code) }, from.header),
        }
        drop(from.rest);
        drop(from.first);
        // SAFETY: the reference that `submit` took; nothing is borrowed.
        unsafe { ffi::Py_DECREF(from.code) };
    }
}

/// In a forked child, under the GIL: the thread is gone.
pub fn after_fork_in_child() {
    WORKER.store(null_mut(), Ordering::Release);
    forget_under_way();
}
