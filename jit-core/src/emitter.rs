//! The inner door: the operations a code generator implements, called by [`crate::drive::drive`] in the order of emission.
//!
//! *Problem*: backends differ in everything but a small set of operations; each must stay a few hundred lines.
//! *Method*: SSA values with block parameters (native in some generators, phis or edge moves in others), a closed set of
//! machine types, operations as enum arguments. What can be composed is a provided method, to be overridden for better
//! code. Methods do not return `Result`: an emitter keeps its first error and gives it in [`Emitter::finish`].
//!
//! *What an emitter may rely on*: the block switched to first is where the function starts; it has no parameters. Blocks are
//! filled one after another, each exactly once and to its terminator, but hot code before cold. A value is used only where
//! its definition dominates, and its definition was emitted before. Operations never see bytecode, a CPython structure, a
//! reference count or an exit's description: leaving is storing and returning.
//!
//! *A new method* is admitted only if it cannot be composed, and is either provided or under 20 lines in the simplest backend.

use crate::backend::CompileError;
use crate::bytecode::instruction::Offset;
use crate::ir::op::{BinOp, Cond, OverflowOp, UnOp};
use crate::ir::types::{MemTy, Ty};

/// Machine types of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MachineTy {
    I64,
    F64,
    /// Any address, objects included.
    Ptr,
}

impl From<Ty> for MachineTy {
    fn from(ty: Ty) -> Self {
        match ty {
            Ty::Obj | Ty::Ptr => MachineTy::Ptr,
            Ty::I64 => MachineTy::I64,
            Ty::F64 => MachineTy::F64,
        }
    }
}

/// Parameters of the compiled function, in order ([`crate::backend::EntryFn`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    Ctx,
    ThreadState,
    Frame,
    Out,
    Entry,
}

/// Whether a load may be merged with an earlier one of the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Memory changes only by stores and calls of this function.
    Plain,
    /// Another thread may change it at any time: each load is executed.
    Volatile,
}

/// A C function's types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    pub params: Vec<MachineTy>,
    pub result: Option<MachineTy>,
}

/// Where control goes, with arguments for the block's parameters.
#[derive(Clone, Copy, Debug)]
pub struct Edge<'a, B, V> {
    pub block: B,
    pub args: &'a [V],
}

/// What a guard tests.
#[derive(Clone, Copy, Debug)]
pub enum Test<V> {
    /// An `I64` other than 0.
    NotZero(V),
    Compare(Cond, MachineTy, V, V),
}

/// Shorthand for an emitter's edges.
pub type EdgeOf<'a, E> = Edge<'a, <E as Emitter>::Block, <E as Emitter>::Value>;

/// A code generator for one function.
pub trait Emitter: Sized {
    type Value: Copy;
    type Block: Copy;
    /// What `finish` gives on success.
    type Output;

    // ---- required ----

