//! Replacing values by others, in one sweep at the end.
//!
//! *Problem*: rewriting all uses of a value at once, for each value, is quadratic. *Method*: a forest over value numbers with
//! path compression. *Invariants*: a replacement never leads to a cycle: the caller replaces a value only by one that is
//! resolved and different.

use crate::ir::function::Function;
use crate::ir::op::{Op, Value};

pub(super) struct Substitution {
    to: Vec<u32>,
    pub(super) count: usize,
}

impl Substitution {
    pub(super) fn new(function: &Function) -> Self {
        Substitution { to: (0..function.values.len() as u32).collect(), count: 0 }
    }

    pub(super) fn resolve(&mut self, value: Value) -> Value {
        let mut root = value.0;
        while self.to[root as usize] != root {
            root = self.to[root as usize];
        }
        let mut step = value.0;
        while self.to[step as usize] != root {
            step = std::mem::replace(&mut self.to[step as usize], root);
        }
        Value(root)
    }

    /// `value` is `by` from now on.
    pub(super) fn replace(&mut self, value: Value, by: Value) {
        let by = self.resolve(by);
        debug_assert_ne!(value, by);
        self.to[value.0 as usize] = by.0;
        self.count += 1;
    }

    pub(super) fn rewrite(&mut self, op: &mut Op) {
        if self.count > 0 {
            op.for_each_value_mut(|value| *value = self.resolve(*value));
        }
    }

    /// Rewrites every use in the function.
    pub(super) fn apply(&mut self, function: &mut Function) {
        if self.count == 0 {
            return;
        }
        for inst in function.blocks.iter_mut().flat_map(|block| &mut block.insts) {
            inst.op.for_each_value_mut(|value| *value = self.resolve(*value));
        }
    }
}
