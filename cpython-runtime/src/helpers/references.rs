//! Reference counts, for the places where compiled code does not change them itself.

use super::{Object, capi, instances};
use crate::object;

/// `_Py_Dealloc`: the count has just been brought to 0.
///
/// # Safety
/// The GIL is held, and no reference is left.
pub(crate) unsafe extern "C" fn dealloc(object: Object) {
    // SAFETY: no reference is left, says the table.
    unsafe {
        if !instances::give_back(object) {
            capi::_Py_Dealloc(object);
        }
    }
}

/// `Py_DECREF`.
pub(super) unsafe extern "C" fn decref(object: Object) {
    // SAFETY: the contract of helpers: `object` is owned.
    unsafe { object::decref(object) }
}

/// `Py_XDECREF`.
pub(super) unsafe extern "C" fn xdecref(object: Object) {
    if !object.is_null() {
        // SAFETY: the contract of helpers: `object` is owned.
        unsafe { object::decref(object) }
    }
}

/// `Py_INCREF`.
pub(super) unsafe extern "C" fn incref(object: Object) {
    // SAFETY: the contract of helpers: `object` is alive.
    unsafe { object::incref(object) }
}
