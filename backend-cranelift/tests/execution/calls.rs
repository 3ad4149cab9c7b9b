//! Calls: by helper table through a resolver, and of any signature through the emitter.

use std::arch::naked_asm;
use std::cell::RefCell;

use columba_jit_core::backend::CompileError;
use columba_jit_core::emitter::{Emitter, MachineTy, Parameter, Signature};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::op::{BinOp, FIRST_EXIT, Op, Symbol, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, PyTypes, Ty};

use crate::harness::{Build, Fake, compile_all};

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

fn fake() -> Fake {
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

#[test]
fn helpers_by_resolver() {
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
    let compiled = compile_all(&b.function, &fake());
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
    assert_eq!(seen, expected_calls.concat().repeat(compiled.0.len()));
    let mut expected = vec![0xabc0, x ^ 1, (-9.75f64).to_bits(), 4308, 50001, -20i64 as u64];
    expected.extend([0x7000_0000_0030, 0x1234_5678, u64::MAX - 15, 16, 1, 20, 300, 4000, 50000, x, y]);
    assert_eq!((status, &out[..expected.len()]), (FIRST_EXIT, &expected[..]));
}

/// Stores where the stack pointer stands, so that its alignment at the call can be judged, and clobbers every register that
/// a callee may clobber.
#[unsafe(naked)]
unsafe extern "C" fn witness() -> u64 {
    naked_asm!(
        "lea rax, [rsp + 8]",
        "mov rcx, -1",
        "mov rdx, rcx",
        "mov rsi, rcx",
        "mov rdi, rcx",
        "mov r8, rcx",
        "mov r9, rcx",
        "mov r10, rcx",
        "mov r11, rcx",
        "pcmpeqd xmm0, xmm0",
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
    )
}

#[test]
fn stack_is_aligned_and_values_survive_calls() {
    for live in [0, 1, 2, 3, 8, 15, 30] {
        let mut b = Build::new();
        let ints: Vec<Value> = (0..live).map(|i| b.input(Ty::I64, i)).collect();
        let floats: Vec<Value> = (0..live).map(|i| b.input(Ty::F64, i)).collect();
        let sp = b.op(Ty::Obj, Op::Call(Helper::LoadAssertionError, vec![]));
        let mut values = vec![sp];
        values.extend(&ints);
        values.extend(&floats);
        let leave = b.leave(&values);
        b.effect(Op::Leave(leave));
        let resolver = Fake {
            helpers: vec![(Helper::LoadAssertionError, witness as unsafe extern "C" fn() -> u64 as usize as u64)],
            symbol: |_| 0,
        };
        let compiled = compile_all(&b.function, &resolver);
        let inputs: Vec<u64> = (0..live as u64).map(|i| i * 77 + 1).collect();
        for entry in &compiled.0 {
            let mut out = vec![0u64; 80];
            // SAFETY: reads `live` words, writes at most 61.
            unsafe { entry.call(std::ptr::null_mut(), inputs.as_ptr().cast_mut().cast(), out.as_mut_ptr(), 0) };
            assert_eq!(out[0] % 16, 0, "stack at a call with {live} live values");
            assert_eq!(out[1..=live], inputs[..]);
            assert_eq!(out[1 + live..1 + 2 * live], inputs[..]);
        }
    }
}

extern "C" fn mixed8(a: i64, b: f64, c: i64, d: f64, e: i64, f: f64, g: i64, h: i64) -> f64 {
    (a + 2 * c + 3 * e + 4 * g + 5 * h) as f64 + 10.0 * b + 20.0 * d + 30.0 * f
}

#[rustfmt::skip]
extern "C" fn mixed12(
    a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: f64, i: i64, j: f64, k: i64, l: f64,
) -> i64 {
    a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h as i64 + 9 * i + 10 * j as i64 + 11 * k + 12 * l as i64
}

#[rustfmt::skip]
extern "C" fn floats10(
    a: f64, b: f64, c: f64, d: f64, e: f64, f: f64, g: f64, h: f64, i: f64, j: f64,
) -> f64 {
    a + 2.0 * b + 3.0 * c + 4.0 * d + 5.0 * e + 6.0 * f + 7.0 * g + 8.0 * h + 9.0 * i + 10.0 * j
}

/// Emits two calls through the emitter alone, since the helper table has no signature of this length, and stores the sum of
/// the results.
pub fn emit_calls<E: Emitter>(
    mut e: E,
    callee: u64,
    params: &[MachineTy],
    result: MachineTy,
) -> Result<E::Output, CompileError> {
    let start = e.create_block(&[], false);
    e.switch_to(start);
    let args: Vec<_> = params
        .iter()
        .enumerate()
        .map(|(i, ty)| {
            let value = e.int_const(i as i64 + 1);
            if *ty == MachineTy::F64 { e.unary(UnOp::IntToFloat, value) } else { value }
        })
        .collect();
    let signature = Signature { params: params.to_vec(), result: Some(result) };
    let first = e.call(callee, &signature, &args).unwrap();
    let second = e.call(callee, &signature, &args).unwrap();
    let (first, second) = match result {
        MachineTy::F64 => (first, second),
        _ => (e.unary(UnOp::IntToFloat, first), e.unary(UnOp::IntToFloat, second)),
    };
    let sum = e.binary(BinOp::FAdd, first, second);
    let out = e.parameter(Parameter::Out);
    e.store(MemTy::F64, out, 0, sum);
    let zero = e.int_const(0);
    e.ret(zero);
    e.finish()
}

fn call_directly(callee: u64, params: &[MachineTy], result: MachineTy) -> f64 {
    let entry = crate::compile_calls(callee, params, result);
    let mut out = 0u64;
    // SAFETY: a function of the entry signature, which writes one word.
    unsafe { entry.call(std::ptr::null_mut(), std::ptr::null_mut(), &mut out, 0) };
    f64::from_bits(out)
}

#[test]
fn long_and_mixed_signatures() {
    use MachineTy::{F64, I64, Ptr};
    let eight = mixed8 as extern "C" fn(i64, f64, i64, f64, i64, f64, i64, i64) -> f64 as usize as u64;
    assert_eq!(
        call_directly(eight, &[I64, F64, Ptr, F64, I64, F64, Ptr, I64], F64),
        2.0 * mixed8(1, 2.0, 3, 4.0, 5, 6.0, 7, 8)
    );
    let twelve = mixed12 as *const () as u64;
    assert_eq!(
        call_directly(twelve, &[I64, I64, I64, I64, I64, I64, I64, F64, I64, F64, I64, F64], I64),
        2.0 * mixed12(1, 2, 3, 4, 5, 6, 7, 8.0, 9, 10.0, 11, 12.0) as f64
    );
    let ten = floats10 as *const () as u64;
    assert_eq!(call_directly(ten, &[F64; 10], F64), 2.0 * floats10(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0));
}
