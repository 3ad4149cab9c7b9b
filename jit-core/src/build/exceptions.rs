//! Raising, handlers, `with` and `match`.

use super::builder::Builder;
use super::state::*;
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op};
use crate::ir::types::{PyTypes, Ty};

impl Builder<'_> {
    pub fn raise_varargs(&mut self, count: u32) {
        let cause = if count == 2 { self.pop_owned() } else { self.emit(Op::Null(Ty::Obj)) };
        let exception = if count >= 1 { self.pop_owned() } else { self.emit(Op::Null(Ty::Obj)) };
        let ts = self.thread();
        let again = self.call(Helper::RaiseVarargs, vec![ts, exception, cause]).expect("a flag");
        if count == 0 {
            // A bare raise of a handled exception keeps its traceback as it is.
            let fresh = self.branch(again, true);
            let block = self.block;
            self.unwind_from(block, false);
            self.block = fresh;
        }
        let block = self.block;
        self.unwind_from(block, true);
        self.reachable = false;
    }

    pub fn reraise(&mut self, depth: u32) {
        let exception = self.pop_owned();
        let lasti = if depth > 0 {
            // Counted from the exception: it lies `depth` below it, and stays on the stack.
            let position = self.position(depth);
            let value = self.own_at(position);
            self.effect(Op::Incref(value));
            value
        } else {
            self.emit(Op::Null(Ty::Obj))
        };
        let frame = self.frame();
        self.call(Helper::Reraise, vec![frame, exception, lasti]);
        let block = self.block;
        self.unwind_from(block, false);
        self.reachable = false;
    }

    pub fn push_exc_info(&mut self) {
        // Every handler begins here: lines in it are reported when tracing was switched on below.
        self.leave_if_traced(self.at.offset);
        let value = self.pop_owned();
        let ts = self.thread();
        let previous = self.call(Helper::PushExcInfo, vec![ts, value]).expect("an object");
        self.push_owned(previous, PyTypes::OBJECT);
        self.push_owned(value, PyTypes::OTHER);
    }

    pub fn pop_except(&mut self) {
        let previous = self.pop_owned();
        let ts = self.thread();
        self.call(Helper::PopExcept, vec![ts, previous]);
    }

    pub fn check_exc_match(&mut self) {
        let right = self.pop_owned();
        let position = self.position(1);
        let left = self.own_at(position);
        let matches = self.call_status(Helper::CheckExcMatch, vec![left, right]);
        self.push(Item::raw(Raw::Bool(matches)));
    }

    pub fn check_eg_match(&mut self) {
        let ty = self.pop_owned();
        let exception = self.pop_owned();
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        self.call_status(Helper::CheckEgMatch, vec![exception, ty, dest]);
        self.push_from_slots(first, 2);
    }

    pub fn prep_reraise_star(&mut self) {
        let raised = self.pop_owned();
        let original = self.pop_owned();
        let value = self.call_object(Helper::PrepReraiseStar, vec![original, raised]);
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn with_except_start(&mut self) {
        let (exit, exception) = (self.position(4), self.position(1));
        let (exit, exception) = (self.own_at(exit), self.own_at(exception));
        let result = self.call_object(Helper::WithExceptStart, vec![exit, exception]);
        self.push_owned(result, PyTypes::OBJECT);
    }

    pub fn before_with(&mut self, helper: Helper) {
        let manager = self.pop_owned();
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        self.call_status(helper, vec![manager, dest]);
        self.push_from_slots(first, 2);
        self.leave_if_traced(self.at.next);
    }

    pub fn end_async_for(&mut self) {
        let exception = self.pop_owned();
        let iterator = self.pop_owned();
        let status = self.call(Helper::EndAsyncFor, vec![iterator, exception]).expect("a status");
        let zero = self.int(0);
        let ok = self.compare(Cond::Ge, status, zero);
        let bad = self.branch(ok, true);
        self.unwind_from(bad, false);
    }

    /// `MATCH_MAPPING`, `MATCH_SEQUENCE`: the subject stays, a bool is pushed.
    pub fn match_kind(&mut self, helper: Helper) {
        let position = self.position(1);
        let subject = self.own_at(position);
        let found = self.call(helper, vec![subject]).expect("a flag");
        self.push(Item::raw(Raw::Bool(found)));
    }

    pub fn match_class(&mut self, positional: u32) {
        let names = self.pop_owned();
        let ty = self.pop_owned();
        let subject = self.pop_owned();
        let count = self.int(i64::from(positional));
        let attributes = self.call_object(Helper::MatchClass, vec![subject, ty, names, count]);
        self.push_owned(attributes, PyTypes::OBJECT);
    }

    pub fn load_assertion_error(&mut self) {
        let value = self.call(Helper::LoadAssertionError, vec![]).expect("an object");
        self.push_owned(value, PyTypes::OBJECT);
    }
}
