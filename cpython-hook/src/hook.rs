//! The PEP 523 hook: what CPython calls in place of its evaluation loop.
//!
//! Problem: every Python call and every generator resume passes here, so doing nothing must cost next to nothing.
//! Method: one load finds the code object's state, one decrement counts the call; everything rare is out of line.
//! Invariants: a frame is handed to the interpreter, and back to the caller, *unlinked*; native code runs *linked*;
//! tracing and thrown-in exceptions are the interpreter's business; near the end of the C stack the hook is off, since
//! the interpreter on its own takes no C stack for Python calls.

use crate::{
    code_state::{self, CodeState},
    compile::CompiledCode,
    extraction::{self, interpret_loop},
    generator_slots, generators, parking, tiering,
};
use columba_cpython_runtime::{
    direct::OUT_WORDS,
    direct_calls, entering, exits,
    frame::Frame,
    helpers::tracing,
    stack_limit,
    thread::{Interpreter, ThreadState},
    vectorcall,
};
use columba_jit_core::ir::op::{FIRST_EXIT, Status};
use pyo3::ffi::{self, _PyInterpreterFrame, PyObject, PyThreadState};
use std::{
    ffi::{c_int, c_void},
    mem::MaybeUninit,
    ptr::null_mut,
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
};

unsafe extern "C" {
    pub(crate) fn _PyEval_EvalFrameDefault(
        thread: *mut PyThreadState,
        frame: *mut _PyInterpreterFrame,
        throwflag: c_int,
    ) -> *mut PyObject;
}

/// `PY_VECTORCALL_ARGUMENTS_OFFSET`.
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// Whether `enable()` is in force, even while the hook is off for a deep recursion.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// Why the hook could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("another PEP 523 user has installed a frame evaluation function; disable it before enabling columba")]
    Occupied,
    #[error("columba works in the main interpreter only, not in subinterpreters")]
    Subinterpreter,
    #[error("CPython has no co_extra slot left for columba")]
    NoExtra,
    #[error(
        "the running CPython's interpreter state differs from the headers columba was built with; rebuild columba for it"
    )]
    Layout,
}

/// What stands in the interpreter's slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Installed {
    Nothing,
    Columba,
    Foreign,
}

fn main_interpreter() -> *mut ffi::PyInterpreterState {
    // SAFETY: callable at any time after initialisation.
    unsafe { ffi::PyInterpreterState_Main() }
}

/// Who has installed a hook in the main interpreter.
pub fn installed() -> Installed {
    // SAFETY: the GIL is held; the interpreter is alive.
    let current = unsafe { ffi::_PyInterpreterState_GetEvalFrameFunc(main_interpreter()) } as *const ();
    if current == eval_frame as *const () {
        Installed::Columba
    } else if current == _PyEval_EvalFrameDefault as *const () {
        Installed::Nothing
    } else {
        Installed::Foreign
    }
}

fn set(function: ffi::_PyFrameEvalFunction) {
    // SAFETY: the GIL is held; the interpreter is alive; the function has the hook's signature.
    unsafe { ffi::_PyInterpreterState_SetEvalFrameFunc(main_interpreter(), Some(function)) };
}

/// Whether our function is called for every frame, or only parked for a moment.
pub fn is_in_force() -> bool {
    match installed() {
        Installed::Columba => true,
        Installed::Nothing => parking::is_parked(),
        Installed::Foreign => false,
    }
}

/// Empties the slot for a pause; `false` when it is not ours. Called under the GIL, from inside the hook: no other thread may
/// be between CPython's two looks at the slot.
pub(crate) fn take_out() -> bool {
    let ours = is_enabled() && installed() == Installed::Columba;
    if ours {
        set(_PyEval_EvalFrameDefault);
    }
    ours
}

/// Fills the slot if it is empty. `false`: somebody else's function is there. Needs no GIL.
pub(crate) fn put_back() -> bool {
    // SAFETY: the interpreter lives for the whole process; `install` has checked where the slot is.
    let slot = unsafe { Interpreter::new(main_interpreter()) }.eval_frame_slot();
    let ours = eval_frame as *mut u8;
    match slot.compare_exchange(null_mut(), ours, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => true,
        Err(current) => current == ours,
    }
}

