//! Lists of tests that are expected to fail, each with its reason.
//!
//! An entry of such a list is still run and **must fail**: an entry that passes is an error, so that a list never holds
//! what has been repaired. The file is TOML, a table per entry:
//!
//! ```toml
//! [[expected]]
//! test = "test_gc.GCTests.test_example"
//! reason = "automatic collections start at other moments (docs/deviations.md)"
//! ```
//!
//! `test` may end in `*`, which stands for the rest of the name.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub test: String,
    pub reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    #[serde(default)]
    pub expected: Vec<Entry>,
}

impl Expected {
    /// Reads a list; a file that does not exist is an empty list.
    pub fn read(path: &Path) -> Result<Expected> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Expected::default()),
            Err(source) => return Err(Error::Io { path: path.into(), source }),
        };
        let list: Expected =
            toml::from_str(&text).map_err(|error| Error::Usage(format!("{}: {}", path.display(), error.message())))?;
        match list.expected.iter().find(|entry| entry.reason.trim().is_empty()) {
            Some(entry) => Err(Error::Usage(format!("{}: {} has no reason", path.display(), entry.test))),
            None => Ok(list),
        }
    }

    /// The reason why `test` is expected to fail.
    pub fn reason(&self, test: &str) -> Option<&str> {
        let entry = self.expected.iter().find(|entry| match entry.test.strip_suffix('*') {
            Some(prefix) => test.starts_with(prefix),
            None => entry.test == test,
        })?;
        Some(&entry.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_prefixes_match() {
        let list: Expected =
            toml::from_str("[[expected]]\ntest='a.b'\nreason='x'\n[[expected]]\ntest='c.*'\nreason='y'\n").unwrap();
        assert_eq!(list.reason("a.b"), Some("x"));
        assert_eq!(list.reason("a.bc"), None);
        assert_eq!(list.reason("c.anything"), Some("y"));
    }
}
