//! Exits: how compiled code hands a Python frame back to the interpreter.
//!
//! *Problem*: a guard fails in the middle of a function, and the interpreter must go on from there as if it had executed
//! everything so far. *Method*: leaving writes the live values to the activation's `out` buffer and returns
//! `FIRST_EXIT + n`; the description kept here says how those values make up locals and stack at a bytecode offset.
//! `cpython-runtime` rebuilds the frame from it, once for all backends. *Invariants*: locals not mentioned are right in
//! their slots already, names not mentioned in their dictionary; stack items are listed from the bottom and complete; an
//! offset is always one at which the interpreter can resume (`Instruction::offset`).

use crate::bytecode::instruction::Offset;

/// Number of an exit within one compiled function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExitId(pub u32);

/// Where a slot's content comes from. `u32` operands index the values of the exit (`out[i]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A reference the frame takes over.
    Owned(u32),
    /// A reference somebody else owns: it is increfed.
    Borrowed(u32),
    /// Raw values to be boxed. A local whose slot already holds an equal object of that exact type keeps that object.
    Int(u32),
    Float(u32),
    Bool(u32),
    /// A raw float to be boxed, as an int where value `i + 1` is not 0. On the stack only.
    Number(u32),
    /// Raw values as above where value `i + 1` is not 0; else the slot stays as it is (an unbound local's null).
    IntIf(u32),
    FloatIf(u32),
    BoolIf(u32),
    /// `co_consts[i]`, increfed.
    Const(u32),
    Null,
}

/// Why an exit exists; `info()` counts them by this, and re-specialisation looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A value's type was not the guessed one.
    Type,
    /// A number was an int, a float or a bool where another of them was guessed.
    Number,
    /// An int did not fit 64 bits, or a result overflowed.
    Overflow,
    /// An index out of range, a zero divisor and the like: the interpreter raises.
    Range,
    /// A version or identity guard failed (globals, attributes, callee).
    Version,
    /// A local was unbound: the interpreter raises.
    Unbound,
    /// Code that the interpreter had not executed when this was compiled.
    Unseen,
    /// Tracing was switched on or an asynchronous exception waits.
    Interrupt,
}

/// How to rebuild the frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    /// Instruction at which the interpreter resumes (it has not been executed).
    pub offset: Offset,
    /// The instruction whose guess failed; the key for re-specialisation.
    pub origin: Offset,
    pub reason: Reason,
    /// Locals (localsplus index) that are not right in their slots.
    pub locals: Vec<(u32, Source)>,
    /// Names (index in `co_names`) of a module or class body that are not right in the frame's namespace dictionary. Raw and
    /// constant sources only; each is in the dictionary already, with a value whose release runs no Python.
    pub names: Vec<(u32, Source)>,
    /// The whole value stack from the bottom.
    pub stack: Vec<Source>,
    /// Types of the exit's values are those of the instruction's operands; this is their number.
    pub value_count: u32,
}

impl Exit {
    /// Every source of the description.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.locals.iter().chain(&self.names).map(|(_, source)| source).chain(&self.stack)
    }

    /// Every source of the description, to be changed.
    pub fn sources_mut(&mut self) -> impl Iterator<Item = &mut Source> {
        self.locals.iter_mut().chain(&mut self.names).map(|(_, source)| source).chain(&mut self.stack)
    }
}
