//! Exit stress: every guard fails.
//!
//! *Problem*: in ordinary runs hardly a guard fails, yet what an exit hands over must be right at each; and a guard that
//! fails early hides all that follow. *Method*: guards on conditions are made to hold, so that programs go on; they are
//! lowered with the stress counters of `docs/exits.md`; the counters are set so that exactly one guard fails, at its first,
//! second or fourth execution, and this is done for every guard in turn; then with all counters at 0, again and again until
//! the program runs to its end. *Invariants*: every run's exit number, values and memory are those of the interpreter; how
//! many guards really failed is counted.

use columba_jit_core::ir::function::{Function, Inst};
use columba_jit_core::ir::generate::{SLOTS, generate_sequence};
use columba_jit_core::ir::op::{BinOp, Op};
use columba_jit_core::ir::types::Ty;
use columba_jit_core::layout::Layout;
use columba_jit_core::lower::{LowerOptions, guard_count, lower};

use crate::Options;
use crate::bench::Bench;
use crate::generated::set_up_tangle;
use crate::random::tangle;
use crate::run::Case;
use crate::world::{COUNTERS, Content, World};

/// A counter from which no guard's number is reached.
const NEVER: u64 = 1 << 40;

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    let mut cases = Vec::new();
    for index in 0..u64::from(options.exit_programs) {
        let seed = options.seed.wrapping_mul(7_000_003).wrapping_add(index);
        cases.push(Case::new(format!("objects {seed}"), move |bench| {
            // Slots with ints, with floats, with both: type guards hold in one or the other.
            let set_ups: Vec<SetUp> =
                (0..3).map(|kind| Box::new(move |world: &World| slots(world, kind)) as SetUp).collect();
            stress(bench, holding(generate_sequence(seed, 90), false), &set_ups, 1);
        }));
        cases.push(Case::new(format!("tangle {seed}"), move |bench| {
            let set_up: SetUp = Box::new(move |world| set_up_tangle(world, seed));
            stress(bench, holding(tangle(seed), true), &[set_up], 25);
        }));
    }
    cases
}

type SetUp = Box<dyn Fn(&World)>;

fn slots(world: &World, kind: u32) {
    for slot in 0..SLOTS {
        let float = kind == 1 || (kind == 2 && slot % 2 == 1);
        let object = world.make(if float { Content::Float(2.5) } else { Content::Int(7 - i64::from(slot)) });
        world.set_slot(slot, object);
    }
}

/// Guards on conditions hold, but for each block's first if that is what ends the program.
fn holding(mut function: Function, keep_first: bool) -> Function {
    for index in 0..function.blocks.len() {
        let mut out = Vec::new();
        let mut kept = !keep_first;
        for mut inst in std::mem::take(&mut function.blocks[index].insts) {
            if let Op::Guard(cond, _) = &mut inst.op
                && std::mem::replace(&mut kept, true)
            {
                let (one, holds) = (function.new_value(Ty::I64), function.new_value(Ty::I64));
                let origin = inst.origin;
                out.push(Inst { op: Op::IConst(1), result: Some(one), origin });
                out.push(Inst { op: Op::Binary(BinOp::Or, *cond, one), result: Some(holds), origin });
                *cond = holds;
            }
            out.push(inst);
        }
        function.blocks[index].insts = out;
    }
    function
}

fn stress(bench: &Bench<'_>, original: Function, set_ups: &[SetUp], entry: i64) {
    let guards = guard_count(&original);
    let function = lower(&original, &Layout::EXAMPLE, &LowerOptions { stress_exits: Some(COUNTERS) });
    let world = World::new();
    let compiled = bench.compile_all(&function, &world);
    let mut failed = vec![false; guards];
    let set_counters = |world: &World, counters: &[u64]| {
        for (index, &counter) in counters.iter().enumerate() {
            world.set_word(COUNTERS, index as u32, counter);
        }
    };
    for set_up in set_ups {
        for guard in 0..guards {
            for earlier in [0, 1, 3] {
                let mut counters = vec![NEVER; guards];
                counters[guard] = (guard as u64).wrapping_sub(earlier);
                let set_up = |world: &World| {
                    set_up(world);
                    set_counters(world, &counters);
                };
                if world.agree(bench, &function, &compiled, &set_up, entry).is_none() {
                    continue;
                }
                // The guard has counted past its number exactly if it failed; if it was not reached so often, then no more.
                if world.word(COUNTERS, guard as u32) != guard as u64 + 1 {
                    break;
                }
                failed[guard] = true;
            }
        }
        // As it is used: the counters go on from run to run.
        let mut counters = vec![0; guards];
        for run in 0..=guards {
            let set_up = |world: &World| {
                set_up(world);
                set_counters(world, &counters);
            };
            let Some((outcome, _)) = world.agree(bench, &function, &compiled, &set_up, entry) else { break };
            counters = (0..guards as u32).map(|index| world.word(COUNTERS, index)).collect();
            if outcome.exit().is_none() {
                break;
            }
            bench.count("runs on the way to an end", u64::from(run > 0));
        }
    }
    bench.count("guards", guards as u64);
    bench.count("guards made to fail", failed.iter().filter(|&&failed| failed).count() as u64);
}
