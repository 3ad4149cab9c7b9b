//! Where workers run.
//!
//! Problem: suites decide what is measured, but not how an interpreter with the extension comes to be. Method: they ask this
//! trait; `cargo xtask` implements it with its virtual environments, tests with canned answers.

use crate::{Error, Result, column::Column};
use serde::de::DeserializeOwned;
use std::path::Path;

pub trait Laboratory {
    /// Runs a Python program in a fresh process as the column says; its standard output. A process that does not end well is
    /// an error that says what it printed last.
    fn run(&self, column: &Column, program: &Path, arguments: &[String]) -> Result<String>;

    /// Makes Python packages (`name==version`) available in a column; `false` when the column is to go without.
    fn install(&self, column: &Column, packages: &[&str]) -> Result<bool>;
}

/// What a worker prints as JSON.
pub fn ask<T: DeserializeOwned>(
    laboratory: &dyn Laboratory,
    column: &Column,
    program: &Path,
    arguments: &[String],
) -> Result<T> {
    let text = laboratory.run(column, program, arguments)?;
    serde_json::from_str(&text).map_err(|error| Error::Protocol {
        what: format!("{} ({})", program.file_name().unwrap_or_default().to_string_lossy(), column.name()),
        detail: error.to_string(),
    })
}

#[cfg(test)]
pub mod canned {
    //! A laboratory for tests.

    use super::*;

    /// Answers by a function of column and arguments.
    pub struct Canned<F>(pub F);

    impl<F: Fn(&Column, &[String]) -> Result<String>> Laboratory for Canned<F> {
        fn run(&self, column: &Column, _: &Path, arguments: &[String]) -> Result<String> {
            self.0(column, arguments)
        }

        fn install(&self, _: &Column, _: &[&str]) -> Result<bool> {
            Ok(true)
        }
    }
}
