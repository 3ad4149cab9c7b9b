//! `tests/python`: programs whose output under Columba must be the plain interpreter's.
//!
//! Nothing is written down about what a program prints: the plain interpreter is the authority. A program says what else is
//! to be checked in the comments at its head:
//!
//! ```text
//! # modes: threshold-0, stress        only these modes (default: all of Mode::TESTED)
//! # stderr: compare                   standard error must be the same too (tracebacks)
//! # compiled: f, C.m                  these must be compiled when the program ends, at threshold 0
//! # optimised: f: unbox_loops        this optimisation must have been used in f, at threshold 0
//! # timeout: 120                      seconds, instead of 60
//! ```
//!
//! Time limits are for Columba: a hang of a compiled program fails at once. The plain run, which nobody doubts, may take three
//! times as long, and when that is not enough it is repeated with nothing beside it; a machine so busy that the plain
//! run took long gives the others more time in proportion.
//!
//! A test's id is `program[mode]`; those expected to fail are listed in `tests/expected_failures.toml`.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::mode::Mode;
use crate::process::{self, Outcome};
use crate::{Common, backends, closing_line, driver, root};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::time::Duration;

/// How many times its limit a plain run may take.
const PATIENCE: u32 = 3;
/// How many times longer than the plain run a run under Columba may take, where that is more than its limit.
const SLOWNESS: u32 = 10;

#[derive(Args, Clone)]
pub struct PythonTestsArgs {
    #[command(flatten)]
    pub common: Common,
    /// Runs only the modes with these names.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub mode: Vec<String>,
    /// Runs only programs whose name contains this.
    pub filter: Option<String>,
}

/// What the head of a program asks for.
#[derive(Debug, PartialEq)]
struct Header {
    modes: Vec<Mode>,
    compare_stderr: bool,
    compiled: Vec<String>,
    optimised: Vec<(String, String)>,
    timeout: Duration,
}

impl Header {
    fn parse(text: &str) -> std::result::Result<Header, String> {
        let mut header = Header {
            modes: Mode::TESTED.to_vec(),
            compare_stderr: false,
            compiled: Vec::new(),
            optimised: Vec::new(),
            timeout: Duration::from_secs(60),
        };
        for line in text.lines().take_while(|line| line.starts_with('#')) {
            let Some((key, value)) = line[1..].split_once(':') else { continue };
            let names = || value.split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty());
            match key.trim() {
                "modes" => {
                    header.modes = names()
                        .map(|name| Mode::by_name(&name).ok_or(format!("no mode {name}")))
                        .collect::<std::result::Result<_, _>>()?;
                }
                "stderr" => header.compare_stderr = value.trim() == "compare",
                "compiled" => header.compiled.extend(names()),
                "optimised" => {
                    let (function, optimisation) =
                        value.split_once(':').ok_or("optimised: wants FUNCTION: OPTIMISATION")?;
                    header.optimised.push((function.trim().to_string(), optimisation.trim().to_string()));
                }
                "timeout" => {
                    let seconds = value.trim().parse().map_err(|_| "timeout: wants a number of seconds")?;
                    header.timeout = Duration::from_secs(seconds);
                }
                _ => {}
            }
        }
        Ok(header)
    }

    fn probed(&self) -> String {
        let mut names = self.compiled.clone();
        names.extend(self.optimised.iter().map(|(function, _)| function.clone()));
        names.join(",")
    }
}

#[derive(Serialize)]
struct Verdict {
    test: String,
    seconds: f64,
    /// What is wrong, if anything is.
    failure: Option<String>,
    /// Why it may fail, if it is listed.
    expected: Option<String>,
}

impl Verdict {
    fn good(&self) -> bool {
        self.failure.is_some() == self.expected.is_some()
    }
}

pub fn command(args: &PythonTestsArgs) -> Result<()> {
    let (passed, failed) = run(args, &Environment::prepare(&args.common)?)?;
    closing_line(passed, failed)
}

