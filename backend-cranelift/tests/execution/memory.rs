//! Loads and stores of every width.

use columba_jit_core::ir::op::{Cond, Op, Symbol};
use columba_jit_core::ir::types::{MemTy, Ty};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crate::harness::{Build, Fake, NONE, compile_all, to};

#[test]
fn widths() {
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
        let (_, out) = compile_all(&b.function, &NONE).run(&[0x1111_1111_1111_1111, pattern, !pattern], 0);
        assert_eq!(out[0], loaded(pattern), "{mem:?}");
        assert_eq!(out[1], (0x1111_1111_1111_1111 & !mask) | (!pattern & mask), "{mem:?}");
    }
}

#[test]
fn flags_are_stored_as_words() {
    for mem in [MemTy::U8, MemTy::I32, MemTy::I64] {
        let mut b = Build::new();
        let base = b.op(Ty::Ptr, Op::Frame);
        let (x, y) = (b.input(Ty::I64, 1), b.input(Ty::I64, 2));
        let value = b.op(Ty::I64, Op::Compare(Cond::Lt, x, y));
        b.effect(Op::Store { mem, base, offset: 0, value });
        let back = b.input(Ty::I64, 0);
        b.ret(back);
        let compiled = compile_all(&b.function, &NONE);
        assert_eq!((compiled.value(&[0, 1, 2]), compiled.value(&[0, 2, 1])), (1, 0));
    }
}

static BREAKER: AtomicI32 = AtomicI32::new(0);

#[test]
fn eval_breaker_is_read_in_every_turn() {
    // Waits until another thread sets the flag; a load merged with the first one would wait for ever.
    let mut b = Build::new();
    let base = b.op(Ty::Ptr, Op::Symbol(Symbol::EvalBreaker, Ty::Ptr));
    let poll = Op::Load { mem: MemTy::I32, ty: Ty::I64, base, offset: 0 };
    let first = b.op(Ty::I64, poll.clone());
    let ((wait, _), (done, _)) = (b.block(&[]), b.block(&[]));
    b.branch(first, to(done, &[]), to(wait, &[]));
    b.at = wait;
    let now = b.op(Ty::I64, poll);
    b.branch(now, to(done, &[]), to(wait, &[]));
    b.at = done;
    b.ret(base);
    let resolver = Fake { helpers: vec![], symbol: |_| BREAKER.as_ptr() as u64 };
    for compiled in compile_all(&b.function, &resolver).0 {
        BREAKER.store(0, Ordering::SeqCst);
        let setter = std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            BREAKER.store(-1, Ordering::SeqCst);
        });
        let mut out = [0u64; 1];
        // SAFETY: reads only the flag, writes one word.
        let status = unsafe { compiled.call(std::ptr::null_mut(), std::ptr::null_mut(), out.as_mut_ptr(), 0) };
        assert_eq!((status, out[0]), (0, BREAKER.as_ptr() as u64));
        setter.join().unwrap();
    }
}
