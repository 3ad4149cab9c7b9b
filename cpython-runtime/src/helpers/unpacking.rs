//! `a, b = sequence` and `a, *b, c = iterable`.
//!
//! Items are written to `dest` from its end downwards, since the first item ends on top of the stack. Invariant: on error
//! nothing in `dest` is owned by anybody any more.

use super::{ERROR, OK, Object, Owned};
use crate::{layout::object as object_layout, object};
use pyo3_ffi as ffi;
use std::ffi::c_int;

/// `UNPACK_SEQUENCE` and its specialised forms.
pub(super) unsafe extern "C" fn unpack_sequence(sequence: Object, dest: *mut Object, count: i64) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes `count` words. No Python runs while items are copied out of an exact
    // tuple or list.
    unsafe {
        let sequence = Owned::steal(sequence);
        let ty = object::type_of(sequence.as_ptr());
        let items = if ty == &raw mut ffi::PyTuple_Type {
            Some(object::tuple_items(sequence.as_ptr()))
        } else if ty == &raw mut ffi::PyList_Type {
            Some(object::list_items(sequence.as_ptr()))
        } else {
            None
        };
        if let Some(items) = items
            && object::size(sequence.as_ptr()) == count as isize
        {
            let count = count as usize;
            for i in 0..count {
                let item = items.add(i).read();
                object::incref(item);
                dest.add(count - 1 - i).write(item);
            }
            return OK;
        }
        let top = dest.offset(count as isize);
        if unpack_iterable(sequence.as_ptr(), count as isize, None, top) { OK } else { ERROR }
    }
}

/// `UNPACK_EX`.
pub(super) unsafe extern "C" fn unpack_ex(iterable: Object, dest: *mut Object, before: i64, after: i64) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes `before + 1 + after` words.
    unsafe {
        let iterable = Owned::steal(iterable);
        let (before, after) = (before as isize, after as isize);
        let top = dest.offset(before + 1 + after);
        if unpack_iterable(iterable.as_ptr(), before, Some(after), top) { OK } else { ERROR }
    }
}

/// Items written so far, from `top` downwards; released when unpacking fails.
struct Written {
    next: *mut Object,
    count: usize,
}

impl Written {
    unsafe fn push(&mut self, item: Object) {
        // SAFETY: the callers push at most as many items as `dest` takes.
        unsafe {
            self.next = self.next.sub(1);
            self.next.write(item);
        }
        self.count += 1;
    }

    unsafe fn release(self) {
        for i in 0..self.count {
            // SAFETY: these items were pushed and are owned by nobody else.
            unsafe { object::decref(self.next.add(i).read()) }
        }
    }
}

/// `unpack_iterable` of ceval.c.
unsafe fn unpack_iterable(iterable: Object, before: isize, after: Option<isize>, top: *mut Object) -> bool {
    // SAFETY: `iterable` is alive, and there is room below `top`, say the callers.
    unsafe {
        let Some(iterator) = Owned::steal_or_null(ffi::PyObject_GetIter(iterable)) else {
            let ty = object::type_of(iterable);
            if ffi::PyErr_ExceptionMatches(ffi::PyExc_TypeError) != 0
                && (*ty).tp_iter.is_none()
                && ffi::PySequence_Check(iterable) == 0
            {
                let format = c"cannot unpack non-iterable %.200s object";
                ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), (*ty).tp_name);
            }
            return false;
        };
        let mut written = Written { next: top, count: 0 };
        let done = match after {
            None => take_items(iterator.as_ptr(), before, None, &mut written) && expect_end(iterator.as_ptr(), before),
            Some(after) => {
                take_items(iterator.as_ptr(), before, Some(after), &mut written)
                    && take_rest(iterator.as_ptr(), before, after, &mut written)
            }
        };
        if !done {
            written.release();
        }
        done
    }
}

unsafe fn take_items(iterator: Object, count: isize, after: Option<isize>, written: &mut Written) -> bool {
    // SAFETY: `iterator` is alive; see `unpack_iterable`.
    unsafe {
        for i in 0..count {
            let item = ffi::PyIter_Next(iterator);
            if item.is_null() {
                if ffi::PyErr_Occurred().is_null() {
                    let (format, expected) = match after {
                        None => (c"not enough values to unpack (expected %d, got %d)", count),
                        Some(after) => (c"not enough values to unpack (expected at least %d, got %d)", count + after),
                    };
                    ffi::PyErr_Format(ffi::PyExc_ValueError, format.as_ptr(), expected as c_int, i as c_int);
                }
                return false;
            }
            written.push(item);
        }
        true
    }
}

unsafe fn expect_end(iterator: Object, count: isize) -> bool {
    // SAFETY: `iterator` is alive.
    unsafe {
        match Owned::steal_or_null(ffi::PyIter_Next(iterator)) {
            None => ffi::PyErr_Occurred().is_null(),
            Some(extra) => {
                drop(extra);
                let format = c"too many values to unpack (expected %d)";
                ffi::PyErr_Format(ffi::PyExc_ValueError, format.as_ptr(), count as c_int);
                false
            }
        }
    }
}

/// The starred target and what follows it: everything goes into a list, whose last `after` items are then moved out.
unsafe fn take_rest(iterator: Object, before: isize, after: isize, written: &mut Written) -> bool {
    // SAFETY: `iterator` is alive; the list is new and belongs to `written` alone, so its items can be moved out by
    // making it shorter.
    unsafe {
        let list = ffi::PySequence_List(iterator);
        if list.is_null() {
            return false;
        }
        written.push(list);
        let length = object::size(list);
        if length < after {
            ffi::PyErr_Format(
                ffi::PyExc_ValueError,
                c"not enough values to unpack (expected at least %d, got %zd)".as_ptr(),
                (before + after) as c_int,
                before + length,
            );
            return false;
        }
        let items = object::list_items(list);
        for i in length - after..length {
            written.push(items.offset(i).read());
        }
        list.cast::<u8>().add(object_layout::OB_SIZE).cast::<isize>().write(length - after);
        true
    }
}
