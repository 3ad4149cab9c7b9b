//! Function objects, and the display hook of interactive statements.

use super::{ERROR, OK, Object, Owned, names};
use crate::{code::Code, direct::Direct, layout::function, object};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

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
        let made = ffi::PyFunction_New(code.as_ptr(), names::view(frame).f_globals());
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
