//! Which fast locals may still be read.
//!
//! *Problem*: exits and block parameters need only carry locals whose value can matter to this code. *Method*: backward
//! data flow over localsplus slots as bit sets. A slot is read by loads, by `DELETE_FAST` (which asks whether it is
//! bound) and by everything that goes through its cell; it is overwritten by `STORE_FAST`, `MAKE_CELL`, `DELETE_FAST` and
//! `COPY_FREE_VARS`. An instruction that may raise keeps alive what its handler reads.
//! *Invariants*: what is live before an instruction covers every way on from it, by exception too. A slot that is not
//! live may still be *seen*, by `locals()`, a traceback or a debugger, and its object must still be released when
//! Python would: liveness alone never allows a value to be dropped early.

use super::graph::{BlockId, EdgeKind, FlowGraph};
use crate::bytecode::code::{CodeObject, local_kind};
use crate::bytecode::decode::Bytecode;
use crate::bytecode::instruction::Op;
use std::fmt::{self, Display, Formatter};

/// A set of localsplus slots.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LocalSet {
    words: Vec<u64>,
}

impl LocalSet {
    /// The empty set, with room for `locals` slots.
    pub fn new(locals: usize) -> LocalSet {
        LocalSet { words: vec![0; locals.div_ceil(64)] }
    }

    pub fn contains(&self, local: u32) -> bool {
        self.words.get(local as usize / 64).is_some_and(|word| word >> (local % 64) & 1 == 1)
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.words.len() as u32 * 64).filter(|&local| self.contains(local))
    }

    fn insert(&mut self, local: u32) {
        self.words[local as usize / 64] |= 1 << (local % 64);
    }

    fn remove(&mut self, local: u32) {
        self.words[local as usize / 64] &= !(1 << (local % 64));
    }

    /// Adds all of `other`; whether that added anything.
    fn add_all(&mut self, other: &LocalSet) -> bool {
        let mut grew = false;
        for (word, &more) in self.words.iter_mut().zip(&other.words) {
            grew |= more & !*word != 0;
            *word |= more;
        }
        grew
    }
}

impl Display for LocalSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (position, local) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            write!(f, "{separator}{local}")?;
        }
        f.write_str("}")
    }
}

/// Live locals at the start of every block; finer by [`Liveness::before`].
#[derive(Clone, Debug)]
pub struct Liveness {
    live_in: Vec<LocalSet>,
    locals: usize,
    first_free: u32,
}

impl Liveness {
    /// Solves for all blocks, those not reachable included.
    pub fn compute(code: &CodeObject, bytecode: &Bytecode, graph: &FlowGraph) -> Liveness {
        let locals = code.locals_plus_names.len();
        let is_free = |kind: &u8| kind & local_kind::FREE != 0;
        let first_free = code.locals_plus_kinds.iter().position(is_free).unwrap_or(locals) as u32;
        let mut liveness = Liveness { live_in: vec![LocalSet::new(locals); graph.blocks.len()], locals, first_free };
        let mut pending: Vec<BlockId> = graph.ids().collect();
        let mut waiting = vec![true; graph.blocks.len()];
        while let Some(id) = pending.pop() {
            waiting[id.index()] = false;
            let start = graph.block(id).instructions.start;
            let live = liveness.walk_back(bytecode, graph, id, start);
            if liveness.live_in[id.index()].add_all(&live) {
                for edge in &graph.block(id).predecessors {
                    if !std::mem::replace(&mut waiting[edge.block.index()], true) {
                        pending.push(edge.block);
                    }
                }
            }
        }
        liveness
    }

    /// Locals live at the start of a block.
    pub fn live_in(&self, block: BlockId) -> &LocalSet {
        &self.live_in[block.index()]
    }

    /// Locals live before one instruction.
    pub fn before(&self, bytecode: &Bytecode, graph: &FlowGraph, instruction: usize) -> LocalSet {
        self.walk_back(bytecode, graph, graph.block_of(instruction), instruction)
    }

    /// From the end of `block` back to before the instruction `until`.
    fn walk_back(&self, bytecode: &Bytecode, graph: &FlowGraph, id: BlockId, until: usize) -> LocalSet {
        let block = graph.block(id);
        let mut live = LocalSet::new(self.locals);
        let mut in_handler = None;
        for edge in &block.successors {
            if edge.kind == EdgeKind::Exception {
                in_handler = Some(&self.live_in[edge.block.index()]);
            } else {
                live.add_all(&self.live_in[edge.block.index()]);
            }
        }
        for instruction in bytecode.instructions[until..block.instructions.end].iter().rev() {
            self.step_back(&instruction.op, &mut live);
            if let Some(in_handler) = in_handler
                && instruction.op.may_raise()
            {
                live.add_all(in_handler);
            }
        }
        live
    }

    fn step_back(&self, op: &Op, live: &mut LocalSet) {
        match *op {
            Op::StoreFast(local) => live.remove(local),
            Op::LoadFast(local) | Op::DeleteFast(local) | Op::MakeCell(local) => live.insert(local),
            Op::LoadClosure(local)
            | Op::LoadDeref(local)
            | Op::LoadClassDeref(local)
            | Op::StoreDeref(local)
            | Op::DeleteDeref(local) => live.insert(local),
            Op::CopyFreeVars(_) => (self.first_free..self.locals as u32).for_each(|local| live.remove(local)),
            _ => {}
        }
    }
}