/// Installs the hook; nothing is changed on error.
pub fn install() -> Result<(), InstallError> {
    // SAFETY: the GIL is held.
    if unsafe { ffi::PyInterpreterState_Get() } != main_interpreter() {
        return Err(InstallError::Subinterpreter);
    }
    if installed() == Installed::Foreign {
        return Err(InstallError::Occupied);
    }
    if !code_state::reserve_index() {
        return Err(InstallError::NoExtra);
    }
    set(eval_frame);
    entering::register(
        code_state::index(),
        eval_frame as *const (),
        parking::is_parked,
        finish_direct,
        generators::make_directly,
        vectorcall,
    );
    generator_slots::install();
    // SAFETY: the interpreter lives for the whole process.
    let stored = unsafe { Interpreter::new(main_interpreter()) }.eval_frame();
    if stored != eval_frame as *mut u8 {
        set(_PyEval_EvalFrameDefault);
        return Err(InstallError::Layout);
    }
    parking::begin();
    ENABLED.store(true, Ordering::Relaxed);
    Ok(())
}

/// Removes the hook, unless somebody else's has taken its place. No ticker runs, which might put it back.
pub fn uninstall() {
    ENABLED.store(false, Ordering::Relaxed);
    generator_slots::uninstall();
    parking::forget();
    if installed() == Installed::Columba {
        set(_PyEval_EvalFrameDefault);
    }
}

/// Whether `enable()` is in force.
pub fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// The hook. Every way out is a tail call, so the usual ones cost no stack and no saved registers.
///
/// # Safety
/// For CPython to call: the current thread, with the GIL, and a frame that is not linked.
pub unsafe extern "C" fn eval_frame(
    thread_pointer: *mut PyThreadState,
    frame_pointer: *mut _PyInterpreterFrame,
    throwflag: c_int,
) -> *mut PyObject {
    // SAFETY: CPython passes the current thread and a frame that lives during this call.
    let (thread, frame) = unsafe { (ThreadState::new(thread_pointer), Frame::new(frame_pointer)) };
    match CodeState::of(frame.code()) {
        Some(state) if stack_limit::is_surely_shallow(thread) => run(thread, frame, state, throwflag),
        _ => first_or_deep(thread, frame, throwflag),
    }
}

/// Counts a call of known code and runs the frame.
#[inline(always)]
fn run(thread: ThreadState, frame: Frame, state: &CodeState, throwflag: c_int) -> *mut PyObject {
    let before = state.countdown.get();
    let countdown = before - parking::weight();
    state.countdown.set(countdown);
    if countdown <= 1 {
        return hot(thread, frame, state, throwflag, before);
    }
    if parking::count_entry() {
        return at_end_of_window(thread, frame, throwflag);
    }
    if state.is_watched() {
        return interpret_loop(thread, frame, throwflag);
    }
    // SAFETY: an unlinked frame, as it came.
    unsafe { _PyEval_EvalFrameDefault(thread.as_ptr(), frame.as_ptr(), throwflag) }
}

/// The hook may be parked now. What a frame calls meanwhile is inlined, and its loops can be pulled out only of a loop of ours.
#[cold]
#[inline(never)]
fn at_end_of_window(thread: ThreadState, frame: Frame, throwflag: c_int) -> *mut PyObject {
    parking::end_window();
    interpret_loop(thread, frame, throwflag)
}

/// A code object seen for the first time, another thread than before, or a C stack that is used up.
#[cold]
#[inline(never)]
fn first_or_deep(thread: ThreadState, frame: Frame, throwflag: c_int) -> *mut PyObject {
    if stack_limit::is_deep(thread) {
        return with_hook_off(thread, frame, throwflag);
    }
    // An exception that is being thrown in must survive what making a state calls.
    let state = CodeState::of(frame.code()).or_else(|| if throwflag == 0 { tiering::first_sight(frame) } else { None });
    match state {
        // Outer functions are rarely called twice: they run so that what is inlined into their loops can be pulled out.
        Some(state) if throwflag == 0 && state.countdown.get() > parking::weight() + 1 => {
            state.countdown.set(state.countdown.get() - parking::weight());
            interpret_loop(thread, frame, throwflag)
        }
        Some(state) => run(thread, frame, state, throwflag),
        // SAFETY: an unlinked frame, as it came.
        None => unsafe { _PyEval_EvalFrameDefault(thread.as_ptr(), frame.as_ptr(), throwflag) },
    }
}

/// Runs a frame, and all it calls, without the hook.
fn with_hook_off(thread: ThreadState, frame: Frame, throwflag: c_int) -> *mut PyObject {
    if installed() == Installed::Columba {
        set(_PyEval_EvalFrameDefault);
    }
    // SAFETY: an unlinked frame, as it came.
    let result = unsafe { _PyEval_EvalFrameDefault(thread.as_ptr(), frame.as_ptr(), throwflag) };
    if is_enabled() && installed() == Installed::Nothing {
        set(eval_frame);
    }
    result
}

