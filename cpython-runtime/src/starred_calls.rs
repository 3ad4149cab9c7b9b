//! Direct calls of functions with starred and keyword-only parameters.
//!
//! *Problem*: CPython searches the dictionary of keyword-only defaults once for each such parameter, in each call, and then enters the
//! hook, which finds out what the caller knew. *Method*: as in [`direct`](crate::direct), but a frame's locals are filled in order:
//! named parameters, the tuple of surplus arguments, the dictionary of surplus keywords. The keyword-only defaults are kept as a
//! row of values, for as long as the version of their dictionary says that it is unchanged. *Invariants*:
//! - everything that can fail, or run Python (a garbage collection when the tuple or the dictionary is made), comes before the first
//!   change; what was asked before it is asked again after it;
//! - a call that is wrong, or whose keywords cannot be told by identity, is refused, and CPython says what is wrong;
//! - the tuple and the dictionary are new in each call, as CPython's are; the empty tuple is the only one there is.
//!
//! *Source*: `initialize_locals` in `Python/ceval.c` of 3.11.

use crate::{
    code::Code,
    direct::{self, Direct},
    frame::Frame,
    helpers::namespace,
    layout::{dict, frame, function},
    object,
    thread::ThreadState,
};
use columba_jit_core::bytecode::code::flags;
use pyo3_ffi::{self as ffi, PyObject};
use std::{
    cell::{Cell, RefCell},
    ptr::null_mut,
};

/// Named parameters and keywords, at most: which of them are what is noted in the bits of a word.
const MOST: usize = 64;

/// Defaults of keyword-only parameters, in their order; null where there is none.
pub(crate) struct KeywordDefaults {
    /// The version of the dictionary that they were found in; 0 if there is none. It holds them as long as it has that version.
    version: Cell<u64>,
    values: RefCell<Vec<*mut PyObject>>,
}

impl KeywordDefaults {
    pub const fn none() -> KeywordDefaults {
        KeywordDefaults { version: Cell::new(0), values: RefCell::new(Vec::new()) }
    }

