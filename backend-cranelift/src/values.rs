//! Values: Cranelift's comparisons give 8 bits, the core's give 64.
//!
//! *Method*: an operand remembers that it is still a flag, and is extended where a word is needed; branches, selects and
//! logic on flags never need one. Extending the same flag twice costs nothing: Cranelift merges equal instructions.
//! *Invariant*: a flag is 0 or 1 of type `I8`; any other operand is a word (`I64`) or a float (`F64`).

use columba_jit_core::ir::op::Cond;
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, InstructionData, Opcode, types};
use cranelift_frontend::FunctionBuilder;

/// A value during emission.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub(crate) raw: ir::Value,
    pub(crate) flag: bool,
}

impl Operand {
    pub(crate) fn word(raw: ir::Value) -> Operand {
        Operand { raw, flag: false }
    }

    pub(crate) fn flag(raw: ir::Value) -> Operand {
        Operand { raw, flag: true }
    }

    /// The value at its full width.
    pub(crate) fn widen(self, builder: &mut FunctionBuilder<'_>) -> ir::Value {
        if self.flag { builder.ins().uextend(types::I64, self.raw) } else { self.raw }
    }

    /// The integer it is known to be.
    pub(crate) fn known(self, builder: &FunctionBuilder<'_>) -> Option<i64> {
        let inst = builder.func.dfg.value_def(self.raw).inst()?;
        match builder.func.dfg.insts[inst] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }
}

/// The core's conditions as Cranelift's.
pub(crate) enum Condition {
    Int(IntCC),
    Float(FloatCC),
}

impl Condition {
    /// The one that holds when this does not, NaN or not.
    pub(crate) fn complement(self) -> Condition {
        match self {
            Condition::Int(code) => Condition::Int(code.complement()),
            Condition::Float(code) => Condition::Float(code.complement()),
        }
    }
}

pub(crate) fn condition(cond: Cond) -> Condition {
    use Condition::{Float, Int};
    match cond {
        Cond::Eq => Int(IntCC::Equal),
        Cond::Ne => Int(IntCC::NotEqual),
        Cond::Lt => Int(IntCC::SignedLessThan),
        Cond::Le => Int(IntCC::SignedLessThanOrEqual),
        Cond::Gt => Int(IntCC::SignedGreaterThan),
        Cond::Ge => Int(IntCC::SignedGreaterThanOrEqual),
        Cond::ULt => Int(IntCC::UnsignedLessThan),
        Cond::ULe => Int(IntCC::UnsignedLessThanOrEqual),
        Cond::UGt => Int(IntCC::UnsignedGreaterThan),
        Cond::UGe => Int(IntCC::UnsignedGreaterThanOrEqual),
        Cond::FEq => Float(FloatCC::Equal),
        // Holds for NaN, unlike the others.
        Cond::FNe => Float(FloatCC::NotEqual),
        Cond::FLt => Float(FloatCC::LessThan),
        Cond::FLe => Float(FloatCC::LessThanOrEqual),
        Cond::FGt => Float(FloatCC::GreaterThan),
        Cond::FGe => Float(FloatCC::GreaterThanOrEqual),
    }
}
