//! Leaving: guards, and the exits by which the interpreter takes over.
//!
//! *Problem*: where a guess fails the interpreter must go on as if it had run all along. *Method*: a guard names an exit,
//! which says for every slot, name and stack item that is not right in the frame where its content comes from, in terms of
//! values that the guard passes on (`docs/exits.md`). A guess that failed too often, by instruction and reason, is not made
//! again ([`Builder::may_guess`]). *Invariants*:
//! - an exit describes `self.start`: the interpreter executes the current instruction again, so a guard precedes all its
//!   effects. Whatever leaves elsewhere gives the state and the offset that belong together ([`Builder::leave_with`]);
//! - a raw value is passed on once, so that it becomes one object in all its places.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::instruction::Offset;
use crate::exit::{Exit, ExitId, Reason, Source};
use crate::ir::op::{Cond, Leave, Op, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

impl Builder<'_> {
    /// Whether a guess at the current instruction is still allowed.
    pub fn may_guess(&self, reason: Reason) -> bool {
        self.request.options.speculate && !self.request.generalised.contains(&(self.at.offset, reason))
    }

    /// An exit to the start of the current instruction.
    pub fn leave(&mut self, reason: Reason) -> Leave {
        let state = std::mem::replace(&mut self.start, State::new(vec![], 0));
        let leave = self.leave_with(&state, self.at.offset, reason);
        self.start = state;
        leave
    }

    /// An exit to an offset with a given state.
    pub fn leave_with(&mut self, state: &State, offset: Offset, reason: Reason) -> Leave {
        if offset != self.at.offset {
            self.give_up_body();
        }
        let mut values = Vec::new();
        // One word for each value, so that a raw one becomes one object.
        let mut value = |v: Value| match values.iter().position(|known| *known == v) {
            Some(index) => index as u32,
            None => {
                values.push(v);
                values.len() as u32 - 1
            }
        };
        let mut locals = Vec::new();
        for (i, local) in state.locals.iter().enumerate() {
            // A clean one keeps its object; it is mentioned when others are to share that.
            let copied = |raw| {
                state.locals.iter().filter(|l| matches!(l.form, Form::Raw { raw: held, .. } if held == raw)).count() > 1
                    || state.stack.iter().any(|item| item.is_raw(raw))
            };
            match local.form {
                Form::Raw { raw, dirty } if dirty || copied(raw) => {
                    locals.push((i as u32, raw.source(value(raw.value()))));
                }
                _ => {}
            }
        }
        let mut stack: Vec<Source> = state
            .stack
            .iter()
            .map(|item| match *item {
                Item::Null => Source::Null,
                Item::Const(i) => Source::Const(i),
                Item::Object { value: v, own: Own::Owned, .. } | Item::RangeIter { iter: v, .. } => {
                    Source::Owned(value(v))
                }
                Item::Object { value: v, .. } => Source::Borrowed(value(v)),
                Item::Raw { raw, .. } => raw.source(value(raw.value())),
                // Below, where the two words of each are put side by side.
                Item::Number(_) => Source::Null,
                // The state inside a body, which is given up.
                Item::Tuple(_) | Item::NoKeywords | Item::Instance => Source::Null,
            })
            .collect();
        // The two words of a number side by side, once for each.
        let mut numbers: Vec<(Number, u32)> = Vec::new();
        let mut number = |values: &mut Vec<Value>, number: Number| {
            let known = numbers.iter().find(|(other, _)| *other == number);
            let index = known.map_or(values.len() as u32, |(_, index)| *index);
            if known.is_none() {
                values.extend([number.value, number.is_int]);
                numbers.push((number, index));
            }
            Source::Number(index)
        };
        for (source, item) in stack.iter_mut().zip(&state.stack) {
            if let Item::Number(found) = *item {
                *source = number(&mut values, found);
            }
        }
        for (i, local) in state.locals.iter().enumerate() {
            if let Form::Number(found) = local.form {
                locals.push((i as u32, number(&mut values, found)));
            }
        }
        // A value that several items own, which merges can make of copies, comes with a reference for each of them: what
        // takes one away (`passes/reference_counts.rs`) must not mean the others.
        let mut owned: Vec<u32> = Vec::new();
        for source in &mut stack {
            if let Source::Owned(index) = source {
                if owned.contains(index) {
                    values.push(values[*index as usize]);
                    *index = values.len() as u32 - 1;
                }
                owned.push(*index);
            }
        }
        for (i, local) in state.locals.iter().enumerate() {
            if let Form::MaybeRaw { raw, bound } = local.form {
                let index = values.len() as u32;
                values.extend([raw.value(), bound]);
                let source = match raw {
                    Raw::Float(_) => Source::FloatIf(index),
                    Raw::Int(_) => Source::IntIf(index),
                    Raw::Bool(_) => Source::BoolIf(index),
                };
                locals.push((i as u32, source));
            }
        }
        let names = self.names_of_exit(state, &mut values);
        let value_count = values.len() as u32;
        let exit = Exit { offset, origin: self.at.offset, reason, locals, names, stack, value_count };
        // Guards of one instruction often leave in the same way, one after the other.
        let exit = match self.function.exits.last() {
            Some(last) if *last == exit => ExitId(self.function.exits.len() as u32 - 1),
            _ => self.function.add_exit(exit),
        };
        Leave { exit, values }
    }

    pub fn guard(&mut self, condition: Value, reason: Reason) {
        let leave = self.leave(reason);
        self.effect(Op::Guard(condition, leave));
    }

    /// Guards that what was read from a place that a version describes is there: not null.
    pub fn guard_there(&mut self, value: Value, ty: Ty) {
        let null = self.emit(Op::Null(ty));
        let there = self.compare(Cond::Ne, value, null);
        self.guard(there, Reason::Version);
    }

    pub fn guard_type(&mut self, value: Value, py: PyTypes) {
        self.guard_type_for(value, py, Reason::Type);
    }

    pub fn guard_type_for(&mut self, value: Value, py: PyTypes, reason: Reason) {
        let leave = self.leave(reason);
        self.effect(Op::GuardType(value, py, leave));
        self.count("guess_types");
    }

    /// Unboxes an object known to be of the exact type; ints may leave.
    pub fn unbox(&mut self, value: Value, kind: RawKind) -> Raw {
        if let Some(&constant) = self.constants.get(&value)
            && let Some(raw) = self.constant_raw(constant)
        {
            return raw;
        }
        kind.with(match kind {
            RawKind::Float => self.emit(Op::UnboxFloat(value)),
            RawKind::Int => {
                let leave = self.leave(Reason::Overflow);
                self.emit(Op::UnboxInt(value, leave))
            }
            RawKind::Bool => self.emit(Op::UnboxBool(value)),
        })
    }

    /// The thread's `_PyCFrame`, and whether it says that nobody traces: 1 or 0.
    pub fn is_untraced(&mut self) -> (Value, Value) {
        let layout = self.request.layout;
        let ts = self.thread();
        let cframe = self.load(MemTy::Ptr, Ty::Ptr, ts, layout.thread_cframe);
        let tracing = self.load(MemTy::U8, Ty::I64, cframe, layout.cframe_use_tracing);
        let zero = self.int(0);
        (cframe, self.compare(Cond::Eq, tracing, zero))
    }

    /// Leaves when the thread is traced: to `offset`, with the current state.
    pub fn leave_if_traced(&mut self, offset: Offset) {
        let (_, quiet) = self.is_untraced();
        let traced = self.branch(quiet, true);
        self.aside(traced, |b| {
            if b.state.suspect.is_some() {
                b.flush_names();
            }
            let state = b.state.clone();
            let leave = b.leave_with(&state, offset, Reason::Interrupt);
            b.terminate(Op::Leave(leave));
        });
    }
}
