//! Which parameter an argument goes to, and what stands in for one that is missing.
//!
//! *Problem*: CPython does this for each call anew, by comparing strings and searching dictionaries. *Method*: a
//! keyword is told by the identity of its name, which compilers intern as they do those of parameters; positional
//! defaults are taken from their tuple; keyword-only defaults are kept as a row of values, for as long as the version
//! of their dictionary says that it is unchanged. *Invariants*: nothing here runs Python or sets an exception; a call
//! that is wrong, or whose keywords cannot be told like this, is refused, and CPython says what is wrong; values are
//! placed without references of their own. *Source*: `initialize_locals` in `Python/ceval.c` of 3.11.

use crate::{
    code::Code,
    helpers::namespace,
    layout::{dict, function},
    object,
};
use pyo3_ffi::PyObject;
use std::{
    cell::{Cell, RefCell},
    ptr::{null, null_mut},
};

/// Parameters that can be placed by name, at most: which of them got defaults is noted in the bits of a word.
pub(crate) const MOST: usize = 64;

/// How many keywords a call has, by the tuple of their names, or null.
///
/// # Safety
/// `names` is a live tuple, or null.
#[inline(always)]
pub(crate) unsafe fn keywords(names: *mut PyObject) -> usize {
    // SAFETY: says the caller.
    if names.is_null() { 0 } else { unsafe { object::size(names) as usize } }
}

/// The parameter with that very name which a keyword can give, among the first `named`.
///
/// # Safety
/// `code` is alive and has that many locals.
#[inline(always)]
pub(crate) unsafe fn parameter(code: Code, named: usize, name: *mut PyObject) -> Option<usize> {
    // SAFETY: names of a live code object, as many as it has locals.
    unsafe {
        let parameters = object::tuple_items(code.localsplusnames());
        (code.posonlyargcount() as usize..named).find(|index| parameters.add(*index).read() == name)
    }
}

/// The defaults of the arguments that follow the first `count`: as many as are missing. `None` when there are too many
/// arguments, or when one has no default.
///
/// # Safety
/// `callable` is a live function with this code, which takes positional arguments only.
#[inline(always)]
pub unsafe fn missing(callable: *mut PyObject, code: Code, count: usize) -> Option<*const *mut PyObject> {
    let wanted = code.argcount() as usize;
    if count >= wanted {
        return (count == wanted).then_some(null());
    }
    // SAFETY: says the caller; the tuple is the function's.
    unsafe {
        let defaults: *mut PyObject = object::read(callable, function::FUNC_DEFAULTS);
        let available = if defaults.is_null() { 0 } else { object::size(defaults) as usize };
        let first = wanted.saturating_sub(available);
        if count < first || available > wanted {
            return None;
        }
        Some(object::tuple_items(defaults).add(count - first))
    }
}

/// Puts defaults where positional parameters behind the first `placed` have no argument; gives where, as bits. `None`: one has
/// no default.
///
/// # Safety
/// `callable` is a live function with this code; `slots` has a place for each of its positional parameters, filled or null.
#[inline(always)]
pub(crate) unsafe fn add_defaults(
    callable: *mut PyObject,
    code: Code,
    slots: *mut *mut PyObject,
    placed: usize,
) -> Option<u64> {
    let wanted = code.argcount() as usize;
    if placed >= wanted {
        return Some(0);
    }
    // SAFETY: says the caller; the tuple of defaults is the function's.
    unsafe {
        let defaults: *mut PyObject = object::read(callable, function::FUNC_DEFAULTS);
        let available = if defaults.is_null() { 0 } else { object::size(defaults) as usize };
        let required = wanted.checked_sub(available)?;
        let mut added = 0u64;
        for i in placed..wanted {
            if slots.add(i).read().is_null() {
                slots.add(i).write(object::tuple_items(defaults).add(i.checked_sub(required)?).read());
                added |= 1 << i;
            }
        }
        Some(added)
    }
}

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

    /// Puts defaults where keyword-only parameters have no argument; gives where, as bits. `None`: one has no default.
    ///
    /// # Safety
    /// As for [`add_defaults`], for all named parameters.
    #[inline(always)]
    pub(crate) unsafe fn add(&self, callable: *mut PyObject, code: Code, slots: *mut *mut PyObject) -> Option<u64> {
        let only = code.kwonlyargcount() as usize;
        if only == 0 {
            return Some(0);
        }
        // SAFETY: says the caller.
        unsafe {
            if !self.update(callable, code) {
                return None;
            }
            let first = code.argcount() as usize;
            let values = self.values.try_borrow().ok()?;
            let mut added = 0u64;
            for (i, value) in values.iter().enumerate().take(only) {
                let slot = slots.add(first + i);
                if slot.read().is_null() {
                    if value.is_null() {
                        return None;
                    }
                    slot.write(*value);
                    added |= 1 << (first + i);
                }
            }
            Some(added)
        }
    }
}
