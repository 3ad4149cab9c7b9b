//! `container[start:stop:step]` and its assignment, without a slice object where nobody would see one.
//!
//! *Method*: of exact lists, tuples, strs and bytes with int bounds, what their `mp_subscript` and `mp_ass_subscript` do is
//! done here; anything else gets a slice object and goes the way of any other subscript. Each comes in two forms: one takes
//! objects; the `_quick` one takes raw bounds, neither raises nor runs Python, and gives up, having done nothing, where it
//! would have to. *Sources*: `Objects/sliceobject.c`, `list_subscript` and `list_ass_slice` in `Objects/listobject.c`,
//! `tuplesubscript`, `unicode_subscript`, `bytes_subscript`. *Invariant*: a quick form makes no object that could start the
//! garbage collector: lists and tuples come from the free lists.

use super::{
    ERROR, Object, Owned,
    boxing::{int_value, tracemalloc_off},
    containers::{build_slice, recycled_tuple, track, untrack},
    subscripts,
};
use crate::{
    layout::{build, interp, list, object as object_layout, thread},
    object,
    thread::gil_holder,
};
use pyo3_ffi as ffi;
use std::{ptr::null_mut, sync::atomic::Ordering::Relaxed};

/// The items that a slice of a sequence selects.
#[derive(Clone, Copy)]
struct Span {
    start: i64,
    step: i64,
    count: i64,
}

impl Span {
    /// `PySlice_AdjustIndices` for bounds as `PySlice_Unpack` gives them: a bound that is not given is the first or last number
    /// there is. `None`: the step is 0.
    #[inline(always)]
    fn of(length: i64, start: i64, stop: i64, step: i64) -> Option<Span> {
        let clamp = |bound: i64| {
            let bound = if bound < 0 { bound.wrapping_add(length) } else { bound };
            if step > 0 { bound.clamp(0, length) } else { bound.clamp(-1, length - 1) }
        };
        // No sequence has so many items that the sums overflow.
        let (start, stop) = (clamp(start), clamp(stop));
        if step == 1 {
            return Some(Span { start, step, count: (stop - start).max(0) });
        }
        let count = match step {
            0 => return None,
            1.. if start < stop => (stop - start - 1) / step + 1,
            ..0 if stop < start => (start - stop - 1) / step.saturating_neg() + 1,
            _ => 0,
        };
        Some(Span { start, step, count })
    }

    fn end(self) -> i64 {
        self.start + self.count
    }

    /// All of a sequence of that length, in its order.
    fn is_all(self, length: i64) -> bool {
        self.start == 0 && self.step == 1 && self.count == length
    }
}

/// Writes new references to the selected items.
#[inline(always)]
unsafe fn copy(from: *mut Object, span: Span, to: *mut Object) {
    // SAFETY: the items are alive and there is room for them, say the callers.
    unsafe {
        let mut place = from.wrapping_offset(span.start as isize);
        for i in 0..span.count as usize {
            let item = place.read();
            object::incref(item);
            to.add(i).write(item);
            place = place.wrapping_offset(span.step as isize);
        }
    }
}

/// A list from the interpreter's free list with room for `count` items, as many as its size says, which are not set.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
unsafe fn recycled_list(count: i64) -> Option<Object> {
    if build::REF_DEBUG != 0 || interp::LIST_FREE_LISTS == 0 || !tracemalloc_off() {
        return None;
    }
    // SAFETY: the list of the interpreter whose GIL is held; what is on it has no owner, is not tracked, and keeps its type.
    unsafe {
        let interpreter = gil_holder().load(Relaxed).cast::<u8>().add(thread::INTERP).cast::<*mut u8>().read();
        let left = interpreter.add(interp::LIST_NUMFREE).cast::<i32>();
        if left.read() <= 0 {
            return None;
        }
        let items = if count > 0 {
            let items = ffi::PyMem_Malloc(count as usize * size_of::<Object>());
            if items.is_null() {
                return None;
            }
            items.cast::<Object>()
        } else {
            null_mut()
        };
        left.write(left.read() - 1);
        let found = interpreter.add(interp::LIST_FREE_LIST).cast::<Object>().add(left.read() as usize).read();
        let bytes = found.cast::<u8>();
        bytes.add(object_layout::OB_REFCNT).cast::<isize>().write(1);
        bytes.add(object_layout::OB_SIZE).cast::<isize>().write(count as isize);
        bytes.add(list::OB_ITEM).cast::<*mut Object>().write(items);
        bytes.add(list::ALLOCATED).cast::<isize>().write(count as isize);
        Some(found)
    }
}

