//! What is special about LLVM: constants and tables beside the code, contexts that come and go, edges that are phis.

use std::sync::Barrier;

use columba_backend_llvm::LlvmBackend;
use columba_jit_core::backend::{Backend, Caps, CodeSink, CompiledEntry, Config, Effort};
use columba_jit_core::bytecode::line_table::LineTable;
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::disassembly::{Names, disassemble};
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::op::{BinOp, FIRST_EXIT, Op, Target, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::unit::CompileUnit;

use crate::harness::{Build, NONE, backend, compile, compile_all, configs, to};

fn memory() -> CodeMemory {
    CodeMemory::new(CodeOptions::default())
}

fn run(entry: &CompiledEntry, inputs: &mut [u64], number: i64) -> (i64, [u64; 4]) {
    let mut out = [0; 4];
    // SAFETY: the functions of these tests access `frame` within `inputs` and write at most four words.
    let status = unsafe { entry.call(std::ptr::null_mut(), inputs.as_mut_ptr().cast(), out.as_mut_ptr(), number) };
    (status, out)
}

/// A float from a constant per case: a jump table, and constants that no instruction can hold.
fn tables_and_constants(cases: usize) -> Function {
    let mut b = Build::new();
    let number = b.entry();
    let x = b.input(Ty::F64, 0);
    let (meet, params) = b.block(&[Ty::F64]);
    let mut targets: Vec<Target> = Vec::new();
    let blocks: Vec<_> = (0..cases).map(|_| b.block(&[]).0).collect();
    for &block in &blocks {
        targets.push(to(block, &[]));
    }
    let (other, _) = b.block(&[]);
    b.effect(Op::Switch(number, targets, to(other, &[])));
    for (k, &block) in blocks.iter().enumerate() {
        b.at = block;
        let constant = b.float(0.1 + k as f64);
        let op = [BinOp::FAdd, BinOp::FMul, BinOp::FSub, BinOp::FDiv][k % 4];
        let result = b.op(Ty::F64, Op::Binary(op, x, constant));
        b.jump(meet, &[result]);
    }
    b.at = other;
    let negative = b.op(Ty::F64, Op::Unary(UnOp::FNeg, x));
    let absolute = b.op(Ty::F64, Op::Unary(UnOp::FAbs, negative));
    b.jump(meet, &[absolute]);
    b.at = meet;
    let leave = b.leave(&[params[0]]);
    b.effect(Op::Leave(leave));
    b.function
}

#[test]
fn tables_and_constants_move_with_the_code() {
    let cases = 24;
    let function = tables_and_constants(cases);
    let expected = |number: i64, x: f64| match usize::try_from(number).ok().filter(|&k| k < cases) {
        Some(k) => {
            let constant = 0.1 + k as f64;
            [x + constant, x * constant, x - constant, x / constant][k % 4]
        }
        None => x.abs(),
    };
    for config in configs() {
        // On pages of its own and among others, whatever comes before it.
        let memory = memory();
        let unit = CompileUnit { function: &function, resolver: &NONE, symbol_name: "tables" };
        let entry = backend().compile(&unit, &config, &mut CodeSink::new(&memory, Placement::Fresh)).unwrap();
        for number in -3..cases as i64 + 3 {
            for x in [2.75f64, -0.5, f64::INFINITY] {
                let (status, out) = run(&entry, &mut [x.to_bits()], number);
                assert_eq!((status, out[0]), (FIRST_EXIT, expected(number, x).to_bits()), "{number} {x}");
            }
        }
    }
}

#[test]
fn listings_tell_code_from_data() {
    let function = tables_and_constants(24);
    let memory = memory();
    for config in configs() {
        let config = Config { origins: true, ..config };
        let entry = compile(&function, &NONE, &config, &memory).unwrap();
        let code = entry.code.as_ref().unwrap();
        let base = code.as_ptr() as u64;
        let listing = disassemble(code.bytes(), base, &entry.origins, &LineTable::default(), &Names::new());
        assert!(listing.contains("bytes of constants"), "{listing}");
        assert!(!listing.contains("(bad)"), "{listing}");
        assert!(entry.origins.is_sorted_by_key(|origin| origin.start));
        assert!(entry.origins.iter().all(|origin| (origin.start as usize) < code.len()));
    }
}

#[test]
fn signalling_nans_keep_their_bits() {
    // Constants, and values that are only moved.
    for bits in [0x7ff0_0000_0000_0001u64, 0xfff4_dead_beef_0000, 0x7ff8_0000_0000_1234, 1, 1 << 63] {
        let mut b = Build::new();
        let constant = b.op(Ty::F64, Op::FConst(bits));
        let moved = b.input(Ty::F64, 0);
        let negated = b.op(Ty::F64, Op::Unary(UnOp::FNeg, moved));
        let as_int = b.op(Ty::I64, Op::Unary(UnOp::FloatToBits, constant));
        let leave = b.leave(&[constant, moved, negated, as_int]);
        b.effect(Op::Leave(leave));
        let (_, out) = compile_all(&b.function, &NONE).run(&[bits], 0);
        assert_eq!(out[..4], [bits, bits, bits ^ 1 << 63, bits]);
    }
}

#[test]
fn equal_edges_of_one_switch_have_their_own_arguments() {
    let mut b = Build::new();
    let number = b.entry();
    let x = b.input(Ty::F64, 0);
    let values: Vec<(Value, Value)> = (0..6)
        .map(|k| {
            let int = b.int(100 * k);
            let float = b.op(Ty::F64, Op::Unary(UnOp::IntToFloat, int));
            (int, float)
        })
        .collect();
    let (meet, params) = b.block(&[Ty::I64, Ty::F64, Ty::F64]);
    // Edges that agree in everything are among them.
    let edge = |k: usize| to(meet, &[values[k].0, values[k].1, x]);
    b.effect(Op::Switch(number, vec![edge(1), edge(2), edge(1), edge(3), edge(4)], edge(0)));
    b.at = meet;
    let leave = b.leave(&params);
    b.effect(Op::Leave(leave));
    let compiled = compile_all(&b.function, &NONE);
    for (number, k) in [(0, 1), (1, 2), (2, 1), (3, 3), (4, 4), (5, 0), (-1, 0)] {
        let (_, out) = compiled.run(&[7.5f64.to_bits()], number);
        assert_eq!(out[..3], [100 * k, (100.0 * k as f64).to_bits(), 7.5f64.to_bits()]);
    }
}

fn small(k: i64) -> Function {
    let mut b = Build::new();
    let x = b.entry();
    let base = b.op(Ty::Ptr, Op::Frame);
    b.effect(Op::Store { mem: MemTy::I64, base, offset: 0, value: x });
    let k = b.int(k);
    let sum = b.op(Ty::I64, Op::Binary(BinOp::Mul, x, k));
    b.ret(sum);
    b.function
}

#[test]
fn several_threads_compile_at_once() {
    let backend = LlvmBackend::new();
    assert!(backend.caps().contains(Caps::BACKGROUND));
    let memory = memory();
    let threads = 4;
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads as i64 {
            let (backend, memory, start) = (&backend, &memory, &start);
            scope.spawn(move || {
                start.wait();
                let mut kept = Vec::new();
                for turn in 0..25 {
                    let k = thread * 1000 + turn;
                    let function = if turn % 5 == 0 { tables_and_constants(9) } else { small(k) };
                    let effort = if turn % 2 == 0 { Effort::Normal } else { Effort::Fast };
                    let config = Config { effort, ..Config::default() };
                    let unit = CompileUnit { function: &function, resolver: &NONE, symbol_name: "threads" };
                    let mut sink = CodeSink::new(memory, Placement::Fresh);
                    let entry = backend.compile(&unit, &config, &mut sink).unwrap();
                    if turn % 5 != 0 {
                        kept.push((k, entry));
                    }
                }
                for (k, entry) in &kept {
                    assert_eq!(run(entry, &mut [0], 2).1[0] as i64, 2 * k);
                }
            });
        }
    });
}

#[test]
fn no_code_is_left_where_a_function_was_dropped() {
    let memory = memory();
    let entries: Vec<CompiledEntry> = (0..50)
        .map(|k| {
            let function = small(k);
            let unit = CompileUnit { function: &function, resolver: &NONE, symbol_name: "dropped" };
            backend().compile(&unit, &Config::default(), &mut CodeSink::new(&memory, Placement::Packed)).unwrap()
        })
        .collect();
    assert!(memory.statistics().packed >= 50 * 16);
    drop(entries);
    assert_eq!(memory.statistics().packed, 0);
}
