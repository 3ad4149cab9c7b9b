//! The outer door: what a code generator must offer to be chosen at run time, and what it gives back.
//!
//! *Problem*: the embedder picks a backend by name from those compiled in, so this side must be object safe; how the backend
//! generates code (the [`crate::emitter::Emitter`] and [`crate::drive::drive`], or anything else) is its own affair.
//! *Method*: [`Backend::compile`] takes a lowered, verified unit and a [`CodeSink`] over the embedder's code memory, and
//! returns a [`CompiledEntry`] that owns its code. *Invariants*: what a backend cannot do is an [`Unsupported`] error, never
//! a panic; a [`Broken`] error is a bug of ours and means only that the function stays with the interpreter; a
//! `CompiledEntry` is dropped only when no activation of it is left (the embedder counts them).

use std::any::Any;
use std::ffi::c_void;
use std::ptr;

use bitflags::bitflags;
use thiserror::Error;

use crate::bytecode::instruction::Offset;
use crate::code::{CodeBlock, CodeMemory, Placement, WritablePages};
use crate::ir::op::{Block, Value};
use crate::unit::CompileUnit;

/// A code generator.
pub trait Backend: Send + Sync {
    /// The name it is chosen by: lower case, stable.
    fn name(&self) -> &'static str;

    /// What it can do beyond compiling a unit.
    fn caps(&self) -> Caps;

    /// Whether this machine and these settings will do. Called once before a configuration is used; a backend may do its
    /// expensive set-up here.
    fn check(&self, config: &Config) -> Result<(), CompileError>;

    /// Compiles one function. May run without the GIL when the sink's placement is [`Placement::Fresh`].
    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError>;
}

bitflags! {
    /// What a backend offers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Caps: u32 {
        /// Entries are machine code that can be listed ([`CompiledEntry::code`] is present).
        const NATIVE = 1 << 0;
        /// Delivers the map from code to bytecode when [`Config::origins`] asks for it.
        const ORIGINS = 1 << 1;
        /// `compile` may be called without the GIL.
        const BACKGROUND = 1 << 2;
        /// Distinguishes the levels of [`Effort`].
        const EFFORT = 1 << 3;
        /// Takes so long that a program should not wait for it, where that can be had.
        const SLOW = 1 << 4;
    }
}

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Effort {
    /// As little compile time as possible.
    Fast,
    #[default]
    Normal,
}

/// Which instructions the code may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Cpu {
    /// What the running processor has.
    #[default]
    Native,
    /// The fixed level x86-64-v3 (AVX2, FMA, BMI), for tools that do not know newer instructions.
    X86_64V3,
}

/// Settings that any backend understands; no knob of a single backend belongs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub effort: Effort,
    pub cpu: Cpu,
    /// Deliver [`CompiledEntry::origins`].
    pub origins: bool,
    /// Let the backend check its own work where it can (slow).
    pub verify: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { effort: Effort::Normal, cpu: Cpu::Native, origins: false, verify: cfg!(debug_assertions) }
    }
}

/// Where a backend puts its code.
pub struct CodeSink<'m> {
    memory: &'m CodeMemory,
    placement: Placement,
}

impl<'m> CodeSink<'m> {
    pub fn new(memory: &'m CodeMemory, placement: Placement) -> Self {
        CodeSink { memory, placement }
    }

    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// Publishes position-independent code: copies it into code memory, aligned to `align` (a power of two up to 4096).
    pub fn publish(&mut self, code: &[u8], align: usize, name: &str) -> Result<CodeBlock, CompileError> {
        self.memory.publish(code, align, self.placement, name).map_err(|e| Unsupported::Memory(e).into())
    }

    /// Fresh writable pages, for code generators that write into memory themselves; hand them to [`CodeSink::seal`].
    pub fn pages(&mut self, len: usize) -> Result<WritablePages, CompileError> {
        WritablePages::new(len).map_err(|e| Unsupported::Memory(e).into())
    }

    /// Makes pages executable (and no longer writable), of which the first `len` bytes are code.
    pub fn seal(&mut self, pages: WritablePages, len: usize, name: &str) -> Result<CodeBlock, CompileError> {
        self.memory.seal(pages, len, name).map_err(|e| Unsupported::Memory(e).into())
    }
}

/// The machine-level signature of every compiled function: `(ctx, thread state, frame, out, entry number) -> status`.
pub type EntryFn = unsafe extern "C" fn(*const c_void, *mut c_void, *mut c_void, *mut u64, i64) -> i64;

/// Code from `start` (inclusive, in bytes from the block's start) stems from the instruction at `origin`, up to the next
/// entry's start; `None` is code without an origin (prologue, padding).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeOrigin {
    pub start: u32,
    pub origin: Option<Offset>,
}

/// A compiled function. Dropping it frees its code.
pub struct CompiledEntry {
    function: EntryFn,
    /// Passed as `ctx` at each call; null for backends that need none.
    ctx: *const c_void,
    /// The machine code, if there is any.
    pub code: Option<CodeBlock>,
    /// Sorted by `start`; empty unless [`Config::origins`] asked for it.
    pub origins: Vec<CodeOrigin>,
    /// Whatever else must live as long as the function.
    _owner: Option<Box<dyn Any + Send + Sync>>,
}

