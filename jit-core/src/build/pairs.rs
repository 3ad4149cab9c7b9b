//! Loops over `enumerate` and `zip` whose targets are unpacked: without the tuple.
//!
//! *Problem*: `for i, x in enumerate(xs)` makes an int and a tuple each turn, only to take the tuple apart. *Method*: where an
//! iterator is known to be exactly an `enumerate` or a `zip`, and the instruction behind its `FOR_ITER` unpacks what it gives,
//! both instructions are done at once: the inner iterators are asked in turn, lists in line, compiled generators directly, and
//! their items become the stack's; the index stays raw. *Invariants*:
//! - the iterator's own fields are right after each turn, so anybody else may go on with it;
//! - guards come before the first inner iterator is asked;
//! - CPython keeps the items of a turn alive in a tuple that it uses again, until the next turn. That cannot be seen where the
//!   loop's targets are local variables that nothing else in its body binds: they keep the items as long
//!   ([`Builder::targets_keep`]).
//!
//! *Source*: `Objects/enumobject.c`, `zip_next` in `Python/bltinmodule.c`.

use super::builder::Builder;
use super::examples::Example;
use super::state::*;
use crate::bytecode::instruction::{Instruction, Offset, Op as Code};
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Block, Cond, Op, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use std::rc::Rc;

/// Iterators of a `zip` that are asked in line, at most.
const MOST_ZIPPED: u32 = 4;

/// An index from which an `enumerate` may soon count with objects.
const LARGE_INDEX: i64 = 1 << 62;

