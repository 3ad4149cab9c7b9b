//! How CPython ends daemon threads, made harmless to native frames.
//!
//! Problem: when the interpreter shuts down, CPython 3.11 ends every other thread that asks for the GIL by `pthread_exit`
//! (`take_gil` in Python/ceval_gil.h, `PyThread_exit_thread` in Python/thread_pthread.h). glibc unwinds the thread's stack
//! for it, and a stack on which compiled code called a helper cannot be unwound: Rust's personality routine ends the
//! process at a frame that promised not to unwind. Python 3.14 met the same trouble with C++ frames and lets such threads
//! sleep until the process is gone (gh-87135).
//! Method: the same for 3.11. The one slot of the global offset table through which the interpreter's library calls
//! `pthread_exit` is pointed at a function that sleeps.
//! Invariants: only the object file that holds `PyThread_exit_thread` is changed, so extension modules keep their own
//! `pthread_exit`; the slot's page is writable only while the slot is written; the change stays when columba is disabled,
//! since frames of compiled code may still be on some stack.

use libc::{Elf64_Phdr, Elf64_Rela, Elf64_Sym, dl_phdr_info};
use std::{
    ffi::{CStr, c_int, c_void},
    io,
    ops::Range,
    slice,
    sync::OnceLock,
};

/// An entry of a dynamic section (`Elf64_Dyn` in elf.h).
#[repr(C)]
#[derive(Clone, Copy)]
struct Dynamic {
    tag: i64,
    value: u64,
}

// Tags of the dynamic section and relocation types (elf.h).
const DT_NULL: i64 = 0;
const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_JMPREL: i64 = 23;
const R_X86_64_GLOB_DAT: u64 = 6;
const R_X86_64_JUMP_SLOT: u64 = 7;

static REDIRECTED: OnceLock<Result<(), String>> = OnceLock::new();

/// Lets threads that the interpreter ends sleep instead; done once.
pub fn install() {
    REDIRECTED.get_or_init(|| redirect().map_err(|error| error.to_string()));
}

/// Why such threads do not sleep, if they do not: one that is in compiled code then aborts the process, after everything
/// the program does at exit.
pub fn refusal() -> Option<&'static str> {
    REDIRECTED.get()?.as_ref().err().map(String::as_str)
}

/// What the interpreter calls in place of `pthread_exit`. The thread does not hold the GIL, and nobody waits for it.
unsafe extern "C" fn sleep_for_good(_value: *mut c_void) -> ! {
    loop {
        // SAFETY: waits for a signal; its handler, if any, runs as on any thread.
        unsafe { libc::pause() };
    }
}

fn redirect() -> io::Result<()> {
    unsafe extern "C" {
        fn PyThread_exit_thread() -> !;
    }
    let mut search = Search { within: PyThread_exit_thread as *const () as usize, slots: Vec::new() };
    // SAFETY: the callback has the right type and gets the search back.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    if search.slots.is_empty() {
        return Err(io::Error::other("the interpreter does not call pthread_exit through its global offset table"));
    }
    search.slots.into_iter().try_for_each(|slot| write_slot(slot, sleep_for_good as *const () as usize))
}

/// Looks for the slots in the object file that holds an address.
struct Search {
    within: usize,
    slots: Vec<*mut usize>,
}

unsafe extern "C" fn visit(info: *mut dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
    // SAFETY: the dynamic linker describes a loaded object; `redirect` passed its search.
    let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
    // SAFETY: as above; the headers are in memory.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = info.dlpi_addr as usize;
    let range = |header: &Elf64_Phdr| -> Range<usize> {
        let start = base + header.p_vaddr as usize;
        start..start + header.p_memsz as usize
    };
    if !headers.iter().any(|header| header.p_type == libc::PT_LOAD && range(header).contains(&search.within)) {
        return 0;
    }
    if let Some(dynamic) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) {
        // SAFETY: a loaded object's dynamic section.
        search.slots = unsafe { slots_of(base, range(dynamic).start as *const Dynamic) };
    }
    1
}

/// The slots through which an object file reaches `pthread_exit`.
///
/// # Safety
/// `dynamic` is the dynamic section of an object loaded at `base`.
unsafe fn slots_of(base: usize, dynamic: *const Dynamic) -> Vec<*mut usize> {
    let find = |tag: i64| -> Option<usize> {
        let mut entry = dynamic;
        loop {
            // SAFETY: the section ends with `DT_NULL`.
            let Dynamic { tag: found, value } = unsafe { *entry };
            match found {
                DT_NULL => return None,
                found if found == tag => return Some(value as usize),
                _ => {}
            }
            // SAFETY: the entry was not the last.
            entry = unsafe { entry.add(1) };
        }
    };
    // The dynamic linker has made addresses of the offsets, except in objects whose dynamic section is read-only.
    let address = |tag: i64| find(tag).map(|value| if value < base { value + base } else { value });
    let (Some(names), Some(symbols)) = (address(DT_STRTAB), address(DT_SYMTAB)) else { return Vec::new() };
    let tables = [(DT_JMPREL, DT_PLTRELSZ), (DT_RELA, DT_RELASZ)];
    let relocations = tables.into_iter().filter_map(|(table, size)| Some((address(table)?, find(size)?)));
    let mut slots = Vec::new();
    for (table, size) in relocations {
        // SAFETY: a table of this size in memory.
        let table = unsafe { slice::from_raw_parts(table as *const Elf64_Rela, size / size_of::<Elf64_Rela>()) };
        for relocation in table {
            if !matches!(relocation.r_info & 0xffff_ffff, R_X86_64_GLOB_DAT | R_X86_64_JUMP_SLOT) {
                continue;
            }
            // SAFETY: a relocation's symbol is in the symbol table, its name in the string table.
            let name = unsafe {
                let symbol = &*(symbols as *const Elf64_Sym).add((relocation.r_info >> 32) as usize);
                CStr::from_ptr((names + symbol.st_name as usize) as *const _)
            };
            if name == c"pthread_exit" {
                slots.push((base + relocation.r_offset as usize) as *mut usize);
            }
        }
    }
    slots
}

/// Writes a slot that may be write-protected (`PT_GNU_RELRO`); a page that was is so again afterwards.
fn write_slot(slot: *mut usize, value: usize) -> io::Result<()> {
    // SAFETY: asks for the size of a page.
    let page_size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let page = (slot as usize & !(page_size - 1)) as *mut c_void;
    let protect = |protection: c_int| {
        // SAFETY: the page holds a global offset table: data, never code.
        match unsafe { libc::mprotect(page, page_size, protection) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    let writable = is_writable(slot as usize)?;
    if !writable {
        protect(libc::PROT_READ | libc::PROT_WRITE)?;
    }
    // SAFETY: an aligned slot; a thread that calls through it reads the old value or the new one.
    unsafe { slot.write_volatile(value) };
    if writable { Ok(()) } else { protect(libc::PROT_READ) }
}

/// Whether an address lies in writable memory.
fn is_writable(address: usize) -> io::Result<bool> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let writable = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        (start..end).contains(&address).then(|| rest.as_bytes().get(1) == Some(&b'w'))
    });
    writable.ok_or_else(|| io::Error::other("the slot is not mapped"))
}
