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
use super::receivers::Access;
use super::state::*;
use crate::bytecode::code::{CodeObject, Constant, flags};
use crate::bytecode::decode::Bytecode;
use crate::bytecode::instruction::{Feedback, Instruction, JumpIf, Offset, Op as Code, Unary};
use crate::exit::Reason;
use crate::ir::op::{Block, Cond, Op, Symbol, Target, Value};
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

/// Instructions of a body, over all its paths.
const MOST_INSTRUCTIONS: usize = 60;

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
        | Code::UnpackSequence(_)
        | Code::JumpForward(_)
        | Code::JumpIfOrPop { .. }
        | Code::ReturnValue
        | Code::Resume(0) => true,
        Code::PopJumpIf { backward, .. } => !backward,
        Code::LoadAttr(_) => {
            matches!(instruction.feedback, Feedback::InstanceValue { .. } | Feedback::Slot { .. } | Feedback::None)
        }
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
}

/// The end of a path through a body.
struct Returned {
    block: Block,
    item: Item,
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
        let (method, callable) = (self.position(arguments + 2), self.position(arguments + 1));
        let (position, count) = match (self.state.stack.get(method), self.state.stack.get(callable)) {
            (Some(Item::Null), Some(_)) => (callable, arguments),
            (Some(_), Some(_)) => (method, arguments + 1),
            _ => return false,
        };
        let Item::Object { value: function, py, known: Some(Known::Function(id)), .. } = self.state.stack[position]
        else {
            return false;
        };
        let guesses = [Reason::Type, Reason::Version, Reason::Overflow, Reason::Range];
        if !self.request.options.inline_calls || !guesses.into_iter().all(|reason| self.may_guess(reason)) {
            return false;
        }
        let Some(callee) = self.request.environment.callee(id) else { return false };
        if callee.code.argcount != count {
            return false;
        }
        let first = self.state.stack.len() - count as usize;
        let mut locals = vec![None; callee.code.locals_plus_kinds.len()];
        for (local, item) in locals.iter_mut().zip(&self.state.stack[first..]) {
            *local = Some(match *item {
                Item::Object { value, own: Own::Owned, py, big, .. } if !py.may_be_null() => {
                    // The stack keeps it until the call is over.
                    Item::Object { value, own: Own::Volatile, py, big, known: None }
                }
                Item::Object { py, .. } if py.may_be_null() => return false,
                Item::Null | Item::RangeIter { .. } => return false,
                other => other,
            });
        }

