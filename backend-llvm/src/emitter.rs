//! The core's operations as LLVM's.
//!
//! *Method*: one LLVM instruction per operation wherever there is one; block parameters are phis. The function's parameters
//! belong to a prologue block of ours, since LLVM's entry block cannot be jumped to but the core's can; the first block
//! switched to is what the prologue jumps to. LLVM knows an edge by the block it comes from, so of several edges from one
//! terminator to the same parameters all but the first get a block of their own. *Invariants*: no operation is faster than
//! exact (no flag of LLVM's that allows another result); what the core leaves undefined may be undefined for LLVM too; no
//! operation becomes a call of the C library (where the processor lacks rounding, `floor` is called by address).

use std::cell::RefCell;
use std::collections::HashMap;

use columba_jit_core::backend::{Broken, CompileError};
use columba_jit_core::bytecode::instruction::Offset;
use columba_jit_core::emitter::{Access, EdgeOf, Emitter, MachineTy, Parameter, Signature};
use columba_jit_core::ir::op::{BinOp, Cond, OverflowOp, UnOp};
use columba_jit_core::ir::types::{MemTy, Ty};
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::{Builder, BuilderError};
use inkwell::context::Context;
use inkwell::debug_info::{
    AsDIScope, DIFlags, DIFlagsConstants, DISubprogram, DWARFEmissionKind, DWARFSourceLanguage, DebugInfoBuilder,
};
use inkwell::intrinsics::Intrinsic;
use inkwell::module::{FlagBehavior, Module};
use inkwell::targets::TargetMachine;
use inkwell::types::{BasicTypeEnum, FunctionType};
use inkwell::values::{
    BasicMetadataValueEnum, BasicValue, BasicValueEnum, FloatValue, FunctionValue, InstructionValue, IntValue,
    MetadataValue, PhiValue, PointerValue,
};

use crate::abi::{self, Types};
use crate::values::{Condition, Operand, condition};

/// How often a hot successor of a branch is taken for one time that its cold one is.
const HOT: u64 = 1 << 20;

/// Name of the one function in a module.
pub(crate) const NAME: &str = "compiled";

/// A block: what the driver gets, as an index.
struct BlockData<'ctx> {
    block: BasicBlock<'ctx>,
    params: Vec<PhiValue<'ctx>>,
    types: Vec<MachineTy>,
    cold: bool,
}

/// Where instructions stem from, as lines of a file that does not exist.
struct Origins<'ctx> {
    builder: DebugInfoBuilder<'ctx>,
    function: DISubprogram<'ctx>,
}

/// Builds one function in LLVM's IR.
pub struct LlvmEmitter<'ctx> {
    context: &'ctx Context,
    // What refers to the module is dropped before it.
    origins: Option<Origins<'ctx>>,
    builder: Builder<'ctx>,
    module: Module<'ctx>,
    function: FunctionValue<'ctx>,
    types: Types<'ctx>,
    prologue: BasicBlock<'ctx>,
    started: bool,
    /// The processor rounds floats by itself.
    rounds: bool,
    blocks: Vec<BlockData<'ctx>>,
    signatures: HashMap<Signature, FunctionType<'ctx>>,
    intrinsics: HashMap<&'static str, Option<FunctionValue<'ctx>>>,
    /// Metadata of branches: the first, or the second successor is cold.
    weights: [MetadataValue<'ctx>; 2],
    weights_kind: u32,
    /// What holds of every call: the callee comes back.
    returning: [Attribute; 2],
    error: RefCell<Option<String>>,
}

/// Shorthand for an edge of this emitter.
type Edge<'a, 'ctx> = EdgeOf<'a, LlvmEmitter<'ctx>>;

