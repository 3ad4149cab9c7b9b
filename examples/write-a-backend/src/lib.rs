//! A backend that makes Rust closures instead of machine code, so it runs on every CPU that Rust knows.
//!
//! *Problem*: show all that a backend is, in one sitting; `docs/write-a-backend.md` leads through this file step by step.
//! *Method*: a compiled function is a file of 64-bit registers and a list of blocks; a block is a list of closures, each of
//! which reads and writes registers, and one closure that says where to go next. Constants need no closure: they are in the
//! registers from the start. *Invariants*: every SSA value has a register of its own; a register file belongs to one
//! activation; nothing here unwinds.

mod calls;
mod emitter;

use columba::backend::{Backend, Caps, CodeSink, CompileError, CompiledEntry, Config};
use columba::drive::drive;
use columba::unit::CompileUnit;
use emitter::ClosureEmitter;
use std::ffi::c_void;

/// Index of a register.
type Register = usize;
/// Does something to the registers.
type Step = Box<dyn Fn(&mut [u64]) + Send + Sync>;
/// Says where a block goes.
type End = Box<dyn Fn(&mut [u64]) -> Next + Send + Sync>;

/// What comes after a block.
enum Next {
    Block(usize),
    /// The function returns this status.
    Return(i64),
}

struct Block {
    steps: Vec<Step>,
    end: End,
}

/// A compiled function.
struct Program {
    /// What the registers hold at the start: constants; the rest is 0. The first five are the function's parameters.
    registers: Vec<u64>,
    blocks: Vec<Block>,
    first: usize,
}

/// Code generation by closures.
pub struct ClosureBackend;

impl Backend for ClosureBackend {
    fn name(&self) -> &'static str {
        "closures"
    }

    fn caps(&self) -> Caps {
        // No machine code to list, but nothing here minds another thread.
        Caps::BACKGROUND
    }

    fn check(&self, _: &Config) -> Result<(), CompileError> {
        Ok(())
    }

    fn compile(&self, unit: &CompileUnit<'_>, _: &Config, _: &mut CodeSink<'_>) -> Result<CompiledEntry, CompileError> {
        let program = Box::new(drive(unit, ClosureEmitter::new())?);
        let ctx: *const Program = &*program;
        // SAFETY: `run` takes a `Program` as its context and may be called from any thread; the entry owns the program.
        Ok(unsafe { CompiledEntry::from_function(run, ctx.cast(), program) })
    }
}

/// Runs a program; the signature of every compiled function.
unsafe extern "C" fn run(
    ctx: *const c_void,
    thread_state: *mut c_void,
    frame: *mut c_void,
    out: *mut u64,
    entry: i64,
) -> i64 {
    // SAFETY: the context that `compile` has given, alive as long as the entry.
    let program = unsafe { &*ctx.cast::<Program>() };
    let mut registers = program.registers.clone();
    registers[..5].copy_from_slice(&[ctx as u64, thread_state as u64, frame as u64, out as u64, entry as u64]);
    let mut at = program.first;
    loop {
        let block = &program.blocks[at];
        for step in &block.steps {
            step(&mut registers);
        }
        match (block.end)(&mut registers) {
            Next::Block(next) => at = next,
            Next::Return(status) => return status,
        }
    }
}
