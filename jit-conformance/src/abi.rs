//! The calling convention, both ways: as callee of whoever enters the code, as caller of helpers.
//!
//! *Problem*: a wrong argument register, a misaligned stack or a clobbered register is seen by chance only, if at all.
//! *Method*: entries are called through [`crate::witness::enter`], as in all sections; here every helper signature of the
//! table is called with [`crate::witness::witness`] in the helper's place, with values alive across the call. *Invariant*:
//! every argument position is compared by all its 64 bits. Longer signatures than the table's: [`crate::run_direct_calls`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::c_void;

use columba_jit_core::backend::EntryFn;
use columba_jit_core::emitter::MachineTy;
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::op::{BinOp, FIRST_EXIT, Op, Symbol, UnOp, Value};
use columba_jit_core::ir::types::{PyTypes, Ty};

use crate::bench::{Bench, Fake, NONE, OUT, POISON};
use crate::construct::{Build, to};
use crate::reference::signature_of;
use crate::run::Case;
use crate::witness::{expect_calls, seen, witness_address};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("helpers by resolver", helpers_by_resolver),
        Case::new("stack is aligned and values survive calls", stack_is_aligned_and_values_survive_calls),
        Case::new("parameters of the function", parameters_of_the_function),
        Case::new("entry numbers", entry_numbers),
        Case::new("entries keep their own context", entries_keep_their_own_context),
        Case::new("recursion", recursion),
        Case::new("values live across calls in loops", values_live_across_calls_in_loops),
    ];
    // One helper for each signature that the table has.
    let mut signatures = BTreeSet::new();
    for &helper in Helper::ALL {
        let signature = signature_of(helper);
        if signatures.insert(format!("{signature:?}")) {
            let name = format!("arguments of {}", helper.name());
            cases.push(Case::new(format!("{name} where it is cold"), move |bench| arguments_of(bench, helper, true)));
            cases.push(Case::new(name, move |bench| arguments_of(bench, helper, false)));
        }
    }
    cases
}

