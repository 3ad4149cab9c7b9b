//! The backend passes the suite, one test per section; and what is special about it.

use columba_backend_dynasm::emitter::DynasmEmitter;
use columba_backend_dynasm::{DynasmBackend as TestedBackend, Recording, finish};
use columba_jit_conformance::run_direct_calls;
use columba_jit_core::backend::CompiledEntry;
use columba_jit_core::code::{CodeMemory, Placement};

mod harness;
mod random_calls;
mod registers;

columba_jit_conformance::section_tests!(harness::backend());

#[test]
fn calls_through_the_emitter() {
    let memory = CodeMemory::new(Default::default());
    run_direct_calls(|call| {
        let mut recording = Recording::default();
        call.emit(DynasmEmitter::new(&mut recording, false))?;
        let code = finish(&mut recording, true, true)?;
        let block = memory.publish(&code.bytes, 16, Placement::Fresh, call.name()).unwrap();
        // SAFETY: a function of the entry signature that starts at its first byte.
        Ok(unsafe { CompiledEntry::from_code(block, 0, vec![]) })
    })
    .assert_clean();
}
