//! The backend: one function from IR to entry.
//!
//! *Method*: the recording and everything the allocator needs are kept per thread, unless they grew very large. *Invariant*: a
//! recording in which an error or panic occurred is not used again.

use std::cell::Cell;

use columba_jit_core::backend::{
    Backend, Caps, CodeSink, CompileError, CompiledEntry, Config, Cpu, Effort, Unsupported,
};
use columba_jit_core::drive::drive;
use columba_jit_core::unit::CompileUnit;

use crate::emitter::DynasmEmitter;
use crate::finish::finish;
use crate::values::Recording;

/// Allocations made for larger functions than this are not kept for the next one.
const KEEP: usize = 50_000;

/// Code generation by `dynasm`.
#[derive(Default)]
pub struct DynasmBackend;

impl DynasmBackend {
    pub fn new() -> Self {
        DynasmBackend
    }
}

impl Backend for DynasmBackend {
    fn name(&self) -> &'static str {
        "dynasm"
    }

    fn caps(&self) -> Caps {
        Caps::NATIVE | Caps::ORIGINS | Caps::BACKGROUND | Caps::EFFORT
    }

    fn check(&self, config: &Config) -> Result<(), CompileError> {
        if !rounds() {
            return Err(Unsupported::Target("this processor lacks SSE 4.1".into()).into());
        }
        if config.cpu == Cpu::X86_64V3 && !host_is_v3() {
            return Err(Unsupported::Setting("this processor is below x86-64-v3".into()).into());
        }
        Ok(())
    }

    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError> {
        let mut recording = RECORDING.take().unwrap_or_default();
        drive(unit, DynasmEmitter::new(&mut recording, config.origins))?;
        let align_loops = config.effort == Effort::Normal;
        let code = finish(&mut recording, align_loops, config.verify)?;
        let block = sink.publish(&code.bytes, 16, unit.symbol_name)?;
        if recording.size() <= KEEP {
            RECORDING.set(Some(recording));
        }
        // SAFETY: the code is a function of the entry signature that starts at its first byte and uses no `ctx`.
        Ok(unsafe { CompiledEntry::from_code(block, 0, code.origins) })
    }
}

thread_local! {
    /// Taken while compiling, so that an error or panic leaves none behind.
    static RECORDING: Cell<Option<Box<Recording>>> = const { Cell::new(None) };
}

#[cfg(target_arch = "x86_64")]
fn rounds() -> bool {
    std::arch::is_x86_feature_detected!("sse4.1")
}

#[cfg(target_arch = "x86_64")]
fn host_is_v3() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("avx2") && has!("bmi1") && has!("bmi2") && has!("fma") && has!("lzcnt") && has!("popcnt")
}

/// The code is for x86-64 alone.
#[cfg(not(target_arch = "x86_64"))]
fn rounds() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn host_is_v3() -> bool {
    false
}
