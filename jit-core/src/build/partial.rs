//! Inlined bodies of which only some paths can be inlined: the others make the call.
//!
//! *Problem*: a small method often has a rare path that does what a body must not do: a call of itself, a loop, two stores.
//! *Method*: before each instruction that may turn out to be impossible, a path that has had no effect yet remembers where it
//! stands ([`Point`]). When it cannot go on, what was emitted since is taken out, and the path ends there. All such ends go to
//! one block, which makes the outermost call as if nothing had been tried, and joins the paths that were inlined.
//! *Invariants*:
//! - a path that makes the call has had no effect, as one that leaves;
//! - behind the join the state is that before the call, but for the operands: locals that the call's side wrote to their slots
//!   count as not written, which is always allowed, and what borrows from containers has references of its own on both sides;
//! - a body of which no path comes to an end is not inlined.

use super::bodies::Body;
use super::builder::Builder;
use super::inlining::{Inlining, Mark};
use super::instances::Instance;
use super::parameters::Arranged;
use super::state::*;
use crate::exit::Reason;
use crate::ir::op::{Block, Cond, Op, Target, Value};
use crate::ir::types::{PyTypes, Ty};

/// A place in a body from which the call can still be made.
pub(super) struct Point {
    mark: Mark,
    state: State,
    inlining: Option<Inlining>,
    instance: Option<Instance>,
    returns: usize,
    unfinished: usize,
}

/// What a call was before its body was tried.
pub(super) struct Before {
    state: State,
    ip_set: bool,
}

/// One of the functions that a call may reach.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub address: u64,
    /// The number of its body.
    pub callee: u32,
    /// Of the types for which it is chosen, at least one.
    pub versions: Vec<u32>,
}

