//! What every operation reads, defines and may do, in one place.
//!
//! *Problem*: verifier, passes, interpreter, printer and driver all need an operation's operands, result type and effects;
//! with a `match` in each, a new operation would have to be added in many places and forgotten in one. *Method*: visitors
//! over the operands in a fixed order (plain operands, then the values of a `Leave`, then the arguments of targets), and a
//! small classification of effects. *Invariants*: the visitors see each operand exactly once and in the order of the text
//! form; `result_ty` is total and needs only the operands' types.

use super::function::Function;
use super::op::{Block, Leave, Op, Target, UnOp, Value};
use super::types::{MemTy, Ty};
use crate::helpers::Effects;

impl MemTy {
    /// Bytes accessed.
    pub fn size(self) -> usize {
        match self {
            MemTy::U8 | MemTy::I8 => 1,
            MemTy::U16 | MemTy::I16 => 2,
            MemTy::U32 | MemTy::I32 => 4,
            MemTy::I64 | MemTy::F64 | MemTy::Ptr => 8,
        }
    }

    /// The type of a loaded value, or `None` where the operation says it (`Ptr`).
    pub fn value_ty(self) -> Option<Ty> {
        match self {
            MemTy::F64 => Some(Ty::F64),
            MemTy::Ptr => None,
            _ => Some(Ty::I64),
        }
    }
}

impl Ty {
    /// `Obj` and `Ptr` are both addresses.
    pub fn is_address(self) -> bool {
        matches!(self, Ty::Obj | Ty::Ptr)
    }
}

/// Shared body of the visitors by reference and by mutable reference.
macro_rules! visit_values {
    ($op:expr, $visit:ident, $iter:ident) => {
        match $op {
            Op::IConst(_)
            | Op::FConst(_)
            | Op::Null(_)
            | Op::Symbol(..)
            | Op::Frame
            | Op::ThreadState
            | Op::Out
            | Op::SlotGet(_)
            | Op::SlotAddress(_)
            | Op::SetIp(_)
            | Op::Unreachable => {}
            Op::Unary(_, a)
            | Op::IsType(a, _)
            | Op::UnboxFloat(a)
            | Op::UnboxBool(a)
            | Op::BoxFloat(a)
            | Op::BoxInt(a)
            | Op::BoxBool(a)
            | Op::Incref(a)
            | Op::Decref(a)
            | Op::XDecref(a)
            | Op::SlotSet(_, a)
            | Op::Load { base: a, .. } => $visit(a),
            Op::Binary(_, a, b) | Op::Compare(_, a, b) => {
                $visit(a);
                $visit(b);
            }
            Op::Store { base, value, .. } => {
                $visit(base);
                $visit(value);
            }
            Op::Select(a, b, c) => {
                $visit(a);
                $visit(b);
                $visit(c);
            }
            Op::BinaryOrLeave(_, a, b, leave) => {
                $visit(a);
                $visit(b);
                leave.values.$iter().for_each($visit);
            }
            Op::Guard(a, leave) | Op::GuardType(a, _, leave) | Op::UnboxInt(a, leave) => {
                $visit(a);
                leave.values.$iter().for_each($visit);
            }
            Op::Leave(leave) => leave.values.$iter().for_each($visit),
            Op::Call(_, args) => args.$iter().for_each($visit),
            Op::Jump(target) => target.args.$iter().for_each($visit),
            Op::Branch(a, then, otherwise) => {
                $visit(a);
                then.args.$iter().for_each(&mut $visit);
                otherwise.args.$iter().for_each(&mut $visit);
            }
            Op::Switch(a, cases, default) => {
                $visit(a);
                for case in cases {
                    case.args.$iter().for_each(&mut $visit);
                }
                default.args.$iter().for_each(&mut $visit);
            }
            Op::Return(_, value) => {
                if let Some(value) = value {
                    $visit(value);
                }
            }
        }
    };
}