    /// A parameter of the function; usable anywhere.
    fn parameter(&mut self, parameter: Parameter) -> Self::Value;
    /// A new, empty block. Cold blocks belong out of line.
    fn create_block(&mut self, params: &[MachineTy], cold: bool) -> Self::Block;
    fn block_param(&mut self, block: Self::Block, index: usize) -> Self::Value;
    /// Emits into this block from now on; it was never switched to before.
    fn switch_to(&mut self, block: Self::Block);
    fn int_const(&mut self, value: i64) -> Self::Value;
    /// A float by its bits.
    fn float_const(&mut self, bits: u64) -> Self::Value;
    /// A fixed address (`Ptr`).
    fn address(&mut self, address: u64) -> Self::Value;
    fn binary(&mut self, op: BinOp, a: Self::Value, b: Self::Value) -> Self::Value;
    /// `UnOp::Cast` may generate no code.
    fn unary(&mut self, op: UnOp, a: Self::Value) -> Self::Value;
    /// 0 or 1; operands are of type `ty`.
    fn compare(&mut self, cond: Cond, ty: MachineTy, a: Self::Value, b: Self::Value) -> Self::Value;
    /// `a` where `cond` is not 0, else `b`; both of type `ty`.
    fn select(&mut self, cond: Self::Value, ty: MachineTy, a: Self::Value, b: Self::Value) -> Self::Value;
    /// Narrow loads extend to `I64`; `MemTy::Ptr` gives `Ptr`.
    fn load(&mut self, mem: MemTy, access: Access, base: Self::Value, offset: i32) -> Self::Value;
    fn store(&mut self, mem: MemTy, base: Self::Value, offset: i32, value: Self::Value);
    /// Calls a C function; the result is present if the signature has one.
    fn call(&mut self, callee: u64, signature: &Signature, args: &[Self::Value]) -> Option<Self::Value>;
    fn jump(&mut self, to: EdgeOf<'_, Self>);
    /// Goes to `then` when `cond` (an `I64`) is not 0.
    fn branch(&mut self, cond: Self::Value, then: EdgeOf<'_, Self>, otherwise: EdgeOf<'_, Self>);
    /// Returns the status, an `I64`.
    fn ret(&mut self, status: Self::Value);
    /// Control never comes here.
    fn unreachable(&mut self);
    /// The code, or the first error.
    fn finish(self) -> Result<Self::Output, CompileError>;

    // ---- provided ----

    /// The bytecode instruction that what follows stems from.
    fn origin(&mut self, _offset: Offset) {}

    /// A branch on a comparison nobody else looks at.
    fn branch_compare(
        &mut self,
        cond: Cond,
        ty: MachineTy,
        operands: (Self::Value, Self::Value),
        then: EdgeOf<'_, Self>,
        otherwise: EdgeOf<'_, Self>,
    ) {
        let holds = self.compare(cond, ty, operands.0, operands.1);
        self.branch(holds, then, otherwise);
    }

    /// Goes to `leaving` (cold, without parameters) unless the test holds; emission goes on behind it.
    fn guard(&mut self, test: Test<Self::Value>, leaving: Self::Block) {
        let on = self.create_block(&[], false);
        let (then, otherwise) = (Edge { block: on, args: &[] }, Edge { block: leaving, args: &[] });
        match test {
            Test::NotZero(value) => self.branch(value, then, otherwise),
            Test::Compare(cond, ty, a, b) => self.branch_compare(cond, ty, (a, b), then, otherwise),
        }
        self.switch_to(on);
    }

    /// The exact result, or goes to `leaving`. Composed of wrapping operations: the signs tell for sums and differences,
    /// the high half of the full product for products.
    fn guard_no_overflow(
        &mut self,
        op: OverflowOp,
        a: Self::Value,
        b: Self::Value,
        leaving: Self::Block,
    ) -> Self::Value {
        let zero = self.int_const(0);
        match op {
            OverflowOp::Add | OverflowOp::Sub => {
                let result = self.binary(if op == OverflowOp::Add { BinOp::Add } else { BinOp::Sub }, a, b);
                // A sum overflows when its sign differs from both operands'; a difference when the operands' signs differ
                // and the result's sign is not the first one's.
                let first = self.binary(BinOp::Xor, a, result);
                let other = if op == OverflowOp::Add { result } else { a };
                let second = self.binary(BinOp::Xor, b, other);
                let both = self.binary(BinOp::And, first, second);
                self.guard(Test::Compare(Cond::Ge, MachineTy::I64, both, zero), leaving);
                result
            }
            OverflowOp::Mul => {
                let result = self.binary(BinOp::Mul, a, b);
                let high = high_half(self, a, b);
                let by = self.int_const(63);
                let sign = self.binary(BinOp::AShr, result, by);
                self.guard(Test::Compare(Cond::Eq, MachineTy::I64, high, sign), leaving);
                result
            }
        }
    }

    /// Case `k` goes to `cases[k]`, anything else to `default`.
    fn switch(&mut self, value: Self::Value, cases: &[EdgeOf<'_, Self>], default: EdgeOf<'_, Self>) {
        for (k, &case) in cases.iter().enumerate() {
            let next = self.create_block(&[], false);
            let k = self.int_const(k as i64);
            self.branch_compare(Cond::Eq, MachineTy::I64, (value, k), case, Edge { block: next, args: &[] });
            self.switch_to(next);
        }
        self.jump(default);
    }
}

/// The upper 64 bits of a signed product, from products of halves (Hacker's Delight, `mulhs`).
fn high_half<E: Emitter>(e: &mut E, a: E::Value, b: E::Value) -> E::Value {
    let half = e.int_const(32);
    let mask = e.int_const(0xffff_ffff);
    let (a0, a1) = (e.binary(BinOp::And, a, mask), e.binary(BinOp::AShr, a, half));
    let (b0, b1) = (e.binary(BinOp::And, b, mask), e.binary(BinOp::AShr, b, half));
    let low = e.binary(BinOp::Mul, a0, b0);
    let carry = e.binary(BinOp::LShr, low, half);
    let cross = e.binary(BinOp::Mul, a1, b0);
    let middle = e.binary(BinOp::Add, cross, carry);
    let (middle0, middle1) = (e.binary(BinOp::And, middle, mask), e.binary(BinOp::AShr, middle, half));
    let cross = e.binary(BinOp::Mul, a0, b1);
    let middle0 = e.binary(BinOp::Add, cross, middle0);
    let middle0 = e.binary(BinOp::AShr, middle0, half);
    let high = e.binary(BinOp::Mul, a1, b1);
    let high = e.binary(BinOp::Add, high, middle1);
    e.binary(BinOp::Add, high, middle0)
}
