//! The core's operations, recorded.
//!
//! *Method*: each call appends one instruction over virtual values; constants become values without an instruction. Guards do
//! not end a block: they are side exits. *Invariants*: the first error is kept, and what is recorded after it is never
//! looked at.

use columba_jit_core::backend::{Broken, CompileError};
use columba_jit_core::bytecode::instruction::Offset;
use columba_jit_core::emitter::{Access, Edge, EdgeOf, Emitter, MachineTy, Parameter, Signature, Test};
use columba_jit_core::ir::op::{BinOp, Cond, OverflowOp, UnOp};
use columba_jit_core::ir::types::MemTy;

use crate::abi;
use crate::values::{BlockData, CallData, EdgeData, Inst, Kind, Operand, Recording};

/// Records one function.
pub struct DynasmEmitter<'a> {
    recording: &'a mut Recording,
    origins: bool,
    error: Option<CompileError>,
}

impl<'a> DynasmEmitter<'a> {
    /// Starts an empty function. `origins`: keep them for a listing.
    pub fn new(recording: &'a mut Recording, origins: bool) -> Self {
        recording.clear();
        DynasmEmitter { recording, origins, error: None }
    }

    fn result(&mut self, ty: MachineTy) -> Operand {
        self.recording.value(kind(ty), 0)
    }

    fn read(&mut self, value: Operand) {
        self.recording.values[value.index()].uses += 1;
    }

    fn push(&mut self, inst: Inst) {
        self.recording.insts.push(inst);
    }

    /// Ends the block that is being filled.
    fn end_block(&mut self, inst: Inst) {
        self.push(inst);
        let end = self.recording.insts.len() as u32;
        match self.recording.current.take() {
            Some(current) => self.recording.blocks[current as usize].end = end,
            None => self.broken("an instruction outside of a block"),
        }
    }

    fn broken(&mut self, what: &str) {
        self.error.get_or_insert_with(|| Broken::Backend(what.to_owned()).into());
    }

    fn edge(&mut self, edge: EdgeOf<'_, Self>) -> u32 {
        let target = &mut self.recording.blocks[edge.block as usize];
        target.entered = true;
        if target.params != edge.args.len() as u32 {
            self.broken("an edge with another number of arguments than its block has parameters");
        }
        let args = self.args(edge.args);
        self.recording.edges.push(EdgeData { block: edge.block, args });
        self.recording.edges.len() as u32 - 1
    }

    /// Keeps a list of values; gives where it starts.
    fn args(&mut self, args: &[Operand]) -> u32 {
        let start = self.recording.args.len() as u32;
        for &arg in args {
            self.read(arg);
            self.recording.args.push(arg);
        }
        start
    }

    fn int(&mut self, value: i64) -> Operand {
        self.recording.value(Kind::IntConst, value.cast_unsigned())
    }

    /// What a test compares.
    fn compared(&mut self, test: Test<Operand>) -> (Cond, Operand, Operand) {
        let (cond, a, b) = match test {
            Test::NotZero(value) => (Cond::Ne, value, self.int(0)),
            Test::Compare(cond, _, a, b) => (cond, a, b),
        };
        let (cond, a, b) = self.constant_last(cond, a, b);
        self.read(a);
        self.read(b);
        (cond, a, b)
    }

    /// The constant to divide by, if multiplying is better.
    fn known_divisor(&self, b: Operand) -> Option<i64> {
        let data = self.recording.values[b.index()];
        let divisor = data.bits.cast_signed();
        (data.kind == Kind::IntConst && !matches!(divisor, -1..=1)).then_some(divisor)
    }

    /// `a` divided by a constant, towards zero: the upper half of a product, shifted, and one more where that is negative.
    fn quotient(&mut self, a: Operand, divisor: i64) -> Operand {
        let (factor, shift) = reciprocal(divisor);
        let factor_value = self.int(factor);
        self.read(a);
        self.read(factor_value);
        let mut high = self.result(MachineTy::I64);
        self.push(Inst::MultiplyHigh { result: high, a, b: factor_value });
        if divisor > 0 && factor < 0 {
            high = self.binary(BinOp::Add, high, a);
        } else if divisor < 0 && factor > 0 {
            high = self.binary(BinOp::Sub, high, a);
        }
        if shift > 0 {
            let shift = self.int(shift);
            high = self.binary(BinOp::AShr, high, shift);
        }
        let bits = self.int(63);
        let sign = self.binary(BinOp::LShr, high, bits);
        self.binary(BinOp::Add, high, sign)
    }

