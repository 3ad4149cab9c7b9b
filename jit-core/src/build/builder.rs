//! The builder and its walk over the bytecode, repeated until the shapes of the merges settle.
//!
//! *Problem*: what arrives over a back edge is known only when the loop has been walked, and its code depends on it.
//! *Method*: a walk takes the blocks in the order of the [`Plan`], which is after their forward predecessors, and emits
//! their instructions one after another. Where it turns out that a shape was too narrow ([`super::merges`]) its code is
//! thrown away, and the next walk begins with the wider shapes. *Invariants*:
//! - `self.state` describes the frame at the current point of emission, `self.start` at the start of the current
//!   instruction, to which guards leave;
//! - a bytecode block is entered once per walk;
//! - walks differ in nothing but the shapes they begin with, and the shapes' lattice is finite; if they take long to settle
//!   nonetheless, every merge is widened to objects of any type.

use super::contents::Changes;
use super::examples::{Examples, local_examples};
use super::inlining::Inlining;
use super::instances::Instance;
use super::merges::Edge;
use super::partial::{Choice, Unfinished};
use super::plan::Plan;
use super::state::*;
use super::unwinding::UnwindKey;
use super::{Applied, BuildError, BuildRequest, Built};
use crate::bytecode::code::Constant;
use crate::bytecode::instruction::{Instruction, Offset};
use crate::ir::function::Function;
use crate::ir::op::{Block, Value};
use crate::ir::types::PyTypes;
use crate::words::WordMap;
use std::collections::BTreeMap;

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
    let mut shapes: WordMap<Offset, Shape> = WordMap::default();
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
    pub ip_set: bool,
    /// Whether the current point can be reached.
    pub reachable: bool,
    /// By the merge's offset.
    pub shapes: WordMap<Offset, Shape>,
    /// Edges to blocks that this walk did not enter yet.
    pub pending: BTreeMap<Offset, Vec<Edge>>,
    /// IR block of each bytecode block that was entered.
    pub entered: WordMap<Offset, Block>,
    /// Parameters of merges that stand for a raw local, and that local.
    pub merged: WordMap<Value, u32>,
    /// Ints among the objects of `co_consts` that were named, by index: what unboxing gives is known.
    pub constants: WordMap<Value, u32>,
    /// Ways out of the function that the current bytecode block has made.
    pub unwinds: WordMap<UnwindKey, Block>,
    /// Whether a shape proved too narrow: what this walk emitted is void.
    pub widened: bool,
    /// Whether merges are widened to objects of any type.
    pub give_up: bool,
    pub applied: BTreeMap<&'static str, usize>,
    /// [`Built::types`].
    pub types: String,
    pub addresses: Vec<u64>,
    /// `KW_NAMES`: its constant, and where it stands.
    pub kwnames: Option<(u32, Offset)>,
    /// The body that is walked in the place of a call.
    pub inlining: Option<Inlining>,
    /// Paths of that body that make the call; `None`: they cannot.
    pub unfinished: Unfinished,
    /// Receivers of the bodies that are walked whose types have one of these versions.
    pub narrowed: Vec<(Value, Vec<u32>)>,
    /// Functions behind [`Known::OneOf`].
    pub choices: Vec<Vec<Choice>>,
    /// Items behind [`Item::Tuple`].
    pub tuples: Vec<Vec<Item>>,
    /// How many items of the result of the body that is walked are unpacked at once, if it is a tuple.
    pub unpacked_result: Option<u32>,
    /// The instance behind [`Item::Instance`].
    pub instance: Option<Instance>,
    /// Where yields in loops can give their values to, as a number: the upper bits of the entry number.
    pub sink: Option<Value>,
    /// How many instructions after the current one were done with it.
    pub took_next: usize,
    /// What the iterator of a loop was where the loop is entered from above, by its `FOR_ITER`.
    pub iterators: WordMap<Offset, PyTypes>,
    /// Constants of inlined functions, with their addresses: numbered behind the function's own.
    pub foreign_constants: Vec<(Constant, u64)>,
    pub examples: Examples,
    /// What was emitted so far that could change a list.
    pub changes: Changes,
    pub error: Option<BuildError>,
}

impl<'a> Builder<'a> {
    fn new(request: &'a BuildRequest<'a>, plan: &'a Plan, shapes: WordMap<Offset, Shape>, give_up: bool) -> Self {
        let first = request.bytecode.instructions[0].clone();
        let mut function = Function::new(request.code.qualname.clone());
        let length = request.bytecode.instructions.len();
        function.blocks.reserve(2 * length);
        function.values.reserve(4 * length);
        function.exits.reserve(length / 2);
        let state = State::new(Vec::new(), 0);
        Builder {
            request,
            plan,
            function,
            block: Block(0),
            state: state.clone(),
            start: state,
            at: first,
            ip_set: false,
            reachable: true,
            shapes,
            pending: BTreeMap::new(),
            entered: WordMap::default(),
            merged: WordMap::default(),
            constants: WordMap::default(),
            unwinds: WordMap::default(),
            widened: false,
            give_up,
            applied: BTreeMap::new(),
            types: String::new(),
            addresses: Vec::new(),
            kwnames: None,
            inlining: None,
            unfinished: None,
            choices: Vec::new(),
            narrowed: Vec::new(),
            tuples: Vec::new(),
            unpacked_result: None,
            instance: None,
            sink: None,
            took_next: 0,
            iterators: WordMap::default(),
            foreign_constants: Vec::new(),
            examples: Examples::new(local_examples(request)),
            changes: Changes::default(),
            error: None,
        }
    }

    fn finish(mut self, walks: u32) -> Built {
        let prelude = super::generators::prelude(self.request);
        if prelude.is_some() {
            self.count("make_generators");
        }
        Built {
            prelude,
            takes_sink: self.sink.is_some(),
            function: self.function,
            entries: self.plan.entries.clone(),
            applied: self.applied.into_iter().collect::<Applied>(),
            walks,
            types: self.types,
            addresses: self.addresses,
        }
    }

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
        self.carry_over();
        Ok(())
    }

    fn walk_block(&mut self, offset: Offset) -> Result<(), BuildError> {
        let index = self.request.bytecode.index_at(offset);
        let mut index = index.ok_or_else(|| BuildError::Invariant(format!("no instruction at {offset}")))?;
        let code = &self.request.bytecode.instructions;
        self.reachable = true;
        loop {
            self.at = code[index].clone();
            self.start.clone_from(&self.state);
            self.ip_set = false;
            self.instruction(code.get(index + 1));
            if !self.reachable || self.error.is_some() {
                return Ok(());
            }
            index += 1 + std::mem::take(&mut self.took_next);
            let next = code[index].offset;
            self.settle_suspect(next);
            if self.plan.starts.contains(&next) {
                self.edge_to(next);
                return Ok(());
            }
        }
    }
}
