//! Tuples and sets that are filled from a generator.
//!
//! *Problem*: `tuple(x for ...)` asks for each value through `tp_iternext`, which has to find out anew each time how the generator
//! goes on, although between two values nearly nothing can have happened. *Method*: whoever owns compiled code registers a
//! [`Collector`], which goes through the whole generator and gives each value to a [`Sink`]. *Invariants*: an offer that is refused
//! has changed nothing; values come, and are dropped when it fails, in CPython's order; what lies in a sink is owned by it. *Source*:
//! `PySequence_Tuple` and `set_update_internal` of CPython 3.11.

use crate::{frame::Generator, object, thread::ThreadState};
use pyo3_ffi::{self as ffi, PyObject};
use std::{
    mem::MaybeUninit,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

/// Values that a sink holds without allocating.
const AT_HAND: usize = 32;

/// Where the values of a generator go.
pub enum Sink {
    /// Of a tuple that is made when all are known: the first ones, how many of them, and the others.
    Items { first: [MaybeUninit<*mut PyObject>; AT_HAND], count: usize, more: Vec<*mut PyObject> },
    /// A new set.
    Set(*mut PyObject),
}

impl Sink {
    /// Takes a value, which is owned. `false`: an exception is set.
    ///
    /// # Safety
    /// The GIL is held; the value is alive.
    #[inline(always)]
    pub unsafe fn take(&mut self, value: *mut PyObject) -> bool {
        match self {
            Sink::Items { first, count, more } => {
                match first.get_mut(*count) {
                    Some(place) => {
                        place.write(value);
                        *count += 1;
                    }
                    None if more.try_reserve(1).is_ok() => more.push(value),
                    None => {
                        // SAFETY: says the caller.
                        unsafe {
                            object::decref(value);
                            ffi::PyErr_NoMemory();
                        }
                        return false;
                    }
                }
                true
            }
            // SAFETY: says the caller; the set is owned by the sink.
            Sink::Set(set) => unsafe {
                let status = ffi::PySet_Add(*set, value);
                object::decref(value);
                status == 0
            },
        }
    }

    /// What was collected, or null with the exception that is set.
    ///
    /// # Safety
    /// The GIL is held.
    unsafe fn finish(self, whole: bool) -> *mut PyObject {
        // SAFETY: the first `count` places are written; the sink owns its values, which pass to the tuple.
        unsafe {
            match self {
                Sink::Items { first, count, more } => {
                    let tuple = if whole { ffi::PyTuple_New((count + more.len()) as isize) } else { null_mut() };
                    if tuple.is_null() {
                        // From the last one, as the deallocator of a tuple that is not finished.
                        more.iter().rev().for_each(|value| object::decref(*value));
                        first[..count].iter().rev().for_each(|value| object::decref(value.assume_init()));
                        return null_mut();
                    }
                    let items = object::tuple_items(tuple);
                    items.copy_from_nonoverlapping(first.as_ptr().cast(), count);
                    items.add(count).copy_from_nonoverlapping(more.as_ptr(), more.len());
                    tuple
                }
                Sink::Set(set) if whole => set,
                Sink::Set(set) => {
                    object::decref(set);
                    null_mut()
                }
            }
        }
    }
}

/// Goes through an exact generator, to its end (`true`) or until an exception is set (`false`). `None`: nothing was done.
pub type Collector = unsafe fn(ThreadState, Generator, &mut Sink) -> Option<bool>;

static COLLECTOR: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Registers who goes through generators.
pub fn set_collector(collector: Collector) {
    COLLECTOR.store(collector as *mut (), Relaxed);
}

/// Offers the call of a built-in type with one argument. `Some`: a new object, or null with an exception set. `None`: nothing
/// that matters was done.
///
/// # Safety
/// The GIL is held; both are alive, and the caller keeps the argument so.
pub unsafe fn offer(thread: ThreadState, ty: *mut PyObject, argument: *mut PyObject) -> Option<*mut PyObject> {
    // SAFETY: only `set_collector` stores there; the rest says the caller.
    unsafe {
        if object::type_of(argument) != &raw mut ffi::PyGen_Type {
            return None;
        }
        let collector = COLLECTOR.load(Relaxed);
        if collector.is_null() {
            return None;
        }
        let collector = std::mem::transmute::<*mut (), Collector>(collector);
        let mut sink = if ty == (&raw mut ffi::PyTuple_Type).cast() {
            Sink::Items { first: [const { MaybeUninit::uninit() }; AT_HAND], count: 0, more: Vec::new() }
        } else if ty == (&raw mut ffi::PySet_Type).cast() {
            let set = ffi::PySet_New(null_mut());
            if set.is_null() {
                return Some(null_mut());
            }
            Sink::Set(set)
        } else {
            return None;
        };
        match collector(thread, Generator::new(argument), &mut sink) {
            Some(whole) => Some(sink.finish(whole)),
            None => {
                if let Sink::Set(set) = sink {
                    object::decref(set);
                }
                None
            }
        }
    }
}
