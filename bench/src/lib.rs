//! Measures Columba's backends, and mixes of two, against the plain interpreter and PyPy.
//!
//! Problem: figures of a JIT are easily worthless. The machine slows down between two measurements, a worker ran
//! interpreted code, a wrong result was fast. Method: every figure is a [`stats::Summary`] over several processes, which
//! take turns over all [`column::Column`]s; a worker (`bench/python`) fails unless Columba is enabled with the backend that its
//! column names and code made by it was in use; results are compared with the plain interpreter's.
//!
//! A [`suites`] module measures one thing and yields a [`report::Suite`]; a [`report::Report`] is plain data, saved and
//! loaded as JSON. [`tables`] makes tables of it, for the terminal ([`table`]), for documents ([`markdown`]) and, with
//! plots ([`plot`]), for a page that stands by itself ([`html`]).
//!
//! Invariants: this crate starts no process and knows no paths of environments: a [`laboratory::Laboratory`] does; a number
//! that was not measured is absent, never 0 or NaN; a [`report::Bar`] is judged where the figure is made.

pub mod column;
pub mod html;
pub mod laboratory;
pub mod markdown;
pub mod plot;
pub mod report;
pub mod sampling;
pub mod stats;
pub mod suites;
pub mod table;
pub mod tables;

use std::path::{Path, PathBuf};

/// Why measuring stopped, or why a figure is absent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A process could not be run or did not end well.
    #[error("{0}")]
    Worker(String),
    /// A worker printed something else than was agreed.
    #[error("{what} printed something unexpected: {detail}")]
    Protocol { what: String, detail: String },
    /// A plot could not be drawn.
    #[error("cannot draw {plot}: {detail}")]
    Plot { plot: String, detail: String },
    /// What was asked for does not exist.
    #[error("{0}")]
    Usage(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// The root of the checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("bench lies in a folder of the workspace")
}

/// A Python program that belongs to this crate.
pub fn worker(name: &str) -> PathBuf {
    root().join("bench/python").join(name)
}
