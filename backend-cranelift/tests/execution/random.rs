//! Random functions, compiled in every mode, against the reference interpreter.
//!
//! *Method*: blocks with random parameters and edges anywhere, back edges included; each block spends one unit of fuel,
//! its first parameter, and leaves when there is none, so that every run ends. Values come from the block itself and from
//! the first block, which dominates all. *Limits*: what the IR leaves undefined is avoided (divisors are constants, shift
//! amounts masked), and NaNs count as equal, so their bits are never looked at.

use std::time::{Duration, Instant};

use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::interpret::{Arguments, Environment, extend, interpret};
use columba_jit_core::ir::op::{BinOp, Block, Cond, FIRST_EXIT, Leave, Op, OverflowOp, Symbol, Target, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::ir::verify::{Level, verify};

use crate::harness::{Build, NONE, compile_all, to};

/// Xorshift: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const INTS: [i64; 10] = [i64::MIN, i64::MAX, 0, 1, -1, 2, 63, 1 << 32, -(1 << 40), 1_000_003];
const WORDS: usize = 8;
/// Where the interpreter's out buffer is said to be.
const OUT: u64 = 1 << 30;

struct Generator {
    b: Build,
    random: Random,
    ints: Vec<Value>,
    floats: Vec<Value>,
    blocks: Vec<(Block, Vec<Value>, Vec<Ty>)>,
}

impl Generator {
    fn any(&mut self, ty: Ty) -> Value {
        let from = if ty == Ty::F64 { &self.floats } else { &self.ints };
        // The newest values more often than the old ones.
        let near = from.len() - self.random.below(from.len().min(6)) - 1;
        let far = self.random.below(from.len());
        from[if self.random.below(3) > 0 { near } else { far }]
    }

    fn leave(&mut self) -> Leave {
        let values: Vec<Value> = (0..self.random.below(8))
            .map(|_| {
                let ty = self.random.pick(&[Ty::I64, Ty::F64]);
                self.any(ty)
            })
            .collect();
        self.b.leave(&values)
    }

    fn target(&mut self) -> Target {
        let index = self.random.below(self.blocks.len());
        let (block, types) = (self.blocks[index].0, self.blocks[index].2.clone());
        let fuel = self.ints[self.ints.len() - 1];
        let args: Vec<Value> = types[1..].iter().map(|&ty| self.any(ty)).collect();
        to(block, &[&[fuel], args.as_slice()].concat())
    }

    fn int(&mut self, op: Op) {
        let value = self.b.op(Ty::I64, op);
        self.ints.push(value);
    }

    fn float(&mut self, op: Op) {
        let value = self.b.op(Ty::F64, op);
        self.floats.push(value);
    }

    fn operation(&mut self) {
        let (x, y, f, g) = (self.any(Ty::I64), self.any(Ty::I64), self.any(Ty::F64), self.any(Ty::F64));
        let int_conds =
            [Cond::Eq, Cond::Ne, Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::ULt, Cond::ULe, Cond::UGt, Cond::UGe];
        let float_conds = [Cond::FEq, Cond::FNe, Cond::FLt, Cond::FLe, Cond::FGt, Cond::FGe];
        let base = Value(1);
        let offset = self.random.below(WORDS) as i32 * 8;
        match self.random.below(14) {
            0 => {
                let value = self.random.pick(&INTS);
                self.int(Op::IConst(value));
            }
            1 | 2 => {
                let op = self.random.pick(&[BinOp::Add, BinOp::Sub, BinOp::Mul, BinOp::And, BinOp::Or, BinOp::Xor]);
                self.int(Op::Binary(op, x, y));
            }
            3 => {
                let mask = self.b.int(63);
                let amount = self.b.op(Ty::I64, Op::Binary(BinOp::And, y, mask));
                let op = self.random.pick(&[BinOp::Shl, BinOp::AShr, BinOp::LShr]);
                self.int(Op::Binary(op, x, amount));
            }
            4 => {
                let divisor = self.random.pick(&[1, 2, 3, 7, 8, -2, -3, 1 << 33, i64::MIN, i64::MAX]);
                let divisor = self.b.int(divisor);
                let op = self.random.pick(&[BinOp::SDiv, BinOp::SRem]);
                self.int(Op::Binary(op, x, divisor));
            }
            5 => {
                let op = self.random.pick(&[BinOp::FAdd, BinOp::FSub, BinOp::FMul, BinOp::FDiv]);
                self.float(Op::Binary(op, f, g));
            }
            6 => {
                let op = self.random.pick(&[UnOp::Neg, UnOp::Not]);
                self.int(Op::Unary(op, x));
            }
            7 => {
                let op = self.random.pick(&[UnOp::FNeg, UnOp::FAbs, UnOp::FSqrt, UnOp::FFloor]);
                self.float(Op::Unary(op, f));
            }
            8 => self.float(Op::Unary(UnOp::IntToFloat, x)),
            9 => {
                let op = if self.random.below(2) == 0 {
                    Op::Compare(self.random.pick(&int_conds), x, y)
                } else {
                    Op::Compare(self.random.pick(&float_conds), f, g)
                };
                let test = self.b.op(Ty::I64, op);
                match self.random.below(3) {
                    0 => {
                        let leave = self.leave();
                        self.b.effect(Op::Guard(test, leave));
                    }
                    1 => self.float(Op::Select(test, f, g)),
                    _ => self.ints.push(test),
                }
            }
            10 => self.int(Op::Select(x, x, y)),
            11 => {
                let op = self.random.pick(&[OverflowOp::Add, OverflowOp::Sub, OverflowOp::Mul]);
                let leave = self.leave();
                self.int(Op::BinaryOrLeave(op, x, y, leave));
            }
            12 => {
                let mem = self.random.pick(&[MemTy::U8, MemTy::I8, MemTy::U16, MemTy::I16, MemTy::I32, MemTy::I64]);
                self.int(Op::Load { mem, ty: Ty::I64, base, offset });
            }
            _ => {
                let mem = self.random.pick(&[MemTy::U8, MemTy::U16, MemTy::U32, MemTy::I64]);
                self.b.effect(Op::Store { mem, base, offset, value: x });
            }
        }
    }

    fn function(seed: u64) -> Build {
        let mut g = Generator {
            b: Build::new(),
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            ints: vec![],
            floats: vec![],
            blocks: vec![],
        };
        let frame = g.b.op(Ty::Ptr, Op::Frame);
        assert_eq!(frame, Value(1));
        for index in 0..3 {
            let value = g.b.input(Ty::I64, index);
            g.ints.push(value);
        }
        for value in [0.0, 1.5, f64::INFINITY, -1e300] {
            let value = g.b.float(value);
            g.floats.push(value);
        }
        for _ in 0..=g.random.below(8) {
            let mut types = vec![Ty::I64];
            types.extend((0..g.random.below(5)).map(|_| g.random.pick(&[Ty::I64, Ty::F64])));
            let (block, params) = g.b.block(&types);
            if g.random.below(4) == 0 {
                g.b.cold(block);
            }
            g.blocks.push((block, params, types));
        }
        for _ in 0..g.random.below(6) {
            g.operation();
        }
        let entry = g.b.entry();
        g.ints.push(entry);
        let start = g.target();
        g.b.effect(Op::Jump(start));
        let dominating = (g.ints.len(), g.floats.len());
        for (block, params, types) in g.blocks.clone() {
            g.b.at = block;
            g.ints.truncate(dominating.0);
            g.floats.truncate(dominating.1);
            for (&param, ty) in params.iter().zip(types) {
                if ty == Ty::F64 { g.floats.push(param) } else { g.ints.push(param) }
            }
            let zero = g.b.int(0);
            let more = g.b.op(Ty::I64, Op::Compare(Cond::Gt, params[0], zero));
            let leave = g.leave();
            g.b.effect(Op::Guard(more, leave));
            for _ in 0..g.random.below(14) {
                g.operation();
            }
            let one = g.b.int(1);
            let test = g.any(Ty::I64);
            g.int(Op::Binary(BinOp::Sub, params[0], one));
            match g.random.below(10) {
                0 => {
                    let leave = g.leave();
                    g.b.effect(Op::Leave(leave));
                }
                1 => {
                    let value = g.any(Ty::I64);
                    let address = g.b.op(Ty::Ptr, Op::Unary(UnOp::Cast(Ty::Ptr), value));
                    let object = g.b.op(Ty::Obj, Op::Unary(UnOp::Cast(Ty::Obj), address));
                    g.b.ret(object);
                }
                2 | 3 => {
                    let target = g.target();
                    g.b.effect(Op::Jump(target));
                }
                4 => {
                    let cases: Vec<Target> = (0..g.random.below(7)).map(|_| g.target()).collect();
                    let default = g.target();
                    g.b.effect(Op::Switch(test, cases, default));
                }
                _ => {
                    let (then, otherwise) = (g.target(), g.target());
                    g.b.branch(test, then, otherwise);
                }
            }
        }
        g.b
    }
}

/// The frame as the interpreter sees it.
struct Memory(Vec<u8>);

impl Environment for Memory {
    fn load(&mut self, address: u64, mem: MemTy) -> Result<u64, String> {
        let bytes = self.0.get(address as usize..address as usize + 8).ok_or("outside")?;
        Ok(extend(mem, u64::from_le_bytes(bytes.try_into().unwrap())))
    }

    fn store(&mut self, address: u64, mem: MemTy, bits: u64) -> Result<(), String> {
        let width = match mem {
            MemTy::U8 | MemTy::I8 => 1,
            MemTy::U16 | MemTy::I16 => 2,
            MemTy::U32 | MemTy::I32 => 4,
            MemTy::I64 | MemTy::F64 | MemTy::Ptr => 8,
        };
        if address >= OUT {
            // The outcome tells what was stored there.
            return Ok(());
        }
        let at = address as usize;
        self.0.get_mut(at..at + width).ok_or("outside")?.copy_from_slice(&bits.to_le_bytes()[..width]);
        Ok(())
    }

    fn symbol(&mut self, _: Symbol) -> Result<u64, String> {
        Err("no symbols".into())
    }

    fn call(&mut self, _: Helper, _: &[u64]) -> Result<u64, String> {
        Err("no helpers".into())
    }
}

fn same(ty: Ty, a: u64, b: u64) -> bool {
    a == b || (ty == Ty::F64 && f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan())
}

#[test]
fn random_functions_agree_with_the_interpreter() {
    let limit = std::env::var("COLUMBA_RANDOM_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2);
    let (start, mut seed, mut runs, mut by_leave) = (Instant::now(), 0u64, 0u64, 0u64);
    while start.elapsed() < Duration::from_secs(limit) {
        seed += 1;
        let b = Generator::function(seed);
        verify(&b.function, Level::Lowered).unwrap_or_else(|errors| panic!("seed {seed}: {errors}"));
        let compiled = compile_all(&b.function, &NONE);
        let mut random = Random(seed);
        for fuel in [0, 1, 2, 5, 30, 300] {
            let mut words: Vec<u64> = (0..WORDS).map(|_| random.pick(&INTS) as u64).collect();
            words.push(0);
            let mut memory = Memory(words.iter().flat_map(|word| word.to_le_bytes()).collect());
            let arguments = Arguments { entry: fuel, out: OUT, ..Arguments::default() };
            let outcome = interpret(&b.function, &mut memory, arguments, 1_000_000)
                .unwrap_or_else(|trap| panic!("seed {seed}, fuel {fuel}: {trap}"));
            let types: Vec<Ty> = match outcome.exit() {
                Some(exit) => {
                    by_leave += 1;
                    leave_types(&b, exit.0)
                }
                None => vec![Ty::I64],
            };
            for (mode, entry) in compiled.0.iter().enumerate() {
                let mut frame = words.clone();
                let mut out = vec![0u64; 80];
                // SAFETY: the function accesses the first words of `frame` only and writes at most 80 words.
                let status =
                    unsafe { entry.call(std::ptr::null_mut(), frame.as_mut_ptr().cast(), out.as_mut_ptr(), fuel) };
                let what = format!("seed {seed}, fuel {fuel}, mode {mode}");
                assert_eq!(status, outcome.status, "{what}");
                for (index, (&value, &ty)) in outcome.values.iter().zip(&types).enumerate() {
                    assert!(same(ty, value, out[index]), "{what}: value {index}: {value:x} {:x}", out[index]);
                }
                let bytes: Vec<u8> = frame.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!(bytes, memory.0, "{what}: memory");
                runs += 1;
            }
        }
    }
    println!("{seed} functions, {runs} runs, {by_leave} left by an exit");
    assert!(seed > 10 && by_leave > 10 && FIRST_EXIT > 2);
}

fn leave_types(b: &Build, exit: u32) -> Vec<Ty> {
    let insts = b.function.blocks.iter().flat_map(|block| &block.insts);
    let leave = insts
        .filter_map(|inst| match &inst.op {
            Op::Guard(_, leave) | Op::BinaryOrLeave(.., leave) | Op::Leave(leave) => Some(leave),
            _ => None,
        })
        .find(|leave| leave.exit.0 == exit)
        .expect("the exit is some instruction's");
    leave.values.iter().map(|&value| b.function.ty(value)).collect()
}
