//! A linear order of blocks in which every value's life is one interval.
//!
//! *Method*: reverse postorder, so that definitions come before uses. Where an edge goes backward, from `u` to `h`, what lives
//! at `h` lives up to `u`: the blocks from `h` to `u` are a *loop*; loops that overlap are made to nest by extending the outer
//! one. A value defined before a loop and used in it lives to the loop's end ([`Order::live_until`]). This needs no
//! reducible graph: any path from a definition to a use consists of forward edges, which stay between their ends, and of
//! backward ones, each of which is covered by its loop. *Invariants*: places count from 1, place 0 being before all blocks;
//! blocks that cannot be reached have none.

const NONE: u32 = u32::MAX;
const WAITING: u32 = u32::MAX - 1;

/// Blocks and their successors.
#[derive(Default)]
pub struct Graph {
    ends: Vec<u32>,
    successors: Vec<u32>,
}

impl Graph {
    pub fn clear(&mut self) {
        self.ends.clear();
        self.successors.clear();
    }

    /// Adds a successor of the block that the next [`Graph::end_block`] adds. Of several, the first one comes next in the
    /// order if it can.
    pub fn add_successor(&mut self, block: u32) {
        self.successors.push(block);
    }

    /// Adds the next block, with the successors since the last one.
    pub fn end_block(&mut self) {
        self.ends.push(self.successors.len() as u32);
    }

    fn start(&self, block: u32) -> u32 {
        if block == 0 { 0 } else { self.ends[block as usize - 1] }
    }

    fn successors(&self, block: u32) -> &[u32] {
        &self.successors[self.start(block) as usize..self.ends[block as usize] as usize]
    }
}

/// A stretch of the order that control may go through more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Places, inclusive.
    pub first: u32,
    pub last: u32,
    pub depth: u32,
    parent: u32,
}

/// The order; kept to be used again.
#[derive(Default)]
pub struct Order {
    /// Blocks by place, from place 1.
    pub blocks: Vec<u32>,
    /// By block: its place.
    places: Vec<u32>,
    /// Inner before outer.
    loops: Vec<Loop>,
    /// By place: the innermost loop.
    inside: Vec<u32>,
    cursor: Vec<u32>,
    stack: Vec<u32>,
}

impl Order {
    /// Orders what can be reached from `entry`.
    pub fn compute(&mut self, graph: &Graph, entry: u32) {
        self.order(graph, entry);
        self.find_loops(graph);
    }

    /// The place of a block, if it can be reached.
    pub fn place(&self, block: u32) -> Option<u32> {
        self.places.get(block as usize).copied().filter(|&place| place < WAITING)
    }

    /// How many loops a place lies in.
    pub fn depth(&self, place: u32) -> u32 {
        self.loops.get(self.inside[place as usize] as usize).map_or(0, |l| l.depth)
    }

    /// Whether a loop begins at a place.
    pub fn begins_loop(&self, place: u32) -> bool {
        self.loops.get(self.inside[place as usize] as usize).is_some_and(|l| l.first == place)
    }

    /// The place at whose end a value's life ends, if it lives longer than its use at `used`, for a value defined at `defined`.
    pub fn live_until(&self, defined: u32, used: u32) -> Option<u32> {
        let mut until = None;
        let mut index = self.inside[used as usize];
        while let Some(l) = self.loops.get(index as usize)
            && l.first > defined
        {
            until = Some(l.last);
            index = l.parent;
        }
        until
    }

    fn order(&mut self, graph: &Graph, entry: u32) {
        self.places.clear();
        self.places.resize(graph.ends.len(), NONE);
        self.cursor.clone_from(&graph.ends);
        self.blocks.clear();
        self.stack.clear();
        self.stack.push(entry);
        self.places[entry as usize] = WAITING;
        while let Some(&block) = self.stack.last() {
            let cursor = &mut self.cursor[block as usize];
            if *cursor == graph.start(block) {
                self.blocks.push(block);
                self.stack.pop();
                continue;
            }
            // From the last to the first: what is visited last comes next.
            *cursor -= 1;
            let next = graph.successors[*cursor as usize];
            if self.places[next as usize] == NONE {
                self.places[next as usize] = WAITING;
                self.stack.push(next);
            }
        }
        self.blocks.reverse();
        for (index, &block) in self.blocks.iter().enumerate() {
            self.places[block as usize] = index as u32 + 1;
        }
    }

