//! One bytecode instruction after another: which method of the builder does it.
//!
//! *Problem*: an instruction is found by its opcode, its meaning by its subject. *Method*: one match over all
//! opcodes; an arm is a call, or the few lines that a stack operation takes. *Invariant*: there is an arm for each
//! opcode of every supported version, and none has guards behind its effects.

use super::builder::Builder;
use super::receivers::Access;
use super::state::*;
use crate::bytecode::instruction::{Instruction, Op as Code};
use crate::helpers::Helper;
use crate::ir::op::Op;
use crate::ir::types::PyTypes;

impl Builder<'_> {
    /// Executes the current instruction abstractly; `next` is the one after it in the bytecode.
    pub fn instruction(&mut self, next: Option<&Instruction>) {
        let op = self.at.op.clone();
        let feedback = self.at.feedback.clone();
        match op {
            Code::Nop | Code::Precall(_) => {}
            Code::PopTop => {
                let item = self.pop();
                self.release(item);
            }
            Code::PushNull => self.push(Item::Null),
            Code::Copy(n) => self.copy(n),
            Code::Swap(n) => {
                let (a, b) = (self.position(1), self.position(n));
                self.state.stack.swap(a, b);
            }
            Code::LoadConst(i) => self.push(Item::Const(i)),
            Code::LoadFast(i) => {
                self.load_fast(i);
                if let Some(Instruction { op: Code::ForIter { .. }, offset, .. }) = next {
                    self.guess_passed_iterator(i, *offset);
                }
            }
            Code::StoreFast(i) => {
                self.guess_stored(i);
                let item = self.pop();
                self.store_local(i, item);
            }
            Code::DeleteFast(i) => self.delete_fast(i),
            Code::MakeCell(i) => self.make_cell(i),
            Code::LoadClosure(i) => self.load_closure(i),
            Code::LoadDeref(i) => self.load_deref(i),
            Code::LoadClassDeref(i) => self.load_classderef(i),
            Code::StoreDeref(i) => self.store_deref(i),
            Code::DeleteDeref(i) => self.frame_index_status(Helper::DeleteDeref, i),
            Code::CopyFreeVars(n) => self.copy_free_vars(n),
            Code::LoadGlobal { name, push_null } => self.load_global(name, push_null, &feedback),
            Code::StoreGlobal(name) => self.store_named(Helper::StoreGlobal, name),
            Code::DeleteGlobal(name) => self.delete_named(Helper::DeleteGlobal, name),
            Code::LoadName(name) => self.load_name(name),
            Code::StoreName(name) => self.store_name(name),
            Code::DeleteName(name) => self.delete_name(name),
            Code::LoadAttr(name) => {
                let feedback = self.attribute_feedback(Access::Load, name, &feedback);
                self.load_attr(name, &feedback);
            }
            Code::LoadMethod(name) => self.load_method(name, &feedback),
            Code::StoreAttr(name) => {
                let feedback = self.attribute_feedback(Access::Store, name, &feedback);
                self.store_attr(name, &feedback);
            }
            Code::DeleteAttr(name) => self.delete_attr(name),
            Code::Unary(op) => self.unary_op(op),
            Code::BinaryOp { op, in_place } => self.binary_op(op, in_place, &feedback, next),
            Code::CompareOp(comparison) => self.compare_op(comparison, &feedback, next),
            Code::IsOp { negate } => self.is_op(negate),
            Code::ContainsOp { negate } => self.contains(negate),
            Code::BinarySubscr => {
                if !self.inline_subscript(None, false) {
                    self.binary_subscr(&feedback);
                }
            }
            Code::StoreSubscr => {
                if self.inline_subscript(None, true) {
                    let none = self.pop();
                    self.release(none);
                } else {
                    self.store_subscr(&feedback);
                }
            }
            Code::DeleteSubscr => {
                let key = self.pop_owned();
                let container = self.pop_owned();
                self.call_status(Helper::DeleteSubscr, vec![container, key]);
            }
            Code::GetLen => self.get_len(),
            Code::BuildTuple(n) => {
                if self.instance_of_tuple(n) {
                    self.took_next = 2;
                } else if !self.subscript_by_items(n, next) {
                    self.build_from_items(Helper::BuildTuple, n, n, PyTypes::TUPLE);
                }
            }
            Code::BuildList(n) => self.build_from_items(Helper::BuildList, n, n, PyTypes::LIST),
            Code::BuildSet(n) => self.build_from_items(Helper::BuildSet, n, n, PyTypes::SET),
            Code::BuildMap(n) => self.build_from_items(Helper::BuildMap, 2 * n, n, PyTypes::DICT),
            Code::BuildConstKeyMap(n) => self.build_from_items(Helper::BuildConstKeyMap, n + 1, n, PyTypes::DICT),
            Code::BuildString(n) => self.build_from_items(Helper::BuildString, n, n, PyTypes::OBJECT),
            Code::BuildSlice(n) => self.build_slice(n, next),
            Code::FormatValue { conversion, with_spec } => self.format_value(conversion, with_spec),
            Code::ListAppend(n) => self.add_to(Helper::ListAppend, n, 1),
            Code::SetAdd(n) => self.add_to(Helper::SetAdd, n, 1),
            Code::MapAdd(n) => self.add_to(Helper::MapAdd, n, 2),
            Code::ListExtend(n) => self.add_to(Helper::ListExtend, n, 1),
            Code::SetUpdate(n) => self.add_to(Helper::SetUpdate, n, 1),
            Code::DictUpdate(n) => self.add_to(Helper::DictUpdate, n, 1),
            Code::DictMerge(n) => self.dict_merge(n),
            Code::ListToTuple => self.convert_object(Helper::ListToTuple, PyTypes::TUPLE),
            Code::UnpackSequence(n) => self.unpack_sequence(n, &feedback),
            Code::UnpackEx { before, after } => self.unpack_ex(before, after),
            Code::GetIter => self.get_iter(),
            Code::GetYieldFromIter => self.get_yield_from_iter(),
            Code::ForIter { exhausted } => self.for_iter(exhausted, next),
            Code::JumpForward(target) | Code::JumpBackwardNoInterrupt(target) => {
                self.settle_volatile();
                self.edge_to(target);
            }
            Code::JumpBackward(target) => self.jump_backward(target),
            Code::PopJumpIf { when, target, backward } => self.pop_jump_if(when, target, backward),
            Code::JumpIfOrPop { when, target } => self.jump_if_or_pop(when, target),
            Code::KwNames(i) => self.kwnames = Some((i, self.at.offset)),
            Code::Call(n) => self.call_function(n),
            Code::CallFunctionEx { has_kwargs } => self.call_function_ex(has_kwargs),
            Code::MakeFunction(flags) => self.make_function(flags),
            Code::LoadBuildClass => {
                let frame = self.frame();
                let value = self.call_object(Helper::LoadBuildClass, vec![frame]);
                self.push_owned(value, PyTypes::OBJECT);
            }
            Code::LoadAssertionError => self.load_assertion_error(),
            Code::ImportName(name) => self.import_name(name),
            Code::ImportFrom(name) => self.import_from(name),
            Code::ImportStar => self.import_star(),
            Code::PrintExpr => {
                let value = self.pop_owned();
                self.call_status(Helper::PrintExpr, vec![value]);
            }
            Code::SetupAnnotations => {
                let frame = self.frame();
                self.call_status(Helper::SetupAnnotations, vec![frame]);
            }
            Code::ReturnValue => self.return_value(),
            Code::Resume(kind) => {
                if kind < 2 {
                    // The interpreter would poll while it executes RESUME; going on after it is the same.
                    self.poll(self.at.next);
                }
            }
            Code::ReturnGenerator => {
                // Only the interpreter executes this: generators are entered at their resume points.
                self.terminate(Op::Unreachable);
            }
            Code::YieldValue => self.yield_value(),
            Code::AsyncGenWrap => self.convert_object(Helper::AsyncGenWrap, PyTypes::OBJECT),
            Code::Send { done } => self.send(done),
            Code::GetAwaitable(operand) => self.get_awaitable(operand),
            Code::GetAiter => self.convert_object(Helper::GetAiter, PyTypes::OBJECT),
            Code::GetAnext => self.get_anext(),
            Code::EndAsyncFor => self.end_async_for(),
            Code::BeforeWith => self.before_with(Helper::BeforeWith),
            Code::BeforeAsyncWith => self.before_with(Helper::BeforeAsyncWith),
            Code::WithExceptStart => self.with_except_start(),
            Code::PushExcInfo => self.push_exc_info(),
            Code::PopExcept => self.pop_except(),
            Code::CheckExcMatch => self.check_exc_match(),
            Code::CheckEgMatch => self.check_eg_match(),
            Code::PrepReraiseStar => self.prep_reraise_star(),
            Code::RaiseVarargs(n) => self.raise_varargs(n),
            Code::Reraise(n) => self.reraise(n),
            Code::MatchMapping => self.match_kind(Helper::MatchMapping),
            Code::MatchSequence => self.match_kind(Helper::MatchSequence),
            Code::MatchKeys => self.peek_two(Helper::MatchKeys),
            Code::MatchClass(n) => self.match_class(n),
        }
    }

    fn copy(&mut self, n: u32) {
        let position = self.position(n);
        let item = match self.state.stack[position] {
            Item::Object { value, own: Own::Owned, py, big, known } => {
                self.effect(Op::Incref(value));
                Item::Object { value, own: Own::Owned, py, big, known }
            }
            Item::RangeIter { iter, .. } => {
                self.effect(Op::Incref(iter));
                Item::owned(iter, PyTypes::RANGE_ITER)
            }
            other => other,
        };
        self.push(item);
    }
}
