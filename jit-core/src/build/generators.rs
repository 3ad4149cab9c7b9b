//! Generators, coroutines and asynchronous generators.
//!
//! *Method*: a yield makes the frame what the interpreter would have left (locals in their slots, the rest of the stack
//! stored, depth and `prev_instr` set), marks the generator suspended and returns status `Yielded`. The next resume enters
//! at the entry of that yield, with everything read back from the frame; the interpreter may have run it in between.

use super::builder::Builder;
use super::state::*;
use super::{BuildRequest, Prelude};
use crate::bytecode::instruction::{Offset, Op as Code};
use crate::helpers::Helper;
use crate::ir::op::{Op, Status};
use crate::ir::types::{MemTy, PyTypes};

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
    pub fn yield_value(&mut self) {
        let value = self.pop_owned();
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
