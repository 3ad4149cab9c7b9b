//! Operations whose result is known.
//!
//! *Method*: one walk in reverse postorder, so that operands are known before their uses; arithmetic is the reference
//! interpreter's own, so what it leaves undefined is not folded. Float results that are NaN are not folded either: the
//! sign and payload that a processor gives are its own. Blocks that are no longer reached are removed. *Invariants*: an instruction keeps its result's number; guards that
//! always hold disappear, guards that never do become an unconditional exit.

use super::Context;
use super::substitution::Substitution;
use crate::ir::function::Function;
use crate::ir::interpret::{binary, compare, overflow, unary};
use crate::ir::op::{BinOp, Cond, Op, OverflowOp, Symbol, UnOp, Value};
use crate::ir::types::Ty;

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Nothing,
    Int(i64),
    Float(u64),
    Null,
    NotNull,
    Truth(bool),
    Compare(Cond, Value, Value),
}

enum Fold {
    Keep,
    Op(Op),
    Same(Value),
    Drop,
    /// The rest of the block is not reached.
    End(Op),
}

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    let graph = context.graph(function);
    let mut substitution = Substitution::new(function);
    let mut known = vec![Known::Nothing; function.values.len()];
    let mut changes = 0;
    let mut edges_changed = false;
    for block in graph.order() {
        let mut insts = std::mem::take(&mut function.blocks[block.0 as usize].insts);
        let mut end = None;
        let mut index = 0;
        insts.retain_mut(|inst| {
            index += 1;
            if end.is_some() {
                return false;
            }
            substitution.rewrite(&mut inst.op);
            let mut keep = true;
            // A fold may make another one possible; each makes the operation simpler.
            loop {
                match fold(function, &known, &inst.op) {
                    Fold::Keep => break,
                    Fold::Op(op) => {
                        // A branch that stays one goes where it went.
                        edges_changed |= inst.op.is_terminator() && !matches!(op, Op::Branch(..));
                        inst.op = op;
                    }
                    Fold::Same(value) => {
                        let result = inst.result.expect("a value");
                        if value != result {
                            substitution.replace(result, value);
                        }
                        keep = false;
                    }
                    Fold::Drop => keep = false,
                    Fold::End(op) => {
                        edges_changed = true;
                        inst.op = op;
                        inst.result = None;
                        end = Some(index);
                        changes += 1;
                        break;
                    }
                }
                changes += 1;
                if !keep {
                    break;
                }
            }
            if let (true, Some(result)) = (keep, inst.result) {
                known[result.0 as usize] = learn(function, &inst.op, result);
            }
            keep
        });
        function.blocks[block.0 as usize].insts = insts;
    }
    substitution.apply(function);
    if edges_changed {
        context.edges_changed();
        // They may use what stood behind a guard that never holds.
        super::merge_blocks::remove_unreachable(function, context);
    }
    changes
}

fn learn(function: &Function, op: &Op, result: Value) -> Known {
    match op {
        Op::IConst(number) => Known::Int(*number),
        Op::FConst(bits) => Known::Float(*bits),
        Op::Null(_) => Known::Null,
        Op::Compare(cond, a, b) => Known::Compare(*cond, *a, *b),
        Op::Symbol(Symbol::True, _) => Known::Truth(true),
        Op::Symbol(Symbol::False, _) => Known::Truth(false),
        Op::Symbol(..) | Op::BoxFloat(_) | Op::BoxInt(_) | Op::BoxBool(_) => Known::NotNull,
        _ if function.ty(result) == Ty::Obj => {
            let py = function.values[result.0 as usize].py;
            if py.may_be_null() || py.is_empty() { Known::Nothing } else { Known::NotNull }
        }
        _ => Known::Nothing,
    }
}