impl<'ctx> LlvmEmitter<'ctx> {
    /// Starts an empty function. `rounds`: the target has an instruction for `floor`. `origins`: keep them for a listing.
    pub fn new(context: &'ctx Context, machine: &TargetMachine, rounds: bool, origins: bool) -> Self {
        let types = Types::new(context);
        let module = context.create_module(NAME);
        module.set_triple(&machine.get_triple());
        module.set_data_layout(&machine.get_target_data().get_data_layout());
        let function = module.add_function(NAME, types.entry_signature(), None);
        abi::mark_function(context, function);
        let prologue = context.append_basic_block(function, "");
        let builder = context.create_builder();
        builder.position_at_end(prologue);
        let weights = [[1, HOT], [HOT, 1]].map(|weights| {
            let name = context.metadata_string("branch_weights");
            let [first, second] = weights.map(|weight| types.single.const_int(weight, false));
            context.metadata_node(&[name.into(), first.into(), second.into()])
        });
        LlvmEmitter {
            origins: origins.then(|| Origins::new(context, &module, function)),
            context,
            module,
            builder,
            function,
            types,
            prologue,
            started: false,
            rounds,
            blocks: Vec::new(),
            signatures: HashMap::new(),
            intrinsics: HashMap::new(),
            weights,
            weights_kind: context.get_kind_id("prof"),
            returning: ["nounwind", "willreturn"].map(|name| abi::enum_attribute(context, name)),
            error: RefCell::new(None),
        }
    }

    /// Keeps the first error.
    fn fail(&self, error: impl ToString) {
        self.error.borrow_mut().get_or_insert_with(|| error.to_string());
    }

    fn done<T>(&self, built: Result<T, BuilderError>) -> Option<T> {
        built.map_err(|error| self.fail(error)).ok()
    }

