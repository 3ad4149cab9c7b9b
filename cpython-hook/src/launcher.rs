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
    fn PyRun_StringFlags(
        text: *const c_char,
        start: c_int,
        globals: *mut ffi::PyObject,
        locals: *mut ffi::PyObject,
        flags: *mut ffi::PyCompilerFlags,
    ) -> *mut ffi::PyObject;
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
        let error = std::io::Error::last_os_error();
        return Err(PyOSError::new_err((error.raw_os_error(), error.to_string())));
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
                let interrupted = ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyboardInterrupt) != 0;
                // Ends the process on `SystemExit`.
                ffi::PyErr_Print();
                if interrupted {
                    note_interrupt();
                }
                return 1;
            }
            ffi::Py_DECREF(result);
            0
        }
    }))
}

/// Makes CPython end the process by `SIGINT`, as it does after an unhandled `KeyboardInterrupt` in a script: it takes
/// note of one that leaves a string run through this function.
///
/// # Safety
/// The GIL is held and no exception is set.
unsafe fn note_interrupt() {
    // SAFETY: a new dict as namespace, references dropped, the exception cleared.
    unsafe {
        let namespace = ffi::PyDict_New();
        let result = PyRun_StringFlags(
            c"raise KeyboardInterrupt".as_ptr(),
            ffi::Py_file_input,
            namespace,
            namespace,
            &mut flags(),
        );
        ffi::Py_XDECREF(result);
        ffi::Py_XDECREF(namespace);
        ffi::PyErr_Clear();
    }
}
