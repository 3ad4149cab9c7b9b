//! The Python package `columba` for programs that embed CPython: nothing has to be installed.
//!
//! *Method*: the extension module is made in place, and the package's source, which is part of this library, is executed as
//! `columba` with that module below it. *Invariant*: a package that was imported from elsewhere is left alone.

use crate::python::_columba;
use pyo3::{prelude::*, types::PyDict};

const SOURCE: &std::ffi::CStr = match std::ffi::CStr::from_bytes_with_nul(
    concat!(include_str!("../python/columba/__init__.py"), "\0").as_bytes(),
) {
    Ok(source) => source,
    Err(_) => panic!("the package's source has a null character"),
};

/// The module `columba`, imported if it is not yet.
pub fn import(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    if let Some(module) = modules.get_item("columba")? {
        return Ok(module.cast_into::<PyModule>()?);
    }
    let module = PyModule::new(py, "columba")?;
    // A package, so that its source can import what lies below it.
    module.setattr("__path__", pyo3::types::PyList::empty(py))?;
    module.setattr("__package__", "columba")?;
    modules.set_item("columba._columba", pyo3::wrap_pymodule!(_columba)(py))?;
    modules.set_item("columba", &module)?;
    let executed = py.run(SOURCE, Some(&module.dict()), None);
    if executed.is_err() {
        modules.del_item("columba")?;
    }
    executed.map(|()| module)
}
