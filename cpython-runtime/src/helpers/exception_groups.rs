//! `except*`.
//!
//! `_PyExc_PrepReraiseStar` and `_PyExc_CreateExceptionGroup` are hidden in CPython 3.11. They are rebuilt here: which
//! leaves of the original group were re-raised is found by the leaves' addresses, and a group with the same nesting that holds
//! just those is derived from the original.

use super::{ERROR, OK, Object, Owned, exceptions, interned, messages, owned::into_ptr_or_null};
use crate::{
    layout::{exception, exception_group},
    object,
    thread::ThreadState,
};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

unsafe extern "C" {
    /// `PY_VERSION_HEX` of the running interpreter.
    static Py_Version: std::ffi::c_ulong;
}

unsafe fn is_group(object: Object) -> bool {
    // SAFETY: `object` is alive; the class is a type.
    unsafe { ffi::PyObject_TypeCheck(object, ffi::PyExc_BaseExceptionGroup.cast()) != 0 }
}

unsafe fn none() -> Owned {
    // SAFETY: the GIL is held.
    unsafe { Owned::new_reference(ffi::Py_None()) }
}

/// `_PyExc_CreateExceptionGroup` with an empty message.
unsafe fn new_group(exceptions: &Owned) -> Option<Owned> {
    // SAFETY: the GIL is held.
    unsafe {
        let message = interned::EMPTY.get();
        if message.is_null() {
            return None;
        }
        let arguments = Owned::steal_or_null(ffi::PyTuple_Pack(2, message, exceptions.as_ptr()))?;
        Owned::steal_or_null(ffi::PyObject_CallObject(ffi::PyExc_BaseExceptionGroup, arguments.as_ptr()))
    }
}

/// `check_except_star_type_valid` of ceval.c.
unsafe fn is_catchable_by_star(ty: Object) -> bool {
    // SAFETY: `ty` is alive; the tuple's items are read within its size.
    unsafe {
        if !exceptions::is_catchable(ty) {
            return false;
        }
        let group = ffi::PyExc_BaseExceptionGroup;
        let mut is_subclass = 0;
        if ffi::PyTuple_Check(ty) != 0 {
            for i in 0..object::size(ty) {
                is_subclass = ffi::PyObject_IsSubclass(object::tuple_items(ty).offset(i).read(), group);
                if is_subclass != 0 {
                    break;
                }
            }
        } else {
            is_subclass = ffi::PyObject_IsSubclass(ty, group);
        }
        if is_subclass > 0 {
            let text = c"catching ExceptionGroup with except* is not allowed. Use except instead.";
            messages::raise(ffi::PyExc_TypeError, text);
        }
        is_subclass == 0
    }
}

/// `exception_group_match` of ceval.c: (match, rest).
unsafe fn split(exception: Object, ty: Object) -> Option<(Owned, Owned)> {
    // SAFETY: both are alive.
    unsafe {
        if exception == ffi::Py_None() {
            return Some((none(), none()));
        }
        if ffi::PyErr_GivenExceptionMatches(exception, ty) != 0 {
            if is_group(exception) {
                return Some((Owned::new_reference(exception), none()));
            }
            let alone = Owned::steal_or_null(ffi::PyTuple_Pack(1, exception))?;
            return Some((new_group(&alone)?, none()));
        }
        if !is_group(exception) {
            return Some((none(), none()));
        }
        let name = interned::SPLIT.get();
        if name.is_null() {
            return None;
        }
        let pair = Owned::steal_or_null(call_method(exception, name, ty))?;
        // An overridden `split` may return anything; CPython reads the pair unchecked.
        let wrong = object::type_of(pair.as_ptr()) != &raw mut ffi::PyTuple_Type || object::size(pair.as_ptr()) < 2;
        if wrong {
            messages::raise(ffi::PyExc_TypeError, c"split must return a 2-tuple");
            return None;
        }
        let items = object::tuple_items(pair.as_ptr());
        Some((Owned::new_reference(items.read()), Owned::new_reference(items.add(1).read())))
    }
}

