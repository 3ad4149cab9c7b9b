//! `match`.
//!
//! *Problem*: what patterns test is hidden in `Python/ceval.c`. *Method*: `match_keys` and `match_class` rebuilt from
//! exported functions, in their order of lookups. *Invariant*: operands are borrowed, since a pattern that fails goes
//! on with the same subject.

use super::{Object, Owned, capi, interned, messages, owned::into_ptr_or_null};
use crate::{layout::type_object, object};
use pyo3_ffi as ffi;
use std::{ffi::c_ulong, ptr::null_mut};

unsafe fn has_flag(object: Object, flag: i64) -> i64 {
    // SAFETY: `object` is alive.
    unsafe { i64::from((*object::type_of(object)).tp_flags & flag as c_ulong != 0) }
}

/// `MATCH_MAPPING`.
pub(super) unsafe extern "C" fn match_mapping(subject: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe { has_flag(subject, type_object::FLAG_MAPPING) }
}

/// `MATCH_SEQUENCE`.
pub(super) unsafe extern "C" fn match_sequence(subject: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe { has_flag(subject, type_object::FLAG_SEQUENCE) }
}

/// Adds to a set of what was seen: `None` with an exception set, `Some(false)` when it was there.
unsafe fn note(seen: &Owned, object: Object) -> Option<bool> {
    // SAFETY: both are alive.
    unsafe {
        match ffi::PySet_Contains(seen.as_ptr(), object) {
            0 if ffi::PySet_Add(seen.as_ptr(), object) == 0 => Some(true),
            1 => Some(false),
            _ => None,
        }
    }
}

/// `MATCH_KEYS` (`match_keys` of ceval.c): the values, or None when a key is missing.
pub(super) unsafe extern "C" fn match_keys(subject: Object, keys: Object) -> Object {
    // SAFETY: the contract of helpers; `keys` is a tuple.
    unsafe { into_ptr_or_null(values_of(subject, keys)) }
}

unsafe fn values_of(subject: Object, keys: Object) -> Option<Owned> {
    // SAFETY: says the caller; places of the new tuple are filled in order, once each.
    unsafe {
        let count = object::size(keys);
        if count == 0 {
            return Owned::steal_or_null(ffi::PyTuple_New(0));
        }
        let name = interned::GET.get();
        if name.is_null() {
            return None;
        }
        let mut method = null_mut();
        let is_unbound = capi::_PyObject_GetMethod(subject, name, &mut method) != 0;
        let get = Owned::steal_or_null(method)?;
        let seen = Owned::steal_or_null(ffi::PySet_New(null_mut()))?;
        let missing = Owned::steal_or_null(ffi::PyObject_CallNoArgs((&raw mut ffi::PyBaseObject_Type).cast()))?;
        let values = Owned::steal_or_null(ffi::PyTuple_New(count))?;
        for i in 0..count {
            let key = object::tuple_items(keys).offset(i).read();
            if !note(&seen, key)? {
                let format = c"mapping pattern checks duplicate key (%R)";
                ffi::PyErr_Format(ffi::PyExc_ValueError, format.as_ptr(), key);
                return None;
            }
            let arguments = [subject, key, missing.as_ptr()];
            let value = if is_unbound {
                ffi::PyObject_Vectorcall(get.as_ptr(), arguments.as_ptr(), 3, null_mut())
            } else {
                ffi::PyObject_Vectorcall(get.as_ptr(), arguments.as_ptr().add(1), 2, null_mut())
            };
            let value = Owned::steal_or_null(value)?;
            if value.as_ptr() == missing.as_ptr() {
                return Some(Owned::new_reference(ffi::Py_None()));
            }
            object::tuple_items(values.as_ptr()).offset(i).write(value.into_ptr());
        }
        Some(values)
    }
}

/// `MATCH_CLASS`: the attributes, or None when the subject does not match.
pub(super) unsafe extern "C" fn match_class(subject: Object, ty: Object, names: Object, count: i64) -> Object {
    // SAFETY: the contract of helpers; `names` is a tuple of strings.
    unsafe {
        let subject = Owned::steal(subject);
        let ty = Owned::steal(ty);
        let names = Owned::steal(names);
        let attributes = attributes_of(subject.as_ptr(), ty.as_ptr(), count as isize, names.as_ptr());
        drop(names);
        drop(ty);
        let result = match attributes {
            Some(attributes) => attributes.into_ptr(),
            None if ffi::PyErr_Occurred().is_null() => Owned::new_reference(ffi::Py_None()).into_ptr(),
            None => null_mut(),
        };
        drop(subject);
        result
    }
}

