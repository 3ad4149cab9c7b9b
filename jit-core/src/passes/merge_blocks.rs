//! Fewer blocks: unreachable ones, jumps to jumps, and straight lines cut in pieces.
//!
//! *Method*: targets that are empty blocks with only a jump are followed (a bounded number of steps); then a block whose
//! only predecessor ends with a jump to it is appended to that predecessor, its parameters replaced by the arguments; then
//! blocks are renumbered in their old order. *Invariants*: block 0 stays block 0 and keeps having no predecessors; a merged
//! block is cold if either part was, except for block 0.

use super::Context;
use super::substitution::Substitution;
use crate::ir::function::Function;
use crate::ir::op::{Block, Op, Target};

/// How many empty blocks in a row are followed.
const LONGEST_CHAIN: usize = 8;

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    let mut changes = thread_jumps(function);
    if changes > 0 {
        context.edges_changed();
    }
    let graph = context.graph(function);
    let mut substitution = Substitution::new(function);
    let count = function.blocks.len();
    // Where a block's instructions went.
    let mut kept: Vec<bool> = (0..count).map(|index| graph.is_reachable(Block(index as u32))).collect();
    let unreachable = kept.iter().filter(|kept| !**kept).count();
    changes += unreachable;
    for head in graph.order() {
        if !kept[head.0 as usize] {
            continue;
        }
        while let Some(Op::Jump(target)) = function.terminator(*head) {
            let block = target.block;
            if block == *head || block == Block(0) || graph.predecessors(block).len() != 1 || !kept[block.0 as usize] {
                break;
            }
            let args = target.args.clone();
            let mut merged = std::mem::take(&mut function.blocks[block.0 as usize]);
            kept[block.0 as usize] = false;
            for (param, arg) in merged.params.iter().zip(&args) {
                let arg = substitution.resolve(*arg);
                if arg != *param {
                    substitution.replace(*param, arg);
                }
            }
            let data = &mut function.blocks[head.0 as usize];
            data.cold |= merged.cold && *head != Block(0);
            data.insts.pop();
            data.insts.append(&mut merged.insts);
            changes += 1;
        }
    }
    if changes == 0 {
        return 0;
    }
    keep_only(function, &kept);
    substitution.apply(function);
    context.edges_changed();
    changes
}

/// Removes the blocks that cannot be reached. Gives their number.
pub(super) fn remove_unreachable(function: &mut Function, context: &mut Context) -> usize {
    let graph = context.graph(function);
    let kept: Vec<bool> = (0..function.blocks.len()).map(|index| graph.is_reachable(Block(index as u32))).collect();
    let unreachable = kept.iter().filter(|kept| !**kept).count();
    if unreachable > 0 {
        keep_only(function, &kept);
        context.edges_changed();
    }
    unreachable
}

/// Drops blocks that nothing kept jumps to, and numbers the others in their order.
fn keep_only(function: &mut Function, kept: &[bool]) {
    let mut number = vec![Block(0); kept.len()];
    let mut next = 0;
    for (number, kept) in number.iter_mut().zip(kept) {
        if *kept {
            *number = Block(next);
            next += 1;
        }
    }
    let mut kept = kept.iter();
    function.blocks.retain(|_| *kept.next().expect("a flag per block"));
    for block in &mut function.blocks {
        if let Some(last) = block.insts.last_mut() {
            last.op.for_each_target_mut(|target| target.block = number[target.block.0 as usize]);
        }
    }
}

/// Where an empty block without parameters jumps to.
fn forward(function: &Function, block: Block) -> Option<&Target> {
    let data = &function.blocks[block.0 as usize];
    match data.insts.as_slice() {
        [only] if data.params.is_empty() => match &only.op {
            Op::Jump(target) if target.block != block => Some(target),
            _ => None,
        },
        _ => None,
    }
}

/// Goes past blocks in which there is only a jump. Gives how often.
pub(super) fn thread_jumps(function: &mut Function) -> usize {
    let empty: Vec<Option<Target>> =
        (0..function.blocks.len()).map(|index| forward(function, Block(index as u32)).cloned()).collect();
    if empty.iter().all(Option::is_none) {
        return 0;
    }
    let mut changes = 0;
    for block in &mut function.blocks {
        let Some(last) = block.insts.last_mut() else { continue };
        last.op.for_each_target_mut(|target| {
            for _ in 0..LONGEST_CHAIN {
                // The arguments were computed before the empty block, and it defines nothing.
                let Some(next) = &empty[target.block.0 as usize] else { break };
                *target = next.clone();
                changes += 1;
            }
        });
    }
    changes
}
