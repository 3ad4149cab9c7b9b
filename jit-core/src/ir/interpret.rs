//! The reference interpreter of lowered IR: the executable specification that backends are held to.
//!
//! *Problem*: "what does this operation mean" needs one answer that can be run. *Method*: a plain walk; every value is its
//! 64 bits; memory, symbols and helpers are behind [`Environment`], so that the same interpreter runs over simulated memory
//! (tests, fuzzing) and over the real one (an environment given by whoever may touch it). *Invariants*: deterministic but
//! for the environment; what the IR leaves undefined (shift amounts beyond 63, division by 0, a float outside the range of
//! `I64`, reaching `unreachable`, an operation that is not primitive) stops with a [`Trap`] instead of a guess; the arguments
//! of a target are read before any parameter is written.

use super::function::Function;
use super::op::{BinOp, Block, Cond, FIRST_EXIT, Leave, Op, OverflowOp, Symbol, Target, UnOp, Value};
use super::types::{MemTy, Ty};
use crate::exit::ExitId;
use crate::helpers::Helper;

/// What lies outside the function. Errors stop the run.
pub trait Environment {
    /// Reads memory: sign- or zero-extended to 64 bits as the type says.
    fn load(&mut self, address: u64, mem: MemTy) -> Result<u64, String>;
    /// Writes the low bits.
    fn store(&mut self, address: u64, mem: MemTy, bits: u64) -> Result<(), String>;
    fn symbol(&mut self, symbol: Symbol) -> Result<u64, String>;
    /// Result bits; 0 where the helper has none.
    fn call(&mut self, helper: Helper, args: &[u64]) -> Result<u64, String>;
    /// An instruction is about to be executed: for whoever counts.
    fn executing(&mut self, _op: &Op) {}
}

/// The machine-level parameters of a compiled function.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arguments {
    pub thread_state: u64,
    pub frame: u64,
    /// Address of the out buffer.
    pub out: u64,
    pub entry: i64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// As the machine code would return it.
    pub status: i64,
    /// What was stored to the out buffer at the end: the values of the exit, or the result.
    pub values: Vec<u64>,
    /// Instructions executed.
    pub steps: u64,
}

impl Outcome {
    /// The exit that was taken.
    pub fn exit(&self) -> Option<ExitId> {
        (self.status >= FIRST_EXIT).then(|| ExitId((self.status - FIRST_EXIT) as u32))
    }
}

/// Why a run could not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trap {
    #[error("{block:?}, instruction {inst}: {message}")]
    Undefined { block: Block, inst: usize, message: String },
    #[error("step limit reached")]
    StepLimit,
}

/// Runs a verified, lowered function for at most `limit` instructions.
pub fn interpret(
    function: &Function,
    environment: &mut dyn Environment,
    arguments: Arguments,
    limit: u64,
) -> Result<Outcome, Trap> {
    let mut run = Run { environment, arguments, values: vec![0; function.values.len()] };
    if let Some(entry) = function.entry {
        run.values[entry.0 as usize] = arguments.entry as u64;
    }
    let mut block = Block(0);
    let mut steps = 0;
    let mut scratch = Vec::new();
    'blocks: loop {
        let trap = |inst: usize, message: String| Trap::Undefined { block, inst, message };
        let Some(data) = function.blocks.get(block.0 as usize) else {
            return Err(trap(0, "no such block".into()));
        };
        for (index, inst) in data.insts.iter().enumerate() {
            steps += 1;
            if steps > limit {
                return Err(Trap::StepLimit);
            }
            run.environment.executing(&inst.op);
            let next = run.step(function, &inst.op).map_err(|message| trap(index, message))?;
            match next {
                Next::Value(bits) => {
                    if let Some(result) = inst.result {
                        run.values[result.0 as usize] = bits;
                    }
                }
                Next::Nothing => {}
                Next::Go(target) => {
                    scratch.clear();
                    scratch.extend(target.args.iter().map(|arg| run.values[arg.0 as usize]));
                    let params = function.blocks.get(target.block.0 as usize).map_or(&[][..], |data| &data.params);
                    for (param, bits) in params.iter().zip(&scratch) {
                        run.values[param.0 as usize] = *bits;
                    }
                    block = target.block;
                    continue 'blocks;
                }
                Next::End(status, values) => {
                    for (index, bits) in values.iter().enumerate() {
                        let address = arguments.out.wrapping_add(8 * index as u64);
                        run.environment.store(address, MemTy::I64, *bits).map_err(|message| Trap::Undefined {
                            block,
                            inst: data.insts.len(),
                            message,
                        })?;
                    }
                    return Ok(Outcome { status, values, steps });
                }
            }
        }
        return Err(trap(data.insts.len(), "block without a terminator".into()));
    }
}

enum Next<'a> {
    Value(u64),
    Nothing,
    Go(&'a Target),
    End(i64, Vec<u64>),
}

struct Run<'a> {
    environment: &'a mut dyn Environment,
    arguments: Arguments,
    values: Vec<u64>,
}

