//! Locals: their slots, and the raw values that stand for them.
//!
//! *Problem*: loops compute with raw values, but exceptions, exits and whatever looks at the frame want objects in slots.
//! *Method*: storing a raw value only notes it; the local is *dirty* until [`Builder::flush_local`] boxes the value into its
//! slot, where somebody may look. Locals that hold the same raw value share one object, that of the value's *home*.
//! *Invariants*:
//! - what a raw local's slot holds can be released without running Python: an old value of which that is not certain is
//!   released when the raw one is stored;
//! - before a local changes, the items that borrow from it get references of their own ([`Builder::detach`]);
//! - cells and their like are always in their slots.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::code::local_kind;
use crate::helpers::Helper;
use crate::ir::op::{Op, Value};
use crate::ir::types::{PyTypes, Ty};

impl Builder<'_> {
    /// The slot's content of a local that is in its slot (or clean), borrowed.
    pub fn local_object(&mut self, local: u32) -> Value {
        let Local { form, py, .. } = self.state.locals[local as usize];
        match form {
            Form::Slot { value: Some(value) } => value,
            Form::Slot { value: None } => {
                let value = self.emit(Op::SlotGet(local));
                self.defined(value, py);
                self.state.locals[local as usize].form = Form::Slot { value: Some(value) };
                value
            }
            Form::Raw { dirty: false, .. } => {
                let value = self.emit(Op::SlotGet(local));
                self.defined(value, py)
            }
            Form::Raw { dirty: true, .. } | Form::MaybeRaw { .. } | Form::Number(_) => {
                unreachable!("dirty locals are flushed first")
            }
        }
    }

    /// Boxes a dirty local into its slot.
    pub fn flush_local(&mut self, local: u32) {
        if let Form::Number(number) = self.state.locals[local as usize].form {
            let slot = self.emit(Op::SlotAddress(local));
            self.effect(Op::Call(Helper::FlushNumber, vec![slot, number.value, number.is_int]));
            self.state.locals[local as usize] = Local::slot(NUMBER);
            // Stack items that were loaded from it are that object too.
            if self.state.stack.contains(&Item::Number(number)) {
                let object = self.local_object(local);
                self.share_number(number, object);
            }
            return;
        }
        if let Form::MaybeRaw { raw, bound } = self.state.locals[local as usize].form {
            let py = self.state.locals[local as usize].py;
            let done = self.new_join();
            let unbound = self.branch(bound, false);
            self.state.locals[local as usize].form = Form::Raw { raw, dirty: true };
            self.flush_local(local);
            self.goto(done);
            self.block = unbound;
            self.goto(done);
            self.block = done;
            self.state.locals[local as usize] = Local::slot(py);
            return;
        }
        if let Form::Raw { raw, dirty: true } = self.state.locals[local as usize].form {
            let home = self.home_of(raw).unwrap_or(local);
            if home != local {
                // A copy: it shares the object of the local it was copied from.
                self.flush_local(home);
                let object = self.local_object(home);
                self.effect(Op::Incref(object));
                let previous = self.emit(Op::SlotGet(local));
                self.defined(previous, BENIGN);
                self.effect(Op::SlotSet(local, object));
                self.effect(Op::XDecref(previous));
                self.state.locals[local as usize].form = Form::Raw { raw, dirty: false };
                return;
            }
            let slot = self.emit(Op::SlotAddress(local));
            let (helper, value) = match raw {
                Raw::Float(v) => (Helper::FlushFloat, v),
                Raw::Int(v) => (Helper::FlushInt, v),
                Raw::Bool(v) => (Helper::FlushBool, v),
            };
            self.effect(Op::Call(helper, vec![slot, value]));
            self.state.locals[local as usize].form = Form::Raw { raw, dirty: false };
        }
    }

    pub fn flush_locals(&mut self) {
        for local in 0..self.state.locals.len() as u32 {
            self.flush_local(local);
        }
    }

    /// The same on a path that will run Python and goes back to where numbers are raw: those on the stack stay so, since nobody would
    /// give up the references that they get where they become the objects of locals.
    pub fn flush_locals_beside(&mut self) {
        let stack = std::mem::take(&mut self.state.stack);
        self.flush_locals();
        self.state.stack = stack;
    }

    /// Gives every item that borrows from the local a reference of its own, and every other holder of its raw value the
    /// object that its slot has for it.
    pub fn detach(&mut self, local: u32) {
        if let Form::Raw { raw, dirty: false } = self.state.locals[local as usize].form {
            for other in 0..self.state.locals.len() {
                if is_dirty(&self.state.locals[other]) && holds(&self.state.locals[other], raw) {
                    self.flush_local(other as u32);
                }
            }
            for position in 0..self.state.stack.len() {
                if self.state.stack[position].is_raw(raw) {
                    self.own_at(position);
                }
            }
        }
        for position in 0..self.state.stack.len() {
            match self.state.stack[position] {
                Item::Object { own: Own::Local(l), .. } if l == local => {
                    self.own_at(position);
                }
                Item::Raw { raw, local: Some(l) } if l == local => {
                    self.state.stack[position] = Item::raw(raw);
                }
                _ => {}
            }
        }
    }

    /// The local whose slot is where a raw value's object is, or is to be: one that has it already, else the one for
    /// which a merge passed the value on (its slot may hold the object since before the merge).
    pub fn home_of(&self, raw: Raw) -> Option<u32> {
        let holders = || {
            self.state.locals.iter().enumerate().filter_map(|(i, local)| match local.form {
                Form::Raw { raw: held, dirty } if held == raw => Some((i as u32, dirty)),
                _ => None,
            })
        };
        let clean = holders().find(|(_, dirty)| !dirty);
        let passed = || holders().find(|(local, _)| self.merged.get(&raw.value()) == Some(local));
        clean.or_else(passed).or_else(|| holders().next()).map(|(local, _)| local)
    }

    /// Replaces a local's value by an item (consumed), releasing the old one.
    pub fn store_local(&mut self, local: u32, item: Item) {
        if self.store_idly(local, item) {
            return;
        }
        self.detach(local);
        let old = self.state.locals[local as usize];
        let kept = match item {
            Item::Raw { raw, .. } if self.keeps_raw(local) => Some((Form::Raw { raw, dirty: true }, raw.py())),
            Item::Number(number) if self.keeps_number(local, item) => Some((Form::Number(number), NUMBER)),
            _ => None,
        };
        if let Some((form, py)) = kept {
            let new = Local { form, py, big: false };
            if !matches!(old.form, Form::Slot { .. }) || BENIGN.contains(old.py) {
                self.state.locals[local as usize] = new;
                return;
            }
            let value = self.local_object(local);
            let null = self.emit(Op::Null(Ty::Obj));
            self.effect(Op::SlotSet(local, null));
            self.state.locals[local as usize] = new;
            self.release_value(value, old.py);
            return;
        }
        let py = self.item_py(item);
        let big = matches!(item, Item::Object { big: true, .. });
        let value = self.own(item);
        // What a raw local's slot holds is unknown but harmless.
        let (previous, previous_py) = match old.form {
            Form::Slot { .. } if old.py == PyTypes::NULL => (None, PyTypes::NULL),
            Form::Slot { .. } => (Some(self.local_object(local)), old.py),
            Form::Raw { .. } | Form::MaybeRaw { .. } | Form::Number(_) => (Some(self.emit(Op::SlotGet(local))), BENIGN),
        };
        self.effect(Op::SlotSet(local, value));
        self.state.locals[local as usize] = Local { form: Form::Slot { value: Some(value) }, py, big };
        if let Some(previous) = previous {
            self.release_value(previous, previous_py);
        }
    }

    /// Stores an object that the slot holds already: nothing happens but that what is known of both is known of it.
    fn store_idly(&mut self, local: u32, item: Item) -> bool {
        let Item::Object { value, own, py, big, .. } = item else { return false };
        let old = &mut self.state.locals[local as usize];
        if !self.request.options.idle_stores
            || py.may_be_null()
            || !matches!(old.form, Form::Slot { value: Some(held) } if held == value)
        {
            return false;
        }
        if old.py.intersects(py) {
            old.py = old.py.intersection(py);
        }
        old.big |= big;
        if own == Own::Owned {
            // The slot has a reference, so this one is not the last.
            let changes = self.changes;
            self.effect(Op::Decref(value));
            self.changes = changes;
        }
        self.count("idle_stores");
        true
    }

    /// Whether a local may hold a number of either kind raw: something computes with it, and nothing else is the same number,
    /// since there is no telling later that both are one object.
    fn keeps_number(&self, local: u32, item: Item) -> bool {
        let held = |other: &Local| matches!((other.form, item), (Form::Number(own), Item::Number(new)) if own == new);
        self.keeps_raw(local)
            && self.plan.computes[local as usize]
            && !self.state.stack.contains(&item)
            && !self.state.locals.iter().any(held)
    }

    /// Whether nothing but arithmetic loads the local.
    pub fn only_computes(&self, local: u32) -> bool {
        self.keeps_raw(local) && self.plan.computing[local as usize]
    }

    /// Cells and their like always live in their slots.
    fn keeps_raw(&self, local: u32) -> bool {
        self.request.options.unbox_loops
            && self.request.code.locals_plus_kinds[local as usize] & (local_kind::CELL | local_kind::FREE) == 0
    }
}

/// Whether this raw value stands for the local.
pub(super) fn holds(local: &Local, raw: Raw) -> bool {
    matches!(local.form, Form::Raw { raw: held, .. } if held == raw)
}

/// Whether the slot does not hold the local's value.
pub(super) fn is_dirty(local: &Local) -> bool {
    matches!(local.form, Form::Raw { dirty: true, .. } | Form::MaybeRaw { .. } | Form::Number(_))
}
