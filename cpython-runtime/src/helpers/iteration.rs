//! `for`: iterators, and their next items.
//!
//! *Problem*: the iterator protocol goes through slots that build arguments and look up the hook. *Method*:
//! `__iter__` methods and generators with compiled code are entered directly; iterators of ranges, lists and tuples
//! are made as the types' own functions make them. *Invariants*: null from a maker of iterators, without an
//! exception, means that the general way is to be gone; the end of an iteration leaves no exception set.

use super::{
    Object, Owned, capi,
    containers::{track, would_collect},
    interned, messages,
};
use crate::{
    direct_calls,
    generator::{self, Outcome},
    layout, object,
    thread::ThreadState,
};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// `GET_ITER`.
pub(super) unsafe extern "C" fn get_iter(iterable: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let iterable = Owned::steal(iterable);
        iterator_of(iterable.as_ptr())
    }
}

/// `PyObject_GetIter`. A method `__iter__` written in Python, mostly a generator function, is called without the way through
/// its slot.
///
/// # Safety
/// The GIL is held, and `iterable` is alive.
#[inline(always)]
pub(super) unsafe fn iterator_of(iterable: Object) -> Object {
    // SAFETY: the function is alive while the type has it, and is given a reference of its own for the call, as is the receiver.
    unsafe {
        let ty = object::type_of(iterable);
        let name = interned::ITER.get();
        if (*ty).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 && !name.is_null() {
            let method = capi::_PyType_Lookup(ty, name);
            if !method.is_null() && object::type_of(method) == &raw mut ffi::PyFunction_Type {
                object::incref(method);
                object::incref(iterable);
                let receiver = iterable;
                let thread = ThreadState::current();
                if let Some(iterator) = direct_calls::offer(thread, method, &raw const receiver, 1) {
                    if !iterator.is_null() && ffi::PyIter_Check(iterator) == 0 {
                        let format = c"iter() returned non-iterator of type '%.100s'";
                        ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), messages::type_name(iterator));
                        object::decref(iterator);
                        return null_mut();
                    }
                    return iterator;
                }
                object::decref(iterable);
                object::decref(method);
            }
        }
        ffi::PyObject_GetIter(iterable)
    }
}

/// `list_iter` and `tuple_iter` of an exact list or tuple (borrowed); null, without an exception, where the object that this
/// takes could start the collector, which runs Python.
pub(super) unsafe extern "C" fn sequence_iterator(sequence: Object) -> Object {
    // SAFETY: the contract of helpers; the two iterators have the same fields.
    unsafe {
        if would_collect() {
            return null_mut();
        }
        let tuple = object::type_of(sequence) == &raw mut ffi::PyTuple_Type;
        let ty = if tuple { &raw mut ffi::PyTupleIter_Type } else { &raw mut ffi::PyListIter_Type };
        let iterator = ffi::PyObject_GC_New::<ffi::PyObject>(ty);
        if iterator.is_null() {
            ffi::PyErr_Clear();
            return null_mut();
        }
        object::incref(sequence);
        iterator.byte_add(layout::list_iterator::IT_INDEX).cast::<isize>().write(0);
        iterator.byte_add(layout::list_iterator::IT_SEQ).cast::<Object>().write(sequence);
        track(iterator);
        iterator
    }
}

/// What `iter(range(start, stop, step))` gives if all its numbers fit machine ints (`range_iter` and `fast_range_iter` of
/// `Objects/rangeobject.c`); null, without an exception: it is of another type, or an error.
pub(super) unsafe extern "C" fn range_iterator(start: i64, stop: i64, step: i64) -> Object {
    let length = match step {
        1.. if stop > i64::MAX - (step - 1) => return null_mut(),
        1.. if start < stop => 1 + (stop.wrapping_sub(start) as u64 - 1) / step as u64,
        ..0 if stop < i64::MIN + (-1 - step) => return null_mut(),
        ..0 if start > stop => 1 + (start.wrapping_sub(stop) as u64 - 1) / step.unsigned_abs(),
        0 => return null_mut(),
        _ => 0,
    };
    let Ok(length) = i64::try_from(length) else { return null_mut() };
    // SAFETY: the GIL is held; the fields are those of the type.
    unsafe {
        let iterator = ffi::PyObject_New::<ffi::PyObject>(&raw mut ffi::PyRangeIter_Type);
        if iterator.is_null() {
            ffi::PyErr_Clear();
            return null_mut();
        }
        for (offset, value) in [
            (layout::range_iterator::INDEX, 0),
            (layout::range_iterator::START, start),
            (layout::range_iterator::STEP, step),
            (layout::range_iterator::LEN, length),
        ] {
            iterator.byte_add(offset).cast::<i64>().write(value);
        }
        iterator
    }
}

/// `FOR_ITER` over what may be a generator whose code is compiled. The end of one is no exception here.
pub(super) unsafe extern "C" fn for_iter_direct(thread: *mut ffi::PyThreadState, iterator: Object) -> Object {
    // SAFETY: the contract of helpers; a refused offer has not consumed the value, and `None` outlives a lost count.
    unsafe {
        if object::type_of(iterator) == &raw mut ffi::PyGen_Type {
            let none = ffi::Py_None();
            object::incref(none);
            match generator::offer(ThreadState::new(thread), iterator, none) {
                Some((Outcome::Yielded, item)) => return item,
                Some((Outcome::Raised, _)) => return null_mut(),
                Some((Outcome::Returned, value)) => {
                    object::decref(value);
                    return null_mut();
                }
                None => object::decref(none),
            }
        }
        for_iter(iterator)
    }
}

/// `FOR_ITER`: the next item, or null; then an exception is set unless the iterator is exhausted.
pub(super) unsafe extern "C" fn for_iter(iterator: Object) -> Object {
    // SAFETY: the contract of helpers; `GET_ITER` has checked that the slot is there.
    unsafe {
        let Some(next) = (*object::type_of(iterator)).tp_iternext else {
            super::messages::raise(ffi::PyExc_SystemError, c"FOR_ITER without an iterator");
            return null_mut();
        };
        let item = next(iterator);
        if item.is_null()
            && !ffi::PyErr_Occurred().is_null()
            && ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) != 0
        {
            ffi::PyErr_Clear();
        }
        item
    }
}
