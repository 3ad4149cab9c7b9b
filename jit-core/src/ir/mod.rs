//! The typed SSA intermediate representation.

pub mod balance;
pub mod dominators;
pub mod function;
pub mod generate;
pub mod interpret;
pub mod op;
pub mod operands;
pub mod parse;
pub mod print;
pub mod simulate;
pub mod types;
pub mod verify;
