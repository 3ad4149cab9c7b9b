//! Intrinsics: calls of well-known builtins, done in their place.
//!
//! *Problem*: `len(x)`, `math.sqrt(x)` or `list.append(x)` are a few machine instructions, or one C call; as calls of Python
//! objects they take boxes for arguments and result, and the way through the callable's type. *Method*: the load of the
//! callable has shown by identity which builtin it is ([`Known`]). Its arguments' types are known or guessed, and the result is
//! computed raw, or by a helper that does no more than the builtin itself. What the builtin would do otherwise (raise, warn, ask a
//! method of a class) is done by a helper that takes any object, or is left by a guard to the interpreter, which then makes the
//! call as any other. *Invariants*: guards leave to the call with all its operands on the stack; where nothing is emitted but
//! guards, the call is made generically; a result that is one of the arguments is that object. *Sources*:
//! `Python/bltinmodule.c`, `Modules/mathmodule.c`, and `Objects/` for the methods.

use super::builder::Builder;
use super::examples::Example;
use super::locals::holds;
use super::state::*;
use crate::bytecode::code::Constant;
use crate::bytecode::instruction::{Feedback, MethodKind, Op as Code};
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op, OverflowOp, Symbol, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use std::rc::Rc;

/// A function of a builtin module that the compiler knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    Len,
    IsInstance,
    Abs,
    Min,
    Max,
    Ord,
    Chr,
    /// `math.*`
    Sqrt,
    Fabs,
    Sin,
    Cos,
    Tan,
    Atan,
    Exp,
    Log,
    Atan2,
    Pow,
    Floor,
    Ceil,
}

impl Builtin {
    /// By the module that defines it, and its name there.
    pub fn find(module: &str, name: &str) -> Option<Builtin> {
        Some(match (module, name) {
            ("builtins", "len") => Builtin::Len,
            ("builtins", "isinstance") => Builtin::IsInstance,
            ("builtins", "abs") => Builtin::Abs,
            ("builtins", "min") => Builtin::Min,
            ("builtins", "max") => Builtin::Max,
            ("builtins", "ord") => Builtin::Ord,
            ("builtins", "chr") => Builtin::Chr,
            ("math", "sqrt") => Builtin::Sqrt,
            ("math", "fabs") => Builtin::Fabs,
            ("math", "sin") => Builtin::Sin,
            ("math", "cos") => Builtin::Cos,
            ("math", "tan") => Builtin::Tan,
            ("math", "atan") => Builtin::Atan,
            ("math", "exp") => Builtin::Exp,
            ("math", "log") => Builtin::Log,
            ("math", "atan2") => Builtin::Atan2,
            ("math", "pow") => Builtin::Pow,
            ("math", "floor") => Builtin::Floor,
            ("math", "ceil") => Builtin::Ceil,
            _ => return None,
        })
    }
}

/// A method of a built-in type that the compiler knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    ListAppend,
    ListInsert,
    ListPop,
    DictGet,
    SetAdd,
    StrJoin,
}

impl Method {
    /// By the exact type of its instance, and its name there.
    pub fn find(ty: PyTypes, name: &str) -> Option<Method> {
        [Method::ListAppend, Method::ListInsert, Method::ListPop, Method::DictGet, Method::SetAdd, Method::StrJoin]
            .into_iter()
            .find(|method| method.key() == (ty, name))
    }

    fn key(self) -> (PyTypes, &'static str) {
        match self {
            Method::ListAppend => (PyTypes::LIST, "append"),
            Method::ListInsert => (PyTypes::LIST, "insert"),
            Method::ListPop => (PyTypes::LIST, "pop"),
            Method::DictGet => (PyTypes::DICT, "get"),
            Method::SetAdd => (PyTypes::SET, "add"),
            Method::StrJoin => (PyTypes::STR, "join"),
        }
    }
}

