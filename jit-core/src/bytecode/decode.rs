//! From code units to instructions.
//!
//! *Problem*: the bytes of a code object may come from a file or from `code.replace(co_code=...)`; everything after this
//! stage wants to index without asking. *Method*: one pass decodes base code units with the tables of the version
//! (`bytecode/v3_11.rs`), folding `EXTENDED_ARG` prefixes and skipping inline caches; a second checks what needs the
//! whole: jump targets, the end, exception table rows. Type feedback is read from the quickened copy, which is only
//! ever believed where its opcode maps to the base opcode at that place.
//! *Invariants* of a [`Bytecode`]: instructions are in order and cover the code without gaps; every operand that is an
//! index is in range; every jump and handler target is the `offset` of an instruction; control cannot run off the end.

use super::code::{CodeObject, Handler, PythonVersion};
use super::exception_table::{ExceptionTableError, decode_exception_table};
use super::instruction::{Feedback, Instruction, Offset, Op};
use super::v3_11;
use std::fmt::{self, Display, Formatter};
use thiserror::Error;

/// Why code units are not a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error("there is no code")]
    Empty,
    #[error("{bytes} bytes of code are not whole code units")]
    OddLength { bytes: usize },
    #[error("{bytes} bytes of code are more than the limit of {MAX_CODE_BYTES}")]
    TooLong { bytes: usize },
    #[error("unknown opcode {opcode} at {offset}")]
    UnknownOpcode { opcode: u8, offset: Offset },
    #[error("more than 3 EXTENDED_ARG prefixes at {offset}")]
    TooManyPrefixes { offset: Offset },
    #[error("the instruction at {offset} is cut off by the end of the code")]
    Truncated { offset: Offset },
    #[error("operand of the instruction at {offset}: {error}")]
    Operand { offset: Offset, error: OperandError },
    #[error("the jump at {offset} goes to {target}, which is not the start of an instruction")]
    JumpTarget { offset: Offset, target: Offset },
    #[error("control runs off the end of the code")]
    NoTerminator,
    #[error(transparent)]
    ExceptionTable(#[from] ExceptionTableError),
    #[error("exception table row {row} covers {start}..{end}, beyond the code")]
    HandlerRange { row: usize, start: Offset, end: Offset },
    #[error("exception table row {row} goes to {target}, which is not the start of an instruction")]
    HandlerTarget { row: usize, target: Offset },
}

/// Why an operand does not fit its opcode.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OperandError {
    #[error("index {index} into {table} of {length}")]
    Index { table: &'static str, index: u32, length: usize },
    #[error("{operand} is out of range")]
    Range { operand: u32 },
    #[error("jump out of the code")]
    Jump,
}

/// CPython's own limit is 2^31; nothing near it is compiled.
pub const MAX_CODE_BYTES: usize = 1 << 28;

/// The decoded form of one code object.
#[derive(Clone, Debug)]
pub struct Bytecode {
    pub instructions: Vec<Instruction>,
    /// Rows of the exception table, sorted and disjoint; empty rows left out.
    pub handlers: Vec<Handler>,
    /// Per code unit, the instruction it belongs to.
    owner: Vec<u32>,
}

/// Decodes the code, its feedback and its exception table.
pub fn decode(code: &CodeObject) -> Result<Bytecode, DecodeError> {
    let PythonVersion::V3_11 = code.version;
    let bytes = code.code.as_slice();
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    if !bytes.len().is_multiple_of(2) {
        return Err(DecodeError::OddLength { bytes: bytes.len() });
    }
    if bytes.len() > MAX_CODE_BYTES {
        return Err(DecodeError::TooLong { bytes: bytes.len() });
    }
    let adaptive = code.adaptive.as_deref().filter(|adaptive| adaptive.len() == bytes.len());
    let units = (bytes.len() / 2) as Offset;

    let mut instructions = Vec::new();
    let mut owner = Vec::with_capacity(units as usize);
    let mut at: Offset = 0;
    while at < units {
        let offset = at;
        let mut operand: u32 = 0;
        let (opcode, opcode_offset) = loop {
            let Some([opcode, byte]) = unit(bytes, at) else {
                return Err(DecodeError::Truncated { offset });
            };
            operand = operand << 8 | u32::from(byte);
            if opcode != v3_11::opcode::EXTENDED_ARG {
                break (opcode, at);
            }
            if at - offset >= 3 {
                return Err(DecodeError::TooManyPrefixes { offset });
            }
            at += 1;
        };
        let next = opcode_offset + 1 + v3_11::caches(opcode);
        if next > units {
            return Err(DecodeError::Truncated { offset });
        }
        let op = match v3_11::operation(code, opcode, operand, next) {
            Some(Ok(op)) => op,
            Some(Err(error)) => return Err(DecodeError::Operand { offset, error }),
            None => return Err(DecodeError::UnknownOpcode { opcode, offset: opcode_offset }),
        };
        let feedback = match adaptive.and_then(|adaptive| {
            let [quickened, _] = unit(adaptive, opcode_offset)?;
            (v3_11::base(quickened) == Some(opcode)).then_some((adaptive, quickened))
        }) {
            Some((adaptive, quickened)) => {
                let cache = &adaptive[2 * (opcode_offset as usize + 1)..2 * next as usize];
                v3_11::feedback(&op, quickened, cache)
            }
            None => Feedback::None,
        };
        owner.resize(next as usize, instructions.len() as u32);
        instructions.push(Instruction { offset, opcode_offset, next, op, feedback });
        at = next;
    }

    let bytecode = Bytecode { instructions, handlers: decode_exception_table(&code.exception_table)?, owner };
    bytecode.check(units)?;
    Ok(bytecode)
}

