//! CPython's own regression suite, one process per file, compared with the plain interpreter test by test.
//!
//! The plain runs are the baseline: each file is run plain twice, so that flaky tests are known, and what came out is kept
//! under `target/cpython-tests/<interpreter>`. A test counts when it passed in both plain runs; it must then pass under
//! Columba. A file that crashes, hangs or cannot be imported counts as one failed test with the name `<file>.<crashed>` and so on.
//!
//! Names of files differ between patch releases (`test_inspect` is a file in 3.11.2 and a package in 3.11.7): a name is
//! resolved against what the interpreter lists, and stands for every file of a package of that name.
//!
//! Tests expected to fail are listed in `tests/cpython/expected_failures.toml`; the default selection for `cargo xtask test`
//! is `tests/cpython/cross_section.txt`.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::mode::Mode;
use crate::process::{self, End, Outcome};
use crate::{Common, closing_line, driver, root, target_dir};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

#[derive(Args, Clone)]
pub struct CpythonTestsArgs {
    #[command(flatten)]
    pub common: Common,
    /// Calls and loop rounds before a code object is compiled.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threshold: u64,
    /// Compares the plain interpreter with itself, which shows flaky tests.
    #[arg(long, conflicts_with = "null")]
    pub plain: bool,
    /// Installs the hook and compiles nothing.
    #[arg(long)]
    pub null: bool,
    /// Makes every guard fail in turn.
    #[arg(long)]
    pub stress: bool,
    /// Seconds that one file may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
    /// Runs the files of tests/cpython/cross_section.txt.
    #[arg(long)]
    pub cross_section: bool,
    /// Forgets the plain results kept from earlier runs.
    #[arg(long)]
    pub fresh: bool,
    /// Files of the suite, such as test_dict; all of them when none is named.
    pub names: Vec<String>,
}

/// What one run of one file gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct FileResult {
    /// Test id to outcome: passed, failed, skipped.
    tests: BTreeMap<String, String>,
    /// Why the file as a whole failed, and the test that ran then.
    broken: Option<String>,
    skipped: bool,
    seconds: f64,
    #[serde(default)]
    output: String,
}

/// What the tests of one file say together.
#[derive(Debug, Default, Serialize)]
struct FileVerdict {
    file: String,
    passed: usize,
    /// Tests that pass plain and do not pass under Columba, with what happened.
    failures: BTreeMap<String, String>,
    expected_failures: Vec<String>,
    /// Listed as expected to fail, and passed.
    unexpected_passes: Vec<String>,
    seconds: f64,
    #[serde(skip)]
    output: String,
}

pub fn command(args: &CpythonTestsArgs) -> Result<()> {
    let environment =
        if args.plain { Environment::without_extension(&args.common)? } else { Environment::prepare(&args.common)? };
    let (passed, failed) = run(args, &environment)?;
    closing_line(passed, failed)
}

/// Runs the selected files; how many tests ended as they should, and how many did not.
pub fn run(args: &CpythonTestsArgs, environment: &Environment) -> Result<(usize, usize)> {
    let mode = match (args.plain, args.null) {
        (true, _) => Mode::PLAIN,
        (_, true) => Mode::NULL,
        _ => Mode { threshold: Some(args.threshold), stress: args.stress, ..Mode::FIRST_CALL },
    };
    let expected = Expected::read(&root().join("tests/cpython/expected_failures.toml"))?;
    let files = select(args, environment)?;
    let limit = Duration::from_secs(args.timeout);
    let kept = target_dir().join("cpython-tests").join(environment.interpreter.tag());
    std::fs::create_dir_all(&kept).map_err(Error::io(&kept))?;

    let style = ProgressStyle::with_template("{pos}/{len} {wide_msg}").expect("the template is well-formed");
    let progress = ProgressBar::new(files.len() as u64).with_style(style);
    let verdicts = process::in_parallel(args.common.jobs, files, |file| {
        progress.set_message(file.clone());
        let verdict = baseline(environment, &file, &kept, limit, args.fresh).and_then(|plain| {
            let got = run_file(environment, &mode, &file, limit)?;
            Ok(judge(&file, &plain, got, &expected))
        });
        if let Ok(verdict) = &verdict {
            progress.suspend(|| tell(verdict));
        }
        progress.inc(1);
        verdict
    });
    progress.finish_and_clear();
    let verdicts = verdicts.into_iter().collect::<Result<Vec<_>>>()?;
    if args.common.json {
        println!("{}", serde_json::to_string_pretty(&verdicts).expect("verdicts are plain data"));
    }
    let listed: usize = verdicts.iter().map(|verdict| verdict.expected_failures.len()).sum();
    let failed: usize = verdicts.iter().map(|v| v.failures.len() + v.unexpected_passes.len()).sum();
    let passed: usize = verdicts.iter().map(|verdict| verdict.passed).sum();
    let seconds: f64 = verdicts.iter().map(|verdict| verdict.seconds).sum();
    eprintln!("{} files, {listed} tests failed as expected, {seconds:.0} s of test time", verdicts.len());
    Ok((passed + listed, failed))
}

