//! A code object as plain data: everything the compiler needs of one, whether it came from a running CPython or a file.
//!
//! *Invariants*: nothing here points into CPython. Objects are named by index (`co_consts[i]`, `co_names[i]`); what is
//! known about a constant's value is copied into [`Constant`].

use super::instruction::Offset;

/// The CPython versions whose bytecode can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PythonVersion {
    V3_11,
}

/// What the compiler knows of an entry of `co_consts`.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    None,
    Ellipsis,
    Bool(bool),
    /// An exact `int` that fits 64 bits.
    Int(i64),
    /// An exact `int` of any other size.
    BigInt,
    Float(f64),
    Complex,
    Str(String),
    Bytes(Vec<u8>),
    Tuple(Vec<Constant>),
    FrozenSet,
    /// A nested code object; index into [`CodeObject::nested`] when it came from a file.
    Code(usize),
    /// Anything else (constants may be arbitrary objects).
    Other,
}

/// Flags of `co_flags` that matter here (`Include/cpython/code.h`).
pub mod flags {
    pub const OPTIMIZED: u32 = 0x1;
    pub const NEWLOCALS: u32 = 0x2;
    pub const VARARGS: u32 = 0x4;
    pub const VARKEYWORDS: u32 = 0x8;
    pub const GENERATOR: u32 = 0x20;
    pub const COROUTINE: u32 = 0x80;
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    pub const ASYNC_GENERATOR: u32 = 0x200;
}

/// Kinds of localsplus entries (`Include/internal/pycore_code.h`); bits.
pub mod local_kind {
    pub const LOCAL: u8 = 0x20;
    pub const CELL: u8 = 0x40;
    pub const FREE: u8 = 0x80;
}

/// A code object's parts, copied.
#[derive(Clone, Debug)]
pub struct CodeObject {
    pub version: PythonVersion,
    pub name: String,
    pub qualname: String,
    pub filename: String,
    pub first_line: u32,
    pub flags: u32,
    pub argcount: u32,
    pub posonly_argcount: u32,
    pub kwonly_argcount: u32,
    pub stack_size: u32,
    /// Base code units as bytes (`co_code`): opcode, oparg, ...; caches zero.
    pub code: Vec<u8>,
    /// The interpreter's quickened copy (`co_code_adaptive`), same length, when there is one.
    pub adaptive: Option<Vec<u8>>,
    pub constants: Vec<Constant>,
    pub names: Vec<String>,
    pub locals_plus_names: Vec<String>,
    pub locals_plus_kinds: Vec<u8>,
    pub exception_table: Vec<u8>,
    pub line_table: Vec<u8>,
    /// Nested code objects, when read from a file.
    pub nested: Vec<CodeObject>,
}

impl CodeObject {
    /// Whether a call makes a generator, coroutine or asynchronous generator.
    pub fn makes_generator(&self) -> bool {
        self.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0
    }
}

/// One row of the exception table: instructions whose `opcode_offset` is in `start..end` go to `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    pub start: Offset,
    pub end: Offset,
    pub target: Offset,
    /// Stack depth the handler starts with, before `lasti` and the exception are pushed.
    pub depth: u32,
    /// Whether the offset of the raising instruction is pushed, as an int, before the exception.
    pub push_lasti: bool,
}
