//! Pages in their two phases: writable, then executable; never both.
//!
//! *Method*: private anonymous mappings. A type per phase, so that writing executable pages or running writable ones does not
//! compile. After `fork` each process has its own copy: a child's write is not seen by its parent.

use std::io;
use std::ptr::NonNull;

/// A mapping; unmapped when dropped.
struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping is plain memory; who may touch it is decided by the types that own it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn protect(&self, protection: libc::c_int) -> io::Result<()> {
        // SAFETY: the range is exactly the mapping we own.
        match unsafe { libc::mprotect(self.start.as_ptr().cast(), self.len, protection) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is exactly the mapping we own, and nothing refers to it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// The size of a page in bytes.
pub fn page_size() -> usize {
    // SAFETY: no preconditions.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Pages that can be read and written.
pub struct WritablePages(Mapping);

impl WritablePages {
    /// At least `len` bytes, zeroed.
    pub fn new(len: usize) -> io::Result<Self> {
        let len = len.max(1).checked_next_multiple_of(page_size()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(WritablePages(Mapping { start, len }))
    }

    /// Whole pages, in bytes.
    pub fn size(&self) -> usize {
        self.0.len
    }

    /// The address the bytes will also have once executable.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.start.as_ptr()
    }

    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: mapped readable and writable for its whole length, initialised to zero by the kernel, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.0.start.as_ptr(), self.0.len) }
    }

    pub fn into_executable(self) -> io::Result<ExecutablePages> {
        self.0.protect(libc::PROT_READ | libc::PROT_EXEC)?;
        Ok(ExecutablePages(self.0))
    }
}

/// Pages that can be read and executed.
pub struct ExecutablePages(Mapping);

impl ExecutablePages {
    pub fn as_ptr(&self) -> *const u8 {
        self.0.start.as_ptr()
    }

    pub fn size(&self) -> usize {
        self.0.len
    }

    /// Makes the pages writable, lets `write` at them, and makes them executable again.
    ///
    /// The whole mapping changes at once: part of one would split the kernel's record of it, which can fail half-way and
    /// would leave other functions in it unusable.
    ///
    /// # Safety
    /// No thread executes code in these pages meanwhile, and `write` changes only bytes that are not live code.
    pub unsafe fn rewrite(&mut self, write: impl FnOnce(&mut [u8])) -> io::Result<()> {
        self.0.protect(libc::PROT_READ | libc::PROT_WRITE)?;
        // SAFETY: mapped readable and writable for its whole length just now, and borrowed mutably.
        write(unsafe { std::slice::from_raw_parts_mut(self.0.start.as_ptr(), self.0.len) });
        self.0.protect(libc::PROT_READ | libc::PROT_EXEC)
    }
}
