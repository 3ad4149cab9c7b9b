//! What a compiled function keeps of memory.
//!
//! Problem: one function's growth of the resident set is zero or a page. Method: code objects of the standard library, in random
//! but fixed order, are compiled and kept as hot ones are; the resident set is read after each batch of 64, and a batch gives
//! one figure per function. Free memory is given back before each reading. Before counting, some hundred functions are compiled and kept, so that the compiler's own
//! memory and the allocator's are there. All that is kept counts: machine code, exits, guesses, the state of the code
//! object, and what the allocator does not give back.

use super::Settings;
use crate::{
    Error, Result,
    laboratory::{Laboratory, ask},
    report::{Bar, Cell, Kind, Row, Suite},
    sampling::{Progress, failure_of, take_turns},
    stats::Summary,
    worker,
};
use serde::Deserialize;

/// What a function may keep, in KiB.
const BAR_KIB: f64 = 20.0;

#[derive(Debug, Deserialize)]
struct Kept {
    /// Bytes per function, by batch.
    batches: Vec<f64>,
    /// Bytes per function over all batches: the mean, in which large functions weigh more.
    whole: f64,
    /// Functions that were compiled and counted.
    functions: u64,
}

pub fn measure(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Suite> {
    let columns = settings.columba();
    if columns.is_empty() {
        return Err(Error::Usage("the suite memory needs a backend".into()));
    }
    let progress = Progress::new("memory", columns.len());
    let samples = take_turns(1, &columns, &progress, "standard library", |column| {
        let mut arguments = vec!["--one-in".to_owned(), settings.one_in.to_string()];
        arguments.extend(column.arguments());
        ask::<Kept>(laboratory, column, &worker("memory_worker.py"), &arguments)
    });
    let row = |way: &str, bar: bool, values: &dyn Fn(&Kept) -> Vec<f64>| {
        let cells = settings.columns.iter().map(|column| {
            let mut cell = Cell { column: column.name().into(), ..Cell::default() };
            let Some(at) = columns.iter().position(|other| other == column) else { return cell };
            cell.failure = failure_of(&samples[at]);
            let values: Vec<f64> = samples[at].iter().flatten().flat_map(values).collect();
            cell.figure = Summary::of(&values).map(|summary| summary.scaled(1.0 / 1024.0));
            cell.bar = cell.figure.filter(|_| bar).map(|figure| Bar::at_most(BAR_KIB, "KiB", figure.median));
            cell
        });
        Row { program: "standard library".into(), way: way.into(), unit: "KiB".into(), cells: cells.collect() }
    };
    let rows = vec![
        row("kept per function", true, &|kept| kept.batches.clone()),
        row("mean of the whole run", false, &|kept| vec![kept.whole]),
    ];
    for row in &rows {
        progress.say(&crate::sampling::line_of(&row.program, &row.way, &row.cells));
    }
    let functions = samples.iter().flatten().flatten().map(|kept| kept.functions).max().unwrap_or(0);
    Ok(Suite {
        name: "memory".into(),
        lead: format!(
            "Growth of the resident set per compiled function that is kept, by batches of 64 of {functions} functions of \
             the standard library."
        ),
        kind: Kind::Distributions,
        rows,
        overall: Vec::new(),
        curves: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{column::Column, laboratory::canned::Canned};

    #[test]
    fn the_median_of_batches_is_judged() {
        let settings = Settings {
            columns: vec![Column::Plain, Column::Columba("llvm".into())],
            judged: vec![],
            processes: 1,
            names: vec![],
            one_in: 1,
            iterations: 1,
        };
        let laboratory = Canned(|_: &Column, _: &[String]| {
            Ok(r#"{"batches": [10240, 20480, 40960], "whole": 30720, "functions": 192}"#.into())
        });
        let suite = measure(&laboratory, &settings).unwrap();
        let cell = suite.rows[0].cell("llvm").unwrap();
        assert_eq!(cell.figure.unwrap().median, 20.0);
        assert!(cell.met());
        assert_eq!(suite.rows[1].cell("llvm").unwrap().figure.unwrap().median, 30.0);
        assert!(suite.lead.contains("192 functions"));
    }
}
