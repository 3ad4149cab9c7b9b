//! Values: LLVM's comparisons give one bit, the core's give 64; LLVM tells addresses from integers, and the core may not.
//!
//! *Method*: an operand knows what it is, and is converted where something else is wanted (`LlvmEmitter::word` and its
//! siblings). Conversions cost nothing or are merged by LLVM.

use columba_jit_core::ir::op::Cond;
use inkwell::values::{BasicValueEnum, FloatValue, IntValue, PointerValue};
use inkwell::{FloatPredicate, IntPredicate};

/// A value during emission.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'ctx> {
    /// One bit: the result of a comparison.
    Flag(IntValue<'ctx>),
    /// 64 bits.
    Word(IntValue<'ctx>),
    Float(FloatValue<'ctx>),
    Address(PointerValue<'ctx>),
}

impl<'ctx> Operand<'ctx> {
    /// A value of one of the core's types; `None` if LLVM gave something else.
    pub(crate) fn of(value: BasicValueEnum<'ctx>) -> Option<Operand<'ctx>> {
        match value {
            BasicValueEnum::IntValue(word) => Some(Operand::Word(word)),
            BasicValueEnum::FloatValue(float) => Some(Operand::Float(float)),
            BasicValueEnum::PointerValue(address) => Some(Operand::Address(address)),
            _ => None,
        }
    }
}

/// The core's conditions as LLVM's.
pub(crate) enum Condition {
    Int(IntPredicate),
    Float(FloatPredicate),
}

pub(crate) fn condition(cond: Cond) -> Condition {
    use Condition::{Float, Int};
    match cond {
        Cond::Eq => Int(IntPredicate::EQ),
        Cond::Ne => Int(IntPredicate::NE),
        Cond::Lt => Int(IntPredicate::SLT),
        Cond::Le => Int(IntPredicate::SLE),
        Cond::Gt => Int(IntPredicate::SGT),
        Cond::Ge => Int(IntPredicate::SGE),
        Cond::ULt => Int(IntPredicate::ULT),
        Cond::ULe => Int(IntPredicate::ULE),
        Cond::UGt => Int(IntPredicate::UGT),
        Cond::UGe => Int(IntPredicate::UGE),
        Cond::FEq => Float(FloatPredicate::OEQ),
        // Holds for NaN, unlike the others.
        Cond::FNe => Float(FloatPredicate::UNE),
        Cond::FLt => Float(FloatPredicate::OLT),
        Cond::FLe => Float(FloatPredicate::OLE),
        Cond::FGt => Float(FloatPredicate::OGT),
        Cond::FGe => Float(FloatPredicate::OGE),
    }
}
