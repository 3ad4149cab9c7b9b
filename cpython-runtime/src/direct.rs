//! Calls of Python functions from compiled code without an argument tuple, a vectorcall or a second look at the hook.
//!
//! *Problem*: `_PyFunction_Vectorcall` copies every argument, parses, and enters the hook, which has to find out again what
//! the caller knew. *Method*: the block behind a code object's extra pointer begins with a [`Direct`], which says how its
//! compiled code is entered; helpers that are about to call a Python function [`offer`] it the call, with references that move
//! into the new frame. Code that simply finishes has released its locals itself; whatever else happens is left to the
//! [`Finish`] that whoever compiles has registered. The frame is pushed on CPython's data
//! stack, exactly as `_PyEvalFramePushAndInit` does, and cleared as `_PyFrame_Clear` does. *Invariants*: an offer that is
//! refused has changed nothing; one that is accepted has consumed every reference. *Source*: `Python/frame.c`,
//! `Python/ceval.c` of 3.11.

use crate::{
    code::Code,
    frame::Frame,
    layout::{frame, frame_object, function},
    object,
    spare_functions::Spares,
    stack_limit, starred_calls,
    thread::ThreadState,
};
use columba_jit_core::ir::op::Status;
use pyo3_ffi::{self as ffi, PyObject, PyThreadState};
use std::{
    cell::Cell,
    ffi::c_void,
    mem::MaybeUninit,
    ptr::{null, null_mut},
    sync::atomic::{AtomicIsize, AtomicPtr, AtomicU64, Ordering::Relaxed},
};

unsafe extern "C" {
    fn _PyFunction_Vectorcall(
        function: *mut PyObject,
        arguments: *const *mut PyObject,
        count: usize,
        names: *mut PyObject,
    ) -> *mut PyObject;
}

/// The machine-level entry of compiled code. `out` belongs to the activation. Returns a status: [`Status`], or that of an
/// exit.
pub type Entry = unsafe extern "C" fn(
    ctx: *const c_void,
    thread: *mut PyThreadState,
    frame: *mut c_void,
    out: *mut u64,
    entry: i64,
) -> i64;

/// Words of `out` that an activation has on the C stack; code that needs more is not entered from here.
pub const OUT_WORDS: usize = 64;

/// How a code object's compiled code is entered with a frame that its caller makes: what the block behind the code object's
/// extra pointer begins with.
#[repr(C)]
pub struct Direct {
    entry: Cell<Option<Entry>>,
    ctx: Cell<*const c_void>,
    /// Entry number of the function's start.
    start: Cell<i64>,
    /// The version all this is of: for [`Finish`].
    version: Cell<*const c_void>,
    /// Of the code object: words of a frame, arguments, locals; and the code unit before the first. No call has as many
    /// arguments as code with starred or keyword-only parameters is said to take.
    words: Cell<usize>,
    arguments: Cell<usize>,
    locals: Cell<usize>,
    before_first: Cell<*mut u16>,
    /// How often it was entered.
    pub entered: Cell<u64>,
    /// What an entry from the interpreter is thought to save, in nanoseconds.
    gain: u64,
    /// Functions of this code that have died.
    pub(crate) spares: Spares,
    pub(crate) keyword_defaults: starred_calls::KeywordDefaults,
}

/// For [`Direct::arguments`].
const STARRED: usize = usize::MAX;

/// Nanoseconds that entering compiled code from the interpreter is thought to have saved, since whoever asks set this to zero.
pub static GAINED: AtomicU64 = AtomicU64::new(0);

impl Direct {
    /// Code that is not to be entered. Every entry will save this many nanoseconds.
    pub const fn closed(gain: u64) -> Direct {
        Direct {
            entry: Cell::new(None),
            ctx: Cell::new(null_mut()),
            start: Cell::new(0),
            version: Cell::new(null_mut()),
            words: Cell::new(0),
            arguments: Cell::new(0),
            locals: Cell::new(0),
            before_first: Cell::new(null_mut()),
            entered: Cell::new(0),
            gain,
            spares: Spares::none(),
            keyword_defaults: starred_calls::KeywordDefaults::none(),
        }
    }

