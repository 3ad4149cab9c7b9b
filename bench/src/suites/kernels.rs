//! Small numeric loops and the numeric programs of pyperformance, with bars; and the time to start up.
//!
//! A kernel (`tests/kernels/NAME.py`) is measured in up to three ways: *repeated* (called again and again, the median of the
//! later calls), *first* (one single call of 3 million iterations in a fresh process, compile time included) and *module*
//! (the same loop in a module body, `tests/kernels/module/NAME.py`).

use super::Settings;
use crate::{
    Result,
    column::Column,
    laboratory::{Laboratory, ask},
    report::{Bar, Cell, Kind, Row, Suite},
    root,
    sampling::{self, Progress, Sample, take_turns},
    stats::Summary,
    worker,
};
use std::collections::BTreeMap;

/// A kernel and what must be reached; no bar where the figure is not taken.
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
const START_UP_ROUNDS: usize = 17;

pub fn measure(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Suite> {
    let figures: Vec<(&str, &str, f64)> = KERNELS
        .iter()
        .filter(|kernel| settings.wanted(kernel.name))
        .flat_map(|kernel| {
            [("repeated", kernel.repeated), ("first", kernel.first), ("module", kernel.module)]
                .into_iter()
                .filter_map(|(way, bar)| Some((kernel.name, way, bar?)))
        })
        .collect();
    let progress = Progress::new("kernels", figures.len() * settings.processes.max(1) * settings.columns.len());
    let folder = root().join("tests/kernels").display().to_string();
    let mut rows = Vec::new();
    for (name, way, bar) in figures {
        let samples = take_turns(settings.processes, &settings.columns, &progress, name, |column| {
            let mut arguments = vec![folder.clone(), name.to_owned(), way.to_owned()];
            arguments.extend(column.arguments());
            ask::<Sample>(laboratory, column, &worker("kernel_worker.py"), &arguments)
        });
        let cells = sampling::cells(&settings.columns, &samples, |column| settings.judges(column).then_some(bar));
        progress.say(&sampling::line_of(name, way, &cells));
        rows.push(Row { program: name.into(), way: way.into(), unit: "ms".into(), cells });
    }
    if settings.wanted("calendar") {
        rows.push(start_up(laboratory, settings)?);
    }
    Ok(Suite {
        name: "kernels".into(),
        lead: "Small numeric loops and numeric programs. Repeated: the median of calls after warming up. First: one call in a \
               fresh process, compile time included. Module: the loop in a module body, compile time included. \
               The last row starts `python -m calendar` plain and under `-m columba`."
            .into(),
        kind: Kind::Programs,
        rows,
        curves: Vec::new(),
    })
}

/// Starting `calendar`, plain and under each backend.
fn start_up(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Row> {
    let mut arguments = vec![START_UP_ROUNDS.to_string()];
    arguments.extend(settings.columba().iter().filter_map(|column| column.backends().map(str::to_owned)));
    let times: BTreeMap<String, Vec<f64>> = ask(laboratory, &Column::Plain, &worker("start_up_worker.py"), &arguments)?;
    let figure = |name: &str| Summary::of(times.get(name)?).map(|summary| summary.scaled(1e3));
    let plain = figure("");
    let cells = settings.columns.iter().map(|column| {
        let figure = match column {
            Column::Plain => plain,
            Column::Columba(backends) => figure(backends),
            Column::Pypy => None,
        };
        let later = plain.zip(figure).map(|(plain, figure)| figure.median - plain.median);
        Cell {
            column: column.name().into(),
            figure,
            ratio: plain.zip(figure).map(|(plain, figure)| plain.median / figure.median),
            bar: later
                .filter(|_| settings.judges(column))
                .map(|later| Bar { text: format!("<= +{START_UP_BAR_MS} ms"), met: later <= START_UP_BAR_MS }),
            ..Cell::default()
        }
    });
    Ok(Row { program: "calendar".into(), way: "start-up".into(), unit: "ms".into(), cells: cells.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laboratory::canned::Canned;

    fn settings(judged: &str) -> Settings {
        Settings {
            columns: vec![Column::Plain, Column::Columba("cranelift".into()), Column::Columba("dynasm".into())],
            judged: vec![judged.into()],
            processes: 2,
            names: vec!["nbody".into()],
            one_in: 1,
            iterations: 1,
        }
    }

    fn answer(column: &Column, _: &[String]) -> Result<String> {
        let seconds = if column.backends() == Some("cranelift") { 0.1 } else { 0.4 };
        Ok(format!(r#"{{"seconds": {seconds}, "result": "1"}}"#))
    }

    #[test]
    fn only_judged_backends_have_to_reach_a_bar() {
        let suite = measure(&Canned(answer), &settings("cranelift")).unwrap();
        assert_eq!(suite.rows.len(), 1);
        assert_eq!(suite.rows[0].cell("cranelift").unwrap().bar, Some(Bar { text: ">= 2x".into(), met: true }));
        assert!(suite.missed().is_empty());
        let suite = measure(&Canned(answer), &settings("dynasm")).unwrap();
        assert_eq!(suite.missed(), ["nbody (repeated, dynasm)"]);
    }

    #[test]
    fn a_worker_that_prints_nonsense_is_a_failure_of_its_cell() {
        let suite = measure(&Canned(|_: &Column, _: &[String]| Ok("?".into())), &settings("dynasm")).unwrap();
        let failure = suite.rows[0].cell("dynasm").unwrap().failure.clone().unwrap();
        assert!(failure.contains("kernel_worker.py (dynasm) printed something unexpected"), "{failure}");
    }
}
