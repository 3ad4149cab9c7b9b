//! Dominators of a flow graph.
//!
//! *Problem*: which blocks must control have passed through to be here. With entries in the middle (a resumed generator,
//! a hot loop entered while it runs) the answer depends on which entries there are. *Method*: the iterative algorithm of
//! Cooper, Harvey and Kennedy over a reverse postorder, from a virtual root that leads to every entry.
//! *Invariants*: a reachable block has an immediate dominator unless it is an entry or only the virtual root dominates
//! it; a block dominates itself; unreachable blocks dominate nothing and are dominated by nothing.

use super::graph::{BlockId, FlowGraph};

/// The dominator tree.
#[derive(Clone, Debug)]
pub struct Dominators {
    /// Per block; the virtual root and blocks not reached are `None`.
    immediate: Vec<Option<BlockId>>,
    /// Preorder number and number past the last descendant, per block: `None` when not reached.
    interval: Vec<Option<(u32, u32)>>,
}

impl Dominators {
    /// With the start of the code as only entry.
    pub fn compute(graph: &FlowGraph) -> Dominators {
        Dominators::compute_with_entries(graph, &[FlowGraph::ENTRY])
    }

    /// With any entries.
    pub fn compute_with_entries(graph: &FlowGraph, entries: &[BlockId]) -> Dominators {
        let order = reverse_postorder(graph, entries);
        let count = graph.blocks.len();
        // Positions in `order`, shifted by one: 0 is the virtual root.
        let mut position = vec![0usize; count];
        for (index, block) in order.iter().enumerate() {
            position[block.index()] = index + 1;
        }
        const UNKNOWN: usize = usize::MAX;
        let mut dominator = vec![UNKNOWN; order.len() + 1];
        dominator[0] = 0;
        for entry in entries {
            dominator[position[entry.index()]] = 0;
        }
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in order.iter().enumerate() {
                let at = index + 1;
                if dominator[at] == 0 {
                    continue;
                }
                let mut meet = UNKNOWN;
                for edge in &graph.block(*block).predecessors {
                    let from = position[edge.block.index()];
                    if from == 0 || dominator[from] == UNKNOWN {
                        continue;
                    }
                    meet = if meet == UNKNOWN { from } else { intersect(&dominator, meet, from) };
                }
                if dominator[at] != meet {
                    dominator[at] = meet;
                    changed = true;
                }
            }
        }

        let immediate: Vec<Option<BlockId>> = position
            .iter()
            .map(|&at| match at {
                0 => None,
                _ => dominator[at].checked_sub(1).map(|index| order[index]),
            })
            .collect();
        let interval = intervals(&immediate, &order);
        Dominators { immediate, interval }
    }

    /// The closest block, other than itself, that dominates `block`.
    pub fn immediate(&self, block: BlockId) -> Option<BlockId> {
        self.immediate[block.index()]
    }

    /// Whether every way to `below` passes through `above`.
    pub fn dominates(&self, above: BlockId, below: BlockId) -> bool {
        match (self.interval[above.index()], self.interval[below.index()]) {
            (Some((start, end)), Some((at, _))) => start <= at && at < end,
            _ => false,
        }
    }

    /// Whether `block` can be reached from an entry.
    pub fn is_reachable(&self, block: BlockId) -> bool {
        self.interval[block.index()].is_some()
    }
}

fn intersect(dominator: &[usize], mut left: usize, mut right: usize) -> usize {
    while left != right {
        if left > right {
            left = dominator[left];
        } else {
            right = dominator[right];
        }
    }
    left
}

fn reverse_postorder(graph: &FlowGraph, entries: &[BlockId]) -> Vec<BlockId> {
    let mut order = Vec::new();
    let mut seen = vec![false; graph.blocks.len()];
    for &entry in entries {
        if std::mem::replace(&mut seen[entry.index()], true) {
            continue;
        }
        let mut pending = vec![(entry, 0)];
        while let Some((block, tried)) = pending.last_mut() {
            match graph.block(*block).successors.get(*tried) {
                Some(edge) => {
                    *tried += 1;
                    if !std::mem::replace(&mut seen[edge.block.index()], true) {
                        pending.push((edge.block, 0));
                    }
                }
                None => {
                    order.push(*block);
                    pending.pop();
                }
            }
        }
    }
    order.reverse();
    order
}

/// Preorder intervals of the dominator tree; `order` has every block after its dominator.
fn intervals(immediate: &[Option<BlockId>], order: &[BlockId]) -> Vec<Option<(u32, u32)>> {
    let mut size = vec![1u32; immediate.len()];
    for block in order.iter().rev() {
        if let Some(parent) = immediate[block.index()] {
            size[parent.index()] += size[block.index()];
        }
    }
    let mut interval = vec![None; immediate.len()];
    // Where the next child of a block begins.
    let mut next_child = vec![0u32; immediate.len()];
    let mut next_root = 0u32;
    for block in order {
        let next = match immediate[block.index()] {
            Some(parent) => &mut next_child[parent.index()],
            None => &mut next_root,
        };
        let start = *next;
        let end = start + size[block.index()];
        *next = end;
        interval[block.index()] = Some((start, end));
        next_child[block.index()] = start + 1;
    }
    interval
}
