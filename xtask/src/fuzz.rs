//! `cargo xtask fuzz`: random programs and random IR, for a number of them or a time.
//!
//! *Problem*: what nobody thought of is found by chance, and chance needs many tries; whoever tries wants one command and one
//! line of figures. *Method*: Python programs are the business of `tests/fuzz`, which runs in the environment's interpreter;
//! IR is that of the package `columba-fuzz`, built with the backends asked for. Here they are started, several at a time when
//! there are jobs for them, and their figures added. *Invariants*: jobs get seeds far apart; each job's mismatches are printed
//! as it finds them, with the seed that repeats them.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::{Common, backends, process, root, target_dir};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::process::{Command, Stdio};

/// How far the seeds of two jobs lie apart.
const SEEDS_PER_JOB: u64 = 10_000_000;

/// The mode of programs that two backends compile, and the two when none are named.
const TWO_TIERS: &str = "tiers";
const DEFAULT_MIX: &str = "dynasm,llvm";

#[derive(Args, Clone)]
pub struct FuzzArgs {
    #[command(flatten)]
    pub common: Common,
    /// What is generated (default: both, one after the other).
    pub what: Option<What>,
    /// Ends after so many programs, or runs of IR.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Ends after so many seconds (default, when no count is given: 60).
    #[arg(long, value_name = "T")]
    pub seconds: Option<u64>,
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Makes the first N programs that fail smaller.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub minimise: u64,
    /// Runs a program in these modes only.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub mode: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Python programs, against the plain interpreter.
    Python,
    /// IR, against the reference interpreter.
    Ir,
}

impl FuzzArgs {
    /// The short run of programs that is part of the tests.
    pub fn short(common: Common, seconds: u64) -> FuzzArgs {
        let common = Common { jobs: 1, ..common };
        FuzzArgs {
            common,
            what: Some(What::Python),
            count: None,
            seconds: Some(seconds),
            seed: 1,
            minimise: 3,
            mode: Vec::new(),
        }
    }

    /// What is to be run: each backend by itself, and for Python programs two of them together in the mode made for that; with
    /// the modes, none meaning all of those that the program itself chooses.
    fn subjects(&self, what: What) -> Vec<(&str, Vec<&str>)> {
        let asked = self.common.backend.as_deref();
        let by_itself: Vec<&str> = self.mode.iter().map(String::as_str).filter(|mode| *mode != TWO_TIERS).collect();
        let mut subjects = Vec::new();
        if self.mode.is_empty() || !by_itself.is_empty() {
            subjects.extend(backends::wanted(asked).into_iter().map(|backend| (backend, by_itself.clone())));
        }
        let both = asked.map_or(Some(DEFAULT_MIX), |names| names.contains(',').then_some(names));
        if let Some(both) = both
            && what == What::Python
            && (self.mode.is_empty() || self.mode.iter().any(|mode| mode == TWO_TIERS))
        {
            subjects.push((both, vec![TWO_TIERS]));
        }
        subjects
    }

    /// The options that both programs know.
    fn limits(&self, job: usize) -> Vec<String> {
        let mut options = vec![format!("--seed={}", self.seed + job as u64 * SEEDS_PER_JOB)];
        if let Some(count) = self.count {
            options.push(format!("--count={}", count.div_ceil(self.common.jobs.max(1) as u64)));
        }
        match (self.seconds, self.count) {
            (Some(seconds), _) => options.push(format!("--seconds={seconds}")),
            (None, None) => options.push("--seconds=60".into()),
            (None, Some(_)) => {}
        }
        options
    }
}

/// What came of it.
#[derive(Default)]
struct Figures {
    /// Programs, or functions.
    generated: u64,
    runs: u64,
    mismatches: u64,
    /// Ends without figures.
    broken: usize,
}

impl Figures {
    fn add(&mut self, report: Option<Value>) {
        let Some(report) = report else {
            self.broken += 1;
            return;
        };
        let figure = |name: &str| report[name].as_u64().unwrap_or(0);
        self.generated += figure("programs") + figure("functions");
        self.runs += figure("runs");
        self.mismatches += figure("mismatches");
    }
}

pub fn command(args: &FuzzArgs) -> Result<()> {
    let (runs, failed) = run(args)?;
    if failed == 0 {
        return Ok(());
    }
    Err(Error::Missed(format!("{failed} mismatches in {runs} runs")))
}

