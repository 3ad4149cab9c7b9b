//! The slots of the generators' types by which C code resumes a generator or coroutine, while the hook is installed.
//!
//! *Problem*: C code that goes through a generator (`sum`, `set`, `str.join`, the interpreter's own `for`) or runs a coroutine
//! (asyncio's tasks, the interpreter's `await`) comes to compiled code by `gen_send_ex2` and the hook. *Method*: functions of ours stand in
//! `tp_iternext` of generators and in `am_send` of generators and coroutines. They resume compiled code as other compiled
//! code would, and hand all else on to the functions that stood there. *Invariants*: a slot in which somebody else's function has come to
//! stand is left alone; the types have no subclasses, so the slots are nowhere else.

use crate::{collecting, generators};
use columba_cpython_runtime::{
    collecting as sinks,
    generator::{self, Outcome},
    object, spare_generators,
};
use pyo3::ffi::{self, PyObject, PySendResult};
use std::{
    ffi::c_int,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

unsafe extern "C" {
    fn _PyGen_SetStopIterationValue(value: *mut PyObject) -> c_int;
}

/// What CPython has in the slots, while ours stand there.
static ITERNEXT: AtomicPtr<()> = AtomicPtr::new(null_mut());
static DEALLOC_GENERATOR: AtomicPtr<()> = AtomicPtr::new(null_mut());
static DEALLOC_COROUTINE: AtomicPtr<()> = AtomicPtr::new(null_mut());
static SEND_TO_GENERATOR: AtomicPtr<()> = AtomicPtr::new(null_mut());
static SEND_TO_COROUTINE: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// `tp_iternext` of generators.
unsafe extern "C" fn next(iterator: *mut PyObject) -> *mut PyObject {
    // SAFETY: CPython calls a slot with the GIL and a live object of its type, which has no subclasses; only `install` stores
    // the function, which was taken from this slot.
    unsafe {
        let none = ffi::Py_None();
        let Some((outcome, result)) = generators::resume_for_c(iterator, none) else {
            return std::mem::transmute::<*mut (), ffi::iternextfunc>(ITERNEXT.load(Relaxed))(iterator);
        };
        if outcome != Outcome::Returned {
            return result;
        }
        if result != none {
            _PyGen_SetStopIterationValue(result);
        }
        object::decref(result);
        null_mut()
    }
}

/// `am_send` of generators and coroutines.
unsafe extern "C" fn send(target: *mut PyObject, value: *mut PyObject, result: *mut *mut PyObject) -> PySendResult {
    // SAFETY: as for `next`; the types with this slot are generators and coroutines; `result` takes a reference.
    unsafe {
        let Some((outcome, given)) = generators::resume_for_c(target, value) else {
            let coroutine = object::type_of(target) == &raw mut ffi::PyCoro_Type;
            let plain = if coroutine { &SEND_TO_COROUTINE } else { &SEND_TO_GENERATOR };
            return std::mem::transmute::<*mut (), ffi::sendfunc>(plain.load(Relaxed))(target, value, result);
        };
        result.write(given);
        match outcome {
            Outcome::Returned => PySendResult::PYGEN_RETURN,
            Outcome::Yielded => PySendResult::PYGEN_NEXT,
            Outcome::Raised => PySendResult::PYGEN_ERROR,
        }
    }
}

/// `tp_dealloc` of generators and coroutines.
unsafe extern "C" fn dealloc(dying: *mut PyObject) {
    // SAFETY: as for `next`.
    unsafe {
        if !spare_generators::keep(dying) {
            let coroutine = object::type_of(dying) == &raw mut ffi::PyCoro_Type;
            let plain = if coroutine { &DEALLOC_COROUTINE } else { &DEALLOC_GENERATOR };
            std::mem::transmute::<*mut (), ffi::destructor>(plain.load(Relaxed))(dying);
        }
    }
}

/// A slot, what we put there, and where that which stood there is kept.
type Slot = (*mut *mut (), *mut (), &'static AtomicPtr<()>);

/// # Safety
/// The GIL is held.
unsafe fn slots() -> [Option<Slot>; 5] {
    // SAFETY: types of the interpreter, and their tables of methods, live as long as it; a slot holds a function or null.
    unsafe {
        let next = next as unsafe extern "C" fn(_) -> _ as *mut ();
        let send = send as unsafe extern "C" fn(_, _, _) -> _ as *mut ();
        let dealloc = dealloc as unsafe extern "C" fn(_) as *mut ();
        let send_slot = |ty: *mut ffi::PyTypeObject| {
            let methods = (*ty).tp_as_async;
            (!methods.is_null()).then(|| (&raw mut (*methods).am_send).cast())
        };
        [
            Some(((&raw mut ffi::PyGen_Type.tp_iternext).cast(), next, &ITERNEXT)),
            Some(((&raw mut ffi::PyGen_Type.tp_dealloc).cast(), dealloc, &DEALLOC_GENERATOR)),
            Some(((&raw mut ffi::PyCoro_Type.tp_dealloc).cast(), dealloc, &DEALLOC_COROUTINE)),
            send_slot(&raw mut ffi::PyGen_Type).map(|slot| (slot, send, &SEND_TO_GENERATOR)),
            send_slot(&raw mut ffi::PyCoro_Type).map(|slot| (slot, send, &SEND_TO_COROUTINE)),
        ]
    }
}

/// Fills the slots, and registers what compiled code asks for itself.
pub fn install() {
    generator::set_resumer(generators::resume);
    sinks::set_collector(collecting::collect);
    // SAFETY: the GIL is held; a slot that is empty, or ours already, stays.
    unsafe {
        for (slot, ours, kept) in slots().into_iter().flatten() {
            let plain = slot.read();
            if !plain.is_null() && plain != ours {
                kept.store(plain, Relaxed);
                slot.write(ours);
            }
        }
    }
}

/// Gives CPython its slots back, unless somebody else's function stands there.
pub fn uninstall() {
    // SAFETY: the GIL is held; what is put back was taken from that slot.
    unsafe {
        for (slot, ours, kept) in slots().into_iter().flatten() {
            if slot.read() == ours {
                slot.write(kept.load(Relaxed));
            }
        }
        spare_generators::clear();
    }
}
