//! `closures script.py [args...]`: runs a Python program compiled by [`ClosureBackend`], and says what was compiled.

use columba::cpython;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::process::ExitCode;
use write_a_backend::ClosureBackend;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        eprintln!("usage: closures script.py [args...]");
        return ExitCode::from(2);
    }
    cpython::register(Box::new(ClosureBackend)).expect("no other backend has this name");
    Python::initialize();
    Python::attach(|py| match run(py, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.print(py);
            ExitCode::FAILURE
        }
    })
}

fn run(py: Python<'_>, arguments: &[String]) -> PyResult<()> {
    let columba = cpython::import(py)?;
    let options = PyDict::new(py);
    options.set_item("backend", "closures")?;
    options.set_item("threshold", 100)?;
    columba.call_method("enable", (), Some(&options))?;
    py.import("sys")?.setattr("argv", arguments)?;
    let ran = py.import("runpy")?.call_method1("run_path", (&arguments[0], py.None(), "__main__"));
    let stats = columba.call_method0("stats")?;
    eprintln!("backend: closures, functions compiled: {}", stats.get_item("compiled")?);
    ran.map(|_| ())
}
