//! The driver: walks a lowered function once and calls an [`Emitter`].
//!
//! *Problem*: order of emission, what leaving means and which comparisons need no value are the same for all backends.
//! *Method*: blocks are visited in reverse postorder, hot ones first. A comparison whose only use is a guard or branch of
//! the same block becomes part of it. Each distinct leave gets one cold block, filled at the end: it stores the values to
//! `out`, 8 bytes each, and goes to a shared return with `FIRST_EXIT` plus the exit's number. Symbols and helpers become
//! constants.
//!
//! *Invariants*: the only walker of the IR for emission. Dominators are emitted first: reverse postorder has that property,
//! and so has its stable split, since a block all of whose earlier predecessors count as cold counts as cold itself, and so
//! a hot block has no cold dominator. Python operations are refused.

use std::ops::Range;

use crate::backend::{Broken, CompileError};
use crate::bytecode::instruction::Offset;
use crate::emitter::{Access, Edge, Emitter, MachineTy, Parameter, Signature, Test};
use crate::helpers::Helper;
use crate::ir::function::{BlockData, Function, Inst};
use crate::ir::op::{Block, Cond, FIRST_EXIT, Leave, Op, Symbol, Target, Value};
use crate::ir::operands::python_op;
use crate::ir::types::MemTy;
use crate::unit::CompileUnit;

/// So many leaves return from one place: an epilogue may be long, but the work of some generators grows with the square of
/// the number of edges into a block.
const LEAVES_PER_RETURN: usize = 128;

/// Emits a unit's function.
pub fn drive<E: Emitter>(unit: &CompileUnit<'_>, emitter: E) -> Result<E::Output, CompileError> {
    let function = unit.function;
    let order = Order::of(function)?;
    let uses = Uses::of(function, &order)?;
    let mut driver = Driver {
        unit,
        emitter,
        values: vec![Slot::Undefined; function.values.len()],
        blocks: vec![None; function.blocks.len()],
        uses,
        leaves: Vec::new(),
        leave_of_exit: Vec::new(),
        signatures: Vec::new(),
        out: None,
    };
    driver.run(&order)?;
    driver.emitter.finish()
}

/// Blocks in order of emission.
struct Order {
    blocks: Vec<Block>,
    /// By block: counts as cold.
    cold: Vec<bool>,
}

impl Order {
    fn of(function: &Function) -> Result<Order, CompileError> {
        let count = function.blocks.len();
        let mut postorder: Vec<Block> = Vec::with_capacity(count);
        // The successors of the blocks seen so far, and by block where its own stand.
        let mut successors: Vec<Block> = Vec::with_capacity(2 * count);
        let mut ranges: Vec<Option<Range<usize>>> = vec![None; count];
        let enter = |block: Block, successors: &mut Vec<Block>| {
            let start = successors.len();
            add_successors(function, block, successors)?;
            Ok::<_, CompileError>((block, start..successors.len()))
        };
        if count == 0 {
            return Err(Broken::Terminator { block: Block(0) }.into());
        }
        // Depth first without recursion: a block with the range of its successors that are still to be visited.
        let mut stack = vec![enter(Block(0), &mut successors)?];
        ranges[0] = Some(stack[0].1.clone());
        while let Some((block, waiting)) = stack.last_mut() {
            let Some(next) = waiting.next_back() else {
                postorder.push(*block);
                stack.pop();
                continue;
            };
            let next = successors[next];
            let range = &mut ranges[next.0 as usize];
            if range.is_none() {
                let entered = enter(next, &mut successors)?;
                *range = Some(entered.1.clone());
                stack.push(entered);
            }
        }
        postorder.reverse();
        let mut cold = vec![false; count];
        let mut reached_hot = vec![false; count];
        for (at, &block) in postorder.iter().enumerate() {
            let index = block.0 as usize;
            cold[index] = function.blocks[index].cold || (at > 0 && !reached_hot[index]);
            if !cold[index] {
                for next in &successors[ranges[index].clone().unwrap_or_default()] {
                    reached_hot[next.0 as usize] = true;
                }
            }
        }
        // Block 0 starts the function whatever it is marked.
        cold[0] = false;
        let (hot, rest): (Vec<Block>, Vec<Block>) = postorder.into_iter().partition(|b| !cold[b.0 as usize]);
        Ok(Order { blocks: [hot, rest].concat(), cold })
    }
}

