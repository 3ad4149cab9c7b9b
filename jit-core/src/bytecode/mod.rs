//! CPython bytecode of every supported version, decoded to one instruction set.

pub mod code;
pub mod instruction;