    fn built_word(&self, built: Result<IntValue<'ctx>, BuilderError>) -> IntValue<'ctx> {
        self.done(built).unwrap_or_else(|| self.types.word.const_zero())
    }

    fn built_float(&self, built: Result<FloatValue<'ctx>, BuilderError>) -> FloatValue<'ctx> {
        self.done(built).unwrap_or_else(|| self.types.float.const_zero())
    }

    fn built_address(&self, built: Result<PointerValue<'ctx>, BuilderError>) -> PointerValue<'ctx> {
        self.done(built).unwrap_or_else(|| self.types.address.const_null())
    }

    fn built_flag(&self, built: Result<IntValue<'ctx>, BuilderError>) -> IntValue<'ctx> {
        self.done(built).unwrap_or_else(|| self.types.flag.const_zero())
    }

    fn operand(&self, value: Option<BasicValueEnum<'ctx>>) -> Operand<'ctx> {
        value.and_then(Operand::of).unwrap_or_else(|| {
            self.fail("a value of an unknown type");
            Operand::Word(self.types.word.const_zero())
        })
    }

    /// The value as 64 bits.
    fn word(&self, operand: Operand<'ctx>) -> IntValue<'ctx> {
        let b = &self.builder;
        match operand {
            Operand::Word(word) => word,
            Operand::Flag(flag) => self.built_word(b.build_int_z_extend(flag, self.types.word, "")),
            Operand::Address(address) => self.built_word(b.build_ptr_to_int(address, self.types.word, "")),
            Operand::Float(_) => {
                self.fail("a float where an integer belongs");
                self.types.word.const_zero()
            }
        }
    }

    fn address_of(&self, operand: Operand<'ctx>) -> PointerValue<'ctx> {
        match operand {
            Operand::Address(address) => address,
            other => {
                let word = self.word(other);
                self.built_address(self.builder.build_int_to_ptr(word, self.types.address, ""))
            }
        }
    }

    fn float(&self, operand: Operand<'ctx>) -> FloatValue<'ctx> {
        let Operand::Float(float) = operand else {
            self.fail("an integer where a float belongs");
            return self.types.float.const_zero();
        };
        float
    }

    /// Whether the value is not 0.
    fn flag(&self, operand: Operand<'ctx>) -> IntValue<'ctx> {
        match operand {
            Operand::Flag(flag) => flag,
            other => {
                let word = self.word(other);
                let zero = self.types.word.const_zero();
                self.built_flag(self.builder.build_int_compare(inkwell::IntPredicate::NE, word, zero, ""))
            }
        }
    }

    fn value(&self, ty: MachineTy, operand: Operand<'ctx>) -> BasicValueEnum<'ctx> {
        match ty {
            MachineTy::I64 => self.word(operand).into(),
            MachineTy::F64 => self.float(operand).into(),
            MachineTy::Ptr => self.address_of(operand).into(),
        }
    }

    fn holds(&self, cond: Cond, a: Operand<'ctx>, b: Operand<'ctx>) -> IntValue<'ctx> {
        self.built_flag(match (condition(cond), a, b) {
            (Condition::Float(predicate), a, b) => {
                self.builder.build_float_compare(predicate, self.float(a), self.float(b), "")
            }
            (Condition::Int(predicate), Operand::Address(a), Operand::Address(b)) => {
                self.builder.build_int_compare(predicate, a, b, "")
            }
            (Condition::Int(predicate), a, b) => {
                self.builder.build_int_compare(predicate, self.word(a), self.word(b), "")
            }
        })
    }

    /// Calls one of LLVM's own operations.
    fn intrinsic(
        &mut self,
        name: &'static str,
        over: BasicTypeEnum<'ctx>,
        args: &[BasicMetadataValueEnum<'ctx>],
    ) -> Option<BasicValueEnum<'ctx>> {
        let module = &self.module;
        let found = *self
            .intrinsics
            .entry(name)
            .or_insert_with(|| Intrinsic::find(name).and_then(|found| found.get_declaration(module, &[over])));
        let Some(function) = found else {
            self.fail(format!("LLVM has no {name}"));
            return None;
        };
        self.done(self.builder.build_call(function, args, ""))?.try_as_basic_value().basic()
    }

    fn float_intrinsic(&mut self, name: &'static str, a: FloatValue<'ctx>) -> Operand<'ctx> {
        let result = self.intrinsic(name, self.types.float.into(), &[a.into()]);
        self.operand(result)
    }

    fn place(&self, base: Operand<'ctx>, offset: i32) -> PointerValue<'ctx> {
        let base = self.address_of(base);
        if offset == 0 {
            return base;
        }
        let offset = self.types.word.const_int(i64::from(offset).cast_unsigned(), true);
        // SAFETY: the address is computed without LLVM's `inbounds`, so any offset is defined.
        self.built_address(unsafe { self.builder.build_gep(self.types.byte, base, &[offset], "") })
    }

    /// Type in memory, and whether it is signed.
    fn memory(&self, mem: MemTy) -> (BasicTypeEnum<'ctx>, bool) {
        let types = &self.types;
        match mem {
            MemTy::U8 => (types.byte.into(), false),
            MemTy::I8 => (types.byte.into(), true),
            MemTy::U16 => (types.half.into(), false),
            MemTy::I16 => (types.half.into(), true),
            MemTy::U32 => (types.single.into(), false),
            MemTy::I32 => (types.single.into(), true),
            MemTy::I64 => (types.word.into(), true),
            MemTy::F64 => (types.float.into(), false),
            MemTy::Ptr => (types.address.into(), false),
        }
    }

    fn here(&self) -> BasicBlock<'ctx> {
        self.builder.get_insert_block().unwrap_or(self.prologue)
    }

    fn new_block(&self) -> BasicBlock<'ctx> {
        self.context.append_basic_block(self.function, "")
    }

    /// The blocks that a terminator of the block being filled may name for these edges; their phis get the arguments.
    fn route(&self, edges: &[Edge<'_, 'ctx>]) -> Vec<BasicBlock<'ctx>> {
        let from = self.here();
        let values: Vec<Vec<BasicValueEnum<'ctx>>> = edges
            .iter()
            .map(|edge| {
                edge.args.iter().zip(&self.blocks[edge.block].types).map(|(&arg, &ty)| self.value(ty, arg)).collect()
            })
            .collect();
        let mut targets = Vec::with_capacity(edges.len());
        for (index, (edge, values)) in edges.iter().zip(&values).enumerate() {
            let to = &self.blocks[edge.block];
            let again = edges[..index].iter().any(|earlier| earlier.block == edge.block);
            let (target, source) = if again && !values.is_empty() {
                let between = self.new_block();
                self.builder.position_at_end(between);
                self.done(self.builder.build_unconditional_branch(to.block));
                (between, between)
            } else {
                (to.block, from)
            };
            for (phi, value) in to.params.iter().zip(values) {
                phi.add_incoming(&[(value, source)]);
            }
            targets.push(target);
        }
        self.builder.position_at_end(from);
        targets
    }

    /// A conditional branch that knows which of its edges is cold.
    fn branch_on(&self, flag: IntValue<'ctx>, then: (BasicBlock<'ctx>, bool), otherwise: (BasicBlock<'ctx>, bool)) {
        let built = self.done(self.builder.build_conditional_branch(flag, then.0, otherwise.0));
        if then.1 != otherwise.1
            && let Some(branch) = built
        {
            self.weigh(branch, self.weights[usize::from(otherwise.1)]);
        }
    }

    fn weigh(&self, branch: InstructionValue<'ctx>, weights: MetadataValue<'ctx>) {
        if branch.set_metadata(weights, self.weights_kind).is_err() {
            self.fail("branch weights are no node");
        }
    }

    fn branch_edges(&self, flag: IntValue<'ctx>, then: Edge<'_, 'ctx>, otherwise: Edge<'_, 'ctx>) {
        let targets = self.route(&[then, otherwise]);
        let cold = |edge: Edge<'_, 'ctx>| self.blocks[edge.block].cold;
        self.branch_on(flag, (targets[0], cold(then)), (targets[1], cold(otherwise)));
    }
}

/// Used where the processor has no rounding instruction.
extern "C" fn floor(value: f64) -> f64 {
    value.floor()
}

impl<'ctx> Emitter for LlvmEmitter<'ctx> {
    type Value = Operand<'ctx>;
    type Block = usize;
    type Output = Module<'ctx>;

    fn parameter(&mut self, parameter: Parameter) -> Operand<'ctx> {
        self.operand(self.function.get_nth_param(abi::parameter_index(parameter)))
    }

    fn create_block(&mut self, params: &[MachineTy], cold: bool) -> usize {
        let block = self.new_block();
        let from = self.here();
        self.builder.position_at_end(block);
        let phis = params.iter().filter_map(|&ty| self.done(self.builder.build_phi(self.types.of(ty), ""))).collect();
        self.builder.position_at_end(from);
        self.blocks.push(BlockData { block, params: phis, types: params.to_vec(), cold });
        self.blocks.len() - 1
    }

    fn block_param(&mut self, block: usize, index: usize) -> Operand<'ctx> {
        self.operand(self.blocks[block].params.get(index).map(|phi| phi.as_basic_value()))
    }

    fn switch_to(&mut self, block: usize) {
        let block = self.blocks[block].block;
        if !self.started {
            self.started = true;
            self.done(self.builder.build_unconditional_branch(block));
        }
        self.builder.position_at_end(block);
    }

    fn int_const(&mut self, value: i64) -> Operand<'ctx> {
        Operand::Word(self.types.word.const_int(value.cast_unsigned(), true))
    }

    fn float_const(&mut self, bits: u64) -> Operand<'ctx> {
        // Through the bits, and folded at once: a number's way through `double` may quiet a signalling NaN.
        let bits = self.types.word.const_int(bits, false);
        let float = self.done(self.builder.build_bit_cast(bits, self.types.float, ""));
        self.operand(float)
    }

    fn address(&mut self, address: u64) -> Operand<'ctx> {
        let address = self.types.word.const_int(address, false);
        Operand::Address(address.const_to_pointer(self.types.address))
    }

    fn binary(&mut self, op: BinOp, a: Operand<'ctx>, b: Operand<'ctx>) -> Operand<'ctx> {
        let builder = &self.builder;
        if let (Operand::Flag(a), Operand::Flag(b), BinOp::And | BinOp::Or | BinOp::Xor) = (a, b, op) {
            return Operand::Flag(self.built_flag(match op {
                BinOp::And => builder.build_and(a, b, ""),
                BinOp::Or => builder.build_or(a, b, ""),
                _ => builder.build_xor(a, b, ""),
            }));
        }
        if matches!(op, BinOp::FAdd | BinOp::FSub | BinOp::FMul | BinOp::FDiv) {
            let (a, b) = (self.float(a), self.float(b));
            return Operand::Float(self.built_float(match op {
                BinOp::FAdd => builder.build_float_add(a, b, ""),
                BinOp::FSub => builder.build_float_sub(a, b, ""),
                BinOp::FMul => builder.build_float_mul(a, b, ""),
                _ => builder.build_float_div(a, b, ""),
            }));
        }
        // An address stays one: it costs no conversions, and LLVM sees which sums are the same place.
        if let (Operand::Address(base), BinOp::Add) = (a, op) {
            let offset = self.word(b);
            // SAFETY: the address is computed without LLVM's `inbounds`, so any offset is defined.
            return Operand::Address(
                self.built_address(unsafe { builder.build_gep(self.types.byte, base, &[offset], "") }),
            );
        }
        let (a, b) = (self.word(a), self.word(b));
        // What the processor does with the amount anyway, so that it costs nothing and no shift is undefined.
        let amount = || self.built_word(builder.build_and(b, self.types.word.const_int(63, false), ""));
        Operand::Word(self.built_word(match op {
            BinOp::Add => builder.build_int_add(a, b, ""),
            BinOp::Sub => builder.build_int_sub(a, b, ""),
            BinOp::Mul => builder.build_int_mul(a, b, ""),
            BinOp::And => builder.build_and(a, b, ""),
            BinOp::Or => builder.build_or(a, b, ""),
            BinOp::Xor => builder.build_xor(a, b, ""),
            BinOp::Shl => builder.build_left_shift(a, amount(), ""),
            BinOp::AShr => builder.build_right_shift(a, amount(), true, ""),
            BinOp::LShr => builder.build_right_shift(a, amount(), false, ""),
            BinOp::SDiv => builder.build_int_signed_div(a, b, ""),
            BinOp::SRem | BinOp::FAdd | BinOp::FSub | BinOp::FMul | BinOp::FDiv => {
                builder.build_int_signed_rem(a, b, "")
            }
        }))
    }

