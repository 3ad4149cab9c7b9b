//! Jumps, loops over iterators, polling and return.
//!
//! *Method*: a `for` over a range keeps the next index in a register and stores it back to the iterator object on every
//! step (a store costs nothing on the loop's critical path; a load would), so that the object is right whenever somebody
//! else continues with it. *Sources*: `rangeiter_next` in `Objects/rangeobject.c`, `listiter_next` in
//! `Objects/listobject.c`.

use super::builder::Builder;
use super::locals::is_dirty;
use super::state::*;
use crate::bytecode::code::flags;
use crate::bytecode::instruction::{Instruction, JumpIf, Offset};
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Cond, Op, Status, Symbol, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

/// Operations of a block among which what the instruction before has made is found.
const RECENT: usize = 16;

/// A function with more locals than this leaves them to whoever made its frame.
const MOST_LOCALS_FINISHED: usize = 16;

impl Builder<'_> {
    /// Services signals, other threads and the like if any of them asks; `target` is where the interpreter would go on.
    pub fn poll(&mut self, target: Offset) {
        self.settle_volatile();
        self.settle_names();
        if self.state.suspect.is_some() {
            self.flush_names();
        }
        let word = self.emit(Op::Symbol(Symbol::EvalBreaker, Ty::Ptr));
        let asked = self.load(MemTy::I32, Ty::I64, word, 0);
        let zero = self.int(0);
        let quiet = self.compare(Cond::Eq, asked, zero);
        let busy = self.branch(quiet, true);
        let join = self.join_names(false);
        self.goto_names(&join, None);
        self.aside(busy, |b| {
            let (ts, frame) = (b.thread(), b.frame());
            let answer = b.call_status(Helper::HandlePending, vec![ts, frame]);
            let zero = b.int(0);
            let stay = b.compare(Cond::Eq, answer, zero);
            let out = b.branch(stay, true);
            let state = b.state.clone();
            let right = b.refresh_names(&join);
            if b.names_known() {
                let leave = b.leave_with(&state, target, Reason::Type);
                b.effect(Op::Guard(right, leave));
            }
            b.goto_names(&join, None);
            b.block = out;
            let leave = b.leave_with(&state, target, Reason::Interrupt);
            b.terminate(Op::Leave(leave));
        });
        self.enter_names(join);
    }

    pub fn jump_backward(&mut self, target: Offset) {
        self.poll(target);
        self.edge_to(target);
    }

    pub fn pop_jump_if(&mut self, when: JumpIf, target: Offset, backward: bool) {
        let taken = match when {
            JumpIf::True => self.truth(),
            JumpIf::False => {
                let truth = self.truth();
                self.negate(truth)
            }
            JumpIf::None | JumpIf::NotNone => {
                let item = self.pop();
                let is_none = match item {
                    Item::Raw { .. } | Item::Number(_) => self.int(0),
                    _ => {
                        let value = self.object(item);
                        let none = self.emit(Op::Symbol(Symbol::None, Ty::Obj));
                        let same = self.compare(Cond::Eq, value, none);
                        self.release(item);
                        same
                    }
                };
                if when == JumpIf::None { is_none } else { self.negate(is_none) }
            }
        };
        self.settle_volatile();
        let fall = self.branch(taken, false);
        if backward {
            let state = self.state.clone();
            self.poll(target);
            self.edge_to(target);
            self.state = state;
        } else {
            self.edge_to(target);
        }
        self.block = fall;
        self.reachable = true;
    }

    pub fn jump_if_or_pop(&mut self, when: JumpIf, target: Offset) {
        // The condition stays on the stack when the jump is taken, so its truth is tested on a copy.
        self.guess_bool();
        let position = self.position(1);
        let truth = match self.state.stack[position] {
            Item::Raw { .. } | Item::Number(_) => {
                let copy = self.state.stack[position];
                self.push(copy);
                self.truth()
            }
            Item::Object { py: PyTypes::BOOL, value, .. } => {
                let yes = self.emit(Op::Symbol(Symbol::True, Ty::Obj));
                self.compare(Cond::Eq, value, yes)
            }
            _ => {
                let value = self.own_at(position);
                self.call_status(Helper::IsTrueBorrowed, vec![value])
            }
        };
        let taken = if when == JumpIf::True { truth } else { self.negate(truth) };
        self.settle_volatile();
        let fall = self.branch(taken, false);
        self.edge_to(target);
        self.block = fall;
        self.reachable = true;
        let item = self.pop();
        self.release(item);
    }

    pub fn get_iter(&mut self) {
        let item = self.state.stack[self.position(1)];
        if let Item::Object { value, own: Own::Owned, py: PyTypes::RANGE_ITER, .. } = item
            && self.is_new_range_iterator(value)
        {
            // It is its own iterator, and nobody else has it.
            self.iterators.insert(self.at.next, PyTypes::RANGE_ITER);
            let top = self.position(1);
            self.start_range(top);
            return;
        }
        if let Item::Object { py, .. } = item
            && py.exact().is_none()
            && self.may_guess(Reason::Type)
            && let Some(guess @ (PyTypes::LIST | PyTypes::TUPLE)) = self.example_type(item)
            && py.contains(guess)
            && !py.may_be_null()
        {
            self.refine(1, guess);
        }
        if let Item::Object { py, .. } = item
            && py.exact().is_none()
            && self.may_guess(Reason::Type)
            && let Some(example) = self.example(item)
            && ITERATORS.contains(example.py)
            && py.contains(example.py)
            && !py.may_be_null()
        {
            self.refine(1, example.py);
        }
        let item = self.state.stack[self.position(1)];
        let py = self.item_py(item);
        let example = self.example(item);
        self.exemplify_loop(example);
        if let Some(py) = py.exact()
            && ITERATORS.contains(py)
        {
            self.iterators.insert(self.at.next, py);
            // Its own iterator.
            return;
        }
        let guess = match py.exact() {
            // A range whose values do not fit machine ints has another iterator type.
            Some(PyTypes::RANGE) => Some(PyTypes::RANGE_ITER),
            Some(PyTypes::LIST) => Some(PyTypes::LIST_ITER),
            Some(PyTypes::TUPLE) => Some(PyTypes::TUPLE_ITER),
            _ => None,
        };
        if let Some(exact @ (PyTypes::LIST_ITER | PyTypes::TUPLE_ITER)) = guess
            && self.request.options.inline_containers
            && self.writes_back_in_loop(self.at.offset)
        {
            self.iterators.insert(self.at.next, exact);
            let iterator = self.sequence_iterator();
            self.push_owned(iterator, exact);
            return;
        }
        let value = self.pop_owned();
        let iterator = self.call_object(Helper::GetIter, vec![value]);
        match guess {
            Some(PyTypes::RANGE_ITER) if self.may_guess(Reason::Type) => {
                self.push_owned(iterator, PyTypes::OBJECT);
                // The call is done: a wrong guess goes on after it.
                let state = self.state.clone();
                let leave = self.leave_with(&state, self.at.next, Reason::Type);
                self.effect(Op::GuardType(iterator, PyTypes::RANGE_ITER, leave));
                self.pop();
                self.push_owned(iterator, PyTypes::RANGE_ITER);
                self.iterators.insert(self.at.next, PyTypes::RANGE_ITER);
                let top = self.position(1);
                self.start_range(top);
            }
            Some(exact @ (PyTypes::LIST_ITER | PyTypes::TUPLE_ITER)) => {
                self.iterators.insert(self.at.next, exact);
                self.push_owned(iterator, exact);
            }
            _ => self.push_owned(iterator, PyTypes::OBJECT),
        }
    }

    /// Whether some locals would have to be written back before Python runs, in a loop that goes on at `end` or behind it: again
    /// and again. Not where there are names, of which nothing is known when Python has run.
    fn writes_back_in_loop(&self, end: Offset) -> bool {
        let around = |instruction: &Instruction| {
            instruction.offset >= end && instruction.op.jump_target().is_some_and(|target| target <= self.at.offset)
        };
        !self.names_known()
            && self.state.locals.iter().any(is_dirty)
            && self.request.bytecode.instructions.iter().any(around)
    }

    /// Pops an exact list or tuple, and gives a new iterator of it. Locals are written back only where making it may start the
    /// collector.
    fn sequence_iterator(&mut self) -> Value {
        let join = self.new_join();
        let iterator = self.function.add_param(join, Ty::Obj);
        self.settle_volatile();
        let value = self.own_at(self.position(1));
        let quick = self.emit(Op::Call(Helper::SequenceIterator, vec![value]));
        let null = self.emit(Op::Null(Ty::Obj));
        let made = self.compare(Cond::Ne, quick, null);
        let not = self.branch(made, true);
        // The iterator has a reference of its own, so this is not the last one.
        self.effect(Op::Decref(value));
        self.goto_with(join, quick);
        self.aside(not, |b| {
            b.flush_locals_beside();
            let value = b.pop_owned();
            let made = b.call_object(Helper::GetIter, vec![value]);
            b.goto_with(join, made);
        });
        self.pop();
        self.block = join;
        iterator
    }

    /// Whether the instruction before this one has made the iterator.
    fn is_new_range_iterator(&self, iterator: Value) -> bool {
        let insts = &self.function.blocks[self.block.0 as usize].insts;
        insts
            .iter()
            .rev()
            .take(RECENT)
            .any(|inst| inst.result == Some(iterator) && matches!(inst.op, Op::Call(Helper::RangeIterator, _)))
    }

    pub fn for_iter(&mut self, exhausted: Offset, next: Option<&Instruction>) {
        self.guess_iterator();
        if self.for_unpacked(next, exhausted) {
            return;
        }
        let position = self.position(1);
        match self.state.stack[position] {
            Item::RangeIter { iter, index } => self.for_range(position, iter, index, exhausted),
            Item::Object { value, py: py @ (PyTypes::LIST_ITER | PyTypes::TUPLE_ITER), .. }
                if self.request.options.inline_containers =>
            {
                self.for_sequence(value, py == PyTypes::TUPLE_ITER, exhausted);
            }
            Item::Object { value, py: PyTypes::RANGE_ITER, .. } if self.request.options.inline_containers => {
                let index = self.load(MemTy::I64, Ty::I64, value, self.request.layout.range_iter_index);
                self.own_at(position);
                self.for_range(position, value, index, exhausted);
                self.state.stack[position] = Item::owned(value, PyTypes::RANGE_ITER);
            }
            _ => {
                let iter = self.own_at(position);
                self.for_generic(iter, exhausted);
            }
        }
    }

    /// A local variable that was just loaded is what a loop goes through: the argument of a comprehension or generator
    /// expression. It is guarded here, outside of the loop.
    pub fn guess_passed_iterator(&mut self, local: u32, loop_at: Offset) {
        let Some(example) = self.local_example(local).filter(|example| ITERATORS.contains(example.py)) else { return };
        if !self.request.options.inline_containers || !self.may_guess(Reason::Type) {
            return;
        }
        let item = self.state.stack[self.position(1)];
        if !self.item_py(item).contains(example.py) {
            return;
        }
        self.refine(1, example.py);
        self.iterators.insert(loop_at, example.py);
        self.examples.iterate(loop_at, example);
    }

    /// Behind a yield nothing is known of a loop's iterator; most likely it is what it was when the loop began.
    fn guess_iterator(&mut self) {
        let item = self.state.stack[self.position(1)];
        if let Some(&py) = self.iterators.get(&self.at.offset)
            && let Item::Object { py: known, .. } = item
            && known.exact().is_none()
            && known.contains(py)
            && self.may_guess(Reason::Type)
        {
            self.refine(1, py);
        }
    }

    fn for_range(&mut self, position: usize, iter: Value, index: Value, exhausted: Offset) {
        let layout = self.request.layout;
        let len = self.load(MemTy::I64, Ty::I64, iter, layout.range_iter_len);
        let more = self.compare(Cond::Lt, index, len);
        let done = self.branch(more, false);
        let start = self.load(MemTy::I64, Ty::I64, iter, layout.range_iter_start);
        let step = self.load(MemTy::I64, Ty::I64, iter, layout.range_iter_step);
        let distance = self.binary(BinOp::Mul, index, step);
        let value = self.binary(BinOp::Add, start, distance);
        let one = self.int(1);
        let next = self.binary(BinOp::Add, index, one);
        self.store(MemTy::I64, iter, layout.range_iter_index, next);
        self.count("range_loops");
        self.aside(done, |b| {
            b.pop();
            b.release_value(iter, PyTypes::RANGE_ITER);
            b.edge_to(exhausted);
        });
        self.state.stack[position] = Item::RangeIter { iter, index: next };
        self.push(Item::raw(Raw::Int(value)));
    }

    /// A loop over a list or tuple, in line.
    fn for_sequence(&mut self, iter: Value, tuple: bool, exhausted: Offset) {
        self.settle_volatile();
        let mut ends = Vec::new();
        let value = self.next_of_sequence(iter, tuple, &mut ends);
        self.count(if tuple { "tuple_loops" } else { "list_loops" });
        // The end is the iterator's own business: it lets go of what it goes through.
        let finished = self.function.new_block();
        for end in ends {
            self.aside(end, |b| b.goto(finished));
        }
        self.aside(finished, |b| b.end_of_sequence(iter, exhausted));
        let example = self.loop_example();
        self.exemplify(value, example);
        self.push_owned(value, PyTypes::OBJECT);
    }

    /// The iterator of a list or tuple has come to its end. It lets go of what it went through, which mostly is not the last
    /// reference: then no Python runs, and locals stay as they are.
    fn end_of_sequence(&mut self, iter: Value, exhausted: Offset) {
        let layout = self.request.layout;
        if !self.writes_back_in_loop(exhausted) {
            self.call_for_null(Helper::ForIter, vec![iter]);
        } else {
            let sequence = self.load(MemTy::Ptr, Ty::Obj, iter, layout.list_iter_list);
            let ended = self.branch_on_null(sequence);
            let count = self.load(MemTy::I64, Ty::I64, sequence, layout.ob_refcnt);
            let one = self.int(1);
            let shared = self.compare(Cond::Ne, count, one);
            let last = self.branch(shared, true);
            let null = self.emit(Op::Null(Ty::Obj));
            self.store(MemTy::Ptr, iter, layout.list_iter_list, null);
            self.effect(Op::Decref(sequence));
            let done = self.new_join();
            self.goto(done);
            self.aside(last, |b| {
                b.call_for_null(Helper::ForIter, vec![iter]);
                b.goto(done);
            });
            self.aside(ended, |b| b.goto(done));
            self.block = done;
        }
        // It goes through nothing any more: to release it runs no Python.
        if let Item::Object { own: Own::Owned, .. } = self.pop() {
            self.release_value(iter, PyTypes::RANGE_ITER);
        }
        self.edge_to(exhausted);
    }

    fn for_generic(&mut self, iter: Value, exhausted: Offset) {
        let item = if self.request.options.direct_generators {
            self.count("direct_generators");
            let ts = self.thread();
            self.call(Helper::ForIterDirect, vec![ts, iter])
        } else {
            self.call(Helper::ForIter, vec![iter])
        };
        let item = item.expect("an item or null");
        let none = self.branch_on_null(item);
        self.aside(none, |b| b.end_of_loop(0, exhausted));
        let example = self.loop_example();
        self.exemplify(item, example);
        self.push_owned(item, PyTypes::OBJECT);
    }

    pub fn return_value(&mut self) {
        let value = self.pop_owned();
        self.flush_names();
        if self.finishes_frame() {
            return self.finish_frame(value);
        }
        // Whoever keeps this frame's object may read its line and its locals after the return.
        self.set_ip();
        if self.state.locals.iter().any(is_dirty) {
            let unseen = self.is_unseen();
            let seen = self.branch(unseen, true);
            let done = self.function.new_block();
            self.goto(done);
            self.aside(seen, |b| {
                b.set_ip();
                b.flush_locals();
                b.goto(done);
            });
            self.block = done;
        }
        self.terminate(Op::Return(Status::Returned, Some(value)));
    }

    /// Whether nobody has the frame's object: 1 or 0.
    fn is_unseen(&mut self) -> Value {
        let frame = self.frame();
        let object = self.load(MemTy::Ptr, Ty::Ptr, frame, self.request.layout.frame_object);
        let null = self.emit(Op::Null(Ty::Ptr));
        self.compare(Cond::Eq, object, null)
    }

    /// Whether returns release the locals themselves. A generator's frame is its own; bodies of modules and classes have none.
    fn finishes_frame(&self) -> bool {
        let code = self.request.code;
        let function = flags::OPTIMIZED | flags::NEWLOCALS;
        self.request.options.finish_frames
            && code.flags & function == function
            && !code.makes_generator()
            && code.locals_plus_kinds.len() <= MOST_LOCALS_FINISHED
    }

    /// Returns with the locals released: their types are known here, and whoever made the frame would have to look at each.
    /// A frame that somebody holds, or of which a trace function is to see the end, is left as it is.
    fn finish_frame(&mut self, value: Value) {
        let layout = self.request.layout;
        let unseen = self.is_unseen();
        let seen = self.branch(unseen, true);
        let (cframe, quiet) = self.is_untraced();
        let traced = self.branch(quiet, true);
        self.aside(traced, |b| b.goto(seen));
        self.aside(seen, |b| {
            b.set_ip();
            b.flush_locals();
            b.terminate(Op::Return(Status::Returned, Some(value)));
        });
        let held = |local: &Local| match local.form {
            Form::Slot { .. } => local.py,
            // What a raw local's slot holds is unknown but harmless.
            Form::Raw { .. } | Form::MaybeRaw { .. } | Form::Number(_) => BENIGN,
        };
        if self.state.locals.iter().any(|local| !BENIGN.contains(held(local))) {
            // What the releases run must not find the frame.
            let frame = self.frame();
            let previous = self.load(MemTy::Ptr, Ty::Ptr, frame, layout.frame_previous);
            self.store(MemTy::Ptr, cframe, layout.cframe_current_frame, previous);
        }
        // Numbers are mostly raw, and their slots empty, but for what was passed: one test for all of them.
        let mut leftovers = Vec::new();
        for i in 0..self.state.locals.len() {
            let local = self.state.locals[i];
            let py = held(&local);
            if py == PyTypes::NULL {
                continue;
            }
            let object = match local.form {
                Form::Slot { value: Some(object) } => object,
                _ => {
                    let object = self.emit(Op::SlotGet(i as u32));
                    self.defined(object, py)
                }
            };
            let passed = (i as u32) < self.request.code.argcount;
            match py.may_be_null() {
                true if !passed && BENIGN.contains(py) => leftovers.push(object),
                true => self.effect(Op::XDecref(object)),
                false => self.effect(Op::Decref(object)),
            }
        }
        if let Some((first, others)) = leftovers.split_first() {
            let mut any = self.emit(Op::Unary(UnOp::Cast(Ty::I64), *first));
            for other in others {
                let bits = self.emit(Op::Unary(UnOp::Cast(Ty::I64), *other));
                any = self.binary(BinOp::Or, any, bits);
            }
            let zero = self.int(0);
            let none = self.compare(Cond::Eq, any, zero);
            let some = self.branch(none, true);
            let done = self.function.new_block();
            self.goto(done);
            self.aside(some, |b| {
                for object in &leftovers {
                    b.effect(Op::XDecref(*object));
                }
                b.goto(done);
            });
            self.block = done;
        }
        self.count("finish_frames");
        self.terminate(Op::Return(Status::Finished, Some(value)));
    }
}
