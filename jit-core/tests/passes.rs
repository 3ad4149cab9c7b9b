//! Random functions: passes and lowering keep what a function does.

use columba_jit_core::exit::Source;
use columba_jit_core::helpers::{Effects, Helper};
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::generate::{SLOTS, WORDS, generate, generate_sequence};
use columba_jit_core::ir::interpret::{Arguments, Trap, interpret};
use columba_jit_core::ir::parse::parse;
use columba_jit_core::ir::simulate::{Content, FRAME, Heap, OUT, THREAD_STATE};
use columba_jit_core::ir::verify::{Level, verify};
use columba_jit_core::layout::Layout;
use columba_jit_core::lower::{LowerOptions, guard_count, lower};
use columba_jit_core::passes::{PASSES, PassOptions, run, run_one};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const LIMIT: u64 = 200_000;

/// What can be observed of a run: status or exit, the rebuilt frame, memory, and each call with its instruction pointer.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Observed {
    end: String,
    slots: Vec<String>,
    words: Vec<u64>,
    calls: Vec<(Helper, Option<u64>)>,
}

/// Runs and rebuilds the frame as the runtime would; then gives up every reference and finds none left.
fn observe(function: &Function, layout: &Layout, entry: i64) -> Result<Option<Observed>, String> {
    let lowered = match verify(function, Level::Lowered) {
        Ok(()) => function.clone(),
        Err(_) => lower(function, layout, &LowerOptions::default()),
    };
    verify(&lowered, Level::Lowered).map_err(|errors| format!("{errors}\n{lowered}"))?;
    let mut heap = Heap::new(*layout);
    let start = [Content::Int(5), Content::Float(2.5), Content::Int(-(1 << 40)), Content::Other(9)];
    for slot in 0..SLOTS {
        let object = heap.make(start[slot as usize]);
        heap.set_slot(slot, object);
    }
    let arguments = Arguments { thread_state: THREAD_STATE, frame: FRAME, out: OUT, entry };
    let outcome = match interpret(&lowered, &mut heap, arguments, LIMIT) {
        Ok(outcome) => outcome,
        Err(Trap::StepLimit) => return Ok(None),
        Err(trap) => return Err(format!("{trap}\n{lowered}")),
    };
    let mut held = Vec::new();
    let mut end = format!("{}", outcome.status.min(16));
    match outcome.exit() {
        None => held.extend(outcome.values.iter().copied()),
        Some(exit) => {
            let exit = &lowered.exits[exit.0 as usize];
            end += &format!(" at {}", exit.offset);
            let value = |index: &u32| outcome.values[*index as usize];
            for source in exit.sources() {
                held.push(match source {
                    Source::Owned(index) => value(index),
                    Source::Borrowed(index) => {
                        heap.incref(value(index))?;
                        value(index)
                    }
                    Source::Int(index) => heap.make(Content::Int((value(index) as i64).into())),
                    Source::Float(index) => heap.make(Content::Float(f64::from_bits(value(index)))),
                    Source::Bool(index) => heap.make(Content::Bool(value(index) != 0)),
                    Source::Number(index) if value(&(index + 1)) != 0 => {
                        heap.make(Content::Int((f64::from_bits(value(index)) as i64).into()))
                    }
                    Source::Number(index) => heap.make(Content::Float(f64::from_bits(value(index)))),
                    Source::IntIf(index) | Source::BoolIf(index) | Source::FloatIf(index)
                        if value(&(index + 1)) == 0 =>
                    {
                        0
                    }
                    Source::IntIf(index) => heap.make(Content::Int((value(index) as i64).into())),
                    Source::FloatIf(index) => heap.make(Content::Float(f64::from_bits(value(index)))),
                    Source::BoolIf(index) => heap.make(Content::Bool(value(index) != 0)),
                    Source::Const(_) | Source::Null => 0,
                });
            }
        }
    }
    for object in &held {
        end += &format!(" {}", heap.content(*object)?);
    }
    let mut slots = Vec::new();
    for slot in 0..SLOTS {
        slots.push(heap.content(heap.slot(slot))?.to_string());
        held.push(heap.slot(slot));
    }
    for object in held.into_iter().filter(|object| *object != 0) {
        heap.decref(object)?;
    }
    if !heap.live().is_empty() {
        return Err(format!("left over: {:?}\n{lowered}", heap.live()));
    }
    let reference_helpers = [Helper::Dealloc, Helper::Decref, Helper::XDecref];
    let calls =
        heap.calls.iter().copied().filter(|(helper, _)| {
            helper.effects().contains(Effects::RUNS_PYTHON) && !reference_helpers.contains(helper)
        });
    let calls = calls.collect();
    Ok(Some(Observed { end, slots, words: (0..WORDS).map(|index| heap.address_word(index)).collect(), calls }))
}

static RETURNED: AtomicUsize = AtomicUsize::new(0);
static LEFT: AtomicUsize = AtomicUsize::new(0);

