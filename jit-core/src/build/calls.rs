//! Calls, functions and imports.
//!
//! *Method*: the operands of a call are stored to the frame's own stack slots, as the interpreter has them, and the helper
//! is given their address. A call that succeeds but asks to leave (tracing was switched on below it) returns null without
//! an exception; its result lies in the first slot.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::instruction::Op as Code;
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op, Symbol, Value};
use crate::ir::types::{PyTypes, Ty};

/// `MAKE_FUNCTION` with a closure and nothing else; and what says to the helper that nobody else sees the function.
const CLOSURE: u32 = 8;
const REUSE: i64 = 1 << 8;

/// Types whose type object makes exact instances only, whatever the arguments' own methods return.
const MAKES_EXACT: PyTypes = PyTypes::RANGE
    .union(PyTypes::INT)
    .union(PyTypes::FLOAT)
    .union(PyTypes::BOOL)
    .union(PyTypes::LIST)
    .union(PyTypes::TUPLE)
    .union(PyTypes::DICT)
    .union(PyTypes::SET)
    .union(PyTypes::FROZENSET)
    .union(PyTypes::ENUMERATE)
    .union(PyTypes::ZIP);

/// Those of which the runtime can fill an instance from a generator by itself.
const COLLECTS: PyTypes = PyTypes::TUPLE.union(PyTypes::SET);

impl Builder<'_> {
    pub fn call_function(&mut self, arguments: u32) {
        let known = match self.state.stack[self.position(arguments + 1)] {
            Item::Object { known, .. } => known,
            _ => None,
        };
        let below_is_null = matches!(self.state.stack[self.position(arguments + 2)], Item::Null);
        let kwnames = self.kwnames.take().map(|(constant, offset)| {
            // Whoever goes on with the call needs its names: exits lead to the instruction that gives them.
            self.at.offset = offset;
            constant
        });
        if self.inline_call(arguments, kwnames)
            || kwnames.is_none() && (self.intrinsic(arguments) || self.instantiate(arguments))
        {
            return;
        }
        let known = if below_is_null && kwnames.is_none() { known } else { None };
        let py = match known {
            Some(Known::Type(py)) if MAKES_EXACT.contains(py) => py,
            _ => PyTypes::OBJECT,
        };
        self.make_call(arguments, kwnames, py);
    }

    /// Calls what the stack holds with that many arguments; the result, of one of these types, takes the place of all.
    pub(super) fn make_call(&mut self, arguments: u32, kwnames: Option<u32>, py: PyTypes) {
        let example = self.iterator_example(py, arguments);
        let collects = self.collects(arguments, kwnames, py);
        let ts = self.thread();
        let stack = self.spill(arguments + 2);
        let base = self.state.stack.len();
        let n = self.int(i64::from(arguments));
        let names = match kwnames {
            Some(constant) => self.emit(Op::Symbol(Symbol::Const(constant), Ty::Obj)),
            None => self.emit(Op::Null(Ty::Obj)),
        };
        let helper = if collects { Helper::CallCollecting } else { Helper::Call };
        let result = self.call(helper, vec![ts, stack, n, names]).expect("calls have results");
        self.finish_call(result, base, py);
        self.exemplify(result, example);
    }

    /// Whether a call that makes an instance of that type is made by who can fill it from a generator.
    fn collects(&mut self, arguments: u32, kwnames: Option<u32>, py: PyTypes) -> bool {
        let collects = self.request.options.collect_generators
            && arguments == 1
            && kwnames.is_none()
            && py.exact().is_some_and(|made| COLLECTS.contains(made))
            && self.item_py(self.state.stack[self.position(1)]).intersects(PyTypes::OTHER);
        if collects {
            self.count("collect_generators");
        }
        collects
    }

    /// Pushes a call's result; null means an error or a request to leave, the result being in the slot at `base`.
    fn finish_call(&mut self, result: Value, base: usize, py: PyTypes) {
        let null = self.emit(Op::Null(Ty::Obj));
        let ok = self.compare(Cond::Ne, result, null);
        let none = self.branch(ok, true);
        self.aside(none, |b| {
            let ts = b.thread();
            let set = b.call(Helper::ErrorSet, vec![ts]).expect("a flag");
            let leave_block = b.branch(set, true);
            let raise = b.block;
            b.unwind_from(raise, true);
            b.block = leave_block;
            let stashed = b.emit(Op::SlotGet(b.stack_slot(base)));
            b.push_owned(stashed, PyTypes::OBJECT);
            let state = b.state.clone();
            let leave = b.leave_with(&state, b.at.next, Reason::Interrupt);
            b.terminate(Op::Leave(leave));
        });
        self.push_owned(result, py);
    }

    pub fn call_function_ex(&mut self, has_kwargs: bool) {
        let kwargs = if has_kwargs { self.pop_owned() } else { self.emit(Op::Null(Ty::Obj)) };
        let args = self.pop_owned();
        let function = self.pop_owned();
        // The null below the function goes too.
        let below = self.pop();
        self.release(below);
        let base = self.state.stack.len();
        let stash = self.emit(Op::SlotAddress(self.stack_slot(base)));
        let ts = self.thread();
        let result =
            self.call(Helper::CallFunctionEx, vec![ts, function, args, kwargs, stash]).expect("calls have results");
        self.finish_call(result, base, PyTypes::OBJECT);
    }

    /// Whether the function that the current `MAKE_FUNCTION` makes looks like that of a comprehension or generator expression.
    fn is_called_at_once(&mut self, flags: u32) -> bool {
        let bytecode = self.request.bytecode;
        let Some(index) = bytecode.index_at(self.at.offset) else { return false };
        let rest = &bytecode.instructions[index + 1..];
        let made = rest.iter().position(|instruction| matches!(instruction.op, Code::MakeFunction(_)));
        let called = rest.windows(3).position(|three| {
            matches!(three, [a, b, c]
                if matches!((&a.op, &b.op, &c.op), (Code::GetIter, Code::Precall(0), Code::Call(0))))
        });
        let reuse = self.request.options.reuse_functions
            && flags & !CLOSURE == 0
            && called.is_some_and(|called| made.is_none_or(|made| called < made));
        if reuse {
            self.count("reuse_functions");
        }
        reuse
    }

    pub fn make_function(&mut self, flags: u32) {
        let reuse = self.is_called_at_once(flags);
        let frame = self.frame();
        let items = self.spill(flags.count_ones() + 1);
        let flags = self.int(i64::from(flags) | if reuse { REUSE } else { 0 });
        let function = self.call_object(Helper::MakeFunction, vec![frame, items, flags]);
        self.push_owned(function, PyTypes::FUNCTION);
    }

    pub fn import_name(&mut self, name: u32) {
        let fromlist = self.pop_owned();
        let level = self.pop_owned();
        let frame = self.frame();
        let symbol = self.name_symbol(name);
        // Bytecode pushes the level first, then the list: the top is the list.
        let module = self.call_object(Helper::ImportName, vec![frame, symbol, fromlist, level]);
        self.push_owned(module, PyTypes::OBJECT);
    }

    pub fn import_from(&mut self, name: u32) {
        let position = self.position(1);
        let module = self.own_at(position);
        let symbol = self.name_symbol(name);
        let value = self.call_object(Helper::ImportFrom, vec![module, symbol]);
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn import_star(&mut self) {
        let module = self.pop_owned();
        let frame = self.frame();
        self.call_status(Helper::ImportStar, vec![frame, module]);
    }
}
