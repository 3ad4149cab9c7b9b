//! Machine code by Cranelift.
//!
//! *Problem*: good code at about a microsecond per instruction. *Method*: the core's driver builds Cranelift's IR through
//! [`emitter::CraneliftEmitter`]; Cranelift compiles it to position-independent bytes, which the core's code memory publishes.
//! *Invariants*: all addresses are constants, so no relocation remains; nothing here knows CPython.

mod abi;
mod backend;
pub mod emitter;
mod finish;
mod preserving;
mod values;

pub use backend::CraneliftBackend;
pub use values::Operand;
