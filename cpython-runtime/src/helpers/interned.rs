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
    GETATTR = c"__getattr__";
    GETATTRIBUTE = c"__getattribute__";
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
    // Special methods.
    MISSING = c"__missing__";
    GETITEM = c"__getitem__";
    SETITEM = c"__setitem__";
    ADD = c"__add__";
    AND = c"__and__";
    CALL = c"__call__";
    EQ = c"__eq__";
    FLOORDIV = c"__floordiv__";
    GE = c"__ge__";
    GT = c"__gt__";
    INIT = c"__init__";
    LE = c"__le__";
    LSHIFT = c"__lshift__";
    LT = c"__lt__";
    MATMUL = c"__matmul__";
    MOD = c"__mod__";
    MUL = c"__mul__";
    NE = c"__ne__";
    OR = c"__or__";
    RADD = c"__radd__";
    RAND = c"__rand__";
    RFLOORDIV = c"__rfloordiv__";
    RLSHIFT = c"__rlshift__";
    RMATMUL = c"__rmatmul__";
    RMOD = c"__rmod__";
    RMUL = c"__rmul__";
    ROR = c"__ror__";
    RRSHIFT = c"__rrshift__";
    RSHIFT = c"__rshift__";
    RSUB = c"__rsub__";
    RTRUEDIV = c"__rtruediv__";
    RXOR = c"__rxor__";
    SUB = c"__sub__";
    TRUEDIV = c"__truediv__";
    XOR = c"__xor__";
}
