//! `cargo xtask bench`: suites of the crate `bench`, run in virtual environments; their report as a table, JSON, Markdown and HTML.
//!
//! One environment serves all columns: which backend compiles is said by `COLUMBA_BACKEND` alone, so that columns differ in
//! nothing else. The bars of kernels and of overhead must be reached by the backends named with `--backend`, or by the default one
//! when none is; the others are shown beside it. Those of pyperformance are for the best one measured. A missed bar is exit code 1, as everywhere in xtask.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::{Common, backends, process};
use clap::{Args, ValueEnum};
use columba_bench::{
    column::Column,
    html,
    laboratory::{self, Laboratory},
    markdown,
    report::{Interpreter, Machine, Report},
    suites::{self, Settings},
    tables,
};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What is measured, besides single backends, when none is named.
const DEFAULT_MIX: &str = "dynasm,llvm";

/// Compiling the whole standard library with LLVM takes most of this.
const LIMIT: Duration = Duration::from_secs(3600);

#[derive(Args)]
pub struct BenchArgs {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// Measures only programs whose name contains one of these.
    names: Vec<String>,
    /// The interpreter to work with: a name on PATH or a path. Default: the distribution's, which is optimised.
    #[arg(long, value_name = "PY", default_value = "python3")]
    python: String,
    /// A backend, or two with a comma between them, to be a column; can be given again.
    #[arg(long = "backend", value_name = "NAME")]
    backends: Vec<String>,
    /// Processes per figure and column.
    #[arg(long, value_name = "N", default_value_t = 5)]
    processes: usize,
    /// Iterations of warm-up curves.
    #[arg(long, value_name = "N", default_value_t = 60)]
    iterations: usize,
    /// Values of each program of pyperformance in a process, after warming up.
    #[arg(long, value_name = "N", default_value_t = 5)]
    values: usize,
    /// Compiles one of so many files of the standard library.
    #[arg(long, value_name = "N", default_value_t = 1)]
    one_in: usize,
    /// Prints the report as JSON on standard output instead of tables.
    #[arg(long)]
    json: bool,
    /// Writes the report with plots as one HTML file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes the report as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Says this at the head of the report; can be given again.
    #[arg(long = "remark", value_name = "TEXT")]
    remarks: Vec<String>,
    /// Measures nothing: makes the report of this file, written by --json.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Small numeric loops, and the numeric programs of pyperformance; with bars.
    Kernels,
    /// Programs of pyperformance, warmed up and called for the first time; with bars.
    Pyperformance,
    /// What Columba costs where it brings nothing, and how much later programs start; with bars.
    Overhead,
    /// Time and machine code of compiling the standard library, and a function of five lines.
    Compile,
    /// The time of each iteration in a fresh process.
    Warmup,
    /// What a compiled function keeps of memory.
    Memory,
    /// All of these.
    All,
}

impl What {
    fn includes(self, suite: &str) -> bool {
        self == What::All || self.to_possible_value().is_some_and(|value| value.get_name() == suite)
    }
}

pub fn command(args: &BenchArgs) -> Result<()> {
    let report = match &args.from {
        Some(file) => {
            let mut report = Report::from_json(&std::fs::read_to_string(file).map_err(Error::io(file))?)?;
            report.remarks.extend(args.remarks.iter().cloned());
            report
        }
        None => measure(args)?,
    };
    if args.json {
        println!("{}", report.to_json());
    } else {
        print!("{}", text_of(&report));
    }
    if let Some(file) = &args.html {
        std::fs::write(file, html::render(&report)?).map_err(Error::io(file))?;
    }
    if let Some(file) = &args.markdown {
        let title = format!("Figures of {}", report.machine.date);
        std::fs::write(file, markdown::render(&report, &title)).map_err(Error::io(file))?;
    }
    let missed = report.missed();
    match missed.is_empty() {
        true => Ok(()),
        false => Err(Error::Missed(format!("bars missed: {}", missed.join(", ")))),
    }
}

fn measure(args: &BenchArgs) -> Result<Report> {
    let asked = normal(&args.backends)?;
    let mut common = Common {
        python: args.python.clone(),
        backend: (!asked.is_empty()).then(|| union(&asked)),
        json: args.json,
        jobs: 1,
    };
    if common.python == "python3" && Path::new("/usr/bin/python3.11").exists() {
        common.python = "/usr/bin/python3.11".into();
    }
    let bench = Bench { environment: Environment::prepare_for_measuring(&common)? };
    let facts: Facts = laboratory::ask(&bench, &Column::Plain, &columba_bench::worker("facts.py"), &[])?;
    eprintln!("yardstick: {} ({})", facts.version, bench.environment.interpreter.executable.display());
    let optimised = bench.environment.interpreter.optimised;
    if !optimised {
        eprintln!(
            "warning: this interpreter was built without optimisations; the figures flatter Columba. Use a distribution's."
        );
    }
    let mut columns = vec![Column::Plain];
    columns.extend(columns_of(&asked).into_iter().map(Column::Columba));
    let pypy: Option<Facts> = laboratory::ask(&bench, &Column::Pypy, &columba_bench::worker("facts.py"), &[]).ok();
    columns.extend(pypy.as_ref().map(|_| Column::Pypy));
    let judged = if asked.is_empty() { vec![backends::DEFAULT.to_owned()] } else { asked };
    let mut report = Report {
        machine: machine(facts.date),
        interpreter: Interpreter {
            version: facts.version,
            compiler: facts.compiler,
            optimised,
            pypy: pypy.map(|facts| facts.version),
        },
        columns: columns.clone(),
        processes: args.processes.max(1),
        suites: Vec::new(),
        remarks: args.remarks.clone(),
    };
    for (name, suite) in suites::ALL.iter().filter(|(name, _)| args.what.includes(name)) {
        eprintln!("== {name}");
        let settings = Settings {
            columns: columns.clone(),
            judged: judged.clone(),
            processes: args.processes.max(1),
            names: args.names.clone(),
            one_in: args.one_in.max(1),
            iterations: if *name == "pyperformance" { args.values.max(1) } else { args.iterations.max(1) },
        };
        report.suites.push(suite(&bench, &settings)?);
    }
    Ok(report)
}