impl Run<'_> {
    fn bits(&self, value: Value) -> u64 {
        self.values[value.0 as usize]
    }

    fn int(&self, value: Value) -> i64 {
        self.bits(value) as i64
    }

    fn leave(&self, leave: &Leave) -> Next<'static> {
        let values = leave.values.iter().map(|value| self.bits(*value)).collect();
        Next::End(FIRST_EXIT + i64::from(leave.exit.0), values)
    }

    fn step<'f>(&mut self, function: &Function, op: &'f Op) -> Result<Next<'f>, String> {
        Ok(match op {
            Op::IConst(number) => Next::Value(*number as u64),
            Op::FConst(bits) => Next::Value(*bits),
            Op::Null(_) => Next::Value(0),
            Op::Symbol(symbol, _) => Next::Value(self.environment.symbol(*symbol)?),
            Op::Binary(op, a, b) => Next::Value(binary(*op, self.bits(*a), self.bits(*b))?),
            Op::Unary(op, a) => Next::Value(unary(*op, self.bits(*a))?),
            Op::Compare(cond, a, b) => Next::Value(compare(*cond, self.bits(*a), self.bits(*b)).into()),
            Op::Select(condition, a, b) => {
                Next::Value(if self.bits(*condition) != 0 { self.bits(*a) } else { self.bits(*b) })
            }
            Op::BinaryOrLeave(op, a, b, leave) => match overflow(*op, self.int(*a), self.int(*b)) {
                Some(result) => Next::Value(result as u64),
                None => self.leave(leave),
            },
            Op::Guard(a, leave) => {
                if self.bits(*a) != 0 {
                    Next::Nothing
                } else {
                    self.leave(leave)
                }
            }
            Op::Load { mem, base, offset, .. } => {
                let address = self.bits(*base).wrapping_add_signed(i64::from(*offset));
                Next::Value(self.environment.load(address, *mem)?)
            }
            Op::Store { mem, base, offset, value } => {
                let address = self.bits(*base).wrapping_add_signed(i64::from(*offset));
                self.environment.store(address, *mem, self.bits(*value))?;
                Next::Nothing
            }
            Op::Call(helper, args) => {
                let args: Vec<u64> = args.iter().map(|arg| self.bits(*arg)).collect();
                Next::Value(self.environment.call(*helper, &args)?)
            }
            Op::Frame => Next::Value(self.arguments.frame),
            Op::ThreadState => Next::Value(self.arguments.thread_state),
            Op::Out => Next::Value(self.arguments.out),
            Op::Jump(target) => Next::Go(target),
            Op::Branch(a, then, otherwise) => Next::Go(if self.bits(*a) != 0 { then } else { otherwise }),
            Op::Switch(a, cases, default) => {
                Next::Go(usize::try_from(self.int(*a)).ok().and_then(|index| cases.get(index)).unwrap_or(default))
            }
            Op::Return(status, value) => {
                Next::End(*status as i64, value.iter().map(|value| self.bits(*value)).collect())
            }
            Op::Leave(leave) => self.leave(leave),
            Op::Unreachable => return Err("unreachable was reached".into()),
            _ => return Err(format!("not a primitive operation in {}", function.name)),
        })
    }
}

/// A two-operand operation on bits; an error where the IR leaves the result undefined.
pub fn binary(op: BinOp, a: u64, b: u64) -> Result<u64, String> {
    let (x, y) = (a as i64, b as i64);
    let (f, g) = (f64::from_bits(a), f64::from_bits(b));
    let shift = || if b < 64 { Ok(b as u32) } else { Err(format!("shift by {y}")) };
    let divisor = || if y == 0 || (y == -1 && x == i64::MIN) { Err(format!("{x} divided by {y}")) } else { Ok(y) };
    Ok(match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::And => a & b,
        BinOp::Or => a | b,
        BinOp::Xor => a ^ b,
        BinOp::Shl => a << shift()?,
        BinOp::AShr => (x >> shift()?) as u64,
        BinOp::LShr => a >> shift()?,
        BinOp::SDiv => (x / divisor()?) as u64,
        BinOp::SRem => (x % divisor()?) as u64,
        BinOp::FAdd => (f + g).to_bits(),
        BinOp::FSub => (f - g).to_bits(),
        BinOp::FMul => (f * g).to_bits(),
        BinOp::FDiv => (f / g).to_bits(),
    })
}

/// A one-operand operation on bits; an error where the IR leaves the result undefined.
pub fn unary(op: UnOp, a: u64) -> Result<u64, String> {
    let f = f64::from_bits(a);
    Ok(match op {
        UnOp::Neg => a.wrapping_neg(),
        UnOp::Not => !a,
        UnOp::FNeg => a ^ (1 << 63),
        UnOp::FAbs => a & !(1 << 63),
        UnOp::FSqrt => f.sqrt().to_bits(),
        UnOp::FFloor => f.floor().to_bits(),
        UnOp::IntToFloat => (a as i64 as f64).to_bits(),
        UnOp::FloatToInt => {
            // 2^63 itself is out of range; -2^63 is not.
            if !(f >= i64::MIN as f64 && f < -(i64::MIN as f64)) {
                return Err(format!("{f} to int"));
            }
            (f as i64) as u64
        }
        UnOp::BitsToFloat | UnOp::FloatToBits | UnOp::Cast(_) => a,
    })
}

