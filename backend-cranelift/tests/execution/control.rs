//! Leaving, branching, loops; many of everything.

use columba_jit_core::backend::{Broken, CompileError, Config};
use columba_jit_core::bytecode::line_table::LineTable;
use columba_jit_core::code::{CodeMemory, CodeOptions};
use columba_jit_core::disassembly::{Names, disassemble};
use columba_jit_core::ir::op::{BinOp, Block, Cond, FIRST_EXIT, Op, OverflowOp, Status, Target, UnOp, Value};
use columba_jit_core::ir::types::{PyTypes, Ty};

use crate::harness::{Build, NONE, compile, compile_all, configs, to};

#[test]
fn guards_write_their_values() {
    let mut b = Build::new();
    let ints: Vec<Value> = (0..20).map(|i| b.input(Ty::I64, i)).collect();
    let floats: Vec<Value> = (20..40).map(|i| b.input(Ty::F64, i)).collect();
    let pointers: Vec<Value> = (40..60).map(|i| b.input(Ty::Obj, i)).collect();
    let flags: Vec<Value> = ints[..4].iter().map(|&v| b.op(Ty::I64, Op::Compare(Cond::Lt, v, ints[3]))).collect();
    let all: Vec<Value> = [ints.clone(), floats, pointers, flags].concat();
    assert_eq!(all.len(), 64);
    let first = b.leave(&all);
    b.effect(Op::Guard(ints[0], first));
    let reversed: Vec<Value> = all.iter().rev().copied().collect();
    let second = b.leave(&reversed);
    b.effect(Op::Guard(ints[1], second));
    let none = b.leave(&[]);
    b.effect(Op::Leave(none));
    let compiled = compile_all(&b.function, &NONE);
    let inputs: Vec<u64> = (0..60).map(|i| i * 0x0123_4567_89ab_cdef).collect();
    let expect = |inputs: &[u64]| -> Vec<u64> {
        let flags = (0..4).map(|i| u64::from((inputs[i] as i64) < inputs[3] as i64));
        inputs.iter().copied().chain(flags).collect()
    };
    let (status, out) = compiled.run(&inputs, 0);
    assert_eq!((status, &out[..64]), (FIRST_EXIT, &expect(&inputs)[..]));
    let mut more = inputs.clone();
    (more[0], more[1]) = (5, 0);
    let (status, out) = compiled.run(&more, 0);
    let mut expected = expect(&more);
    expected.reverse();
    assert_eq!((status, &out[..64]), (FIRST_EXIT + 1, &expected[..]));
    more[1] = 1;
    let (status, out) = compiled.run(&more, 0);
    assert_eq!((status, out[0]), (FIRST_EXIT + 2, 0x5555_5555_5555_5555));
}

#[test]
fn statuses() {
    for status in [Status::Returned, Status::Raised, Status::Yielded] {
        let mut b = Build::new();
        b.effect(Op::Return(status, None));
        assert_eq!(compile_all(&b.function, &NONE).run(&[], 0).0, status as i64);
    }
    let mut b = Build::new();
    let null = b.op(Ty::Obj, Op::Null(Ty::Obj));
    b.effect(Op::Return(Status::Yielded, Some(null)));
    assert_eq!(compile_all(&b.function, &NONE).run(&[], 0).1[0], 0);
}

#[test]
fn switches() {
    for count in [0usize, 1, 3, 4, 5, 100] {
        let mut b = Build::new();
        let entry = b.entry();
        // All cases meet in one block, with different arguments.
        let (meet, params) = b.block(&[Ty::I64]);
        let cases: Vec<Target> = (0..count)
            .map(|k| {
                let value = b.int(1000 + k as i64);
                to(meet, &[value])
            })
            .collect();
        let other = b.int(-7);
        b.effect(Op::Switch(entry, cases, to(meet, &[other])));
        b.at = meet;
        b.ret(params[0]);
        let compiled = compile_all(&b.function, &NONE);
        for k in (-2..count as i64 + 2).chain([i64::MIN, i64::MAX, 1 << 32, (1 << 32) + 1]) {
            let expected = if (0..count as i64).contains(&k) { 1000 + k } else { -7 };
            assert_eq!(compiled.run(&[], k).1[0] as i64, expected, "{count} cases, {k}");
        }
    }
}

