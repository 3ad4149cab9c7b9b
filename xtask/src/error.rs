//! Why a command stopped, in one line for the person who typed it.

use std::path::PathBuf;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command worked, and what it checked does not hold.
    #[error("{0}")]
    Missed(String),
    /// What was asked for does not exist or makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A program that the command needs failed.
    #[error("{what} failed ({status}){}{output}", if output.is_empty() { "" } else { ":\n" })]
    Program { what: String, status: String, output: String },
    /// A program printed something else than was agreed.
    #[error("{what} printed something unexpected: {detail}")]
    Protocol { what: String, detail: String },
    /// A suite of benchmarks could not be measured, or its report not be made.
    #[error(transparent)]
    Bench(#[from] columba_bench::Error),
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
}

impl Error {
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Missed(_) => 1,
            _ => 2,
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;
