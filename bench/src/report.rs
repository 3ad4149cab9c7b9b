//! What was measured: plain data, saved and loaded as JSON.
//!
//! A report has suites, a suite rows, a row one cell per column. Invariants: the cells of a row are in the order of the report's
//! columns, and name theirs; a cell has a figure or a failure or, where the column does not take part, neither.

use crate::{column::Column, stats::Summary};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    pub interpreter: Interpreter,
    pub columns: Vec<Column>,
    /// Processes per figure.
    pub processes: usize,
    pub suites: Vec<Suite>,
    /// What a reader must know to judge the figures.
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: f64,
    pub os: String,
    pub kernel: String,
    /// Processes that wanted to run, on average over a minute, when measuring began.
    pub load: f64,
    pub date: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interpreter {
    /// As `sys.version` says it, without the compiler.
    pub version: String,
    pub compiler: String,
    /// Built with `--enable-optimizations`, or an equal of it.
    pub optimised: bool,
    /// PyPy's version, if it takes part.
    #[serde(default)]
    pub pypy: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    pub name: String,
    /// What the figures are, in a sentence or two.
    pub lead: String,
    pub kind: Kind,
    pub rows: Vec<Row>,
    /// What sums the rows up, where a suite has bars for that; ratios without figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overall: Vec<Row>,
    /// Time by iteration; only of `warmup`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
}

/// How a suite is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Times of programs, compared with the plain interpreter.
    #[default]
    Programs,
    /// Distributions over many functions, which the plain interpreter has no part in.
    Distributions,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The program, or what the distribution is over.
    pub program: String,
    /// How it is measured, or the stage.
    pub way: String,
    pub unit: String,
    pub cells: Vec<Cell>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The name of the column.
    pub column: String,
    pub figure: Option<Summary>,
    /// How many times as fast as the plain interpreter.
    pub ratio: Option<f64>,
    /// Machine code, in bytes.
    pub bytes: Option<f64>,
    pub compile_ms: Option<f64>,
    pub bar: Option<Bar>,
    /// Why there is no figure, or why it does not count.
    pub failure: Option<String>,
}

/// What must be reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    pub text: String,
    pub met: bool,
}

impl Bar {
    pub fn at_least_times(bar: f64, ratio: f64) -> Bar {
        Bar { text: format!(">= {bar}x"), met: ratio >= bar }
    }

    /// This one and another.
    pub fn and(&self, other: &Bar) -> Bar {
        Bar { text: format!("{}, {}", self.text, other.text), met: self.met && other.met }
    }

    pub fn at_most(bar: f64, unit: &str, value: f64) -> Bar {
        Bar { text: format!("<= {bar} {unit}"), met: value <= bar }
    }
}

/// The time of each iteration in a fresh process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    pub program: String,
    pub column: String,
    /// Milliseconds of iteration 1, 2, ...
    pub iterations: Vec<Summary>,
}

impl Cell {
    pub fn met(&self) -> bool {
        self.failure.is_none() && self.bar.as_ref().is_none_or(|bar| bar.met)
    }
}

impl Row {
    pub fn cell(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.column == column)
    }
}

impl Suite {
    /// Figures that failed or missed their bar, each in a few words.
    pub fn missed(&self) -> Vec<String> {
        let rows = self.rows.iter().chain(&self.overall);
        let cells = rows.flat_map(|row| row.cells.iter().map(move |cell| (row, cell)));
        cells
            .filter(|(_, cell)| !cell.met())
            .map(|(row, cell)| format!("{} ({}, {})", row.program, row.way, cell.column))
            .collect()
    }
}

impl Report {
    pub fn missed(&self) -> Vec<String> {
        self.suites.iter().flat_map(Suite::missed).collect()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report is plain data with text keys")
    }

    pub fn from_json(text: &str) -> crate::Result<Report> {
        serde_json::from_str(text)
            .map_err(|error| crate::Error::Protocol { what: "the report".into(), detail: error.to_string() })
    }
}

