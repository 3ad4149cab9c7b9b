//! Predecessors, reverse postorder and dominators of a function's blocks.
//!
//! *Problem*: verifier and passes ask "is this block dominated by that one?" very often, on functions of thousands of
//! blocks. *Method*: an iterative depth-first walk numbers the blocks in reverse postorder; immediate dominators by the
//! Semi-NCA algorithm (Georgiadis), which stays fast where thousands of blocks share one successor (unwinding); then a
//! walk of the dominator tree gives each block an interval, and dominance is inclusion of intervals. *Invariants*:
//! unreachable blocks have no number, dominate nothing and are dominated by everything; the answers hold until a
//! terminator changes.

use super::function::Function;
use super::op::Block;

const NONE: u32 = u32::MAX;

/// The flow graph of one function, computed once.
#[derive(Clone, Debug)]
pub struct FlowGraph {
    order: Vec<Block>,
    /// Position in `order`, by block.
    number: Vec<u32>,
    /// Predecessors of block `b`: `preds[starts[b]..starts[b + 1]]`, one entry per edge.
    preds: Vec<Block>,
    starts: Vec<u32>,
    /// Immediate dominator by block.
    idom: Vec<u32>,
    /// Interval of the dominator tree by block.
    enter: Vec<u32>,
    leave: Vec<u32>,
    /// Blocks in preorder of the dominator tree.
    preorder: Vec<Block>,
}

impl FlowGraph {
    pub fn new(function: &Function) -> FlowGraph {
        let n = function.blocks.len();
        let mut successors: Vec<u32> = Vec::with_capacity(2 * n);
        let mut first = Vec::with_capacity(n + 1);
        for index in 0..n {
            first.push(successors.len() as u32);
            if let Some(op) = function.terminator(Block(index as u32)) {
                op.for_each_target(|target| {
                    // The verifier calls this before it knows that targets exist.
                    if (target.block.0 as usize) < n {
                        successors.push(target.block.0);
                    }
                });
            }
        }
        first.push(successors.len() as u32);

        let mut postorder = Vec::with_capacity(n);
        // Preorder of the same walk, and the position in it of each block's parent in the walk's tree.
        let mut depth_first: Vec<u32> = Vec::with_capacity(n);
        let mut parent: Vec<u32> = Vec::with_capacity(n);
        let mut seen = vec![false; n];
        let mut stack: Vec<(u32, u32, u32)> = Vec::new();
        if n > 0 {
            seen[0] = true;
            depth_first.push(0);
            parent.push(0);
            stack.push((0, first[0], 0));
        }
        while let Some((block, next, position)) = stack.last_mut() {
            if *next == first[*block as usize + 1] {
                postorder.push(Block(*block));
                stack.pop();
            } else {
                let successor = successors[*next as usize];
                *next += 1;
                if !seen[successor as usize] {
                    seen[successor as usize] = true;
                    parent.push(*position);
                    let position = depth_first.len() as u32;
                    depth_first.push(successor);
                    stack.push((successor, first[successor as usize], position));
                }
            }
        }
        let mut order = postorder;
        order.reverse();
        let mut number = vec![NONE; n];
        for (position, block) in order.iter().enumerate() {
            number[block.0 as usize] = position as u32;
        }

        // Predecessors that can be reached, by counting.
        let mut starts = vec![0u32; n + 1];
        for block in &order {
            for edge in first[block.0 as usize]..first[block.0 as usize + 1] {
                starts[successors[edge as usize] as usize + 1] += 1;
            }
        }
        for index in 0..n {
            starts[index + 1] += starts[index];
        }
        let mut preds = vec![Block(0); starts[n] as usize];
        let mut fill = starts.clone();
        for block in &order {
            for edge in first[block.0 as usize]..first[block.0 as usize + 1] {
                let slot = &mut fill[successors[edge as usize] as usize];
                preds[*slot as usize] = *block;
                *slot += 1;
            }
        }

        let mut graph = FlowGraph {
            order,
            number,
            preds,
            starts,
            idom: vec![NONE; n],
            enter: vec![0; n],
            leave: vec![0; n],
            preorder: Vec::with_capacity(n),
        };
        graph.find_dominators(&depth_first, &parent);
        graph.number_tree();
        graph
    }

