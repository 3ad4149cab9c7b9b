//! Generators, coroutines and asynchronous generators.
//!
//! *Method*: a yield makes the frame what the interpreter would have left (locals in their slots, the rest of the stack
//! stored, depth and `prev_instr` set), marks the generator suspended and returns status `Yielded`. The next resume enters
//! at the entry of that yield, with everything read back from the frame; the interpreter may have run it in between.

use super::builder::Builder;
use super::state::*;
use super::{BuildRequest, Prelude};
use crate::bytecode::code::flags;
use crate::bytecode::instruction::{Instruction, Offset, Op as Code};
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op, Status, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

/// What a generator function's code does before it makes the generator, if it is no more than CPython's compiler puts there.
pub(super) fn prelude(request: &BuildRequest<'_>) -> Option<Prelude> {
    if !request.options.make_generators {
        return None;
    }
    let mut prelude = Prelude { free_variables: false, cells: Box::default(), unit: 0 };
    let mut cells = Vec::new();
    for instruction in &request.bytecode.instructions {
        match instruction.op {
            Code::CopyFreeVars(_) => prelude.free_variables = true,
            Code::MakeCell(slot) => cells.push(slot),
            Code::ReturnGenerator => {
                prelude.cells = cells.into_boxed_slice();
                prelude.unit = instruction.opcode_offset;
                return Some(prelude);
            }
            _ => return None,
        }
    }
    None
}

impl Builder<'_> {
    /// Whether a generator's code yields in a loop, so that it may be worth going on without leaving it.
    pub(super) fn yields_in_loop(&self) -> bool {
        let request = self.request;
        let plain = request.code.flags & flags::GENERATOR != 0 && request.loop_entry.is_none();
        let code = &request.bytecode.instructions;
        request.options.collect_yields && plain && code.windows(2).any(|pair| self.repeats(&pair[0], &pair[1]))
    }

    /// Whether an instruction is a plain yield in a loop; the second follows it.
    fn repeats(&self, yielding: &Instruction, next: &Instruction) -> bool {
        let at = yielding.opcode_offset;
        let plain = matches!((&yielding.op, &next.op), (Code::YieldValue, Code::Resume(1)));
        let mut code = self.request.bytecode.instructions.iter();
        plain && code.any(|other| other.opcode_offset > at && other.op.jump_target().is_some_and(|target| target <= at))
    }

    /// Offers what is yielded to a sink, if the generator was entered with one, and goes on behind the yield if it is taken: nobody
    /// can look at the generator meanwhile, so its frame need not be what it is between two values.
    fn offer_to_sink(&mut self, value: Value) {
        let index = self.request.bytecode.index_at(self.at.offset);
        let next = index.and_then(|index| self.request.bytecode.instructions.get(index + 1));
        let Some((sink, next)) = self.sink.zip(next).filter(|(_, next)| self.repeats(&self.at, next)) else { return };
        self.count("collect_yields");
        let zero = self.int(0);
        let given = self.compare(Cond::Ne, sink, zero);
        let without = self.branch(given, false);
        let sink = self.emit(Op::Unary(UnOp::Cast(Ty::Ptr), sink));
        let taken = self.emit(Op::Call(Helper::CollectValue, vec![sink, value]));
        let taken = self.compare(Cond::Ne, taken, zero);
        let refused = self.branch(taken, true);
        let going_on = self.block;
        self.aside(going_on, |b| {
            let sent = b.none();
            b.push(sent);
            b.edge_to(next.offset);
        });
        let leaving = self.new_join();
        for block in [without, refused] {
            self.block = block;
            self.goto(leaving);
        }
        self.block = leaving;
    }

    pub fn yield_value(&mut self) {
        let value = self.pop_owned();
        self.offer_to_sink(value);
        self.flush_locals();
        self.flush_names();
        self.forget_names();
        let depth = self.state.stack.len();
        for position in 0..depth {
            let item = match self.state.stack[position] {
                Item::Null => self.emit(Op::Null(crate::ir::types::Ty::Obj)),
                _ => self.own_at(position),
            };
            self.effect(Op::SlotSet(self.stack_slot(position), item));
        }
        self.set_ip();
        let layout = self.request.layout;
        let frame = self.frame();
        let suspended = self.int(i64::from(layout.generator_suspended));
        self.store(MemTy::I8, frame, layout.frame_generator_state, suspended);
        let top = self.int(i64::from(self.stack_slot(depth)));
        self.store(MemTy::I32, frame, layout.frame_stacktop, top);
        self.terminate(Op::Return(Status::Yielded, Some(value)));
    }

    pub fn send(&mut self, done: Offset) {
        let value = self.pop_owned();
        let position = self.position(1);
        let receiver = self.own_at(position);
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        let yielded = if self.request.options.direct_generators {
            self.count("direct_generators");
            let ts = self.thread();
            self.call_status(Helper::SendDirect, vec![ts, receiver, value, dest])
        } else {
            self.call_status(Helper::Send, vec![receiver, value, dest])
        };
        let result = self.emit(Op::SlotGet(self.stack_slot(first)));
        self.typed(result, PyTypes::OBJECT);
        let returned = self.branch(yielded, false);
        self.aside(returned, |b| {
            let receiver = b.pop();
            b.release(receiver);
            b.push_owned(result, PyTypes::OBJECT);
            b.edge_to(done);
        });
        self.push_owned(result, PyTypes::OBJECT);
    }

    pub fn get_awaitable(&mut self, operand: u32) {
        let value = self.pop_owned();
        let frame = self.frame();
        let operand = self.int(i64::from(operand));
        let iterator = self.call_object(Helper::GetAwaitable, vec![frame, value, operand]);
        self.push_owned(iterator, PyTypes::OBJECT);
    }

    pub fn get_yield_from_iter(&mut self) {
        let value = self.pop_owned();
        let frame = self.frame();
        let iterator = self.call_object(Helper::GetYieldFromIter, vec![frame, value]);
        self.push_owned(iterator, PyTypes::OBJECT);
    }

    pub fn get_anext(&mut self) {
        let position = self.position(1);
        let iterator = self.own_at(position);
        let awaitable = self.call_object(Helper::GetAnext, vec![iterator]);
        self.push_owned(awaitable, PyTypes::OBJECT);
    }
}
