//! Frames of the interpreter (`_PyInterpreterFrame`) and the generators that own some of them.
//!
//! Life of a frame in 3.11: `_PyEval_Vector` or `gen_send_ex2` makes it and calls the hook with it *unlinked*; the hook
//! runs it (natively: [`Frame::link`] first) and hands it back unlinked with depth 0; the caller clears it.
//! Invariants kept here: `prev_instr` is the code unit *before* the next one to run, or, while a native instruction
//! runs, that instruction itself; every slot below `stacktop` is an owned reference or null.

use crate::{
    code::Code,
    layout::{frame, frame_object, generator},
    thread::ThreadState,
};
use pyo3_ffi::PyObject;

view! {
    /// A frame of the interpreter.
    Frame of "_PyInterpreterFrame" {
        f_func, set_f_func: *mut PyObject = frame::F_FUNC;
        f_globals, set_f_globals: *mut PyObject = frame::F_GLOBALS;
        f_builtins, set_f_builtins: *mut PyObject = frame::F_BUILTINS;
        f_locals, set_f_locals: *mut PyObject = frame::F_LOCALS;
        f_code, set_f_code: *mut PyObject = frame::F_CODE;
        /// The frame object, or null while nobody has looked at this frame.
        frame_obj, set_frame_obj: *mut PyObject = frame::FRAME_OBJ;
        previous, set_previous: *mut u8 = frame::PREVIOUS;
        prev_instr, set_prev_instr: *mut u16 = frame::PREV_INSTR;
        /// Number of slots in use counted from `localsplus`; -1 while the interpreter runs the frame.
        stacktop, set_stacktop: i32 = frame::STACKTOP;
        /// Whether the interpreter entered this frame from C. Native code keeps it `false`.
        is_entry, set_is_entry: bool = frame::IS_ENTRY;
        owner, set_owner: u8 = frame::OWNER;
    }
}

impl Frame {
    /// Whether the pointer is null (no frame).
    #[inline(always)]
    pub fn is_null(self) -> bool {
        self.as_ptr::<u8>().is_null()
    }

    /// The code object.
    #[inline(always)]
    pub fn code(self) -> Code {
        // SAFETY: a live frame owns its code object.
        unsafe { Code::new(self.f_code()) }
    }

    /// Address of slot 0: locals, cells and free variables first, the value stack after them.
    #[inline(always)]
    pub fn localsplus(self) -> *mut *mut PyObject {
        // SAFETY: the array lies in the frame.
        unsafe { self.as_ptr::<u8>().add(frame::LOCALSPLUS).cast() }
    }

    /// The value of a slot: borrowed, or null.
    ///
    /// # Safety
    /// `index` is below `co_nlocalsplus + co_stacksize`, and the slot has been initialised.
    #[inline(always)]
    pub unsafe fn slot(self, index: usize) -> *mut PyObject {
        // SAFETY: within the frame, says the caller.
        unsafe { self.localsplus().add(index).read() }
    }

    /// Stores into a slot; takes over the reference, drops nothing.
    ///
    /// # Safety
    /// As for [`Frame::slot`]; what the slot held has been taken care of.
    #[inline(always)]
    pub unsafe fn set_slot(self, index: usize, value: *mut PyObject) {
        // SAFETY: within the frame, says the caller.
        unsafe { self.localsplus().add(index).write(value) }
    }

    /// Number of values on the value stack, when the interpreter is not running the frame.
    #[inline(always)]
    pub fn depth(self) -> i32 {
        self.stacktop() - self.code().nlocalsplus()
    }

    /// Sets the number of values on the value stack.
    #[inline(always)]
    pub fn set_depth(self, depth: i32) {
        self.set_stacktop(self.code().nlocalsplus() + depth);
    }

    /// Offset in code units of `prev_instr`; -1 in a frame that has not begun.
    #[inline(always)]
    pub fn lasti(self) -> isize {
        (self.prev_instr() as isize - self.code().first_unit() as isize) >> 1
    }

    /// "The instruction at code unit `offset` is being executed": what line numbers and handlers are found from.
    #[inline(always)]
    pub fn mark_at(self, offset: usize) {
        self.set_prev_instr(self.code().first_unit().wrapping_add(offset));
    }

    /// The interpreter, entered with this frame, runs the instruction at code unit `offset` next.
    #[inline(always)]
    pub fn resume_at(self, offset: usize) {
        self.set_prev_instr(self.code().first_unit().wrapping_add(offset).wrapping_sub(1));
    }

    /// Whether a generator, coroutine or asynchronous generator owns the frame.
    #[inline(always)]
    pub fn is_generator_owned(self) -> bool {
        self.owner() == frame::OWNED_BY_GENERATOR as u8
    }

    /// The generator around a frame for which [`Frame::is_generator_owned`] holds.
    ///
    /// # Safety
    /// The frame is owned by a generator.
    #[inline(always)]
    pub unsafe fn generator(self) -> Generator {
        // SAFETY: the frame lies inside its generator at this offset.
        unsafe { Generator::new(self.as_ptr::<u8>().sub(generator::GI_IFRAME)) }
    }

    /// Makes the frame the thread's current one: visible to tracebacks, `sys._getframe` and C code.
    ///
    /// A native frame is marked as no entry frame, which keeps the interpreter's own loop and the ticker off it.
    #[inline(always)]
    pub fn link(self, thread: ThreadState) {
        let cframe = thread.cframe();
        self.set_previous(cframe.current_frame());
        self.set_is_entry(false);
        // As the interpreter does: the garbage collector must not look at stale stack slots of a running generator.
        self.set_stacktop(-1);
        cframe.set_current_frame(self.as_ptr());
    }

    /// Undoes [`Frame::link`]. The interpreter must never be entered with a linked frame: it would point at itself.
    #[inline(always)]
    pub fn unlink(self, thread: ThreadState) {
        let cframe = thread.cframe();
        debug_assert_eq!(cframe.current_frame(), self.as_ptr());
        cframe.set_current_frame(self.previous());
    }

    /// Whether a debugger asked for opcode events, or for no line events, on this frame's object.
    pub fn has_unusual_trace_switches(self) -> bool {
        let object = self.frame_obj().cast::<u8>();
        // SAFETY: a frame owns its frame object; both switches are one byte.
        !object.is_null()
            && unsafe {
                object.add(frame_object::F_TRACE_OPCODES).read() != 0
                    || object.add(frame_object::F_TRACE_LINES).read() == 0
            }
    }
}

view! {
    /// A generator, coroutine or asynchronous generator: the three share this beginning.
    Generator of "PyGenObject" {
        /// `STATE_*` of [`crate::layout::frame`].
        frame_state, set_frame_state: i8 = generator::GI_FRAME_STATE;
    }
}

impl Generator {
    /// The frame inside.
    #[inline(always)]
    pub fn frame(self) -> Frame {
        // SAFETY: the frame lies inside the generator, alive as it is.
        unsafe { Frame::new(self.as_ptr::<u8>().add(generator::GI_IFRAME)) }
    }

    /// The entry of the exception stack that is this generator's own.
    #[inline(always)]
    pub fn exc_state(self) -> *mut u8 {
        self.as_ptr::<u8>().wrapping_add(generator::GI_EXC_STATE)
    }
}
