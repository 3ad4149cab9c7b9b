//! The emitter: each operation of the core as a closure over register numbers.
//!
//! *Problem*: the core announces blocks, parameters and operations one after another, and wants values back at once.
//! *Method*: a value is the number of a register, and an operation a closure that reads some registers and writes
//! one; a block is a list of closures and an end. *Invariants*: every value has a register of its own, so nothing is
//! ever overwritten but block parameters; the first error is kept, and everything after it does nothing.

use crate::calls::Call;
use crate::{Block, End, Next, Program, Register, Step};
use columba::backend::{Broken, CompileError, Unsupported};
use columba::emitter::{Access, Edge, EdgeOf, Emitter, MachineTy, Parameter, Signature};
use columba::ir::op::{BinOp, Cond, UnOp};
use columba::ir::types::MemTy;

/// A block that is being filled.
#[derive(Default)]
struct Draft {
    params: Vec<Register>,
    steps: Vec<Step>,
    end: Option<End>,
}

/// Builds one [`Program`].
pub(crate) struct ClosureEmitter {
    /// What the registers hold at the start.
    registers: Vec<u64>,
    blocks: Vec<Draft>,
    current: Option<usize>,
    first: Option<usize>,
    error: Option<CompileError>,
}

impl ClosureEmitter {
    pub fn new() -> Self {
        // One register for each parameter of the function.
        ClosureEmitter { registers: vec![0; 5], blocks: Vec::new(), current: None, first: None, error: None }
    }

    /// A new register, with what it holds at the start.
    fn register(&mut self, word: u64) -> Register {
        self.registers.push(word);
        self.registers.len() - 1
    }

    fn fail(&mut self, error: impl Into<CompileError>) {
        self.error.get_or_insert(error.into());
    }

    fn draft(&mut self) -> &mut Draft {
        let current = self.current.expect("the driver switches to a block first");
        &mut self.blocks[current]
    }

    fn step(&mut self, step: impl Fn(&mut [u64]) + Send + Sync + 'static) {
        self.draft().steps.push(Box::new(step));
    }

    fn end(&mut self, end: impl Fn(&mut [u64]) -> Next + Send + Sync + 'static) {
        self.draft().end = Some(Box::new(end));
    }

