//! Code memory in use: never writable and executable, freed per function, unharmed by fork.
//!
//! *Problem*: a backend may keep memory of its own, free it too early, or leave it writable. *Method*: thousands of small
//! functions through [`CodeSink`], with the process's memory map looked at. *Invariants*: the memory is the case's own, so
//! nobody else publishes into it or runs its code; cases that look at the map's own file are alone in the process.

use std::sync::{Barrier, Mutex, PoisonError};

use columba_jit_core::backend::{Backend, Caps, CodeSink, CompiledEntry, Config, Effort};
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::ir::op::{BinOp, Op};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::unit::CompileUnit;

use crate::bench::{Bench, NONE};
use crate::construct::Build;
use crate::run::Case;

/// The perf map is a file per process.
static ALONE: Mutex<()> = Mutex::new(());

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("life of packed code", life_of_packed_code),
        Case::new("several threads compile at once", several_threads_compile_at_once),
    ]
}

/// A function that adds a constant, of about twice `padding` operations more.
fn adder(bench: &Bench<'_>, memory: &CodeMemory, constant: i64, padding: usize) -> CompiledEntry {
    let mut b = Build::new();
    let x = b.entry();
    let mut waste = x;
    for i in 0..padding {
        let k = b.int(0x1234_5678_9abd + i as i64 * 2);
        waste = b.op(Ty::I64, Op::Binary(BinOp::Mul, waste, k));
        waste = b.op(Ty::I64, Op::Binary(BinOp::Xor, waste, k));
    }
    let base = b.op(Ty::Ptr, Op::Frame);
    b.effect(Op::Store { mem: MemTy::I64, base, offset: 0, value: waste });
    let k = b.int(constant);
    let sum = b.op(Ty::I64, Op::Binary(BinOp::Add, x, k));
    b.ret(sum);
    let unit = CompileUnit { function: &b.function, resolver: &NONE, symbol_name: "adder" };
    bench.backend().compile(&unit, &Config::default(), &mut CodeSink::new(memory, Placement::Packed)).unwrap()
}

fn run(entry: &CompiledEntry, x: i64) -> i64 {
    let (mut out, mut frame) = (0u64, 0u64);
    // SAFETY: `adder` reads its entry number and writes one word to the frame and one to `out`.
    let status = unsafe { entry.call(std::ptr::null_mut(), (&raw mut frame).cast(), &mut out, x) };
    assert_eq!(status, 0);
    out as i64
}

fn assert_no_page_is_writable_and_executable() {
    for line in std::fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let flags = line.split_whitespace().nth(1).unwrap();
        assert!(!(flags.contains('w') && flags.contains('x')), "{line}");
    }
}

fn protection_at(address: usize) -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let inside =
            usize::from_str_radix(start, 16).ok()? <= address && address < usize::from_str_radix(end, 16).ok()?;
        inside.then(|| fields.next().unwrap_or_default().to_owned())
    })
}

