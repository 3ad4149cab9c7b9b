//! Third-party packages under Columba: their own test suites, and programs of ours that use them.
//!
//! Suites of pure-Python packages (run from their source distributions, which ship the tests) are run by pytest, plain and under
//! `python -m columba -m pytest`, and compared test by test. Programs of `tests/third_party` print what they did; the outputs are
//! compared.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::process::{self, Outcome};
use crate::{Common, closing_line, driver, root};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PACKAGES: [&str; 8] = [
    "pytest==8.3.5",
    "hypothesis==6.131.9",
    "more-itertools==10.7.0",
    "attrs==25.3.0",
    "numpy==2.2.6",
    "flask==3.1.1",
    "coverage==7.8.2",
    "greenlet==3.2.2",
];

/// A source distribution and where its tests are.
const SUITES: [(&str, &str); 2] = [("more-itertools==10.7.0", "tests"), ("attrs==25.3.0", "tests")];

const PROGRAMS: [&str; 6] = ["numpy_around", "flask_app", "coverage_lines", "greenlet_switch", "spawn", "fork"];

/// Further packages that the suites import.
const SUITE_PACKAGES: [&str; 1] = ["cloudpickle==3.1.1"];

#[derive(Args)]
pub struct ThirdPartyArgs {
    #[command(flatten)]
    common: Common,
    /// Calls and loop rounds before a code object is compiled (default: Columba's own).
    #[arg(long, value_name = "N")]
    threshold: Option<u64>,
    /// Seconds that one suite or program may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1200)]
    timeout: u64,
    /// Runs only suites and programs whose name contains one of these.
    names: Vec<String>,
}

pub fn command(args: &ThirdPartyArgs) -> Result<()> {
    let environment = Environment::prepare(&args.common)?;
    environment.install(&PACKAGES)?;
    environment.install(&SUITE_PACKAGES)?;
    let wanted = |name: &str| args.names.is_empty() || args.names.iter().any(|part| name.contains(part.as_str()));
    let (mut passed, mut failed) = (0, 0);
    for (package, tests) in SUITES.iter().filter(|(package, _)| wanted(package)) {
        let counts = suite(&environment, args, package, tests).unwrap_or_else(|error| {
            eprintln!("FAIL {package}: {error}");
            (0, 1)
        });
        eprintln!("{package}: {} passed, {} failed", counts.0, counts.1);
        passed += counts.0;
        failed += counts.1;
    }
    for program in PROGRAMS.iter().filter(|program| wanted(program)) {
        match compare(&environment, args, program) {
            Ok(()) => {
                eprintln!("{program}: the same");
                passed += 1;
            }
            Err(error) => {
                eprintln!("FAIL {program}: {error}");
                failed += 1;
            }
        }
    }
    closing_line(passed, failed)
}

/// Runs arguments of `python` plain, and the same after `python -m columba`.
fn run(environment: &Environment, args: &ThirdPartyArgs, columba: bool, rest: &[&str], dir: &Path) -> Result<Outcome> {
    let mut command = environment.command(&Mode::PLAIN);
    if columba {
        command.args(["-m", "columba"]);
        if let Some(threshold) = args.threshold {
            command.args(["--threshold", &threshold.to_string()]);
        }
        if let Some(backend) = &args.common.backend {
            command.args(["--backend", backend]);
        }
    }
    command.args(rest).current_dir(dir).env("PYTHONHASHSEED", "0").env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("PYTHONPATH", driver("pytest_record"));
    process::run(&mut command, Duration::from_secs(args.timeout))
}

fn suite(environment: &Environment, args: &ThirdPartyArgs, package: &str, tests: &str) -> Result<(usize, usize)> {
    let source = unpacked(environment, package)?;
    let results = |columba: bool| -> Result<BTreeMap<String, String>> {
        let scratch = process::scratch_dir()?;
        let record = scratch.join("record.jsonl");
        let record_option = format!("--record-outcomes={}", record.display());
        let rest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "record_outcomes", &record_option, tests];
        let outcome = run(environment, args, columba, &rest, &source)?;
        let text = std::fs::read_to_string(&record).unwrap_or_default();
        let _ = std::fs::remove_dir_all(&scratch);
        let mut results = BTreeMap::new();
        for line in text.lines() {
            let (test, outcome): (String, String) = serde_json::from_str(line)
                .map_err(|error| Error::Protocol { what: package.into(), detail: error.to_string() })?;
            // The parts of a test (set-up, call, tear-down) are told one by one; a failure stands.
            let entry = results.entry(test).or_insert_with(|| outcome.clone());
            if outcome == "failed" {
                *entry = outcome;
            }
        }
        if results.is_empty() || matches!(outcome.end, process::End::Signal(_) | process::End::TimedOut) {
            return Err(Error::Program {
                what: format!("pytest of {package}"),
                status: outcome.end.to_string(),
                output: process::last_lines(&format!("{}\n{}", outcome.stdout, outcome.stderr), 25),
            });
        }
        Ok(results)
    };
    let (plain, columba) = (results(false)?, results(true)?);
    let mut failed = 0;
    for (test, right) in &plain {
        let got = columba.get(test).map_or("not run", String::as_str);
        if got != right {
            eprintln!("FAIL {package} {test}: {got} instead of {right}");
            failed += 1;
        }
    }
    Ok((plain.len() - failed, failed))
}

/// The package's source distribution, unpacked next to the environment.
fn unpacked(environment: &Environment, package: &str) -> Result<PathBuf> {
    let home = environment.dir.join("sources").join(package);
    let find = || -> Option<PathBuf> {
        let mut entries = std::fs::read_dir(&home).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        entries.find(|path| path.is_dir())
    };
    if let Some(source) = find() {
        return Ok(source);
    }
    std::fs::create_dir_all(&home).map_err(Error::io(&home))?;
    let mut command = environment.command(&Mode::PLAIN);
    command
        .args(["-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--no-binary", ":all:"])
        .args(["--dest"])
        .arg(&home)
        .arg(package);
    process::run(&mut command, Duration::from_secs(600))?.success("pip download")?;
    let archive = std::fs::read_dir(&home)
        .map_err(Error::io(&home))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::Protocol { what: "pip download".into(), detail: "no archive".into() })?;
    let mut command = environment.command(&Mode::PLAIN);
    command.args(["-m", "tarfile", "-e"]).arg(&archive).arg(&home);
    process::run(&mut command, Duration::from_secs(120))?.success("tarfile")?;
    find().ok_or_else(|| Error::Protocol { what: "tarfile".into(), detail: "no folder in the archive".into() })
}

fn compare(environment: &Environment, args: &ThirdPartyArgs, program: &str) -> Result<()> {
    let dir = root().join("tests/third_party");
    let script = format!("{program}.py");
    let plain = run(environment, args, false, &[&script], &dir)?;
    let columba = run(environment, args, true, &[&script], &dir)?;
    let right = plain.success(&format!("{program} without Columba"))?;
    let got = columba.success(&format!("{program} under Columba"))?;
    match right == got {
        true => Ok(()),
        false => Err(Error::Missed(format!("printed\n{got}instead of\n{right}"))),
    }
}
