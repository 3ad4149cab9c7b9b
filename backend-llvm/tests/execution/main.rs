//! The backend passes the suite, one test per section; and what is special about it.

use columba_backend_llvm::LlvmBackend as TestedBackend;
use columba_jit_conformance::run_direct_calls;
use columba_jit_core::backend::{CodeSink, Config};
use columba_jit_core::code::{CodeMemory, Placement};

mod harness;
mod special;

columba_jit_conformance::section_tests!(harness::backend());

#[test]
fn calls_through_the_emitter() {
    let memory = CodeMemory::new(Default::default());
    run_direct_calls(|call| {
        let mut sink = CodeSink::new(&memory, Placement::Fresh);
        harness::backend().compile_emitted(&Config::default(), call.name(), &mut sink, |emitter| call.emit(emitter))
    })
    .assert_clean();
}