    /// A constant goes to the right, where it can be an immediate operand.
    fn constant_last(&self, cond: Cond, a: Operand, b: Operand) -> (Cond, Operand, Operand) {
        let constant = |value: Operand| self.recording.values[value.index()].kind == Kind::IntConst;
        if !constant(a) || constant(b) {
            return (cond, a, b);
        }
        let swapped = match cond {
            Cond::Lt => Cond::Gt,
            Cond::Le => Cond::Ge,
            Cond::Gt => Cond::Lt,
            Cond::Ge => Cond::Le,
            Cond::ULt => Cond::UGt,
            Cond::ULe => Cond::UGe,
            Cond::UGt => Cond::ULt,
            Cond::UGe => Cond::ULe,
            other => other,
        };
        (swapped, b, a)
    }
}

fn kind(ty: MachineTy) -> Kind {
    match ty {
        MachineTy::I64 | MachineTy::Ptr => Kind::Int,
        MachineTy::F64 => Kind::Float,
    }
}

/// What to multiply with, and by how much to shift the upper half, instead of dividing (Hacker's Delight, "Signed division by
/// divisors <= -2 and >= 2"). The factor is 2^(64 + shift) over the divisor, rounded up, the smallest that is exact enough.
fn reciprocal(divisor: i64) -> (i64, i64) {
    let half = 1u64 << 63;
    let divisor_size = divisor.unsigned_abs();
    let bound = half + u64::from(divisor < 0);
    let limit = bound - 1 - bound % divisor_size;
    let (mut quotient1, mut rest1) = (half / limit, half % limit);
    let (mut quotient2, mut rest2) = (half / divisor_size, half % divisor_size);
    let mut shift = 0;
    loop {
        let double = |quotient: u64, rest: u64, by: u64| {
            let (quotient, rest) = (quotient.wrapping_mul(2), rest.wrapping_mul(2));
            if rest >= by { (quotient.wrapping_add(1), rest - by) } else { (quotient, rest) }
        };
        (quotient1, rest1) = double(quotient1, rest1, limit);
        (quotient2, rest2) = double(quotient2, rest2, divisor_size);
        let delta = divisor_size - rest2;
        if quotient1 > delta || quotient1 == delta && rest1 != 0 {
            let factor = quotient2.wrapping_add(1).cast_signed();
            return (if divisor < 0 { factor.wrapping_neg() } else { factor }, shift);
        }
        shift += 1;
    }
}

