//! What compiling costs: over the standard library, and for one function of five lines, by stage.
//!
//! *Standard library*: every code object is compiled as it comes from its file and dropped again, so guesses from types are
//! missing; distributions over code objects of all processes. *Five lines*: copies of one function are called until each is
//! hot, so the figure is what a program waits for, from code object to entry point, with types of arguments and inline
//! caches. The first few copies of a process are left out: they pay for starting the backend up and are a row of their own.
//! With a mix the figures are the first backend's: the second compiles on its own thread.

use super::Settings;
use crate::{
    Error, Result,
    column::Column,
    laboratory::{Laboratory, ask},
    report::{Bar, Cell, Kind, Row, Suite},
    sampling::{Progress, Samples, failure_of, take_turns},
    stats::Summary,
    worker,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The stages, in their order.
pub const STAGES: [&str; 5] = ["decode", "build", "passes", "lower", "backend"];

/// What a function of five lines may cost, in microseconds, by backend.
const FIVE_LINES_BARS: [(&str, f64); 3] = [("dynasm", 150.0), ("cranelift", 800.0), ("llvm", 8000.0)];

/// What one process compiled: a number per code object in each list.
#[derive(Debug, Deserialize)]
struct Compilations {
    /// Nanoseconds by stage.
    stages: BTreeMap<String, Vec<f64>>,
    /// From code object to entry point, in nanoseconds.
    total: Vec<f64>,
    /// Machine code.
    bytes: Vec<f64>,
    /// Nanoseconds of the very first compilation of the process.
    #[serde(default)]
    first: Option<f64>,
    #[serde(default)]
    refused: u64,
}

pub fn measure(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Suite> {
    let columns = settings.columba();
    if columns.is_empty() {
        return Err(Error::Usage("the suite compile needs a backend".into()));
    }
    let progress = Progress::new("compile", (1 + settings.processes.max(1)) * columns.len());
    let run = |column: &Column, what: &str, more: &[String]| {
        let arguments = [&[what.to_owned()], column.arguments().as_slice(), more].concat();
        ask::<Compilations>(laboratory, column, &worker("compile_worker.py"), &arguments)
    };
    let five =
        take_turns(settings.processes, &columns, &progress, "five lines", |column| run(column, "five-lines", &[]));
    // Tens of thousands of code objects are spread enough: one process.
    let one_in = settings.one_in.to_string();
    let library = take_turns(1, &columns, &progress, "standard library", |column| {
        run(column, "library", &["--one-in".to_owned(), one_in.clone()])
    });
    let mut rows = rows_of(settings, "five lines", &columns, &five, true);
    rows.extend(rows_of(settings, "standard library", &columns, &library, false));
    let refused = library.iter().filter_map(|samples| Some(samples.as_ref().ok()?.first()?.refused)).max().unwrap_or(0);
    let compiled = library.iter().filter_map(|samples| Some(samples.as_ref().ok()?.first()?.total.len())).max();
    Ok(Suite {
        name: "compile".into(),
        lead: format!(
            "Time from code object to entry point, and machine code. Five lines: copies of one small function that become \
             hot, with types. Standard library: {} code objects without types{}; {refused} refused. Of a mix the first \
             backend is measured, for which the program waits.",
            compiled.unwrap_or(0),
            match settings.one_in {
                0 | 1 => String::new(),
                n => format!(", of one file in {n}"),
            },
        ),
        kind: Kind::Distributions,
        rows,
        overall: Vec::new(),
        curves: Vec::new(),
    })
}

/// A row per stage, and for the total and the size.
fn rows_of(
    settings: &Settings,
    program: &str,
    columns: &[Column],
    samples: &Samples<Compilations>,
    five_lines: bool,
) -> Vec<Row> {
    let row = |way: &str, unit: &str, factor: f64, values: &dyn Fn(&Compilations) -> Vec<f64>| {
        let cells = settings.columns.iter().map(|column| {
            let mut cell = Cell { column: column.name().into(), ..Cell::default() };
            let Some(at) = columns.iter().position(|other| other == column) else { return cell };
            cell.failure = failure_of(&samples[at]);
            let values: Vec<f64> = samples[at].iter().flatten().flat_map(values).collect();
            cell.figure = Summary::of(&values).map(|summary| summary.scaled(factor));
            if let (true, "total", Some(figure)) = (five_lines, way, cell.figure) {
                let bar = FIVE_LINES_BARS.iter().find(|(backend, _)| column.first_backend() == Some(backend));
                cell.bar = bar.map(|(_, bar)| Bar::at_most(*bar, unit, figure.median));
            }
            cell
        });
        Row { program: program.into(), way: way.into(), unit: unit.into(), cells: cells.collect() }
    };
    let mut rows: Vec<Row> = STAGES
        .iter()
        .map(|stage| row(stage, "us", 1e-3, &|process| process.stages.get(*stage).cloned().unwrap_or_default()))
        .collect();
    rows.push(row("total", "us", 1e-3, &|process| process.total.clone()));
    if five_lines {
        rows.push(row("first of a process", "us", 1e-3, &|process| process.first.into_iter().collect()));
    }
    rows.push(row("machine code", "bytes", 1.0, &|process| process.bytes.clone()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laboratory::canned::Canned;

    #[test]
    fn stages_totals_and_bars() {
        let settings = Settings {
            columns: vec![Column::Plain, Column::Columba("dynasm,llvm".into()), Column::Columba("llvm".into())],
            judged: vec![],
            processes: 2,
            names: vec![],
            one_in: 4,
            iterations: 1,
        };
        let laboratory = Canned(|column: &Column, arguments: &[String]| {
            assert_eq!(column.arguments(), arguments[1..3]);
            Ok(r#"{"stages": {"decode": [1000, 3000], "build": [5000, 5000]}, "total": [200000, 400000],
                   "bytes": [100, 300], "first": 9000000, "refused": 2}"#
                .into())
        });
        let suite = measure(&laboratory, &settings).unwrap();
        let row = |program: &str, way: &str| {
            suite.rows.iter().find(|row| row.program == program && row.way == way).unwrap().clone()
        };
        assert_eq!(row("five lines", "decode").cell("llvm").unwrap().figure.unwrap().median, 2.0);
        assert_eq!(row("standard library", "machine code").cell("llvm").unwrap().figure.unwrap().total, 400.0);
        // The bar of a mix is that of its first backend.
        assert_eq!(row("five lines", "total").cell("dynasm,llvm").unwrap().bar.as_ref().unwrap().text, "<= 150 us");
        assert_eq!(suite.missed(), ["five lines (total, dynasm,llvm)"]);
        assert!(row("five lines", "total").cell("interpreter").unwrap().figure.is_none());
        assert!(suite.lead.contains("one file in 4") && suite.lead.contains("2 refused"));
    }

    #[test]
    fn without_a_backend_there_is_nothing_to_measure() {
        let settings = Settings {
            columns: vec![Column::Plain],
            judged: vec![],
            processes: 1,
            names: vec![],
            one_in: 1,
            iterations: 1,
        };
        let error = measure(&Canned(|_: &Column, _: &[String]| Ok(String::new())), &settings).unwrap_err();
        assert_eq!(error.to_string(), "the suite compile needs a backend");
    }
}