#[test]
fn loop_that_rotates_its_parameters() {
    // Six ints and three floats rotate in each turn; two of them swap.
    let mut b = Build::new();
    let n = b.entry();
    let types = [[Ty::I64; 6].as_slice(), &[Ty::F64; 3]].concat();
    let start: Vec<Value> = types.iter().enumerate().map(|(i, &ty)| b.input(ty, i)).collect();
    let zero = b.int(0);
    let (head, params) = b.block(&[&[Ty::I64], types.as_slice()].concat());
    let ((body, _), (done, _)) = (b.block(&[]), b.block(&[]));
    b.jump(head, &[&[zero], start.as_slice()].concat());
    b.at = head;
    let more = b.op(Ty::I64, Op::Compare(Cond::Lt, params[0], n));
    b.branch(more, to(body, &[]), to(done, &[]));
    b.at = body;
    let one = b.int(1);
    let leave = b.leave(&params);
    let next = b.op(Ty::I64, Op::BinaryOrLeave(OverflowOp::Add, params[0], one, leave));
    let v = &params[1..];
    let back = [next, v[1], v[2], v[3], v[0], v[5], v[4], v[7], v[8], v[6]];
    b.jump(head, &back);
    b.at = done;
    let leave = b.leave(v);
    b.effect(Op::Leave(leave));
    let compiled = compile_all(&b.function, &NONE);
    let mut expected: Vec<u64> = (0..9).map(|i| (i as f64 + 0.5).to_bits()).collect();
    let inputs = expected.clone();
    for turns in 0..13 {
        let (status, out) = compiled.run(&inputs, turns);
        assert_eq!((status, &out[..9]), (FIRST_EXIT + 1, &expected[..]), "{turns} turns");
        expected[..4].rotate_left(1);
        expected.swap(4, 5);
        expected[6..].rotate_left(1);
    }
}

#[test]
fn jumping_back_to_the_first_block() {
    // Counts down in memory: block 0 is its own loop header.
    let mut b = Build::new();
    let frame = b.op(Ty::Ptr, Op::Frame);
    let left = b.input(Ty::I64, 0);
    let one = b.int(1);
    let less = b.op(Ty::I64, Op::Binary(BinOp::Sub, left, one));
    let mem = columba_jit_core::ir::types::MemTy::I64;
    b.effect(Op::Store { mem, base: frame, offset: 0, value: less });
    let (done, _) = b.block(&[]);
    b.branch(less, to(Block(0), &[]), to(done, &[]));
    b.at = done;
    b.ret(less);
    assert_eq!(compile_all(&b.function, &NONE).value(&[1000]), 0);
}

#[test]
fn branch_with_both_edges_to_one_block() {
    let mut b = Build::new();
    let (x, y) = (b.input(Ty::I64, 0), b.input(Ty::I64, 1));
    let (meet, params) = b.block(&[Ty::I64, Ty::I64]);
    let less = b.op(Ty::I64, Op::Compare(Cond::Lt, x, y));
    b.branch(less, to(meet, &[x, y]), to(meet, &[y, x]));
    b.at = meet;
    let r = b.op(Ty::I64, Op::Binary(BinOp::Sub, params[1], params[0]));
    b.ret(r);
    let compiled = compile_all(&b.function, &NONE);
    assert_eq!((compiled.value(&[3, 10]), compiled.value(&[10, 3])), (7, 7));
}

