//! Cranelift passes the suite, one test per section; and what is special about it.

use std::sync::OnceLock;

use columba_backend_cranelift::CraneliftBackend;
use columba_backend_cranelift::emitter::CraneliftEmitter;
use columba_jit_conformance::{Bench, NONE, run_direct_calls, to};
use columba_jit_core::backend::CompiledEntry;
use columba_jit_core::bytecode::line_table::LineTable;
use columba_jit_core::code::{CodeMemory, Placement};
use columba_jit_core::disassembly::{Names, disassemble};
use columba_jit_core::ir::op::{BinOp, Cond, Op};
use columba_jit_core::ir::types::Ty;

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
    let (meet, params) = b.block(&[Ty::I64]);
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

/// Cranelift places what is invariant in a loop before it, as long as it does not take the loop for left at a guard.
#[test]
fn invariants_leave_loops_with_guards() {
    let mut b = columba_jit_conformance::Build::new();
    let n = b.entry();
    let (x, y) = (b.input(Ty::F64, 0), b.input(Ty::F64, 1));
    let quotient = b.op(Ty::F64, Op::Binary(BinOp::FDiv, x, y));
    let (head, params) = b.block(&[Ty::I64, Ty::F64]);
    let ((turn, _), (done, _)) = (b.block(&[]), b.block(&[]));
    b.jump(head, &[n, x]);
    b.at = head;
    b.branch(params[0], to(turn, &[]), to(done, &[]));
    b.at = turn;
    let square = b.op(Ty::I64, Op::Binary(BinOp::Mul, params[0], params[0]));
    let (limit, one) = (b.int(1000), b.int(1));
    let small = b.op(Ty::I64, Op::Compare(Cond::Lt, square, limit));
    let leave = b.leave(&[params[0]]);
    b.effect(Op::Guard(small, leave));
    let sum = b.op(Ty::F64, Op::Binary(BinOp::FAdd, params[1], quotient));
    let next = b.op(Ty::I64, Op::Binary(BinOp::Sub, params[0], one));
    b.jump(head, &[next, sum]);
    b.at = done;
    let leave = b.leave(&[params[1]]);
    b.effect(Op::Leave(leave));

    let bench = Bench::new(backend());
    let compiled = bench.compile_all(&b.function, &NONE);
    let (_, out) = compiled.run(&[3f64.to_bits(), 2f64.to_bits()], 4);
    assert_eq!(f64::from_bits(out[0]), 3.0 + 4.0 * 1.5);
    let listing = disassemble(compiled.entries[0].bytes(), 0, &[], &LineTable::default(), &Names::new());
    let (division, square) = (listing.find("divsd").unwrap(), listing.find("imul").unwrap());
    assert!(division < square && listing.matches("divsd").count() == 1, "{listing}");
}
