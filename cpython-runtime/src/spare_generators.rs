//! The memory of generators and coroutines, used again.
//!
//! *Problem*: recursive generators and coroutines are made and die one for each value or two; a quarter of what they execute is
//! CPython's allocator, the counts of its garbage collector, and a deallocator that looks for all that can be in a generator.
//! *Method*: while the hook is installed the types' deallocator is ours (`cpython-hook/src/generator_slots.rs`): a generator that has ended, and to which nothing
//! clings, is emptied and its memory kept, in a list for each size; [`make`](crate::generator::make) takes it from there, as CPython does with the
//! free lists of other types. *Invariants*:
//! - memory that is kept refers to nothing, and the garbage collector does not know it;
//! - what emptying a generator runs (a code object may die, with callbacks) finds everything in order, and may do the same;
//! - at most `MOST` are kept for a size, and none while `tracemalloc` traces. All is under the GIL.
//!
//! *Source*: `gen_dealloc` in `Objects/genobject.c`, `gc_alloc` and `PyObject_GC_Del` in `Modules/gcmodule.c` of 3.11.

use crate::{
    code::Code,
    frame::Generator,
    helpers::tracemalloc_off,
    layout::{exc_info, frame, gc_head, generator},
    object,
};
use pyo3_ffi::{self as ffi, PyObject, PyTypeObject};
use std::{
    cell::UnsafeCell,
    ptr::null_mut,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Sizes, in words of a frame's slots, from which on nothing is kept.
const SIZES: usize = 40;
/// How many are kept for a size.
const MOST: u32 = 24;

/// Generators that were made in memory of others.
pub static REUSED: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    fn _Py_NewReference(object: *mut PyObject);
}

/// What is kept for a size: the first, in whose field for the code the next one is, and how many.
#[derive(Clone, Copy)]
struct List {
    first: *mut PyObject,
    count: u32,
}

struct Lists(UnsafeCell<[List; SIZES]>);

// SAFETY: used with the GIL held only.
unsafe impl Sync for Lists {}

static LISTS: Lists = Lists(UnsafeCell::new([List { first: null_mut(), count: 0 }; SIZES]));

/// # Safety
/// The GIL is held; the list is let go of before anything else can run.
#[inline(always)]
unsafe fn list(words: usize) -> Option<&'static mut List> {
    // SAFETY: says the caller.
    unsafe { (*LISTS.0.get()).get_mut(words) }
}

#[inline(always)]
unsafe fn field(object: *mut PyObject, offset: usize) -> *mut *mut PyObject {
    // SAFETY: within the object, say the callers.
    unsafe { object.cast::<u8>().add(offset).cast() }
}

/// Memory for a generator of that type with a frame of so many words; as new, and unknown to the garbage collector. `None`: none
/// is kept.
///
/// # Safety
/// The GIL is held; the type is that of generators, coroutines or asynchronous generators.
#[inline(always)]
pub unsafe fn take(ty: *mut PyTypeObject, words: usize) -> Option<*mut PyObject> {
    // SAFETY: what is kept was a generator with as many words; the types are static, so objects do not count as references to them.
    unsafe {
        let list = list(words)?;
        let made = list.first;
        if made.is_null() || !tracemalloc_off() {
            return None;
        }
        list.first = field(made, generator::GI_CODE).read();
        list.count -= 1;
        (*made).ob_type = ty;
        _Py_NewReference(made);
        REUSED.store(REUSED.load(Relaxed) + 1, Relaxed);
        Some(made)
    }
}

/// Empties a generator or coroutine whose last reference is gone, and keeps its memory. `false`: nothing was done.
///
/// # Safety
/// The GIL is held; CPython's deallocator would be called with the object, which is exactly a generator or coroutine.
#[inline(always)]
pub unsafe fn keep(dying: *mut PyObject) -> bool {
    // SAFETY: fields of a generator. One whose frame is cleared has only these references left, and its finaliser does nothing.
    unsafe {
        let code = Code::new(field(dying, generator::GI_CODE).read());
        let words = (code.nlocalsplus() + code.stacksize()) as usize;
        let clings =
            [generator::GI_WEAKREFLIST, generator::ORIGIN_OR_FINALIZER, generator::GI_EXC_STATE + exc_info::EXC_VALUE];
        if i64::from(Generator::new(dying).frame_state()) != frame::STATE_CLEARED
            || clings.iter().any(|offset| !field(dying, *offset).read().is_null())
            || !tracemalloc_off()
            || list(words).is_none_or(|list| list.count >= MOST)
        {
            return false;
        }
        ffi::PyObject_GC_UnTrack(dying.cast());
        for offset in [generator::GI_CODE, generator::GI_NAME, generator::GI_QUALNAME] {
            object::decref(field(dying, offset).replace(null_mut()));
        }
        // The death of a code object may have filled the list.
        match list(words) {
            Some(list) if list.count < MOST => {
                // Also the mark of one that was finalised.
                let head = dying.cast::<u8>().sub(gc_head::SIZE);
                head.add(gc_head::GC_NEXT).cast::<usize>().write(0);
                head.add(gc_head::GC_PREV).cast::<usize>().write(0);
                field(dying, generator::GI_CODE).write(list.first);
                list.first = dying;
                list.count += 1;
            }
            _ => ffi::PyObject_GC_Del(dying.cast()),
        }
        true
    }
}

/// Frees all that is kept.
///
/// # Safety
/// The GIL is held.
pub unsafe fn clear() {
    // SAFETY: says the caller; memory that is kept is the allocator's, and nobody else's.
    unsafe {
        for words in 0..SIZES {
            while let Some(list) = list(words)
                && !list.first.is_null()
            {
                let kept = list.first;
                list.first = field(kept, generator::GI_CODE).read();
                list.count -= 1;
                ffi::PyObject_GC_Del(kept.cast());
            }
        }
    }
}
