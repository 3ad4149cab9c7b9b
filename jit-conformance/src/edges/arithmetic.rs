//! Every operation on every edge case.
//!
//! *Problem*: generators are wrong at the ends of ranges, and where an operand is a constant or a comparison's result never
//! becomes a value. *Method*: each operation on all pairs of values at the edges, with both operands unknown and with either
//! one a constant; each comparison in every place where one may stand. *Invariant*: what the IR leaves undefined is left out.

use columba_jit_core::ir::op::{BinOp, Cond, FIRST_EXIT, Op, OverflowOp, Status, UnOp, Value};
use columba_jit_core::ir::types::Ty;

use crate::bench::{Bench, Compiled, NONE};
use crate::construct::{Build, to};
use crate::run::Check;

pub(crate) const CASES: &[(&str, Check)] = &[
    ("int operations", int_operations),
    ("float operations", float_operations),
    ("unary operations", unary_operations),
    ("int conditions", int_conditions),
    ("float conditions", float_conditions),
    ("overflow leaves", overflow_leaves),
];

const INTS: [i64; 13] = [i64::MIN, i64::MIN + 1, -(1 << 32), -3, -2, -1, 0, 1, 2, 7, 1 << 31, i64::MAX - 1, i64::MAX];

fn floats() -> Vec<f64> {
    let nan = f64::from_bits(0x7ff8_0000_0000_1234);
    vec![
        nan,
        -nan,
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1.0,
        -1.5,
        2.5,
        f64::MIN_POSITIVE / 2.0,
        f64::MAX,
        f64::MIN,
        4503599627370497.5,
    ]
}

/// Bits with all NaNs alike: which NaN comes out of arithmetic is nobody's promise.
fn canonical(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

fn one<'a>(bench: &'a Bench<'a>, ty: Ty, result: Ty, op: impl FnOnce(Value) -> Op) -> Compiled<'a> {
    let mut b = Build::new();
    let a = b.input(ty, 0);
    let r = b.op(result, op(a));
    b.ret(r);
    bench.compile_all(&b.function, &NONE)
}

/// `op` on two inputs; `fixed` replaces the second or first one by a constant.
fn two<'a>(
    bench: &'a Bench<'a>,
    ty: Ty,
    result: Ty,
    fixed: Option<(bool, i64)>,
    op: impl FnOnce(Value, Value) -> Op,
) -> Compiled<'a> {
    let mut b = Build::new();
    let (x, y) = (b.input(ty, 0), b.input(ty, 1));
    let (x, y) = match fixed {
        None => (x, y),
        Some((second, value)) => {
            let constant = b.int(value);
            if second { (x, constant) } else { (constant, y) }
        }
    };
    let r = b.op(result, op(x, y));
    b.ret(r);
    bench.compile_all(&b.function, &NONE)
}

fn int_result(op: BinOp, a: i64, b: i64) -> Option<i64> {
    Some(match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::And => a & b,
        BinOp::Or => a | b,
        BinOp::Xor => a ^ b,
        BinOp::Shl if (0..64).contains(&b) => a << b,
        BinOp::AShr if (0..64).contains(&b) => a >> b,
        BinOp::LShr if (0..64).contains(&b) => ((a as u64) >> b) as i64,
        BinOp::SDiv => a.checked_div(b)?,
        BinOp::SRem => a.checked_rem(b)?,
        _ => return None,
    })
}

fn int_operations(bench: &Bench<'_>) {
    use BinOp::*;
    for op in [Add, Sub, Mul, And, Or, Xor, Shl, AShr, LShr, SDiv, SRem] {
        let compiled = two(bench, Ty::I64, Ty::I64, None, |a, b| Op::Binary(op, a, b));
        let shifts = [31, 32, 62, 63];
        for a in INTS {
            for &b in INTS.iter().chain(&shifts) {
                if let Some(expected) = int_result(op, a, b) {
                    assert_eq!(compiled.value(&[a as u64, b as u64]) as i64, expected, "{op:?} {a} {b}");
                }
            }
        }
        for constant in INTS.iter().chain(&shifts).copied() {
            for second in [true, false] {
                let legal = |other: i64| {
                    let (a, b) = if second { (other, constant) } else { (constant, other) };
                    int_result(op, a, b)
                };
                if INTS.iter().all(|&other| legal(other).is_none()) {
                    continue;
                }
                let compiled = two(bench, Ty::I64, Ty::I64, Some((second, constant)), |a, b| Op::Binary(op, a, b));
                for other in INTS {
                    if let Some(expected) = legal(other) {
                        let got = compiled.value(&[other as u64, other as u64]) as i64;
                        assert_eq!(got, expected, "{op:?} constant {constant} (second: {second}), {other}");
                    }
                }
            }
        }
    }
}

fn float_operations(bench: &Bench<'_>) {
    use BinOp::*;
    for op in [FAdd, FSub, FMul, FDiv] {
        let compiled = two(bench, Ty::F64, Ty::F64, None, |a, b| Op::Binary(op, a, b));
        for a in floats() {
            for b in floats() {
                let expected = match op {
                    FAdd => a + b,
                    FSub => a - b,
                    FMul => a * b,
                    _ => a / b,
                };
                let got = f64::from_bits(compiled.value(&[a.to_bits(), b.to_bits()]));
                assert_eq!(canonical(got), canonical(expected), "{op:?} {a} {b}");
            }
        }
    }
}

