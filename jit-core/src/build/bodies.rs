//! The bodies of inlined functions, walked on their caller's stack.
//!
//! *Method*: [`inlining`](super::inlining) has decided that a body is tried, and what its arguments are. Its instructions are executed
//! abstractly as a function's are, by the same methods of the builder where those do no more than compute, read and guard; what a
//! body must do otherwise stands here. Locals are a vector of items; a branch walks one path to its end and then the other; the
//! ends of all paths [`meet`](Builder::meet) behind the call. *Invariants*:
//! - before its first store a path has no effect, reference counts included, so that its guards can leave to the call;
//! - a store comes behind the last guard of its path, and runs nothing: what it releases is a number, or somebody else's too;
//! - after a store a path uses only what others keep alive;
//! - a path of which nothing is known was most likely never taken: it leaves.

use super::builder::Builder;
use super::inlining::{Callee, Inlining};
use super::locals::holds;
use super::partial::Point;
use super::receivers::Access;
use super::state::*;
use crate::bytecode::code::Constant;
use crate::bytecode::instruction::{Feedback, JumpIf, Offset, Op as Code, Unary};
use crate::exit::Reason;
use crate::helpers::{Effects, Helper};
use crate::ir::op::{BinOp, Block, Cond, Op, Symbol, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use std::rc::Rc;

/// The end of a path through a body.
pub(super) struct Returned {
    pub block: Block,
    pub item: Item,
    pub effects: bool,
    pub boxed: Option<Value>,
}

/// How far a body has got.
pub(super) struct Body {
    pub callee: Rc<Callee>,
    pub returns: Vec<Returned>,
    /// Instructions that may still be walked.
    pub budget: usize,
}

impl Builder<'_> {
    /// A path that was never taken, most likely: leaves, so that the interpreter does the call.
    fn leave_unseen(&mut self) -> bool {
        let leave = self.leave(Reason::Unseen);
        self.push_inst(Op::Leave(leave), None);
        self.body_is_possible()
    }

    /// Whether the code from here on raises, without a choice.
    fn raises(callee: &Callee, mut index: usize) -> bool {
        while let Some(instruction) = callee.bytecode.instructions.get(index) {
            index = match instruction.op {
                Code::RaiseVarargs(_) => return true,
                Code::ReturnValue | Code::PopJumpIf { .. } | Code::JumpIfOrPop { .. } => return false,
                Code::JumpForward(target) => callee.bytecode.index_at(target).unwrap_or(usize::MAX),
                _ => index + 1,
            };
        }
        false
    }

    /// Walks a path through a body, from an instruction to its returns, or to where it makes the call
    /// ([`partial`](super::partial)). `false`: the body cannot be inlined.
    pub(super) fn walk_body(&mut self, body: &mut Body, index: usize, locals: Vec<Option<Item>>) -> bool {
        let mut point = None;
        self.walk_path(body, index, locals, &mut point) || self.call_from(body, point)
    }

    /// The same of a path that may get stuck behind the point it gives.
    fn walk_path(
        &mut self,
        body: &mut Body,
        mut index: usize,
        mut locals: Vec<Option<Item>>,
        point: &mut Option<Point>,
    ) -> bool {
        let callee = body.callee.clone();
        if Self::raises(&callee, index) {
            return self.leave_unseen();
        }
        loop {
            if body.budget == 0 || !self.body_is_possible() {
                return false;
            }
            body.budget -= 1;
            let Some(instruction) = callee.bytecode.instructions.get(index) else { return false };
            let next = callee.bytecode.instructions.get(index + 1);
            let at = |offset: Offset| callee.bytecode.index_at(offset).unwrap_or(usize::MAX);
            index += 1;
            if may_get_stuck(&instruction.op)
                && let Some(here) = self.point(body)
            {
                *point = Some(here);
            }
            match instruction.op {
                Code::Nop | Code::Resume(_) | Code::Precall(_) => {}
                Code::PushNull => self.push(Item::Null),
                Code::PopTop => {
                    self.pop();
                }
                Code::Copy(n) => {
                    let item = self.state.stack[self.position(n)];
                    self.push(item);
                }
                Code::Swap(n) => {
                    let (a, b) = (self.position(1), self.position(n));
                    self.state.stack.swap(a, b);
                }
                Code::LoadConst(i) => {
                    let constant = callee.code.constants[i as usize].clone();
                    let item = self.foreign_constant(constant, callee.constants[i as usize]);
                    self.push(item);
                }
                Code::LoadFast(i) => {
                    let Some(item) = locals[i as usize] else { return false };
                    self.push(item);
                }
                Code::StoreFast(i) => locals[i as usize] = Some(self.pop()),
                Code::LoadAttr(name) if self.state.stack.last() == Some(&Item::Instance) => {
                    if !self.load_field(name) {
                        return false;
                    }
                }
                Code::LoadAttr(name) => {
                    let feedback = self.attribute_feedback(Access::Load, name, &instruction.feedback);
                    if !self.body_attribute(name, &feedback) {
                        return self.unfinished.is_none() && self.leave_unseen();
                    }
                }
                // What operators may return to have another one asked.
                Code::LoadGlobal { name, .. } if callee.code.names[name as usize] == "NotImplemented" => return false,
                Code::LoadGlobal { name, push_null } => self.load_global(name, push_null, &instruction.feedback),
                Code::LoadMethod(name) => self.load_method(name, &instruction.feedback),
                Code::Call(n) => {
                    if !(self.inline_call(n, None) || self.intrinsic(n) || self.instantiate(n))
                        || !self.survives_effects(&locals)
                    {
                        return false;
                    }
                }
                Code::StoreAttr(name) if self.state.stack.last() == Some(&Item::Instance) => {
                    if !self.store_field(name) {
                        return false;
                    }
                }
                Code::StoreAttr(name) => {
                    let feedback = self.attribute_feedback(Access::Store, name, &instruction.feedback);
                    if self.body_store_attr(name, &feedback).is_none() || !self.survives_effects(&locals) {
                        return false;
                    }
                }
                Code::StoreSubscr => {
                    if self.body_store_subscr(&instruction.feedback).is_none() || !self.survives_effects(&locals) {
                        return false;
                    }
                }
                Code::RaiseVarargs(_) => return self.leave_unseen(),
                Code::Unary(Unary::Not) => {
                    let Some(truth) = self.body_condition(JumpIf::False) else { return false };
                    self.push(Item::raw(Raw::Bool(truth)));
                }
                Code::Unary(op) => self.unary_op(op),
                Code::BinaryOp { op, in_place } => {
                    if !self.raw_binary(op, &instruction.feedback) && !self.inline_operator(op, in_place) {
                        return false;
                    }
                }
                Code::CompareOp(comparison) => self.compare_op(comparison, &instruction.feedback, next),
                Code::IsOp { negate } => self.is_op(negate),
                Code::BinarySubscr => {
                    if !self.subscript_of_tuple()
                        && !self.inline_subscript(None, false)
                        && !self.search_dictionary(&instruction.feedback)
                    {
                        self.binary_subscr(&instruction.feedback);
                    }
                }
                Code::BuildTuple(n)
                    if self.instance_of_several(n, callee.bytecode.instructions.get(index..index + 2)) =>
                {
                    index += 2;
                }
                Code::BuildTuple(n) if n > 0 => {
                    let first = self.state.stack.len().saturating_sub(n as usize);
                    let items = self.state.stack.split_off(first);
                    self.push_tuple(items);
                }
                Code::UnpackSequence(n) => {
                    if !self.unpack_tuple(n) {
                        self.unpack_sequence(n, &instruction.feedback);
                    }
                }
                Code::JumpForward(target) => index = at(target),
                Code::PopJumpIf { when, target, .. } => {
                    let Some(taken) = self.body_condition(when) else { return false };
                    match self.known_int(taken) {
                        Some(0) => {}
                        Some(_) => index = at(target),
                        None => {
                            if !self.walk_both(body, taken, (at(target), &locals)) {
                                return false;
                            }
                        }
                    }
                }
                Code::JumpIfOrPop { when, target } => {
                    let item = self.state.stack[self.position(1)];
                    self.push(item);
                    let Some(taken) = self.body_condition(when) else { return false };
                    if !self.walk_both(body, taken, (at(target), &locals)) {
                        return false;
                    }
                    self.pop();
                }
                Code::ReturnValue => {
                    let item = self.pop();
                    let Some(Inlining { effects, boxed, .. }) = self.inlining else { return false };
                    let value = match item {
                        Item::Raw { raw, .. } => Some(raw.value()),
                        Item::Number(number) => Some(number.value),
                        _ => None,
                    };
                    if value.is_some() && boxed == value {
                        return false;
                    }
                    body.returns.push(Returned { block: self.block, item, effects, boxed });
                    return true;
                }
                _ => return false,
            }
        }
    }

    /// The value of a condition that was just made, if it is a constant or the negation of one.
    pub(super) fn known_int(&self, value: Value) -> Option<i64> {
        let insts = self.function.blocks[self.block.0 as usize].insts.iter().rev();
        match insts.take(8).find(|inst| inst.result == Some(value))?.op {
            Op::IConst(number) => Some(number),
            Op::Compare(Cond::Eq, a, b) => Some(i64::from(self.known_int(a)? == self.known_int(b)?)),
            _ => None,
        }
    }

    /// Branches: walks the path that is taken when `condition` holds to its end, and goes on with the other.
    fn walk_both(&mut self, body: &mut Body, condition: Value, taken: (usize, &Vec<Option<Item>>)) -> bool {
        let fall = self.branch(condition, false);
        let state = self.state.clone();
        let (before, instance) = (self.inlining, self.instance.clone());
        let walked = self.walk_body(body, taken.0, taken.1.clone());
        self.block = fall;
        self.state = state;
        self.instance = instance;
        if let (Some(body), Some(before)) = (&mut self.inlining, before) {
            (body.effects, body.boxed) = (before.effects, before.boxed);
        }
        walked
    }

    // ---- what bodies do otherwise than functions ----

    /// An attribute, of an instance, a class or a module. `false`: nothing is known of it.
    fn body_attribute(&mut self, name: u32, feedback: &Feedback) -> bool {
        if *feedback == Feedback::None || matches!(feedback, Feedback::Module { .. }) {
            return self.load_from_module(name) || self.load_from_class(name) || self.load_from_own_class(name);
        }
        self.load_attr(name, feedback);
        true
    }

    /// The items of a tuple that was not built, if the topmost item is one.
    fn items_of_tuple(&self) -> Option<&Vec<Item>> {
        match self.state.stack.last() {
            Some(Item::Tuple(number)) => self.tuples.get(*number as usize),
            _ => None,
        }
    }

    /// A tuple of these items that is not built.
    pub(super) fn tuple_of(&mut self, items: Vec<Item>) -> Item {
        self.tuples.push(items);
        Item::Tuple(self.tuples.len() as u32 - 1)
    }

    /// Pushes such a tuple.
    pub(super) fn push_tuple(&mut self, items: Vec<Item>) {
        let tuple = self.tuple_of(items);
        self.push(tuple);
    }

    /// The tuple that the outermost body returns: it is built; or not, if all that is done with it is to unpack it.
    fn tuple_result(&mut self, number: u32) -> Option<Item> {
        let items = self.tuples[number as usize].clone();
        let count = items.len() as u32;
        for item in items {
            let item = match item {
                Item::Raw { raw, .. } => Item::raw(raw),
                Item::Number(_) => item,
                _ => {
                    let (value, py) = self.owned_result(item)?;
                    Item::owned(value, py)
                }
            };
            self.push(item);
        }
        let whole = self.unfinished.as_ref().is_none_or(Vec::is_empty);
        if whole && self.unpacked_result == Some(count) {
            let items = self.state.stack.split_off(self.position(count));
            self.push_tuple(items);
        } else {
            for depth in 1..=count {
                self.own_at(self.position(depth));
            }
            self.build_from_items(Helper::BuildTuple, count, count, PyTypes::TUPLE);
        }
        Some(self.pop())
    }

    /// How many items the next instruction unpacks, if nothing else leads there.
    pub(super) fn unpacked_next(&self) -> Option<u32> {
        let next = self.request.bytecode.index_at(self.at.next)?;
        match self.request.bytecode.instructions[next].op {
            Code::UnpackSequence(count) if !self.plan.starts.contains(&self.at.next) => Some(count),
            _ => None,
        }
    }

    pub(super) fn unpack_tuple(&mut self, count: u32) -> bool {
        let Some(items) = self.items_of_tuple().filter(|items| items.len() == count as usize).cloned() else {
            return false;
        };
        self.pop();
        items.into_iter().rev().for_each(|item| self.push(item));
        true
    }

    fn subscript_of_tuple(&mut self) -> bool {
        let Some(Item::Const(index)) = self.state.stack.last().copied() else { return false };
        let Constant::Int(index) = *self.constant(index) else { return false };
        let below = self.state.stack.len() - 1;
        let Some(Item::Tuple(number)) = below.checked_sub(1).and_then(|at| self.state.stack.get(at)) else {
            return false;
        };
        let item = usize::try_from(index).ok().and_then(|index| self.tuples[*number as usize].get(index));
        let Some(item) = item.copied() else { return false };
        self.pop();
        self.pop();
        self.push(item);
        true
    }

    /// `container[key]` of what is likely to be a dictionary, by a search that runs nothing. A path on which that finds nothing makes
    /// the call. `false`: nothing was emitted.
    fn search_dictionary(&mut self, feedback: &Feedback) -> bool {
        let [container, key] = [2, 1].map(|depth| self.state.stack[self.position(depth)]);
        let likely = *feedback == Feedback::Dict
            || self.item_py(container) == PyTypes::DICT
            || self.example(container).is_some_and(|example| example.py == PyTypes::DICT);
        let objects = [container, key].iter().all(|item| matches!(item, Item::Object { .. } | Item::Const(_)));
        if !likely || !objects || !self.request.options.search_dictionaries {
            return false;
        }
        let operands = vec![self.object(container), self.object(key)];
        let value = self.emit(Op::Call(Helper::DictSearch, operands));
        let null = self.emit(Op::Null(Ty::Obj));
        let found = self.compare(Cond::Ne, value, null);
        self.guard_usual(found);
        self.count("search_dictionaries");
        self.typed(value, PyTypes::OBJECT);
        self.pop();
        self.pop();
        self.push(Item::Object { value, own: Own::Volatile, py: PyTypes::OBJECT, big: false, known: None });
        true
    }

    /// `STORE_ATTR` of an attribute that has a value. `None`: it cannot be done in a body.
    fn body_store_attr(&mut self, name: u32, feedback: &Feedback) -> Option<()> {
        let spot = self.guard_place(Access::Store, name, feedback)?;
        let old = self.load(MemTy::Ptr, Ty::Obj, spot.base, spot.offset);
        self.guard_there(old, Ty::Obj);
        self.typed(old, PyTypes::OBJECT);
        self.guard_quiet_release(old);
        self.pop();
        let item = self.pop();
        self.begin_effects();
        let value = self.own_in_body(item)?;
        self.store(MemTy::Ptr, spot.base, spot.offset, value);
        if let Some(dictionary) = spot.dictionary {
            self.note_store(dictionary, value);
        }
        self.effect(Op::Decref(old));
        Some(())
    }

    /// `STORE_SUBSCR` to an array of numbers or a list, or by a Python function.
    fn body_store_subscr(&mut self, feedback: &Feedback) -> Option<()> {
        if self.inline_subscript(None, true) {
            self.pop();
            return Some(());
        }
        if !self.storable(feedback) {
            return None;
        }
        let place = self.element(feedback)?;
        if let Some(numbers) = place.numbers {
            self.begin_effects();
            self.store_number(place.address, place.offset, numbers);
            return Some(());
        }
        let old = self.load(MemTy::Ptr, Ty::Obj, place.address, place.offset);
        self.typed(old, PyTypes::OBJECT);
        self.guard_quiet_release(old);
        self.pop();
        self.pop();
        let item = self.pop();
        self.begin_effects();
        let value = self.own_in_body(item)?;
        self.store(MemTy::Ptr, place.address, place.offset, value);
        self.effect(Op::Decref(old));
        Some(())
    }

    /// Guards that giving up one reference to an object runs nothing: somebody else has one too, or it is a number.
    fn guard_quiet_release(&mut self, object: Value) {
        let count = self.load(MemTy::I64, Ty::I64, object, self.request.layout.ob_refcnt);
        let one = self.int(1);
        let mut quiet = self.compare(Cond::Ne, count, one);
        for py in [PyTypes::FLOAT, PyTypes::INT] {
            let number = self.emit(Op::IsType(object, py));
            quiet = self.binary(BinOp::Or, quiet, number);
        }
        self.guard_usual(quiet);
    }

    /// From here on this path leaves no more.
    fn begin_effects(&mut self) {
        if let Some(body) = &mut self.inlining {
            body.effects = true;
        }
    }

    /// After a store: whether all that the body still has is kept alive by others than what was stored to.
    fn survives_effects(&self, locals: &[Option<Item>]) -> bool {
        let Some(Inlining { effects: true, .. }) = self.inlining else { return true };
        let kept = |value: Value| {
            let own = |item: &Item| matches!(item, Item::Object { value: held, own: Own::Owned, .. } if *held == value);
            self.start.stack.iter().any(own)
        };
        let alone = |item: &Item| match *item {
            Item::Object { value, own: Own::Volatile, .. } => kept(value),
            Item::Tuple(_) | Item::Instance => false,
            _ => true,
        };
        let fine = |item: &Item| match *item {
            Item::Tuple(number) => self.tuples[number as usize].iter().all(alone),
            _ => alone(item),
        };
        locals.iter().flatten().chain(&self.state.stack).all(fine)
    }

    /// A reference to be stored.
    fn own_in_body(&mut self, item: Item) -> Option<Value> {
        let raw = match item {
            Item::Raw { raw, .. } => raw,
            Item::Number(number) => {
                let seen = self.state.stack.contains(&item);
                let body = self.inlining.as_mut()?;
                if seen || body.boxed.replace(number.value).is_some() {
                    return None;
                }
                return Some(self.new_number(number));
            }
            _ => return Some(self.owned_result(item)?.0),
        };
        let below = self.inlining?.below;
        let elsewhere = self.state.stack[..below].iter().any(|item| item.is_raw(raw))
            || self.state.locals.iter().any(|local| holds(local, raw));
        let body = self.inlining.as_mut()?;
        if elsewhere || body.boxed.replace(raw.value()).is_some() {
            return None;
        }
        Some(self.new_box(raw))
    }

    /// Pops the top and says whether a jump is taken, 1 or 0. Bools that are not known to be any are guessed.
    fn body_condition(&mut self, when: JumpIf) -> Option<Value> {
        let truth = match when {
            JumpIf::None | JumpIf::NotNone => {
                let item = self.pop();
                match item {
                    Item::Raw { .. } | Item::Number(_) | Item::Tuple(_) | Item::NoKeywords => self.int(0),
                    _ => {
                        let value = self.object(item);
                        let none = self.emit(Op::Symbol(Symbol::None, Ty::Obj));
                        self.compare(Cond::Eq, value, none)
                    }
                }
            }
            JumpIf::True | JumpIf::False => {
                self.guess_bool();
                match self.state.stack[self.position(1)] {
                    Item::Object { value, own, py, .. } if py.exact().is_none() && own != Own::Owned => {
                        self.pop();
                        self.truth_of_constants(value)
                    }
                    Item::Object { py, .. } if py.exact().is_none() => return None,
                    _ => self.truth(),
                }
            }
        };
        Some(if matches!(when, JumpIf::False | JumpIf::NotNone) { self.negate(truth) } else { truth })
    }

    /// The truth of an object that is guarded to be True, False or None.
    fn truth_of_constants(&mut self, object: Value) -> Value {
        let [yes, no, none] = [Symbol::True, Symbol::False, Symbol::None].map(|constant| {
            let constant = self.emit(Op::Symbol(constant, Ty::Obj));
            self.compare(Cond::Eq, object, constant)
        });
        let mut any = self.binary(BinOp::Or, yes, no);
        any = self.binary(BinOp::Or, any, none);
        self.guard_usual(any);
        yes
    }

    /// Brings the ends of a body's paths together in the state before it, whose topmost `consumed` items go when that is done; the
    /// result owns its reference. `None`: they have nothing in common that is worth it.
    pub(super) fn meet(&mut self, state: &State, mut returns: Vec<Returned>, consumed: usize) -> Option<Item> {
        if returns.len() == 1 {
            let Returned { block, item, effects, .. } = returns.pop()?;
            self.block = block;
            self.state = state.clone();
            return match item {
                Item::Raw { raw, .. } => Some(Item::raw(raw)),
                Item::Number(_) => Some(item),
                _ if self.inlining.is_some() => Some(item),
                Item::Instance | Item::Tuple(_) if effects => None,
                Item::Instance => Some(self.make_instance(consumed)),
                Item::Tuple(number) => self.tuple_result(number),
                _ => {
                    let (value, py) = self.owned_result(item)?;
                    let result = Item::owned(value, py);
                    Some(result)
                }
            };
        }
        let kind = match returns[0].item {
            Item::Raw { raw, .. } => Some(raw.kind()),
            _ => None,
        };
        let raw = kind
            .filter(|kind| returns.iter().all(|end| matches!(end.item, Item::Raw { raw, .. } if raw.kind() == *kind)));
        self.state = state.clone();
        if raw.is_none()
            && let Some(result) = self.meet_numbers(&returns)
        {
            return Some(result);
        }
        let seen = |end: &Returned| matches!(end.item, Item::Raw { raw, .. } if self.is_seen_elsewhere(raw));
        if raw.is_none() && returns.iter().any(seen) {
            // Its object would have to be that of the caller's local.
            return None;
        }
        let join = self.function.new_block();
        let param = self.function.add_param(join, raw.map_or(Ty::Obj, RawKind::ty));
        let mut types = PyTypes::empty();
        for Returned { block, item, .. } in returns {
            self.block = block;
            let value = match item {
                Item::Raw { raw: own, .. } if raw.is_some() => own.value(),
                Item::Raw { raw, .. } => {
                    types |= raw.py();
                    self.new_box(raw)
                }
                Item::Number(number) => {
                    types |= NUMBER;
                    self.new_number(number)
                }
                _ => {
                    let nested = self.inlining.is_some();
                    let (value, py) = if nested { self.borrowed_result(item)? } else { self.owned_result(item)? };
                    types |= py;
                    value
                }
            };
            self.goto_with(join, value);
        }
        self.block = join;
        Some(match raw {
            Some(kind) => Item::raw(kind.with(param)),
            None => {
                self.defined(param, types);
                // In a body everything borrows, as it has no effects that could matter.
                let own = if self.inlining.is_some() { Own::Volatile } else { Own::Owned };
                Item::Object { value: param, own, py: types, big: false, known: None }
            }
        })
    }

    /// An object that a body returns, as a reference of its own, and its types.
    fn owned_result(&mut self, item: Item) -> Option<(Value, PyTypes)> {
        let (value, py) = self.borrowed_result(item)?;
        self.effect(Op::Incref(value));
        Some((value, py))
    }

    fn borrowed_result(&mut self, item: Item) -> Option<(Value, PyTypes)> {
        match item {
            Item::Const(_) => Some((self.object(item), self.item_py(item))),
            Item::Object { value, own, py, .. } if own != Own::Owned && !py.may_be_null() => Some((value, py)),
            _ => None,
        }
    }

    /// A constant of another code object. It must not outlive the body as an item: exits know the function's own only.
    pub(super) fn foreign_constant(&mut self, constant: Constant, address: u64) -> Item {
        let number = self.request.code.constants.len() + self.foreign_constants.len();
        self.foreign_constants.push((constant, address));
        Item::Const(number as u32)
    }

    /// An operation is emitted into a body: effects begin only where the body says so, and no guard follows them.
    pub fn check_body(&mut self, op: &Op) {
        let Some(body) = self.inlining.filter(|body| body.possible) else { return };
        if if body.effects { op.leave().is_some() || !is_harmless(op) } else { has_effect(op) } {
            self.give_up_body();
        }
    }
}

