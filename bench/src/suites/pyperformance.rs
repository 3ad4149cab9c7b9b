//! Programs of the pyperformance suite, unchanged, each benchmark function called some times in one process.
//!
//! pyperf's own runner measures in worker processes and throws results away; the worker has a stand-in for it. A program may have
//! several benchmark functions, each a row. The time of a process is that of its fastest call, so compile time is not in it:
//! that is what `warmup` is for.

use super::Settings;
use crate::{
    Error, Result,
    column::Column,
    laboratory::{Laboratory, ask},
    report::{Cell, Kind, Row, Suite},
    sampling::{self, Progress, Sample, take_turns},
    worker,
};
use serde::Deserialize;

/// What the programs need.
pub const PACKAGES: [&str; 2] = ["pyperf==2.10.0", "pyperformance==1.14.0"];

/// Programs that are known to work.
pub const PROGRAMS: [&str; 27] = [
    "nbody",
    "spectral_norm",
    "fannkuch",
    "float",
    "scimark",
    "chaos",
    "go",
    "hexiom",
    "nqueens",
    "raytrace",
    "richards",
    "deltablue",
    "pidigits",
    "pyflate",
    "deepcopy",
    "meteor_contest",
    "generators",
    "coroutines",
    "comprehensions",
    "mdp",
    "barnes_hut",
    "unpack_sequence",
    "json_dumps",
    "regex_compile",
    "logging",
    "telco",
    "async_tree",
];

/// One benchmark function in one process.
#[derive(Clone, Deserialize)]
struct Part {
    name: String,
    #[serde(flatten)]
    sample: Sample,
}

pub fn measure(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Suite> {
    let mut columns = Vec::new();
    for column in &settings.columns {
        if laboratory.install(column, &PACKAGES)? {
            columns.push(column.clone());
        }
    }
    let programs: Vec<&str> = PROGRAMS.into_iter().filter(|name| settings.wanted(name)).collect();
    if programs.is_empty() {
        return Err(Error::Usage(format!(
            "no program of pyperformance is called like {}",
            settings.names.join(" or ")
        )));
    }
    let progress = Progress::new("pyperformance", programs.len() * settings.processes.max(1) * columns.len());
    let mut rows = Vec::new();
    for program in programs {
        let samples = take_turns(settings.processes, &columns, &progress, program, |column| {
            let mut arguments = vec!["-".to_owned(), program.to_owned(), settings.iterations.to_string()];
            arguments.extend(column.arguments());
            ask::<Vec<Part>>(laboratory, column, &worker("pyperformance_worker.py"), &arguments)
        });
        // The names of the functions are the plain interpreter's.
        let mut names: Vec<String> = match samples.first() {
            Some(Ok(processes)) => processes.first().into_iter().flatten().map(|part| part.name.clone()).collect(),
            _ => Vec::new(),
        };
        if names.is_empty() {
            names.push(program.to_owned());
        }
        for name in names {
            let of_name: sampling::Samples<Sample> = samples
                .iter()
                .map(|processes| match processes {
                    Err(error) => Err(Error::Worker(error.to_string())),
                    Ok(processes) => processes
                        .iter()
                        .map(|parts| {
                            let part = parts.iter().find(|part| part.name == name);
                            part.map(|part| part.sample.clone())
                                .ok_or_else(|| Error::Worker(format!("{name} gave no result")))
                        })
                        .collect(),
                })
                .collect();
            let measured = sampling::cells(&columns, &of_name, |_| None);
            progress.say(&sampling::line_of(&name, "best call", &measured));
            let cell = |name: &str| measured.iter().find(|cell| cell.column == name).cloned();
            let absent = |name: &str| Cell { column: name.into(), ..Cell::default() };
            let cells =
                settings.columns.iter().map(Column::name).map(|name| cell(name).unwrap_or_else(|| absent(name)));
            let cells = cells.collect();
            rows.push(Row { program: name, way: "best call".into(), unit: "ms".into(), cells });
        }
    }
    Ok(Suite {
        name: "pyperformance".into(),
        lead: format!(
            "Programs of pyperformance 1.14.0: the fastest of {} calls in each process, median over the processes.",
            settings.iterations
        ),
        kind: Kind::Programs,
        rows,
        curves: Vec::new(),
    })
}