/// Runs the programs; how many tests ended as they should, and how many did not.
pub fn run(args: &PythonTestsArgs, environment: &Environment) -> Result<(usize, usize)> {
    let expected = Expected::read(&root().join("tests/expected_failures.toml"))?;
    if let Some(unknown) = args.mode.iter().find(|name| Mode::by_name(name).is_none()) {
        return Err(Error::Usage(format!("no mode {unknown}")));
    }
    let programs = programs(args.filter.as_deref())?;
    if programs.is_empty() {
        return Err(Error::Usage("no program of tests/python has that name".into()));
    }
    let alone = RwLock::new(());
    let verdicts: Vec<Verdict> = process::in_parallel(args.common.jobs, programs, |program| {
        let verdicts = check(environment, &expected, &args.mode, &program, &alone);
        for verdict in verdicts.iter().filter(|verdict| !verdict.good()) {
            let what = verdict.failure.as_deref().unwrap_or("passed, and is listed as expected to fail");
            eprintln!("FAIL {}: {what}", verdict.test);
        }
        verdicts
    })
    .into_iter()
    .flatten()
    .collect();
    if args.common.json {
        println!("{}", serde_json::to_string_pretty(&verdicts).expect("verdicts are plain data"));
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.good()).count();
    Ok((verdicts.len() - failed, failed))
}

