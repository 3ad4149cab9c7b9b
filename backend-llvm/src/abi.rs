//! Signatures and types: how the core's machine types and C functions look to LLVM.
//!
//! *Invariant*: calls use the C calling convention of the target; nothing unwinds through compiled code.

use columba_jit_core::emitter::{MachineTy, Parameter, Signature};
use inkwell::AddressSpace;
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::context::Context;
use inkwell::types::{BasicMetadataTypeEnum, BasicType, BasicTypeEnum, FloatType, FunctionType, IntType, PointerType};
use inkwell::values::FunctionValue;

/// LLVM's types for the core's.
#[derive(Clone, Copy)]
pub(crate) struct Types<'ctx> {
    pub(crate) flag: IntType<'ctx>,
    pub(crate) byte: IntType<'ctx>,
    pub(crate) half: IntType<'ctx>,
    pub(crate) single: IntType<'ctx>,
    pub(crate) word: IntType<'ctx>,
    pub(crate) float: FloatType<'ctx>,
    pub(crate) address: PointerType<'ctx>,
}

impl<'ctx> Types<'ctx> {
    pub(crate) fn new(context: &'ctx Context) -> Self {
        Types {
            flag: context.bool_type(),
            byte: context.i8_type(),
            half: context.i16_type(),
            single: context.i32_type(),
            word: context.i64_type(),
            float: context.f64_type(),
            address: context.ptr_type(AddressSpace::default()),
        }
    }

    pub(crate) fn of(&self, ty: MachineTy) -> BasicTypeEnum<'ctx> {
        match ty {
            MachineTy::I64 => self.word.into(),
            MachineTy::F64 => self.float.into(),
            MachineTy::Ptr => self.address.into(),
        }
    }

    /// `(ctx, thread state, frame, out, entry) -> status`.
    pub(crate) fn entry_signature(&self) -> FunctionType<'ctx> {
        let address = BasicMetadataTypeEnum::from(self.address);
        self.word.fn_type(&[address, address, address, address, self.word.into()], false)
    }

    pub(crate) fn c_signature(&self, context: &'ctx Context, signature: &Signature) -> FunctionType<'ctx> {
        let params: Vec<_> =
            signature.params.iter().map(|&param| BasicMetadataTypeEnum::from(self.of(param))).collect();
        match signature.result {
            Some(result) => self.of(result).fn_type(&params, false),
            None => context.void_type().fn_type(&params, false),
        }
    }
}

pub(crate) fn parameter_index(parameter: Parameter) -> u32 {
    match parameter {
        Parameter::Ctx => 0,
        Parameter::ThreadState => 1,
        Parameter::Frame => 2,
        Parameter::Out => 3,
        Parameter::Entry => 4,
    }
}

/// What holds of the whole function: no unwinding and so no tables for it; frame pointers, for profilers; no operation may
/// become a call of the C library.
pub(crate) fn mark_function(context: &Context, function: FunctionValue<'_>) {
    for attribute in [
        enum_attribute(context, "nounwind"),
        context.create_string_attribute("frame-pointer", "all"),
        context.create_string_attribute("no-builtins", "true"),
    ] {
        function.add_attribute(AttributeLoc::Function, attribute);
    }
}

pub(crate) fn enum_attribute(context: &Context, name: &str) -> Attribute {
    context.create_enum_attribute(Attribute::get_named_enum_kind_id(name), 0)
}