/// The last call before the one that compiles: what its locals hold in the end is remembered. The frame of a function is
/// cleared by whoever made it, so its locals are still there.
#[cold]
fn rehearse(thread: ThreadState, frame: Frame, state: &CodeState, throwflag: c_int) -> *mut PyObject {
    let plain = throwflag == 0 && !frame.is_generator_owned() && !frame.code().makes_generator();
    let result = interpret_loop(thread, frame, throwflag);
    if plain && !result.is_null() {
        tiering::remember_locals(state, frame);
    }
    result
}

/// Code that is compiled, or that the policy has to be asked about.
#[inline(never)]
fn hot(thread: ThreadState, frame: Frame, state: &CodeState, throwflag: c_int, before: i64) -> *mut PyObject {
    if before > 1 {
        // However many calls this one counts for.
        state.countdown.set(1);
        return rehearse(thread, frame, state, throwflag);
    }
    if throwflag != 0 && frame.is_generator_owned() && generators::close(thread, frame, state) {
        return null_mut();
    }
    if throwflag == 0 {
        if thread.cframe().use_tracing() != 0 {
            // Our own request for an extraction looks like tracing: postpone it.
            extraction::postpone(thread);
        }
        if thread.cframe().use_tracing() != 0 {
            return interpret_loop(thread, frame, throwflag);
        }
        if frame.is_generator_owned() {
            if let Some(result) = generators::resume_frame(thread, frame, state) {
                extraction::resume_postponed(thread);
                return result;
            }
        } else if frame.code().makes_generator() {
            if let Some(made) = generators::make_from_frame(thread, frame, state) {
                return made;
            }
        } else if let Some(compiled) = state.compiled().or_else(|| tiering::on_hot(state, frame))
            && let Some(entry) = compiled.entry_at((frame.lasti() + 1) as u32)
        {
            if state.is_plainly_called() {
                // SAFETY: a frame that is run holds the function it is of.
                unsafe { vectorcall::adopt(frame.f_func()) };
            }
            let result = enter(thread, frame, state, compiled, entry);
            extraction::resume_postponed(thread);
            return result;
        }
    }
    interpret_loop(thread, frame, throwflag)
}

/// How functions are called that have been found compiled once: into the compiled code with a frame of ours, or, for whatever
/// reason it may be, as CPython would.
///
/// # Safety
/// As for any vectorcall of a function.
unsafe extern "C" fn vectorcall(
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    flagged: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: whoever calls a function holds the GIL; function and arguments are alive during the call.
    unsafe {
        let thread = ThreadState::holding_gil();
        let count = flagged & !ARGUMENTS_OFFSET;
        if let Some(result) = direct_calls::offer_borrowed(thread, callable, arguments, count, names, true) {
            extraction::resume_postponed(thread);
            return result;
        }
    }
    // SAFETY: as above.
    unsafe { vectorcall::call_plainly(callable, arguments, flagged, names) }
}

/// Runs compiled code on an unlinked frame, up to its end or its next yield, in whatever tier it ends.
#[inline(always)]
pub fn enter(
    thread: ThreadState,
    frame: Frame,
    state: &CodeState,
    compiled: Rc<CompiledCode>,
    entry: i64,
) -> *mut PyObject {
    if !thread.enter_recursive_call() {
        // As the interpreter's `exit_unwind`: nothing has run, so no traceback entry. What is on the stack (a value sent) is
        // cleared with the frame.
        return null_mut();
    }
    state.entered.set(state.entered.get() + 1);
    state.count_gain();
    if compiled.out_words <= OUT_WORDS {
        let mut out = MaybeUninit::<[u64; OUT_WORDS]>::uninit();
        enter_with_out(thread, frame, state, compiled, entry, out.as_mut_ptr().cast())
    } else {
        enter_with_large_out(thread, frame, state, compiled, entry)
    }
}

#[cold]
#[inline(never)]
fn enter_with_large_out(
    thread: ThreadState,
    frame: Frame,
    state: &CodeState,
    compiled: Rc<CompiledCode>,
    entry: i64,
) -> *mut PyObject {
    let mut out = vec![0u64; compiled.out_words];
    enter_with_out(thread, frame, state, compiled, entry, out.as_mut_ptr())
}

#[inline(always)]
fn enter_with_out(
    thread: ThreadState,
    frame: Frame,
    state: &CodeState,
    compiled: Rc<CompiledCode>,
    entry: i64,
    out: *mut u64,
) -> *mut PyObject {
    frame.link(thread);
    // SAFETY: the compiler's contract: machine code for this frame's code object, an entry number of its own, and a
    // buffer of the size it asked for; `compiled` keeps it alive meanwhile.
    let status = unsafe { (compiled.entry)(compiled.ctx, thread.as_ptr(), frame.as_ptr(), out, entry) };
    conclude(thread, frame, state, compiled, status, out)
}

