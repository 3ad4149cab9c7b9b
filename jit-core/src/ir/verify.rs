//! The verifier: the written rules of well-formed IR, checked.
//!
//! *Problem*: a pass that breaks the IR shows up, at best, as a crash of generated code. *Method*: one walk over the blocks
//! in order, with dominance answered by [`FlowGraph`] in constant time, so the cost is near-linear and debug builds can
//! verify after every pass. Nothing is assumed of the input: any `Function` gives an answer, never a panic.
//!
//! # Rules
//!
//! Structure
//! - S1 There is a block 0; it has no parameters and no predecessors.
//! - S2 Every block ends with a terminator and contains no other.
//! - S3 Every block, value and exit that is named exists.
//! - S4 Every value is defined exactly once or never: as the entry number, a parameter or a result. A used value is defined.
//! - S5 In reachable blocks, every use is dominated by its definition (in its block: comes later).
//! - S6 A target passes as many arguments as its block has parameters, of the same types.
//!
//! Types
//! - T1 An instruction has a result exactly if its operation gives one, of the type that the operation gives.
//! - T2 Operands have the types that the operation names (`docs/ir.md`). The base of a load or store is `Ptr` or `Obj`.
//! - T3 A call passes the operands of the helper's signature: objects as `Obj`, addresses as `Ptr`.
//! - T4 `GuardType`, `IsType` and `Symbol::Type` name exactly one built-in type.
//! - T5 `Null` and `Symbol` are `Obj` or `Ptr`.
//! - T6 `Returned` and `Yielded` return an object, `Raised` nothing.
//!
//! Exits
//! - E1 A `Leave` gives as many values as its exit's `value_count`.
//! - E2 Each source of the exit refers to one of them, of its type: `Owned`, `Borrowed` an `Obj`; `Int`, `Bool` an `I64`;
//!   `Float` an `F64`. No value is referred to as `Owned` twice.
//!
//! Level
//! - L1 At [`Level::Lowered`] there are only primitive operations.

use super::dominators::FlowGraph;
use super::function::{Function, Inst};
use super::op::{Block, Leave, Op, OverflowOp, Status, Symbol, Target, Value};
use super::types::{MemTy, PyTypes, Ty};
use crate::exit::Source;

/// Which operations may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Python operations and primitive ones.
    Python,
    /// Primitive operations only.
    Lowered,
}

/// A broken rule and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Name of the rule, such as `S5`.
    pub rule: &'static str,
    pub block: Option<Block>,
    /// Index of the instruction in its block.
    pub inst: Option<usize>,
    pub message: String,
}

impl std::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.rule)?;
        if let Some(block) = self.block {
            write!(f, "b{}", block.0)?;
            if let Some(inst) = self.inst {
                write!(f, ", instruction {inst}")?;
            }
            write!(f, ": ")?;
        }
        f.write_str(&self.message)
    }
}

/// All broken rules of a function, in order of place; at most [`MAX_ERRORS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyErrors(pub Vec<VerifyError>);

impl std::fmt::Display for VerifyErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for VerifyErrors {}

/// After so many errors the rest adds nothing.
pub const MAX_ERRORS: usize = 50;

/// Checks every rule.
pub fn verify(function: &Function, level: Level) -> Result<(), VerifyErrors> {
    let mut verifier = Verifier {
        function,
        level,
        defined: vec![None; function.values.len()],
        errors: Vec::new(),
        block: None,
        inst: None,
        seen_owned: Vec::new(),
    };
    verifier.run();
    if verifier.errors.is_empty() { Ok(()) } else { Err(VerifyErrors(verifier.errors)) }
}

/// Where a value is defined: block and position (0 for parameters, k + 1 for instruction k).
type Place = (Block, u32);

struct Verifier<'a> {
    function: &'a Function,
    level: Level,
    defined: Vec<Option<Place>>,
    errors: Vec<VerifyError>,
    block: Option<Block>,
    inst: Option<usize>,
    seen_owned: Vec<u32>,
}

