//! Boxes that are not needed.
//!
//! *Problem*: the builder boxes a raw value wherever an object is wanted, and unboxes objects wherever a raw value is.
//! *Method*: one walk in reverse postorder. `unbox(box x)` is `x`. `box(unbox v)` is `v` with one more reference, which also
//! keeps `v is v` true, where nothing between the two could have dropped `v`'s reference. Then boxes whose uses are only
//! decrements and exits that own them become raw sources of those exits, and the boxes go. *Invariants*: every path
//! keeps its balance of references; an exit's description that is shared is copied before it is changed; a box that an
//! exit mentions twice stays, since its two mentions must be one object.

use super::Context;
use super::substitution::Substitution;
use crate::exit::{ExitId, Source};
use crate::helpers::{Effects, Helper, Passing};
use crate::ir::function::Function;
use crate::ir::op::{Leave, Op, Value};
use crate::ir::types::MemTy;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Float,
    Bool,
}

fn boxing(op: &Op) -> Option<(Kind, Value)> {
    match op {
        Op::BoxFloat(raw) => Some((Kind::Float, *raw)),
        Op::BoxInt(raw) => Some((Kind::Int, *raw)),
        Op::BoxBool(raw) => Some((Kind::Bool, *raw)),
        _ => None,
    }
}

fn unboxing(op: &Op) -> Option<(Kind, Value)> {
    match op {
        Op::UnboxFloat(object) => Some((Kind::Float, *object)),
        Op::UnboxInt(object, _) => Some((Kind::Int, *object)),
        Op::UnboxBool(object) => Some((Kind::Bool, *object)),
        _ => None,
    }
}

/// May the operation drop a reference that keeps some object alive?
pub(super) fn may_release(op: &Op) -> bool {
    match op {
        Op::Decref(_) | Op::XDecref(_) => true,
        // A float's memory is given to another float.
        Op::Store { mem: MemTy::F64, .. } => true,
        Op::Call(Helper::IntToI64, _) => false,
        Op::Call(helper, _) => {
            helper.effects().intersects(Effects::RUNS_PYTHON | Effects::MEMORY)
                || helper.params().any(|param| matches!(param, Passing::Stolen | Passing::StolenOrNull))
        }
        _ => false,
    }
}

fn next_period(period: u32) -> u32 {
    period + 1
}

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    let graph = context.graph(function);
    let count = function.values.len();
    let mut boxed: Vec<Option<(Kind, Value)>> = vec![None; count];
    // The object, and the period without releases in which it was unboxed.
    let mut unboxed: Vec<Option<(Kind, Value, u32)>> = vec![None; count];
    let mut substitution = Substitution::new(function);
    let mut any_box = false;
    let mut period = 0;
    for block in graph.order() {
        period = next_period(period);
        function.blocks[block.0 as usize].insts.retain_mut(|inst| {
            substitution.rewrite(&mut inst.op);
            if may_release(&inst.op) {
                period = next_period(period);
            }
            let Some(result) = inst.result else { return true };
            if let Some((kind, object)) = unboxing(&inst.op) {
                match boxed[object.0 as usize] {
                    Some((of, raw)) if of == kind => {
                        substitution.replace(result, raw);
                        return false;
                    }
                    _ => unboxed[result.0 as usize] = Some((kind, object, period)),
                }
            }
            if let Some((kind, raw)) = boxing(&inst.op) {
                match unboxed[raw.0 as usize] {
                    Some((of, object, then)) if of == kind && then == period => {
                        substitution.replace(result, object);
                        inst.op = Op::Incref(object);
                        inst.result = None;
                    }
                    _ => {
                        boxed[result.0 as usize] = Some((kind, raw));
                        any_box = true;
                    }
                }
            }
            true
        });
    }
    substitution.apply(function);
    let mut changes = substitution.count;
    if any_box {
        // Raw values may have been replaced since.
        for entry in boxed.iter_mut().flatten() {
            entry.1 = substitution.resolve(entry.1);
        }
        changes += give_raw_values_to_exits(function, &boxed);
    }
    changes
}

