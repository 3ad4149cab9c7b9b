//! `cargo xtask run`: one program, plain and under Columba, and what came of it.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::process::{self, Outcome};
use crate::{Common, backends, driver, table};
use clap::Args;
use columba_bench::stats::Summary;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    common: Common,
    /// Calls and loop rounds before a code object is compiled; 0 compiles at the first call.
    #[arg(long, value_name = "N")]
    threshold: Option<u64>,
    /// Interleaved pairs of runs, of which the medians are reported.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pairs: usize,
    /// The program.
    script: PathBuf,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

const LIMIT: Duration = Duration::from_secs(3600);

pub fn command(args: &RunArgs) -> Result<()> {
    if !args.script.exists() {
        return Err(Error::Usage(format!("no program {}", args.script.display())));
    }
    let mut common = args.common.clone();
    common.backend.get_or_insert_with(|| backends::DEFAULT.to_owned());
    let environment = Environment::prepare(&common)?;
    let columba = Mode { threshold: args.threshold, ..Mode::DEFAULT };
    let report_path = process::scratch_dir()?.join("report.json");
    let (mut plain_times, mut columba_times) = (Vec::new(), Vec::new());
    let (mut plain, mut compiled): (Option<Outcome>, Option<Outcome>) = (None, None);
    for _ in 0..args.pairs.max(1) {
        let mut command = environment.command(&Mode::PLAIN);
        let outcome = process::run(command.arg(&args.script).args(&args.args), LIMIT)?;
        plain_times.push(outcome.elapsed.as_secs_f64());
        plain = Some(outcome);
        let mut command = environment.command(&columba);
        let outcome = process::run(command.arg(&args.script).args(&args.args), LIMIT)?;
        columba_times.push(outcome.elapsed.as_secs_f64());
    }
    // Once more, not timed, to be told what was compiled.
    let mut command = environment.command(&columba);
    command.env("PYTHONPATH", driver("probe")).env("XTASK_PROBE", &report_path);
    compiled = Some(process::run(command.arg(&args.script).args(&args.args), LIMIT)?).or(compiled);
    let (plain, compiled) = plain.zip(compiled).expect("there was at least one pair");
    print!("{}", compiled.stdout);
    eprint!("{}", compiled.stderr);
    report(&report_path);
    let (plain_time, columba_time) = (median(&plain_times), median(&columba_times));
    eprintln!(
        "plain {:.1} ms, columba {:.1} ms, {:.2}x (whole process, medians of {})",
        plain_time * 1e3,
        columba_time * 1e3,
        plain_time / columba_time,
        args.pairs.max(1)
    );
    if plain.end != compiled.end {
        return Err(Error::Missed(format!("plain: {}; columba: {}", plain.end, compiled.end)));
    }
    if plain.stdout != compiled.stdout {
        eprintln!("warning: the outputs differ (programs that print times or addresses do)");
    }
    match compiled.end {
        end if end.success() => Ok(()),
        end => Err(Error::Missed(format!("the program ended with {end}"))),
    }
}

fn report(path: &PathBuf) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let Ok(report) = serde_json::from_str::<Value>(&text) else {
        eprintln!("no report: the program did not end through the interpreter's exit");
        return;
    };
    let empty = Vec::new();
    let functions = report["functions"].as_array().unwrap_or(&empty);
    if !functions.is_empty() {
        let rows: Vec<Vec<String>> = functions
            .iter()
            .map(|f| {
                let state = match f["reason"].as_str() {
                    _ if f["compiled"] == true => "compiled".to_string(),
                    Some(reason) => reason.to_string(),
                    None => "not compiled".to_string(),
                };
                let milliseconds = f["compile_time"].as_f64().map_or(String::new(), |s| format!("{:.2}", s * 1e3));
                vec![text_of(&f["name"]), state, text_of(&f["entered"]), text_of(&f["bytes"]), milliseconds]
            })
            .collect();
        eprint!("{}", table::render(&["function", "state", "entered", "bytes", "compile ms"], &rows));
    }
    eprintln!("compiled {}, refused {}", text_of(&report["stats"]["compiled"]), text_of(&report["stats"]["refused"]));
    if let Some(refusals) = report["stats"]["refusals"].as_object() {
        for (reason, count) in refusals {
            eprintln!("  refused {count}: {reason}");
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn median(times: &[f64]) -> f64 {
    Summary::of(times).map_or(f64::NAN, |summary| summary.median)
}
