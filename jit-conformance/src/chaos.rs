//! Chaos: changes of the IR that must not change what it does.
//!
//! *Problem*: block order, register pressure and the shape of the graph steer a backend into paths that ordinary functions
//! do not take. *Method*: random functions are changed, several ways at once: blocks are renumbered, split, marked cold or
//! not; edges get blocks of their own; values are renumbered; each use of a constant gets a constant of its own; operands of
//! commutative operations and comparisons are swapped; many values are kept alive from the first instruction to the last.
//! *Invariants*: the interpreter sees the same of the changed function as of the original, but for the words that only the
//! values kept alive write; then the backend must agree with the interpreter.

use std::collections::HashMap;

use columba_jit_core::ir::function::{BlockData, Function, Inst};
use columba_jit_core::ir::op::{BinOp, Block, Cond, Op, Symbol, Target, Value};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::ir::verify::{Level, verify};

use crate::Options;
use crate::bench::Bench;
use crate::generated::{ENTRIES, objects, set_up_objects, set_up_tangle};
use crate::random::{FUEL, Random, tangle};
use crate::run::Case;
use crate::world::{PRESSURE, World, difference, without_pressure};

/// A change by name.
type Change = (&'static str, fn(&mut Function, &mut Random));

const CHANGES: [Change; 8] = [
    ("own constants", own_constants),
    ("swapped operands", swapped_operands),
    ("pressure", pressure),
    ("split blocks", split_blocks),
    ("split edges", split_edges),
    ("cold flags", cold_flags),
    ("block order", block_order),
    ("value numbers", value_numbers),
];

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    let mut cases = Vec::new();
    for index in 0..u64::from(options.chaos_programs) {
        let seed = options.seed.wrapping_mul(5_000_011).wrapping_add(index);
        for variant in 0..u64::from(options.chaos_variants) {
            for with_objects in [true, false] {
                let kind = if with_objects { "objects" } else { "tangle" };
                let name = format!("{kind} {seed} variant {variant}");
                cases.push(Case::new(name, move |bench| chaos(bench, seed, variant, with_objects)));
            }
        }
    }
    cases
}

fn chaos(bench: &Bench<'_>, seed: u64, variant: u64, with_objects: bool) {
    let original = if with_objects { objects(seed, None) } else { tangle(seed) };
    let mut random = Random::new(seed.wrapping_mul(31).wrapping_add(variant));
    let mut changed = original.clone();
    let mut applied = Vec::new();
    for (name, change) in CHANGES {
        // The first variant has all changes.
        if variant == 0 || random.below(2) == 0 {
            change(&mut changed, &mut random);
            applied.push(name);
        }
    }
    verify(&changed, Level::Lowered).unwrap_or_else(|errors| panic!("{applied:?}: {errors}\n{changed}"));
    let world = World::new();
    let compiled = bench.compile_all(&changed, &world);
    let set_up = |world: &World| {
        if with_objects {
            set_up_objects(world, seed);
        } else {
            set_up_tangle(world, seed);
        }
        for word in 0..2 * HELD {
            world.set_word(PRESSURE, word, (f64::from(word) + 0.5).to_bits());
        }
    };
    for entry in if with_objects { &ENTRIES[..] } else { &FUEL[..4] } {
        let before = world.interpret(bench, &original, &set_up, *entry);
        let after = world.agree(bench, &changed, &compiled, &set_up, *entry);
        let (Some((_, before)), Some((_, after))) = (before, after) else { continue };
        if let Some(difference) = difference(&without_pressure(before), &without_pressure(after)) {
            panic!("{applied:?} changed the program: {difference}\n{original}\n{changed}");
        }
    }
}

fn shuffled(count: usize, random: &mut Random) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    for index in (1..count).rev() {
        order.swap(index, random.below(index + 1));
    }
    order
}

fn own_constants(function: &mut Function, _: &mut Random) {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    let constants: HashMap<Value, Op> = insts
        .filter(|inst| matches!(inst.op, Op::IConst(_) | Op::FConst(_) | Op::Null(_) | Op::Symbol(..)))
        .filter_map(|inst| Some((inst.result?, inst.op.clone())))
        .collect();
    for index in 0..function.blocks.len() {
        let insts = std::mem::take(&mut function.blocks[index].insts);
        let mut out = Vec::with_capacity(insts.len() * 2);
        for mut inst in insts {
            let mut own = Vec::new();
            inst.op.for_each_value_mut(|value| {
                if let Some(op) = constants.get(value) {
                    let data = function.values[value.0 as usize];
                    function.values.push(data);
                    *value = Value(function.values.len() as u32 - 1);
                    own.push(Inst { op: op.clone(), result: Some(*value), origin: inst.origin });
                }
            });
            out.extend(own);
            out.push(inst);
        }
        function.blocks[index].insts = out;
    }
}

fn swapped_operands(function: &mut Function, random: &mut Random) {
    use BinOp::{Add, And, FAdd, FMul, Mul, Or, Xor};
    for inst in function.blocks.iter_mut().flat_map(|block| &mut block.insts) {
        match &mut inst.op {
            Op::Binary(Add | Mul | And | Or | Xor | FAdd | FMul, a, b) if random.below(2) == 0 => std::mem::swap(a, b),
            Op::Compare(cond, a, b) if random.below(2) == 0 => {
                *cond = mirrored(*cond);
                std::mem::swap(a, b);
            }
            _ => {}
        }
    }
}

