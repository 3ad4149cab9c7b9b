//! Edges between bytecode blocks, and the shapes in which they merge.
//!
//! *Problem*: what arrives at a block over several edges differs in what is known of it and in how it is represented; the
//! block's code is emitted once. *Method*: an edge waits in `pending`, with its state, until its target is entered. Entering
//! a block joins the shapes of all that waits, gives it a parameter for each value the shape does not leave in a slot, and
//! converts every waiting edge to the shape. A block with a single predecessor simply continues its state. An edge to a
//! block that was entered before (a back edge) has to fit that block's shape; if it does not, the shape is widened for
//! another walk. *Invariants*:
//! - an edge passes arguments in the order of the parameters: stack items, then locals, then names;
//! - a conversion emits its guards before its effects; they leave to the first instruction of the target;
//! - shapes only widen from walk to walk;
//! - a merge tells copies of a raw value apart, so those whose identity can be compared get their common object before. What
//!   the target's first instruction computes with, numbers both, cannot: it arrives raw where any edge brings it raw.

use super::builder::Builder;
use super::items::constant_types;
use super::locals::holds;
use super::state::*;
use crate::bytecode::code::Constant;
use crate::bytecode::instruction::{Arithmetic, Offset, Op as Code};
use crate::exit::Reason;
use crate::flow::graph::FlowGraph;
use crate::flow::liveness::Liveness;
use crate::ir::op::{Block, Op, Target, Value};
use crate::ir::types::{PyTypes, Ty};

/// An edge that waits for its target to be entered.
pub(super) struct Edge {
    pub from: Block,
    pub state: State,
    /// Blocks of the exceptional path pass the exception on.
    pub cold: bool,
}

