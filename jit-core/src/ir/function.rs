//! A function of the IR: blocks of instructions in SSA form with block parameters.
//!
//! *Method*: dense ids; instructions are stored per block in order; values know their type and definition. *Invariants*
//! (checked by `verify`): every block ends with its only terminator; every use is dominated by its definition; arguments
//! match parameters in number and type; block 0 is the entry and has no parameters.

use super::op::{Block, Op, Value};
use super::types::{PyTypes, Ty};
use crate::bytecode::instruction::Offset;
use crate::exit::{Exit, ExitId};

/// Most blocks have no more instructions.
const USUAL: usize = 8;

/// An instruction with its result, if it has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Inst {
    pub op: Op,
    pub result: Option<Value>,
    /// The bytecode instruction it stems from, for listings.
    pub origin: Offset,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct BlockData {
    pub params: Vec<Value>,
    pub insts: Vec<Inst>,
    /// Rarely executed: backends move it out of line.
    pub cold: bool,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueData {
    pub ty: Ty,
    /// For `Obj`: the types it may have.
    pub py: PyTypes,
}

/// A function in IR. Machine-level signature: `(ctx: Ptr, ts: Ptr, frame: Ptr, out: Ptr, entry: I64) -> I64 status`.
/// The entry number is available as the value `entry` in block 0.
#[derive(Clone, Debug, Default)]
pub struct Function {
    pub name: String,
    pub blocks: Vec<BlockData>,
    pub values: Vec<ValueData>,
    pub exits: Vec<Exit>,
    /// The value that holds the `entry` parameter; defined before block 0.
    pub entry: Option<Value>,
}

impl Function {
    pub fn new(name: impl Into<String>) -> Self {
        let mut function = Function { name: name.into(), ..Function::default() };
        function.entry = Some(function.new_value(Ty::I64));
        function.new_block();
        function
    }

    pub fn new_value(&mut self, ty: Ty) -> Value {
        self.new_object(ty, if ty == Ty::Obj { PyTypes::all() } else { PyTypes::empty() })
    }

    pub fn new_object(&mut self, ty: Ty, py: PyTypes) -> Value {
        self.values.push(ValueData { ty, py });
        Value(self.values.len() as u32 - 1)
    }

    pub fn new_block(&mut self) -> Block {
        self.blocks.push(BlockData { insts: Vec::with_capacity(USUAL), ..BlockData::default() });
        Block(self.blocks.len() as u32 - 1)
    }

    pub fn add_param(&mut self, block: Block, ty: Ty) -> Value {
        let value = self.new_value(ty);
        self.blocks[block.0 as usize].params.push(value);
        value
    }

    pub fn add_exit(&mut self, exit: Exit) -> ExitId {
        self.exits.push(exit);
        ExitId(self.exits.len() as u32 - 1)
    }

    pub fn ty(&self, value: Value) -> Ty {
        self.values[value.0 as usize].ty
    }
}