/// The source kind by which each value of a leave is referred to: how often, and as owned each time.
fn references(function: &Function, leave: &Leave, counts: &mut Vec<(u32, bool)>) {
    counts.clear();
    counts.resize(leave.values.len(), (0, true));
    let exit = &function.exits[leave.exit.0 as usize];
    for source in exit.sources() {
        let (index, owned) = match source {
            Source::Owned(index) => (*index, true),
            Source::Borrowed(index) | Source::Int(index) | Source::Float(index) | Source::Bool(index) => {
                (*index, false)
            }
            Source::Number(index) | Source::IntIf(index) | Source::FloatIf(index) | Source::BoolIf(index) => {
                (*index, false)
            }
            Source::Const(_) | Source::Null => continue,
        };
        let entry = &mut counts[index as usize];
        entry.0 += 1;
        entry.1 &= owned;
    }
}

fn give_raw_values_to_exits(function: &mut Function, boxed: &[Option<(Kind, Value)>]) -> usize {
    // A box qualifies when it is used by decrements and by exits that own it once, and by at least one exit.
    let mut disqualified = vec![false; boxed.len()];
    let mut wanted = false;
    let mut uses_of_exit = vec![0u32; function.exits.len()];
    let mut counts = Vec::new();
    // Marks the leave in which a value was last seen, to find values that are passed twice.
    let mut seen = vec![0u32; boxed.len()];
    let mut number = 0;
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        let leave = inst.op.leave();
        if let Some(leave) = leave {
            uses_of_exit[leave.exit.0 as usize] += 1;
            if leave.values.iter().any(|value| boxed[value.0 as usize].is_some()) {
                number += 1;
                references(function, leave, &mut counts);
                for (value, (times, owned)) in leave.values.iter().zip(&counts) {
                    if boxed[value.0 as usize].is_some() {
                        wanted = true;
                        let again = std::mem::replace(&mut seen[value.0 as usize], number) == number;
                        disqualified[value.0 as usize] |= *times != 1 || !*owned || again;
                    }
                }
            }
        }
        match &inst.op {
            Op::Decref(_) => {}
            Op::Leave(_) => {}
            Op::Guard(a, _) | Op::GuardType(a, ..) | Op::UnboxInt(a, _) => disqualified[a.0 as usize] = true,
            Op::BinaryOrLeave(_, a, b, _) => {
                disqualified[a.0 as usize] = true;
                disqualified[b.0 as usize] = true;
            }
            op => op.for_each_value(|value| disqualified[value.0 as usize] = true),
        }
    }
    if !wanted {
        return 0;
    }
    let goes = |value: Value| boxed[value.0 as usize].is_some() && !disqualified[value.0 as usize];
    let Function { blocks, exits, .. } = function;
    let mut changes = 0;
    for block in blocks {
        // An exit that does not own the box any more must find no box.
        block.insts.retain_mut(|inst| {
            if inst.result.is_some_and(goes) || matches!(inst.op, Op::Decref(object) if goes(object)) {
                changes += 1;
                return false;
            }
            let Some(leave) = leave_mut(&mut inst.op) else { return true };
            let mut exit = None;
            for (index, value) in leave.values.iter_mut().enumerate() {
                let Some((kind, raw)) = boxed[value.0 as usize].filter(|_| !disqualified[value.0 as usize]) else {
                    continue;
                };
                *value = raw;
                changes += 1;
                let exit = exit.get_or_insert_with(|| exits[leave.exit.0 as usize].clone());
                let index = index as u32;
                for source in exit.sources_mut() {
                    if *source == Source::Owned(index) {
                        *source = match kind {
                            Kind::Int => Source::Int(index),
                            Kind::Float => Source::Float(index),
                            Kind::Bool => Source::Bool(index),
                        };
                    }
                }
            }
            if let Some(exit) = exit {
                replace_exit(exits, &mut uses_of_exit, leave, exit);
            }
            true
        });
    }
    changes
}

/// Changes the exit of one leave: in place if nothing else uses it, else as a new exit.
pub(super) fn replace_exit(
    exits: &mut Vec<crate::exit::Exit>,
    uses: &mut Vec<u32>,
    leave: &mut Leave,
    exit: crate::exit::Exit,
) {
    let old = leave.exit.0 as usize;
    if uses[old] == 1 {
        exits[old] = exit;
    } else {
        uses[old] -= 1;
        uses.push(1);
        exits.push(exit);
        leave.exit = ExitId(exits.len() as u32 - 1);
    }
}

pub(super) fn leave_mut(op: &mut Op) -> Option<&mut Leave> {
    match op {
        Op::BinaryOrLeave(_, _, _, leave)
        | Op::Guard(_, leave)
        | Op::GuardType(_, _, leave)
        | Op::UnboxInt(_, leave)
        | Op::Leave(leave) => Some(leave),
        _ => None,
    }
}
