//! Emitting IR at the current point: operations, branches and calls.
//!
//! *Problem*: what a helper may do (raise, run Python, change memory) decides what has to be in order before it is called,
//! and no instruction should have to remember that. *Method*: instructions call helpers through [`Builder::call`], which goes
//! by the helper's [`Effects`]: it stores `prev_instr`, writes dirty locals and names back, and gives borrowing items
//! references of their own. *Invariants*:
//! - operations are appended to `self.block`; behind a terminator nothing is, until another block takes its place;
//! - `prev_instr` is stored at most once on each path through an instruction, before anything that raises or runs Python;
//! - what is emitted [`Builder::aside`] changes nothing of what is known here.

use super::builder::Builder;
use crate::helpers::{Effects, Helper, Passing};
use crate::ir::function::Inst;
use crate::ir::op::{BinOp, Block, Cond, Op, Symbol, Target, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

impl Builder<'_> {
    pub fn push_inst(&mut self, op: Op, result: Option<Value>) {
        self.check_body(&op);
        self.note_change(&op);
        self.function.blocks[self.block.0 as usize].insts.push(Inst { op, result, origin: self.at.opcode_offset });
    }

    pub fn terminate(&mut self, op: Op) {
        self.push_inst(op, None);
        self.reachable = false;
    }

    /// Emits an operation with a result.
    pub fn emit(&mut self, op: Op) -> Value {
        let ty = op.result_ty(&self.function).expect("operation has a result");
        let value = self.function.new_value(ty);
        self.push_inst(op, Some(value));
        value
    }

    /// Emits an operation without one.
    pub fn effect(&mut self, op: Op) {
        debug_assert!(op.result_ty(&self.function).is_none());
        self.push_inst(op, None);
    }

    /// Gives an object value the types it has when it is not null. Whether it may be null is left as it is: the check
    /// that excludes it comes after the definition.
    pub fn typed(&mut self, value: Value, py: PyTypes) -> Value {
        let data = &mut self.function.values[value.0 as usize];
        data.py = py | (data.py & PyTypes::NULL);
        value
    }

    /// Gives an object value the types it has from its definition on.
    pub fn defined(&mut self, value: Value, py: PyTypes) -> Value {
        self.function.values[value.0 as usize].py = py;
        value
    }

    pub fn int(&mut self, value: i64) -> Value {
        self.emit(Op::IConst(value))
    }

    pub fn load(&mut self, mem: MemTy, ty: Ty, base: Value, offset: i32) -> Value {
        self.emit(Op::Load { mem, ty, base, offset })
    }

    pub fn store(&mut self, mem: MemTy, base: Value, offset: i32, value: Value) {
        self.effect(Op::Store { mem, base, offset, value });
    }

    pub fn binary(&mut self, op: BinOp, a: Value, b: Value) -> Value {
        self.emit(Op::Binary(op, a, b))
    }

    pub fn compare(&mut self, cond: Cond, a: Value, b: Value) -> Value {
        self.emit(Op::Compare(cond, a, b))
    }

    pub fn count(&mut self, optimisation: &'static str) {
        *self.applied.entry(optimisation).or_default() += 1;
    }

    /// Branches; the current block becomes a new one that is reached when the condition holds. Returns the other block.
    pub fn branch(&mut self, condition: Value, other_is_cold: bool) -> Block {
        let (yes, no) = (self.function.new_block(), self.function.new_block());
        let cold = self.function.blocks[self.block.0 as usize].cold;
        self.function.blocks[yes.0 as usize].cold = cold;
        self.function.blocks[no.0 as usize].cold = other_is_cold || cold;
        let target = |block| Target { block, args: vec![] };
        self.push_inst(Op::Branch(condition, target(yes), target(no)), None);
        self.block = yes;
        no
    }

    /// A block in which ways out of the current one meet again: as cold as that.
    pub fn new_join(&mut self) -> Block {
        let join = self.function.new_block();
        self.function.blocks[join.0 as usize].cold = self.function.blocks[self.block.0 as usize].cold;
        join
    }

    /// A jump within the IR that bytecode does not know.
    pub fn goto(&mut self, block: Block) {
        self.push_inst(Op::Jump(Target { block, args: vec![] }), None);
    }

    /// The same to a block that takes a value.
    pub fn goto_with(&mut self, block: Block, value: Value) {
        self.push_inst(Op::Jump(Target { block, args: vec![value] }), None);
    }

    /// The address so many bytes behind an address or object.
    pub fn offset_by(&mut self, base: Value, bytes: Value) -> Value {
        let base = self.emit(Op::Unary(UnOp::Cast(Ty::I64), base));
        let address = self.binary(BinOp::Add, base, bytes);
        self.emit(Op::Unary(UnOp::Cast(Ty::Ptr), address))
    }

    /// Runs `body` in another block with a copy of the state, and comes back.
    pub fn aside(&mut self, block: Block, body: impl FnOnce(&mut Self)) {
        let saved = (self.block, self.state.clone(), self.ip_set, self.reachable);
        self.block = block;
        body(self);
        (self.block, self.state, self.ip_set, self.reachable) = saved;
    }

    /// Marks the current instruction as running, once.
    pub fn set_ip(&mut self) {
        if !self.ip_set {
            self.ip_set = true;
            let offset = self.at.opcode_offset;
            self.effect(Op::SetIp(offset));
        }
    }

    /// Calls a helper. Before one that can run Python or raise, the frame is made presentable.
    pub fn call(&mut self, helper: Helper, args: Vec<Value>) -> Option<Value> {
        let effects = helper.effects();
        if effects.intersects(Effects::RAISES | Effects::RUNS_PYTHON) {
            self.set_ip();
        }
        let runs_python = effects.contains(Effects::RUNS_PYTHON);
        if runs_python {
            self.flush_locals();
            self.flush_names();
        }
        if effects.intersects(Effects::MEMORY | Effects::RUNS_PYTHON) {
            self.settle_volatile();
        }
        let result = match helper.result() {
            Passing::Nothing => {
                self.effect(Op::Call(helper, args));
                None
            }
            _ => Some(self.emit(Op::Call(helper, args))),
        };
        if runs_python {
            self.forget_names();
        }
        result
    }

    /// Calls a helper that is known to give no object: one that raises, or an iterator's at its end.
    pub fn call_for_null(&mut self, helper: Helper, args: Vec<Value>) {
        if let Some(result) = self.call(helper, args) {
            self.defined(result, PyTypes::NULL);
        }
    }

    /// Calls a helper whose object result is null on error; the result is pushed by the caller.
    pub fn call_object(&mut self, helper: Helper, args: Vec<Value>) -> Value {
        let value = self.call(helper, args).expect("helper has a result");
        self.check_object(value);
        value
    }

    /// Raises if the object is null.
    pub fn check_object(&mut self, value: Value) {
        let null = self.emit(Op::Null(Ty::Obj));
        let ok = self.compare(Cond::Ne, value, null);
        let bad = self.branch(ok, true);
        self.unwind_from(bad, true);
    }

    /// Calls a helper whose status is negative on error.
    pub fn call_status(&mut self, helper: Helper, args: Vec<Value>) -> Value {
        let status = self.call(helper, args).expect("helper has a status");
        let zero = self.int(0);
        let ok = self.compare(Cond::Ge, status, zero);
        let bad = self.branch(ok, true);
        self.unwind_from(bad, true);
        status
    }

    pub fn name_symbol(&mut self, name: u32) -> Value {
        let symbol = match self.inlining.and_then(|body| self.request.environment.callee(body.callee)) {
            Some(callee) => self.address_symbol(callee.names[name as usize]),
            None => Symbol::Name(name),
        };
        let value = self.emit(Op::Symbol(symbol, Ty::Obj));
        self.defined(value, PyTypes::STR)
    }

    pub fn frame(&mut self) -> Value {
        self.emit(Op::Frame)
    }

    pub fn thread(&mut self) -> Value {
        self.emit(Op::ThreadState)
    }

    /// Slot of the stack item at a depth.
    pub fn stack_slot(&self, depth: usize) -> u32 {
        (self.request.code.locals_plus_kinds.len() + depth) as u32
    }
}