/// Adds where a block goes to. The first successor is visited last, and so comes next in reverse postorder.
fn add_successors(function: &Function, block: Block, to: &mut Vec<Block>) -> Result<(), CompileError> {
    let mut add = |target: &Target| match function.blocks.get(target.block.0 as usize) {
        Some(data) if data.params.len() == target.args.len() => {
            to.push(target.block);
            Ok(())
        }
        _ => Err(Broken::Edge { from: block, to: target.block }.into()),
    };
    match function.blocks[block.0 as usize].insts.last().map(|inst| &inst.op) {
        Some(Op::Jump(target)) => add(target),
        Some(Op::Branch(_, then, otherwise)) => add(then).and_then(|()| add(otherwise)),
        Some(Op::Switch(_, cases, default)) => cases.iter().chain([default]).try_for_each(add),
        Some(Op::Return(..) | Op::Leave(_) | Op::Unreachable) => Ok(()),
        _ => Err(Broken::Terminator { block }.into()),
    }
}

/// How often each value is used, and where it is tested.
struct Uses {
    count: Vec<u32>,
    /// The block whose guard or branch tests the value (the last one seen).
    tested_in: Vec<Option<Block>>,
}

impl Uses {
    fn of(function: &Function, order: &Order) -> Result<Uses, CompileError> {
        let mut uses = Uses { count: vec![0; function.values.len()], tested_in: vec![None; function.values.len()] };
        for &block in &order.blocks {
            for inst in &function.blocks[block.0 as usize].insts {
                let mut undefined = None;
                inst.op.for_each_value(|value| match uses.count.get_mut(value.0 as usize) {
                    Some(count) => *count += 1,
                    None => undefined = Some(value),
                });
                if let Some(value) = undefined {
                    return Err(Broken::Undefined { user: block, value }.into());
                }
                if let Op::Guard(value, _) | Op::Branch(value, ..) = &inst.op {
                    uses.tested_in[value.0 as usize] = Some(block);
                }
            }
        }
        Ok(uses)
    }
}

/// What is known of an IR value during emission.
#[derive(Clone, Copy)]
enum Slot<V> {
    Undefined,
    Emitted(V),
    /// A comparison that its only use will emit.
    Deferred(Cond, Value, Value),
    /// An address that other threads write to, so that loads from it are volatile.
    Shared(V),
}

/// A cold block to be filled at the end.
struct Leaving<'u, B> {
    block: B,
    leave: &'u Leave,
    origin: Offset,
}

struct Driver<'u, E: Emitter> {
    unit: &'u CompileUnit<'u>,
    emitter: E,
    values: Vec<Slot<E::Value>>,
    blocks: Vec<Option<E::Block>>,
    uses: Uses,
    leaves: Vec<Leaving<'u, E::Block>>,
    /// By exit: index into `leaves`.
    leave_of_exit: Vec<Option<usize>>,
    signatures: Vec<Option<Signature>>,
    out: Option<E::Value>,
}

impl<'u, E: Emitter> Driver<'u, E> {
    fn run(&mut self, order: &Order) -> Result<(), CompileError> {
        let function = self.unit.function;
        for &block in &order.blocks {
            let data = &function.blocks[block.0 as usize];
            let params: Vec<MachineTy> = data.params.iter().map(|&param| function.ty(param).into()).collect();
            let emitted = self.emitter.create_block(&params, order.cold[block.0 as usize]);
            self.blocks[block.0 as usize] = Some(emitted);
            for (index, &param) in data.params.iter().enumerate() {
                self.values[param.0 as usize] = Slot::Emitted(self.emitter.block_param(emitted, index));
            }
        }
        if let Some(entry) = function.entry {
            self.values[entry.0 as usize] = Slot::Emitted(self.emitter.parameter(Parameter::Entry));
        }
        self.out = Some(self.emitter.parameter(Parameter::Out));
        for &block in &order.blocks {
            self.block(block, &function.blocks[block.0 as usize])?;
        }
        // Leaves refer to values of the blocks that go to them, so all they need has been emitted.
        let leaves = std::mem::take(&mut self.leaves);
        for sharing in leaves.chunks(LEAVES_PER_RETURN) {
            let left = self.emitter.create_block(&[MachineTy::I64], true);
            for leaving in sharing {
                self.emitter.switch_to(leaving.block);
                self.emitter.origin(leaving.origin);
                let status = self.store_leave(Block(0), leaving.leave)?;
                self.emitter.jump(Edge { block: left, args: &[status] });
            }
            self.emitter.switch_to(left);
            let status = self.emitter.block_param(left, 0);
            self.emitter.ret(status);
        }
        Ok(())
    }