unsafe fn call_method(receiver: Object, name: Object, argument: Object) -> Object {
    // SAFETY: all alive; the word below the receiver is ours.
    unsafe {
        let mut arguments = [null_mut(), receiver, argument];
        let flag = 1usize << (usize::BITS - 1);
        ffi::PyObject_VectorcallMethod(name, arguments.as_mut_ptr().add(1), 2 | flag, null_mut())
    }
}

/// `CHECK_EG_MATCH`. Without a match the exception itself stays as the rest.
pub(super) unsafe extern "C" fn check_eg_match(exception: Object, ty: Object, dest: *mut Object) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes two words.
    unsafe {
        let exception = Owned::steal(exception);
        let ty = Owned::steal(ty);
        if !is_catchable_by_star(ty.as_ptr()) {
            return ERROR;
        }
        let parts = split(exception.as_ptr(), ty.as_ptr());
        drop(ty);
        let Some((matched, rest)) = parts else {
            return ERROR;
        };
        if matched.as_ptr() == ffi::Py_None() {
            drop(rest);
            dest.write(exception.into_ptr());
        } else {
            ffi::PyErr_SetHandledException(matched.as_ptr());
            drop(exception);
            dest.write(rest.into_ptr());
        }
        dest.add(1).write(matched.into_ptr());
        OK
    }
}

/// `PREP_RERAISE_STAR`: the exception to raise after all clauses, or None.
pub(super) unsafe extern "C" fn prep_reraise_star(original: Object, raised: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let original = Owned::steal(original);
        let raised = Owned::steal(raised);
        let result = prepare(original.as_ptr(), raised.as_ptr());
        drop(raised);
        drop(original);
        into_ptr_or_null(result)
    }
}

/// Whether two exceptions share notes, traceback, cause and context: one was re-raised from the other.
unsafe fn has_same_metadata(left: Object, right: Object) -> bool {
    let fields = [exception::NOTES, exception::TRACEBACK, exception::CAUSE, exception::CONTEXT];
    // SAFETY: both are exceptions, which have these fields.
    fields.iter().all(|&field| unsafe { object::read::<Object>(left, field) == object::read::<Object>(right, field) })
}

unsafe fn prepare(original: Object, raised: Object) -> Option<Owned> {
    // SAFETY: `original` is an exception, `raised` a list of exceptions and None that nobody else changes.
    unsafe {
        let count = object::size(raised);
        if count == 0 {
            return Some(none());
        }
        if !is_group(original) {
            return Some(Owned::new_reference(object::list_items(raised).read()));
        }
        let new = Owned::steal_or_null(ffi::PyList_New(0))?;
        let leaves = Owned::steal_or_null(ffi::PySet_New(null_mut()))?;
        for i in 0..count {
            let item = object::list_items(raised).offset(i).read();
            if item == ffi::Py_None() {
                continue;
            }
            if !has_same_metadata(item, original) {
                if ffi::PyList_Append(new.as_ptr(), item) < 0 {
                    return None;
                }
            } else if !collect_leaves(item, &leaves) {
                return None;
            }
        }
        let reraised = project(original, &leaves)?.unwrap_or_else(|| none());
        if object::size(new.as_ptr()) == 0 {
            return Some(reraised);
        }
        if reraised.as_ptr() != ffi::Py_None() && ffi::PyList_Append(new.as_ptr(), reraised.as_ptr()) < 0 {
            return None;
        }
        drop(reraised);
        // Since 3.11.4 a single exception is not wrapped.
        if object::size(new.as_ptr()) == 1 && Py_Version >= 0x030b_0400 {
            return Some(Owned::new_reference(object::list_items(new.as_ptr()).read()));
        }
        new_group(&new)
    }
}

