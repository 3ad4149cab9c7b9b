//! The keys objects of dictionaries: of those whose keys are all strs, and those that the instances of a class share.
//!
//! *Invariants*: a keys object is looked at under the GIL, and not changed meanwhile; its version is given to no other one.
//! *Source*: `Include/internal/pycore_dict.h` of 3.11.

use crate::capture::types_of;
use crate::helpers::namespace;
use crate::layout::{dict, dict_keys, dict_unicode_entry, type_object};
use crate::object::read;
use columba_jit_core::ir::types::PyTypes;
use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The keys of an exact dictionary that are all strs, its values beside them.
pub(crate) struct Keys(pub *const u8);

impl Keys {
    /// # Safety
    /// `dictionary` is null or alive; the GIL is held while the result is used.
    pub unsafe fn of(dictionary: *mut PyObject) -> Option<Keys> {
        // SAFETY: an exact dict has a keys object.
        unsafe {
            if types_of(dictionary) != PyTypes::DICT || !namespace::is_plain(dictionary) {
                return None;
            }
            let values: *mut u8 = read(dictionary, dict::MA_VALUES);
            values.is_null().then(|| Keys(read(dictionary, dict::MA_KEYS)))
        }
    }

    /// The version that CPython has given these keys, and takes away when one is added or removed.
    pub fn version(&self) -> Option<u32> {
        // SAFETY: the keys are alive, says the constructor's contract.
        let version = unsafe { self.0.add(dict_keys::DK_VERSION).cast::<u32>().read() };
        (version != 0).then_some(version)
    }

    /// The same; keys that have none get one that CPython, which counts from 2, will not come to. Not for builtins: inline caches
    /// have only 16 bits for their version.
    pub fn version_or_new(&self) -> Option<u32> {
        static NEXT: AtomicU32 = AtomicU32::new(u32::MAX);
        if let Some(version) = self.version() {
            return Some(version);
        }
        let version = NEXT.fetch_sub(1, Relaxed);
        if version < u32::MAX / 2 {
            NEXT.fetch_add(1, Relaxed);
            return None;
        }
        // SAFETY: as in `version`; `_PyDictKeys_GetVersionForCurrentState` writes it in the same way.
        unsafe { self.0.cast_mut().add(dict_keys::DK_VERSION).cast::<u32>().write(version) };
        Some(version)
    }

    /// Offset from the keys object of the value of an interned name; `hint`: its entry, most likely.
    pub fn value_offset(&self, name: *mut PyObject, hint: usize) -> Option<i32> {
        // SAFETY: the keys are alive, and have as many entries as they say, behind their indices.
        unsafe {
            let count = self.0.add(dict_keys::DK_NENTRIES).cast::<isize>().read() as usize;
            let log2: u8 = self.0.add(dict_keys::DK_LOG2_INDEX_BYTES).read();
            let entry = |index: usize| dict_keys::DK_INDICES + (1usize << log2) + index * dict_unicode_entry::SIZE;
            let is_it = |index: &usize| self.0.add(entry(*index)).cast::<*mut PyObject>().read() == name;
            let index = Some(hint).filter(|hint| *hint < count && is_it(hint)).or_else(|| (0..count).find(is_it))?;
            let offset = entry(index) + dict_unicode_entry::ME_VALUE;
            let value = self.0.add(offset).cast::<*mut PyObject>().read();
            (!value.is_null()).then_some(offset as i32)
        }
    }
}

/// The keys that instances of a heap type share.
pub(crate) struct SharedKeys {
    entries: *const u8,
    pub count: usize,
}

impl SharedKeys {
    /// `None` for a type whose instances share none.
    ///
    /// # Safety
    /// A live heap type; the GIL is held while the keys are used, and nothing is stored to an instance meanwhile.
    pub unsafe fn of(ty: *mut ffi::PyTypeObject) -> Option<SharedKeys> {
        // SAFETY: says the caller; a keys object has as many entries as it says, behind its indices.
        unsafe {
            let keys: *const u8 = read(ty.cast(), type_object::HT_CACHED_KEYS);
            if (*ty).tp_flags & ffi::Py_TPFLAGS_MANAGED_DICT == 0
                || keys.is_null()
                || i64::from(keys.add(dict_keys::DK_KIND).read()) != dict_keys::KIND_SPLIT
            {
                return None;
            }
            let count = keys.add(dict_keys::DK_NENTRIES).cast::<isize>().read() as usize;
            let log2: u8 = keys.add(dict_keys::DK_LOG2_INDEX_BYTES).read();
            Some(SharedKeys { entries: keys.add(dict_keys::DK_INDICES + (1usize << log2)), count })
        }
    }

    /// Where an interned name stands.
    pub fn position(&self, name: *mut PyObject) -> Option<usize> {
        // SAFETY: entries below the count.
        let key = |index: usize| unsafe {
            self.entries
                .add(index * dict_unicode_entry::SIZE + dict_unicode_entry::ME_KEY)
                .cast::<*mut PyObject>()
                .read()
        };
        (0..self.count).find(|index| key(*index) == name)
    }
}
