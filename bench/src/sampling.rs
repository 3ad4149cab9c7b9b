//! Taking turns, and making cells of what came of it.
//!
//! Problem: a shared machine is faster now and slower then. Method: one process of each column, then again one of each, so
//! that a slow spell meets all columns. A column that fails once is left out of later rounds: its figure would be
//! of fewer processes than the others', and the failure is what matters.
//! Invariant: the plain interpreter's result is the right one; a different result is a failure, however fast.

use crate::{
    Error, Result,
    column::Column,
    report::{Bar, Cell},
    stats::Summary,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

/// A line at the bottom of the terminal that says how far measuring is. Nothing where standard error is no terminal.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn new(suite: &str, runs: usize) -> Progress {
        let bar = ProgressBar::new(runs as u64).with_prefix(suite.to_owned());
        let style = ProgressStyle::with_template("{prefix:>13} [{bar:30}] {pos}/{len} {eta:>4} {msg}")
            .expect("the template is well-formed")
            .progress_chars("=> ");
        bar.set_style(style);
        Progress(bar)
    }

    #[cfg(test)]
    pub fn hidden() -> Progress {
        Progress(ProgressBar::hidden())
    }

    fn start(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    fn done(&self) {
        self.0.inc(1);
    }

    /// A line above the bar.
    pub fn say(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Samples of each column, or why it has none; in the order of the columns.
pub type Samples<T> = Vec<Result<Vec<T>>>;

/// Runs `measure` `rounds` times for each column, the columns in turn.
pub fn take_turns<T>(
    rounds: usize,
    columns: &[Column],
    progress: &Progress,
    what: &str,
    mut measure: impl FnMut(&Column) -> Result<T>,
) -> Samples<T> {
    let mut samples: Samples<T> = columns.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..rounds.max(1) {
        for (column, samples) in columns.iter().zip(&mut samples) {
            progress.start(&format!("{what} ({})", column.name()));
            if let Ok(list) = samples {
                match measure(column) {
                    Ok(sample) => list.push(sample),
                    Err(error) => *samples = Err(error),
                }
            }
            progress.done();
        }
    }
    samples
}

/// One process's measurement of a program.
#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    pub seconds: f64,
    /// The program's result as text.
    pub result: String,
    #[serde(default)]
    pub bytes: Option<f64>,
    #[serde(default)]
    pub compile_time: Option<f64>,
}

/// A cell per column: times in milliseconds, ratios to the plain interpreter, results checked. `bar` is the ratio that a column
/// must reach, if it has to.
pub fn cells(columns: &[Column], samples: &Samples<Sample>, bar: impl Fn(&Column) -> Option<f64>) -> Vec<Cell> {
    let plain = columns.iter().zip(samples).find(|(column, _)| **column == Column::Plain);
    let plain = plain.and_then(|(_, samples)| samples.as_ref().ok());
    let right = plain.and_then(|samples| samples.first()).map(|sample| sample.result.as_str());
    let plain_ms = plain.and_then(|samples| times(samples)).map(|times| times.median);
    columns
        .iter()
        .zip(samples)
        .map(|(column, samples)| {
            let mut cell = Cell { column: column.name().to_owned(), ..Cell::default() };
            let samples = match samples {
                Ok(samples) => samples,
                Err(error) => {
                    cell.failure = Some(error.to_string());
                    return cell;
                }
            };
            let wrong = right.and_then(|right| Some((right, samples.iter().find(|sample| sample.result != right)?)));
            if let Some((right, wrong)) = wrong {
                cell.failure = Some(format!("wrong result {} instead of {right}", wrong.result));
            }
            cell.figure = times(samples);
            cell.ratio = plain_ms.zip(cell.figure).map(|(plain, figure)| plain / figure.median);
            cell.bytes = samples.first().and_then(|sample| sample.bytes);
            cell.compile_ms = median_of(samples, |sample| sample.compile_time).map(|seconds| seconds * 1e3);
            cell.bar = bar(column).zip(cell.ratio).map(|(bar, ratio)| Bar::at_least_times(bar, ratio));
            cell
        })
        .collect()
}

fn times(samples: &[Sample]) -> Option<Summary> {
    Summary::of(&samples.iter().map(|sample| sample.seconds * 1e3).collect::<Vec<f64>>())
}

fn median_of(samples: &[Sample], value: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    Summary::of(&samples.iter().filter_map(value).collect::<Vec<f64>>()).map(|summary| summary.median)
}

/// The failure of a column, or nothing, for suites that make their cells themselves.
pub fn failure_of<T>(samples: &Result<Vec<T>>) -> Option<String> {
    samples.as_ref().err().map(Error::to_string)
}

/// What a row is called on the line that says it is done.
pub fn line_of(program: &str, way: &str, cells: &[Cell]) -> String {
    let mut line = format!("{program} ({way}):");
    for cell in cells.iter().filter(|cell| cell.column != Column::Plain.name()) {
        match (&cell.failure, cell.ratio, cell.figure) {
            (Some(failure), ..) => line.push_str(&format!(" {} FAILED: {failure};", cell.column)),
            (None, Some(ratio), _) => line.push_str(&format!(" {} {ratio:.2}x", cell.column)),
            (None, None, Some(figure)) => line.push_str(&format!(" {} {:.2}", cell.column, figure.median)),
            (None, None, None) => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![Column::Plain, Column::Columba("cranelift".into()), Column::Columba("dynasm,llvm".into())]
    }

    fn sample(seconds: f64, result: &str) -> Sample {
        Sample { seconds, result: result.into(), bytes: None, compile_time: None }
    }

    #[test]
    fn columns_take_turns() {
        let mut order = Vec::new();
        take_turns(2, &columns(), &Progress::hidden(), "x", |column| {
            order.push(column.name().to_owned());
            Ok(())
        });
        assert_eq!(order, ["interpreter", "cranelift", "dynasm,llvm", "interpreter", "cranelift", "dynasm,llvm"]);
    }

    #[test]
    fn a_column_that_failed_is_left_out_afterwards() {
        let mut calls = 0;
        let samples = take_turns(3, &columns(), &Progress::hidden(), "x", |column| {
            calls += 1;
            if column.backends() == Some("cranelift") { Err(Error::Worker("it broke".into())) } else { Ok(1) }
        });
        assert_eq!(calls, 7);
        assert_eq!(samples[0].as_ref().unwrap(), &[1, 1, 1]);
        assert_eq!(samples[1].as_ref().unwrap_err().to_string(), "it broke");
    }

    #[test]
    fn ratios_and_bars() {
        let samples = vec![
            Ok(vec![sample(0.12, "1"), sample(0.10, "1"), sample(0.11, "1")]),
            Ok(vec![sample(0.011, "1"), sample(0.010, "1"), sample(0.02, "1")]),
            Ok(vec![sample(0.055, "1")]),
        ];
        let bar = |column: &Column| (column.backends() != Some("cranelift")).then_some(8.0);
        let cells = cells(&columns(), &samples, bar);
        assert!((cells[1].ratio.unwrap() - 10.0).abs() < 1e-9);
        assert!(cells[1].bar.is_none() && cells[1].met());
        assert!(!cells[2].met());
        assert_eq!(cells[0].figure.unwrap().min, 100.0);
    }

    #[test]
    fn a_wrong_result_is_a_failure() {
        let samples =
            vec![Ok(vec![sample(1.0, "right")]), Ok(vec![sample(0.1, "wrong")]), Ok(vec![sample(1.0, "right")])];
        let cells = cells(&columns(), &samples, |_| None);
        assert_eq!(cells[1].failure.as_deref(), Some("wrong result wrong instead of right"));
        assert!(cells[2].met());
    }
}
