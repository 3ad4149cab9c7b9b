//! Direct calls of functions with starred and keyword-only parameters.
//!
//! *Problem*: CPython searches the dictionary of keyword-only defaults once for each such parameter, in each call,
//! and then enters the hook, which finds out what the caller knew. *Method*: as in
//! [`direct_calls`](crate::direct_calls), but a frame's locals are filled in order: named parameters, the tuple of
//! surplus arguments, the dictionary of surplus keywords. *Invariants*:
//! - everything that can fail, or run Python (a garbage collection when the tuple or the dictionary is made), comes
//!   before the first change; what was asked before it is asked again after it;
//! - a call that is wrong, or whose keywords cannot be told by identity, is refused, and CPython says what is wrong;
//! - the tuple and the dictionary are new in each call, as CPython's are; the empty tuple is the only one there is.
//!
//! *Source*: `initialize_locals` in `Python/ceval.c` of 3.11.

use crate::{
    arguments::{MOST, add_defaults, keywords, parameter},
    call_frames::{begin, room},
    code::Code,
    direct::Direct,
    entering::{enter, is_in_force},
    frame::Frame,
    layout::function,
    object,
    thread::ThreadState,
};
use columba_jit_core::bytecode::code::flags;
use pyo3_ffi::{self as ffi, PyObject};
use std::ptr::null_mut;

/// What is made for a call before its frame.
struct Made {
    /// The tuple of surplus arguments, not filled yet, or null.
    tuple: *mut PyObject,
    /// The dictionary of surplus keywords, or null.
    dictionary: *mut PyObject,
}

impl Made {
    /// `None`, and no exception, if there is no memory.
    unsafe fn new(code: Code, surplus: usize) -> Option<Made> {
        // SAFETY: the GIL is held.
        unsafe {
            let takes = |flag| code.flags() as u32 & flag != 0;
            let mut made = Made { tuple: null_mut(), dictionary: null_mut() };
            if takes(flags::VARARGS) {
                made.tuple = ffi::PyTuple_New(surplus as isize);
                if made.tuple.is_null() {
                    ffi::PyErr_Clear();
                    return None;
                }
            }
            if takes(flags::VARKEYWORDS) {
                made.dictionary = ffi::PyDict_New();
                if made.dictionary.is_null() {
                    ffi::PyErr_Clear();
                    made.drop();
                    return None;
                }
            }
            Some(made)
        }
    }

    /// Nobody wants them.
    unsafe fn drop(self) {
        // SAFETY: references of our own; what the dictionary holds others hold too.
        unsafe {
            ffi::Py_XDECREF(self.tuple);
            ffi::Py_XDECREF(self.dictionary);
        }
    }
}

/// [`offer`](crate::direct_calls::offer) for code with starred or keyword-only parameters; behind the `positional`
/// arguments are as many as `names`, a tuple or null, has keywords.
///
/// # Safety
/// As for [`offer`](crate::direct_calls::offer); `direct` is that of the function's code, and the function may be
/// called directly.
#[inline(never)]
pub(crate) unsafe fn offer(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    (arguments, positional): (*const *mut PyObject, usize),
    names: *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller; the code object is held while Python may run.
    unsafe {
        let surplus = positional.saturating_sub(code.argcount() as usize);
        let named = (code.argcount() + code.kwonlyargcount()) as usize;
        let given = keywords(names);
        if named > MOST || given > MOST || surplus > 0 && code.flags() as u32 & flags::VARARGS == 0 {
            return None;
        }
        object::incref(code.as_ptr());
        let Some(made) = Made::new(code, surplus) else {
            object::decref(code.as_ptr());
            return None;
        };
        // A finaliser may have run.
        let entry = direct.entry().filter(|_| {
            object::read::<*mut PyObject>(callable, function::FUNC_CODE) == code.as_ptr() && is_in_force(thread)
        });
        let frame = match entry {
            Some(_) => push(thread, callable, code, direct, &made, (arguments, positional), names),
            None => None,
        };
        let (Some(entry), Some(frame)) = (entry, frame) else {
            made.drop();
            object::decref(code.as_ptr());
            return None;
        };
        // The frame has a reference of its own.
        object::decref(code.as_ptr());
        Some(enter(thread, callable, code, direct, entry, frame))
    }
}

/// Pushes a frame and moves the arguments into it; or changes nothing.
#[inline(always)]
unsafe fn push(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    made: &Made,
    (arguments, positional): (*const *mut PyObject, usize),
    names: *mut PyObject,
) -> Option<Frame> {
    // SAFETY: says the caller. The words above `datastack_top` are nobody's, so they may be filled before it is clear that a
    // frame is to be pushed.
    unsafe {
        let shape = direct.shape();
        let (frame, end) = room(thread, shape)?;
        let wanted = code.argcount() as usize;
        let named = wanted + code.kwonlyargcount() as usize;
        let placed = positional.min(wanted);
        let slots = frame.localsplus();
        for i in 0..placed {
            slots.add(i).write_volatile(arguments.add(i).read());
        }
        for i in placed..shape.locals {
            slots.add(i).write_volatile(null_mut());
        }
        let given = keywords(names);
        let mut others = 0u64;
        for i in 0..given {
            let name = object::tuple_items(names).add(i).read();
            let value = arguments.add(positional + i).read();
            match parameter(code, named, name) {
                Some(index) => {
                    if !slots.add(index).replace(value).is_null() {
                        return None;
                    }
                }
                None => {
                    // Parameters' names are interned: an interned one that is none of them is equal to none.
                    let is_other = !made.dictionary.is_null()
                        && object::type_of(name) == &raw mut ffi::PyUnicode_Type
                        && object::is_interned(name);
                    if !is_other {
                        return None;
                    }
                    if ffi::PyDict_SetItem(made.dictionary, name, value) < 0 {
                        ffi::PyErr_Clear();
                        return None;
                    }
                    others |= 1 << i;
                }
            }
        }
        let added =
            add_defaults(callable, code, slots, placed)? | direct.keyword_defaults.add(callable, code, slots)?;

        begin(thread, frame, end, callable, code, shape);
        for i in placed..named {
            if added >> i & 1 != 0 {
                object::incref(slots.add(i).read());
            }
        }
        for i in 0..given {
            // The dictionary has a reference of its own.
            if others >> i & 1 != 0 {
                object::decref(arguments.add(positional + i).read());
            }
        }
        let mut next = named;
        if !made.tuple.is_null() {
            for i in wanted..positional {
                object::tuple_items(made.tuple).add(i - wanted).write(arguments.add(i).read());
            }
            slots.add(next).write(made.tuple);
            next += 1;
        }
        if !made.dictionary.is_null() {
            slots.add(next).write(made.dictionary);
        }
        Some(frame)
    }
}
