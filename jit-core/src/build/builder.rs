//! The walk itself: blocks, edges, merges, and the primitives with which instructions are emitted.
//!
//! *Method*: a bytecode block is entered once per walk, after all its forward predecessors. Edges to it wait in `pending`
//! with their state; entering the block computes its shape, then converts every waiting edge to it. A block with a single
//! predecessor simply continues its state. *Invariant*: `self.state` describes the frame at the current point of
//! emission; `self.start` is the state at the start of the current instruction, to which guards leave.

use super::examples::{Example, Examples, computing_locals};
use super::names::Names;
use super::state::*;
use super::{Applied, BuildError, BuildRequest, Built, Entry};
use crate::bytecode::code::{Constant, flags, local_kind};
use crate::bytecode::instruction::{Instruction, Offset};
use crate::bytecode::stack_effect::{StackDepths, stack_depths};
use crate::exit::{Exit, Reason, Source};
use crate::flow::graph::FlowGraph;
use crate::flow::liveness::Liveness;
use crate::helpers::{Effects, Helper, Passing};
use crate::ir::function::{Function, Inst};
use crate::ir::op::{BinOp, Block, Cond, Leave, Op, Status, Symbol, Target, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// More walks than this and every merge is widened to objects of any type.
const MAX_WALKS: u32 = 24;

/// The work of a walk grows with the product of instructions and live slots: beyond this (an f-string of thousands of
/// parts, generated tables) compiling would take longer than the interpreter will ever need.
const MAX_WORK: u64 = 2_000_000;

pub(super) fn run(request: &BuildRequest<'_>) -> Result<Built, BuildError> {
    let instructions = request.bytecode.instructions.len() as u64;
    let slots = request.code.locals_plus_kinds.len() as u64 + u64::from(request.code.stack_size);
    if instructions.saturating_mul(slots + 32) > MAX_WORK {
        return Err(BuildError::Unsupported(format!("{instructions} instructions with {slots} slots are too many")));
    }
    let plan = Plan::new(request)?;
    let mut shapes: HashMap<Offset, Shape> = HashMap::new();
    let mut walks = 0;
    loop {
        walks += 1;
        let mut builder = Builder::new(request, &plan, shapes, walks > MAX_WALKS);
        builder.walk()?;
        if !builder.widened {
            return Ok(builder.finish(walks));
        }
        if walks > 2 * MAX_WALKS {
            return Err(BuildError::Invariant("merge shapes do not settle".into()));
        }
        shapes = builder.shapes;
    }
}

/// The order of the walk: fixed by the bytecode, the same for every walk.
pub(super) struct Plan {
    /// Offsets at which a block starts, in reverse postorder.
    order: Vec<Offset>,
    /// All block starts.
    starts: BTreeSet<Offset>,
    /// Blocks that are entered by more than one edge (or by an exception, or from outside).
    merges: BTreeSet<Offset>,
    entries: Vec<Entry>,
    depths: StackDepths,
    pub names: Names,
    /// Made when it is first asked for.
    liveness: OnceCell<(FlowGraph, Liveness)>,
    /// Locals that only arithmetic uses.
    computing: Vec<bool>,
}

impl Plan {
    fn new(request: &BuildRequest<'_>) -> Result<Plan, BuildError> {
        let code = &request.bytecode.instructions;
        let generator = request.code.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
        let mut entries = Vec::new();
        let mut roots: Vec<Offset> = Vec::new();
        if let Some(entry) = &request.loop_entry {
            // A version for a loop that runs is entered there only: what is known of its state is not diluted by
            // what other entries bring.
            entries.push(Entry::Loop(entry.offset));
            roots.push(entry.offset);
        } else {
            if !generator {
                entries.push(Entry::Start);
                roots.push(0);
            }
            for instruction in code.iter().filter(|instruction| instruction.op.suspends()) {
                entries.push(Entry::Resume(instruction.opcode_offset));
                roots.push(instruction.next);
            }
        }
        let mut starts: BTreeSet<Offset> = roots.iter().copied().collect();
        for instruction in code {
            let (targets, falls) = successors(instruction);
            starts.extend(targets);
            if targets.is_some() || !falls {
                starts.insert(instruction.next);
            }
        }
        for handler in &request.bytecode.handlers {
            starts.insert(handler.target);
            starts.insert(handler.start);
            starts.insert(handler.end);
        }
        // Depth first over blocks; exception edges are edges of every block in the protected range.
        let mut edges: HashMap<Offset, Vec<Offset>> = HashMap::new();
        let mut incoming: HashMap<Offset, u32> = HashMap::new();
        let mut post = Vec::new();
        let mut seen = BTreeSet::new();
        for root in &roots {
            *incoming.entry(*root).or_default() += 1;
        }
        let mut merges: BTreeSet<Offset> = BTreeSet::new();
        for &root in &roots {
            if !seen.insert(root) {
                continue;
            }
            let mut path = vec![(root, 0usize)];
            while let Some((block, next)) = path.pop() {
                let out = match edges.get(&block) {
                    Some(out) => out.clone(),
                    None => {
                        let out = block_successors(request, &starts, block)?;
                        for &(target, exceptional) in &out {
                            *incoming.entry(target).or_default() += 1;
                            if exceptional {
                                merges.insert(target);
                            }
                        }
                        let out: Vec<Offset> = out.into_iter().map(|(target, _)| target).collect();
                        edges.insert(block, out.clone());
                        out
                    }
                };
                if next < out.len() {
                    path.push((block, next + 1));
                    if seen.insert(out[next]) {
                        path.push((out[next], 0));
                    }
                } else {
                    post.push(block);
                }
            }
        }
        merges.extend(incoming.iter().filter(|(_, n)| **n > 1).map(|(block, _)| *block));
        merges.extend(roots.iter().copied());
        post.reverse();
        // Several roots: later roots come first after the reversal, which keeps every forward edge forward.
        let depths = stack_depths(request.bytecode, request.code.stack_size)
            .map_err(|error| BuildError::Unsupported(error.to_string()))?;
        let computing = computing_locals(code, &request.code.locals_plus_kinds);
        Ok(Plan {
            order: post,
            starts,
            merges,
            entries,
            depths,
            liveness: OnceCell::new(),
            computing,
            names: Names::new(request),
        })
    }
}

/// Where control goes after an instruction: its jump target, and whether it falls through. A yield ends its block: what
/// follows is entered from outside.
fn successors(instruction: &Instruction) -> (Option<Offset>, bool) {
    (instruction.op.jump_target(), instruction.op.falls_through() && !instruction.op.suspends())
}

/// Successor blocks of a block; true for exceptional edges.
fn block_successors(
    request: &BuildRequest<'_>,
    starts: &BTreeSet<Offset>,
    block: Offset,
) -> Result<Vec<(Offset, bool)>, BuildError> {
    let code = &request.bytecode.instructions;
    let mut index = request
        .bytecode
        .index_at(block)
        .ok_or_else(|| BuildError::Unsupported(format!("jump to {block}, which is not an instruction")))?;
    let mut out = Vec::new();
    loop {
        let instruction = &code[index];
        let (targets, falls) = successors(instruction);
        if let Some(handler) = request.bytecode.handler_for(instruction.opcode_offset)
            && !out.contains(&(handler.target, true))
        {
            out.push((handler.target, true));
        }
        // The fall-through edge is visited last in a depth-first walk, so that it follows directly in the order.
        out.extend(targets.map(|target| (target, false)));
        if !falls {
            return Ok(out);
        }
        index += 1;
        if index >= code.len() {
            return Err(BuildError::Unsupported("control falls off the end of the bytecode".into()));
        }
        if starts.contains(&code[index].offset) {
            out.push((code[index].offset, false));
            return Ok(out);
        }
    }
}

/// An edge that waits for its target to be entered.
struct Edge {
    from: Block,
    state: State,
    /// Blocks of the exceptional path pass the exception on.
    cold: bool,
}

/// Key under which the cold path of a raising instruction can be shared.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct UnwindKey {
    handler: Option<Offset>,
    traceback: bool,
    stack: Vec<Item>,
    dirty: Vec<(u32, Raw)>,
    names: Vec<Name>,
    suspect: Option<Value>,
}