    fn block(&mut self, block: Block, data: &'u BlockData) -> Result<(), CompileError> {
        let emitted = self.emitted_block(block, block)?;
        self.emitter.switch_to(emitted);
        let mut origin = None;
        for (index, inst) in data.insts.iter().enumerate() {
            if origin != Some(inst.origin) {
                origin = Some(inst.origin);
                self.emitter.origin(inst.origin);
            }
            if inst.op.is_terminator() != (index + 1 == data.insts.len()) {
                return Err(Broken::Terminator { block }.into());
            }
            let result = self.inst(block, inst)?;
            if let Some(value) = inst.result {
                match result {
                    Slot::Undefined => return Err(ill_formed(block, &inst.op)),
                    defined => self.values[value.0 as usize] = defined,
                }
            }
        }
        Ok(())
    }

    /// Emits an instruction; `Undefined` when it has no result.
    fn inst(&mut self, block: Block, inst: &'u Inst) -> Result<Slot<E::Value>, CompileError> {
        let result = match &inst.op {
            Op::IConst(value) => self.emitter.int_const(*value),
            Op::FConst(bits) => self.emitter.float_const(*bits),
            Op::Null(_) => self.emitter.address(0),
            Op::Symbol(symbol, _) => {
                let address = self.emitter.address(self.unit.resolver.symbol(*symbol));
                if *symbol == Symbol::EvalBreaker {
                    return Ok(Slot::Shared(address));
                }
                address
            }
            Op::Frame => self.emitter.parameter(Parameter::Frame),
            Op::ThreadState => self.emitter.parameter(Parameter::ThreadState),
            Op::Out => self.emitter.parameter(Parameter::Out),
            Op::Binary(op, a, b) => {
                let (a, b) = (self.value(block, *a)?, self.value(block, *b)?);
                self.emitter.binary(*op, a, b)
            }
            Op::Unary(op, a) => {
                let a = self.value(block, *a)?;
                self.emitter.unary(*op, a)
            }
            Op::Compare(cond, a, b) => {
                let result = inst.result.ok_or_else(|| ill_formed(block, &inst.op))?.0 as usize;
                if self.uses.count[result] == 1 && self.uses.tested_in[result] == Some(block) {
                    return Ok(Slot::Deferred(*cond, *a, *b));
                }
                let (emitted, ty) = ((self.value(block, *a)?, self.value(block, *b)?), self.ty(*a));
                self.emitter.compare(*cond, ty, emitted.0, emitted.1)
            }
            Op::Select(cond, a, b) => {
                let ty = self.ty(*a);
                let (cond, a, b) = (self.value(block, *cond)?, self.value(block, *a)?, self.value(block, *b)?);
                self.emitter.select(cond, ty, a, b)
            }
            Op::BinaryOrLeave(op, a, b, leave) => {
                let (a, b) = (self.value(block, *a)?, self.value(block, *b)?);
                let leaving = self.leaving(leave, inst.origin);
                self.emitter.guard_no_overflow(*op, a, b, leaving)
            }
            Op::Guard(value, leave) => {
                let test = self.test(block, *value)?;
                let leaving = self.leaving(leave, inst.origin);
                self.emitter.guard(test, leaving);
                return Ok(Slot::Undefined);
            }
            Op::Load { mem, base, offset, .. } => {
                let access = match self.values[base.0 as usize] {
                    Slot::Shared(_) => Access::Volatile,
                    _ => Access::Plain,
                };
                let base = self.value(block, *base)?;
                self.emitter.load(*mem, access, base, *offset)
            }
            Op::Store { mem, base, offset, value } => {
                let (base, value) = (self.value(block, *base)?, self.value(block, *value)?);
                self.emitter.store(*mem, base, *offset, value);
                return Ok(Slot::Undefined);
            }
            Op::Call(helper, args) => {
                let args = self.all(block, args)?;
                return self.call(block, *helper, &args, &inst.op);
            }
            Op::Jump(target) => {
                let (to, args) = self.edge(block, target)?;
                self.emitter.jump(Edge { block: to, args: &args });
                return Ok(Slot::Undefined);
            }
            Op::Branch(value, then, otherwise) => {
                let test = self.test(block, *value)?;
                let (then, then_args) = self.edge(block, then)?;
                let (otherwise, otherwise_args) = self.edge(block, otherwise)?;
                let then = Edge { block: then, args: &then_args };
                let otherwise = Edge { block: otherwise, args: &otherwise_args };
                match test {
                    Test::NotZero(value) => self.emitter.branch(value, then, otherwise),
                    Test::Compare(cond, ty, a, b) => self.emitter.branch_compare(cond, ty, (a, b), then, otherwise),
                }
                return Ok(Slot::Undefined);
            }
            Op::Switch(value, cases, default) => {
                let value = self.value(block, *value)?;
                let cases = cases.iter().map(|case| self.edge(block, case)).collect::<Result<Vec<_>, _>>()?;
                let cases: Vec<_> = cases.iter().map(|(block, args)| Edge { block: *block, args }).collect();
                let (default, args) = self.edge(block, default)?;
                self.emitter.switch(value, &cases, Edge { block: default, args: &args });
                return Ok(Slot::Undefined);
            }
            Op::Return(status, value) => {
                if let Some(value) = value {
                    self.store_out(block, 0, *value)?;
                }
                let status = self.emitter.int_const(*status as i64);
                self.emitter.ret(status);
                return Ok(Slot::Undefined);
            }
            Op::Leave(leave) => {
                let status = self.store_leave(block, leave)?;
                self.emitter.ret(status);
                return Ok(Slot::Undefined);
            }
            Op::Unreachable => {
                self.emitter.unreachable();
                return Ok(Slot::Undefined);
            }
            python_op!() => return Err(Broken::PythonOp { block, op: format!("{:?}", inst.op) }.into()),
        };
        Ok(Slot::Emitted(result))
    }

