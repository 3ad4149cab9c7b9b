//! Slices that are read or assigned at once: no slice object is made.
//!
//! *Problem*: `x[a:b]` makes an object of two others, which a function with a switch over types takes apart again. *Method*: a
//! `BUILD_SLICE` directly before the subscript that uses it is done together with that. Bounds that are raw, or ints that can be
//! unboxed, go raw to a helper that handles what is common and gives up on anything else, which a cold path then does with
//! objects. *Invariants*: guards leave to the `BUILD_SLICE`; from then on the current instruction is the subscript, where errors
//! are reported, and no guard follows; the first helper neither raises nor runs Python, so locals stay raw around it.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::code::Constant;
use crate::bytecode::instruction::{Instruction, Op as Code};
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{Cond, Op, Value};
use crate::ir::types::{PyTypes, Ty};

/// Types whose slices the quick helper makes.
const SLICED: [PyTypes; 4] = [PyTypes::LIST, PyTypes::TUPLE, PyTypes::STR, PyTypes::BYTES];

/// Start, stop and step as numbers.
struct Bounds {
    raw: [Value; 3],
    /// Whether the step is known to be 1.
    consecutive: bool,
}

impl Builder<'_> {
    pub fn build_slice(&mut self, parts: u32, next: Option<&Instruction>) {
        if let Some(next) = next
            && self.request.options.inline_slices
            && !self.plan.starts.contains(&next.offset)
        {
            match next.op {
                Code::BinarySubscr => return self.read_slice(parts, next),
                Code::StoreSubscr => return self.store_slice(parts, next),
                _ => {}
            }
        }
        let items = self.pop_bounds(parts);
        let operands = self.own_all(items);
        let value = self.call_object(Helper::BuildSlice, operands);
        self.push_owned(value, PyTypes::SLICE);
    }

    /// Start, stop and step; `Null` for a step that is not given.
    fn pop_bounds(&mut self, parts: u32) -> [Item; 3] {
        let step = if parts == 3 { self.pop() } else { Item::Null };
        let stop = self.pop();
        let start = self.pop();
        [start, stop, step]
    }

    /// Items that were popped, as references: those of the same raw value become the same object.
    fn own_all<const N: usize>(&mut self, items: [Item; N]) -> Vec<Value> {
        self.state.stack.extend(items);
        let mut values: Vec<Value> = items.iter().map(|_| self.pop_owned()).collect();
        values.reverse();
        values
    }

    fn is_none(&self, item: Item) -> bool {
        matches!(item, Item::Null) || self.item_py(item) == PyTypes::NONE
    }

    /// The topmost items as raw bounds, if they can all be; guarded where that is a guess.
    fn raw_bounds(&mut self, parts: u32) -> Option<Bounds> {
        let guesses = self.may_guess(Reason::Type) && self.may_guess(Reason::Overflow);
        for depth in 1..=parts {
            let item = self.state.stack[self.position(depth)];
            let possible = match item {
                Item::Raw { raw, .. } => raw.kind() != RawKind::Float,
                Item::Const(i) => matches!(self.constant(i), Constant::None | Constant::Int(_)),
                Item::Object { py: PyTypes::NONE, .. } => true,
                Item::Object { py: PyTypes::INT, big: false, .. } => guesses,
                Item::Object { py, big: false, .. } => {
                    guesses && py.contains(PyTypes::INT) && self.example_type(item) == Some(PyTypes::INT)
                }
                _ => false,
            };
            if !possible {
                return None;
            }
        }
        let mut given = [None; 3];
        for (part, given) in given.iter_mut().enumerate().take(parts as usize) {
            let depth = parts - part as u32;
            let item = self.state.stack[self.position(depth)];
            if !self.is_none(item) {
                if matches!(item, Item::Object { .. }) {
                    self.refine(depth, PyTypes::INT);
                }
                *given = Some(self.raw_at(depth).value());
            }
        }
        let step_item = if parts == 3 { self.state.stack[self.position(1)] } else { Item::Null };
        let known_step = match step_item {
            Item::Const(i) => match *self.constant(i) {
                Constant::Int(step) => Some(step),
                _ => Some(1),
            },
            _ if given[2].is_none() => Some(1),
            _ => None,
        };
        let step = given[2].unwrap_or_else(|| self.int(1));
        let missing = |upwards: i64, downwards: i64, b: &mut Self| match known_step {
            Some(step) => b.int(if step < 0 { downwards } else { upwards }),
            None => {
                let zero = b.int(0);
                let down = b.compare(Cond::Lt, step, zero);
                let (upwards, downwards) = (b.int(upwards), b.int(downwards));
                b.emit(Op::Select(down, downwards, upwards))
            }
        };
        let start = given[0].unwrap_or_else(|| missing(0, i64::MAX, self));
        let stop = given[1].unwrap_or_else(|| missing(i64::MAX, i64::MIN, self));
        Some(Bounds { raw: [start, stop, step], consecutive: known_step == Some(1) })
    }

    /// From here on the current instruction is the subscript behind the `BUILD_SLICE`.
    fn fuse(&mut self, next: &Instruction) {
        self.count("inline_slices");
        self.at = next.clone();
        self.ip_set = false;
        self.took_next = 1;
    }

    /// Whether the object may be one that a quick helper takes; and whether a number of the bounds is not on the stack beside
    /// them, where it would have to stay the same object.
    fn is_quick(&self, container: Item, types: &[PyTypes], bounds: &[Item]) -> bool {
        let py = self.item_py(container);
        let guess = self.example(container).map_or(py, |example| py.intersection(example.py));
        matches!(container, Item::Object { .. } | Item::Const(_))
            && types.iter().any(|ty| py.contains(*ty) && (guess.is_empty() || guess.contains(*ty)))
            && !bounds.iter().any(|bound| {
                let Item::Raw { raw, .. } = bound else { return false };
                self.state.stack.iter().any(|item| item.is_raw(*raw))
            })
    }

    /// Before a quick helper: what borrows from containers gets references, and names, which cold paths do not follow, are written
    /// back.
    fn settle_for_quick(&mut self) {
        self.settle_volatile();
        if self.names_known() || self.state.suspect.is_some() {
            self.flush_names();
            self.forget_names();
        }
    }

    fn read_slice(&mut self, parts: u32, next: &Instruction) {
        let bounds = self.raw_bounds(parts);
        self.fuse(next);
        let items = self.pop_bounds(parts);
        let container = self.pop();
        let py = self.item_py(container);
        let result_py = if SLICED.contains(&py) { py } else { PyTypes::OBJECT };
        let example = self.example(container).filter(|example| example.py == PyTypes::LIST);
        let value = match bounds {
            Some(Bounds { raw: [start, stop, step], .. }) if self.is_quick(container, &SLICED, &items) => {
                self.settle_for_quick();
                let object = self.object(container);
                let quick = self.emit(Op::Call(Helper::SubscrSliceQuick, vec![object, start, stop, step]));
                let join = self.new_join();
                let result = self.function.add_param(join, Ty::Obj);
                let null = self.emit(Op::Null(Ty::Obj));
                let done = self.compare(Cond::Ne, quick, null);
                let slow = self.branch(done, true);
                self.aside(slow, |b| {
                    b.flush_locals_beside();
                    let value = b.call_slice(container, items);
                    b.goto_with(join, value);
                });
                for item in [container].into_iter().chain(items) {
                    self.release(item);
                }
                self.goto_with(join, quick);
                self.block = join;
                self.defined(result, result_py)
            }
            _ => self.call_slice(container, items),
        };
        self.exemplify(value, example);
        self.push_owned(value, result_py);
    }

    /// The subscript with objects.
    fn call_slice(&mut self, container: Item, items: [Item; 3]) -> Value {
        let [start, stop, step] = items;
        let operands = self.own_all([container, start, stop, step]);
        self.call_object(Helper::SubscrSlice, operands)
    }

    fn store_slice(&mut self, parts: u32, next: &Instruction) {
        let bounds = self.raw_bounds(parts);
        self.fuse(next);
        let items = self.pop_bounds(parts);
        let container = self.pop();
        let value = self.pop();
        match bounds {
            Some(Bounds { raw: [start, stop, _], consecutive: true })
                if self.is_quick(container, &[PyTypes::LIST], &items)
                    && self.is_quick(value, &[PyTypes::LIST, PyTypes::TUPLE], &items) =>
            {
                let owned = self.own(value);
                self.settle_for_quick();
                let object = self.object(container);
                let back = self.emit(Op::Call(Helper::StoreSliceQuick, vec![owned, object, start, stop]));
                let join = self.new_join();
                let null = self.emit(Op::Null(Ty::Obj));
                let done = self.compare(Cond::Eq, back, null);
                let slow = self.branch(done, true);
                self.aside(slow, |b| {
                    b.flush_locals_beside();
                    b.call_store_slice(Item::owned(back, PyTypes::OBJECT), container, items);
                    b.goto(join);
                });
                for item in [container].into_iter().chain(items) {
                    self.release(item);
                }
                self.goto(join);
                self.block = join;
            }
            _ => {
                self.call_store_slice(value, container, items);
            }
        }
    }

    fn call_store_slice(&mut self, value: Item, container: Item, items: [Item; 3]) {
        let [start, stop, step] = items;
        let operands = self.own_all([value, container, start, stop, step]);
        self.call_status(Helper::StoreSubscrSlice, operands);
    }
}