impl Builder<'_> {
    fn allow_raw(&self, target: Offset) -> bool {
        self.request.options.unbox_loops && !self.give_up && !self.request.generalised.contains(&(target, Reason::Type))
    }

    /// Whether what arrives as an object may be unboxed on an edge; ints that did not fit forbid it.
    fn allow_unboxing(&self, target: Offset) -> bool {
        self.allow_raw(target) && !self.request.generalised.contains(&(target, Reason::Overflow))
    }

    /// Whether what arrives as an int over one edge and as a float over another may be a number of either kind: if anything
    /// computes with it, and ints were small enough.
    fn allow_number(&self, target: Offset, local: u32) -> bool {
        self.allow_unboxing(target)
            && self.request.options.speculate
            && self.plan.computes[local as usize]
            && !self.request.generalised.contains(&(target, Reason::Range))
    }

    fn joined(&self, target: Offset, a: &Shape, b: &Shape) -> Shape {
        let allow_number = |local| self.allow_number(target, local);
        a.join(b, self.allow_raw(target), self.allow_unboxing(target), allow_number, self.consumed(target))
    }

    /// How many items at the top of the stack the first instruction of a block takes as operands of arithmetic.
    fn consumed(&self, target: Offset) -> usize {
        let index = self.request.bytecode.index_at(target);
        match index.map(|index| &self.request.bytecode.instructions[index].op) {
            Some(Code::BinaryOp { op: Arithmetic::MatrixMultiply | Arithmetic::Power, .. }) => 0,
            Some(Code::BinaryOp { .. } | Code::CompareOp(_)) => 2,
            _ => 0,
        }
    }

    /// Control goes to a bytecode block with the current state.
    pub fn edge_to(&mut self, target: Offset) {
        self.edge_from(target, false);
    }

    pub fn edge_from(&mut self, target: Offset, cold: bool) {
        self.settle_suspect(target);
        self.reachable = false;
        let edge = Edge { from: self.block, state: self.state.clone(), cold };
        if let Some(&block) = self.entered.get(&target) {
            // A back edge: the shape is fixed in this walk.
            let shape = self.offered(target, &edge.state);
            let expected = &self.shapes[&target];
            let joined = self.joined(target, expected, &shape);
            if joined != *expected {
                self.shapes.insert(target, joined);
                self.widened = true;
                self.terminate(Op::Unreachable);
            } else {
                self.convert(edge, target, block);
            }
        } else {
            self.pending.entry(target).or_default().push(edge);
        }
    }

    /// The shape in which a state would arrive if nothing else did.
    fn offered(&self, target: Offset, state: &State) -> Shape {
        let constants = &self.request.code.constants;
        let mut shape = state.shape(self.allow_raw(target), |i| {
            let constant = &constants[i as usize];
            (constant_types(constant), matches!(constant, Constant::BigInt))
        });
        let computed = state.stack.len().saturating_sub(self.consumed(target));
        let numbers = state.stack[computed..].iter().all(|item| self.number(*item).is_some());
        for (position, item) in state.stack.iter().enumerate() {
            if let Item::Raw { raw, .. } = *item
                && !(numbers && position >= computed)
                && self.is_shared(target, state, raw)
            {
                shape.stack[position] = ItemShape::Object { py: raw.py(), big: false, known: None };
            }
        }
        for (place, name) in shape.names.iter_mut().enumerate() {
            // What it was when the code was compiled tells whether other ways here can bring it raw.
            if let NameShape::Raw(kind) = *name
                && (self.give_up || self.live_kind(place).is_some_and(|live| live != Some(kind)))
            {
                *name = NameShape::Dictionary;
            }
        }
        if self.give_up {
            for local in &mut shape.locals {
                *local = LocalShape::Slot { py: PyTypes::all(), big: true };
            }
            for item in &mut shape.stack {
                if let ItemShape::Object { py, known, .. } = item {
                    *py |= PyTypes::OBJECT;
                    *known = None;
                }
            }
        }
        shape
    }

    pub fn enter_block(&mut self, offset: Offset, mut edges: Vec<Edge>) {
        self.unwinds.clear();
        if edges.len() == 1 && !self.plan.merges.contains(&offset) && !self.shapes.contains_key(&offset) {
            let edge = edges.remove(0);
            self.block = edge.from;
            self.state = edge.state;
            self.describe(offset);
            return;
        }
        let mut shape = self.shapes.get(&offset).cloned();
        for edge in &edges {
            let offered = self.offered(offset, &edge.state);
            shape = Some(match shape {
                Some(shape) => self.joined(offset, &shape, &offered),
                None => offered,
            });
        }
        let shape = shape.expect("a block is entered over an edge");
        let block = self.function.new_block();
        self.shapes.insert(offset, shape.clone());
        self.entered.insert(offset, block);
        // Parameters, in the order in which `convert` passes arguments.
        let mut state = State::new(Vec::new(), shape.names.len());
        for item in &shape.stack {
            state.stack.push(match *item {
                ItemShape::Null => Item::Null,
                ItemShape::Object { py, big, known } => {
                    let value = self.function.add_param(block, Ty::Obj);
                    self.function.values[value.0 as usize].py = py;
                    Item::Object { value, own: Own::Owned, py, big, known }
                }
                ItemShape::Raw(kind) => Item::raw(kind.with(self.function.add_param(block, kind.ty()))),
                ItemShape::RangeIter => {
                    let iter = self.function.add_param(block, Ty::Obj);
                    self.function.values[iter.0 as usize].py = PyTypes::RANGE_ITER;
                    Item::RangeIter { iter, index: self.function.add_param(block, Ty::I64) }
                }
            });
        }
        for (i, local) in shape.locals.iter().enumerate() {
            state.locals.push(match *local {
                LocalShape::Slot { py, big } => Local { form: Form::Slot { value: None }, py, big },
                LocalShape::Raw(kind) => {
                    self.count("unbox_loops");
                    let raw = kind.with(self.function.add_param(block, kind.ty()));
                    self.merged.insert(raw.value(), i as u32);
                    Local { form: Form::Raw { raw, dirty: true }, py: kind.py(), big: false }
                }
                LocalShape::Number => {
                    self.count("mixed_locals");
                    let value = self.function.add_param(block, Ty::F64);
                    let is_int = self.function.add_param(block, Ty::I64);
                    Local { form: Form::Number(Number { value, is_int }), py: NUMBER, big: false }
                }
                LocalShape::MaybeRaw(kind) => {
                    self.count("unbox_loops");
                    let raw = kind.with(self.function.add_param(block, kind.ty()));
                    let bound = self.function.add_param(block, Ty::I64);
                    self.merged.insert(raw.value(), i as u32);
                    Local { form: Form::MaybeRaw { raw, bound }, py: kind.py() | PyTypes::NULL, big: false }
                }
            });
        }
        for (place, name) in shape.names.iter().enumerate() {
            if let NameShape::Raw(kind) = *name {
                self.count("promote_names");
                let raw = kind.with(self.function.add_param(block, kind.ty()));
                state.names[place] = Name::Raw { raw, kept: Kept::Unsure, constant: None };
            }
        }
        let cold = edges.iter().all(|edge| edge.cold);
        self.function.blocks[block.0 as usize].cold = cold;
        for edge in edges {
            self.convert(edge, offset, block);
        }
        self.block = block;
        self.state = state;
        self.describe(offset);
    }

    /// Writes the state at the start of a block down, for `dump`.
    fn describe(&mut self, offset: Offset) {
        use std::fmt::Write;
        if !self.request.describe {
            return;
        }
        let _ = write!(self.types, "{offset:>5} {:?}: stack [", self.block);
        for item in &self.state.stack {
            let _ = match item {
                Item::Null => write!(self.types, " null"),
                Item::Const(i) => write!(self.types, " const#{i}"),
                Item::Object { value, py, .. } => write!(self.types, " {value:?}:{}", describe_types(*py)),
                Item::Raw { raw, .. } => write!(self.types, " {:?}:raw {}", raw.value(), describe_types(raw.py())),
                Item::Number(Number { value, is_int }) => {
                    write!(self.types, " {value:?}:raw float, an int if {is_int:?}")
                }
                Item::RangeIter { iter, index } => write!(self.types, " {iter:?}:range at {index:?}"),
                Item::Tuple(number) => write!(self.types, " tuple#{number}"),
                Item::NoKeywords => write!(self.types, " no keywords"),
                Item::Instance => write!(self.types, " instance"),
            };
        }
        let _ = write!(self.types, " ] locals [");
        for (i, local) in self.state.locals.iter().enumerate() {
            let name = self.request.code.locals_plus_names.get(i).map_or("?", String::as_str);
            let _ = match local.form {
                Form::Slot { .. } => write!(self.types, " {name}:{}", describe_types(local.py)),
                Form::Raw { raw, .. } => {
                    write!(self.types, " {name}={:?}:raw {}", raw.value(), describe_types(local.py))
                }
                Form::MaybeRaw { raw, bound } => {
                    write!(self.types, " {name}={:?}:raw {} if {bound:?}", raw.value(), describe_types(local.py))
                }
                Form::Number(Number { value, is_int }) => {
                    write!(self.types, " {name}={value:?}:raw float, an int if {is_int:?}")
                }
            };
        }
        self.types.push_str(" ]");
        if self.names_known() {
            self.types.push_str(" names [");
            for (name, place) in self.state.names.iter().zip(&self.plan.names.followed) {
                if let Name::Raw { raw, .. } = name {
                    let text = self.request.code.names.get(*place as usize).map_or("?", String::as_str);
                    let _ = write!(self.types, " {text}={:?}:raw {}", raw.value(), describe_types(raw.py()));
                }
            }
            self.types.push_str(" ]");
        }
        self.types.push('\n');
    }

    /// Edges against the order to blocks that nothing else reached: the next walk enters them with this shape.
    pub fn carry_over(&mut self) {
        for (target, edges) in std::mem::take(&mut self.pending) {
            self.widened = true;
            for edge in edges {
                let offered = self.offered(target, &edge.state);
                let shape = match self.shapes.get(&target) {
                    Some(shape) => self.joined(target, shape, &offered),
                    None => offered,
                };
                self.shapes.insert(target, shape);
            }
        }
    }

    /// Emits, at the end of an edge, what turns its state into the target's shape, and the jump.
    fn convert(&mut self, edge: Edge, target: Offset, block: Block) {
        let shape = self.shapes[&target].clone();
        self.block = edge.from;
        let outer = std::mem::replace(&mut self.state, edge.state);
        let saved = (self.at.clone(), self.start.clone(), self.ip_set);
        self.ip_set = true;
        // Guards of the conversion leave to the target's own first instruction.
        if let Some(index) = self.request.bytecode.index_at(target) {
            self.at = self.request.bytecode.instructions[index].clone();
        }
        let mut args = Vec::new();
        // Locals first: flushing one may give items that copy it their object. Guards come before effects.
        self.start = self.state.clone();
        let mut raws: Vec<Option<(Raw, Option<Value>)>> = vec![None; shape.locals.len()];
        for (i, expected) in shape.locals.iter().enumerate() {
            if *expected == LocalShape::Number {
                let Number { value, is_int } = self.number_of_local(i as u32);
                raws[i] = Some((Raw::Float(value), Some(is_int)));
            }
            if let LocalShape::Raw(kind) | LocalShape::MaybeRaw(kind) = *expected {
                let maybe = matches!(expected, LocalShape::MaybeRaw(_));
                let (raw, bound) = match self.state.locals[i] {
                    Local { form: Form::Raw { raw, .. }, .. } => (raw, None),
                    Local { form: Form::MaybeRaw { raw, bound }, .. } => (raw, Some(bound)),
                    Local { form: Form::Slot { .. }, py: PyTypes::NULL, .. } => {
                        let nothing = match kind {
                            RawKind::Float => self.emit(Op::FConst(0)),
                            _ => self.int(0),
                        };
                        (kind.with(nothing), Some(self.int(0)))
                    }
                    _ => {
                        let value = self.local_object(i as u32);
                        (self.unbox(value, kind), None)
                    }
                };
                let bound = match bound {
                    None if maybe => Some(self.int(1)),
                    _ => bound,
                };
                raws[i] = Some((raw, bound));
            }
        }
        // By position. What follows may box items that are raw here, since others share their object.
        let mut raw_items: Vec<Option<Raw>> = vec![None; shape.stack.len()];
        for (i, expected) in shape.stack.iter().enumerate() {
            if let ItemShape::Raw(kind) = *expected {
                raw_items[i] = match self.state.stack[i] {
                    Item::Raw { raw, .. } => Some(raw),
                    Item::Const(constant) => self.constant_raw(constant),
                    Item::Object { value, .. } => Some(self.unbox(value, kind)),
                    _ => None,
                };
            }
        }
        for (place, expected) in shape.names.iter().enumerate() {
            if let NameShape::Raw(kind) = *expected {
                self.name_for_merge(place, kind);
            }
        }
        for (i, expected) in shape.locals.iter().enumerate() {
            if let LocalShape::Slot { .. } = expected {
                self.flush_local(i as u32);
            }
        }
        self.flush_names_for(&shape.names);
        self.settle_copies(target);
        for (i, raw) in raw_items.into_iter().enumerate() {
            match shape.stack[i] {
                ItemShape::Null => {}
                ItemShape::Raw(_) => {
                    let raw = raw.expect("what joins to a raw item is raw or a number");
                    args.push(raw.value());
                    let item = std::mem::replace(&mut self.state.stack[i], Item::raw(raw));
                    self.release(item);
                }
                ItemShape::RangeIter => {
                    let Item::RangeIter { iter, index } = self.state.stack[i] else {
                        unreachable!("shape above the item")
                    };
                    args.extend([iter, index]);
                }
                ItemShape::Object { .. } => {
                    args.push(self.own_at(i));
                }
            }
        }
        for (raw, bound) in raws.into_iter().flatten() {
            args.push(raw.value());
            args.extend(bound);
        }
        for (name, expected) in self.state.names.iter().zip(&shape.names) {
            if let (Name::Raw { raw, .. }, NameShape::Raw(_)) = (name, expected) {
                args.push(raw.value());
            }
        }
        self.terminate(Op::Jump(Target { block, args }));
        (self.at, self.start, self.ip_set) = saved;
        self.state = outer;
    }

    /// Locals that hold the same raw value are told apart by a merge. If more than one of them is still read behind it,
    /// their slots get their common object before, which they keep as long as they keep the value.
    fn settle_copies(&mut self, target: Offset) {
        for i in 0..self.state.locals.len() {
            let Form::Raw { raw, dirty: true } = self.state.locals[i].form else { continue };
            if matches!(raw, Raw::Bool(_)) {
                continue;
            }
            let locals = (i as u32..).zip(&self.state.locals[i..]);
            let copies: Vec<u32> = locals.filter(|(_, local)| holds(local, raw)).map(|(i, _)| i).collect();
            let seen = |local: &&u32| !self.only_computes(**local) && self.is_live(target, **local);
            if copies.len() > 1 && copies.iter().filter(seen).count() > 1 {
                for local in copies {
                    self.flush_local(local);
                }
            }
        }
    }

    /// Whether a stack item's raw value is also that of a local that is still read behind a merge: then the merge passes
    /// on their common object, since an item has no slot in which to keep it.
    fn is_shared(&self, target: Offset, state: &State, raw: Raw) -> bool {
        let seen = |i| !self.only_computes(i) && self.is_live(target, i);
        let named = |name: &Name| matches!(name, Name::Raw { raw: held, .. } if *held == raw);
        !matches!(raw, Raw::Bool(_))
            && (state.names.iter().any(named)
                || (0..).zip(&state.locals).any(|(i, local)| holds(local, raw) && seen(i)))
    }

    /// Whether a local may still be read at the start of a block or behind it.
    fn is_live(&self, target: Offset, local: u32) -> bool {
        let (graph, liveness) = self.plan.liveness.get_or_init(|| {
            let graph = FlowGraph::build(self.request.bytecode);
            let liveness = Liveness::compute(self.request.code, self.request.bytecode, &graph);
            (graph, liveness)
        });
        let index = self.request.bytecode.index_at(target);
        index.is_none_or(|index| liveness.before(self.request.bytecode, graph, index).contains(local))
    }
}

/// Short text of a type set.
fn describe_types(py: PyTypes) -> String {
    if py == PyTypes::all() {
        return "any?".into();
    }
    if py == PyTypes::OBJECT {
        return "any".into();
    }
    let names: Vec<String> = py.iter_names().map(|(name, _)| name.to_lowercase()).collect();
    names.join("|")
}