fn programs(filter: Option<&str>) -> Result<Vec<PathBuf>> {
    let dir = root().join("tests/python");
    let mut programs: Vec<PathBuf> = std::fs::read_dir(&dir)
        .map_err(Error::io(&dir))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .filter(|path| filter.is_none_or(|filter| name_of(path).contains(filter)))
        .collect();
    programs.sort();
    Ok(programs)
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Runs a program in its modes. `alone` is held by whoever runs a program: shared, or for itself.
fn check(
    environment: &Environment,
    expected: &Expected,
    only: &[String],
    program: &Path,
    alone: &RwLock<()>,
) -> Vec<Verdict> {
    let name = name_of(program);
    let verdict = |mode: &str, seconds: f64, failure: Option<String>| {
        let test = format!("{name}[{mode}]");
        let expected = expected.reason(&test).map(str::to_string);
        Verdict { test, seconds, failure, expected }
    };
    let header = match std::fs::read_to_string(program).map_err(|error| error.to_string()).map(|t| Header::parse(&t)) {
        Ok(Ok(header)) => header,
        Ok(Err(error)) | Err(error) => return vec![verdict("header", 0.0, Some(error))],
    };
    let run = |mode: &Mode, limit: Duration, report: Option<&Path>| {
        let _others = alone.read().expect("no worker panics with the lock held");
        run_program(environment, mode, program, &header, limit, report)
    };
    let patient = header.timeout * PATIENCE;
    let plain = match run(&Mode::PLAIN, patient, None) {
        Ok(outcome) if outcome.end == process::End::TimedOut => {
            let _alone = alone.write().expect("no worker panics with the lock held");
            run_program(environment, &Mode::PLAIN, program, &header, patient, None)
        }
        other => other,
    };
    let plain = match plain {
        Ok(outcome) if outcome.end == process::End::TimedOut => {
            return vec![verdict("plain", outcome.elapsed.as_secs_f64(), Some("timed out without Columba".into()))];
        }
        Ok(outcome) => outcome,
        Err(error) => return vec![verdict("plain", 0.0, Some(error.to_string()))],
    };
    let limit = header.timeout.max(plain.elapsed * SLOWNESS) * backends::patience(environment.backend.as_deref());
    header
        .modes
        .iter()
        .filter(|mode| only.is_empty() || only.iter().any(|name| name == mode.name))
        .map(|mode| {
            let tried = process::scratch_dir().and_then(|scratch| {
                let report = scratch.join("report.json");
                let outcome = run(mode, limit, Some(&report))?;
                let text = std::fs::read_to_string(&report).unwrap_or_default();
                let _ = std::fs::remove_dir_all(scratch);
                Ok((outcome, serde_json::from_str(&text).unwrap_or(Value::Null)))
            });
            match tried {
                Ok((outcome, report)) => {
                    let failure = differences(&header, &plain, &outcome).or_else(|| complaints(&header, mode, &report));
                    verdict(mode.name, outcome.elapsed.as_secs_f64(), failure)
                }
                Err(error) => verdict(mode.name, 0.0, Some(error.to_string())),
            }
        })
        .collect()
}

fn run_program(
    environment: &Environment,
    mode: &Mode,
    program: &Path,
    header: &Header,
    limit: Duration,
    report: Option<&Path>,
) -> Result<Outcome> {
    let mut command = environment.command(mode);
    command.arg(program).current_dir(root().join("tests/python")).env("PYTHONHASHSEED", "0");
    command.env("PYTHONPATH", driver("probe"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    if mode.enabled && mode.name != Mode::DEFAULT.name {
        // The default mode is as users have it.
        command.env("COLUMBA_VERIFY", "1");
    }
    if let Some(report) = report {
        command.env("XTASK_PROBE", report).env("XTASK_PROBE_FUNCTIONS", header.probed());
    }
    process::run(&mut command, limit)
}

/// What the verifier says, on standard error, before it shows what is wrong.
const BROKEN_IR: &str = "columba: broken IR";

/// What the verifier found, or the first difference between the plain run and this one.
fn differences(header: &Header, plain: &Outcome, outcome: &Outcome) -> Option<String> {
    if let Some(at) = outcome.stderr.find(BROKEN_IR) {
        return Some(outcome.stderr[at..].lines().take(15).collect::<Vec<_>>().join("\n"));
    }
    if plain.end != outcome.end {
        let tail = process::last_lines(&outcome.stderr, 15);
        return Some(format!("{}, and {} without Columba\n{tail}", outcome.end, plain.end));
    }
    let pairs =
        [("standard output", &plain.stdout, &outcome.stdout), ("standard error", &plain.stderr, &outcome.stderr)];
    let compared = if header.compare_stderr { 2 } else { 1 };
    pairs[..compared].iter().find_map(|(what, right, got)| {
        let (mut right, mut got, mut line) = (right.lines(), got.lines(), 0);
        loop {
            line += 1;
            match (right.next(), got.next()) {
                (None, None) => return None,
                (right, got) if right == got => {}
                (right, got) => {
                    let show = |text: Option<&str>| text.map_or("nothing".to_string(), |text| format!("{text:?}"));
                    return Some(format!("{what}, line {line}: {} instead of {}", show(got), show(right)));
                }
            }
        }
    })
}

/// What the probe's report says against the run: Columba was not there, or did not do what the program's head claims.
fn complaints(header: &Header, mode: &Mode, report: &Value) -> Option<String> {
    if let Some(error) = report["error"].as_str() {
        return Some(format!("columba could not be asked: {error}"));
    }
    if report.is_null() {
        // A program may end by `os._exit` or a signal on purpose; then it must not ask for checks.
        let asked = !header.compiled.is_empty() || !header.optimised.is_empty();
        return asked.then(|| "no report: the program did not end through the interpreter's exit".to_string());
    }
    if mode.threshold != Some(0) {
        return None;
    }
    if report["stats"]["compiled"].as_u64() == Some(0) {
        return Some("nothing was compiled".into());
    }
    let empty = Vec::new();
    let functions = report["functions"].as_array().unwrap_or(&empty);
    let find = |name: &str| functions.iter().find(|function| function["name"] == name);
    for name in &header.compiled {
        match find(name) {
            None => return Some(format!("no function {name} when the program ended")),
            Some(function) if function["compiled"] != true => {
                return Some(format!("{name} is not compiled: {}", function["reason"]));
            }
            Some(_) => {}
        }
    }
    // Under stress, guards fail and functions are recompiled without their guesses.
    for (name, optimisation) in header.optimised.iter().filter(|_| !mode.stress) {
        let used = find(name).and_then(|function| function["optimisations"].as_array());
        if !used.is_some_and(|used| used.iter().any(|one| one == optimisation.as_str())) {
            return Some(format!("{optimisation} was not used in {name}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_up_to_the_first_line_of_code() {
        let header = Header::parse(
            "# A program.\n# modes: threshold-0, stress\n# compiled: f, C.m\n# optimised: f: unbox_loops\n\
             # stderr: compare\nx = 1\n# timeout: 5\n",
        )
        .unwrap();
        assert_eq!(header.modes, [Mode::FIRST_CALL, Mode::STRESS]);
        assert_eq!(header.compiled, ["f", "C.m"]);
        assert_eq!(header.optimised, [("f".to_string(), "unbox_loops".to_string())]);
        assert!(header.compare_stderr);
        assert_eq!(header.timeout, Duration::from_secs(60));
    }

    #[test]
    fn an_unknown_mode_is_an_error() {
        assert!(Header::parse("# modes: sideways\n").is_err());
    }
}
