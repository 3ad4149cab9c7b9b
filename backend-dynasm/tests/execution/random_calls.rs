//! Random functions full of calls, in usual and in cold blocks, against the reference interpreter.
//!
//! *Method*: as in `random`, blocks spend fuel and have random edges; values of the first block are used everywhere, so
//! they live across the calls, which clobber whatever a callee may.

use std::time::{Duration, Instant};

use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::interpret::{Arguments, Environment, interpret};
use columba_jit_core::ir::op::{BinOp, Block, Cond, Op, OverflowOp, Symbol, Target, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::ir::verify::{Level, verify};

use crate::harness::{Build, Fake, compile_all, to};
use crate::registers::clobber;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}

fn mix(a: u64) -> u64 {
    a.wrapping_mul(0x9e37_79b9).rotate_left(7) ^ 0x55
}

fn blend(a: f64, b: f64) -> f64 {
    a * 0.5 - b
}

fn weigh(args: [u64; 4]) -> u64 {
    args.iter().fold(1, |sum: u64, arg| sum.wrapping_mul(31).wrapping_add(*arg))
}

extern "C" fn one(a: u64) -> u64 {
    // SAFETY: clobbers what any callee may.
    unsafe { clobber() };
    mix(a)
}

extern "C" fn two_floats(a: f64, b: f64) -> f64 {
    // SAFETY: as above.
    unsafe { clobber() };
    blend(a, b)
}

extern "C" fn four(a: u64, b: u64, c: u64, d: u64) -> u64 {
    // SAFETY: as above.
    unsafe { clobber() };
    weigh([a, b, c, d])
}

/// The helpers and the frame as the interpreter sees them.
struct World(Vec<u64>);

impl Environment for World {
    fn load(&mut self, address: u64, _: MemTy) -> Result<u64, String> {
        self.0.get(address as usize / 8).copied().ok_or("outside".into())
    }

    fn store(&mut self, _: u64, _: MemTy, _: u64) -> Result<(), String> {
        Ok(()) // to the out buffer only
    }

    fn symbol(&mut self, _: Symbol) -> Result<u64, String> {
        Err("no symbols".into())
    }

    fn call(&mut self, helper: Helper, args: &[u64]) -> Result<u64, String> {
        Ok(match helper {
            Helper::IsTrue => mix(args[0]),
            Helper::FloatRemainder => blend(f64::from_bits(args[0]), f64::from_bits(args[1])).to_bits(),
            _ => weigh([args[0], args[1], args[2], args[3]]),
        })
    }
}

const WORDS: usize = 16;

struct Generator {
    b: Build,
    random: Random,
    ints: Vec<Value>,
    floats: Vec<Value>,
    blocks: Vec<(Block, Vec<Value>, Vec<Ty>)>,
}

impl Generator {
    fn int(&mut self) -> Value {
        self.ints[self.random.below(self.ints.len())]
    }

    fn float(&mut self) -> Value {
        self.floats[self.random.below(self.floats.len())]
    }

    fn pointer(&mut self) -> Value {
        let value = self.int();
        self.b.op(Ty::Ptr, Op::Unary(UnOp::Cast(Ty::Ptr), value))
    }

    fn object(&mut self) -> Value {
        let pointer = self.pointer();
        self.b.op(Ty::Obj, Op::Unary(UnOp::Cast(Ty::Obj), pointer))
    }

    fn operation(&mut self) {
        match self.random.below(8) {
            0 | 1 => {
                let (a, b) = (self.int(), self.int());
                let op = [BinOp::Add, BinOp::Sub, BinOp::Xor, BinOp::Mul][self.random.below(4)];
                let value = self.b.op(Ty::I64, Op::Binary(op, a, b));
                self.ints.push(value);
            }
            2 => {
                let (a, b) = (self.float(), self.float());
                let op = [BinOp::FAdd, BinOp::FSub, BinOp::FMul][self.random.below(3)];
                let value = self.b.op(Ty::F64, Op::Binary(op, a, b));
                self.floats.push(value);
            }
            3 => {
                let object = self.object();
                let value = self.b.op(Ty::I64, Op::Call(Helper::IsTrue, vec![object]));
                self.ints.push(value);
            }
            4 => {
                let (a, b) = (self.float(), self.float());
                let value = self.b.op(Ty::F64, Op::Call(Helper::FloatRemainder, vec![a, b]));
                self.floats.push(value);
            }
            5 => {
                let (a, b, c, d) = (self.pointer(), self.pointer(), self.int(), self.object());
                let value = self.b.op(Ty::Obj, Op::Call(Helper::Call, vec![a, b, c, d]));
                let value = self.b.op(Ty::Ptr, Op::Unary(UnOp::Cast(Ty::Ptr), value));
                let value = self.b.op(Ty::I64, Op::Unary(UnOp::Cast(Ty::I64), value));
                self.ints.push(value);
            }
            6 => {
                let (a, b) = (self.int(), self.int());
                let leave = self.leave();
                let op = [OverflowOp::Add, OverflowOp::Sub, OverflowOp::Mul][self.random.below(3)];
                let value = self.b.op(Ty::I64, Op::BinaryOrLeave(op, a, b, leave));
                self.ints.push(value);
            }
            _ => {
                let (a, b) = (self.int(), self.int());
                let test = self.b.op(Ty::I64, Op::Compare(Cond::Ne, a, b));
                let leave = self.leave();
                self.b.effect(Op::Guard(test, leave));
            }
        }
    }

