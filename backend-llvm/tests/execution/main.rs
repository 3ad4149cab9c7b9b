//! The tests that every backend passes, and what is special here, compiled in every mode and executed from code memory.

// Tables of operations with their expected meaning.
#![allow(clippy::type_complexity)]

use columba_backend_llvm::LlvmBackend as TestedBackend;
use columba_jit_core::backend::{CodeSink, CompiledEntry, Config};
use columba_jit_core::code::{CodeMemory, Placement};
use columba_jit_core::emitter::MachineTy;

#[path = "../../../backend-cranelift/tests/execution/arithmetic.rs"]
mod arithmetic;
#[path = "../../../backend-cranelift/tests/execution/calls.rs"]
mod calls;
#[path = "../../../backend-cranelift/tests/execution/control.rs"]
mod control;
#[path = "../../../backend-cranelift/tests/execution/harness.rs"]
mod harness;
#[path = "../../../backend-cranelift/tests/execution/memory.rs"]
mod memory;
#[path = "../../../backend-cranelift/tests/execution/publishing.rs"]
mod publishing;
#[path = "../../../backend-cranelift/tests/execution/random.rs"]
mod random;
mod special;

/// What [`calls::emit_calls`] emits, compiled.
fn compile_calls(callee: u64, params: &[MachineTy], result: MachineTy) -> CompiledEntry {
    let memory = CodeMemory::new(Default::default());
    let mut sink = CodeSink::new(&memory, Placement::Fresh);
    harness::backend()
        .compile_emitted(&Config::default(), "direct", &mut sink, |emitter| {
            calls::emit_calls(emitter, callee, params, result)
        })
        .unwrap()
}
