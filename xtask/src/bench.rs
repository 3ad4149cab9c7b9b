//! `cargo xtask bench`: Columba against the plain interpreter, with bars.
//!
//! A figure is the median over several processes. Plain and Columba processes alternate, so that a machine which slows down
//! or speeds up does so for both. Every worker checks the kernel's result, and under Columba that the kernel was
//! compiled: a figure of an interpreted run would be worthless.
//!
//! A kernel (`tests/kernels/NAME.py`) is measured in up to three ways: *repeated* (called again and again, best of the later
//! calls), *first* (one single call of 3 million iterations in a fresh process, compile time included) and *module* (the
//! same loop in a module body, `tests/kernels/module/NAME.py`).

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::{Common, driver, process, root, table};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

#[derive(Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Small numeric loops, and the numeric programs of pyperformance.
    Kernels(KernelsArgs),
}

#[derive(Args)]
struct KernelsArgs {
    #[command(flatten)]
    common: Common,
    /// Pairs of processes per figure.
    #[arg(long, value_name = "N", default_value_t = 5)]
    processes: usize,
    /// Measures only kernels whose name contains one of these.
    names: Vec<String>,
}

/// A kernel and what must be reached; no bar where the figure is only reported.
struct Kernel {
    name: &'static str,
    repeated: Option<f64>,
    first: Option<f64>,
    module: Option<f64>,
}

const fn kernel(name: &'static str, repeated: f64, first: f64, module: f64) -> Kernel {
    Kernel { name, repeated: Some(repeated), first: Some(first), module: Some(module) }
}

const fn program(name: &'static str) -> Kernel {
    Kernel { name, repeated: Some(2.0), first: None, module: None }
}

const KERNELS: [Kernel; 13] = [
    kernel("float_loop", 8.0, 6.0, 6.0),
    kernel("mandelbrot", 8.0, 6.0, 6.0),
    kernel("while_sum", 8.0, 6.0, 6.0),
    kernel("int_mask", 12.0, 6.0, 6.0),
    kernel("int_shift", 12.0, 6.0, 6.0),
    kernel("int_floordiv", 12.0, 6.0, 6.0),
    kernel("int_modulo", 12.0, 6.0, 6.0),
    kernel("bigint_overflow", 1.0, 1.0, 1.0),
    program("nbody"),
    program("spectral_norm"),
    program("scimark_sor"),
    program("scimark_lu"),
    program("scimark_fft"),
];

/// How much slower than plain `python -m columba -m calendar` may start.
const START_UP_BAR_MS: f64 = 15.0;

const LIMIT: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct Sample {
    seconds: f64,
    result: String,
    #[serde(default)]
    bytes: Option<f64>,
    #[serde(default)]
    compile_time: Option<f64>,
}

#[derive(Serialize)]
struct Figure {
    kernel: String,
    way: &'static str,
    plain_ms: f64,
    columba_ms: f64,
    /// Smallest and largest of Columba's processes.
    columba_range_ms: (f64, f64),
    ratio: f64,
    bar: Option<f64>,
    bytes: Option<f64>,
    compile_ms: Option<f64>,
    failure: Option<String>,
}

impl Figure {
    fn met(&self) -> bool {
        self.failure.is_none() && self.bar.is_none_or(|bar| self.ratio >= bar)
    }
}

pub fn command(args: &BenchArgs) -> Result<()> {
    match &args.what {
        What::Kernels(args) => kernels(args),
    }
}

fn kernels(args: &KernelsArgs) -> Result<()> {
    let mut common = args.common.clone();
    if common.python == "python3" && Path::new("/usr/bin/python3.11").exists() {
        common.python = "/usr/bin/python3.11".into();
    }
    let environment = Environment::prepare(&common)?;
    let interpreter = &environment.interpreter;
    eprintln!("yardstick: CPython {} ({})", interpreter.version, interpreter.executable.display());
    if !interpreter.optimised {
        eprintln!(
            "warning: this interpreter was built without optimisations; the figures flatter Columba. Use a distribution's."
        );
    }
    let wanted = |name: &str| args.names.is_empty() || args.names.iter().any(|part| name.contains(part.as_str()));
    let mut figures = Vec::new();
    for kernel in KERNELS.iter().filter(|kernel| wanted(kernel.name)) {
        for (way, bar) in [("repeated", kernel.repeated), ("first", kernel.first), ("module", kernel.module)] {
            let Some(bar) = bar else { continue };
            let figure = measure(&environment, kernel.name, way, bar, args.processes);
            eprintln!("{}", line_of(&figure));
            figures.push(figure);
        }
    }
    let start_up = if wanted("calendar") { Some(start_up(&environment)?) } else { None };
    if args.common.json {
        let report = serde_json::json!({
            "python": interpreter.version,
            "optimised": interpreter.optimised,
            "figures": figures,
            "start_up": start_up.as_ref().map(|(plain, columba)| serde_json::json!({
                "plain_ms": plain, "columba_ms": columba, "bar_ms": START_UP_BAR_MS,
            })),
        });
        println!("{}", serde_json::to_string_pretty(&report).expect("figures are plain data"));
    } else {
        print!("{}", table_of(&figures));
        if let Some((plain, columba)) = start_up {
            println!("python -m calendar: plain {plain:.1} ms, columba {columba:.1} ms (bar: +{START_UP_BAR_MS} ms)");
        }
    }
    let mut missed: Vec<String> =
        figures.iter().filter(|figure| !figure.met()).map(|f| format!("{} ({})", f.kernel, f.way)).collect();
    if start_up.is_some_and(|(plain, columba)| columba - plain > START_UP_BAR_MS) {
        missed.push("calendar (start-up)".into());
    }
    match missed.is_empty() {
        true => Ok(()),
        false => Err(Error::Missed(format!("bars missed: {}", missed.join(", ")))),
    }
}