fn unary_operations(bench: &Bench<'_>) {
    for (op, expected) in [(UnOp::Neg, i64::wrapping_neg as fn(i64) -> i64), (UnOp::Not, |a| !a)] {
        let compiled = one(bench, Ty::I64, Ty::I64, |a| Op::Unary(op, a));
        for a in INTS {
            assert_eq!(compiled.value(&[a as u64]) as i64, expected(a), "{op:?} {a}");
        }
    }
    let float_ops: [(UnOp, fn(f64) -> f64); 4] =
        [(UnOp::FNeg, |a| -a), (UnOp::FAbs, f64::abs), (UnOp::FSqrt, f64::sqrt), (UnOp::FFloor, f64::floor)];
    for (op, expected) in float_ops {
        let compiled = one(bench, Ty::F64, Ty::F64, |a| Op::Unary(op, a));
        for a in floats() {
            let got = f64::from_bits(compiled.value(&[a.to_bits()]));
            assert_eq!(canonical(got), canonical(expected(a)), "{op:?} {a}");
            if matches!(op, UnOp::FNeg | UnOp::FAbs) {
                assert_eq!(got.to_bits(), expected(a).to_bits(), "{op:?} keeps a NaN's payload");
            }
        }
    }
    let compiled = one(bench, Ty::I64, Ty::F64, |a| Op::Unary(UnOp::IntToFloat, a));
    for a in INTS.into_iter().chain([(1 << 53) + 1, -(1 << 53) - 1]) {
        assert_eq!(f64::from_bits(compiled.value(&[a as u64])), a as f64, "{a}");
    }
    let compiled = one(bench, Ty::F64, Ty::I64, |a| Op::Unary(UnOp::FloatToInt, a));
    for a in [0.0, -0.0, 0.9, -0.9, 1.5, -1.5, 1e18, -1e18, i64::MIN as f64, 9223372036854774784.0] {
        assert_eq!(compiled.value(&[a.to_bits()]) as i64, a as i64, "{a}");
    }
    for a in floats() {
        let bits = a.to_bits();
        assert_eq!(one(bench, Ty::F64, Ty::I64, |a| Op::Unary(UnOp::FloatToBits, a)).value(&[bits]), bits);
        assert_eq!(one(bench, Ty::I64, Ty::F64, |a| Op::Unary(UnOp::BitsToFloat, a)).value(&[bits]), bits);
        let mut b = Build::new();
        let constant = b.op(Ty::F64, Op::FConst(bits));
        b.ret(constant);
        assert_eq!(bench.compile_all(&b.function, &NONE).value(&[]), bits);
    }
    for (from, to) in [(Ty::Obj, Ty::Ptr), (Ty::I64, Ty::Ptr), (Ty::Ptr, Ty::I64), (Ty::Ptr, Ty::Obj)] {
        assert_eq!(one(bench, from, to, |a| Op::Unary(UnOp::Cast(to), a)).value(&[0xdead_beef_0123]), 0xdead_beef_0123);
    }
}

/// A comparison as a value, in a branch, in a guard, in a select, used twice, and with others.
fn compare_everywhere<'a>(bench: &'a Bench<'a>, ty: Ty, cond: Cond) -> [Compiled<'a>; 6] {
    let as_value = two(bench, ty, Ty::I64, None, |a, b| Op::Compare(cond, a, b));
    let build = |finish: &dyn Fn(&mut Build, Value, Value)| {
        let mut b = Build::new();
        let (x, y) = (b.input(ty, 0), b.input(ty, 1));
        let test = b.op(Ty::I64, Op::Compare(cond, x, y));
        finish(&mut b, test, x);
        bench.compile_all(&b.function, &NONE)
    };
    let returns = |b: &mut Build, value: i64| {
        let value = b.int(value);
        b.ret(value);
    };
    let in_branch = build(&|b, test, _| {
        let ((yes, _), (no, _)) = (b.block(&[]), b.block(&[]));
        b.branch(test, to(yes, &[]), to(no, &[]));
        b.at = yes;
        returns(b, 1);
        b.at = no;
        returns(b, 0);
    });
    let in_guard = build(&|b, test, x| {
        let leave = b.leave(&[x]);
        b.effect(Op::Guard(test, leave));
        returns(b, 1);
    });
    let in_select = build(&|b, test, _| {
        let (one, zero) = (b.int(1), b.int(0));
        let r = b.op(Ty::I64, Op::Select(test, one, zero));
        b.ret(r);
    });
    let twice = build(&|b, test, _| {
        let leave = b.leave(&[test]);
        b.effect(Op::Guard(test, leave));
        b.ret(test);
    });
    let logic = build(&|b, test, _| {
        let one = b.int(1);
        let other = b.op(Ty::I64, Op::Compare(Cond::Eq, one, one));
        let and = b.op(Ty::I64, Op::Binary(BinOp::And, test, other));
        let or = b.op(Ty::I64, Op::Binary(BinOp::Or, and, test));
        let xor = b.op(Ty::I64, Op::Binary(BinOp::Xor, or, other));
        let r = b.op(Ty::I64, Op::Binary(BinOp::Xor, xor, one));
        b.ret(r);
    });
    [as_value, in_branch, in_guard, in_select, twice, logic]
}