impl Builder<'_> {
    /// Prepares for paths that make the call of the topmost `consumed` items, where that is possible.
    pub(super) fn begin_partial(&mut self, consumed: usize) -> Option<Before> {
        if self.inlining.is_some() {
            return None;
        }
        let below = self.state.stack.len().checked_sub(consumed)?;
        let (below, operands) = self.state.stack.split_at(below);
        // A raw operand becomes an object for the call only; nothing else may stand for the same object.
        let shared = |item: &Item| match item {
            Item::Raw { raw, .. } => below.iter().any(|other| other.is_raw(*raw)),
            Item::Number(_) => below.contains(item),
            _ => false,
        };
        let possible = self.request.options.inline_partial
            && self.state.names.is_empty()
            && self.state.suspect.is_none()
            && !operands.iter().any(shared);
        self.unfinished = possible.then(Vec::new);
        possible.then(|| Before { state: self.state.clone(), ip_set: self.ip_set })
    }

    /// Where the path that is walked stands, if the call can be made from here.
    pub(super) fn point(&self, body: &Body) -> Option<Point> {
        let unfinished = self.unfinished.as_ref()?.len();
        let inlining = self.inlining.filter(|body| body.possible && !body.effects)?;
        Some(Point {
            mark: self.mark(),
            state: self.state.clone(),
            inlining: Some(inlining),
            instance: self.instance.clone(),
            returns: body.returns.len(),
            unfinished,
        })
    }

    /// Ends a path that cannot go on where it last could make the call. `false`: it never could.
    pub(super) fn call_from(&mut self, body: &mut Body, point: Option<Point>) -> bool {
        let Some(Point { mark, state, inlining, instance, returns, unfinished }) = point else { return false };
        self.take_back(mark, state);
        (self.inlining, self.instance) = (inlining, instance);
        body.returns.truncate(returns);
        let block = self.block;
        let Some(paths) = &mut self.unfinished else { return false };
        paths.truncate(unfinished);
        paths.push(block);
        true
    }

    /// Goes on where a condition holds that usually does. Elsewhere the path makes the call, or leaves where it cannot.
    pub(super) fn guard_usual(&mut self, condition: Value) {
        if self.unfinished.is_none() || self.inlining.is_none_or(|body| body.effects) {
            self.guard(condition, Reason::Unseen);
            return;
        }
        let other = self.branch(condition, true);
        self.unfinished.get_or_insert_default().push(other);
    }

    /// Puts the bodies of functions in the place of a call that reaches one of them, or else makes the call. `false`: nothing was
    /// emitted, or this is a body itself and cannot be inlined.
    pub(super) fn inline_choices(
        &mut self,
        function: Value,
        choices: &[Choice],
        first: usize,
        (arguments, kwnames): (u32, Option<u32>),
    ) -> bool {
        let environment = self.request.environment;
        let callees: Vec<_> =
            choices.iter().filter_map(|choice| Some((choice, environment.callee(choice.callee)?))).collect();
        for (_, callee) in &callees {
            self.settle_for(callee);
        }
        let consumed = arguments as usize + 2;
        let nested = self.inlining;
        let before = match nested {
            Some(body) if self.unfinished.is_none() || body.effects => return false,
            Some(_) => None,
            None => {
                let Some(before) = self.begin_partial(consumed) else { return false };
                Some((before, self.mark()))
            }
        };
        let state = self.state.clone();
        let mut returns = Vec::new();
        for (Choice { address, callee: id, versions }, callee) in callees {
            let Some(Arranged { operands, needed }) = self.arranged_operands(&callee, first, kwnames) else { continue };
            if self.may_inline(*id, operands.len()).is_none() {
                continue;
            }
            let expected = self.address(*address);
            let same = self.compare(Cond::Eq, function, expected);
            let other = self.branch(same, false);
            let stuck = self.mark();
            let paths = self.unfinished.as_ref().map_or(0, Vec::len);
            if let Some(Item::Object { value, .. }) = operands.first() {
                self.narrowed.push((*value, versions.clone()));
            }
            let narrowed = operands.first().is_some_and(|operand| matches!(operand, Item::Object { .. }));
            let walked = self.walk_callee(*id, callee.clone(), consumed, (operands, versions.first().copied()), |b| {
                b.guard_callee(expected, PyTypes::FUNCTION, &callee);
                b.guard_defaults(expected, &callee, needed);
                true
            });
            if narrowed {
                self.narrowed.pop();
            }
            match walked {
                Some(ends) => returns.extend(ends),
                None => {
                    self.take_back(stuck, state.clone());
                    let block = self.block;
                    if let Some(unfinished) = &mut self.unfinished {
                        unfinished.truncate(paths);
                        unfinished.push(block);
                    }
                }
            }
            self.block = other;
            self.state = state.clone();
            self.inlining = nested;
        }
        let block = self.block;
        self.unfinished.get_or_insert_default().push(block);
        let effects = returns.iter().any(|end| end.effects);
        let boxed = returns.iter().find_map(|end| end.boxed);
        if let Some(body) = &mut self.inlining {
            body.effects |= effects;
            body.boxed = body.boxed.or(boxed);
        }
        let result = if returns.is_empty() { None } else { self.meet(&state, returns, consumed) };
        let Some(result) = result else {
            match before {
                Some((_, mark)) => {
                    self.take_back(mark, state);
                    self.unfinished = None;
                }
                None => {
                    self.give_up_body();
                }
            }
            return false;
        };
        self.replace_operands(consumed, result);
        if let Some((before, _)) = before {
            self.count("inline_calls");
            self.join_call(arguments, kwnames, before);
            self.unfinished = None;
        }
        true
    }

    /// The body's result is the topmost item: joins it with that of the call, which the unfinished paths make.
    pub(super) fn join_call(&mut self, arguments: u32, kwnames: Option<u32>, before: Before) {
        let Some(paths) = self.unfinished.take().filter(|paths| !paths.is_empty()) else { return };
        self.settle_volatile();
        let result = self.pop();
        let (call, join) = (self.function.new_block(), self.function.new_block());
        let raw = match result {
            Item::Raw { raw, .. } => Some(raw),
            _ => None,
        };
        let param = self.function.add_param(join, raw.map_or(Ty::Obj, Raw::ty));
        let jump = |block, args| Op::Jump(Target { block, args });
        let value = match raw {
            Some(raw) => raw.value(),
            None => self.own(result),
        };
        self.push_inst(jump(join, vec![value]), None);
        for path in paths {
            self.block = path;
            self.push_inst(jump(call, vec![]), None);
        }
        let Before { state, ip_set } = before;
        self.state.locals.clone_from(&state.locals);
        let below = self.state.stack.clone();
        self.aside(call, |b| {
            b.state = state;
            b.ip_set = ip_set;
            b.make_call(arguments, kwnames, PyTypes::OBJECT);
            let mut value = b.object(b.state.stack[b.position(1)]);
            if let Some(raw) = raw {
                let (after, next) = (b.state.clone(), b.at.next);
                let leave = b.leave_with(&after, next, Reason::Type);
                b.effect(Op::GuardType(value, raw.py(), leave));
                let number = match raw.kind() {
                    RawKind::Float => b.emit(Op::UnboxFloat(value)),
                    RawKind::Bool => b.emit(Op::UnboxBool(value)),
                    RawKind::Int => {
                        let leave = b.leave_with(&after, next, Reason::Overflow);
                        b.emit(Op::UnboxInt(value, leave))
                    }
                };
                b.effect(Op::Decref(value));
                value = number;
            }
            b.release_objects_of(&below);
            b.push_inst(jump(join, vec![value]), None);
        });
        self.block = join;
        match raw {
            Some(raw) => self.push(Item::raw(raw.kind().with(param))),
            None => {
                self.defined(param, PyTypes::OBJECT);
                self.push(Item::owned(param, PyTypes::OBJECT));
            }
        }
        self.count("inline_partial");
    }

    /// Before a call, raw numbers that the stack has in common with locals became objects with a reference for each item. Where
    /// the items are still raw on the other side of the join, nobody has these references.
    fn release_objects_of(&mut self, below: &[Item]) {
        for (position, item) in below.iter().enumerate() {
            if let Item::Raw { .. } | Item::Number(_) = item
                && let Item::Object { value, own: Own::Owned, .. } = self.state.stack[position]
            {
                self.effect(Op::Decref(value));
            }
        }
    }
}

/// Blocks from which paths of the body that is walked make the call.
pub(super) type Unfinished = Option<Vec<Block>>;
