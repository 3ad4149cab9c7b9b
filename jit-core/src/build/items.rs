//! Items of the value stack: who owns their references, what objects they become, and how they are dropped.
//!
//! *Problem*: most references that bytecode takes are given up an instruction later, and most raw values are consumed
//! without anyone having asked for an object. *Method*: an item is raw, or borrows from whatever keeps its object alive, until
//! something consumes a reference; [`Builder::own`] makes that reference. *Invariants*:
//! - whoever pops an item consumes it once: it becomes a reference, or it is released;
//! - a raw value becomes one object, whichever item, local or name is asked for it first;
//! - a release that may run Python is preceded by what every such place needs: locals and names written back, `prev_instr`
//!   stored.

use super::BuildError;
use super::builder::Builder;
use super::contents::Changes;
use super::locals::{holds, is_dirty};
use super::state::*;
use crate::bytecode::code::Constant;
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Cond, Op, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};
use std::ops::Range;

impl Builder<'_> {
    pub fn push(&mut self, item: Item) {
        self.state.stack.push(item);
    }

    pub fn push_owned(&mut self, value: Value, py: PyTypes) {
        self.typed(value, py);
        self.state.stack.push(Item::owned(value, py));
    }

    pub fn pop(&mut self) -> Item {
        match self.state.stack.pop() {
            Some(item) => item,
            None => {
                self.error.get_or_insert(BuildError::Unsupported("value stack underflow".into()));
                Item::Null
            }
        }
    }

    /// Pops an item as a reference the caller must consume; null is allowed.
    pub fn pop_owned(&mut self) -> Value {
        let item = self.pop();
        self.own(item)
    }

    /// The item as a new or moved reference.
    pub fn own(&mut self, item: Item) -> Value {
        match item {
            Item::Null => self.emit(Op::Null(Ty::Obj)),
            Item::Object { value, own: Own::Owned, .. } | Item::RangeIter { iter: value, .. } => value,
            Item::Object { value, py, .. } => {
                debug_assert!(!py.may_be_null(), "borrowed null");
                self.effect(Op::Incref(value));
                value
            }
            Item::Const(_) => {
                let value = self.object(item);
                self.effect(Op::Incref(value));
                value
            }
            Item::Raw { raw, .. } => match self.own_name(raw) {
                Some(value) => value,
                None => self.box_raw(raw),
            },
            Item::Number(number) => self.box_number(number),
            Item::Tuple(_) | Item::NoKeywords | Item::Instance => self.no_object(),
        }
    }

    /// A new reference to the one object that a raw value becomes: that of a local which holds it, or a new one which
    /// other stack items of the same value share from here on.
    pub fn box_raw(&mut self, raw: Raw) -> Value {
        if let Some(local) = self.home_of(raw) {
            self.flush_local(local);
            let value = self.local_object(local);
            self.effect(Op::Incref(value));
            return value;
        }
        let value = self.new_box(raw);
        for position in 0..self.state.stack.len() {
            if self.state.stack[position].is_raw(raw) {
                self.effect(Op::Incref(value));
                self.state.stack[position] = Item::owned(value, raw.py());
            }
        }
        value
    }

    /// A new object for a raw value, whoever else has one.
    pub fn new_box(&mut self, raw: Raw) -> Value {
        let value = self.emit(match raw {
            Raw::Float(v) => Op::BoxFloat(v),
            Raw::Int(v) => Op::BoxInt(v),
            Raw::Bool(v) => Op::BoxBool(v),
        });
        self.defined(value, raw.py())
    }

    /// Whether a stack item has the raw value, or a local of which the program may ask for the object.
    pub fn is_seen_elsewhere(&self, raw: Raw) -> bool {
        self.state.stack.iter().any(|item| item.is_raw(raw))
            || (0..).zip(&self.state.locals).any(|(i, local)| holds(local, raw) && !self.only_computes(i))
    }

    /// The item as an object without a reference of its own; raw items must be owned instead.
    pub fn object(&mut self, item: Item) -> Value {
        match item {
            Item::Object { value, .. } | Item::RangeIter { iter: value, .. } => value,
            Item::Const(i) => self.constant_object(i),
            Item::Null => self.emit(Op::Null(Ty::Obj)),
            Item::Raw { .. } | Item::Number(_) => unreachable!("raw items have no object"),
            Item::Tuple(_) | Item::NoKeywords | Item::Instance => self.no_object(),
        }
    }

    /// What does not exist yet is wanted as an object: then the body cannot be inlined.
    fn no_object(&mut self) -> Value {
        self.give_up_body();
        self.emit(Op::Null(Ty::Obj))
    }

    /// Makes the item at a stack position an object the stack owns, and gives it.
    pub fn own_at(&mut self, position: usize) -> Value {
        // Out of the stack while it is boxed: `box_raw` gives every item it finds there a reference.
        let item = std::mem::replace(&mut self.state.stack[position], Item::Null);
        let value = self.own(item);
        let py = self.item_py(item);
        self.state.stack[position] = Item::owned(value, py);
        value
    }

    /// Stack position of the item `n` below the top; 1 is the top.
    pub fn position(&self, n: u32) -> usize {
        self.state.stack.len().saturating_sub(n as usize)
    }

    pub fn item_py(&self, item: Item) -> PyTypes {
        match item {
            Item::Null => PyTypes::NULL,
            Item::Const(i) => self.constant_py(i),
            Item::Object { py, .. } => py,
            Item::Raw { raw, .. } => raw.py(),
            Item::Number(_) => NUMBER,
            Item::RangeIter { .. } => PyTypes::RANGE_ITER,
            Item::Tuple(_) => PyTypes::TUPLE,
            Item::NoKeywords => PyTypes::DICT,
            Item::Instance => PyTypes::OTHER,
        }
    }

    pub fn constant_py(&self, constant: u32) -> PyTypes {
        constant_types(self.constant(constant))
    }

    /// The raw value of a constant, if it has one.
    pub fn constant_raw(&mut self, constant: u32) -> Option<Raw> {
        Some(match *self.constant(constant) {
            Constant::Int(i) => Raw::Int(self.int(i)),
            Constant::Float(x) => Raw::Float(self.emit(Op::FConst(x.to_bits()))),
            Constant::Bool(b) => Raw::Bool(self.int(i64::from(b))),
            _ => return None,
        })
    }

    /// Drops a popped item.
    pub fn release(&mut self, item: Item) {
        match item {
            Item::Object { value, own: Own::Owned, py, .. } => self.release_value(value, py),
            Item::RangeIter { iter, .. } => self.release_value(iter, PyTypes::RANGE_ITER),
            _ => {}
        }
    }

    /// Drops a reference; what its last release may run sees a frame in order.
    pub fn release_value(&mut self, value: Value, py: PyTypes) {
        let Changes { writes, releases } = self.changes;
        self.emit_release(value, py);
        self.changes = Changes { writes, releases: releases + u32::from(!BENIGN.contains(py)) };
    }

    fn emit_release(&mut self, value: Value, py: PyTypes) {
        if py == PyTypes::NULL {
            return;
        }
        if !BENIGN.contains(py) {
            self.set_ip();
            self.settle_names();
        }
        let dirty = !BENIGN.contains(py) && (self.names_known() || self.state.locals.iter().any(is_dirty));
        self.settle_volatile();
        if dirty {
            // Only the last release needs the boxes; it is not the usual case.
            let join = self.join_names(true);
            if py.may_be_null() {
                let null = self.emit(Op::Null(Ty::Obj));
                let there = self.compare(Cond::Ne, value, null);
                let not = self.branch(there, false);
                self.aside(not, |b| b.goto_names(&join, None));
            }
            let count = self.load(MemTy::I64, Ty::I64, value, self.request.layout.ob_refcnt);
            let one = self.int(1);
            let shared = self.compare(Cond::Ne, count, one);
            let last = self.branch(shared, true);
            if self.request.layout.refcount_by_helper {
                self.effect(Op::Decref(value));
            } else {
                let fewer = self.binary(BinOp::Sub, count, one);
                self.store(MemTy::I64, value, self.request.layout.ob_refcnt, fewer);
            }
            self.goto_names(&join, None);
            self.aside(last, |b| {
                // Numbers and most instances run nothing.
                let quiet = b.emit(Op::Call(Helper::GiveBack, vec![value]));
                let other = b.branch(quiet, true);
                b.goto_names(&join, None);
                b.block = other;
                b.flush_locals_beside();
                b.flush_names();
                b.effect(Op::Decref(value));
                b.forget_names();
                let right = b.refresh_names(&join);
                b.goto_names(&join, Some(right));
            });
            self.enter_names(join);
        } else if py.may_be_null() {
            self.effect(Op::XDecref(value));
        } else {
            self.effect(Op::Decref(value));
        }
    }

    /// Turns an item known to be a range iterator into one whose index is in a register.
    pub fn start_range(&mut self, position: usize) {
        if !self.request.options.unbox_loops {
            return;
        }
        if let Item::Object { value, own: Own::Owned, py: PyTypes::RANGE_ITER, .. } = self.state.stack[position] {
            let index = self.load(MemTy::I64, Ty::I64, value, self.request.layout.range_iter_index);
            self.state.stack[position] = Item::RangeIter { iter: value, index };
        }
    }

    /// Gives every item that borrows from a container a reference of its own.
    pub fn settle_volatile(&mut self) {
        self.settle_range(0..self.state.stack.len());
    }

    /// The same for a part of the stack.
    pub fn settle_range(&mut self, positions: Range<usize>) {
        for position in positions {
            if self.state.stack[position].is_volatile() {
                self.own_at(position);
            }
        }
    }

    /// Items that the current instruction has given references on every path so far, before its first guard: exits to its start
    /// hand them over.
    pub fn start_as_owned(&mut self) {
        for (start, now) in self.start.stack.iter_mut().zip(&self.state.stack) {
            if let (Item::Object { value, own, .. }, Item::Object { value: same, own: Own::Owned, .. }) = (start, now)
                && *own == Own::Volatile
                && value == same
            {
                *own = Own::Owned;
            }
        }
    }
}

/// Types of a constant.
pub(super) fn constant_types(constant: &Constant) -> PyTypes {
    match constant {
        Constant::None => PyTypes::NONE,
        Constant::Bool(_) => PyTypes::BOOL,
        Constant::Int(_) | Constant::BigInt => PyTypes::INT,
        Constant::Float(_) => PyTypes::FLOAT,
        Constant::Complex => PyTypes::COMPLEX,
        Constant::Str(_) => PyTypes::STR,
        Constant::Bytes(_) => PyTypes::BYTES,
        Constant::Tuple(_) => PyTypes::TUPLE,
        Constant::FrozenSet => PyTypes::FROZENSET,
        Constant::Ellipsis | Constant::Code(_) | Constant::Other => PyTypes::OTHER,
    }
}
