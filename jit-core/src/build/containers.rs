//! Containers: building them, adding to them, taking them apart.
//!
//! *Method*: items for a helper that builds lie in the frame's stack slots, where CPython would have them; what a helper
//! takes apart it leaves there. Lists and tuples of the expected length are taken apart in line. *Invariant*: items read in line
//! are borrowed from a container that somebody else owns; from one that dies here they are taken with references of their own.

use super::builder::Builder;
use super::state::*;
use super::subscripts::LIST_OR_TUPLE;
use crate::bytecode::instruction::Feedback;
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

impl Builder<'_> {
    /// Stores the topmost items, owned, to consecutive stack slots; pops them; gives the address of the first.
    pub fn spill(&mut self, count: u32) -> Value {
        let first = self.position(count);
        let mut values = Vec::new();
        for position in first..self.state.stack.len() {
            values.push(self.own_at_keeping_null(position));
        }
        self.state.stack.truncate(first);
        for (i, value) in values.into_iter().enumerate() {
            self.effect(Op::SlotSet(self.stack_slot(first + i), value));
        }
        self.emit(Op::SlotAddress(self.stack_slot(first)))
    }

    fn own_at_keeping_null(&mut self, position: usize) -> Value {
        match self.state.stack[position] {
            Item::Null => self.emit(Op::Null(Ty::Obj)),
            _ => self.own_at(position),
        }
    }

    /// A container from `count` stack items, by helper of (items, n).
    pub fn build_from_items(&mut self, helper: Helper, count: u32, n: u32, py: PyTypes) {
        let items = self.spill(count);
        let n = self.int(i64::from(n));
        let value = self.call_object(helper, vec![items, n]);
        self.push_owned(value, py);
    }

    pub fn format_value(&mut self, conversion: u8, with_spec: bool) {
        let spec = if with_spec { self.pop_owned() } else { self.emit(Op::Null(Ty::Obj)) };
        let value = self.pop_owned();
        let conversion = self.int(i64::from(conversion));
        let result = self.call_object(Helper::FormatValue, vec![value, spec, conversion]);
        // __format__ may return a subclass of str.
        self.push_owned(result, PyTypes::OBJECT);
    }

    /// `LIST_APPEND` and its like: the container lies `depth` below the items consumed.
    pub fn add_to(&mut self, helper: Helper, depth: u32, items: u32) {
        let mut values = Vec::new();
        for _ in 0..items {
            values.insert(0, self.pop_owned());
        }
        let position = self.position(depth);
        let container = self.own_at(position);
        let mut args = vec![container];
        args.extend(values);
        self.call_status(helper, args);
    }

    pub fn dict_merge(&mut self, depth: u32) {
        let update = self.pop_owned();
        let dict_position = self.position(depth);
        let callee_position = self.position(depth + 2);
        let dict = self.own_at(dict_position);
        let callee = self.own_at(callee_position);
        self.call_status(Helper::DictMerge, vec![dict, update, callee]);
    }

    /// One object in, one object out.
    pub fn convert_object(&mut self, helper: Helper, py: PyTypes) {
        let value = self.pop_owned();
        let result = self.call_object(helper, vec![value]);
        self.push_owned(result, py);
    }

    pub fn unpack_sequence(&mut self, count: u32, feedback: &Feedback) {
        if self.unpack_inline(count, feedback) {
            return;
        }
        let sequence = self.pop_owned();
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        let n = self.int(i64::from(count));
        self.call_status(Helper::UnpackSequence, vec![sequence, dest, n]);
        self.push_from_slots(first, count);
    }

    fn unpack_inline(&mut self, count: u32, feedback: &Feedback) -> bool {
        if !self.request.options.inline_containers || !self.may_guess(Reason::Range) {
            return false;
        }
        let item = self.state.stack[self.position(1)];
        let Item::Object { value: sequence, own, py, .. } = item else { return false };
        if own != Own::Owned
            && let Some(items) = self.known_items(sequence)
            && items.len() == count as usize
        {
            self.pop();
            items.iter().rev().for_each(|item| self.push_known(*item));
            self.count("known_items");
            return true;
        }
        let wanted = match (py.exact(), feedback) {
            // A list at one time and a tuple at another: this was found here, or where the same local was taken apart.
            (None, _) if !self.may_guess(Reason::Type) || LIST_OR_TUPLE.contains(py) => LIST_OR_TUPLE,
            (Some(PyTypes::LIST), _) | (None, Feedback::List) => PyTypes::LIST,
            (Some(PyTypes::TUPLE), _) | (None, Feedback::Tuple) => PyTypes::TUPLE,
            (None, _) => match self.example_type(item) {
                Some(exact @ (PyTypes::LIST | PyTypes::TUPLE)) => exact,
                _ => return false,
            },
            _ => return false,
        };
        let example = self.example(item);
        if !py.contains(wanted) || py.may_be_null() || count > 16 {
            return false;
        }
        let (base, offset) = if wanted == LIST_OR_TUPLE {
            let items = self.items_of_either(sequence, py);
            if let Own::Local(local) = own {
                self.state.locals[local as usize].py = wanted;
            }
            (items, 0)
        } else {
            self.refine(1, wanted);
            self.items_of(sequence, wanted == PyTypes::TUPLE)
        };
        let layout = self.request.layout;
        let size = self.load(MemTy::I64, Ty::I64, sequence, layout.var_size);
        let expected = self.int(i64::from(count));
        let same = self.compare(Cond::Eq, size, expected);
        self.guard(same, Reason::Range);
        let mut values = Vec::new();
        for i in 0..count {
            let value = self.load(MemTy::Ptr, Ty::Obj, base, offset + 8 * i as i32);
            values.push(self.typed(value, PyTypes::OBJECT));
            let element = example.as_ref().and_then(|example| Self::element_example(example, Some(i64::from(i))));
            self.exemplify(value, element);
        }
        self.count("inline_containers");
        let volatile = own != Own::Owned;
        if volatile {
            if let Some(items) = self.likely_items(sequence).filter(|items| items.len() == values.len())
                && self.may_guess(Reason::Version)
            {
                self.expect_items(&values, &items);
                values.copy_from_slice(&items);
                self.count("known_items");
            }
            self.remember_items(sequence, &values, wanted == PyTypes::TUPLE);
        }
        let item = self.pop();
        if volatile {
            values.into_iter().rev().for_each(|value| self.push_known(value));
        } else {
            for value in &values {
                self.effect(Op::Incref(*value));
            }
            self.release(match item {
                Item::Object { value, own, .. } => Item::Object { value, own, py: wanted, big: false, known: None },
                other => other,
            });
            values.into_iter().rev().for_each(|value| self.push(Item::owned(value, PyTypes::OBJECT)));
        }
        true
    }

    /// Where the items of a list or tuple are: a base and the first one's offset from it.
    fn items_of(&mut self, sequence: Value, tuple: bool) -> (Value, i32) {
        let layout = self.request.layout;
        match tuple {
            true => (self.emit(Op::Unary(UnOp::Cast(Ty::Ptr), sequence)), layout.tuple_items),
            false => (self.load(MemTy::Ptr, Ty::Ptr, sequence, layout.list_items), 0),
        }
    }

    /// The address of the first item of what may be a list or a tuple; leaves if it is neither.
    fn items_of_either(&mut self, sequence: Value, py: PyTypes) -> Value {
        let join = self.new_join();
        let items = self.function.add_param(join, Ty::Ptr);
        let tuple = self.emit(Op::IsType(sequence, PyTypes::TUPLE));
        let other = self.branch(tuple, false);
        let bytes = self.int(i64::from(self.request.layout.tuple_items));
        let of_tuple = self.offset_by(sequence, bytes);
        self.goto_with(join, of_tuple);
        self.block = other;
        if !LIST_OR_TUPLE.contains(py) {
            let list = self.emit(Op::IsType(sequence, PyTypes::LIST));
            self.guard(list, Reason::Range);
        }
        let (of_list, _) = self.items_of(sequence, false);
        self.goto_with(join, of_list);
        self.block = join;
        items
    }

    pub fn unpack_ex(&mut self, before: u32, after: u32) {
        let iterable = self.pop_owned();
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        let (b, a) = (self.int(i64::from(before)), self.int(i64::from(after)));
        self.call_status(Helper::UnpackEx, vec![iterable, dest, b, a]);
        self.push_from_slots(first, before + 1 + after);
    }

    /// Pushes references that a helper left in stack slots.
    pub fn push_from_slots(&mut self, first: usize, count: u32) {
        for i in 0..count as usize {
            let value = self.emit(Op::SlotGet(self.stack_slot(first + i)));
            self.push_owned(value, PyTypes::OBJECT);
        }
    }

    pub fn get_len(&mut self) {
        let position = self.position(1);
        let value = self.own_at(position);
        let length = self.call_object(Helper::GetLen, vec![value]);
        self.push_owned(length, PyTypes::INT);
    }

    /// Helper of two borrowed operands at the top, which stay; the result is pushed.
    pub fn peek_two(&mut self, helper: Helper) {
        let (a, b) = (self.position(2), self.position(1));
        let (a, b) = (self.own_at(a), self.own_at(b));
        let result = self.call_object(helper, vec![a, b]);
        self.push_owned(result, PyTypes::OBJECT);
    }

    pub fn contains(&mut self, negate: bool) {
        let container = self.pop_owned();
        let item = self.pop_owned();
        let found = self.call_status(Helper::Contains, vec![item, container]);
        let result = if negate { self.negate(found) } else { found };
        self.push(Item::raw(Raw::Bool(result)));
    }
}
