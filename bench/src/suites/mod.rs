//! What can be measured. Each suite is a function from a laboratory and settings to a [`Suite`].

pub mod compile;
pub mod kernels;
pub mod memory;
pub mod overhead;
pub mod pyperformance;
pub mod warmup;

use crate::{Result, column::Column, laboratory::Laboratory, report::Suite};

/// What suites are told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub columns: Vec<Column>,
    /// Backends that have to reach the bars of programs; the others are only shown.
    pub judged: Vec<String>,
    /// Processes per figure and column.
    pub processes: usize,
    /// Only programs whose name contains one of these; all when empty.
    pub names: Vec<String>,
    /// Of the standard library's files, one in so many.
    pub one_in: usize,
    /// Iterations of a warm-up curve, and values of a program of pyperformance.
    pub iterations: usize,
}

impl Settings {
    fn wanted(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    fn judges(&self, column: &Column) -> bool {
        column.backends().is_some_and(|backends| self.judged.iter().any(|judged| judged == backends))
    }

    /// Columns in which Columba works.
    fn columba(&self) -> Vec<Column> {
        self.columns.iter().filter(|column| column.backends().is_some()).cloned().collect()
    }
}

/// Measures one suite.
pub type Measure = fn(&dyn Laboratory, &Settings) -> Result<Suite>;

/// Every suite by name, in the order of `all`.
pub const ALL: [(&str, Measure); 6] = [
    ("kernels", kernels::measure),
    ("pyperformance", pyperformance::measure),
    ("overhead", overhead::measure),
    ("compile", compile::measure),
    ("warmup", warmup::measure),
    ("memory", memory::measure),
];