/// The condition that holds of `(b, a)` when this one holds of `(a, b)`.
fn mirrored(cond: Cond) -> Cond {
    match cond {
        Cond::Eq | Cond::Ne | Cond::FEq | Cond::FNe => cond,
        Cond::Lt => Cond::Gt,
        Cond::Le => Cond::Ge,
        Cond::Gt => Cond::Lt,
        Cond::Ge => Cond::Le,
        Cond::ULt => Cond::UGt,
        Cond::ULe => Cond::UGe,
        Cond::UGt => Cond::ULt,
        Cond::UGe => Cond::ULe,
        Cond::FLt => Cond::FGt,
        Cond::FLe => Cond::FGe,
        Cond::FGt => Cond::FLt,
        Cond::FGe => Cond::FLe,
    }
}

/// Integers, and as many floats, that are kept alive.
const HELD: u32 = 20;

fn pressure(function: &mut Function, _: &mut Random) {
    let mut start = Vec::new();
    let define = |function: &mut Function, insts: &mut Vec<Inst>, op: Op| {
        let ty = op.result_ty(function).expect("an operation with a result");
        let value = function.new_value(ty);
        insts.push(Inst { op, result: Some(value), origin: 0 });
        value
    };
    let base = define(function, &mut start, Op::Symbol(Symbol::Address(PRESSURE), Ty::Ptr));
    let load = |function: &mut Function, insts: &mut Vec<Inst>, index: u32, ty: Ty| {
        let mem = if ty == Ty::F64 { MemTy::F64 } else { MemTy::I64 };
        define(function, insts, Op::Load { mem, ty, base, offset: 8 * index as i32 })
    };
    let ints: Vec<Value> = (0..HELD).map(|index| load(function, &mut start, index, Ty::I64)).collect();
    let floats: Vec<Value> = (HELD..2 * HELD).map(|index| load(function, &mut start, index, Ty::F64)).collect();
    for index in 0..function.blocks.len() {
        let ends =
            function.blocks[index].insts.last().is_some_and(|inst| matches!(inst.op, Op::Return(..) | Op::Leave(_)));
        if !ends {
            continue;
        }
        let last = function.blocks[index].insts.pop().expect("a terminator");
        let mut insts = std::mem::take(&mut function.blocks[index].insts);
        for (values, op, mem, place) in
            [(&ints, BinOp::Xor, MemTy::I64, 2 * HELD), (&floats, BinOp::FAdd, MemTy::F64, 2 * HELD + 1)]
        {
            let mut sum = values[0];
            for &value in &values[1..] {
                sum = define(function, &mut insts, Op::Binary(op, sum, value));
            }
            let store = Op::Store { mem, base, offset: 8 * place as i32, value: sum };
            insts.push(Inst { op: store, result: None, origin: 0 });
        }
        insts.push(last);
        function.blocks[index].insts = insts;
    }
    function.blocks[0].insts.splice(0..0, start);
}

fn split_blocks(function: &mut Function, random: &mut Random) {
    for index in 0..function.blocks.len() {
        let count = function.blocks[index].insts.len();
        if count < 2 || random.below(2) == 0 {
            continue;
        }
        let at = 1 + random.below(count - 1);
        let tail = function.blocks[index].insts.split_off(at);
        let cold = function.blocks[index].cold;
        function.blocks.push(BlockData { params: Vec::new(), insts: tail, cold });
        let block = Block(function.blocks.len() as u32 - 1);
        let jump = Op::Jump(Target { block, args: Vec::new() });
        function.blocks[index].insts.push(Inst { op: jump, result: None, origin: 0 });
    }
}

fn split_edges(function: &mut Function, random: &mut Random) {
    for index in 0..function.blocks.len() {
        let Some(mut last) = function.blocks[index].insts.pop() else { continue };
        last.op.for_each_target_mut(|target| {
            if random.below(3) > 0 {
                return;
            }
            let params: Vec<Value> = (target.args.iter())
                .map(|arg| {
                    let data = function.values[arg.0 as usize];
                    function.new_object(data.ty, data.py)
                })
                .collect();
            let on = Op::Jump(Target { block: target.block, args: params.clone() });
            let insts = vec![Inst { op: on, result: None, origin: 0 }];
            function.blocks.push(BlockData { params, insts, cold: random.below(2) == 0 });
            target.block = Block(function.blocks.len() as u32 - 1);
        });
        function.blocks[index].insts.push(last);
    }
}

fn cold_flags(function: &mut Function, random: &mut Random) {
    for block in &mut function.blocks {
        block.cold = random.below(2) == 0;
    }
}

fn block_order(function: &mut Function, random: &mut Random) {
    // The first stays.
    let count = function.blocks.len();
    let order: Vec<u32> = [0].into_iter().chain(shuffled(count - 1, random).iter().map(|index| index + 1)).collect();
    let mut blocks = vec![BlockData::default(); count];
    for (old, data) in std::mem::take(&mut function.blocks).into_iter().enumerate() {
        blocks[order[old] as usize] = data;
    }
    for inst in blocks.iter_mut().flat_map(|block| &mut block.insts) {
        inst.op.for_each_target_mut(|target| target.block = Block(order[target.block.0 as usize]));
    }
    function.blocks = blocks;
}

fn value_numbers(function: &mut Function, random: &mut Random) {
    let order = shuffled(function.values.len(), random);
    let new = |value: Value| Value(order[value.0 as usize]);
    let old = function.values.clone();
    for (index, data) in old.into_iter().enumerate() {
        function.values[order[index] as usize] = data;
    }
    function.entry = function.entry.map(new);
    for block in &mut function.blocks {
        block.params.iter_mut().for_each(|param| *param = new(*param));
        for inst in &mut block.insts {
            inst.result = inst.result.map(new);
            inst.op.for_each_value_mut(|value| *value = new(*value));
        }
    }
}
