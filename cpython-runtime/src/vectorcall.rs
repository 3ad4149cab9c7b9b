//! By what functions are called: CPython's vectorcall, one of the compiler's, or somebody else's.
//!
//! *Problem*: the interpreter calls a function through a pointer in the function object; compiled code is entered soonest when
//! that is a pointer of ours, but anybody may have put another there, to be called each time. *Method*: a function with
//! CPython's own pointer may be adopted; any other is left alone. *Invariant*: whoever calls a function in another way than
//! through its pointer asks `is_called_plainly` first.

use crate::{layout::function, object};
use pyo3_ffi::PyObject;
use std::{
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

unsafe extern "C" {
    fn _PyFunction_Vectorcall(
        function: *mut PyObject,
        arguments: *const *mut PyObject,
        count: usize,
        names: *mut PyObject,
    ) -> *mut PyObject;
}

/// What functions are called by that the compiler has taken over: see [`adopt`].
pub type Vectorcall = unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;

static ADOPTED: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Registers what calls functions that were adopted.
pub(crate) fn register(adopted: Vectorcall) {
    ADOPTED.store(adopted as *mut (), Relaxed);
}

/// The vectorcall of functions that nobody has replaced.
#[inline(always)]
pub(crate) fn plain_vectorcall() -> usize {
    _PyFunction_Vectorcall as *const () as usize
}

/// Whether a function is called as CPython or the compiler has it called.
///
/// # Safety
/// `callable` is a live function.
#[inline(always)]
pub(crate) unsafe fn is_called_plainly(callable: *mut PyObject) -> bool {
    // SAFETY: says the caller.
    let vectorcall = unsafe { object::read::<usize>(callable, function::VECTORCALL) };
    vectorcall == ADOPTED.load(Relaxed) as usize || vectorcall == plain_vectorcall()
}

/// Has a function be called by the registered [`Vectorcall`] from now on, unless somebody else has changed how it is
/// called. That one decides anew at every call, so it may stay whatever becomes of the function.
///
/// # Safety
/// `callable` is a live function; the GIL is held.
#[inline(always)]
pub unsafe fn adopt(callable: *mut PyObject) {
    // SAFETY: says the caller.
    unsafe {
        let place = callable.cast::<u8>().add(function::VECTORCALL).cast::<usize>();
        if place.read() == plain_vectorcall() {
            place.write(ADOPTED.load(Relaxed) as usize);
        }
    }
}

/// Calls a function as CPython does.
///
/// # Safety
/// As for any vectorcall of a function.
pub unsafe fn call_plainly(
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: says the caller.
    unsafe { _PyFunction_Vectorcall(callable, arguments, count, names) }
}
