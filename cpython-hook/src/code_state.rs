//! What Columba knows about one code object, kept in the object's own `co_extra`.
//!
//! Problem: the hook needs this at every call, and it must die with the code object. Method: `co_extra` holds a pointer
//! to a [`CodeState`], read inline; CPython calls `free` when the code object is deallocated.
//! Invariants: a state is touched only under the GIL; fields are `Cell`s, and no borrow of their contents lives across a
//! call into CPython, since any decref may re-enter the hook. Machine code is kept alive by counting. An activation that
//! the hook or a generator's resumption entered holds an `Rc`. One that a caller entered through [`Direct`] holds a reference to
//! the code object only, so a version that was ever named there is kept until the code object dies. Any other is freed when
//! it is out of use and its last activation ends.

use crate::compile::{CompiledCode, ResumePoint};
use crate::job::Refusal;
use columba_cpython_runtime::environment::CodeObjects;
use columba_cpython_runtime::{
    code::Code,
    direct::{Direct, OUT_WORDS},
    layout::opcode,
};
use columba_jit_core::build::examples::Example;
use pyo3::ffi;
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{HashMap, HashSet},
    ffi::c_void,
    ptr::null,
    rc::Rc,
    sync::atomic::{AtomicIsize, Ordering},
};

/// State of one code object. What callers need comes first, where they look for it.
#[repr(C)]
pub struct CodeState {
    /// How the version in use is entered with a frame made by the caller.
    direct: Direct,
    /// The code object: borrowed, since it owns this state.
    code: Code,
    /// Calls until the policy is asked; compiled code keeps it below zero, refused code near `i64::MAX`.
    pub countdown: Cell<i64>,
    /// Whether the code may contain a loop (a guess that is right when `false`).
    pub may_loop: bool,
    /// Whether the function can be called with a frame made by its caller: fast locals, no generator.
    plain_calls: bool,
    /// Whether calls pass positional arguments only and make a generator.
    plain_generators: bool,
    /// Whether the interpreter is run in such a way that loops can be pulled out.
    watched: Cell<bool>,
    /// Back edges sampled by the ticker.
    pub sampled: Cell<u32>,
    /// How often the ticker found native code of this running since it last looked for something to compile again.
    pub native_samples: Cell<u32>,
    /// Whether an activation that runs natively shall go back to the interpreter, to enter a better version.
    pub shall_leave: Cell<bool>,
    /// Versions that [`Direct`] has named: an activation entered that way does not count itself, so they stay as long as the
    /// code object.
    named: RefCell<Vec<Rc<CompiledCode>>>,
    /// The version in use.
    compiled: RefCell<Option<Rc<CompiledCode>>>,
    /// What was in use until too many guesses failed, and is again if the next version is made in the background.
    previous: RefCell<Option<Rc<CompiledCode>>>,
    /// Whether a version is made in the background.
    pub under_way: Cell<bool>,
    /// Exits since then of versions that are being replaced.
    pub exits_meanwhile: Cell<u32>,
    /// What the arguments looked like when that was begun.
    pub arguments_under_way: RefCell<Vec<Option<Rc<Example>>>>,
    /// Its table of places where a suspended generator goes on, by the code unit that runs next; null if it has none.
    resume_points: Cell<*const ResumePoint>,
    /// Versions that are entered at the header of a loop that already ran, by header.
    loops: RefCell<HashMap<u32, LoopVersion>>,
    pub refusal: RefCell<Option<Refusal>>,
    /// How many versions have been compiled.
    pub versions: Cell<u32>,
    /// Activations of compiled code, and loops entered in the middle.
    pub entered: Cell<u64>,
    pub loops_entered: Cell<u64>,
    /// Activations when the version in use was compiled.
    pub entered_before: Cell<u64>,
    /// Exits taken, by exit of the current version and by origin over all versions.
    pub exits: RefCell<HashMap<ExitKey, ExitCount>>,
    /// Versions of the types met where a guard of one failed, by the instruction's offset; none for one that met too many.
    pub receivers: RefCell<HashMap<u32, Vec<u32>>>,
    /// What locals held in an activation that ended, or that loops.
    pub local_examples: RefCell<Vec<Option<Rc<Example>>>>,
    headers: OnceCell<Box<[u32]>>,
}

