//! Displays and comprehensions: making and filling containers.
//!
//! *Problem*: a small tuple or list costs CPython's allocator more than it costs to fill. *Method*: tuples are taken
//! from the interpreter's free lists where it has one, and what the collector does for an object (tracking,
//! untracking, asking whether it is due) is rebuilt in line. *Invariants*: items that come in a row are owned and
//! consumed, whatever happens; an object is tracked only when all of its fields are set; free lists are left alone
//! while allocations are traced.

use super::{ERROR, OK, Object, Owned, boxing::tracemalloc_off, capi, messages};
use crate::{
    layout::{build, gc_head, interp, list, object as object_layout, thread},
    object,
    thread::gil_holder,
};
use pyo3_ffi as ffi;
use std::{ptr::null_mut, sync::atomic::Ordering::Relaxed};

/// Releases `count` references from the last to the first, as popping a stack does.
unsafe fn release(items: *mut Object, count: usize) {
    // SAFETY: the items are owned, says the caller.
    unsafe {
        for i in (0..count).rev() {
            object::decref(items.add(i).read());
        }
    }
}

/// `BUILD_TUPLE`.
pub(super) unsafe extern "C" fn build_tuple(items: *mut Object, count: i64) -> Object {
    // SAFETY: the contract of helpers: `count` owned items, which move into the new tuple.
    unsafe {
        if let Some(tuple) = recycled_tuple(count) {
            let place = object::tuple_items(tuple);
            for i in 0..count as usize {
                place.add(i).write(items.add(i).read());
            }
            track(tuple);
            return tuple;
        }
        let tuple = ffi::PyTuple_New(count as isize);
        if tuple.is_null() {
            release(items, count as usize);
        } else if count > 0 {
            // The empty tuple is shared; it has no place for items.
            object::tuple_items(tuple).copy_from_nonoverlapping(items, count as usize);
        }
        tuple
    }
}

/// A tuple from the interpreter's free list of that size, as `maybe_freelist_pop` in Objects/tupleobject.c takes it: one
/// reference, not tracked, its items not set.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub(super) unsafe fn recycled_tuple(count: i64) -> Option<Object> {
    if build::REF_DEBUG != 0 || !(1..=interp::TUPLE_FREE_LISTS).contains(&count) || !tracemalloc_off() {
        return None;
    }
    // SAFETY: the lists of the interpreter whose GIL is held; tuples on a list are linked through their first item, have no
    // owner, and keep type and size.
    unsafe {
        let interpreter = gil_holder().load(Relaxed).cast::<u8>().add(thread::INTERP).cast::<*mut u8>().read();
        let index = count as usize - 1;
        let head = interpreter.add(interp::TUPLE_FREE_LIST).cast::<Object>().add(index);
        let tuple = head.read();
        if tuple.is_null() {
            return None;
        }
        head.write(object::tuple_items(tuple).read());
        let left = interpreter.add(interp::TUPLE_NUMFREE).cast::<i32>().add(index);
        left.write(left.read() - 1);
        tuple.cast::<u8>().add(object_layout::OB_REFCNT).cast::<isize>().write(1);
        Some(tuple)
    }
}

/// `_PyObject_GC_TRACK`: appends an object to the youngest generation.
///
/// # Safety
/// The GIL is held; the object has a GC header and is not tracked, and its fields are set.
#[inline(always)]
pub(super) unsafe fn track(item: Object) {
    // SAFETY: the list is circular, and its links are valid while the GIL is held; flags are in the low bits of `_gc_prev`.
    unsafe {
        let interpreter = gil_holder().load(Relaxed).cast::<u8>().add(thread::INTERP).cast::<*mut u8>().read();
        let generation = interpreter.add(interp::GC_GENERATION0).cast::<*mut u8>().read();
        let header = item.cast::<u8>().sub(gc_head::SIZE);
        let next = |header: *mut u8| header.add(gc_head::GC_NEXT).cast::<usize>();
        let previous = |header: *mut u8| header.add(gc_head::GC_PREV).cast::<usize>();
        let last = previous(generation).read() as *mut u8;
        next(last).write(header as usize);
        let flags = previous(header).read() & ((1 << gc_head::PREV_SHIFT) - 1);
        previous(header).write(last as usize | flags);
        next(header).write(generation as usize);
        previous(generation).write(header as usize);
    }
}

/// Whether the next object that the collector knows of may start it (`gc_alloc` of `Modules/gcmodule.c`).
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub(super) unsafe fn would_collect() -> bool {
    // SAFETY: fields of a live interpreter.
    unsafe {
        let interpreter = gil_holder().load(Relaxed).cast::<u8>().add(thread::INTERP).cast::<*mut u8>().read();
        let field = |offset: usize| interpreter.add(offset).cast::<i32>().read();
        field(interp::GC_COUNT) >= field(interp::GC_THRESHOLD) && field(interp::GC_ENABLED) != 0
    }
}