    /// From now on callers enter this version of the code object, which stays alive at least as long as that.
    pub fn open(&self, code: Code, entry: Entry, ctx: *const c_void, start: i64, version: *const c_void) {
        self.words.set(frame_words(code));
        self.arguments.set(if code.is_starred() { STARRED } else { code.argcount() as usize });
        self.locals.set(code.nlocalsplus() as usize);
        self.before_first.set(code.first_unit().wrapping_sub(1));
        self.entry.set(Some(entry));
        self.ctx.set(ctx);
        self.start.set(start);
        self.version.set(version);
    }

    /// The code object dies.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn end(&self) {
        // SAFETY: says the caller.
        unsafe { self.spares.clear() };
    }

    /// The interpreter enters this code.
    #[inline(always)]
    pub fn count_gain(&self) {
        GAINED.store(GAINED.load(Relaxed).wrapping_add(self.gain), Relaxed);
    }

    #[inline(always)]
    pub(crate) fn entry(&self) -> Option<Entry> {
        self.entry.get()
    }

    #[inline(always)]
    pub(crate) fn words(&self) -> usize {
        self.words.get()
    }

    /// No caller enters from now on.
    pub fn close(&self) {
        self.entry.set(None);
    }

    #[inline(always)]
    pub(crate) fn of<'a>(code: Code) -> Option<&'a Direct> {
        // SAFETY: whoever owns the extra index has stored null or a block that begins with this.
        unsafe { code.extra(EXTRA.load(Relaxed)).cast::<Direct>().as_ref() }
    }
}

/// What is left to do when compiled code did not simply finish: it returned in another way, raised, or took an exit. Gets the
/// frame, linked, the version that ran, its status and `out`; gives the call's result.
pub type Finish = unsafe fn(ThreadState, Frame, *const c_void, i64, *mut u64) -> *mut PyObject;

/// Makes the generator of a call with that many positional arguments, all as for [`offer`].
pub type Make = unsafe fn(ThreadState, *mut PyObject, *const *mut PyObject, usize) -> Option<*mut PyObject>;

static EXTRA: AtomicIsize = AtomicIsize::new(-1);
static HOOK: AtomicPtr<()> = AtomicPtr::new(null_mut());
static PARKED: AtomicPtr<()> = AtomicPtr::new(null_mut());
static FINISH: AtomicPtr<()> = AtomicPtr::new(null_mut());
static MAKE: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Says whether the hook counts as installed although its slot is empty.
pub type Parked = fn() -> bool;

/// What functions are called by that the compiler has taken over: see [`adopt`].
pub type Vectorcall = unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;

static ADOPTED: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Registers who compiles: its index of extras, its frame evaluation function, who knows whether that is parked, who ends
/// activations, who makes generators, and what calls functions that were adopted.
pub fn register(extra: isize, hook: *const (), parked: Parked, finish: Finish, make: Make, adopted: Vectorcall) {
    ADOPTED.store(adopted as *mut (), Relaxed);
    PARKED.store(parked as *mut (), Relaxed);
    MAKE.store(make as *mut (), Relaxed);
    EXTRA.store(extra, Relaxed);
    HOOK.store(hook.cast_mut(), Relaxed);
    FINISH.store(finish as *mut (), Relaxed);
}

/// Whether compiled code may be entered now by whoever is not CPython: the hook is in force, nobody traces, and the C stack is
/// not nearly used up.
#[inline(always)]
pub fn may_enter(thread: ThreadState) -> bool {
    is_in_force(thread) && stack_limit::is_surely_shallow(thread)
}

/// The same for whoever has asked once, at this depth of the C stack.
#[inline(always)]
pub fn is_in_force(thread: ThreadState) -> bool {
    let installed = thread.interpreter().eval_frame();
    (installed == HOOK.load(Relaxed).cast() || installed.is_null() && is_parked()) && thread.cframe().use_tracing() == 0
}

#[cold]
#[inline(never)]
fn is_parked() -> bool {
    let parked = PARKED.load(Relaxed);
    // SAFETY: only `register` stores there.
    !parked.is_null() && unsafe { std::mem::transmute::<*mut (), Parked>(parked) }()
}

