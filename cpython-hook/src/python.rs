//! The Python module `columba._columba`, which `columba` re-exports.
//!
//! *Problem*: programs, tests and tools ask what was compiled and set options, while code is being compiled and run.
//! *Method*: each function turns its arguments into terms of the crate, asks one module of it, and turns the answer
//! into Python objects; functions with an underscore are for our own tools. *Invariants*: bad input is one line that
//! names the fix; what cannot be compiled is an answer, not an exception, except where it was the question.

use crate::{
    backends, background,
    code_state::CodeState,
    collecting,
    compile::{self, CompileRequest},
    config::{self, Config, OptLevel, Stress},
    extraction, generators, hook, launcher, parking, thread_end, ticker, tiering,
};
use columba_cpython_runtime::{
    code::Code,
    helpers::{instances, keys},
    layout::build,
    spare_generators,
};
use pyo3::{
    exceptions::{PyImportError, PyRuntimeError, PyTypeError, PyValueError},
    ffi,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};
use std::sync::{
    Once,
    atomic::{AtomicU64, Ordering},
};

/// What `info(f)` gives.
#[pyclass(frozen, get_all, module = "columba", name = "FunctionInfo")]
pub struct FunctionInfo {
    /// Whether machine code is in use.
    compiled: bool,
    /// Why not; `None` when compiled or not tried yet.
    reason: Option<String>,
    /// `"optimised"`; with two backends `"first"` or `"second"`.
    tier: Option<String>,
    /// The backend that made the code.
    backend: Option<String>,
    /// How often compiled code was entered: calls, resumes, loops in the middle.
    entered: u64,
    /// How often a loop was entered in the middle.
    loops_entered: u64,
    exits: Vec<Py<ExitInfo>>,
    /// Size of the machine code in bytes.
    bytes: usize,
    /// Seconds.
    compile_time: f64,
    optimisations: Vec<String>,
    /// Times compiled.
    versions: u32,
}

#[pymethods]
impl FunctionInfo {
    fn __repr__(&self) -> String {
        format!(
            "FunctionInfo(compiled={}, reason={:?}, tier={:?}, entered={}, loops_entered={}, exits={}, bytes={}, compile_time={:.6}, versions={})",
            if self.compiled { "True" } else { "False" },
            self.reason.as_deref().unwrap_or("None"),
            self.tier.as_deref().unwrap_or("None"),
            self.entered,
            self.loops_entered,
            self.exits.len(),
            self.bytes,
            self.compile_time,
            self.versions
        )
    }
}

/// One guess that failed at least once.
#[pyclass(frozen, get_all, module = "columba", name = "ExitInfo")]
pub struct ExitInfo {
    /// Byte offset of the instruction, as in `dis`.
    offset: u32,
    line: i32,
    reason: String,
    count: u64,
}

#[pymethods]
impl ExitInfo {
    fn __repr__(&self) -> String {
        format!("ExitInfo(offset={}, line={}, reason={:?}, count={})", self.offset, self.line, self.reason, self.count)
    }
}

/// The code object of a function, method, generator, class-body code or code object itself.
fn code_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let mut object = object.clone();
    loop {
        // SAFETY: any object may be asked for its type; the GIL is held.
        if unsafe { ffi::PyCode_Check(object.as_ptr()) } != 0 {
            return Ok(object);
        }
        let next = ["__func__", "__wrapped__", "__code__", "gi_code", "cr_code", "ag_code"]
            .iter()
            .filter(|name| **name != "__wrapped__" || !object.hasattr("__code__").unwrap_or(false))
            .find_map(|name| object.getattr(*name).ok());
        object = match next {
            Some(next) => next,
            None => {
                return Err(PyTypeError::new_err(format!(
                    "expected a function, method, generator or code object, got {}",
                    object.get_type().name()?
                )));
            }
        };
    }
}

fn view(code: &Bound<'_, PyAny>) -> Code {
    // SAFETY: a code object (see `code_of`), kept alive by the caller's reference.
    unsafe { Code::new(code.as_ptr()) }
}

/// The text form of an option's value.
fn option_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if value.is_none() {
        return Ok("none".to_owned());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items: Vec<String> = value.try_iter()?.map(|item| Ok(item?.str()?.to_string())).collect::<PyResult<_>>()?;
        return Ok(items.join(","));
    }
    Ok(value.str()?.to_string())
}

fn with_options(mut config: Config, options: Option<&Bound<'_, PyDict>>) -> PyResult<Config> {
    for (name, value) in options.into_iter().flatten() {
        config.set(name.cast::<PyString>()?.to_str()?, &option_text(&value)?).map_err(value_error)?;
    }
    Ok(config)
}

