//! Functions that CPython 3.11 exports and PyO3 does not declare.
//!
//! Invariant: each name is in the dynamic symbol table of the shared library, of a static release interpreter and of a debug
//! one (`nm -D`); signatures are those of `Include/cpython` and `Include/internal` of 3.11.

use super::Object;
use pyo3_ffi::{Py_hash_t, PyFrameObject, PyThreadState, PyTypeObject};
use std::ffi::{c_char, c_int};

unsafe extern "C" {
    /// The attribute a type's method resolution finds: borrowed, null without an exception.
    pub(crate) fn _PyType_Lookup(
        ty: *mut pyo3_ffi::PyTypeObject,
        name: *mut pyo3_ffi::PyObject,
    ) -> *mut pyo3_ffi::PyObject;
    pub(super) fn _PyObject_FunctionStr(function: Object) -> Object;
    pub(super) fn _PyObject_GetMethod(object: Object, name: Object, method: *mut Object) -> c_int;
    pub(super) fn _PyObject_LookupAttr(object: Object, name: Object, result: *mut Object) -> c_int;
    pub(super) fn _PyObject_LookupSpecial(object: Object, name: Object) -> Object;
    pub(super) fn _PyDict_GetItem_KnownHash(dict: Object, key: Object, hash: Py_hash_t) -> Object;
    pub(super) fn _PyDict_Contains_KnownHash(dict: Object, key: Object, hash: Py_hash_t) -> c_int;
    pub(super) fn _PyDict_SetItem_KnownHash(dict: Object, key: Object, value: Object, hash: Py_hash_t) -> i32;
    pub(super) fn _PyDict_MergeEx(dict: Object, other: Object, override_: c_int) -> c_int;
    pub(super) fn _PySet_Update(set: Object, iterable: Object) -> c_int;
    pub(super) fn _PySet_NextEntry(set: Object, position: *mut isize, item: *mut Object, hash: *mut Py_hash_t)
    -> c_int;
    pub(super) fn _PyList_Extend(list: Object, iterable: Object) -> Object;
    pub(super) fn _PyUnicode_JoinArray(separator: Object, items: *const Object, count: isize) -> Object;
    pub(super) fn _PyErr_FormatFromCause(exception: Object, format: *const c_char, ...) -> Object;
    pub(super) fn _PyErr_GetTopmostException(thread: *mut PyThreadState) -> *mut u8;
    pub(super) fn _PyModuleSpec_IsInitializing(spec: Object) -> c_int;
    pub(super) fn _Py_CheckFunctionResult(
        thread: *mut PyThreadState,
        callable: Object,
        result: Object,
        where_: *const c_char,
    ) -> Object;
    pub(super) fn _PyObject_GC_New(ty: *mut PyTypeObject) -> Object;
    pub(super) fn _PyLong_AsInt(object: Object) -> c_int;
    pub(super) fn PyFrame_LocalsToFast(frame: *mut PyFrameObject, clear: c_int);
    pub(super) fn _Py_Dealloc(object: Object);
    pub(super) fn _PyTrash_end(thread: *mut PyThreadState);

    pub(super) static mut _PyAsyncGenWrappedValue_Type: PyTypeObject;
    pub(super) static mut PyMethod_Type: PyTypeObject;
    /// `{ initialized, tracing, max_nframe }`.
    pub(super) static _Py_tracemalloc_config: [c_int; 3];
}
