//! How deep the C stack may grow.
//!
//! Problem: with a PEP 523 hook every Python call takes C stack, which `sys.setrecursionlimit` knows nothing of.
//! Method: each thread's stack bounds are asked once (`pthread_getattr_np`; the main thread's follow `RLIMIT_STACK`);
//! the hook and compiled frames compare the stack pointer with the *soft* limit, which leaves half of the stack (at
//! most 4 MiB) to C code below.
//! Invariant: the two cached words describe the thread whose `id` is cached; they are read and written under the GIL.

use crate::thread::ThreadState;
use std::cell::Cell;

/// The cached answer for the thread that asked last.
struct Cached {
    thread_id: Cell<u64>,
    soft_limit: Cell<usize>,
    size_above: Cell<usize>,
}

// SAFETY: accessed under the GIL only, says the module's invariant.
unsafe impl Sync for Cached {}

static CACHED: Cached = Cached { thread_id: Cell::new(u64::MAX), soft_limit: Cell::new(0), size_above: Cell::new(0) };

const RESERVE: usize = 4 << 20;

thread_local! {
    static BOUNDS: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// Whether this thread's stack is far from its end, as far as can be said without asking.
#[inline(always)]
pub fn is_surely_shallow(thread: ThreadState) -> bool {
    stack_pointer().wrapping_sub(CACHED.soft_limit.get()) < CACHED.size_above.get()
        && CACHED.thread_id.get() == thread.id()
}

/// Whether the stack pointer is below the soft limit of this thread.
#[inline]
pub fn is_deep(thread: ThreadState) -> bool {
    !is_surely_shallow(thread) && is_deep_uncached(thread, stack_pointer())
}

/// The stack pointer, or an address close to it.
#[inline(always)]
fn stack_pointer() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        let pointer: usize;
        // SAFETY: copies a register.
        unsafe { std::arch::asm!("mov {}, rsp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
        pointer
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let here = 0u8;
        (&raw const here) as usize
    }
}

#[cold]
#[inline(never)]
fn is_deep_uncached(thread: ThreadState, here: usize) -> bool {
    let mut bounds = BOUNDS.get();
    // Ask again where the stack seems used up: the limit of the main thread's stack may have been raised.
    if bounds.is_none_or(|(soft, high)| here < soft || here >= high) {
        bounds = ask();
        BOUNDS.set(bounds);
    }
    let Some((soft, high)) = bounds else { return false };
    if here >= high {
        // Not on the thread's own stack (a coroutine library's): nothing is known about its size.
        return false;
    }
    CACHED.thread_id.set(thread.id());
    CACHED.soft_limit.set(soft);
    CACHED.size_above.set(high - soft);
    here < soft
}

/// The soft limit that [`is_deep`] last used: an address that compiled frames may compare with.
pub fn soft_limit() -> usize {
    CACHED.soft_limit.get()
}

/// Soft limit and highest address of the calling thread's stack.
fn ask() -> Option<(usize, usize)> {
    // SAFETY: plain calls into pthreads with out-parameters that live on this stack.
    unsafe {
        let mut attributes = std::mem::zeroed::<libc::pthread_attr_t>();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return None;
        }
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        let failed = libc::pthread_attr_getstack(&attributes, &mut low, &mut size) != 0;
        libc::pthread_attr_destroy(&mut attributes);
        if failed || size == 0 {
            return None;
        }
        let low = low as usize;
        Some((low + (size / 2).min(RESERVE), low + size))
    }
}
