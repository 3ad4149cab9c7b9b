//! The suite's bench for this backend, for the tests of its own.

use crate::TestedBackend;
use columba_jit_conformance::Bench;
pub use columba_jit_conformance::{Build, Compiled, Fake, NONE, to};
use columba_jit_core::backend::{Backend, CodeSink, CompileError, CompiledEntry, Config};
use columba_jit_core::code::{CodeMemory, Placement};
use columba_jit_core::ir::function::Function;
use columba_jit_core::unit::{CompileUnit, Resolver};
use std::sync::OnceLock;

pub fn backend() -> &'static TestedBackend {
    static BACKEND: OnceLock<TestedBackend> = OnceLock::new();
    BACKEND.get_or_init(TestedBackend::new)
}

/// A bench for each caller: benches count what they do and are not shared between threads.
fn bench() -> &'static Bench<'static> {
    Box::leak(Box::new(Bench::new(backend())))
}

/// Every mode that code is generated in.
pub fn configs() -> Vec<Config> {
    bench().configs().to_vec()
}

/// Compiles in one mode, into memory of the caller's.
pub fn compile(
    function: &Function,
    resolver: &dyn Resolver,
    config: &Config,
    memory: &CodeMemory,
) -> Result<CompiledEntry, CompileError> {
    let unit = CompileUnit { function, resolver, symbol_name: "test" };
    backend().compile(&unit, config, &mut CodeSink::new(memory, Placement::Fresh))
}

/// Compiles in every mode.
#[track_caller]
pub fn compile_all(function: &Function, resolver: &dyn Resolver) -> Compiled<'static> {
    bench().compile_all(function, resolver)
}
