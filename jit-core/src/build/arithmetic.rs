//! Arithmetic, comparison and truth: raw where both operands are known or guessed to be numbers, else by helper.
//!
//! *Method*: operands are examined without being popped ([`Builder::number`] says what an item can be as a raw number); if
//! the pair suits the operation, guards are emitted, then the raw operation, then the operands are released. Results
//! that do not fit 64 bits leave; once that happened too often at an instruction it is compiled to the helper, whose
//! result is marked `big` so that nothing unboxes it again. *Sources*: `Objects/longobject.c`, `Objects/floatobject.c`.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::code::Constant;
use crate::bytecode::instruction::{Arithmetic, Comparison, Feedback, Instruction, Op as Code, Unary};
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Cond, Op, OverflowOp, Symbol, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

/// Ints up to this magnitude convert to floats exactly.
pub(super) const EXACT_FLOAT: i64 = 1 << 53;

/// How floats compare.
pub(super) fn float_condition(comparison: Comparison) -> Cond {
    match comparison {
        Comparison::Lt => Cond::FLt,
        Comparison::Le => Cond::FLe,
        Comparison::Eq => Cond::FEq,
        Comparison::Ne => Cond::FNe,
        Comparison::Gt => Cond::FGt,
        Comparison::Ge => Cond::FGe,
    }
}

