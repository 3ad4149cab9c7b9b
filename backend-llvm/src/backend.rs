//! The backend: target machines, and one function from IR to entry.
//!
//! *Problem*: LLVM's contexts may be used by one thread at a time, and keep what they ever made; setting up a target costs as
//! much as compiling a small function. *Method*: a context per compilation, dropped with all that is in it; a target machine
//! per thread and setting, kept. *Invariant*: a machine is not used again after an error or panic.

use std::cell::RefCell;
use std::ffi::CStr;
use std::sync::{Once, OnceLock};

use columba_jit_core::backend::{
    Backend, Caps, CodeSink, CompileError, CompiledEntry, Config, Cpu, Effort, Unsupported,
};
use columba_jit_core::drive::drive;
use columba_jit_core::unit::CompileUnit;
use inkwell::OptimizationLevel;
use inkwell::context::Context;
use inkwell::llvm_sys::support::LLVMParseCommandLineOptions;
use inkwell::module::Module;
use inkwell::targets::{CodeModel, InitializationConfig, RelocMode, Target, TargetMachine, TargetTriple};

use crate::emitter::LlvmEmitter;
use crate::finish;

/// Code generation by LLVM.
#[derive(Default)]
pub struct LlvmBackend {
    /// What the running processor is.
    host: OnceLock<Host>,
}

/// The running processor in LLVM's words.
struct Host {
    name: String,
    features: String,
}

impl LlvmBackend {
    pub fn new() -> Self {
        Self::default()
    }

    fn host(&self) -> &Host {
        self.host.get_or_init(|| {
            LEFT_OUT.call_once(leave_out);
            Target::initialize_x86(&InitializationConfig {
                asm_parser: false,
                asm_printer: true,
                base: true,
                disassembler: false,
                info: true,
                machine_code: true,
            });
            // Byte and word operations on 512 bits are of no use here, and a pass of LLVM's that runs where they are
            // takes time quadratic in the size of the function.
            Host {
                name: TargetMachine::get_host_cpu_name().to_string_lossy().into_owned(),
                features: format!("{},-avx512bw", TargetMachine::get_host_cpu_features().to_string_lossy()),
            }
        })
    }

    /// Compiles what `emit` emits.
    pub fn compile_emitted(
        &self,
        config: &Config,
        name: &str,
        sink: &mut CodeSink<'_>,
        emit: impl for<'ctx> FnOnce(LlvmEmitter<'ctx>) -> Result<Module<'ctx>, CompileError>,
    ) -> Result<CompiledEntry, CompileError> {
        let machine = self.machine(config)?;
        let context = Context::create();
        let module = emit(LlvmEmitter::new(&context, &machine, host_rounds(), config.origins))?;
        let entry = finish::finish(&context, &module, &machine, config, name, sink)?;
        keep(config, machine);
        Ok(entry)
    }

    /// A machine for these settings: this thread's, or a new one.
    fn machine(&self, config: &Config) -> Result<TargetMachine, CompileError> {
        let host = self.host();
        if let Some(kept) = MACHINES.with_borrow_mut(|machines| machines[machine_index(config)].take()) {
            return Ok(kept);
        }
        let (name, features) = match config.cpu {
            Cpu::Native => (host.name.as_str(), host.features.as_str()),
            Cpu::X86_64V3 => ("x86-64-v3", ""),
        };
        let level = match config.effort {
            // LLVM's fast instruction selection and register allocation: a quarter of the time, twice the code.
            Effort::Fast => OptimizationLevel::None,
            Effort::Normal => OptimizationLevel::Default,
        };
        let triple = TargetTriple::create("x86_64-unknown-linux-gnu");
        let target = Target::from_triple(&triple).map_err(|error| Unsupported::Target(error.to_string()))?;
        target
            .create_target_machine(&triple, name, features, level, RelocMode::PIC, CodeModel::Small)
            .ok_or_else(|| Unsupported::Target(format!("LLVM makes no code for {name}")).into())
    }
}

impl Backend for LlvmBackend {
    fn name(&self) -> &'static str {
        "llvm"
    }

    fn caps(&self) -> Caps {
        Caps::NATIVE | Caps::ORIGINS | Caps::BACKGROUND | Caps::EFFORT | Caps::SLOW
    }

    fn check(&self, config: &Config) -> Result<(), CompileError> {
        if !cfg!(target_arch = "x86_64") {
            return Err(Unsupported::Target("LLVM is set up for x86-64 only".into()).into());
        }
        if config.cpu == Cpu::X86_64V3 && !host_is_v3() {
            return Err(Unsupported::Setting("this processor is below x86-64-v3".into()).into());
        }
        let machine = self.machine(config)?;
        keep(config, machine);
        Ok(())
    }

    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError> {
        self.compile_emitted(config, unit.symbol_name, sink, |emitter| drive(unit, emitter))
    }
}

/// Options of LLVM's code generator, which it takes for a whole process only. One that LLVM does not have would end the
/// process: the versions 16 and 19 were seen to have these, and the tests would show it of another. Not among them is
/// `-pre-RA-sched=linearize`, which is cheaper, and wrong: it puts instructions between a comparison and what uses its flags.
const OPTIONS: [&CStr; 10] = [
    // The program's name.
    c"columba",
    // It makes one address from another one nearby, which then takes a register, mostly for what is cold.
    c"-disable-constant-hoisting",
    // After registers are allocated few copies are left, and they cost the processor next to nothing.
    c"-disable-copyprop",
    // The same was done before registers were allocated; this time it finds nothing.
    c"-disable-postra-machine-licm",
    // Instructions are scheduled before registers are allocated. Once more afterwards takes a twentieth of the code
    // generator's time, and no kernel is faster for it on a processor that orders them by itself. The newer of the two
    // schedulers can be told so.
    c"-misched-postra",
    c"-enable-post-misched=false",
    // These find nothing in this code: there is no memory that is compared, no call of the C library, no structure that is
    // copied, and for this processor no branch that becomes a condition.
    c"-disable-mergeicmps",
    c"-disable-partial-libcall-inlining",
    c"-x86-disable-avoid-SFB",
    c"-disable-early-ifcvt",
];

static LEFT_OUT: Once = Once::new();

/// Has LLVM leave out what costs more than it brings.
fn leave_out() {
    let words = OPTIONS.map(CStr::as_ptr);
    // SAFETY: an array of C strings, as long as is said. Nothing of this copy of LLVM was used before by this crate.
    unsafe { LLVMParseCommandLineOptions(words.len() as i32, words.as_ptr(), c"".as_ptr()) };
}

thread_local! {
    /// By [`machine_index`]. A machine is taken while compiling, so that an error or panic leaves none behind.
    static MACHINES: RefCell<[Option<TargetMachine>; 4]> = const { RefCell::new([const { None }; 4]) };
}

fn machine_index(config: &Config) -> usize {
    config.cpu as usize * 2 + config.effort as usize
}

fn keep(config: &Config, machine: TargetMachine) {
    MACHINES.with_borrow_mut(|machines| machines[machine_index(config)] = Some(machine));
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

/// Whether the processor has an instruction for `floor`.
#[cfg(target_arch = "x86_64")]
fn host_rounds() -> bool {
    std::arch::is_x86_feature_detected!("sse4.1")
}

#[cfg(not(target_arch = "x86_64"))]
fn host_rounds() -> bool {
    false
}
