//! Attributes and methods.
//!
//! *Problem*: what cannot be read in line is read as CPython reads it, and CPython's slot for a metaclass with
//! `__getattr__` costs more than the attribute. *Method*: `PyObject_GetAttr` and its like, with that one case taken
//! apart; beside them the small steps that in-line accesses leave to a call: whether an instance may hide a class
//! attribute, the order of first stores, whether a dictionary is to be tracked. *Invariant*: what is asked of an
//! instance runs no Python and errs on the side of "it may".

use super::{ERROR, OK, Object, Owned, capi, interned, namespace};
use crate::{
    layout::{dict_keys, dict_unicode_entry, managed_dict, type_object},
    object,
};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// `LOAD_ATTR`.
pub(super) unsafe extern "C" fn load_attr(owner: Object, name: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let owner = Owned::steal(owner);
        if let Some(value) = class_attribute(owner.as_ptr(), name) {
            return value;
        }
        ffi::PyObject_GetAttr(owner.as_ptr(), name)
    }
}

/// An attribute of a class whose metaclass has a `__getattr__` written in Python, and finds attributes as `type` does (an
/// `enum`): CPython's slot for it, `slot_tp_getattr_hook`, binds and calls the method `type.__getattribute__`, where this goes to
/// the slot. `None`: the owner is something else.
unsafe fn class_attribute(owner: Object, name: Object) -> Option<Object> {
    // SAFETY: `owner` is alive; type fields; what a lookup gives is kept while Python may run.
    unsafe {
        let metaclass = object::type_of(owner);
        let heap = (*metaclass).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0;
        if !heap || (*metaclass).tp_flags & ffi::Py_TPFLAGS_TYPE_SUBCLASS == 0 {
            return None;
        }
        let plain = ffi::PyType_Type.tp_getattro?;
        let (hook, getter) = (interned::GETATTR.get(), interned::GETATTRIBUTE.get());
        if hook.is_null() || getter.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let hook = capi::_PyType_Lookup(metaclass, hook);
        if hook.is_null()
            || object::type_of(hook) != &raw mut ffi::PyFunction_Type
            || capi::_PyType_Lookup(metaclass, getter) != capi::_PyType_Lookup(&raw mut ffi::PyType_Type, getter)
        {
            return None;
        }
        object::incref(hook);
        let mut value = plain(owner, name);
        if value.is_null() && ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            ffi::PyErr_Clear();
            let arguments = [owner, name];
            value = ffi::PyObject_Vectorcall(hook, arguments.as_ptr(), 2, null_mut());
        }
        object::decref(hook);
        Some(value)
    }
}

/// `LOAD_METHOD`: (unbound method, object), or (null, attribute).
pub(super) unsafe extern "C" fn load_method(object: Object, name: Object, dest: *mut Object) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes two words.
    unsafe {
        let object = Owned::steal(object);
        let mut method = null_mut();
        let is_unbound = capi::_PyObject_GetMethod(object.as_ptr(), name, &mut method);
        let Some(method) = Owned::steal_or_null(method) else {
            return ERROR;
        };
        if is_unbound != 0 {
            dest.write(method.into_ptr());
            dest.add(1).write(object.into_ptr());
        } else {
            drop(object);
            dest.write(null_mut());
            dest.add(1).write(method.into_ptr());
        }
        OK
    }
}

/// Whether an instance, which has the words of a managed dictionary, may have an attribute of its own: 1 also where that could
/// only be found out by running Python.
pub(super) unsafe extern "C" fn instance_has(owner: Object, name: Object) -> i64 {
    // SAFETY: the contract of helpers; the two words lie before such an instance, whose values are as many as the keys that its
    // type shares.
    unsafe {
        let dictionary: Object = owner.byte_offset(managed_dict::DICT_OFFSET as isize).cast::<Object>().read();
        if !dictionary.is_null() {
            return i64::from(!namespace::is_plain(dictionary) || !namespace::peek(dictionary, name).is_null());
        }
        let values: *const Object =
            owner.byte_offset(managed_dict::VALUES_OFFSET as isize).cast::<*const Object>().read();
        if values.is_null() {
            return 0;
        }
        let keys: *const u8 = object::read(object::type_of(owner).cast(), type_object::HT_CACHED_KEYS);
        let count: isize = keys.add(dict_keys::DK_NENTRIES).cast::<isize>().read();
        let log2: u8 = keys.add(dict_keys::DK_LOG2_INDEX_BYTES).read();
        let entries = keys.add(dict_keys::DK_INDICES + (1usize << log2));
        for i in 0..count as usize {
            let key = entries.add(i * dict_unicode_entry::SIZE).cast::<Object>().read();
            // Another object with the same text is a possibility where somebody stored to an instance's `__dict__`.
            if (key == name || !object::is_interned(key)) && !values.add(i).read().is_null() {
                return 1;
            }
        }
        0
    }
}

/// `STORE_ATTR`.
pub(super) unsafe extern "C" fn store_attr(value: Object, owner: Object, name: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        let owner = Owned::steal(owner);
        let status = ffi::PyObject_SetAttr(owner.as_ptr(), name, value.as_ptr());
        drop(value);
        drop(owner);
        if status == 0 { OK } else { ERROR }
    }
}

/// `_PyDictValues_AddToInsertionOrder`: before the values lie their capacity, how many are set, and, backwards, the indices
/// in the order in which they were set.
pub(super) unsafe extern "C" fn note_first_store(values: *mut u8, index: i64) {
    // SAFETY: the values of a live instance, which have a byte for each of the keys; says the table.
    unsafe {
        let count = values.sub(2);
        let size = count.read() + 1;
        count.sub(usize::from(size)).write(index as u8);
        count.write(size);
    }
}

/// `MAINTAIN_TRACKING`, as the interpreter does it after a store to an instance's dictionary.
pub(super) unsafe extern "C" fn track_dictionary(dictionary: Object, value: Object) {
    // SAFETY: a live exact dict and a live object, says the table.
    unsafe {
        let is_tuple = object::type_of(value) == &raw mut ffi::PyTuple_Type;
        let may_be_tracked = ffi::PyObject_IS_GC(value) != 0 && (!is_tuple || ffi::PyObject_GC_IsTracked(value) != 0);
        if may_be_tracked && ffi::PyObject_GC_IsTracked(dictionary) == 0 {
            ffi::PyObject_GC_Track(dictionary.cast());
        }
    }
}

/// `DELETE_ATTR`.
pub(super) unsafe extern "C" fn delete_attr(owner: Object, name: Object) -> i64 {
    // SAFETY: the contract of helpers; setting null deletes.
    unsafe {
        let owner = Owned::steal(owner);
        if ffi::PyObject_SetAttr(owner.as_ptr(), name, null_mut()) == 0 { OK } else { ERROR }
    }
}
