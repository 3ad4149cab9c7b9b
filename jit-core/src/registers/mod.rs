//! Registers for backends that choose them themselves.
//!
//! *Problem*: a fast backend wants registers that are good in loops for a few nanoseconds per instruction. *Method*: each
//! value has one home for its whole life, a register or a stack slot. Blocks are put in a linear order ([`order`]), in which a
//! value's life is one interval, found by a single forward pass; a linear scan ([`scan`]) gives intervals their homes and may
//! still take a register back, since no code was emitted yet; what blocks pass on is moved on the edges ([`moves`]).
//! *Invariants*: nothing here knows a processor: registers are numbers below 32, in classes that the backend describes.

pub mod moves;
pub mod order;
pub mod scan;
