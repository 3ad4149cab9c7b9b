//! Instruction pointers that need not be stored.
//!
//! *Problem*: before everything that may look at the frame, the builder stores which instruction is running. *Method*: forward
//! over the flow graph, the offset that is stored on all paths; storing it again is redundant. Then, within a block, a
//! store that another one overwrites before anything can see it. *Invariants*: at every operation that may run Python or
//! raise, and at every return, `prev_instr` is what it was; an exit's own description says where its frame goes on. Only
//! `reraise` changes it behind our back.

use super::Context;
use crate::helpers::Helper;
use crate::ir::function::Function;
use crate::ir::op::{Block, Op};

/// What is stored at some point: not yet known, one offset, or several.
#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Unvisited,
    At(u32),
    Several,
}

impl State {
    fn meet(self, other: State) -> State {
        match (self, other) {
            (State::Unvisited, state) | (state, State::Unvisited) => state,
            (a, b) if a == b => a,
            _ => State::Several,
        }
    }

    fn after(self, op: &Op) -> State {
        match op {
            Op::SetIp(offset) => State::At(*offset),
            Op::Call(Helper::Reraise, _) => State::Several,
            _ => self,
        }
    }
}

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    // What a block does to the state, by its last change.
    let mut any = false;
    let effects: Vec<Option<State>> = function
        .blocks
        .iter()
        .map(|block| {
            let last = block.insts.iter().rev().map(|inst| State::Unvisited.after(&inst.op));
            let state = last.into_iter().find(|state| *state != State::Unvisited);
            any |= matches!(state, Some(State::At(_)));
            state
        })
        .collect();
    if !any {
        return 0;
    }
    let graph = context.graph(function);
    let mut out = vec![State::Unvisited; function.blocks.len()];
    let state_before = |out: &[State], block: Block| {
        if block == Block(0) {
            State::Several
        } else {
            graph.predecessors(block).iter().map(|pred| out[pred.0 as usize]).fold(State::Unvisited, State::meet)
        }
    };
    let mut changed = true;
    while changed {
        changed = false;
        for block in graph.order() {
            let index = block.0 as usize;
            let new = effects[index].unwrap_or_else(|| state_before(&out, *block));
            if out[index] != new {
                out[index] = new;
                changed = true;
            }
        }
    }
    let mut changes = 0;
    for block in graph.order() {
        let mut state = state_before(&out, *block);
        let insts = &mut function.blocks[block.0 as usize].insts;
        let before = insts.len();
        insts.retain(|inst| {
            let redundant = matches!(inst.op, Op::SetIp(offset) if state == State::At(offset));
            state = state.after(&inst.op);
            !redundant
        });
        changes += before - insts.len() + overwritten(insts);
    }
    changes
}

/// Removes stores that another one in the block overwrites unseen. Exits are given their offset by their description.
fn overwritten(insts: &mut Vec<crate::ir::function::Inst>) -> usize {
    let mut last: Option<usize> = None;
    let mut dead = Vec::new();
    for (index, inst) in insts.iter().enumerate() {
        match &inst.op {
            Op::SetIp(_) => {
                dead.extend(last);
                last = Some(index);
            }
            Op::Call(helper, _) if helper.effects().is_empty() => {}
            Op::Call(..) | Op::Decref(_) | Op::XDecref(_) | Op::Store { .. } | Op::Load { .. } => last = None,
            _ => {}
        }
    }
    let count = dead.len();
    if count > 0 {
        let mut dead = dead.into_iter().peekable();
        let mut index = 0;
        insts.retain(|_| {
            let gone = dead.next_if_eq(&index).is_some();
            index += 1;
            !gone
        });
    }
    count
}
