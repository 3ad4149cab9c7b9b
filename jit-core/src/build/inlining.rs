//! Calls of small Python functions without a call: their bodies become part of the caller.
//!
//! *Problem*: a getter, a predicate or a formula takes a frame, boxes for its arguments and a box for its result, all for a few
//! operations. *Method*: where it is known which function a call, a subscript or an operator reaches, and its bytecode has no
//! loops, the body is walked on the caller's stack (`bodies`), the bodies of what it calls within it. The body has
//! no frame, so nothing in it may be visible: it may compute, read, guard, and store at its end, and every guard leaves to the
//! call itself, which the interpreter then executes as any other. A body that turns out to need more (a helper that can raise,
//! a guard after a store) is taken out again, and the call is made. *Invariants*:
//! - the function's code is guarded at each call, so re-created closures are the same callee and a new `__code__` is not;
//! - between the start of the call and the last guard of the body no operation has an effect, reference counts included;
//! - what a guard in one branch has shown is not believed behind the body;
//! - the callee's code object, and with it the constants whose addresses are used, is kept alive by whoever keeps the
//!   compiled code ([`super::Environment::callee`]).

use super::bodies::{Body, Returned};
use super::builder::Builder;
use super::examples::Example;
use super::items::constant_types;
use super::parameters::{Arranged, Defaults, KeywordDefaults};
use super::state::*;
use crate::bytecode::code::{CodeObject, Constant, flags};
use crate::bytecode::decode::Bytecode;
use crate::bytecode::instruction::{Arithmetic, Feedback, Instruction, Op as Code};
use crate::exit::Reason;
use crate::ir::op::{Block, Cond, Op, Symbol, Value};
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
    /// Addresses of the code object's names.
    pub names: Vec<u64>,
    /// Of the function that was found: its last arguments' defaults, if all are constants; and those of keyword-only parameters,
    /// if there are any and all are constants.
    pub defaults: Option<Defaults>,
    pub keyword_defaults: Option<KeywordDefaults>,
    /// Whether its global names, of which there are some, are not those of the caller.
    pub foreign: bool,
    /// What its arguments looked like when it was compiled itself, as far as that is known.
    pub arguments: Vec<Option<Rc<Example>>>,
}

impl Callee {
    fn stores(&self) -> bool {
        has(&self.bytecode, |op| matches!(op, Code::StoreAttr(_) | Code::StoreSubscr))
    }
}

/// Instructions of a body; twice as many over all its paths and those of the bodies in it.
const MOST_INSTRUCTIONS: usize = 60;
/// Bodies in bodies.
const MOST_DEPTH: u32 = 4;

/// Whether a body could be inlined, as far as its instructions say: arguments, locals and globals, no loops, no handlers.
pub fn is_candidate(code: &CodeObject, bytecode: &Bytecode) -> bool {
    let function = flags::OPTIMIZED | flags::NEWLOCALS;
    code.flags & (function | flags::ITERABLE_COROUTINE) == function && !code.makes_generator() && may_return(bytecode)
}

/// Whether a body's global names matter.
pub fn names_globals(bytecode: &Bytecode) -> bool {
    has(bytecode, |op| matches!(op, Code::LoadGlobal { .. }))
}

fn has(bytecode: &Bytecode, is: impl Fn(&Code) -> bool) -> bool {
    bytecode.instructions.iter().any(|instruction| is(&instruction.op))
}

