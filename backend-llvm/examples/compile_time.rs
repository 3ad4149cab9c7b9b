//! Prints what compiling functions costs, in processor time of the thread, by effort: `compile_time FILE.ir...`, each with
//! the text of a lowered function (the part of a dump after "; lowered").

use columba_backend_llvm::LlvmBackend;
use columba_jit_core::backend::{Backend, CodeSink, Config, Effort};
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::op::Symbol;
use columba_jit_core::ir::parse::parse;
use columba_jit_core::unit::{CompileUnit, Resolver};

/// Addresses as far apart as those of a process, none of which is ever called.
struct Nowhere;

impl Resolver for Nowhere {
    fn symbol(&self, symbol: Symbol) -> u64 {
        match symbol {
            Symbol::Const(index) | Symbol::Name(index) => 0x7f00_1000_0000 + u64::from(index) * 64,
            _ => 0x7f00_2000_0000,
        }
    }

    fn helper(&self, helper: Helper) -> u64 {
        0x7f00_0000_1000 + helper as u64 * 128
    }
}

/// Processor time of this thread in seconds.
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to `time`.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let backend = LlvmBackend::new();
    let memory = CodeMemory::new(CodeOptions::default());
    println!("{:>20} {:>8} {:>7} {:>10} {:>10} {:>8}", "function", "effort", "insts", "median ms", "least ms", "bytes");
    for path in std::env::args().skip(1) {
        let function = parse(&std::fs::read_to_string(&path)?).map_err(|error| format!("{path}: {error:?}"))?;
        let insts: usize = function.blocks.iter().map(|block| block.insts.len()).sum();
        let unit = CompileUnit { function: &function, resolver: &Nowhere, symbol_name: "compile_time" };
        for effort in [Effort::Fast, Effort::Normal] {
            let config = Config { effort, verify: false, ..Config::default() };
            let (mut times, mut size) = (Vec::new(), 0);
            for _ in 0..50 {
                let before = now();
                let entry = backend.compile(&unit, &config, &mut CodeSink::new(&memory, Placement::Packed))?;
                times.push((now() - before) * 1e3);
                size = entry.code_size();
            }
            times.sort_by(f64::total_cmp);
            let effort = format!("{effort:?}");
            println!("{:>20} {effort:>8} {insts:>7} {:>10.2} {:>10.2} {size:>8}", function.name, times[25], times[0]);
        }
    }
    Ok(())
}
