//! Columba in CPython: the PEP 523 hook, the tiering policy, and the Python module `columba`.
//!
//! The way of a call: [`hook`] gets a frame; [`code_state`] says what is known of its code; [`tiering`] decides;
//! [`compile`] makes machine code; [`hook`] enters it. Loops that already run are found by [`ticker`] and handed over
//! by [`extraction`]. While nothing compiled runs, the hook is away most of the time ([`parking`]). How code is generated is known to none of these.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod backends;
pub mod background;
pub mod code_state;
pub mod collecting;
pub mod compile;
pub mod config;
pub mod embed;
pub mod extraction;
pub mod generator_slots;
pub mod generators;
pub mod hook;
pub mod job;
pub mod launcher;
pub mod parking;
mod python;
pub mod thread_end;
pub mod ticker;
pub mod tiering;

/// Only in the extension module: a program that links this crate chooses its own.
#[cfg(feature = "allocator")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