/// The same for a call of a function, which nobody may have given another way to be called.
///
/// # Safety
/// `callable` is a live function.
#[inline(always)]
pub unsafe fn may_call(thread: ThreadState, callable: *mut PyObject) -> bool {
    // SAFETY: says the caller.
    may_enter(thread) && unsafe { is_called_plainly(callable) }
}

/// Whether a function is called as CPython or the compiler has it called.
///
/// # Safety
/// `callable` is a live function.
#[inline(always)]
pub(crate) unsafe fn is_called_plainly(callable: *mut PyObject) -> bool {
    // SAFETY: says the caller.
    let vectorcall = unsafe { object::read::<usize>(callable, function::VECTORCALL) };
    vectorcall == ADOPTED.load(Relaxed) as usize || vectorcall == plain_vectorcall()
}

/// Has a function be called by the registered [`Vectorcall`] from now on, unless somebody else has changed how it is called. That one decides anew at every call, so it may stay whatever becomes of the function.
///
/// # Safety
/// `callable` is a live function; the GIL is held.
#[inline(always)]
pub unsafe fn adopt(callable: *mut PyObject) {
    // SAFETY: says the caller.
    unsafe {
        let place = callable.cast::<u8>().add(function::VECTORCALL).cast::<usize>();
        if place.read() == plain_vectorcall() {
            place.write(ADOPTED.load(Relaxed) as usize);
        }
    }
}

/// Calls a function as CPython does.
///
/// # Safety
/// As for any vectorcall of a function.
pub unsafe fn call_plainly(
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: says the caller.
    unsafe { _PyFunction_Vectorcall(callable, arguments, count, names) }
}

/// Calls a Python function whose code is compiled, with `count` positional arguments at `arguments`; function and arguments
/// are owned. `None`: nothing was done. `Some`: all were consumed; null with an exception set, or a new reference.
///
/// # Safety
/// The GIL is held; `callable` and the arguments are alive and owned.
#[inline(always)]
pub unsafe fn offer(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller; a function's code object is alive with it; what `Direct` describes is entered as its compiler
    // wants it, with a frame for its code.
    unsafe {
        if object::type_of(callable) != &raw mut ffi::PyFunction_Type {
            return None;
        }
        let code = Code::new(object::read::<*mut PyObject>(callable, function::FUNC_CODE));
        let direct = Direct::of(code)?;
        let Some(entry) = direct.entry.get() else {
            return if code.makes_generator() { make(thread, callable, arguments, count) } else { None };
        };
        if !may_call(thread, callable) {
            return None;
        }
        if direct.arguments.get() == STARRED {
            return starred_calls::offer(thread, callable, code, direct, (arguments, count), null_mut());
        }
        let frame = push(thread, callable, code, direct, arguments, count)?;
        Some(enter(thread, callable, code, direct, entry, frame))
    }
}

/// The same for a call whose arguments are the caller's; `names` as CPython passes them to a vectorcall. `gains`: the interpreter
/// makes the call.
///
/// # Safety
/// The GIL is held; `callable` is a live function, and the arguments stay alive until this returns.
#[inline(always)]
pub unsafe fn offer_borrowed(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
    gains: bool,
) -> Option<*mut PyObject> {
    // SAFETY: as in `offer`; the frame gets references of its own.
    unsafe {
        let code = Code::new(object::read::<*mut PyObject>(callable, function::FUNC_CODE));
        let direct = Direct::of(code)?;
        let entry = direct.entry.get()?;
        if !may_enter(thread) {
            return None;
        }
        if gains {
            direct.count_gain();
        }
        if direct.arguments.get() == STARRED {
            return starred_calls::offer_borrowed(thread, callable, code, direct, (arguments, count), names);
        }
        if !names.is_null() {
            return offer_borrowed_with_keywords(thread, callable, arguments, count, names);
        }
        let frame = push(thread, callable, code, direct, arguments, count)?;
        object::incref(callable);
        for i in 0..count {
            object::incref(frame.slot(i));
        }
        Some(enter(thread, callable, code, direct, entry, frame))
    }
}

