//! Directed cases: what a person who knows how generators fail would try.
//!
//! *Problem*: random programs rarely meet the edges of ranges, and never thousands of live values. *Method*: functions built
//! by hand, in three rooms by subject. *Invariant*: each case states its expectation itself; none asks the interpreter.

// Tables of operations with their expected meaning.
#![allow(clippy::type_complexity)]

mod arithmetic;
mod control;
mod memory;

use crate::run::Case;

pub(crate) fn cases() -> Vec<Case> {
    [arithmetic::CASES, control::CASES, memory::CASES]
        .into_iter()
        .flatten()
        .map(|&(name, run)| Case::new(name, run))
        .collect()
}
