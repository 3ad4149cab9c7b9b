//! The core's operations as Cranelift's.
//!
//! *Method*: one Cranelift instruction per operation wherever there is one. The function's parameters belong to a prologue
//! block of ours, since a Cranelift entry block cannot be jumped to but the core's can; the first block switched to is
//! what the prologue jumps to. *Invariants*: memory accesses neither trap nor are misaligned; no operation becomes a call of
//! Cranelift's own library (where the processor lacks rounding, `floor` is called by address).

use std::collections::HashMap;

use columba_jit_core::backend::CompileError;
use columba_jit_core::bytecode::instruction::Offset;
use columba_jit_core::emitter::{Access, Edge, EdgeOf, Emitter, MachineTy, Parameter, Signature, Test};
use columba_jit_core::ir::op::{BinOp, Cond, OverflowOp, UnOp};
use columba_jit_core::ir::types::MemTy;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::Ieee64;
use cranelift_codegen::ir::{
    self, BlockArg, Function, InstBuilder, JumpTableData, MemFlagsData, SigRef, SourceLoc, StackSlotData,
    StackSlotKind, TrapCode, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use crate::values::{Condition, Operand, condition};
use crate::{abi, preserving};

/// Loads and stores of live memory at natural alignment.
const MEMORY: MemFlagsData = MemFlagsData::trusted();
/// Up to this many cases a switch is a chain of comparisons.
const CHAIN: usize = 3;

/// Builds one function in Cranelift's IR.
pub struct CraneliftEmitter<'a> {
    builder: FunctionBuilder<'a>,
    isa: &'a dyn TargetIsa,
    convention: CallConv,
    prologue: ir::Block,
    started: bool,
    /// The processor rounds floats by itself.
    rounds: bool,
    origins: bool,
    signatures: HashMap<Signature, SigRef>,
    /// Those of calls that change no register, and where these put their results.
    preserving: HashMap<Signature, SigRef>,
    results: Option<ir::StackSlot>,
    /// Whether a block that is not cold gets a float as a parameter.
    passes_floats: bool,
    then_args: Vec<BlockArg>,
    else_args: Vec<BlockArg>,
}

impl<'a> CraneliftEmitter<'a> {
    /// Starts an empty function. `rounds`: the target has an instruction for `floor`. `origins`: keep them for a listing.
    pub fn new(
        function: &'a mut Function,
        context: &'a mut FunctionBuilderContext,
        isa: &'a dyn TargetIsa,
        rounds: bool,
        origins: bool,
    ) -> Self {
        let convention = isa.default_call_conv();
        function.signature = abi::entry_signature(convention);
        let mut builder = FunctionBuilder::new(function, context);
        let prologue = builder.create_block();
        builder.append_block_params_for_function_params(prologue);
        builder.switch_to_block(prologue);
        CraneliftEmitter {
            builder,
            isa,
            convention,
            prologue,
            started: false,
            rounds,
            origins,
            signatures: HashMap::new(),
            preserving: HashMap::new(),
            results: None,
            passes_floats: false,
            then_args: Vec::new(),
            else_args: Vec::new(),
        }
    }

    fn widen(&mut self, operand: Operand) -> ir::Value {
        operand.widen(&mut self.builder)
    }

    fn widen_pair(&mut self, a: Operand, b: Operand) -> (ir::Value, ir::Value) {
        (self.widen(a), self.widen(b))
    }

    /// Fills `args` with an edge's arguments.
    fn arguments(&mut self, edge: EdgeOf<'_, Self>, mut args: Vec<BlockArg>) -> Vec<BlockArg> {
        args.clear();
        for &arg in edge.args {
            args.push(self.widen(arg).into());
        }
        args
    }

    fn in_cold_block(&self) -> bool {
        self.builder.current_block().is_some_and(|block| self.builder.func.layout.is_cold(block))
    }

    /// A block for what follows in the current one, as cold as that.
    fn continuation(&mut self) -> ir::Block {
        let cold = self.in_cold_block();
        let block = self.builder.create_block();
        if cold {
            self.builder.set_cold_block(block);
        }
        block
    }

