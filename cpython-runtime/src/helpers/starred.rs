//! Calls from compiled code of Python functions that take starred or keyword-only arguments.
//!
//! *Problem*: such a call needs a tuple, a dictionary, and defaults found by name; `_PyFunction_Vectorcall` makes them, copies
//! every argument once more and enters the hook. *Method*: what `initialize_locals` does, into an array that becomes the first
//! locals of the new frame, which is then entered as in [`direct`]. *Invariants*: an offer that is refused has changed nothing
//! but may have run the garbage collector; all that is wrong with a call is refused, so that CPython says it. Since the collector
//! may run Python, the function's code is asked for its compiled code again once everything is made. *Source*: `Python/ceval.c`
//! (`initialize_locals`) of 3.11.

use super::{Object, Owned};
use crate::{
    code::Code,
    direct::{self, Direct},
    layout::function,
    object,
    thread::ThreadState,
};
use columba_jit_core::bytecode::code::flags;
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// Parameters of a function that is called here, at most, starred ones included; and keywords of a call.
const MOST: usize = 16;

/// As [`direct::offer_with_keywords`], for code that is entered in this way only.
///
/// # Safety
/// As there.
pub(super) unsafe fn offer(
    thread: ThreadState,
    callable: Object,
    arguments: *const Object,
    positional: usize,
    names: Object,
) -> Option<Object> {
    // SAFETY: says the caller; names, defaults and the code object are alive with the function, which the caller holds.
    unsafe {
        if object::type_of(callable) != &raw mut ffi::PyFunction_Type {
            return None;
        }
        let code = Code::new(object::read::<Object>(callable, function::FUNC_CODE));
        Direct::of(code)?.starred()?;
        let mut call = Arranged::of(callable, code, arguments, positional, names)?;
        // Taken before anything can run, since all these are borrowed.
        call.each_added(|value| object::incref(value));
        let result = call.enter(thread, callable, code, arguments, names);
        if result.is_none() {
            call.each_added(|value| object::decref(value));
        }
        result
    }
}

/// The arguments of a call in the order of the parameters.
struct Arranged {
    slots: [Object; MOST],
    parameters: usize,
    /// How many of the positional arguments have parameters of their own.
    given: usize,
    positional: usize,
    /// Keywords that no parameter has.
    unknown: u32,
    /// Parameters that defaults were found for.
    added: u32,
}

impl Arranged {
    unsafe fn of(
        callable: Object,
        code: Code,
        arguments: *const Object,
        positional: usize,
        names: Object,
    ) -> Option<Arranged> {
        // SAFETY: as in `offer`.
        unsafe {
            let has = |flag: u32| code.flags() as u32 & flag != 0;
            let wanted = code.argcount() as usize;
            let parameters = wanted + code.kwonlyargcount() as usize;
            let keywords = if names.is_null() { 0 } else { object::size(names) as usize };
            if parameters + 2 > MOST || keywords > MOST || positional > wanted && !has(flags::VARARGS) {
                return None;
            }
            let given = positional.min(wanted);
            let mut slots = [null_mut(); MOST];
            for (i, slot) in slots.iter_mut().enumerate().take(given) {
                *slot = arguments.add(i).read();
            }
            let known = object::tuple_items(code.localsplusnames());
            let mut unknown = 0;
            for i in 0..keywords {
                let name = object::tuple_items(names).add(i).read();
                if !object::is_interned(name) {
                    return None;
                }
                let first = code.posonlyargcount() as usize;
                match (first..parameters).find(|index| known.add(*index).read() == name) {
                    Some(index) if slots[index].is_null() => slots[index] = arguments.add(positional + i).read(),
                    None if has(flags::VARKEYWORDS) => unknown |= 1 << i,
                    _ => return None,
                }
            }
            let mut added = 0;
            let defaults: Object = object::read(callable, function::FUNC_DEFAULTS);
            let by_name: Object = object::read(callable, function::FUNC_KWDEFAULTS);
            let available = if defaults.is_null() { 0 } else { object::size(defaults) as usize };
            let required = wanted.checked_sub(available)?;
            for (i, slot) in slots.iter_mut().enumerate().take(parameters) {
                if !slot.is_null() {
                    continue;
                }
                *slot = if i < wanted {
                    object::tuple_items(defaults).add(i.checked_sub(required)?).read()
                } else if by_name.is_null() {
                    return None;
                } else {
                    ffi::PyDict_GetItemWithError(by_name, known.add(i).read())
                };
                if slot.is_null() {
                    ffi::PyErr_Clear();
                    return None;
                }
                added |= 1 << i;
            }
            Some(Arranged { slots, parameters, given, positional, unknown, added })
        }
    }

    fn each_added(&self, act: impl Fn(Object)) {
        (0..self.parameters).filter(|i| self.added >> i & 1 != 0).for_each(|i| act(self.slots[i]));
    }

    unsafe fn enter(
        &mut self,
        thread: ThreadState,
        callable: Object,
        code: Code,
        arguments: *const Object,
        names: Object,
    ) -> Option<Object> {
        // SAFETY: as in `offer`; the code object is looked at behind the allocations only where the function still has it.
        unsafe {
            let has = |flag: u32| code.flags() as u32 & flag != 0;
            let (stars, keywords) = (has(flags::VARARGS), has(flags::VARKEYWORDS));
            let unknown = self.unknown;
            let unknown = (0..MOST).filter(|i| unknown >> i & 1 != 0);
            let mut others = None;
            if keywords {
                let dictionary = owned(ffi::PyDict_New())?;
                for i in unknown.clone() {
                    let value = arguments.add(self.positional + i).read();
                    let name = object::tuple_items(names).add(i).read();
                    if ffi::PyDict_SetItem(dictionary.as_ptr(), name, value) != 0 {
                        ffi::PyErr_Clear();
                        return None;
                    }
                }
                others = Some(dictionary);
            }
            let rest = self.positional - self.given;
            let tuple = if stars { Some(owned(ffi::PyTuple_New(rest as isize))?) } else { None };
            if object::read::<Object>(callable, function::FUNC_CODE) != code.as_ptr() {
                return None;
            }
            let direct = Direct::of(code)?;
            let entry = direct.starred()?;
            if !direct::may_call(thread, callable) {
                return None;
            }
            let mut count = self.parameters;
            for object in [&tuple, &others].into_iter().flatten() {
                self.slots[count] = object.as_ptr();
                count += 1;
            }
            let frame = direct::push_arranged(thread, callable, code, self.slots.as_ptr(), count)?;
            if let Some(tuple) = tuple {
                for i in 0..rest {
                    let item = arguments.add(self.given + i).read();
                    object::tuple_items(tuple.as_ptr()).add(i).write(item);
                }
                std::mem::forget(tuple);
            }
            std::mem::forget(others);
            // The dictionary has references of its own.
            unknown.for_each(|i| object::decref(arguments.add(self.positional + i).read()));
            Some(direct::enter(thread, callable, code, direct, entry, frame))
        }
    }
}

/// A new object; `None` without an exception where there is no memory for it.
unsafe fn owned(object: Object) -> Option<Owned> {
    // SAFETY: the GIL is held; a new reference or null.
    unsafe {
        let object = Owned::steal_or_null(object);
        if object.is_none() {
            ffi::PyErr_Clear();
        }
        object
    }
}
