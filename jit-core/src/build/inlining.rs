//! Calls of small Python functions without a call: their bodies become part of the caller.
//!
//! *Problem*: a getter, a predicate or a formula takes a frame, boxes for its arguments and a box for its result, all for a few
//! operations. *Method*: where it is known which function a call reaches, and its bytecode neither loops nor calls, the body is
//! walked on the caller's stack: its locals are items, its branches branches, its returns meet behind the call. The body has no
//! frame, so nothing in it may be visible: it may compute, read and guard, and every guard leaves to the call itself, which the
//! interpreter then executes as any other. A body that turns out to need more (a helper that can raise, a store, a box in the
//! middle) is taken out again, and the call is made. *Invariants*:
//! - the function's code is guarded at each call, so re-created closures are the same callee and a new `__code__` is not;
//! - between the start of the call and the last guard of the body no operation has an effect, reference counts included;
//! - what a guard in one branch has shown is not believed behind the body;
//! - the callee's code object, and with it the constants whose addresses are used, is kept alive by whoever keeps the
//!   compiled code ([`super::Environment::callee`]).

use super::builder::Builder;
use super::items::constant_types;
use super::locals::holds;
use super::receivers::Access;
use super::state::*;
use crate::bytecode::code::{CodeObject, Constant, flags};
use crate::bytecode::decode::Bytecode;
use crate::bytecode::instruction::{Arithmetic, Feedback, Instruction, JumpIf, Offset, Op as Code, Unary};
use crate::exit::Reason;
use crate::ir::op::{BinOp, Block, Cond, Op, Symbol, Target, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use std::rc::Rc;

/// A Python function that a call may reach, as far as its body goes.
#[derive(Debug)]
pub struct Callee {
    /// Address of its code object.
    pub address: u64,
    pub code: CodeObject,
    pub bytecode: Bytecode,
    /// Addresses of the code object's constants.
    pub constants: Vec<u64>,
}

impl Callee {
    fn has(&self, is: impl Fn(&Code) -> bool) -> bool {
        self.bytecode.instructions.iter().any(|instruction| is(&instruction.op))
    }

    /// Whether its global names matter: those of the caller then stand for them.
    pub fn names_globals(&self) -> bool {
        self.has(|op| matches!(op, Code::LoadGlobal { .. }))
    }

    fn stores(&self) -> bool {
        self.has(|op| matches!(op, Code::StoreAttr(_) | Code::StoreSubscr))
    }
}

/// Instructions of a body; twice as many over all its paths and those of the bodies in it.
const MOST_INSTRUCTIONS: usize = 60;
/// Bodies in bodies.
const MOST_DEPTH: u32 = 4;

/// Whether a body could be inlined, as far as its instructions say: arguments and locals only, no loops, no calls.
pub fn is_candidate(code: &CodeObject, bytecode: &Bytecode) -> bool {
    let function = flags::OPTIMIZED | flags::NEWLOCALS;
    let others = flags::VARARGS | flags::VARKEYWORDS | flags::ITERABLE_COROUTINE;
    code.flags & (function | others) == function
        && !code.makes_generator()
        && code.kwonly_argcount == 0
        && code.exception_table.is_empty()
        && bytecode.instructions.len() <= MOST_INSTRUCTIONS
        && bytecode.instructions.iter().all(is_candidate_instruction)
}

fn is_candidate_instruction(instruction: &Instruction) -> bool {
    match instruction.op {
        Code::Nop
        | Code::PopTop
        | Code::Copy(_)
        | Code::Swap(_)
        | Code::LoadConst(_)
        | Code::LoadFast(_)
        | Code::StoreFast(_)
        | Code::Unary(_)
        | Code::BinaryOp { .. }
        | Code::CompareOp(_)
        | Code::IsOp { .. }
        | Code::BinarySubscr
        | Code::StoreSubscr
        | Code::StoreAttr(_)
        | Code::UnpackSequence(_)
        | Code::JumpForward(_)
        | Code::JumpIfOrPop { .. }
        | Code::LoadGlobal { .. }
        | Code::LoadMethod(_)
        | Code::PushNull
        | Code::Precall(_)
        | Code::Call(_)
        | Code::RaiseVarargs(_)
        | Code::ReturnValue
        | Code::Resume(0) => true,
        Code::PopJumpIf { backward, .. } => !backward,
        Code::LoadAttr(_) => matches!(
            instruction.feedback,
            Feedback::InstanceValue { .. } | Feedback::Slot { .. } | Feedback::Module { .. } | Feedback::None
        ),
        _ => false,
    }
}

/// What is to be known of a body wherever its operations are emitted.
#[derive(Clone, Copy)]
pub(super) struct Inlining {
    /// Whose names its instructions mean: a number for [`super::Environment::callee`].
    pub callee: u32,
    /// Whether it can still be inlined.
    possible: bool,
    /// Whether something was stored on this path: no guard may follow.
    effects: bool,
    /// How many calls deep.
    depth: u32,
    /// The number that became an object to be stored; it must not become another one.
    boxed: Option<Value>,
    /// Stack items of the caller, operands of the outermost call excluded.
    below: usize,
}

/// The end of a path through a body.
pub(super) struct Returned {
    pub block: Block,
    pub item: Item,
    pub effects: bool,
    boxed: Option<Value>,
}

/// How far a body has got.
struct Body {
    callee: Rc<Callee>,
    returns: Vec<Returned>,
    /// Instructions that may still be walked.
    budget: usize,
}

impl Builder<'_> {
    /// Puts the body of the function that a call of `arguments` arguments reaches in its place. `false`: nothing was emitted.
    pub fn inline_call(&mut self, arguments: u32) -> bool {
        let Some((position, id, count)) = self.inlinable_callee(arguments) else { return false };
        let Some(callee) = self.request.environment.callee(id) else { return false };
        if callee.stores() && self.inlining.is_none() {
            // What borrows from a container must not lose it to a store.
            self.settle_volatile();
            self.start.clone_from(&self.state);
        }
        let Item::Object { value: function, py, .. } = self.state.stack[position] else { return false };
        let first = self.state.stack.len() - count;
        let Some(operands) = self.operands_of_body(first) else { return false };
        self.inline_body(
            id,
            arguments as usize + 2,
            operands,
            |_| true,
            |b| {
                b.guard_callee(function, py, &callee);
                true
            },
        )
    }

    /// Where on the stack the function of a call is, its number, and how many arguments it gets.
    fn inlinable_callee(&self, arguments: u32) -> Option<(usize, u32, usize)> {
        let (method, callable) = (self.position(arguments + 2), self.position(arguments + 1));
        let (position, count) = match (self.state.stack.get(method), self.state.stack.get(callable)) {
            (Some(Item::Null), Some(_)) => (callable, arguments),
            (Some(_), Some(_)) => (method, arguments + 1),
            _ => return None,
        };
        let Item::Object { known: Some(Known::Function(id)), .. } = self.state.stack[position] else { return None };
        Some((position, id, count as usize))
    }

    /// `container[key]`, or with `store` `container[key] = value`, where a Python function of the container's class does that: its
    /// body in place of the call. The stack holds the operands as the instruction wants them; `key` are the items of a tuple that
    /// was not built, and then the top is not the key but the last of them. `false`: nothing was emitted.
    pub fn inline_subscript(&mut self, key: Option<usize>, store: bool) -> bool {
        let keys = key.unwrap_or(1);
        let container = self.state.stack.len().checked_sub(keys + 1);
        let Some(container) = container.filter(|at| !store || *at > 0) else { return false };
        let Some(example) = self.example(self.state.stack[container]) else { return false };
        let environment = self.request.environment;
        let (version, function) = (example.type_version, if store { example.setitem } else { example.getitem });
        if function == 0 || !self.request.options.inline_attributes {
            return false;
        }
        let Some(id) = environment.subscript_callee(version, store) else { return false };
        let Some(callee) = environment.callee(id) else { return false };
        if callee.stores() && self.inlining.is_none() {
            self.settle_volatile();
            self.start.clone_from(&self.state);
        }
        let Some(mut operands) = self.operands_of_body(container) else { return false };
        if key.is_some() {
            let items = operands.split_off(1);
            self.tuples.push(items);
            operands.push(Item::Tuple(self.tuples.len() as u32 - 1));
        }
        if store {
            let Some(value) = self.operands_of_body(container - 1) else { return false };
            operands.push(value[0]);
        }
        let depth = (keys + 1) as u32;
        self.inline_body(
            id,
            keys + 1 + usize::from(store),
            operands,
            |_| true,
            |b| {
                if b.guard_type_version(depth, version).is_none() {
                    return false;
                }
                let function = b.address(function);
                b.guard_callee(function, PyTypes::FUNCTION, &callee);
                true
            },
        )
    }

    /// `container[a, b]`, where the tuple is nothing but the key of an inlined function: builds none and does both
    /// instructions. `false`: nothing was emitted.
    pub fn subscript_by_items(&mut self, count: u32, next: Option<&Instruction>) -> bool {
        let Some(next) = next.filter(|next| !self.plan.starts.contains(&next.offset)) else { return false };
        match next.op {
            Code::BinarySubscr if self.inline_subscript(Some(count as usize), false) => {}
            Code::StoreSubscr if self.inline_subscript(Some(count as usize), true) => {
                let none = self.pop();
                self.release(none);
            }
            _ => return false,
        }
        self.took_next = true;
        true
    }

    /// The items from a stack position on as a body's locals: the stack keeps them until the call is over.
    pub(super) fn operands_of_body(&self, first: usize) -> Option<Vec<Item>> {
        let operand = |item: &Item| match *item {
            Item::Object { py, .. } if py.may_be_null() => None,
            Item::Object { value, own: Own::Owned, py, big, .. } => {
                Some(Item::Object { value, own: Own::Volatile, py, big, known: None })
            }
            Item::Null | Item::RangeIter { .. } => None,
            other => Some(other),
        };
        self.state.stack.get(first..)?.iter().map(operand).collect()
    }

    /// A binary operator on an instance whose class implements it by a Python function: its body in place of the call. The other
    /// operand is of the same class, or a number, so that none but this function is asked. `false`: nothing was emitted, or this
    /// is a body and cannot be inlined.
    pub fn inline_operator(&mut self, op: Arithmetic, in_place: bool) -> bool {
        let first = self.position(2);
        let (left, right) = (self.state.stack[first], self.state.stack[first + 1]);
        let environment = self.request.environment;
        let Some(version) = self.example(left).map(|example| example.type_version).filter(|version| *version != 0)
        else {
            return false;
        };
        let likely = self.example(right);
        let number = match (self.number(right), &likely) {
            (Some(kind), _) => Some(kind.py()),
            (None, Some(example)) => example.py.exact().filter(|py| matches!(*py, PyTypes::FLOAT | PyTypes::INT)),
            _ => None,
        };
        if number.is_none() && likely.is_none_or(|example| example.type_version != version) {
            return false;
        }
        let Some((id, function)) = environment.operator_callee(version, op, in_place) else { return false };
        let Some(callee) = environment.callee(id) else { return false };
        let Some(operands) = self.operands_of_body(first) else { return false };
        // `NotImplemented` would have another function be asked.
        let accept = |item: Item| match item {
            Item::Object { py, own, .. } => !py.contains(PyTypes::OTHER) || own == Own::Owned && py == PyTypes::OTHER,
            _ => true,
        };
        self.inline_body(id, 2, operands, accept, |b| {
            match number {
                Some(py) if matches!(right, Item::Object { .. }) => b.refine(1, py),
                Some(_) => {}
                None => {
                    if b.guard_type_version(1, version).is_none() {
                        return false;
                    }
                }
            }
            if b.guard_type_version(2, version).is_none() {
                return false;
            }
            let function = b.address(function);
            b.guard_callee(function, PyTypes::FUNCTION, &callee);
            true
        })
    }

    /// Walks a function's body with these arguments; its result takes the place of the topmost `consumed` items. `prepare` emits
    /// the guards for it. `false`: nothing was emitted, or this is a body itself and cannot be inlined.
    fn inline_body(
        &mut self,
        id: u32,
        consumed: usize,
        operands: Vec<Item>,
        accept: fn(Item) -> bool,
        prepare: impl FnOnce(&mut Self) -> bool,
    ) -> bool {
        let Some(callee) = self.may_inline(id, operands.len()) else { return false };
        let outer = self.inlining;
        let before = outer.is_none().then(|| self.mark());
        let state = self.state.clone();
        if outer.is_none() {
            self.instance = None;
        }
        let returns = self.walk_callee(id, callee, consumed, operands, prepare);
        let Some(result) = returns.and_then(|returns| self.meet(&state, returns)).filter(|item| accept(*item)) else {
            match before {
                Some(before) => self.take_back(before, state),
                None => {
                    self.give_up_body();
                }
            }
            return false;
        };
        for _ in 0..consumed {
            let item = self.pop();
            if outer.is_none() {
                self.release(item);
            }
        }
        self.push(result);
        if outer.is_none() {
            self.count("inline_calls");
        }
        true
    }

    /// The callee with that number, if its body may be tried here with so many arguments.
    pub(super) fn may_inline(&self, id: u32, arguments: usize) -> Option<Rc<Callee>> {
        let guesses = [Reason::Type, Reason::Version, Reason::Overflow, Reason::Range, Reason::Unseen];
        let callee = self.request.environment.callee(id)?;
        let may = self.request.options.inline_calls
            && guesses.into_iter().all(|reason| self.may_guess(reason))
            && callee.code.argcount as usize == arguments
            && self.inlining.is_none_or(|outer| outer.depth < MOST_DEPTH);
        may.then_some(callee)
    }

    /// Walks a body with these arguments and gives the ends of its paths. `None`: it cannot be inlined.
    pub(super) fn walk_callee(
        &mut self,
        id: u32,
        callee: Rc<Callee>,
        consumed: usize,
        operands: Vec<Item>,
        prepare: impl FnOnce(&mut Self) -> bool,
    ) -> Option<Vec<Returned>> {
        let environment = self.request.environment;
        let outer = self.inlining;
        let mut locals: Vec<_> = operands.into_iter().map(Some).collect();
        locals.resize(callee.code.locals_plus_kinds.len(), None);
        self.inlining = Some(match outer {
            None => Inlining {
                callee: id,
                possible: true,
                effects: false,
                depth: 0,
                boxed: None,
                below: self.state.stack.len() - consumed,
            },
            Some(outer) => Inlining { callee: id, depth: outer.depth + 1, ..outer },
        });
        environment.names_of(Some(id));
        let mut body = Body { callee, returns: Vec::new(), budget: 2 * MOST_INSTRUCTIONS };
        let walked = prepare(self) && self.walk_body(&mut body, 0, locals);
        let possible = walked && self.body_is_possible() && !body.returns.is_empty();
        let effects = body.returns.iter().any(|end| end.effects);
        let boxed = body.returns.iter().find_map(|end| end.boxed);
        environment.names_of(outer.map(|outer| outer.callee));
        self.inlining = outer;
        if let Some(body) = &mut self.inlining {
            body.possible &= possible;
            body.effects |= effects;
            body.boxed = body.boxed.or(boxed);
        }
        possible.then_some(body.returns)
    }

    /// Guards what the body stands for: this code, and a call that does not exceed the recursion limit.
    pub(super) fn guard_callee(&mut self, function: Value, py: PyTypes, callee: &Callee) {
        let layout = self.request.layout;
        if py != PyTypes::FUNCTION {
            self.guard_type(function, PyTypes::FUNCTION);
        }
        let code = self.load(MemTy::Ptr, Ty::Ptr, function, layout.function_code);
        self.addresses.push(callee.address);
        let expected = self.emit(Op::Symbol(Symbol::Address(self.addresses.len() as u32 - 1), Ty::Ptr));
        let same = self.compare(Cond::Eq, code, expected);
        self.guard(same, Reason::Version);
        if callee.names_globals() {
            let frame = self.frame();
            for (own, other) in
                [(layout.frame_globals, layout.function_globals), (layout.frame_builtins, layout.function_builtins)]
            {
                let own = self.load(MemTy::Ptr, Ty::Ptr, frame, own);
                let other = self.load(MemTy::Ptr, Ty::Ptr, function, other);
                let same = self.compare(Cond::Eq, own, other);
                self.guard(same, Reason::Version);
            }
        }
        // A body in a body takes one level more.
        self.guard_recursion(self.inlining.map_or(0, |body| body.depth));
    }

    /// Guards that the recursion limit allows another call where bodies that are walked have `used` levels.
    fn guard_recursion(&mut self, used: u32) {
        let ts = self.thread();
        let remaining = self.load(MemTy::I32, Ty::I64, ts, self.request.layout.thread_recursion_remaining);
        let used = self.int(i64::from(used));
        let allowed = self.compare(Cond::Gt, remaining, used);
        self.guard(allowed, Reason::Interrupt);
    }

    /// The same for a call that is made here, of what counts as a level where the interpreter calls it.
    pub(super) fn guard_level(&mut self) {
        self.guard_recursion(self.inlining.map_or(0, |body| body.depth + 1));
    }

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

    /// Walks a path through a body, from an instruction to its returns. `false`: the body cannot be inlined.
    fn walk_body(&mut self, body: &mut Body, mut index: usize, mut locals: Vec<Option<Item>>) -> bool {
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
                        return self.leave_unseen();
                    }
                }
                // What operators may return to have another one asked.
                Code::LoadGlobal { name, .. } if callee.code.names[name as usize] == "NotImplemented" => return false,
                Code::LoadGlobal { name, push_null } => self.load_global(name, push_null, &instruction.feedback),
                Code::LoadMethod(name) => self.load_method(name, &instruction.feedback),
                Code::Call(n) => {
                    if !(self.inline_call(n) || self.intrinsic(n) || self.instantiate(n))
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
                    if !self.subscript_of_tuple() && !self.inline_subscript(None, false) {
                        self.binary_subscr(&instruction.feedback);
                    }
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
                    if matches!(item, Item::Raw { raw, .. } if boxed == Some(raw.value())) {
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
    fn known_int(&self, value: Value) -> Option<i64> {
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
            return self.load_from_module(name) || self.load_from_class(name);
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

    fn unpack_tuple(&mut self, count: u32) -> bool {
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

    /// `STORE_ATTR` of an attribute that has a value. `None`: it cannot be done in a body.
    fn body_store_attr(&mut self, name: u32, feedback: &Feedback) -> Option<()> {
        let spot = self.guard_place(Access::Store, name, feedback)?;
        let old = self.load(MemTy::Ptr, Ty::Obj, spot.base, spot.offset);
        let null = self.emit(Op::Null(Ty::Obj));
        let there = self.compare(Cond::Ne, old, null);
        self.guard(there, Reason::Version);
        self.typed(old, PyTypes::OBJECT);
        self.guard_quiet_release(old);
        self.pop();
        let item = self.pop();
        self.begin_effects();
        let value = self.own_in_body(item)?;
        self.store(MemTy::Ptr, spot.base, spot.offset, value);
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
        self.guard(quiet, Reason::Unseen);
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
        let fine = |item: &Item| match *item {
            Item::Object { value, own: Own::Volatile, .. } => kept(value),
            Item::Instance => false,
            _ => true,
        };
        locals.iter().flatten().chain(&self.state.stack).all(fine)
    }

    /// A reference to be stored.
    fn own_in_body(&mut self, item: Item) -> Option<Value> {
        let Item::Raw { raw, .. } = item else { return Some(self.owned_result(item)?.0) };
        let below = self.inlining?.below;
        let elsewhere =
            self.state.stack[..below].iter().any(|item| matches!(item, Item::Raw { raw: held, .. } if *held == raw))
                || self.state.locals.iter().any(|local| holds(local, raw));
        let body = self.inlining.as_mut()?;
        if elsewhere || body.boxed.replace(raw.value()).is_some() {
            return None;
        }
        let value = self.emit(match raw {
            Raw::Float(v) => Op::BoxFloat(v),
            Raw::Int(v) => Op::BoxInt(v),
            Raw::Bool(v) => Op::BoxBool(v),
        });
        Some(self.defined(value, raw.py()))
    }

    /// Pops the top and says whether a jump is taken, 1 or 0. Bools that are not known to be any are guessed.
    fn body_condition(&mut self, when: JumpIf) -> Option<Value> {
        let truth = match when {
            JumpIf::None | JumpIf::NotNone => {
                let item = self.pop();
                match item {
                    Item::Raw { .. } => self.int(0),
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
        self.guard(any, Reason::Unseen);
        yes
    }

    /// Brings the ends of a body's paths together in the state before it; the result owns its reference. `None`: they have
    /// nothing in common that is worth it.
    fn meet(&mut self, state: &State, mut returns: Vec<Returned>) -> Option<Item> {
        if returns.len() == 1 {
            let Returned { block, item, effects, .. } = returns.pop()?;
            self.block = block;
            self.state = state.clone();
            return match item {
                Item::Raw { raw, .. } => Some(Item::raw(raw)),
                _ if self.inlining.is_some() => Some(item),
                Item::Instance if effects => None,
                Item::Instance => Some(self.make_instance()),
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
                    let value = self.emit(match raw {
                        Raw::Float(v) => Op::BoxFloat(v),
                        Raw::Int(v) => Op::BoxInt(v),
                        Raw::Bool(v) => Op::BoxBool(v),
                    });
                    self.defined(value, raw.py())
                }
                _ => {
                    let nested = self.inlining.is_some();
                    let (value, py) = if nested { self.borrowed_result(item)? } else { self.owned_result(item)? };
                    types |= py;
                    value
                }
            };
            self.push_inst(Op::Jump(Target { block: join, args: vec![value] }), None);
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
    fn foreign_constant(&mut self, constant: Constant, address: u64) -> Item {
        let number = self.request.code.constants.len() + self.foreign_constants.len();
        self.foreign_constants.push((constant, address));
        Item::Const(number as u32)
    }

    /// The constant behind [`Item::Const`].
    pub fn constant(&self, number: u32) -> &Constant {
        let own = &self.request.code.constants;
        match own.get(number as usize) {
            Some(constant) => constant,
            None => &self.foreign_constants[number as usize - own.len()].0,
        }
    }

    /// The same as an object.
    pub fn constant_object(&mut self, number: u32) -> Value {
        let own = self.request.code.constants.len();
        let symbol = if (number as usize) < own {
            Symbol::Const(number)
        } else {
            self.addresses.push(self.foreign_constants[number as usize - own].1);
            Symbol::Address(self.addresses.len() as u32 - 1)
        };
        let py = constant_types(self.constant(number));
        let value = self.emit(Op::Symbol(symbol, Ty::Obj));
        if py == PyTypes::INT {
            self.constants.insert(value, number);
        }
        self.defined(value, py)
    }

    /// An operation is emitted into a body: effects begin only where the body says so, and no guard follows them.
    pub fn check_body(&mut self, op: &Op) {
        let Some(body) = self.inlining.filter(|body| body.possible) else { return };
        if if body.effects { op.leave().is_some() || !is_harmless(op) } else { has_effect(op) } {
            self.give_up_body();
        }
    }

    fn body_is_possible(&self) -> bool {
        self.inlining.is_some_and(|body| body.possible)
    }

    /// The body that is walked, if there is one, cannot be inlined: it is taken out at its end. Whether there is one.
    pub fn give_up_body(&mut self) -> bool {
        match &mut self.inlining {
            Some(body) => {
                body.possible = false;
                true
            }
            None => false,
        }
    }

    /// Where to go back to.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            block: self.block,
            instructions: self.function.blocks[self.block.0 as usize].insts.len(),
            blocks: self.function.blocks.len(),
            values: self.function.values.len(),
            exits: self.function.exits.len(),
            addresses: self.addresses.len(),
            applied: self.applied.clone(),
            ip_set: self.ip_set,
        }
    }

    /// Takes back what was emitted since a mark. Only bodies are: they enter no block of the bytecode and unwind nowhere.
    pub(super) fn take_back(&mut self, mark: Mark, state: State) {
        self.block = mark.block;
        self.function.blocks[mark.block.0 as usize].insts.truncate(mark.instructions);
        self.function.blocks.truncate(mark.blocks);
        self.function.values.truncate(mark.values);
        self.examples.forget_from(Value(mark.values as u32));
        self.constants.retain(|value, _| (value.0 as usize) < mark.values);
        self.function.exits.truncate(mark.exits);
        self.addresses.truncate(mark.addresses);
        self.applied = mark.applied;
        self.ip_set = mark.ip_set;
        self.state = state;
        self.reachable = true;
    }
}

/// See [`Builder::mark`].
pub(super) struct Mark {
    block: Block,
    instructions: usize,
    blocks: usize,
    values: usize,
    exits: usize,
    addresses: usize,
    applied: std::collections::BTreeMap<&'static str, usize>,
    ip_set: bool,
}

/// Whether an operation may follow a store: it runs no Python and cannot fail.
fn is_harmless(op: &Op) -> bool {
    match op {
        Op::Call(helper, _) => helper.effects().is_empty(),
        Op::SlotSet(..) | Op::SetIp(_) | Op::Switch(..) | Op::Return(..) | Op::Unreachable => false,
        _ => true,
    }
}

fn has_effect(op: &Op) -> bool {
    match op {
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