// SAFETY: `ctx` points into `_owner`, which is `Send + Sync`, or is null; the rest is plain data and code.
unsafe impl Send for CompiledEntry {}
// SAFETY: as above; nothing is mutated through a shared reference.
unsafe impl Sync for CompiledEntry {}

impl CompiledEntry {
    /// An entry at byte `offset` of a block of machine code.
    ///
    /// # Safety
    /// At that offset stands a function of type [`EntryFn`] that ignores `ctx`.
    pub unsafe fn from_code(code: CodeBlock, offset: usize, origins: Vec<CodeOrigin>) -> Self {
        assert!(offset < code.len(), "entry outside its code");
        // SAFETY: within the block (checked), and a function of this type by the caller's promise.
        let function = unsafe { std::mem::transmute::<*const u8, EntryFn>(code.as_ptr().add(offset)) };
        CompiledEntry { function, ctx: ptr::null(), code: Some(code), origins, _owner: None }
    }

    /// An entry of a backend that brings its own function, with `ctx` pointing into `owner`.
    ///
    /// # Safety
    /// `function` may be called with `ctx` from any thread as long as `owner` lives.
    pub unsafe fn from_function(function: EntryFn, ctx: *const c_void, owner: Box<dyn Any + Send + Sync>) -> Self {
        CompiledEntry { function, ctx, code: None, origins: Vec::new(), _owner: Some(owner) }
    }

    /// Keeps `owner` alive as long as the function (further sections, say).
    pub fn with_owner(mut self, owner: Box<dyn Any + Send + Sync>) -> Self {
        self._owner = Some(match self._owner.take() {
            Some(first) => Box::new((first, owner)),
            None => owner,
        });
        self
    }

    /// Moves the code among that of other small functions, if it can be: see [`CodeMemory::pack`]. Nobody may be running it.
    pub fn pack(&mut self, memory: &CodeMemory, name: &str) {
        let Some(old) = &self.code else { return };
        let Some(packed) = memory.pack(old, name) else { return };
        let offset = self.function as usize - old.as_ptr() as usize;
        // SAFETY: the same bytes, which do not depend on where they are; the offset lies within them, since only `from_code`
        // gives an entry code.
        self.function = unsafe { std::mem::transmute::<*const u8, EntryFn>(packed.as_ptr().add(offset)) };
        self.code = Some(packed);
    }

    pub fn function(&self) -> EntryFn {
        self.function
    }

    pub fn ctx(&self) -> *const c_void {
        self.ctx
    }

    /// The machine code's bytes; none without any.
    pub fn bytes(&self) -> &[u8] {
        self.code.as_ref().map_or(&[], CodeBlock::bytes)
    }

    /// Bytes of machine code, 0 without any.
    pub fn code_size(&self) -> usize {
        self.code.as_ref().map_or(0, CodeBlock::len)
    }

    /// Runs the function; returns its status.
    ///
    /// # Safety
    /// `ts`, `frame` and `entry` are what the unit's IR expects, and `out` has room for its largest exit (and one result).
    pub unsafe fn call(&self, ts: *mut c_void, frame: *mut c_void, out: *mut u64, entry: i64) -> i64 {
        // SAFETY: the constructors' callers promised the type; the arguments are promised by ours.
        unsafe { (self.function)(self.ctx, ts, frame, out, entry) }
    }
}

/// Why a function was not compiled. Neither is ever visible to the Python program.
#[derive(Debug, Error)]
pub enum CompileError {
    #[error("unsupported: {0}")]
    Unsupported(#[from] Unsupported),
    #[error("invariant broke: {0}")]
    Broken(#[from] Broken),
}

/// Limits of a backend or a machine.
#[derive(Debug, Error)]
pub enum Unsupported {
    #[error("the target: {0}")]
    Target(String),
    #[error("the setting: {0}")]
    Setting(String),
    #[error("the function is too large")]
    TooLarge,
    #[error("no code memory: {0}")]
    Memory(#[source] std::io::Error),
    #[error("{0}")]
    Construct(String),
}

/// Bugs: of the stages before the driver, of the driver, or of a backend.
#[derive(Debug, Error)]
pub enum Broken {
    #[error("{block:?} still has a Python operation: {op}")]
    PythonOp { block: Block, op: String },
    #[error("{user:?} uses {value:?}, which is not defined before it")]
    Undefined { user: Block, value: Value },
    #[error("{block:?} does not end with its only terminator")]
    Terminator { block: Block },
    #[error("{from:?} goes to {to:?}, which does not exist or has another number of parameters")]
    Edge { from: Block, to: Block },
    #[error("{block:?} has an ill-formed instruction: {op}")]
    IllFormed { block: Block, op: String },
    #[error("the backend failed: {0}")]
    Backend(String),
}