/// Each name without blanks; an error for one that is no backend.
fn normal(names: &[String]) -> Result<Vec<String>> {
    let one = |name: &String| {
        let parts: Vec<&str> = name.split(',').map(str::trim).collect();
        match parts.iter().find(|part| !backends::ALL.contains(part)) {
            Some(unknown) => Err(Error::Usage(format!(
                "there is no backend {unknown:?}; there are {}, and mixes of two such as {DEFAULT_MIX}",
                backends::ALL.join(", ")
            ))),
            None => Ok(parts.join(",")),
        }
    };
    names.iter().map(one).collect()
}

/// All backends that occur, as the option for building them.
fn union(asked: &[String]) -> String {
    let used = |name: &&&str| asked.iter().any(|asked| asked.split(',').any(|part| part == **name));
    backends::ALL.iter().filter(used).copied().collect::<Vec<_>>().join(",")
}

/// The columns of Columba.
fn columns_of(asked: &[String]) -> Vec<String> {
    let default = backends::ALL.iter().copied().chain([DEFAULT_MIX]);
    if asked.is_empty() { default.map(str::to_owned).collect() } else { asked.to_vec() }
}

/// The environment as the suites see it.
struct Bench {
    environment: Environment,
}

impl Bench {
    fn command(&self, column: &Column) -> Command {
        match column {
            Column::Pypy => {
                let mut command = Command::new("pypy3");
                Mode::PLAIN.apply(&mut command, None);
                command.env("PYTHONPATH", self.environment.packages_for_others());
                command
            }
            column => {
                let mode = if column.backends().is_some() { Mode::DEFAULT } else { Mode::PLAIN };
                let mut command = Command::new(self.environment.python());
                mode.apply(&mut command, column.backends());
                command
            }
        }
    }
}

impl Laboratory for Bench {
    fn run(&self, column: &Column, program: &Path, arguments: &[String]) -> columba_bench::Result<String> {
        let mut command = self.command(column);
        // The order of sets of strings is part of what a program does.
        command.env("PYTHONHASHSEED", "0").env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg(program).args(arguments);
        let what = format!("{} ({})", program.file_name().unwrap_or_default().to_string_lossy(), column.name());
        process::run(&mut command, LIMIT)
            .and_then(|outcome| outcome.success(&what))
            .map_err(|error| columba_bench::Error::Worker(error.to_string()))
    }

    fn install(&self, column: &Column, packages: &[&str]) -> columba_bench::Result<bool> {
        if *column == Column::Pypy {
            // Not ours to install into; what is needed is written in Python, and runs from a folder.
            let names: Vec<&str> = packages.iter().filter_map(|package| package.split("==").next()).collect();
            let ready = self.environment.install_for_others(packages).is_ok() && {
                let mut command = self.command(column);
                command.arg("-c").arg(format!("import {}", names.join(", ")));
                process::run(&mut command, Duration::from_secs(60)).is_ok_and(|outcome| outcome.end.success())
            };
            return Ok(ready);
        }
        self.environment.install(packages).map_err(|error| columba_bench::Error::Worker(error.to_string()))?;
        Ok(true)
    }
}

/// What an interpreter says of itself, and the day.
#[derive(Deserialize)]
struct Facts {
    version: String,
    compiler: String,
    date: String,
}

/// This machine, from what Linux says.
fn machine(date: String) -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, name: &str, separator: char| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(separator)?.1.trim().trim_matches('"').to_owned())
    };
    let unknown = || "unknown".to_owned();
    let kib = value(&read("/proc/meminfo"), "MemTotal", ':')
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(0.0);
    Machine {
        cpu: value(&read("/proc/cpuinfo"), "model name", ':').unwrap_or_else(unknown),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_gib: kib / 1024.0 / 1024.0,
        os: value(&read("/etc/os-release"), "PRETTY_NAME", '=').unwrap_or_else(unknown),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        load: read("/proc/loadavg").split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
        date,
    }
}

/// The report for the terminal.
fn text_of(report: &Report) -> String {
    let mut text = String::new();
    for suite in &report.suites {
        for table in tables::of_suite(report, suite) {
            let header: Vec<&str> = table.header.iter().map(String::as_str).collect();
            text.push_str(&format!("\n{}\n{}", table.title, crate::table::render(&header, &table.rows)));
        }
        for row in &suite.rows {
            for cell in row.cells.iter() {
                if let Some(failure) = &cell.failure {
                    text.push_str(&format!("{} ({}, {}): {failure}\n", row.program, row.way, cell.column));
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_built_once_each() {
        let asked = normal(&["llvm".into(), "dynasm, llvm".into()]).unwrap();
        assert_eq!(asked, ["llvm", "dynasm,llvm"]);
        assert_eq!(union(&asked), "dynasm,llvm");
        assert_eq!(columns_of(&[]), ["cranelift", "dynasm", "llvm", "dynasm,llvm"]);
    }

    #[test]
    fn an_unknown_backend_is_one_clear_line() {
        let error = normal(&["dynasm,gcc".into()]).unwrap_err().to_string();
        assert!(error.starts_with("there is no backend \"gcc\"") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn a_machine_is_described() {
        let machine = machine("2026-01-02".into());
        assert!(machine.cores >= 1 && machine.memory_gib > 0.0 && machine.date == "2026-01-02");
    }
}