    fn find_loops(&mut self, graph: &Graph) {
        let count = self.blocks.len() as u32;
        // By place: the furthest place that goes back to it.
        let back = &mut self.cursor;
        back.clear();
        back.resize(count as usize + 1, 0);
        for (index, &block) in self.blocks.iter().enumerate() {
            let from = index as u32 + 1;
            for &next in graph.successors(block) {
                let to = self.places[next as usize];
                if to <= from {
                    back[to as usize] = back[to as usize].max(from);
                }
            }
        }
        self.loops.clear();
        self.stack.clear();
        for first in (1..=count).rev() {
            let mut last = back[first as usize];
            if last == 0 {
                continue;
            }
            let index = self.loops.len() as u32;
            while let Some(&inner) = self.stack.last()
                && self.loops[inner as usize].first <= last
            {
                let inner = &mut self.loops[inner as usize];
                last = last.max(inner.last);
                inner.parent = index;
                self.stack.pop();
            }
            self.loops.push(Loop { first, last, depth: 0, parent: NONE });
            self.stack.push(index);
        }
        for index in (0..self.loops.len()).rev() {
            let outer = self.loops.get(self.loops[index].parent as usize).map_or(0, |l| l.depth);
            self.loops[index].depth = outer + 1;
        }
        self.inside.clear();
        self.inside.push(NONE);
        let (mut current, mut next) = (NONE, self.loops.len());
        for place in 1..=count {
            while let Some(l) = self.loops.get(current as usize)
                && l.last < place
            {
                current = l.parent;
            }
            if next > 0 && self.loops[next - 1].first == place {
                next -= 1;
                current = next as u32;
            }
            self.inside.push(current);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(successors: &[&[u32]]) -> Order {
        let mut graph = Graph::default();
        for block in successors {
            for &next in *block {
                graph.add_successor(next);
            }
            graph.end_block();
        }
        let mut order = Order::default();
        order.compute(&graph, 0);
        order
    }

    #[test]
    fn loops_nest() {
        // 0 -> 1; 1 -> 5, 2; 2 -> 4, 3; 3 -> 2; 4 -> 1; 5 ends; 6 cannot be reached.
        let order = order(&[&[1], &[2, 5], &[3, 4], &[2], &[1], &[], &[1]]);
        assert_eq!(order.place(6), None);
        let depths: Vec<u32> = (0..6).map(|block| order.depth(order.place(block).unwrap())).collect();
        assert_eq!(depths, [0, 1, 2, 2, 1, 0]);
        let place = |block| order.place(block).unwrap();
        assert!(order.begins_loop(place(1)) && order.begins_loop(place(2)) && !order.begins_loop(place(3)));
        assert_eq!(order.live_until(place(0), place(3)), Some(place(4)));
        assert_eq!(order.live_until(place(1), place(3)), Some(place(3)));
        assert_eq!(order.live_until(place(2), place(3)), None);
        assert_eq!(order.live_until(place(0), place(5)), None);
    }

    #[test]
    fn overlapping_loops_are_joined() {
        // Two entries into the cycle 1 <-> 2, which no order makes reducible.
        let order = order(&[&[1, 2], &[2, 3], &[1], &[]]);
        let (one, two) = (order.place(1).unwrap(), order.place(2).unwrap());
        assert_eq!(order.live_until(0, one.min(two)), Some(one.max(two)));
    }

    #[test]
    fn a_block_that_is_its_own_loop() {
        let order = order(&[&[0, 1], &[]]);
        assert_eq!(order.blocks, [0, 1]);
        assert_eq!(order.live_until(0, 1), Some(1));
        assert_eq!(order.live_until(1, 1), None);
    }
}
