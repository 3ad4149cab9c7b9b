//! Attributes and methods: of instances, classes and modules.
//!
//! *Method*: the generic form is a helper call. In line are read: what instances have in their values or slots ([`receivers`](super::receivers)) or,
//! where an instance has a dictionary of its own, in that dictionary's entry that the interpreter found; what a class has, by the
//! class's own version; what a module has, by the version of its dictionary's keys. *Invariants*: an address found in a class is
//! used behind a guard of that class's version only, which also keeps it alive; what the version says nothing of (which function
//! a static or class method has, whether the type of an attribute has become a descriptor) is guarded too; what is read in line is borrowed
//! (`Own::Volatile`) until something could change its owner. *Sources*: `Python/ceval.c` (`LOAD_ATTR_*`, `LOAD_METHOD_*`),
//! `type_getattro`, `classmethod` and `staticmethod` in `Objects/`.

use super::builder::Builder;
use super::receivers::{Access, Index, Spot};
use super::state::*;
use crate::bytecode::instruction::{Feedback, MethodKind};
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Cond, Op, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

/// What a class has under a name, as `Class.name` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassAttribute {
    /// Address of the object, alive as long as the class has its version.
    pub address: u64,
    /// Of a class method: the function, which gets the class as its first argument.
    pub takes_class: bool,
    /// Address of the static or class method that gives the object now, else 0: it may be initialised again.
    pub wrapper: u64,
    /// Version of the object's type where that is a class which may still come to have a `__get__`, else 0.
    pub type_version: u32,
    /// The same as a Python function whose body may be inlined.
    pub callee: Option<u32>,
}

/// Where a module has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleAttribute {
    /// Of its dictionary's keys.
    pub keys_version: u32,
    /// Offset of the value from the keys object.
    pub value_offset: i32,
    /// Whether the value is a builtin the compiler knows, and its address, which lives as long as the compiled code.
    pub known: Option<(Known, u64)>,
    /// Whether it is a Python function whose body may be inlined.
    pub callee: Option<u32>,
}