        let before = self.mark();
        let state = self.state.clone();
        self.inlining = Some(Inlining { callee: id, possible: true });
        self.guard_callee(function, py, &callee);
        let mut body = Body { callee, returns: Vec::new(), budget: 2 * MOST_INSTRUCTIONS };
        let walked = self.walk_body(&mut body, 0, locals);
        let possible = walked && self.body_is_possible() && !body.returns.is_empty();
        self.inlining = None;
        let result = if possible { self.meet(&state, body.returns) } else { None };
        let Some(result) = result else {
            self.take_back(before, state);
            return false;
        };
        for _ in 0..arguments + 2 {
            let item = self.pop();
            self.release(item);
        }
        self.push(result);
        self.count("inline_calls");
        true
    }

    /// Guards what the body stands for: this code, and a call that does not exceed the recursion limit.
    fn guard_callee(&mut self, function: Value, py: PyTypes, callee: &Callee) {
        let layout = self.request.layout;
        if py != PyTypes::FUNCTION {
            self.guard_type(function, PyTypes::FUNCTION);
        }
        let code = self.load(MemTy::Ptr, Ty::Ptr, function, layout.function_code);
        self.addresses.push(callee.address);
        let expected = self.emit(Op::Symbol(Symbol::Address(self.addresses.len() as u32 - 1), Ty::Ptr));
        let same = self.compare(Cond::Eq, code, expected);
        self.guard(same, Reason::Version);
        let ts = self.thread();
        let remaining = self.load(MemTy::I32, Ty::I64, ts, layout.thread_recursion_remaining);
        let zero = self.int(0);
        let allowed = self.compare(Cond::Gt, remaining, zero);
        self.guard(allowed, Reason::Interrupt);
    }

    /// Walks a path through a body, from an instruction to its returns. `false`: the body cannot be inlined.
    fn walk_body(&mut self, body: &mut Body, mut index: usize, mut locals: Vec<Option<Item>>) -> bool {
        loop {
            if body.budget == 0 || !self.body_is_possible() {
                return false;
            }
            body.budget -= 1;
            let callee = body.callee.clone();
            let Some(instruction) = callee.bytecode.instructions.get(index) else { return false };
            let next = callee.bytecode.instructions.get(index + 1);
            let at = |offset: Offset| callee.bytecode.index_at(offset).unwrap_or(usize::MAX);
            index += 1;
            match instruction.op {
                Code::Nop | Code::Resume(_) => {}
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
                Code::LoadAttr(name) => {
                    let feedback = self.attribute_feedback(Access::Load, name, &instruction.feedback);
                    if feedback == Feedback::None {
                        // Most likely a path that was not taken yet: the first few times the interpreter does the call.
                        if !self.may_guess(Reason::Unseen) {
                            return false;
                        }
                        let leave = self.leave(Reason::Unseen);
                        self.push_inst(Op::Leave(leave), None);
                        return self.body_is_possible();
                    }
                    self.load_attr(name, &feedback);
                }
                Code::Unary(Unary::Not) => {
                    let Some(truth) = self.body_condition(JumpIf::False) else { return false };
                    self.push(Item::raw(Raw::Bool(truth)));
                }
                Code::Unary(op) => self.unary_op(op),
                Code::BinaryOp { op, .. } => {
                    if !self.raw_binary(op, &instruction.feedback) {
                        return false;
                    }
                }
                Code::CompareOp(comparison) => self.compare_op(comparison, &instruction.feedback, next),
                Code::IsOp { negate } => self.is_op(negate),
                Code::BinarySubscr => self.binary_subscr(&instruction.feedback),
                Code::UnpackSequence(n) => self.unpack_sequence(n, &instruction.feedback),
                Code::JumpForward(target) => index = at(target),
                Code::PopJumpIf { when, target, .. } => {
                    let Some(taken) = self.body_condition(when) else { return false };
                    if !self.walk_both(body, taken, (at(target), &locals)) {
                        return false;
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
                    body.returns.push(Returned { block: self.block, item });
                    return true;
                }
                _ => return false,
            }
        }
    }

    /// Branches: walks the path that is taken when `condition` holds to its end, and goes on with the other.
    fn walk_both(&mut self, body: &mut Body, condition: Value, taken: (usize, &Vec<Option<Item>>)) -> bool {
        let fall = self.branch(condition, false);
        let state = self.state.clone();
        let walked = self.walk_body(body, taken.0, taken.1.clone());
        self.block = fall;
        self.state = state;
        walked
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
                let top = self.state.stack[self.position(1)];
                if matches!(top, Item::Object { py, .. } if py.exact().is_none()) {
                    return None;
                }
                self.truth()
            }
        };
        Some(if matches!(when, JumpIf::False | JumpIf::NotNone) { self.negate(truth) } else { truth })
    }

    /// Brings the ends of a body's paths together in the state before it; the result owns its reference. `None`: they have
    /// nothing in common that is worth it.
    fn meet(&mut self, state: &State, mut returns: Vec<Returned>) -> Option<Item> {
        if returns.len() == 1 {
            let Returned { block, item } = returns.pop()?;
            self.block = block;
            self.state = state.clone();
            return match item {
                Item::Raw { raw, .. } => Some(Item::raw(raw)),
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
        for Returned { block, item } in returns {
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
                    let (value, py) = self.owned_result(item)?;
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
                Item::owned(param, types)
            }
        })
    }

    /// An object that a body returns, as a reference of its own, and its types.
    fn owned_result(&mut self, item: Item) -> Option<(Value, PyTypes)> {
        match item {
            Item::Const(_) => {
                let value = self.object(item);
                self.effect(Op::Incref(value));
                Some((value, self.item_py(item)))
            }
            Item::Object { value, own, py, .. } if own != Own::Owned && !py.may_be_null() => {
                self.effect(Op::Incref(value));
                Some((value, py))
            }
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

    /// An operation is emitted into a body: one with an effect makes it impossible.
    pub fn check_body(&mut self, op: &Op) {
        if self.body_is_possible() && has_effect(op) {
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
    fn mark(&self) -> Mark {
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
    fn take_back(&mut self, mark: Mark, state: State) {
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
struct Mark {
    block: Block,
    instructions: usize,
    blocks: usize,
    values: usize,
    exits: usize,
    addresses: usize,
    applied: std::collections::BTreeMap<&'static str, usize>,
    ip_set: bool,
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