/// Types whose length is a word of the object.
const SIZED: PyTypes = PyTypes::LIST
    .union(PyTypes::TUPLE)
    .union(PyTypes::STR)
    .union(PyTypes::BYTES)
    .union(PyTypes::BYTEARRAY)
    .union(PyTypes::DICT)
    .union(PyTypes::SET)
    .union(PyTypes::FROZENSET);

/// Numbers that `min` and `max` compare in line, at most.
const MOST_COMPARED: u32 = 4;

impl Builder<'_> {
    /// Does what a call of `arguments` positional arguments does, if it is one of a builtin the compiler knows. `false`: at most
    /// guards were emitted.
    pub fn intrinsic(&mut self, arguments: u32) -> bool {
        let stack = &self.state.stack;
        let Some(base) = stack.len().checked_sub(arguments as usize + 2) else { return false };
        if !self.request.options.intrinsics {
            return false;
        }
        let result = match (stack[base], stack[base + 1]) {
            (Item::Null, Item::Object { known: Some(Known::Builtin(builtin)), .. }) => {
                self.builtin_call(builtin, arguments)
            }
            (Item::Null, Item::Object { known: Some(Known::Type(PyTypes::RANGE)), .. }) => self.range_loop(arguments),
            (Item::Null, Item::Object { known: Some(Known::Type(py)), .. }) if arguments == 1 => self.conversion(py),
            (Item::Object { known: Some(Known::Method(method)), .. }, receiver) => {
                self.method_call(method, receiver, arguments)
            }
            _ => return false,
        };
        let Some(result) = result else { return false };
        while self.state.stack.len() > base {
            let item = self.pop();
            self.release(item);
        }
        self.push(result);
        self.count("intrinsics");
        true
    }

    // Each of the following gives the result, having popped those operands that it consumed. `None`: nothing was popped, and
    // at most guards were emitted.

    fn builtin_call(&mut self, builtin: Builtin, arguments: u32) -> Option<Item> {
        match (builtin, arguments) {
            (Builtin::Len, 1) => Some(self.len()),
            (Builtin::IsInstance, 2) => Some(self.is_instance()),
            (Builtin::Abs, 1) => self.abs(),
            (Builtin::Min | Builtin::Max, 1) => Some(self.extreme_of(builtin == Builtin::Max)),
            (Builtin::Min, 2..=MOST_COMPARED) => self.extreme(arguments, (Cond::Lt, Cond::FLt)),
            (Builtin::Max, 2..=MOST_COMPARED) => self.extreme(arguments, (Cond::Gt, Cond::FGt)),
            (Builtin::Ord, 1) => self.ord(),
            (Builtin::Chr, 1) => self.chr(),
            (Builtin::Floor | Builtin::Ceil, 1) => self.rounded(builtin == Builtin::Ceil),
            (Builtin::Sqrt, 1) => self.math(1, |b, x| b.emit(Op::Unary(UnOp::FSqrt, x[0]))),
            (Builtin::Fabs, 1) => self.fabs(),
            (Builtin::Sin, 1) => self.math_helper(Helper::MathSin, 1),
            (Builtin::Cos, 1) => self.math_helper(Helper::MathCos, 1),
            (Builtin::Tan, 1) => self.math_helper(Helper::MathTan, 1),
            (Builtin::Atan, 1) => self.math_helper(Helper::MathAtan, 1),
            (Builtin::Exp, 1) => self.math_helper(Helper::MathExp, 1),
            (Builtin::Log, 1) => self.math_helper(Helper::MathLog, 1),
            (Builtin::Atan2, 2) => self.math_helper(Helper::MathAtan2, 2),
            (Builtin::Pow, 2) => self.math_helper(Helper::MathPow, 2),
            _ => None,
        }
    }

    fn argument(&self, depth: u32) -> Item {
        self.state.stack[self.position(depth)]
    }

    // ---- numbers ----

    /// What numbers the topmost items are; guarded where that is a guess, by what they looked like or else `fallback`.
    fn numbers(&mut self, count: u32, fallback: Option<RawKind>) -> Option<Vec<RawKind>> {
        let mut kinds = Vec::new();
        for depth in (1..=count).rev() {
            let item = self.argument(depth);
            let object = matches!(item, Item::Object { .. });
            let kind = match (self.number(item), item) {
                (Some(kind), _) => kind,
                (None, Item::Object { py, big: false, .. }) if self.may_guess(Reason::Number) && !py.may_be_null() => {
                    self.example_kind(item).or(fallback).filter(|kind| py.contains(kind.py()))?
                }
                _ => return None,
            };
            if object && kind == RawKind::Int && !self.may_guess(Reason::Overflow) {
                return None;
            }
            kinds.push(kind);
        }
        for (kind, depth) in kinds.iter().zip((1..=count).rev()) {
            if matches!(self.argument(depth), Item::Object { .. }) {
                self.refine_number(depth, *kind);
            }
        }
        Some(kinds)
    }

    fn abs(&mut self) -> Option<Item> {
        if !self.may_guess(Reason::Overflow) {
            return None;
        }
        let item = self.argument(1);
        if self.item_py(item) != PyTypes::FLOAT && self.example_kind(item) != Some(RawKind::Float) {
            // Of an int that is not negative the result is that object: only where nobody has it.
            let alone = match item {
                Item::Raw { raw, local: None } => !self.state.locals.iter().any(|local| holds(local, raw)),
                Item::Const(i) => matches!(self.constant(i), Constant::Int(..0)),
                _ => false,
            };
            if !alone {
                return None;
            }
        }
        let kind = self.numbers(1, None)?[0];
        self.guard_level();
        let value = self.raw_at(1).value();
        Some(Item::raw(match kind {
            RawKind::Float => Raw::Float(self.emit(Op::Unary(UnOp::FAbs, value))),
            RawKind::Int => {
                let zero = self.int(0);
                let leave = self.leave(Reason::Overflow);
                let negated = self.emit(Op::BinaryOrLeave(OverflowOp::Sub, zero, value, leave));
                let negative = self.compare(Cond::Lt, value, zero);
                Raw::Int(self.emit(Op::Select(negative, negated, value)))
            }
            RawKind::Bool => Raw::Int(value),
        }))
    }

    /// `min` or `max` of numbers of one kind: a later one takes the place of an earlier one only where the condition holds,
    /// which it does for no NaN.
    fn extreme(&mut self, count: u32, (ints, floats): (Cond, Cond)) -> Option<Item> {
        let known = (1..=count).rev().find_map(|depth| self.number(self.argument(depth)));
        let kinds = self.numbers(count, known)?;
        let kind = kinds[0];
        if kinds.iter().any(|other| *other != kind) {
            return None;
        }
        self.guard_level();
        let cond = if kind == RawKind::Float { floats } else { ints };
        let raws: Vec<Value> = (1..=count).rev().map(|depth| self.raw_at(depth).value()).collect();
        let objects = (1..=count).any(|depth| matches!(self.argument(depth), Item::Object { .. }));
        let mut best = raws[0];
        if !objects {
            for &next in &raws[1..] {
                let better = self.compare(cond, next, best);
                best = self.emit(Op::Select(better, next, best));
            }
            return Some(Item::raw(kind.with(best)));
        }
        // Somebody may ask which object the result is.
        let first = self.position(count);
        let owned: Vec<Value> = (first..first + count as usize).map(|position| self.own_at(position)).collect();
        self.state.stack.truncate(first);
        let mut object = owned[0];
        for (&next, &next_object) in raws[1..].iter().zip(&owned[1..]) {
            let better = self.compare(cond, next, best);
            best = self.emit(Op::Select(better, next, best));
            let chosen = self.emit(Op::Select(better, next_object, object));
            let other = self.emit(Op::Select(better, object, next_object));
            self.defined(other, kind.py());
            self.release_value(other, kind.py());
            object = self.defined(chosen, kind.py());
        }
        Some(Item::owned(object, kind.py()))
    }

    /// The topmost item, popped, as a result: what is borrowed from a container is borrowed no longer.
    fn same(&mut self) -> Item {
        let item = self.pop();
        match item {
            Item::Object { own: Own::Volatile, py, big, .. } => {
                let value = self.own(item);
                Item::Object { value, own: Own::Owned, py, big, known: None }
            }
            Item::Object { value, own, py, big, .. } => Item::Object { value, own, py, big, known: None },
            other => other,
        }
    }

    /// `int(x)`, `float(x)`, `bool(x)`, `reversed(x)`.
    fn conversion(&mut self, py: PyTypes) -> Option<Item> {
        match py {
            PyTypes::BOOL => return Some(Item::raw(Raw::Bool(self.truth()))),
            PyTypes::REVERSED => return self.reversed(),
            PyTypes::TYPE => return self.class_of(),
            // An exact one is the result itself.
            PyTypes::INT | PyTypes::FLOAT if self.item_py(self.argument(1)) == py => return Some(self.same()),
            PyTypes::INT | PyTypes::FLOAT if self.may_guess(Reason::Range) => {}
            _ => return None,
        }
        if let Item::Number(Number { value, .. }) = self.argument(1) {
            return Some(Item::raw(match py {
                PyTypes::FLOAT => Raw::Float(value),
                _ => Raw::Int(self.truncated(value)),
            }));
        }
        let kind = self.numbers(1, None)?[0];
        if kind.py() == py {
            return Some(self.same());
        }
        let raw = self.raw_at(1);
        if py == PyTypes::FLOAT {
            // Of 64 bits, rounded to even as CPython does.
            return Some(Item::raw(Raw::Float(self.float_of(raw))));
        }
        Some(Item::raw(Raw::Int(match raw {
            Raw::Float(value) => self.truncated(value),
            Raw::Int(value) | Raw::Bool(value) => value,
        })))
    }

    /// `type` of one argument.
    fn class_of(&mut self) -> Option<Item> {
        let Item::Object { value, own, py, .. } = self.argument(1) else { return None };
        if py.may_be_null() {
            return None;
        }
        let class = self.load(MemTy::Ptr, Ty::Obj, value, self.request.layout.ob_type);
        self.defined(class, PyTypes::OBJECT);
        if own == Own::Owned {
            // The object may be let go of, and its class with it.
            self.effect(Op::Incref(class));
            return Some(Item::owned(class, PyTypes::OBJECT));
        }
        Some(Item::Object { value: class, own: Own::Volatile, py: PyTypes::OBJECT, big: false, known: None })
    }

    /// `reversed` of a range: another range's iterator.
    fn reversed(&mut self) -> Option<Item> {
        let Item::Object { value: range, py: PyTypes::RANGE, .. } = self.argument(1) else { return None };
        self.guard_level();
        let value = self.call_object(Helper::ReversedRange, vec![range]);
        self.exemplify(value, Some(Rc::new(Example { py: PyTypes::RANGE_ITER, ..Example::default() })));
        self.typed(value, PyTypes::OBJECT);
        Some(Item::owned(value, PyTypes::OBJECT))
    }

    /// A float without its fraction as an int; leaves when that does not fit.
    fn truncated(&mut self, value: Value) -> Value {
        for (cond, bound) in [(Cond::FGe, i64::MIN as f64), (Cond::FLt, -(i64::MIN as f64))] {
            let bound = self.emit(Op::FConst(bound.to_bits()));
            let fits = self.compare(cond, value, bound);
            self.guard(fits, Reason::Range);
        }
        self.emit(Op::Unary(UnOp::FloatToInt, value))
    }

    /// `range(...)` of ints whose iterator is all that is wanted of it.
    fn range_loop(&mut self, arguments: u32) -> Option<Item> {
        let bytecode = self.request.bytecode;
        let next = bytecode.index_at(self.at.next).map(|index| &bytecode.instructions[index].op);
        if !matches!(next, Some(Code::GetIter)) || !(1..=3).contains(&arguments) || !self.may_guess(Reason::Range) {
            return None;
        }
        let kinds = self.numbers(arguments, Some(RawKind::Int))?;
        if kinds.iter().any(|kind| *kind != RawKind::Int) {
            return None;
        }
        let given: Vec<Value> = (1..=arguments).rev().map(|depth| self.raw_at(depth).value()).collect();
        let [start, stop, step] = match given[..] {
            [stop] => [self.int(0), stop, self.int(1)],
            [start, stop] => [start, stop, self.int(1)],
            [start, stop, step] => [start, stop, step],
            _ => return None,
        };
        let iterator = self.emit(Op::Call(Helper::RangeIterator, vec![start, stop, step]));
        let null = self.emit(Op::Null(Ty::Obj));
        let made = self.compare(Cond::Ne, iterator, null);
        self.guard(made, Reason::Range);
        self.typed(iterator, PyTypes::RANGE_ITER);
        Some(Item::owned(iterator, PyTypes::RANGE_ITER))
    }

    // ---- math ----

    /// The arguments as floats; ints are converted as `math` does.
    fn floats(&mut self, count: u32) -> Option<Vec<Value>> {
        if !self.may_guess(Reason::Range) {
            return None;
        }
        let before = self.state.stack.clone();
        for depth in 1..=count {
            let position = self.position(depth);
            if let Item::Number(Number { value, .. }) = before[position] {
                self.state.stack[position] = Item::raw(Raw::Float(value));
            }
        }
        if self.numbers(count, Some(RawKind::Float)).is_none() {
            self.state.stack = before;
            return None;
        }
        self.guard_level();
        let mut values = Vec::new();
        for depth in (1..=count).rev() {
            let raw = self.raw_at(depth);
            values.push(self.float_of(raw));
        }
        Some(values)
    }

    /// A function of `math` where its result is finite: then it has raised nothing.
    fn math(&mut self, count: u32, function: impl FnOnce(&mut Self, Vec<Value>) -> Value) -> Option<Item> {
        let operands = self.floats(count)?;
        let result = function(self, operands);
        let magnitude = self.emit(Op::Unary(UnOp::FAbs, result));
        let most = self.emit(Op::FConst(f64::MAX.to_bits()));
        let finite = self.compare(Cond::FLe, magnitude, most);
        self.guard(finite, Reason::Range);
        Some(Item::raw(Raw::Float(result)))
    }

    fn math_helper(&mut self, helper: Helper, count: u32) -> Option<Item> {
        self.math(count, |b, operands| b.emit(Op::Call(helper, operands)))
    }

    fn fabs(&mut self) -> Option<Item> {
        let value = self.floats(1)?[0];
        Some(Item::raw(Raw::Float(self.emit(Op::Unary(UnOp::FAbs, value)))))
    }

    /// `math.floor` and `math.ceil`.
    fn rounded(&mut self, up: bool) -> Option<Item> {
        if !self.may_guess(Reason::Range) {
            return None;
        }
        let kind = self.numbers(1, Some(RawKind::Float))?[0];
        self.guard_level();
        if kind == RawKind::Int {
            // An exact one is the result itself.
            return Some(self.same());
        }
        let value = self.raw_at(1).value();
        if kind == RawKind::Bool {
            return Some(Item::raw(Raw::Int(value)));
        }
        let whole = if up {
            let negated = self.emit(Op::Unary(UnOp::FNeg, value));
            let floor = self.emit(Op::Unary(UnOp::FFloor, negated));
            self.emit(Op::Unary(UnOp::FNeg, floor))
        } else {
            self.emit(Op::Unary(UnOp::FFloor, value))
        };
        Some(Item::raw(Raw::Int(self.truncated(whole))))
    }

    // ---- characters ----

    fn ord(&mut self) -> Option<Item> {
        if !self.may_guess(Reason::Range) {
            return None;
        }
        let item = self.argument(1);
        let py = self.item_py(item);
        if py != PyTypes::STR {
            let likely = self.example(item).is_none_or(|example| example.py == PyTypes::STR);
            if !likely || !py.contains(PyTypes::STR) || py.may_be_null() || !self.may_guess(Reason::Type) {
                return None;
            }
            self.refine(1, PyTypes::STR);
        }
        self.guard_level();
        let value = self.object(item);
        let code = self.emit(Op::Call(Helper::Ord, vec![value]));
        let zero = self.int(0);
        let one_character = self.compare(Cond::Ge, code, zero);
        self.guard(one_character, Reason::Range);
        Some(Item::raw(Raw::Int(code)))
    }

    fn chr(&mut self) -> Option<Item> {
        if !self.may_guess(Reason::Range) {
            return None;
        }
        let kind = self.numbers(1, Some(RawKind::Int))?[0];
        if kind == RawKind::Float {
            return None;
        }
        self.guard_level();
        let code = self.raw_at(1).value();
        let end = self.int(0x11_0000);
        let inside = self.compare(Cond::ULt, code, end);
        self.guard(inside, Reason::Range);
        let value = self.call_object(Helper::Chr, vec![code]);
        self.typed(value, PyTypes::STR);
        Some(Item::owned(value, PyTypes::STR))
    }

    // ---- len ----

    /// `min` or `max` of the items of something.
    fn extreme_of(&mut self, max: bool) -> Item {
        let function = self.object(self.argument(2));
        let items = self.pop_owned();
        let which = self.int(i64::from(max));
        let value = self.call_object(Helper::Extreme, vec![function, items, which]);
        self.typed(value, PyTypes::OBJECT);
        Item::owned(value, PyTypes::OBJECT)
    }

    fn len(&mut self) -> Item {
        let item = self.argument(1);
        if let Item::Tuple(number) = item {
            let length = self.tuples[number as usize].len() as i64;
            return Item::raw(Raw::Int(self.int(length)));
        }
        let py = self.item_py(item);
        let guess = || {
            let may = self.may_guess(Reason::Type) && !py.may_be_null();
            self.example(item)?.py.exact().filter(|guess| may && py.contains(*guess))
        };
        let wanted = py.exact().or_else(guess).filter(|wanted| SIZED.contains(*wanted));
        let Some(wanted) = wanted.filter(|wanted| *wanted != PyTypes::STR || self.may_guess(Reason::Range)) else {
            let value = self.pop_owned();
            return Item::raw(Raw::Int(self.call_status(Helper::Len, vec![value])));
        };
        self.refine(1, wanted);
        let value = self.object(item);
        let layout = self.request.layout;
        let offset = match wanted {
            PyTypes::STR => {
                // One made by a deprecated function of the C API may have to be completed first.
                let state = self.load(MemTy::U32, Ty::I64, value, layout.str_state);
                let bit = self.int(layout.str_ready);
                let ready = self.binary(crate::ir::op::BinOp::And, state, bit);
                self.guard(ready, Reason::Range);
                layout.str_length
            }
            PyTypes::DICT => layout.dict_used,
            PyTypes::SET | PyTypes::FROZENSET => layout.set_used,
            _ => layout.var_size,
        };
        Item::raw(Raw::Int(self.load(MemTy::I64, Ty::I64, value, offset)))
    }

    // ---- methods ----

    /// A method of a built-in type that is about to be called: such types do not change, so the descriptor is a constant behind
    /// a guard of the receiver's exact type. `false`: nothing was emitted.
    pub fn builtin_method(&mut self, name: u32, feedback: &Feedback) -> bool {
        if !self.request.options.intrinsics || self.inlining.is_some() {
            return false;
        }
        let environment = self.request.environment;
        let item = self.argument(1);
        let py = self.item_py(item);
        let cached = match *feedback {
            Feedback::Method { kind: MethodKind::NoDict, type_version, .. } => environment.builtin_type(type_version),
            _ => None,
        };
        let guess = || {
            let likely = cached.or_else(|| self.example(item)?.py.exact())?;
            (py.contains(likely) && !py.may_be_null() && self.may_guess(Reason::Type)).then_some(likely)
        };
        let Some(wanted) = py.exact().or_else(guess) else { return false };
        let Some(method) = Method::find(wanted, &self.request.code.names[name as usize]) else { return false };
        let Some(address) = environment.builtin_method(wanted, name) else { return false };
        if !matches!(item, Item::Object { .. } | Item::Const(_)) {
            return false;
        }
        self.refine(1, wanted);
        let value = self.address(address);
        let receiver = self.pop();
        let known = Some(Known::Method(method));
        self.push(Item::Object { value, own: Own::Permanent, py: PyTypes::OBJECT, big: false, known });
        self.push(receiver);
        self.count("inline_methods");
        true
    }

    fn method_call(&mut self, method: Method, receiver: Item, arguments: u32) -> Option<Item> {
        if self.item_py(receiver) != method.key().0 {
            return None;
        }
        match (method, arguments) {
            (Method::ListAppend, 1) => {
                let item = self.pop_owned();
                let list = self.object(receiver);
                self.call_status(Helper::ListAppend, vec![list, item]);
                Some(self.none())
            }
            (Method::SetAdd, 1) => {
                self.guard_level();
                let item = self.pop_owned();
                let set = self.object(receiver);
                self.call_status(Helper::SetAdd, vec![set, item]);
                Some(self.none())
            }
            (Method::ListInsert, 2) => {
                let index = self.index_at(2)?;
                let item = self.pop_owned();
                let list = self.object(receiver);
                self.call_status(Helper::ListInsert, vec![list, index, item]);
                Some(self.none())
            }
            (Method::ListPop, 0 | 1) => {
                let index = if arguments == 1 { self.index_at(1)? } else { self.int(-1) };
                let element = self.example(receiver).and_then(|list| Self::element_example(&list, None));
                let list = self.object(receiver);
                let item = self.call_object(Helper::ListPop, vec![list, index]);
                self.exemplify(item, element);
                self.typed(item, PyTypes::OBJECT);
                Some(Item::owned(item, PyTypes::OBJECT))
            }
            (Method::DictGet, 1 | 2) => {
                let default = if arguments == 2 {
                    self.pop_owned()
                } else {
                    let none = self.none();
                    self.own(none)
                };
                let key = self.pop_owned();
                let dict = self.object(receiver);
                let value = self.call_object(Helper::DictGet, vec![dict, key, default]);
                self.typed(value, PyTypes::OBJECT);
                Some(Item::owned(value, PyTypes::OBJECT))
            }
            (Method::StrJoin, 1) => {
                self.guard_level();
                let items = self.pop_owned();
                let separator = self.object(receiver);
                let value = self.call_object(Helper::StrJoin, vec![separator, items]);
                self.typed(value, PyTypes::STR);
                Some(Item::owned(value, PyTypes::STR))
            }
            _ => None,
        }
    }

    /// The item at a depth as a raw index.
    fn index_at(&mut self, depth: u32) -> Option<Value> {
        let item = self.argument(depth);
        let possible = match item {
            Item::Raw { .. } | Item::Const(_) => self.number(item) == Some(RawKind::Int),
            Item::Object { py: PyTypes::INT, big: false, .. } => self.may_guess(Reason::Overflow),
            _ => false,
        };
        possible.then(|| self.raw_at(depth).value())
    }

    pub(super) fn none(&mut self) -> Item {
        let value = self.emit(Op::Symbol(Symbol::None, Ty::Obj));
        self.defined(value, PyTypes::NONE);
        Item::Object { value, own: Own::Permanent, py: PyTypes::NONE, big: false, known: None }
    }
}