fn value_error(error: config::ConfigError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// enable(backend=None, **config): compile hot code from now on.
#[pyfunction]
#[pyo3(signature = (backend=None, **options))]
fn enable(py: Python<'_>, backend: Option<&Bound<'_, PyAny>>, options: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    static ENVIRONMENT: Once = Once::new();
    let before = config::current();
    let mut config = before.clone();
    if !ENVIRONMENT.is_completed() {
        config.set_from_environment().map_err(value_error)?;
    }
    let mut config = with_options(config, options)?;
    if let Some(backend) = backend {
        config.set("backend", &option_text(backend)?).map_err(value_error)?;
    }
    if config.backends() != before.backends() && tiering::TOTALS.compiled.load(Ordering::Relaxed) > 0 {
        return Err(PyValueError::new_err(format!(
            "code compiled by {:?} exists already; choose backend {:?} before anything is compiled",
            before.backends(),
            config.backends()
        )));
    }
    hook::install().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    thread_end::install();
    ENVIRONMENT.call_once(|| ());
    // SAFETY: the GIL is held.
    unsafe { config::replace(config) };
    register_once(py)?;
    start_ticker();
    Ok(())
}

/// The ticker finds loops, and puts a parked hook back.
fn start_ticker() {
    let config = config::current();
    if hook::is_enabled() && config.loop_entry && config::stress_loops() {
        ticker::stop();
        ticker::count_polls();
    } else if hook::is_enabled() && (config.loop_entry || config.may_park()) {
        ticker::start();
    } else {
        ticker::stop();
    }
    if !config.may_park() {
        parking::end_now();
    }
}

/// Leaves word with `atexit` and `os.register_at_fork`, once per process.
fn register_once(py: Python<'_>) -> PyResult<()> {
    static DONE: AtomicU64 = AtomicU64::new(0);
    if DONE.swap(1, Ordering::Relaxed) == 0 {
        let module = py.import("columba._columba")?;
        py.import("atexit")?.call_method1("register", (module.getattr("_at_exit")?,))?;
        let arguments = PyDict::new(py);
        arguments.set_item("after_in_child", module.getattr("_after_fork_in_child")?)?;
        py.import("os")?.call_method("register_at_fork", (), Some(&arguments))?;
    }
    Ok(())
}

/// disable(): run everything in the interpreter again.
#[pyfunction]
fn disable() {
    ticker::stop();
    hook::uninstall();
    background::stop();
    // SAFETY: the GIL is held.
    unsafe { keys::forget() };
}

/// is_enabled() -> bool
#[pyfunction]
fn is_enabled() -> bool {
    hook::is_enabled()
}

/// config(**options) -> dict: sets options for later compilations; the options in force.
#[pyfunction]
#[pyo3(name = "config", signature = (**options))]
fn configure<'py>(py: Python<'py>, options: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyDict>> {
    if options.is_some() {
        let before = config::current();
        let config = with_options(before.clone(), options)?;
        if config.backends() != before.backends() && tiering::TOTALS.compiled.load(Ordering::Relaxed) > 0 {
            return Err(PyValueError::new_err(
                "code compiled by another backend exists already; choose the backend before anything is compiled",
            ));
        }
        // SAFETY: the GIL is held.
        unsafe { config::replace(config) };
        start_ticker();
    }
    let config = config::current();
    let dict = PyDict::new(py);
    dict.set_item("backend", config.backends())?;
    dict.set_item("threshold", config.threshold)?;
    dict.set_item(
        "stress",
        match config.stress {
            Stress::None => "none",
            Stress::Exits => "exits",
            Stress::Loops => "loops",
            Stress::Tiers => "tiers",
        },
    )?;
    dict.set_item(
        "opt_level",
        match config.opt_level {
            OptLevel::None => "none",
            OptLevel::Speed => "speed",
            OptLevel::SpeedAndSize => "speed_and_size",
        },
    )?;
    dict.set_item("disable_passes", &config.disable_passes)?;
    dict.set_item("cpu", config.cpu())?;
    dict.set_item("loop_entry", config.loop_entry)?;
    dict.set_item("parking", config.parking)?;
    dict.set_item("background", config.background)?;
    Ok(dict)
}

/// info(f) -> FunctionInfo
#[pyfunction]
fn info(py: Python<'_>, f: &Bound<'_, PyAny>) -> PyResult<FunctionInfo> {
    let code = code_of(f)?;
    let state = CodeState::of(view(&code));
    let compiled = state.and_then(|state| state.compiled().or_else(|| state.any_loop_version()));
    let refusal = state.and_then(|state| state.refusal.borrow().as_ref().map(|refusal| refusal.reason.clone()));
    let waiting = state.is_some_and(CodeState::is_under_way).then(|| "being compiled in the background".to_owned());
    let mut exits = Vec::new();
    if let Some(state) = state {
        let mut counts: Vec<_> = state.exits.borrow().iter().map(|(key, count)| (*key, *count)).collect();
        counts.sort_by_key(|(key, _)| *key);
        for (key, count) in counts {
            let offset = key.origin * 2;
            // SAFETY: a code object; an offset within it or beyond, both are answered.
            let line = unsafe { ffi::PyCode_Addr2Line(code.as_ptr().cast(), offset as i32) };
            let reason = format!("{:?}", key.reason).to_lowercase();
            exits.push(Py::new(py, ExitInfo { offset, line, reason, count: count.total })?);
        }
    }
    Ok(FunctionInfo {
        compiled: compiled.is_some(),
        reason: if compiled.is_some() { None } else { refusal.or(waiting) },
        tier: compiled.as_ref().map(|compiled| compiled.tier.to_owned()),
        backend: compiled.as_ref().map(|compiled| compiled.backend.to_owned()),
        entered: state.map_or(0, CodeState::times_entered),
        loops_entered: state.map_or(0, |state| state.loops_entered.get()),
        exits,
        bytes: compiled.as_ref().map_or(0, |compiled| compiled.bytes),
        compile_time: compiled.as_ref().map_or(0.0, |compiled| compiled.compile_time.as_secs_f64()),
        optimisations: compiled.as_ref().map_or_else(Vec::new, |compiled| {
            compiled.optimisations.iter().map(|(name, count)| format!("{name} x{count}")).collect()
        }),
        versions: state.map_or(0, |state| state.versions.get()),
    })
}

/// dis(f) -> str: the bytecode with what is known of it.
#[pyfunction]
fn dis(f: &Bound<'_, PyAny>) -> PyResult<String> {
    compile::disassemble(view(&code_of(f)?)).map_err(|refusal| PyRuntimeError::new_err(refusal.to_string()))
}

/// ir(f) -> str: the IR of the version in use; empty when there is none.
#[pyfunction]
fn ir(f: &Bound<'_, PyAny>) -> PyResult<String> {
    let code = code_of(f)?;
    let state = CodeState::of(view(&code));
    let Some(compiled) = state.and_then(|state| state.compiled().or_else(|| state.any_loop_version())) else {
        return Ok(String::new());
    };
    // A code object by itself has no namespaces.
    let function = f.getattr("__func__").unwrap_or_else(|_| f.clone());
    let namespaces = (function.getattr("__globals__").ok()).zip(function.getattr("__builtins__").ok());
    let pointers = namespaces.as_ref().map(|(globals, builtins)| (globals.as_ptr(), builtins.as_ptr()));
    compile::ir_text(view(&code), &compiled, pointers).map_err(|refusal| PyRuntimeError::new_err(refusal.to_string()))
}

/// native(f) -> bytes: the machine code of the version in use; empty when there is none.
#[pyfunction]
fn native<'py>(py: Python<'py>, f: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let compiled = CodeState::of(view(&code_of(f)?)).and_then(CodeState::compiled);
    Ok(PyBytes::new(py, compiled.as_ref().map_or(&[], |compiled| compiled.native())))
}

