//! Names of module and class bodies, kept raw in loops.
//!
//! *Problem*: code without fast locals keeps its variables in a dictionary that everybody may read and write; storing every
//! intermediate number there costs more than computing it. *Method*: names used in loops are followed by the abstract state
//! next to the locals. Between two places where Python can run nobody sees the dictionary, so a number may be raw in the
//! meantime. What such places find must be right: names are written back before them and forgotten after them; where the
//! place is on a cold path (polls, last releases) they are read and checked again instead, and the hot path stays raw.
//! *Invariants*:
//! - a name in raw form is in the frame's namespace, that namespace is plain (an exact dict of exact strs), and what it holds
//!   there can be released without running Python;
//! - nothing is known of names after Python may have run, except what was checked since, or what [`State::suspect`] says;
//! - whatever reads a namespace dictionary in line, or by a helper without `RUNS_PYTHON`, calls [`Builder::flush_names`] first;
//! - one raw value in several names is written back as one object.

use super::builder::Builder;
use super::state::*;
use super::{BuildError, BuildRequest};
use crate::bytecode::code::{Constant, flags};
use crate::bytecode::instruction::{Offset, Op as Code};
use crate::exit::{Reason, Source};
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Block, Cond, Op, Symbol, Target, Value};
use crate::ir::types::{PyTypes, Ty};
use crate::words::WordMap;

/// More names than this and the later ones are left in their dictionary.
const MAX_NAMES: usize = 48;

/// The names that a build follows, fixed by the bytecode.
#[derive(Default)]
pub(super) struct Names {
    /// Indices in `co_names`.
    pub followed: Vec<u32>,
    places: WordMap<u32, usize>,
    /// Bytecode ranges of the loops whose instructions treat them so.
    loops: Vec<(Offset, Offset)>,
}

impl Names {
    pub fn new(request: &BuildRequest<'_>) -> Names {
        let mut names = Names::default();
        if !request.options.promote_names || !request.options.unbox_loops || request.code.flags & flags::OPTIMIZED != 0
        {
            return names;
        }
        let code = &request.bytecode.instructions;
        for instruction in code {
            if let Some(target) = instruction.op.jump_target()
                && target <= instruction.offset
            {
                names.loops.push((target, instruction.offset));
            }
        }
        if let Some(entry) = &request.loop_entry {
            // Only the outermost loop around the entry: what comes after it runs once.
            let around = names.loops.iter().copied().filter(|(first, last)| (*first..=*last).contains(&entry.offset));
            let around = around.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            names.loops = around.into_iter().collect();
        }
        for instruction in code {
            if let Code::LoadName(name) | Code::StoreName(name) | Code::DeleteName(name) = instruction.op
                && names.covers(instruction.offset)
                && !names.places.contains_key(&name)
                && names.followed.len() < MAX_NAMES
            {
                names.places.insert(name, names.followed.len());
                names.followed.push(name);
            }
        }
        names
    }

    fn covers(&self, offset: Offset) -> bool {
        self.loops.iter().any(|(first, last)| (*first..=*last).contains(&offset))
    }
}

/// Where the hot path and a cold path that ran Python meet, each bringing its raw names.
pub(super) struct NameJoin {
    pub block: Block,
    raws: Vec<(usize, RawKind)>,
    /// Whether the cold path may find other types and says so.
    checked: bool,
}