    /// A cold block for the edge of a conditional branch that leads from a cold block back to one that is not. Cranelift puts what
    /// such an edge moves where it leads to, in the middle of code that is often run and has to jump over it.
    fn detour(&mut self, target: ir::Block) -> Option<ir::Block> {
        let leads_back = self.in_cold_block() && !self.builder.func.layout.is_cold(target);
        leads_back.then(|| self.continuation())
    }

    fn flag(&mut self, condition: Condition, a: Operand, b: Operand) -> ir::Value {
        let (a, b) = self.widen_pair(a, b);
        match condition {
            Condition::Int(code) => self.builder.ins().icmp(code, a, b),
            Condition::Float(code) => self.builder.ins().fcmp(code, a, b),
        }
    }

    /// A conditional branch. Cranelift walks the dominator tree in the reverse postorder of its own search, which finds the second
    /// target's blocks before the first's, and takes a loop for left for good at the first block that is not in it: what is
    /// invariant is then computed in the loop, again and again. So the second target is that which comes first in the core's order,
    /// where the blocks of a loop come before those behind it, and cold ones last.
    fn fork(&mut self, test: Test<Operand>, then: EdgeOf<'_, Self>, otherwise: EdgeOf<'_, Self>) {
        let cold = |block| self.builder.func.layout.is_cold(block);
        let place = |block: ir::Block| (cold(block), block.as_u32());
        let swapped = place(then.block) < place(otherwise.block);
        let flag = match (test, swapped) {
            (Test::NotZero(value), false) => value.raw,
            (Test::NotZero(value), true) => self.builder.ins().icmp_imm_s(IntCC::Equal, value.raw, 0),
            (Test::Compare(cond, _, a, b), false) => self.flag(condition(cond), a, b),
            (Test::Compare(cond, _, a, b), true) => self.flag(condition(cond).complement(), a, b),
        };
        let edges = if swapped { [otherwise, then] } else { [then, otherwise] };
        let [first_args, second_args] = [std::mem::take(&mut self.then_args), std::mem::take(&mut self.else_args)];
        let args = [self.arguments(edges[0], first_args), self.arguments(edges[1], second_args)];
        let detours = edges.map(|edge| self.detour(edge.block));
        let target = |i: usize| match detours[i] {
            Some(detour) => (detour, &[][..]),
            None => (edges[i].block, args[i].as_slice()),
        };
        let ((first, to_first), (second, to_second)) = (target(0), target(1));
        self.builder.ins().brif(flag, first, to_first, second, to_second);
        for ((detour, edge), args) in detours.into_iter().zip(edges).zip(&args) {
            if let Some(detour) = detour {
                self.builder.switch_to_block(detour);
                self.builder.ins().jump(edge.block, args);
            }
        }
        [self.then_args, self.else_args] = args;
    }

    fn call_signature(&mut self, signature: &Signature) -> SigRef {
        if let Some(&known) = self.signatures.get(signature) {
            return known;
        }
        let imported = self.builder.import_signature(abi::c_signature(signature, self.convention));
        self.signatures.insert(signature.clone(), imported);
        imported
    }

    /// Calls a function by a thunk that saves all registers.
    fn call_preserving(&mut self, thunk: u64, callee: u64, signature: &Signature, args: &[Operand]) -> Option<Operand> {
        let lowered = match self.preserving.get(signature) {
            Some(&known) => known,
            None => {
                let imported = self.builder.import_signature(preserving::signature(signature));
                self.preserving.insert(signature.clone(), imported);
                imported
            }
        };
        let slot = match self.results {
            Some(slot) => slot,
            None => {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, preserving::RESULTS, 3);
                *self.results.insert(self.builder.create_sized_stack_slot(data))
            }
        };
        let mut args: Vec<ir::Value> = args.iter().map(|&arg| self.widen(arg)).collect();
        args.push(self.address(callee).raw);
        let results = self.builder.ins().stack_addr(types::I64, slot, 0);
        args.push(results);
        let thunk = self.address(thunk).raw;
        self.builder.ins().call_indirect(lowered, thunk, &args);
        let result = signature.result?;
        let offset = preserving::result_offset(result);
        Some(Operand::word(self.builder.ins().load(abi::ty(result), MEMORY, results, offset)))
    }

    /// A load that is always executed: an atomic one, which on x86-64 is an ordinary `mov`.
    fn load_volatile(&mut self, mem: MemTy, base: ir::Value, offset: i32) -> ir::Value {
        let at = self.builder.ins().iadd_imm_s(base, i64::from(offset));
        let (ty, signed) = match mem {
            MemTy::U8 => (types::I8, false),
            MemTy::I8 => (types::I8, true),
            MemTy::U16 => (types::I16, false),
            MemTy::I16 => (types::I16, true),
            MemTy::U32 => (types::I32, false),
            MemTy::I32 => (types::I32, true),
            MemTy::I64 | MemTy::Ptr | MemTy::F64 => (types::I64, false),
        };
        let loaded = self.builder.ins().atomic_load(ty, MEMORY, at);
        match mem {
            MemTy::F64 => self.builder.ins().bitcast(types::F64, MemFlagsData::new(), loaded),
            _ if ty == types::I64 => loaded,
            _ if signed => self.builder.ins().sextend(types::I64, loaded),
            _ => self.builder.ins().uextend(types::I64, loaded),
        }
    }
}