/// The code for one loop header.
#[derive(Default)]
struct LoopVersion {
    compiled: Option<Rc<CompiledCode>>,
    /// How many were compiled.
    versions: u32,
    /// Its guesses fail too often: another one is wanted.
    stale: bool,
    /// One is made in the background.
    under_way: bool,
}

/// Calls after which it is looked whether a version is finished that is made in the background: for functions that other
/// threads call while the main one waits, and serves no requests.
pub const CALLS_PER_LOOK: i64 = 256;

/// What identifies an exit across versions of a code object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExitKey {
    /// Offset of the instruction whose guess failed, in code units.
    pub origin: u32,
    pub reason: columba_jit_core::exit::Reason,
}

/// How often an exit was taken.
#[derive(Clone, Copy, Default, Debug)]
pub struct ExitCount {
    pub total: u64,
    /// Since the current version was compiled.
    pub since_compiled: u64,
    /// Failures of a guess about a class that the version had been told of: something else is in the way.
    pub of_known_class: u64,
}

unsafe extern "C" {
    /// `co_code`: base opcodes with zero caches, as a new bytes object.
    fn PyCode_GetCode(code: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

static INDEX: AtomicIsize = AtomicIsize::new(-1);

/// Reserves the slot in `co_extra`, once per process. `false` when CPython has none left.
pub fn reserve_index() -> bool {
    if INDEX.load(Ordering::Relaxed) < 0 {
        // SAFETY: the GIL is held (called from a Python function); `free` matches the expected signature.
        let index = unsafe { ffi::PyUnstable_Eval_RequestCodeExtraIndex(free) };
        if index < 0 {
            return false;
        }
        INDEX.store(index, Ordering::Relaxed);
    }
    true
}

/// The slot's index, once reserved.
pub fn index() -> isize {
    INDEX.load(Ordering::Relaxed)
}

/// Stores a state in the code object, which owns it from then on.
///
/// `_PyCode_SetExtra` makes room for every index that anybody has reserved, and CPython then calls all their free
/// functions (with null) when the code object dies: code of others, perhaps long gone, on code objects they never saw.
/// So the block is made here when there is none, with room for our index and those before it.
fn attach(code: Code, index: isize, state: *mut CodeState) -> bool {
    if !code.extra_block().is_null() {
        // SAFETY: the GIL is held and the index was reserved by `reserve_index`.
        let failed = unsafe { ffi::PyUnstable_Code_SetExtra(code.as_ptr(), index, state.cast()) } != 0;
        if failed {
            // SAFETY: the GIL is held; the error is ours to drop.
            unsafe { ffi::PyErr_Clear() };
        }
        return !failed;
    }
    let words = 2 + index as usize;
    // SAFETY: the block `{ ce_size, ce_extras[] }` comes from the allocator that CPython frees it with, and is filled
    // before it is stored.
    unsafe {
        let block = ffi::PyMem_Calloc(words, size_of::<usize>()).cast::<usize>();
        if block.is_null() {
            return false;
        }
        block.write(words - 1);
        block.add(words - 1).write(state as usize);
        code.set_extra_block(block.cast());
    }
    true
}

/// What a compilation asks about other code objects.
pub static CODE_OBJECTS: CodeObjects = CodeObjects { keeps, arguments };

fn arguments(code: Code) -> Vec<Option<Rc<Example>>> {
    let Some(state) = CodeState::of(code) else { return Vec::new() };
    let compiled = state.compiled.borrow().as_ref().map(|compiled| compiled.arguments());
    compiled.unwrap_or_else(|| state.arguments_under_way.borrow().clone())
}

/// Whether a code object keeps another alive, or is it: by its constants, or by what was inlined into code compiled for it.
fn keeps(from: Code, target: Code) -> bool {
    let target = target.as_ptr::<ffi::PyObject>();
    let (mut seen, mut open) = (HashSet::new(), vec![from.as_ptr::<ffi::PyObject>()]);
    while let Some(object) = open.pop() {
        if object == target {
            return true;
        }
        if !seen.insert(object) {
            continue;
        }
        // SAFETY: the first is alive, and each keeps those it leads to; the GIL is held.
        unsafe {
            let code = Code::new(object);
            let constants = code.co_consts();
            for i in 0..ffi::PyTuple_Size(constants) {
                let constant = ffi::PyTuple_GetItem(constants, i);
                if ffi::PyCode_Check(constant) != 0 {
                    open.push(constant);
                }
            }
            if let Some(state) = CodeState::of(code) {
                for version in state.all_versions() {
                    let kept = version.kept().iter().map(|address| *address as *mut ffi::PyObject);
                    open.extend(kept.filter(|object| ffi::PyCode_Check(*object) != 0));
                }
            }
        }
    }
    false
}

/// CPython frees a code object: for every slot of every code object that has extras, hence the null test.
unsafe extern "C" fn free(state: *mut c_void) {
    if !state.is_null() {
        // SAFETY: made by `Box::into_raw` in `of_or_new`; the code object that owned it is going away, and CPython has the GIL.
        unsafe {
            let state = Box::from_raw(state.cast::<CodeState>());
            state.direct.end();
        }
    }
}

impl CodeState {
    /// The state of a code object, if it has one. The reference is valid while the code object lives.
    #[inline(always)]
    pub fn of<'a>(code: Code) -> Option<&'a CodeState> {
        let state = code.extra(INDEX.load(Ordering::Relaxed)).cast::<CodeState>();
        // SAFETY: only `of_or_new` stores under this index; the state lives as long as the code object.
        unsafe { state.as_ref() }
    }

    /// The state of a code object, made now if it has none; `None` when memory ran out.
    pub fn of_or_new<'a>(code: Code, threshold: i64) -> Option<&'a CodeState> {
        if let Some(state) = Self::of(code) {
            return Some(state);
        }
        let state = Box::new(CodeState {
            direct: Direct::closed(gain_of_entry(code)),
            code,
            countdown: Cell::new(threshold),
            may_loop: code.may_loop(),
            plain_calls: has_fast_locals(code) && !code.makes_generator(),
            plain_generators: passes_positionally(code) && code.makes_generator(),
            watched: Cell::new(code.may_loop()),
            sampled: Cell::new(0),
            native_samples: Cell::new(0),
            shall_leave: Cell::new(false),
            named: RefCell::default(),
            compiled: RefCell::new(None),
            previous: RefCell::new(None),
            under_way: Cell::new(false),
            exits_meanwhile: Cell::new(0),
            arguments_under_way: RefCell::default(),
            resume_points: Cell::new(null()),
            loops: RefCell::default(),
            refusal: RefCell::new(None),
            versions: Cell::new(0),
            entered: Cell::new(0),
            loops_entered: Cell::new(0),
            entered_before: Cell::new(0),
            exits: RefCell::default(),
            receivers: RefCell::default(),
            local_examples: RefCell::default(),
            headers: OnceCell::new(),
        });
        let state = Box::into_raw(state);
        if !attach(code, INDEX.load(Ordering::Relaxed), state) {
            // SAFETY: not stored, so still ours.
            drop(unsafe { Box::from_raw(state) });
            return None;
        }
        // SAFETY: stored above; lives as long as the code object.
        Some(unsafe { &*state })
    }

    /// The code object.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Activations of compiled code, however they were entered.
    pub fn times_entered(&self) -> u64 {
        self.entered.get() + self.direct.entered.get()
    }

    /// The interpreter enters compiled code of this.
    #[inline(always)]
    pub fn count_gain(&self) {
        self.direct.count_gain();
    }

    /// Whether the code is a function's that makes no generator.
    #[inline(always)]
    pub fn is_plainly_called(&self) -> bool {
        self.plain_calls
    }

    /// Whether a call with positional arguments makes a generator.
    #[inline(always)]
    pub fn makes_plain_generators(&self) -> bool {
        self.plain_generators
    }

    /// The table of the version in use: where a suspended generator goes on, by the code unit that runs next (one entry more
    /// than code units). Null when there is no version in use that can be resumed; valid as long as the version is in use.
    #[inline(always)]
    pub fn resume_points(&self) -> *const ResumePoint {
        self.resume_points.get()
    }

    /// The compiled version in use, as it lies here.
    ///
    /// # Safety
    /// The reference is used only as long as nothing can replace the version: no Python code runs, nothing is compiled.
    #[inline(always)]
    pub unsafe fn peek_compiled(&self) -> Option<&Rc<CompiledCode>> {
        // SAFETY: says the caller.
        unsafe { self.compiled.try_borrow_unguarded() }.ok()?.as_ref()
    }

    /// The compiled version in use.
    #[inline(always)]
    pub fn compiled(&self) -> Option<Rc<CompiledCode>> {
        // SAFETY: the clone is finished before anything can borrow mutably.
        unsafe { self.compiled.try_borrow_unguarded() }.ok()?.clone()
    }

    /// Puts a version into use (or none) and gives the old one, which the caller drops when nothing is borrowed.
    #[must_use]
    pub fn replace_compiled(&self, compiled: Option<Rc<CompiledCode>>) -> Option<Rc<CompiledCode>> {
        let points = compiled.as_ref().map_or(&[] as &[_], |compiled| &compiled.resume_points);
        self.resume_points.set(if points.is_empty() { null() } else { points.as_ptr() });
        self.direct.close();
        if let Some(compiled) = &compiled
            && let Some(start) = compiled.start
            && self.plain_calls
            && compiled.out_words <= OUT_WORDS
        {
            self.direct.open(self.code, compiled.entry, compiled.ctx, start, Rc::as_ptr(compiled).cast());
            let mut named = self.named.borrow_mut();
            if !named.iter().any(|version| Rc::ptr_eq(version, compiled)) {
                named.push(compiled.clone());
            }
        }
        self.compiled.replace(compiled)
    }

    /// Whether a version, of the whole or of a loop, is made in the background.
    pub fn is_under_way(&self) -> bool {
        self.under_way.get() || self.loops.borrow().values().any(|version| version.under_way)
    }

    /// Takes the version out of use, for the next call to make another.
    pub fn retire(&self) {
        let retired = self.replace_compiled(None);
        drop(self.previous.replace(retired));
    }

    /// What was taken out of use last.
    pub fn take_retired(&self) -> Option<Rc<CompiledCode>> {
        self.previous.take()
    }

    /// The version in use for a loop header, and how many there have been.
    pub fn loop_version(&self, header: u32) -> (Option<Rc<CompiledCode>>, u32) {
        self.loops.borrow().get(&header).map_or((None, 0), |version| (version.compiled.clone(), version.versions))
    }

    /// How many versions the loop has had that this one is of; 0 when it is out of use.
    pub fn versions_of_loop(&self, compiled: &Rc<CompiledCode>) -> u32 {
        let is_it = |version: &&LoopVersion| version.compiled.as_ref().is_some_and(|own| Rc::ptr_eq(own, compiled));
        self.loops.borrow().values().find(is_it).map_or(0, |version| version.versions)
    }

    /// The versions in use for loops, with their headers.
    pub fn loop_versions(&self) -> Vec<(Option<u32>, Rc<CompiledCode>)> {
        let loops = self.loops.borrow();
        loops.iter().filter_map(|(header, version)| Some((Some(*header), version.compiled.clone()?))).collect()
    }

    /// Every version that is alive because of this code object, whether in use or not.
    fn all_versions(&self) -> Vec<Rc<CompiledCode>> {
        let mut all: Vec<_> = self.named.borrow().iter().cloned().collect();
        all.extend(self.compiled());
        all.extend(self.previous.borrow().clone());
        all.extend(self.loops.borrow().values().filter_map(|version| version.compiled.clone()));
        all
    }

    /// Any version in use for a loop, if the function as a whole has none: what `info()` describes then.
    pub fn any_loop_version(&self) -> Option<Rc<CompiledCode>> {
        self.loops.borrow().values().find_map(|version| version.compiled.clone())
    }

    /// Puts a version into use for a loop header; gives the old one, to be dropped when nothing is borrowed.
    #[must_use]
    pub fn replace_loop(&self, header: u32, compiled: Rc<CompiledCode>) -> Option<Rc<CompiledCode>> {
        let mut loops = self.loops.borrow_mut();
        let version = loops.entry(header).or_default();
        version.versions += 1;
        version.stale = false;
        version.compiled.replace(compiled)
    }

    /// A loop's version is to be made again when it is entered next, if it is in use.
    pub fn set_loop_stale(&self, compiled: &Rc<CompiledCode>) {
        for version in self.loops.borrow_mut().values_mut() {
            version.stale |= version.compiled.as_ref().is_some_and(|current| Rc::ptr_eq(current, compiled));
        }
    }

    /// Whether another version is being made for what this one is for.
    pub fn is_being_replaced(&self, compiled: &Rc<CompiledCode>) -> bool {
        let is_it = |own: &Option<Rc<CompiledCode>>| own.as_ref().is_some_and(|own| Rc::ptr_eq(own, compiled));
        self.under_way.get() && is_it(&self.compiled.borrow())
            || self.loops.borrow().values().any(|version| version.under_way && is_it(&version.compiled))
    }

    /// One more exit of a version that is being replaced; how many there have been.
    pub fn count_failure_meanwhile(&self) -> u32 {
        self.exits_meanwhile.set(self.exits_meanwhile.get() + 1);
        self.exits_meanwhile.get()
    }

    /// Takes a version out of use that is being replaced: until it is, the interpreter runs what it is for.
    pub fn withdraw(&self, compiled: &Rc<CompiledCode>) {
        let of_loop = {
            let mut loops = self.loops.borrow_mut();
            let is_it =
                |version: &&mut LoopVersion| version.compiled.as_ref().is_some_and(|own| Rc::ptr_eq(own, compiled));
            loops.values_mut().find(is_it).map(|version| version.compiled.take())
        };
        if of_loop.is_none() {
            drop(self.replace_compiled(None));
            self.countdown.set(CALLS_PER_LOOK);
        }
    }

    /// Whether the version for a loop header is to be made again.
    pub fn loop_is_stale(&self, header: u32) -> bool {
        self.loops.borrow().get(&header).is_some_and(|version| version.stale)
    }

    /// Whether a version for a loop header is made in the background.
    pub fn loop_is_under_way(&self, header: u32) -> bool {
        self.loops.borrow().get(&header).is_some_and(|version| version.under_way)
    }

    pub fn set_loop_under_way(&self, header: u32, under_way: bool) {
        self.loops.borrow_mut().entry(header).or_default().under_way = under_way;
    }

    /// Whether a loop of this code, running in the interpreter, may be entered in the middle with profit.
    #[inline(always)]
    pub fn is_watched(&self) -> bool {
        self.watched.get()
    }

    /// Loops are worth looking for again, or no longer.
    pub fn set_watched(&self, watched: bool) {
        self.watched.set(watched && self.may_loop);
    }

    /// Whether the code unit is the target of a backward jump.
    pub fn is_loop_header(&self, offset: u32) -> bool {
        self.may_loop && self.headers.get_or_init(|| loop_headers(self.code)).binary_search(&offset).is_ok()
    }

    /// Whether there is a loop for certain.
    pub fn loops(&self) -> bool {
        self.may_loop && !self.headers.get_or_init(|| loop_headers(self.code)).is_empty()
    }
}

/// Nanoseconds that running this natively saves: what may loop is worth any price; else a small function saves about one for
/// each code unit, less what entering it costs.
fn gain_of_entry(code: Code) -> u64 {
    const ANYTHING: u64 = 1 << 40;
    const ENTERING: u64 = 6;
    if code.may_loop() || code.makes_generator() {
        ANYTHING
    } else {
        (code.code_units() as u64).saturating_sub(ENTERING).max(1)
    }
}

fn passes_positionally(code: Code) -> bool {
    has_fast_locals(code) && !code.is_starred()
}

fn has_fast_locals(code: Code) -> bool {
    use columba_jit_core::bytecode::code::flags;
    let wanted = flags::OPTIMIZED | flags::NEWLOCALS;
    code.flags() as u32 & wanted == wanted
}

/// Targets of backward jumps, sorted, in code units. From `co_code`, whose caches are zero and look like no jump.
fn loop_headers(code: Code) -> Box<[u32]> {
    // SAFETY: the GIL is held; a new reference to a bytes object or null.
    let bytes = unsafe { PyCode_GetCode(code.as_ptr()) };
    if bytes.is_null() {
        // SAFETY: the GIL is held.
        unsafe { ffi::PyErr_Clear() };
        return Box::default();
    }
    let mut headers = Vec::new();
    {
        // SAFETY: a bytes object owned here until after the block.
        let units = unsafe {
            std::slice::from_raw_parts(ffi::PyBytes_AsString(bytes).cast::<u8>(), ffi::PyBytes_Size(bytes) as usize)
        };
        let mut extended = 0u32;
        for (index, unit) in units.chunks_exact(2).enumerate() {
            let operand = extended << 8 | u32::from(unit[1]);
            extended = if i64::from(unit[0]) == opcode::EXTENDED_ARG { operand } else { 0 };
            if columba_cpython_runtime::code::is_backward_jump(unit[0]) {
                headers.push((index as u32 + 1).saturating_sub(operand));
            }
        }
    }
    // SAFETY: the reference taken above.
    unsafe { ffi::Py_DECREF(bytes) };
    headers.sort_unstable();
    headers.dedup();
    headers.into()
}
