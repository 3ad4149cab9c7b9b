//! The flow graph of decoded bytecode.
//!
//! *Problem*: exceptions and resumptions are control flow too: in 3.11 any covered instruction may go to a handler, and
//! a suspended frame is entered in the middle. *Method*: instructions are cut into blocks at jump targets, after jumps
//! and terminators, at handlers, where the covering handler changes, and where a suspended frame can be resumed. A block
//! has its normal edges at its end and at most one exception edge, which leaves from each of its instructions that may
//! raise.
//! *Invariants*: blocks are numbered in code order, cover the instructions without gaps, and block 0 holds instruction 0;
//! all instructions of a block have the same covering handler; control enters a block only at its first instruction;
//! `predecessors` and `successors` mirror each other; `order` is a reverse postorder of the blocks reachable from block
//! 0 and holds each of them once. Every resume point begins a block. A yield and what follows it are joined by an
//! ordinary edge, as if the frame had not been left.

use crate::bytecode::code::Handler;
use crate::bytecode::decode::Bytecode;
use crate::bytecode::instruction::Op;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;

/// Number of a block, in code order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u32);

impl BlockId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Display for BlockId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

/// Why control goes from one block to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeKind {
    /// On to the next instruction (also: resumed after a yield).
    FallThrough,
    /// The last instruction's jump is taken.
    Jump,
    /// An instruction of the block raised; the stack is as the block's [`Handler`] says.
    Exception,
}

/// One edge, seen from one end; `block` is the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub block: BlockId,
    pub kind: EdgeKind,
}

/// How a suspended frame comes back into a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// After `YIELD_VALUE` or `RETURN_GENERATOR`, with the value sent on the stack.
    AfterYield,
    /// At the end of a `SEND` loop: `generator.throw()` runs the sub-iterator itself, and when that returns, takes the
    /// receiver off the stack, pushes the result and goes on here (`_gen_throw` in `Objects/genobject.c`).
    SendDone,
}

/// A run of instructions entered only at its start.
#[derive(Clone, Debug)]
pub struct BasicBlock {
    /// Indices into [`Bytecode::instructions`].
    pub instructions: Range<usize>,
    /// The row of the exception table that covers the block.
    pub handler: Option<Handler>,
    /// Fall-through first, then jump, then exception.
    pub successors: Vec<Edge>,
    pub predecessors: Vec<Edge>,
    pub resume: Option<Resume>,
    /// Reachable from block 0.
    pub reachable: bool,
}

impl BasicBlock {
    /// Index of the last instruction.
    pub fn last(&self) -> usize {
        self.instructions.end - 1
    }

    /// Where the block goes when one of its instructions raises; `None`: out of the frame, or none can raise.
    pub fn exception_successor(&self) -> Option<BlockId> {
        self.successors.iter().find(|edge| edge.kind == EdgeKind::Exception).map(|edge| edge.block)
    }

    /// Where the block goes when none raises.
    pub fn normal_successors(&self) -> impl Iterator<Item = BlockId> + '_ {
        self.successors.iter().filter(|edge| edge.kind != EdgeKind::Exception).map(|edge| edge.block)
    }
}

/// Blocks of one code object.
#[derive(Clone, Debug)]
pub struct FlowGraph {
    pub blocks: Vec<BasicBlock>,
    /// Reachable blocks in reverse postorder, block 0 first.
    pub order: Vec<BlockId>,
    /// Per instruction, its block.
    block_of: Vec<BlockId>,
}

impl FlowGraph {
    pub const ENTRY: BlockId = BlockId(0);

    /// Cuts `bytecode` into blocks and joins them.
    pub fn build(bytecode: &Bytecode) -> FlowGraph {
        let resumes = resume_points(bytecode);
        let leaders = leaders(bytecode, &resumes);
        let mut blocks: Vec<BasicBlock> = Vec::new();
        let mut block_of = Vec::with_capacity(leaders.len());
        for (index, instruction) in bytecode.instructions.iter().enumerate() {
            if leaders[index] {
                blocks.push(BasicBlock {
                    instructions: index..index,
                    handler: bytecode.handler_for(instruction.opcode_offset),
                    successors: Vec::new(),
                    predecessors: Vec::new(),
                    resume: resumes[index],
                    reachable: false,
                });
            }
            block_of.push(BlockId(blocks.len() as u32 - 1));
            blocks.last_mut().expect("instruction 0 is a leader").instructions.end = index + 1;
        }
        let mut graph = FlowGraph { blocks, order: Vec::new(), block_of };
        graph.join(bytecode);
        graph.number();
        graph
    }

    pub fn block(&self, id: BlockId) -> &BasicBlock {
        &self.blocks[id.index()]
    }

    /// All block numbers, in code order.
    pub fn ids(&self) -> impl Iterator<Item = BlockId> + use<> {
        (0..self.blocks.len() as u32).map(BlockId)
    }

    /// The block that holds an instruction.
    pub fn block_of(&self, instruction: usize) -> BlockId {
        self.block_of[instruction]
    }