    /// Brings the values up to date for a function. `false`: its defaults cannot be searched without running Python.
    ///
    /// # Safety
    /// `callable` is a live function with this code; the GIL is held.
    #[inline(always)]
    unsafe fn update(&self, callable: *mut PyObject, code: Code) -> bool {
        // SAFETY: says the caller; a function's dictionary of defaults is one, or null.
        unsafe {
            let dictionary: *mut PyObject = object::read(callable, function::FUNC_KWDEFAULTS);
            let version = if dictionary.is_null() { 0 } else { object::read(dictionary, dict::MA_VERSION_TAG) };
            version == self.version.get() && version != 0 || self.search(dictionary, version, code)
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn search(&self, dictionary: *mut PyObject, version: u64, code: Code) -> bool {
        // SAFETY: says the caller; what is found is borrowed from the dictionary.
        unsafe {
            if !dictionary.is_null() && !namespace::is_plain(dictionary) {
                return false;
            }
            let names = object::tuple_items(code.localsplusnames()).add(code.argcount() as usize);
            let value = |i: usize| match dictionary.is_null() {
                true => null_mut(),
                false => namespace::peek(dictionary, names.add(i).read()),
            };
            let Ok(mut values) = self.values.try_borrow_mut() else { return false };
            values.clear();
            values.extend((0..code.kwonlyargcount() as usize).map(value));
            self.version.set(version);
            true
        }
    }
}

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

/// [`direct::offer`] for code with starred or keyword-only parameters; behind the `positional` arguments are as many as `names`, a
/// tuple or null, has keywords.
///
/// # Safety
/// As for [`direct::offer`]; `direct` is that of the function's code, and the function may be called directly.
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
        let keywords = if names.is_null() { 0 } else { object::size(names) as usize };
        if named > MOST || keywords > MOST || surplus > 0 && code.flags() as u32 & flags::VARARGS == 0 {
            return None;
        }
        object::incref(code.as_ptr());
        let Some(made) = Made::new(code, surplus) else {
            object::decref(code.as_ptr());
            return None;
        };
        // A finaliser may have run.
        let entry = direct.entry().filter(|_| {
            object::read::<*mut PyObject>(callable, function::FUNC_CODE) == code.as_ptr() && direct::is_in_force(thread)
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
        Some(direct::enter(thread, callable, code, direct, entry, frame))
    }
}

/// The same where the arguments are the caller's.
///
/// # Safety
/// As for [`offer`], but arguments and function are borrowed, and stay alive until this returns.
pub(crate) unsafe fn offer_borrowed(
    thread: ThreadState,
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    (arguments, positional): (*const *mut PyObject, usize),
    names: *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: says the caller.
    unsafe {
        let total = positional + if names.is_null() { 0 } else { object::size(names) as usize };
        direct::lend(callable, arguments, total, || {
            offer(thread, callable, code, direct, (arguments, positional), names)
        })
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
        let base = thread.datastack_top();
        let end = base.wrapping_add(direct.words());
        if base.is_null() || end >= thread.datastack_limit() {
            return None;
        }
        let wanted = code.argcount() as usize;
        let named = wanted + code.kwonlyargcount() as usize;
        let placed = positional.min(wanted);
        let frame = Frame::new(base.cast::<u8>());
        let slots = frame.localsplus();
        for i in 0..placed {
            slots.add(i).write_volatile(arguments.add(i).read());
        }
        for i in placed..code.nlocalsplus() as usize {
            slots.add(i).write_volatile(null_mut());
        }
        let keywords = if names.is_null() { 0 } else { object::size(names) as usize };
        let mut others = 0u64;
        for i in 0..keywords {
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
        let added = fill_in(callable, code, direct, slots, placed)?;

        thread.set_datastack_top(end);
        direct::fill_header(frame, callable, code, frame::OWNED_BY_THREAD);
        frame.set_stacktop(-1);
        frame.set_prev_instr(code.first_unit().wrapping_sub(1));
        for i in placed..named {
            if added >> i & 1 != 0 {
                object::incref(slots.add(i).read());
            }
        }
        for i in 0..keywords {
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

/// The named parameter with that very name which a keyword can give.
#[inline(always)]
unsafe fn parameter(code: Code, named: usize, name: *mut PyObject) -> Option<usize> {
    // SAFETY: names of a live code object, as many as it has locals.
    unsafe {
        let parameters = object::tuple_items(code.localsplusnames());
        (code.posonlyargcount() as usize..named).find(|index| parameters.add(*index).read() == name)
    }
}

/// Puts defaults, without references, where there is no argument; gives where, as bits. `None`: one is missing.
#[inline(always)]
unsafe fn fill_in(
    callable: *mut PyObject,
    code: Code,
    direct: &Direct,
    slots: *mut *mut PyObject,
    placed: usize,
) -> Option<u64> {
    // SAFETY: slots of a frame for the code, its named parameters filled or null; the tuple of defaults is the function's.
    unsafe {
        let wanted = code.argcount() as usize;
        let mut added = 0u64;
        if placed < wanted {
            let defaults: *mut PyObject = object::read(callable, function::FUNC_DEFAULTS);
            let available = if defaults.is_null() { 0 } else { object::size(defaults) as usize };
            let required = wanted.checked_sub(available)?;
            for i in placed..wanted {
                if slots.add(i).read().is_null() {
                    slots.add(i).write(object::tuple_items(defaults).add(i.checked_sub(required)?).read());
                    added |= 1 << i;
                }
            }
        }
        let only = code.kwonlyargcount() as usize;
        if only > 0 {
            if !direct.keyword_defaults.update(callable, code) {
                return None;
            }
            let values = direct.keyword_defaults.values.try_borrow().ok()?;
            for (i, value) in values.iter().enumerate().take(only) {
                let slot = slots.add(wanted + i);
                if slot.read().is_null() {
                    if value.is_null() {
                        return None;
                    }
                    slot.write(*value);
                    added |= 1 << (wanted + i);
                }
            }
        }
        Some(added)
    }
}
