//! Where the compiler's memory comes from.
//!
//! *Problem*: a compilation makes and drops thousands of small vectors in bursts, for which the C library's allocator keeps too few
//! blocks of a size at hand: a seventh of the time went there. *Method*: a thread that compiles has a [`Store`] of free blocks
//! by size, and all that it allocates and frees meanwhile goes through that. Between compilations one store is kept for the next.
//! Elsewhere this is the system's allocator. *Invariants*:
//! - every block is one of the system's, of its class's full size, whoever asked for it: so any thread may free it, with or
//!   without a store;
//! - a store belongs to one thread at a time and holds at most [`MOST`] blocks of a size.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering},
};

/// Blocks are rounded up to this, up to [`SMALL`], and beyond it, up to [`LARGE`], to powers of two.
const GRAIN: usize = 16;
const SMALL: usize = 1 << 10;
const LARGE: usize = 64 << 10;
const CLASSES: usize = SMALL / GRAIN + (LARGE / SMALL).ilog2() as usize;
/// Bytes of one class that are kept, and blocks.
const MOST_BYTES: usize = 32 << 10;
const MOST: usize = 512;

/// The allocator of the extension module.
pub struct Allocator;

/// A free block: its first word leads to the next.
struct Free(*mut Free);

/// Free blocks of one size.
#[derive(Clone, Copy)]
struct Class {
    first: *mut Free,
    room: usize,
}

/// Free blocks by class.
struct Store([Class; CLASSES]);

thread_local! {
    /// The store of this thread while it compiles.
    static STORE: Cell<*mut Store> = const { Cell::new(null_mut()) };
}

/// The store that no thread uses.
static KEPT: AtomicPtr<Store> = AtomicPtr::new(null_mut());

/// Class of a layout, and the size of that class's blocks.
#[inline(always)]
fn class_of(layout: &Layout) -> Option<(usize, usize)> {
    let size = layout.size();
    if layout.align() > GRAIN || size == 0 || size > LARGE {
        None
    } else if size <= SMALL {
        let class = (size - 1) / GRAIN;
        Some((class, (class + 1) * GRAIN))
    } else {
        let size = size.next_power_of_two();
        Some((SMALL / GRAIN - 1 + (size / SMALL).ilog2() as usize, size))
    }
}

fn block(size: usize) -> Layout {
    // SAFETY: the grain is a power of two, and classes are far below the largest size.
    unsafe { Layout::from_size_align_unchecked(size, GRAIN) }
}

impl Store {
    fn new() -> Box<Store> {
        let mut store = Box::new(Store([Class { first: null_mut(), room: MOST }; CLASSES]));
        for class in 0..CLASSES {
            store.0[class].room = MOST.min(MOST_BYTES / size_of_class(class));
        }
        store
    }
}

fn size_of_class(class: usize) -> usize {
    let small = SMALL / GRAIN;
    if class < small { (class + 1) * GRAIN } else { SMALL << (class + 1 - small) }
}

impl Drop for Store {
    fn drop(&mut self) {
        for (class, free) in self.0.iter_mut().enumerate() {
            while !free.first.is_null() {
                let first = free.first;
                // SAFETY: a block of this class that nobody else has.
                unsafe {
                    free.first = (*first).0;
                    System.dealloc(first.cast(), block(size_of_class(class)));
                }
            }
        }
    }
}

// SAFETY: blocks are the system's; one is in a store or given out, never both.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: says the caller; a thread's store is its own.
        unsafe {
            let Some((class, size)) = class_of(&layout) else { return System.alloc(layout) };
            if let Some(store) = STORE.get().as_mut() {
                let class = store.0.get_unchecked_mut(class);
                let first = class.first;
                if !first.is_null() {
                    class.first = (*first).0;
                    class.room += 1;
                    return first.cast();
                }
            }
            System.alloc(block(size))
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: says the caller; the block is as large as the layout.
        unsafe {
            if class_of(&layout).is_none() {
                return System.alloc_zeroed(layout);
            }
            let pointer = self.alloc(layout);
            if !pointer.is_null() {
                pointer.write_bytes(0, layout.size());
            }
            pointer
        }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the block is the caller's to give.
        unsafe {
            let Some((class, size)) = class_of(&layout) else { return System.dealloc(pointer, layout) };
            if let Some(store) = STORE.get().as_mut() {
                let class = store.0.get_unchecked_mut(class);
                if class.room > 0 {
                    class.room -= 1;
                    let free = pointer.cast::<Free>();
                    free.write(Free(class.first));
                    class.first = free;
                    return;
                }
            }
            System.dealloc(pointer, block(size));
        }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: says the caller; both layouts are valid, and the blocks at least as large as what is copied.
        unsafe {
            let new = Layout::from_size_align_unchecked(new_size, layout.align());
            match (class_of(&layout), class_of(&new)) {
                (Some(old), Some(new)) if old == new => return pointer,
                (None, None) => return System.realloc(pointer, layout, new_size),
                _ => {}
            }
            let moved = self.alloc(new);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(pointer, layout.size().min(new_size));
                self.dealloc(pointer, layout);
            }
            moved
        }
    }
}

/// While this lives, its thread's memory comes from a store.
pub struct Compilation {
    /// Whether an outer one has brought the store.
    nested: bool,
}

impl Compilation {
    pub fn begin() -> Self {
        let nested = !STORE.get().is_null();
        if !nested {
            let kept = KEPT.swap(null_mut(), Ordering::Acquire);
            STORE.set(if kept.is_null() { Box::into_raw(Store::new()) } else { kept });
        }
        Compilation { nested }
    }
}

impl Drop for Compilation {
    fn drop(&mut self) {
        if !self.nested {
            let store = STORE.replace(null_mut());
            let other = KEPT.swap(store, Ordering::AcqRel);
            if !other.is_null() {
                // SAFETY: a store made by `begin`, taken out of its place by this exchange.
                drop(unsafe { Box::from_raw(other) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_as_large_as_what_they_hold() {
        for size in (1..3000).chain([LARGE - 1, LARGE]) {
            let (class, rounded) = class_of(&block(size)).unwrap();
            assert!(
                class < CLASSES && rounded >= size && size_of_class(class) == rounded,
                "{size}: {class}, {rounded}"
            );
        }
        assert_eq!(class_of(&block(LARGE + 1)), None);
        assert_eq!(class_of(&Layout::from_size_align(64, 64).unwrap()), None);
    }

    #[test]
    fn blocks_survive_compilations_and_threads() {
        let fill = |round: usize| -> Vec<Vec<u8>> {
            (0..2000).map(|i| vec![(i + round) as u8; 1 + (i * 37 + round) % 5000]).collect()
        };
        let check = |made: Vec<Vec<u8>>, round: usize| {
            for (i, mut vector) in made.into_iter().enumerate() {
                vector.resize(vector.len() * 3, 7);
                let third = vector.len() / 3;
                assert!(vector[..third].iter().all(|byte| *byte == (i + round) as u8));
            }
        };
        let before = fill(0);
        let inside = {
            let _outer = Compilation::begin();
            let _nested = Compilation::begin();
            check(before, 0);
            check(fill(1), 1);
            fill(2)
        };
        check(inside, 2);
        let threads: Vec<_> = (0..4)
            .map(|round| {
                std::thread::spawn(move || {
                    let _compilation = Compilation::begin();
                    fill(round)
                })
            })
            .collect();
        for (round, thread) in threads.into_iter().enumerate() {
            check(thread.join().unwrap(), round);
        }
    }
}
