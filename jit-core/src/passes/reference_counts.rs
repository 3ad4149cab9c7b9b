//! Pairs of increment and decrement that nobody can notice.
//!
//! *Problem*: loading a local to the stack takes a reference and the operation that consumes it drops it again. *Method*:
//! within a block, an `incref v` waits for a `decref v`. Removing both only lowers the count in between, so it is right when
//! nothing in between can look at the count or drop references: no call beyond the harmless ones, no other decrement. For
//! objects that the code object keeps alive (constants, names, singletons, types) calls in between do not matter either, as
//! long as they do not take `v`. An exit in between that takes the reference is told to make its own (`owned` becomes
//! `borrowed`); one that does not take it refers to it through memory, and the increment stays. *Invariants*: on every path
//! the balance of references is unchanged, and no count reaches 0 earlier than before.

use super::Context;
use super::box_elimination::{leave_mut, may_release, replace_exit};
use crate::exit::Source;
use crate::helpers::Passing;
use crate::ir::function::Function;
use crate::ir::op::{Op, Symbol, Value};
use crate::ir::types::Ty;

/// An increment that waits for its decrement.
struct Waiting {
    value: Value,
    at: usize,
    /// Instructions in between that leave and own the reference, with the index of the value.
    exits: Vec<(usize, u32)>,
}

pub(super) fn run(function: &mut Function, _: &mut Context) -> usize {
    let mut immortal = vec![false; function.values.len()];
    let mut counted = false;
    let mut uses_of_exit = vec![0u32; function.exits.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if let (Op::Symbol(symbol, Ty::Obj), Some(result)) = (&inst.op, inst.result) {
            immortal[result.0 as usize] = !matches!(symbol, Symbol::Address(_) | Symbol::SmallInts);
        }
        if let Some(leave) = inst.op.leave() {
            uses_of_exit[leave.exit.0 as usize] += 1;
        }
        counted |= matches!(inst.op, Op::Incref(_));
    }
    if !counted {
        return 0;
    }
    let mut pairs = 0;
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut dead: Vec<usize> = Vec::new();
    let Function { blocks, exits, .. } = function;
    for block in blocks {
        waiting.clear();
        dead.clear();
        for index in 0..block.insts.len() {
            let op = &block.insts[index].op;
            match op {
                Op::Incref(value) => {
                    // The latest increment is the one that waits.
                    waiting.retain(|other| other.value != *value);
                    waiting.push(Waiting { value: *value, at: index, exits: Vec::new() });
                    continue;
                }
                Op::Decref(value) | Op::XDecref(value) => {
                    if let Some(found) = waiting.iter().position(|waiting| waiting.value == *value) {
                        let found = waiting.swap_remove(found);
                        dead.push(found.at);
                        dead.push(index);
                        pairs += 1;
                        for (at, position) in found.exits {
                            let Some(leave) = leave_mut(&mut block.insts[at].op) else { continue };
                            let mut exit = exits[leave.exit.0 as usize].clone();
                            for source in exit.sources_mut() {
                                if *source == Source::Owned(position) {
                                    *source = Source::Borrowed(position);
                                }
                            }
                            replace_exit(exits, &mut uses_of_exit, leave, exit);
                        }
                        continue;
                    }
                }
                _ => {}
            }
            if waiting.is_empty() {
                continue;
            }
            if let Some(leave) = op.leave() {
                let exit = &exits[leave.exit.0 as usize];
                waiting.retain_mut(|waiting| {
                    // The first mention that owns; each rewriting takes one away.
                    let owned = leave.values.iter().enumerate().find(|(position, value)| {
                        **value == waiting.value && {
                            let source = Source::Owned(*position as u32);
                            exit.sources().any(|found| *found == source)
                        }
                    });
                    if let Some((position, _)) = owned {
                        waiting.exits.push((index, position as u32));
                    }
                    owned.is_some()
                });
            }
            if may_release(op) {
                waiting.retain(|waiting| immortal[waiting.value.0 as usize]);
            }
            consumed(op, |value| waiting.retain(|waiting| waiting.value != value));
        }
        if !dead.is_empty() {
            dead.sort_unstable();
            let mut dead = dead.iter().copied().peekable();
            let mut index = 0;
            block.insts.retain(|_| {
                let gone = dead.next_if_eq(&index).is_some();
                index += 1;
                !gone
            });
        }
    }
    pairs
}

/// The values whose reference an operation takes over.
fn consumed(op: &Op, mut visit: impl FnMut(Value)) {
    match op {
        Op::Call(helper, args) => {
            for (arg, passing) in args.iter().zip(helper.params()) {
                if matches!(passing, Passing::Stolen | Passing::StolenOrNull) {
                    visit(*arg);
                }
            }
        }
        Op::SlotSet(_, value) | Op::Store { value, .. } => visit(*value),
        Op::Decref(value) | Op::XDecref(value) => visit(*value),
        _ => {}
    }
}