/// `_PyObject_GC_UNTRACK`, of an object that may not be tracked.
///
/// # Safety
/// The GIL is held; the object has a GC header, and no collection is going on.
#[inline(always)]
pub(super) unsafe fn untrack(item: Object) {
    // SAFETY: a tracked object's neighbours are alive; flags are in the low bits of `_gc_prev`.
    unsafe {
        const FLAGS: usize = (1 << gc_head::PREV_SHIFT) - 1;
        let header = item.cast::<u8>().sub(gc_head::SIZE);
        let next = header.add(gc_head::GC_NEXT).cast::<usize>();
        if next.read() == 0 {
            return;
        }
        let previous = header.add(gc_head::GC_PREV).cast::<usize>();
        let before = (previous.read() & !FLAGS) as *mut u8;
        let behind = next.read() as *mut u8;
        before.add(gc_head::GC_NEXT).cast::<usize>().write(behind as usize);
        let back = behind.add(gc_head::GC_PREV).cast::<usize>();
        back.write(before as usize | (back.read() & FLAGS));
        next.write(0);
        // `_PyGC_PREV_MASK_FINALIZED`
        previous.write(previous.read() & 1);
    }
}

/// `BUILD_LIST`.
pub(super) unsafe extern "C" fn build_list(items: *mut Object, count: i64) -> Object {
    // SAFETY: the contract of helpers: `count` owned items, which move into the new list.
    unsafe {
        let list = ffi::PyList_New(count as isize);
        if list.is_null() {
            release(items, count as usize);
        } else if count > 0 {
            object::list_items(list).copy_from_nonoverlapping(items, count as usize);
        }
        list
    }
}

/// `BUILD_SET`: items are released first to last; after an error the rest is released without being added.
pub(super) unsafe extern "C" fn build_set(items: *mut Object, count: i64) -> Object {
    // SAFETY: the contract of helpers: `count` owned items.
    unsafe {
        let Some(set) = Owned::steal_or_null(ffi::PySet_New(null_mut())) else {
            release(items, count as usize);
            return null_mut();
        };
        let mut failed = false;
        for i in 0..count as usize {
            let item = Owned::steal(items.add(i).read());
            failed = failed || ffi::PySet_Add(set.as_ptr(), item.as_ptr()) != 0;
        }
        if failed { null_mut() } else { set.into_ptr() }
    }
}

/// A new dict of `count` pairs, borrowed. CPython's own presizes the table; growing it ends at the same size.
unsafe fn dict_of(pairs: impl Iterator<Item = (Object, Object)>) -> Object {
    // SAFETY: the pairs are alive, say the callers.
    unsafe {
        let Some(dict) = Owned::steal_or_null(ffi::PyDict_New()) else {
            return null_mut();
        };
        for (key, value) in pairs {
            if ffi::PyDict_SetItem(dict.as_ptr(), key, value) < 0 {
                return null_mut();
            }
        }
        dict.into_ptr()
    }
}

/// `BUILD_MAP`.
pub(super) unsafe extern "C" fn build_map(items: *mut Object, pairs: i64) -> Object {
    // SAFETY: the contract of helpers: `pairs` times key and value, owned.
    unsafe {
        let pairs = pairs as usize;
        let dict = dict_of((0..pairs).map(|i| (items.add(2 * i).read(), items.add(2 * i + 1).read())));
        release(items, 2 * pairs);
        dict
    }
}

/// `BUILD_CONST_KEY_MAP`.
pub(super) unsafe extern "C" fn build_const_key_map(items: *mut Object, count: i64) -> Object {
    // SAFETY: the contract of helpers: `count` values and the tuple of keys, all owned.
    unsafe {
        let count = count as usize;
        let keys = items.add(count).read();
        let dict = if object::type_of(keys) == &raw mut ffi::PyTuple_Type && object::size(keys) == count as isize {
            dict_of((0..count).map(|i| (object::tuple_items(keys).add(i).read(), items.add(i).read())))
        } else {
            messages::raise(ffi::PyExc_SystemError, c"bad BUILD_CONST_KEY_MAP keys argument");
            null_mut()
        };
        release(items, count + 1);
        dict
    }
}

/// `BUILD_SLICE`.
pub(super) unsafe extern "C" fn build_slice(start: Object, stop: Object, step: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let start = Owned::steal(start);
        let stop = Owned::steal(stop);
        let step = Owned::steal_or_null(step);
        let slice = ffi::PySlice_New(start.as_ptr(), stop.as_ptr(), super::owned::as_ptr_or_null(&step));
        drop(start);
        drop(stop);
        drop(step);
        slice
    }
}