/// stats() -> dict
#[pyfunction]
fn stats(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let load = |total: &AtomicU64| total.load(Ordering::Relaxed);
    let totals = &tiering::TOTALS;
    let dict = PyDict::new(py);
    dict.set_item("enabled", hook::is_enabled())?;
    dict.set_item(
        "hook",
        match hook::installed() {
            hook::Installed::Nothing if parking::is_parked() => "parked",
            hook::Installed::Nothing => "none",
            hook::Installed::Columba => "columba",
            hook::Installed::Foreign => "foreign",
        },
    )?;
    // What becomes of daemon threads when the interpreter ends.
    dict.set_item("daemon_threads", thread_end::refusal().unwrap_or("sleep"))?;
    dict.set_item("code_objects", load(&totals.seen))?;
    dict.set_item("compiled", load(&totals.compiled))?;
    dict.set_item("refused", load(&totals.refused))?;
    dict.set_item("bytes", load(&totals.bytes))?;
    dict.set_item("compile_time", load(&totals.compile_nanoseconds) as f64 * 1e-9)?;
    dict.set_item("exits", load(&totals.exits))?;
    dict.set_item("loops_entered", load(&totals.loops_entered))?;
    dict.set_item("generators_resumed", load(&generators::RESUMED))?;
    dict.set_item("generators_iterated", load(&generators::ITERATED))?;
    dict.set_item("delegators_passed", load(&generators::PASSED))?;
    dict.set_item("generators_made", load(&generators::MADE))?;
    dict.set_item("generators_reused", load(&spare_generators::REUSED))?;
    dict.set_item("generators_collected", load(&collecting::COLLECTED))?;
    dict.set_item("generators_closed", load(&generators::CLOSED))?;
    dict.set_item("instances_made", load(&instances::MADE))?;
    dict.set_item("instances_given_back", load(&instances::GIVEN_BACK))?;
    dict.set_item("hashes_reused", load(&keys::REUSED))?;
    dict.set_item("times_parked", load(&parking::TIMES))?;
    dict.set_item("ticks", load(&ticker::TICKS))?;
    dict.set_item("loop_searches", load(&extraction::TIMES_ARMED))?;
    dict.set_item("loops_extracted", load(&extraction::TIMES_EXTRACTED))?;
    dict.set_item("inlined_loops_extracted", load(&extraction::TIMES_INLINED))?;
    Ok(dict)
}

