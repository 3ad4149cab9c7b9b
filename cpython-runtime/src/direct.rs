//! How a code object's compiled code is entered with a frame that its caller makes.
//!
//! *Problem*: whoever calls a function from compiled code should find its compiled code by a few loads, not by a
//! search. *Method*: the block behind a code object's extra pointer begins with a [`Direct`]. Whoever compiles opens
//! and closes it; [`direct_calls`](crate::direct_calls) reads it. *Invariant*: while it is open, the version it names
//! is alive.

use crate::{arguments::KeywordDefaults, code::Code, layout::frame, spare_functions::Spares};
use pyo3_ffi::PyThreadState;
use std::{
    cell::Cell,
    ffi::c_void,
    ptr::null_mut,
    sync::atomic::{AtomicIsize, AtomicU64, Ordering::Relaxed},
};

/// The machine-level entry of compiled code. `out` belongs to the activation. Returns a status:
/// [`Status`](columba_jit_core::ir::op::Status), or that of an exit.
pub type Entry = unsafe extern "C" fn(
    ctx: *const c_void,
    thread: *mut PyThreadState,
    frame: *mut c_void,
    out: *mut u64,
    entry: i64,
) -> i64;

/// Words of `out` that an activation has on the C stack; code that needs more is not entered from here.
pub const OUT_WORDS: usize = 64;

/// How a code object's compiled code is entered with a frame that its caller makes: what the block behind the code object's
/// extra pointer begins with.
#[repr(C)]
pub struct Direct {
    entry: Cell<Option<Entry>>,
    pub(crate) ctx: Cell<*const c_void>,
    /// Entry number of the function's start.
    pub(crate) start: Cell<i64>,
    /// The version all this is of: for [`Finish`](crate::entering::Finish).
    pub(crate) version: Cell<*const c_void>,
    shape: Cell<Shape>,
    /// How often it was entered.
    pub entered: Cell<u64>,
    /// What an entry from the interpreter is thought to save, in nanoseconds.
    gain: u64,
    /// Functions of this code that have died.
    pub(crate) spares: Spares,
    pub(crate) keyword_defaults: KeywordDefaults,
}

/// Nanoseconds that entering compiled code from the interpreter is thought to have saved, since whoever asks set this to zero.
pub static GAINED: AtomicU64 = AtomicU64::new(0);

impl Direct {
    /// Code that is not to be entered. Every entry will save this many nanoseconds.
    pub const fn closed(gain: u64) -> Direct {
        Direct {
            entry: Cell::new(None),
            ctx: Cell::new(null_mut()),
            start: Cell::new(0),
            version: Cell::new(null_mut()),
            shape: Cell::new(Shape::NONE),
            entered: Cell::new(0),
            gain,
            spares: Spares::none(),
            keyword_defaults: KeywordDefaults::none(),
        }
    }

    /// From now on callers enter this version of the code object, which stays alive at least as long as that.
    pub fn open(&self, code: Code, entry: Entry, ctx: *const c_void, start: i64, version: *const c_void) {
        self.shape.set(Shape::of(code));
        self.entry.set(Some(entry));
        self.ctx.set(ctx);
        self.start.set(start);
        self.version.set(version);
    }

    /// The code object dies.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn end(&self) {
        // SAFETY: says the caller.
        unsafe { self.spares.clear() };
    }

    /// The interpreter enters this code.
    #[inline(always)]
    pub fn count_gain(&self) {
        GAINED.store(GAINED.load(Relaxed).wrapping_add(self.gain), Relaxed);
    }

    #[inline(always)]
    pub(crate) fn entry(&self) -> Option<Entry> {
        self.entry.get()
    }

    /// Of the frames that callers make. Means nothing while no caller enters.
    #[inline(always)]
    pub(crate) fn shape(&self) -> Shape {
        self.shape.get()
    }

    /// No caller enters from now on.
    pub fn close(&self) {
        self.entry.set(None);
    }

    #[inline(always)]
    pub(crate) fn of<'a>(code: Code) -> Option<&'a Direct> {
        // SAFETY: whoever owns the extra index has stored null or a block that begins with this.
        unsafe { code.extra(EXTRA.load(Relaxed)).cast::<Direct>().as_ref() }
    }
}

/// What the frames of a code object have in common.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Of a frame.
    pub words: usize,
    /// No call has as many arguments as code with starred or keyword-only parameters is said to take.
    pub arguments: usize,
    pub locals: usize,
    /// The code unit before the first.
    pub before_first: *mut u16,
}

impl Shape {
    const NONE: Shape = Shape { words: 0, arguments: 0, locals: 0, before_first: null_mut() };

    const STARRED: usize = usize::MAX;

    pub fn of(code: Code) -> Shape {
        let locals = code.nlocalsplus() as usize;
        Shape {
            words: locals + code.stacksize() as usize + frame::SPECIALS_WORDS as usize,
            arguments: if code.is_starred() { Shape::STARRED } else { code.argcount() as usize },
            locals,
            before_first: code.first_unit().wrapping_sub(1),
        }
    }

    #[inline(always)]
    pub fn is_starred(self) -> bool {
        self.arguments == Shape::STARRED
    }
}

static EXTRA: AtomicIsize = AtomicIsize::new(-1);

/// Registers the index under which extra pointers to blocks that begin with a [`Direct`] are kept.
pub(crate) fn register(extra: isize) {
    EXTRA.store(extra, Relaxed);
}