impl Builder<'_> {
    /// Does the current `FOR_ITER` together with the `UNPACK_SEQUENCE` behind it, if it goes through an `enumerate` or `zip`.
    pub fn for_unpacked(&mut self, next: Option<&Instruction>, exhausted: Offset) -> bool {
        let Some(Instruction { op: Code::UnpackSequence(count), offset, .. }) = next else { return false };
        let position = self.position(1);
        let Item::Object { value: iter, py, .. } = self.state.stack[position] else { return false };
        if !self.request.options.unpack_iterators
            || self.plan.merges.contains(offset)
            // What names of a module hold is asked again behind Python code, which an inner iterator may be.
            || !self.plan.names.followed.is_empty()
            || !self.may_guess(Reason::Range)
            || !self.targets_keep(*count, *offset, exhausted)
        {
            return false;
        }
        match (py, *count) {
            (PyTypes::ENUMERATE, 2) => self.for_enumerate(position, iter, exhausted),
            (PyTypes::ZIP, 1..=MOST_ZIPPED) => self.for_zip(position, iter, *count, exhausted),
            _ => return false,
        }
        self.count("unpack_iterators");
        self.took_next = 1;
        true
    }

    /// Whether what `UNPACK_SEQUENCE` at `unpack` takes apart ends in local variables that are bound nowhere else in the loop's
    /// body, which lies before `exhausted`.
    fn targets_keep(&self, count: u32, unpack: Offset, exhausted: Offset) -> bool {
        let bytecode = self.request.bytecode;
        let (Some(first), Some(end)) = (bytecode.index_at(unpack), bytecode.index_at(exhausted)) else { return false };
        let Some(body) = bytecode.instructions.get(first + 1..end) else { return false };
        let mut open = count;
        let mut targets = Vec::new();
        let mut rest = body.iter();
        while open > 0 {
            match rest.next().map(|instruction| &instruction.op) {
                Some(Code::StoreFast(local)) if !targets.contains(local) => {
                    targets.push(*local);
                    open -= 1;
                }
                Some(Code::UnpackSequence(inner)) => open = open - 1 + inner,
                _ => return false,
            }
        }
        rest.all(|instruction| match instruction.op {
            Code::StoreFast(local) | Code::DeleteFast(local) => !targets.contains(&local),
            _ => true,
        })
    }

    fn for_enumerate(&mut self, position: usize, iter: Value, exhausted: Offset) {
        let layout = self.request.layout;
        self.settle_volatile();
        let index = self.load(MemTy::I64, Ty::I64, iter, layout.enumerate_index);
        let large = self.int(LARGE_INDEX);
        let small = self.compare(Cond::Lt, index, large);
        self.guard(small, Reason::Range);
        self.own_at(position);
        let inner = self.load(MemTy::Ptr, Ty::Obj, iter, layout.enumerate_iterator);
        self.typed(inner, PyTypes::OBJECT);
        let in_line = self.goes_through_list(0);
        let value = self.next_of(inner, in_line, 0, exhausted);
        // The inner iterator may have used this one.
        let index = self.load(MemTy::I64, Ty::I64, iter, layout.enumerate_index);
        let one = self.int(1);
        let next = self.binary(BinOp::Add, index, one);
        self.store(MemTy::I64, iter, layout.enumerate_index, next);
        let example = self.loop_example().and_then(|pair| Self::element_example(&pair, Some(1)));
        self.exemplify(value, example);
        self.push_owned(value, PyTypes::OBJECT);
        self.push(Item::raw(Raw::Int(index)));
    }

    fn for_zip(&mut self, position: usize, iter: Value, count: u32, exhausted: Offset) {
        let layout = self.request.layout;
        self.settle_volatile();
        let size = self.load(MemTy::I64, Ty::I64, iter, layout.zip_size);
        let expected = self.int(i64::from(count));
        let same = self.compare(Cond::Eq, size, expected);
        self.guard(same, Reason::Range);
        let strict = self.load(MemTy::I32, Ty::I64, iter, layout.zip_strict);
        let zero = self.int(0);
        let lax = self.compare(Cond::Eq, strict, zero);
        self.guard(lax, Reason::Range);
        self.own_at(position);
        let tuple = self.load(MemTy::Ptr, Ty::Obj, iter, layout.zip_iterators);
        self.typed(tuple, PyTypes::TUPLE);
        let tuple_example = self.loop_example();
        for i in 0..count {
            let inner = self.load(MemTy::Ptr, Ty::Obj, tuple, layout.tuple_items + 8 * i as i32);
            self.typed(inner, PyTypes::OBJECT);
            let in_line = self.goes_through_list(i as usize);
            let value = self.next_of(inner, in_line, i, exhausted);
            let example = tuple_example.as_ref().and_then(|tuple| Self::element_example(tuple, Some(i64::from(i))));
            self.exemplify(value, example);
            self.push_owned(value, PyTypes::OBJECT);
        }
        let first = self.position(count);
        self.state.stack[first..].reverse();
    }

    /// Whether an inner iterator of this loop's, by its number, most likely is one of a list.
    fn goes_through_list(&self, number: usize) -> bool {
        let iterator = self.iterated_example();
        iterator.is_some_and(|it| it.elements.get(number + 1).is_some_and(|inner| inner.py == PyTypes::LIST))
    }

    /// The next item of an inner iterator: a new reference. `in_line`: all but the end is expected to be done in line. At the end,
    /// and where it raises, `held` items of the stack go first, and then the iterator below them.
    fn next_of(&mut self, inner: Value, in_line: bool, held: u32, exhausted: Offset) -> Value {
        let is_list = self.emit(Op::IsType(inner, PyTypes::LIST_ITER));
        let mut otherwise = vec![self.branch(is_list, false)];
        let quick = self.next_of_sequence(inner, false, &mut otherwise);
        let done = self.function.new_block();
        let value = self.function.add_param(done, Ty::Obj);
        self.defined(value, PyTypes::OBJECT);
        self.goto_with(done, quick);
        let slow = self.new_join();
        self.function.blocks[slow.0 as usize].cold |= in_line;
        for block in otherwise {
            self.aside(block, |b| b.goto(slow));
        }
        self.aside(slow, |b| {
            let ts = b.thread();
            let item = b.call(Helper::ForIterDirect, vec![ts, inner]).expect("an item or null");
            let none = b.branch_on_null(item);
            b.goto_with(done, item);
            b.aside(none, |b| b.end_of_loop(held, exhausted));
        });
        self.block = done;
        value
    }

    /// The next item of the iterator of a list or tuple, in line: a new reference. Its end goes to blocks that are added to
    /// `otherwise`.
    pub fn next_of_sequence(&mut self, iter: Value, tuple: bool, otherwise: &mut Vec<Block>) -> Value {
        let layout = self.request.layout;
        let (sequence, index_at) = match tuple {
            true => (layout.tuple_iter_tuple, layout.tuple_iter_index),
            false => (layout.list_iter_list, layout.list_iter_index),
        };
        let sequence = self.load(MemTy::Ptr, Ty::Ptr, iter, sequence);
        let null = self.emit(Op::Null(Ty::Ptr));
        let there = self.compare(Cond::Ne, sequence, null);
        otherwise.push(self.branch(there, false));
        let index = self.load(MemTy::I64, Ty::I64, iter, index_at);
        let size = self.load(MemTy::I64, Ty::I64, sequence, layout.var_size);
        let more = self.compare(Cond::ULt, index, size);
        otherwise.push(self.branch(more, false));
        let (items, first) = match tuple {
            true => (sequence, layout.tuple_items),
            false => (self.load(MemTy::Ptr, Ty::Ptr, sequence, layout.list_items), 0),
        };
        let value = self.item_at(items, first, index);
        let one = self.int(1);
        let next = self.binary(BinOp::Add, index, one);
        self.store(MemTy::I64, iter, index_at, next);
        self.effect(Op::Incref(value));
        value
    }

    /// The object at an index of an array of references that lies at `base + offset`: borrowed from it.
    fn item_at(&mut self, base: Value, offset: i32, index: Value) -> Value {
        let shift = self.int(3);
        let bytes = self.binary(BinOp::Shl, index, shift);
        let address = self.offset_by(base, bytes);
        self.load(MemTy::Ptr, Ty::Obj, address, offset)
    }

    /// Goes on where the item is not null; gives the block where it is.
    pub fn branch_on_null(&mut self, item: Value) -> Block {
        let null = self.emit(Op::Null(Ty::Obj));
        let there = self.compare(Cond::Ne, item, null);
        self.branch(there, false)
    }

    /// An iterator gave nothing: it has raised, or is exhausted. `held` items above it go with it.
    pub fn end_of_loop(&mut self, held: u32, exhausted: Offset) {
        let ts = self.thread();
        let set = self.call(Helper::ErrorSet, vec![ts]).expect("a flag");
        let clear = self.negate(set);
        let error = self.branch(clear, true);
        self.unwind_from(error, true);
        for _ in 0..=held {
            let item = self.pop();
            self.release(item);
        }
        self.edge_to(exhausted);
    }

    /// What a call of `enumerate` or `zip` with the topmost `arguments` as its arguments gives, as an example: behind the pair that
    /// stands for all pairs come the types of what it goes through.
    pub fn iterator_example(&self, py: PyTypes, arguments: u32) -> Option<Rc<Example>> {
        let elements = |depth: u32| -> Rc<Example> {
            let sequence = self.example(self.state.stack[self.position(depth)]);
            sequence.and_then(|sequence| Self::element_example(&sequence, None)).unwrap_or_default()
        };
        let items: Vec<Rc<Example>> = match py {
            PyTypes::ENUMERATE if (1..=2).contains(&arguments) => {
                vec![Rc::new(Example { py: PyTypes::INT, ..Example::default() }), elements(arguments)]
            }
            PyTypes::ZIP => (1..=arguments).rev().map(elements).collect(),
            _ => return None,
        };
        let sources = match py {
            PyTypes::ENUMERATE => arguments..=arguments,
            _ => 1..=arguments,
        };
        let sources = sources.rev().map(|depth| self.likely_type(self.state.stack[self.position(depth)]));
        let pair = Example { py: PyTypes::TUPLE, elements: items, ..Example::default() };
        let elements = std::iter::once(pair).chain(sources.map(|py| Example { py, ..Example::default() }));
        Some(Rc::new(Example { py, elements: elements.map(Rc::new).collect(), ..Example::default() }))
    }
}
