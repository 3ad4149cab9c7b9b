//! The backend passes the suite, one test per section; and what is special about it.

use columba_backend_llvm::LlvmBackend as TestedBackend;
use columba_jit_conformance::{Options, Section, run_direct_calls, run_mutants, run_section};
use columba_jit_core::backend::{CodeSink, Config};
use columba_jit_core::code::{CodeMemory, Placement};

mod harness;
mod special;

fn run(section: Section) {
    run_section(section, harness::backend(), &Options::from_environment()).assert_clean();
}

#[test]
fn texts() {
    run(Section::Texts);
}

#[test]
fn edges() {
    run(Section::Edges);
}

#[test]
fn abi() {
    run(Section::Abi);
}

#[test]
fn generated() {
    run(Section::Generated);
}

#[test]
fn exits() {
    run(Section::Exits);
}

#[test]
fn chaos() {
    run(Section::Chaos);
}

#[test]
fn publishing() {
    run(Section::Publishing);
}

#[test]
fn mutants() {
    run_mutants(harness::backend()).assert_all_killed();
}

#[test]
fn calls_through_the_emitter() {
    let memory = CodeMemory::new(Default::default());
    run_direct_calls(|call| {
        let mut sink = CodeSink::new(&memory, Placement::Fresh);
        harness::backend().compile_emitted(&Config::default(), call.name(), &mut sink, |emitter| call.emit(emitter))
    })
    .assert_clean();
}
