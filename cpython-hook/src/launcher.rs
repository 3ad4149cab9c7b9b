//! `python -m columba script.py`: running a program as `python script.py` would.
//!
//! Problem: a program started by a launcher sees the launcher: in tracebacks, `sys._getframe`, the recursion limit.
//! Method: CPython's own functions for running a file, a string or a module are called with the launcher's frames out
//! of sight (the thread's current frame is null, as it is when `python` starts) and with the whole recursion limit.
//! Invariant: frame and recursion count are put back before this returns.

use columba_cpython_runtime::thread::ThreadState;
use pyo3::{exceptions::PyOSError, ffi, prelude::*};
use std::{
    ffi::{CString, c_char, c_int},
    ptr::null_mut,
};

unsafe extern "C" {
    fn PyRun_AnyFileExFlags(
        file: *mut libc::FILE,
        filename: *const c_char,
        close: c_int,
        flags: *mut ffi::PyCompilerFlags,
    ) -> c_int;
    fn PyRun_SimpleStringFlags(command: *const c_char, flags: *mut ffi::PyCompilerFlags) -> c_int;
    static stdin: *mut libc::FILE;
}

fn flags() -> ffi::PyCompilerFlags {
    ffi::PyCompilerFlags { cf_flags: 0, cf_feature_version: 11 }
}

/// Calls `body` as if nothing were running in this thread.
fn at_bottom_of_stack(body: impl FnOnce() -> c_int) -> c_int {
    // SAFETY: the GIL is held, as in every caller.
    let thread = unsafe { ThreadState::current() };
    let cframe = thread.cframe();
    let (frame, remaining) = (cframe.current_frame(), thread.recursion_remaining());
    cframe.set_current_frame(null_mut());
    thread.set_recursion_remaining(thread.recursion_limit());
    let depth_before = thread.recursion_limit();
    let result = body();
    // `sys.setrecursionlimit` may have been called meanwhile: it changes limit and remaining alike.
    thread.set_recursion_remaining(remaining + thread.recursion_limit() - depth_before);
    cframe.set_current_frame(frame);
    result
}

/// Runs a file (or standard input, `-`) as `__main__`. Exceptions are reported as by `python`; `SystemExit` ends the
/// process. The result is the exit code.
#[pyfunction]
pub fn run_file(path: std::ffi::OsString) -> PyResult<i32> {
    use std::os::unix::ffi::OsStrExt;
    let name = CString::new(path.as_bytes())?;
    let (file, shown, close) = if name.as_bytes() == b"-" {
        // SAFETY: the C library's standard input.
        (unsafe { stdin }, CString::from(c"<stdin>"), 0)
    } else {
        // SAFETY: a valid path and mode. Close-on-exec, as CPython opens scripts.
        (unsafe { libc::fopen(name.as_ptr(), c"rbe".as_ptr()) }, name, 1)
    };
    if file.is_null() {
        return Err(PyOSError::new_err(std::io::Error::last_os_error().raw_os_error()));
    }
    // SAFETY: an open file, which is closed by the callee; the flags are on this stack.
    Ok(at_bottom_of_stack(|| unsafe { PyRun_AnyFileExFlags(file, shown.as_ptr(), close, &mut flags()) }).abs())
}

/// Runs a command (`-c`).
#[pyfunction]
pub fn run_command(command: &str) -> PyResult<i32> {
    let command = CString::new(command)?;
    // SAFETY: a string that outlives the call; the flags are on this stack.
    Ok(at_bottom_of_stack(|| unsafe { PyRun_SimpleStringFlags(command.as_ptr(), &mut flags()) }).abs())
}

/// Runs a module (`-m`): `runpy._run_module_as_main(name, alter_argv)`.
#[pyfunction]
pub fn run_module(py: Python<'_>, name: &str, alter_argv: bool) -> PyResult<i32> {
    let run = py.import("runpy")?.getattr("_run_module_as_main")?;
    let arguments = (name, alter_argv).into_pyobject(py)?;
    Ok(at_bottom_of_stack(|| {
        // SAFETY: the GIL is held; a callable and a tuple.
        unsafe {
            let result = ffi::PyObject_CallObject(run.as_ptr(), arguments.as_ptr());
            if result.is_null() {
                // Ends the process on `SystemExit`.
                ffi::PyErr_Print();
                return 1;
            }
            ffi::Py_DECREF(result);
            0
        }
    }))
}
