//! Machine code by LLVM.
//!
//! *Problem*: the best code that can be had for hot functions, at a compile time of milliseconds. *Method*: the core's driver
//! builds LLVM's IR through [`emitter::LlvmEmitter`]; a short list of LLVM's passes optimises it; LLVM writes an object file
//! into memory, and what of it is code and constants becomes one position-independent block that the core's code memory
//! publishes. Context and module are dropped then. *Invariants*: all addresses of the process are constants of the code, so
//! relocations remain only within the block; nothing here knows CPython.
//!
//! # LLVM in a Python process
//!
//! LLVM's shared library is linked dynamically, in the version chosen by a feature: `llvm19`, the default; 22 passes the
//! tests as well; 17, 18, 20 and 21 are known to compile. Other extension modules bring an LLVM of their own (numba's
//! llvmlite does), and they do not meet: Python opens extension modules
//! without putting their symbols into the global scope, the symbols of Debian's library carry their version, and llvmlite
//! hides its own. Each copy has its own options and registries: what the backend has its copy leave out (`backend`) is left
//! out for another extension only if that is linked with the very same library. LLVM starts no threads; it has a few locks
//! of its own, so a process must not fork while another thread compiles.
//!
//! A fatal error within LLVM ends the process and cannot be caught: it is a bug of LLVM or a lack of memory. What LLVM reports
//! as a diagnostic is an error like any other.

mod abi;
mod backend;
pub mod emitter;
mod finish;
mod values;

pub use backend::LlvmBackend;
pub use values::Operand;