/// Whether a path through candidate instructions leads to a return.
fn may_return(bytecode: &Bytecode) -> bool {
    let mut seen = vec![false; bytecode.instructions.len()];
    let mut open = vec![0];
    while let Some(index) = open.pop() {
        let Some(instruction) = bytecode.instructions.get(index) else { continue };
        if std::mem::replace(&mut seen[index], true) || !is_candidate_instruction(instruction) {
            continue;
        }
        let mut goto = |target| open.extend(bytecode.index_at(target));
        match instruction.op {
            Code::ReturnValue => return true,
            Code::RaiseVarargs(_) => {}
            Code::JumpForward(target) => goto(target),
            Code::PopJumpIf { target, .. } | Code::JumpIfOrPop { target, .. } => {
                goto(target);
                open.push(index + 1);
            }
            _ => open.push(index + 1),
        }
    }
    false
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
        | Code::BuildTuple(_)
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
            Feedback::InstanceValue { .. }
                | Feedback::Slot { .. }
                | Feedback::WithHint { .. }
                | Feedback::Module { .. }
                | Feedback::None
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
    pub possible: bool,
    /// Whether something was stored on this path: no guard may follow.
    pub effects: bool,
    /// How many calls deep.
    pub depth: u32,
    /// The function whose globals its names mean, where they are not those of the caller.
    pub foreign: Option<Value>,
    /// The number that became an object to be stored; it must not become another one.
    pub boxed: Option<Value>,
    /// Stack items of the caller, operands of the outermost call excluded.
    pub below: usize,
}