    /// `depth_first` holds the reachable blocks in the preorder of the walk, `parent` each one's parent in its tree, as a
    /// position in `depth_first`.
    fn find_dominators(&mut self, depth_first: &[u32], parent: &[u32]) {
        let n = depth_first.len();
        let mut position = vec![NONE; self.number.len()];
        for (index, block) in depth_first.iter().enumerate() {
            position[*block as usize] = index as u32;
        }
        let mut forest = Forest {
            ancestor: parent.to_vec(),
            label: (0..n as u32).collect(),
            semi: (0..n as u32).collect(),
            path: Vec::new(),
        };
        for index in (1..n).rev() {
            let mut semi = parent[index];
            for pred in self.predecessors(Block(depth_first[index])) {
                let best = forest.eval(position[pred.0 as usize], index as u32 + 1);
                semi = semi.min(forest.semi[best as usize]);
            }
            forest.semi[index] = semi;
        }
        let mut idom = parent.to_vec();
        for index in 1..n {
            let mut dominator = idom[index];
            while dominator > forest.semi[index] {
                dominator = idom[dominator as usize];
            }
            idom[index] = dominator;
            self.idom[depth_first[index] as usize] = depth_first[dominator as usize];
        }
    }

    fn number_tree(&mut self) {
        let n = self.number.len();
        let mut child = vec![NONE; n];
        let mut sibling = vec![NONE; n];
        for block in self.order.iter().skip(1).rev() {
            let parent = self.idom[block.0 as usize] as usize;
            sibling[block.0 as usize] = child[parent];
            child[parent] = block.0;
        }
        let mut stack = Vec::new();
        if n > 0 {
            stack.push((0u32, false));
        }
        let mut clock = 0;
        while let Some((block, done)) = stack.pop() {
            clock += 1;
            if done {
                self.leave[block as usize] = clock;
                continue;
            }
            self.enter[block as usize] = clock;
            self.preorder.push(Block(block));
            stack.push((block, true));
            let mut next = child[block as usize];
            while next != NONE {
                stack.push((next, false));
                next = sibling[next as usize];
            }
        }
    }

    /// Reachable blocks in reverse postorder.
    pub fn order(&self) -> &[Block] {
        &self.order
    }

    /// Reachable blocks such that each comes after its immediate dominator and subtrees are contiguous.
    pub fn dominator_preorder(&self) -> &[Block] {
        &self.preorder
    }

    pub fn is_reachable(&self, block: Block) -> bool {
        self.number[block.0 as usize] != NONE
    }

    /// Reachable predecessors, one entry per edge.
    pub fn predecessors(&self, block: Block) -> &[Block] {
        &self.preds[self.starts[block.0 as usize] as usize..self.starts[block.0 as usize + 1] as usize]
    }

    /// `None` for the entry and for unreachable blocks.
    pub fn immediate_dominator(&self, block: Block) -> Option<Block> {
        let idom = self.idom[block.0 as usize];
        (idom != NONE).then_some(Block(idom))
    }

    /// Does every path to `b` lead through `a`? A block dominates itself.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        if !self.is_reachable(b) {
            return true;
        }
        self.is_reachable(a)
            && self.enter[a.0 as usize] <= self.enter[b.0 as usize]
            && self.leave[b.0 as usize] <= self.leave[a.0 as usize]
    }

    /// Position in reverse postorder; an edge to a block of a position not greater than the source's is a back edge.
    pub fn position(&self, block: Block) -> Option<u32> {
        let number = self.number[block.0 as usize];
        (number != NONE).then_some(number)
    }
}

/// The forest of already linked vertices in which semidominators are looked up, with path compression. Vertices are
/// positions in depth-first preorder.
struct Forest {
    ancestor: Vec<u32>,
    label: Vec<u32>,
    semi: Vec<u32>,
    path: Vec<u32>,
}

