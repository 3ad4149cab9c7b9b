//! Exit stress: every guard fails.
//!
//! *Problem*: in ordinary runs hardly a guard fails, yet what an exit hands over must be right at each. *Method*: programs are
//! lowered with the stress counters of `docs/exits.md`; the counters are set so that exactly one guard fails, at its first,
//! second or fourth execution, and this is done for every guard in turn; then with all counters at 0, again and again until
//! the program runs to its end. *Invariant*: every run's exit number, values and memory are those of the interpreter.

use columba_jit_core::ir::generate::generate_sequence;
use columba_jit_core::layout::Layout;
use columba_jit_core::lower::{LowerOptions, guard_count, lower};

use crate::Options;
use crate::bench::Bench;
use crate::generated::set_up_objects;
use crate::run::Case;
use crate::world::{COUNTERS, World};

/// A counter from which no guard's number is reached.
const NEVER: u64 = 1 << 40;

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    (0..u64::from(options.exit_programs))
        .map(|index| {
            let seed = options.seed.wrapping_mul(7_000_003).wrapping_add(index);
            Case::new(format!("objects {seed}"), move |bench| stress(bench, seed))
        })
        .collect()
}

fn stress(bench: &Bench<'_>, seed: u64) {
    let original = generate_sequence(seed, 120);
    let guards = guard_count(&original) as u64;
    let function = lower(&original, &Layout::EXAMPLE, &LowerOptions { stress_exits: Some(COUNTERS) });
    let world = World::new();
    let compiled = bench.compile_all(&function, &world);
    for guard in 0..guards {
        for earlier in [0, 1, 3] {
            let set_up = |world: &World| {
                set_up_objects(world, seed);
                for other in 0..guards {
                    let counter = if other == guard { guard.wrapping_sub(earlier) } else { NEVER };
                    world.set_word(COUNTERS, other as u32, counter);
                }
            };
            let Some(_) = world.agree(bench, &function, &compiled, &set_up, 1) else { return };
            // The guard has counted past its number exactly if it failed.
            if world.word(COUNTERS, guard as u32) == guard + 1 {
                bench.count("guards made to fail", 1);
            }
        }
    }
    // As it is used: the counters go on from run to run.
    let mut counters = vec![0; guards as usize];
    for run in 0..=guards {
        let set_up = |world: &World| {
            set_up_objects(world, seed);
            for (index, &counter) in counters.iter().enumerate() {
                world.set_word(COUNTERS, index as u32, counter);
            }
        };
        let Some((outcome, _)) = world.agree(bench, &function, &compiled, &set_up, 1) else { return };
        counters = (0..guards as u32).map(|index| world.word(COUNTERS, index)).collect();
        if outcome.exit().is_none() {
            break;
        }
        bench.count("runs until the end", u64::from(run > 0));
    }
}
