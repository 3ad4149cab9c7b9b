//! `cargo xtask test`: everything that must hold before a change is merged.
//!
//! *Problem*: one command, on a machine with nothing but Rust and Python, within the time that a merge may take.
//! *Method*: steps with names, each of which counts what passed and what failed; a step that fails does not keep the
//! others from running. All backends are built once and share one environment; LLVM, which takes longest, runs a part
//! of what the others run. *Invariants*: the command fails if anything failed, or if a step could not count.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::{Common, backends, cpython_tests, fuzz, process, python_tests, root, target_dir};
use clap::{Args, ValueEnum};
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct TestArgs {
    #[command(flatten)]
    common: Common,
    /// Runs only these parts.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// rustfmt, clippy, the tests of the crates, the documentation.
    Rust,
    /// The programs of tests/python.
    Python,
    /// The cross-section of CPython's own tests.
    Cpython,
    /// Half a minute of random programs. (Random IR is among the tests of the crates.)
    Fuzz,
}

/// What is run on a backend.
struct Plan {
    /// As the option is written.
    backend: &'static str,
    /// Modes of the Python programs; all when none is named.
    modes: &'static [&'static str],
    /// The cross-section of CPython's tests at threshold 0.
    cross_section: bool,
    /// Else these files of it.
    cpython: &'static [&'static str],
}

/// At threshold 0 LLVM takes most of a minute for a file of CPython's tests, so it gets ten; all are run by
/// `cargo xtask cpython-tests --backend llvm`.
const PLANS: &[Plan] = &[
    Plan { backend: "cranelift", modes: &[], cross_section: true, cpython: &[] },
    Plan { backend: "dynasm", modes: &[], cross_section: true, cpython: &[] },
    Plan {
        backend: "llvm",
        modes: &["default", "warm"],
        cross_section: false,
        cpython: &[
            "test_grammar",
            "test_scope",
            "test_raise",
            "test_with",
            "test_dictcomps",
            "test_genexps",
            "test_augassign",
            "test_unpack",
            "test_bool",
            "test_slice",
        ],
    },
    Plan { backend: "dynasm,llvm", modes: &["default", "warm"], cross_section: false, cpython: &[] },
];

/// Seconds of random programs for each backend.
const FUZZING: u64 = 5;

/// What one step came to.
struct Step {
    name: String,
    passed: usize,
    failed: usize,
    seconds: f64,
}

pub fn command(args: &TestArgs) -> Result<()> {
    let wanted = |part: Part| args.only.is_empty() || args.only.contains(&part);
    let mut steps: Vec<Step> = Vec::new();
    let mut step = |name: &str, work: &dyn Fn() -> Result<(usize, usize)>| {
        eprintln!("== {name}");
        let start = Instant::now();
        let (passed, failed) = work().unwrap_or_else(|error| {
            eprintln!("error: {error}");
            (0, 1)
        });
        steps.push(Step { name: name.to_owned(), passed, failed, seconds: start.elapsed().as_secs_f64() });
        failed == 0
    };
    if wanted(Part::Rust) {
        backends::provide(&backends::wanted(None))?;
        let features = backends::features();
        let workspace = ["--quiet", "--workspace", "--features", &features];
        step("rustfmt", &|| cargo(&["fmt", "--all", "--check"], &[]));
        step("clippy", &|| {
            cargo(&[&["clippy"], workspace.as_slice(), &["--all-targets", "--", "-D", "warnings"]].concat(), &[])
        });
        step("rust tests", &|| rust_tests(&args.common));
        step("features", &|| {
            // The facade with no backend, with each alone, and with all of them and CPython.
            for features in ["", "cranelift", "dynasm", "llvm", "cranelift,dynasm,llvm,cpython"] {
                cargo(
                    &["check", "--quiet", "--package", "columba", "--no-default-features", "--features", features],
                    &[],
                )?;
            }
            // The suite with its last section, and without it: then it must need no interpreter.
            cargo(&["check", "--quiet", "--package", "columba-jit-conformance", "--features", "cpython"], &[])?;
            conformance_needs_no_python()?;
            Ok((7, 0))
        });
        step("documentation", &|| {
            cargo(&[&["doc"], workspace.as_slice(), &["--no-deps"]].concat(), &[("RUSTDOCFLAGS", "-D warnings")])
        });
    }
    if wanted(Part::Python) || wanted(Part::Cpython) {
        let built = step("extension", &|| Environment::prepare(&args.common).map(|_| (1, 0)));
        for plan in built.then_some(PLANS).into_iter().flatten() {
            if args.common.backend.as_ref().is_some_and(|asked| asked != plan.backend) {
                continue;
            }
            let environment = || -> Result<Environment> {
                Ok(Environment {
                    backend: Some(plan.backend.to_owned()),
                    ..Environment::without_extension(&args.common)?
                })
            };
            if wanted(Part::Python) {
                step(&format!("python programs, {}", plan.backend), &|| {
                    let mode = plan.modes.iter().map(|mode| mode.to_string()).collect();
                    let python = python_tests::PythonTestsArgs { common: quiet(&args.common), mode, filter: None };
                    python_tests::run(&python, &environment()?)
                });
            }
            if wanted(Part::Cpython) && (plan.cross_section || !plan.cpython.is_empty()) {
                step(&format!("cpython tests, {}", plan.backend), &|| {
                    let cpython = cpython_tests::CpythonTestsArgs {
                        common: quiet(&args.common),
                        threshold: 0,
                        plain: false,
                        null: false,
                        stress: false,
                        timeout: 600,
                        cross_section: plan.cross_section,
                        fresh: false,
                        names: plan.cpython.iter().map(|name| name.to_string()).collect(),
                    };
                    cpython_tests::run(&cpython, &environment()?)
                });
            }
        }
    }
    if wanted(Part::Fuzz) {
        step("fuzzing", &|| fuzz::run(&fuzz::FuzzArgs::short(quiet(&args.common), FUZZING)));
    }
    eprintln!();
    for step in &steps {
        eprintln!("{}: {} passed, {} failed ({:.0} s)", step.name, step.passed, step.failed, step.seconds);
    }
    let passed = steps.iter().map(|step| step.passed).sum();
    let failed = steps.iter().map(|step| step.failed).sum();
    crate::closing_line(passed, failed)
}