pub(super) struct Builder<'a> {
    pub request: &'a BuildRequest<'a>,
    pub plan: &'a Plan,
    pub function: Function,
    pub block: Block,
    pub state: State,
    /// State before the current instruction.
    pub start: State,
    pub at: Instruction,
    /// Whether `prev_instr` was stored for the current instruction.
    ip_set: bool,
    /// Whether the current point can be reached.
    pub reachable: bool,
    shapes: HashMap<Offset, Shape>,
    pending: BTreeMap<Offset, Vec<Edge>>,
    /// IR block of each bytecode block that was entered.
    entered: HashMap<Offset, Block>,
    /// Parameters of merges that stand for a raw local, and that local.
    merged: HashMap<Value, u32>,
    unwinds: HashMap<UnwindKey, Block>,
    widened: bool,
    give_up: bool,
    pub applied: BTreeMap<&'static str, u32>,
    types: String,
    pub addresses: Vec<u64>,
    pub kwnames: Option<u32>,
    pub examples: Examples,
    pub error: Option<BuildError>,
}

impl<'a> Builder<'a> {
    fn new(request: &'a BuildRequest<'a>, plan: &'a Plan, shapes: HashMap<Offset, Shape>, give_up: bool) -> Self {
        let first = request.bytecode.instructions[0].clone();
        let state = State::new(Vec::new(), 0);
        Builder {
            request,
            plan,
            function: Function::new(request.code.qualname.clone()),
            block: Block(0),
            state: state.clone(),
            start: state,
            at: first,
            ip_set: false,
            reachable: true,
            shapes,
            pending: BTreeMap::new(),
            entered: HashMap::new(),
            merged: HashMap::new(),
            unwinds: HashMap::new(),
            widened: false,
            give_up,
            applied: BTreeMap::new(),
            types: String::new(),
            addresses: Vec::new(),
            kwnames: None,
            examples: Examples::new(local_examples(request)),
            error: None,
        }
    }

    fn finish(self, walks: u32) -> Built {
        Built {
            function: self.function,
            entries: self.plan.entries.clone(),
            applied: self.applied.into_iter().collect::<Applied>(),
            walks,
            types: self.types,
            addresses: self.addresses,
        }
    }

    // ---- the walk ----

    fn walk(&mut self) -> Result<(), BuildError> {
        self.enter_function()?;
        for position in 0..self.plan.order.len() {
            let offset = self.plan.order[position];
            let edges = match self.pending.remove(&offset) {
                Some(edges) => edges,
                // Reached only from blocks that come later: an earlier walk left its shape.
                None if self.shapes.contains_key(&offset) => vec![],
                None => continue,
            };
            self.enter_block(offset, edges);
            self.walk_block(offset)?;
            if let Some(error) = self.error.take() {
                return Err(error);
            }
        }
        // Edges against the order to blocks that nothing else reached: the next walk enters them with this shape.
        for (target, edges) in std::mem::take(&mut self.pending) {
            self.widened = true;
            for edge in edges {
                let offered = self.offered(target, &edge.state);
                let shape = match self.shapes.get(&target) {
                    Some(shape) => shape.join(&offered, self.allow_raw(target), self.allow_unboxing(target)),
                    None => offered,
                };
                self.shapes.insert(target, shape);
            }
        }
        Ok(())
    }

    fn walk_block(&mut self, offset: Offset) -> Result<(), BuildError> {
        let index = self.request.bytecode.index_at(offset);
        let mut index = index.ok_or_else(|| BuildError::Invariant(format!("no instruction at {offset}")))?;
        let code = &self.request.bytecode.instructions;
        self.reachable = true;
        loop {
            self.at = code[index].clone();
            self.start = self.state.clone();
            self.ip_set = false;
            self.instruction(code.get(index + 1));
            if !self.reachable || self.error.is_some() {
                return Ok(());
            }
            index += 1;
            let next = code[index].offset;
            self.settle_suspect(next);
            if self.plan.starts.contains(&next) {
                self.edge_to(next);
                return Ok(());
            }
        }
    }

    /// Entry blocks: the switch over entry numbers and the loading of each entry's state from the frame.
    fn enter_function(&mut self) -> Result<(), BuildError> {
        let entries = self.plan.entries.clone();
        let mut targets = Vec::new();
        let switch = self.block;
        for entry in &entries {
            let block = self.function.new_block();
            targets.push(Target { block, args: vec![] });
            self.block = block;
            match *entry {
                Entry::Start => self.enter_start(),
                Entry::Resume(offset) => self.enter_resume(offset)?,
                Entry::Loop(_) => self.enter_loop()?,
            }
        }
        let dead = self.function.new_block();
        self.block = dead;
        self.terminate(Op::Unreachable);
        self.block = switch;
        let number = self.function.entry.expect("functions have an entry number");
        match targets.len() {
            1 => {
                let only = targets.pop().expect("one target");
                self.terminate(Op::Jump(only));
            }
            _ => self.terminate(Op::Switch(number, targets, Target { block: dead, args: vec![] })),
        }
        Ok(())
    }

