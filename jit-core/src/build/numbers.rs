//! Numbers that are ints at one time and floats at another.
//!
//! *Problem*: coordinates that begin as `0` and go on as `0.5` make arithmetic whose operands have two types in turn, and
//! whose result has both. Boxes for it, or exits, cost more than the arithmetic. *Method*: where a guess of one type has failed,
//! a number is a float with a bit that says whether it is an int ([`Item::Number`]): sums, differences and products of such
//! are one float operation, since ints below 2^53 are exact as floats. A result is an int if both operands were. *Invariants*:
//! - an int is smaller than 2^53 in magnitude, else the code leaves; a float may be anything, NaN included;
//! - an int is never minus zero: what a product or a negation gives is corrected by adding the zero that its type calls for;
//! - a local that some arithmetic uses may be one; other locals, names and the stack at merges take objects.

use super::arithmetic::{EXACT_FLOAT, float_condition};
use super::bodies::Returned;
use super::builder::Builder;
use super::state::*;
use crate::bytecode::instruction::{Arithmetic, Comparison, Feedback};
use crate::exit::Reason;
use crate::ir::op::{BinOp, Cond, Op, Target, UnOp, Value};
use crate::ir::types::{PyTypes, Ty};

/// What an operand can be treated as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// It is that, or is guessed to be.
    Exact(RawKind),
    Number(Number),
    /// An object that is guarded to be an int or a float.
    Either,
}

/// Whether an operand is an int.
#[derive(Clone, Copy)]
enum IsInt {
    Never,
    Always,
    If(Value),
}

