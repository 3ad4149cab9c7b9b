//! Calls through an emitter alone.
//!
//! *Problem*: calls are emitted for any C signature, but the helper table has none that is long enough to need the stack.
//! *Method*: a [`DirectCall`] emits a function of its own, without IR, through whatever emitter the backend's tests hand it:
//! it calls a C function twice and stores the sum of the results. *Invariant*: what is stored for the right calls is
//! computed by calling the same C functions from Rust.

use columba_jit_core::backend::{CompileError, CompiledEntry};
use columba_jit_core::emitter::{Emitter, MachineTy, Parameter, Signature};
use columba_jit_core::ir::op::{BinOp, UnOp};
use columba_jit_core::ir::types::MemTy;

use crate::Section;
use crate::report::{Failure, SectionReport};
use crate::run::collect;
use crate::witness::{self, enter};

/// A function to be emitted.
#[derive(Clone, Debug)]
pub struct DirectCall {
    name: &'static str,
    callee: u64,
    signature: Signature,
    /// What it must store; for the witness, whose calls are looked at, 0.
    expected: f64,
}

impl DirectCall {
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Emits the function. Argument `i` is `i + 1`.
    pub fn emit<E: Emitter>(&self, mut e: E) -> Result<E::Output, CompileError> {
        let start = e.create_block(&[], false);
        e.switch_to(start);
        let args: Vec<_> = (self.signature.params.iter().enumerate())
            .map(|(i, ty)| {
                let value = e.int_const(i as i64 + 1);
                if *ty == MachineTy::F64 { e.unary(UnOp::IntToFloat, value) } else { value }
            })
            .collect();
        let mut sum = e.float_const(0);
        for _ in 0..2 {
            let Some(result) = e.call(self.callee, &self.signature, &args) else { continue };
            let result =
                if self.signature.result == Some(MachineTy::F64) { result } else { e.unary(UnOp::IntToFloat, result) };
            sum = e.binary(BinOp::FAdd, sum, result);
        }
        let out = e.parameter(Parameter::Out);
        e.store(MemTy::F64, out, 0, sum);
        let zero = e.int_const(0);
        e.ret(zero);
        e.finish()
    }

    fn check(&self, entry: &CompiledEntry) {
        witness::expect_calls(&[]);
        let mut out = 0u64;
        // SAFETY: a function of the entry signature, which writes one word.
        let status =
            unsafe { enter(entry.function(), entry.ctx(), std::ptr::null_mut(), std::ptr::null_mut(), &mut out, 0) };
        assert_eq!((status, f64::from_bits(out)), (0, self.expected), "result of {}", self.name);
        if self.callee != witness::witness_address() {
            return;
        }
        let seen = witness::seen();
        assert_eq!(seen.len(), 2, "calls");
        for seen in seen {
            assert_eq!(seen.stack % 16, 0, "the stack at the call is not aligned");
            let (mut ints, mut floats, mut words) = (0, 0, 0);
            for (index, ty) in self.signature.params.iter().enumerate() {
                let int = index as u64 + 1;
                let bits = if *ty == MachineTy::F64 { (int as f64).to_bits() } else { int };
                let got = if *ty == MachineTy::F64 && floats < 8 {
                    floats += 1;
                    seen.floats[floats - 1]
                } else if *ty != MachineTy::F64 && ints < 6 {
                    ints += 1;
                    seen.ints[ints - 1]
                } else {
                    words += 1;
                    seen.above[words - 1]
                };
                assert_eq!(got, bits, "argument {index} of {:?}", self.signature.params);
            }
        }
    }
}

/// Emits and runs every direct call. `compile` makes an entry of what [`DirectCall::emit`] emits through the backend's own
/// emitter:
///
/// ```
/// use columba_jit_conformance::{TapeEmitter, run_direct_calls};
///
/// run_direct_calls(|call| Ok(call.emit(TapeEmitter::new())?.into_entry())).assert_clean();
/// ```
pub fn run_direct_calls(compile: impl Fn(&DirectCall) -> Result<CompiledEntry, CompileError>) -> SectionReport {
    let mut report = SectionReport {
        section: Section::Abi,
        cases: 0,
        expected_failures: 0,
        failures: Vec::new(),
        not_applicable: None,
        figures: Vec::new(),
    };
    for call in direct_calls() {
        report.cases += 1;
        let result = collect(|| match compile(&call) {
            Ok(entry) => call.check(&entry),
            Err(error) => panic!("refused: {error}"),
        });
        if let Err(message) = result {
            let case = format!("direct/{} {:?}", call.name, call.signature.params);
            report.failures.push(Failure { case, message });
        }
    }
    report
}

/// The calls of functions that compute, and of a witness with 0 to 12 arguments of mixed types.
fn direct_calls() -> Vec<DirectCall> {
    use MachineTy::{F64, I64, Ptr};
    let call = |name, callee, params: &[MachineTy], result, expected: f64| DirectCall {
        name,
        callee,
        signature: Signature { params: params.to_vec(), result },
        expected: 2.0 * expected,
    };
    let mut calls = vec![
        call(
            "mixed8",
            mixed8 as *const () as u64,
            &[I64, F64, Ptr, F64, I64, F64, Ptr, I64],
            Some(F64),
            mixed8(1, 2.0, 3, 4.0, 5, 6.0, 7, 8),
        ),
        call(
            "mixed12",
            mixed12 as *const () as u64,
            &[I64, I64, I64, I64, I64, I64, I64, F64, I64, F64, I64, F64],
            Some(I64),
            mixed12(1, 2, 3, 4, 5, 6, 7, 8.0, 9, 10.0, 11, 12.0) as f64,
        ),
        call(
            "floats10",
            floats10 as *const () as u64,
            &[F64; 10],
            Some(F64),
            floats10(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0),
        ),
    ];
    for count in 0..=12usize {
        // By the bits of a pattern: integers, floats, both in turn, and uneven mixtures.
        for pattern in [0u32, 0xfff, 0x555, 0xaaa, 0x0f3, 0xe39] {
            let params: Vec<MachineTy> = (0..count)
                .map(|i| match (pattern >> i & 1, i % 3) {
                    (1, _) => F64,
                    (_, 2) => Ptr,
                    _ => I64,
                })
                .collect();
            let result = [None, Some(I64), Some(F64)][count % 3];
            calls.push(call("witness", witness::witness_address(), &params, result, 0.0));
        }
    }
    calls
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TapeEmitter;

    #[test]
    fn the_tape_passes() {
        run_direct_calls(|call| Ok(call.emit(TapeEmitter::new())?.into_entry())).assert_clean();
    }

    #[test]
    fn wrong_stack_words_are_seen() {
        let fault = Some(crate::tape::Fault::StackWordsReversed);
        let report = run_direct_calls(|call| Ok(call.emit(TapeEmitter::with_fault(fault))?.into_entry()));
        assert!(!report.failures.is_empty());
    }
}
