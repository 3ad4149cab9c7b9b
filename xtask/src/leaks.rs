//! `cargo xtask leaks`: references that are never given back, and memory that grows.
//!
//! Two hunts. CPython's own (`-m test -R 3:3`) repeats test files in a debug build and compares total reference counts
//! between rounds. A program of ours creates and drops 20,000 functions and compares the process's memory before
//! and after: machine code must go with its code object.

use crate::develop::Environment;
use crate::error::Result;
use crate::interpreter::install_packages;
use crate::mode::Mode;
use crate::process;
use crate::{Common, closing_line, driver};
use clap::Args;
use std::time::Duration;

/// Ten files of the cross-section that are quick enough to repeat six times.
const FILES: [&str; 10] = [
    "test_generators",
    "test_coroutines",
    "test_with",
    "test_exceptions",
    "test_scope",
    "test_unpack",
    "test_dictcomps",
    "test_patma",
    "test_float",
    "test_augassign",
];

#[derive(Args)]
pub struct LeaksArgs {
    /// Options of every command; for the reference hunt `--python` should name a debug build.
    #[command(flatten)]
    common: Common,
    /// Seconds that one file may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    timeout: u64,
    /// Files of CPython's suite; a choice of ten when none is named.
    names: Vec<String>,
}

pub fn command(args: &LeaksArgs) -> Result<()> {
    let mut common = args.common.clone();
    let debug = std::path::Path::new("/usr/bin/python3.11-dbg");
    if common.python == "python3" && std::path::Path::new("/usr/bin/apt-get").exists() {
        if !debug.exists() {
            install_packages(
                "the hunt for references",
                &["python3.11-dbg", "libpython3.11-testsuite", "python3.11-venv"],
            )?;
        }
        common.python = debug.to_string_lossy().into_owned();
    }
    let environment = Environment::prepare(&common)?;
    let limit = Duration::from_secs(args.timeout);
    let mut results = Vec::new();
    if environment.interpreter.debug {
        let names: Vec<String> = match args.names.is_empty() {
            true => FILES.iter().map(|name| name.to_string()).collect(),
            false => args.names.clone(),
        };
        results = process::in_parallel(common.jobs, names, |name| hunt(&environment, &name, limit));
    } else {
        eprintln!("warning: reference counts are hunted in debug builds only (--python python3.11-dbg)");
    }
    results.push(memory(&environment, limit));
    let mut failed = 0;
    for result in &results {
        if let Err(error) = result {
            eprintln!("FAIL {error}");
            failed += 1;
        }
    }
    closing_line(results.len() - failed, failed)
}

fn hunt(environment: &Environment, name: &str, limit: Duration) -> Result<()> {
    let scratch = process::scratch_dir()?;
    let mut command = environment.command(&Mode::FIRST_CALL);
    command.args(["-m", "test", "-R", "3:3", name]).current_dir(&scratch).env("TMPDIR", &scratch);
    let outcome = process::run(&mut command, limit)?;
    let _ = std::fs::remove_dir_all(&scratch);
    eprintln!("{name}: {} after {:.0} s", outcome.end, outcome.elapsed.as_secs_f64());
    outcome.success(&format!("-m test -R 3:3 {name}")).map(drop)
}

fn memory(environment: &Environment, limit: Duration) -> Result<()> {
    let mut command = environment.command(&Mode::FIRST_CALL);
    command.arg(driver("create_and_drop.py"));
    let text = process::run(&mut command, limit)?.success("20,000 functions created and dropped")?;
    eprint!("{text}");
    Ok(())
}