/// `LIST_APPEND`.
pub(super) unsafe extern "C" fn list_append(list: Object, item: Object) -> i64 {
    // SAFETY: the contract of helpers; `list` is a list, whose array has room for `allocated` items.
    unsafe {
        let length = object::size(list);
        if object::read::<isize>(list, list::ALLOCATED) > length {
            object::list_items(list).offset(length).write(item);
            list.cast::<u8>().add(object_layout::OB_SIZE).cast::<isize>().write(length + 1);
            return OK;
        }
        let item = Owned::steal(item);
        if ffi::PyList_Append(list, item.as_ptr()) == 0 { OK } else { ERROR }
    }
}

/// `list.insert`.
pub(super) unsafe extern "C" fn list_insert(list: Object, index: i64, item: Object) -> i64 {
    // SAFETY: the contract of helpers; `list` is a list.
    unsafe {
        let item = Owned::steal(item);
        if ffi::PyList_Insert(list, index as isize, item.as_ptr()) == 0 { OK } else { ERROR }
    }
}

/// `list.pop`: `list_pop_impl` in Objects/listobject.c.
pub(super) unsafe extern "C" fn list_pop(list: Object, index: i64) -> Object {
    // SAFETY: the contract of helpers; `list` is a list. What is taken out keeps its reference, so nothing runs.
    unsafe {
        let length = object::size(list);
        if length == 0 {
            messages::raise(ffi::PyExc_IndexError, c"pop from empty list");
            return null_mut();
        }
        let index = if index < 0 { index as isize + length } else { index as isize };
        if !(0..length).contains(&index) {
            messages::raise(ffi::PyExc_IndexError, c"pop index out of range");
            return null_mut();
        }
        let place = object::list_items(list).offset(index);
        let item = place.read();
        let left = length - 1;
        if left > 0 && left >= object::read::<isize>(list, list::ALLOCATED) >> 1 {
            // It keeps its memory, as in `list_resize`.
            place.copy_from(place.add(1), (left - index) as usize);
            list.cast::<u8>().add(object_layout::OB_SIZE).cast::<isize>().write(left);
            return item;
        }
        object::incref(item);
        if ffi::PyList_SetSlice(list, index, index + 1, null_mut()) < 0 {
            object::decref(item);
            return null_mut();
        }
        item
    }
}

/// `SET_ADD`.
pub(super) unsafe extern "C" fn set_add(set: Object, item: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let item = Owned::steal(item);
        if ffi::PySet_Add(set, item.as_ptr()) == 0 { OK } else { ERROR }
    }
}

/// `MAP_ADD`.
pub(super) unsafe extern "C" fn map_add(dict: Object, key: Object, value: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let key = Owned::steal(key);
        let value = Owned::steal(value);
        let status = ffi::PyDict_SetItem(dict, key.as_ptr(), value.as_ptr());
        drop(key);
        drop(value);
        if status == 0 { OK } else { ERROR }
    }
}

/// `LIST_EXTEND`.
pub(super) unsafe extern "C" fn list_extend(list: Object, iterable: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let iterable = Owned::steal(iterable);
        match Owned::steal_or_null(capi::_PyList_Extend(list, iterable.as_ptr())) {
            Some(_none) => OK,
            None => {
                let ty = object::type_of(iterable.as_ptr());
                if ffi::PyErr_ExceptionMatches(ffi::PyExc_TypeError) != 0
                    && (*ty).tp_iter.is_none()
                    && ffi::PySequence_Check(iterable.as_ptr()) == 0
                {
                    ffi::PyErr_Clear();
                    ffi::PyErr_Format(
                        ffi::PyExc_TypeError,
                        c"Value after * must be an iterable, not %.200s".as_ptr(),
                        (*ty).tp_name,
                    );
                }
                ERROR
            }
        }
    }
}

/// `SET_UPDATE`.
pub(super) unsafe extern "C" fn set_update(set: Object, iterable: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let iterable = Owned::steal(iterable);
        if capi::_PySet_Update(set, iterable.as_ptr()) < 0 { ERROR } else { OK }
    }
}

/// `DICT_UPDATE`.
pub(super) unsafe extern "C" fn dict_update(dict: Object, update: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let update = Owned::steal(update);
        if ffi::PyDict_Update(dict, update.as_ptr()) >= 0 {
            return OK;
        }
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            ffi::PyErr_Format(
                ffi::PyExc_TypeError,
                c"'%.200s' object is not a mapping".as_ptr(),
                messages::type_name(update.as_ptr()),
            );
        }
        ERROR
    }
}

/// `DICT_MERGE`: a key that is there already is an error of the call to `callee`.
pub(super) unsafe extern "C" fn dict_merge(dict: Object, update: Object, callee: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let update = Owned::steal(update);
        if capi::_PyDict_MergeEx(dict, update.as_ptr(), 2) >= 0 {
            return OK;
        }
        messages::kwargs_error(callee, update.as_ptr());
        ERROR
    }
}

/// `LIST_TO_TUPLE`.
pub(super) unsafe extern "C" fn list_to_tuple(list: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let list = Owned::steal(list);
        ffi::PyList_AsTuple(list.as_ptr())
    }
}
