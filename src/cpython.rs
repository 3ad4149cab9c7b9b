//! Backends in a running CPython.
//!
//! A program that embeds CPython, or an extension module of its own, registers its backend and imports the Python package
//! `columba`, which is part of this library: `columba.enable(backend="mine")` then compiles with it.

pub use columba_cpython_hook::backends::{RegisterError, register};
pub use columba_cpython_hook::embed::import;
pub use pyo3;