/// Runs `body` one level deeper; `None` when that is too deep.
unsafe fn deeper<T>(body: impl FnOnce() -> Option<T>) -> Option<T> {
    // SAFETY: the GIL is held.
    let thread = unsafe { ThreadState::current() };
    if !thread.enter_recursive_call() {
        return None;
    }
    let result = body();
    thread.leave_recursive_call();
    result
}

/// Adds the addresses of all leaves of an exception to a set.
unsafe fn collect_leaves(exception: Object, leaves: &Owned) -> bool {
    // SAFETY: `exception` is an exception; a group's `excs` is a tuple that never changes.
    unsafe {
        if !is_group(exception) {
            let Some(address) = Owned::steal_or_null(ffi::PyLong_FromVoidPtr(exception.cast())) else {
                return false;
            };
            return ffi::PySet_Add(leaves.as_ptr(), address.as_ptr()) == 0;
        }
        let members: Object = object::read(exception, exception_group::EXCS);
        (0..object::size(members)).all(|i| {
            let member = object::tuple_items(members).offset(i).read();
            deeper(|| collect_leaves(member, leaves).then_some(())).is_some()
        })
    }
}

/// The part of an exception whose leaves are in the set: `Some(None)` for nothing, `None` with an exception set.
unsafe fn project(exception: Object, leaves: &Owned) -> Option<Option<Owned>> {
    // SAFETY: as for `collect_leaves`.
    unsafe {
        if !is_group(exception) {
            let address = Owned::steal_or_null(ffi::PyLong_FromVoidPtr(exception.cast()))?;
            return match ffi::PySet_Contains(leaves.as_ptr(), address.as_ptr()) {
                0 => Some(None),
                1 => Some(Some(Owned::new_reference(exception))),
                _ => None,
            };
        }
        let members: Object = object::read(exception, exception_group::EXCS);
        let kept = Owned::steal_or_null(ffi::PyList_New(0))?;
        for i in 0..object::size(members) {
            let member = object::tuple_items(members).offset(i).read();
            if let Some(part) = deeper(|| project(member, leaves))?
                && ffi::PyList_Append(kept.as_ptr(), part.as_ptr()) < 0
            {
                return None;
            }
        }
        if object::size(kept.as_ptr()) == 0 {
            return Some(None);
        }
        derive(exception, &kept).map(Some)
    }
}

/// `exceptiongroup_subset` of exceptions.c: a group like `original` with other members.
unsafe fn derive(original: Object, members: &Owned) -> Option<Owned> {
    // SAFETY: `original` is a group; `PyException_SetContext` and `SetCause` take over references.
    unsafe {
        let (derive, notes_name) = (interned::DERIVE.get(), interned::NOTES.get());
        if derive.is_null() || notes_name.is_null() {
            return None;
        }
        let group = Owned::steal_or_null(call_method(original, derive, members.as_ptr()))?;
        if !is_group(group.as_ptr()) {
            messages::raise(ffi::PyExc_TypeError, c"derive must return an instance of BaseExceptionGroup");
            return None;
        }
        if let Some(traceback) = Owned::steal_or_null(ffi::PyException_GetTraceback(original))
            && ffi::PyException_SetTraceback(group.as_ptr(), traceback.as_ptr()) < 0
        {
            return None;
        }
        ffi::PyException_SetContext(group.as_ptr(), ffi::PyException_GetContext(original));
        ffi::PyException_SetCause(group.as_ptr(), ffi::PyException_GetCause(original));
        if ffi::PyObject_HasAttr(original, notes_name) != 0 {
            let notes = Owned::steal_or_null(ffi::PyObject_GetAttr(original, notes_name))?;
            // Notes that are no sequence are somebody's mistake, which does not matter here.
            if ffi::PySequence_Check(notes.as_ptr()) != 0 {
                let copy = Owned::steal_or_null(ffi::PySequence_List(notes.as_ptr()))?;
                if ffi::PyObject_SetAttr(group.as_ptr(), notes_name, copy.as_ptr()) < 0 {
                    return None;
                }
            }
        }
        Some(group)
    }
}
