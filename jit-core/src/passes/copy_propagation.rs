//! Copies and trivial block parameters.
//!
//! *Problem*: the builder passes the whole Python state to every join; most of it is the same value on all edges. *Method*: a
//! parameter whose arguments are all the same value (or the parameter itself) is that value; solving one may make others
//! trivial, so the parameters it was passed to are looked at again. *Invariants*: a value that replaces a parameter reaches
//! it on every edge, so it dominates the block.

use super::Context;
use super::edges::{Incoming, remove_params};
use super::substitution::Substitution;
use crate::ir::function::Function;
use crate::ir::op::{Op, UnOp, Value};

pub(super) fn run(function: &mut Function, _: &mut Context) -> usize {
    let mut substitution = Substitution::new(function);
    copies(function, &mut substitution);

    let incoming = Incoming::new(function);
    let mut is_param = vec![false; function.values.len()];
    let mut work: Vec<Value> = Vec::new();
    for block in &function.blocks {
        for param in &block.params {
            is_param[param.0 as usize] = true;
            work.push(*param);
        }
    }
    // For each parameter, the parameters it is an argument of.
    let mut head = vec![u32::MAX; function.values.len()];
    let mut links: Vec<(Value, u32)> = Vec::new();
    for param in &work {
        for arg in incoming.of(*param) {
            if is_param[arg.0 as usize] && arg != *param {
                links.push((*param, head[arg.0 as usize]));
                head[arg.0 as usize] = links.len() as u32 - 1;
            }
        }
    }
    work.reverse();
    let mut trivial = vec![false; function.values.len()];
    while let Some(param) = work.pop() {
        if trivial[param.0 as usize] {
            continue;
        }
        let mut only = None;
        let same = incoming.of(param).all(|arg| {
            let arg = substitution.resolve(arg);
            arg == param || *only.get_or_insert(arg) == arg
        });
        if let (true, Some(value)) = (same, only) {
            trivial[param.0 as usize] = true;
            substitution.replace(param, value);
            let mut next = head[param.0 as usize];
            while let Some((user, following)) = links.get(next as usize) {
                work.push(*user);
                next = *following;
            }
        }
    }
    if substitution.count > 0 {
        remove_params(function, |param| trivial[param.0 as usize]);
        substitution.apply(function);
    }
    substitution.count
}

/// Casts to the same type and selections between the same values.
fn copies(function: &mut Function, substitution: &mut Substitution) {
    for block in 0..function.blocks.len() {
        for index in 0..function.blocks[block].insts.len() {
            let inst = &function.blocks[block].insts[index];
            let (Some(result), Some(source)) = (
                inst.result,
                match inst.op {
                    Op::Unary(UnOp::Cast(ty), source) if function.ty(source) == ty => Some(source),
                    Op::Select(_, a, b) if a == b => Some(a),
                    _ => None,
                },
            ) else {
                continue;
            };
            if substitution.resolve(source) != result {
                substitution.replace(result, source);
            }
        }
    }
}