impl Builder<'_> {
    /// Puts the body of the function that a call of `arguments` arguments reaches in its place, or those of the functions that it
    /// may reach; `kwnames`: the constant that names the last of the arguments. `false`: nothing was emitted.
    pub fn inline_call(&mut self, arguments: u32, kwnames: Option<u32>) -> bool {
        let Some((position, count)) = self.function_called(arguments) else { return false };
        let Item::Object { value: function, py, known, .. } = self.state.stack[position] else { return false };
        let first = self.state.stack.len() - count;
        let consumed = arguments as usize + 2;
        let id = match known {
            Some(Known::Function(id)) => id,
            Some(Known::OneOf(number)) => {
                let Some(choices) = self.choices.get(number as usize).cloned() else { return false };
                return self.inline_choices(function, &choices, first, (arguments, kwnames));
            }
            _ => return false,
        };
        let Some(callee) = self.request.environment.callee(id) else { return false };
        self.settle_for(&callee);
        let Some(Arranged { operands, needed }) = self.arranged_operands(&callee, first, kwnames) else { return false };
        let before = self.begin_partial(consumed);
        let prepare = |b: &mut Self| {
            b.guard_callee(function, py, &callee);
            b.guard_defaults(function, &callee, needed);
            true
        };
        let unpacked = if self.inlining.is_none() { self.unpacked_next() } else { None };
        self.unpacked_result = unpacked;
        let inlined = self.inline_body(id, consumed, operands, |_| true, prepare);
        self.unpacked_result = None;
        if let Some(before) = before {
            if inlined {
                self.join_call(arguments, kwnames, before);
            }
            self.unfinished = None;
        }
        if let (true, Some(count), Some(Item::Tuple(_))) = (inlined, unpacked, self.state.stack.last()) {
            self.took_next = usize::from(self.unpack_tuple(count));
            self.count("unpack_results");
        }
        inlined
    }

    /// Where on the stack the function of a call is, and how many arguments it gets.
    fn function_called(&self, arguments: u32) -> Option<(usize, usize)> {
        let (method, callable) = (self.position(arguments + 2), self.position(arguments + 1));
        let (position, count) = match (self.state.stack.get(method), self.state.stack.get(callable)) {
            (Some(Item::Null), Some(_)) => (callable, arguments),
            (Some(_), Some(_)) => (method, arguments + 1),
            _ => return None,
        };
        Some((position, count as usize))
    }

    /// Before a body that stores: what borrows from a container must not lose it to that.
    pub(super) fn settle_for(&mut self, callee: &Callee) {
        if callee.stores() && self.inlining.is_none() {
            self.settle_volatile();
            self.start.clone_from(&self.state);
        }
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
        let Some(callee) = environment.callee(id).filter(|callee| !callee.is_starred()) else { return false };
        self.settle_for(&callee);
        let Some(mut operands) = self.operands_of_body(container) else { return false };
        if key.is_some() {
            let items = operands.split_off(1);
            self.push_tuple(items);
            operands.push(self.pop());
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
        self.took_next = 1;
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
        let number = self.number(right).or_else(|| self.example_kind(right));
        let is_number = number.is_some() || matches!(right, Item::Number(_));
        if !is_number && likely.is_none_or(|example| example.type_version != version) {
            return false;
        }
        let Some((id, function)) = environment.operator_callee(version, op, in_place) else { return false };
        let Some(callee) = environment.callee(id).filter(|callee| !callee.is_starred()) else { return false };
        let Some(operands) = self.operands_of_body(first) else { return false };
        // `NotImplemented` would have another function be asked.
        let accept = |item: Item| match item {
            Item::Object { py, own, .. } => !py.contains(PyTypes::OTHER) || own == Own::Owned && py == PyTypes::OTHER,
            _ => true,
        };
        self.inline_body(id, 2, operands, accept, |b| {
            match number {
                Some(kind) if matches!(right, Item::Object { .. }) && b.may_guess(Reason::Number) => {
                    b.refine_number(1, kind);
                }
                _ if is_number => b.guard_number(1),
                _ => {
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
        let returns = self.walk_callee(id, callee, consumed, (operands, None), prepare);
        let Some(result) =
            returns.and_then(|returns| self.meet(&state, returns, consumed)).filter(|item| accept(*item))
        else {
            match before {
                Some(before) => self.take_back(before, state),
                None => {
                    self.give_up_body();
                }
            }
            return false;
        };
        self.replace_operands(consumed, result);
        if outer.is_none() {
            self.count("inline_calls");
        }
        true
    }

    /// A result takes the place of the topmost operands of its call; those of a call in a body are the body's caller's.
    pub(super) fn replace_operands(&mut self, consumed: usize, result: Item) {
        for _ in 0..consumed {
            let item = self.pop();
            if self.inlining.is_none() {
                self.release(item);
            }
        }
        self.push(result);
    }

    /// The callee with that number, if its body may be tried here with so many arguments.
    pub(super) fn may_inline(&self, id: u32, arguments: usize) -> Option<Rc<Callee>> {
        let guesses = [Reason::Type, Reason::Version, Reason::Overflow, Reason::Range, Reason::Unseen];
        let callee = self.request.environment.callee(id)?;
        let may = self.request.options.inline_calls
            && guesses.into_iter().all(|reason| self.may_guess(reason))
            && callee.parameters() == arguments
            && (self.request.options.inline_starred || !callee.is_starred())
            && (self.request.options.inline_foreign || !callee.foreign)
            && self.inlining.is_none_or(|outer| outer.depth < MOST_DEPTH);
        may.then_some(callee)
    }

    /// Walks a body with these arguments, the first of which may be known to have a type with some version, and gives the ends of
    /// its paths. `None`: it cannot be inlined.
    pub(super) fn walk_callee(
        &mut self,
        id: u32,
        callee: Rc<Callee>,
        consumed: usize,
        (operands, receiver): (Vec<Item>, Option<u32>),
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
                foreign: None,
                boxed: None,
                below: self.state.stack.len() - consumed,
            },
            Some(outer) => Inlining { callee: id, depth: outer.depth + 1, foreign: None, ..outer },
        });
        environment.names_of(Some(id));
        let lent = self.lend_examples(&callee, &locals, receiver);
        let mut body = Body { callee, returns: Vec::new(), budget: 2 * MOST_INSTRUCTIONS };
        let walked = prepare(self) && self.walk_body(&mut body, 0, locals);
        let possible = walked && self.body_is_possible() && !body.returns.is_empty();
        let effects = body.returns.iter().any(|end| end.effects);
        let boxed = body.returns.iter().find_map(|end| end.boxed);
        environment.names_of(outer.map(|outer| outer.callee));
        self.inlining = outer;
        self.return_examples(lent);
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
        let expected = self.plain_address(callee.address);
        let same = self.compare(Cond::Eq, code, expected);
        self.guard(same, Reason::Version);
        if callee.foreign {
            if let Some(body) = &mut self.inlining {
                body.foreign = Some(function);
            }
            self.count("inline_foreign");
        } else if names_globals(&callee.bytecode) {
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
        if matches!(py, PyTypes::INT | PyTypes::FLOAT) {
            self.constants.insert(value, number);
        }
        self.defined(value, py)
    }

    pub(super) fn body_is_possible(&self) -> bool {
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