fn check(seed: u64, size: u32, entry: i64) -> Result<(), TestCaseError> {
    let fail = |message: String| TestCaseError::fail(message);
    let function = generate(seed, size);
    verify(&function, Level::Python).map_err(|errors| fail(format!("{errors}\n{function}")))?;
    let text = function.to_string();
    prop_assert_eq!(parse(&text).map_err(|error| fail(error.to_string()))?.to_string(), text.as_str());

    let layout = Layout::EXAMPLE;
    let Some(expected) = observe(&function, &layout, entry).map_err(fail)? else { return Ok(()) };
    let counter = if expected.end.starts_with("16") { &LEFT } else { &RETURNED };
    counter.fetch_add(1, Ordering::Relaxed);

    let same = |changed: &Function, layout: &Layout, what: &str| match observe(changed, layout, entry)
        .map_err(|error| fail(format!("{what}: {error}\n{function}")))?
    {
        Some(found) if found == expected => Ok(()),
        found => Err(fail(format!("{what}: {found:?}\nexpected {expected:?}\n{function}\n{changed}"))),
    };
    same(&function, &Layout { refcount_by_helper: true, ..layout }, "counting by helpers")?;
    let lowered = lower(&function, &layout, &LowerOptions::default());
    for pass in PASSES {
        for (start, level) in [(&function, "Python"), (&lowered, "lowered")] {
            let mut changed = start.clone();
            run_one(&mut changed, pass);
            same(&changed, &layout, &format!("{} on {level}", pass.name))?;
        }
        // All but one.
        let mut changed = function.clone();
        run(&mut changed, &PassOptions { disabled: vec![pass.name.to_string()], verify: true });
        same(&changed, &layout, &format!("all but {}", pass.name))?;
    }
    let mut changed = function.clone();
    run(&mut changed, &PassOptions { verify: true, ..Default::default() });
    same(&changed, &layout, "all")?;
    run(&mut changed, &PassOptions { verify: true, ..Default::default() });
    same(&changed, &layout, "all twice")?;
    let mut changed = lower(&changed, &layout, &LowerOptions::default());
    run(&mut changed, &PassOptions { verify: true, ..Default::default() });
    same(&changed, &layout, "all, lowered, all")
}

#[test]
fn passes_keep_what_random_functions_do() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: std::env::var("COLUMBA_PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400),
        failure_persistence: None,
        ..Default::default()
    });
    runner.run(&(any::<u64>(), 1u32..300, -2i64..4), |(seed, size, entry)| check(seed, size, entry)).unwrap();
    let (returned, left) = (RETURNED.load(Ordering::Relaxed), LEFT.load(Ordering::Relaxed));
    println!("executed: {returned} returned, {left} left through an exit");
    assert!(returned > 0 && left > 0);
}

/// Under stress every guard that is executed often enough fails, at its own execution, and once.
#[test]
fn stress_makes_each_guard_fail_once() {
    let layout = Layout::EXAMPLE;
    let mut failed = 0;
    for seed in 0..60 {
        let function = generate(seed, 120);
        let lowered = lower(&function, &layout, &LowerOptions { stress_exits: Some(1) });
        verify(&lowered, Level::Lowered).unwrap();
        let mut heap = Heap::new(layout);
        let mut last = vec![0; guard_count(&function)];
        for _ in 0..40 {
            for slot in 0..SLOTS {
                let object = heap.make(Content::Int(5));
                heap.set_slot(slot, object);
            }
            let arguments = Arguments { thread_state: THREAD_STATE, frame: FRAME, out: OUT, entry: 1 };
            if let Err(trap) = interpret(&lowered, &mut heap, arguments, LIMIT) {
                assert_eq!(trap, Trap::StepLimit);
            }
            for (number, last) in last.iter_mut().enumerate() {
                // `Symbol::Address(1)` lies 32 words behind `Symbol::Address(0)`.
                let count = heap.address_word(32 + number as u32);
                failed += usize::from(*last <= number as u64 && count > number as u64);
                *last = count;
            }
        }
    }
    assert!(failed > 50, "only {failed} guards failed");
}

/// Nanoseconds this thread has run, so that other work on the machine does not count.
fn processor_time() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    statistics.split_whitespace().next().unwrap().parse().unwrap()
}

/// Compile time is paid by the running program: prints nanoseconds per instruction. Debug builds
/// verify after every pass; `cargo test --release` shows the passes alone.
#[test]
fn passes_are_near_linear() {
    let mut per_inst = Vec::new();
    for (size, rounds) in [(2_000u32, 64), (32_000, 4)] {
        let function = generate_sequence(1, size);
        // A guard that never holds would cut the long function short.
        let options = PassOptions { disabled: vec!["constant_folding".to_string()], ..Default::default() };
        let start = processor_time();
        for _ in 0..rounds {
            run(&mut function.clone(), &options);
        }
        let each = (processor_time() - start) / f64::from(rounds) / function.inst_count() as f64;
        println!("{} instructions: {each:.0} ns each", function.inst_count());
        per_inst.push(each);
    }
    // Quadratic would be 16.
    assert!(per_inst[1] < 8.0 * per_inst[0], "{per_inst:?}");
}
