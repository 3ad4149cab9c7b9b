//! Rebuilding a frame after compiled code was left.
//!
//! *Problem*: the interpreter is to go on in the middle of a function as if it had executed everything before.
//! *Method*: the exit's description says which of the values in `out` make up locals and stack. All objects are made
//! first, then every slot is written, and only then is what locals held before released: a finaliser sees the finished
//! frame. *Invariants*: one raw value becomes one object however often it is used, namely an equal object of that exact type
//! which the slot of one of its locals already holds, or a new one; afterwards every slot below `stacktop` is an owned reference or
//! null, and `prev_instr` is the unit before `exit.offset`. Boxing cannot fail (`helpers::box_float`), so neither can this.

use crate::{
    frame::Frame,
    helpers::{box_bool, box_float, box_int, is_same_float, is_same_int, namespace},
    object,
};
use columba_jit_core::exit::{Exit, Source};
use pyo3_ffi::PyObject;
use std::ptr::null_mut;

/// The values of one exit, and the objects made for raw ones.
struct Values {
    out: *const u64,
    boxes: Vec<*mut PyObject>,
}

impl Values {
    /// Word `index` of the out buffer.
    unsafe fn word(&self, index: u32) -> u64 {
        // SAFETY: `index` is below the exit's number of values, says the contract of `rebuild`.
        unsafe { self.out.add(index as usize).read() }
    }

    /// A new reference to the object for raw value `index`, made by `make` when there is none yet.
    unsafe fn boxed(&mut self, index: u32, make: impl FnOnce(u64) -> *mut PyObject) -> *mut PyObject {
        // SAFETY: as for `word`; a box that is remembered is kept alive by the slot it was made for, none of which is
        // released before all have been made.
        unsafe {
            let word = self.word(index);
            let Some(known) = self.boxes.get_mut(index as usize) else {
                return make(word);
            };
            if known.is_null() {
                *known = make(word);
            } else {
                object::incref(*known);
            }
            *known
        }
    }

    /// Whether the slot is to be written; one that may be unbound has a flag after its raw value, and holds null if it is.
    unsafe fn is_bound(&self, source: Source) -> bool {
        match source {
            // SAFETY: as for `word`.
            Source::IntIf(index) | Source::FloatIf(index) | Source::BoolIf(index) => unsafe {
                self.word(index + 1) != 0
            },
            _ => true,
        }
    }

    /// Remembers the content of a local's slot, or a name's value, as the object of its raw value, if it is an equal object of the exact type
    /// and there is none yet.
    unsafe fn keep(&mut self, source: Source, old: *mut PyObject) {
        // SAFETY: as for `word`; slots hold null or live objects.
        unsafe {
            let (index, equal) = match source {
                Source::Int(index) | Source::IntIf(index) => (index, is_same_int(old, self.word(index) as i64)),
                Source::Float(index) | Source::FloatIf(index) => {
                    (index, is_same_float(old, f64::from_bits(self.word(index))))
                }
                Source::Number(index) => {
                    let value = f64::from_bits(self.word(index));
                    let is_int = self.word(index + 1) != 0;
                    (index, if is_int { is_same_int(old, value as i64) } else { is_same_float(old, value) })
                }
                _ => return,
            };
            if let Some(known) = self.boxes.get_mut(index as usize)
                && known.is_null()
                && equal
            {
                *known = old;
            }
        }
    }

    /// What a slot is to hold, as an owned reference or null.
    unsafe fn get(&mut self, source: Source, frame: Frame) -> *mut PyObject {
        // SAFETY: the exit describes words of `out` by their types, and constants by their index in `co_consts`.
        unsafe {
            match source {
                Source::Owned(index) => self.word(index) as *mut PyObject,
                Source::Borrowed(index) => {
                    let object = self.word(index) as *mut PyObject;
                    if !object.is_null() {
                        object::incref(object);
                    }
                    object
                }
                Source::Int(index) | Source::IntIf(index) => self.boxed(index, |word| box_int(word as i64)),
                Source::Float(index) | Source::FloatIf(index) => {
                    self.boxed(index, |word| box_float(f64::from_bits(word)))
                }
                Source::Number(index) => {
                    let is_int = self.word(index + 1) != 0;
                    self.boxed(index, |word| match f64::from_bits(word) {
                        int if is_int => box_int(int as i64),
                        float => box_float(float),
                    })
                }
                Source::Bool(index) | Source::BoolIf(index) => box_bool(self.word(index) != 0),
                Source::Const(index) => {
                    let constant = object::tuple_items(frame.code().co_consts()).add(index as usize).read();
                    object::incref(constant);
                    constant
                }
                Source::Null => null_mut(),
            }
        }
    }
}

/// Makes the frame what the exit describes: locals, names, stack, position; gives back the depth of its value stack. The frame
/// is ready for the interpreter, which is to be entered with it unlinked.
///
/// # Safety
/// The GIL is held. `frame` ran the code that took this exit and has not been released; `out` holds the exit's values.
/// References in `out` that are `Owned` pass to the frame.
pub unsafe fn rebuild(frame: Frame, exit: &Exit, out: *const u64) -> i32 {
    let mut values = Values { out, boxes: vec![null_mut(); exit.value_count as usize] };
    let stack_base = frame.code().nlocalsplus() as usize;
    let mut locals = Vec::with_capacity(exit.locals.len());
    let mut names = Vec::with_capacity(exit.names.len());
    // SAFETY: the contract above; slots named by an exit lie within the frame, the stack within `co_stacksize`. Slots of
    // locals own what they hold, stack slots nothing.
    unsafe {
        for &(slot, source) in &exit.locals {
            values.keep(source, frame.slot(slot as usize));
        }
        let namespace = frame.f_locals();
        let name = |index: u32| object::tuple_items(frame.code().co_names()).add(index as usize).read();
        for &(index, source) in &exit.names {
            values.keep(source, namespace::peek(namespace, name(index)));
        }
        for &(slot, source) in &exit.locals {
            if values.is_bound(source) {
                locals.push((slot as usize, values.get(source, frame)));
            }
        }
        for &(index, source) in &exit.names {
            names.push((name(index), values.get(source, frame)));
        }
        for (i, &source) in exit.stack.iter().enumerate() {
            frame.set_slot(stack_base + i, values.get(source, frame));
        }
        for (slot, object) in &mut locals {
            let old = frame.slot(*slot);
            frame.set_slot(*slot, *object);
            *object = old;
        }
        // The names' old values are numbers and the like: replacing them runs no Python.
        for (name, object) in names {
            namespace::put(namespace, name, object);
            object::decref(object);
        }
        let depth = exit.stack.len() as i32;
        frame.set_depth(depth);
        frame.resume_at(exit.offset as usize);
        for (_, old) in locals {
            if !old.is_null() {
                object::decref(old);
            }
        }
        depth
    }
}