fn measure(environment: &Environment, name: &str, way: &'static str, bar: f64, processes: usize) -> Figure {
    let mut figure = Figure {
        kernel: name.to_string(),
        way,
        plain_ms: f64::NAN,
        columba_ms: f64::NAN,
        columba_range_ms: (f64::NAN, f64::NAN),
        ratio: f64::NAN,
        bar: Some(bar),
        bytes: None,
        compile_ms: None,
        failure: None,
    };
    let (mut plain, mut columba) = (Vec::new(), Vec::new());
    for _ in 0..processes.max(1) {
        for (mode, samples) in [(&Mode::PLAIN, &mut plain), (&Mode::DEFAULT, &mut columba)] {
            match sample(environment, mode, name, way) {
                Ok(sample) => samples.push(sample),
                Err(error) => {
                    figure.failure = Some(error.to_string());
                    return figure;
                }
            }
        }
    }
    if let Some(wrong) = columba.iter().find(|sample| sample.result != plain[0].result) {
        figure.failure = Some(format!("wrong result {} instead of {}", wrong.result, plain[0].result));
    }
    let times = |samples: &[Sample]| samples.iter().map(|sample| sample.seconds * 1e3).collect::<Vec<f64>>();
    let (plain_times, columba_times) = (times(&plain), times(&columba));
    figure.plain_ms = table::median(&plain_times);
    figure.columba_ms = table::median(&columba_times);
    figure.columba_range_ms = (
        columba_times.iter().copied().fold(f64::INFINITY, f64::min),
        columba_times.iter().copied().fold(0.0, f64::max),
    );
    figure.ratio = figure.plain_ms / figure.columba_ms;
    figure.bytes = columba[0].bytes;
    figure.compile_ms = columba[0].compile_time.map(|seconds| seconds * 1e3);
    figure
}

fn sample(environment: &Environment, mode: &Mode, name: &str, way: &str) -> Result<Sample> {
    let mut command = environment.command(mode);
    command.arg(driver("kernel_worker.py")).arg(root().join("tests/kernels")).arg(name).arg(way);
    if mode.enabled {
        command.arg("--columba");
    }
    let text = process::run(&mut command, LIMIT)?.success(&format!("{name} ({way}, {})", mode.name))?;
    serde_json::from_str(&text).map_err(|error| Error::Protocol { what: name.into(), detail: error.to_string() })
}

/// Medians, in milliseconds, of starting `calendar` plain and under Columba.
fn start_up(environment: &Environment) -> Result<(f64, f64)> {
    let (mut plain, mut columba) = (Vec::new(), Vec::new());
    for round in 0..17 {
        for (with, times) in [(false, &mut plain), (true, &mut columba)] {
            let mut command = environment.command(&Mode::PLAIN);
            if with {
                command.args(["-m", "columba"]);
            }
            let outcome = process::run(command.args(["-m", "calendar", "2026"]), LIMIT)?;
            let elapsed = outcome.elapsed.as_secs_f64() * 1e3;
            outcome.success("python -m calendar")?;
            // The first round reads files that are not cached yet.
            if round > 0 {
                times.push(elapsed);
            }
        }
    }
    Ok((table::median(&plain), table::median(&columba)))
}

fn line_of(figure: &Figure) -> String {
    match &figure.failure {
        Some(failure) => format!("{} ({}): {failure}", figure.kernel, figure.way),
        None => format!("{} ({}): {:.2}x", figure.kernel, figure.way, figure.ratio),
    }
}

fn table_of(figures: &[Figure]) -> String {
    let number = |value: Option<f64>, digits: usize| value.map_or("-".to_string(), |value| format!("{value:.digits$}"));
    let rows: Vec<Vec<String>> = figures
        .iter()
        .map(|figure| {
            vec![
                figure.kernel.clone(),
                figure.way.to_string(),
                format!("{:.2}", figure.plain_ms),
                format!("{:.2}", figure.columba_ms),
                format!("{:.2}-{:.2}", figure.columba_range_ms.0, figure.columba_range_ms.1),
                format!("{:.2}x", figure.ratio),
                figure.bar.map_or("-".into(), |bar| format!("{bar}x")),
                number(figure.bytes, 0),
                number(figure.compile_ms, 2),
                if figure.met() { "ok" } else { "MISSED" }.to_string(),
            ]
        })
        .collect();
    let header = ["kernel", "way", "plain ms", "columba ms", "range", "ratio", "bar", "bytes", "compile ms", "verdict"];
    table::render(&header, &rows)
}
