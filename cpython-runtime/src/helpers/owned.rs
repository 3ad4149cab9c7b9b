//! A reference with an owner.
//!
//! *Problem*: helpers have many error paths, and each must release exactly what it was given. *Method*: a stolen operand
//! is wrapped on entry; dropping the wrapper releases it. *Invariant*: the pointer is never null. Where CPython's order of
//! releases can be observed, `drop` is called explicitly in that order (otherwise Rust releases in reverse).

use super::Object;
use crate::object;
use std::ptr::NonNull;

/// An owned reference.
#[repr(transparent)]
pub(super) struct Owned(NonNull<pyo3_ffi::PyObject>);

impl Owned {
    /// Takes over a reference.
    ///
    /// # Safety
    /// `object` is not null, alive, and a reference to it is owned by the caller; the GIL is held until the drop.
    #[inline(always)]
    pub(super) unsafe fn steal(object: Object) -> Owned {
        debug_assert!(!object.is_null());
        // SAFETY: not null, says the caller.
        Owned(unsafe { NonNull::new_unchecked(object) })
    }

    /// Takes over a reference that may be null: the result of a call into CPython, or a `Q` operand.
    ///
    /// # Safety
    /// As for [`Owned::steal`], null apart.
    #[inline(always)]
    pub(super) unsafe fn steal_or_null(object: Object) -> Option<Owned> {
        NonNull::new(object).map(Owned)
    }

    /// Makes a new reference to a borrowed object.
    ///
    /// # Safety
    /// `object` is not null and alive; the GIL is held until the drop.
    #[inline(always)]
    pub(super) unsafe fn new_reference(object: Object) -> Owned {
        // SAFETY: says the caller.
        unsafe {
            object::incref(object);
            Owned::steal(object)
        }
    }

    /// The object, borrowed from this owner.
    #[inline(always)]
    pub(super) fn as_ptr(&self) -> Object {
        self.0.as_ptr()
    }

    /// Hands the reference to the caller.
    #[inline(always)]
    pub(super) fn into_ptr(self) -> Object {
        let object = self.0.as_ptr();
        std::mem::forget(self);
        object
    }
}

impl Drop for Owned {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the reference is ours (constructor) and given back once.
        unsafe { object::decref(self.0.as_ptr()) }
    }
}

/// The pointer of an optional owner, null for none; still owned.
#[inline(always)]
pub(super) fn as_ptr_or_null(owner: &Option<Owned>) -> Object {
    owner.as_ref().map_or(std::ptr::null_mut(), Owned::as_ptr)
}

/// Hands over an optional reference, null for none.
#[inline(always)]
pub(super) fn into_ptr_or_null(owner: Option<Owned>) -> Object {
    owner.map_or(std::ptr::null_mut(), Owned::into_ptr)
}