/// Compiled code has ended with a status: unlinks the frame and gives the result.
#[inline(always)]
fn conclude(
    thread: ThreadState,
    frame: Frame,
    state: &CodeState,
    compiled: Rc<CompiledCode>,
    status: i64,
    out: *mut u64,
) -> *mut PyObject {
    // SAFETY: statuses with a value have stored it there.
    let first = || unsafe { out.read() } as *mut PyObject;
    if status == Status::Finished as i64 {
        thread.cframe().set_current_frame(frame.previous());
        thread.leave_recursive_call();
        // The locals are released; whoever made the frame looks at their slots again.
        let locals = frame.code().nlocalsplus();
        // SAFETY: slots of this frame.
        (0..locals as usize).for_each(|i| unsafe { frame.set_slot(i, null_mut()) });
        frame.set_depth(0);
        return first();
    }
    if thread.cframe().use_tracing() != 0 && status < FIRST_EXIT {
        report_exit(thread, status, out);
    }
    frame.unlink(thread);
    thread.leave_recursive_call();
    match status {
        status if status == Status::Returned as i64 => {
            frame.set_depth(0);
            first()
        }
        status if status == Status::Raised as i64 => {
            frame.set_depth(0);
            null_mut()
        }
        // `suspend` has set depth, instruction and generator state.
        status if status == Status::Yielded as i64 => first(),
        status => leave(thread, frame, state, compiled, status, out),
    }
}

/// The same for a generator's resumption that has not simply yielded.
#[inline(never)]
pub fn conclude_resumed(
    thread: ThreadState,
    frame: Frame,
    state: &CodeState,
    compiled: Rc<CompiledCode>,
    status: i64,
    out: *mut u64,
) -> *mut PyObject {
    conclude(thread, frame, state, compiled, status, out)
}

/// Tracing was switched on below compiled code that now ends: the trace function is told. When it raises, the value in
/// `out` is dropped.
#[cold]
#[inline(never)]
fn report_exit(thread: ThreadState, status: i64, out: *mut u64) {
    if extraction::is_armed(thread) {
        return;
    }
    let raised = status == Status::Raised as i64;
    // SAFETY: `out` is the activation's own; a status other than `Raised` has stored a reference there. The GIL is held
    // and the frame is still linked.
    unsafe {
        let value = if raised { null_mut() } else { out.read() as *mut PyObject };
        if !tracing::trace_exit(thread, value) && !raised {
            out.write(0);
            ffi::Py_XDECREF(value);
        }
    }
}

/// What a yield gives to a caller while tracing is on; the frame that yields is still linked. Null when a trace function
/// raised.
#[cold]
pub(crate) fn report_yield(thread: ThreadState, value: *mut PyObject) -> *mut PyObject {
    let mut out = value as u64;
    report_exit(thread, Status::Yielded as i64, &raw mut out);
    out as *mut PyObject
}

/// Compiled code was left through an exit: the interpreter goes on.
#[cold]
#[inline(never)]
fn leave(
    thread: ThreadState,
    frame: Frame,
    state: &CodeState,
    compiled: Rc<CompiledCode>,
    status: i64,
    out: *const u64,
) -> *mut PyObject {
    let number = (status - FIRST_EXIT) as usize;
    let exit = &compiled.exits[number];
    // SAFETY: the frame is unlinked and `out` holds the values of this exit.
    unsafe { exits::rebuild(frame, exit, out) };
    tiering::on_exit(state, &compiled, exit, frame);
    drop(compiled);
    interpret_loop(thread, frame, 0)
}

/// Ends an activation that a caller has entered by itself; see [`entering`].
///
/// # Safety
/// As for [`entering::Finish`]; the version is one of this frame's code object.
unsafe fn finish_direct(
    thread: ThreadState,
    frame: Frame,
    version: *const c_void,
    status: i64,
    out: *mut u64,
) -> *mut PyObject {
    // SAFETY: the version was taken from an `Rc` that the code object's state keeps; the frame keeps the code object.
    unsafe {
        let version = version.cast::<CompiledCode>();
        Rc::increment_strong_count(version);
        let compiled = Rc::from_raw(version);
        let state = CodeState::of(frame.code()).expect("code that was entered has a state");
        conclude(thread, frame, state, compiled, status, out)
    }
}
