//! Programs of the pyperformance suite, run once each and compared by their results.
//!
//! pyperf's own runner measures in worker processes and throws results away. A stand-in for it (`bench/python/pyperformance_worker.py`)
//! calls each benchmark function a fixed number of times in one process and prints what it returned.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::process;
use crate::{Common, closing_line, table};
use clap::Args;
use columba_bench::suites::pyperformance::{self, PACKAGES};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Args)]
pub struct PyperformanceArgs {
    #[command(flatten)]
    common: Common,
    /// How often each benchmark function is called; the best time is reported.
    #[arg(long, value_name = "N", default_value_t = 1)]
    values: usize,
    /// Seconds that one program may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    /// Makes every guard fail in turn, besides the two usual modes.
    #[arg(long)]
    stress: bool,
    /// Programs by name, without `bm_`; all of those known to work when none is named.
    names: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Part {
    name: String,
    result: String,
    seconds: f64,
}

#[derive(Serialize)]
struct Row {
    benchmark: String,
    mode: &'static str,
    plain_ms: f64,
    columba_ms: f64,
    failure: Option<String>,
}

pub fn command(args: &PyperformanceArgs) -> Result<()> {
    let environment = Environment::prepare(&args.common)?;
    environment.install(&PACKAGES)?;
    let names: Vec<String> = match args.names.is_empty() {
        true => pyperformance::modules().iter().map(|name| name.to_string()).collect(),
        false => args.names.clone(),
    };
    let mut modes = vec![Mode::FIRST_CALL, Mode::DEFAULT];
    if args.stress {
        modes.push(Mode::STRESS);
    }
    let rows: Vec<Row> = process::in_parallel(args.common.jobs, names, |name| {
        let rows = compare(&environment, &name, &modes, args);
        for row in &rows {
            match &row.failure {
                Some(failure) => eprintln!("FAIL {}[{}]: {failure}", row.benchmark, row.mode),
                None => eprintln!("ok   {}[{}]", row.benchmark, row.mode),
            }
        }
        rows
    })
    .into_iter()
    .flatten()
    .collect();
    if args.common.json {
        println!("{}", serde_json::to_string_pretty(&rows).expect("rows are plain data"));
    } else {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                vec![
                    row.benchmark.clone(),
                    row.mode.to_string(),
                    format!("{:.1}", row.plain_ms),
                    format!("{:.1}", row.columba_ms),
                    format!("{:.2}x", row.plain_ms / row.columba_ms),
                ]
            })
            .collect();
        print!("{}", table::render(&["benchmark", "mode", "plain ms", "columba ms", "ratio"], &cells));
    }
    let failed = rows.iter().filter(|row| row.failure.is_some()).count();
    closing_line(rows.len() - failed, failed)
}

fn compare(environment: &Environment, name: &str, modes: &[Mode], args: &PyperformanceArgs) -> Vec<Row> {
    let failed = |mode: &Mode, failure: Error| Row {
        benchmark: name.to_string(),
        mode: mode.name,
        plain_ms: f64::NAN,
        columba_ms: f64::NAN,
        failure: Some(failure.to_string()),
    };
    let plain = match run(environment, &Mode::PLAIN, name, args) {
        Ok(parts) => parts,
        Err(error) => return vec![failed(&Mode::PLAIN, error)],
    };
    let mut rows = Vec::new();
    for mode in modes {
        let parts = match run(environment, mode, name, args) {
            Ok(parts) => parts,
            Err(error) => {
                rows.push(failed(mode, error));
                continue;
            }
        };
        for right in &plain {
            let got = parts.iter().find(|part| part.name == right.name);
            rows.push(Row {
                benchmark: right.name.clone(),
                mode: mode.name,
                plain_ms: right.seconds * 1e3,
                columba_ms: got.map_or(f64::NAN, |part| part.seconds * 1e3),
                failure: match got {
                    None => Some("gave no result".into()),
                    Some(part) if part.result != right.result => {
                        Some(format!("{} instead of {}", part.result, right.result))
                    }
                    Some(_) => None,
                },
            });
        }
    }
    rows
}

fn run(environment: &Environment, mode: &Mode, name: &str, args: &PyperformanceArgs) -> Result<Vec<Part>> {
    let scratch = process::scratch_dir()?;
    let report = scratch.join("report.json");
    let mut command = environment.command(mode);
    command.arg(columba_bench::worker("pyperformance_worker.py")).arg(&report).arg(name).arg(args.values.to_string());
    command.env("PYTHONHASHSEED", "0");
    let outcome = process::run(&mut command, Duration::from_secs(args.timeout))?;
    outcome.success(&format!("{name} ({})", mode.name))?;
    let text = std::fs::read_to_string(&report).map_err(Error::io(&report))?;
    let _ = std::fs::remove_dir_all(&scratch);
    serde_json::from_str(&text).map_err(|error| Error::Protocol { what: name.into(), detail: error.to_string() })
}