fn inverse(cond: Cond) -> Option<Cond> {
    Some(match cond {
        Cond::Eq => Cond::Ne,
        Cond::Ne => Cond::Eq,
        Cond::Lt => Cond::Ge,
        Cond::Le => Cond::Gt,
        Cond::Gt => Cond::Le,
        Cond::Ge => Cond::Lt,
        Cond::ULt => Cond::UGe,
        Cond::ULe => Cond::UGt,
        Cond::UGt => Cond::ULe,
        Cond::UGe => Cond::ULt,
        Cond::FEq => Cond::FNe,
        Cond::FNe => Cond::FEq,
        // Not for NaN.
        Cond::FLt | Cond::FLe | Cond::FGt | Cond::FGe => return None,
    })
}

fn fold(function: &Function, known: &[Known], op: &Op) -> Fold {
    let at = |value: Value| known[value.0 as usize];
    let bits = |value: Value| match at(value) {
        Known::Int(number) => Some(number as u64),
        Known::Float(bits) => Some(bits),
        Known::Null => Some(0),
        _ => None,
    };
    let int = |value: Value| if let Known::Int(number) = at(value) { Some(number) } else { None };
    let constant = |ty: Ty, bits: u64| match ty {
        Ty::F64 if f64::from_bits(bits).is_nan() => Fold::Keep,
        Ty::F64 => Fold::Op(Op::FConst(bits)),
        _ => Fold::Op(Op::IConst(bits as i64)),
    };
    match op {
        Op::Binary(op, a, b) => {
            if let (Some(x), Some(y)) = (bits(*a), bits(*b)) {
                return binary(*op, x, y).map_or(Fold::Keep, |bits| constant(op.ty(), bits));
            }
            identity(*op, *a, *b, int(*a), int(*b))
        }
        Op::Unary(op @ (UnOp::Neg | UnOp::Not | UnOp::IntToFloat | UnOp::BitsToFloat), a)
        | Op::Unary(
            op @ (UnOp::FNeg | UnOp::FAbs | UnOp::FSqrt | UnOp::FFloor | UnOp::FloatToInt | UnOp::FloatToBits),
            a,
        ) => match bits(*a) {
            Some(bits) => unary(*op, bits).map_or(Fold::Keep, |bits| constant(op.result_ty(), bits)),
            None => Fold::Keep,
        },
        Op::Unary(UnOp::Cast(ty), a) => match at(*a) {
            Known::Null if ty.is_address() => Fold::Op(Op::Null(*ty)),
            Known::Null => Fold::Op(Op::IConst(0)),
            _ => Fold::Keep,
        },
        Op::Compare(cond, a, b) => {
            if let (Some(x), Some(y)) = (bits(*a), bits(*b)) {
                return Fold::Op(Op::IConst(compare(*cond, x, y).into()));
            }
            if a == b {
                match cond {
                    Cond::Eq | Cond::Le | Cond::Ge | Cond::ULe | Cond::UGe => return Fold::Op(Op::IConst(1)),
                    Cond::Ne | Cond::Lt | Cond::Gt | Cond::ULt | Cond::UGt | Cond::FLt | Cond::FGt => {
                        return Fold::Op(Op::IConst(0));
                    }
                    _ => {}
                }
            }
            let equal = match (at(*a), at(*b)) {
                (Known::Null, Known::NotNull | Known::Truth(_)) | (Known::NotNull | Known::Truth(_), Known::Null) => {
                    Some(false)
                }
                (Known::Truth(x), Known::Truth(y)) => Some(x == y),
                _ => None,
            };
            match (cond, equal) {
                (Cond::Eq, Some(equal)) => return Fold::Op(Op::IConst(equal.into())),
                (Cond::Ne, Some(equal)) => return Fold::Op(Op::IConst((!equal).into())),
                _ => {}
            }
            // A truth value compared with 0.
            if let (Known::Compare(inner, x, y), Known::Int(0)) = (at(*a), at(*b)) {
                match cond {
                    Cond::Ne => return Fold::Same(*a),
                    Cond::Eq => {
                        if let Some(inverse) = inverse(inner) {
                            return Fold::Op(Op::Compare(inverse, x, y));
                        }
                    }
                    _ => {}
                }
            }
            Fold::Keep
        }
        Op::Select(condition, a, b) => match int(*condition) {
            Some(0) => Fold::Same(*b),
            Some(_) => Fold::Same(*a),
            None if a == b => Fold::Same(*a),
            None => Fold::Keep,
        },
        Op::BinaryOrLeave(op, a, b, _) => match (op, int(*a), int(*b)) {
            (_, Some(x), Some(y)) => overflow(*op, x, y).map_or(Fold::Keep, |result| Fold::Op(Op::IConst(result))),
            (OverflowOp::Add | OverflowOp::Sub, _, Some(0)) | (OverflowOp::Mul, _, Some(1)) => Fold::Same(*a),
            (OverflowOp::Add, Some(0), _) | (OverflowOp::Mul, Some(1), _) => Fold::Same(*b),
            (OverflowOp::Mul, Some(0), _) | (OverflowOp::Mul, _, Some(0)) => Fold::Op(Op::IConst(0)),
            (OverflowOp::Sub, _, _) if a == b => Fold::Op(Op::IConst(0)),
            _ => Fold::Keep,
        },
        Op::Guard(condition, leave) => match int(*condition) {
            Some(0) => Fold::End(Op::Leave(leave.clone())),
            Some(_) => Fold::Drop,
            None => match at(*condition) {
                Known::Compare(Cond::Ne, a, b) if at(b) == Known::Int(0) && function.ty(a) == Ty::I64 => {
                    Fold::Op(Op::Guard(a, leave.clone()))
                }
                _ => Fold::Keep,
            },
        },
        Op::UnboxBool(a) => match at(*a) {
            Known::Truth(truth) => Fold::Op(Op::IConst(truth.into())),
            _ => Fold::Keep,
        },
        Op::BoxBool(_) => Fold::Keep,
        Op::XDecref(a) => match at(*a) {
            Known::Null => Fold::Drop,
            Known::NotNull | Known::Truth(_) => Fold::Op(Op::Decref(*a)),
            _ if !function.values[a.0 as usize].py.may_be_null() => Fold::Op(Op::Decref(*a)),
            _ => Fold::Keep,
        },
        Op::Branch(condition, then, otherwise) => match at(*condition) {
            Known::Int(number) => Fold::Op(Op::Jump(if number != 0 { then } else { otherwise }.clone())),
            _ if then == otherwise => Fold::Op(Op::Jump(then.clone())),
            // `x != 0` and `x == 0` are what a branch tests anyway.
            Known::Compare(cond @ (Cond::Eq | Cond::Ne), a, b)
                if at(b) == Known::Int(0) && function.ty(a) == Ty::I64 =>
            {
                let (then, otherwise) = if cond == Cond::Ne { (then, otherwise) } else { (otherwise, then) };
                Fold::Op(Op::Branch(a, then.clone(), otherwise.clone()))
            }
            _ => Fold::Keep,
        },
        Op::Switch(value, cases, default) => match int(*value) {
            Some(number) => {
                let target = usize::try_from(number).ok().and_then(|index| cases.get(index)).unwrap_or(default);
                Fold::Op(Op::Jump(target.clone()))
            }
            None if cases.is_empty() => Fold::Op(Op::Jump(default.clone())),
            None => Fold::Keep,
        },
        _ => Fold::Keep,
    }
}

/// Integer identities. Float ones are few and not worth their care for -0.0 and NaN.
fn identity(op: BinOp, a: Value, b: Value, x: Option<i64>, y: Option<i64>) -> Fold {
    use BinOp::*;
    match (op, x, y) {
        (Add | Sub | Or | Xor | Shl | AShr | LShr, _, Some(0)) | (Mul | SDiv, _, Some(1)) | (And, _, Some(-1)) => {
            Fold::Same(a)
        }
        (Add | Or | Xor, Some(0), _) | (Mul, Some(1), _) | (And, Some(-1), _) => Fold::Same(b),
        (Mul | And, _, Some(0)) | (Mul | And, Some(0), _) => Fold::Op(Op::IConst(0)),
        (SRem, _, Some(1)) => Fold::Op(Op::IConst(0)),
        (Sub | Xor, _, _) if a == b => Fold::Op(Op::IConst(0)),
        (And | Or, _, _) if a == b => Fold::Same(a),
        _ => Fold::Keep,
    }
}
