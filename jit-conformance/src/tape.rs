//! An emitter that records a tape, and a backend that plays it: the smallest complete one.
//!
//! *Problem*: the driver and the emitter's provided methods are part of every backend, so they need a witness of their own;
//! and some mistakes of emitters cannot be said in IR. *Method*: every value is a register of an unlimited file, every
//! operation a [`Step`] over registers, every block a list of steps; [`TapeEmitter`] implements only what [`Emitter`] requires,
//! so that all the rest is composed. [`Fault`] plants a mistake. *Invariants*: the arguments of an edge are read before any
//! parameter is written; a tape is constant once recorded, and its registers belong to one activation.

use std::ffi::c_void;

use columba_jit_core::backend::{Backend, Broken, Caps, CodeSink, CompileError, CompiledEntry, Config};
use columba_jit_core::drive::drive;
use columba_jit_core::emitter::{Access, EdgeOf, Emitter, MachineTy, Parameter, Signature};
use columba_jit_core::ir::interpret::{binary, compare, unary};
use columba_jit_core::ir::op::{BinOp, Cond, UnOp};
use columba_jit_core::ir::types::MemTy;
use columba_jit_core::unit::CompileUnit;

use crate::reference::{TRAPPED, call, read, write};

/// Parameters of the function are the first registers, in the order of [`Parameter`].
const PARAMETERS: usize = 5;

/// A register of the tape.
pub type Register = u32;

#[derive(Clone, Debug)]
struct To {
    block: u32,
    args: Vec<Register>,
}

#[derive(Clone, Debug)]
enum Step {
    Constant(Register, u64),
    Binary(BinOp, Register, Register, Register),
    Unary(UnOp, Register, Register),
    Compare(Cond, Register, Register, Register),
    Select(Register, Register, Register, Register),
    Load(MemTy, Register, Register, i32),
    Store(MemTy, Register, i32, Register),
    Call(u64, Signature, Vec<Register>, Register),
    Jump(To),
    Branch(Register, To, To),
    Return(Register),
    Unreachable,
}

/// A mistake to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Parameters are written one after another while arguments are still read.
    EdgeMovesInOrder,
    /// The arguments of the second edge of a branch are passed on the first.
    BranchSharesArguments,
    /// A float argument is taken from an earlier one's register.
    FloatArgumentReused,
    /// Arguments beyond the registers are pushed in the wrong order.
    StackWordsReversed,
    /// The out pointer and the frame pointer are confused.
    OutIsFrame,
    /// All returns give the status of the first.
    ReturnsShared,
    /// Registers are the function's, not the activation's: a recursive call destroys them.
    StaticRegisters,
}

/// A recorded function.
#[derive(Debug, Default)]
pub struct Tape {
    blocks: Vec<Vec<Step>>,
    params: Vec<Vec<Register>>,
    first: Option<u32>,
    registers: u32,
    fault: Option<Fault>,
    /// For [`Fault::StaticRegisters`].
    shared: std::sync::Mutex<Vec<u64>>,
}

impl Tape {
    /// Makes the tape an entry.
    pub fn into_entry(self) -> CompiledEntry {
        let tape = Box::new(self);
        let ctx: *const c_void = std::ptr::from_ref(&*tape).cast();
        // SAFETY: `play` reads a `Tape` through `ctx`, which the owner keeps in place.
        unsafe { CompiledEntry::from_function(play, ctx, tape) }
    }