/// What the slice of an exact list, tuple, str or bytes is; null, without an exception, where that takes an object which could start
/// the collector, or another type.
#[inline(always)]
unsafe fn quick(container: Object, start: i64, stop: i64, step: i64) -> Object {
    // SAFETY: a live object, say the callers; fields are read after the exact type is known, and nothing runs between a
    // result's being made and its items being set.
    unsafe {
        let ty = object::type_of(container);
        let length = || object::size(container) as i64;
        if ty == &raw mut ffi::PyList_Type {
            let Some(span) = Span::of(length(), start, stop, step) else { return null_mut() };
            let Some(result) = recycled_list(span.count) else { return null_mut() };
            copy(object::list_items(container), span, object::list_items(result));
            track(result);
            return result;
        }
        if ty == &raw mut ffi::PyTuple_Type {
            let Some(span) = Span::of(length(), start, stop, step) else { return null_mut() };
            if span.is_all(length()) {
                object::incref(container);
                return container;
            }
            if span.count == 0 {
                // The one there is.
                return without_error(ffi::PyTuple_New(0));
            }
            let Some(result) = recycled_tuple(span.count) else { return null_mut() };
            copy(object::tuple_items(container), span, object::tuple_items(result));
            track(result);
            return result;
        }
        if step != 1 {
            return null_mut();
        }
        if ty == &raw mut ffi::PyUnicode_Type {
            let Some(span) = Span::of(ffi::PyUnicode_GetLength(container) as i64, start, stop, step) else {
                return null_mut();
            };
            let result = ffi::PyUnicode_Substring(container, span.start as isize, (span.start + span.count) as isize);
            return without_error(result);
        }
        if ty == &raw mut ffi::PyBytes_Type {
            let Some(span) = Span::of(length(), start, stop, step) else { return null_mut() };
            if span.is_all(length()) {
                object::incref(container);
                return container;
            }
            let from = ffi::PyBytes_AsString(container).offset(span.start as isize);
            return without_error(ffi::PyBytes_FromStringAndSize(from, span.count as isize));
        }
        null_mut()
    }
}

/// Whoever gets null tries in another way, which meets the error again.
#[inline(always)]
unsafe fn without_error(result: Object) -> Object {
    if result.is_null() {
        // SAFETY: the GIL is held.
        unsafe { ffi::PyErr_Clear() };
    }
    result
}

/// `container[start:stop:step]` with raw bounds; null, without an exception: nothing was done.
pub(super) unsafe extern "C" fn subscr_slice_quick(container: Object, start: i64, stop: i64, step: i64) -> Object {
    // SAFETY: the contract of helpers.
    unsafe { quick(container, start, stop, step) }
}

/// A bound as [`Span::of`] takes it: `None` where it is neither None nor an exact int of 64 bits.
#[inline(always)]
unsafe fn bound(bound: Object, missing: i64) -> Option<i64> {
    // SAFETY: alive, says the caller.
    unsafe {
        if bound == ffi::Py_None() {
            return Some(missing);
        }
        if object::type_of(bound) == &raw mut ffi::PyLong_Type { int_value(bound) } else { None }
    }
}

/// The bounds of a slice, `step` null where it is not given.
#[inline(always)]
unsafe fn bounds(start: Object, stop: Object, step: Object) -> Option<(i64, i64, i64)> {
    // SAFETY: alive, says the caller.
    unsafe {
        let step = if step.is_null() { 1 } else { bound(step, 1)? };
        let (first, last) = if step < 0 { (i64::MAX, i64::MIN) } else { (0, i64::MAX) };
        Some((bound(start, first)?, bound(stop, last)?, step))
    }
}

/// `BUILD_SLICE` and `BINARY_SUBSCR`.
pub(super) unsafe extern "C" fn subscr_slice(container: Object, start: Object, stop: Object, step: Object) -> Object {
    // SAFETY: the contract of helpers; a slice takes the bounds, a subscript the slice and the container.
    unsafe {
        let mut result = null_mut();
        if let Some((first, last, by)) = bounds(start, stop, step) {
            result = quick(container, first, last, by);
            if result.is_null() && by == 1 {
                result = make(container, first, last);
                if result.is_null() && !ffi::PyErr_Occurred().is_null() {
                    release(container, start, stop, step);
                    return null_mut();
                }
            }
        }
        if !result.is_null() {
            release(container, start, stop, step);
            return result;
        }
        let container = Owned::steal(container);
        let slice = build_slice(start, stop, step);
        if slice.is_null() {
            return null_mut();
        }
        subscripts::subscr(container.into_ptr(), slice)
    }
}

/// A new list or tuple of consecutive items; null without an exception for other types.
unsafe fn make(container: Object, start: i64, stop: i64) -> Object {
    // SAFETY: alive, says the caller; the functions get bounds within the length.
    unsafe {
        let ty = object::type_of(container);
        let function = if ty == &raw mut ffi::PyList_Type {
            ffi::PyList_GetSlice
        } else if ty == &raw mut ffi::PyTuple_Type {
            ffi::PyTuple_GetSlice
        } else {
            return null_mut();
        };
        match Span::of(object::size(container) as i64, start, stop, 1) {
            Some(span) => function(container, span.start as isize, span.end() as isize),
            None => null_mut(),
        }
    }
}

