//! The interpreter and the tape pass the suite that all others are held to.

use columba_jit_conformance::{
    Options, ReferenceBackend, Section, TapeBackend, mutants, run_all_with, run_mutants, run_section,
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

/// Random programs see most mistakes too, without being told where they are.
#[test]
fn random_programs_see_mistakes() {
    // Others end no loop, reach no memory of the program's, or are not of the kind that random programs can see.
    let planted = [
        "operands of sub swapped",
        "operands of fdiv swapped",
        "unsigned compare is signed",
        "le is lt",
        "float lt holds for NaN",
        "narrow load does not extend the sign",
        "32-bit load extends the sign",
        "store is too narrow",
        "shift amounts have five bits",
        "arithmetic shift is logical",
        "remainder for quotient",
        "float to int rounds",
        "constants have 32 bits",
        "overflow check of mul dropped",
        "select swapped",
        "branch looks at 32 bits",
        "switch looks at 32 bits",
        "block parameter swap lost",
        "wrong exit number",
        "first two values of an exit swapped",
        "entry number has 32 bits",
        "rbx not kept",
        "status of an exit off by one",
        "float arguments are single",
    ];
    let backend = TapeBackend::new();
    let options = Options { max_failures: 1, must_fail: vec![], ..Options::default() };
    let mut unseen = Vec::new();
    for name in planted {
        let mutant = mutants().into_iter().find(|mutant| mutant.name == name).expect("a mutant of this name");
        let wrong = mutant.plant(&backend).expect("a backend");
        let seen = [Section::Generated, Section::Exits, Section::Chaos]
            .into_iter()
            .any(|section| !run_section(section, &*wrong, &options).failures.is_empty());
        if !seen {
            unseen.push(name);
        }
    }
    assert!(unseen.is_empty(), "not seen by any random program: {unseen:?}");
}

/// What the section `python` is for: there are mistakes that none of the others sees.
#[cfg(feature = "cpython")]
#[test]
fn some_mistakes_are_seen_in_python_programs_only() {
    for name in ["functions with the same IR share code", "denormal floats flushed to zero"] {
        // A thread of its own, since the second mistake stays with it.
        let tried = std::thread::spawn(move || {
            let backend = ReferenceBackend::new();
            let mutants = columba_jit_conformance::python::python_mutants();
            let mutant = mutants.iter().find(|mutant| mutant.name == name).expect("it exists");
            run_all_with(&*mutant.plant(&backend).expect("it can be planted"), &Options::quick()).assert_clean();
        });
        tried.join().expect("the other sections pass");
    }
}