/// Used where the processor has no rounding instruction.
extern "C" fn floor(value: f64) -> f64 {
    value.floor()
}

impl Emitter for CraneliftEmitter<'_> {
    type Value = Operand;
    type Block = ir::Block;
    type Output = ();

    fn parameter(&mut self, parameter: Parameter) -> Operand {
        Operand::word(self.builder.block_params(self.prologue)[abi::parameter_index(parameter)])
    }

    fn create_block(&mut self, params: &[MachineTy], cold: bool) -> ir::Block {
        let block = self.builder.create_block();
        for &param in params {
            self.builder.append_block_param(block, abi::ty(param));
        }
        if cold {
            self.builder.set_cold_block(block);
        } else {
            self.passes_floats |= params.contains(&MachineTy::F64);
        }
        block
    }

    fn block_param(&mut self, block: ir::Block, index: usize) -> Operand {
        Operand::word(self.builder.block_params(block)[index])
    }

    fn switch_to(&mut self, block: ir::Block) {
        if !self.started {
            self.started = true;
            self.builder.ins().jump(block, &[]);
        }
        self.builder.switch_to_block(block);
    }

    fn int_const(&mut self, value: i64) -> Operand {
        Operand::word(self.builder.ins().iconst(types::I64, value))
    }

    fn float_const(&mut self, bits: u64) -> Operand {
        Operand::word(self.builder.ins().f64const(Ieee64::with_bits(bits)))
    }

    fn address(&mut self, address: u64) -> Operand {
        self.int_const(address.cast_signed())
    }

    fn binary(&mut self, op: BinOp, a: Operand, b: Operand) -> Operand {
        if a.flag && b.flag && matches!(op, BinOp::And | BinOp::Or | BinOp::Xor) {
            let ins = self.builder.ins();
            return Operand::flag(match op {
                BinOp::And => ins.band(a.raw, b.raw),
                BinOp::Or => ins.bor(a.raw, b.raw),
                _ => ins.bxor(a.raw, b.raw),
            });
        }
        let (a, b) = self.widen_pair(a, b);
        let ins = self.builder.ins();
        Operand::word(match op {
            BinOp::Add => ins.iadd(a, b),
            BinOp::Sub => ins.isub(a, b),
            BinOp::Mul => ins.imul(a, b),
            BinOp::And => ins.band(a, b),
            BinOp::Or => ins.bor(a, b),
            BinOp::Xor => ins.bxor(a, b),
            BinOp::Shl => ins.ishl(a, b),
            BinOp::AShr => ins.sshr(a, b),
            BinOp::LShr => ins.ushr(a, b),
            BinOp::SDiv => ins.sdiv(a, b),
            BinOp::SRem => ins.srem(a, b),
            BinOp::FAdd => ins.fadd(a, b),
            BinOp::FSub => ins.fsub(a, b),
            BinOp::FMul => ins.fmul(a, b),
            BinOp::FDiv => ins.fdiv(a, b),
        })
    }

    fn unary(&mut self, op: UnOp, a: Operand) -> Operand {
        let a = self.widen(a);
        if op == UnOp::FFloor && !self.rounds {
            let signature = Signature { params: vec![MachineTy::F64], result: Some(MachineTy::F64) };
            let callee = floor as extern "C" fn(f64) -> f64 as usize as u64;
            return self.call(callee, &signature, &[Operand::word(a)]).unwrap_or(Operand::word(a));
        }
        let ins = self.builder.ins();
        Operand::word(match op {
            UnOp::Neg => ins.ineg(a),
            UnOp::Not => ins.bnot(a),
            UnOp::FNeg => ins.fneg(a),
            UnOp::FAbs => ins.fabs(a),
            UnOp::FSqrt => ins.sqrt(a),
            UnOp::FFloor => ins.floor(a),
            UnOp::IntToFloat => ins.fcvt_from_sint(types::F64, a),
            // The saturating one: within range the code is the same, and it has no trap.
            UnOp::FloatToInt => ins.fcvt_to_sint_sat(types::I64, a),
            UnOp::BitsToFloat => ins.bitcast(types::F64, MemFlagsData::new(), a),
            UnOp::FloatToBits => ins.bitcast(types::I64, MemFlagsData::new(), a),
            UnOp::Cast(_) => a,
        })
    }

    fn compare(&mut self, cond: Cond, _ty: MachineTy, a: Operand, b: Operand) -> Operand {
        Operand::flag(self.flag(condition(cond), a, b))
    }

    fn select(&mut self, cond: Operand, _ty: MachineTy, a: Operand, b: Operand) -> Operand {
        if a.flag && b.flag {
            return Operand::flag(self.builder.ins().select(cond.raw, a.raw, b.raw));
        }
        let (a, b) = self.widen_pair(a, b);
        Operand::word(self.builder.ins().select(cond.raw, a, b))
    }

    fn load(&mut self, mem: MemTy, access: Access, base: Operand, offset: i32) -> Operand {
        let base = self.widen(base);
        if access == Access::Volatile {
            return Operand::word(self.load_volatile(mem, base, offset));
        }
        let ins = self.builder.ins();
        Operand::word(match mem {
            MemTy::U8 => ins.uload8(types::I64, MEMORY, base, offset),
            MemTy::I8 => ins.sload8(types::I64, MEMORY, base, offset),
            MemTy::U16 => ins.uload16(types::I64, MEMORY, base, offset),
            MemTy::I16 => ins.sload16(types::I64, MEMORY, base, offset),
            MemTy::U32 => ins.uload32(MEMORY, base, offset),
            MemTy::I32 => ins.sload32(MEMORY, base, offset),
            MemTy::I64 | MemTy::Ptr => ins.load(types::I64, MEMORY, base, offset),
            MemTy::F64 => ins.load(types::F64, MEMORY, base, offset),
        })
    }

    fn store(&mut self, mem: MemTy, base: Operand, offset: i32, value: Operand) {
        let (base, value) = self.widen_pair(base, value);
        let ins = self.builder.ins();
        match mem {
            MemTy::U8 | MemTy::I8 => ins.istore8(MEMORY, value, base, offset),
            MemTy::U16 | MemTy::I16 => ins.istore16(MEMORY, value, base, offset),
            MemTy::U32 | MemTy::I32 => ins.istore32(MEMORY, value, base, offset),
            MemTy::I64 | MemTy::Ptr | MemTy::F64 => ins.store(MEMORY, value, base, offset),
        };
    }

    fn call(&mut self, callee: u64, signature: &Signature, args: &[Operand]) -> Option<Operand> {
        if self.passes_floats
            && self.in_cold_block()
            && let Some(thunk) = preserving::thunk(signature)
        {
            return self.call_preserving(thunk, callee, signature, args);
        }
        let lowered = self.call_signature(signature);
        let args: Vec<ir::Value> = args.iter().map(|&arg| self.widen(arg)).collect();
        let callee = self.address(callee).raw;
        let inst = self.builder.ins().call_indirect(lowered, callee, &args);
        self.builder.inst_results(inst).first().map(|&result| Operand::word(result))
    }

    fn jump(&mut self, to: EdgeOf<'_, Self>) {
        let args = std::mem::take(&mut self.then_args);
        let args = self.arguments(to, args);
        self.builder.ins().jump(to.block, &args);
        self.then_args = args;
    }

    fn branch(&mut self, cond: Operand, then: EdgeOf<'_, Self>, otherwise: EdgeOf<'_, Self>) {
        self.fork(Test::NotZero(cond), then, otherwise);
    }

    fn branch_compare(
        &mut self,
        cond: Cond,
        ty: MachineTy,
        (a, b): (Operand, Operand),
        then: EdgeOf<'_, Self>,
        otherwise: EdgeOf<'_, Self>,
    ) {
        self.fork(Test::Compare(cond, ty, a, b), then, otherwise);
    }

    fn ret(&mut self, status: Operand) {
        let status = self.widen(status);
        self.builder.ins().return_(&[status]);
    }

    fn unreachable(&mut self) {
        self.builder.ins().trap(TrapCode::unwrap_user(1));
    }

    fn finish(mut self) -> Result<(), CompileError> {
        self.builder.seal_all_blocks();
        self.builder.finalize(self.isa.frontend_config());
        Ok(())
    }

    fn origin(&mut self, offset: Offset) {
        if self.origins {
            self.builder.set_srcloc(SourceLoc::new(offset));
        }
    }

    fn guard(&mut self, test: Test<Operand>, leaving: ir::Block) {
        let on = self.continuation();
        let (then, otherwise) = (Edge { block: on, args: &[] }, Edge { block: leaving, args: &[] });
        self.fork(test, then, otherwise);
        self.switch_to(on);
    }

    /// With a known operand the direction of the wrapped result tells: one comparison fused with its branch. Otherwise the
    /// processor's overflow flag.
    fn guard_no_overflow(&mut self, op: OverflowOp, a: Operand, b: Operand, leaving: ir::Block) -> Operand {
        let (known, swapped) = match (b.known(&self.builder), a.known(&self.builder), op) {
            (Some(b), ..) if op != OverflowOp::Mul => (Some(b), false),
            (None, Some(a), OverflowOp::Add) => (Some(a), true),
            _ => (None, false),
        };
        if let Some(known) = known {
            let (a, b) = if swapped { (b, a) } else { (a, b) };
            let a = Operand::word(self.widen(a));
            let result = self.binary(if op == OverflowOp::Add { BinOp::Add } else { BinOp::Sub }, a, b);
            if known != 0 {
                let grows = (known > 0) == (op == OverflowOp::Add);
                let cond = if grows { Cond::Ge } else { Cond::Le };
                self.guard(Test::Compare(cond, MachineTy::I64, result, a), leaving);
            }
            return result;
        }
        let (a, b) = self.widen_pair(a, b);
        let ins = self.builder.ins();
        let (result, overflow) = match op {
            OverflowOp::Add => ins.sadd_overflow(a, b),
            OverflowOp::Sub => ins.ssub_overflow(a, b),
            OverflowOp::Mul => ins.smul_overflow(a, b),
        };
        let on = self.continuation();
        self.builder.ins().brif(overflow, leaving, &[], on, &[]);
        self.switch_to(on);
        Operand::word(result)
    }

    /// A table beyond a few cases.
    fn switch(&mut self, value: Operand, cases: &[EdgeOf<'_, Self>], default: EdgeOf<'_, Self>) {
        let value = Operand::word(self.widen(value));
        if cases.len() <= CHAIN {
            for (k, &case) in cases.iter().enumerate() {
                let next = self.continuation();
                let k = self.int_const(k as i64);
                let otherwise = Edge { block: next, args: &[] };
                self.branch_compare(Cond::Eq, MachineTy::I64, (value, k), case, otherwise);
                self.switch_to(next);
            }
            return self.jump(default);
        }
        let table = self.continuation();
        let count = self.int_const(cases.len() as i64);
        let inside = Edge { block: table, args: &[] };
        self.branch_compare(Cond::ULt, MachineTy::I64, (value, count), inside, default);
        self.switch_to(table);
        // The range is checked, so the table's own default is never taken; any target will do. It gets its own argument
        // list: Cranelift rewrites lists in place, and one that is shared would be rewritten twice.
        let mut calls = Vec::with_capacity(cases.len() + 1);
        for &case in cases.iter().chain(&cases[..1]) {
            let args = std::mem::take(&mut self.then_args);
            let args = self.arguments(case, args);
            calls.push(self.builder.func.dfg.block_call(case.block, &args));
            self.then_args = args;
        }
        let data = JumpTableData::new(calls[cases.len()], &calls[..cases.len()]);
        let table = self.builder.create_jump_table(data);
        let index = self.builder.ins().ireduce(types::I32, value.raw);
        self.builder.ins().br_table(index, table);
    }
}