/// The pattern of all Python operations, so that a `match` which must refuse them still names every operation.
macro_rules! python_op {
    () => {
        Op::GuardType(..)
            | Op::IsType(..)
            | Op::UnboxFloat(_)
            | Op::UnboxInt(..)
            | Op::UnboxBool(_)
            | Op::BoxFloat(_)
            | Op::BoxInt(_)
            | Op::BoxBool(_)
            | Op::Incref(_)
            | Op::Decref(_)
            | Op::XDecref(_)
            | Op::SlotGet(_)
            | Op::SlotSet(..)
            | Op::SlotAddress(_)
            | Op::SetIp(_)
    };
}
pub(crate) use python_op;

impl Op {
    /// Visits every operand.
    pub fn for_each_value(&self, mut visit: impl FnMut(Value)) {
        let mut visit = |value: &Value| visit(*value);
        visit_values!(self, visit, iter)
    }

    /// Visits every operand for rewriting.
    pub fn for_each_value_mut(&mut self, mut visit: impl FnMut(&mut Value)) {
        visit_values!(self, visit, iter_mut)
    }

    pub fn is_terminator(&self) -> bool {
        matches!(self, Op::Jump(_) | Op::Branch(..) | Op::Switch(..) | Op::Return(..) | Op::Leave(_) | Op::Unreachable)
    }

    /// Is this an operation that backends implement?
    pub fn is_primitive(&self) -> bool {
        !matches!(self, python_op!())
    }

    /// The exit this instruction may take.
    pub fn leave(&self) -> Option<&Leave> {
        match self {
            Op::BinaryOrLeave(_, _, _, leave)
            | Op::Guard(_, leave)
            | Op::GuardType(_, _, leave)
            | Op::UnboxInt(_, leave)
            | Op::Leave(leave) => Some(leave),
            _ => None,
        }
    }

    /// May leave, but need not: what `stress` numbers.
    pub fn is_guard(&self) -> bool {
        self.leave().is_some() && !matches!(self, Op::Leave(_))
    }

    pub fn for_each_target(&self, mut visit: impl FnMut(&Target)) {
        match self {
            Op::Jump(target) => visit(target),
            Op::Branch(_, then, otherwise) => {
                visit(then);
                visit(otherwise);
            }
            Op::Switch(_, cases, default) => {
                cases.iter().for_each(&mut visit);
                visit(default);
            }
            _ => {}
        }
    }

    pub fn for_each_target_mut(&mut self, mut visit: impl FnMut(&mut Target)) {
        match self {
            Op::Jump(target) => visit(target),
            Op::Branch(_, then, otherwise) => {
                visit(then);
                visit(otherwise);
            }
            Op::Switch(_, cases, default) => {
                cases.iter_mut().for_each(&mut visit);
                visit(default);
            }
            _ => {}
        }
    }

    /// The type of the result, `None` when there is none.
    pub fn result_ty(&self, function: &Function) -> Option<Ty> {
        match self {
            Op::IConst(_)
            | Op::Compare(..)
            | Op::BinaryOrLeave(..)
            | Op::IsType(..)
            | Op::UnboxInt(..)
            | Op::UnboxBool(_) => Some(Ty::I64),
            Op::FConst(_) | Op::UnboxFloat(_) => Some(Ty::F64),
            Op::Null(ty) | Op::Symbol(_, ty) => Some(*ty),
            Op::Binary(op, ..) => Some(op.ty()),
            Op::Unary(op, _) => Some(op.result_ty()),
            Op::Select(_, a, _) => Some(function.ty(*a)),
            Op::Load { mem, ty, .. } => Some(mem.value_ty().unwrap_or(*ty)),
            Op::Call(helper, _) => helper.result().ty(),
            Op::Frame | Op::ThreadState | Op::Out | Op::SlotAddress(_) => Some(Ty::Ptr),
            Op::BoxFloat(_) | Op::BoxInt(_) | Op::BoxBool(_) | Op::SlotGet(_) => Some(Ty::Obj),
            Op::Guard(..)
            | Op::Store { .. }
            | Op::GuardType(..)
            | Op::Incref(_)
            | Op::Decref(_)
            | Op::XDecref(_)
            | Op::SlotSet(..)
            | Op::SetIp(_) => None,
            Op::Jump(_) | Op::Branch(..) | Op::Switch(..) | Op::Return(..) | Op::Leave(_) | Op::Unreachable => None,
        }
    }

