//! Hand-built functions, compiled in every mode and executed from code memory.

// Tables of operations with their expected meaning.
#![allow(clippy::type_complexity)]

mod arithmetic;
mod calls;
mod control;
mod harness;
mod memory;
mod publishing;
mod random;
mod under_test;