    fn enter_start(&mut self) {
        let code = self.request.code;
        let mut arguments = code.argcount + code.kwonly_argcount;
        arguments += u32::from(code.flags & flags::VARARGS != 0) + u32::from(code.flags & flags::VARKEYWORDS != 0);
        let mut locals = vec![Local::slot(PyTypes::NULL); code.locals_plus_kinds.len()];
        for local in locals.iter_mut().take(arguments as usize) {
            local.py = PyTypes::OBJECT;
        }
        for (local, kind) in locals.iter_mut().zip(&code.locals_plus_kinds) {
            if kind & (local_kind::CELL | local_kind::FREE) != 0 {
                local.py = PyTypes::all();
            }
        }
        if let Some(live) = &self.request.argument_types {
            let varargs = code.argcount + code.kwonly_argcount;
            if code.flags & flags::VARARGS != 0
                && let Some(local) = locals.get_mut(varargs as usize)
                && code.locals_plus_kinds[varargs as usize] & local_kind::CELL == 0
            {
                local.py = PyTypes::TUPLE;
            }
            self.state = State::new(locals, self.plan.names.followed.len());
            self.start = self.state.clone();
            self.at = self.request.bytecode.instructions[0].clone();
            if self.may_guess(Reason::Type) {
                for (i, live) in live.iter().enumerate().take(arguments as usize) {
                    let plain = code.locals_plus_kinds[i] & local_kind::CELL == 0;
                    if plain && !live.big && self.state.locals[i].py == PyTypes::OBJECT {
                        self.guess_local(i as u32, live.py);
                    } else if live.big {
                        self.state.locals[i].big = true;
                    }
                }
            }
        } else {
            self.state = State::new(locals, self.plan.names.followed.len());
        }
        self.edge_to(0);
    }

    /// Guards that a local has the exact type of a live value, if that is worth knowing.
    fn guess_local(&mut self, local: u32, live: PyTypes) {
        if self.request.options.speculate
            && matches!(live, PyTypes::FLOAT | PyTypes::INT | PyTypes::LIST | PyTypes::TUPLE | PyTypes::ARRAY)
        {
            let value = self.emit(Op::SlotGet(local));
            if self.state.locals[local as usize].py.may_be_null() {
                let null = self.emit(Op::Null(Ty::Obj));
                let bound = self.compare(Cond::Ne, value, null);
                self.guard(bound, Reason::Type);
            }
            self.guard_type(value, live);
            self.state.locals[local as usize].py = live;
            self.start = self.state.clone();
        }
    }

    /// A generator is resumed: locals may have any type, since the interpreter may have run it in between.
    fn enter_resume(&mut self, offset: Offset) -> Result<(), BuildError> {
        let bytecode = self.request.bytecode;
        let resumed = bytecode
            .instructions
            .iter()
            .find(|i| i.opcode_offset == offset)
            .map(|i| i.next)
            .ok_or_else(|| BuildError::Invariant("resume entry without a yield".into()))?;
        let depth = bytecode.index_at(resumed).and_then(|index| self.plan.depths.before[index]);
        let Some(depth) = depth else {
            // Dead code: the entry exists but is never used.
            self.terminate(Op::Unreachable);
            return Ok(());
        };
        let count = self.request.code.locals_plus_kinds.len();
        self.state = State::new(vec![Local::slot(PyTypes::all()); count], self.plan.names.followed.len());
        for i in 0..depth {
            let value = self.emit(Op::SlotGet(count as u32 + i));
            let py = if i + 1 == depth { PyTypes::OBJECT } else { PyTypes::all() };
            self.state.stack.push(Item::owned(value, py));
        }
        self.edge_to(resumed);
        Ok(())
    }

    fn enter_loop(&mut self) -> Result<(), BuildError> {
        let entry = self.request.loop_entry.clone().expect("loop entry requested");
        let count = self.request.code.locals_plus_kinds.len();
        self.state = State::new(vec![Local::slot(PyTypes::all()); count], self.plan.names.followed.len());
        let index = self.request.bytecode.index_at(entry.offset);
        let index = index.ok_or_else(|| BuildError::Invariant("loop entry at no instruction".into()))?;
        self.at = self.request.bytecode.instructions[index].clone();
        for i in 0..entry.stack.len() {
            let value = self.emit(Op::SlotGet((count + i) as u32));
            self.state.stack.push(Item::owned(value, PyTypes::all()));
        }
        self.start = self.state.clone();
        if self.may_guess(Reason::Type) {
            for (i, live) in entry.locals.iter().enumerate() {
                if self.request.code.locals_plus_kinds[i] & (local_kind::CELL | local_kind::FREE) != 0 {
                    continue;
                }
                if live.big {
                    self.state.locals[i].big = true;
                } else {
                    self.guess_local(i as u32, live.py);
                }
            }
            for (i, live) in entry.stack.iter().enumerate() {
                // A range iterator that something else holds may be advanced behind the loop's back.
                let alone = live.py == PyTypes::RANGE_ITER && !live.shared;
                if (alone || matches!(live.py, PyTypes::LIST_ITER | PyTypes::TUPLE_ITER))
                    && let Item::Object { value, .. } = self.state.stack[i]
                {
                    self.guard_type(value, live.py);
                    if alone {
                        let count = self.load(MemTy::I64, Ty::I64, value, self.request.layout.ob_refcnt);
                        let one = self.int(1);
                        let only = self.compare(Cond::Eq, count, one);
                        self.guard(only, Reason::Type);
                    }
                    self.state.stack[i] = Item::owned(value, live.py);
                    self.start = self.state.clone();
                }
            }
        }
        if let Some(top) = entry.stack.last()
            && self.request.options.examples
        {
            self.examples.iterate(entry.offset, top.example.clone());
        }
        for i in 0..self.state.stack.len() {
            self.start_range(i);
        }
        self.edge_to(entry.offset);
        Ok(())
    }

    /// Turns an item known to be a range iterator into one whose index is in a register.
    pub fn start_range(&mut self, position: usize) {
        if !self.request.options.unbox_loops {
            return;
        }
        if let Item::Object { value, own: Own::Owned, py: PyTypes::RANGE_ITER, .. } = self.state.stack[position] {
            let index = self.load(MemTy::I64, Ty::I64, value, self.request.layout.range_iter_index);
            self.state.stack[position] = Item::RangeIter { iter: value, index };
        }
    }

    // ---- edges and merges ----

    fn allow_raw(&self, target: Offset) -> bool {
        self.request.options.unbox_loops && !self.give_up && !self.request.generalised.contains(&(target, Reason::Type))
    }

    /// Whether what arrives as an object may be unboxed on an edge; ints that did not fit forbid it.
    fn allow_unboxing(&self, target: Offset) -> bool {
        self.allow_raw(target) && !self.request.generalised.contains(&(target, Reason::Overflow))
    }

