//! Classes that examples have been seen of, by the version of the type.
//!
//! *Problem*: the interpreter's inline caches name a type by its version only, and the addresses beside it are good only as long
//! as a live type has that version. *Method*: whoever describes an instance notes its type here, by a weak reference: the one
//! without a callback that every class has already, since its bases know it by that. *Invariants*: what is given back is alive and
//! has that version now; the table is used under the GIL, and no borrow of it lives across a call that could run Python.

use crate::object;
use pyo3_ffi::{self as ffi, PyObject};
use std::{cell::RefCell, collections::HashMap, ptr::null_mut};

/// Beyond this many, entries of classes that are gone are thrown away.
const MANY: usize = 2048;

struct UnderGil(RefCell<Option<HashMap<u32, *mut PyObject>>>);
// SAFETY: used under the GIL only, says the module's invariant.
unsafe impl Sync for UnderGil {}

/// Owned weak references by version.
static SEEN: UnderGil = UnderGil(RefCell::new(None));

/// Notes a type.
///
/// # Safety
/// A live heap type; the GIL is held, and no exception is set.
pub unsafe fn note(ty: *mut ffi::PyTypeObject, version: u32) {
    if version == 0 || SEEN.0.borrow().as_ref().is_some_and(|seen| seen.contains_key(&version)) {
        return;
    }
    // SAFETY: types can be referred to weakly; without a callback this runs no Python.
    let reference = unsafe { ffi::PyWeakref_NewRef(ty.cast(), null_mut()) };
    if reference.is_null() {
        // SAFETY: memory ran out; the GIL is held.
        unsafe { ffi::PyErr_Clear() };
        return;
    }
    let mut gone = Vec::new();
    {
        let mut seen = SEEN.0.borrow_mut();
        let seen = seen.get_or_insert_default();
        if seen.len() >= MANY {
            seen.retain(|version, reference| {
                let alive = live(*reference, *version).is_some();
                if !alive {
                    gone.push(*reference);
                }
                alive
            });
        }
        gone.extend(seen.insert(version, reference));
    }
    for reference in gone {
        // SAFETY: owned by the table until now.
        unsafe { object::decref(reference) };
    }
}

/// The live type with a version, if it was noted; borrowed, alive as long as no Python code runs.
pub fn with_version(version: u32) -> Option<*mut ffi::PyTypeObject> {
    let reference = *SEEN.0.borrow().as_ref()?.get(&version)?;
    live(reference, version)
}

fn live(reference: *mut PyObject, version: u32) -> Option<*mut ffi::PyTypeObject> {
    // SAFETY: a weak reference that the table owns; what it refers to is a type, or None when it is gone.
    unsafe {
        let ty = ffi::PyWeakref_GetObject(reference);
        let alive = !ty.is_null() && ty != ffi::Py_None();
        (alive && object::type_version(ty.cast()) == version).then_some(ty.cast())
    }
}
