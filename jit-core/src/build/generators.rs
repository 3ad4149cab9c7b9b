//! Generators, coroutines and asynchronous generators.
//!
//! *Method*: a yield makes the frame what the interpreter would have left (locals in their slots, the rest of the stack
//! stored, depth and `prev_instr` set), marks the generator suspended and returns status `Yielded`. The next resume enters
//! at the entry of that yield, with everything read back from the frame; the interpreter may have run it in between.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::instruction::Offset;
use crate::helpers::Helper;
use crate::ir::op::{Op, Status};
use crate::ir::types::PyTypes;

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
        let frame = self.frame();
        let count = self.int(depth as i64);
        self.call(Helper::Suspend, vec![frame, count]);
        self.terminate(Op::Return(Status::Yielded, Some(value)));
    }

    pub fn send(&mut self, done: Offset) {
        let value = self.pop_owned();
        let position = self.position(1);
        let receiver = self.own_at(position);
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        let yielded = self.call_status(Helper::Send, vec![receiver, value, dest]);
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
