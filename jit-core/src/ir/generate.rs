//! Random well-formed functions, for property tests and fuzzing.
//!
//! *Problem*: passes and backends must be right on functions nobody would write. *Method*: a structured program is written
//! from a stream of random numbers: straight lines, branches, bounded loops, exits, calls that fail; scopes are lexical, so
//! dominance holds by construction. References are kept as compiled code keeps them: each object made is given up exactly
//! once on every path, an exit owns what is open at its place, and slots always hold an object. *Invariants*: the same
//! stream gives the same function; every function passes the verifier, ends within a bounded number of steps and, run on a
//! [`super::simulate::Heap`] with [`SLOTS`] objects in its slots, keeps its references balanced.

use super::function::{Function, Inst};
use super::op::{BinOp, Block, Cond, Leave, Op, OverflowOp, Status, Symbol, Target, UnOp, Value};
use super::types::{MemTy, PyTypes, Ty};
use crate::exit::{Exit, Reason, Source};
use crate::helpers::Helper;

/// Slots that the function reads and writes; all must hold objects when it starts.
pub const SLOTS: u32 = 4;
/// Words behind `Symbol::Address(0)` that the function reads and writes.
pub const WORDS: u32 = 4;

/// Writes a function of at most about `size` instructions from a seed.
pub fn generate(seed: u64, size: u32) -> Function {
    generate_regions(seed, size, 1)
}

/// Goes on until there are about `size` instructions.
pub fn generate_sequence(seed: u64, size: u32) -> Function {
    generate_regions(seed, size, u32::MAX)
}

fn generate_regions(seed: u64, size: u32, mut regions: u32) -> Function {
    let mut generator = Generator {
        function: Function::new(format!("random_{seed}_{size}")),
        state: seed ^ 0x9e37_79b9_7f4a_7c15,
        block: Block(0),
        budget: size,
        offset: 0,
        ints: Vec::new(),
        floats: Vec::new(),
        owned: Vec::new(),
    };
    generator.ints.extend(generator.function.entry);
    let zero = generator.value(Op::IConst(0));
    let half = generator.value(Op::FConst(0.5f64.to_bits()));
    generator.ints.push(zero);
    generator.floats.push(half);
    while regions > 0 && generator.budget > 0 {
        generator.region(0);
        regions -= 1;
    }
    generator.finish();
    generator.function
}

struct Generator {
    function: Function,
    state: u64,
    block: Block,
    budget: u32,
    offset: u32,
    /// Values in scope.
    ints: Vec<Value>,
    floats: Vec<Value>,
    /// References to give up, never null.
    owned: Vec<Value>,
}

