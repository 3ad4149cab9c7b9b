//! Memory of the process while many functions come and go. A process of its own, since other tests take memory too.

use columba_backend_llvm::LlvmBackend;
use columba_jit_conformance::{Bench, Build, NONE};
use columba_jit_core::ir::op::{BinOp, Op};
use columba_jit_core::ir::types::Ty;

/// Resident memory of the process in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn memory_stays_flat() {
    let backend = LlvmBackend::new();
    let bench = Bench::new(&backend);
    let turn = |k: i64| {
        let mut b = Build::new();
        let (x, k) = (b.entry(), b.int(k));
        let product = b.op(Ty::I64, Op::Binary(BinOp::Mul, x, k));
        b.ret(product);
        bench.compile_all(&b.function, &NONE);
    };
    (0..100).for_each(turn);
    let before = resident();
    (0..500).for_each(turn);
    let after = resident();
    // What a context of LLVM's takes is more than 20 KiB, so the 1000 or more that were made since would be 20 MiB.
    assert!(after < before + 4_000, "{before} KiB, then {after} KiB");
}