/// The same with keywords.
///
/// # Safety
/// As for [`offer_borrowed`]; behind the positional arguments are those that `names` names.
#[inline(never)]
unsafe fn offer_borrowed_with_keywords(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    positional: usize,
    names: *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller.
    unsafe {
        let total = positional + object::size(names) as usize;
        lend(callable, arguments, total, || offer_with_keywords(thread, callable, arguments, positional, names))
    }
}

/// Offers a call with references of its own to the function and so many arguments; they are given back if it is refused.
///
/// # Safety
/// All are alive; the GIL is held.
#[inline(always)]
pub(crate) unsafe fn lend(
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    total: usize,
    offer: impl FnOnce() -> Option<*mut PyObject>,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller.
    unsafe {
        object::incref(callable);
        for i in 0..total {
            object::incref(arguments.add(i).read());
        }
        let result = offer();
        if result.is_none() {
            object::decref(callable);
            for i in 0..total {
                object::decref(arguments.add(i).read());
            }
        }
        result
    }
}

/// Runs compiled code on a frame that was pushed for it, and pops the frame.
///
/// # Safety
/// As for [`offer`]; the frame is not linked and owns its locals and the function.
#[inline(always)]
pub(crate) unsafe fn enter(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    entry: Entry,
    frame: Frame,
) -> *mut PyObject {
    // SAFETY: says the caller.
    unsafe {
        let cframe = thread.cframe();
        if !thread.enter_recursive_call() {
            return refuse_recursion(thread, frame);
        }
        frame.set_previous(cframe.current_frame());
        cframe.set_current_frame(frame.as_ptr());
        direct.entered.set(direct.entered.get() + 1);
        let version = direct.version.get();
        let mut out = MaybeUninit::<[u64; OUT_WORDS]>::uninit();
        let out = out.as_mut_ptr().cast::<u64>();
        let status = entry(direct.ctx.get(), thread.as_ptr(), frame.as_ptr(), out, direct.start.get());
        if status != Status::Finished as i64 {
            return finish(thread, frame, version, status, out);
        }
        cframe.set_current_frame(frame.previous());
        thread.leave_recursive_call();
        thread.set_datastack_top(frame.as_ptr());
        let result = out.read() as *mut PyObject;
        direct.spares.release(callable);
        object::decref(code.as_ptr());
        result
    }
}

/// Arguments of a call with keywords that are put in order here, at most.
const MOST_ARRANGED: usize = 12;

/// The same for a call with `positional` arguments followed by as many as `names`, a tuple, has keywords. Keywords are found by
/// identity, as the interpreter's compiler and its users intern them; defaults fill the gaps.
///
/// # Safety
/// As for [`offer`].
pub unsafe fn offer_with_keywords(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    positional: usize,
    names: *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller; names, defaults and the code object are alive with the function.
    unsafe {
        if object::type_of(callable) != &raw mut ffi::PyFunction_Type {
            return None;
        }
        let code = Code::new(object::read::<*mut PyObject>(callable, function::FUNC_CODE));
        let direct = Direct::of(code)?;
        let wanted = direct.arguments.get();
        direct.entry.get()?;
        if wanted == STARRED {
            if !may_call(thread, callable) {
                return None;
            }
            return starred_calls::offer(thread, callable, code, direct, (arguments, positional), names);
        }
        if wanted > MOST_ARRANGED || positional > wanted {
            return None;
        }
        let mut arranged = [null_mut::<PyObject>(); MOST_ARRANGED];
        for (i, place) in arranged.iter_mut().enumerate().take(positional) {
            *place = arguments.add(i).read();
        }
        let first = code.posonlyargcount() as usize;
        let parameters = object::tuple_items(code.localsplusnames());
        for i in 0..object::size(names) as usize {
            let name = object::tuple_items(names).add(i).read();
            let index = (first..wanted).find(|index| parameters.add(*index).read() == name)?;
            let place = arranged.get_mut(index)?;
            if !place.is_null() {
                return None;
            }
            *place = arguments.add(positional + i).read();
        }
        let defaults: *mut PyObject = object::read(callable, function::FUNC_DEFAULTS);
        let available = if defaults.is_null() { 0 } else { object::size(defaults) as usize };
        let required = wanted.checked_sub(available)?;
        let mut added = 0u32;
        for (i, place) in arranged.iter_mut().enumerate().take(wanted) {
            if place.is_null() {
                *place = object::tuple_items(defaults).add(i.checked_sub(required)?).read();
                added |= 1 << i;
            }
        }
        let each_added = |act: unsafe fn(*mut PyObject)| {
            for (i, value) in arranged.iter().enumerate().take(wanted) {
                if added >> i & 1 != 0 {
                    act(*value);
                }
            }
        };
        each_added(|value| object::incref(value));
        let result = offer(thread, callable, arranged.as_ptr(), wanted);
        if result.is_none() {
            each_added(|value| object::decref(value));
        }
        result
    }
}

