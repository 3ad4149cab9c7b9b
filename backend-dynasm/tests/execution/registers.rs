//! What only a backend that chooses registers itself can get wrong.

use std::sync::atomic::{AtomicU64, Ordering};

use columba_jit_core::code::{CodeMemory, CodeOptions};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::op::{BinOp, Block, Cond, FIRST_EXIT, Op, OverflowOp, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, Ty};

use crate::harness::{Build, Compiled, Fake, NONE, compile, compile_all, configs, to};

/// Counts up to the entry number with `ints` and `floats` carried around the loop, each changed in each turn.
fn pressure(ints: usize, floats: usize, body: impl Fn(&mut Build)) -> Build {
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
    body(&mut b);
    let one = b.int(1);
    let leave = b.leave(&params);
    let mut back = vec![b.op(Ty::I64, Op::BinaryOrLeave(OverflowOp::Add, params[0], one, leave))];
    for i in 0..ints {
        // Each takes its neighbour's value too, so that all live at once.
        let other = params[1 + (i + 1) % ints];
        back.push(b.op(Ty::I64, Op::Binary(BinOp::Sub, params[1 + i], other)));
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

fn check_pressure(compiled: &Compiled, ints: usize, floats: usize) {
    let mut a: Vec<i64> = (0..ints as i64).map(|i| i * i * 7 - 20).collect();
    let mut f: Vec<f64> = (0..floats).map(|i| i as f64 * 1.25 - 3.0).collect();
    let inputs: Vec<u64> = a.iter().map(|&v| v as u64).chain(f.iter().map(|v| v.to_bits())).collect();
    for turns in 0..9 {
        let (status, out) = compiled.run(&inputs, turns);
        let expected: Vec<u64> = a.iter().map(|&v| v as u64).chain(f.iter().map(|v| v.to_bits())).collect();
        assert_eq!((status, &out[..ints + floats]), (FIRST_EXIT + 1, &expected[..]), "{ints} {floats} {turns} turns");
        a = (0..ints).map(|i| a[i].wrapping_sub(a[(i + 1) % ints])).collect();
        f = (0..floats).map(|i| f[i] - f[(i + 1) % floats]).collect();
    }
}

#[test]
fn more_values_than_registers() {
    for (ints, floats) in [(3, 3), (11, 13), (12, 14), (13, 15), (14, 16), (25, 0), (0, 30), (35, 35)] {
        let b = pressure(ints, floats, |_| {});
        check_pressure(&compile_all(&b.function, &NONE), ints, floats);
    }
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Clobbers what a callee may.
#[unsafe(naked)]
pub unsafe extern "C" fn clobber() -> u64 {
    std::arch::naked_asm!(
        "lock inc qword ptr [rip + {calls}]",
        "xor eax, eax",
        "mov rcx, -1",
        "mov rdx, rcx",
        "mov rsi, rcx",
        "mov rdi, rcx",
        "mov r8, rcx",
        "mov r9, rcx",
        "mov r10, rcx",
        "mov r11, rcx",
        "movq xmm0, rcx",
        "movaps xmm1, xmm0",
        "movaps xmm2, xmm0",
        "movaps xmm3, xmm0",
        "movaps xmm4, xmm0",
        "movaps xmm5, xmm0",
        "movaps xmm6, xmm0",
        "movaps xmm7, xmm0",
        "movaps xmm8, xmm0",
        "movaps xmm9, xmm0",
        "movaps xmm10, xmm0",
        "movaps xmm11, xmm0",
        "movaps xmm12, xmm0",
        "movaps xmm13, xmm0",
        "movaps xmm14, xmm0",
        "movaps xmm15, xmm0",
        "ret",
        calls = sym CALLS,
    )
}

#[test]
fn values_live_across_calls_in_loops() {
    let helpers = vec![(Helper::LoadAssertionError, clobber as unsafe extern "C" fn() -> u64 as usize as u64)];
    let resolver = Fake { helpers, symbol: |_| 0 };
    let call = |b: &mut Build| {
        b.op(Ty::Obj, Op::Call(Helper::LoadAssertionError, vec![]));
    };
    // In the way of every turn, and in a cold block that is gone through in every turn all the same.
    let cold = |b: &mut Build| {
        let ((cold, _), (on, params)) = (b.block(&[]), b.block(&[Ty::Obj]));
        b.cold(cold);
        let n = b.entry();
        let null = b.op(Ty::Obj, Op::Null(Ty::Obj));
        b.branch(n, to(cold, &[]), to(on, &[null]));
        b.at = cold;
        let made = b.op(Ty::Obj, Op::Call(Helper::LoadAssertionError, vec![]));
        b.jump(on, &[made]);
        b.at = on;
        let frame = b.op(Ty::Ptr, Op::Frame);
        b.effect(Op::Store { mem: MemTy::Ptr, base: frame, offset: 8 * 79, value: params[0] });
    };
    for (ints, floats) in [(1, 1), (4, 4), (7, 3), (12, 14), (20, 20)] {
        for body in [&call as &dyn Fn(&mut Build), &cold] {
            let b = pressure(ints, floats, body);
            let compiled = compile_all(&b.function, &resolver);
            let before = CALLS.load(Ordering::Relaxed);
            let padded = Padded(compiled);
            padded.check(ints, floats);
            assert!(CALLS.load(Ordering::Relaxed) > before);
        }
    }
}

/// Runs with a frame of 80 words.
struct Padded(Compiled<'static>);

impl Padded {
    fn check(&self, ints: usize, floats: usize) {
        let mut a: Vec<i64> = (0..ints as i64).map(|i| i * 3 - 7).collect();
        let mut f: Vec<f64> = (0..floats).map(|i| i as f64 / 4.0).collect();
        let mut inputs: Vec<u64> = a.iter().map(|&v| v as u64).chain(f.iter().map(|v| v.to_bits())).collect();
        inputs.resize(80, 0);
        for turns in 0..6 {
            let (status, out) = self.0.run(&inputs, turns);
            let expected: Vec<u64> = a.iter().map(|&v| v as u64).chain(f.iter().map(|v| v.to_bits())).collect();
            assert_eq!((status, &out[..ints + floats]), (FIRST_EXIT + 1, &expected[..]), "{ints} {floats} {turns}");
            a = (0..ints).map(|i| a[i].wrapping_sub(a[(i + 1) % ints])).collect();
            f = (0..floats).map(|i| f[i] - f[(i + 1) % floats]).collect();
        }
    }
}

#[test]
fn every_permutation_on_a_back_edge() {
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
            let less = b.op(Ty::I64, Op::Binary(BinOp::Sub, params[0], one));
            let mut back = vec![less];
            back.extend(order.iter().map(|&i| params[1 + i]));
            back.extend(order.iter().map(|&i| params[5 + i]));
            back.extend(&params[9..]);
            b.jump(head, &back);
            b.at = done;
            let leave = b.leave(&params[1..]);
            b.effect(Op::Leave(leave));
            let compiled = compile_all(&b.function, &NONE);
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

#[test]
fn hundreds_of_block_parameters() {
    // They rotate by one, through a frame of many pages.
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
    let memory = CodeMemory::new(CodeOptions::default());
    for config in configs() {
        let entry = compile(&b.function, &NONE, &config, &memory).unwrap();
        for turns in [0usize, 1, 2, 100] {
            let mut inputs: Vec<u64> = (0..count as u64).map(|i| i * 31).collect();
            let mut out = vec![0u64; count];
            // SAFETY: reads and writes `count` words.
            let status =
                unsafe { entry.call(std::ptr::null_mut(), inputs.as_mut_ptr().cast(), out.as_mut_ptr(), turns as i64) };
            assert_eq!(status, FIRST_EXIT);
            inputs.rotate_left(2 * turns);
            assert_eq!(out, inputs);
        }
    }
}

#[test]
fn divisions_leave_their_registers_to_others() {
    // Quotients and remainders with everything alive, so that `rax`, `rcx` and `rdx` are wanted by all.
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
        let compiled = compile_all(&b.function, &NONE);
        let mut words: Vec<u64> = (100..100 + live as u64).collect();
        words.extend([61, 7]);
        let (_, out) = compiled.run(&words, 0);
        let (x, y) = (61u64, 7u64);
        let expected = [x / y, y / x, x % y, y % x, x << y, y << x, x >> y, y >> x, x >> y, y >> x];
        assert_eq!(out[..10], expected);
        assert_eq!(out[10..10 + words.len()], words[..]);
    }
}

#[test]
fn divisions_by_constants() {
    let mut divisors: Vec<i64> = (2..40).chain([60, 100, 641, 1000, 1_000_003, i64::MAX, i64::MIN + 1]).collect();
    divisors.extend((5..63).flat_map(|bit| [(1i64 << bit) - 1, 1 << bit, (1 << bit) + 1]));
    divisors.extend(divisors.clone().iter().map(|d| -d));
    divisors.push(i64::MIN);
    for divisor in divisors {
        let mut b = Build::new();
        let a = b.input(Ty::I64, 0);
        let d = b.int(divisor);
        let quotient = b.op(Ty::I64, Op::Binary(BinOp::SDiv, a, d));
        let rest = b.op(Ty::I64, Op::Binary(BinOp::SRem, a, d));
        let leave = b.leave(&[quotient, rest, a]);
        b.effect(Op::Leave(leave));
        let compiled = compile_all(&b.function, &NONE);
        let near = [divisor, divisor.wrapping_mul(2), divisor.wrapping_mul(12345), i64::MAX / divisor * divisor];
        let others = [0, 1, i64::MAX, i64::MIN, 1 << 62, 0x1234_5678_9abc_def0];
        for a in
            near.into_iter().chain(others).flat_map(|a| [a.wrapping_sub(1), a, a.wrapping_add(1), a.wrapping_neg()])
        {
            let (_, out) = compiled.run(&[a as u64], 0);
            let expected = [a.wrapping_div(divisor), a.wrapping_rem(divisor), a].map(|v| v as u64);
            assert_eq!(out[..3], expected, "{a} by {divisor}");
        }
    }
}

#[test]
fn joined_memory_operations() {
    // Reference counts: a count goes up and down in memory, and the branch looks at the sum; and the same where somebody
    // else looks at the count or the sum too, so that nothing may be joined.
    for looked_at in 0..4 {
        let mut b = Build::new();
        let frame = b.op(Ty::Ptr, Op::Frame);
        let add = |b: &mut Build, op, amount| {
            let count = b.op(Ty::I64, Op::Load { mem: MemTy::I64, ty: Ty::I64, base: frame, offset: 8 });
            let amount = b.int(amount);
            let sum = b.op(Ty::I64, Op::Binary(op, count, amount));
            b.effect(Op::Store { mem: MemTy::I64, base: frame, offset: 8, value: sum });
            (count, sum)
        };
        let first = add(&mut b, BinOp::Add, 1);
        let second = add(&mut b, BinOp::Sub, 300);
        let third = add(&mut b, BinOp::Sub, 1);
        let ((zero, _), (more, _)) = (b.block(&[]), b.block(&[]));
        b.branch(third.1, to(more, &[]), to(zero, &[]));
        let looked = match looked_at {
            0 => b.entry(),
            1 => first.0,
            2 => second.1,
            _ => third.1,
        };
        for (block, mark) in [(zero, 0), (more, 1)] {
            b.at = block;
            let mark = b.int(mark);
            let leave = b.leave(&[mark, looked]);
            b.effect(Op::Leave(leave));
        }
        let compiled = compile_all(&b.function, &NONE);
        for count in [300i64, 301, 299, i64::MIN, i64::MAX] {
            for entry in &compiled.entries {
                let (mut words, mut out) = ([0, count], [0u64; 2]);
                // SAFETY: two words each.
                unsafe { entry.call(std::ptr::null_mut(), words.as_mut_ptr().cast(), out.as_mut_ptr(), 5) };
                let (plus, minus) = (count.wrapping_add(1), count.wrapping_add(1).wrapping_sub(300));
                let last = minus.wrapping_sub(1);
                assert_eq!(words[1], last);
                let looked = [5, count, minus, last][looked_at];
                assert_eq!(out.map(|v| v as i64), [i64::from(last != 0), looked], "{count} {plus}");
            }
        }
    }
}

#[test]
fn loads_joined_with_their_comparison() {
    for mem in [MemTy::U8, MemTy::I16, MemTy::U32, MemTy::I32, MemTy::I64, MemTy::Ptr] {
        for (cond, constant) in [(Cond::Eq, 0), (Cond::Ne, 0), (Cond::Lt, 0), (Cond::Eq, 5), (Cond::ULt, 1 << 40)] {
            let ty = if mem == MemTy::Ptr { Ty::Ptr } else { Ty::I64 };
            if mem == MemTy::Ptr && cond == Cond::Lt {
                continue;
            }
            let mut b = Build::new();
            let frame = b.op(Ty::Ptr, Op::Frame);
            let constant_value = b.int(constant);
            let right = if ty == Ty::Ptr {
                b.op(Ty::Ptr, Op::Unary(UnOp::Cast(Ty::Ptr), constant_value))
            } else {
                constant_value
            };
            let load = Op::Load { mem, ty, base: frame, offset: 0 };
            let loaded = b.op(ty, load.clone());
            let test = b.op(Ty::I64, Op::Compare(cond, loaded, right));
            let leave = b.leave(&[]);
            b.effect(Op::Guard(test, leave));
            let again = b.op(ty, load);
            let test = b.op(Ty::I64, Op::Compare(cond, again, right));
            let (yes, no): (Block, Block) = (b.block(&[]).0, b.block(&[]).0);
            b.branch(test, to(yes, &[]), to(no, &[]));
            for block in [yes, no] {
                b.at = block;
                let mark = b.int(i64::from(block == yes));
                b.ret(mark);
            }
            let compiled = compile_all(&b.function, &NONE);
            for word in [0u64, 5, 0x100, 0x1_0000, 0xffff_ffff, 1 << 32, u64::MAX, 1 << 63, 1 << 40] {
                let value = columba_jit_core::ir::interpret::extend(mem, word);
                let holds = columba_jit_core::ir::interpret::compare(cond, value, constant as u64);
                let (status, out) = compiled.run(&[word], 0);
                assert_eq!(status, if holds { 0 } else { FIRST_EXIT }, "{mem:?} {cond:?} {constant} {word:x}");
                assert!(!holds || out[0] == 1);
            }
        }
    }
}
