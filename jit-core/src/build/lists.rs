//! `append`, `insert` and `pop` of lists.
//!
//! *Problem*: a call of a builtin method spills its operands, writes all locals back, and finds out at run time what it calls. *Method*:
//! where the method that was loaded is known to be one of these (the object is a list, or of a class that has the same method),
//! the call is a helper that takes the operands as they are and runs no Python, so locals stay raw. *Invariant*: guards, of an
//! index only, leave to the call. *Sources*: `PRECALL_NO_KW_LIST_APPEND` in `Python/ceval.c`, `Objects/listobject.c`.

use super::builder::Builder;
use super::state::*;
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{Op, Symbol, Value};
use crate::ir::types::{PyTypes, Ty};

impl Builder<'_> {
    /// A method of lists that is known, and its descriptor.
    pub(super) fn list_method(&self, name: u32) -> Option<(Known, u64)> {
        if !self.request.options.inline_list_methods || self.inlining.is_some() {
            return None;
        }
        self.request.environment.list_method(name)
    }

    /// `LOAD_METHOD` of what is, or is likely to be, a list. `false`: nothing was emitted.
    pub(super) fn method_of_list(&mut self, name: u32) -> bool {
        let item = self.state.stack[self.position(1)];
        let Item::Object { py, .. } = item else { return false };
        let guess = self.may_guess(Reason::Type)
            && !py.may_be_null()
            && py.contains(PyTypes::LIST)
            && self.example_type(item) == Some(PyTypes::LIST);
        if py != PyTypes::LIST && !guess {
            return false;
        }
        let Some((known, descriptor)) = self.list_method(name) else { return false };
        self.refine(1, PyTypes::LIST);
        self.count("inline_methods");
        let value = self.address(descriptor);
        let receiver = self.pop();
        let own = Own::Permanent;
        self.push(Item::Object { value, own, py: PyTypes::OBJECT, big: false, known: Some(known) });
        self.push(receiver);
        true
    }

    /// The call of a method whose receiver lies below the arguments. `false`: nothing was emitted.
    pub(super) fn call_list_method(&mut self, arguments: u32) -> bool {
        let Item::Object { known: Some(known), .. } = self.state.stack[self.position(arguments + 2)] else {
            return false;
        };
        let Item::Object { .. } = self.state.stack[self.position(arguments + 1)] else { return false };
        let index = match (known, arguments) {
            (Known::ListAppend, 1) => None,
            (Known::ListPop, 0) => Some(self.int(-1)),
            (Known::ListPop, 1) | (Known::ListInsert, 2) => match self.index_at(arguments) {
                Some(index) => Some(index),
                None => return false,
            },
            _ => return false,
        };
        self.count("inline_list_methods");
        let item = if known == Known::ListPop { None } else { Some(self.pop_owned()) };
        if let (Some(_), true) = (index, arguments > u32::from(item.is_some())) {
            let index = self.pop();
            self.release(index);
        }
        let receiver = self.pop();
        let method = self.pop();
        let list = self.object(receiver);
        // What borrows needs no reference here; what is owned has to be on the stack where the call fails.
        let owned = |item: &Item| matches!(item, Item::Object { own: Own::Owned, .. });
        let kept = [method, receiver].into_iter().filter(owned);
        let count = kept.clone().count();
        self.state.stack.extend(kept);
        let example = self.example(receiver).and_then(|list| Self::element_example(&list, None));
        let result = match (index, item) {
            (None, Some(item)) => {
                self.call_status(Helper::ListAppend, vec![list, item]);
                None
            }
            (Some(index), Some(item)) => {
                self.call_status(Helper::ListInsert, vec![list, index, item]);
                None
            }
            (index, _) => {
                let index = index.unwrap_or_else(|| self.int(-1));
                Some(self.call_object(Helper::ListPop, vec![list, index]))
            }
        };
        let (value, own, py) = match result {
            Some(value) => (self.typed(value, PyTypes::OBJECT), Own::Owned, PyTypes::OBJECT),
            None => (self.emit(Op::Symbol(Symbol::None, Ty::Obj)), Own::Permanent, PyTypes::NONE),
        };
        self.exemplify(value, example.filter(|_| result.is_some()));
        for _ in 0..count {
            let item = self.pop();
            self.release(item);
        }
        self.push(Item::Object { value, own, py, big: false, known: None });
        true
    }

    /// The item at a depth as a raw index.
    fn index_at(&mut self, depth: u32) -> Option<Value> {
        let item = self.state.stack[self.position(depth)];
        let possible = match item {
            Item::Raw { .. } | Item::Const(_) => self.number(item) == Some(RawKind::Int),
            Item::Object { py: PyTypes::INT, big: false, .. } => self.may_guess(Reason::Overflow),
            _ => false,
        };
        possible.then(|| self.raw_at(depth).value())
    }
}