impl Emitter for DynasmEmitter<'_> {
    type Value = Operand;
    type Block = u32;
    type Output = ();

    fn parameter(&mut self, parameter: Parameter) -> Operand {
        let index = abi::parameter_index(parameter);
        if let Some(known) = self.recording.parameters[index] {
            return known;
        }
        let value = self.recording.value(Kind::Int, 0);
        self.recording.parameters[index] = Some(value);
        value
    }

    fn create_block(&mut self, params: &[MachineTy], cold: bool) -> u32 {
        let first_param = self.recording.values.len() as u32;
        for &param in params {
            self.recording.value(kind(param), 0);
        }
        let params = params.len() as u32;
        self.recording.blocks.push(BlockData { first_param, params, cold, ..BlockData::default() });
        self.recording.blocks.len() as u32 - 1
    }

    fn block_param(&mut self, block: u32, index: usize) -> Operand {
        Operand(self.recording.blocks[block as usize].first_param + index as u32)
    }

    fn switch_to(&mut self, block: u32) {
        if self.recording.current.is_some() {
            self.broken("a block without a terminator");
        }
        let start = self.recording.insts.len() as u32;
        let data = &mut self.recording.blocks[block as usize];
        if data.filled {
            self.broken("a block that is filled twice");
        } else {
            (data.filled, data.start) = (true, start);
        }
        self.recording.emitted.push(block);
        self.recording.current = Some(block);
    }

    fn int_const(&mut self, value: i64) -> Operand {
        self.int(value)
    }

    fn float_const(&mut self, bits: u64) -> Operand {
        self.recording.value(Kind::FloatConst, bits)
    }

    fn address(&mut self, address: u64) -> Operand {
        self.int(address.cast_signed())
    }

    fn binary(&mut self, op: BinOp, a: Operand, b: Operand) -> Operand {
        let ty = match op {
            BinOp::FAdd | BinOp::FSub | BinOp::FMul | BinOp::FDiv => MachineTy::F64,
            _ => MachineTy::I64,
        };
        if let (BinOp::SDiv | BinOp::SRem, Some(divisor)) = (op, self.known_divisor(b)) {
            let quotient = self.quotient(a, divisor);
            if op == BinOp::SDiv {
                return quotient;
            }
            let product = self.binary(BinOp::Mul, quotient, b);
            return self.binary(BinOp::Sub, a, product);
        }
        self.read(a);
        self.read(b);
        let result = self.result(ty);
        self.push(Inst::Binary { op, result, a, b });
        result
    }

    fn unary(&mut self, op: UnOp, a: Operand) -> Operand {
        let ty = match op {
            UnOp::Cast(_) => return a,
            UnOp::Neg | UnOp::Not | UnOp::FloatToInt | UnOp::FloatToBits => MachineTy::I64,
            UnOp::FNeg | UnOp::FAbs | UnOp::FSqrt | UnOp::FFloor | UnOp::IntToFloat | UnOp::BitsToFloat => {
                MachineTy::F64
            }
        };
        self.read(a);
        let result = self.result(ty);
        self.push(Inst::Unary { op, result, a });
        result
    }

    fn compare(&mut self, cond: Cond, ty: MachineTy, a: Operand, b: Operand) -> Operand {
        let (cond, a, b) = self.compared(Test::Compare(cond, ty, a, b));
        let result = self.result(MachineTy::I64);
        self.push(Inst::Compare { cond, result, a, b });
        result
    }

    fn select(&mut self, cond: Operand, ty: MachineTy, a: Operand, b: Operand) -> Operand {
        for value in [cond, a, b] {
            self.read(value);
        }
        let result = self.result(ty);
        self.push(Inst::Select { result, cond, a, b });
        result
    }

    fn load(&mut self, mem: MemTy, access: Access, base: Operand, offset: i32) -> Operand {
        self.read(base);
        let result = self.result(if mem == MemTy::F64 { MachineTy::F64 } else { MachineTy::I64 });
        self.push(Inst::Load { mem, volatile: access == Access::Volatile, result, base, offset });
        result
    }

    fn store(&mut self, mem: MemTy, base: Operand, offset: i32, value: Operand) {
        self.read(base);
        self.read(value);
        self.push(Inst::Store { mem, base, offset, value });
    }

    fn call(&mut self, callee: u64, signature: &Signature, args: &[Operand]) -> Option<Operand> {
        if signature.params.len() != args.len() {
            self.broken("a call with another number of arguments than its signature has");
        }
        let first_arg = self.args(args);
        let result = signature.result.map(|ty| self.result(ty));
        let call = self.recording.calls.len() as u32;
        let args = args.len() as u32;
        self.recording.calls.push(CallData { callee, first_arg, args, result, saved: [0; 2] });
        self.push(Inst::Call { call });
        result
    }

    fn jump(&mut self, to: EdgeOf<'_, Self>) {
        let edge = self.edge(to);
        self.end_block(Inst::Jump { edge });
    }

    fn branch(&mut self, cond: Operand, then: EdgeOf<'_, Self>, otherwise: EdgeOf<'_, Self>) {
        let (cond, a, b) = self.compared(Test::NotZero(cond));
        let edges = self.edge(then);
        self.edge(otherwise);
        self.end_block(Inst::Branch { cond, a, b, edges });
    }

    fn ret(&mut self, status: Operand) {
        self.read(status);
        self.end_block(Inst::Return { status });
    }

    fn unreachable(&mut self) {
        self.end_block(Inst::Unreachable);
    }

    fn finish(mut self) -> Result<(), CompileError> {
        if self.recording.current.is_some() {
            self.broken("a block without a terminator");
        }
        if self.recording.emitted.is_empty() {
            self.broken("a function without blocks");
        }
        let unfilled = |block: &BlockData| (block.entered || block.left_to) && !block.filled;
        if self.recording.blocks.iter().any(unfilled) {
            self.broken("a block that is gone to but was never filled");
        }
        self.error.map_or(Ok(()), Err)
    }

    fn origin(&mut self, offset: Offset) {
        if self.origins {
            self.recording.origins.push((self.recording.insts.len() as u32, offset));
        }
    }

    fn branch_compare(
        &mut self,
        cond: Cond,
        ty: MachineTy,
        operands: (Operand, Operand),
        then: EdgeOf<'_, Self>,
        otherwise: EdgeOf<'_, Self>,
    ) {
        let (cond, a, b) = self.compared(Test::Compare(cond, ty, operands.0, operands.1));
        let edges = self.edge(then);
        self.edge(otherwise);
        self.end_block(Inst::Branch { cond, a, b, edges });
    }

    fn guard(&mut self, test: Test<Operand>, leaving: u32) {
        let (cond, a, b) = self.compared(test);
        self.recording.blocks[leaving as usize].left_to = true;
        self.push(Inst::Guard { cond, a, b, leaving });
    }

    fn guard_no_overflow(&mut self, op: OverflowOp, a: Operand, b: Operand, leaving: u32) -> Operand {
        self.read(a);
        self.read(b);
        let result = self.result(MachineTy::I64);
        self.recording.blocks[leaving as usize].left_to = true;
        self.push(Inst::Overflow { op, result, a, b, leaving });
        result
    }

    fn switch(&mut self, value: Operand, cases: &[EdgeOf<'_, Self>], default: EdgeOf<'_, Self>) {
        self.read(value);
        let edges = self.recording.edges.len() as u32;
        for &case in cases.iter().chain([&default]) {
            self.edge(Edge { block: case.block, args: case.args });
        }
        self.end_block(Inst::Switch { value, edges, cases: cases.len() as u32 });
    }
}