fn quiet(common: &Common) -> Common {
    Common { json: false, ..common.clone() }
}

fn cargo(args: &[&str], environment: &[(&str, &str)]) -> Result<(usize, usize)> {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(root()).envs(environment.iter().copied());
    process::run_visible(&mut command, &format!("cargo {}", args[0])).map(|()| (1, 0))
}

/// Whoever proves a backend without CPython must not have to install it.
fn conformance_needs_no_python() -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["tree", "--package", "columba-jit-conformance", "--edges", "normal,build", "--prefix", "none"]);
    let tree = process::run(command.current_dir(root()), Duration::from_secs(300))?.success("cargo tree")?;
    match tree.lines().find(|line| line.contains("pyo3") || line.contains("cpython")) {
        Some(line) => Err(Error::Missed(format!("columba-jit-conformance needs {line} without its feature cpython"))),
        None => Ok(()),
    }
}

/// The tests of the crates. They link an interpreter's library where they need CPython: the chosen one's.
fn rust_tests(common: &Common) -> Result<(usize, usize)> {
    let environment = Environment::without_extension(common)?;
    let log = target_dir().join("rust-tests.log");
    let mut command = Command::new("cargo");
    command.args(["test", "--workspace", "--quiet", "--no-fail-fast", "--features"]).arg(backends::features());
    command.current_dir(root());
    if common.python != "python3" {
        command.env("PYO3_PYTHON", &environment.interpreter.executable);
    }
    if let Some(dir) = &environment.interpreter.library_dir {
        let mut path = dir.clone().into_os_string();
        if let Some(old) = std::env::var_os("LD_LIBRARY_PATH") {
            path.push(":");
            path.push(old);
        }
        command.env("LD_LIBRARY_PATH", path);
    }
    let outcome = process::run(&mut command, Duration::from_secs(3600))?;
    std::fs::write(&log, format!("{}\n{}", outcome.stdout, outcome.stderr)).map_err(Error::io(&log))?;
    let (passed, failed) = count(&outcome.stdout);
    if !outcome.end.success() {
        eprintln!("{}", process::last_lines(&outcome.stdout, 60));
        eprintln!("{}", process::last_lines(&outcome.stderr, 60));
        eprintln!("(all of it: {})", log.display());
        return Ok((passed, failed.max(1)));
    }
    Ok((passed, failed))
}

/// Sums the closing lines of Rust's test harness: `test result: ok. 12 passed; 0 failed; ...`.
fn count(text: &str) -> (usize, usize) {
    let mut sums = (0, 0);
    for line in text.lines().filter(|line| line.starts_with("test result:")) {
        let number_before = |word: &str| -> usize {
            let before = line.split(word).next().unwrap_or("");
            before.split_whitespace().last().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        sums.0 += number_before(" passed");
        sums.1 += number_before(" failed");
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed() {
        let text = "test result: ok. 12 passed; 0 failed; 1 ignored;\nx\ntest result: FAILED. 3 passed; 2 failed; 0 ignored;\n";
        assert_eq!(count(text), (15, 2));
    }
}