/// `match_class` of ceval.c: `None` without an exception means no match.
unsafe fn attributes_of(subject: Object, ty: Object, count: isize, names: Object) -> Option<Owned> {
    // SAFETY: all alive, says the caller; items of tuples are read within their sizes.
    unsafe {
        if ffi::PyType_Check(ty) == 0 {
            messages::raise(ffi::PyExc_TypeError, c"called match pattern must be a type");
            return None;
        }
        if ffi::PyObject_IsInstance(subject, ty) <= 0 {
            return None;
        }
        let seen = Owned::steal_or_null(ffi::PySet_New(null_mut()))?;
        let attributes = Owned::steal_or_null(ffi::PyList_New(0))?;
        if count > 0 {
            positional(subject, ty, count, &seen, &attributes)?;
        }
        for i in 0..object::size(names) {
            let name = object::tuple_items(names).offset(i).read();
            let attribute = attribute(subject, ty, name, &seen)?;
            append(&attributes, attribute)?;
        }
        Owned::steal_or_null(ffi::PyList_AsTuple(attributes.as_ptr()))
    }
}

unsafe fn append(list: &Owned, item: Owned) -> Option<()> {
    // SAFETY: both are alive.
    unsafe { (ffi::PyList_Append(list.as_ptr(), item.as_ptr()) == 0).then_some(()) }
}

unsafe fn name_of(ty: Object) -> *const std::ffi::c_char {
    // SAFETY: `ty` is a type.
    unsafe { (*ty.cast::<ffi::PyTypeObject>()).tp_name }
}

/// The positional sub-patterns: `__match_args__`, or the subject itself for some built-in types.
unsafe fn positional(subject: Object, ty: Object, count: isize, seen: &Owned, attributes: &Owned) -> Option<()> {
    // SAFETY: all alive; `ty` is a type.
    unsafe {
        let key = interned::MATCH_ARGS.get();
        if key.is_null() {
            return None;
        }
        let match_args = Owned::steal_or_null(ffi::PyObject_GetAttr(ty, key));
        let mut matches_self = false;
        let mut allowed = 0;
        match &match_args {
            Some(match_args) => {
                if object::type_of(match_args.as_ptr()) != &raw mut ffi::PyTuple_Type {
                    ffi::PyErr_Format(
                        ffi::PyExc_TypeError,
                        c"%s.__match_args__ must be a tuple (got %s)".as_ptr(),
                        name_of(ty),
                        messages::type_name(match_args.as_ptr()),
                    );
                    return None;
                }
                allowed = object::size(match_args.as_ptr());
            }
            None => {
                if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) == 0 {
                    return None;
                }
                ffi::PyErr_Clear();
                let flags = (*ty.cast::<ffi::PyTypeObject>()).tp_flags;
                if flags & type_object::FLAG_MATCH_SELF as c_ulong != 0 {
                    matches_self = true;
                    allowed = 1;
                }
            }
        }
        if allowed < count {
            ffi::PyErr_Format(
                ffi::PyExc_TypeError,
                c"%s() accepts %zd positional sub-pattern%s (%zd given)".as_ptr(),
                name_of(ty),
                allowed,
                if allowed == 1 { c"".as_ptr() } else { c"s".as_ptr() },
                count,
            );
            return None;
        }
        if matches_self {
            return append(attributes, Owned::new_reference(subject));
        }
        let match_args = match_args?;
        for i in 0..count {
            let name = object::tuple_items(match_args.as_ptr()).offset(i).read();
            if object::type_of(name) != &raw mut ffi::PyUnicode_Type {
                ffi::PyErr_Format(
                    ffi::PyExc_TypeError,
                    c"__match_args__ elements must be strings (got %s)".as_ptr(),
                    messages::type_name(name),
                );
                return None;
            }
            let attribute = attribute(subject, ty, name, seen)?;
            append(attributes, attribute)?;
        }
        Some(())
    }
}

/// `match_class_attr` of ceval.c: `None` without an exception when the subject has no such attribute.
unsafe fn attribute(subject: Object, ty: Object, name: Object, seen: &Owned) -> Option<Owned> {
    // SAFETY: all alive; `ty` is a type.
    unsafe {
        if !note(seen, name)? {
            let format = c"%s() got multiple sub-patterns for attribute %R";
            ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), name_of(ty), name);
            return None;
        }
        let attribute = Owned::steal_or_null(ffi::PyObject_GetAttr(subject, name));
        if attribute.is_none() && ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            ffi::PyErr_Clear();
        }
        attribute
    }
}
