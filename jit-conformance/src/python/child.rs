//! The process that runs one program.
//!
//! *Problem*: the program must run as it would anywhere, with the backend under test and nothing else that is unusual.
//! *Method*: a thread with the stack of a main thread starts the interpreter; where a backend is wanted it is registered,
//! wrapped in a [`Candidate`] that notes what it refuses, and chosen; then the program is executed and its `main` called
//! again and again. What it prints goes to a file, line by line, so that a crash loses nothing. *Invariants*: an exception
//! that leaves `main` is printed as CPython prints it and ends that round only; the process never returns to the caller.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use columba_cpython_hook::{backends, embed};
use columba_jit_core::backend::{Backend, Caps, CodeSink, CompileError, CompiledEntry, Config};
use columba_jit_core::unit::CompileUnit;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::programs::Program;
use super::{Account, Make, Mode, Order, VARIABLE, python_mutants};

/// The name that the backend under test has in the interpreter.
pub(super) const NAME: &str = "candidate";

/// Begins the line before what a round prints.
pub(super) const ROUND: &str = "round ";

/// Ends the note of a compilation that ended in a panic.
pub(super) const PANICKED: &str = "the backend panicked";

/// What main threads have on Linux; the harness gives its threads a quarter of it.
const STACK: usize = 8 << 20;

/// Does what the environment asks this process to do, and ends it; returns if nothing is asked.
pub(super) fn serve(make: Make) {
    let Ok(text) = std::env::var(VARIABLE) else { return };
    let order = Order::parse(&text).unwrap_or_else(|| panic!("{VARIABLE} is not an order: {text:?}"));
    let thread = thread::Builder::new().name("python".into()).stack_size(STACK).spawn(move || {
        let report = order.report.clone();
        let account = perform(&order, make);
        fs::write(report, account.to_text()).expect("the report can be written");
    });
    let done = thread.expect("a thread can be started").join();
    // The interpreter is left as it is: other threads of the harness, which know nothing of it, are about to end.
    // SAFETY: ends the process at once; nothing runs that would have to be in order for it.
    unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
}

fn perform(order: &Order, make: Make) -> Account {
    let log = Arc::new(Log::default());
    let mut account = Account::default();
    if order.mode != Mode::Plain {
        let candidate = match candidate(order, make, &log) {
            Ok(candidate) => candidate,
            Err(complaint) => {
                account.complaints.push(complaint);
                return account;
            }
        };
        backends::register(Box::new(candidate)).expect("nobody else uses this name");
    }
    Python::initialize();
    Python::attach(|py| {
        if let Err(error) = program(py, order, &mut account) {
            account.complaints.push(format!("it cannot be run: {error}"));
        }
    });
    let notes = log.0.lock().unwrap_or_else(PoisonError::into_inner);
    account.refusals.clone_from(&notes.refusals);
    account.figures.insert("functions compiled".into(), notes.compiled);
    account
}

/// The backend under test, with the mistake that is asked for.
fn candidate(order: &Order, make: Make, log: &Arc<Log>) -> Result<Candidate, String> {
    // It is used until the process ends.
    let made: &'static dyn Backend = Box::leak(make());
    made.check(&Config::default()).map_err(|error| format!("the backend will not work here: {error}"))?;
    let planted = if order.mutant.is_empty() {
        None
    } else {
        let mutant = python_mutants().into_iter().find(|mutant| mutant.name == order.mutant);
        let mutant = mutant.unwrap_or_else(|| panic!("there is no mutant {:?}", order.mutant));
        Some(mutant.plant(made).expect("it can be planted in a backend"))
    };
    Ok(Candidate { made, planted, log: Arc::clone(log) })
}