/// A comparison of bits.
pub fn compare(cond: Cond, a: u64, b: u64) -> bool {
    let (x, y) = (a as i64, b as i64);
    let (f, g) = (f64::from_bits(a), f64::from_bits(b));
    match cond {
        Cond::Eq => a == b,
        Cond::Ne => a != b,
        Cond::Lt => x < y,
        Cond::Le => x <= y,
        Cond::Gt => x > y,
        Cond::Ge => x >= y,
        Cond::ULt => a < b,
        Cond::ULe => a <= b,
        Cond::UGt => a > b,
        Cond::UGe => a >= b,
        Cond::FEq => f == g,
        Cond::FNe => f != g,
        Cond::FLt => f < g,
        Cond::FLe => f <= g,
        Cond::FGt => f > g,
        Cond::FGe => f >= g,
    }
}

/// The exact result, if it fits.
pub fn overflow(op: OverflowOp, a: i64, b: i64) -> Option<i64> {
    match op {
        OverflowOp::Add => a.checked_add(b),
        OverflowOp::Sub => a.checked_sub(b),
        OverflowOp::Mul => a.checked_mul(b),
    }
}

/// Extends loaded bytes as the access says.
pub fn extend(mem: MemTy, bits: u64) -> u64 {
    match mem {
        MemTy::U8 => u64::from(bits as u8),
        MemTy::I8 => i64::from(bits as i8) as u64,
        MemTy::U16 => u64::from(bits as u16),
        MemTy::I16 => i64::from(bits as i16) as u64,
        MemTy::U32 => u64::from(bits as u32),
        MemTy::I32 => i64::from(bits as i32) as u64,
        MemTy::I64 | MemTy::F64 | MemTy::Ptr => bits,
    }
}

/// Bits as text, by type.
pub fn show(ty: Ty, bits: u64) -> String {
    match ty {
        Ty::I64 => (bits as i64).to_string(),
        Ty::F64 => format!("{:?}", f64::from_bits(bits)),
        Ty::Obj | Ty::Ptr => format!("{bits:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [i64; 5] = [i64::MIN, -1, 0, 1, i64::MAX];

    #[test]
    fn integer_edges() {
        for a in EDGES {
            for b in EDGES {
                assert_eq!(binary(BinOp::Add, a as u64, b as u64).unwrap() as i64, a.wrapping_add(b));
                assert_eq!(binary(BinOp::Mul, a as u64, b as u64).unwrap() as i64, a.wrapping_mul(b));
                assert_eq!(binary(BinOp::SDiv, a as u64, b as u64).is_err(), b == 0 || (a == i64::MIN && b == -1));
                assert_eq!(overflow(OverflowOp::Sub, a, b), a.checked_sub(b));
                assert_eq!(compare(Cond::Lt, a as u64, b as u64), a < b);
                assert_eq!(compare(Cond::UGe, a as u64, b as u64), a as u64 >= b as u64);
            }
            assert!(binary(BinOp::Shl, a as u64, 64).is_err());
            assert_eq!(binary(BinOp::AShr, a as u64, 63).unwrap() as i64, if a < 0 { -1 } else { 0 });
        }
        assert_eq!(binary(BinOp::SRem, -7i64 as u64, 2).unwrap() as i64, -1);
    }

    #[test]
    fn float_edges() {
        let nan = f64::NAN.to_bits();
        let (zero, minus_zero) = (0f64.to_bits(), (-0f64).to_bits());
        for cond in [Cond::FEq, Cond::FLt, Cond::FLe, Cond::FGt, Cond::FGe] {
            assert!(!compare(cond, nan, zero) && !compare(cond, zero, nan) && !compare(cond, nan, nan));
        }
        assert!(compare(Cond::FNe, nan, nan) && compare(Cond::FNe, nan, zero) && !compare(Cond::FNe, zero, minus_zero));
        assert!(compare(Cond::FEq, zero, minus_zero));
        assert_eq!(unary(UnOp::FNeg, zero).unwrap(), minus_zero);
        assert_eq!(unary(UnOp::FNeg, nan).unwrap(), nan ^ (1 << 63));
        assert_eq!(unary(UnOp::FFloor, (-0.5f64).to_bits()).unwrap(), (-1f64).to_bits());
        assert_eq!(unary(UnOp::FloatToInt, (i64::MIN as f64).to_bits()).unwrap() as i64, i64::MIN);
        assert!(unary(UnOp::FloatToInt, (-(i64::MIN as f64)).to_bits()).is_err());
        assert!(unary(UnOp::FloatToInt, nan).is_err());
    }

    #[test]
    fn extension() {
        assert_eq!(extend(MemTy::I8, 0xff) as i64, -1);
        assert_eq!(extend(MemTy::U8, 0x1ff), 0xff);
        assert_eq!(extend(MemTy::I32, 0x8000_0000) as i64, i32::MIN as i64);
        assert_eq!(extend(MemTy::U16, 0x1_8000), 0x8000);
    }
}
