//! Instances of Python classes, made without a call of `__init__`.
//!
//! *Problem*: `Vector(x, y)` takes an argument vector, boxes for its arguments, a frame, and a search for `__init__`, to store two
//! attributes. *Method*: where the class is known and makes its instances as `object` does, the body of its `__init__` is walked
//! like any inlined body ([`inlining`](super::inlining)), with an instance that does not exist yet: what is stored to it is noted.
//! When the body is over, and no guard is left to fail, the values become objects, the instance is made, and its values are
//! filled in, in the order of the stores. *Invariants*: the class's version says which `__init__` there is, and which index each
//! attribute has among the values; nothing but the notes refers to the instance before it exists; the values own their
//! references before the instance is made, since that may run the collector. *Sources*: `type_call`, `object_new`,
//! `_PyObject_InitializeDict` and `_PyDictValues_AddToInsertionOrder` in CPython 3.11.

use super::builder::Builder;
use super::examples::Example;
use super::locals::is_dirty;
use super::parameters::Arranged;
use super::receivers::Access;
use super::state::*;
use crate::bytecode::instruction::Feedback;
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use std::rc::Rc;

/// How a class initialises its instances, if it makes them as `object` does and they have their values in line, or in slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassInit {
    /// The number of its `__init__`, a Python function, for [`super::Environment::callee`].
    pub callee: u32,
    /// Address of that function, alive as long as the class has its version.
    pub function: u64,
    /// Whether the instances have their values in line; else they have slots, and no dictionary.
    pub in_line: bool,
}

/// An instance that does not exist yet.
#[derive(Clone)]
pub(super) struct Instance {
    /// Its class, and the version of that.
    class: Value,
    version: u32,
    /// As [`ClassInit::in_line`].
    in_line: bool,
    /// What was stored to it, in that order, by the index among the instance's values, or the offset of the slot.
    fields: Vec<(u32, Item)>,
}

