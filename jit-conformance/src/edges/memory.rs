//! Loads and stores: of every width, at every kind of offset, of memory that others write to.
//!
//! *Method*: the frame's words are the memory; what a store must not touch is looked at too. *Invariant*: a load that is
//! wrongly merged ends the case as a failure after a few seconds; nothing here can wait for ever.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use columba_jit_core::ir::op::{BinOp, Cond, FIRST_EXIT, Op, Symbol, UnOp};
use columba_jit_core::ir::types::{MemTy, Ty};

use crate::bench::{Bench, Fake, NONE};
use crate::construct::{Build, to};
use crate::run::Check;

pub(crate) const CASES: &[(&str, Check)] = &[
    ("widths", widths),
    ("flags are stored as words", flags_are_stored_as_words),
    ("eval breaker is read in every turn", eval_breaker_is_read_in_every_turn),
    ("offsets", offsets),
    ("narrow accesses within a word", narrow_accesses_within_a_word),
    ("loads see stores and calls", loads_see_stores_and_calls),
];

fn widths(bench: &Bench<'_>) {
    let pattern = 0xfedc_ba98_8765_c3a9u64;
    let widths: [(MemTy, Ty, fn(u64) -> u64, u64); 9] = [
        (MemTy::U8, Ty::I64, |v| u64::from(v as u8), 0xff),
        (MemTy::I8, Ty::I64, |v| v as i8 as u64, 0xff),
        (MemTy::U16, Ty::I64, |v| u64::from(v as u16), 0xffff),
        (MemTy::I16, Ty::I64, |v| v as i16 as u64, 0xffff),
        (MemTy::U32, Ty::I64, |v| u64::from(v as u32), 0xffff_ffff),
        (MemTy::I32, Ty::I64, |v| v as i32 as u64, 0xffff_ffff),
        (MemTy::I64, Ty::I64, |v| v, u64::MAX),
        (MemTy::F64, Ty::F64, |v| v, u64::MAX),
        (MemTy::Ptr, Ty::Obj, |v| v, u64::MAX),
    ];
    for (mem, ty, loaded, mask) in widths {
        let mut b = Build::new();
        let base = b.op(Ty::Ptr, Op::Frame);
        let value = b.input(ty, 2);
        let read = b.op(ty, Op::Load { mem, ty, base, offset: 8 });
        b.effect(Op::Store { mem, base, offset: 0, value });
        let back = b.input(Ty::I64, 0);
        let leave = b.leave(&[read, back]);
        b.effect(Op::Leave(leave));
        let (_, out) = bench.compile_all(&b.function, &NONE).run(&[0x1111_1111_1111_1111, pattern, !pattern], 0);
        assert_eq!(out[0], loaded(pattern), "{mem:?}");
        assert_eq!(out[1], (0x1111_1111_1111_1111 & !mask) | (!pattern & mask), "{mem:?}");
    }
}

fn flags_are_stored_as_words(bench: &Bench<'_>) {
    for mem in [MemTy::U8, MemTy::I32, MemTy::I64] {
        let mut b = Build::new();
        let base = b.op(Ty::Ptr, Op::Frame);
        let (x, y) = (b.input(Ty::I64, 1), b.input(Ty::I64, 2));
        let value = b.op(Ty::I64, Op::Compare(Cond::Lt, x, y));
        b.effect(Op::Store { mem, base, offset: 0, value });
        let back = b.input(Ty::I64, 0);
        b.ret(back);
        let compiled = bench.compile_all(&b.function, &NONE);
        assert_eq!((compiled.value(&[0, 1, 2]), compiled.value(&[0, 2, 1])), (1, 0));
    }
}

static BREAKER: AtomicI32 = AtomicI32::new(0);

fn eval_breaker_is_read_in_every_turn(bench: &Bench<'_>) {
    // Waits until another thread sets the flag; a load merged with the first one would wait until its turns are used up.
    let mut b = Build::new();
    let n = b.entry();
    let base = b.op(Ty::Ptr, Op::Symbol(Symbol::EvalBreaker, Ty::Ptr));
    let poll = Op::Load { mem: MemTy::I32, ty: Ty::I64, base, offset: 0 };
    let first = b.op(Ty::I64, poll.clone());
    let ((wait, turns), (on, _), (done, _)) = (b.block(&[Ty::I64]), b.block(&[]), b.block(&[]));
    b.branch(first, to(done, &[]), to(wait, &[n]));
    b.at = wait;
    let leave = b.leave(&[]);
    b.effect(Op::Guard(turns[0], leave));
    let one = b.int(1);
    let left = b.op(Ty::I64, Op::Binary(BinOp::Sub, turns[0], one));
    b.jump(on, &[]);
    b.at = on;
    let now = b.op(Ty::I64, poll);
    b.branch(now, to(done, &[]), to(wait, &[left]));
    b.at = done;
    b.ret(base);
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let resolver = Fake { helpers: vec![], symbol: |_| BREAKER.as_ptr() as u64 };
    for compiled in bench.compile_all(&b.function, &resolver).entries {
        let run = |turns: i64| {
            let mut out = [0u64; 1];
            // SAFETY: reads only the flag, writes one word.
            let status =
                unsafe { bench.call(&compiled, std::ptr::null_mut(), std::ptr::null_mut(), out.as_mut_ptr(), turns) };
            (status, out[0])
        };
        // How long a turn takes; then as many as take several seconds.
        BREAKER.store(0, Ordering::SeqCst);
        let start = Instant::now();
        assert_eq!(run(100_000).0, FIRST_EXIT, "the turns are used up");
        let turns = PATIENCE.as_nanos() * 100_000 / start.elapsed().as_nanos().max(1000);
        let setter = std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            BREAKER.store(-1, Ordering::SeqCst);
        });
        assert_eq!(run(turns as i64), (0, BREAKER.as_ptr() as u64), "the flag that another thread set was not seen");
        setter.join().expect("the thread only stores");
    }
}