    fn leave(&mut self) -> columba_jit_core::ir::op::Leave {
        let mut values: Vec<Value> = (0..self.random.below(5)).map(|_| self.int()).collect();
        values.extend((0..self.random.below(4)).map(|_| self.float()));
        self.b.leave(&values)
    }

    fn target(&mut self, fuel: Value) -> Target {
        let index = self.random.below(self.blocks.len());
        let (block, types) = (self.blocks[index].0, self.blocks[index].2.clone());
        let mut args = vec![fuel];
        for ty in &types[1..] {
            args.push(if *ty == Ty::F64 { self.float() } else { self.int() });
        }
        to(block, &args)
    }

    fn function(seed: u64) -> Build {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut g = Generator { b: Build::new(), random, ints: vec![], floats: vec![], blocks: vec![] };
        for index in 0..WORDS {
            if index % 2 == 0 {
                let value = g.b.input(Ty::I64, index);
                g.ints.push(value);
            } else {
                let value = g.b.input(Ty::F64, index);
                g.floats.push(value);
            }
        }
        for _ in 0..2 + g.random.below(7) {
            let mut types = vec![Ty::I64];
            types.extend((0..g.random.below(7)).map(|_| [Ty::I64, Ty::F64][g.random.below(2)]));
            let (block, params) = g.b.block(&types);
            if g.random.below(2) == 0 {
                g.b.cold(block);
            }
            g.blocks.push((block, params, types));
        }
        let entry = g.b.entry();
        let start = g.target(entry);
        g.b.effect(Op::Jump(start));
        let everywhere = (g.ints.len(), g.floats.len());
        for (block, params, types) in g.blocks.clone() {
            g.b.at = block;
            g.ints.truncate(everywhere.0);
            g.floats.truncate(everywhere.1);
            for (&param, ty) in params.iter().zip(types) {
                if ty == Ty::F64 { g.floats.push(param) } else { g.ints.push(param) }
            }
            let zero = g.b.int(0);
            let more = g.b.op(Ty::I64, Op::Compare(Cond::Gt, params[0], zero));
            let leave = g.leave();
            g.b.effect(Op::Guard(more, leave));
            for _ in 0..g.random.below(10) {
                g.operation();
            }
            let one = g.b.int(1);
            let fuel = g.b.op(Ty::I64, Op::Binary(BinOp::Sub, params[0], one));
            let (test, then, otherwise) = (g.int(), g.target(fuel), g.target(fuel));
            g.b.branch(test, then, otherwise);
        }
        g.b
    }
}

#[test]
fn random_functions_with_calls_agree_with_the_interpreter() {
    let limit = std::env::var("COLUMBA_RANDOM_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2);
    let resolver = Fake {
        helpers: vec![
            (Helper::IsTrue, one as extern "C" fn(u64) -> u64 as usize as u64),
            (Helper::FloatRemainder, two_floats as extern "C" fn(f64, f64) -> f64 as usize as u64),
            (Helper::Call, four as extern "C" fn(u64, u64, u64, u64) -> u64 as usize as u64),
        ],
        symbol: |_| 0,
    };
    let (start, mut seed) = (Instant::now(), 0u64);
    while start.elapsed() < Duration::from_secs(limit) {
        seed += 1;
        let b = Generator::function(seed);
        verify(&b.function, Level::Lowered).unwrap_or_else(|errors| panic!("seed {seed}: {errors}"));
        let compiled = compile_all(&b.function, &resolver);
        let mut random = Random(seed);
        for fuel in [0, 1, 2, 7, 60] {
            let words: Vec<u64> = (0..WORDS)
                .map(|i| {
                    if i % 2 == 0 { random.below(1 << 31) as u64 } else { (random.below(1000) as f64 / 8.0).to_bits() }
                })
                .collect();
            let arguments = Arguments { entry: fuel, out: 1 << 30, ..Arguments::default() };
            let outcome = interpret(&b.function, &mut World(words.clone()), arguments, 1_000_000)
                .unwrap_or_else(|trap| panic!("seed {seed}, fuel {fuel}: {trap}"));
            let (status, out) = compiled.run(&words, fuel);
            assert_eq!(status, outcome.status, "seed {seed}, fuel {fuel}");
            for (index, (&expected, &got)) in outcome.values.iter().zip(&out).enumerate() {
                let nans = f64::from_bits(expected).is_nan() && f64::from_bits(got).is_nan();
                assert!(expected == got || nans, "seed {seed}, fuel {fuel}, value {index}: {expected:x} {got:x}");
            }
        }
    }
    println!("{seed} functions");
    assert!(seed > 10);
}