fn check_compare(compiled: &[Compiled<'_>; 6], x: u64, y: u64, expected: bool, what: &str) {
    for (index, compiled) in compiled.iter().enumerate() {
        let (status, out) = compiled.run(&[x, y], 0);
        let left = !expected && matches!(index, 2 | 4);
        assert_eq!(status, if left { FIRST_EXIT } else { Status::Returned as i64 }, "{what}, form {index}");
        let value = if index == 2 && left { x } else { u64::from(expected) };
        assert_eq!(out[0], value, "{what}, form {index}");
    }
}

fn int_conditions(bench: &Bench<'_>) {
    let conds: [(Cond, fn(i64, i64) -> bool); 10] = [
        (Cond::Eq, |a, b| a == b),
        (Cond::Ne, |a, b| a != b),
        (Cond::Lt, |a, b| a < b),
        (Cond::Le, |a, b| a <= b),
        (Cond::Gt, |a, b| a > b),
        (Cond::Ge, |a, b| a >= b),
        (Cond::ULt, |a, b| (a as u64) < b as u64),
        (Cond::ULe, |a, b| a as u64 <= b as u64),
        (Cond::UGt, |a, b| a as u64 > b as u64),
        (Cond::UGe, |a, b| a as u64 >= b as u64),
    ];
    for (cond, expected) in conds {
        let compiled = compare_everywhere(bench, Ty::I64, cond);
        for a in INTS {
            for b in INTS {
                check_compare(&compiled, a as u64, b as u64, expected(a, b), &format!("{cond:?} {a} {b}"));
            }
        }
    }
    for cond in [Cond::Eq, Cond::Ne] {
        let compiled = compare_everywhere(bench, Ty::Obj, cond);
        for (a, b) in [(0, 0), (0, 8), (1 << 40, 1 << 40)] {
            check_compare(&compiled, a, b, (a == b) == (cond == Cond::Eq), "addresses");
        }
    }
}

fn float_conditions(bench: &Bench<'_>) {
    let conds: [(Cond, fn(f64, f64) -> bool); 6] = [
        (Cond::FEq, |a, b| a == b),
        (Cond::FNe, |a, b| a != b),
        (Cond::FLt, |a, b| a < b),
        (Cond::FLe, |a, b| a <= b),
        (Cond::FGt, |a, b| a > b),
        (Cond::FGe, |a, b| a >= b),
    ];
    for (cond, expected) in conds {
        let compiled = compare_everywhere(bench, Ty::F64, cond);
        for a in floats() {
            for b in floats() {
                check_compare(&compiled, a.to_bits(), b.to_bits(), expected(a, b), &format!("{cond:?} {a} {b}"));
            }
        }
    }
}

fn overflow_leaves(bench: &Bench<'_>) {
    let ops: [(OverflowOp, fn(i64, i64) -> Option<i64>); 3] =
        [(OverflowOp::Add, i64::checked_add), (OverflowOp::Sub, i64::checked_sub), (OverflowOp::Mul, i64::checked_mul)];
    let build = |op, fixed: Option<(bool, i64)>| {
        let mut b = Build::new();
        let (x, y) = (b.input(Ty::I64, 0), b.input(Ty::I64, 1));
        let (x, y) = match fixed {
            None => (x, y),
            Some((second, value)) => {
                let constant = b.int(value);
                if second { (x, constant) } else { (constant, y) }
            }
        };
        let leave = b.leave(&[y, x]);
        let r = b.op(Ty::I64, Op::BinaryOrLeave(op, x, y, leave));
        b.ret(r);
        bench.compile_all(&b.function, &NONE)
    };
    let values = || INTS.into_iter().chain([1 << 62, -(1 << 62), 3037000499, 3037000500, -3037000500]);
    let check = |compiled: &Compiled<'_>, expected: Option<i64>, x: i64, y: i64, inputs: &[u64]| {
        let (status, out) = compiled.run(inputs, 0);
        match expected {
            Some(expected) => assert_eq!((status, out[0] as i64), (0, expected), "{x} {y}"),
            None => assert_eq!((status, out[0] as i64, out[1] as i64), (FIRST_EXIT, y, x), "{x} {y}"),
        }
    };
    for (op, expected) in ops {
        let compiled = build(op, None);
        for x in values() {
            for y in values() {
                check(&compiled, expected(x, y), x, y, &[x as u64, y as u64]);
            }
            let second = build(op, Some((true, x)));
            let first = build(op, Some((false, x)));
            for other in values() {
                let inputs = [other as u64, other as u64];
                check(&second, expected(other, x), other, x, &inputs);
                check(&first, expected(x, other), x, other, &inputs);
            }
        }
    }
}
