//! Signatures and types: how the core's machine types and C functions look to Cranelift.
//!
//! *Invariant*: addresses are 64-bit integers; every call uses the C calling convention of the target.

use columba_jit_core::emitter::{MachineTy, Parameter, Signature};
use cranelift_codegen::ir::{self, AbiParam, types};
use cranelift_codegen::isa::CallConv;

/// Number of parameters of a compiled function.
pub(crate) const PARAMETERS: usize = 5;

pub(crate) fn ty(ty: MachineTy) -> ir::Type {
    match ty {
        MachineTy::I64 | MachineTy::Ptr => types::I64,
        MachineTy::F64 => types::F64,
    }
}

/// `(ctx, thread state, frame, out, entry) -> status`.
pub(crate) fn entry_signature(convention: CallConv) -> ir::Signature {
    let mut signature = ir::Signature::new(convention);
    signature.params.resize(PARAMETERS, AbiParam::new(types::I64));
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

pub(crate) fn parameter_index(parameter: Parameter) -> usize {
    match parameter {
        Parameter::Ctx => 0,
        Parameter::ThreadState => 1,
        Parameter::Frame => 2,
        Parameter::Out => 3,
        Parameter::Entry => 4,
    }
}

pub(crate) fn c_signature(signature: &Signature, convention: CallConv) -> ir::Signature {
    let mut lowered = ir::Signature::new(convention);
    lowered.params.extend(signature.params.iter().map(|&param| AbiParam::new(ty(param))));
    lowered.returns.extend(signature.result.map(|result| AbiParam::new(ty(result))));
    lowered
}