/// backends() -> list of str
#[pyfunction]
#[pyo3(name = "backends")]
fn backend_names() -> Vec<&'static str> {
    backends::names()
}

/// compile_code(code) -> (bool, reason): compiles without running or keeping anything.
#[pyfunction]
fn compile_code(code: &Bound<'_, PyAny>) -> PyResult<(bool, Option<String>)> {
    let code = code_of(code)?;
    let request = CompileRequest::default();
    Ok(match tiering::run_compiler(view(&code), &request) {
        Ok(_) => (true, None),
        Err(refusal) => (false, Some(refusal.reason)),
    })
}

/// _compile_and_keep(code) -> bool: compiles and puts the result into use, as for a code object that is hot.
#[pyfunction]
fn _compile_and_keep(code: &Bound<'_, PyAny>) -> PyResult<bool> {
    let code = code_of(code)?;
    if !hook::is_enabled() {
        return Err(PyRuntimeError::new_err("nothing is kept while Columba is not enabled"));
    }
    let state = CodeState::of_or_new(view(&code), config::threshold());
    Ok(state.is_some_and(|state| tiering::compile_now(state, None).is_some()))
}

/// _last_compilation() -> (dict, int) | None: nanoseconds of each stage of this thread's last compilation, and bytes of machine
/// code; `None` when asked again.
#[pyfunction]
fn _last_compilation(py: Python<'_>) -> PyResult<Option<(Bound<'_, PyDict>, usize)>> {
    let Some(last) = compile::take_last_compilation() else { return Ok(None) };
    let stages = PyDict::new(py);
    for (stage, spent) in last.stages {
        stages.set_item(stage, spent.as_nanos() as u64)?;
    }
    Ok(Some((stages, last.bytes)))
}

/// dump(code) -> str: every stage of a compilation.
#[pyfunction]
fn dump(code: &Bound<'_, PyAny>) -> PyResult<String> {
    let code = code_of(code)?;
    let request = CompileRequest { dump: true, ..CompileRequest::default() };
    match tiering::run_compiler(view(&code), &request) {
        Ok(compiled) => Ok(compiled.dump.clone()),
        Err(refusal) => Err(PyRuntimeError::new_err(refusal.reason)),
    }
}

#[pyfunction]
fn _at_exit() {
    disable();
}

#[pyfunction]
fn _after_fork_in_child() {
    background::after_fork_in_child();
    ticker::after_fork_in_child();
}

/// Refuses a CPython that this build does not know.
fn check_interpreter(py: Python<'_>) -> PyResult<()> {
    let running = py.version_info();
    let (major, minor) = ((build::PY_VERSION_HEX >> 24) as u8, (build::PY_VERSION_HEX >> 16) as u8);
    if (running.major, running.minor) != (major, minor) {
        return Err(PyImportError::new_err(format!(
            "this columba was built for CPython {major}.{minor} and cannot run on {}.{}: install the wheel for that version",
            running.major, running.minor
        )));
    }
    let debug = py.import("sys")?.hasattr("gettotalrefcount")?;
    if debug != (build::REF_DEBUG != 0) {
        let (built, runs) = if debug { ("a release", "a debug") } else { ("a debug", "a release") };
        return Err(PyImportError::new_err(format!(
            "this columba was built for {built} build of CPython and {runs} build is running: rebuild columba with it"
        )));
    }
    Ok(())
}

#[pymodule]
pub(crate) fn _columba(module: &Bound<'_, PyModule>) -> PyResult<()> {
    check_interpreter(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("OPTIONS", PyTuple::new(module.py(), config::NAMES)?)?;
    module.add_class::<FunctionInfo>()?;
    module.add_class::<ExitInfo>()?;
    macro_rules! add { ($($function:path),*) => { $(module.add_function(wrap_pyfunction!($function, module)?)?;)* } }
    add!(enable, disable, is_enabled, configure, info, dis, ir, native, stats, backend_names, compile_code, dump);
    add!(_compile_and_keep, _last_compilation);
    add!(_at_exit, _after_fork_in_child, launcher::run_file, launcher::run_command, launcher::run_module);
    Ok(())
}
