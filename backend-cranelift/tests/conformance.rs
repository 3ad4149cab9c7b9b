//! Cranelift passes the suite, one test per section; and what is special about it.

use std::sync::OnceLock;

use columba_backend_cranelift::CraneliftBackend;
use columba_backend_cranelift::emitter::CraneliftEmitter;
use columba_jit_conformance::{Bench, NONE, run_direct_calls, to};
use columba_jit_core::backend::CompiledEntry;
use columba_jit_core::code::{CodeMemory, Placement};
use columba_jit_core::ir::op::Op;

fn backend() -> &'static CraneliftBackend {
    static BACKEND: OnceLock<CraneliftBackend> = OnceLock::new();
    BACKEND.get_or_init(CraneliftBackend::new)
}

columba_jit_conformance::section_tests!(backend());

#[test]
fn calls_through_the_emitter() {
    let mut flags = cranelift_codegen::settings::builder();
    cranelift_codegen::settings::Configurable::set(&mut flags, "preserve_frame_pointers", "true").unwrap();
    let isa = cranelift_native::builder().unwrap().finish(cranelift_codegen::settings::Flags::new(flags)).unwrap();
    let memory = CodeMemory::new(Default::default());
    run_direct_calls(|call| {
        let mut context = cranelift_codegen::Context::new();
        let mut builder = cranelift_frontend::FunctionBuilderContext::new();
        call.emit(CraneliftEmitter::new(&mut context.func, &mut builder, &*isa, true, false))?;
        let code = context.compile(&*isa, &mut Default::default()).unwrap();
        let block = memory.publish(code.code_buffer(), 16, Placement::Fresh, call.name()).unwrap();
        // SAFETY: a function of the entry signature that starts at its first byte.
        Ok(unsafe { CompiledEntry::from_code(block, 0, vec![]) })
    })
    .assert_clean();
}

/// Cranelift rewrites argument lists in place, so edges of a jump table must not share theirs.
#[test]
fn equal_edges_of_a_jump_table() {
    let mut b = columba_jit_conformance::Build::new();
    let n = b.entry();
    let (meet, params) = b.block(&[columba_jit_core::ir::types::Ty::I64]);
    let (one, two) = (b.int(1), b.int(2));
    let cases = [one, two, one, one, two, two].map(|value| to(meet, &[value])).to_vec();
    b.effect(Op::Switch(n, cases, to(meet, &[n])));
    b.at = meet;
    b.ret(params[0]);
    let bench = Bench::new(backend());
    let compiled = bench.compile_all(&b.function, &NONE);
    for (n, expected) in [(0, 1), (1, 2), (2, 1), (3, 1), (4, 2), (5, 2), (6, 6), (-1, u64::MAX)] {
        assert_eq!(compiled.run(&[], n).1[0], expected, "case {n}");
    }
}
