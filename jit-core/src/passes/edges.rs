//! Arguments of block parameters, seen from the parameter.
//!
//! *Method*: linked lists in two vectors, built in one sweep. *Invariants*: every edge counts, those from unreachable blocks
//! too; the lists hold until a terminator changes.

use crate::ir::function::Function;
use crate::ir::op::Value;

const END: u32 = u32::MAX;

pub(super) struct Incoming {
    head: Vec<u32>,
    links: Vec<(Value, u32)>,
}

impl Incoming {
    pub(super) fn new(function: &Function) -> Self {
        let mut incoming = Incoming { head: vec![END; function.values.len()], links: Vec::new() };
        for block in &function.blocks {
            let Some(last) = block.insts.last() else { continue };
            last.op.for_each_target(|target| {
                for (param, arg) in function.blocks[target.block.0 as usize].params.iter().zip(&target.args) {
                    let head = &mut incoming.head[param.0 as usize];
                    incoming.links.push((*arg, *head));
                    *head = incoming.links.len() as u32 - 1;
                }
            });
        }
        incoming
    }

    /// The arguments passed for a parameter.
    pub(super) fn of(&self, param: Value) -> impl Iterator<Item = Value> + '_ {
        let mut next = self.head[param.0 as usize];
        std::iter::from_fn(move || {
            let (arg, following) = *self.links.get(next as usize)?;
            next = following;
            Some(arg)
        })
    }
}

/// Removes the parameters that `drop` names, and their arguments. Gives their number.
pub(super) fn remove_params(function: &mut Function, drop: impl Fn(Value) -> bool) -> usize {
    let mut kept: Vec<Option<Vec<bool>>> = vec![None; function.blocks.len()];
    let mut removed = 0;
    for (block, kept) in function.blocks.iter_mut().zip(&mut kept) {
        if block.params.iter().any(|param| drop(*param)) {
            let keep: Vec<bool> = block.params.iter().map(|param| !drop(*param)).collect();
            removed += keep.iter().filter(|keep| !**keep).count();
            block.params.retain(|param| !drop(*param));
            *kept = Some(keep);
        }
    }
    if removed > 0 {
        for block in &mut function.blocks {
            let Some(last) = block.insts.last_mut() else { continue };
            last.op.for_each_target_mut(|target| {
                if let Some(keep) = &kept[target.block.0 as usize] {
                    let mut keep = keep.iter();
                    target.args.retain(|_| keep.next().copied().unwrap_or(true));
                }
            });
        }
    }
    removed
}