impl Builder<'_> {
    /// Which raw number an item is or is known to hold.
    pub fn number(&self, item: Item) -> Option<RawKind> {
        match item {
            Item::Raw { raw, .. } => Some(raw.kind()),
            Item::Const(i) => match *self.constant(i) {
                Constant::Int(_) => Some(RawKind::Int),
                Constant::Float(_) => Some(RawKind::Float),
                Constant::Bool(_) => Some(RawKind::Bool),
                _ => None,
            },
            Item::Object { big: true, .. } => None,
            Item::Object { py: PyTypes::FLOAT, .. } => Some(RawKind::Float),
            Item::Object { py: PyTypes::INT, .. } => Some(RawKind::Int),
            Item::Object { py: PyTypes::BOOL, .. } => Some(RawKind::Bool),
            _ => None,
        }
    }

    /// Guards that an object item has the exact type and remembers it for the local it came from.
    pub fn refine(&mut self, depth: u32, py: PyTypes) {
        self.refine_for(depth, py, Reason::Type);
    }

    /// The same for the type of a number: what is not guessed again if that fails is what kind of number it is.
    pub fn refine_number(&mut self, depth: u32, kind: RawKind) {
        self.refine_for(depth, kind.py(), Reason::Number);
    }

    fn refine_for(&mut self, depth: u32, py: PyTypes, reason: Reason) {
        let position = self.position(depth);
        if let Item::Object { value, own, py: known, big, known: builtin } = self.state.stack[position]
            && known != py
        {
            self.guard_type_for(value, py, reason);
            self.state.stack[position] = Item::Object { value, own, py, big, known: builtin };
            if let Own::Local(local) = own {
                self.state.locals[local as usize].py = py;
            }
        }
    }

    /// The item at a depth (1 is the top) as a raw value; its kind must be known. Ints may leave.
    pub fn raw_at(&mut self, depth: u32) -> Raw {
        let position = self.position(depth);
        match self.state.stack[position] {
            Item::Raw { raw, .. } => raw,
            // As a float, which it is asked for as.
            Item::Number(Number { value, .. }) => Raw::Float(value),
            Item::Const(i) => self.constant_raw(i).expect("the constant is a number"),
            Item::Object { value, py, .. } => {
                let kind = match py {
                    PyTypes::FLOAT => RawKind::Float,
                    PyTypes::INT => RawKind::Int,
                    _ => RawKind::Bool,
                };
                self.unbox(value, kind)
            }
            _ => unreachable!("number() said it is one"),
        }
    }

    /// Decides what the two topmost items are to be treated as; guards guesses.
    fn operands(&mut self, feedback: &Feedback) -> Option<(RawKind, RawKind)> {
        let (left, right) = (self.state.stack[self.position(2)], self.state.stack[self.position(1)]);
        let (mut l, mut r) = (self.number(left), self.number(right));
        if self.may_guess(Reason::Number) && self.may_guess(Reason::Overflow) {
            let hint = match feedback {
                Feedback::Float => Some(RawKind::Float),
                Feedback::Int => Some(RawKind::Int),
                _ => None,
            };
            let examples = (self.example_kind(left), self.example_kind(right));
            let guess =
                |item: Item, known: Option<RawKind>, example: Option<RawKind>, other: Option<RawKind>| match item {
                    Item::Object { py, big: false, .. } if known.is_none() => {
                        let kind = hint.or(example).or(match other {
                            // No feedback exists for this operation in 3.11: take the other operand's kind.
                            Some(RawKind::Float) => Some(RawKind::Float),
                            Some(RawKind::Int) => Some(RawKind::Int),
                            _ => None,
                        })?;
                        py.contains(kind.py()).then_some(kind)
                    }
                    _ => None,
                };
            let gl = guess(left, l, examples.0, r.or(examples.1));
            let gr = guess(right, r, examples.1, l.or(examples.0));
            // Both must end up known, else guessing one is a guard for nothing.
            if (l.is_some() || gl.is_some()) && (r.is_some() || gr.is_some()) {
                if let Some(kind) = gl {
                    self.refine_number(2, kind);
                    l = Some(kind);
                }
                if let Some(kind) = gr {
                    // Refining the left may have refined the right (the same local twice).
                    self.refine_number(1, kind);
                    r = Some(kind);
                }
            }
        }
        Some((l?, r?))
    }

    pub(super) fn example_kind(&self, item: Item) -> Option<RawKind> {
        match self.example_type(item)? {
            PyTypes::FLOAT => Some(RawKind::Float),
            PyTypes::INT => Some(RawKind::Int),
            _ => None,
        }
    }

    pub fn float_of(&mut self, raw: Raw) -> Value {
        match raw {
            Raw::Float(v) => v,
            Raw::Int(v) | Raw::Bool(v) => self.emit(Op::Unary(UnOp::IntToFloat, v)),
        }
    }

    /// Pops both operands and pushes a result.
    pub(super) fn replace_two(&mut self, result: Item) {
        let right = self.pop();
        let left = self.pop();
        self.release(left);
        self.release(right);
        self.push(result);
    }

    pub fn binary_op(&mut self, op: Arithmetic, in_place: bool, feedback: &Feedback, next: Option<&Instruction>) {
        if self.raw_binary(op, feedback) || self.inline_operator(op, in_place) {
            return;
        }
        if op == Arithmetic::Add && in_place && self.concatenate(next) {
            return;
        }
        let right_item = self.pop();
        let left_item = self.pop();
        let (left_py, right_py) = (self.item_py(left_item), self.item_py(right_item));
        let right = self.own(right_item);
        let left = self.own(left_item);
        let number = self.int(op as i64 + if in_place { 13 } else { 0 });
        let ints = left_py == PyTypes::INT && right_py == PyTypes::INT;
        let closed = matches!(
            op,
            Arithmetic::Add
                | Arithmetic::Subtract
                | Arithmetic::Multiply
                | Arithmetic::And
                | Arithmetic::Or
                | Arithmetic::Xor
                | Arithmetic::FloorDivide
                | Arithmetic::Remainder
                | Arithmetic::LeftShift
                | Arithmetic::RightShift
        );
        // These neither run Python nor look for signals, so nothing has to be written to the frame.
        let quiet = !matches!(op, Arithmetic::Multiply | Arithmetic::FloorDivide | Arithmetic::Remainder);
        let helper = if ints && closed && quiet {
            Helper::IntBinaryOp
        } else if self.request.options.leading_digits
            && op == Arithmetic::FloorDivide
            && left_py.contains(PyTypes::INT)
            && right_py.contains(PyTypes::INT)
        {
            self.count("leading_digits");
            Helper::FloorDivide
        } else {
            Helper::BinaryOp
        };
        let result = self.call_object(helper, vec![left, right, number]);
        let py = if ints && closed { PyTypes::INT } else { PyTypes::OBJECT };
        self.typed(result, py);
        // Two ints came here because they do not fit, or because the result did not.
        let big = ints && closed && !matches!(op, Arithmetic::And | Arithmetic::Remainder | Arithmetic::RightShift);
        self.push(Item::Object { value: result, own: Own::Owned, py, big, known: None });
    }

    /// `local += right` on strings, stored back to the same local: grows in place.
    fn concatenate(&mut self, next: Option<&Instruction>) -> bool {
        let Some(Code::StoreFast(local)) = next.map(|n| &n.op) else { return false };
        let local = *local;
        let left = self.state.stack[self.position(2)];
        let right = self.state.stack[self.position(1)];
        let feedback_str = self.at.feedback == Feedback::Str;
        let Item::Object { own: Own::Local(from), py, .. } = left else { return false };
        if from != local || !matches!(self.state.locals[local as usize].form, Form::Slot { .. }) {
            return false;
        }
        let known = py == PyTypes::STR && self.item_py(right) == PyTypes::STR;
        if !(known || feedback_str && self.may_guess(Reason::Type)) {
            return false;
        }
        if !known {
            self.refine(2, PyTypes::STR);
            if matches!(right, Item::Object { .. }) {
                self.refine(1, PyTypes::STR);
            } else if self.item_py(right) != PyTypes::STR {
                return false;
            }
        }
        let right = self.pop_owned();
        self.pop();
        // Other items that borrow the same string must keep it alive (and so prevent growth in place, as in CPython).
        self.detach(local);
        let slot = self.emit(Op::SlotAddress(local));
        self.state.locals[local as usize] = Local::slot(PyTypes::NULL);
        self.call_status(Helper::ConcatInPlace, vec![slot, right]);
        // The result moves from the slot to the stack, and the store that follows moves it back.
        let result = self.emit(Op::SlotGet(local));
        let null = self.emit(Op::Null(Ty::Obj));
        self.effect(Op::SlotSet(local, null));
        self.push_owned(result, PyTypes::STR);
        self.count("concat-in-place");
        true
    }

    pub fn raw_binary(&mut self, op: Arithmetic, feedback: &Feedback) -> bool {
        if !self.may_guess(Reason::Overflow) {
            return false;
        }
        // Matrix product has no numbers; power only of floats.
        if op == Arithmetic::MatrixMultiply {
            return false;
        }
        let Some((left, right)) = self.operands(feedback) else { return self.number_binary(op, feedback) };
        let floats = left == RawKind::Float || right == RawKind::Float;
        let result = if floats {
            self.float_binary(op)
        } else {
            self.int_binary(op, left == RawKind::Bool && right == RawKind::Bool)
        };
        match result {
            Some(item) => {
                self.count("raw-arithmetic");
                self.replace_two(item);
                true
            }
            None => false,
        }
    }

    fn float_binary(&mut self, op: Arithmetic) -> Option<Item> {
        let simple = match op {
            Arithmetic::Add => Some(BinOp::FAdd),
            Arithmetic::Subtract => Some(BinOp::FSub),
            Arithmetic::Multiply => Some(BinOp::FMul),
            Arithmetic::TrueDivide => Some(BinOp::FDiv),
            Arithmetic::FloorDivide | Arithmetic::Remainder | Arithmetic::Power => None,
            _ => return None,
        };
        if op == Arithmetic::Power {
            return self.float_power();
        }
        if matches!(op, Arithmetic::TrueDivide | Arithmetic::FloorDivide | Arithmetic::Remainder)
            && !self.may_guess(Reason::Range)
        {
            return None;
        }
        let left = self.raw_at(2);
        let right = self.raw_at(1);
        let (a, b) = (self.float_of(left), self.float_of(right));
        if matches!(op, Arithmetic::TrueDivide | Arithmetic::FloorDivide | Arithmetic::Remainder) {
            let zero = self.emit(Op::FConst(0));
            let ok = self.compare(Cond::FNe, b, zero);
            self.guard(ok, Reason::Range);
        }
        let value = match (simple, op) {
            (Some(op), _) => self.binary(op, a, b),
            (None, Arithmetic::Remainder) => self.emit(Op::Call(Helper::FloatRemainder, vec![a, b])),
            _ => self.emit(Op::Call(Helper::FloatFloorDivide, vec![a, b])),
        };
        Some(Item::raw(Raw::Float(value)))
    }

    /// `x ** y` with a float among them. Where the base is positive and the result an ordinary number, the C library's
    /// `pow` says what the interpreter says; all else (zeros, infinities, complex results, errors) is left to it.
    fn float_power(&mut self) -> Option<Item> {
        if !self.may_guess(Reason::Range) {
            return None;
        }
        let square = self.constant_int(1) == Some(2);
        let left = self.raw_at(2);
        let right = self.raw_at(1);
        let (a, b) = (self.float_of(left), self.float_of(right));
        let zero = self.emit(Op::FConst(0));
        if square {
            // The sign does not matter, and zero is the one result below the bound that is no error.
            let result = self.emit(Op::Call(Helper::FloatPower, vec![a, b]));
            let null = self.compare(Cond::FEq, a, zero);
            let least = self.emit(Op::FConst(f64::MIN_POSITIVE.to_bits()));
            let normal = self.compare(Cond::FGe, result, least);
            let ok = self.binary(BinOp::Or, null, normal);
            self.guard(ok, Reason::Range);
            let most = self.emit(Op::FConst(f64::MAX.to_bits()));
            let finite = self.compare(Cond::FLe, result, most);
            self.guard(finite, Reason::Range);
            return Some(Item::raw(Raw::Float(result)));
        }
        let positive = self.compare(Cond::FGt, a, zero);
        self.guard(positive, Reason::Range);
        let result = self.emit(Op::Call(Helper::FloatPower, vec![a, b]));
        for (cond, bound) in [(Cond::FGe, f64::MIN_POSITIVE), (Cond::FLe, f64::MAX)] {
            let bound = self.emit(Op::FConst(bound.to_bits()));
            let ordinary = self.compare(cond, result, bound);
            self.guard(ordinary, Reason::Range);
        }
        Some(Item::raw(Raw::Float(result)))
    }

    pub(super) fn constant_int(&self, depth: u32) -> Option<i64> {
        match self.state.stack[self.position(depth)] {
            Item::Const(i) => match *self.constant(i) {
                Constant::Int(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    fn int_binary(&mut self, op: Arithmetic, bools: bool) -> Option<Item> {
        let divisor = self.constant_int(1);
        if matches!(op, Arithmetic::Power) {
            // Small squares and cubes are common; the rest is the helper's.
            return match divisor {
                Some(2) => {
                    let a = self.raw_at(2).value();
                    let leave = self.leave(Reason::Overflow);
                    Some(Item::raw(Raw::Int(self.emit(Op::BinaryOrLeave(OverflowOp::Mul, a, a, leave)))))
                }
                _ => None,
            };
        }
        let guarded = matches!(
            op,
            Arithmetic::TrueDivide
                | Arithmetic::FloorDivide
                | Arithmetic::Remainder
                | Arithmetic::LeftShift
                | Arithmetic::RightShift
        );
        if guarded && !self.may_guess(Reason::Range) {
            return None;
        }
        let a = self.raw_at(2).value();
        let b = self.raw_at(1).value();
        let checked = match op {
            Arithmetic::Add => Some(OverflowOp::Add),
            Arithmetic::Subtract => Some(OverflowOp::Sub),
            Arithmetic::Multiply => Some(OverflowOp::Mul),
            _ => None,
        };
        if let Some(op) = checked {
            let leave = self.leave(Reason::Overflow);
            return Some(Item::raw(Raw::Int(self.emit(Op::BinaryOrLeave(op, a, b, leave)))));
        }
        let result = match op {
            Arithmetic::And | Arithmetic::Or | Arithmetic::Xor => {
                let op = match op {
                    Arithmetic::And => BinOp::And,
                    Arithmetic::Or => BinOp::Or,
                    _ => BinOp::Xor,
                };
                let value = self.binary(op, a, b);
                return Some(Item::raw(if bools { Raw::Bool(value) } else { Raw::Int(value) }));
            }
            Arithmetic::TrueDivide => return Some(self.true_divide(a, b)),
            Arithmetic::FloorDivide => self.floor_divide(a, b, divisor),
            Arithmetic::Remainder => self.remainder(a, b, divisor),
            Arithmetic::LeftShift => {
                let bound = self.int(63);
                let ok = self.compare(Cond::ULt, b, bound);
                self.guard(ok, Reason::Range);
                let shifted = self.binary(BinOp::Shl, a, b);
                let back = self.binary(BinOp::AShr, shifted, b);
                let same = self.compare(Cond::Eq, back, a);
                self.guard(same, Reason::Overflow);
                shifted
            }
            Arithmetic::RightShift => {
                match divisor {
                    Some(0..=63) => self.binary(BinOp::AShr, a, b),
                    _ => {
                        let zero = self.int(0);
                        let ok = self.compare(Cond::Ge, b, zero);
                        self.guard(ok, Reason::Range);
                        // Beyond 63 every bit is the sign.
                        let most = self.int(63);
                        let small = self.compare(Cond::Lt, b, most);
                        let amount = self.emit(Op::Select(small, b, most));
                        self.binary(BinOp::AShr, a, amount)
                    }
                }
            }
            _ => return None,
        };
        Some(Item::raw(Raw::Int(result)))
    }

    fn true_divide(&mut self, a: Value, b: Value) -> Item {
        // Both operands exact as floats: the quotient is then rounded once, as long_true_divide does.
        for value in [a, b] {
            self.guard_magnitude(value, EXACT_FLOAT);
        }
        let zero = self.int(0);
        let ok = self.compare(Cond::Ne, b, zero);
        self.guard(ok, Reason::Range);
        let x = self.emit(Op::Unary(UnOp::IntToFloat, a));
        let y = self.emit(Op::Unary(UnOp::IntToFloat, b));
        Item::raw(Raw::Float(self.binary(BinOp::FDiv, x, y)))
    }

    /// Guards that an int is at most that in magnitude.
    pub(super) fn guard_magnitude(&mut self, value: Value, most: i64) {
        let offset = self.int(most);
        let shifted = self.binary(BinOp::Add, value, offset);
        let span = self.int(2 * most);
        let ok = self.compare(Cond::ULe, shifted, span);
        self.guard(ok, Reason::Range);
    }

    /// Guards that a division is defined: the divisor not 0, and not the one overflowing pair.
    fn guard_division(&mut self, a: Value, b: Value) {
        let zero = self.int(0);
        let ok = self.compare(Cond::Ne, b, zero);
        self.guard(ok, Reason::Range);
        // Only the smallest int by -1 overflows; excluding -1 for negative dividends is a cheaper test, and sound.
        let minus_one = self.int(-1);
        let not_minus_one = self.compare(Cond::Ne, b, minus_one);
        let min = self.int(i64::MIN);
        let not_min = self.compare(Cond::Ne, a, min);
        let either = self.binary(BinOp::Or, not_minus_one, not_min);
        self.guard(either, Reason::Range);
    }

    fn floor_divide(&mut self, a: Value, b: Value, divisor: Option<i64>) -> Value {
        if let Some(d) = divisor
            && d > 0
        {
            if d.count_ones() == 1 {
                let shift = self.int(i64::from(d.trailing_zeros()));
                return self.binary(BinOp::AShr, a, shift);
            }
        } else {
            self.guard_division(a, b);
        }
        let quotient = self.binary(BinOp::SDiv, a, b);
        let product = self.binary(BinOp::Mul, quotient, b);
        let rest = self.binary(BinOp::Sub, a, product);
        if divisor.is_some_and(|d| d > 0) {
            // -1 where the truncated rest is negative.
            let bits = self.int(63);
            let sign = self.binary(BinOp::AShr, rest, bits);
            return self.binary(BinOp::Add, quotient, sign);
        }
        let fix = self.signs_differ(rest, b);
        self.binary(BinOp::Sub, quotient, fix)
    }

    fn remainder(&mut self, a: Value, b: Value, divisor: Option<i64>) -> Value {
        if let Some(d) = divisor
            && d > 0
        {
            if d.count_ones() == 1 {
                let mask = self.int(d - 1);
                return self.binary(BinOp::And, a, mask);
            }
        } else {
            self.guard_division(a, b);
        }
        let rest = self.binary(BinOp::SRem, a, b);
        if divisor.is_some_and(|d| d > 0) {
            let bits = self.int(63);
            let sign = self.binary(BinOp::AShr, rest, bits);
            let add = self.binary(BinOp::And, b, sign);
            return self.binary(BinOp::Add, rest, add);
        }
        let fix = self.signs_differ(rest, b);
        let zero = self.int(0);
        let mask = self.binary(BinOp::Sub, zero, fix);
        let add = self.binary(BinOp::And, b, mask);
        self.binary(BinOp::Add, rest, add)
    }

    /// 1 when a truncating remainder must be moved to the divisor's sign, else 0.
    fn signs_differ(&mut self, rest: Value, b: Value) -> Value {
        let zero = self.int(0);
        let signs = self.binary(BinOp::Xor, rest, b);
        let differ = self.compare(Cond::Lt, signs, zero);
        let some = self.compare(Cond::Ne, rest, zero);
        self.binary(BinOp::And, differ, some)
    }

    pub fn compare_op(&mut self, comparison: Comparison, feedback: &Feedback, next: Option<&Instruction>) {
        if let Some((left, right)) = self.operands(feedback) {
            let mixed = (left == RawKind::Float) != (right == RawKind::Float);
            // Comparing an int with a float is exact in Python; converting is exact only for small ints.
            if !mixed {
                let (a, b) = (self.raw_at(2), self.raw_at(1));
                let floats = left == RawKind::Float;
                let cond = match comparison {
                    _ if floats => float_condition(comparison),
                    Comparison::Lt => Cond::Lt,
                    Comparison::Le => Cond::Le,
                    Comparison::Eq => Cond::Eq,
                    Comparison::Ne => Cond::Ne,
                    Comparison::Gt => Cond::Gt,
                    Comparison::Ge => Cond::Ge,
                };
                let result = self.compare(cond, a.value(), b.value());
                self.count("raw-compare");
                self.replace_two(Item::raw(Raw::Bool(result)));
                return;
            }
            if self.may_guess(Reason::Range) {
                let (a, b) = (self.raw_at(2), self.raw_at(1));
                for raw in [a, b] {
                    if let Raw::Int(value) = raw {
                        self.guard_magnitude(value, EXACT_FLOAT);
                    }
                }
                let (x, y) = (self.float_of(a), self.float_of(b));
                let result = self.compare(float_condition(comparison), x, y);
                self.count("raw-compare");
                self.replace_two(Item::raw(Raw::Bool(result)));
                return;
            }
        }
        if self.number_compare(comparison, feedback) {
            return;
        }
        let right = self.pop_owned();
        let left = self.pop_owned();
        let number = self.int(comparison as i64);
        // A comparison that only decides a jump needs no object.
        if matches!(next.map(|n| &n.op), Some(Code::PopJumpIf { .. })) && self.next_is_plain(next) {
            let truth = self.call_status(Helper::CompareTruth, vec![left, right, number]);
            self.push(Item::raw(Raw::Bool(truth)));
        } else {
            let result = self.call_object(Helper::Compare, vec![left, right, number]);
            self.push_owned(result, PyTypes::OBJECT);
        }
    }

    /// Whether the next instruction has the same handler, so that an error of its test may be raised here, and tests truth.
    fn next_is_plain(&self, next: Option<&Instruction>) -> bool {
        use crate::bytecode::instruction::JumpIf;
        next.is_some_and(|n| {
            matches!(n.op, Code::PopJumpIf { when: JumpIf::True | JumpIf::False, .. })
                && self.request.bytecode.handler_for(n.opcode_offset)
                    == self.request.bytecode.handler_for(self.at.opcode_offset)
        })
    }

    pub fn is_op(&mut self, negate: bool) {
        let right = self.pop();
        let left = self.pop();
        let same = match (left, right) {
            // The same raw value is the same object; a float and an int never are.
            (Item::Raw { raw: a, .. }, Item::Raw { raw: b, .. }) if a == b => self.int(1),
            _ => {
                let (left, right) = (self.objectify(left), self.objectify(right));
                let (a, b) = (self.object(left), self.object(right));
                let same = self.compare(Cond::Eq, a, b);
                self.release(left);
                self.release(right);
                same
            }
        };
        let result = if negate { self.negate(same) } else { same };
        self.push(Item::raw(Raw::Bool(result)));
    }

    /// A popped item as an item that is an object: raw ones are boxed.
    fn objectify(&mut self, item: Item) -> Item {
        match item {
            Item::Raw { .. } | Item::Number(_) => {
                let value = self.own(item);
                Item::owned(value, self.item_py(item))
            }
            _ => item,
        }
    }

    pub fn negate(&mut self, truth: Value) -> Value {
        let zero = self.int(0);
        self.compare(Cond::Eq, truth, zero)
    }

    pub fn unary_op(&mut self, op: Unary) {
        let item = self.state.stack[self.position(1)];
        match (op, self.number(item)) {
            (Unary::Not, _) => {
                let truth = self.truth();
                let result = self.negate(truth);
                self.push(Item::raw(Raw::Bool(result)));
                return;
            }
            (Unary::Negative, Some(RawKind::Float)) => {
                let raw = self.raw_at(1);
                let result = self.emit(Op::Unary(UnOp::FNeg, raw.value()));
                let item = self.pop();
                self.release(item);
                self.push(Item::raw(Raw::Float(result)));
                return;
            }
            (Unary::Negative, Some(RawKind::Int)) if self.may_guess(Reason::Overflow) => {
                let raw = self.raw_at(1);
                let zero = self.int(0);
                let leave = self.leave(Reason::Overflow);
                let result = self.emit(Op::BinaryOrLeave(OverflowOp::Sub, zero, raw.value(), leave));
                let item = self.pop();
                self.release(item);
                self.push(Item::raw(Raw::Int(result)));
                return;
            }
            (Unary::Invert, Some(RawKind::Int)) if self.may_guess(Reason::Overflow) => {
                let raw = self.raw_at(1);
                let result = self.emit(Op::Unary(UnOp::Not, raw.value()));
                let item = self.pop();
                self.release(item);
                self.push(Item::raw(Raw::Int(result)));
                return;
            }
            (Unary::Negative, None) => {
                if let Item::Number(number) = item {
                    let result = self.negative_number(number);
                    self.pop();
                    self.push(result);
                    return;
                }
            }
            _ => {}
        }
        let value = self.pop_owned();
        let number = self.int(op as i64);
        let result = self.call_object(Helper::UnaryOp, vec![value, number]);
        self.push_owned(result, PyTypes::OBJECT);
    }

    /// Guards that the topmost item is a bool, if it is unknown and looked like one.
    pub fn guess_bool(&mut self) {
        let item = self.state.stack[self.position(1)];
        if let Item::Object { py, .. } = item
            && py.exact().is_none()
            && !py.may_be_null()
            && py.contains(PyTypes::BOOL)
            && self.may_guess(Reason::Type)
            && self.example(item).is_some_and(|example| example.py == PyTypes::BOOL)
        {
            self.refine(1, PyTypes::BOOL);
        }
    }

    /// Pops the top and gives its truth as 0 or 1; may raise.
    pub fn truth(&mut self) -> Value {
        self.guess_bool();
        let item = self.state.stack[self.position(1)];
        match item {
            Item::Raw { raw, .. } => {
                self.pop();
                match raw {
                    Raw::Bool(v) => v,
                    Raw::Int(v) => {
                        let zero = self.int(0);
                        self.compare(Cond::Ne, v, zero)
                    }
                    Raw::Float(v) => {
                        let zero = self.emit(Op::FConst(0));
                        self.compare(Cond::FNe, v, zero)
                    }
                }
            }
            Item::Number(Number { value, .. }) => {
                self.pop();
                let zero = self.emit(Op::FConst(0));
                self.compare(Cond::FNe, value, zero)
            }
            Item::Tuple(number) => {
                self.pop();
                let some = !self.tuples[number as usize].is_empty();
                self.int(i64::from(some))
            }
            Item::NoKeywords => {
                self.pop();
                self.int(0)
            }
            Item::Const(i) if self.constant_truth(i).is_some() => {
                self.pop();
                let truth = self.constant_truth(i).expect("just checked");
                self.int(i64::from(truth))
            }
            Item::Object { value, py: PyTypes::BOOL, .. } => {
                let yes = self.emit(Op::Symbol(Symbol::True, Ty::Obj));
                let truth = self.compare(Cond::Eq, value, yes);
                let item = self.pop();
                self.release(item);
                truth
            }
            Item::Object { py: PyTypes::NONE, .. } => {
                let item = self.pop();
                self.release(item);
                self.int(0)
            }
            Item::Object { value, py: PyTypes::INT | PyTypes::LIST | PyTypes::TUPLE | PyTypes::BYTES, .. } => {
                // Of an int, the number of digits.
                let size = self.load(MemTy::I64, Ty::I64, value, self.request.layout.var_size);
                let zero = self.int(0);
                let truth = self.compare(Cond::Ne, size, zero);
                let item = self.pop();
                self.release(item);
                truth
            }
            _ => {
                let value = self.pop_owned();
                self.call_status(Helper::IsTrue, vec![value])
            }
        }
    }

    fn constant_truth(&self, constant: u32) -> Option<bool> {
        Some(match self.constant(constant) {
            Constant::None => false,
            Constant::Bool(b) => *b,
            Constant::Int(i) => *i != 0,
            Constant::Float(x) => *x != 0.0,
            Constant::Str(s) => !s.is_empty(),
            _ => return None,
        })
    }
}
