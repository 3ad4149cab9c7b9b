//! Tuples and sets that are filled from a generator.
//!
//! *Problem*: `tuple(x for ...)` asks for each value through `tp_iternext`, which has to find out anew each time how the generator
//! goes on, although between two values nearly nothing can have happened. *Method*: whoever owns compiled code registers a
//! [`Collector`], which goes through the whole generator and gives each value to a [`Sink`]. *Invariants*: an offer that is refused
//! has changed nothing; values come, and are dropped when it fails, in CPython's order; what a sink has taken is owned by it. *Source*:
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

/// The items of a tuple that is made when all are known: the first ones, how many of them, and the others.
pub struct Items {
    first: [MaybeUninit<*mut PyObject>; AT_HAND],
    count: usize,
    more: Vec<*mut PyObject>,
}

impl Default for Items {
    fn default() -> Items {
        Items { first: [const { MaybeUninit::uninit() }; AT_HAND], count: 0, more: Vec::new() }
    }
}

impl Items {
    #[inline(always)]
    unsafe fn take(&mut self, value: *mut PyObject) -> bool {
        match self.first.get_mut(self.count) {
            Some(place) => {
                place.write(value);
                self.count += 1;
            }
            None if self.more.try_reserve(1).is_ok() => self.more.push(value),
            None => {
                // SAFETY: the GIL is held and the value owned, says the caller.
                unsafe {
                    object::decref(value);
                    ffi::PyErr_NoMemory();
                }
                return false;
            }
        }
        true
    }

    /// The tuple of the items; null with an exception set when they are not all, or memory runs out.
    ///
    /// # Safety
    /// The GIL is held; the items are used once.
    pub unsafe fn finish(&mut self, whole: bool) -> *mut PyObject {
        let Items { first, count, more } = self;
        let count = *count;
        // SAFETY: the GIL is held; the first `count` places are written, and what lies in them is owned.
        unsafe {
            let tuple = if whole { ffi::PyTuple_New((count + more.len()) as isize) } else { null_mut() };
            if tuple.is_null() {
                // From the last one, as the deallocator of a tuple.
                more.iter().rev().for_each(|value| object::decref(*value));
                first[..count].iter().rev().for_each(|value| object::decref(value.assume_init()));
                return null_mut();
            }
            let items = object::tuple_items(tuple);
            items.copy_from_nonoverlapping(first.as_ptr().cast(), count);
            items.add(count).copy_from_nonoverlapping(more.as_ptr(), more.len());
            tuple
        }
    }
}

/// Where the values of a generator go.
#[expect(clippy::large_enum_variant, reason = "a sink lies on the stack of one call and is not moved")]
pub enum Sink {
    Items(Items),
    /// A new set, and whether all that was put into it is of types whose hashes and comparisons run no Python code.
    Set {
        set: *mut PyObject,
        plain: bool,
    },
}

/// Whether neither hashing a value nor comparing it with another such one runs Python code, and its death does not either.
///
/// # Safety
/// The value is alive.
#[inline(always)]
unsafe fn is_plain(value: *mut PyObject) -> bool {
    // SAFETY: says the caller.
    let ty = unsafe { object::type_of(value) };
    ty == &raw mut ffi::PyLong_Type || ty == &raw mut ffi::PyUnicode_Type || ty == &raw mut ffi::PyFloat_Type
}

impl Sink {
    /// Takes a value, which is owned. `false`: an exception is set.
    ///
    /// # Safety
    /// The GIL is held; the value is alive.
    #[inline(always)]
    pub unsafe fn take(&mut self, value: *mut PyObject) -> bool {
        // SAFETY: says the caller; who made the sink keeps the set alive.
        unsafe {
            match self {
                Sink::Items(items) => items.take(value),
                Sink::Set { set, plain } => {
                    *plain &= is_plain(value);
                    let status = ffi::PySet_Add(*set, value);
                    object::decref(value);
                    status == 0
                }
            }
        }
    }

    /// Takes a value, which is owned then, if nothing can go wrong and no Python code runs by that. `false`: nothing was done.
    ///
    /// # Safety
    /// As for [`Sink::take`].
    #[inline(always)]
    pub unsafe fn take_at_once(&mut self, value: *mut PyObject) -> bool {
        // SAFETY: says the caller.
        unsafe {
            match self {
                Sink::Items(items) => {
                    let fits = items.count < AT_HAND || items.more.len() < items.more.capacity();
                    fits && items.take(value)
                }
                Sink::Set { set, plain: true } if is_plain(value) => {
                    if ffi::PySet_Add(*set, value) != 0 {
                        // It will fail again where that can be said.
                        ffi::PyErr_Clear();
                        return false;
                    }
                    object::decref(value);
                    true
                }
                Sink::Set { .. } => false,
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
        let collector = COLLECTOR.load(Relaxed);
        if object::type_of(argument) != &raw mut ffi::PyGen_Type || collector.is_null() {
            return None;
        }
        let collector = std::mem::transmute::<*mut (), Collector>(collector);
        let generator = Generator::new(argument);
        if ty == (&raw mut ffi::PyTuple_Type).cast() {
            let mut sink = Sink::Items(Items::default());
            let whole = collector(thread, generator, &mut sink)?;
            let Sink::Items(items) = &mut sink else { return None };
            return Some(items.finish(whole));
        }
        if ty != (&raw mut ffi::PySet_Type).cast() {
            return None;
        }
        let set = ffi::PySet_New(null_mut());
        if set.is_null() {
            return Some(null_mut());
        }
        let whole = collector(thread, generator, &mut Sink::Set { set, plain: true });
        if whole == Some(true) {
            return Some(set);
        }
        object::decref(set);
        whole.map(|_| null_mut())
    }
}
