//! Random functions with edges anywhere.
//!
//! *Problem*: the core's generator writes structured programs; backends must be right on any flow graph. *Method*: blocks
//! with random parameters and edges anywhere, back edges included; each block spends one unit of fuel, its first parameter,
//! and leaves when there is none, so that every run ends. Values come from the block itself and from the first block, which
//! dominates all. *Invariants*: what the IR leaves undefined is avoided (divisors are constants, shift amounts masked), NaNs
//! count as equal, so their bits are never looked at; the same seed gives the same function.

use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::op::{BinOp, Block, Cond, Leave, Op, OverflowOp, Target, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, Ty};

use crate::construct::{Build, to};

/// The fuel to run a function with: its entry number.
pub(crate) const FUEL: [i64; 6] = [0, 1, 2, 5, 30, 300];

/// Writes a function.
pub(crate) fn tangle(seed: u64) -> Function {
    let mut function = Generator::function(seed).function;
    function.name = format!("tangle {seed}");
    function
}

/// Xorshift: small, and the same everywhere.
pub(crate) struct Random(pub u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

pub(crate) const INTS: [i64; 10] = [i64::MIN, i64::MAX, 0, 1, -1, 2, 63, 1 << 32, -(1 << 40), 1_000_003];
/// Words of the frame that a function accesses.
pub(crate) const WORDS: usize = 8;

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
        match self.random.below(18) {
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
                let all = [MemTy::U8, MemTy::I8, MemTy::U16, MemTy::I16, MemTy::U32, MemTy::I32, MemTy::I64];
                let mem = self.random.pick(&all);
                let within = self.random.below(8 / mem.size()) * mem.size();
                self.int(Op::Load { mem, ty: Ty::I64, base, offset: offset + within as i32 });
            }
            13 => {
                let mem = self.random.pick(&[
                    MemTy::U8,
                    MemTy::I8,
                    MemTy::U16,
                    MemTy::I16,
                    MemTy::U32,
                    MemTy::I32,
                    MemTy::I64,
                ]);
                let within = self.random.below(8 / mem.size()) * mem.size();
                self.b.effect(Op::Store { mem, base, offset: offset + within as i32, value: x });
            }
            14 => {
                // Floats have words of their own: a NaN's bits are nobody's promise.
                let offset = 8 * (WORDS + self.random.below(WORDS)) as i32;
                self.b.effect(Op::Store { mem: MemTy::F64, base, offset, value: f });
                self.float(Op::Load { mem: MemTy::F64, ty: Ty::F64, base, offset });
            }
            15 => self.call(x, f, g),
            16 => {
                // What fits an integer exactly, as bits and as a number.
                let whole = self.b.op(Ty::F64, Op::Unary(UnOp::IntToFloat, y));
                let back = self.b.op(Ty::I64, Op::Unary(UnOp::FloatToBits, whole));
                self.ints.push(back);
                self.float(Op::Unary(UnOp::BitsToFloat, back));
                let mask = self.b.int((1 << 50) - 1);
                let small = self.b.op(Ty::I64, Op::Binary(BinOp::And, x, mask));
                let small = self.b.op(Ty::F64, Op::Unary(UnOp::IntToFloat, small));
                let half = self.b.float(0.75);
                let small = self.b.op(Ty::F64, Op::Binary(BinOp::FMul, small, half));
                self.int(Op::Unary(UnOp::FloatToInt, small));
            }
            _ => {
                // Addresses: compared, kept in memory, chosen.
                let slot = 8 * (2 * WORDS) as i32;
                let out = self.b.op(Ty::Ptr, Op::Out);
                let address = if self.random.below(2) == 0 { base } else { self.b.op(Ty::Ptr, Op::ThreadState) };
                self.b.effect(Op::Store { mem: MemTy::Ptr, base, offset: slot, value: address });
                let loaded = self.b.op(Ty::Ptr, Op::Load { mem: MemTy::Ptr, ty: Ty::Ptr, base, offset: slot });
                let chosen = self.b.op(Ty::Ptr, Op::Select(x, loaded, out));
                let null = self.b.op(Ty::Ptr, Op::Null(Ty::Ptr));
                let other = self.random.pick(&[base, out, null]);
                let cond = self.random.pick(&[Cond::Eq, Cond::Ne, Cond::ULt, Cond::UGe]);
                self.int(Op::Compare(cond, chosen, other));
            }
        }
    }

    /// Stores the newest integer where it can be seen, or what was computed may never matter.
    fn show(&mut self) {
        let value = self.ints[self.ints.len() - 1];
        let offset = 8 * (2 * WORDS + 1 + self.random.below(WORDS)) as i32;
        self.b.effect(Op::Store { mem: MemTy::I64, base: Value(1), offset, value });
    }

    /// A call with values of every class.
    fn call(&mut self, x: Value, f: Value, g: Value) {
        let frame = Value(1);
        match self.random.below(3) {
            0 => self.float(Op::Call(Helper::FloatRemainder, vec![f, g])),
            1 => self.b.effect(Op::Call(Helper::FlushFloat, vec![frame, f])),
            _ => {
                let null = self.b.op(Ty::Obj, Op::Null(Ty::Obj));
                let result = self.b.op(Ty::Obj, Op::Call(Helper::Call, vec![frame, frame, x, null]));
                let null = self.b.op(Ty::Obj, Op::Null(Ty::Obj));
                self.int(Op::Compare(Cond::Ne, result, null));
            }
        }
    }

    fn function(seed: u64) -> Build {
        let mut g =
            Generator { b: Build::new(), random: Random::new(seed), ints: vec![], floats: vec![], blocks: vec![] };
        let frame = g.b.op(Ty::Ptr, Op::Frame);
        assert_eq!(frame, Value(1));
        for index in 0..3 {
            let value = g.b.input(Ty::I64, index);
            g.ints.push(value);
        }
        for value in [0.0, 1.5, f64::INFINITY, -1e300, f64::NAN] {
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
                if g.random.below(2) == 0 {
                    g.show();
                }
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
