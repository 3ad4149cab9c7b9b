//! Exceptions that several helpers raise, with CPython's texts.
//!
//! *Problem*: programs and tests compare messages to the letter. *Method*: one function for each text that more than
//! one helper raises; texts that one helper alone raises stand there. *Invariant*: each returns with an exception
//! set, this one or one that making it has raised.

use super::{Object, capi, interned, owned::Owned};
use crate::{layout::name_error, object};
use pyo3_ffi as ffi;
use std::{
    ffi::{CStr, c_char},
    ptr::null_mut,
};

/// `tp_name` of the object's type.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(super) unsafe fn type_name(object: Object) -> *const c_char {
    // SAFETY: every object has a type, every type a name.
    unsafe { (*object::type_of(object)).tp_name }
}

/// Raises `exception` with a plain text.
///
/// # Safety
/// The GIL is held; `exception` is an exception class.
pub(super) unsafe fn raise(exception: Object, text: &CStr) {
    // SAFETY: says the caller.
    unsafe { ffi::PyErr_SetString(exception, text.as_ptr()) }
}

/// `format_exc_check_arg` of ceval.c: raises `exception` with a text that names `name`; a `NameError` gets its `name`
/// attribute, from which suggestions are made.
///
/// # Safety
/// The GIL is held; `format` has one `%s`; `name` is null or a live string.
#[cold]
pub(super) unsafe fn name_error(exception: Object, format: &CStr, name: Object) {
    // SAFETY: the caller's promises; the three fetched references are given back by `PyErr_Restore`.
    unsafe {
        if name.is_null() {
            return;
        }
        let text = ffi::PyUnicode_AsUTF8(name);
        if text.is_null() {
            return;
        }
        ffi::PyErr_Format(exception, format.as_ptr(), text);
        if exception == ffi::PyExc_NameError {
            let (mut ty, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
            ffi::PyErr_Fetch(&mut ty, &mut value, &mut traceback);
            ffi::PyErr_NormalizeException(&mut ty, &mut value, &mut traceback);
            if ffi::PyErr_GivenExceptionMatches(value, ffi::PyExc_NameError) != 0
                && object::read::<Object>(value, name_error::NAME).is_null()
            {
                let attribute = interned::NAME.get();
                // A failure here does not matter: the exception is set again below.
                if attribute.is_null() || ffi::PyObject_SetAttr(value, attribute, name) < 0 {
                    ffi::PyErr_Clear();
                }
            }
            ffi::PyErr_Restore(ty, value, traceback);
        }
    }
}

/// "name 'x' is not defined".
///
/// # Safety
/// The GIL is held; `name` is a live string.
#[cold]
pub(super) unsafe fn name_not_defined(name: Object) {
    // SAFETY: says the caller; the format has one `%s`.
    unsafe { name_error(ffi::PyExc_NameError, c"name '%.200s' is not defined", name) }
}

/// A local variable without a value.
///
/// # Safety
/// The GIL is held; `name` is null or a live string.
#[cold]
pub(super) unsafe fn unbound_local(name: Object) {
    // SAFETY: says the caller; the format has one `%s`.
    unsafe {
        name_error(
            ffi::PyExc_UnboundLocalError,
            c"cannot access local variable '%s' where it is not associated with a value",
            name,
        )
    }
}

/// A free variable without a value.
///
/// # Safety
/// The GIL is held; `name` is a live string.
#[cold]
pub(super) unsafe fn unbound_free(name: Object) {
    // SAFETY: says the caller; the format has one `%s`.
    unsafe {
        name_error(
            ffi::PyExc_NameError,
            c"cannot access free variable '%s' where it is not associated with a value in enclosing scope",
            name,
        )
    }
}

/// `check_args_iterable` of ceval.c: `true` when `args` can be iterated; else `TypeError` is set (or whatever naming the
/// callee raised).
///
/// # Safety
/// The GIL is held; both are alive.
pub(super) unsafe fn check_args_iterable(callee: Object, args: Object) -> bool {
    // SAFETY: says the caller.
    unsafe {
        if (*object::type_of(args)).tp_iter.is_some() || ffi::PySequence_Check(args) != 0 {
            return true;
        }
        ffi::PyErr_Clear();
        if let Some(callee) = Owned::steal_or_null(capi::_PyObject_FunctionStr(callee)) {
            ffi::PyErr_Format(
                ffi::PyExc_TypeError,
                c"%U argument after * must be an iterable, not %.200s".as_ptr(),
                callee.as_ptr(),
                type_name(args),
            );
        }
        false
    }
}

/// `format_kwargs_error` of ceval.c: turns what merging `kwargs` raised into the errors of a call.
///
/// # Safety
/// The GIL is held; both are alive; an exception is set.
#[cold]
pub(super) unsafe fn kwargs_error(callee: Object, kwargs: Object) {
    // SAFETY: says the caller; fetched references are owned.
    unsafe {
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            ffi::PyErr_Clear();
            if let Some(callee) = Owned::steal_or_null(capi::_PyObject_FunctionStr(callee)) {
                ffi::PyErr_Format(
                    ffi::PyExc_TypeError,
                    c"%U argument after ** must be a mapping, not %.200s".as_ptr(),
                    callee.as_ptr(),
                    type_name(kwargs),
                );
            }
        } else if ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyError) != 0 {
            let (mut ty, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
            ffi::PyErr_Fetch(&mut ty, &mut value, &mut traceback);
            // The key travels as a tuple of one only while the exception is not normalised.
            if value.is_null() || ffi::PyTuple_Check(value) == 0 || ffi::PyTuple_Size(value) != 1 {
                ffi::PyErr_Restore(ty, value, traceback);
                return;
            }
            if let Some(callee) = Owned::steal_or_null(capi::_PyObject_FunctionStr(callee)) {
                ffi::PyErr_Format(
                    ffi::PyExc_TypeError,
                    c"%U got multiple values for keyword argument '%S'".as_ptr(),
                    callee.as_ptr(),
                    ffi::PyTuple_GetItem(value, 0),
                );
            }
            ffi::Py_XDECREF(ty);
            ffi::Py_XDECREF(value);
            ffi::Py_XDECREF(traceback);
        }
    }
}
