//! Machine code for x86-64 in a hurry.
//!
//! *Problem*: code that is entered a few times must not cost more to compile than it saves. *Method*: the core's driver records
//! a compact list of instructions through [`emitter::DynasmEmitter`]; neighbours that one machine instruction can do are
//! joined, the core's linear scan gives each value a home, and one walk encodes by `dynasm`. *Invariants*: all addresses are
//! constants or relative to the code, so the bytes are position-independent; nothing here knows CPython.

// `dynasm!` converts every register number.
#![allow(clippy::useless_conversion)]

mod abi;
mod backend;
pub mod emitter;
mod finish;
mod values;

pub use backend::DynasmBackend;
pub use finish::finish;
pub use values::{Operand, Recording};