#[cfg(test)]
pub mod samples {
    //! A small report for tests.

    use super::*;

    pub fn report() -> Report {
        let figure = |median: f64| Summary::of(&[median * 0.9, median, median * 1.25]);
        let cell = |column: &str, median: f64| Cell {
            column: column.into(),
            figure: figure(median),
            ratio: Some(120.0 / median),
            ..Cell::default()
        };
        let fast = Cell {
            bytes: Some(2048.0),
            compile_ms: Some(1.5),
            bar: Some(Bar::at_least_times(8.0, 12.0)),
            ..cell("cranelift", 10.0)
        };
        let failed = Cell { column: "cranelift".into(), failure: Some("wrong <result>".into()), ..Cell::default() };
        let row = |program: &str, second: Cell| Row {
            program: program.into(),
            way: "repeated".into(),
            unit: "ms".into(),
            cells: vec![cell("interpreter", 120.0), second],
        };
        let stage = |way: &str, median: f64, bar: Option<Bar>| Row {
            program: "five lines".into(),
            way: way.into(),
            unit: "us".into(),
            cells: vec![
                Cell { column: "interpreter".into(), ..Cell::default() },
                Cell { column: "cranelift".into(), figure: figure(median), bar, ..Cell::default() },
            ],
        };
        let iterations = |times: [f64; 3]| times.iter().filter_map(|time| figure(*time)).collect();
        Report {
            machine: Machine {
                cpu: "Some CPU & more".into(),
                cores: 2,
                memory_gib: 16.0,
                os: "An OS".into(),
                kernel: "6.1".into(),
                load: 0.5,
                date: "2026-01-02".into(),
            },
            interpreter: Interpreter {
                version: "CPython 3.11.2".into(),
                compiler: "GCC 12".into(),
                optimised: true,
                pypy: None,
            },
            columns: vec![Column::Plain, Column::Columba("cranelift".into())],
            processes: 3,
            suites: vec![
                Suite {
                    name: "kernels".into(),
                    lead: "Small loops.".into(),
                    kind: Kind::Programs,
                    rows: vec![row("float_loop", fast), row("broken", failed)],
                    overall: vec![],
                    curves: vec![],
                },
                Suite {
                    name: "compile".into(),
                    lead: "Time to compile.".into(),
                    kind: Kind::Distributions,
                    rows: vec![
                        stage("decode", 10.0, None),
                        stage("backend", 700.0, None),
                        stage("total", 900.0, Some(Bar::at_most(800.0, "us", 900.0))),
                    ],
                    overall: vec![],
                    curves: vec![],
                },
                Suite {
                    name: "warmup".into(),
                    lead: "Time of each iteration.".into(),
                    kind: Kind::Programs,
                    rows: vec![],
                    overall: vec![],
                    curves: vec![
                        Curve {
                            program: "nbody".into(),
                            column: "interpreter".into(),
                            iterations: iterations([9.0, 9.0, 9.0]),
                        },
                        Curve {
                            program: "nbody".into(),
                            column: "cranelift".into(),
                            iterations: iterations([9.5, 3.0, 2.0]),
                        },
                    ],
                },
            ],
            remarks: vec!["Other load was present.".into()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_round_trip() {
        let report = samples::report();
        assert_eq!(Report::from_json(&report.to_json()).unwrap(), report);
    }

    #[test]
    fn broken_json_is_one_clear_line() {
        let error = Report::from_json("{").unwrap_err().to_string();
        assert!(error.starts_with("the report printed something unexpected") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn failures_and_missed_bars_are_listed() {
        assert_eq!(samples::report().missed(), ["broken (repeated, cranelift)", "five lines (total, cranelift)"]);
    }

    #[test]
    fn bars_are_inclusive() {
        assert!(Bar::at_least_times(8.0, 8.0).met && !Bar::at_least_times(8.0, 7.99).met);
        assert!(Bar::at_most(150.0, "us", 150.0).met && !Bar::at_most(150.0, "us", 150.1).met);
    }
}
