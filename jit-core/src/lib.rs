//! The part of Columba that every Python JIT shares: bytecode, types, IR, passes and the doors to a backend.
//!
//! Links nothing of CPython and names no backend.

pub mod backend;
pub mod build;
pub mod bytecode;
pub mod code;
pub mod disassembly;
pub mod drive;
pub mod emitter;
pub mod exit;
pub mod flow;
pub mod helpers;
pub mod ir;
pub mod layout;
pub mod lower;
pub mod passes;
pub mod registers;
pub mod unit;
mod words;