thread_local! {
    static SEEN: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn note(values: &[u64]) {
    SEEN.with_borrow_mut(|seen| seen.extend_from_slice(values));
}

extern "C" fn no_arguments() -> u64 {
    note(&[100]);
    0xabc0
}
extern "C" fn one_float(a: f64) -> u64 {
    note(&[101, a.to_bits()]);
    a.to_bits() ^ 1
}
extern "C" fn two_floats(a: f64, b: f64) -> f64 {
    note(&[102, a.to_bits(), b.to_bits()]);
    a - b
}
extern "C" fn address_and_float(a: u64, b: f64) {
    note(&[103, a, b.to_bits()]);
}
extern "C" fn four(a: u64, b: u64, c: i64, d: u64) -> u64 {
    note(&[104, a, b, c as u64, d]);
    a + b + c as u64 + d
}
extern "C" fn five(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    note(&[105, a, b, c, d, e]);
    a ^ e
}
extern "C" fn status(a: u64) -> i64 {
    note(&[106, a]);
    -(a as i64)
}

pub(crate) fn fake() -> Fake {
    let helpers = vec![
        (Helper::LoadAssertionError, no_arguments as extern "C" fn() -> u64 as usize as u64),
        (Helper::BoxFloat, one_float as extern "C" fn(f64) -> u64 as usize as u64),
        (Helper::FloatRemainder, two_floats as extern "C" fn(f64, f64) -> f64 as usize as u64),
        (Helper::FlushFloat, address_and_float as extern "C" fn(u64, f64) as usize as u64),
        (Helper::Call, four as extern "C" fn(u64, u64, i64, u64) -> u64 as usize as u64),
        (Helper::CallFunctionEx, five as extern "C" fn(u64, u64, u64, u64, u64) -> u64 as usize as u64),
        (Helper::IsTrue, status as extern "C" fn(u64) -> i64 as usize as u64),
    ];
    let symbol = |symbol| match symbol {
        Symbol::Const(i) => 0x7000_0000_0000 + u64::from(i) * 16,
        Symbol::Type(PyTypes::FLOAT) => 0x1234_5678,
        Symbol::True => u64::MAX - 15,
        _ => 16,
    };
    Fake { helpers, symbol }
}

fn helpers_by_resolver(bench: &Bench<'_>) {
    let mut b = Build::new();
    let p: Vec<Value> = (0..5).map(|i| b.input(Ty::Obj, i)).collect();
    let f: Vec<Value> = (5..7).map(|i| b.input(Ty::F64, i)).collect();
    let n = b.entry();
    let call = |b: &mut Build, ty, helper, args: &[Value]| b.op(ty, Op::Call(helper, args.to_vec()));
    let mut results = vec![
        call(&mut b, Ty::Obj, Helper::LoadAssertionError, &[]),
        call(&mut b, Ty::Obj, Helper::BoxFloat, &[f[0]]),
        call(&mut b, Ty::F64, Helper::FloatRemainder, &[f[1], f[0]]),
        call(&mut b, Ty::Obj, Helper::Call, &[p[3], p[2], n, p[0]]),
        call(&mut b, Ty::Obj, Helper::CallFunctionEx, &[p[4], p[3], p[2], p[1], p[0]]),
        call(&mut b, Ty::I64, Helper::IsTrue, &[p[1]]),
    ];
    b.effect(Op::Call(Helper::FlushFloat, vec![p[0], f[1]]));
    for symbol in [Symbol::Const(3), Symbol::Type(PyTypes::FLOAT), Symbol::True, Symbol::Name(0)] {
        results.push(b.op(Ty::Obj, Op::Symbol(symbol, Ty::Obj)));
    }
    results.extend(&p);
    results.extend(&f);
    let leave = b.leave(&results);
    b.effect(Op::Leave(leave));
    let compiled = bench.compile_all(&b.function, &fake());
    let (x, y) = (1.5f64.to_bits(), (-8.25f64).to_bits());
    SEEN.take();
    let (status, out) = compiled.run(&[1, 20, 300, 4000, 50000, x, y], 7);
    let seen = SEEN.take();
    let expected_calls: [&[u64]; 7] = [
        &[100],
        &[101, x],
        &[102, y, x],
        &[104, 4000, 300, 7, 1],
        &[105, 50000, 4000, 300, 20, 1],
        &[106, 20],
        &[103, 1, y],
    ];
    assert_eq!(seen, expected_calls.concat().repeat(compiled.entries.len()));
    let mut expected = vec![0xabc0, x ^ 1, (-9.75f64).to_bits(), 4308, 50001, -20i64 as u64];
    expected.extend([0x7000_0000_0030, 0x1234_5678, u64::MAX - 15, 16, 1, 20, 300, 4000, 50000, x, y]);
    assert_eq!((status, &out[..expected.len()]), (FIRST_EXIT, &expected[..]));
}

fn with_witness(helper: Helper) -> Fake {
    Fake { helpers: vec![(helper, witness_address())], symbol: |_| 0 }
}

fn stack_is_aligned_and_values_survive_calls(bench: &Bench<'_>) {
    for live in [0, 1, 2, 3, 8, 15, 30] {
        let mut b = Build::new();
        let ints: Vec<Value> = (0..live).map(|i| b.input(Ty::I64, i)).collect();
        let floats: Vec<Value> = (0..live).map(|i| b.input(Ty::F64, i)).collect();
        b.op(Ty::Obj, Op::Call(Helper::LoadAssertionError, vec![]));
        let values = [ints, floats].concat();
        let leave = b.leave(&values);
        b.effect(Op::Leave(leave));
        let compiled = bench.compile_all(&b.function, &with_witness(Helper::LoadAssertionError));
        let inputs: Vec<u64> = (0..live as u64).map(|i| i * 77 + 1).collect();
        expect_calls(&[]);
        let (_, out) = compiled.run(&inputs, 0);
        for seen in seen() {
            assert_eq!(seen.stack % 16, 0, "the stack at a call with {live} live values is not aligned");
        }
        assert_eq!(out[..live], inputs[..]);
        assert_eq!(out[live..2 * live], inputs[..]);
    }
}

/// Calls with all arguments different in all bytes, from the frame and as constants, with others alive. `cold`: in a cold
/// block of a function whose other blocks pass floats on, where a backend may call in a way of its own.
fn arguments_of(bench: &Bench<'_>, helper: Helper, cold: bool) {
    let signature = signature_of(helper);
    let count = signature.params.len();
    let ty_of = |index: usize| helper.params().filter_map(|passing| passing.ty()).nth(index).expect("a parameter");
    let input = |index: usize| 0x0123_4567_89ab_cdef_u64.wrapping_mul(2 * index as u64 + 3) | 1 << 63;
    let constant = |index: usize| 0xfedc_ba98_7654_3210_u64.wrapping_mul(2 * index as u64 + 1);
    let mut b = Build::new();
    let inputs: Vec<Value> = (0..count).map(|i| b.input(ty_of(i), i)).collect();
    let beside = [b.input(Ty::I64, count), b.entry()];
    let float_beside = b.input(Ty::F64, count);
    if cold {
        let ((calls, _), (other, passed)) = (b.block(&[]), b.block(&[Ty::F64]));
        b.cold(calls);
        b.branch(beside[1], to(calls, &[]), to(other, &[float_beside]));
        b.at = other;
        let leave = b.leave(&passed);
        b.effect(Op::Leave(leave));
        b.at = calls;
    }
    let mut results = Vec::new();
    let mut call = |b: &mut Build, args: Vec<Value>| match helper.result().ty() {
        Some(ty) => results.push(b.op(ty, Op::Call(helper, args))),
        None => b.effect(Op::Call(helper, args)),
    };
    call(&mut b, inputs.clone());
    // Backwards where the types allow, so that each argument moves from another's register.
    let swapped: Vec<usize> =
        (0..count).map(|i| if ty_of(count - 1 - i) == ty_of(i) { count - 1 - i } else { i }).collect();
    call(&mut b, swapped.iter().map(|&i| inputs[i]).collect());
    let constants: Vec<Value> = (0..count)
        .map(|i| match ty_of(i) {
            Ty::F64 => b.op(Ty::F64, Op::FConst(constant(i))),
            Ty::I64 => b.int(constant(i) as i64),
            ty => {
                let int = b.int(constant(i) as i64);
                let pointer = b.op(Ty::Ptr, Op::Unary(UnOp::Cast(Ty::Ptr), int));
                if ty == Ty::Ptr { pointer } else { b.op(ty, Op::Unary(UnOp::Cast(ty), pointer)) }
            }
        })
        .collect();
    call(&mut b, constants);
    let values = [&results[..], &beside, &[float_beside], &inputs].concat();
    let leave = b.leave(&values);
    b.effect(Op::Leave(leave));
    let compiled = bench.compile_all(&b.function, &with_witness(helper));
    let words: Vec<u64> = (0..=count).map(input).collect();
    let number = -0x7654_3210_0123_4567;
    let answers = [0x8000_0001_7fff_fffe, 0x4009_21fb_5444_2d18, 0xffff_fffe_0000_0003];
    expect_calls(&answers.repeat(compiled.entries.len()));
    let (status, out) = compiled.run(&words, number);
    let seen = seen();
    assert_eq!(seen.len(), 3 * compiled.entries.len(), "calls");
    for calls in seen.chunks(3) {
        for (call, seen) in calls.iter().enumerate() {
            assert_eq!(seen.stack % 16, 0, "the stack at the call is not aligned");
            let (mut ints, mut floats) = (seen.ints.iter(), seen.floats.iter());
            for (index, ty) in signature.params.iter().enumerate() {
                let got = if *ty == MachineTy::F64 { floats.next() } else { ints.next() };
                let expected = [words[index], words[swapped[index]], constant(index)][call];
                assert_eq!(got, Some(&expected), "call {call}, argument {index} of {:?}", signature.params);
            }
        }
    }
    let results = if helper.result().ty().is_some() { &answers[..] } else { &[] };
    let expected = [results, &[words[count], number as u64, words[count]], &words[..count]].concat();
    assert_eq!((status, &out[..expected.len()]), (FIRST_EXIT + i64::from(cold), &expected[..]));
}

/// Thread state, frame and out are where the signature says; out is written where the exit says and nowhere else.
fn parameters_of_the_function(bench: &Bench<'_>) {
    let mut b = Build::new();
    let (ts, frame, out) = (b.op(Ty::Ptr, Op::ThreadState), b.op(Ty::Ptr, Op::Frame), b.op(Ty::Ptr, Op::Out));
    let entry = b.entry();
    let leave = b.leave(&[ts, frame, out, entry]);
    b.effect(Op::Leave(leave));
    for entry in &bench.compile_all(&b.function, &NONE).entries {
        let (mut ts, mut frame, mut out) = ([1u64; 4], [2u64; 4], [POISON; OUT]);
        // SAFETY: writes four words to `out`.
        let status = unsafe { bench.call(entry, ts.as_mut_ptr(), frame.as_mut_ptr(), out.as_mut_ptr().add(8), -9) };
        let at = |words: &[u64]| words.as_ptr() as u64;
        let written = [at(&ts), at(&frame), at(&out) + 64, -9i64 as u64];
        let expected = [&[POISON; 8][..], &written, &[POISON; OUT - 12]].concat();
        assert_eq!((status, &out[..]), (FIRST_EXIT, &expected[..]));
        assert_eq!((ts, frame), ([1; 4], [2; 4]));
    }
}

/// Where to go by the entry number, of which all bits count.
fn entry_numbers(bench: &Bench<'_>) {
    let mut b = Build::new();
    let n = b.entry();
    let (start, _) = b.block(&[]);
    let (resumed, _) = b.block(&[]);
    let (looping, _) = b.block(&[]);
    b.effect(Op::Switch(n, vec![to(start, &[]), to(resumed, &[])], to(looping, &[])));
    for (block, mark) in [(start, 100), (resumed, 200), (looping, 300)] {
        b.at = block;
        let mark = b.int(mark);
        let sum = b.op(Ty::I64, Op::Binary(BinOp::Xor, mark, n));
        b.ret(sum);
    }
    let compiled = bench.compile_all(&b.function, &NONE);
    for n in [0, 1, 2, 3, -1, 1 << 31, 1 << 32, (1 << 32) + 1, i64::MAX, i64::MIN] {
        let mark = [100, 200].get(n as usize).copied().unwrap_or(300);
        assert_eq!(compiled.run(&[], n), (0, [&[(mark ^ n) as u64][..], &[POISON; OUT - 1]].concat()), "entry {n}");
    }
}

/// Functions that live at the same time, entered in turn.
fn entries_keep_their_own_context(bench: &Bench<'_>) {
    let function = |k: i64| {
        let mut b = Build::new();
        let n = b.entry();
        let k = b.int(k);
        let product = b.op(Ty::I64, Op::Binary(BinOp::Mul, n, k));
        b.ret(product);
        b.function
    };
    let functions: Vec<_> = (1..20).map(function).collect();
    let compiled: Vec<_> = functions.iter().map(|function| bench.compile_all(function, &NONE)).collect();
    for n in [3, -4] {
        for (index, compiled) in compiled.iter().enumerate() {
            assert_eq!(compiled.run(&[], n).1[0] as i64, n * (index as i64 + 1), "function {index}");
        }
    }
    drop(functions);
    let mut kept = compiled;
    kept.drain(..10);
    assert_eq!(kept[0].run(&[], 2).1[0], 22, "after others were dropped");
}

thread_local! {
    static ENTERED: RefCell<Option<(usize, usize)>> = const { RefCell::new(None) };
}

/// Enters the function again, with one less.
extern "C" fn again(n: u64) -> i64 {
    let (function, ctx) = ENTERED.with_borrow(|entered| *entered).expect("the case sets it");
    // SAFETY: the case's own function, which is alive.
    let function: EntryFn = unsafe { std::mem::transmute(function) };
    let mut out = [POISON; 4];
    // SAFETY: it writes one word to `out` and calls this function.
    let status = unsafe {
        function(ctx as *const c_void, std::ptr::null_mut(), std::ptr::null_mut(), out.as_mut_ptr(), n as i64 - 1)
    };
    if status == 0 { out[0] as i64 } else { i64::MIN }
}

/// A helper that enters the same function: what an activation holds is its own.
fn recursion(bench: &Bench<'_>) {
    let mut b = Build::new();
    let n = b.entry();
    let ((more, _), (done, _)) = (b.block(&[]), b.block(&[]));
    let (three, seven) = (b.int(3), b.int(7));
    let mine = b.op(Ty::I64, Op::Binary(BinOp::Mul, n, three));
    let float = b.op(Ty::F64, Op::Unary(UnOp::IntToFloat, n));
    b.branch(n, to(more, &[]), to(done, &[]));
    b.at = more;
    let pointer = b.op(Ty::Ptr, Op::Unary(UnOp::Cast(Ty::Ptr), n));
    let object = b.op(Ty::Obj, Op::Unary(UnOp::Cast(Ty::Obj), pointer));
    let inner = b.op(Ty::I64, Op::Call(Helper::IsTrue, vec![object]));
    let sum = b.op(Ty::I64, Op::Binary(BinOp::Add, inner, mine));
    let back = b.op(Ty::I64, Op::Unary(UnOp::FloatToInt, float));
    let sum = b.op(Ty::I64, Op::Binary(BinOp::Add, sum, back));
    b.ret(sum);
    b.at = done;
    b.ret(seven);
    let helpers = vec![(Helper::IsTrue, again as extern "C" fn(u64) -> i64 as usize as u64)];
    let compiled = bench.compile_all(&b.function, &Fake { helpers, symbol: |_| 0 });
    for entry in &compiled.entries {
        ENTERED.set(Some((entry.function() as usize, entry.ctx() as usize)));
        let mut out = [POISON; 4];
        // SAFETY: writes one word.
        let status = unsafe { bench.call(entry, std::ptr::null_mut(), std::ptr::null_mut(), out.as_mut_ptr(), 20) };
        assert_eq!((status, out[0]), (0, 7 + 4 * (20 * 21 / 2)));
    }
}

/// A call in the way of every turn, and one in a cold block that every turn goes through all the same.
fn values_live_across_calls_in_loops(bench: &Bench<'_>) {
    let helper = Helper::LoadAssertionError;
    for (ints, floats, cold) in [(1, 1, false), (4, 4, true), (7, 3, false), (12, 14, true), (20, 20, false)] {
        let mut b = Build::new();
        let n = b.entry();
        let types = [vec![Ty::I64; ints], vec![Ty::F64; floats]].concat();
        let start: Vec<Value> = types.iter().enumerate().map(|(i, &ty)| b.input(ty, i)).collect();
        let (head, p) = b.block(&[&[Ty::I64, Ty::Obj], types.as_slice()].concat());
        let ((turn, _), (done, _), (calling, _), (on, result)) =
            (b.block(&[]), b.block(&[]), b.block(&[]), b.block(&[Ty::Obj]));
        let null = b.op(Ty::Obj, Op::Null(Ty::Obj));
        b.jump(head, &[&[n, null], start.as_slice()].concat());
        b.at = head;
        b.branch(p[0], to(turn, &[]), to(done, &[]));
        b.at = turn;
        if cold {
            b.cold(calling);
        }
        b.branch(n, to(calling, &[]), to(on, &[p[1]]));
        b.at = calling;
        let made = b.op(Ty::Obj, Op::Call(helper, vec![]));
        b.jump(on, &[made]);
        b.at = on;
        let one = b.int(1);
        let less = b.op(Ty::I64, Op::Binary(BinOp::Sub, p[0], one));
        let mut back = vec![less, result[0]];
        back.extend((0..ints).map(|i| p[2 + (i + 1) % ints]));
        back.extend((0..floats).map(|i| p[2 + ints + (i + 1) % floats]));
        b.jump(head, &back);
        b.at = done;
        let leave = b.leave(&p[1..]);
        b.effect(Op::Leave(leave));
        let compiled = bench.compile_all(&b.function, &with_witness(helper));
        let mut expected: Vec<u64> = (0..types.len() as u64).map(|i| i * 0x1_0001 + 5).collect();
        let inputs = expected.clone();
        for turns in 0..5 {
            let answers: Vec<u64> = (1..=turns).map(|k| k * 1000).collect();
            expect_calls(&answers.repeat(compiled.entries.len()));
            let (_, out) = compiled.run(&inputs, turns as i64);
            assert_eq!(out[0], turns * 1000, "result of the last call");
            assert_eq!(out[1..=types.len()], expected[..], "{ints} ints, {floats} floats, {turns} turns");
            expected[..ints].rotate_left(1);
            expected[ints..].rotate_left(1);
        }
    }
}
