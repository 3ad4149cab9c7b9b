//! Lowering: Python operations become primitive ones.
//!
//! *Problem*: backends know loads, stores, arithmetic and calls; type guards, boxes, reference counts and slots are facts of
//! CPython. *Method*: one walk over the blocks; each Python operation is replaced by a short sequence over the [`Layout`], and
//! where the sequence branches, the block is split: the continuation follows in place, rare parts become cold blocks at the
//! end of the function. In blocks that are cold already, helper calls are preferred, since code there should be small.
//! *Invariants*: values keep their numbers, new ones are appended; exits are unchanged; the order of observable effects is
//! that of the input; the result passes the verifier at `Level::Lowered`. The scratch use of the out buffer is consumed by
//! the very next instructions, so nothing that runs Python lies between.

use crate::bytecode::instruction::Offset;
use crate::helpers::Helper;
use crate::ir::function::{BlockData, Function, Inst};
use crate::ir::op::{BinOp, Block, Cond, Leave, Op, Symbol, Target, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use crate::layout::Layout;

/// What lowering may be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowerOptions {
    /// Makes every guard fail once: number `k` (from 0, in the order of blocks and instructions of the function that is
    /// lowered) fails at its execution `k + 1`. The value is the index `n` of a `Symbol::Address(n)`, where 8 zeroed bytes
    /// for each of [`guard_count`] guards are kept; they live as long as the code.
    pub stress_exits: Option<u32>,
}

/// How many guards `lower` would number.
pub fn guard_count(function: &Function) -> usize {
    function.blocks.iter().flat_map(|block| &block.insts).filter(|inst| inst.op.is_guard()).count()
}

/// Turns Python operations into primitive ones.
pub fn lower(function: &Function, layout: &Layout, options: &LowerOptions) -> Function {
    let mut out = Function {
        name: function.name.clone(),
        blocks: Vec::with_capacity(function.blocks.len() * 2),
        values: Vec::with_capacity(function.values.len() * 3),
        exits: function.exits.clone(),
        entry: function.entry,
    };
    out.values.extend_from_slice(&function.values);
    out.blocks.resize_with(function.blocks.len(), BlockData::default);
    let mut lowering = Lowering {
        out,
        layout,
        stress: options.stress_exits,
        guards: 0,
        frame: None,
        placed: Vec::with_capacity(function.blocks.len() * 2),
        placed_cold: Vec::with_capacity(function.blocks.len()),
        current: Block(0),
        cold: false,
        origin: Offset::default(),
    };
    for (index, data) in function.blocks.iter().enumerate() {
        let block = Block(index as u32);
        let new = &mut lowering.out.blocks[index];
        new.params = data.params.clone();
        new.cold = data.cold;
        new.insts.reserve(data.insts.len() * 2);
        lowering.cold = data.cold;
        lowering.place(block);
        for inst in &data.insts {
            lowering.inst(inst);
        }
    }
    lowering.finish()
}

struct Lowering<'a> {
    out: Function,
    layout: &'a Layout,
    stress: Option<u32>,
    guards: i64,
    /// `Op::Frame`, put at the head of block 0 when first needed.
    frame: Option<Value>,
    /// The order in which blocks will stand.
    placed: Vec<Block>,
    placed_cold: Vec<Block>,
    current: Block,
    /// Is the block being lowered cold?
    cold: bool,
    origin: Offset,
}

