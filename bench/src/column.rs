//! What is measured side by side: the plain interpreter, backends, mixes of two backends, PyPy.
//!
//! Invariant: the plain interpreter is the first column of every report, since results and ratios are relative to it.

use serde::{Deserialize, Serialize};

/// One way to run a Python program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Column {
    /// The interpreter without Columba.
    Plain,
    /// Columba with a backend, or with two separated by a comma: warm code and hot code.
    Columba(String),
    /// Another interpreter, with a JIT of its own.
    Pypy,
}

impl Column {
    /// The name in tables, plots and figures.
    pub fn name(&self) -> &str {
        match self {
            Column::Plain => "interpreter",
            Column::Columba(backends) => backends,
            Column::Pypy => "pypy",
        }
    }

    /// The backends, as the option is written.
    pub fn backends(&self) -> Option<&str> {
        match self {
            Column::Columba(backends) => Some(backends),
            _ => None,
        }
    }

    /// The backend that compiles first; in a mix, the one the program waits for.
    pub fn first_backend(&self) -> Option<&str> {
        self.backends().map(|backends| backends.split(',').next().unwrap_or(backends))
    }

    /// What a worker is told: `--columba BACKENDS` or nothing.
    pub fn arguments(&self) -> Vec<String> {
        self.backends().map_or_else(Vec::new, |backends| vec!["--columba".into(), backends.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_waits_for_its_first_backend() {
        assert_eq!(Column::Columba("dynasm,llvm".into()).first_backend(), Some("dynasm"));
        assert_eq!(Column::Columba("llvm".into()).first_backend(), Some("llvm"));
        assert_eq!(Column::Plain.first_backend(), None);
    }

    #[test]
    fn workers_under_columba_are_told_their_backends() {
        assert_eq!(Column::Columba("dynasm,llvm".into()).arguments(), ["--columba", "dynasm,llvm"]);
        assert!(Column::Pypy.arguments().is_empty());
    }
}