impl Builder<'_> {
    pub fn load_attr(&mut self, name: u32, feedback: &Feedback) {
        let example = match *feedback {
            Feedback::InstanceValue { type_version, index } => {
                self.attribute_example(self.state.stack[self.position(1)], type_version, index)
            }
            _ => None,
        };
        if let Some(spot) = self.guard_place(Access::Load, name, feedback) {
            let value = self.load(MemTy::Ptr, Ty::Obj, spot.base, spot.offset);
            self.guard_there(value, Ty::Obj);
            self.count("inline_attributes");
            self.typed(value, PyTypes::OBJECT);
            self.exemplify(value, example);
            self.replace_owner(value, PyTypes::OBJECT);
            return;
        }
        if self.load_from_module(name)
            || self.load_from_builtin_type(name)
            || self.load_from_class(name)
            || self.load_from_own_class(name)
        {
            return;
        }
        let owner = self.pop_owned();
        let symbol = self.name_symbol(name);
        let value = self.call_object(Helper::LoadAttr, vec![owner, symbol]);
        self.push_owned(value, PyTypes::OBJECT);
    }

    /// Replaces the topmost item by a value read from it.
    pub(super) fn replace_owner(&mut self, value: Value, py: PyTypes) {
        let owner = self.pop();
        if let Item::Object { own: Own::Owned, .. } = owner {
            self.effect(Op::Incref(value));
            self.release(owner);
            self.push_owned(value, py);
        } else {
            self.push(Item::Object { value, own: Own::Volatile, py, big: false, known: None });
        }
    }

    pub fn store_attr(&mut self, name: u32, feedback: &Feedback) {
        if let Some(Spot { base, offset, values, dictionary }) = self.guard_place(Access::Store, name, feedback) {
            let old = self.load(MemTy::Ptr, Ty::Obj, base, offset);
            if dictionary.is_some() {
                self.guard_there(old, Ty::Obj);
            }
            if let Some((values, index)) = values {
                let null = self.emit(Op::Null(Ty::Obj));
                let there = self.compare(Cond::Ne, old, null);
                let first = self.branch(there, false);
                let done = self.function.new_block();
                self.goto(done);
                self.aside(first, |b| {
                    let index = match index {
                        Index::Constant(index) => b.int(index),
                        Index::Chosen(index) => index,
                    };
                    b.effect(Op::Call(Helper::NoteFirstStore, vec![values, index]));
                    b.goto(done);
                });
                self.block = done;
            }
            let owner = self.pop();
            let item = self.pop();
            let value = self.own(item);
            self.settle_volatile();
            self.store(MemTy::Ptr, base, offset, value);
            if let Some(dictionary) = dictionary {
                self.note_store(dictionary, value);
            }
            self.count("inline_attributes");
            self.release_value(old, PyTypes::OBJECT | PyTypes::NULL);
            self.release(owner);
            return;
        }
        let owner = self.pop_owned();
        let value = self.pop_owned();
        let symbol = self.name_symbol(name);
        self.call_status(Helper::StoreAttr, vec![value, owner, symbol]);
    }

    pub fn delete_attr(&mut self, name: u32) {
        let owner = self.pop_owned();
        let symbol = self.name_symbol(name);
        self.call_status(Helper::DeleteAttr, vec![owner, symbol]);
    }

    pub fn load_method(&mut self, name: u32, feedback: &Feedback) {
        if self.builtin_method(name, feedback) {
            return;
        }
        if self.method_by_version(name, feedback)
            || self.method_of_class(name)
            || self.method_past_dictionary(name, feedback)
        {
            return;
        }
        let below = self.state.stack.len() - 1;
        if self.load_from_module(name) {
            self.state.stack.insert(below, Item::Null);
            return;
        }
        let owner = self.pop_owned();
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        let symbol = self.name_symbol(name);
        self.call_status(Helper::LoadMethod, vec![owner, symbol, dest]);
        let method = self.emit(Op::SlotGet(self.stack_slot(first)));
        self.push(Item::owned(method, PyTypes::all()));
        let receiver = self.emit(Op::SlotGet(self.stack_slot(first + 1)));
        self.push_owned(receiver, PyTypes::OBJECT);
    }

    // ---- modules ----

    /// An attribute of a module: the topmost item becomes it. `false`: nothing was emitted.
    pub(super) fn load_from_module(&mut self, name: u32) -> bool {
        let Item::Object { value: owner, known: Some(Known::Module(module)), .. } = self.state.stack[self.position(1)]
        else {
            return false;
        };
        if !self.request.options.inline_attributes {
            return false;
        }
        let guesses = [Reason::Type, Reason::Version];
        let place = self.request.environment.module_attribute(module, name);
        let Some(place) = place.filter(|_| guesses.into_iter().all(|reason| self.may_guess(reason))) else {
            return false;
        };
        let layout = self.request.layout;
        self.guard_type(owner, PyTypes::MODULE);
        let dictionary = self.load(MemTy::Ptr, Ty::Ptr, owner, layout.module_dict);
        let keys = self.load(MemTy::Ptr, Ty::Ptr, dictionary, layout.dict_keys);
        self.guard_keys_version(keys, place.keys_version);
        let value = self.load(MemTy::Ptr, Ty::Obj, keys, place.value_offset);
        if let Some((_, address)) = place.known {
            let expected = self.address(address);
            let same = self.compare(Cond::Eq, value, expected);
            self.guard(same, Reason::Version);
        } else {
            self.guard_there(value, Ty::Obj);
        }
        self.count("inline_module_attributes");
        self.typed(value, PyTypes::OBJECT);
        self.replace_owner(value, PyTypes::OBJECT);
        self.recognise_top(place.known.map(|(known, _)| known).or(place.callee.map(Known::Function)));
        true
    }

    /// The topmost item is likely to be that.
    pub(super) fn recognise_top(&mut self, guess: Option<Known>) {
        let top = self.position(1);
        if let Item::Object { known, .. } = &mut self.state.stack[top] {
            *known = guess;
        }
    }

    // ---- classes ----

    /// The class that the topmost item is likely to be, and what it has under that name; guarded.
    fn class_attribute(&mut self, name: u32, class_methods: bool) -> Option<ClassAttribute> {
        let item = self.state.stack[self.position(1)];
        let version = self.example(item)?.own_version;
        if version == 0 || !self.request.options.inline_attributes {
            return None;
        }
        let found = self.request.environment.class_attribute(version, name)?;
        if found.takes_class && !class_methods {
            return None;
        }
        if !self.guard_class(1, version) {
            return None;
        }
        self.guard_attribute(&found);
        Some(found)
    }

    /// Guards what the version of a class does not say of an attribute found in it.
    fn guard_attribute(&mut self, found: &ClassAttribute) {
        if found.wrapper != 0 {
            let wrapper = self.address(found.wrapper);
            let callable = self.load(MemTy::Ptr, Ty::Obj, wrapper, self.request.layout.method_wrapper_callable);
            let expected = self.address(found.address);
            let same = self.compare(Cond::Eq, callable, expected);
            self.guard(same, Reason::Version);
        }
        if found.type_version != 0 {
            let object = self.address(found.address);
            let ty = self.load(MemTy::Ptr, Ty::Ptr, object, self.request.layout.ob_type);
            self.guard_version_of(ty, found.type_version);
        }
    }

    pub(super) fn guard_version_of(&mut self, ty: Value, version: u32) {
        let have = self.load(MemTy::U32, Ty::I64, ty, self.request.layout.type_version);
        let expected = self.int(i64::from(version));
        let same = self.compare(Cond::Eq, have, expected);
        self.guard(same, Reason::Version);
    }

    /// Guards that the item at a depth is the class with that version, whose own type is exactly `type`. `false`: nothing was
    /// emitted.
    pub(super) fn guard_class(&mut self, depth: u32, version: u32) -> bool {
        let Item::Object { value: class, py, .. } = self.state.stack[self.position(depth)] else { return false };
        let may = self.may_guess(Reason::Type) && self.may_guess(Reason::Version);
        if !may || py.may_be_null() || !py.contains(PyTypes::TYPE) {
            return false;
        }
        self.refine(depth, PyTypes::TYPE);
        self.guard_version_of(class, version);
        true
    }

    /// An attribute of a built-in type, which never changes: the topmost item becomes it. `false`: nothing was emitted.
    fn load_from_builtin_type(&mut self, name: u32) -> bool {
        let Item::Object { known: Some(Known::Type(py)), own, .. } = self.state.stack[self.position(1)] else {
            return false;
        };
        if own == Own::Owned || !self.request.options.inline_attributes {
            return false;
        }
        let Some(address) = self.request.environment.builtin_type_attribute(py, name) else { return false };
        let value = self.address(address);
        self.count("inline_class_attributes");
        self.pop();
        let own = Own::Permanent;
        self.push(Item::Object { value, own, py: PyTypes::OBJECT, big: false, known: None });
        true
    }

    pub(super) fn load_from_class(&mut self, name: u32) -> bool {
        let Some(found) = self.class_attribute(name, false) else { return false };
        let value = self.address(found.address);
        self.count("inline_class_attributes");
        self.replace_owner(value, PyTypes::OBJECT);
        self.recognise_top(found.callee.map(Known::Function));
        true
    }

    /// `Class.method` that is about to be called: a class method is given its class as CPython's bound method would.
    fn method_of_class(&mut self, name: u32) -> bool {
        let Some(found) = self.class_attribute(name, true) else { return false };
        let value = self.address(found.address);
        self.count("inline_methods");
        let known = found.callee.map(Known::Function);
        if found.takes_class {
            let class = self.pop();
            self.push(Item::Object { value, own: Own::Volatile, py: PyTypes::OBJECT, big: false, known });
            self.push(class);
        } else {
            let below = self.state.stack.len() - 1;
            self.replace_owner(value, PyTypes::OBJECT);
            self.recognise_top(known);
            self.state.stack.insert(below, Item::Null);
        }
        true
    }

    // ---- instances with a dictionary ----

    /// Guards that the instance has the attribute in the entry of its own dictionary where the interpreter found it.
    pub(super) fn guard_entry(&mut self, access: Access, name: u32, type_version: u32, hint: u16) -> Option<Spot> {
        let possible = access == Access::Load || self.request.environment.dictionary_versions().is_some();
        // An instance's dictionary may be the namespace of the body that is compiled, some of whose names are not in it just now.
        if !possible || !self.state.names.is_empty() {
            return None;
        }
        let owner = self.guard_type_version(1, type_version)?;
        let layout = self.request.layout;
        let dictionary = self.load(MemTy::Ptr, Ty::Ptr, owner, layout.instance_dict);
        self.guard_there(dictionary, Ty::Ptr);
        let keys = self.load(MemTy::Ptr, Ty::Ptr, dictionary, layout.dict_keys);
        let kind = self.load(MemTy::U8, Ty::I64, keys, layout.keys_kind);
        let general = self.int(0);
        let strings_only = self.compare(Cond::Ne, kind, general);
        self.guard(strings_only, Reason::Version);
        let entries = self.load(MemTy::I64, Ty::I64, keys, layout.keys_entries);
        let hint = self.int(i64::from(hint));
        let inside = self.compare(Cond::ULt, hint, entries);
        self.guard(inside, Reason::Version);
        // Entries lie behind the table of indices.
        let log2 = self.load(MemTy::U8, Ty::I64, keys, layout.keys_log2_index_bytes);
        let one = self.int(1);
        let indices = self.binary(BinOp::Shl, one, log2);
        let size = self.int(i64::from(layout.unicode_entry_size));
        let before = self.binary(BinOp::Mul, hint, size);
        let bytes = self.binary(BinOp::Add, indices, before);
        let base = self.offset_by(keys, bytes);
        let key = self.load(MemTy::Ptr, Ty::Obj, base, layout.keys_indices);
        let symbol = self.name_symbol(name);
        let same = self.compare(Cond::Eq, key, symbol);
        self.guard(same, Reason::Version);
        let offset = layout.keys_indices + layout.unicode_entry_value;
        Some(Spot { base, offset, values: None, dictionary: Some(dictionary) })
    }

    /// What a store to an entry that had a value changes besides: the dictionary has a new version, and is known to the garbage
    /// collector if what was stored may be part of a cycle.
    pub(super) fn note_store(&mut self, dictionary: Value, value: Value) {
        let layout = self.request.layout;
        if let Some(versions) = self.request.environment.dictionary_versions() {
            let counter = self.plain_address(versions);
            let last = self.load(MemTy::I64, Ty::I64, counter, 0);
            let one = self.int(1);
            let version = self.binary(BinOp::Add, last, one);
            self.store(MemTy::I64, counter, 0, version);
            self.store(MemTy::I64, dictionary, layout.dict_version, version);
        }
        let tracked = self.load(MemTy::I64, Ty::I64, dictionary, layout.gc_next);
        let zero = self.int(0);
        let is_tracked = self.compare(Cond::Ne, tracked, zero);
        let not = self.branch(is_tracked, true);
        let done = self.new_join();
        self.goto(done);
        self.aside(not, |b| {
            let dictionary = b.emit(Op::Unary(UnOp::Cast(Ty::Obj), dictionary));
            b.effect(Op::Call(Helper::TrackDictionary, vec![dictionary, value]));
            b.goto(done);
        });
        self.block = done;
    }

    /// A method of an instance that may have a dictionary, in which the name is looked for each time. Its guards count as
    /// guesses of a type, so that it can follow where a guess that there is no dictionary has failed.
    fn method_past_dictionary(&mut self, name: u32, feedback: &Feedback) -> bool {
        let from_cache = match *feedback {
            Feedback::Method { kind: MethodKind::WithDict | MethodKind::WithValues, type_version, .. } => type_version,
            _ => 0,
        };
        let example = self.example(self.state.stack[self.position(1)]);
        let version = example.map_or(0, |example| example.type_version);
        let version = if version == 0 { from_cache } else { version };
        let Item::Object { value: owner, py, .. } = self.state.stack[self.position(1)] else { return false };
        if version == 0 || py.may_be_null() || !self.request.options.inline_attributes || !self.may_guess(Reason::Type)
        {
            return false;
        }
        let Some(descriptor) = self.request.environment.method_past_dictionary(version, name) else { return false };
        let layout = self.request.layout;
        let ty = self.load(MemTy::Ptr, Ty::Ptr, owner, layout.ob_type);
        let found = self.load(MemTy::U32, Ty::I64, ty, layout.type_version);
        let expected = self.int(i64::from(version));
        let same = self.compare(Cond::Eq, found, expected);
        self.guard(same, Reason::Type);
        let symbol = self.name_symbol(name);
        let hidden = self.emit(Op::Call(Helper::InstanceHas, vec![owner, symbol]));
        let zero = self.int(0);
        let visible = self.compare(Cond::Eq, hidden, zero);
        self.guard(visible, Reason::Type);
        self.push_method(name, version, descriptor);
        true
    }
}