    /// Depends on its operands alone and does nothing else: may be dropped, moved and shared.
    pub fn is_pure(&self) -> bool {
        matches!(
            self,
            Op::IConst(_)
                | Op::FConst(_)
                | Op::Null(_)
                | Op::Symbol(..)
                | Op::Binary(..)
                | Op::Unary(..)
                | Op::Compare(..)
                | Op::Select(..)
                | Op::Frame
                | Op::ThreadState
                | Op::Out
                | Op::SlotAddress(_)
                | Op::IsType(..)
                | Op::UnboxFloat(_)
                | Op::UnboxBool(_)
        )
    }

    /// Only reads memory: may be dropped when its result is unused.
    pub fn is_load(&self) -> bool {
        matches!(self, Op::Load { .. } | Op::SlotGet(_))
    }

    /// May run arbitrary Python code: other references, slots seen through frame objects and the heap may change.
    pub fn runs_python(&self) -> bool {
        match self {
            Op::Call(helper, _) => helper.effects().contains(Effects::RUNS_PYTHON),
            Op::Decref(_) | Op::XDecref(_) => true,
            _ => false,
        }
    }

    /// May write memory that loads of this function read.
    pub fn writes_memory(&self) -> bool {
        match self {
            Op::Call(helper, _) => helper.effects().intersects(Effects::RUNS_PYTHON | Effects::MEMORY),
            Op::Store { .. } | Op::SlotSet(..) | Op::Incref(_) | Op::Decref(_) | Op::XDecref(_) | Op::SetIp(_) => true,
            _ => false,
        }
    }
}

impl super::op::BinOp {
    /// Type of both operands and of the result.
    pub fn ty(self) -> Ty {
        use super::op::BinOp::*;
        match self {
            Add | Sub | Mul | And | Or | Xor | Shl | AShr | LShr | SDiv | SRem => Ty::I64,
            FAdd | FSub | FMul | FDiv => Ty::F64,
        }
    }
}

impl UnOp {
    pub fn result_ty(self) -> Ty {
        match self {
            UnOp::Neg | UnOp::Not | UnOp::FloatToInt | UnOp::FloatToBits => Ty::I64,
            UnOp::FNeg | UnOp::FAbs | UnOp::FSqrt | UnOp::FFloor | UnOp::IntToFloat | UnOp::BitsToFloat => Ty::F64,
            UnOp::Cast(ty) => ty,
        }
    }

    pub fn accepts(self, ty: Ty) -> bool {
        match self {
            UnOp::Neg | UnOp::Not | UnOp::IntToFloat | UnOp::BitsToFloat => ty == Ty::I64,
            UnOp::FNeg | UnOp::FAbs | UnOp::FSqrt | UnOp::FFloor | UnOp::FloatToInt | UnOp::FloatToBits => {
                ty == Ty::F64
            }
            UnOp::Cast(to) => ty != Ty::F64 && to != Ty::F64,
        }
    }
}

impl super::op::Cond {
    /// May operands of this type be compared so?
    pub fn accepts(self, ty: Ty) -> bool {
        use super::op::Cond::*;
        match self {
            Eq | Ne | ULt | ULe | UGt | UGe => ty != Ty::F64,
            Lt | Le | Gt | Ge => ty == Ty::I64,
            FEq | FNe | FLt | FLe | FGt | FGe => ty == Ty::F64,
        }
    }
}

impl Function {
    /// The terminator of a block, if the block is complete.
    pub fn terminator(&self, block: Block) -> Option<&Op> {
        self.blocks[block.0 as usize].insts.last().map(|inst| &inst.op).filter(|op| op.is_terminator())
    }

    /// Number of instructions, terminators included.
    pub fn inst_count(&self) -> usize {
        self.blocks.iter().map(|block| block.insts.len()).sum()
    }
}
