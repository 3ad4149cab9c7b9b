//! Generated IR on a backend, against the reference interpreter, for a number of runs or a time.
//!
//! *Problem*: the suite that proves a backend runs as many random functions as a test may take; rare combinations need more.
//! *Method*: the random sections of `columba-jit-conformance`, round after round, each round with a seed of its own and small
//! enough that its seed is a good address. *Invariants*: the same seed and number of rounds give the same functions; the seed
//! of a round is printed before it begins, so that one which ends the process is known. Figures are one line of JSON on
//! standard output, everything else goes to standard error.

use clap::Parser;
use columba_jit_conformance::{Options, ReferenceBackend, Section, run_section};
use columba_jit_core::backend::Backend;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Runs generated IR on a backend and compares it with the reference interpreter.
#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    backend: String,
    /// Ends after so many runs of compiled functions.
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// Ends after so many seconds.
    #[arg(long, default_value_t = u64::MAX)]
    seconds: u64,
    /// The seed of the first round; those of the following rounds are the numbers after it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What a round runs. Each section is given as many functions as take about the same time.
const SECTIONS: [Section; 3] = [Section::Generated, Section::Exits, Section::Chaos];

fn backend(name: &str) -> Option<Box<dyn Backend>> {
    match name {
        "interpreter" => Some(Box::new(ReferenceBackend::new())),
        #[cfg(feature = "cranelift")]
        "cranelift" => Some(Box::new(columba_backend_cranelift::CraneliftBackend::new())),
        #[cfg(feature = "dynasm")]
        "dynasm" => Some(Box::new(columba_backend_dynasm::DynasmBackend::new())),
        #[cfg(feature = "llvm")]
        "llvm" => Some(Box::new(columba_backend_llvm::LlvmBackend::new())),
        _ => None,
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(backend) = backend(&arguments.backend) else {
        eprintln!("error: no backend {} was built", arguments.backend);
        return ExitCode::from(2);
    };
    let start = Instant::now();
    let end = Duration::from_secs(arguments.seconds);
    let (mut seed, mut functions, mut runs, mut mismatches) = (arguments.seed, 0, 0, 0);
    while runs < arguments.count && start.elapsed() < end && mismatches < 20 {
        eprintln!("seed {seed}: {functions} functions, {runs} runs, {mismatches} mismatches before");
        // Too few programs for the check that every kind of operation was seen: the suite makes it.
        let options = Options {
            seed,
            programs: 20,
            inputs: 12,
            exit_programs: 2,
            chaos_programs: 2,
            chaos_variants: 3,
            ..Options::default()
        };
        for section in SECTIONS {
            let report = run_section(section, &*backend, &options);
            functions += report.figure("functions compiled");
            runs += report.figure("runs");
            mismatches += report.failures.len();
            if !report.failures.is_empty() {
                eprint!("seed {seed}: {report}");
            }
            if start.elapsed() >= end {
                break;
            }
        }
        seed += 1;
    }
    println!(
        "{{\"functions\": {functions}, \"runs\": {runs}, \"mismatches\": {mismatches}, \"next_seed\": {seed}, \"seconds\": {:.1}}}",
        start.elapsed().as_secs_f64()
    );
    if mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
