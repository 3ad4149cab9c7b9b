//! `container[key]` and lengths.
//!
//! *Problem*: `PyObject_GetItem` finds out by slots what is mostly a list, a dictionary or a class with a method in
//! Python. *Method*: these are told by their types and served here, dictionaries by [`keys`], methods by a direct
//! call; the rest goes CPython's way. *Invariants*: an item is referenced before its container is released; a
//! subclass of a dictionary goes that way only while it reads or writes as one.

use super::{
    ERROR, OK, Object, Owned, capi, interned, keys,
    numbers::one_digit,
    special_methods::{call, python_method},
};
use crate::{object, thread::ThreadState};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// The item of an exact list or tuple at an exact int from 0 to its length; as a pointer to its place.
#[inline(always)]
unsafe fn place(container: Object, key: Object) -> Option<*mut Object> {
    // SAFETY: both are alive; fields are read after the exact types are known.
    unsafe {
        if object::type_of(key) != &raw mut ffi::PyLong_Type {
            return None;
        }
        let ty = object::type_of(container);
        let items = if ty == &raw mut ffi::PyList_Type {
            object::list_items(container)
        } else if ty == &raw mut ffi::PyTuple_Type {
            object::tuple_items(container)
        } else {
            return None;
        };
        let index = one_digit(key)?;
        (index >= 0 && index < object::size(container) as i64).then(|| items.add(index as usize))
    }
}

/// `BINARY_SUBSCR` and its specialised forms.
pub(super) unsafe extern "C" fn subscr(container: Object, key: Object) -> Object {
    // SAFETY: the contract of helpers; the item is increfed before its container is released.
    unsafe {
        let container = Owned::steal(container);
        let key = Owned::steal(key);
        let result = if let Some(place) = place(container.as_ptr(), key.as_ptr()) {
            let item = place.read();
            object::incref(item);
            item
        } else if keys::reads_as_dict(object::type_of(container.as_ptr())) {
            let item = keys::get(container.as_ptr(), key.as_ptr());
            if !item.is_null() {
                object::incref(item);
                item
            } else if ffi::PyErr_Occurred().is_null() {
                missing(container.as_ptr(), key.as_ptr())
            } else {
                item
            }
        } else if let Some(function) = python_method(object::type_of(container.as_ptr()), &interned::GETITEM) {
            let arguments = [container.into_ptr(), key.into_ptr()];
            return call(ThreadState::current(), function, arguments.as_ptr(), arguments.len(), null_mut());
        } else {
            ffi::PyObject_GetItem(container.as_ptr(), key.as_ptr())
        };
        drop(container);
        drop(key);
        result
    }
}

/// What `x[k]` gives for a key that a dictionary, or an instance of a subclass, does not have.
#[inline(never)]
unsafe fn missing(dict: Object, key: Object) -> Object {
    // SAFETY: both are alive, says the caller.
    unsafe {
        let name = interned::MISSING.get();
        if name.is_null() {
            return null_mut();
        }
        if let Some(method) = Owned::steal_or_null(capi::_PyObject_LookupSpecial(dict, name)) {
            return ffi::PyObject_CallOneArg(method.as_ptr(), key);
        }
        if ffi::PyErr_Occurred().is_null() {
            key_error(key);
        }
        null_mut()
    }
}

/// `BINARY_SUBSCR` where `function` is what a lookup of `__getitem__` in the container's type gives.
pub(super) unsafe extern "C" fn subscr_function(
    thread: *mut ffi::PyThreadState,
    function: Object,
    container: Object,
    key: Object,
) -> Object {
    // SAFETY: the contract of helpers.
    unsafe { call(ThreadState::new(thread), function, [container, key].as_ptr(), 2, null_mut()) }
}

/// `STORE_SUBSCR`, likewise with `__setitem__`.
pub(super) unsafe extern "C" fn store_subscr_function(
    thread: *mut ffi::PyThreadState,
    function: Object,
    value: Object,
    container: Object,
    key: Object,
) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe { status(call(ThreadState::new(thread), function, [container, key, value].as_ptr(), 3, null_mut())) }
}

/// Lets go of a result that nobody asked for.
#[inline(always)]
unsafe fn status(result: Object) -> i64 {
    if result.is_null() {
        return ERROR;
    }
    // SAFETY: a new reference, says the caller.
    unsafe { object::decref(result) };
    OK
}

/// The Python functions that implement `x[k]` and `x[k] = v` for instances of a type, if any do: borrowed from the type.
///
/// # Safety
/// The type is alive; the GIL is held.
pub(crate) unsafe fn python_functions(ty: *mut ffi::PyTypeObject) -> [Option<Object>; 2] {
    // SAFETY: says the caller.
    unsafe { [python_method(ty, &interned::GETITEM), python_method(ty, &interned::SETITEM)] }
}

/// `_PyErr_SetKeyError`: the key in a tuple, so that a tuple as key is not taken for the exception's arguments.
#[cold]
unsafe fn key_error(key: Object) {
    // SAFETY: the GIL is held; `key` is alive.
    unsafe {
        if let Some(arguments) = Owned::steal_or_null(ffi::PyTuple_Pack(1, key)) {
            ffi::PyErr_SetObject(ffi::PyExc_KeyError, arguments.as_ptr());
        }
    }
}

/// `STORE_SUBSCR` and its specialised forms.
pub(super) unsafe extern "C" fn store_subscr(value: Object, container: Object, key: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        let container = Owned::steal(container);
        let key = Owned::steal(key);
        let ty = object::type_of(container.as_ptr());
        if ty == &raw mut ffi::PyList_Type
            && let Some(place) = place(container.as_ptr(), key.as_ptr())
        {
            let old = Owned::steal(place.replace(value.into_ptr()));
            drop(old);
            drop(key);
            drop(container);
            return OK;
        }
        let dictionary = keys::writes_as_dict(ty);
        if !dictionary && let Some(function) = python_method(ty, &interned::SETITEM) {
            let arguments = [container.into_ptr(), key.into_ptr(), value.into_ptr()];
            return status(call(ThreadState::current(), function, arguments.as_ptr(), arguments.len(), null_mut()));
        }
        let status = if dictionary {
            keys::set(container.as_ptr(), key.as_ptr(), value.as_ptr())
        } else {
            ffi::PyObject_SetItem(container.as_ptr(), key.as_ptr(), value.as_ptr())
        };
        drop(value);
        drop(container);
        drop(key);
        if status == 0 { OK } else { ERROR }
    }
}

/// `DELETE_SUBSCR`.
pub(super) unsafe extern "C" fn delete_subscr(container: Object, key: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let container = Owned::steal(container);
        let key = Owned::steal(key);
        let status = ffi::PyObject_DelItem(container.as_ptr(), key.as_ptr());
        drop(container);
        drop(key);
        if status == 0 { OK } else { ERROR }
    }
}

/// `GET_LEN`.
pub(super) unsafe extern "C" fn get_len(container: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let length = ffi::PyObject_Size(container);
        if length < 0 {
            return null_mut();
        }
        ffi::PyLong_FromSsize_t(length)
    }
}
