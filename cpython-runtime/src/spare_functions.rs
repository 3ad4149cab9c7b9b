//! Functions of comprehensions and generator expressions, used again.
//!
//! *Problem*: each evaluation of `[x for x in xs]` or `sum(x for x in xs)` makes a function object, which takes three allocations
//! and two searches of the globals, calls it once, and throws it away. Nobody else can get at it. *Method*: when such a function
//! dies in our hands, it is emptied and kept with its code's [`Direct`](crate::direct::Direct), one for each code object; the next
//! `MAKE_FUNCTION` of that code fills it again. *Invariants*:
//! - only a function that nobody else refers to is kept, and only of code whose first argument is called `.0`, which no
//!   function has that the program can name;
//! - a function that is kept refers to nothing but strings: everything else dies when it would have, and there are no cycles.
//!   The garbage collector does not know it;
//! - what a new function takes from its globals (builtins, the name of its module) is taken from the last one that CPython
//!   made, if the globals have not changed since: their version tag says so.
//!
//! *Source*: `PyFunction_New` and `func_dealloc` in `Objects/funcobject.c` of 3.11.

use crate::{
    code::Code,
    frame::Frame,
    layout::{dict, function},
    object,
    vectorcall::is_called_plainly,
};
use pyo3_ffi::{self as ffi, PyObject};
use std::{
    cell::Cell,
    ptr::{null_mut, write},
};

/// Fields that hold a reference, or null, and are empty in a function that is kept. The code is another one: never null in a
/// function that is alive.
const EMPTIED: [usize; 4] =
    [function::FUNC_GLOBALS, function::FUNC_BUILTINS, function::FUNC_MODULE, function::FUNC_CLOSURE];

/// Fields that must be null in a function that is kept.
const UNUSED: [usize; 5] = [
    function::FUNC_DEFAULTS,
    function::FUNC_KWDEFAULTS,
    function::FUNC_ANNOTATIONS,
    function::FUNC_DICT,
    function::FUNC_WEAKREFLIST,
];

/// What is kept for one code object.
pub(crate) struct Spares {
    /// Whether functions of this code are kept.
    wanted: Cell<bool>,
    function: Cell<*mut PyObject>,
    /// The version of the globals for which CPython last made a function, 0 if it has not, and what it took from them, borrowed.
    version: Cell<u64>,
    builtins: Cell<*mut PyObject>,
    module: Cell<*mut PyObject>,
}

impl Spares {
    pub const fn none() -> Spares {
        Spares {
            wanted: Cell::new(false),
            function: Cell::new(null_mut()),
            version: Cell::new(0),
            builtins: Cell::new(null_mut()),
            module: Cell::new(null_mut()),
        }
    }

    /// Makes a function, whose closure is stolen (or null), as `MAKE_FUNCTION` of a frame does. `None`: CPython shall.
    ///
    /// # Safety
    /// The GIL is held; these are the spares of the code, and the frame runs.
    #[inline(always)]
    pub unsafe fn take(&self, code: Code, frame: Frame, closure: *mut PyObject) -> Option<*mut PyObject> {
        let (kept, globals) = (self.function.get(), frame.f_globals());
        // SAFETY: a frame's globals are a dictionary; builtins and module are alive while the globals, or the frame, have them.
        unsafe {
            if kept.is_null()
                || globals_version(globals) != self.version.get()
                || self.builtins.get() != frame.f_builtins()
            {
                return None;
            }
            self.function.set(null_mut());
            let owned = |object: *mut PyObject| {
                ffi::Py_XINCREF(object);
                object
            };
            write(field(kept, function::FUNC_GLOBALS), owned(globals));
            write(field(kept, function::FUNC_BUILTINS), owned(self.builtins.get()));
            write(field(kept, function::FUNC_MODULE), owned(self.module.get()));
            write(field(kept, function::FUNC_CLOSURE), closure);
            write(field(kept, function::FUNC_CODE), owned(code.as_ptr()));
            ffi::PyObject_GC_Track(kept.cast());
        }
        Some(kept)
    }

