//! CPython bytecode of every supported version, decoded to one instruction set.

pub mod code;
pub mod decode;
pub mod exception_table;
pub mod hostile;
pub mod instruction;
pub mod line_table;
pub mod marshal;
pub mod stack_effect;
pub mod v3_11;