impl Builder<'_> {
    /// `left op right` where one of them at least may be an int or a float. `false`: nothing was emitted.
    pub(super) fn number_binary(&mut self, op: Arithmetic, feedback: &Feedback) -> bool {
        let op = match op {
            Arithmetic::Add => BinOp::FAdd,
            Arithmetic::Subtract => BinOp::FSub,
            Arithmetic::Multiply => BinOp::FMul,
            Arithmetic::TrueDivide => BinOp::FDiv,
            _ => return false,
        };
        let Some(operands) = self.number_operands(feedback) else { return false };
        let (a, a_is_int) = self.float_and_kind(2, operands[0]);
        let (b, b_is_int) = self.float_and_kind(1, operands[1]);
        if op == BinOp::FDiv {
            let zero = self.emit(Op::FConst(0));
            let ok = self.compare(Cond::FNe, b, zero);
            self.guard(ok, Reason::Range);
        }
        let value = self.binary(op, a, b);
        let is_int = match (a_is_int, b_is_int) {
            _ if op == BinOp::FDiv => None,
            (IsInt::Never, _) | (_, IsInt::Never) => None,
            (IsInt::If(a), IsInt::If(b)) => Some(self.binary(BinOp::And, a, b)),
            (IsInt::If(one), _) | (_, IsInt::If(one)) => Some(one),
            (IsInt::Always, IsInt::Always) => Some(self.int(1)),
        };
        self.count("mixed-arithmetic");
        let result = match is_int {
            None => Item::raw(Raw::Float(value)),
            Some(is_int) => {
                let magnitude = self.emit(Op::Unary(UnOp::FAbs, value));
                let bound = self.emit(Op::FConst((EXACT_FLOAT as f64).to_bits()));
                let exact = self.compare(Cond::FLt, magnitude, bound);
                let is_float = self.negate(is_int);
                let ok = self.binary(BinOp::Or, exact, is_float);
                self.guard(ok, Reason::Range);
                let value = if op == BinOp::FMul { self.with_zero(value, is_int) } else { value };
                Item::Number(Number { value, is_int })
            }
        };
        self.replace_two(result);
        true
    }

    /// A comparison where one of the operands at least may be an int or a float. `false`: nothing was emitted.
    pub(super) fn number_compare(&mut self, comparison: Comparison, feedback: &Feedback) -> bool {
        let Some(operands) = self.number_operands(feedback) else { return false };
        let (a, _) = self.float_and_kind(2, operands[0]);
        let (b, _) = self.float_and_kind(1, operands[1]);
        let result = self.compare(float_condition(comparison), a, b);
        self.count("mixed-arithmetic");
        self.replace_two(Item::raw(Raw::Bool(result)));
        true
    }

    pub(super) fn negative_number(&mut self, number: Number) -> Item {
        let Number { value, is_int } = number;
        let negated = self.emit(Op::Unary(UnOp::FNeg, value));
        Item::Number(Number { value: self.with_zero(negated, is_int), is_int })
    }

    /// Adds the zero that changes nothing but an int's minus zero: 0.0 to an int, -0.0 to a float.
    fn with_zero(&mut self, value: Value, is_int: Value) -> Value {
        let is_float = self.negate(is_int);
        let sign = self.int(63);
        let bits = self.binary(BinOp::Shl, is_float, sign);
        let zero = self.emit(Op::Unary(UnOp::BitsToFloat, bits));
        self.binary(BinOp::FAdd, value, zero)
    }

    /// What the two topmost items can be treated as; where that is a guess, it is one that was right before.
    fn number_operands(&self, feedback: &Feedback) -> Option<[Operand; 2]> {
        if !self.may_guess(Reason::Range) || !self.may_guess(Reason::Overflow) {
            return None;
        }
        let operands = [2, 1].map(|depth| {
            let item = self.state.stack[self.position(depth)];
            match item {
                Item::Number(number) => Some(Operand::Number(number)),
                _ if let Some(kind) = self.number(item) => Some(Operand::Exact(kind)),
                Item::Object { py, big: false, .. } if !py.may_be_null() => {
                    let example = self.example_kind(item).or(match feedback {
                        Feedback::Float => Some(RawKind::Float),
                        Feedback::Int => Some(RawKind::Int),
                        _ => None,
                    });
                    let likely = example.is_some();
                    if self.may_guess(Reason::Number) {
                        example.filter(|kind| py.contains(kind.py())).map(Operand::Exact)
                    } else {
                        (likely && py.contains(NUMBER)).then_some(Operand::Either)
                    }
                }
                _ => None,
            }
        });
        match operands {
            // Two of known kinds are not the business of this module.
            [Some(Operand::Exact(_)), Some(Operand::Exact(_))] => None,
            [Some(left), Some(right)] => Some([left, right]),
            _ => None,
        }
    }

    /// The operand at a depth as a float, and whether it is an int; guarded as far as that is a guess.
    fn float_and_kind(&mut self, depth: u32, operand: Operand) -> (Value, IsInt) {
        match operand {
            Operand::Number(Number { value, is_int }) => (value, IsInt::If(is_int)),
            Operand::Exact(kind) => {
                if matches!(self.state.stack[self.position(depth)], Item::Object { .. }) {
                    self.refine_number(depth, kind);
                }
                match self.raw_at(depth) {
                    Raw::Float(value) => (value, IsInt::Never),
                    raw @ (Raw::Int(_) | Raw::Bool(_)) => {
                        let constant = matches!(self.state.stack[self.position(depth)], Item::Const(_));
                        if !constant || self.constant_int(depth).is_none_or(|int| int.abs() >= EXACT_FLOAT) {
                            self.guard_magnitude(raw.value(), EXACT_FLOAT - 1);
                        }
                        (self.float_of(raw), IsInt::Always)
                    }
                }
            }
            Operand::Either => {
                let value = self.object(self.state.stack[self.position(depth)]);
                let is_float = self.emit(Op::IsType(value, PyTypes::FLOAT));
                let join = self.function.new_block();
                let result = self.function.add_param(join, Ty::F64);
                let other = self.branch(is_float, false);
                let float = self.emit(Op::UnboxFloat(value));
                self.goto_with(join, float);
                self.block = other;
                let is_int = self.emit(Op::IsType(value, PyTypes::INT));
                self.guard(is_int, Reason::Range);
                let raw = self.unbox(value, RawKind::Int);
                self.guard_magnitude(raw.value(), EXACT_FLOAT - 1);
                let float = self.float_of(raw);
                self.goto_with(join, float);
                self.block = join;
                (result, IsInt::If(self.negate(is_float)))
            }
        }
    }

    /// Guards that the item at a depth is an int or a float, if it is not known.
    pub(super) fn guard_number(&mut self, depth: u32) {
        let position = self.position(depth);
        let Item::Object { value, own, py, big, known } = self.state.stack[position] else { return };
        if NUMBER.contains(py) {
            return;
        }
        let tests = [PyTypes::FLOAT, PyTypes::INT].map(|py| self.emit(Op::IsType(value, py)));
        let either = self.binary(BinOp::Or, tests[0], tests[1]);
        self.guard(either, Reason::Range);
        self.state.stack[position] = Item::Object { value, own, py: py & NUMBER, big, known };
    }

    /// A local that is known to be an int or a float, of whatever form, as a number: on an edge to a merge. Ints that are too
    /// large leave.
    pub(super) fn number_of_local(&mut self, local: u32) -> Number {
        let raw = match self.state.locals[local as usize] {
            Local { form: Form::Number(number), .. } => return number,
            Local { form: Form::Raw { raw, .. }, .. } => raw,
            Local { py, .. } => {
                let value = self.local_object(local);
                self.unbox(value, if py == PyTypes::FLOAT { RawKind::Float } else { RawKind::Int })
            }
        };
        if let Raw::Float(value) = raw {
            return Number { value, is_int: self.int(0) };
        }
        if self.known_int(raw.value()).is_none_or(|int| int.abs() >= EXACT_FLOAT) {
            self.guard_magnitude(raw.value(), EXACT_FLOAT - 1);
        }
        Number { value: self.float_of(raw), is_int: self.int(1) }
    }

    /// A new reference to the one object that a number becomes: other items that are the same number share it from here on.
    pub(super) fn box_number(&mut self, number: Number) -> Value {
        let holder = self.state.locals.iter().position(|local| local.form == Form::Number(number));
        match holder {
            Some(local) => {
                self.flush_local(local as u32);
                let value = self.local_object(local as u32);
                self.effect(Op::Incref(value));
                value
            }
            None => {
                let value = self.new_number(number);
                self.share_number(number, value);
                value
            }
        }
    }

    /// Stack items that are a number which has got its object have that from here on.
    pub(super) fn share_number(&mut self, number: Number, object: Value) {
        for position in 0..self.state.stack.len() {
            if self.state.stack[position] == Item::Number(number) {
                self.effect(Op::Incref(object));
                self.state.stack[position] = Item::owned(object, NUMBER);
            }
        }
    }

    /// A new object for a number, whoever else has one.
    pub(super) fn new_number(&mut self, Number { value, is_int }: Number) -> Value {
        let join = self.new_join();
        let result = self.function.add_param(join, Ty::Obj);
        let is_float = self.negate(is_int);
        let int = self.branch(is_float, false);
        let float = self.emit(Op::BoxFloat(value));
        self.goto_with(join, float);
        self.block = int;
        let whole = self.emit(Op::Unary(UnOp::FloatToInt, value));
        let object = self.emit(Op::BoxInt(whole));
        self.goto_with(join, object);
        self.block = join;
        self.defined(result, NUMBER)
    }

    /// The result of a body whose paths end with numbers of both kinds. `None`: nothing was emitted.
    pub(super) fn meet_numbers(&mut self, returns: &[Returned]) -> Option<Item> {
        let fits = |end: &Returned| match end.item {
            Item::Number(_) => true,
            Item::Raw { raw: raw @ Raw::Float(_), .. } => !self.is_seen_elsewhere(raw),
            _ => false,
        };
        if !returns.iter().all(fits) {
            return None;
        }
        let join = self.function.new_block();
        let value = self.function.add_param(join, Ty::F64);
        let is_int = self.function.add_param(join, Ty::I64);
        for end in returns {
            self.block = end.block;
            let args = match end.item {
                Item::Number(Number { value, is_int }) => vec![value, is_int],
                Item::Raw { raw, .. } => vec![raw.value(), self.int(0)],
                _ => return None,
            };
            self.push_inst(Op::Jump(Target { block: join, args }), None);
        }
        self.block = join;
        Some(Item::Number(Number { value, is_int }))
    }
}
