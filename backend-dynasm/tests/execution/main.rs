//! The tests that every backend passes, and what is special here, compiled in every mode and executed from code memory.

// Tables of operations with their expected meaning.
#![allow(clippy::type_complexity)]

use columba_backend_dynasm::emitter::DynasmEmitter;
use columba_backend_dynasm::{DynasmBackend as TestedBackend, Recording, finish};
use columba_jit_core::backend::CompiledEntry;
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
mod random_calls;
mod registers;

/// What [`calls::emit_calls`] emits, compiled.
fn compile_calls(callee: u64, params: &[MachineTy], result: MachineTy) -> CompiledEntry {
    let mut recording = Recording::default();
    calls::emit_calls(DynasmEmitter::new(&mut recording, false), callee, params, result).unwrap();
    let code = finish(&mut recording, true, true).unwrap();
    let memory = CodeMemory::new(Default::default());
    let block = memory.publish(&code.bytes, 16, Placement::Fresh, "direct").unwrap();
    // SAFETY: a function of the entry signature that starts at its first byte.
    unsafe { CompiledEntry::from_code(block, 0, vec![]) }
}