    /// Plays the tape; `None` when it reaches what is undefined.
    ///
    /// # Safety
    /// What the recorded function accesses and calls is there.
    unsafe fn run(&self, arguments: [u64; PARAMETERS]) -> Option<i64> {
        let shared = self.fault == Some(Fault::StaticRegisters);
        let mut own = if shared { Vec::new() } else { vec![0; self.registers as usize] };
        macro_rules! r {
            ($register:expr) => {
                if shared { self.lock()[$register as usize] } else { own[$register as usize] }
            };
        }
        macro_rules! set {
            ($register:expr, $bits:expr) => {{
                let bits = $bits;
                if shared { self.lock()[$register as usize] = bits } else { own[$register as usize] = bits }
            }};
        }
        if shared {
            self.lock().resize(self.registers as usize, 0);
        }
        for (register, &bits) in arguments.iter().enumerate() {
            set!(register, bits);
        }
        if self.fault == Some(Fault::OutIsFrame) {
            set!(3usize, arguments[2]);
        }
        let mut block = self.first?;
        let mut passed: Vec<u64> = Vec::new();
        'blocks: loop {
            for step in &self.blocks[block as usize] {
                let to = match step {
                    Step::Constant(to, bits) => {
                        set!(*to, *bits);
                        continue;
                    }
                    Step::Binary(op, to, a, b) => {
                        set!(*to, binary(*op, r!(*a), r!(*b)).ok()?);
                        continue;
                    }
                    Step::Unary(op, to, a) => {
                        set!(*to, unary(*op, r!(*a)).ok()?);
                        continue;
                    }
                    Step::Compare(cond, to, a, b) => {
                        set!(*to, u64::from(compare(*cond, r!(*a), r!(*b))));
                        continue;
                    }
                    Step::Select(to, cond, a, b) => {
                        set!(*to, if r!(*cond) != 0 { r!(*a) } else { r!(*b) });
                        continue;
                    }
                    Step::Load(mem, to, base, offset) => {
                        // SAFETY: by the caller's promise.
                        set!(*to, unsafe { read(r!(*base).wrapping_add_signed(i64::from(*offset)), *mem) });
                        continue;
                    }
                    Step::Store(mem, base, offset, value) => {
                        // SAFETY: as above.
                        unsafe { write(r!(*base).wrapping_add_signed(i64::from(*offset)), *mem, r!(*value)) };
                        continue;
                    }
                    Step::Call(callee, signature, args, to) => {
                        let mut args: Vec<u64> = args.iter().map(|&arg| r!(arg)).collect();
                        self.spoil_call(signature, &mut args);
                        // SAFETY: as above.
                        let bits = unsafe { call(*callee, signature, &args) };
                        set!(*to, bits);
                        continue;
                    }
                    Step::Return(status) => return Some(r!(*status) as i64),
                    Step::Unreachable => return None,
                    Step::Jump(to) => to,
                    Step::Branch(cond, then, otherwise) => {
                        if r!(*cond) != 0 {
                            then
                        } else {
                            otherwise
                        }
                    }
                };
                let params = &self.params[to.block as usize];
                if self.fault == Some(Fault::EdgeMovesInOrder) {
                    for (&param, &arg) in params.iter().zip(&to.args) {
                        set!(param, r!(arg));
                    }
                } else {
                    passed.clear();
                    passed.extend(to.args.iter().map(|&arg| r!(arg)));
                    for (&param, &bits) in params.iter().zip(&passed) {
                        set!(param, bits);
                    }
                }
                block = to.block;
                continue 'blocks;
            }
            return None;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u64>> {
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn spoil_call(&self, signature: &Signature, args: &mut [u64]) {
        match self.fault {
            Some(Fault::FloatArgumentReused) => {
                let mut floats = (0..args.len()).filter(|&index| signature.params[index] == MachineTy::F64);
                if let (Some(first), Some(second)) = (floats.next(), floats.next()) {
                    args[second] = args[first];
                }
            }
            Some(Fault::StackWordsReversed) => {
                let (mut ints, mut floats) = (0, 0);
                let mut on_stack = Vec::new();
                for (index, ty) in signature.params.iter().enumerate() {
                    let (count, limit) = if *ty == MachineTy::F64 { (&mut floats, 8) } else { (&mut ints, 6) };
                    *count += 1;
                    if *count > limit {
                        on_stack.push(index);
                    }
                }
                let words: Vec<u64> = on_stack.iter().map(|&index| args[index]).collect();
                for (&index, word) in on_stack.iter().rev().zip(words) {
                    args[index] = word;
                }
            }
            _ => {}
        }
    }
}

unsafe extern "C" fn play(ctx: *const c_void, ts: *mut c_void, frame: *mut c_void, out: *mut u64, entry: i64) -> i64 {
    // SAFETY: `into_entry` passed a `Tape` that lives as long as the entry.
    let tape = unsafe { &*ctx.cast::<Tape>() };
    // SAFETY: whoever runs the entry promised that what it needs is there.
    unsafe { tape.run([ctx as u64, ts as u64, frame as u64, out as u64, entry as u64]) }.unwrap_or(TRAPPED)
}

/// Records a [`Tape`].
pub struct TapeEmitter {
    tape: Tape,
    at: Option<u32>,
    filled: Vec<bool>,
    error: Option<&'static str>,
    first_return: Option<Register>,
}

impl Default for TapeEmitter {
    fn default() -> Self {
        Self::new()
    }
}

impl TapeEmitter {
    pub fn new() -> Self {
        TapeEmitter {
            tape: Tape { registers: PARAMETERS as u32, ..Tape::default() },
            at: None,
            filled: Vec::new(),
            error: None,
            first_return: None,
        }
    }

    pub(crate) fn with_fault(fault: Option<Fault>) -> Self {
        let mut emitter = Self::new();
        emitter.tape.fault = fault;
        emitter
    }

    fn register(&mut self) -> Register {
        self.tape.registers += 1;
        self.tape.registers - 1
    }

    fn push(&mut self, step: Step) {
        match self.at {
            Some(block) => self.tape.blocks[block as usize].push(step),
            None => self.error = Some("an operation outside any block"),
        }
    }

    fn end(&mut self, step: Step) {
        self.push(step);
        self.at = None;
    }

    fn edge(&mut self, edge: EdgeOf<'_, Self>) -> To {
        if self.tape.params[edge.block as usize].len() != edge.args.len() {
            self.error = Some("an edge with another number of arguments than its block has parameters");
        }
        To { block: edge.block, args: edge.args.to_vec() }
    }
}

impl Emitter for TapeEmitter {
    type Value = Register;
    type Block = u32;
    type Output = Tape;

    fn parameter(&mut self, parameter: Parameter) -> Register {
        match parameter {
            Parameter::Ctx => 0,
            Parameter::ThreadState => 1,
            Parameter::Frame => 2,
            Parameter::Out => 3,
            Parameter::Entry => 4,
        }
    }

    fn create_block(&mut self, params: &[MachineTy], _cold: bool) -> u32 {
        let params = params.iter().map(|_| self.register()).collect();
        self.tape.blocks.push(Vec::new());
        self.tape.params.push(params);
        self.filled.push(false);
        self.tape.blocks.len() as u32 - 1
    }

    fn block_param(&mut self, block: u32, index: usize) -> Register {
        self.tape.params[block as usize][index]
    }

    fn switch_to(&mut self, block: u32) {
        if self.at.is_some() {
            self.error = Some("a block without a terminator");
        }
        if std::mem::replace(&mut self.filled[block as usize], true) {
            self.error = Some("a block that is filled twice");
        }
        self.tape.first.get_or_insert(block);
        self.at = Some(block);
    }

    fn int_const(&mut self, value: i64) -> Register {
        self.address(value as u64)
    }

    fn float_const(&mut self, bits: u64) -> Register {
        self.address(bits)
    }

    fn address(&mut self, address: u64) -> Register {
        let to = self.register();
        self.push(Step::Constant(to, address));
        to
    }

    fn binary(&mut self, op: BinOp, a: Register, b: Register) -> Register {
        let to = self.register();
        self.push(Step::Binary(op, to, a, b));
        to
    }

    fn unary(&mut self, op: UnOp, a: Register) -> Register {
        let to = self.register();
        self.push(Step::Unary(op, to, a));
        to
    }

    fn compare(&mut self, cond: Cond, _: MachineTy, a: Register, b: Register) -> Register {
        let to = self.register();
        self.push(Step::Compare(cond, to, a, b));
        to
    }

    fn select(&mut self, cond: Register, _: MachineTy, a: Register, b: Register) -> Register {
        let to = self.register();
        self.push(Step::Select(to, cond, a, b));
        to
    }

    fn load(&mut self, mem: MemTy, _: Access, base: Register, offset: i32) -> Register {
        let to = self.register();
        self.push(Step::Load(mem, to, base, offset));
        to
    }

    fn store(&mut self, mem: MemTy, base: Register, offset: i32, value: Register) {
        self.push(Step::Store(mem, base, offset, value));
    }

    fn call(&mut self, callee: u64, signature: &Signature, args: &[Register]) -> Option<Register> {
        let to = self.register();
        self.push(Step::Call(callee, signature.clone(), args.to_vec(), to));
        signature.result.map(|_| to)
    }

    fn jump(&mut self, to: EdgeOf<'_, Self>) {
        let to = self.edge(to);
        self.end(Step::Jump(to));
    }

    fn branch(&mut self, cond: Register, then: EdgeOf<'_, Self>, otherwise: EdgeOf<'_, Self>) {
        let (mut then, otherwise) = (self.edge(then), self.edge(otherwise));
        if self.tape.fault == Some(Fault::BranchSharesArguments) && then.args.len() == otherwise.args.len() {
            then.args.clone_from(&otherwise.args);
        }
        self.end(Step::Branch(cond, then, otherwise));
    }

    fn ret(&mut self, status: Register) {
        let status = match (self.tape.fault, self.first_return) {
            (Some(Fault::ReturnsShared), Some(first)) => first,
            _ => status,
        };
        self.first_return.get_or_insert(status);
        self.end(Step::Return(status));
    }

    fn unreachable(&mut self) {
        self.end(Step::Unreachable);
    }

    fn finish(self) -> Result<Tape, CompileError> {
        match self.error {
            Some(error) => Err(Broken::Backend(error.into()).into()),
            None if self.at.is_some() => Err(Broken::Backend("a block without a terminator".into()).into()),
            None => Ok(self.tape),
        }
    }
}

/// Plays what the driver emits.
#[derive(Clone, Copy, Debug, Default)]
pub struct TapeBackend {
    fault: Option<Fault>,
}

impl TapeBackend {
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with_fault(fault: Fault) -> Self {
        TapeBackend { fault: Some(fault) }
    }
}

impl Backend for TapeBackend {
    fn name(&self) -> &'static str {
        "tape"
    }

    fn caps(&self) -> Caps {
        Caps::BACKGROUND
    }

    fn check(&self, _: &Config) -> Result<(), CompileError> {
        Ok(())
    }

    fn compile(&self, unit: &CompileUnit<'_>, _: &Config, _: &mut CodeSink<'_>) -> Result<CompiledEntry, CompileError> {
        Ok(drive(unit, TapeEmitter::with_fault(self.fault))?.into_entry())
    }
}
