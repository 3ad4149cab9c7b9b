//! Control flow of one code object: blocks, dominators, loops, liveness.

pub mod dominators;
pub mod graph;
pub mod liveness;
pub mod loops;
