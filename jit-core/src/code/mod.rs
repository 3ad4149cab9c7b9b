//! Code memory: where machine code lives.
//!
//! *Problem*: thousands of small functions come and go; pages must never be writable and executable at once; a forked child
//! must keep running what it inherited without writing into its parent's memory. *Method*: private anonymous pages. Small
//! functions are packed into arenas whose pages become writable only while one is being copied in, which needs that nobody
//! runs compiled code meanwhile: true for whoever holds the GIL. Large functions, and those compiled without the GIL, get
//! pages of their own, written before they are ever executable; who has the GIL later may pack these too, since code that
//! all starts at the start of a page would compete for the same few lines of the caches.
//!
//! *Invariants*: a [`CodeBlock`] is executable and constant from the moment it exists; dropping it frees exactly its bytes.
//! The lock is held only for packed blocks, so only by holders of the GIL: a fork under the GIL never copies it locked.

mod arena;
mod pages;
mod perf_map;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arena::{ARENA, Arena, GRAIN};
pub use pages::{ExecutablePages, WritablePages, page_size};
use perf_map::PerfMap;

/// Where a function's code goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// Among others, if it is small. The publishing thread must hold the GIL (or be the only one to run compiled code).
    Packed,
    /// On pages of its own; any thread may publish.
    Fresh,
}

/// Settings of a code memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CodeOptions {
    /// Write `/tmp/perf-PID.map`.
    pub perf_map: bool,
}

/// What a code memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CodeStatistics {
    pub arenas: usize,
    /// Bytes of live packed blocks.
    pub packed: usize,
}

/// The pool that all compiled code of a process comes from. Cheap to clone; clones are the same pool.
#[derive(Clone)]
pub struct CodeMemory {
    shared: Arc<Shared>,
}

struct Shared {
    packed: Mutex<Packed>,
    perf_map: Option<Mutex<PerfMap>>,
}

#[derive(Default)]
struct Packed {
    /// By address, so that a block finds its own.
    arenas: BTreeMap<usize, Arena>,
    bytes: usize,
}

/// Nothing in here is left half-changed by a panic, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CodeMemory {
    pub fn new(options: CodeOptions) -> Self {
        let perf_map = options.perf_map.then(Mutex::default);
        CodeMemory { shared: Arc::new(Shared { packed: Mutex::default(), perf_map }) }
    }

    /// Copies position-independent code into executable memory.
    pub fn publish(&self, code: &[u8], align: usize, placement: Placement, name: &str) -> io::Result<CodeBlock> {
        if !align.is_power_of_two() || align > page_size() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        if placement == Placement::Packed && code.len() <= ARENA / 2 {
            return self.publish_packed(code, align, name);
        }
        let mut pages = WritablePages::new(code.len())?;
        pages.as_mut_slice()[..code.len()].copy_from_slice(code);
        let mut block = self.seal(pages, code.len(), name)?;
        block.movable = Some(align);
        Ok(block)
    }

    /// Puts a copy of a published block that has pages of its own among the others, if it is small; `None` if it stays where it
    /// is. The caller must hold the GIL, as for [`Placement::Packed`].
    pub fn pack(&self, block: &CodeBlock, name: &str) -> Option<CodeBlock> {
        match (&block.home, block.movable) {
            (Home::Own { .. }, Some(align)) if block.len <= ARENA / 2 => {
                self.publish_packed(block.bytes(), align, name).ok()
            }
            _ => None,
        }
    }

    /// Makes pages executable; the first `len` bytes are code.
    pub fn seal(&self, pages: WritablePages, len: usize, name: &str) -> io::Result<CodeBlock> {
        if len > pages.size() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let pages = pages.into_executable()?;
        self.note(pages.as_ptr(), len, name);
        Ok(CodeBlock { start: pages.as_ptr(), len, movable: None, home: Home::Own { _pages: pages } })
    }

    pub fn statistics(&self) -> CodeStatistics {
        let packed = lock(&self.shared.packed);
        CodeStatistics { arenas: packed.arenas.len(), packed: packed.bytes }
    }

    fn publish_packed(&self, code: &[u8], align: usize, name: &str) -> io::Result<CodeBlock> {
        let len = code.len().max(1).next_multiple_of(GRAIN);
        let mut guard = lock(&self.shared.packed);
        let packed = &mut *guard;
        let found = packed.arenas.iter_mut().find_map(|(&key, arena)| Some((key, arena.allocate(len, align)?)));
        let (key, at) = match found {
            Some(found) => found,
            None => {
                let mut arena = Arena::new()?;
                let at = arena.allocate(len, align).ok_or(io::ErrorKind::OutOfMemory)?;
                let key = arena.start() as usize;
                packed.arenas.insert(key, arena);
                (key, at)
            }
        };
        let arena = packed.arenas.get_mut(&key).expect("found or inserted above");
        // SAFETY: just allocated; nobody runs compiled code while a packed block is published (`Placement::Packed`).
        if let Err(error) = unsafe { arena.write(at, len, code) } {
            arena.release(at, len);
            return Err(error);
        }
        // SAFETY: `at` lies within the arena.
        let start = unsafe { arena.start().add(at) };
        packed.bytes += len;
        drop(guard);
        self.note(start, code.len(), name);
        let home = Home::Arena { shared: Arc::clone(&self.shared), key, at, reserved: len };
        Ok(CodeBlock { start, len: code.len(), movable: Some(align), home })
    }

    fn note(&self, start: *const u8, len: usize, name: &str) {
        if let Some(map) = &self.shared.perf_map {
            lock(map).add(start, len, name);
        }
    }
}

/// Executable code. Dropping it frees it: nothing may be running in it then.
pub struct CodeBlock {
    start: *const u8,
    len: usize,
    /// The alignment of code that can lie elsewhere, too.
    movable: Option<usize>,
    home: Home,
}

enum Home {
    Arena { shared: Arc<Shared>, key: usize, at: usize, reserved: usize },
    Own { _pages: ExecutablePages },
}

// SAFETY: constant memory, and a home that is itself `Send + Sync`.
unsafe impl Send for CodeBlock {}
// SAFETY: as above.
unsafe impl Sync for CodeBlock {}

impl CodeBlock {
    pub fn as_ptr(&self) -> *const u8 {
        self.start
    }

    /// In bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: readable for its whole length as long as the block lives; other blocks' publication keeps it readable.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for CodeBlock {
    fn drop(&mut self) {
        if let Home::Arena { shared, key, at, reserved } = &self.home {
            let mut packed = lock(&shared.packed);
            packed.bytes -= reserved;
            let Some(arena) = packed.arenas.get_mut(key) else { return };
            arena.release(*at, *reserved);
            // One arena is kept, or compiling and freeing a single function would map and unmap each time.
            if arena.is_empty() && packed.arenas.len() > 1 {
                packed.arenas.remove(key);
            }
        }
    }
}