impl Builder<'_> {
    /// The place of a name in the state, if the current instruction treats it as a followed one.
    fn followed(&self, name: u32) -> Option<usize> {
        let names = &self.plan.names;
        names.places.get(&name).copied().filter(|_| names.covers(self.at.offset))
    }

    fn frame_and_name(&mut self, place: usize) -> Vec<Value> {
        let frame = self.frame();
        let symbol = self.name_symbol(self.plan.names.followed[place]);
        vec![frame, symbol]
    }

    /// Whether anything is known of any name.
    pub fn names_known(&self) -> bool {
        self.state.names.iter().any(|name| *name != Name::Unknown)
    }

    /// Python may have run: nothing is known of names. They must have been written back before.
    pub fn forget_names(&mut self) {
        self.state.names.fill(Name::Unknown);
        self.state.suspect = None;
    }

    /// What the name was when the code was compiled, if it is worth guessing raw.
    pub fn live_kind(&self, place: usize) -> Option<Option<RawKind>> {
        let live = self.request.environment.name_type(self.plan.names.followed[place])?;
        Some(match live.py {
            PyTypes::FLOAT => Some(RawKind::Float),
            PyTypes::INT if !live.big => Some(RawKind::Int),
            PyTypes::BOOL => Some(RawKind::Bool),
            _ => None,
        })
    }

    // ---- instructions ----

    pub fn load_name(&mut self, name: u32) {
        let Some(place) = self.followed(name) else {
            return self.load_named(Helper::LoadName, name);
        };
        if let Name::Raw { raw, .. } = self.state.names[place] {
            self.count("promote_names");
            return self.push(Item::raw(raw));
        }
        if let Some(Some(kind)) = self.live_kind(place)
            && self.may_guess(Reason::Type)
        {
            let same = self.name_is(place, kind);
            self.guard(same, Reason::Type);
            let raw = self.read_name(place, kind);
            self.state.names[place] = Name::Raw { raw, kept: Kept::Clean, constant: None };
            return self.push(Item::raw(raw));
        }
        if !self.may_guess(Reason::Unbound) {
            return self.load_named(Helper::LoadName, name);
        }
        let environment = self.request.environment;
        let big = environment.name_type(name).is_some_and(|live| live.big);
        let args = self.frame_and_name(place);
        let value = self.emit(Op::Call(Helper::LookName, args));
        let null = self.emit(Op::Null(Ty::Obj));
        let bound = self.compare(Cond::Ne, value, null);
        self.guard(bound, Reason::Unbound);
        let (mut known, mut own) = (None, Own::Volatile);
        if self.may_guess(Reason::Version)
            && let Some((builtin, address)) = environment.known_global(name)
        {
            self.addresses.push(address);
            let symbol = Symbol::Address(self.addresses.len() as u32 - 1);
            let expected = self.emit(Op::Symbol(symbol, Ty::Obj));
            let same = self.compare(Cond::Eq, value, expected);
            self.guard(same, Reason::Version);
            (known, own) = (Some(builtin), Own::Permanent);
        }
        self.typed(value, PyTypes::OBJECT);
        self.push(Item::Object { value, own, py: PyTypes::OBJECT, big, known });
    }

    pub fn store_name(&mut self, name: u32) {
        let Some(place) = self.followed(name).filter(|_| self.may_guess(Reason::Type)) else {
            return self.store_named(Helper::StoreName, name);
        };
        let item = self.pop();
        let raw = match item {
            Item::Raw { raw, .. } => {
                // An object that exists is copied as an object: somebody may compare identities.
                if matches!(self.state.names[place], Name::Raw { .. }) && self.boxed_name(raw).is_none() {
                    self.make_raw(place, raw, None);
                    return;
                }
                Some(raw)
            }
            Item::Const(constant) => {
                let raw = match self.request.code.constants[constant as usize] {
                    Constant::Int(_) | Constant::Float(_) | Constant::Bool(_) => self.constant_raw(constant),
                    _ => None,
                };
                if let Some(raw) = raw
                    && matches!(self.state.names[place], Name::Raw { .. })
                {
                    self.make_raw(place, raw, Some(constant));
                    return;
                }
                raw
            }
            _ => None,
        };
        let value = self.own(item);
        self.replace_name(name, place, value, raw);
    }

    pub fn delete_name(&mut self, name: u32) {
        self.delete_named(Helper::DeleteName, name);
    }

    /// A name that has this value and may have an object for it.
    fn boxed_name(&self, raw: Raw) -> Option<usize> {
        let boxed = |name: &Name| match *name {
            Name::Raw { raw: held, kept, constant } => held == raw && (kept != Kept::Dirty || constant.is_some()),
            Name::Unknown => false,
        };
        self.state.names.iter().position(boxed)
    }

    /// Before a name changes: stack items that have its value get the object that it has for it.
    fn detach_name(&mut self, place: usize) {
        let Name::Raw { raw, .. } = self.state.names[place] else { return };
        if self.boxed_name(raw).is_none() {
            return;
        }
        for position in 0..self.state.stack.len() {
            if self.state.stack[position].is_raw(raw) {
                self.own_at(position);
            }
        }
    }

    /// The name has a new raw value, which its dictionary does not know of.
    fn make_raw(&mut self, place: usize, raw: Raw, constant: Option<u32>) {
        self.detach_name(place);
        self.state.names[place] = Name::Raw { raw, kept: Kept::Dirty, constant };
        self.count("promote_names");
    }

    /// Stores an object that the caller owns; `raw` is its value if that is known.
    fn replace_name(&mut self, name: u32, place: usize, value: Value, raw: Option<Raw>) {
        self.settle_names();
        self.settle_volatile();
        let mut args = self.frame_and_name(place);
        args.push(value);
        let done = self.emit(Op::Call(Helper::ReplaceName, args));
        let general = self.branch(done, true);
        self.effect(Op::Decref(value));
        // What is in the dictionary of it does not matter any more.
        self.state.names[place] = Name::Unknown;
        let before = self.state.clone();
        if let Some(raw) = raw {
            self.state.names[place] = Name::Raw { raw, kept: Kept::Clean, constant: None };
        }
        let join = self.join_names(true);
        self.goto_names(&join, None);
        self.aside(general, |b| {
            b.state = before;
            let frame = b.frame();
            let symbol = b.name_symbol(name);
            b.call_status(Helper::StoreName, vec![frame, symbol, value]);
            let right = b.refresh_names(&join);
            b.goto_names(&join, Some(right));
        });
        self.enter_names(join);
    }

    // ---- reading ----

    /// Whether the name's value has that kind now. Changes nothing, so that a guard may follow.
    fn name_is(&mut self, place: usize, kind: RawKind) -> Value {
        let args = self.frame_and_name(place);
        let found = self.emit(Op::Call(Helper::NameKind, args));
        let expected = self.int(match kind {
            RawKind::Float => 1,
            RawKind::Int => 2,
            RawKind::Bool => 3,
        });
        self.compare(Cond::Eq, found, expected)
    }

    fn read_name(&mut self, place: usize, kind: RawKind) -> Raw {
        let args = self.frame_and_name(place);
        let helper = if kind == RawKind::Float { Helper::NameFloat } else { Helper::NameInt };
        kind.with(self.emit(Op::Call(helper, args)))
    }

    /// On an edge to a merge that wants the name raw: guards that it is and reads it.
    pub fn name_for_merge(&mut self, place: usize, kind: RawKind) -> Raw {
        if let Name::Raw { raw, .. } = self.state.names[place] {
            return raw;
        }
        let same = self.name_is(place, kind);
        self.guard(same, Reason::Type);
        let raw = self.read_name(place, kind);
        self.state.names[place] = Name::Raw { raw, kept: Kept::Clean, constant: None };
        raw
    }

    /// A new reference to the object of a raw value that some name has: the name's own object.
    pub fn own_name(&mut self, raw: Raw) -> Option<Value> {
        if self.state.suspect.is_some() {
            return None;
        }
        let held = |name: &Name| matches!(name, Name::Raw { raw: held, .. } if *held == raw);
        let place = self.boxed_name(raw).or_else(|| self.state.names.iter().position(held))?;
        self.flush_names();
        let args = self.frame_and_name(place);
        let value = self.emit(Op::Call(Helper::PeekName, args));
        self.typed(value, raw.py());
        self.effect(Op::Incref(value));
        Some(value)
    }

    // ---- writing back ----

    /// Writes every name back to the dictionary.
    pub fn flush_names(&mut self) {
        let Some(right) = self.state.suspect.take() else {
            for place in 0..self.state.names.len() {
                self.flush_name(place);
            }
            return;
        };
        if self.state.names.iter().any(|name| name.is_dirty()) {
            // Python ran in the middle of this instruction and may have changed what names are: then they are right.
            let wrong = self.branch(right, true);
            let done = self.function.new_block();
            self.flush_names();
            self.goto(done);
            self.aside(wrong, |b| b.goto(done));
            self.block = done;
        }
        self.forget_names();
    }

    /// Writes a name back, and all that share its value.
    fn flush_name(&mut self, place: usize) {
        let Name::Raw { raw, kept, constant } = self.state.names[place] else { return };
        if kept == Kept::Clean {
            return;
        }
        self.settle_volatile();
        let shares = |name: &Name| matches!(name, Name::Raw { raw: other, .. } if *other == raw);
        let clean = |name: &Name| matches!(name, Name::Raw { kept: Kept::Clean, .. });
        let source = self.state.names.iter().position(|name| shares(name) && clean(name));
        let mut args = self.frame_and_name(place);
        if let Some(constant) = constant {
            let value = self.object(Item::Const(constant));
            args.push(value);
            self.emit(Op::Call(Helper::ReplaceName, args));
        } else if let Some(source) = source {
            let from = self.frame_and_name(source);
            let value = self.emit(Op::Call(Helper::PeekName, from));
            self.typed(value, raw.py());
            args.push(value);
            self.emit(Op::Call(Helper::ReplaceName, args));
        } else {
            let (helper, value) = match raw {
                Raw::Float(v) => (Helper::FlushNameFloat, v),
                Raw::Int(v) => (Helper::FlushNameInt, v),
                Raw::Bool(v) => (Helper::FlushNameBool, v),
            };
            args.push(value);
            self.effect(Op::Call(helper, args));
        }
        self.state.names[place] = Name::Raw { raw, kept: Kept::Clean, constant: None };
        for other in 0..self.state.names.len() {
            if shares(&self.state.names[other]) {
                self.flush_name(other);
            }
        }
    }

    /// Before a merge: writes back the names that go on in the dictionary, and those whose object a later box would not be.
    pub fn flush_names_for(&mut self, shapes: &[NameShape]) {
        for (place, shape) in shapes.iter().enumerate() {
            let Name::Raw { raw, constant, .. } = self.state.names[place] else { continue };
            let shared = self.state.names.iter().filter(|name| matches!(name, Name::Raw { raw: r, .. } if *r == raw));
            let shared = shared.count() > 1;
            let special = constant.is_some_and(|constant| match self.request.code.constants[constant as usize] {
                Constant::Int(value) => !(-5..=256).contains(&value),
                Constant::Bool(_) => false,
                _ => true,
            });
            if !matches!(shape, NameShape::Raw(_)) || shared || special {
                self.flush_name(place);
            }
        }
    }

    // ---- cold paths that run Python ----

    /// A block where the names that are raw now meet those of a cold path.
    pub fn join_names(&mut self, checked: bool) -> NameJoin {
        let raws: Vec<(usize, RawKind)> = (0..self.state.names.len())
            .filter_map(|place| match self.state.names[place] {
                Name::Raw { raw, .. } => Some((place, raw.kind())),
                Name::Unknown => None,
            })
            .collect();
        let block = self.new_join();
        let checked = checked && !raws.is_empty();
        for (_, kind) in &raws {
            self.function.add_param(block, kind.ty());
        }
        if checked {
            self.function.add_param(block, Ty::I64);
        }
        NameJoin { block, raws, checked }
    }

    /// Goes to the join with the raw names of the current state; `right`: 0 when they are not what they should be.
    pub fn goto_names(&mut self, join: &NameJoin, right: Option<Value>) {
        let mut args = Vec::new();
        for (place, _) in &join.raws {
            match self.state.names[*place] {
                Name::Raw { raw, .. } => args.push(raw.value()),
                Name::Unknown => unreachable!("raw names stay raw up to their join"),
            }
        }
        if join.checked {
            let right = right.or(self.state.suspect).unwrap_or_else(|| self.int(1));
            args.push(right);
        }
        self.push_inst(Op::Jump(Target { block: join.block, args }), None);
    }

    /// Goes on at the join, in the state of the hot path.
    pub fn enter_names(&mut self, join: NameJoin) {
        self.block = join.block;
        let params = self.function.blocks[join.block.0 as usize].params.clone();
        for ((place, kind), param) in join.raws.iter().zip(&params) {
            if let Name::Raw { kept, .. } = self.state.names[*place] {
                let kept = if kept == Kept::Clean { Kept::Clean } else { Kept::Unsure };
                self.state.names[*place] = Name::Raw { raw: kind.with(*param), kept, constant: None };
            }
        }
        if join.checked {
            self.state.suspect = params.last().copied();
        }
    }

    /// After Python ran on a cold path: reads the names that the hot path has raw. Gives whether their types are the same.
    pub fn refresh_names(&mut self, join: &NameJoin) -> Value {
        let mut right = self.int(1);
        for &(place, kind) in &join.raws {
            let same = self.name_is(place, kind);
            right = self.binary(BinOp::And, right, same);
            let raw = self.read_name(place, kind);
            self.state.names[place] = Name::Raw { raw, kept: Kept::Clean, constant: None };
        }
        right
    }

    /// Where a release that may run Python follows: if guessing has failed here, the hot path writes names back too.
    pub fn settle_names(&mut self) {
        if self.names_known() && !self.may_guess(Reason::Type) {
            self.flush_names();
            self.forget_names();
        }
        // Beyond the join a stack item is not the value of its name any more.
        for place in 0..self.state.names.len() {
            self.detach_name(place);
        }
        let constants = |name: &Name| matches!(name, Name::Raw { constant: Some(_), .. });
        if self.state.suspect.is_none() && self.state.names.iter().any(constants) {
            self.flush_names();
        }
    }

    /// Between instructions: leaves to `offset` if Python ran in the middle of the last one and changed the type of a name.
    pub fn settle_suspect(&mut self, offset: Offset) {
        let Some(right) = self.state.suspect.take() else { return };
        // No guard: its exit would be wrong where the condition holds, and guards are made to fail for the sake of it.
        let wrong = self.branch(right, true);
        self.aside(wrong, |b| {
            b.forget_names();
            let state = b.state.clone();
            let leave = b.leave_with(&state, offset, Reason::Type);
            b.terminate(Op::Leave(leave));
        });
    }

    /// The names that an exit with this state writes back: those that are not right in the dictionary, and those whose object
    /// the stack shares.
    pub fn names_of_exit(&mut self, state: &State, values: &mut Vec<Value>) -> Vec<(u32, Source)> {
        if state.suspect.is_some() {
            self.error.get_or_insert(BuildError::Invariant("an exit where names are not known".into()));
        }
        let mut names = Vec::new();
        for (place, name) in state.names.iter().enumerate() {
            let Name::Raw { raw, constant, .. } = *name else { continue };
            let index = values.iter().position(|value| *value == raw.value());
            if !name.is_dirty() && index.is_none() {
                continue;
            }
            let source = match (constant, raw) {
                (Some(constant), _) => Source::Const(constant),
                (None, raw) => {
                    let index = index.unwrap_or_else(|| {
                        values.push(raw.value());
                        values.len() - 1
                    });
                    raw.source(index as u32)
                }
            };
            names.push((self.plan.names.followed[place], source));
        }
        names
    }
}