fn tell(verdict: &FileVerdict) {
    for (test, what) in &verdict.failures {
        eprintln!("FAIL {test}: {what}");
        if test.ends_with('>') {
            eprintln!("{}", process::last_lines(&verdict.output, 25));
        }
    }
    for test in &verdict.unexpected_passes {
        eprintln!("FAIL {test}: passed, and is listed as expected to fail");
    }
}

/// The files to run, as the interpreter names them.
fn select(args: &CpythonTestsArgs, environment: &Environment) -> Result<Vec<String>> {
    let mut command = environment.command(&Mode::PLAIN);
    command.args(["-m", "test", "--list-tests"]);
    let listed = process::run(&mut command, Duration::from_secs(120))?.success("python -m test --list-tests")?;
    let listed: Vec<&str> = listed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut names = args.names.clone();
    if args.cross_section {
        let path = root().join("tests/cpython/cross_section.txt");
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        names.extend(text.lines().map(|line| line.split('#').next().unwrap_or("").trim().to_string()));
        names.retain(|name| !name.is_empty());
    }
    if names.is_empty() {
        return Ok(listed.iter().map(|name| name.to_string()).collect());
    }
    let mut files = Vec::new();
    for name in &names {
        let found = resolve(name, &listed);
        if found.is_empty() {
            return Err(Error::Usage(format!("CPython {} has no test {name}", environment.interpreter.version)));
        }
        files.extend(found);
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

fn resolve(name: &str, listed: &[&str]) -> Vec<String> {
    let inside = format!("test.{name}.");
    listed.iter().filter(|file| **file == name || file.starts_with(&inside)).map(|file| file.to_string()).collect()
}

/// The tests of `file` that pass plain, twice; kept from run to run.
fn baseline(environment: &Environment, file: &str, kept: &Path, limit: Duration, fresh: bool) -> Result<FileResult> {
    let path = kept.join(format!("{file}.json"));
    if !fresh
        && let Ok(text) = std::fs::read_to_string(&path)
        && let Ok(result) = serde_json::from_str(&text)
    {
        return Ok(result);
    }
    let mut first = run_file(environment, &Mode::PLAIN, file, limit)?;
    if !first.skipped && first.broken.is_none() {
        let second = run_file(environment, &Mode::PLAIN, file, limit)?;
        first.tests.retain(|test, outcome| second.tests.get(test) == Some(outcome));
        first.broken = second.broken;
    }
    if let Some(broken) = &first.broken {
        eprintln!("warning: {file} fails without Columba: {broken}\n{}", process::last_lines(&first.output, 5));
        return Ok(first);
    }
    first.output.clear();
    let text = serde_json::to_string(&first).expect("results are plain data");
    std::fs::write(&path, text).map_err(Error::io(&path))?;
    Ok(first)
}

fn run_file(environment: &Environment, mode: &Mode, file: &str, limit: Duration) -> Result<FileResult> {
    let scratch = process::scratch_dir()?;
    let record = scratch.join("record.jsonl");
    let mut command = environment.command(mode);
    command.arg(driver("record_regrtest.py")).arg(&record).arg(file).current_dir(&scratch).env("TMPDIR", &scratch);
    let outcome = process::run(&mut command, limit)?;
    let lines = std::fs::read_to_string(&record).unwrap_or_default();
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(read_record(&lines, outcome))
}

#[derive(Deserialize)]
struct Line {
    start: Option<String>,
    test: Option<String>,
    outcome: Option<String>,
    detail: Option<String>,
    end: Option<String>,
}

fn read_record(text: &str, outcome: Outcome) -> FileResult {
    let mut result = FileResult { seconds: outcome.elapsed.as_secs_f64(), ..FileResult::default() };
    let (mut running, mut end) = (None, None);
    for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        if let Some(test) = line.start {
            running = Some(test);
        }
        if let (Some(test), Some(outcome)) = (line.test, line.outcome) {
            let told = match line.detail {
                Some(detail) if outcome == "failed" => format!("failed: {detail}"),
                _ => outcome,
            };
            // Several outcomes of one test (subtests, tear-down): a failure stands.
            let entry = result.tests.entry(test).or_insert_with(|| told.clone());
            if told.starts_with("failed") {
                *entry = told;
            }
            running = None;
        }
        if line.end.is_some() {
            end = line.end;
        }
    }
    let during = running.map_or(String::new(), |test| format!(" in {test}"));
    result.broken = match (outcome.end, end.as_deref()) {
        (End::TimedOut, _) => Some(format!("hung{during}")),
        (End::Signal(signal), _) => Some(format!("crashed with signal {signal}{during}")),
        (_, Some("skipped")) => {
            result.skipped = true;
            None
        }
        (_, Some("finished")) => None,
        (end, Some(reason)) => Some(format!("{reason} ({end})")),
        (end, None) => Some(format!("ended early with {end}{during}")),
    };
    result.output = format!("{}\n{}", outcome.stdout, outcome.stderr);
    result
}

fn judge(file: &str, plain: &FileResult, got: FileResult, expected: &Expected) -> FileVerdict {
    let mut verdict = FileVerdict { file: file.to_string(), seconds: got.seconds, ..FileVerdict::default() };
    let mut failures = BTreeMap::new();
    if let (Some(what), None) = (&got.broken, &plain.broken) {
        failures.insert(format!("{file}.<file>"), what.clone());
    }
    if got.skipped && !plain.skipped {
        failures.insert(format!("{file}.<file>"), "skipped as a whole".to_string());
    }
    for (test, _) in plain.tests.iter().filter(|(_, outcome)| *outcome == "passed") {
        match got.tests.get(test).map(String::as_str) {
            Some("passed") => match expected.reason(test) {
                Some(_) => verdict.unexpected_passes.push(test.clone()),
                None => verdict.passed += 1,
            },
            Some(what) => {
                failures.insert(test.clone(), what.to_string());
            }
            // After a crash or a hang the rest did not run; the file's own failure says so.
            None if got.broken.is_some() => {}
            None => {
                failures.insert(test.clone(), "was not run".to_string());
            }
        }
    }
    for (test, what) in failures {
        match expected.reason(&test) {
            Some(_) => verdict.expected_failures.push(test),
            None => {
                verdict.failures.insert(test, what);
            }
        }
    }
    verdict.output = got.output;
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(end: End) -> Outcome {
        Outcome { end, stdout: String::new(), stderr: String::new(), elapsed: Duration::ZERO }
    }

    #[test]
    fn packages_stand_for_their_files() {
        let listed = ["test_dict", "test_dictviews", "test.test_inspect.test_inspect"];
        assert_eq!(resolve("test_dict", &listed), ["test_dict"]);
        assert_eq!(resolve("test_inspect", &listed), ["test.test_inspect.test_inspect"]);
    }

    #[test]
    fn a_crash_names_the_running_test() {
        let record = "{\"start\":\"t.A.x\"}\n{\"test\":\"t.A.x\",\"outcome\":\"passed\"}\n{\"start\":\"t.A.y\"}\n";
        let result = read_record(record, outcome(End::Signal(11)));
        assert_eq!(result.broken.as_deref(), Some("crashed with signal 11 in t.A.y"));
        assert_eq!(result.tests["t.A.x"], "passed");
    }

    #[test]
    fn only_what_passes_plain_counts() {
        let record = |a: &str, b: &str| {
            let text = format!(
                "{{\"test\":\"t.a\",\"outcome\":\"{a}\"}}\n{{\"test\":\"t.b\",\"outcome\":\"{b}\"}}\n{{\"end\":\"finished\"}}\n"
            );
            read_record(&text, outcome(End::Exit(0)))
        };
        let plain = record("passed", "failed");
        assert_eq!(judge("t", &plain, record("passed", "failed"), &Expected::default()).failures.len(), 0);
        assert_eq!(judge("t", &plain, record("failed", "failed"), &Expected::default()).failures.len(), 1);
    }
}
