//! What nothing uses.
//!
//! *Problem*: other passes leave values without uses, and the builder passes state to joins that no path needs. *Method*:
//! mark and sweep. Roots are the operands of instructions with effects; a live parameter makes its arguments live. Reference
//! counting of a fresh box is no root: a box that is otherwise unused goes, with its increments and decrements, which
//! together did nothing but free it. *Invariants*: effects stay, in order; a checked operation (`unbox_int`,
//! `add_or_leave`) without uses may go, because its exit only protects its result, but a `guard` stays.

use super::Context;
use super::edges::{Incoming, remove_params};
use super::merge_blocks::{remove_unreachable, thread_jumps};
use crate::helpers::{Helper, Passing};
use crate::ir::function::Function;
use crate::ir::op::{Op, Value};

const NOWHERE: u32 = u32::MAX;

fn is_box(op: &Op) -> bool {
    matches!(
        op,
        Op::BoxFloat(_) | Op::BoxInt(_) | Op::BoxBool(_) | Op::Call(Helper::BoxFloat, _) | Op::Call(Helper::BoxInt, _)
    )
}

/// May the instruction go when its result is not used?
fn is_removable(op: &Op) -> bool {
    op.is_pure()
        || op.is_load()
        || is_box(op)
        || match op {
            Op::UnboxInt(..) | Op::BinaryOrLeave(..) => true,
            Op::Call(helper, _) => {
                helper.effects().is_empty()
                    && matches!(helper.result(), Passing::Float | Passing::Int)
                    && helper.params().all(|param| !matches!(param, Passing::Stolen | Passing::StolenOrNull))
            }
            _ => false,
        }
}

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    let changes = sweep(function);
    // A block in which nothing but a jump was left need not be passed through.
    let skipped = if changes > 0 { thread_jumps(function) } else { 0 };
    if skipped > 0 {
        context.edges_changed();
        remove_unreachable(function, context);
    }
    changes + skipped
}

fn sweep(function: &mut Function) -> usize {
    let count = function.values.len();
    let incoming = Incoming::new(function);
    let mut live = vec![false; count];
    let mut boxes = vec![false; count];
    let mut place = vec![(NOWHERE, 0u32); count];
    for (block, data) in function.blocks.iter().enumerate() {
        for (index, inst) in data.insts.iter().enumerate() {
            if let Some(result) = inst.result {
                place[result.0 as usize] = (block as u32, index as u32);
                boxes[result.0 as usize] = is_box(&inst.op);
            }
        }
    }
    let counts_box = |op: &Op, boxes: &[bool]| match op {
        Op::Incref(a) | Op::Decref(a) | Op::XDecref(a) => boxes[a.0 as usize],
        _ => false,
    };
    let mut work: Vec<Value> = Vec::new();
    let mut mark = |value: Value, work: &mut Vec<Value>| {
        if !std::mem::replace(&mut live[value.0 as usize], true) {
            work.push(value);
        }
    };
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        match &inst.op {
            op if counts_box(op, &boxes) || (inst.result.is_some() && is_removable(op)) => {}
            // Arguments of targets wait for their parameters.
            Op::Jump(_) => {}
            Op::Branch(value, ..) | Op::Switch(value, ..) => mark(*value, &mut work),
            op => op.for_each_value(|value| mark(value, &mut work)),
        }
    }
    while let Some(value) = work.pop() {
        match place[value.0 as usize] {
            (NOWHERE, _) => incoming.of(value).for_each(|arg| mark(arg, &mut work)),
            (block, index) => {
                function.blocks[block as usize].insts[index as usize].op.for_each_value(|value| mark(value, &mut work))
            }
        }
    }
    let mut changes = 0;
    for block in &mut function.blocks {
        let before = block.insts.len();
        block.insts.retain(|inst| match (&inst.op, inst.result) {
            (Op::Incref(a) | Op::Decref(a) | Op::XDecref(a), _) if boxes[a.0 as usize] => live[a.0 as usize],
            (op, Some(result)) if is_removable(op) => live[result.0 as usize],
            _ => true,
        });
        changes += before - block.insts.len();
    }
    changes + remove_params(function, |param| !live[param.0 as usize])
}
