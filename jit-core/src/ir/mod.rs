//! The typed SSA intermediate representation.

pub mod function;
pub mod op;
pub mod types;
