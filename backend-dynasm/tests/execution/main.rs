//! The execution tests of all backends, on this one, and tests of what only this one does.

// Tables of operations with their expected meaning.
#![allow(clippy::type_complexity)]

#[path = "../../../backend-cranelift/tests/execution/arithmetic.rs"]
mod arithmetic;
#[path = "../../../backend-cranelift/tests/execution/calls.rs"]
mod calls;
#[path = "../../../backend-cranelift/tests/execution/control.rs"]
mod control;
#[path = "../../../backend-cranelift/tests/execution/harness.rs"]
mod harness;
#[path = "../../../backend-cranelift/tests/execution/memory.rs"]
mod memory;
#[path = "../../../backend-cranelift/tests/execution/publishing.rs"]
mod publishing;
#[path = "../../../backend-cranelift/tests/execution/random.rs"]
mod random;
mod registers;
mod under_test;
