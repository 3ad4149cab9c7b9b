//! Function objects, and the display hook of interactive statements.
//!
//! A new function takes its builtins and the name of its module from its globals, by two searches. What they gave is remembered by the
//! version of the globals, so that functions that are made again and again (closures, lambdas, what is defined in a function) are
//! made without them. *Source*: `PyFunction_NewWithQualName` in `Objects/funcobject.c` of 3.11.

use super::{ERROR, OK, Object, Owned, names};
use crate::{
    code::Code,
    direct::Direct,
    layout::{dict, function},
    object, vectorcall,
};
use pyo3_ffi as ffi;
use std::{
    ptr::null_mut,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed},
};

/// What functions took from their globals, by the version of those; borrowed from them, so not to be looked at for another version.
struct Taken {
    version: AtomicU64,
    builtins: AtomicPtr<ffi::PyObject>,
    module: AtomicPtr<ffi::PyObject>,
}

impl Taken {
    const fn nothing() -> Taken {
        Taken { version: AtomicU64::new(0), builtins: AtomicPtr::new(null_mut()), module: AtomicPtr::new(null_mut()) }
    }
}

/// For the last few globals; all under the GIL.
static TAKEN: [Taken; 8] = [const { Taken::nothing() }; 8];

/// A new function as `PyFunction_New` makes it.
///
/// # Safety
/// A live code object, and the globals of a frame, which live; the GIL is held.
unsafe fn new_function(code: Object, globals: Object) -> Object {
    // SAFETY: says the caller; the parts of a code object are what they are in CPython. What a function refers to is held before
    // memory is asked for, since a garbage collection may run anything.
    unsafe {
        let version: u64 = object::read(globals, dict::MA_VERSION_TAG);
        let taken = version as usize % TAKEN.len();
        let Some(taken) = TAKEN.get(taken) else { return null_mut() };
        if taken.version.load(Relaxed) != version {
            let made = ffi::PyFunction_New(code, globals);
            if !made.is_null() && object::read::<u64>(globals, dict::MA_VERSION_TAG) == version {
                taken.version.store(version, Relaxed);
                taken.builtins.store(object::read(made, function::FUNC_BUILTINS), Relaxed);
                taken.module.store(object::read(made, function::FUNC_MODULE), Relaxed);
            }
            return made;
        }
        let view = Code::new(code);
        let constants = view.co_consts();
        let first = if object::size(constants) > 0 { object::tuple_items(constants).read() } else { ffi::Py_None() };
        let doc = if ffi::PyUnicode_Check(first) != 0 { first } else { ffi::Py_None() };
        let references: [(usize, Object); 7] = [
            (function::FUNC_GLOBALS, globals),
            (function::FUNC_BUILTINS, taken.builtins.load(Relaxed)),
            (function::FUNC_NAME, view.name()),
            (function::FUNC_QUALNAME, view.qualname()),
            (function::FUNC_CODE, code),
            (function::FUNC_DOC, doc),
            (function::FUNC_MODULE, taken.module.load(Relaxed)),
        ];
        references.iter().for_each(|(_, value)| ffi::Py_XINCREF(*value));
        let made = ffi::PyObject_GC_New::<ffi::PyObject>(&raw mut ffi::PyFunction_Type);
        if made.is_null() {
            references.iter().for_each(|(_, value)| ffi::Py_XDECREF(*value));
            return made;
        }
        let field = |offset: usize| made.cast::<u8>().add(offset).cast::<Object>();
        references.iter().for_each(|(offset, value)| field(*offset).write(*value));
        for offset in [
            function::FUNC_DEFAULTS,
            function::FUNC_KWDEFAULTS,
            function::FUNC_CLOSURE,
            function::FUNC_DICT,
            function::FUNC_WEAKREFLIST,
            function::FUNC_ANNOTATIONS,
        ] {
            field(offset).write(null_mut());
        }
        field(function::VECTORCALL).cast::<usize>().write(vectorcall::plain_vectorcall());
        field(function::FUNC_VERSION).cast::<u32>().write(0);
        ffi::PyObject_GC_Track(made.cast());
        made
    }
}

const DEFAULTS: i64 = 1;
const KWDEFAULTS: i64 = 2;
const ANNOTATIONS: i64 = 4;
const CLOSURE: i64 = 8;

/// Not of CPython: the function is called at once, and nobody else sees it.
const REUSE: i64 = 1 << 8;

/// The operands that a `MAKE_FUNCTION` with these flags has below its code object, from the bottom, and their fields.
const OPERANDS: [(i64, usize); 4] = [
    (DEFAULTS, function::FUNC_DEFAULTS),
    (KWDEFAULTS, function::FUNC_KWDEFAULTS),
    (ANNOTATIONS, function::FUNC_ANNOTATIONS),
    (CLOSURE, function::FUNC_CLOSURE),
];

/// `MAKE_FUNCTION`.
pub(super) unsafe extern "C" fn make_function(frame: *mut u8, items: *mut Object, flags: i64) -> Object {
    // SAFETY: the contract of helpers: one owned item per flag set, then the code object. The fields of the new function
    // are null, and it is not shared yet.
    unsafe {
        let count = OPERANDS.iter().filter(|(flag, _)| flags & flag != 0).count();
        let code = Owned::steal(items.add(count).read());
        let direct = if flags & REUSE != 0 { Direct::of(Code::new(code.as_ptr())) } else { None };
        let spares = direct.map(|direct| &direct.spares);
        let flags = flags & !REUSE;
        if let Some(spares) = spares {
            let closure = if flags & CLOSURE != 0 { items.read() } else { null_mut() };
            if let Some(made) = spares.take(Code::new(code.as_ptr()), names::view(frame), closure) {
                return made;
            }
        }
        let made = new_function(code.as_ptr(), names::view(frame).f_globals());
        if let Some(spares) = spares
            && !made.is_null()
        {
            spares.learn(Code::new(code.as_ptr()), made);
        }
        drop(code);
        let mut next = items;
        for (flag, field) in OPERANDS {
            if flags & flag == 0 {
                continue;
            }
            let operand = next.read();
            next = next.add(1);
            if made.is_null() {
                object::decref(operand);
            } else {
                made.cast::<u8>().add(field).cast::<Object>().write(operand);
            }
        }
        made
    }
}

/// `PRINT_EXPR`.
pub(super) unsafe extern "C" fn print_expr(value: Object) -> i64 {
    // SAFETY: the contract of helpers; the hook is borrowed from `sys`, as in CPython.
    unsafe {
        let value = Owned::steal(value);
        let hook = ffi::PySys_GetObject(c"displayhook".as_ptr());
        if hook.is_null() {
            super::messages::raise(ffi::PyExc_RuntimeError, c"lost sys.displayhook");
            return ERROR;
        }
        let mut arguments = [null_mut(), value.as_ptr()];
        let flag = 1usize << (usize::BITS - 1);
        let result = ffi::PyObject_Vectorcall(hook, arguments.as_mut_ptr().add(1), 1 | flag, null_mut());
        drop(value);
        match Owned::steal_or_null(result) {
            Some(_) => OK,
            None => ERROR,
        }
    }
}
