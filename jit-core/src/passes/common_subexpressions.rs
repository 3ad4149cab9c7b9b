//! The same value computed, loaded or checked again.
//!
//! *Method*: a walk of the dominator tree with a scoped table from operation and operands to the value that holds the result.
//! Checked operations (`add_or_leave`, `unbox_int`) count as pure here: where a dominating one went through, this one will.
//! Loads carry the number of the memory state they saw; every operation that may write memory starts a new one, and a block
//! goes on with its predecessor's only when it has no other. Slots have a state of their own, which plain increments do not
//! touch; what was stored in a slot is what a load of it gives. *Invariants*: a value replaces another only where its
//! definition dominates; operands are rewritten before they are looked up, so chains are found in one walk.

use super::Context;
use super::substitution::Substitution;
use crate::ir::function::Function;
use crate::ir::op::{BinOp, Block, Cond, Op, OverflowOp, Symbol, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use crate::words::WordMap;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    IConst(i64),
    FConst(u64),
    Null(Ty),
    Symbol(Symbol, Ty),
    Binary(BinOp, Value, Value),
    Unary(UnOp, Value),
    Compare(Cond, Value, Value),
    Select(Value, Value, Value),
    BinaryOrLeave(OverflowOp, Value, Value),
    Frame,
    ThreadState,
    Out,
    SlotAddress(u32),
    IsType(Value, u32),
    UnboxFloat(Value),
    UnboxInt(Value),
    UnboxBool(Value),
    /// With the memory state.
    Load(MemTy, Ty, Value, i32, u32),
    /// With the slots' state.
    Slot(u32, u32),
}

type Table = WordMap<Key, Value>;

#[derive(Clone, Copy, Default)]
struct States {
    memory: u32,
    slots: u32,
}

fn ordered(a: Value, b: Value) -> (Value, Value) {
    if a.0 <= b.0 { (a, b) } else { (b, a) }
}

fn key(op: &Op, states: States) -> Option<Key> {
    use BinOp::*;
    Some(match op {
        Op::IConst(number) => Key::IConst(*number),
        Op::FConst(bits) => Key::FConst(*bits),
        Op::Null(ty) => Key::Null(*ty),
        Op::Symbol(symbol, ty) => Key::Symbol(*symbol, *ty),
        Op::Binary(op @ (Add | Mul | And | Or | Xor | FAdd | FMul), a, b) => {
            let (a, b) = ordered(*a, *b);
            Key::Binary(*op, a, b)
        }
        Op::Binary(op, a, b) => Key::Binary(*op, *a, *b),
        Op::Unary(op, a) => Key::Unary(*op, *a),
        Op::Compare(cond @ (Cond::Eq | Cond::Ne | Cond::FEq | Cond::FNe), a, b) => {
            let (a, b) = ordered(*a, *b);
            Key::Compare(*cond, a, b)
        }
        Op::Compare(cond, a, b) => Key::Compare(*cond, *a, *b),
        Op::Select(a, b, c) => Key::Select(*a, *b, *c),
        Op::BinaryOrLeave(op @ (OverflowOp::Add | OverflowOp::Mul), a, b, _) => {
            let (a, b) = ordered(*a, *b);
            Key::BinaryOrLeave(*op, a, b)
        }
        Op::BinaryOrLeave(op, a, b, _) => Key::BinaryOrLeave(*op, *a, *b),
        Op::Frame => Key::Frame,
        Op::ThreadState => Key::ThreadState,
        Op::Out => Key::Out,
        Op::SlotAddress(slot) => Key::SlotAddress(*slot),
        // A module can change its type.
        Op::IsType(a, py) if *py != PyTypes::MODULE => Key::IsType(*a, py.bits()),
        Op::UnboxFloat(a) => Key::UnboxFloat(*a),
        Op::UnboxInt(a, _) => Key::UnboxInt(*a),
        Op::UnboxBool(a) => Key::UnboxBool(*a),
        Op::Load { mem, ty, base, offset } => Key::Load(*mem, *ty, *base, *offset, states.memory),
        Op::SlotGet(slot) => Key::Slot(*slot, states.slots),
        _ => return None,
    })
}

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    let graph = context.graph(function);
    let mut substitution = Substitution::new(function);
    let mut table = Table::with_capacity_and_hasher(function.values.len(), Default::default());
    let mut log: Vec<(Key, Option<Value>)> = Vec::new();
    let mut open: Vec<(Block, usize)> = Vec::new();
    let mut fresh = 0;
    let mut state_after = vec![States::default(); function.blocks.len()];
    for block in graph.dominator_preorder() {
        while let Some((above, length)) = open.last() {
            if graph.dominates(*above, *block) {
                break;
            }
            for (key, old) in log.drain(*length..).rev() {
                match old {
                    Some(value) => table.insert(key, value),
                    None => table.remove(&key),
                };
            }
            open.pop();
        }
        open.push((*block, log.len()));
        let mut next_state = || {
            fresh += 1;
            fresh
        };
        let mut states = match graph.predecessors(*block) {
            [pred] => state_after[pred.0 as usize],
            _ => States { memory: next_state(), slots: next_state() },
        };
        let Function { blocks, values, .. } = &mut *function;
        blocks[block.0 as usize].insts.retain_mut(|inst| {
            substitution.rewrite(&mut inst.op);
            if let (Some(key), Some(result)) = (key(&inst.op, states), inst.result) {
                match table.get(&key) {
                    Some(value) => {
                        // What is known of either holds for both, at the later one. The earlier keeps its own.
                        substitution.replace(result, *value);
                        return false;
                    }
                    None => {
                        table.insert(key, result);
                        log.push((key, None));
                    }
                }
            }
            let mut stored = |key: Key, value: Value| {
                let old = table.insert(key, value);
                log.push((key, old));
            };
            match &inst.op {
                Op::SlotSet(slot, value) => {
                    states.memory = next_state();
                    stored(Key::Slot(*slot, states.slots), *value);
                }
                Op::Store { mem, base, offset, value } => {
                    states = States { memory: next_state(), slots: next_state() };
                    if matches!(mem, MemTy::I64 | MemTy::F64 | MemTy::Ptr) {
                        let ty = values[value.0 as usize].ty;
                        stored(Key::Load(*mem, ty, *base, *offset, states.memory), *value);
                    }
                }
                Op::Incref(_) | Op::SetIp(_) => states.memory = next_state(),
                op if op.writes_memory() => states = States { memory: next_state(), slots: next_state() },
                _ => {}
            }
            true
        });
        state_after[block.0 as usize] = states;
    }
    substitution.apply(function);
    substitution.count
}