    /// `to = f(a)`
    fn one(&mut self, a: Register, f: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Register {
        let to = self.register(0);
        self.step(move |r| r[to] = f(r[a]));
        to
    }

    /// `to = f(a, b)`
    fn two(&mut self, a: Register, b: Register, f: impl Fn(u64, u64) -> u64 + Send + Sync + 'static) -> Register {
        let to = self.register(0);
        self.step(move |r| r[to] = f(r[a], r[b]));
        to
    }

    fn two_floats(&mut self, a: Register, b: Register, f: fn(f64, f64) -> f64) -> Register {
        self.two(a, b, move |a, b| f(f64::from_bits(a), f64::from_bits(b)).to_bits())
    }

    fn compare_signed(&mut self, a: Register, b: Register, f: fn(&i64, &i64) -> bool) -> Register {
        self.two(a, b, move |a, b| f(&(a as i64), &(b as i64)).into())
    }

    fn compare_floats(&mut self, a: Register, b: Register, f: fn(&f64, &f64) -> bool) -> Register {
        self.two(a, b, move |a, b| f(&f64::from_bits(a), &f64::from_bits(b)).into())
    }

    /// Moves an edge's arguments to its block's parameters; gives the block's number. All arguments are read before any
    /// parameter is written: a loop may swap two variables.
    fn edge(&mut self, edge: EdgeOf<'_, Self>) -> impl Fn(&mut [u64]) -> Next + Send + Sync + 'static + use<> {
        let block = edge.block;
        let params = &self.blocks[block].params;
        let mut moves: Vec<(Register, Register)> = edge.args.iter().copied().zip(params.iter().copied()).collect();
        moves.retain(|(from, to)| from != to);
        let overlap = moves.iter().any(|(from, _)| moves.iter().any(|(_, to)| from == to));
        // Where they overlap they go by way of registers in between.
        let between: Vec<Register> =
            if overlap { moves.iter().map(|_| self.register(0)).collect() } else { Vec::new() };
        let there = moves.iter().zip(&between).map(|((from, _), middle)| (*from, *middle));
        let back = moves.iter().zip(&between).map(|((_, to), middle)| (*middle, *to));
        let all: Box<[(Register, Register)]> = if overlap { there.chain(back).collect() } else { moves.into() };
        move |r| {
            for (from, to) in &all {
                r[*to] = r[*from];
            }
            Next::Block(block)
        }
    }
}

/// Reads memory as `T`.
macro_rules! read {
    ($self:ident, $base:ident, $offset:ident, $ty:ty, $to:expr) => {
        $self.one($base, move |base| {
            // SAFETY: the IR loads from live memory of this width only. Volatile serves both kinds of access.
            let value = unsafe { (base.wrapping_add_signed($offset) as *const $ty).read_volatile() };
            #[allow(clippy::redundant_closure_call)]
            $to(value)
        })
    };
}

/// Writes memory as `T`.
macro_rules! write {
    ($self:ident, $base:ident, $offset:ident, $value:ident, $ty:ty) => {
        $self.step(move |r| {
            // SAFETY: the IR stores to live memory of this width only.
            unsafe { (r[$base].wrapping_add_signed($offset) as *mut $ty).write(r[$value] as $ty) }
        })
    };
}

impl Emitter for ClosureEmitter {
    type Value = Register;
    type Block = usize;
    type Output = Program;

    fn parameter(&mut self, parameter: Parameter) -> Register {
        match parameter {
            Parameter::Ctx => 0,
            Parameter::ThreadState => 1,
            Parameter::Frame => 2,
            Parameter::Out => 3,
            Parameter::Entry => 4,
        }
    }

    fn create_block(&mut self, params: &[MachineTy], _cold: bool) -> usize {
        let params = params.iter().map(|_| self.register(0)).collect();
        self.blocks.push(Draft { params, ..Draft::default() });
        self.blocks.len() - 1
    }

    fn block_param(&mut self, block: usize, index: usize) -> Register {
        self.blocks[block].params[index]
    }

    fn switch_to(&mut self, block: usize) {
        self.first.get_or_insert(block);
        self.current = Some(block);
    }

    fn int_const(&mut self, value: i64) -> Register {
        self.register(value as u64)
    }

    fn float_const(&mut self, bits: u64) -> Register {
        self.register(bits)
    }

    fn address(&mut self, address: u64) -> Register {
        self.register(address)
    }

    fn binary(&mut self, op: BinOp, a: Register, b: Register) -> Register {
        match op {
            BinOp::Add => self.two(a, b, u64::wrapping_add),
            BinOp::Sub => self.two(a, b, u64::wrapping_sub),
            BinOp::Mul => self.two(a, b, u64::wrapping_mul),
            BinOp::And => self.two(a, b, |a, b| a & b),
            BinOp::Or => self.two(a, b, |a, b| a | b),
            BinOp::Xor => self.two(a, b, |a, b| a ^ b),
            BinOp::Shl => self.two(a, b, |a, b| a.wrapping_shl(b as u32)),
            BinOp::LShr => self.two(a, b, |a, b| a.wrapping_shr(b as u32)),
            BinOp::AShr => self.two(a, b, |a, b| (a as i64).wrapping_shr(b as u32) as u64),
            BinOp::SDiv => self.two(a, b, |a, b| (a as i64).wrapping_div(b as i64) as u64),
            BinOp::SRem => self.two(a, b, |a, b| (a as i64).wrapping_rem(b as i64) as u64),
            BinOp::FAdd => self.two_floats(a, b, |a, b| a + b),
            BinOp::FSub => self.two_floats(a, b, |a, b| a - b),
            BinOp::FMul => self.two_floats(a, b, |a, b| a * b),
            BinOp::FDiv => self.two_floats(a, b, |a, b| a / b),
        }
    }

    fn unary(&mut self, op: UnOp, a: Register) -> Register {
        match op {
            UnOp::Neg => self.one(a, u64::wrapping_neg),
            UnOp::Not => self.one(a, |a| !a),
            UnOp::FNeg => self.one(a, |a| (-f64::from_bits(a)).to_bits()),
            UnOp::FAbs => self.one(a, |a| f64::from_bits(a).abs().to_bits()),
            UnOp::FSqrt => self.one(a, |a| f64::from_bits(a).sqrt().to_bits()),
            UnOp::FFloor => self.one(a, |a| f64::from_bits(a).floor().to_bits()),
            UnOp::IntToFloat => self.one(a, |a| (a as i64 as f64).to_bits()),
            UnOp::FloatToInt => self.one(a, |a| f64::from_bits(a) as i64 as u64),
            // A register holds bits, whatever they stand for.
            UnOp::BitsToFloat | UnOp::FloatToBits | UnOp::Cast(_) => a,
        }
    }

    fn compare(&mut self, cond: Cond, _: MachineTy, a: Register, b: Register) -> Register {
        match cond {
            Cond::Eq => self.two(a, b, |a, b| (a == b).into()),
            Cond::Ne => self.two(a, b, |a, b| (a != b).into()),
            Cond::Lt => self.compare_signed(a, b, i64::lt),
            Cond::Le => self.compare_signed(a, b, i64::le),
            Cond::Gt => self.compare_signed(a, b, i64::gt),
            Cond::Ge => self.compare_signed(a, b, i64::ge),
            Cond::ULt => self.two(a, b, |a, b| (a < b).into()),
            Cond::ULe => self.two(a, b, |a, b| (a <= b).into()),
            Cond::UGt => self.two(a, b, |a, b| (a > b).into()),
            Cond::UGe => self.two(a, b, |a, b| (a >= b).into()),
            Cond::FEq => self.compare_floats(a, b, f64::eq),
            Cond::FNe => self.compare_floats(a, b, f64::ne),
            Cond::FLt => self.compare_floats(a, b, f64::lt),
            Cond::FLe => self.compare_floats(a, b, f64::le),
            Cond::FGt => self.compare_floats(a, b, f64::gt),
            Cond::FGe => self.compare_floats(a, b, f64::ge),
        }
    }

    fn select(&mut self, cond: Register, _: MachineTy, a: Register, b: Register) -> Register {
        let to = self.register(0);
        self.step(move |r| r[to] = if r[cond] != 0 { r[a] } else { r[b] });
        to
    }

    fn load(&mut self, mem: MemTy, _: Access, base: Register, offset: i32) -> Register {
        let offset = i64::from(offset);
        match mem {
            MemTy::U8 => read!(self, base, offset, u8, u64::from),
            MemTy::I8 => read!(self, base, offset, i8, |v| i64::from(v) as u64),
            MemTy::U16 => read!(self, base, offset, u16, u64::from),
            MemTy::I16 => read!(self, base, offset, i16, |v| i64::from(v) as u64),
            MemTy::U32 => read!(self, base, offset, u32, u64::from),
            MemTy::I32 => read!(self, base, offset, i32, |v| i64::from(v) as u64),
            MemTy::I64 | MemTy::F64 | MemTy::Ptr => read!(self, base, offset, u64, |v| v),
        }
    }

    fn store(&mut self, mem: MemTy, base: Register, offset: i32, value: Register) {
        let offset = i64::from(offset);
        match mem {
            MemTy::U8 | MemTy::I8 => write!(self, base, offset, value, u8),
            MemTy::U16 | MemTy::I16 => write!(self, base, offset, value, u16),
            MemTy::U32 | MemTy::I32 => write!(self, base, offset, value, u32),
            MemTy::I64 | MemTy::F64 | MemTy::Ptr => write!(self, base, offset, value, u64),
        }
    }

    fn call(&mut self, callee: u64, signature: &Signature, args: &[Register]) -> Option<Register> {
        let Some(call) = Call::new(callee, signature, args) else {
            self.fail(Unsupported::Construct("a call with so many arguments".into()));
            return signature.result.map(|_| 0);
        };
        let to = self.register(0);
        self.step(move |r| r[to] = call.make(r));
        signature.result.map(|_| to)
    }

    fn jump(&mut self, to: EdgeOf<'_, Self>) {
        let go = self.edge(to);
        self.end(go);
    }

    fn branch(&mut self, cond: Register, then: EdgeOf<'_, Self>, otherwise: EdgeOf<'_, Self>) {
        let (then, otherwise) = (self.edge(then), self.edge(otherwise));
        self.end(move |r| if r[cond] != 0 { then(r) } else { otherwise(r) });
    }

    fn ret(&mut self, status: Register) {
        self.end(move |r| Next::Return(r[status] as i64));
    }

    fn unreachable(&mut self) {
        self.end(|_| std::process::abort());
    }

    fn finish(self) -> Result<Program, CompileError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let unfinished = || Broken::Backend("a block without an end".into());
        // A block that nothing was ever emitted to is one that nothing goes to.
        let end = |end: Option<End>| end.unwrap_or_else(|| Box::new(|_| std::process::abort()));
        let blocks = self.blocks.into_iter().map(|draft| Block { steps: draft.steps, end: end(draft.end) }).collect();
        Ok(Program { registers: self.registers, blocks, first: self.first.ok_or_else(unfinished)? })
    }

    // ---- beyond what is required: a chain of comparisons would be slow ----

    fn switch(&mut self, value: Register, cases: &[EdgeOf<'_, Self>], default: EdgeOf<'_, Self>) {
        let edges: Vec<_> = cases.iter().map(|case| self.edge(Edge { block: case.block, args: case.args })).collect();
        let default = self.edge(default);
        self.end(move |r| match edges.get(r[value] as usize) {
            Some(go) => go(r),
            None => default(r),
        });
    }
}