/// The end of an exact list without items, of which nobody else has a reference, as `list_dealloc` has it.
#[inline(always)]
unsafe fn recycle(empty: Object) {
    // SAFETY: says the caller; the free list has room for what is below its length, and a list on it is not tracked.
    unsafe {
        let interpreter = gil_holder().load(Relaxed).cast::<u8>().add(thread::INTERP).cast::<*mut u8>().read();
        let left = interpreter.add(interp::LIST_NUMFREE).cast::<i32>();
        if build::REF_DEBUG != 0 || i64::from(left.read()) >= interp::LIST_FREE_LISTS {
            object::decref(empty);
            return;
        }
        untrack(empty);
        let items = object::list_items(empty);
        if !items.is_null() {
            ffi::PyMem_Free(items.cast());
        }
        empty.cast::<u8>().add(object_layout::OB_REFCNT).cast::<isize>().write(0);
        interpreter.add(interp::LIST_FREE_LIST).cast::<Object>().add(left.read() as usize).write(empty);
        left.write(left.read() + 1);
    }
}

/// Releases a container and bounds in the order in which the interpreter does.
#[inline(always)]
unsafe fn release(container: Object, start: Object, stop: Object, step: Object) {
    // SAFETY: owned, say the callers; `step` may be null.
    unsafe {
        object::decref(container);
        for bound in [start, stop] {
            object::decref(bound);
        }
        drop(Owned::steal_or_null(step));
    }
}

/// Whether dropping a reference to it runs no Python, even if each of `others` does so.
#[inline(always)]
unsafe fn is_harmless(item: Object, others: isize) -> bool {
    // SAFETY: alive, says the caller.
    unsafe {
        if ffi::Py_REFCNT(item) > others {
            return true;
        }
        let ty = object::type_of(item);
        ty == &raw mut ffi::PyLong_Type || ty == &raw mut ffi::PyFloat_Type || ty == &raw mut ffi::PyUnicode_Type
    }
}

/// `container[start:stop] = value` where the one is an exact list and the other another one, or an exact tuple, and no item
/// that is replaced would run anything. Gives the value back where nothing was done, null where it was.
pub(super) unsafe extern "C" fn store_slice_quick(value: Object, container: Object, start: i64, stop: i64) -> Object {
    // SAFETY: the contract of helpers; types are known before fields are read. The value's reference is given back or dropped;
    // its items have other owners by then, or are harmless.
    unsafe {
        let is_list = object::type_of(value) == &raw mut ffi::PyList_Type;
        if object::type_of(container) != &raw mut ffi::PyList_Type
            || value == container
            || !(is_list || object::type_of(value) == &raw mut ffi::PyTuple_Type)
        {
            return value;
        }
        let Some(span) = Span::of(object::size(container) as i64, start, stop, 1) else { return value };
        let place = object::list_items(container).wrapping_offset(span.start as isize);
        let count = span.count as usize;
        for i in 0..count {
            if !is_harmless(place.add(i).read(), count as isize) {
                return value;
            }
        }
        if object::size(value) != count as isize {
            if ffi::PyList_SetSlice(container, span.start as isize, span.end() as isize, value) != 0 {
                ffi::PyErr_Clear();
                return value;
            }
        } else if is_list && ffi::Py_REFCNT(value) == 1 {
            // It ends here: its items move.
            let items = object::list_items(value);
            for i in 0..count {
                object::decref(place.add(i).replace(items.add(i).read()));
            }
            value.cast::<u8>().add(object_layout::OB_SIZE).cast::<isize>().write(0);
            recycle(value);
            return null_mut();
        } else {
            let items = if is_list { object::list_items(value) } else { object::tuple_items(value) };
            for i in 0..count {
                object::incref(items.add(i).read());
            }
            for i in 0..count {
                object::decref(place.add(i).replace(items.add(i).read()));
            }
        }
        object::decref(value);
        null_mut()
    }
}

/// `BUILD_SLICE` and `STORE_SUBSCR`.
pub(super) unsafe extern "C" fn store_subscr_slice(
    value: Object,
    container: Object,
    start: Object,
    stop: Object,
    step: Object,
) -> i64 {
    // SAFETY: the contract of helpers; a slice takes the bounds, a subscript everything else.
    unsafe {
        let value = Owned::steal(value);
        let container = Owned::steal(container);
        let slice = build_slice(start, stop, step);
        if slice.is_null() {
            return ERROR;
        }
        subscripts::store_subscr(value.into_ptr(), container.into_ptr(), slice)
    }
}