impl Builder<'_> {
    /// A call of a class with `arguments` positional arguments. In a body the result is [`Item::Instance`]. `false`: nothing was
    /// emitted, or this is a body and cannot be inlined.
    pub fn instantiate(&mut self, arguments: u32) -> bool {
        let depth = arguments + 1;
        let (below, at) = (self.position(depth + 1), self.position(depth));
        let nested = self.inlining.is_some();
        if !self.request.options.inline_attributes
            || nested && self.instance.is_some()
            || !matches!(self.state.stack.get(below), Some(Item::Null))
        {
            return false;
        }
        let Some(example) = self.example(self.state.stack[at]) else { return false };
        let version = example.own_version;
        let environment = self.request.environment;
        let Some(init) = environment.class_init(version).filter(|_| version != 0) else { return false };
        let Some(mut given) = self.operands_of_body(at + 1) else { return false };
        let Item::Object { value: class, .. } = self.state.stack[at] else { return false };
        given.insert(0, Item::Instance);
        let Some(callee) = environment.callee(init.callee).filter(|callee| callee.code.argcount > 0) else {
            return false;
        };
        let Some(Arranged { operands, needed }) = self.arranged_items(&callee, &given, &[]) else { return false };
        let Some(callee) = self.may_inline(init.callee, operands.len()) else { return false };

        let (before, state) = (self.mark(), self.state.clone());
        self.instance = Some(Instance { class, version, in_line: init.in_line, fields: Vec::new() });
        let returns = self.walk_callee(init.callee, callee.clone(), depth as usize + 1, (operands, None), |b| {
            if !b.guard_class(depth, version) {
                return false;
            }
            let function = b.address(init.function);
            b.guard_callee(function, PyTypes::FUNCTION, &callee);
            b.guard_defaults(function, &callee, needed);
            // `_PyObject_MakeTpCall` takes a level of its own.
            b.guard_level();
            true
        });
        let end = match returns.as_deref() {
            Some([end]) if self.item_py(end.item) == PyTypes::NONE && !end.effects => end.block,
            _ => {
                self.instance = None;
                if !self.give_up_body() {
                    self.take_back(before, state);
                }
                return false;
            }
        };
        self.block = end;
        self.state = state;
        let result = if nested { Item::Instance } else { self.make_instance(depth as usize + 1) };
        self.replace_operands(depth as usize + 1, result);
        if !nested {
            self.count("inline_instances");
        }
        true
    }

    /// Makes the instance: its values become objects, and it gets them. The result is owned, and on no stack yet; the topmost
    /// `consumed` items go when it is.
    pub(super) fn make_instance(&mut self, consumed: usize) -> Item {
        let Some(Instance { class, version, in_line, fields }) = self.instance.take() else {
            unreachable!("a body that gives an instance has one");
        };
        let first = self.state.stack.len();
        for &(_, item) in &fields {
            self.push(item);
            self.own_at(self.state.stack.len() - 1);
        }
        let instance = self.new_instance(class, first - consumed);
        self.typed(instance, PyTypes::OTHER);
        let items = self.state.stack.split_off(first);
        if in_line {
            let values = self.load(MemTy::Ptr, Ty::Ptr, instance, self.request.layout.instance_values);
            for (position, (&(index, _), item)) in fields.iter().zip(items).enumerate() {
                let value = self.object(item);
                self.store(MemTy::Ptr, values, 8 * index as i32, value);
                // Before the values lie how many are set, and, backwards, the indices in the order in which they were.
                let index = self.int(i64::from(index));
                self.store(MemTy::I8, values, -3 - position as i32, index);
            }
            let count = self.int(fields.len() as i64);
            self.store(MemTy::I8, values, -2, count);
        } else {
            for (&(offset, _), item) in fields.iter().zip(items) {
                let value = self.object(item);
                self.store(MemTy::Ptr, instance, offset as i32, value);
            }
        }
        let example = Example { py: PyTypes::OTHER, type_version: version, ..Example::default() };
        self.exemplify(instance, Some(Rc::new(example)));
        Item::owned(instance, PyTypes::OTHER)
    }

    /// An instance without values. Where locals would have to be written back before Python runs, that is done only if making it may
    /// start the collector. Items that borrow from containers must not be used behind this, if they lie above `kept` on the stack.
    fn new_instance(&mut self, class: Value, kept: usize) -> Value {
        if self.names_known() || !self.state.locals.iter().any(is_dirty) {
            return self.new_instance_of_kept(class);
        }
        self.settle_range(0..kept);
        let join = self.new_join();
        let instance = self.function.add_param(join, Ty::Obj);
        let quick = self.emit(Op::Call(Helper::NewInstanceQuick, vec![class]));
        let null = self.emit(Op::Null(Ty::Obj));
        let made = self.compare(Cond::Ne, quick, null);
        let not = self.branch(made, true);
        self.goto_with(join, quick);
        self.aside(not, |b| {
            let lent: Vec<_> = (kept..b.state.stack.len()).filter(|&at| b.state.stack[at].is_volatile()).collect();
            b.flush_locals_beside();
            let made = b.new_instance_of_kept(class);
            for at in lent {
                let item = b.state.stack[at];
                b.release(item);
            }
            b.goto_with(join, made);
        });
        self.block = join;
        instance
    }

    /// The same where the collector may run, and with it what drops the class.
    fn new_instance_of_kept(&mut self, class: Value) -> Value {
        self.effect(Op::Incref(class));
        self.push(Item::owned(class, PyTypes::TYPE));
        let instance = self.call_object(Helper::NewInstance, vec![class]);
        self.pop();
        // The instance refers to it.
        self.effect(Op::Decref(class));
        instance
    }

    fn field_index(&self, name: u32) -> Option<u32> {
        let &Instance { version, in_line, .. } = self.instance.as_ref()?;
        match self.request.environment.attribute_place(version, name, Access::Store) {
            Feedback::InstanceValue { index, .. } if in_line => Some(u32::from(index)),
            Feedback::Slot { offset, .. } if !in_line => Some(u32::from(offset)),
            _ => None,
        }
    }

    /// `STORE_ATTR` to the instance that is not made yet.
    pub(super) fn store_field(&mut self, name: u32) -> bool {
        let Some(index) = self.field_index(name) else { return false };
        self.pop();
        let item = self.pop();
        if matches!(item, Item::Tuple(_) | Item::NoKeywords | Item::Instance | Item::Null | Item::RangeIter { .. }) {
            return false;
        }
        let Some(instance) = &mut self.instance else { return false };
        if instance.fields.iter().any(|(known, _)| *known == index) {
            return false;
        }
        instance.fields.push((index, item));
        true
    }

    /// `LOAD_ATTR` of it.
    pub(super) fn load_field(&mut self, name: u32) -> bool {
        let Some(index) = self.field_index(name) else { return false };
        let Some(instance) = &self.instance else { return false };
        let Some(&(_, item)) = instance.fields.iter().find(|(known, _)| *known == index) else { return false };
        self.pop();
        self.push(item);
        true
    }
}
