//! Leaving, branching, loops; many of everything.
//!
//! *Problem*: edges move values, and moves have an order; exits store many values of several classes; size brings out what
//! is quadratic, recursive, or does not fit an encoding. *Method*: functions built by hand whose results are computed here.
//! *Invariant*: all words of the out buffer that a function does not write keep what they held.

use columba_jit_core::backend::{Broken, Caps, CompileError, Config};
use columba_jit_core::bytecode::line_table::LineTable;
use columba_jit_core::disassembly::{Names, disassemble};
use columba_jit_core::ir::op::{BinOp, Block, Cond, FIRST_EXIT, Op, OverflowOp, Status, Target, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, PyTypes, Ty};

use crate::bench::{Bench, NONE, OUT, POISON};
use crate::construct::{Build, to};
use crate::run::Check;

pub(crate) const CASES: &[(&str, Check)] = &[
    ("guards write their values", guards_write_their_values),
    ("statuses", statuses),
    ("switches", switches),
    ("loop that rotates its parameters", loop_that_rotates_its_parameters),
    ("jumping back to the first block", jumping_back_to_the_first_block),
    ("branch with both edges to one block", branch_with_both_edges_to_one_block),
    ("nested cold blocks", nested_cold_blocks),
    ("cold block that dominates another", cold_block_that_dominates_another),
    ("thousands of values all alive", thousands_of_values_all_alive),
    ("thousands of blocks", thousands_of_blocks),
    ("deep chain does not exhaust the stack", deep_chain_does_not_exhaust_the_stack),
    ("unreachable blocks are left out", unreachable_blocks_are_left_out),
    ("refusals are typed", refusals_are_typed),
    ("listings have names and origins", listings_have_names_and_origins),
    ("conditions are whole words", conditions_are_whole_words),
    ("selects of every type", selects_of_every_type),
    ("more values than registers", more_values_than_registers),
    ("every permutation on a back edge", every_permutation_on_a_back_edge),
    ("parameters that fan out", parameters_that_fan_out),
    ("hundreds of block parameters", hundreds_of_block_parameters),
    ("divisions and shifts leave other values alone", divisions_and_shifts_leave_other_values_alone),
    ("bits of floats survive moves", bits_of_floats_survive_moves),
    ("many exits", many_exits),
];

fn guards_write_their_values(bench: &Bench<'_>) {
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
    let compiled = bench.compile_all(&b.function, &NONE);
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
    assert_eq!((status, out[0]), (FIRST_EXIT + 2, POISON));
}

fn statuses(bench: &Bench<'_>) {
    for status in [Status::Returned, Status::Raised, Status::Yielded, Status::Finished] {
        let mut b = Build::new();
        b.effect(Op::Return(status, None));
        assert_eq!(bench.compile_all(&b.function, &NONE).run(&[], 0).0, status as i64);
    }
    let mut b = Build::new();
    let null = b.op(Ty::Obj, Op::Null(Ty::Obj));
    b.effect(Op::Return(Status::Yielded, Some(null)));
    assert_eq!(bench.compile_all(&b.function, &NONE).run(&[], 0).1[0], 0);
}

fn switches(bench: &Bench<'_>) {
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
        let compiled = bench.compile_all(&b.function, &NONE);
        for k in (-2..count as i64 + 2).chain([i64::MIN, i64::MAX, 1 << 32, (1 << 32) + 1]) {
            let expected = if (0..count as i64).contains(&k) { 1000 + k } else { -7 };
            assert_eq!(compiled.run(&[], k).1[0] as i64, expected, "{count} cases, {k}");
        }
    }
}