    fn unary(&mut self, op: UnOp, a: Operand<'ctx>) -> Operand<'ctx> {
        let (builder, types) = (&self.builder, self.types);
        match op {
            UnOp::Neg => Operand::Word(self.built_word(builder.build_int_neg(self.word(a), ""))),
            UnOp::Not => Operand::Word(self.built_word(builder.build_not(self.word(a), ""))),
            UnOp::FNeg => Operand::Float(self.built_float(builder.build_float_neg(self.float(a), ""))),
            UnOp::FAbs => self.float_intrinsic("llvm.fabs", self.float(a)),
            UnOp::FSqrt => self.float_intrinsic("llvm.sqrt", self.float(a)),
            UnOp::FFloor if self.rounds => self.float_intrinsic("llvm.floor", self.float(a)),
            UnOp::FFloor => {
                let signature = Signature { params: vec![MachineTy::F64], result: Some(MachineTy::F64) };
                let callee = floor as extern "C" fn(f64) -> f64 as usize as u64;
                self.call(callee, &signature, &[a]).unwrap_or(a)
            }
            UnOp::IntToFloat => {
                Operand::Float(self.built_float(builder.build_signed_int_to_float(self.word(a), types.float, "")))
            }
            UnOp::FloatToInt => {
                Operand::Word(self.built_word(builder.build_float_to_signed_int(self.float(a), types.word, "")))
            }
            UnOp::BitsToFloat => {
                let float = self.done(builder.build_bit_cast(self.word(a), types.float, ""));
                self.operand(float)
            }
            UnOp::FloatToBits => {
                let word = self.done(builder.build_bit_cast(self.float(a), types.word, ""));
                self.operand(word)
            }
            // What wants a word makes it one; what adds to an address, or loads from it, does not want that.
            UnOp::Cast(Ty::I64) if matches!(a, Operand::Address(_)) => a,
            UnOp::Cast(Ty::I64) => Operand::Word(self.word(a)),
            UnOp::Cast(Ty::Obj | Ty::Ptr) => Operand::Address(self.address_of(a)),
            UnOp::Cast(Ty::F64) => a,
        }
    }

    fn compare(&mut self, cond: Cond, _ty: MachineTy, a: Operand<'ctx>, b: Operand<'ctx>) -> Operand<'ctx> {
        Operand::Flag(self.holds(cond, a, b))
    }

