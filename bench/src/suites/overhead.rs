//! What Columba costs where it brings nothing: calls of cold code, changing over to compiled code and back, guesses that fail; and
//! how much later programs start.
//!
//! The bars are no gains but limits of losses. They must be kept by each backend that is judged, as those of the kernels.

use super::Settings;
use crate::{
    Error, Result,
    column::Column,
    laboratory::{Laboratory, ask},
    report::{Bar, Cell, Kind, Row, Suite},
    sampling::{self, Progress, Sample, take_turns},
    stats::Summary,
    worker,
};
use std::collections::BTreeMap;

/// Code that cannot become faster.
struct Cost {
    program: &'static str,
    way: &'static str,
    /// What the worker calls it.
    what: &'static str,
    /// The ratio to the interpreter.
    bar: f64,
}

const COSTS: [Cost; 4] = [
    Cost { program: "calls", way: "nothing compiled", what: "cold", bar: 0.98 },
    Cost { program: "calls", way: "half compiled", what: "half", bar: 1.0 },
    Cost { program: "types", way: "in turn", what: "types", bar: 0.9 },
    Cost { program: "guard", way: "always fails", what: "guard", bar: 0.9 },
];

/// Programs that are started, and how `python` is told so.
const STARTED: [(&str, &str); 2] = [("calendar", "start-up, -m"), ("import_json", "start-up, -c")];

/// How much later than plain a program may have run under `python -m columba`.
const START_UP_BAR_MS: f64 = 10.0;
const START_UP_ROUNDS: usize = 17;

pub fn measure(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Suite> {
    let costs: Vec<&Cost> = COSTS.iter().filter(|cost| settings.wanted(cost.program)).collect();
    let started: Vec<_> = STARTED.iter().filter(|(program, _)| settings.wanted(program)).collect();
    let progress = Progress::new("overhead", costs.len() * settings.processes.max(1) * settings.columns.len());
    let mut rows = Vec::new();
    for Cost { program, way, what, bar } in costs {
        let samples = take_turns(settings.processes, &settings.columns, &progress, program, |column| {
            let mut arguments = vec![(*what).to_owned()];
            arguments.extend(column.arguments());
            ask::<Sample>(laboratory, column, &worker("overhead_worker.py"), &arguments)
        });
        let cells = sampling::cells(&settings.columns, &samples, |column| settings.judges(column).then_some(*bar));
        progress.say(&sampling::line_of(program, way, &cells));
        rows.push(Row { program: (*program).into(), way: (*way).into(), unit: "ms".into(), cells });
    }
    for (program, way) in started {
        let row = start_up(laboratory, settings, program, way)?;
        progress.say(&sampling::line_of(program, way, &row.cells));
        rows.push(row);
    }
    Ok(Suite {
        name: "overhead".into(),
        lead: "What Columba costs where it brings nothing. Calls: code that does little but call, while nothing is compiled and \
               while half of the callees are. Types: a function called 200,000 times with ints and floats in turn. Guard: a \
               function called 200,000 times with integers larger than those it was compiled for. The last rows start \
               `python -m calendar` and `python -c \"import json\"` plain and under `-m columba`."
            .into(),
        kind: Kind::Programs,
        rows,
        overall: Vec::new(),
        curves: Vec::new(),
    })
}

/// Starting a program, plain and under each backend.
fn start_up(laboratory: &dyn Laboratory, settings: &Settings, program: &str, way: &str) -> Result<Row> {
    let mut arguments = vec![program.to_owned(), START_UP_ROUNDS.to_string()];
    arguments.extend(settings.columba().iter().filter_map(|column| column.backends().map(str::to_owned)));
    let times: BTreeMap<String, Vec<f64>> = ask(laboratory, &Column::Plain, &worker("start_up_worker.py"), &arguments)?;
    let figure = |name: &str| Summary::of(times.get(name)?).map(|summary| summary.scaled(1e3));
    let plain = figure("").ok_or_else(|| Error::Worker(format!("{program} was not started")))?;
    let cells = settings.columns.iter().map(|column| {
        let figure = match column {
            Column::Plain => Some(plain),
            Column::Columba(backends) => figure(backends),
            Column::Pypy => None,
        };
        let later = figure.map(|figure| figure.median - plain.median);
        Cell {
            column: column.name().into(),
            figure,
            ratio: figure.map(|figure| plain.median / figure.median),
            bar: later
                .filter(|_| settings.judges(column))
                .map(|later| Bar { text: format!("<= +{START_UP_BAR_MS} ms"), met: later <= START_UP_BAR_MS }),
            ..Cell::default()
        }
    });
    Ok(Row { program: program.into(), way: way.into(), unit: "ms".into(), cells: cells.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laboratory::canned::Canned;

    fn settings(names: &[&str]) -> Settings {
        Settings {
            columns: vec![
                Column::Plain,
                Column::Columba("cranelift".into()),
                Column::Columba("llvm".into()),
                Column::Pypy,
            ],
            judged: vec!["cranelift".into()],
            processes: 2,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            one_in: 1,
            iterations: 1,
        }
    }

    #[test]
    fn losses_have_limits() {
        let laboratory = Canned(|column: &Column, arguments: &[String]| {
            let seconds = match (column.backends(), arguments[0].as_str()) {
                (Some("cranelift"), "cold") => 0.101,
                (Some("cranelift"), "half") => 0.101,
                (Some(_), _) => 0.2,
                (None, _) => 0.1,
            };
            Ok(format!(r#"{{"seconds": {seconds}, "result": "1"}}"#))
        });
        let suite = measure(&laboratory, &settings(&["calls"])).unwrap();
        assert_eq!(suite.rows.len(), 2);
        assert!(suite.rows[0].cell("cranelift").unwrap().met());
        // Half compiled it may not lose at all; a backend that is only shown may.
        assert_eq!(suite.missed(), ["calls (half compiled, cranelift)"]);
    }

    #[test]
    fn programs_may_start_ten_milliseconds_later() {
        let laboratory = Canned(|column: &Column, arguments: &[String]| {
            assert_eq!((column, &arguments[2..]), (&Column::Plain, &["cranelift".to_owned(), "llvm".to_owned()][..]));
            let cranelift = if arguments[0] == "calendar" { 0.0301 } else { 0.0299 };
            Ok(format!(r#"{{"": [0.02, 0.02], "cranelift": [{cranelift}], "llvm": [0.2]}}"#))
        });
        let suite = measure(&laboratory, &settings(&["calendar", "import_json"])).unwrap();
        assert_eq!(suite.missed(), ["calendar (start-up, -m, cranelift)"]);
        assert_eq!(suite.rows[1].cell("cranelift").unwrap().bar.as_ref().unwrap().text, "<= +10 ms");
        assert!(suite.rows[1].cell("pypy").unwrap().figure.is_none());
    }
}
