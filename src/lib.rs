//! Columba: a framework for building JIT compilers for CPython.
//!
//! A JIT author says *how* to add two numbers; the framework decides *when*. It decodes CPython's bytecode, interprets it
//! abstractly, infers types, optimises, and hands typed primitive operations to a code generator. Three generators come
//! with it, each a Cargo feature: `cranelift` (default), `llvm`, `dynasm`. A fourth is yours: implement
//! [`emitter::Emitter`], hand it to [`drive::drive`] from a [`backend::Backend`], and let `columba-jit-conformance` prove it;
//! `docs/write-a-backend.md` leads through one.
//!
//! The core is here under its own names; [`backends`] are those compiled in; [`Pipeline`] is the shortest way from a code
//! object to its types, its IR, a listing or an entry point, without any Python installed. The feature `cpython` adds the
//! module `cpython`: backends installed into the running CPython through PEP 523.

pub use columba_jit_core::*;

pub mod backends;
#[cfg(feature = "cpython")]
pub mod cpython;
mod pipeline;

pub use pipeline::{Pipeline, PipelineError, Unplaced};
