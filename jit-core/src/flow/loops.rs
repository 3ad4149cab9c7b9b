//! Natural loops of a flow graph.
//!
//! *Problem*: where code repeats, how loops nest, and where a running loop can be entered. *Method*: an edge whose target
//! dominates its source is a back edge, its target a header; the loop is what reaches a back edge without passing the
//! header. Exception edges count like any other. A retreating edge (towards an earlier block of the reverse postorder)
//! whose target does not dominate its source closes an irreducible cycle; it is reported and makes no loop.
//! *Invariants*: one loop per header; two loops are nested or disjoint; a loop comes before the loops inside it.

use super::dominators::Dominators;
use super::graph::{BlockId, FlowGraph};
use std::fmt::{self, Display, Formatter};

/// Number of a loop in [`Loops::loops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(pub u32);

impl LoopId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One natural loop.
#[derive(Clone, Debug)]
pub struct Loop {
    pub header: BlockId,
    /// Blocks with an edge back to the header.
    pub back_edges: Vec<BlockId>,
    /// All blocks, inner loops' included, in code order.
    pub blocks: Vec<BlockId>,
    pub parent: Option<LoopId>,
    /// 1 for an outermost loop.
    pub depth: u32,
}

/// The loops of one graph.
#[derive(Clone, Debug)]
pub struct Loops {
    pub loops: Vec<Loop>,
    /// Edges `(from, to)` that close a cycle `to` is not the only way into.
    pub irreducible: Vec<(BlockId, BlockId)>,
    innermost: Vec<Option<LoopId>>,
}

impl Loops {
    /// Finds the loops; `dominators` must be those of the same graph from its start.
    pub fn find(graph: &FlowGraph, dominators: &Dominators) -> Loops {
        let mut position = vec![usize::MAX; graph.blocks.len()];
        for (index, block) in graph.order.iter().enumerate() {
            position[block.index()] = index;
        }
        let mut found = Loops { loops: Vec::new(), irreducible: Vec::new(), innermost: vec![None; graph.blocks.len()] };
        // Reverse postorder puts an outer header before the headers inside its loop.
        for &header in &graph.order {
            let mut back_edges = Vec::new();
            for edge in &graph.block(header).predecessors {
                let from = edge.block;
                if !graph.block(from).reachable || position[from.index()] < position[header.index()] {
                    continue;
                }
                if !dominators.dominates(header, from) {
                    if !found.irreducible.contains(&(from, header)) {
                        found.irreducible.push((from, header));
                    }
                } else if !back_edges.contains(&from) {
                    back_edges.push(from);
                }
            }
            if !back_edges.is_empty() {
                found.add(graph, header, back_edges);
            }
        }
        found
    }

    pub fn get(&self, id: LoopId) -> &Loop {
        &self.loops[id.index()]
    }

    /// The smallest loop that holds `block`.
    pub fn innermost(&self, block: BlockId) -> Option<LoopId> {
        self.innermost[block.index()]
    }

    /// The loop whose header is `block`.
    pub fn headed_by(&self, block: BlockId) -> Option<LoopId> {
        self.innermost(block).filter(|&id| self.get(id).header == block)
    }

    /// Number of loops around `block`.
    pub fn depth(&self, block: BlockId) -> u32 {
        self.innermost(block).map_or(0, |id| self.get(id).depth)
    }

    fn add(&mut self, graph: &FlowGraph, header: BlockId, back_edges: Vec<BlockId>) {
        let id = LoopId(self.loops.len() as u32);
        let parent = self.innermost[header.index()];
        let depth = parent.map_or(0, |parent| self.get(parent).depth) + 1;
        // Blocks of this loop are marked by becoming its own: loops inside it are found later.
        let mut blocks = vec![header];
        self.innermost[header.index()] = Some(id);
        let mut pending = back_edges.clone();
        while let Some(block) = pending.pop() {
            if self.innermost[block.index()].replace(id) != Some(id) {
                blocks.push(block);
                let predecessors = graph.block(block).predecessors.iter().map(|edge| edge.block);
                pending.extend(predecessors.filter(|&from| graph.block(from).reachable));
            }
        }
        blocks.sort_unstable();
        self.loops.push(Loop { header, back_edges, blocks, parent, depth });
    }
}

impl Display for Loops {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, found) in self.loops.iter().enumerate() {
            write!(f, "loop{index}: depth {} header {} blocks", found.depth, found.header)?;
            for block in &found.blocks {
                write!(f, " {block}")?;
            }
            write!(f, " back from")?;
            for block in &found.back_edges {
                write!(f, " {block}")?;
            }
            writeln!(f)?;
        }
        for (from, to) in &self.irreducible {
            writeln!(f, "irreducible: {from} -> {to}")?;
        }
        Ok(())
    }
}
