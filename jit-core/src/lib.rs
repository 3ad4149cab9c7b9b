//! The part of Columba that every Python JIT shares: bytecode, types, IR, passes and the doors to a backend.
//!
//! Links nothing of CPython and names no backend.

pub mod bytecode;
pub mod exit;
pub mod flow;
pub mod helpers;
pub mod ir;
pub mod layout;
pub mod lower;
pub mod unit;
