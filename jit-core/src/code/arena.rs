//! Many small functions in one mapping, each freed by itself.
//!
//! *Method*: free ranges by offset, first fit, neighbours joined when freed. *Invariants*: free ranges are disjoint, not
//! adjacent, and multiples of [`GRAIN`]; the sum of free and given-out bytes is the mapping's size.

use std::collections::BTreeMap;
use std::io;

use super::pages::{ExecutablePages, WritablePages};

/// Unit of allocation: a function starts on its own fetch line of 16 bytes.
pub(super) const GRAIN: usize = 16;
/// Size of an arena: its pages change their protection twice for each function, which takes longer the more they are.
pub(super) const ARENA: usize = 32 << 10;
/// Fills what is not code: `int3`, so that a stray jump stops at once.
const FILL: u8 = 0xcc;

pub(super) struct Arena {
    pages: ExecutablePages,
    /// Offset to length.
    free: BTreeMap<usize, usize>,
}

impl Arena {
    pub(super) fn new() -> io::Result<Self> {
        let mut pages = WritablePages::new(ARENA)?;
        pages.as_mut_slice().fill(FILL);
        let pages = pages.into_executable()?;
        let free = BTreeMap::from([(0, pages.size())]);
        Ok(Arena { pages, free })
    }

    pub(super) fn start(&self) -> *const u8 {
        self.pages.as_ptr()
    }

    /// Offset of `len` bytes (a multiple of the grain) aligned to `align`, if there is room.
    pub(super) fn allocate(&mut self, len: usize, align: usize) -> Option<usize> {
        let (start, size, at) = self.free.iter().find_map(|(&start, &size)| {
            let at = start.next_multiple_of(align.max(GRAIN));
            (at + len <= start + size).then_some((start, size, at))
        })?;
        self.free.remove(&start);
        if at > start {
            self.free.insert(start, at - start);
        }
        if at + len < start + size {
            self.free.insert(at + len, start + size - at - len);
        }
        Some(at)
    }

    pub(super) fn release(&mut self, at: usize, len: usize) {
        let (mut at, mut len) = (at, len);
        if let Some((&before, &size)) = self.free.range(..at).next_back()
            && before + size == at
        {
            self.free.remove(&before);
            (at, len) = (before, size + len);
        }
        if let Some(size) = self.free.remove(&(at + len)) {
            len += size;
        }
        self.free.insert(at, len);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.get(&0) == Some(&self.pages.size())
    }

    /// Copies code to an allocated range and fills the rest of the range.
    ///
    /// # Safety
    /// `at..at + len` was given out by `allocate`; no thread executes code of this arena meanwhile.
    pub(super) unsafe fn write(&mut self, at: usize, len: usize, code: &[u8]) -> io::Result<()> {
        // SAFETY: only the allocated range, which is no live code, is written; the rest is the caller's promise.
        unsafe {
            self.pages.rewrite(|bytes| {
                let (body, rest) = bytes[at..at + len].split_at_mut(code.len());
                body.copy_from_slice(code);
                rest.fill(FILL);
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_join_when_freed() {
        let mut arena = Arena::new().unwrap();
        let ranges: Vec<_> =
            (0..100).map(|i| (16 + i % 7 * 16, arena.allocate(16 + i % 7 * 16, 16).unwrap())).collect();
        assert!(!arena.is_empty());
        for &(len, at) in ranges.iter().step_by(2).chain(ranges.iter().skip(1).step_by(2)) {
            arena.release(at, len);
        }
        assert!(arena.is_empty());
        let aligned = arena.allocate(16, 4096);
        assert_eq!(aligned, Some(0));
        assert_eq!(arena.allocate(ARENA, 16), None);
        assert_eq!(arena.allocate(16, 64), Some(64));
    }
}
