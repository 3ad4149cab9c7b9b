//! Blocks that can only lead out of compiled code are cold.
//!
//! *Problem*: the builder marks what it knows to be rare when it begins a block; that a path of an inlined body ends
//! in an exit it knows only at the end. Unmarked, such blocks stand among those that run, which jump over them.
//! *Method*: a block that leaves or raises is cold, and so is one that goes to cold blocks only; one walk against the
//! order of the blocks. *Invariants*: block 0 is never cold; no mark is taken away; a block whose successors are not
//! all known yet, around a loop, stays as it is.

use super::Context;
use crate::ir::function::Function;
use crate::ir::op::{Block, Op, Status};

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    let graph = context.graph(function);
    let mut changes = 0;
    for &block in graph.order().iter().rev() {
        if block == Block(0) || function.blocks[block.0 as usize].cold {
            continue;
        }
        let cold = match function.terminator(block) {
            Some(Op::Leave(_) | Op::Return(Status::Raised, _)) => true,
            Some(op @ (Op::Jump(_) | Op::Branch(..) | Op::Switch(..))) => {
                let mut all = true;
                op.for_each_target(|target| all &= function.blocks[target.block.0 as usize].cold);
                all
            }
            _ => false,
        };
        if cold {
            function.blocks[block.0 as usize].cold = true;
            changes += 1;
        }
    }
    changes
}
