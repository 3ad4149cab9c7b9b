//! Small numeric loops and the numeric programs of pyperformance, with bars.
//!
//! A kernel (`tests/kernels/NAME.py`) is measured in up to three ways: *repeated* (called again and again, the median of the
//! later calls), *first* (one single call of 3 million iterations in a fresh process, compile time included) and *module*
//! (the same loop in a module body, `tests/kernels/module/NAME.py`).
//!
//! The backend that is made for compiling fast must not pay for it with slow code: where both columns are measured, its repeated
//! calls may take `FAST_BAR` times as long as those of the default.

use super::Settings;
use crate::{
    Result,
    laboratory::{Laboratory, ask},
    report::{Bar, Cell, Kind, Row, Suite},
    root,
    sampling::{self, Progress, Sample, take_turns},
    worker,
};

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

/// The backend that compiles fast, and the one that its code is held against.
const FAST: &str = "dynasm";
const GOOD: &str = "cranelift";
/// How many times as long as the latter's the former's code may take.
const FAST_BAR: f64 = 1.6;

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
        let mut cells = sampling::cells(&settings.columns, &samples, |column| settings.judges(column).then_some(bar));
        if way == "repeated" {
            hold_against_good_code(&mut cells);
        }
        progress.say(&sampling::line_of(name, way, &cells));
        rows.push(Row { program: name.into(), way: way.into(), unit: "ms".into(), cells });
    }
    Ok(Suite {
        name: "kernels".into(),
        lead: "Small numeric loops and numeric programs. Repeated: the median of calls after warming up. First: one call in a \
               fresh process, compile time included. Module: the loop in a module body, compile time included."
            .into(),
        kind: Kind::Programs,
        rows,
        overall: Vec::new(),
        curves: Vec::new(),
    })
}

/// Gives the fast backend's cell its bar, beside the one it may have, if there is something to compare with.
fn hold_against_good_code(cells: &mut [Cell]) {
    let median = |name: &str| {
        let cell = cells.iter().find(|cell| cell.column == name && cell.failure.is_none())?;
        Some(cell.figure?.median)
    };
    let Some((good, fast)) = median(GOOD).zip(median(FAST)) else { return };
    let bar = Bar { text: format!("<= {FAST_BAR}x {GOOD}'s time"), met: fast <= FAST_BAR * good };
    for cell in cells.iter_mut().filter(|cell| cell.column == FAST) {
        cell.bar = Some(match cell.bar.take() {
            Some(own) => own.and(&bar),
            None => bar.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{column::Column, laboratory::canned::Canned};

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
        let without_dynasm = |judged: &str| {
            let columns = vec![Column::Plain, Column::Columba("cranelift".into()), Column::Columba("llvm".into())];
            measure(&Canned(answer), &Settings { columns, ..settings(judged) }).unwrap()
        };
        let suite = without_dynasm("cranelift");
        assert_eq!(suite.rows.len(), 1);
        assert_eq!(suite.rows[0].cell("cranelift").unwrap().bar, Some(Bar { text: ">= 2x".into(), met: true }));
        assert!(suite.missed().is_empty());
        assert_eq!(without_dynasm("llvm").missed(), ["nbody (repeated, llvm)"]);
    }

    #[test]
    fn dynasm_is_held_against_cranelift_where_both_are_measured() {
        let bar = |answer: fn(&Column, &[String]) -> Result<String>, judged: &str| {
            let suite = measure(&Canned(answer), &settings(judged)).unwrap();
            assert_eq!(suite.rows[0].cell("cranelift").unwrap().bar.is_some(), judged == "cranelift");
            (suite.rows[0].cell("dynasm").unwrap().bar.clone(), suite.missed())
        };
        let (missed, whose) = bar(answer, "cranelift");
        assert_eq!(missed, Some(Bar { text: "<= 1.6x cranelift's time".into(), met: false }));
        assert_eq!(whose, ["nbody (repeated, dynasm)"]);
        let just_met = |column: &Column, _: &[String]| {
            let seconds = match column.backends() {
                Some("cranelift") => 0.125,
                Some(_) => 0.2,
                None => 0.8,
            };
            Ok(format!(r#"{{"seconds": {seconds}, "result": "1"}}"#))
        };
        // Judged by the interpreter's time as well.
        let (met, whose) = bar(just_met, "dynasm");
        assert_eq!(met, Some(Bar { text: ">= 2x, <= 1.6x cranelift's time".into(), met: true }));
        assert!(whose.is_empty());
        // A wrong result is a failure already, and nothing to compare with.
        let wrong = |column: &Column, _: &[String]| {
            let result = if column.backends() == Some("cranelift") { "2" } else { "1" };
            Ok(format!(r#"{{"seconds": 0.1, "result": "{result}"}}"#))
        };
        assert_eq!(bar(wrong, "llvm"), (None, vec!["nbody (repeated, cranelift)".to_owned()]));
    }

    #[test]
    fn a_worker_that_prints_nonsense_is_a_failure_of_its_cell() {
        let suite = measure(&Canned(|_: &Column, _: &[String]| Ok("?".into())), &settings("dynasm")).unwrap();
        let failure = suite.rows[0].cell("dynasm").unwrap().failure.clone().unwrap();
        assert!(failure.contains("kernel_worker.py (dynasm) printed something unexpected"), "{failure}");
    }
}
