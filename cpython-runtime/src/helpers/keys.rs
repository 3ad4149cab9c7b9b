//! Dictionaries with nested tuples as keys.
//!
//! *Problem*: programs that search keep what they know of a state, a tuple of tuples, in dictionaries. A tuple does not remember its hash,
//! so each access walks through all of it: dozens of dependent loads and multiplications, and most of the time of such a
//! program. *Method*: the same object is often a key several times within a short time. The hashes of the last few nested tuples
//! that were keys are kept, by the address of the tuple. *Invariants*:
//! - a tuple whose hash is kept is kept alive, so its address is no other object's; tuples do not change;
//! - only tuples of numbers, texts, `None` and of such tuples are kept, of a bounded size: they refer to nothing that has a
//!   finaliser, a weak reference or much memory;
//! - tuples of a class written in Python (named tuples) count as tuples as long as their classes have no hash of their own, which is asked
//!   at each use;
//! - where the same keys do not come again, hashes are not kept for a while.
//!
//! *Source*: `tuplehash` in `Objects/tupleobject.c`, `dict_subscript` in `Objects/dictobject.c` of 3.11.

use super::{Object, capi, numbers::one_digit};
use crate::{
    layout::{str as str_layout, type_object},
    object,
};
use pyo3_ffi::{self as ffi, Py_hash_t, PyTypeObject};
use std::{
    cell::Cell,
    ptr::null_mut,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// The name by which this is switched off.
pub const SWITCH: &str = "keep_hashes";

/// Hashes that were not computed since they had been kept.
pub static REUSED: AtomicU64 = AtomicU64::new(0);

static ENABLED: AtomicBool = AtomicBool::new(true);

/// So many hashes are kept: a power of two.
const KEPT: usize = 64;
/// Classes of tuples in one tuple.
const CLASSES: usize = 3;
/// Items in all, how deep they may lie, and characters of a text.
const MOST_ITEMS: usize = 96;
const MOST_DEPTH: usize = 6;
const MOST_CHARACTERS: isize = 64;
/// After so many that were kept, at least a fifth must have been found again; else none is kept while so many are asked for.
const WINDOW: u32 = 256;
const PAUSE: u32 = 8192;

#[derive(Clone, Copy)]
struct Kept {
    /// Owned, or null.
    key: Object,
    hash: Py_hash_t,
    /// Of the tuples that are no exact ones, filled up with null; they live as long as the key.
    classes: [*mut PyTypeObject; CLASSES],
}

struct Table {
    kept: [Cell<Kept>; KEPT],
    /// Keys that were entered, and found again, in this window; and how many more are not to be entered.
    entered: Cell<u32>,
    found: Cell<u32>,
    pause: Cell<u32>,
}

// SAFETY: used under the GIL only.
unsafe impl Sync for Table {}

const NOTHING: Kept = Kept { key: null_mut(), hash: 0, classes: [null_mut(); CLASSES] };

static TABLE: Table = Table {
    kept: [const { Cell::new(NOTHING) }; KEPT],
    entered: Cell::new(0),
    found: Cell::new(0),
    pause: Cell::new(0),
};

/// Whether hashes are kept from now on; if not, those that are are forgotten.
///
/// # Safety
/// As for [`forget`].
pub unsafe fn enable(enabled: bool) {
    ENABLED.store(enabled, Relaxed);
    if !enabled {
        // SAFETY: says the caller.
        unsafe { forget() };
    }
}

/// Lets go of the tuples whose hashes are kept.
///
/// # Safety
/// The GIL is held; Python may run.
pub unsafe fn forget() {
    for place in &TABLE.kept {
        let old = place.replace(NOTHING);
        if !old.key.is_null() {
            // SAFETY: the table's reference.
            unsafe { object::decref(old.key) };
        }
    }
}

/// `PyDict_GetItemWithError`.
#[inline(always)]
pub(super) unsafe fn get(dict: Object, key: Object) -> Object {
    // SAFETY: a dictionary and an object, both alive, says the caller.
    unsafe {
        match hash(key) {
            Some(hash) => capi::_PyDict_GetItem_KnownHash(dict, key, hash),
            None => ffi::PyDict_GetItemWithError(dict, key),
        }
    }
}

/// `PyDict_SetItem`.
#[inline(always)]
pub(super) unsafe fn set(dict: Object, key: Object, value: Object) -> i32 {
    // SAFETY: as for `get`.
    unsafe {
        match hash(key) {
            Some(hash) => capi::_PyDict_SetItem_KnownHash(dict, key, value, hash),
            None => ffi::PyDict_SetItem(dict, key, value),
        }
    }
}

/// `PyDict_Contains`.
#[inline(always)]
pub(super) unsafe fn has(dict: Object, key: Object) -> i32 {
    // SAFETY: as for `get`.
    unsafe {
        match hash(key) {
            Some(hash) => capi::_PyDict_Contains_KnownHash(dict, key, hash),
            None => ffi::PyDict_Contains(dict, key),
        }
    }
}

/// Whether `x[k]` of instances of the type is that of dictionaries, but for keys that are not there.
#[inline(always)]
pub(super) unsafe fn reads_as_dict(ty: *mut PyTypeObject) -> bool {
    // SAFETY: alive, says the caller.
    unsafe { maps_as_dict(ty, |table| table.mp_subscript.map(|f| f as usize)) }
}

/// Whether `x[k] = v` of instances of the type is that of dictionaries.
#[inline(always)]
pub(super) unsafe fn writes_as_dict(ty: *mut PyTypeObject) -> bool {
    // SAFETY: alive, says the caller.
    unsafe { maps_as_dict(ty, |table| table.mp_ass_subscript.map(|f| f as usize)) }
}

/// Whether instances of the type are dictionaries, and a slot of it is that of `dict`.
#[inline(always)]
unsafe fn maps_as_dict(ty: *mut PyTypeObject, slot: impl Fn(&ffi::PyMappingMethods) -> Option<usize>) -> bool {
    // SAFETY: the tables of a live type, and of `dict`.
    unsafe {
        let found = |ty: *const PyTypeObject| (*ty).tp_as_mapping.as_ref().and_then(&slot);
        ty == &raw mut ffi::PyDict_Type
            || (*ty).tp_flags & ffi::Py_TPFLAGS_DICT_SUBCLASS != 0 && found(ty) == found(&raw const ffi::PyDict_Type)
    }
}

/// The hash of a nested tuple, if it is known or worth keeping.
#[inline(always)]
unsafe fn hash(key: Object) -> Option<Py_hash_t> {
    // SAFETY: alive, says the caller.
    unsafe {
        if !is_tuple(key) {
            return None;
        }
        hash_of_tuple(key)
    }
}

#[inline(always)]
unsafe fn is_tuple(object: Object) -> bool {
    // SAFETY: alive, says the caller.
    unsafe { (*object::type_of(object)).tp_flags & ffi::Py_TPFLAGS_TUPLE_SUBCLASS != 0 }
}

#[inline(never)]
unsafe fn hash_of_tuple(key: Object) -> Option<Py_hash_t> {
    // SAFETY: a live tuple, says the caller; what is kept is alive.
    unsafe {
        let bits = (key as usize >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (usize::BITS - KEPT.ilog2());
        let place = TABLE.kept.get(bits)?;
        let kept = place.get();
        if kept.key == key && kept.classes.iter().all(|&class| class.is_null() || hashes_as_tuple(class)) {
            TABLE.found.set(TABLE.found.get().wrapping_add(1));
            REUSED.store(REUSED.load(Relaxed) + 1, Relaxed);
            return Some(kept.hash);
        }
        let items = object::tuple_items(key);
        let nested = (0..object::size(key).min(4)).any(|i| is_tuple(items.offset(i).read()));
        if !nested || !ENABLED.load(Relaxed) {
            return None;
        }
        if TABLE.pause.get() > 0 {
            TABLE.pause.set(TABLE.pause.get() - 1);
            return None;
        }
        TABLE.entered.set(TABLE.entered.get() + 1);
        if TABLE.entered.get() == WINDOW {
            TABLE.entered.set(0);
            if TABLE.found.replace(0) < WINDOW / 5 {
                TABLE.pause.set(PAUSE);
                forget();
                return None;
            }
        }
        let mut walk = Walk { left: MOST_ITEMS, classes: [null_mut(); CLASSES] };
        let hash = walk.tuple(key, 0)?;
        object::incref(key);
        let old = place.replace(Kept { key, hash, classes: walk.classes });
        if !old.key.is_null() {
            object::decref(old.key);
        }
        Some(hash)
    }
}

/// Whether instances of a class of tuples hash as tuples do.
#[inline(always)]
unsafe fn hashes_as_tuple(ty: *mut PyTypeObject) -> bool {
    // SAFETY: live types.
    unsafe { (*ty).tp_hash.map(|f| f as usize) == ffi::PyTuple_Type.tp_hash.map(|f| f as usize) }
}

/// Through a tuple and those in it.
struct Walk {
    left: usize,
    classes: [*mut PyTypeObject; CLASSES],
}

impl Walk {
    /// The hash of a tuple. `None`: it is none to be kept.
    unsafe fn tuple(&mut self, tuple: Object, depth: usize) -> Option<Py_hash_t> {
        const PRIMES: [u64; 3] = [11_400_714_785_074_694_791, 14_029_467_366_897_019_727, 2_870_177_450_012_600_261];
        // SAFETY: a live tuple, and its items.
        unsafe {
            self.class(object::type_of(tuple))?;
            let size = object::size(tuple) as usize;
            self.left = self.left.checked_sub(size).filter(|_| depth < MOST_DEPTH)?;
            let items = object::tuple_items(tuple);
            let mut sum = PRIMES[2];
            for i in 0..size {
                let item = items.add(i).read();
                let lane = if is_tuple(item) { self.tuple(item, depth + 1)? } else { plain(item)? };
                sum = sum.wrapping_add((lane as u64).wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0]);
            }
            sum = sum.wrapping_add(size as u64 ^ (PRIMES[2] ^ 3_527_539));
            // -1 stands for an error.
            Some(if sum == u64::MAX { 1_546_275_796 } else { sum as Py_hash_t })
        }
    }

    /// Notes the class of a tuple.
    unsafe fn class(&mut self, ty: *mut PyTypeObject) -> Option<()> {
        if ty == &raw mut ffi::PyTuple_Type || self.classes.contains(&ty) {
            return Some(());
        }
        // SAFETY: a live type. Those that C has made (struct sequences) may have more than items; classes written in Python may have
        // a dictionary.
        unsafe {
            let word = |offset: usize| object::read::<usize>(ty.cast(), offset);
            let wanted = ffi::Py_TPFLAGS_HEAPTYPE | ffi::Py_TPFLAGS_BASETYPE;
            let plain = (*ty).tp_flags & wanted == wanted
                && hashes_as_tuple(ty)
                && (*ty).tp_dictoffset == 0
                && (*ty).tp_weaklistoffset == 0
                && word(type_object::TP_FINALIZE) == 0
                && word(type_object::TP_DEL) == 0;
            let place = self.classes.iter_mut().find(|class| class.is_null()).filter(|_| plain)?;
            *place = ty;
        }
        Some(())
    }
}

/// The hash of what a tuple that is kept may hold besides tuples.
#[inline(always)]
unsafe fn plain(item: Object) -> Option<Py_hash_t> {
    // SAFETY: alive, says the caller; hashes of these types run no Python and do not fail.
    unsafe {
        let ty = object::type_of(item);
        if ty == &raw mut ffi::PyLong_Type {
            if let Some(value) = one_digit(item) {
                return Some(if value == -1 { -2 } else { value as Py_hash_t });
            }
            (object::size(item).abs() <= 4).then(|| ffi::PyObject_Hash(item))
        } else if ty == &raw mut ffi::PyUnicode_Type {
            (object::read::<isize>(item, str_layout::LENGTH) <= MOST_CHARACTERS).then(|| ffi::PyObject_Hash(item))
        } else if ty == &raw mut ffi::PyFloat_Type || ty == &raw mut ffi::PyBool_Type || item == ffi::Py_None() {
            Some(ffi::PyObject_Hash(item))
        } else {
            None
        }
    }
}
