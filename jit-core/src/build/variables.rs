//! Variables: locals, cells, globals, and names that are looked up when they are used.
//!
//! *Problem*: most instructions of a program only bring a variable to the stack. *Method*: every instruction has its generic form,
//! a helper call; a local is borrowed from its slot or taken as the raw value that stands for it, and a global is read from its
//! dictionary's keys behind a comparison of their version. *Invariants*: what is read from a slot or a dictionary without a
//! reference is borrowed (`Own::Local`, `Own::Volatile`); what a global is guessed to be is guarded before anything relies on it.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::instruction::Feedback;
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op, Symbol, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

impl Builder<'_> {
    // ---- locals ----

    pub fn load_fast(&mut self, local: u32) {
        self.check_bound(local);
        let Local { form, py, big } = self.state.locals[local as usize];
        match form {
            Form::Raw { raw, .. } => self.push(Item::Raw { raw, local: Some(local) }),
            Form::Number(number) if self.feeds_arithmetic() => self.push(Item::Number(number)),
            Form::Number(_) => {
                self.flush_local(local);
                let value = self.local_object(local);
                self.push(Item::Object { value, own: Own::Local(local), py: NUMBER, big: false, known: None });
            }
            Form::Slot { .. } | Form::MaybeRaw { .. } => {
                let value = self.local_object(local);
                self.exemplify_local(local, value);
                self.push(Item::Object { value, own: Own::Local(local), py, big, known: None });
            }
        }
    }

    /// Raises UnboundLocalError if the local may be and is unbound.
    fn check_bound(&mut self, local: u32) {
        let py = self.state.locals[local as usize].py;
        if !py.may_be_null() {
            return;
        }
        if let Form::MaybeRaw { raw, bound } = self.state.locals[local as usize].form {
            let unbound = self.branch(bound, true);
            self.aside(unbound, |b| {
                b.state.locals[local as usize] = Local::slot(PyTypes::NULL);
                b.raise_unbound(Helper::UnboundLocal, local);
            });
            let form = Form::Raw { raw, dirty: true };
            self.state.locals[local as usize] = Local { form, py: raw.py(), big: false };
            return;
        }
        let value = self.local_object(local);
        self.check_value(value, Helper::UnboundLocal, local);
        self.state.locals[local as usize].py.remove(PyTypes::NULL);
        let py = self.state.locals[local as usize].py;
        if py.is_empty() {
            // Always unbound: what follows is never reached, but must be well formed.
            self.state.locals[local as usize].py = PyTypes::OBJECT;
        }
    }

    /// Raises if a variable's value is null, by a helper as [`Self::raise_unbound`] wants it.
    fn check_value(&mut self, value: Value, helper: Helper, local: u32) {
        let null = self.emit(Op::Null(Ty::Obj));
        let bound = self.compare(Cond::Ne, value, null);
        let unbound = self.branch(bound, true);
        self.aside(unbound, |b| b.raise_unbound(helper, local));
    }

    /// Raises the error that names an unbound variable: the helper, of (frame, index), is known to set it.
    fn raise_unbound(&mut self, helper: Helper, local: u32) {
        let frame = self.frame();
        let index = self.int(i64::from(local));
        self.call_for_null(helper, vec![frame, index]);
        let block = self.block;
        self.unwind_from(block, true);
    }

    pub fn delete_fast(&mut self, local: u32) {
        self.check_bound(local);
        self.detach(local);
        self.flush_local(local);
        let py = self.state.locals[local as usize].py;
        let value = self.local_object(local);
        let null = self.emit(Op::Null(Ty::Obj));
        self.effect(Op::SlotSet(local, null));
        self.state.locals[local as usize] = Local::slot(PyTypes::NULL);
        self.release_value(value, py);
    }

    // ---- cells ----

    pub fn make_cell(&mut self, local: u32) {
        self.detach(local);
        self.flush_local(local);
        let slot = self.emit(Op::SlotAddress(local));
        self.state.locals[local as usize] = Local::slot(PyTypes::all());
        self.call_status(Helper::MakeCell, vec![slot]);
        self.state.locals[local as usize] = Local::slot(PyTypes::CELL);
    }

    pub fn load_closure(&mut self, local: u32) {
        let value = self.emit(Op::SlotGet(local));
        self.typed(value, PyTypes::OBJECT);
        self.effect(Op::Incref(value));
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn load_deref(&mut self, local: u32) {
        let cell = self.emit(Op::SlotGet(local));
        let value = self.load(MemTy::Ptr, Ty::Obj, cell, self.request.layout.cell_value);
        self.check_value(value, Helper::LoadDeref, local);
        self.typed(value, PyTypes::OBJECT);
        self.push(Item::Object { value, own: Own::Volatile, py: PyTypes::OBJECT, big: false, known: None });
    }

    pub fn store_deref(&mut self, local: u32) {
        let value = self.pop_owned();
        let cell = self.emit(Op::SlotGet(local));
        self.call(Helper::StoreDeref, vec![cell, value]);
    }

    /// A helper of (frame, index) whose status tells of errors.
    pub fn frame_index_status(&mut self, helper: Helper, index: u32) {
        let frame = self.frame();
        let index = self.int(i64::from(index));
        self.call_status(helper, vec![frame, index]);
    }

    pub fn load_classderef(&mut self, local: u32) {
        let frame = self.frame();
        let index = self.int(i64::from(local));
        let value = self.call_object(Helper::LoadClassDeref, vec![frame, index]);
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn copy_free_vars(&mut self, count: u32) {
        let frame = self.frame();
        let n = self.int(i64::from(count));
        self.call(Helper::CopyFreeVars, vec![frame, n]);
        let total = self.state.locals.len();
        for local in total - count as usize..total {
            self.state.locals[local] = Local::slot(PyTypes::CELL);
        }
    }

    // ---- globals and names ----

    pub fn load_global(&mut self, name: u32, push_null: bool, feedback: &Feedback) {
        if push_null {
            self.push(Item::Null);
        }
        self.flush_names();
        self.start_as_owned();
        let environment = self.request.environment;
        let place = if self.request.options.inline_globals && self.may_guess(Reason::Version) {
            environment.global_value_offset(name, feedback)
        } else {
            None
        };
        let Some(place) = place else {
            let frame = self.frame();
            let symbol = self.name_symbol(name);
            let value = self.call_object(Helper::LoadGlobal, vec![frame, symbol]);
            self.exemplify(value, environment.global_example(name));
            self.push_owned(value, PyTypes::OBJECT);
            self.recognise(name, value);
            return;
        };
        // Guards leave to the start of the instruction: the null just pushed is not part of it.
        let layout = self.request.layout;
        let foreign = self.inlining.and_then(|body| body.foreign);
        let (holder, globals, builtins) = match foreign {
            Some(function) => (function, layout.function_globals, layout.function_builtins),
            None => (self.frame(), layout.frame_globals, layout.frame_builtins),
        };
        let globals = self.load(MemTy::Ptr, Ty::Ptr, holder, globals);
        let mut keys = self.load(MemTy::Ptr, Ty::Ptr, globals, layout.dict_keys);
        self.guard_keys_version(keys, place.module_keys_version);
        if place.in_builtins {
            let builtins = self.load(MemTy::Ptr, Ty::Ptr, holder, builtins);
            keys = self.load(MemTy::Ptr, Ty::Ptr, builtins, layout.dict_keys);
            self.guard_keys_version(keys, place.builtin_keys_version);
        }
        let value = self.load(MemTy::Ptr, Ty::Obj, keys, place.value_offset);
        let known;
        let mut own = Own::Volatile;
        if let Some((builtin, address)) = environment.known_global(name) {
            self.addresses.push(address);
            let symbol = Symbol::Address(self.addresses.len() as u32 - 1);
            let expected = self.emit(Op::Symbol(symbol, Ty::Obj));
            let same = self.compare(Cond::Eq, value, expected);
            self.guard(same, Reason::Version);
            known = Some(builtin);
            own = Own::Permanent;
        } else {
            self.guard_there(value, Ty::Obj);
            known = self.guess_global(name);
            self.exemplify(value, environment.global_example(name));
        }
        self.count("inline_globals");
        self.typed(value, PyTypes::OBJECT);
        self.push(Item::Object { value, own, py: PyTypes::OBJECT, big: false, known });
    }

    /// Guards that a global just pushed is the builtin that the name is bound to now, if the compiler knows that one.
    fn recognise(&mut self, name: u32, value: Value) {
        if !self.request.options.inline_globals || !self.may_guess(Reason::Version) {
            return;
        }
        let Some((builtin, address)) = self.request.environment.known_global(name) else {
            let guess = self.guess_global(name);
            return self.recognise_top(guess);
        };
        self.addresses.push(address);
        let symbol = Symbol::Address(self.addresses.len() as u32 - 1);
        let expected = self.emit(Op::Symbol(symbol, Ty::Obj));
        let same = self.compare(Cond::Eq, value, expected);
        // The load is done: a wrong guess goes on after it.
        let state = self.state.clone();
        let leave = self.leave_with(&state, self.at.next, Reason::Version);
        self.effect(Op::Guard(same, leave));
        self.recognise_top(Some(builtin));
    }

    /// What a global name is bound to now, where whoever uses that guards what it is.
    fn guess_global(&self, name: u32) -> Option<Known> {
        let environment = self.request.environment;
        let callee = environment.global_callee(name).map(Known::Function);
        callee.or_else(|| environment.global_module(name).map(Known::Module))
    }

    pub(super) fn guard_keys_version(&mut self, keys: Value, version: u32) {
        let found = self.load(MemTy::U32, Ty::I64, keys, self.request.layout.keys_version);
        let expected = self.int(i64::from(version));
        let same = self.compare(Cond::Eq, found, expected);
        self.guard(same, Reason::Version);
    }

    /// `LOAD_NAME` and its like: helper of (frame, name).
    pub fn load_named(&mut self, helper: Helper, name: u32) {
        let frame = self.frame();
        let symbol = self.name_symbol(name);
        let value = self.call_object(helper, vec![frame, symbol]);
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn store_named(&mut self, helper: Helper, name: u32) {
        let value = self.pop_owned();
        let frame = self.frame();
        let symbol = self.name_symbol(name);
        self.call_status(helper, vec![frame, symbol, value]);
    }

    pub fn delete_named(&mut self, helper: Helper, name: u32) {
        let frame = self.frame();
        let symbol = self.name_symbol(name);
        self.call_status(helper, vec![frame, symbol]);
    }
}
