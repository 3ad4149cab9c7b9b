//! Functions under construction.
//!
//! *Method*: instructions are appended to one block at a time, and a value's type is said by whoever knows it. *Invariant*:
//! nothing is checked here; the verifier and the backends are what is tested.

use columba_jit_core::exit::{Exit, ExitId, Reason};
use columba_jit_core::ir::function::{Function, Inst};
use columba_jit_core::ir::op::{Block, Leave, Op, Status, Target, Value};
use columba_jit_core::ir::types::{MemTy, Ty};

/// A function under construction, appending to one block at a time.
pub struct Build {
    pub function: Function,
    /// Where instructions are appended.
    pub at: Block,
    /// Origin of the instructions that follow.
    pub origin: u32,
}

impl Default for Build {
    fn default() -> Self {
        Self::new()
    }
}

impl Build {
    pub fn new() -> Build {
        Build { function: Function::new("test"), at: Block(0), origin: 0 }
    }

    /// The entry number.
    pub fn entry(&self) -> Value {
        self.function.entry.expect("`Function::new` makes one")
    }

    /// A new block and its parameters.
    pub fn block(&mut self, params: &[Ty]) -> (Block, Vec<Value>) {
        let block = self.function.new_block();
        (block, params.iter().map(|&ty| self.function.add_param(block, ty)).collect())
    }

    pub fn cold(&mut self, block: Block) {
        self.function.blocks[block.0 as usize].cold = true;
    }

    pub fn op(&mut self, ty: Ty, op: Op) -> Value {
        let result = self.function.new_value(ty);
        self.push(op, Some(result));
        result
    }

    pub fn effect(&mut self, op: Op) {
        self.push(op, None);
    }

    fn push(&mut self, op: Op, result: Option<Value>) {
        let origin = self.origin;
        self.function.blocks[self.at.0 as usize].insts.push(Inst { op, result, origin });
    }

    pub fn int(&mut self, value: i64) -> Value {
        self.op(Ty::I64, Op::IConst(value))
    }

    pub fn float(&mut self, value: f64) -> Value {
        self.op(Ty::F64, Op::FConst(value.to_bits()))
    }

    /// The 8 bytes at `frame + 8 * index`.
    pub fn input(&mut self, ty: Ty, index: usize) -> Value {
        let base = self.op(Ty::Ptr, Op::Frame);
        let mem = match ty {
            Ty::I64 => MemTy::I64,
            Ty::F64 => MemTy::F64,
            Ty::Obj | Ty::Ptr => MemTy::Ptr,
        };
        self.op(ty, Op::Load { mem, ty, base, offset: index as i32 * 8 })
    }

    /// A new exit with these values.
    pub fn leave(&mut self, values: &[Value]) -> Leave {
        let exit = Exit {
            offset: 0,
            origin: 0,
            reason: Reason::Type,
            locals: vec![],
            names: vec![],
            stack: vec![],
            value_count: values.len() as u32,
        };
        let exit: ExitId = self.function.add_exit(exit);
        Leave { exit, values: values.to_vec() }
    }

    pub fn jump(&mut self, block: Block, args: &[Value]) {
        self.effect(Op::Jump(to(block, args)));
    }

    pub fn branch(&mut self, cond: Value, then: Target, otherwise: Target) {
        self.effect(Op::Branch(cond, then, otherwise));
    }

    pub fn ret(&mut self, value: Value) {
        self.effect(Op::Return(Status::Returned, Some(value)));
    }
}

/// A branch target.
pub fn to(block: Block, args: &[Value]) -> Target {
    Target { block, args: args.to_vec() }
}