impl Forest {
    /// The vertex of least semidominator on the path from the root of `vertex`'s tree (excluded) to it; vertices from
    /// `linked` on are linked.
    fn eval(&mut self, vertex: u32, linked: u32) -> u32 {
        let mut top = vertex as usize;
        while self.ancestor[top] >= linked {
            self.path.push(top as u32);
            top = self.ancestor[top] as usize;
        }
        while let Some(next) = self.path.pop() {
            let next = next as usize;
            self.ancestor[next] = self.ancestor[top];
            if self.semi[self.label[top] as usize] < self.semi[self.label[next] as usize] {
                self.label[next] = self.label[top];
            }
            top = next;
        }
        self.label[top]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::function::Inst;
    use crate::ir::op::{Op, Target};

    fn graph(edges: &[&[u32]]) -> (Function, FlowGraph) {
        let mut function = Function::new("g");
        for _ in 1..edges.len() {
            function.new_block();
        }
        for (index, targets) in edges.iter().enumerate() {
            let target = |block: u32| Target { block: Block(block), args: vec![] };
            let entry = function.entry.unwrap();
            let op = match targets {
                [] => Op::Unreachable,
                [a] => Op::Jump(target(*a)),
                [a, b] => Op::Branch(entry, target(*a), target(*b)),
                _ => panic!(),
            };
            function.blocks[index].insts.push(Inst { op, result: None, origin: Default::default() });
        }
        let graph = FlowGraph::new(&function);
        (function, graph)
    }

    /// Dominance by its definition: remove `a` and see whether `b` can still be reached.
    fn dominates_by_definition(edges: &[&[u32]], a: u32, b: u32) -> bool {
        let mut seen = vec![false; edges.len()];
        let mut work = vec![0];
        while let Some(block) = work.pop() {
            if block == a || std::mem::replace(&mut seen[block as usize], true) {
                continue;
            }
            work.extend(edges[block as usize]);
        }
        !seen[b as usize]
    }

    #[test]
    fn agrees_with_the_definition() {
        let graphs: &[&[&[u32]]] = &[
            &[&[]],
            &[&[1, 2], &[3], &[3], &[]],
            &[&[1], &[2, 4], &[3], &[1], &[]],
            &[&[1, 2], &[2], &[1, 3], &[1, 4], &[]],
            &[&[1], &[1, 2], &[], &[2]],
            &[&[1, 5], &[2, 3], &[4], &[4], &[1, 6], &[6], &[]],
        ];
        for edges in graphs {
            let (_, graph) = graph(edges);
            for a in 0..edges.len() as u32 {
                for b in 0..edges.len() as u32 {
                    if graph.is_reachable(Block(a)) && graph.is_reachable(Block(b)) {
                        assert_eq!(
                            graph.dominates(Block(a), Block(b)),
                            dominates_by_definition(edges, a, b),
                            "{edges:?}: b{a} over b{b}"
                        );
                    }
                }
            }
        }
    }

    /// Against the definition: `a` dominates `b` if `b` cannot be reached without passing `a`.
    #[test]
    fn random_graphs() {
        let mut seed = 1u64;
        let mut random = move |below: u32| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as u32 % below
        };
        for round in 0..500 {
            let n = 2 + round % 12;
            let edges: Vec<Vec<u32>> =
                (0..n).map(|_| (0..random(3)).map(|_| 1 + random(n - 1)).collect::<Vec<u32>>()).collect();
            let slices: Vec<&[u32]> = edges.iter().map(Vec::as_slice).collect();
            let (_, graph) = graph(&slices);
            let reached = |without: Option<u32>| {
                let mut seen = vec![false; n as usize];
                let mut stack = vec![0u32];
                while let Some(block) = stack.pop() {
                    if Some(block) != without && !std::mem::replace(&mut seen[block as usize], true) {
                        stack.extend(&edges[block as usize]);
                    }
                }
                seen
            };
            let all = reached(None);
            for a in 0..n {
                let without = reached(Some(a));
                for b in 0..n {
                    if all[a as usize] && all[b as usize] {
                        let expected = !without[b as usize];
                        assert_eq!(graph.dominates(Block(a), Block(b)), expected, "{a} {b} in {edges:?}");
                    }
                }
            }
        }
    }
}