fn loop_that_rotates_its_parameters(bench: &Bench<'_>) {
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
    let compiled = bench.compile_all(&b.function, &NONE);
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

fn jumping_back_to_the_first_block(bench: &Bench<'_>) {
    // Counts down in memory: block 0 is its own loop header.
    let mut b = Build::new();
    let frame = b.op(Ty::Ptr, Op::Frame);
    let left = b.input(Ty::I64, 0);
    let one = b.int(1);
    let less = b.op(Ty::I64, Op::Binary(BinOp::Sub, left, one));
    b.effect(Op::Store { mem: MemTy::I64, base: frame, offset: 0, value: less });
    let (done, _) = b.block(&[]);
    b.branch(less, to(Block(0), &[]), to(done, &[]));
    b.at = done;
    b.ret(less);
    assert_eq!(bench.compile_all(&b.function, &NONE).value(&[1000]), 0);
}

fn branch_with_both_edges_to_one_block(bench: &Bench<'_>) {
    let mut b = Build::new();
    let (x, y) = (b.input(Ty::I64, 0), b.input(Ty::I64, 1));
    let (meet, params) = b.block(&[Ty::I64, Ty::I64]);
    let less = b.op(Ty::I64, Op::Compare(Cond::Lt, x, y));
    b.branch(less, to(meet, &[x, y]), to(meet, &[y, x]));
    b.at = meet;
    let r = b.op(Ty::I64, Op::Binary(BinOp::Sub, params[1], params[0]));
    b.ret(r);
    let compiled = bench.compile_all(&b.function, &NONE);
    assert_eq!((compiled.value(&[3, 10]), compiled.value(&[10, 3])), (7, 7));
}

fn nested_cold_blocks(bench: &Bench<'_>) {
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
    let compiled = bench.compile_all(&b.function, &NONE);
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

fn cold_block_that_dominates_another(bench: &Bench<'_>) {
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
    let compiled = bench.compile_all(&b.function, &NONE);
    assert_eq!((compiled.run(&[], 4).1[0], compiled.run(&[], 0).1[0]), (20, 0));
}

fn thousands_of_values_all_alive(bench: &Bench<'_>) {
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
    let (_, out) = bench.compile_all(&b.function, &NONE).run(&[], 3);
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

fn thousands_of_blocks(bench: &Bench<'_>) {
    // Large enough for the other register allocator of the fast mode.
    let blocks = 3000;
    let b = large(blocks);
    let compiled = bench.compile_all(&b.function, &NONE);
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

fn deep_chain_does_not_exhaust_the_stack(bench: &Bench<'_>) {
    let mut b = Build::new();
    for _ in 0..20_000 {
        let (next, _) = b.block(&[]);
        b.jump(next, &[]);
        b.at = next;
    }
    let n = b.entry();
    b.ret(n);
    assert_eq!(bench.compile_all(&b.function, &NONE).run(&[], 9).1[0], 9);
}

fn unreachable_blocks_are_left_out(bench: &Bench<'_>) {
    let mut b = Build::new();
    let n = b.entry();
    b.ret(n);
    let (dead, params) = b.block(&[Ty::I64]);
    b.at = dead;
    b.effect(Op::SetIp(3));
    b.ret(params[0]);
    assert_eq!(bench.compile_all(&b.function, &NONE).run(&[], 9).1[0], 9);
}

fn refusals_are_typed(bench: &Bench<'_>) {
    let refuse = |b: &Build| match bench.compile(&b.function, &NONE, &Config::default()) {
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
    assert_eq!(bench.compile_all(&b.function, &NONE).run(&[], 3).1[0], 3);
}

fn listings_have_names_and_origins(bench: &Bench<'_>) {
    let b = large(3);
    let caps = bench.backend().caps();
    if !caps.contains(Caps::NATIVE | Caps::ORIGINS) {
        // What is not offered may not be claimed.
        let config = Config { origins: true, ..Config::default() };
        let compiled = bench.compile(&b.function, &NONE, &config).unwrap();
        assert_eq!(compiled.code.is_some(), caps.contains(Caps::NATIVE));
        assert!(compiled.origins.is_empty());
        return;
    }
    for &config in bench.configs() {
        let config = Config { origins: true, ..config };
        let compiled = bench.compile(&b.function, &NONE, &config).unwrap();
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

/// Any bit of a condition counts.
fn conditions_are_whole_words(bench: &Bench<'_>) {
    let build = |finish: &dyn Fn(&mut Build, Value)| {
        let mut b = Build::new();
        let cond = b.input(Ty::I64, 0);
        finish(&mut b, cond);
        bench.compile_all(&b.function, &NONE)
    };
    let branch = build(&|b, cond| {
        let ((yes, _), (no, _)) = (b.block(&[]), b.block(&[]));
        b.branch(cond, to(yes, &[]), to(no, &[]));
        for (block, mark) in [(yes, 1), (no, 0)] {
            b.at = block;
            let mark = b.int(mark);
            b.ret(mark);
        }
    });
    let guard = build(&|b, cond| {
        let leave = b.leave(&[cond]);
        b.effect(Op::Guard(cond, leave));
        b.ret(cond);
    });
    let select = build(&|b, cond| {
        let (yes, no) = (b.int(1), b.int(0));
        let chosen = b.op(Ty::I64, Op::Select(cond, yes, no));
        b.ret(chosen);
    });
    let float_select = build(&|b, cond| {
        let (yes, no) = (b.float(1.0), b.float(-0.0));
        let chosen = b.op(Ty::F64, Op::Select(cond, yes, no));
        b.ret(chosen);
    });
    for cond in [0u64, 1, 2, 0x100, 0x1_0000, 1 << 31, 1 << 32, 1 << 63, u64::MAX, u64::MAX << 32] {
        let holds = cond != 0;
        assert_eq!(branch.value(&[cond]), u64::from(holds), "branch on {cond:#x}");
        let (status, out) = guard.run(&[cond], 0);
        assert_eq!((status, out[0]), (if holds { 0 } else { FIRST_EXIT }, cond), "guard of {cond:#x}");
        assert_eq!(select.value(&[cond]), u64::from(holds), "select by {cond:#x}");
        let expected: f64 = if holds { 1.0 } else { -0.0 };
        assert_eq!(float_select.value(&[cond]), expected.to_bits(), "select of floats by {cond:#x}");
    }
}

fn selects_of_every_type(bench: &Bench<'_>) {
    for ty in [Ty::I64, Ty::F64, Ty::Obj, Ty::Ptr] {
        for by_comparison in [false, true] {
            let mut b = Build::new();
            let (x, y, cond) = (b.input(ty, 0), b.input(ty, 1), b.input(Ty::I64, 2));
            let cond = if by_comparison {
                let zero = b.int(0);
                b.op(Ty::I64, Op::Compare(Cond::Ne, cond, zero))
            } else {
                cond
            };
            let chosen = b.op(ty, Op::Select(cond, x, y));
            let same = b.op(ty, Op::Select(cond, y, y));
            let leave = b.leave(&[chosen, same, x, y]);
            b.effect(Op::Leave(leave));
            let compiled = bench.compile_all(&b.function, &NONE);
            let (x, y) = (0x7ff8_0000_0000_0abc, 0x8000_0000_0000_0000);
            assert_eq!(compiled.run(&[x, y, 1], 0).1[..4], [x, y, x, y], "{ty:?}");
            assert_eq!(compiled.run(&[x, y, 0], 0).1[..4], [y, y, x, y], "{ty:?}");
        }
    }
}

/// Counts up to the entry number with `ints` and `floats` carried around the loop, each changed in each turn.
fn pressure(ints: usize, floats: usize) -> Build {
    let mut b = Build::new();
    let n = b.entry();
    let types = [vec![Ty::I64; ints], vec![Ty::F64; floats]].concat();
    let start: Vec<Value> = types.iter().enumerate().map(|(i, &ty)| b.input(ty, i)).collect();
    let zero = b.int(0);
    let (head, params) = b.block(&[&[Ty::I64], types.as_slice()].concat());
    let ((turn, _), (done, _)) = (b.block(&[]), b.block(&[]));
    b.jump(head, &[&[zero], start.as_slice()].concat());
    b.at = head;
    let more = b.op(Ty::I64, Op::Compare(Cond::Lt, params[0], n));
    b.branch(more, to(turn, &[]), to(done, &[]));
    b.at = turn;
    let one = b.int(1);
    let leave = b.leave(&params);
    let mut back = vec![b.op(Ty::I64, Op::BinaryOrLeave(OverflowOp::Add, params[0], one, leave))];
    for i in 0..ints {
        // Each takes its neighbour's value too, so that all live at once.
        back.push(b.op(Ty::I64, Op::Binary(BinOp::Sub, params[1 + i], params[1 + (i + 1) % ints])));
    }
    for i in 0..floats {
        let other = params[1 + ints + (i + 1) % floats];
        back.push(b.op(Ty::F64, Op::Binary(BinOp::FSub, params[1 + ints + i], other)));
    }
    b.jump(head, &back);
    b.at = done;
    let leave = b.leave(&params[1..]);
    b.effect(Op::Leave(leave));
    b
}

fn more_values_than_registers(bench: &Bench<'_>) {
    for (ints, floats) in [(3, 3), (11, 13), (12, 14), (13, 15), (14, 16), (25, 0), (0, 30), (35, 35)] {
        let compiled = bench.compile_all(&pressure(ints, floats).function, &NONE);
        let mut a: Vec<i64> = (0..ints as i64).map(|i| i * i * 7 - 20).collect();
        let mut f: Vec<f64> = (0..floats).map(|i| i as f64 * 1.25 - 3.0).collect();
        let words = |a: &[i64], f: &[f64]| -> Vec<u64> {
            a.iter().map(|&v| v as u64).chain(f.iter().map(|v| v.to_bits())).collect()
        };
        let inputs = words(&a, &f);
        for turns in 0..9 {
            let (status, out) = compiled.run(&inputs, turns);
            let expected = words(&a, &f);
            let carried = &out[..ints + floats];
            assert_eq!((status, carried), (FIRST_EXIT + 1, &expected[..]), "{ints} {floats} {turns} turns");
            assert!(out[ints + floats..].iter().all(|&word| word == POISON), "more was written than the exit's values");
            a = (0..ints).map(|i| a[i].wrapping_sub(a[(i + 1) % ints])).collect();
            f = (0..floats).map(|i| f[i] - f[(i + 1) % floats]).collect();
        }
    }
}

fn every_permutation_on_a_back_edge(bench: &Bench<'_>) {
    // Four ints and four floats, permuted in each turn; parameters beyond the registers' number go along unmoved.
    for extra in [0, 20] {
        for code in 0..24usize {
            let mut rest = vec![0, 1, 2, 3];
            let order = [code / 6, code % 6 / 2, code % 2, 0].map(|index| rest.remove(index));
            let mut b = Build::new();
            let n = b.entry();
            let types = [[Ty::I64; 4].as_slice(), &[Ty::F64; 4], &vec![Ty::I64; extra]].concat();
            let start: Vec<Value> = types.iter().enumerate().map(|(i, &ty)| b.input(ty, i)).collect();
            let (head, params) = b.block(&[&[Ty::I64], types.as_slice()].concat());
            let ((turn, _), (done, _)) = (b.block(&[]), b.block(&[]));
            b.jump(head, &[&[n], start.as_slice()].concat());
            b.at = head;
            b.branch(params[0], to(turn, &[]), to(done, &[]));
            b.at = turn;
            let one = b.int(1);
            let mut back = vec![b.op(Ty::I64, Op::Binary(BinOp::Sub, params[0], one))];
            back.extend(order.iter().map(|&i| params[1 + i]));
            back.extend(order.iter().map(|&i| params[5 + i]));
            back.extend(&params[9..]);
            b.jump(head, &back);
            b.at = done;
            let leave = b.leave(&params[1..]);
            b.effect(Op::Leave(leave));
            let compiled = bench.compile_all(&b.function, &NONE);
            let inputs: Vec<u64> = (0..types.len() as u64).map(|i| i * 1000 + 1).collect();
            let mut expected = inputs.clone();
            for turns in 0..5 {
                let (_, out) = compiled.run(&inputs, turns);
                assert_eq!(out[..types.len()], expected[..], "{order:?}, {turns} turns");
                let before = expected.clone();
                for i in 0..4 {
                    (expected[i], expected[4 + i]) = (before[order[i]], before[4 + order[i]]);
                }
            }
        }
    }
}

/// Arguments that are copied to several parameters while their own parameter changes.
fn parameters_that_fan_out(bench: &Bench<'_>) {
    let mut b = Build::new();
    let n = b.entry();
    let start: Vec<Value> = (0..6).map(|i| b.input(Ty::I64, i)).collect();
    let (head, p) = b.block(&[Ty::I64; 7]);
    let ((turn, _), (done, _)) = (b.block(&[]), b.block(&[]));
    b.jump(head, &[&[n], start.as_slice()].concat());
    b.at = head;
    b.branch(p[0], to(turn, &[]), to(done, &[]));
    b.at = turn;
    let one = b.int(1);
    let less = b.op(Ty::I64, Op::Binary(BinOp::Sub, p[0], one));
    b.jump(head, &[less, p[2], p[1], p[1], p[3], p[2], p[5]]);
    b.at = done;
    let leave = b.leave(&p[1..]);
    b.effect(Op::Leave(leave));
    let compiled = bench.compile_all(&b.function, &NONE);
    let mut expected: [u64; 6] = [10, 20, 30, 40, 50, 60];
    let inputs = expected;
    for turns in 0..6 {
        assert_eq!(compiled.run(&inputs, turns).1[..6], expected, "{turns} turns");
        let [a, b, c, _, e, _] = expected;
        expected = [b, a, a, c, b, e];
    }
}

fn hundreds_of_block_parameters(bench: &Bench<'_>) {
    // They rotate, through a frame of many pages.
    let count = 700;
    let mut b = Build::new();
    let n = b.entry();
    let types: Vec<Ty> = (0..count).map(|i| if i % 2 == 0 { Ty::I64 } else { Ty::F64 }).collect();
    let start: Vec<Value> = types.iter().enumerate().map(|(i, &ty)| b.input(ty, i)).collect();
    let (head, params) = b.block(&[&[Ty::I64], types.as_slice()].concat());
    let ((turn, _), (done, _)) = (b.block(&[]), b.block(&[]));
    b.jump(head, &[&[n], start.as_slice()].concat());
    b.at = head;
    b.branch(params[0], to(turn, &[]), to(done, &[]));
    b.at = turn;
    let one = b.int(1);
    let mut back = vec![b.op(Ty::I64, Op::Binary(BinOp::Sub, params[0], one))];
    back.extend((0..count).map(|i| params[1 + (i + 2) % count]));
    b.jump(head, &back);
    b.at = done;
    let leave = b.leave(&params[1..]);
    b.effect(Op::Leave(leave));
    for entry in &bench.compile_all(&b.function, &NONE).entries {
        for turns in [0usize, 1, 2, 100] {
            let mut inputs: Vec<u64> = (0..count as u64).map(|i| i * 31).collect();
            let mut out = vec![POISON; count + 1];
            // SAFETY: reads and writes `count` words.
            let status =
                unsafe { bench.call(entry, std::ptr::null_mut(), inputs.as_mut_ptr(), out.as_mut_ptr(), turns as i64) };
            assert_eq!(status, FIRST_EXIT);
            inputs.rotate_left(2 * turns);
            inputs.push(POISON);
            assert_eq!(out, inputs);
        }
    }
}

fn divisions_and_shifts_leave_other_values_alone(bench: &Bench<'_>) {
    // With everything alive, so that registers which an instruction insists on are wanted by all.
    for live in [1, 6, 12, 20] {
        let mut b = Build::new();
        let inputs: Vec<Value> = (0..live + 2).map(|i| b.input(Ty::I64, i)).collect();
        let (x, y) = (inputs[live], inputs[live + 1]);
        let mut results = Vec::new();
        for op in [BinOp::SDiv, BinOp::SRem, BinOp::Shl, BinOp::AShr, BinOp::LShr] {
            results.push(b.op(Ty::I64, Op::Binary(op, x, y)));
            results.push(b.op(Ty::I64, Op::Binary(op, y, x)));
        }
        results.extend(&inputs);
        let leave = b.leave(&results);
        b.effect(Op::Leave(leave));
        let compiled = bench.compile_all(&b.function, &NONE);
        let mut words: Vec<u64> = (100..100 + live as u64).collect();
        words.extend([61, 7]);
        let (_, out) = compiled.run(&words, 0);
        let (x, y) = (61u64, 7u64);
        assert_eq!(out[..10], [x / y, y / x, x % y, y % x, x << y, y << x, x >> y, y >> x, x >> y, y >> x]);
        assert_eq!(out[10..10 + words.len()], words[..]);
    }
}

/// Signalling NaNs, denormals and zeros that are only moved.
fn bits_of_floats_survive_moves(bench: &Bench<'_>) {
    for bits in
        [0x7ff0_0000_0000_0001u64, 0xfff4_dead_beef_0000, 0x7ff8_0000_0000_1234, 1, 1 << 63, 0x3ff0_0000_0000_0001]
    {
        let mut b = Build::new();
        let constant = b.op(Ty::F64, Op::FConst(bits));
        let moved = b.input(Ty::F64, 0);
        let negated = b.op(Ty::F64, Op::Unary(UnOp::FNeg, moved));
        let as_int = b.op(Ty::I64, Op::Unary(UnOp::FloatToBits, constant));
        let (next, params) = b.block(&[Ty::F64, Ty::F64, Ty::F64]);
        b.jump(next, &[negated, constant, moved]);
        b.at = next;
        let leave = b.leave(&[params[1], params[2], params[0], as_int]);
        b.effect(Op::Leave(leave));
        let (_, out) = bench.compile_all(&b.function, &NONE).run(&[bits], 0);
        assert_eq!(out[..4], [bits, bits, bits ^ 1 << 63, bits]);
    }
}

/// Exits keep their numbers, however many there are, and several guards may share one.
fn many_exits(bench: &Bench<'_>) {
    let count = 300;
    let mut b = Build::new();
    let n = b.entry();
    let leaves: Vec<_> = (0..count).map(|_| b.leave(&[n])).collect();
    for (k, leave) in leaves.iter().enumerate().rev() {
        let k = b.int(k as i64);
        let test = b.op(Ty::I64, Op::Compare(Cond::Ne, n, k));
        b.effect(Op::Guard(test, leave.clone()));
    }
    // The first exit again, with another value: another place in the code, the same number.
    let limit = b.int(1000);
    let test = b.op(Ty::I64, Op::Compare(Cond::Lt, n, limit));
    let mut other = leaves[0].clone();
    other.values = vec![limit];
    b.effect(Op::Guard(test, other));
    b.ret(n);
    let compiled = bench.compile_all(&b.function, &NONE);
    for k in 0..count as i64 {
        let (status, out) = compiled.run(&[], k);
        assert_eq!((status, out[0]), (FIRST_EXIT + k, k as u64));
    }
    assert_eq!(compiled.run(&[], -1), (0, [&[u64::MAX][..], &[POISON; OUT - 1]].concat()));
    assert_eq!(compiled.run(&[], 5000), (FIRST_EXIT, [&[1000][..], &[POISON; OUT - 1]].concat()));
}