    /// Reachable blocks where a suspended frame can be resumed.
    pub fn resume_blocks(&self) -> impl Iterator<Item = BlockId> + '_ {
        self.ids().filter(|&id| self.block(id).reachable && self.block(id).resume.is_some())
    }

    /// The graph with the text of its instructions, as printed by `dump`.
    pub fn with_instructions<'a>(&'a self, bytecode: &'a Bytecode) -> impl Display + 'a {
        WithInstructions { graph: self, bytecode: Some(bytecode) }
    }

    fn join(&mut self, bytecode: &Bytecode) {
        for from in self.ids() {
            let block = self.block(from);
            let last = &bytecode.instructions[block.last()];
            let mut successors = Vec::new();
            if last.op.falls_through() {
                let block = self.block_of[block.last() + 1];
                successors.push(Edge { block, kind: EdgeKind::FallThrough });
            }
            if let Some(target) = last.op.jump_target() {
                let block = self.block_of[bytecode.target(target)];
                successors.push(Edge { block, kind: EdgeKind::Jump });
            }
            if let Some(handler) = block.handler
                && bytecode.instructions[block.instructions.clone()]
                    .iter()
                    .any(|instruction| instruction.op.may_raise())
            {
                let block = self.block_of[bytecode.target(handler.target)];
                successors.push(Edge { block, kind: EdgeKind::Exception });
            }
            for edge in &successors {
                self.blocks[edge.block.index()].predecessors.push(Edge { block: from, kind: edge.kind });
            }
            self.blocks[from.index()].successors = successors;
        }
    }

    fn number(&mut self) {
        let mut pending: Vec<(BlockId, usize)> = vec![(Self::ENTRY, 0)];
        self.blocks[Self::ENTRY.index()].reachable = true;
        while let Some((id, tried)) = pending.last_mut() {
            let id = *id;
            match self.blocks[id.index()].successors.get(*tried).copied() {
                Some(edge) => {
                    *tried += 1;
                    let successor = &mut self.blocks[edge.block.index()];
                    if !successor.reachable {
                        successor.reachable = true;
                        pending.push((edge.block, 0));
                    }
                }
                None => {
                    self.order.push(id);
                    pending.pop();
                }
            }
        }
        self.order.reverse();
    }
}

/// Per instruction, how a suspended frame is resumed there.
fn resume_points(bytecode: &Bytecode) -> Vec<Option<Resume>> {
    let mut points = vec![None; bytecode.instructions.len()];
    for (index, instruction) in bytecode.instructions.iter().enumerate() {
        if let Op::Send { done } = instruction.op {
            points[bytecode.target(done)] = Some(Resume::SendDone);
        }
        if instruction.op.suspends() {
            points[index + 1] = Some(Resume::AfterYield);
        }
    }
    points
}

fn leaders(bytecode: &Bytecode, resumes: &[Option<Resume>]) -> Vec<bool> {
    let mut leaders: Vec<bool> = resumes.iter().map(Option::is_some).collect();
    leaders[0] = true;
    let mut covered_by = None;
    for (index, instruction) in bytecode.instructions.iter().enumerate() {
        if let Some(target) = instruction.op.jump_target() {
            leaders[bytecode.target(target)] = true;
        }
        let ends_block = instruction.op.jump_target().is_some() || !instruction.op.falls_through();
        if ends_block && index + 1 < leaders.len() {
            leaders[index + 1] = true;
        }
        let handler = bytecode.handler_for(instruction.opcode_offset);
        if handler != covered_by {
            leaders[index] = true;
            covered_by = handler;
        }
    }
    for handler in &bytecode.handlers {
        leaders[bytecode.target(handler.target)] = true;
    }
    leaders
}

impl Display for FlowGraph {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        WithInstructions { graph: self, bytecode: None }.fmt(f)
    }
}

struct WithInstructions<'a> {
    graph: &'a FlowGraph,
    bytecode: Option<&'a Bytecode>,
}

impl Display for WithInstructions<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for id in self.graph.ids() {
            let block = self.graph.block(id);
            write!(f, "{id}: {}..{}", block.instructions.start, block.instructions.end)?;
            match block.resume {
                Some(Resume::AfterYield) => write!(f, " resume after yield")?,
                Some(Resume::SendDone) => write!(f, " resume after send")?,
                None => {}
            }
            if !block.reachable {
                write!(f, " unreachable")?;
            }
            for (position, edge) in block.successors.iter().enumerate() {
                let separator = if position == 0 { " ->" } else { "," };
                let kind = match edge.kind {
                    EdgeKind::FallThrough => "next",
                    EdgeKind::Jump => "jump",
                    EdgeKind::Exception => "except",
                };
                write!(f, "{separator} {kind} {}", edge.block)?;
            }
            if let (Some(handler), Some(_)) = (block.handler, block.exception_successor()) {
                let lasti = if handler.push_lasti { " lasti" } else { "" };
                write!(f, " (depth {}{lasti})", handler.depth)?;
            }
            writeln!(f)?;
            if let Some(bytecode) = self.bytecode {
                for instruction in &bytecode.instructions[block.instructions.clone()] {
                    writeln!(f, "  {instruction}")?;
                }
            }
        }
        Ok(())
    }
}
