//! Calls of C functions whose signature is known only when a program is compiled.
//!
//! *Method*: the C calling conventions of 64-bit Unix systems count integer and float arguments apart, and the caller clears
//! the stack. So one function type with room for the most arguments of both kinds calls every function: each argument is
//! where its callee looks for it, and those too many are ignored. *Invariant*: signatures that do not fit are refused.

use crate::Register;
use columba::emitter::{MachineTy, Signature};
use std::array;

/// Integer (and address) arguments that can be passed.
const INTEGERS: usize = 10;
/// Float arguments that can be passed: all in registers, so that none comes between integers on the stack.
const FLOATS: usize = 8;

type I = u64;
type F = f64;
/// Most functions take a few integers.
type Short = unsafe extern "C" fn(I, I, I, I, I, I) -> I;
type Integer = unsafe extern "C" fn(I, I, I, I, I, I, I, I, I, I, F, F, F, F, F, F, F, F) -> I;
type Float = unsafe extern "C" fn(I, I, I, I, I, I, I, I, I, I, F, F, F, F, F, F, F, F) -> F;

/// A call with its arguments' registers.
pub struct Call {
    callee: u64,
    integers: Vec<Register>,
    floats: Vec<Register>,
    float_result: bool,
}

impl Call {
    /// `None` when the signature has too many arguments.
    pub fn new(callee: u64, signature: &Signature, args: &[Register]) -> Option<Call> {
        let of = |float: bool| -> Vec<Register> {
            let pairs = args.iter().zip(&signature.params);
            pairs.filter(|(_, ty)| (**ty == MachineTy::F64) == float).map(|(arg, _)| *arg).collect()
        };
        let float_result = signature.result == Some(MachineTy::F64);
        let call = Call { callee, integers: of(false), floats: of(true), float_result };
        (call.integers.len() <= INTEGERS && call.floats.len() <= FLOATS).then_some(call)
    }

    /// Calls the function; the result's bits, or anything when it has none.
    pub fn make(&self, registers: &[u64]) -> u64 {
        let i: [u64; INTEGERS] = array::from_fn(|k| self.integers.get(k).map_or(0, |at| registers[*at]));
        if self.floats.is_empty() && self.integers.len() <= 6 && !self.float_result {
            // SAFETY: the emitter's caller promises that the callee is a C function of the signature, and the arguments are
            // where it looks for them (see the module's method).
            return unsafe { std::mem::transmute::<u64, Short>(self.callee)(i[0], i[1], i[2], i[3], i[4], i[5]) };
        }
        let f: [f64; FLOATS] = array::from_fn(|k| self.floats.get(k).map_or(0.0, |at| f64::from_bits(registers[*at])));
        // SAFETY: as above.
        unsafe {
            macro_rules! call {
                ($ty:ty) => {
                    std::mem::transmute::<u64, $ty>(self.callee)(
                        i[0], i[1], i[2], i[3], i[4], i[5], i[6], i[7], i[8], i[9], f[0], f[1], f[2], f[3], f[4], f[5],
                        f[6], f[7],
                    )
                };
            }
            if self.float_result { call!(Float).to_bits() } else { call!(Integer) }
        }
    }
}