impl Lowering<'_> {
    fn finish(self) -> Function {
        let Lowering { mut out, frame, placed, placed_cold, .. } = self;
        if let Some(frame) = frame {
            let origin = out.blocks[0].insts.first().map_or(Offset::default(), |inst| inst.origin);
            out.blocks[0].insts.insert(0, Inst { op: Op::Frame, result: Some(frame), origin });
        }
        let mut number = vec![Block(0); out.blocks.len()];
        let mut old = std::mem::take(&mut out.blocks);
        for (index, block) in placed.iter().chain(&placed_cold).enumerate() {
            number[block.0 as usize] = Block(index as u32);
            out.blocks.push(std::mem::take(&mut old[block.0 as usize]));
        }
        for block in &mut out.blocks {
            if let Some(last) = block.insts.last_mut() {
                last.op.for_each_target_mut(|target| target.block = number[target.block.0 as usize]);
            }
        }
        out
    }

    // ---- writing instructions ----

    fn place(&mut self, block: Block) {
        self.placed.push(block);
        self.current = block;
    }

    fn push(&mut self, op: Op, result: Option<Value>) {
        let origin = self.origin;
        self.out.blocks[self.current.0 as usize].insts.push(Inst { op, result, origin });
    }

    fn effect(&mut self, op: Op) {
        self.push(op, None);
    }

    fn value(&mut self, op: Op) -> Value {
        let ty = op.result_ty(&self.out).expect("an operation with a result");
        let value = self.out.new_value(ty);
        self.push(op, Some(value));
        value
    }

    fn int(&mut self, number: i64) -> Value {
        self.value(Op::IConst(number))
    }

    fn load(&mut self, mem: MemTy, ty: Ty, base: Value, offset: i32) -> Value {
        self.value(Op::Load { mem, ty, base, offset })
    }

    fn frame(&mut self) -> Value {
        match self.frame {
            Some(frame) => frame,
            None => {
                let frame = self.out.new_value(Ty::Ptr);
                self.frame = Some(frame);
                frame
            }
        }
    }

    /// A block that follows the current one.
    fn new_block(&mut self) -> Block {
        let block = self.out.new_block();
        self.out.blocks[block.0 as usize].cold = self.cold;
        block
    }

    /// A block out of line.
    fn new_cold_block(&mut self) -> Block {
        let block = self.out.new_block();
        self.out.blocks[block.0 as usize].cold = true;
        self.placed_cold.push(block);
        block
    }

    fn jump(&mut self, block: Block, args: Vec<Value>) {
        self.effect(Op::Jump(Target { block, args }));
    }

    fn branch(&mut self, condition: Value, then: Block, otherwise: Block) {
        let target = |block| Target { block, args: Vec::new() };
        self.effect(Op::Branch(condition, target(then), target(otherwise)));
    }

    // ---- one operation ----

    fn inst(&mut self, inst: &Inst) {
        self.origin = inst.origin;
        if let (true, Some(leave)) = (inst.op.is_guard(), inst.op.leave()) {
            self.stress(leave);
        }
        match &inst.op {
            Op::GuardType(object, py, leave) => {
                let same = self.has_type(*object, *py, None);
                self.effect(Op::Guard(same, leave.clone()));
            }
            Op::IsType(object, py) => {
                self.has_type(*object, *py, inst.result);
            }
            Op::UnboxFloat(object) => {
                let offset = self.layout.float_value;
                self.push(Op::Load { mem: MemTy::F64, ty: Ty::F64, base: *object, offset }, inst.result);
            }
            Op::UnboxInt(object, leave) => self.unbox_int(*object, leave, inst.result),
            Op::UnboxBool(object) => {
                let truth = self.value(Op::Symbol(Symbol::True, Ty::Obj));
                self.push(Op::Compare(Cond::Eq, *object, truth), inst.result);
            }
            Op::BoxFloat(value) => self.push(Op::Call(Helper::BoxFloat, vec![*value]), inst.result),
            Op::BoxInt(value) => self.push(Op::Call(Helper::BoxInt, vec![*value]), inst.result),
            Op::BoxBool(value) => {
                let truth = self.value(Op::Symbol(Symbol::True, Ty::Obj));
                let falsity = self.value(Op::Symbol(Symbol::False, Ty::Obj));
                self.push(Op::Select(*value, truth, falsity), inst.result);
                if let Some(result) = inst.result {
                    self.incref(result);
                }
            }
            Op::Incref(object) => self.incref(*object),
            Op::Decref(object) => self.decref(*object),
            Op::XDecref(object) => self.xdecref(*object),
            Op::SlotGet(slot) => {
                let (base, offset) = (self.frame(), self.slot_offset(*slot));
                self.push(Op::Load { mem: MemTy::Ptr, ty: Ty::Obj, base, offset }, inst.result);
            }
            Op::SlotSet(slot, value) => {
                let (base, offset) = (self.frame(), self.slot_offset(*slot));
                self.effect(Op::Store { mem: MemTy::Ptr, base, offset, value: *value });
            }
            Op::SlotAddress(slot) => {
                let (base, offset) = (self.frame(), self.slot_offset(*slot));
                let base = self.value(Op::Unary(crate::ir::op::UnOp::Cast(Ty::I64), base));
                let offset = self.int(offset.into());
                let sum = self.value(Op::Binary(BinOp::Add, base, offset));
                self.push(Op::Unary(crate::ir::op::UnOp::Cast(Ty::Ptr), sum), inst.result);
            }
            Op::SetIp(offset) => {
                let base = self.frame();
                let value = self.value(Op::Symbol(Symbol::CodeUnit(*offset), Ty::Ptr));
                let offset = self.layout.frame_prev_instr;
                self.effect(Op::Store { mem: MemTy::Ptr, base, offset, value });
            }
            _ => self.push(inst.op.clone(), inst.result),
        }
    }

    fn slot_offset(&self, slot: u32) -> i32 {
        self.layout.frame_localsplus + 8 * slot as i32
    }

    /// Before guard `k`: counts, and leaves when the count was `k`.
    fn stress(&mut self, leave: &Leave) {
        let Some(index) = self.stress else { return };
        let number = self.guards;
        self.guards += 1;
        let base = self.value(Op::Symbol(Symbol::Address(index), Ty::Ptr));
        let offset = 8 * number as i32;
        let count = self.load(MemTy::I64, Ty::I64, base, offset);
        let one = self.int(1);
        let value = self.value(Op::Binary(BinOp::Add, count, one));
        self.effect(Op::Store { mem: MemTy::I64, base, offset, value });
        let number = self.int(number);
        let other = self.value(Op::Compare(Cond::Ne, count, number));
        self.effect(Op::Guard(other, leave.clone()));
    }

    fn has_type(&mut self, object: Value, py: PyTypes, result: Option<Value>) -> Value {
        let found = self.load(MemTy::Ptr, Ty::Ptr, object, self.layout.ob_type);
        let wanted = self.value(Op::Symbol(Symbol::Type(py), Ty::Ptr));
        let result = result.unwrap_or_else(|| self.out.new_value(Ty::I64));
        self.push(Op::Compare(Cond::Eq, found, wanted), Some(result));
        result
    }

    /// No digit or one: size times digit. Two digits: out of line, still without a call. More: a helper decides.
    fn unbox_int(&mut self, object: Value, leave: &Leave, result: Option<Value>) {
        let result = result.unwrap_or_else(|| self.out.new_value(Ty::I64));
        if self.cold {
            return self.unbox_int_by_helper(object, leave, result);
        }
        let (long_size, digits) = (self.layout.long_size, self.layout.long_digits);
        let fast = self.new_block();
        let done = self.new_block();
        let more = self.new_cold_block();
        let slow = self.new_cold_block();
        self.out.blocks[done.0 as usize].params.push(result);

        let size = self.load(MemTy::I64, Ty::I64, object, long_size);
        let one = self.int(1);
        let shifted = self.value(Op::Binary(BinOp::Add, size, one));
        let two = self.int(2);
        let small = self.value(Op::Compare(Cond::ULe, shifted, two));
        self.branch(small, fast, more);

        // Two digits at least are there. If those are all, the size is 2 or -2, and its half is the sign.
        self.current = more;
        let low = self.load(MemTy::U32, Ty::I64, object, digits);
        let high = self.load(MemTy::U32, Ty::I64, object, digits + 4);
        let bits = self.int(30);
        let high = self.value(Op::Binary(BinOp::Shl, high, bits));
        let magnitude = self.value(Op::Binary(BinOp::Or, high, low));
        let sign = self.value(Op::Binary(BinOp::AShr, size, one));
        let value = self.value(Op::Binary(BinOp::Mul, magnitude, sign));
        let shifted = self.value(Op::Binary(BinOp::Add, size, two));
        let limit = self.int(4);
        let fits = self.value(Op::Compare(Cond::ULe, shifted, limit));
        let (done_with, otherwise) =
            (Target { block: done, args: vec![value] }, Target { block: slow, args: Vec::new() });
        self.effect(Op::Branch(fits, done_with, otherwise));

        self.current = slow;
        let value = self.out.new_value(Ty::I64);
        self.unbox_int_by_helper(object, leave, value);
        self.jump(done, vec![value]);

        self.place(fast);
        let digit = self.load(MemTy::U32, Ty::I64, object, digits);
        let value = self.value(Op::Binary(BinOp::Mul, size, digit));
        self.jump(done, vec![value]);

        self.place(done);
    }

    /// The result is loaded before it is known to be one: so nothing but a jump stands behind the guard.
    fn unbox_int_by_helper(&mut self, object: Value, leave: &Leave, result: Value) {
        let scratch = self.value(Op::Out);
        let fits = self.value(Op::Call(Helper::IntToI64, vec![object, scratch]));
        self.push(Op::Load { mem: MemTy::I64, ty: Ty::I64, base: scratch, offset: 0 }, Some(result));
        self.effect(Op::Guard(fits, leave.clone()));
    }

    fn incref(&mut self, object: Value) {
        if self.layout.refcount_by_helper {
            return self.effect(Op::Call(Helper::Incref, vec![object]));
        }
        let offset = self.layout.ob_refcnt;
        let count = self.load(MemTy::I64, Ty::I64, object, offset);
        let one = self.int(1);
        let value = self.value(Op::Binary(BinOp::Add, count, one));
        self.effect(Op::Store { mem: MemTy::I64, base: object, offset, value });
    }

    fn decref(&mut self, object: Value) {
        if self.layout.refcount_by_helper || self.cold {
            return self.effect(Op::Call(Helper::Decref, vec![object]));
        }
        let done = self.new_block();
        self.decref_and_go(object, done);
        self.place(done);
    }

    /// Decrements, then goes to `done`, by way of the deallocator when it must.
    fn decref_and_go(&mut self, object: Value, done: Block) {
        let offset = self.layout.ob_refcnt;
        let dead = self.new_cold_block();
        let count = self.load(MemTy::I64, Ty::I64, object, offset);
        let one = self.int(1);
        let value = self.value(Op::Binary(BinOp::Sub, count, one));
        self.effect(Op::Store { mem: MemTy::I64, base: object, offset, value });
        self.branch(value, done, dead);
        self.current = dead;
        self.effect(Op::Call(Helper::Dealloc, vec![object]));
        self.jump(done, Vec::new());
    }

    fn xdecref(&mut self, object: Value) {
        if self.layout.refcount_by_helper || self.cold {
            return self.effect(Op::Call(Helper::XDecref, vec![object]));
        }
        let some = self.new_block();
        let done = self.new_block();
        let null = self.value(Op::Null(Ty::Obj));
        let present = self.value(Op::Compare(Cond::Ne, object, null));
        self.branch(present, some, done);
        self.place(some);
        self.decref_and_go(object, done);
        self.place(done);
    }
}