/// Executes the program and calls its `main`; asks Columba what became of it.
fn program(py: Python<'_>, order: &Order, account: &mut Account) -> PyResult<()> {
    let program = Program::by_name(&order.program).expect("orders name programs that exist");
    let (sys, builtins) = (py.import("sys")?, py.import("builtins")?);
    let options = PyDict::new(py);
    options.set_item("buffering", 1)?;
    options.set_item("encoding", "utf-8")?;
    options.set_item("errors", "backslashreplace")?;
    let output = builtins.getattr("open")?.call((&order.output, "w"), Some(&options))?;
    sys.setattr("stdout", &output)?;
    sys.setattr("stderr", &output)?;

    let namespace = PyDict::new(py);
    namespace.set_item("__name__", "__main__")?;
    namespace.set_item("__builtins__", &builtins)?;
    let code = builtins.getattr("compile")?.call1((program.source, format!("{}.py", program.name), "exec"))?;
    let columba = if order.mode == Mode::Plain { None } else { Some(embed::import(py)?) };
    if let Some(columba) = &columba {
        let options = PyDict::new(py);
        options.set_item("backend", NAME)?;
        options.set_item("threshold", order.mode.threshold())?;
        options.set_item("stress", if order.mode == Mode::Stress { "exits" } else { "none" })?;
        columba.call_method("enable", (), Some(&options))?;
    }
    builtins.getattr("exec")?.call1((code, &namespace))?;
    let main = namespace.get_item("main")?.expect("every program defines it");
    for round in 1..=order.rounds {
        output.call_method1("write", (format!("{ROUND}{round}\n"),))?;
        if let Err(error) = main.call0() {
            error.display(py);
        }
    }
    let Some(columba) = columba else { return Ok(()) };
    columba.call_method0("disable")?;
    for name in program.compiled() {
        if let Some(complaint) = complaint(&columba, &namespace, name)? {
            account.complaints.push(complaint);
        }
    }
    let stats = columba.call_method0("stats")?;
    account.figures.insert("exits".into(), stats.get_item("exits")?.extract()?);
    account.figures.insert("bytes of code".into(), stats.get_item("bytes")?.extract()?);
    Ok(())
}

/// What is wrong with a function that must be compiled, by the backend under test, and in use.
fn complaint(columba: &Bound<'_, PyModule>, namespace: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<String>> {
    let mut path = name.split('.');
    let first = path.next().unwrap_or_default();
    let Some(mut function) = namespace.get_item(first)? else {
        return Ok(Some(format!("the program leaves no {first}")));
    };
    for attribute in path {
        function = function.getattr(attribute)?;
    }
    let info = columba.call_method1("info", (function,))?;
    if !info.getattr("compiled")?.is_truthy()? {
        let (reason, versions): (Option<String>, u32) =
            (info.getattr("reason")?.extract()?, info.getattr("versions")?.extract()?);
        // Where guesses fail, the program may end between one version and the next.
        let between = reason.is_none() && versions > 0;
        let reason = reason.as_deref().unwrap_or("it was not tried");
        return Ok((!between).then(|| format!("{name} is not compiled: {reason}")));
    }
    let backend: Option<String> = info.getattr("backend")?.extract()?;
    if backend.as_deref() != Some(NAME) {
        return Ok(Some(format!("{name} is compiled by {backend:?}")));
    }
    let entered: u64 = info.getattr("entered")?.extract()?;
    Ok((entered == 0).then(|| format!("{name} is compiled and never entered")))
}

/// What the backend did.
#[derive(Default)]
struct Log(Mutex<Notes>);

#[derive(Default)]
struct Notes {
    compiled: u64,
    refusals: Vec<String>,
}

impl Log {
    fn note(&self, result: Result<(), String>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => notes.compiled += 1,
            Err(refusal) => notes.refusals.push(refusal),
        }
    }
}

/// The backend under test, under another name, watched.
struct Candidate {
    made: &'static dyn Backend,
    /// What is used in its place.
    planted: Option<Box<dyn Backend>>,
    log: Arc<Log>,
}

impl Candidate {
    fn inner(&self) -> &dyn Backend {
        self.planted.as_deref().unwrap_or(self.made)
    }
}

impl Backend for Candidate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn caps(&self) -> Caps {
        self.inner().caps()
    }

    fn check(&self, config: &Config) -> Result<(), CompileError> {
        self.inner().check(config)
    }

    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError> {
        let noted = Unwinding(&self.log, &unit.function.name);
        let result = self.inner().compile(unit, config, sink);
        drop(noted);
        self.log.note(match &result {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{}: {error}", unit.function.name)),
        });
        result
    }
}

/// Notes a panic of the backend, which the embedder takes for a refusal.
struct Unwinding<'a>(&'a Log, &'a str);

impl Drop for Unwinding<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.note(Err(format!("{}: {PANICKED}", self.1)));
        }
    }
}
