//! `cargo xtask`: set-up, tests and benchmarks of Columba, each one command.
//!
//! Every command starts from a plain checkout: it creates the virtual environment it needs (see [`develop`]), builds the
//! extension into it, and only then does its work. Python programs are run *unchanged* in two interpreters that differ in
//! nothing but the environment variables of a [`mode::Mode`], so that whatever differs in their output is Columba's doing.
//!
//! Reports go to standard error, data that another program may read (`--json`, tables, paths) to standard output. A
//! command exits with 1 when a bar it checks is missed and with 2 when it could not do its work.

mod backends;
mod bench;
mod cpython_tests;
mod develop;
mod error;
mod expected;
mod fuzz;
mod inspect;
mod interpreter;
mod leaks;
mod mode;
mod process;
mod pyperformance;
mod python_tests;
mod run;
mod test;
mod third_party;

use clap::{Args, Parser, Subcommand};
use columba_bench::table;
use error::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Set-up, tests and benchmarks of Columba.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The interpreter to work with: a name on PATH or a path.
    #[arg(long, value_name = "PY", default_value = "python3")]
    pub python: String,
    /// The backend to build, and to compile with (default: all are built, and Columba chooses).
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// Prints the report as JSON on standard output.
    #[arg(long)]
    pub json: bool,
    /// Programs that run at the same time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub jobs: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the extension into a virtual environment; prints the path of its interpreter as the last line.
    Develop(Common),
    /// Runs a program plain and under Columba, and reports what was compiled and the times.
    Run(run::RunArgs),
    /// Runs every test: formatting, lints, Rust, documentation, Python programs, CPython's cross-section.
    Test(test::TestArgs),
    /// Runs the programs of tests/python in every mode and compares them with the plain interpreter.
    PythonTests(python_tests::PythonTestsArgs),
    /// Runs CPython's own regression tests and compares them with the plain interpreter.
    CpythonTests(cpython_tests::CpythonTestsArgs),
    /// Runs programs of the pyperformance suite and compares their results with the plain interpreter.
    Pyperformance(pyperformance::PyperformanceArgs),
    /// Measures backends, and mixes of two, against the plain interpreter and PyPy.
    Bench(bench::BenchArgs),
    /// Compiles every code object of the standard library; prints compiled, and refused by reason.
    Coverage(inspect::CoverageArgs),
    /// Prints every stage of one function's compilation.
    Dump(inspect::DumpArgs),
    /// Generates Python programs and IR at random and compares every backend with the interpreters.
    Fuzz(fuzz::FuzzArgs),
    /// Hunts for leaked references and for memory that grows.
    Leaks(leaks::LeaksArgs),
    /// Runs third-party suites and programs under Columba and compares them with the plain interpreter.
    ThirdParty(third_party::ThirdPartyArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Develop(common) => develop::command(&common),
        Command::Run(args) => run::command(&args),
        Command::Test(args) => test::command(&args),
        Command::PythonTests(args) => python_tests::command(&args),
        Command::CpythonTests(args) => cpython_tests::command(&args),
        Command::Pyperformance(args) => pyperformance::command(&args),
        Command::Bench(args) => bench::command(&args),
        Command::Coverage(args) => inspect::coverage(&args),
        Command::Dump(args) => inspect::dump(&args),
        Command::Fuzz(args) => fuzz::command(&args),
        Command::Leaks(args) => leaks::command(&args),
        Command::ThirdParty(args) => third_party::command(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in a folder of the workspace")
}

/// The workspace's build folder.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A Python program that belongs to xtask itself.
pub fn driver(name: &str) -> PathBuf {
    root().join("xtask/python").join(name)
}

/// Converts a list of results into the command's own result: `Err` when anything failed.
pub fn closing_line(passed: usize, failed: usize) -> Result<()> {
    eprintln!("{passed} passed, {failed} failed");
    if failed == 0 { Ok(()) } else { Err(error::Error::Missed(format!("{failed} of {} failed", passed + failed))) }
}
