//! Interned strings for the names that helpers look up, in place of CPython's hidden `_Py_ID`.
//!
//! Invariant: a slot is null or holds a reference that lives as long as the process.

use super::Object;
use std::{
    ffi::CStr,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

/// One name.
pub(super) struct Name {
    text: &'static CStr,
    object: AtomicPtr<pyo3_ffi::PyObject>,
}

impl Name {
    const fn new(text: &'static CStr) -> Name {
        Name { text, object: AtomicPtr::new(null_mut()) }
    }

    /// The string, borrowed. Null with `MemoryError` set when it could not be made.
    ///
    /// # Safety
    /// The GIL is held.
    #[inline(always)]
    pub(super) unsafe fn get(&self) -> Object {
        let object = self.object.load(Relaxed);
        if object.is_null() {
            // SAFETY: the GIL is held.
            unsafe { self.make() }
        } else {
            object
        }
    }

    #[cold]
    unsafe fn make(&self) -> Object {
        // SAFETY: the GIL is held; the text ends in a zero byte.
        let object = unsafe { pyo3_ffi::PyUnicode_InternFromString(self.text.as_ptr()) };
        self.object.store(object, Relaxed);
        object
    }
}

macro_rules! names {
    ($($name:ident = $text:literal;)*) => { $( pub(super) static $name: Name = Name::new($text); )* };
}

names! {
    EMPTY = c"";
    ALL = c"__all__";
    ANNOTATIONS = c"__annotations__";
    AENTER = c"__aenter__";
    AEXIT = c"__aexit__";
    BUILD_CLASS = c"__build_class__";
    DERIVE = c"derive";
    DICT = c"__dict__";
    ENTER = c"__enter__";
    GETITEM = c"__getitem__";
    SETITEM = c"__setitem__";
    EXIT = c"__exit__";
    GET = c"get";
    IMPORT = c"__import__";
    ITER = c"__iter__";
    MATCH_ARGS = c"__match_args__";
    MODULE_NAME = c"__name__";
    NAME = c"name";
    NOTES = c"__notes__";
    SPEC = c"__spec__";
    SPLIT = c"split";
}