    fn select(&mut self, cond: Operand<'ctx>, ty: MachineTy, a: Operand<'ctx>, b: Operand<'ctx>) -> Operand<'ctx> {
        let cond = self.flag(cond);
        if let (Operand::Flag(a), Operand::Flag(b)) = (a, b) {
            let chosen = self.done(self.builder.build_select(cond, a, b, ""));
            let chosen = chosen.map_or_else(|| self.types.flag.const_zero(), BasicValueEnum::into_int_value);
            return Operand::Flag(chosen);
        }
        let chosen = self.done(self.builder.build_select(cond, self.value(ty, a), self.value(ty, b), ""));
        self.operand(chosen)
    }

    fn load(&mut self, mem: MemTy, access: Access, base: Operand<'ctx>, offset: i32) -> Operand<'ctx> {
        let place = self.place(base, offset);
        let (ty, signed) = self.memory(mem);
        let loaded = self.done(self.builder.build_load(ty, place, ""));
        if access == Access::Volatile
            && let Some(load) = loaded.and_then(|loaded| loaded.as_instruction_value())
            && load.set_volatile(true).is_err()
        {
            self.fail("a load that is none");
        }
        match loaded {
            Some(BasicValueEnum::IntValue(narrow)) if ty != self.types.word.into() => {
                Operand::Word(self.built_word(if signed {
                    self.builder.build_int_s_extend(narrow, self.types.word, "")
                } else {
                    self.builder.build_int_z_extend(narrow, self.types.word, "")
                }))
            }
            loaded => self.operand(loaded),
        }
    }

    fn store(&mut self, mem: MemTy, base: Operand<'ctx>, offset: i32, value: Operand<'ctx>) {
        let place = self.place(base, offset);
        let value = match self.memory(mem).0 {
            BasicTypeEnum::IntType(ty) if ty != self.types.word => {
                let word = self.word(value);
                self.done(self.builder.build_int_truncate(word, ty, "")).map(BasicValueEnum::from)
            }
            BasicTypeEnum::IntType(_) => Some(self.word(value).into()),
            BasicTypeEnum::FloatType(_) => Some(self.float(value).into()),
            _ => Some(self.address_of(value).into()),
        };
        if let Some(value) = value {
            self.done(self.builder.build_store(place, value));
        }
    }

    fn call(&mut self, callee: u64, signature: &Signature, args: &[Operand<'ctx>]) -> Option<Operand<'ctx>> {
        let lowered = match self.signatures.get(signature) {
            Some(&known) => known,
            None => {
                let lowered = self.types.c_signature(self.context, signature);
                self.signatures.insert(signature.clone(), lowered);
                lowered
            }
        };
        let args: Vec<BasicMetadataValueEnum<'ctx>> =
            signature.params.iter().zip(args).map(|(&ty, &arg)| self.value(ty, arg).into()).collect();
        let callee = self.address(callee);
        let call = self.done(self.builder.build_indirect_call(lowered, self.address_of(callee), &args, ""))?;
        for attribute in self.returning {
            call.add_attribute(AttributeLoc::Function, attribute);
        }
        signature.result.map(|_| self.operand(call.try_as_basic_value().basic()))
    }

    fn jump(&mut self, to: Edge<'_, 'ctx>) {
        let targets = self.route(&[to]);
        self.done(self.builder.build_unconditional_branch(targets[0]));
    }

    fn branch(&mut self, cond: Operand<'ctx>, then: Edge<'_, 'ctx>, otherwise: Edge<'_, 'ctx>) {
        self.branch_edges(self.flag(cond), then, otherwise);
    }

    fn ret(&mut self, status: Operand<'ctx>) {
        let status = self.word(status);
        self.done(self.builder.build_return(Some(&status)));
    }

    fn unreachable(&mut self) {
        self.done(self.builder.build_unreachable());
    }

    fn finish(self) -> Result<Module<'ctx>, CompileError> {
        if let Some(error) = self.error.take() {
            return Err(Broken::Backend(error).into());
        }
        if let Some(origins) = &self.origins {
            origins.builder.finalize();
        }
        Ok(self.module)
    }

    fn origin(&mut self, offset: Offset) {
        if let Some(origins) = &self.origins {
            // Line 0 means "none".
            let scope = origins.function.as_debug_info_scope();
            let location = origins.builder.create_debug_location(self.context, offset + 1, 0, scope, None);
            self.builder.set_current_debug_location(location);
        }
    }

    /// By the processor's overflow flag; LLVM turns it into a comparison where an operand is known.
    fn guard_no_overflow(
        &mut self,
        op: OverflowOp,
        a: Operand<'ctx>,
        b: Operand<'ctx>,
        leaving: usize,
    ) -> Operand<'ctx> {
        let name = match op {
            OverflowOp::Add => "llvm.sadd.with.overflow",
            OverflowOp::Sub => "llvm.ssub.with.overflow",
            OverflowOp::Mul => "llvm.smul.with.overflow",
        };
        let (a, b) = (self.word(a), self.word(b));
        let both = self.intrinsic(name, self.types.word.into(), &[a.into(), b.into()]);
        let Some(BasicValueEnum::StructValue(both)) = both else {
            self.fail("no pair of result and overflow");
            return Operand::Word(a);
        };
        let result = self.done(self.builder.build_extract_value(both, 0, ""));
        let Some(BasicValueEnum::IntValue(overflow)) = self.done(self.builder.build_extract_value(both, 1, "")) else {
            self.fail("no overflow bit");
            return Operand::Word(a);
        };
        let on = self.new_block();
        let to = &self.blocks[leaving];
        self.branch_on(overflow, (to.block, to.cold), (on, false));
        self.builder.position_at_end(on);
        self.operand(result)
    }

    fn switch(&mut self, value: Operand<'ctx>, cases: &[Edge<'_, 'ctx>], default: Edge<'_, 'ctx>) {
        let value = self.word(value);
        let edges: Vec<Edge<'_, 'ctx>> = cases.iter().copied().chain([default]).collect();
        let targets = self.route(&edges);
        let numbered: Vec<(IntValue<'ctx>, BasicBlock<'ctx>)> =
            (0..).map(|k| self.types.word.const_int(k, false)).zip(targets[..cases.len()].iter().copied()).collect();
        self.done(self.builder.build_switch(value, targets[cases.len()], &numbered));
    }
}

impl<'ctx> Origins<'ctx> {
    fn new(context: &'ctx Context, module: &Module<'ctx>, function: FunctionValue<'ctx>) -> Self {
        let single = context.i32_type();
        module.add_basic_value_flag("Debug Info Version", FlagBehavior::Warning, single.const_int(3, false));
        module.add_basic_value_flag("Dwarf Version", FlagBehavior::Warning, single.const_int(4, false));
        let (builder, unit) = module.create_debug_info_builder(
            true,
            DWARFSourceLanguage::C,
            NAME,
            "",
            "",
            true,
            "",
            0,
            "",
            DWARFEmissionKind::LineTablesOnly,
            0,
            false,
            false,
            "",
            "",
        );
        let file = unit.get_file();
        let ty = builder.create_subroutine_type(file, None, &[], DIFlags::PUBLIC);
        let scope = file.as_debug_info_scope();
        let described = builder.create_function(scope, NAME, None, file, 0, ty, true, true, 0, DIFlags::PUBLIC, true);
        function.set_subprogram(described);
        Origins { builder, function: described }
    }
}
