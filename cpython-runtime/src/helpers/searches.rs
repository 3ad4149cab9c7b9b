//! Searches of dictionaries that run no Python.
//!
//! *Problem*: the body of an inlined function must not run Python, and `mapping[key]` may, by the hash and the comparisons of keys.
//! *Method*: an exact dictionary is searched as CPython does it (`Objects/dictobject.c` of 3.11), for exact ints of one digit and
//! exact strs; a key in the way with the same hash is compared only where both are exact ints or both exact strs.
//! *Invariants*: nothing here raises, changes anything (but that a str remembers its hash), or calls what could.

use super::{Object, capi, numbers::one_digit};
use crate::{
    layout::{dict_entry, dict_keys, str as str_layout},
    object,
};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

/// `PERTURB_SHIFT`.
const PERTURB_SHIFT: u32 = 5;

/// The value of a key, or null: see the table of helpers.
pub(super) unsafe extern "C" fn dict_search(container: Object, key: Object) -> Object {
    // SAFETY: the contract of helpers; types are checked before fields are read.
    unsafe {
        if object::type_of(container) != &raw mut ffi::PyDict_Type {
            return null_mut();
        }
        let ty = object::type_of(key);
        let hash: isize = if ty == &raw mut ffi::PyUnicode_Type {
            let mut hash: isize = object::read(key, str_layout::HASH);
            if hash == -1 {
                // Not asked for yet. Only one that has to be completed first, for which there is no memory, has none.
                hash = ffi::PyObject_Hash(key);
                if hash == -1 {
                    ffi::PyErr_Clear();
                }
            }
            hash
        } else if ty == &raw mut ffi::PyLong_Type {
            match one_digit(key) {
                // What says that there is no hash is the hash of no object.
                Some(-1) => -2,
                Some(value) => value as isize,
                None => -1,
            }
        } else {
            -1
        };
        if hash == -1 {
            return null_mut();
        }
        let keys = object::dict_keys(container);
        if i64::from(keys.add(dict_keys::DK_KIND).read()) == dict_keys::KIND_GENERAL {
            return search_general(keys, key, hash);
        }
        if ty == &raw mut ffi::PyUnicode_Type {
            // All keys are exact strs.
            return capi::_PyDict_GetItem_KnownHash(container, key, hash);
        }
        null_mut()
    }
}

/// The same in keys of any types.
unsafe fn search_general(keys: *const u8, key: Object, hash: isize) -> Object {
    // SAFETY: a keys object has `1 << DK_LOG2_SIZE` indices, at least one of which is empty, before its entries.
    unsafe {
        let log2_size: u8 = keys.add(dict_keys::DK_LOG2_SIZE).read();
        let log2_bytes: u8 = keys.add(dict_keys::DK_LOG2_INDEX_BYTES).read();
        let indices = keys.add(dict_keys::DK_INDICES);
        let entries = indices.add(1usize << log2_bytes);
        let mask = (1usize << log2_size) - 1;
        let mut perturb = hash as usize;
        let mut at = perturb & mask;
        loop {
            let index = match log2_bytes - log2_size {
                0 => indices.cast::<i8>().add(at).read() as isize,
                1 => indices.cast::<i16>().add(at).read() as isize,
                2 => indices.cast::<i32>().add(at).read() as isize,
                _ => indices.cast::<isize>().add(at).read(),
            };
            // -1 is an empty place, -2 one whose entry was deleted.
            if index == -1 {
                return null_mut();
            }
            if index >= 0 {
                let entry = entries.add(index as usize * dict_entry::SIZE);
                let other = entry.add(dict_entry::ME_KEY).cast::<Object>().read();
                let found = || entry.add(dict_entry::ME_VALUE).cast::<Object>().read();
                if other == key {
                    return found();
                }
                if entry.add(dict_entry::ME_HASH).cast::<isize>().read() == hash {
                    match are_equal(other, key) {
                        Some(true) => return found(),
                        Some(false) => {}
                        None => return null_mut(),
                    }
                }
            }
            perturb >>= PERTURB_SHIFT;
            at = (at.wrapping_mul(5).wrapping_add(perturb).wrapping_add(1)) & mask;
        }
    }
}

/// Whether a key of a dictionary is equal to another one that is searched, if that is found out without running Python.
unsafe fn are_equal(key: Object, searched: Object) -> Option<bool> {
    // SAFETY: both are alive; exact ints and exact strs compare without running anything or raising.
    unsafe {
        let ty = object::type_of(key);
        let same = ty == object::type_of(searched);
        if same && ty == &raw mut ffi::PyLong_Type {
            return Some(one_digit(key)? == one_digit(searched)?);
        }
        if same && ty == &raw mut ffi::PyUnicode_Type {
            return Some(ffi::PyUnicode_Compare(key, searched) == 0);
        }
        None
    }
}
