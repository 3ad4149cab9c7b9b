//! The interpreter and the tape pass the suite that all others are held to.

use columba_jit_conformance::{
    Options, ReferenceBackend, Section, TapeBackend, run_all_with, run_mutants, run_section,
};

#[test]
fn the_interpreter_passes() {
    let report = run_all_with(&ReferenceBackend::new(), &Options::from_environment());
    report.assert_clean();
    let generated = report.sections.iter().find(|report| report.section == Section::Generated).expect("it was run");
    assert!(generated.figure("operations executed") > 100_000, "{report}");
    assert!(generated.figure("left by an exit") > 100, "{report}");
    let exits = report.sections.iter().find(|report| report.section == Section::Exits).expect("it was run");
    assert!(exits.figure("guards made to fail") > 150, "{report}");
}

#[test]
fn the_tape_passes() {
    run_all_with(&TapeBackend::new(), &Options::from_environment()).assert_clean();
}

#[test]
fn mistakes_planted_in_the_interpreter_are_seen() {
    run_mutants(&ReferenceBackend::new()).assert_all_killed();
}

#[test]
fn mistakes_planted_in_the_tape_are_seen() {
    run_mutants(&TapeBackend::new()).assert_all_killed();
}

#[test]
fn another_seed_gives_other_programs() {
    let backend = TapeBackend::new();
    let few = |seed| Options { seed, programs: 5, ..Options::quick() };
    let executed = |seed| run_section(Section::Generated, &backend, &few(seed)).figure("operations executed");
    assert_eq!(executed(1), executed(1));
    assert_ne!(executed(1), executed(2));
}
