//! Hand-built functions, compiled in every mode and executed from code memory.

// Tables of operations with their expected meaning.
#![allow(clippy::type_complexity)]

use columba_backend_cranelift::CraneliftBackend as TestedBackend;
use columba_backend_cranelift::emitter::CraneliftEmitter;
use columba_jit_core::backend::CompiledEntry;
use columba_jit_core::code::{CodeMemory, Placement};
use columba_jit_core::emitter::MachineTy;

mod arithmetic;
mod calls;
mod control;
mod harness;
mod memory;
mod publishing;
mod random;

/// What [`calls::emit_calls`] emits, compiled.
fn compile_calls(callee: u64, params: &[MachineTy], result: MachineTy) -> CompiledEntry {
    let mut flags = cranelift_codegen::settings::builder();
    cranelift_codegen::settings::Configurable::set(&mut flags, "preserve_frame_pointers", "true").unwrap();
    let isa = cranelift_native::builder().unwrap().finish(cranelift_codegen::settings::Flags::new(flags)).unwrap();
    let mut context = cranelift_codegen::Context::new();
    let mut builder = cranelift_frontend::FunctionBuilderContext::new();
    let emitter = CraneliftEmitter::new(&mut context.func, &mut builder, &*isa, true, false);
    calls::emit_calls(emitter, callee, params, result).unwrap();
    let code = context.compile(&*isa, &mut Default::default()).unwrap();
    let memory = CodeMemory::new(Default::default());
    let block = memory.publish(code.code_buffer(), 16, Placement::Fresh, "direct").unwrap();
    // SAFETY: a function of the entry signature that starts at its first byte.
    unsafe { CompiledEntry::from_code(block, 0, vec![]) }
}
