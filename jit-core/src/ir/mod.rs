//! The typed SSA intermediate representation.

pub mod dominators;
pub mod function;
pub mod op;
pub mod operands;
pub mod parse;
pub mod print;
pub mod types;
pub mod verify;