    fn ty(&self, value: Value) -> MachineTy {
        self.unit.function.ty(value).into()
    }

    fn value(&self, user: Block, value: Value) -> Result<E::Value, CompileError> {
        match self.values[value.0 as usize] {
            Slot::Emitted(emitted) | Slot::Shared(emitted) => Ok(emitted),
            Slot::Deferred(..) | Slot::Undefined => Err(Broken::Undefined { user, value }.into()),
        }
    }

    fn all(&self, user: Block, values: &[Value]) -> Result<Vec<E::Value>, CompileError> {
        values.iter().map(|&value| self.value(user, value)).collect()
    }

    fn emitted_block(&self, from: Block, to: Block) -> Result<E::Block, CompileError> {
        self.blocks[to.0 as usize].ok_or_else(|| Broken::Edge { from, to }.into())
    }

    fn edge(&self, from: Block, target: &Target) -> Result<(E::Block, Vec<E::Value>), CompileError> {
        Ok((self.emitted_block(from, target.block)?, self.all(from, &target.args)?))
    }

    fn test(&self, user: Block, value: Value) -> Result<Test<E::Value>, CompileError> {
        Ok(match self.values[value.0 as usize] {
            Slot::Deferred(cond, a, b) => Test::Compare(cond, self.ty(a), self.value(user, a)?, self.value(user, b)?),
            _ => Test::NotZero(self.value(user, value)?),
        })
    }

    fn call(
        &mut self,
        block: Block,
        helper: Helper,
        args: &[E::Value],
        op: &Op,
    ) -> Result<Slot<E::Value>, CompileError> {
        let index = helper as usize;
        if self.signatures.len() <= index {
            self.signatures.resize(index + 1, None);
        }
        let signature = self.signatures[index].get_or_insert_with(|| Signature {
            params: helper.params().filter_map(|passing| passing.ty()).map(MachineTy::from).collect(),
            result: helper.result().ty().map(MachineTy::from),
        });
        if signature.params.len() != args.len() {
            return Err(ill_formed(block, op));
        }
        let callee = self.unit.resolver.helper(helper);
        Ok(self.emitter.call(callee, signature, args).map_or(Slot::Undefined, Slot::Emitted))
    }

    /// The cold block of a leave; the same for the same exit and values.
    fn leaving(&mut self, leave: &'u Leave, origin: Offset) -> E::Block {
        let exit = leave.exit.0 as usize;
        if self.leave_of_exit.len() <= exit {
            self.leave_of_exit.resize(exit + 1, None);
        }
        if let Some(known) = self.leave_of_exit[exit].map(|index| &self.leaves[index])
            && known.leave.values == leave.values
        {
            return known.block;
        }
        let block = self.emitter.create_block(&[], true);
        self.leave_of_exit[exit] = Some(self.leaves.len());
        self.leaves.push(Leaving { block, leave, origin });
        block
    }

    /// Stores what a leave hands over; gives the status to return.
    fn store_leave(&mut self, user: Block, leave: &Leave) -> Result<E::Value, CompileError> {
        for (index, &value) in leave.values.iter().enumerate() {
            self.store_out(user, index, value)?;
        }
        Ok(self.emitter.int_const(FIRST_EXIT + i64::from(leave.exit.0)))
    }

    fn store_out(&mut self, user: Block, index: usize, value: Value) -> Result<(), CompileError> {
        let mem = match self.ty(value) {
            MachineTy::I64 => MemTy::I64,
            MachineTy::F64 => MemTy::F64,
            MachineTy::Ptr => MemTy::Ptr,
        };
        let value = self.value(user, value)?;
        let out = self.out.expect("set before the first block");
        self.emitter.store(mem, out, index as i32 * 8, value);
        Ok(())
    }
}

fn ill_formed(block: Block, op: &Op) -> CompileError {
    Broken::IllFormed { block, op: format!("{op:?}") }.into()
}
