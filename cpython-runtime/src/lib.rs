//! What compiled code reads and calls of CPython.
//!
//! Problem: compiled code and the hook work on structs that CPython does not publish (frames, thread states, dict
//! keys). Method: `build.rs` takes every offset from the headers of the interpreter it builds for ([`layout`]);
//! thin views ([`frame`], [`thread`], [`code`], [`object`]) give those offsets types and names.
//! Invariant: a version of CPython is named only in `build.rs` and in `layout_3_11.c`; everything else uses names.

#![deny(unsafe_op_in_unsafe_fn)]

#[macro_use]
mod view;

pub mod arguments;
pub mod call_frames;
pub mod capture;
pub mod code;
pub mod collecting;
pub mod direct;
pub mod direct_calls;
pub mod entering;
pub mod environment;
pub mod exits;
pub mod frame;
pub mod generator;
pub mod helpers;
mod keys;
pub mod layout;
pub mod object;
mod spare_functions;
pub mod spare_generators;
pub mod stack_limit;
mod starred_calls;
pub mod thread;
pub mod types_seen;
pub mod vectorcall;