impl Generator {
    /// A number below `limit` (splitmix64).
    fn below(&mut self, limit: u32) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ word >> 31) % u64::from(limit)) as u32
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// Later values are more likely, so that chains grow.
    fn int(&mut self) -> Value {
        let (count, back) = (self.ints.len() as u32, self.below(6));
        if back < count && self.below(3) > 0 {
            self.ints[(count - 1 - back) as usize]
        } else {
            let ints = std::mem::take(&mut self.ints);
            let value = self.pick(&ints);
            self.ints = ints;
            value
        }
    }

    fn float(&mut self) -> Value {
        let floats = std::mem::take(&mut self.floats);
        let value = self.pick(&floats);
        self.floats = floats;
        value
    }

    fn push(&mut self, op: Op, result: Option<Value>) {
        let origin = self.offset;
        self.function.blocks[self.block.0 as usize].insts.push(Inst { op, result, origin });
        self.budget = self.budget.saturating_sub(1);
    }

    fn effect(&mut self, op: Op) {
        self.push(op, None);
    }

    fn value(&mut self, op: Op) -> Value {
        let ty = op.result_ty(&self.function).expect("an operation with a result");
        let value = self.function.new_value(ty);
        self.push(op, Some(value));
        value
    }

    fn add_int(&mut self, op: Op) {
        let value = self.value(op);
        self.ints.push(value);
    }

    /// A checked operation without uses may be dropped with its exit; here its result is stored, so that it must stay.
    fn add_checked(&mut self, op: Op) {
        let value = self.value(op);
        self.ints.push(value);
        let base = self.value(Op::Symbol(Symbol::Address(0), Ty::Ptr));
        self.effect(Op::Store { mem: MemTy::I64, base, offset: 8 * (WORDS as i32 - 1), value });
    }

    fn add_float(&mut self, op: Op) {
        let value = self.value(op);
        self.floats.push(value);
    }

    fn target(block: Block, args: Vec<Value>) -> Target {
        Target { block, args }
    }

    /// An exit that owns what is open, with a few raw values besides.
    fn leave(&mut self) -> Leave {
        let mut values = self.owned.clone();
        let mut stack: Vec<Source> = (0..values.len() as u32).map(Source::Owned).collect();
        if self.below(2) == 0 {
            values.push(self.int());
            stack.push(Source::Int(values.len() as u32 - 1));
        }
        if self.below(3) == 0 {
            values.push(self.float());
            stack.push(Source::Float(values.len() as u32 - 1));
        }
        if self.below(4) == 0 {
            stack.push(Source::Const(1));
        }
        let reason = Reason::Type;
        let value_count = values.len() as u32;
        let exit = Exit {
            offset: self.offset,
            origin: self.offset,
            reason,
            locals: Vec::new(),
            names: Vec::new(),
            stack,
            value_count,
        };
        // Exits are shared when they can be.
        let number = match self.function.exits.iter().rposition(|other| *other == exit) {
            Some(number) => crate::exit::ExitId(number as u32),
            None => self.function.add_exit(exit),
        };
        Leave { exit: number, values }
    }

    /// Statements until the budget of this region is used; gives back the scope as it was.
    fn region(&mut self, depth: u32) {
        let (ints, floats, owned) = (self.ints.len(), self.floats.len(), self.owned.len());
        let mut steps = 3 + self.below(12);
        while self.budget > 0 && steps > 0 {
            steps -= 1;
            self.offset += 2;
            match self.below(20) {
                0..=3 => self.arithmetic(),
                4 | 5 => self.float_arithmetic(),
                6 | 7 => self.unbox_slot(),
                8 | 9 => self.make_box(),
                10 => self.take_slot(),
                11 if self.owned.len() > owned => self.use_owned(),
                12 => self.memory(),
                13 => self.call(owned),
                14 => {
                    let condition = self.int();
                    let leave = self.leave();
                    if self.below(3) == 0 {
                        self.effect(Op::Guard(condition, leave));
                    } else {
                        // Mostly holds.
                        let one = self.value(Op::IConst(1 << 40));
                        let condition = self.value(Op::Compare(Cond::Ne, condition, one));
                        self.effect(Op::Guard(condition, leave));
                    }
                }
                15 | 16 if depth < 3 => self.diamond(depth),
                17 if depth < 3 => self.bounded_loop(depth),
                18 => self.effect(Op::SetIp(self.offset)),
                _ => self.constants(),
            }
        }
        while self.owned.len() > owned {
            self.use_owned();
        }
        self.ints.truncate(ints);
        self.floats.truncate(floats);
    }

    fn constants(&mut self) {
        let number = [0, 1, -1, 2, 63, i64::MAX, i64::MIN, 1 << 31][self.below(8) as usize];
        self.add_int(Op::IConst(number));
        let number = [0.0, -0.0, 1.0, 1e300, 0.1, -2.5][self.below(6) as usize];
        self.add_float(Op::FConst(f64::to_bits(number)));
    }

    fn arithmetic(&mut self) {
        let (a, b) = (self.int(), self.int());
        let op = match self.below(9) {
            0..=2 => {
                use BinOp::*;
                Op::Binary(self.pick(&[Add, Sub, Mul, And, Or, Xor]), a, b)
            }
            3 => {
                let amount = self.below(64).into();
                let amount = self.value(Op::IConst(amount));
                Op::Binary(self.pick(&[BinOp::Shl, BinOp::AShr, BinOp::LShr]), a, amount)
            }
            4 => {
                let divisor = self.pick(&[1, 2, 3, -7, i64::MAX]);
                let divisor = self.value(Op::IConst(divisor));
                Op::Binary(self.pick(&[BinOp::SDiv, BinOp::SRem]), a, divisor)
            }
            5 => {
                use Cond::*;
                Op::Compare(self.pick(&[Eq, Ne, Lt, Le, Gt, Ge, ULt, ULe, UGt, UGe]), a, b)
            }
            6 => {
                let leave = self.leave();
                let op = self.pick(&[OverflowOp::Add, OverflowOp::Sub, OverflowOp::Mul]);
                return self.add_checked(Op::BinaryOrLeave(op, a, b, leave));
            }
            7 => Op::Unary(self.pick(&[UnOp::Neg, UnOp::Not]), a),
            _ => {
                let condition = self.int();
                Op::Select(condition, a, b)
            }
        };
        self.add_int(op);
    }

    fn float_arithmetic(&mut self) {
        let (a, b) = (self.float(), self.float());
        match self.below(6) {
            0..=2 => {
                let op = self.pick(&[BinOp::FAdd, BinOp::FSub, BinOp::FMul, BinOp::FDiv]);
                self.add_float(Op::Binary(op, a, b));
            }
            3 => {
                let op = self.pick(&[UnOp::FNeg, UnOp::FAbs, UnOp::FFloor]);
                self.add_float(Op::Unary(op, a));
            }
            4 => {
                use Cond::*;
                let cond = self.pick(&[FEq, FNe, FLt, FLe, FGt, FGe]);
                self.add_int(Op::Compare(cond, a, b));
            }
            _ => {
                let value = self.int();
                self.add_float(Op::Unary(UnOp::IntToFloat, value));
            }
        }
    }

    /// Reads a slot's object as a number, guarded or tested.
    fn unbox_slot(&mut self) {
        let slot = self.below(SLOTS);
        let object = self.value(Op::SlotGet(slot));
        let kept = self.below(2) == 0;
        if kept {
            self.effect(Op::Incref(object));
            self.owned.push(object);
        }
        match self.below(3) {
            0 => {
                let leave = self.leave();
                self.effect(Op::GuardType(object, PyTypes::FLOAT, leave));
                self.add_float(Op::UnboxFloat(object));
            }
            1 => {
                let leave = self.leave();
                self.effect(Op::GuardType(object, PyTypes::INT, leave));
                let leave = self.leave();
                self.add_checked(Op::UnboxInt(object, leave));
            }
            _ => self.add_int(Op::IsType(object, PyTypes::INT)),
        }
        if kept {
            self.owned.pop();
            if self.below(8) == 0 {
                self.effect(Op::XDecref(object));
            } else {
                self.effect(Op::Decref(object));
            }
        }
    }

    fn make_box(&mut self) {
        let object = match self.below(4) {
            0 | 1 => {
                let raw = self.float();
                self.value(Op::BoxFloat(raw))
            }
            2 => {
                let raw = self.int();
                self.value(Op::BoxInt(raw))
            }
            _ => {
                let (a, b) = (self.int(), self.int());
                let raw = self.value(Op::Compare(Cond::Lt, a, b));
                let object = self.value(Op::BoxBool(raw));
                self.add_int(Op::UnboxBool(object));
                self.owned.push(object);
                return;
            }
        };
        self.owned.push(object);
        if self.below(2) == 0 {
            match self.function.blocks[self.block.0 as usize].insts.last().map(|inst| inst.op.clone()) {
                Some(Op::BoxFloat(_)) => {
                    self.add_float(Op::UnboxFloat(object));
                    let float = self.floats[self.floats.len() - 1];
                    if self.below(2) == 0 {
                        let again = self.value(Op::BoxFloat(float));
                        self.owned.push(again);
                    }
                }
                _ => {
                    let leave = self.leave();
                    self.add_checked(Op::UnboxInt(object, leave));
                }
            }
        }
    }

    fn take_slot(&mut self) {
        let object = match self.below(4) {
            0 => self.value(Op::Symbol(Symbol::None, Ty::Obj)),
            1 => self.value(Op::Symbol(Symbol::Const(2), Ty::Obj)),
            _ => {
                let slot = self.below(SLOTS);
                self.value(Op::SlotGet(slot))
            }
        };
        self.effect(Op::Incref(object));
        self.owned.push(object);
    }

    /// Gives up the latest reference.
    fn use_owned(&mut self) {
        let Some(object) = self.owned.pop() else { return };
        match self.below(4) {
            0 | 1 => self.effect(Op::Decref(object)),
            2 => {
                let slot = self.below(SLOTS);
                let old = self.value(Op::SlotGet(slot));
                self.effect(Op::SlotSet(slot, object));
                self.effect(Op::Decref(old));
            }
            _ => {
                self.effect(Op::SetIp(self.offset));
                self.value(Op::Call(Helper::PrintExpr, vec![object]));
            }
        }
    }

    fn memory(&mut self) {
        let base = self.value(Op::Symbol(Symbol::Address(0), Ty::Ptr));
        let offset = 8 * self.below(WORDS) as i32;
        if self.below(2) == 0 {
            let mem = self.pick(&[MemTy::I64, MemTy::I64, MemTy::I32, MemTy::U8]);
            let value = self.int();
            self.effect(Op::Store { mem, base, offset, value });
        }
        let mem = self.pick(&[MemTy::I64, MemTy::I64, MemTy::I32, MemTy::U16, MemTy::I8]);
        self.add_int(Op::Load { mem, ty: Ty::I64, base, offset });
    }

    /// A call that runs Python; when it fails, everything open is released and the function ends.
    fn call(&mut self, floor: usize) {
        self.effect(Op::SetIp(self.offset));
        let slot = self.below(SLOTS);
        let borrowed = self.value(Op::SlotGet(slot));
        if self.owned.len() < floor + 2 || self.below(3) == 0 {
            return self.add_int(Op::Call(Helper::IsTrueBorrowed, vec![borrowed]));
        }
        let (Some(right), Some(left)) = (self.owned.pop(), self.owned.pop()) else { return };
        let result = self.value(Op::Call(Helper::Subscr, vec![left, right]));
        let null = self.value(Op::Null(Ty::Obj));
        let failed = self.value(Op::Compare(Cond::Eq, result, null));
        let (raised, fine) = (self.function.new_block(), self.function.new_block());
        self.function.blocks[raised.0 as usize].cold = true;
        self.effect(Op::Branch(failed, Self::target(raised, vec![]), Self::target(fine, vec![])));
        self.block = raised;
        for object in self.owned.clone() {
            self.effect(Op::Decref(object));
        }
        self.effect(Op::Return(Status::Raised, None));
        self.block = fine;
        self.owned.push(result);
    }

    /// A branch or switch whose sides each give a number and an object.
    fn diamond(&mut self, depth: u32) {
        let sides = 2 + self.below(2) as usize;
        let condition = self.int();
        let blocks: Vec<Block> = (0..sides).map(|_| self.function.new_block()).collect();
        let join = self.function.new_block();
        let (number, object) = (self.function.add_param(join, Ty::I64), self.function.add_param(join, Ty::Obj));
        let target = |block: &Block| Self::target(*block, vec![]);
        if sides == 2 {
            self.effect(Op::Branch(condition, target(&blocks[0]), target(&blocks[1])));
        } else {
            self.effect(Op::Switch(condition, blocks[1..].iter().map(target).collect(), target(&blocks[0])));
        }
        let scope = (self.ints.len(), self.floats.len());
        let boxed = self.below(2);
        for block in blocks {
            self.block = block;
            if self.below(6) == 0 {
                self.function.blocks[block.0 as usize].cold = true;
            }
            if self.below(4) > 0 {
                self.region(depth + 1);
            }
            if self.below(12) == 0 {
                let leave = self.leave();
                self.effect(Op::Leave(leave));
                continue;
            }
            let result = self.int();
            let made = if boxed == 0 {
                let raw = self.float();
                self.value(Op::BoxFloat(raw))
            } else {
                let raw = self.int();
                self.value(Op::BoxInt(raw))
            };
            self.effect(Op::Jump(Self::target(join, vec![result, made])));
            self.ints.truncate(scope.0);
            self.floats.truncate(scope.1);
        }
        self.block = join;
        self.ints.push(number);
        self.owned.push(object);
        if boxed == 0 {
            self.add_float(Op::UnboxFloat(object));
        }
    }

    /// A loop of at most four rounds with a number, a float and a value that does not change.
    fn bounded_loop(&mut self, depth: u32) {
        let header = self.function.new_block();
        let (body, end) = (self.function.new_block(), self.function.new_block());
        let rounds = self.below(5).into();
        let rounds = self.value(Op::IConst(rounds));
        let (start, same, float) = (self.value(Op::IConst(0)), self.int(), self.float());
        let params: Vec<Value> =
            [Ty::I64, Ty::I64, Ty::F64, Ty::I64].iter().map(|ty| self.function.add_param(header, *ty)).collect();
        self.effect(Op::Jump(Self::target(header, vec![start, same, float, same])));
        self.block = header;
        let more = self.value(Op::Compare(Cond::Lt, params[0], rounds));
        self.effect(Op::Branch(more, Self::target(body, vec![]), Self::target(end, vec![])));
        self.block = body;
        let scope = (self.ints.len(), self.floats.len());
        self.ints.extend([params[0], params[1], params[3]]);
        self.floats.push(params[2]);
        self.region(depth + 1);
        let (number, float) = (self.int(), self.float());
        let one = self.value(Op::IConst(1));
        let next = self.value(Op::Binary(BinOp::Add, params[0], one));
        self.effect(Op::Jump(Self::target(header, vec![next, number, float, params[3]])));
        self.ints.truncate(scope.0);
        self.floats.truncate(scope.1);
        self.block = end;
        self.ints.extend([params[1], params[3]]);
        self.floats.push(params[2]);
    }

    fn finish(&mut self) {
        let object = match self.below(3) {
            0 => {
                let raw = self.int();
                self.value(Op::BoxInt(raw))
            }
            1 => {
                let raw = self.float();
                self.value(Op::BoxFloat(raw))
            }
            _ => {
                let object = self.value(Op::SlotGet(0));
                self.effect(Op::Incref(object));
                object
            }
        };
        self.effect(Op::Return(Status::Returned, Some(object)));
    }
}