    /// Control goes to a bytecode block with the current state.
    pub fn edge_to(&mut self, target: Offset) {
        self.edge_from(target, false);
    }

    fn edge_from(&mut self, target: Offset, cold: bool) {
        self.settle_suspect(target);
        self.reachable = false;
        let edge = Edge { from: self.block, state: self.state.clone(), cold };
        if let Some(&block) = self.entered.get(&target) {
            // A back edge: the shape is fixed in this walk.
            let shape = self.offered(target, &edge.state);
            let expected = &self.shapes[&target];
            let joined = expected.join(&shape, self.allow_raw(target), self.allow_unboxing(target));
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

    fn offered(&self, target: Offset, state: &State) -> Shape {
        let constants = &self.request.code.constants;
        let mut shape = state.shape(self.allow_raw(target), |i| constant_types(&constants[i as usize]));
        for (position, item) in state.stack.iter().enumerate() {
            if let Item::Raw { raw, .. } = *item
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

    fn enter_block(&mut self, offset: Offset, mut edges: Vec<Edge>) {
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
                Some(shape) => shape.join(&offered, self.allow_raw(offset), self.allow_unboxing(offset)),
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

    fn describe(&mut self, offset: Offset) {
        use std::fmt::Write;
        let _ = write!(self.types, "{offset:>5} {:?}: stack [", self.block);
        for item in &self.state.stack {
            let _ = match item {
                Item::Null => write!(self.types, " null"),
                Item::Const(i) => write!(self.types, " const#{i}"),
                Item::Object { value, py, .. } => write!(self.types, " {value:?}:{}", describe_types(*py)),
                Item::Raw { raw, .. } => write!(self.types, " {:?}:raw {}", raw.value(), describe_types(raw.py())),
                Item::RangeIter { iter, index } => write!(self.types, " {iter:?}:range at {index:?}"),
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
        let mut raws = HashMap::new();
        for (i, expected) in shape.locals.iter().enumerate() {
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
                raws.insert(i, (raw, bound));
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
        for i in 0..shape.stack.len() {
            match shape.stack[i] {
                ItemShape::Null => {}
                ItemShape::Raw(_) => {
                    let Item::Raw { raw, .. } = self.state.stack[i] else {
                        unreachable!("a raw item joins to raw only with raw ones")
                    };
                    args.push(raw.value());
                }
                ItemShape::RangeIter => {
                    let Item::RangeIter { iter, index } = self.state.stack[i] else {
                        unreachable!("shape above the item")
                    };
                    args.extend([iter, index]);
                }
                ItemShape::Object { .. } => {
                    let item = self.state.stack[i];
                    let value = self.own(item);
                    self.state.stack[i] = Item::owned(value, PyTypes::all());
                    args.push(value);
                }
            }
        }
        for i in 0..shape.locals.len() {
            if let Some((raw, bound)) = raws.get(&i) {
                args.push(raw.value());
                args.extend(bound);
            }
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

    // ---- emission ----

    pub fn push_inst(&mut self, op: Op, result: Option<Value>) {
        self.function.blocks[self.block.0 as usize].insts.push(Inst { op, result, origin: self.at.opcode_offset });
    }

    pub fn terminate(&mut self, op: Op) {
        self.push_inst(op, None);
        self.reachable = false;
    }

    fn result_type(&self, op: &Op) -> Option<Ty> {
        Some(match op {
            Op::IConst(_) | Op::Compare(..) | Op::BinaryOrLeave(..) | Op::IsType(..) => Ty::I64,
            Op::UnboxInt(..) | Op::UnboxBool(_) => Ty::I64,
            Op::FConst(_) | Op::UnboxFloat(_) => Ty::F64,
            Op::Null(ty) | Op::Symbol(_, ty) | Op::Unary(UnOp::Cast(ty), _) | Op::Load { ty, .. } => *ty,
            Op::Binary(BinOp::FAdd | BinOp::FSub | BinOp::FMul | BinOp::FDiv, ..) => Ty::F64,
            Op::Binary(_, a, _) => self.function.ty(*a),
            Op::Unary(op, _) => match op {
                UnOp::Neg | UnOp::Not | UnOp::FloatToInt | UnOp::FloatToBits => Ty::I64,
                _ => Ty::F64,
            },
            Op::Select(_, a, _) => self.function.ty(*a),
            Op::BoxFloat(_) | Op::BoxInt(_) | Op::BoxBool(_) | Op::SlotGet(_) => Ty::Obj,
            Op::SlotAddress(_) | Op::Frame | Op::ThreadState => Ty::Ptr,
            Op::Call(helper, _) => return helper.result().ty(),
            _ => return None,
        })
    }

    /// Emits an operation with a result.
    pub fn emit(&mut self, op: Op) -> Value {
        let ty = self.result_type(&op).expect("operation has a result");
        let value = self.function.new_value(ty);
        self.push_inst(op, Some(value));
        value
    }

    /// Emits an operation without one.
    pub fn effect(&mut self, op: Op) {
        debug_assert!(self.result_type(&op).is_none());
        self.push_inst(op, None);
    }

    /// Gives an object value the types it has when it is not null. Whether it may be null is left as it is: the check
    /// that excludes it comes after the definition.
    pub fn typed(&mut self, value: Value, py: PyTypes) -> Value {
        let data = &mut self.function.values[value.0 as usize];
        data.py = py | (data.py & PyTypes::NULL);
        value
    }

    /// Gives an object value the types it has from its definition on.
    pub fn defined(&mut self, value: Value, py: PyTypes) -> Value {
        self.function.values[value.0 as usize].py = py;
        value
    }

    pub fn int(&mut self, value: i64) -> Value {
        self.emit(Op::IConst(value))
    }

    pub fn load(&mut self, mem: MemTy, ty: Ty, base: Value, offset: i32) -> Value {
        self.emit(Op::Load { mem, ty, base, offset })
    }

    pub fn store(&mut self, mem: MemTy, base: Value, offset: i32, value: Value) {
        self.effect(Op::Store { mem, base, offset, value });
    }

    pub fn binary(&mut self, op: BinOp, a: Value, b: Value) -> Value {
        self.emit(Op::Binary(op, a, b))
    }

    pub fn compare(&mut self, cond: Cond, a: Value, b: Value) -> Value {
        self.emit(Op::Compare(cond, a, b))
    }

    pub fn count(&mut self, optimisation: &'static str) {
        *self.applied.entry(optimisation).or_default() += 1;
    }

    /// Branches; the current block becomes a new one that is reached when the condition holds. Returns the other block.
    pub fn branch(&mut self, condition: Value, other_is_cold: bool) -> Block {
        let (yes, no) = (self.function.new_block(), self.function.new_block());
        let cold = self.function.blocks[self.block.0 as usize].cold;
        self.function.blocks[yes.0 as usize].cold = cold;
        self.function.blocks[no.0 as usize].cold = other_is_cold || cold;
        let target = |block| Target { block, args: vec![] };
        self.push_inst(Op::Branch(condition, target(yes), target(no)), None);
        self.block = yes;
        no
    }

    /// Runs `body` in another block with a copy of the state, and comes back.
    pub fn aside(&mut self, block: Block, body: impl FnOnce(&mut Self)) {
        let saved = (self.block, self.state.clone(), self.ip_set, self.reachable);
        self.block = block;
        body(self);
        (self.block, self.state, self.ip_set, self.reachable) = saved;
    }

    /// Marks the current instruction as running, once.
    pub fn set_ip(&mut self) {
        if !self.ip_set {
            self.ip_set = true;
            let offset = self.at.opcode_offset;
            self.effect(Op::SetIp(offset));
        }
    }

    /// Calls a helper. Before one that can run Python or raise, the frame is made presentable.
    pub fn call(&mut self, helper: Helper, args: Vec<Value>) -> Option<Value> {
        let effects = helper.effects();
        if effects.intersects(Effects::RAISES | Effects::RUNS_PYTHON) {
            self.set_ip();
        }
        let runs_python = effects.contains(Effects::RUNS_PYTHON);
        if runs_python {
            self.flush_locals();
            self.flush_names();
        }
        if effects.intersects(Effects::MEMORY | Effects::RUNS_PYTHON) {
            self.settle_volatile();
        }
        let result = match helper.result() {
            Passing::Nothing => {
                self.effect(Op::Call(helper, args));
                None
            }
            _ => Some(self.emit(Op::Call(helper, args))),
        };
        if runs_python {
            self.forget_names();
        }
        result
    }

    /// Calls a helper whose object result is null on error; the result is pushed by the caller.
    pub fn call_object(&mut self, helper: Helper, args: Vec<Value>) -> Value {
        let value = self.call(helper, args).expect("helper has a result");
        self.check_object(value);
        value
    }

    /// Raises if the object is null.
    pub fn check_object(&mut self, value: Value) {
        let null = self.emit(Op::Null(Ty::Obj));
        let ok = self.compare(Cond::Ne, value, null);
        let bad = self.branch(ok, true);
        self.unwind_from(bad, true);
    }

    /// Calls a helper whose status is negative on error.
    pub fn call_status(&mut self, helper: Helper, args: Vec<Value>) -> Value {
        let status = self.call(helper, args).expect("helper has a status");
        let zero = self.int(0);
        let ok = self.compare(Cond::Ge, status, zero);
        let bad = self.branch(ok, true);
        self.unwind_from(bad, true);
        status
    }

    /// Leaves when the thread is traced: to `offset`, with the current state.
    pub fn leave_if_traced(&mut self, offset: Offset) {
        let layout = self.request.layout;
        let ts = self.thread();
        let cframe = self.load(MemTy::Ptr, Ty::Ptr, ts, layout.thread_cframe);
        let tracing = self.load(MemTy::U8, Ty::I64, cframe, layout.cframe_use_tracing);
        let zero = self.int(0);
        let quiet = self.compare(Cond::Eq, tracing, zero);
        let traced = self.branch(quiet, true);
        self.aside(traced, |b| {
            if b.state.suspect.is_some() {
                b.flush_names();
            }
            let state = b.state.clone();
            let leave = b.leave_with(&state, offset, Reason::Interrupt);
            b.terminate(Op::Leave(leave));
        });
    }

    pub fn name_symbol(&mut self, name: u32) -> Value {
        let value = self.emit(Op::Symbol(Symbol::Name(name), Ty::Obj));
        self.defined(value, PyTypes::STR)
    }

    pub fn frame(&mut self) -> Value {
        self.emit(Op::Frame)
    }

    pub fn thread(&mut self) -> Value {
        self.emit(Op::ThreadState)
    }

    /// Slot of the stack item at a depth.
    pub fn stack_slot(&self, depth: usize) -> u32 {
        (self.request.code.locals_plus_kinds.len() + depth) as u32
    }

    // ---- items ----

    pub fn push(&mut self, item: Item) {
        self.state.stack.push(item);
    }

    pub fn push_owned(&mut self, value: Value, py: PyTypes) {
        self.typed(value, py);
        self.state.stack.push(Item::owned(value, py));
    }

    pub fn pop(&mut self) -> Item {
        match self.state.stack.pop() {
            Some(item) => item,
            None => {
                self.error.get_or_insert(BuildError::Unsupported("value stack underflow".into()));
                Item::Null
            }
        }
    }

    /// Pops an item as a reference the caller must consume; null is allowed.
    pub fn pop_owned(&mut self) -> Value {
        let item = self.pop();
        self.own(item)
    }

    /// The item as a new or moved reference.
    pub fn own(&mut self, item: Item) -> Value {
        match item {
            Item::Null => self.emit(Op::Null(Ty::Obj)),
            Item::Object { value, own: Own::Owned, .. } | Item::RangeIter { iter: value, .. } => value,
            Item::Object { value, py, .. } => {
                debug_assert!(!py.may_be_null(), "borrowed null");
                self.effect(Op::Incref(value));
                value
            }
            Item::Const(_) => {
                let value = self.object(item);
                self.effect(Op::Incref(value));
                value
            }
            Item::Raw { raw, .. } => match self.own_name(raw) {
                Some(value) => value,
                None => self.box_raw(raw),
            },
        }
    }

    /// A new reference to the one object that a raw value becomes: that of a local which holds it, or a new one which
    /// other stack items of the same value share from here on.
    pub fn box_raw(&mut self, raw: Raw) -> Value {
        if let Some(local) = self.home_of(raw) {
            self.flush_local(local);
            let value = self.local_object(local);
            self.effect(Op::Incref(value));
            return value;
        }
        let value = match raw {
            Raw::Float(v) => self.emit(Op::BoxFloat(v)),
            Raw::Int(v) => self.emit(Op::BoxInt(v)),
            Raw::Bool(v) => self.emit(Op::BoxBool(v)),
        };
        self.defined(value, raw.py());
        for position in 0..self.state.stack.len() {
            if matches!(self.state.stack[position], Item::Raw { raw: other, .. } if other == raw) {
                self.effect(Op::Incref(value));
                self.state.stack[position] = Item::owned(value, raw.py());
            }
        }
        value
    }

    /// Whether a stack item has the raw value, or a local of which the program may ask for the object.
    pub fn is_seen_elsewhere(&self, raw: Raw) -> bool {
        self.state.stack.iter().any(|item| matches!(item, Item::Raw { raw: held, .. } if *held == raw))
            || (0..).zip(&self.state.locals).any(|(i, local)| holds(local, raw) && !self.only_computes(i))
    }

    /// The local whose slot is where a raw value's object is, or is to be: one that has it already, else the one for
    /// which a merge passed the value on (its slot may hold the object since before the merge).
    fn home_of(&self, raw: Raw) -> Option<u32> {
        let holders = || {
            self.state.locals.iter().enumerate().filter_map(|(i, local)| match local.form {
                Form::Raw { raw: held, dirty } if held == raw => Some((i as u32, dirty)),
                _ => None,
            })
        };
        let clean = holders().find(|(_, dirty)| !dirty);
        let passed = || holders().find(|(local, _)| self.merged.get(&raw.value()) == Some(local));
        clean.or_else(passed).or_else(|| holders().next()).map(|(local, _)| local)
    }

    /// The item as an object without a reference of its own; raw items must be owned instead.
    pub fn object(&mut self, item: Item) -> Value {
        match item {
            Item::Object { value, .. } | Item::RangeIter { iter: value, .. } => value,
            Item::Const(i) => {
                let py = self.constant_py(i);
                let value = self.emit(Op::Symbol(Symbol::Const(i), Ty::Obj));
                self.defined(value, py)
            }
            Item::Null => self.emit(Op::Null(Ty::Obj)),
            Item::Raw { .. } => unreachable!("raw items have no object"),
        }
    }

    /// Makes the item at a stack position an object the stack owns, and gives it.
    pub fn own_at(&mut self, position: usize) -> Value {
        let item = self.state.stack[position];
        let value = self.own(item);
        let py = self.item_py(item);
        self.state.stack[position] = Item::owned(value, py);
        value
    }

    /// Stack position of the item `n` below the top; 1 is the top.
    pub fn position(&self, n: u32) -> usize {
        self.state.stack.len().saturating_sub(n as usize)
    }

    pub fn item_py(&self, item: Item) -> PyTypes {
        match item {
            Item::Null => PyTypes::NULL,
            Item::Const(i) => self.constant_py(i),
            Item::Object { py, .. } => py,
            Item::Raw { raw, .. } => raw.py(),
            Item::RangeIter { .. } => PyTypes::RANGE_ITER,
        }
    }

    pub fn constant_py(&self, constant: u32) -> PyTypes {
        constant_types(&self.request.code.constants[constant as usize])
    }

    /// The raw value of a constant, if it has one.
    pub fn constant_raw(&mut self, constant: u32) -> Option<Raw> {
        Some(match self.request.code.constants[constant as usize] {
            Constant::Int(i) => Raw::Int(self.int(i)),
            Constant::Float(x) => Raw::Float(self.emit(Op::FConst(x.to_bits()))),
            Constant::Bool(b) => Raw::Bool(self.int(i64::from(b))),
            _ => return None,
        })
    }

    /// Drops a popped item.
    pub fn release(&mut self, item: Item) {
        match item {
            Item::Object { value, own: Own::Owned, py, .. } => self.release_value(value, py),
            Item::RangeIter { iter, .. } => self.release_value(iter, PyTypes::RANGE_ITER),
            _ => {}
        }
    }

    /// Drops a reference; what its last release may run sees a frame in order.
    pub fn release_value(&mut self, value: Value, py: PyTypes) {
        if py == PyTypes::NULL {
            return;
        }
        if !BENIGN.contains(py) {
            self.set_ip();
            self.settle_names();
        }
        let dirty = !BENIGN.contains(py) && (self.names_known() || self.state.locals.iter().any(is_dirty));
        self.settle_volatile();
        if dirty {
            // Only the last release needs the boxes; it is not the usual case.
            let join = self.join_names(true);
            if py.may_be_null() {
                let null = self.emit(Op::Null(Ty::Obj));
                let there = self.compare(Cond::Ne, value, null);
                let not = self.branch(there, false);
                self.aside(not, |b| b.goto_names(&join, None));
            }
            let count = self.load(MemTy::I64, Ty::I64, value, self.request.layout.ob_refcnt);
            let one = self.int(1);
            let shared = self.compare(Cond::Ne, count, one);
            let last = self.branch(shared, true);
            self.effect(Op::Decref(value));
            self.goto_names(&join, None);
            self.aside(last, |b| {
                // Numbers run nothing.
                let float = b.emit(Op::IsType(value, PyTypes::FLOAT));
                let other = b.branch(float, true);
                b.effect(Op::Decref(value));
                b.goto_names(&join, None);
                b.block = other;
                b.flush_locals();
                b.flush_names();
                b.effect(Op::Decref(value));
                b.forget_names();
                let right = b.refresh_names(&join);
                b.goto_names(&join, Some(right));
            });
            self.enter_names(join);
        } else if py.may_be_null() {
            self.effect(Op::XDecref(value));
        } else {
            self.effect(Op::Decref(value));
        }
    }

    // ---- locals ----

    /// The slot's content of a local that is in its slot (or clean), borrowed.
    pub fn local_object(&mut self, local: u32) -> Value {
        let Local { form, py, .. } = self.state.locals[local as usize];
        match form {
            Form::Slot { value: Some(value) } => value,
            Form::Slot { value: None } => {
                let value = self.emit(Op::SlotGet(local));
                self.defined(value, py);
                self.state.locals[local as usize].form = Form::Slot { value: Some(value) };
                value
            }
            Form::Raw { dirty: false, .. } => {
                let value = self.emit(Op::SlotGet(local));
                self.defined(value, py)
            }
            Form::Raw { dirty: true, .. } | Form::MaybeRaw { .. } => unreachable!("dirty locals are flushed first"),
        }
    }

    /// Boxes a dirty local into its slot.
    pub fn flush_local(&mut self, local: u32) {
        if let Form::MaybeRaw { raw, bound } = self.state.locals[local as usize].form {
            let py = self.state.locals[local as usize].py;
            let done = self.function.new_block();
            self.function.blocks[done.0 as usize].cold = self.function.blocks[self.block.0 as usize].cold;
            let unbound = self.branch(bound, false);
            self.state.locals[local as usize].form = Form::Raw { raw, dirty: true };
            self.flush_local(local);
            self.goto(done);
            self.block = unbound;
            self.goto(done);
            self.block = done;
            self.state.locals[local as usize] = Local::slot(py);
            return;
        }
        if let Form::Raw { raw, dirty: true } = self.state.locals[local as usize].form {
            let home = self.home_of(raw).unwrap_or(local);
            if home != local {
                // A copy: it shares the object of the local it was copied from.
                self.flush_local(home);
                let object = self.local_object(home);
                self.effect(Op::Incref(object));
                let previous = self.emit(Op::SlotGet(local));
                self.defined(previous, BENIGN);
                self.effect(Op::SlotSet(local, object));
                self.effect(Op::XDecref(previous));
                self.state.locals[local as usize].form = Form::Raw { raw, dirty: false };
                return;
            }
            let slot = self.emit(Op::SlotAddress(local));
            let (helper, value) = match raw {
                Raw::Float(v) => (Helper::FlushFloat, v),
                Raw::Int(v) => (Helper::FlushInt, v),
                Raw::Bool(v) => (Helper::FlushBool, v),
            };
            self.effect(Op::Call(helper, vec![slot, value]));
            self.state.locals[local as usize].form = Form::Raw { raw, dirty: false };
        }
    }

    pub fn flush_locals(&mut self) {
        for local in 0..self.state.locals.len() as u32 {
            self.flush_local(local);
        }
    }

    /// Gives every item that borrows from the local a reference of its own, and every other holder of its raw value the
    /// object that its slot has for it.
    pub fn detach(&mut self, local: u32) {
        if let Form::Raw { raw, dirty: false } = self.state.locals[local as usize].form {
            for other in 0..self.state.locals.len() {
                if is_dirty(&self.state.locals[other]) && holds(&self.state.locals[other], raw) {
                    self.flush_local(other as u32);
                }
            }
            for position in 0..self.state.stack.len() {
                if matches!(self.state.stack[position], Item::Raw { raw: held, .. } if held == raw) {
                    self.own_at(position);
                }
            }
        }
        for position in 0..self.state.stack.len() {
            match self.state.stack[position] {
                Item::Object { own: Own::Local(l), .. } if l == local => {
                    self.own_at(position);
                }
                Item::Raw { raw, local: Some(l) } if l == local => {
                    self.state.stack[position] = Item::raw(raw);
                }
                _ => {}
            }
        }
    }

    /// Gives every item that borrows from a container a reference of its own.
    pub fn settle_volatile(&mut self) {
        for position in 0..self.state.stack.len() {
            if let Item::Object { own: Own::Volatile, .. } = self.state.stack[position] {
                self.own_at(position);
            }
        }
    }

    /// Replaces a local's value by an item (consumed), releasing the old one.
    pub fn store_local(&mut self, local: u32, item: Item) {
        self.detach(local);
        let old = self.state.locals[local as usize];
        match item {
            Item::Raw { raw, .. } if self.keeps_raw(local) => {
                if let Form::Slot { .. } = old.form
                    && !BENIGN.contains(old.py)
                {
                    let value = self.local_object(local);
                    let null = self.emit(Op::Null(Ty::Obj));
                    self.effect(Op::SlotSet(local, null));
                    self.state.locals[local as usize] =
                        Local { form: Form::Raw { raw, dirty: true }, py: raw.py(), big: false };
                    self.release_value(value, old.py);
                } else {
                    self.state.locals[local as usize] =
                        Local { form: Form::Raw { raw, dirty: true }, py: raw.py(), big: false };
                }
            }
            _ => {
                let py = self.item_py(item);
                let big = matches!(item, Item::Object { big: true, .. });
                let value = self.own(item);
                // What a raw local's slot holds is unknown but harmless.
                let (previous, previous_py) = match old.form {
                    Form::Slot { .. } if old.py == PyTypes::NULL => (None, PyTypes::NULL),
                    Form::Slot { .. } => (Some(self.local_object(local)), old.py),
                    Form::Raw { .. } | Form::MaybeRaw { .. } => (Some(self.emit(Op::SlotGet(local))), BENIGN),
                };
                self.effect(Op::SlotSet(local, value));
                self.state.locals[local as usize] = Local { form: Form::Slot { value: Some(value) }, py, big };
                if let Some(previous) = previous {
                    self.release_value(previous, previous_py);
                }
            }
        }
    }

    /// Whether nothing but arithmetic loads the local.
    pub fn only_computes(&self, local: u32) -> bool {
        self.keeps_raw(local) && self.plan.computing[local as usize]
    }

    /// Cells and their like always live in their slots.
    fn keeps_raw(&self, local: u32) -> bool {
        self.request.options.unbox_loops
            && self.request.code.locals_plus_kinds[local as usize] & (local_kind::CELL | local_kind::FREE) == 0
    }

    // ---- guards and exits ----

    /// Whether a guess at the current instruction is still allowed.
    pub fn may_guess(&self, reason: Reason) -> bool {
        self.request.options.speculate && !self.request.generalised.contains(&(self.at.offset, reason))
    }

    /// An exit to the start of the current instruction.
    pub fn leave(&mut self, reason: Reason) -> Leave {
        let state = std::mem::replace(&mut self.start, State::new(vec![], 0));
        let leave = self.leave_with(&state, self.at.offset, reason);
        self.start = state;
        leave
    }

    /// An exit to an offset with a given state.
    pub fn leave_with(&mut self, state: &State, offset: Offset, reason: Reason) -> Leave {
        let mut values = Vec::new();
        // One word for each value, so that a raw one becomes one object.
        let mut value = |v: Value| match values.iter().position(|known| *known == v) {
            Some(index) => index as u32,
            None => {
                values.push(v);
                values.len() as u32 - 1
            }
        };
        let raw_source = |raw: Raw, index: u32| match raw {
            Raw::Float(_) => Source::Float(index),
            Raw::Int(_) => Source::Int(index),
            Raw::Bool(_) => Source::Bool(index),
        };
        let mut locals = Vec::new();
        for (i, local) in state.locals.iter().enumerate() {
            // A clean one keeps its object; it is mentioned when others are to share that.
            let copied = |raw| {
                state.locals.iter().filter(|l| matches!(l.form, Form::Raw { raw: held, .. } if held == raw)).count() > 1
                    || state.stack.iter().any(|item| matches!(item, Item::Raw { raw: held, .. } if *held == raw))
            };
            match local.form {
                Form::Raw { raw, dirty } if dirty || copied(raw) => {
                    locals.push((i as u32, raw_source(raw, value(raw.value()))));
                }
                _ => {}
            }
        }
        let stack = state
            .stack
            .iter()
            .map(|item| match *item {
                Item::Null => Source::Null,
                Item::Const(i) => Source::Const(i),
                Item::Object { value: v, own: Own::Owned, .. } | Item::RangeIter { iter: v, .. } => {
                    Source::Owned(value(v))
                }
                Item::Object { value: v, .. } => Source::Borrowed(value(v)),
                Item::Raw { raw, .. } => raw_source(raw, value(raw.value())),
            })
            .collect();
        for (i, local) in state.locals.iter().enumerate() {
            if let Form::MaybeRaw { raw, bound } = local.form {
                let index = values.len() as u32;
                values.extend([raw.value(), bound]);
                let source = match raw {
                    Raw::Float(_) => Source::FloatIf(index),
                    Raw::Int(_) => Source::IntIf(index),
                    Raw::Bool(_) => Source::BoolIf(index),
                };
                locals.push((i as u32, source));
            }
        }
        let names = self.names_of_exit(state, &mut values);
        let value_count = values.len() as u32;
        let exit = Exit { offset, origin: self.at.offset, reason, locals, names, stack, value_count };
        Leave { exit: self.function.add_exit(exit), values }
    }

    pub fn guard(&mut self, condition: Value, reason: Reason) {
        let leave = self.leave(reason);
        self.effect(Op::Guard(condition, leave));
    }

    pub fn guard_type(&mut self, value: Value, py: PyTypes) {
        let leave = self.leave(Reason::Type);
        self.effect(Op::GuardType(value, py, leave));
        self.count("guess_types");
    }

    /// Unboxes an object known to be of the exact type; ints may leave.
    pub fn unbox(&mut self, value: Value, kind: RawKind) -> Raw {
        kind.with(match kind {
            RawKind::Float => self.emit(Op::UnboxFloat(value)),
            RawKind::Int => {
                let leave = self.leave(Reason::Overflow);
                self.emit(Op::UnboxInt(value, leave))
            }
            RawKind::Bool => self.emit(Op::UnboxBool(value)),
        })
    }

    // ---- raising ----

    /// In `block`, an exception is set: goes to the handler of the current instruction or out of the function.
    /// `traceback`: whether this frame is added to the traceback.
    pub fn unwind_from(&mut self, block: Block, traceback: bool) {
        let handler = self.request.bytecode.handler_for(self.at.opcode_offset);
        let depth = handler.map_or(0, |h| h.depth as usize).min(self.state.stack.len());
        let key = UnwindKey {
            handler: handler.map(|h| h.target),
            traceback,
            stack: self.state.stack.clone(),
            dirty: self
                .state
                .locals
                .iter()
                .enumerate()
                .flat_map(|(i, local)| match local.form {
                    Form::Raw { raw, dirty: true } => vec![(i as u32, raw)],
                    Form::MaybeRaw { raw, bound } => vec![(i as u32, raw), (i as u32, Raw::Bool(bound))],
                    _ => vec![],
                })
                .collect(),
            names: self.state.names.clone(),
            suspect: self.state.suspect,
        };
        let target = match self.unwinds.get(&key) {
            Some(&target) if handler.is_none() => target,
            _ => {
                let target = self.function.new_block();
                self.function.blocks[target.0 as usize].cold = true;
                if handler.is_none() {
                    self.unwinds.insert(key, target);
                }
                self.aside(target, |b| {
                    b.ip_set = true;
                    b.flush_locals();
                    b.flush_names();
                    b.forget_names();
                    if traceback {
                        let (ts, frame) = (b.thread(), b.frame());
                        b.effect(Op::Call(Helper::AddTraceback, vec![ts, frame]));
                    }
                    while b.state.stack.len() > depth {
                        let item = b.pop();
                        b.release(item);
                    }
                    match handler {
                        None => b.terminate(Op::Return(Status::Raised, None)),
                        Some(handler) => {
                            for position in 0..depth {
                                if !matches!(b.state.stack[position], Item::Null | Item::RangeIter { .. }) {
                                    b.own_at(position);
                                }
                            }
                            if handler.push_lasti {
                                let frame = b.frame();
                                let ip = b.load(MemTy::I64, Ty::I64, frame, b.request.layout.frame_prev_instr);
                                let first = b.emit(Op::Symbol(Symbol::CodeUnit(0), Ty::Ptr));
                                let first = b.emit(Op::Unary(UnOp::Cast(Ty::I64), first));
                                let distance = b.binary(BinOp::Sub, ip, first);
                                let one = b.int(1);
                                let lasti = b.binary(BinOp::AShr, distance, one);
                                let lasti = b.emit(Op::BoxInt(lasti));
                                b.push_owned(lasti, PyTypes::INT);
                            }
                            let ts = b.thread();
                            let exception = b.emit(Op::Call(Helper::CatchException, vec![ts]));
                            b.push_owned(exception, PyTypes::OTHER);
                            b.edge_from(handler.target, true);
                        }
                    }
                });
                target
            }
        };
        let saved = self.block;
        self.block = block;
        self.push_inst(Op::Jump(Target { block: target, args: vec![] }), None);
        self.block = saved;
    }
}

/// What each local is likely to hold: as found on entry, else as an earlier activation left it.
fn local_examples(request: &BuildRequest<'_>) -> Vec<Option<Rc<Example>>> {
    if !request.options.examples || !request.options.speculate {
        return Vec::new();
    }
    let mut locals = vec![None; request.code.locals_plus_kinds.len()];
    for (local, earlier) in locals.iter_mut().zip(&request.local_examples) {
        local.clone_from(earlier);
    }
    let live = request.loop_entry.as_ref().map(|entry| &entry.locals).or(request.argument_types.as_ref());
    for (local, live) in locals.iter_mut().zip(live.into_iter().flatten()) {
        if live.py != PyTypes::NULL && live.py != PyTypes::NONE {
            *local = Some(live.example.clone());
        }
    }
    locals
}

/// Whether the slot does not hold the local's value.
fn holds(local: &Local, raw: Raw) -> bool {
    matches!(local.form, Form::Raw { raw: held, .. } if held == raw)
}

pub(super) fn is_dirty(local: &Local) -> bool {
    matches!(local.form, Form::Raw { dirty: true, .. } | Form::MaybeRaw { .. })
}

/// Types of a constant.
pub(super) fn constant_types(constant: &Constant) -> PyTypes {
    match constant {
        Constant::None => PyTypes::NONE,
        Constant::Bool(_) => PyTypes::BOOL,
        Constant::Int(_) | Constant::BigInt => PyTypes::INT,
        Constant::Float(_) => PyTypes::FLOAT,
        Constant::Complex => PyTypes::COMPLEX,
        Constant::Str(_) => PyTypes::STR,
        Constant::Bytes(_) => PyTypes::BYTES,
        Constant::Tuple(_) => PyTypes::TUPLE,
        Constant::FrozenSet => PyTypes::FROZENSET,
        Constant::Ellipsis | Constant::Code(_) | Constant::Other => PyTypes::OTHER,
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