/// Runs without a mismatch, and mismatches.
pub fn run(args: &FuzzArgs) -> Result<(usize, usize)> {
    let (mut good, mut bad) = (0, 0);
    for what in [What::Python, What::Ir].into_iter().filter(|what| args.what.is_none_or(|asked| asked == *what)) {
        let environment = if what == What::Python { Some(Environment::prepare(&args.common)?) } else { None };
        for (backend, modes) in args.subjects(what) {
            let figures = match &environment {
                Some(environment) => python(args, environment, backend, &modes)?,
                None => ir(args, backend)?,
            };
            let thing = if what == What::Python { "programs" } else { "functions" };
            let broken =
                if figures.broken > 0 { format!(", {} ended without figures", figures.broken) } else { String::new() };
            eprintln!(
                "{backend}: {} {thing}, {} runs, {} mismatches{broken}",
                figures.generated, figures.runs, figures.mismatches
            );
            let wrong = figures.mismatches as usize + figures.broken;
            good += (figures.runs as usize).saturating_sub(wrong);
            bad += wrong;
        }
    }
    Ok((good, bad))
}

fn python(args: &FuzzArgs, environment: &Environment, backend: &str, modes: &[&str]) -> Result<Figures> {
    in_jobs(args, |job| {
        let mut command = environment.command(&Mode::PLAIN);
        command.arg(root().join("tests/fuzz")).args(["--backend", backend]).args(args.limits(job));
        command
            .arg(format!("--minimise={}", args.minimise))
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        if !modes.is_empty() {
            command.args(["--mode", &modes.join(",")]);
        }
        command
    })
}

fn ir(args: &FuzzArgs, backend: &str) -> Result<Figures> {
    backends::provide(&[backend])?;
    let mut build = Command::new("cargo");
    build.args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "columba-fuzz",
        "--no-default-features",
        "--features",
        backend,
    ]);
    process::run_visible(build.current_dir(root()), "cargo build")?;
    in_jobs(args, |job| {
        let mut command = Command::new(target_dir().join("release/columba-fuzz"));
        command.args(["--backend", backend]).args(args.limits(job));
        command
    })
}

/// Runs one command per job and adds what they print.
fn in_jobs(args: &FuzzArgs, command: impl Fn(usize) -> Command + Sync) -> Result<Figures> {
    let jobs = args.common.jobs.max(1);
    let reports = process::in_parallel(jobs, (0..jobs).collect(), |job| {
        let mut command = command(job);
        let output = command.stderr(Stdio::inherit()).output().map_err(Error::io(command.get_program()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().last().and_then(|line| serde_json::from_str(line).ok()))
    });
    let mut figures = Figures::default();
    for report in reports {
        let report: Result<Option<Value>> = report;
        figures.add(report?);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_backends_are_run_one_by_one_and_together() {
        let common = |backend: &str| Common {
            python: "python3".to_owned(),
            backend: Some(backend.to_owned()),
            json: false,
            jobs: 1,
        };
        let mut args = FuzzArgs::short(common("dynasm,cranelift"), 1);
        let singles = [("dynasm", vec![]), ("cranelift", vec![])];
        let mix = ("dynasm,cranelift", vec!["tiers"]);
        assert_eq!(args.subjects(What::Python), [&singles[..], std::slice::from_ref(&mix)].concat());
        assert_eq!(args.subjects(What::Ir), singles);
        args.mode = vec!["tiers".into()];
        assert_eq!(args.subjects(What::Python), [mix]);
        args = FuzzArgs::short(common("dynasm"), 1);
        args.mode = vec!["loops".into()];
        assert_eq!(args.subjects(What::Python), [("dynasm", vec!["loops"])]);
    }

    #[test]
    fn figures_are_added_and_an_end_without_any_is_a_failure() {
        let mut figures = Figures::default();
        figures.add(Some(serde_json::json!({"programs": 3, "runs": 5, "mismatches": 1})));
        figures.add(Some(serde_json::json!({"functions": 2, "runs": 10, "mismatches": 0})));
        figures.add(None);
        assert_eq!((figures.generated, figures.runs, figures.mismatches, figures.broken), (5, 15, 1, 1));
    }
}