fn life_of_packed_code(bench: &Bench<'_>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = CodeMemory::new(CodeOptions { perf_map: true });
    let mut entries: Vec<CompiledEntry> = (0..3000).map(|k| adder(bench, &memory, k, k as usize % 5)).collect();
    assert_no_page_is_writable_and_executable();
    let full = memory.statistics();
    assert!(full.arenas >= 2, "{full:?}");
    let at = entries[0].code.as_ref().unwrap().as_ptr() as usize;
    assert_eq!(protection_at(at).as_deref(), Some("r-xp"));
    for (k, entry) in entries.iter().enumerate() {
        assert_eq!(entry.code.as_ref().unwrap().as_ptr() as usize % 16, 0);
        assert_eq!(run(entry, 5), 5 + k as i64);
    }

    // The perf map names every function.
    let map_path = format!("/tmp/perf-{}.map", std::process::id());
    let map = std::fs::read_to_string(&map_path).unwrap();
    assert!(map.lines().count() >= 3000);
    assert!(map.lines().any(|line| line.starts_with(&format!("{at:x} ")) && line.ends_with(" adder")));

    // Every other function goes; what takes their place does not disturb the rest, and needs no new pages.
    let mut k = 0;
    entries.retain(|_| {
        k += 1;
        k % 2 == 0
    });
    assert!(memory.statistics().packed < full.packed * 2 / 3);
    let replaced: Vec<CompiledEntry> = (0..1500).map(|k| adder(bench, &memory, -k, (k as usize * 2) % 5)).collect();
    assert!(memory.statistics().arenas <= full.arenas + 1, "{:?} {full:?}", memory.statistics());
    for (i, entry) in entries.iter().enumerate() {
        assert_eq!(run(entry, 7), 7 + 2 * i as i64 + 1);
    }
    for (k, entry) in replaced.iter().enumerate() {
        assert_eq!(run(entry, 7), 7 - k as i64);
    }
    assert_no_page_is_writable_and_executable();

    // A child runs what it inherited, frees and publishes, and its parent sees nothing of it.
    let before: Vec<u8> = entries[0].code.as_ref().unwrap().bytes().to_vec();
    // SAFETY: the child only computes, maps memory and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let right = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert_eq!(run(&entries[1], 1), 1 + 3);
            entries.clear();
            let more: Vec<CompiledEntry> = (0..200).map(|k| adder(bench, &memory, 7 * k, 3)).collect();
            assert!(more.iter().enumerate().all(|(k, entry)| run(entry, 1) == 1 + 7 * k as i64));
            assert_no_page_is_writable_and_executable();
            let _ = std::fs::remove_file(format!("/tmp/perf-{}.map", std::process::id()));
        }))
        .is_ok();
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(i32::from(!right)) };
    }
    let mut status = 0;
    // SAFETY: waits for our own child.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child failed");
    assert_eq!(entries[0].code.as_ref().unwrap().bytes(), before);
    for (i, entry) in entries.iter().enumerate() {
        assert_eq!(run(entry, 7), 7 + 2 * i as i64 + 1);
    }

    // All gone: one arena is kept.
    drop((entries, replaced));
    assert_eq!((memory.statistics().arenas, memory.statistics().packed), (1, 0));
    std::fs::remove_file(map_path).unwrap();

    // Code of its own pages is unmapped with its entry.
    let large = adder(bench, &memory, 1, 3000);
    let at = large.code.as_ref().unwrap().as_ptr() as usize;
    assert!(large.code_size() > 32 << 10);
    assert_eq!(protection_at(at).as_deref(), Some("r-xp"));
    assert_eq!(run(&large, 1), 2);
    drop(large);
    assert_ne!(protection_at(at).as_deref(), Some("r-xp"));
}

fn several_threads_compile_at_once(bench: &Bench<'_>) {
    let backend: &dyn Backend = bench.backend();
    if !backend.caps().contains(Caps::BACKGROUND) {
        return;
    }
    let function = |k: i64| {
        let mut b = Build::new();
        let x = b.entry();
        let k = b.int(k);
        let product = b.op(Ty::I64, Op::Binary(BinOp::Mul, x, k));
        b.ret(product);
        b.function
    };
    let memory = CodeMemory::new(CodeOptions::default());
    let threads = 4;
    let start = Barrier::new(threads);
    let kept = Mutex::new(Vec::new());
    let check = |k: i64, entry: &CompiledEntry| {
        let mut out = 0;
        // SAFETY: writes one word.
        unsafe { entry.call(std::ptr::null_mut(), std::ptr::null_mut(), &mut out, 2) };
        assert_eq!(out as i64, 2 * k);
    };
    std::thread::scope(|scope| {
        for thread in 0..threads as i64 {
            let (memory, start, all, check) = (&memory, &start, &kept, &check);
            scope.spawn(move || {
                start.wait();
                let mut kept = Vec::new();
                for turn in 0..25 {
                    let k = thread * 1000 + turn;
                    let effort = if turn % 2 == 0 { Effort::Normal } else { Effort::Fast };
                    let config = Config { effort, ..Config::default() };
                    let unit = CompileUnit { function: &function(k), resolver: &NONE, symbol_name: "threads" };
                    kept.push((
                        k,
                        backend.compile(&unit, &config, &mut CodeSink::new(memory, Placement::Fresh)).unwrap(),
                    ));
                }
                kept.iter().for_each(|(k, entry)| check(*k, entry));
                all.lock().unwrap().extend(kept);
            });
        }
    });
    // Nobody runs them now: they can be packed.
    let mut kept = kept.into_inner().unwrap();
    let packed_before = memory.statistics().packed;
    kept.iter_mut().for_each(|(_, entry)| entry.pack(&memory, "threads"));
    kept.iter().for_each(|(k, entry)| check(*k, entry));
    if kept.iter().any(|(_, entry)| entry.code.is_some()) {
        assert!(memory.statistics().packed > packed_before, "nothing was packed");
    }
}
