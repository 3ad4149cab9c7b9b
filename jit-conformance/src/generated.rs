//! Random functions against the reference interpreter.
//!
//! *Problem*: combinations that nobody thinks of. *Method*: two generators: the core's writes programs with objects, which
//! are lowered (every other one after the passes), and [`crate::random`] tangled flow graphs; both run in a
//! [`World`], where interpreter and backend must leave the same memory, make the same calls and end the same way.
//! *Invariant*: what really ran is counted by kind of operation; a kind that never ran is a failure, so that a generator that
//! loses one is noticed.

use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::generate::{SLOTS, WORDS, generate_sequence};
use columba_jit_core::ir::verify::{Level, verify};
use columba_jit_core::layout::Layout;
use columba_jit_core::lower::{LowerOptions, lower};
use columba_jit_core::passes::{self, PassOptions};

use crate::Options;
use crate::bench::Bench;
use crate::random::{self, FUEL, INTS, Random, tangle};
use crate::run::Case;
use crate::world::{Content, Kind, World};

/// Entry numbers that programs with objects are run with.
pub(crate) const ENTRIES: [i64; 4] = [0, 1, -3, 1 << 40];

/// Fewer programs than this need not execute every kind.
const FEW: u32 = 30;

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    let mut cases = Vec::new();
    for index in 0..u64::from(options.programs) {
        let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(index);
        let inputs: Vec<u64> = (0..u64::from(options.inputs)).map(|input| seed.wrapping_add(input << 40)).collect();
        let same = inputs.clone();
        cases.push(Case::new(format!("objects {seed}"), move |bench| {
            run(bench, &objects(seed, None), &ENTRIES, &inputs, &set_up_objects);
        }));
        cases.push(Case::new(format!("tangle {seed}"), move |bench| {
            run(bench, &tangle(seed), &FUEL, &same, &set_up_tangle);
        }));
    }
    cases
}

/// A lowered program with objects.
pub(crate) fn objects(seed: u64, stress_exits: Option<u32>) -> Function {
    let mut function = generate_sequence(seed, 20 + (seed % 9) as u32 * 25);
    if seed.is_multiple_of(2) {
        passes::run(&mut function, &PassOptions::default());
    }
    lower(&function, &Layout::EXAMPLE, &LowerOptions { stress_exits })
}

/// What the slots and words of a program with objects hold at first.
pub(crate) fn set_up_objects(world: &World, seed: u64) {
    let mut random = Random::new(seed);
    for slot in 0..SLOTS {
        let content = match random.below(4) {
            0 => Content::Float([2.5, -0.0, f64::INFINITY, 1e-300][random.below(4)]),
            1 => Content::Other(9),
            _ => Content::Int([5, -1, 0, -(1 << 40), i64::MAX, i64::MIN][random.below(6)]),
        };
        let object = world.make(content);
        world.set_slot(slot, object);
    }
    for word in 0..WORDS {
        world.set_word(0, word, random.pick(&INTS) as u64);
    }
}

pub(crate) fn set_up_tangle(world: &World, seed: u64) {
    let mut random = Random::new(seed ^ 0xabcd);
    for word in 0..random::WORDS as u32 {
        world.set_frame_word(word, random.pick(&INTS) as u64);
    }
}

fn run(bench: &Bench<'_>, function: &Function, entries: &[i64], inputs: &[u64], set_up: &dyn Fn(&World, u64)) {
    verify(function, Level::Lowered).unwrap_or_else(|errors| panic!("the generator is wrong: {errors}"));
    let world = World::new();
    let compiled = bench.compile_all(function, &world);
    for (&entry, &input) in entries.iter().flat_map(|entry| inputs.iter().map(move |input| (entry, input))) {
        match world.agree(bench, function, &compiled, &|world| set_up(world, input), entry) {
            Some((outcome, _)) if outcome.exit().is_some() => bench.count("left by an exit", 1),
            Some(_) => {}
            None => bench.count("programs that were too long", 1),
        }
    }
}

/// The kinds that the generators must execute.
#[rustfmt::skip]
const KINDS: &[Kind] = &[
    ("iconst", ""), ("fconst", ""), ("null", ""), ("symbol", ""),
    ("add", ""), ("sub", ""), ("mul", ""), ("and", ""), ("or", ""), ("xor", ""), ("shl", ""), ("ashr", ""), ("lshr", ""),
    ("sdiv", ""), ("srem", ""), ("fadd", ""), ("fsub", ""), ("fmul", ""), ("fdiv", ""),
    ("neg", ""), ("not", ""), ("fneg", ""), ("fabs", ""), ("fsqrt", ""), ("ffloor", ""), ("int_to_float", ""),
    ("float_to_int", ""), ("bits_to_float", ""), ("float_to_bits", ""), ("cast", ""),
    ("compare", "eq"), ("compare", "ne"), ("compare", "lt"), ("compare", "le"), ("compare", "gt"), ("compare", "ge"),
    ("compare", "ult"), ("compare", "ule"), ("compare", "ugt"), ("compare", "uge"),
    ("compare", "feq"), ("compare", "fne"), ("compare", "flt"), ("compare", "fle"), ("compare", "fgt"), ("compare", "fge"),
    ("select", ""), ("or_leave", "add_or_leave"), ("or_leave", "sub_or_leave"), ("or_leave", "mul_or_leave"), ("guard", ""),
    ("load", "u8"), ("load", "i8"), ("load", "u16"), ("load", "i16"), ("load", "u32"), ("load", "i32"), ("load", "i64"),
    ("load", "f64"), ("load", "ptr"),
    ("store", "u8"), ("store", "i8"), ("store", "u16"), ("store", "i16"), ("store", "u32"), ("store", "i32"),
    ("store", "i64"), ("store", "f64"), ("store", "ptr"),
    ("call", ""), ("frame", ""), ("thread_state", ""), ("out", ""), ("jump", ""), ("branch", ""), ("switch", ""),
    ("return", ""), ("leave", ""),
];

/// Whether every kind of operation was executed.
pub(crate) fn check_coverage(bench: &Bench<'_>, options: &Options) -> Result<(), String> {
    let executed = bench.executed.borrow();
    let missing: Vec<String> = (KINDS.iter().filter(|kind| !executed.contains_key(*kind)))
        .map(|(name, detail)| format!("{name} {detail}").trim_end().to_owned())
        .collect();
    if options.programs < FEW || missing.is_empty() {
        return Ok(());
    }
    Err(format!("never executed: {}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReferenceBackend;

    #[test]
    fn too_little_coverage_is_a_failure() {
        let backend = ReferenceBackend::new();
        let bench = Bench::new(&backend);
        let message = check_coverage(&bench, &Options::default()).unwrap_err();
        assert!(message.contains("mul_or_leave") && message.contains("load i8"), "{message}");
    }
}
