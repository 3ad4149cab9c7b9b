//! Code objects.

use crate::layout::{code, opcode};
use pyo3_ffi::PyObject;

view! {
    /// A code object.
    Code of "PyCodeObject" {
        co_consts, set_co_consts: *mut PyObject = code::CO_CONSTS;
        co_names, set_co_names: *mut PyObject = code::CO_NAMES;
        co_exceptiontable, set_co_exceptiontable: *mut PyObject = code::CO_EXCEPTIONTABLE;
        flags, set_flags: i32 = code::CO_FLAGS;
        argcount, set_argcount: i32 = code::CO_ARGCOUNT;
        posonlyargcount, set_posonlyargcount: i32 = code::CO_POSONLYARGCOUNT;
        kwonlyargcount, set_kwonlyargcount: i32 = code::CO_KWONLYARGCOUNT;
        stacksize, set_stacksize: i32 = code::CO_STACKSIZE;
        firstlineno, set_firstlineno: i32 = code::CO_FIRSTLINENO;
        nlocalsplus, set_nlocalsplus: i32 = code::CO_NLOCALSPLUS;
        nlocals, set_nlocals: i32 = code::CO_NLOCALS;
        nplaincellvars, set_nplaincellvars: i32 = code::CO_NPLAINCELLVARS;
        ncellvars, set_ncellvars: i32 = code::CO_NCELLVARS;
        nfreevars, set_nfreevars: i32 = code::CO_NFREEVARS;
        localsplusnames, set_localsplusnames: *mut PyObject = code::CO_LOCALSPLUSNAMES;
        localspluskinds, set_localspluskinds: *mut PyObject = code::CO_LOCALSPLUSKINDS;
        filename, set_filename: *mut PyObject = code::CO_FILENAME;
        name, set_name: *mut PyObject = code::CO_NAME;
        qualname, set_qualname: *mut PyObject = code::CO_QUALNAME;
        linetable, set_linetable: *mut PyObject = code::CO_LINETABLE;
        /// Code unit of the first `RESUME`: before it a frame is incomplete and invisible.
        firsttraceable, set_firsttraceable: i32 = code::FIRSTTRACEABLE;
        extra_block, set_extra_block: *mut u8 = code::CO_EXTRA;
        code_units, set_code_units: isize = crate::layout::object::OB_SIZE;
    }
}

impl Code {
    /// The first code unit, possibly specialised.
    #[inline(always)]
    pub fn first_unit(self) -> *mut u16 {
        self.as_ptr::<u8>().wrapping_add(code::CO_CODE_ADAPTIVE).cast()
    }

    /// The specialised code units as they are now.
    ///
    /// # Safety
    /// No Python code runs while the slice is in use (running code specialises itself).
    pub unsafe fn adaptive_units(&self) -> &[u16] {
        // SAFETY: `ob_size` units lie in the code object; nobody writes them, says the caller.
        unsafe { std::slice::from_raw_parts(self.first_unit(), self.code_units() as usize) }
    }

    /// Whether a call makes a generator, coroutine or asynchronous generator.
    #[inline(always)]
    pub fn makes_generator(self) -> bool {
        i64::from(self.flags()) & (code::CO_GENERATOR | code::CO_COROUTINE | code::CO_ASYNC_GENERATOR) != 0
    }

    /// Whether a function of this code has starred or keyword-only parameters.
    pub fn is_starred(self) -> bool {
        use columba_jit_core::bytecode::code::flags;
        self.flags() as u32 & (flags::VARARGS | flags::VARKEYWORDS) != 0 || self.kwonlyargcount() > 0
    }

    /// What somebody attached with `_PyCode_SetExtra` under `index`; null when nothing. Read inline, since every
    /// call of every function asks.
    #[inline(always)]
    pub fn extra(self, index: isize) -> *mut u8 {
        let block = self.extra_block();
        if block.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: `co_extra` points to `{ Py_ssize_t ce_size; void *ce_extras[ce_size]; }`.
        unsafe {
            if block.cast::<isize>().read() <= index {
                return std::ptr::null_mut();
            }
            block.add(8).cast::<*mut u8>().offset(index).read()
        }
    }

    /// Whether the instruction at a code unit is `LOAD_GLOBAL`, specialised or not.
    pub fn loads_global_at(self, unit: u32) -> bool {
        // SAFETY: nothing runs between here and the read.
        let unit = unsafe { self.adaptive_units() }.get(unit as usize).map_or(0, |unit| i64::from(*unit as u8));
        [opcode::LOAD_GLOBAL, opcode::LOAD_GLOBAL_ADAPTIVE, opcode::LOAD_GLOBAL_MODULE, opcode::LOAD_GLOBAL_BUILTIN]
            .contains(&unit)
    }

    /// Whether some unit *may* be a backward jump. A cache unit can look like one, so `true` is a guess, `false` sure.
    pub fn may_loop(self) -> bool {
        // SAFETY: nothing runs between here and the end of the scan.
        unsafe { self.adaptive_units() }.iter().any(|unit| is_backward_jump(*unit as u8))
    }
}

/// Whether the opcode, specialised or not, jumps backwards and polls.
pub fn is_backward_jump(op: u8) -> bool {
    [
        opcode::JUMP_BACKWARD,
        opcode::JUMP_BACKWARD_QUICK,
        opcode::POP_JUMP_BACKWARD_IF_TRUE,
        opcode::POP_JUMP_BACKWARD_IF_FALSE,
        opcode::POP_JUMP_BACKWARD_IF_NONE,
        opcode::POP_JUMP_BACKWARD_IF_NOT_NONE,
    ]
    .contains(&i64::from(op))
}
