//! What sequences contain: items that were read once and are there still.
//!
//! *Problem*: code that takes the same tuple or list apart again reads every item again, and stores it again where it is. *Method*:
//! the state remembers, by the value of the sequence, the items that `UNPACK_SEQUENCE` read. An exact tuple never changes while
//! somebody can name it. A list may: the builder counts what it emits that could change one, and what is remembered holds as
//! long as the count is the same. Releases are counted apart. They can run a finaliser, but rarely change the list: where
//! nothing but releases lies between and all items are still in locals, a guard that the items are the same takes the place of
//! the stores ([`Builder::expect_items`]), and what follows needs not even that.
//! *Invariants*:
//! - what is remembered belongs to the state, so it holds on the paths that come from there only; merges remember nothing;
//! - the counts belong to the builder and only grow, so what a path aside does counts for all that is emitted later;
//! - a remembered item is used only where something is known to have kept it alive since it was read: the sequence, or a local.
//!   Otherwise another object could have taken its address, and what is known of the value would be wrong.

use super::builder::Builder;
use super::state::*;
use crate::exit::Reason;
use crate::ir::op::{Cond, Op, Value};
use crate::ir::types::PyTypes;
use std::rc::Rc;

/// So many sequences are remembered, the latest.
const MOST: usize = 4;

/// The items of a sequence, as they were when the counts were these.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contents {
    pub sequence: Value,
    pub items: Rc<[Value]>,
    /// An exact tuple.
    fixed: bool,
    changes: Changes,
}

/// How many operations were emitted that could change a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Calls and stores.
    pub writes: u32,
    /// Releases that may run Python.
    pub releases: u32,
}

impl Builder<'_> {
    /// Counts an operation that may change a list.
    pub fn note_change(&mut self, op: &Op) {
        match op {
            Op::Incref(_) | Op::SlotSet(..) | Op::SetIp(_) => {}
            op if op.writes_memory() => self.changes.writes += 1,
            _ => {}
        }
    }

    /// Remembers the items of a sequence that somebody else than the stack keeps alive.
    pub fn remember_items(&mut self, sequence: Value, items: &[Value], fixed: bool) {
        if !self.request.options.known_items {
            return;
        }
        let contents = &mut self.state.contents;
        contents.retain(|known| known.sequence != sequence);
        if contents.len() == MOST {
            contents.remove(0);
        }
        contents.push(Contents { sequence, items: items.into(), fixed, changes: self.changes });
    }

    /// The items of a sequence, if what is remembered of it holds.
    pub fn known_items(&self, sequence: Value) -> Option<Rc<[Value]>> {
        let known = self.state.contents.iter().find(|known| known.sequence == sequence)?;
        (known.fixed || known.changes == self.changes).then(|| known.items.clone())
    }

    /// What a list contained before objects were released, if every item is in a local still: likely it contains that now.
    pub fn likely_items(&self, sequence: Value) -> Option<Rc<[Value]>> {
        let known = self.state.contents.iter().find(|known| known.sequence == sequence)?;
        let kept = |item: &Value| {
            self.state
                .locals
                .iter()
                .any(|local| matches!(local.form, Form::Slot { value: Some(held) } if held == *item))
        };
        (known.changes.writes == self.changes.writes && known.items.iter().all(kept)).then(|| known.items.clone())
    }

    /// The element that a subscript by a constant reads, if it is known.
    pub fn known_element(&self) -> Option<Value> {
        let index = usize::try_from(self.constant_index()?).ok()?;
        match self.state.stack[self.position(2)] {
            Item::Object { own: Own::Owned, .. } => None,
            Item::Object { value, .. } => self.known_items(value)?.get(index).copied(),
            _ => None,
        }
    }

    /// Pushes an item of a sequence, borrowed from that: with the types it has as the value of a local.
    pub fn push_known(&mut self, value: Value) {
        let holder = self
            .state
            .locals
            .iter()
            .find(|local| matches!(local.form, Form::Slot { value: Some(held) } if held == value));
        let (py, big) = holder.map_or((PyTypes::OBJECT, false), |local| (local.py, local.big));
        self.push(Item::Object { value, own: Own::Volatile, py: py.difference(PyTypes::NULL), big, known: None });
    }

    /// Guards that what was read just now are the items expected.
    pub fn expect_items(&mut self, found: &[Value], expected: &[Value]) {
        for (found, expected) in found.iter().zip(expected) {
            let same = self.compare(Cond::Eq, *found, *expected);
            self.guard(same, Reason::Version);
        }
    }
}
