//! The ways into compiled code: for each entry of the plan a block that reads the frame into a first state.
//!
//! *Problem*: compiled code is entered at the function's start, behind a yield, or at the header of a loop that already
//! runs, and only the frame says what is where. *Method*: the function's first block switches over the entry number. The
//! block of an entry assumes what the frame guarantees there, takes the stack from the frame's slots, guards what live
//! values suggest, and goes on over an ordinary edge to the bytecode block where execution continues. *Invariants*:
//! - the guards of an entry leave to the instruction at which it enters; nothing was changed before them;
//! - what the stack's slots held belongs to the stack's items from there on.

use super::builder::Builder;
use super::state::*;
use super::{BuildError, Entry, SINK_BITS};
use crate::bytecode::code::{flags, local_kind};
use crate::bytecode::instruction::Offset;
use crate::exit::Reason;
use crate::ir::op::{BinOp, Cond, Op, Target};
use crate::ir::types::{MemTy, PyTypes, Ty};

impl Builder<'_> {
    /// Entry blocks: the switch over entry numbers and the loading of each entry's state from the frame.
    pub fn enter_function(&mut self) -> Result<(), BuildError> {
        let entries = self.plan.entries.clone();
        let mut targets = Vec::new();
        let mut number = self.function.entry.expect("functions have an entry number");
        if self.yields_in_loop() {
            let bits = self.int(i64::from(SINK_BITS));
            self.sink = Some(self.binary(BinOp::LShr, number, bits));
            let mask = self.int((1 << SINK_BITS) - 1);
            number = self.binary(BinOp::And, number, mask);
        }
        let switch = self.block;
        for entry in &entries {
            let block = self.function.new_block();
            targets.push(Target { block, args: vec![] });
            self.block = block;
            match *entry {
                Entry::Start => self.enter_start(),
                Entry::Resume(offset) => {
                    if self.request.options.close_generators && self.request.bytecode.handler_for(offset).is_none() {
                        self.count("close_generators");
                    }
                    if self.request.options.iterate_generators {
                        self.count("iterate_generators");
                    }
                    self.enter_resume(offset)?;
                }
                Entry::Sent { done, .. } => {
                    self.count("pass_delegators");
                    self.enter_suspended(done);
                }
                Entry::Loop(_) => self.enter_loop()?,
            }
        }
        let dead = self.function.new_block();
        self.block = dead;
        self.terminate(Op::Unreachable);
        self.block = switch;
        match targets.len() {
            1 => {
                let only = targets.pop().expect("one target");
                self.terminate(Op::Jump(only));
            }
            _ => self.terminate(Op::Switch(number, targets, Target { block: dead, args: vec![] })),
        }
        Ok(())
    }

    fn enter_start(&mut self) {
        let code = self.request.code;
        let mut arguments = code.argcount + code.kwonly_argcount;
        arguments += u32::from(code.flags & flags::VARARGS != 0) + u32::from(code.flags & flags::VARKEYWORDS != 0);
        let mut locals = vec![Local::slot(PyTypes::NULL); code.locals_plus_kinds.len()];
        for local in locals.iter_mut().take(arguments as usize) {
            local.py = PyTypes::OBJECT;
        }
        for (local, kind) in locals.iter_mut().zip(&code.locals_plus_kinds) {
            if kind & (local_kind::CELL | local_kind::FREE) != 0 {
                local.py = PyTypes::all();
            }
        }
        if let Some(live) = &self.request.argument_types {
            let varargs = code.argcount + code.kwonly_argcount;
            if code.flags & flags::VARARGS != 0
                && let Some(local) = locals.get_mut(varargs as usize)
                && code.locals_plus_kinds[varargs as usize] & local_kind::CELL == 0
            {
                local.py = PyTypes::TUPLE;
            }
            self.state = State::new(locals, self.plan.names.followed.len());
            self.start = self.state.clone();
            self.at = self.request.bytecode.instructions[0].clone();
            if self.may_guess(Reason::Type) {
                for (i, live) in live.iter().enumerate().take(arguments as usize) {
                    let plain = code.locals_plus_kinds[i] & local_kind::CELL == 0;
                    if plain && !live.big && self.state.locals[i].py == PyTypes::OBJECT {
                        self.guess_local(i as u32, live.py);
                    } else if live.big {
                        self.state.locals[i].big = true;
                    }
                }
            }
        } else {
            self.state = State::new(locals, self.plan.names.followed.len());
        }
        self.edge_to(0);
    }

    /// Guards that a local has the exact type of a live value, if that is worth knowing.
    fn guess_local(&mut self, local: u32, live: PyTypes) {
        if self.request.options.speculate
            && matches!(live, PyTypes::FLOAT | PyTypes::INT | PyTypes::LIST | PyTypes::TUPLE | PyTypes::ARRAY)
        {
            let value = self.emit(Op::SlotGet(local));
            if self.state.locals[local as usize].py.may_be_null() {
                let null = self.emit(Op::Null(Ty::Obj));
                let bound = self.compare(Cond::Ne, value, null);
                self.guard(bound, Reason::Type);
            }
            self.guard_type(value, live);
            self.state.locals[local as usize].py = live;
            self.start = self.state.clone();
        }
    }

    /// A generator is resumed: locals may have any type, since the interpreter may have run it in between.
    fn enter_resume(&mut self, offset: Offset) -> Result<(), BuildError> {
        let bytecode = self.request.bytecode;
        let resumed = bytecode
            .instructions
            .iter()
            .find(|i| i.opcode_offset == offset)
            .map(|i| i.next)
            .ok_or_else(|| BuildError::Invariant("resume entry without a yield".into()))?;
        self.enter_suspended(resumed);
        Ok(())
    }

    /// Everything is in the frame, with an object on top of the stack.
    fn enter_suspended(&mut self, resumed: Offset) {
        let index = self.request.bytecode.index_at(resumed);
        let depth = index.and_then(|index| self.plan.depths.before[index]);
        let Some(depth) = depth else {
            // Dead code: the entry exists but is never used.
            self.terminate(Op::Unreachable);
            return;
        };
        let count = self.request.code.locals_plus_kinds.len();
        self.state = State::new(vec![Local::slot(PyTypes::all()); count], self.plan.names.followed.len());
        for i in 0..depth {
            let value = self.emit(Op::SlotGet(count as u32 + i));
            let py = if i + 1 == depth { PyTypes::OBJECT } else { PyTypes::all() };
            self.state.stack.push(Item::owned(value, py));
        }
        self.edge_to(resumed);
    }

    fn enter_loop(&mut self) -> Result<(), BuildError> {
        let entry = self.request.loop_entry.clone().expect("loop entry requested");
        let count = self.request.code.locals_plus_kinds.len();
        self.state = State::new(vec![Local::slot(PyTypes::all()); count], self.plan.names.followed.len());
        let index = self.request.bytecode.index_at(entry.offset);
        let index = index.ok_or_else(|| BuildError::Invariant("loop entry at no instruction".into()))?;
        self.at = self.request.bytecode.instructions[index].clone();
        for i in 0..entry.stack.len() {
            let value = self.emit(Op::SlotGet((count + i) as u32));
            self.state.stack.push(Item::owned(value, PyTypes::all()));
        }
        self.start = self.state.clone();
        if self.may_guess(Reason::Type) {
            for (i, live) in entry.locals.iter().enumerate() {
                if self.request.code.locals_plus_kinds[i] & (local_kind::CELL | local_kind::FREE) != 0 {
                    continue;
                }
                if live.big {
                    self.state.locals[i].big = true;
                } else {
                    self.guess_local(i as u32, live.py);
                }
            }
            for (i, live) in entry.stack.iter().enumerate() {
                // A range iterator that something else holds may be advanced behind the loop's back.
                let alone = live.py == PyTypes::RANGE_ITER && !live.shared;
                if (alone || ITERATORS.difference(PyTypes::RANGE_ITER).contains(live.py))
                    && let Item::Object { value, .. } = self.state.stack[i]
                {
                    self.guard_type(value, live.py);
                    if alone {
                        let count = self.load(MemTy::I64, Ty::I64, value, self.request.layout.ob_refcnt);
                        let one = self.int(1);
                        let only = self.compare(Cond::Eq, count, one);
                        self.guard(only, Reason::Type);
                    }
                    self.state.stack[i] = Item::owned(value, live.py);
                    self.start = self.state.clone();
                }
            }
        }
        if let Some(top) = entry.stack.last()
            && self.request.options.examples
        {
            self.examples.iterate(entry.offset, top.example.clone());
        }
        for i in 0..self.state.stack.len() {
            self.start_range(i);
        }
        self.edge_to(entry.offset);
        Ok(())
    }
}