#[test]
fn nested_cold_blocks() {
    // Blocks alternate between cold and not, and each passes values on; block order in the function is reversed.
    let depth = 40;
    let mut b = Build::new();
    let n = b.entry();
    let blocks: Vec<(Block, Vec<Value>)> = (0..depth).map(|_| b.block(&[Ty::I64])).collect();
    let (end, result) = b.block(&[Ty::I64]);
    for (i, (block, _)) in blocks.iter().enumerate() {
        if i % 3 != 0 {
            b.cold(*block);
        }
    }
    let zero = b.int(0);
    b.jump(blocks[depth - 1].0, &[zero]);
    for i in (0..depth).rev() {
        let (block, params) = &blocks[i];
        b.at = *block;
        let i_value = b.int(i as i64);
        let sum = b.op(Ty::I64, Op::Binary(BinOp::Add, params[0], i_value));
        if i == 0 {
            b.jump(end, &[sum]);
        } else {
            let stop = b.op(Ty::I64, Op::Compare(Cond::Eq, n, i_value));
            b.branch(stop, to(end, &[sum]), to(blocks[i - 1].0, &[sum]));
        }
    }
    b.at = end;
    let leave = b.leave(&[n, result[0]]);
    let even = {
        let one = b.int(1);
        b.op(Ty::I64, Op::Binary(BinOp::And, n, one))
    };
    b.effect(Op::Guard(even, leave));
    b.ret(result[0]);
    let compiled = compile_all(&b.function, &NONE);
    for n in 0..depth as i64 {
        let expected: i64 = (n..depth as i64).sum();
        let (status, out) = compiled.run(&[], n);
        if n % 2 == 1 {
            assert_eq!((status, out[0] as i64), (0, expected));
        } else {
            assert_eq!((status, out[0] as i64, out[1] as i64), (FIRST_EXIT, n, expected));
        }
    }
}

#[test]
fn cold_block_that_dominates_another() {
    let mut b = Build::new();
    let n = b.entry();
    let ((cold, _), (after, _), (no, _)) = (b.block(&[]), b.block(&[]), b.block(&[]));
    b.cold(cold);
    b.branch(n, to(cold, &[]), to(no, &[]));
    b.at = cold;
    let five = b.int(5);
    let x = b.op(Ty::I64, Op::Binary(BinOp::Mul, n, five));
    b.jump(after, &[]);
    b.at = after;
    b.ret(x);
    b.at = no;
    b.ret(n);
    let compiled = compile_all(&b.function, &NONE);
    assert_eq!((compiled.run(&[], 4).1[0], compiled.run(&[], 0).1[0]), (20, 0));
}

#[test]
fn thousands_of_values_all_alive() {
    let mut b = Build::new();
    let x = b.entry();
    let values: Vec<Value> = (0..2500)
        .map(|i| {
            let k = b.int(i * i + 1);
            b.op(Ty::I64, Op::Binary(BinOp::Mul, x, k))
        })
        .collect();
    let floats: Vec<Value> = values.iter().map(|&v| b.op(Ty::F64, Op::Unary(UnOp::IntToFloat, v))).collect();
    let mut sum = b.int(0);
    let mut float_sum = b.float(0.0);
    for (&v, &f) in values.iter().zip(&floats).rev() {
        sum = b.op(Ty::I64, Op::Binary(BinOp::Xor, sum, v));
        float_sum = b.op(Ty::F64, Op::Binary(BinOp::FAdd, float_sum, f));
    }
    let leave = b.leave(&[sum, float_sum]);
    b.effect(Op::Leave(leave));
    let (mut expected, mut expected_float) = (0, 0.0);
    for v in (0..2500).map(|i: i64| 3 * (i * i + 1)).rev() {
        expected ^= v;
        expected_float += v as f64;
    }
    let (_, out) = compile_all(&b.function, &NONE).run(&[], 3);
    assert_eq!((out[0] as i64, f64::from_bits(out[1])), (expected, expected_float));
}

/// A chain of blocks with guards and joins: size is what matters.
fn large(blocks: usize) -> Build {
    let mut b = Build::new();
    let mut a = b.entry();
    let mut c = b.input(Ty::F64, 0);
    for i in 0..blocks {
        b.origin = i as u32 * 2;
        let ((left, _), (right, _)) = (b.block(&[]), b.block(&[]));
        let (meet, params) = b.block(&[Ty::I64, Ty::F64]);
        let k = b.int(i as i64);
        let test = b.op(Ty::I64, Op::Compare(Cond::Lt, a, k));
        b.branch(test, to(left, &[]), to(right, &[]));
        b.at = left;
        let one = b.int(1);
        let leave = b.leave(&[a, c, k]);
        let more = b.op(Ty::I64, Op::BinaryOrLeave(OverflowOp::Add, a, one, leave));
        b.jump(meet, &[more, c]);
        b.at = right;
        let f = b.op(Ty::F64, Op::Unary(UnOp::IntToFloat, a));
        let f = b.op(Ty::F64, Op::Binary(BinOp::FAdd, c, f));
        let test = b.op(Ty::I64, Op::Compare(Cond::FEq, f, f));
        let leave = b.leave(&[a, f]);
        b.effect(Op::Guard(test, leave));
        b.jump(meet, &[a, f]);
        b.at = meet;
        (a, c) = (params[0], params[1]);
    }
    let leave = b.leave(&[a, c]);
    b.effect(Op::Leave(leave));
    b
}