/// The flag is the process's.
static ALONE: Mutex<()> = Mutex::new(());
const PATIENCE: Duration = Duration::from_secs(4);

fn offsets(bench: &Bench<'_>) {
    // The frame's middle is the base, so that offsets of both signs and both encodings stay inside.
    const WORDS: usize = 640;
    let middle = 300i32;
    for offset in [-300, -17, -16, -1, 0, 1, 15, 16, 100, 299] {
        let mut b = Build::new();
        let frame = b.op(Ty::Ptr, Op::Frame);
        let start = b.op(Ty::I64, Op::Unary(UnOp::Cast(Ty::I64), frame));
        let distance = b.int(i64::from(middle) * 8);
        let address = b.op(Ty::I64, Op::Binary(BinOp::Add, start, distance));
        let base = b.op(Ty::Ptr, Op::Unary(UnOp::Cast(Ty::Ptr), address));
        let loaded = b.op(Ty::I64, Op::Load { mem: MemTy::I64, ty: Ty::I64, base, offset: offset * 8 });
        let one = b.int(1);
        let more = b.op(Ty::I64, Op::Binary(BinOp::Add, loaded, one));
        b.effect(Op::Store { mem: MemTy::I64, base, offset: offset * 8, value: more });
        b.ret(loaded);
        let words: Vec<u64> = (0..WORDS as u64).map(|k| k << 32 | k).collect();
        let (_, out, frame) = bench.compile_all(&b.function, &NONE).run_on(&words, 0);
        let at = (middle + offset) as usize;
        let mut expected = words.clone();
        expected[at] += 1;
        assert_eq!((out[0], frame), (words[at], expected), "offset {offset}");
    }
}

/// Every width at every place within a word, with the neighbours kept.
fn narrow_accesses_within_a_word(bench: &Bench<'_>) {
    use MemTy::*;
    for (read, wrote, size) in [(U8, I8, 1), (I8, U8, 1), (U16, I16, 2), (I16, U16, 2), (U32, I32, 4), (I32, U32, 4)] {
        for place in 0..8 / size {
            let offset = 8 + place * size;
            let mut b = Build::new();
            let base = b.op(Ty::Ptr, Op::Frame);
            let value = b.input(Ty::I64, 2);
            let loaded = b.op(Ty::I64, Op::Load { mem: read, ty: Ty::I64, base, offset });
            b.effect(Op::Store { mem: wrote, base, offset, value });
            b.ret(loaded);
            let compiled = bench.compile_all(&b.function, &NONE);
            for (word, stored) in [(0x8182_8384_8586_8788u64, 0x7172_7374_7576_7778u64), (u64::MAX, 0), (0, u64::MAX)] {
                let (_, out, frame) = compiled.run_on(&[!word, word, stored, word], 0);
                let shift = 8 * (place * size) as u32;
                assert_eq!(out[0], columba_jit_core::ir::interpret::extend(read, word >> shift), "{read:?} {place}");
                let mask = (u64::MAX >> (64 - 8 * size)) << shift;
                let after = word & !mask | stored << shift & mask;
                assert_eq!(frame, [!word, after, stored, word], "{wrote:?} {place}");
            }
        }
    }
}

/// A plain load may be merged with an earlier one only if nothing wrote in between.
fn loads_see_stores_and_calls(bench: &Bench<'_>) {
    extern "C" fn bump(word: *mut u64) -> u64 {
        // SAFETY: the case passes the frame's first word.
        unsafe { *word += 100 };
        0
    }
    let mut b = Build::new();
    let base = b.op(Ty::Ptr, Op::Frame);
    let load = Op::Load { mem: MemTy::I64, ty: Ty::I64, base, offset: 0 };
    let first = b.op(Ty::I64, load.clone());
    let one = b.int(1);
    let more = b.op(Ty::I64, Op::Binary(BinOp::Add, first, one));
    b.effect(Op::Store { mem: MemTy::I64, base, offset: 0, value: more });
    let second = b.op(Ty::I64, load.clone());
    // Part of the word, of another width.
    b.effect(Op::Store { mem: MemTy::U8, base, offset: 7, value: one });
    let third = b.op(Ty::I64, load.clone());
    b.op(Ty::I64, Op::Call(columba_jit_core::helpers::Helper::ErrorSet, vec![base]));
    let fourth = b.op(Ty::I64, load);
    let leave = b.leave(&[first, second, third, fourth]);
    b.effect(Op::Leave(leave));
    let helpers =
        vec![(columba_jit_core::helpers::Helper::ErrorSet, bump as extern "C" fn(*mut u64) -> u64 as usize as u64)];
    let (_, out) = bench.compile_all(&b.function, &Fake { helpers, symbol: |_| 0 }).run(&[7], 0);
    let high = 1 << 56;
    assert_eq!(out[..4], [7, 8, 8 | high, 108 | high]);
}