/// The recursion limit is reached, `RecursionError` set; nothing has run.
#[cold]
#[inline(never)]
unsafe fn refuse_recursion(thread: ThreadState, frame: Frame) -> *mut PyObject {
    frame.set_depth(0);
    // SAFETY: pushed just now and not linked.
    unsafe { clear_and_pop(thread, frame) };
    null_mut()
}

#[inline(never)]
unsafe fn make(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<*mut PyObject> {
    // SAFETY: only `register` stores there, before code has a state; the rest says the caller.
    unsafe {
        let make = std::mem::transmute::<*mut (), Make>(MAKE.load(Relaxed));
        make(thread, callable, arguments, count)
    }
}

#[cold]
#[inline(never)]
unsafe fn finish(
    thread: ThreadState,
    frame: Frame,
    version: *const c_void,
    status: i64,
    out: *mut u64,
) -> *mut PyObject {
    // SAFETY: only `register` stores there; the rest is as `Finish` wants it, and the frame was pushed by `offer`.
    unsafe {
        let finish = std::mem::transmute::<*mut (), Finish>(FINISH.load(Relaxed));
        let result = finish(thread, frame, version, status, out);
        clear_and_pop(thread, frame);
        result
    }
}

/// The vectorcall of functions that nobody has replaced.
#[inline(always)]
pub(crate) fn plain_vectorcall() -> usize {
    _PyFunction_Vectorcall as *const () as usize
}

/// The defaults of the arguments that follow the first `count`: as many as are missing. `None` when there are too many
/// arguments, or when one has no default.
///
/// # Safety
/// `callable` is a live function with this code, which takes positional arguments only.
#[inline(always)]
pub unsafe fn missing(callable: *mut PyObject, code: Code, count: usize) -> Option<*const *mut PyObject> {
    let wanted = code.argcount() as usize;
    if count >= wanted {
        return (count == wanted).then_some(null());
    }
    // SAFETY: says the caller; the tuple is the function's.
    unsafe {
        let defaults: *mut PyObject = object::read(callable, function::FUNC_DEFAULTS);
        let available = if defaults.is_null() { 0 } else { object::size(defaults) as usize };
        let first = wanted.saturating_sub(available);
        if count < first || available > wanted {
            return None;
        }
        Some(object::tuple_items(defaults).add(count - first))
    }
}

/// Words of a frame for the code object.
fn frame_words(code: Code) -> usize {
    code.nlocalsplus() as usize + code.stacksize() as usize + frame::SPECIALS_WORDS as usize
}

/// [`push_frame`], the short way where there is one.
///
/// # Safety
/// As for [`push_simple_frame`].
#[inline(always)]
unsafe fn push(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<Frame> {
    // SAFETY: says the caller.
    unsafe {
        if count == direct.arguments.get() {
            push_simple_frame(thread, callable, code, direct, arguments)
        } else {
            push_frame(thread, callable, code, arguments, count)
        }
    }
}

/// The same as [`push_frame`] for as many arguments as the code takes, by what `direct` says of the code.
///
/// # Safety
/// As for [`offer`]; `direct` is that of the function's code and open.
#[inline(always)]
unsafe fn push_simple_frame(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    arguments: *const *mut PyObject,
) -> Option<Frame> {
    // SAFETY: as in `push_frame`.
    unsafe {
        let base = thread.datastack_top();
        let end = base.wrapping_add(direct.words.get());
        // Null lies below any limit, and then nothing above it is free.
        if base.is_null() || end >= thread.datastack_limit() {
            return None;
        }
        thread.set_datastack_top(end);
        let frame = Frame::new(base.cast::<u8>());
        fill_header(frame, callable, code, frame::OWNED_BY_THREAD);
        frame.set_stacktop(-1);
        frame.set_prev_instr(direct.before_first.get());
        let slots = frame.localsplus();
        let filled = direct.arguments.get();
        // The first few one by one: a loop over so few words costs more than they do.
        if filled > 0 {
            slots.write(arguments.read());
            if filled > 1 {
                slots.add(1).write(arguments.add(1).read());
                if filled > 2 {
                    slots.add(2).write(arguments.add(2).read());
                    for i in 3..filled {
                        slots.add(i).write_volatile(arguments.add(i).read());
                    }
                }
            }
        }
        for i in filled..direct.locals.get() {
            slots.add(i).write_volatile(null_mut());
        }
        Some(frame)
    }
}

/// Pushes a frame for the function and moves arguments into its first locals; `None` when the current chunk of the data
/// stack has no room, or when a missing argument has no default. The frame is not linked, but marked as running.
///
/// # Safety
/// As for [`offer`]; the function's code takes positional arguments only and is no generator.
#[inline(always)]
pub unsafe fn push_frame(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<Frame> {
    // SAFETY: the words between `datastack_top` and `datastack_limit` are free; a function's fields are alive with it.
    unsafe {
        let words = frame_words(code);
        let base = thread.datastack_top();
        if base.is_null() || (thread.datastack_limit().offset_from(base) as usize) <= words {
            return None;
        }
        let defaults = missing(callable, code, count)?;
        thread.set_datastack_top(base.add(words));
        let frame = Frame::new(base.cast::<u8>());
        fill_header(frame, callable, code, frame::OWNED_BY_THREAD);
        // As while the interpreter runs it: the garbage collector must not look at its stack.
        frame.set_stacktop(-1);
        frame.set_prev_instr(code.first_unit().wrapping_sub(1));
        fill_slots(frame, code, arguments, count, defaults);
        Some(frame)
    }
}

/// Fills in what all new frames of a function have in common; the caller sets the depth, the next instruction and what is
/// linked. The reference to the function moves into the frame, which takes another to the code.
///
/// # Safety
/// The frame's words are free; `callable` is a live function with this code.
#[inline(always)]
pub(crate) unsafe fn fill_header(frame: Frame, callable: *mut PyObject, code: Code, owner: i64) {
    // SAFETY: a function's fields are alive with it.
    unsafe {
        frame.set_f_func(callable);
        frame.set_f_globals(object::read(callable, function::FUNC_GLOBALS));
        frame.set_f_builtins(object::read(callable, function::FUNC_BUILTINS));
        object::incref(code.as_ptr());
    }
    frame.set_f_locals(null_mut());
    frame.set_f_code(code.as_ptr());
    frame.set_frame_obj(null_mut());
    frame.set_is_entry(false);
    frame.set_owner(owner as u8);
}

/// Moves arguments into the first `count` locals of a new frame; as many defaults as are missing follow, and the other locals
/// are unset.
///
/// # Safety
/// The frame has room for its code's locals; the arguments are alive and owned; `defaults` are those that [`missing`] gave, or
/// `count` is at least as much as the code takes.
#[inline(always)]
pub(crate) unsafe fn fill_slots(
    frame: Frame,
    code: Code,
    arguments: *const *mut PyObject,
    count: usize,
    defaults: *const *mut PyObject,
) {
    let wanted = (code.argcount() as usize).max(count);
    let slots = frame.localsplus();
    // SAFETY: says the caller.
    unsafe {
        // Volatile, so that these few words do not become a call of memcpy or memset.
        for i in 0..count {
            slots.add(i).write_volatile(arguments.add(i).read());
        }
        for i in count..wanted {
            let value = defaults.add(i - count).read();
            object::incref(value);
            slots.add(i).write(value);
        }
        for i in wanted..code.nlocalsplus() as usize {
            slots.add(i).write_volatile(null_mut());
        }
    }
}

/// Clears a frame that has ended, and gives its words back.
///
/// # Safety
/// The frame was pushed by [`push_frame`] on this thread, is unlinked, its value stack is empty, and no frame lies above.
#[inline(always)]
pub unsafe fn clear_and_pop(thread: ThreadState, frame: Frame) {
    // SAFETY: slots below `stacktop` are owned or null; the frame owns function and code.
    unsafe {
        thread.set_recursion_remaining(thread.recursion_remaining() - 1);
        clear(thread, frame);
        thread.set_recursion_remaining(thread.recursion_remaining() + 1);
        thread.set_datastack_top(frame.as_ptr());
    }
}

/// `_PyFrame_Clear`, for a frame of a call or of a generator that has ended.
///
/// # Safety
/// As for [`clear_and_pop`], but for where the frame lies.
#[inline(always)]
pub(crate) unsafe fn clear(thread: ThreadState, frame: Frame) {
    // SAFETY: as for `clear_and_pop`.
    unsafe {
        let seen = frame.frame_obj();
        if !seen.is_null() {
            frame.set_frame_obj(null_mut());
            if ffi::Py_REFCNT(seen) > 1 {
                take_ownership(thread, seen, frame);
                object::decref(seen);
                return;
            }
            object::decref(seen);
        }
        let slots = frame.localsplus();
        for i in 0..frame.stacktop() as usize {
            let value = slots.add(i).read();
            if !value.is_null() {
                object::decref(value);
            }
        }
        let locals = frame.f_locals();
        if !locals.is_null() {
            object::decref(locals);
        }
        match Direct::of(frame.code()) {
            Some(direct) => direct.spares.release(frame.f_func()),
            None => object::decref(frame.f_func()),
        }
        object::decref(frame.f_code());
    }
}

/// Takes the function out of a frame that will only be cleared, if it is to be used again and nobody has the frame's object.
///
/// # Safety
/// As for [`clear_and_pop`], but CPython clears the frame.
pub unsafe fn take_function(frame: Frame) {
    // SAFETY: the frame owns its function; who clears it gives up a reference to whatever object stands there.
    unsafe {
        if frame.frame_obj().is_null()
            && let Some(direct) = Direct::of(frame.code())
            && direct.spares.wants(frame.f_func())
        {
            let none = ffi::Py_None();
            object::incref(none);
            let function = frame.f_func();
            frame.set_f_func(none);
            direct.spares.release(function);
        }
    }
}

/// Moves a frame's contents into the frame object that outlives it.
///
/// # Safety
/// As for [`clear_and_pop`]; `seen` is the frame's own object.
#[cold]
unsafe fn take_ownership(thread: ThreadState, seen: *mut PyObject, frame: Frame) {
    // SAFETY: a frame object has room for its code's frame (it is a variable-sized object made for it).
    unsafe {
        let bytes = frame::LOCALSPLUS + 8 * frame.stacktop() as usize;
        let data = seen.cast::<u8>().add(frame_object::F_FRAME_DATA);
        std::ptr::copy_nonoverlapping(frame.as_ptr::<u8>(), data, bytes);
        let kept = Frame::new(data);
        let in_generator = kept.is_generator_owned();
        seen.cast::<u8>().add(frame_object::F_FRAME).cast::<*mut u8>().write(data);
        kept.set_owner(frame::OWNED_BY_FRAME_OBJECT as u8);
        let first = kept.code().firsttraceable() as usize;
        if kept.prev_instr() < kept.code().first_unit().add(first) {
            kept.set_prev_instr(kept.code().first_unit().add(first));
        }
        // The frame is unlinked, so the current one is the caller's; its object may have to be made. A generator's frame has
        // no caller any more, and C code may have called without any. An exception that passes is not to be cleared; one that
        // making the object raises, CPython has.
        let back = if in_generator { null_mut() } else { ffi::PyThreadState_GetFrame(thread.as_ptr()) };
        if !back.is_null() {
            seen.cast::<u8>().add(frame_object::F_BACK).cast::<*mut PyObject>().write(back.cast());
            kept.set_previous(null_mut());
        }
        if ffi::PyObject_GC_IsTracked(seen) == 0 {
            ffi::PyObject_GC_Track(seen.cast());
        }
    }
}