/// Whether it depends on more than the operation whether a body can go on.
fn may_get_stuck(op: &Code) -> bool {
    !matches!(
        op,
        Code::Nop
            | Code::Resume(_)
            | Code::Precall(_)
            | Code::PushNull
            | Code::PopTop
            | Code::Copy(_)
            | Code::Swap(_)
            | Code::LoadConst(_)
            | Code::LoadFast(_)
            | Code::StoreFast(_)
            | Code::JumpForward(_)
            | Code::ReturnValue
    )
}

/// Whether an operation may follow a store: it runs no Python and cannot fail.
fn is_harmless(op: &Op) -> bool {
    match op {
        Op::Call(helper, _) => !helper.effects().intersects(Effects::RAISES | Effects::RUNS_PYTHON),
        Op::SlotSet(..) | Op::SetIp(_) | Op::Switch(..) | Op::Return(..) | Op::Unreachable => false,
        _ => true,
    }
}

fn has_effect(op: &Op) -> bool {
    match op {
        // Searches.
        Op::Call(Helper::InstanceHas | Helper::DictSearch, _) => false,
        Op::Call(helper, _) => !helper.effects().is_empty(),
        Op::Store { .. }
        | Op::BoxFloat(_)
        | Op::BoxInt(_)
        | Op::BoxBool(_)
        | Op::Incref(_)
        | Op::Decref(_)
        | Op::XDecref(_)
        | Op::SlotSet(..)
        | Op::SetIp(_)
        | Op::Switch(..)
        | Op::Return(..)
        | Op::Unreachable => true,
        _ => false,
    }
}