    /// CPython made a function of the code for these globals: the next ones may be made here.
    ///
    /// # Safety
    /// The GIL is held; the function is alive, with the code whose spares these are.
    pub unsafe fn learn(&self, code: Code, made: *mut PyObject) {
        // SAFETY: fields of a function that is alive; the names of a code object's slots are a tuple of strings.
        unsafe {
            if !is_comprehension(code) {
                return;
            }
            self.wanted.set(true);
            self.version.set(globals_version(object::read(made, function::FUNC_GLOBALS)));
            self.builtins.set(object::read(made, function::FUNC_BUILTINS));
            self.module.set(object::read(made, function::FUNC_MODULE));
        }
    }

    /// Whether the last reference to a function of the code is worth keeping.
    ///
    /// # Safety
    /// The GIL is held; `callable` is a function with the code whose spares these are.
    #[inline(always)]
    pub unsafe fn wants(&self, callable: *mut PyObject) -> bool {
        // SAFETY: says the caller.
        self.wanted.get() && self.function.get().is_null() && unsafe { ffi::Py_REFCNT(callable) } == 1
    }

    /// Gives up a reference to a function of the code.
    ///
    /// # Safety
    /// As for [`Spares::wants`]; `callable` is owned.
    #[inline(always)]
    pub unsafe fn release(&self, callable: *mut PyObject) {
        // SAFETY: says the caller.
        unsafe {
            if self.wants(callable) {
                self.keep(callable);
            } else {
                object::decref(callable);
            }
        }
    }

    #[inline(never)]
    unsafe fn keep(&self, callable: *mut PyObject) {
        // SAFETY: says the caller; the caller's frame keeps the code object.
        unsafe {
            let plain =
                is_called_plainly(callable) && UNUSED.iter().all(|offset| field(callable, *offset).read().is_null());
            if !plain {
                return object::decref(callable);
            }
            ffi::PyObject_GC_UnTrack(callable.cast());
            object::decref(field(callable, function::FUNC_CODE).replace(null_mut()));
            callable.cast::<u8>().add(function::FUNC_VERSION).cast::<u32>().write(0);
            for offset in EMPTIED {
                // The last reference to a closure may run anything, even what makes such a function.
                ffi::Py_XDECREF(field(callable, offset).replace(null_mut()));
            }
            if self.function.get().is_null() {
                self.function.set(callable);
            } else {
                free(callable);
            }
        }
    }

    /// The code object dies.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn clear(&self) {
        let kept = self.function.replace(null_mut());
        if !kept.is_null() {
            // SAFETY: emptied by `keep`.
            unsafe { free(kept) };
        }
    }
}

/// Frees a function that was emptied: CPython wants it tracked, and with some code.
unsafe fn free(kept: *mut PyObject) {
    // SAFETY: nobody else has it; all fields but those of strings are null.
    unsafe {
        let none = ffi::Py_None();
        object::incref(none);
        write(field(kept, function::FUNC_CODE), none);
        ffi::PyObject_GC_Track(kept.cast());
        object::decref(kept);
    }
}

/// Whether code is that of a comprehension or generator expression.
unsafe fn is_comprehension(code: Code) -> bool {
    // SAFETY: the names of a code object's slots are a tuple of strings.
    unsafe {
        code.argcount() == 1
            && ffi::PyUnicode_CompareWithASCIIString(object::tuple_items(code.localsplusnames()).read(), c".0".as_ptr())
                == 0
    }
}

#[inline(always)]
unsafe fn field(function: *mut PyObject, offset: usize) -> *mut *mut PyObject {
    // SAFETY: within the object, say the callers.
    unsafe { function.cast::<u8>().add(offset).cast() }
}

#[inline(always)]
unsafe fn globals_version(globals: *mut PyObject) -> u64 {
    // SAFETY: globals are a dictionary.
    unsafe { object::read(globals, dict::MA_VERSION_TAG) }
}