fn unit(bytes: &[u8], offset: Offset) -> Option<[u8; 2]> {
    let start = 2 * offset as usize;
    Some([*bytes.get(start)?, *bytes.get(start + 1)?])
}

impl Bytecode {
    /// The instruction that can be resumed at `offset` (its first prefix).
    pub fn index_at(&self, offset: Offset) -> Option<usize> {
        let index = self.index_containing(offset)?;
        (self.instructions[index].offset == offset).then_some(index)
    }

    /// The instruction that any code unit, prefix or cache belongs to.
    pub fn index_containing(&self, offset: Offset) -> Option<usize> {
        self.owner.get(offset as usize).map(|&index| index as usize)
    }

    /// The row that applies when the instruction with its opcode at `opcode_offset` raises.
    pub fn handler_for(&self, opcode_offset: Offset) -> Option<Handler> {
        let after = self.handlers.partition_point(|handler| handler.start <= opcode_offset);
        let handler = *self.handlers.get(after.checked_sub(1)?)?;
        (opcode_offset < handler.end).then_some(handler)
    }

    /// Length of the code, in code units.
    pub fn units(&self) -> Offset {
        self.owner.len() as Offset
    }

    /// Index of the instruction at a jump target of this bytecode.
    ///
    /// # Panics
    /// If `offset` is not a jump or handler target found in this bytecode.
    pub fn target(&self, offset: Offset) -> usize {
        self.index_at(offset).expect("targets are checked when code is decoded")
    }

    fn check(&self, units: Offset) -> Result<(), DecodeError> {
        for instruction in &self.instructions {
            if let Some(target) = instruction.op.jump_target()
                && self.index_at(target).is_none()
            {
                return Err(DecodeError::JumpTarget { offset: instruction.offset, target });
            }
        }
        if self.instructions.last().is_none_or(|last| last.op.falls_through()) {
            return Err(DecodeError::NoTerminator);
        }
        for (row, handler) in self.handlers.iter().enumerate() {
            if handler.end > units {
                return Err(DecodeError::HandlerRange { row, start: handler.start, end: handler.end });
            }
            if self.index_at(handler.target).is_none() {
                return Err(DecodeError::HandlerTarget { row, target: handler.target });
            }
        }
        Ok(())
    }
}

impl Op {
    /// Where the instruction may jump to, apart from a handler.
    pub fn jump_target(&self) -> Option<Offset> {
        match *self {
            Op::ForIter { exhausted } => Some(exhausted),
            Op::Send { done } => Some(done),
            Op::JumpForward(target) | Op::JumpBackward(target) | Op::JumpBackwardNoInterrupt(target) => Some(target),
            Op::PopJumpIf { target, .. } | Op::JumpIfOrPop { target, .. } => Some(target),
            _ => None,
        }
    }

    /// Whether control can reach the next instruction from this one (for a yield: when it is resumed).
    pub fn falls_through(&self) -> bool {
        !matches!(
            self,
            Op::JumpForward(_)
                | Op::JumpBackward(_)
                | Op::JumpBackwardNoInterrupt(_)
                | Op::ReturnValue
                | Op::RaiseVarargs(_)
                | Op::Reraise(_)
        )
    }

    /// Whether the frame is left in the middle, to be resumed at the next instruction.
    pub fn suspends(&self) -> bool {
        matches!(self, Op::YieldValue | Op::ReturnGenerator)
    }

    /// Whether an exception can be raised with this instruction as its place. False only where the interpreter has no
    /// error path; running a finaliser does not count, since what it raises never propagates.
    pub fn may_raise(&self) -> bool {
        match self {
            Op::Nop
            | Op::PopTop
            | Op::PushNull
            | Op::Copy(_)
            | Op::Swap(_)
            | Op::LoadConst(_)
            | Op::StoreFast(_)
            | Op::StoreDeref(_)
            | Op::CopyFreeVars(_)
            | Op::IsOp { .. }
            | Op::JumpForward(_)
            | Op::KwNames(_)
            | Op::LoadAssertionError
            | Op::ReturnValue
            | Op::PushExcInfo
            | Op::PopExcept
            | Op::MatchMapping
            | Op::MatchSequence => false,
            Op::PopJumpIf { when, backward, .. } => {
                use super::instruction::JumpIf;
                *backward || matches!(when, JumpIf::False | JumpIf::True)
            }
            // `generator.throw()` into a finished sub-iterator raises at the jump that closes the `SEND` loop
            // (`Objects/genobject.c`), so `JumpBackwardNoInterrupt` counts.
            _ => true,
        }
    }
}

impl Display for Instruction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}  {:?}", self.offset, self.op)?;
        match &self.feedback {
            Feedback::None => Ok(()),
            feedback => write!(f, "  ; {feedback:?}"),
        }
    }
}

impl Display for Bytecode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for instruction in &self.instructions {
            writeln!(f, "{instruction}")?;
        }
        for handler in &self.handlers {
            writeln!(f, "{handler}")?;
        }
        Ok(())
    }
}

impl Display for Handler {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lasti = if self.push_lasti { " lasti" } else { "" };
        write!(f, "handler {}..{} -> {} depth {}{lasti}", self.start, self.end, self.target, self.depth)
    }
}
