//! The backend: targets, and one function from IR to entry.
//!
//! *Problem*: setting Cranelift up costs more than compiling a small function. *Method*: a target is built on first use
//! for each combination of processor level, effort and checking, and shared; the contexts that hold Cranelift's allocations
//! are kept per thread, unless they grew very large. *Invariant*: a context in which an error or panic occurred is not used again.

use std::cell::Cell;
use std::sync::OnceLock;

use columba_jit_core::backend::{
    Backend, Caps, CodeSink, CompileError, CompiledEntry, Config, Cpu, Effort, Unsupported,
};
use columba_jit_core::drive::drive;
use columba_jit_core::unit::CompileUnit;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Context, control::ControlPlane};
use cranelift_frontend::FunctionBuilderContext;

use crate::emitter::CraneliftEmitter;
use crate::finish;

/// With [`Effort::Fast`], functions of up to this many Cranelift instructions get the single-pass register allocator. It takes
/// half the time of the other on small functions, but time quadratic in the number of blocks, and twice the code: every value
/// that an exit needs is stored on the way to it.
const SINGLE_PASS: usize = 2_000;

/// Allocations made for larger functions than this are not kept for the next one.
const KEEP: usize = 50_000;

/// How a function is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// No optimisation, single-pass registers.
    Fast,
    /// No optimisation, backtracking registers.
    FastLarge,
    /// Optimised, backtracking registers.
    Speed,
}

/// Code generation by Cranelift.
#[derive(Default)]
pub struct CraneliftBackend {
    /// By processor level, mode and checking ([`target_index`]).
    targets: [OnceLock<Result<OwnedTargetIsa, String>>; 12],
}

fn target_index(cpu: Cpu, mode: Mode, verify: bool) -> usize {
    (cpu as usize * 3 + mode as usize) * 2 + usize::from(verify)
}

impl CraneliftBackend {
    pub fn new() -> Self {
        Self::default()
    }

    fn target(&self, config: &Config, mode: Mode) -> Result<&dyn TargetIsa, CompileError> {
        let target = &self.targets[target_index(config.cpu, mode, config.verify)];
        match target.get_or_init(|| build_target(config.cpu, mode, config.verify)) {
            Ok(isa) => Ok(isa.as_ref()),
            Err(reason) => Err(Unsupported::Target(reason.clone()).into()),
        }
    }
}

impl Backend for CraneliftBackend {
    fn name(&self) -> &'static str {
        "cranelift"
    }

    fn caps(&self) -> Caps {
        Caps::NATIVE | Caps::ORIGINS | Caps::BACKGROUND | Caps::EFFORT | Caps::SLOW
    }

    fn check(&self, config: &Config) -> Result<(), CompileError> {
        if config.cpu == Cpu::X86_64V3 && !host_is_v3() {
            return Err(Unsupported::Setting("this processor is below x86-64-v3".into()).into());
        }
        self.target(config, Mode::Fast)?;
        self.target(config, Mode::Speed)?;
        Ok(())
    }

    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError> {
        let usual = if config.effort == Effort::Fast { Mode::Fast } else { Mode::Speed };
        let isa = self.target(config, usual)?;
        let mut scratch = SCRATCH.take().unwrap_or_default();
        let Scratch { context, builder, control } = &mut *scratch;
        context.clear();
        drive(unit, CraneliftEmitter::new(&mut context.func, builder, isa, rounds(isa), config.origins))?;
        let isa = if usual == Mode::Fast && context.func.dfg.num_insts() > SINGLE_PASS {
            self.target(config, Mode::FastLarge)?
        } else {
            isa
        };
        let entry = finish::finish(context, isa, control, config, unit.symbol_name, sink)?;
        if scratch.context.func.dfg.num_insts() <= KEEP {
            SCRATCH.set(Some(scratch));
        }
        Ok(entry)
    }
}

/// What is worth keeping from one function to the next.
struct Scratch {
    context: Context,
    builder: FunctionBuilderContext,
    control: ControlPlane,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch { context: Context::new(), builder: FunctionBuilderContext::new(), control: ControlPlane::default() }
    }
}

thread_local! {
    /// Taken while compiling, so that an error or panic leaves none behind.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

#[cfg(target_arch = "x86_64")]
fn host_is_v3() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("avx2") && has!("bmi1") && has!("bmi2") && has!("fma") && has!("lzcnt") && has!("popcnt")
}

#[cfg(not(target_arch = "x86_64"))]
fn host_is_v3() -> bool {
    false
}

/// Whether the target has an instruction for `floor`. Other processors than x86-64 do.
fn rounds(isa: &dyn TargetIsa) -> bool {
    isa.isa_flags().iter().find(|flag| flag.name == "has_sse41").is_none_or(|flag| flag.as_bool() == Some(true))
}

fn build_target(cpu: Cpu, mode: Mode, verify: bool) -> Result<OwnedTargetIsa, String> {
    let mut flags = settings::builder();
    let mut set = |name: &str, value: &str| flags.set(name, value).map_err(|error| format!("{name}: {error}"));
    set("opt_level", if mode == Mode::Speed { "speed" } else { "none" })?;
    set("regalloc_algorithm", if mode == Mode::Fast { "single_pass" } else { "backtracking" })?;
    set("enable_verifier", if verify { "true" } else { "false" })?;
    set("preserve_frame_pointers", "true")?;
    set("enable_probestack", "false")?;
    set("unwind_info", "false")?;
    set("enable_table_access_spectre_mitigation", "false")?;
    set("enable_heap_access_spectre_mitigation", "false")?;
    let mut target = cranelift_native::builder_with_options(cpu == Cpu::Native)?;
    if cpu == Cpu::X86_64V3 {
        target.enable("x86-64-v3").and_then(|()| target.enable("has_avx")).map_err(|error| error.to_string())?;
    }
    target.finish(settings::Flags::new(flags)).map_err(|error| error.to_string())
}
