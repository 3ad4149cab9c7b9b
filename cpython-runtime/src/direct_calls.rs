//! Calls of Python functions from compiled code without an argument tuple, a vectorcall or a second look at the hook.
//!
//! *Problem*: `_PyFunction_Vectorcall` copies every argument, parses, and enters the hook, which has to find out again what
//! the caller knew. *Method*: helpers that are about to call a Python function [`offer`] it the call, with references that move
//! into the new frame. *Invariants*: an offer that is refused has changed nothing; one that is accepted has consumed every
//! reference.

use crate::{
    arguments::{add_defaults, keywords, parameter},
    call_frames::push,
    code::Code,
    direct::Direct,
    entering::{enter, make, may_call, may_enter},
    layout::function,
    object, starred_calls,
    thread::ThreadState,
};
use pyo3_ffi::{self as ffi, PyObject};
use std::ptr::null_mut;

/// The code of a function, and how its compiled code is entered; both are alive as long as the function has that code.
///
/// # Safety
/// `callable` is a live function.
#[inline(always)]
unsafe fn code_of<'a>(callable: *mut PyObject) -> Option<(Code, &'a Direct)> {
    // SAFETY: says the caller; a function has a code object.
    let code = unsafe { Code::new(object::read::<*mut PyObject>(callable, function::FUNC_CODE)) };
    Some((code, Direct::of(code)?))
}

/// Calls a Python function whose code is compiled, with `count` positional arguments at `arguments`; function and arguments
/// are owned. `None`: nothing was done. `Some`: all were consumed; null with an exception set, or a new reference.
///
/// # Safety
/// The GIL is held; `callable` and the arguments are alive and owned.
#[inline(always)]
pub unsafe fn offer(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller; a function's code object is alive with it; what `Direct` describes is entered as its compiler
    // wants it, with a frame for its code.
    unsafe {
        if object::type_of(callable) != &raw mut ffi::PyFunction_Type {
            return None;
        }
        let (code, direct) = code_of(callable)?;
        let Some(entry) = direct.entry() else {
            return if code.makes_generator() { make(thread, callable, arguments, count) } else { None };
        };
        if !may_call(thread, callable) {
            return None;
        }
        let shape = direct.shape();
        if shape.is_starred() {
            return starred_calls::offer(thread, callable, code, direct, (arguments, count), null_mut());
        }
        let frame = push(thread, callable, code, shape, arguments, count)?;
        Some(enter(thread, callable, code, direct, entry, frame))
    }
}

/// The same for a call whose arguments are the caller's; `names` as CPython passes them to a vectorcall. `gains`: the interpreter
/// makes the call.
///
/// # Safety
/// The GIL is held; `callable` is a live function, and the arguments stay alive until this returns.
#[inline(always)]
pub unsafe fn offer_borrowed(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
    gains: bool,
) -> Option<*mut PyObject> {
    // SAFETY: as in `offer`; the frame gets references of its own.
    unsafe {
        let (code, direct) = code_of(callable)?;
        let entry = direct.entry()?;
        if !may_enter(thread) {
            return None;
        }
        if gains {
            direct.count_gain();
        }
        let shape = direct.shape();
        if shape.is_starred() || !names.is_null() {
            return offer_borrowed_with_keywords(thread, callable, arguments, count, names);
        }
        let frame = push(thread, callable, code, shape, arguments, count)?;
        object::incref(callable);
        for i in 0..count {
            object::incref(frame.slot(i));
        }
        Some(enter(thread, callable, code, direct, entry, frame))
    }
}

/// The same with keywords, or for starred parameters: the call is offered with references of its own, which are given back if it
/// is refused.
///
/// # Safety
/// As for [`offer_borrowed`]; behind the positional arguments are those that `names` names.
#[inline(never)]
unsafe fn offer_borrowed_with_keywords(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    positional: usize,
    names: *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller.
    unsafe {
        let total = positional + keywords(names);
        object::incref(callable);
        for i in 0..total {
            object::incref(arguments.add(i).read());
        }
        let result = offer_with_keywords(thread, callable, arguments, positional, names);
        if result.is_none() {
            object::decref(callable);
            for i in 0..total {
                object::decref(arguments.add(i).read());
            }
        }
        result
    }
}

/// Arguments of a call with keywords that are put in order here, at most.
const MOST_ARRANGED: usize = 12;

/// The same for a call with `positional` arguments followed by as many as `names`, a tuple or null, has keywords.
///
/// # Safety
/// As for [`offer`].
pub unsafe fn offer_with_keywords(
    thread: ThreadState,
    callable: *mut PyObject,
    arguments: *const *mut PyObject,
    positional: usize,
    names: *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller; names, defaults and the code object are alive with the function.
    unsafe {
        if object::type_of(callable) != &raw mut ffi::PyFunction_Type {
            return None;
        }
        let (code, direct) = code_of(callable)?;
        direct.entry()?;
        let shape = direct.shape();
        if shape.is_starred() {
            if !may_call(thread, callable) {
                return None;
            }
            return starred_calls::offer(thread, callable, code, direct, (arguments, positional), names);
        }
        let wanted = shape.arguments;
        if wanted > MOST_ARRANGED || positional > wanted {
            return None;
        }
        let mut arranged = [null_mut::<PyObject>(); MOST_ARRANGED];
        for (i, place) in arranged.iter_mut().enumerate().take(positional) {
            *place = arguments.add(i).read();
        }
        for i in 0..keywords(names) {
            let index = parameter(code, wanted, object::tuple_items(names).add(i).read())?;
            let place = arranged.get_mut(index)?;
            if !place.is_null() {
                return None;
            }
            *place = arguments.add(positional + i).read();
        }
        let added = add_defaults(callable, code, arranged.as_mut_ptr(), positional)?;
        let each_added = |act: unsafe fn(*mut PyObject)| {
            for (i, value) in arranged.iter().enumerate().take(wanted) {
                if added >> i & 1 != 0 {
                    act(*value);
                }
            }
        };
        each_added(|value| object::incref(value));
        let result = offer(thread, callable, arranged.as_ptr(), wanted);
        if result.is_none() {
            each_added(|value| object::decref(value));
        }
        result
    }
}
