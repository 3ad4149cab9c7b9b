//! Predecessors, reverse postorder and dominators of a function's blocks.
//!
//! *Problem*: verifier and passes ask "is this block dominated by that one?" very often, on functions of thousands of
//! blocks; other passes ask for order and predecessors alone, after each change of the edges. *Method*: an iterative
//! depth-first walk numbers the blocks in reverse postorder; when first asked for, immediate dominators by the
//! Semi-NCA algorithm (Georgiadis), which stays fast where thousands of blocks share one successor (unwinding); then a
//! walk of the dominator tree gives each block an interval, and dominance is inclusion of intervals. *Invariants*:
//! unreachable blocks have no number, dominate nothing and are dominated by everything; the answers hold until a
//! terminator changes.

use super::function::Function;
use super::op::Block;
use std::cell::OnceCell;

const NONE: u32 = u32::MAX;
/// In place of a number: seen, and not numbered yet.
const SEEN: u32 = u32::MAX - 1;

/// The flow graph of one function, computed once.
#[derive(Clone, Debug)]
pub struct FlowGraph {
    order: Vec<Block>,
    /// Position in `order`, by block.
    number: Vec<u32>,
    /// Predecessors of block `b`: `preds[starts[b]..starts[b + 1]]`, one entry per edge.
    preds: Vec<Block>,
    starts: Vec<u32>,
    /// Reachable blocks in the preorder of the depth-first walk, with the position in it of each one's parent in the walk's
    /// tree.
    depth_first: Vec<(u32, u32)>,
    /// Made when it is first asked for.
    tree: OnceCell<Tree>,
}

/// The dominator tree.
#[derive(Clone, Debug)]
struct Tree {
    /// Immediate dominator by block.
    idom: Vec<u32>,
    /// Interval by block.
    intervals: Vec<(u32, u32)>,
    /// Blocks in preorder.
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

        let mut order: Vec<Block> = Vec::with_capacity(n);
        let mut depth_first: Vec<(u32, u32)> = Vec::with_capacity(n);
        let mut number = vec![NONE; n];
        // A block, which of its edges is next, and where its edges end; and its position in preorder.
        let mut stack: Vec<(u32, u32, u32, u32)> = Vec::with_capacity(n.min(64));
        if n > 0 {
            number[0] = SEEN;
            depth_first.push((0, 0));
            stack.push((0, first[0], first[1], 0));
        }
        while let Some((block, next, end, position)) = stack.last_mut() {
            if next == end {
                order.push(Block(*block));
                stack.pop();
            } else {
                let successor = successors[*next as usize];
                *next += 1;
                if number[successor as usize] == NONE {
                    number[successor as usize] = SEEN;
                    let at = depth_first.len() as u32;
                    depth_first.push((successor, *position));
                    stack.push((successor, first[successor as usize], first[successor as usize + 1], at));
                }
            }
        }
        order.reverse();
        for (position, block) in order.iter().enumerate() {
            number[block.0 as usize] = position as u32;
        }

        // Predecessors that can be reached, by counting: where each block's end, and then from there downwards.
        let edges = |block: &Block| first[block.0 as usize] as usize..first[block.0 as usize + 1] as usize;
        let mut starts = vec![0u32; n + 1];
        for block in &order {
            for successor in &successors[edges(block)] {
                starts[*successor as usize] += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut preds = vec![Block(0); sum as usize];
        for block in order.iter().rev() {
            for successor in successors[edges(block)].iter().rev() {
                let slot = &mut starts[*successor as usize];
                *slot -= 1;
                preds[*slot as usize] = *block;
            }
        }
        FlowGraph { order, number, preds, starts, depth_first, tree: OnceCell::new() }
    }

    fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| {
            let idom = self.find_dominators();
            let (intervals, preorder) = self.number_tree(&idom);
            Tree { idom, intervals, preorder }
        })
    }

    fn find_dominators(&self) -> Vec<u32> {
        let n = self.depth_first.len();
        let mut position = vec![NONE; self.number.len()];
        for (index, (block, _)) in self.depth_first.iter().enumerate() {
            position[*block as usize] = index as u32;
        }
        let parents: Vec<u32> = self.depth_first.iter().map(|(_, parent)| *parent).collect();
        let mut forest = Forest {
            ancestor: parents.clone(),
            label: (0..n as u32).collect(),
            semi: (0..n as u32).collect(),
            path: Vec::new(),
        };
        for index in (1..n).rev() {
            let (block, mut semi) = self.depth_first[index];
            for pred in self.predecessors(Block(block)) {
                let best = forest.eval(position[pred.0 as usize], index as u32 + 1);
                semi = semi.min(forest.semi[best as usize]);
            }
            forest.semi[index] = semi;
        }
        // By position, then by block.
        let mut dominators = parents;
        let mut idom = vec![NONE; self.number.len()];
        for index in 1..n {
            let mut dominator = dominators[index];
            while dominator > forest.semi[index] {
                dominator = dominators[dominator as usize];
            }
            dominators[index] = dominator;
            idom[self.depth_first[index].0 as usize] = self.depth_first[dominator as usize].0;
        }
        idom
    }

    fn number_tree(&self, idom: &[u32]) -> (Vec<(u32, u32)>, Vec<Block>) {
        let n = self.number.len();
        // The first child, and the next sibling.
        let mut links = vec![(NONE, NONE); n];
        for block in self.order.iter().skip(1).rev() {
            let parent = idom[block.0 as usize] as usize;
            links[block.0 as usize].1 = links[parent].0;
            links[parent].0 = block.0;
        }
        let mut intervals = vec![(0, 0); n];
        let mut preorder = Vec::with_capacity(self.order.len());
        let mut stack = Vec::with_capacity(n.min(64));
        if n > 0 {
            stack.push((0u32, false));
        }
        let mut clock = 0;
        while let Some((block, done)) = stack.pop() {
            clock += 1;
            if done {
                intervals[block as usize].1 = clock;
                continue;
            }
            intervals[block as usize].0 = clock;
            preorder.push(Block(block));
            stack.push((block, true));
            let mut next = links[block as usize].0;
            while next != NONE {
                stack.push((next, false));
                next = links[next as usize].1;
            }
        }
        (intervals, preorder)
    }

    /// Reachable blocks in reverse postorder.
    pub fn order(&self) -> &[Block] {
        &self.order
    }

    /// Reachable blocks such that each comes after its immediate dominator and subtrees are contiguous.
    pub fn dominator_preorder(&self) -> &[Block] {
        &self.tree().preorder
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
        let idom = self.tree().idom[block.0 as usize];
        (idom != NONE).then_some(Block(idom))
    }

    /// Does every path to `b` lead through `a`? A block dominates itself.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        if !self.is_reachable(b) {
            return true;
        }
        let intervals = &self.tree().intervals;
        let ((enter_a, leave_a), (enter_b, leave_b)) = (intervals[a.0 as usize], intervals[b.0 as usize]);
        self.is_reachable(a) && enter_a <= enter_b && leave_b <= leave_a
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