#[test]
fn thousands_of_blocks() {
    // Large enough for the other register allocator of the fast mode.
    let blocks = 3000;
    let b = large(blocks);
    let compiled = compile_all(&b.function, &NONE);
    for start in [0i64, 17, 5000, -5] {
        let (mut a, mut c) = (start, 0.25);
        for i in 0..blocks as i64 {
            if a < i {
                a += 1;
            } else {
                c += a as f64;
            }
        }
        let (_, out) = compiled.run(&[0.25f64.to_bits()], start);
        assert_eq!((out[0] as i64, f64::from_bits(out[1])), (a, c));
    }
}

#[test]
fn deep_chain_does_not_exhaust_the_stack() {
    let mut b = Build::new();
    for _ in 0..20_000 {
        let (next, _) = b.block(&[]);
        b.jump(next, &[]);
        b.at = next;
    }
    let n = b.entry();
    b.ret(n);
    assert_eq!(compile_all(&b.function, &NONE).run(&[], 9).1[0], 9);
}

#[test]
fn unreachable_blocks_are_left_out() {
    let mut b = Build::new();
    let n = b.entry();
    b.ret(n);
    let (dead, params) = b.block(&[Ty::I64]);
    b.at = dead;
    b.effect(Op::SetIp(3));
    b.ret(params[0]);
    assert_eq!(compile_all(&b.function, &NONE).run(&[], 9).1[0], 9);
}

#[test]
fn refusals_are_typed() {
    let memory = CodeMemory::new(CodeOptions::default());
    let refuse = |b: &Build| match compile(&b.function, &NONE, &Config::default(), &memory) {
        Err(CompileError::Broken(broken)) => broken,
        other => panic!("{:?}", other.map(|entry| entry.code_size())),
    };
    let mut b = Build::new();
    let object = b.input(Ty::Obj, 0);
    b.op(Ty::I64, Op::IsType(object, PyTypes::INT));
    b.effect(Op::Unreachable);
    assert!(matches!(refuse(&b), Broken::PythonOp { block: Block(0), .. }));
    assert!(matches!(refuse(&Build::new()), Broken::Terminator { .. }));
    let mut b = Build::new();
    b.ret(Value(7000));
    assert!(matches!(refuse(&b), Broken::Undefined { value: Value(7000), .. }));
    let mut b = Build::new();
    b.jump(Block(9), &[]);
    assert!(matches!(refuse(&b), Broken::Edge { to: Block(9), .. }));
    let mut b = Build::new();
    let later = b.function.new_value(Ty::I64);
    b.ret(later);
    assert!(matches!(refuse(&b), Broken::Undefined { .. }));
    // And a refusal leaves nothing behind for the next function.
    let mut b = Build::new();
    let n = b.entry();
    b.ret(n);
    assert_eq!(compile_all(&b.function, &NONE).run(&[], 3).1[0], 3);
}

#[test]
fn listings_have_names_and_origins() {
    let b = large(3);
    let memory = CodeMemory::new(CodeOptions::default());
    for config in configs() {
        let config = Config { origins: true, ..config };
        let compiled = compile(&b.function, &NONE, &config, &memory).unwrap();
        let code = compiled.code.as_ref().unwrap();
        let listing =
            disassemble(code.bytes(), code.as_ptr() as u64, &compiled.origins, &LineTable::default(), &Names::new());
        for origin in ["@0 ", "@2 ", "@4 "] {
            assert!(listing.contains(origin), "{origin}\n{listing}");
        }
        assert!(listing.contains("push rbp"), "frame pointers are kept\n{listing}");
        assert!(!listing.contains("(bad)"), "{listing}");
    }
}