impl Verifier<'_> {
    fn fail(&mut self, rule: &'static str, message: impl Into<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(VerifyError { rule, block: self.block, inst: self.inst, message: message.into() });
        }
    }

    fn run(&mut self) {
        let function = self.function;
        if function.blocks.is_empty() {
            return self.fail("S1", "there is no block 0");
        }
        if let Some(entry) = function.entry
            && self.define(entry, (Block(0), 0))
            && function.ty(entry) != Ty::I64
        {
            self.fail("T1", "the entry number is not I64");
        }
        // Definitions first: blocks may come in any order.
        for (index, data) in function.blocks.iter().enumerate() {
            let block = Block(index as u32);
            self.block = Some(block);
            self.inst = None;
            for param in &data.params {
                self.define(*param, (block, 0));
            }
            for (position, inst) in data.insts.iter().enumerate() {
                self.inst = Some(position);
                if let Some(result) = inst.result {
                    self.define(result, (block, position as u32 + 1));
                }
            }
        }
        self.block = Some(Block(0));
        self.inst = None;
        if !function.blocks[0].params.is_empty() {
            self.fail("S1", "block 0 has parameters");
        }
        let graph = FlowGraph::new(function);
        if !graph.predecessors(Block(0)).is_empty() {
            self.fail("S1", "block 0 has predecessors");
        }
        for (index, data) in function.blocks.iter().enumerate() {
            let block = Block(index as u32);
            self.block = Some(block);
            self.inst = None;
            if !data.insts.last().is_some_and(|inst| inst.op.is_terminator()) {
                self.fail("S2", "does not end with a terminator");
            }
            for (position, inst) in data.insts.iter().enumerate() {
                self.inst = Some(position);
                if inst.op.is_terminator() && position + 1 != data.insts.len() {
                    self.fail("S2", "terminator before the end of the block");
                }
                if self.operands_exist(inst, block, position, &graph) {
                    self.check(inst);
                }
            }
            if self.errors.len() >= MAX_ERRORS {
                return;
            }
        }
    }

    fn define(&mut self, value: Value, place: Place) -> bool {
        let Some(slot) = self.defined.get_mut(value.0 as usize) else {
            self.fail("S3", format!("{value:?} does not exist"));
            return false;
        };
        if slot.is_some() {
            self.fail("S4", format!("{value:?} is defined twice"));
            return false;
        }
        *slot = Some(place);
        true
    }

    /// S3, S4 and S5 for the uses of one instruction. When it fails, types cannot be asked for.
    fn operands_exist(&mut self, inst: &Inst, block: Block, position: usize, graph: &FlowGraph) -> bool {
        let mut exist = inst.result.is_none_or(|result| (result.0 as usize) < self.function.values.len());
        inst.op.for_each_value(|value| {
            match self.defined.get(value.0 as usize) {
                None => {
                    exist = false;
                    self.fail("S3", format!("{value:?} does not exist"));
                }
                Some(None) => self.fail("S4", format!("{value:?} is used but never defined")),
                Some(Some((from, at))) => {
                    let dominated = if Some(value) == self.function.entry {
                        true
                    } else if *from == block {
                        *at <= position as u32
                    } else {
                        graph.dominates(*from, block)
                    };
                    if !dominated && graph.is_reachable(block) {
                        self.fail("S5", format!("{value:?} does not dominate this use"));
                    }
                }
            };
        });
        exist
    }

    fn ty(&self, value: Value) -> Ty {
        self.function.ty(value)
    }

    fn want(&mut self, value: Value, ty: Ty) {
        let found = self.ty(value);
        if found != ty {
            self.fail("T2", format!("{value:?} is {found:?}, expected {ty:?}"));
        }
    }

    fn want_address(&mut self, value: Value) {
        let found = self.ty(value);
        if !found.is_address() {
            self.fail("T2", format!("{value:?} is {found:?}, expected an address"));
        }
    }

    fn one_type(&mut self, py: PyTypes) {
        if py.exact().is_none() {
            self.fail("T4", format!("{py:?} is not one built-in type"));
        }
    }

    fn check(&mut self, inst: &Inst) {
        let function = self.function;
        if self.level == Level::Lowered && !inst.op.is_primitive() {
            self.fail("L1", "not a primitive operation");
        }
        match (inst.result, inst.op.result_ty(function)) {
            (None, None) => {}
            (Some(value), Some(ty)) => {
                if self.ty(value) != ty {
                    let found = self.ty(value);
                    self.fail("T1", format!("result {value:?} is {found:?}, expected {ty:?}"));
                }
            }
            (Some(value), None) => self.fail("T1", format!("result {value:?} of an operation without one")),
            (None, Some(_)) => self.fail("T1", "no value for the result"),
        }
        match &inst.op {
            Op::IConst(_) | Op::FConst(_) | Op::Frame | Op::ThreadState | Op::Out => {}
            Op::SlotGet(_) | Op::SlotAddress(_) | Op::SetIp(_) | Op::Unreachable => {}
            Op::Null(ty) => {
                if !ty.is_address() {
                    self.fail("T5", "null is not an address");
                }
            }
            Op::Symbol(symbol, ty) => {
                if !ty.is_address() {
                    self.fail("T5", "symbol is not an address");
                }
                if let Symbol::Type(py) = symbol {
                    self.one_type(*py);
                }
            }
            Op::Binary(op, a, b) => {
                self.want(*a, op.ty());
                self.want(*b, op.ty());
            }
            Op::Unary(op, a) => {
                if !op.accepts(self.ty(*a)) {
                    let found = self.ty(*a);
                    self.fail("T2", format!("{a:?} is {found:?}, which {op:?} does not accept"));
                }
            }
            Op::Compare(cond, a, b) => {
                let found = self.ty(*a);
                if !cond.accepts(found) {
                    self.fail("T2", format!("{a:?} is {found:?}, which {cond:?} does not accept"));
                }
                self.want(*b, found);
            }
            Op::Select(cond, a, b) => {
                self.want(*cond, Ty::I64);
                self.want(*b, self.ty(*a));
            }
            Op::BinaryOrLeave(OverflowOp::Add | OverflowOp::Sub | OverflowOp::Mul, a, b, leave) => {
                self.want(*a, Ty::I64);
                self.want(*b, Ty::I64);
                self.leave(leave);
            }
            Op::Guard(a, leave) => {
                self.want(*a, Ty::I64);
                self.leave(leave);
            }
            Op::Load { mem, ty, base, .. } => {
                self.want_address(*base);
                match mem.value_ty() {
                    Some(known) if known != *ty => self.fail("T2", format!("{mem:?} loads {known:?}, not {ty:?}")),
                    None if !ty.is_address() => self.fail("T2", format!("{mem:?} loads an address, not {ty:?}")),
                    _ => {}
                }
            }
            Op::Store { mem, base, value, .. } => {
                self.want_address(*base);
                match mem {
                    MemTy::Ptr => self.want_address(*value),
                    MemTy::F64 => self.want(*value, Ty::F64),
                    _ => self.want(*value, Ty::I64),
                }
            }
            Op::Call(helper, args) => {
                if args.len() != helper.params().len() {
                    let (name, expected) = (helper.name(), helper.params().len());
                    self.fail("T3", format!("{name} takes {expected} operands, not {}", args.len()));
                } else {
                    for (arg, param) in args.iter().zip(helper.params()) {
                        let found = self.ty(*arg);
                        if param.ty() != Some(found) {
                            let expected = param.ty();
                            self.fail("T3", format!("{}: {arg:?} is {found:?}, expected {expected:?}", helper.name()));
                        }
                    }
                }
            }
            Op::GuardType(a, py, leave) => {
                self.want(*a, Ty::Obj);
                self.one_type(*py);
                self.leave(leave);
            }
            Op::IsType(a, py) => {
                self.want(*a, Ty::Obj);
                self.one_type(*py);
            }
            Op::UnboxInt(a, leave) => {
                self.want(*a, Ty::Obj);
                self.leave(leave);
            }
            Op::UnboxFloat(a) | Op::UnboxBool(a) => self.want(*a, Ty::Obj),
            Op::BoxFloat(a) => self.want(*a, Ty::F64),
            Op::BoxInt(a) | Op::BoxBool(a) => self.want(*a, Ty::I64),
            Op::Incref(a) | Op::Decref(a) | Op::XDecref(a) | Op::SlotSet(_, a) => self.want(*a, Ty::Obj),
            Op::Jump(target) => self.target(target),
            Op::Branch(a, then, otherwise) => {
                self.want(*a, Ty::I64);
                self.target(then);
                self.target(otherwise);
            }
            Op::Switch(a, cases, default) => {
                self.want(*a, Ty::I64);
                for case in cases {
                    self.target(case);
                }
                self.target(default);
            }
            Op::Return(status, value) => match (status, value) {
                (Status::Raised, None) => {}
                (Status::Raised, Some(_)) => self.fail("T6", "Raised returns no value"),
                (_, Some(value)) => {
                    if self.ty(*value) != Ty::Obj {
                        self.fail("T6", format!("{value:?} is not an object"));
                    }
                }
                (_, None) => self.fail("T6", format!("{status:?} returns an object")),
            },
            Op::Leave(leave) => self.leave(leave),
        }
    }

    fn target(&mut self, target: &Target) {
        let Some(data) = self.function.blocks.get(target.block.0 as usize) else {
            return self.fail("S3", format!("{:?} does not exist", target.block));
        };
        if data.params.len() != target.args.len() {
            let (block, expected, found) = (target.block, data.params.len(), target.args.len());
            return self.fail("S6", format!("{block:?} takes {expected} arguments, not {found}"));
        }
        for (arg, param) in target.args.iter().zip(&data.params) {
            if (param.0 as usize) >= self.function.values.len() {
                continue;
            }
            let (found, expected) = (self.ty(*arg), self.ty(*param));
            if found != expected {
                let block = target.block;
                self.fail("S6", format!("{block:?}: {arg:?} is {found:?}, {param:?} is {expected:?}"));
            }
        }
    }

    fn leave(&mut self, leave: &Leave) {
        let Some(exit) = self.function.exits.get(leave.exit.0 as usize) else {
            return self.fail("S3", format!("exit {} does not exist", leave.exit.0));
        };
        let number = leave.exit.0;
        if exit.value_count as usize != leave.values.len() {
            let (expected, found) = (exit.value_count, leave.values.len());
            return self.fail("E1", format!("exit {number} takes {expected} values, not {found}"));
        }
        self.seen_owned.clear();
        for source in exit.sources() {
            let (index, expected) = match source {
                Source::Owned(index) => {
                    if self.seen_owned.contains(index) {
                        self.fail("E2", format!("exit {number}: value {index} is owned twice"));
                    }
                    self.seen_owned.push(*index);
                    (*index, Ty::Obj)
                }
                Source::Borrowed(index) => (*index, Ty::Obj),
                Source::Int(index) | Source::Bool(index) => (*index, Ty::I64),
                Source::Float(index) => (*index, Ty::F64),
                Source::Number(index) | Source::IntIf(index) | Source::FloatIf(index) | Source::BoolIf(index) => {
                    match leave.values.get(*index as usize + 1) {
                        Some(flag) if self.ty(*flag) == Ty::I64 => {}
                        _ => self.fail("E2", format!("exit {number}: {source:?} has no flag")),
                    }
                    (*index, if matches!(source, Source::Number(_) | Source::FloatIf(_)) { Ty::F64 } else { Ty::I64 })
                }
                Source::Const(_) | Source::Null => continue,
            };
            match leave.values.get(index as usize) {
                None => self.fail("E2", format!("exit {number}: there is no value {index}")),
                Some(value) if self.ty(*value) != expected => {
                    let found = self.ty(*value);
                    self.fail("E2", format!("exit {number}: {value:?} is {found:?}, {source:?} is {expected:?}"));
                }
                Some(_) => {}
            }
        }
    }
}
