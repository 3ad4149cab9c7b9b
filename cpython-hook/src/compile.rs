//! From a live code object to machine code: the seam between the hook and the compiler.
//!
//! The hook asks for a compilation ([`compile`]) and gets either something it can enter ([`CompiledCode`]) or a reason
//! ([`Refusal`]). Invariants: nothing here is visible to the Python program (no exception is left set, no Python code
//! runs); a panic of the compiler is caught by the caller and counts as a refusal.

use crate::code_state::ExitKey;
use columba_cpython_runtime::{code::Code, frame::Frame};
use columba_jit_core::exit::Exit;
use pyo3::ffi::PyThreadState;
use std::{any::Any, ffi::c_void, time::Duration};

/// Names of the backends compiled in.
pub const BACKENDS: &[&str] = &["cranelift"];

/// Names of the optimisation passes, for `disable_passes`.
pub const PASSES: &[&str] =
    &["constant_folding", "copy_propagation", "dead_code", "redundant_guards", "refcounts", "unboxing"];

/// The machine-level entry of compiled code. `out` has room for [`CompiledCode::out_words`] words and belongs to this
/// activation. Returns a status: 0 returned, 1 raised, 2 yielded (value in `out[0]`), 16 + n: exit n was taken.
pub type Entry = unsafe extern "C" fn(
    ctx: *const c_void,
    thread: *mut PyThreadState,
    frame: *mut c_void,
    out: *mut u64,
    entry: i64,
) -> i64;

/// Why a compilation is asked for, and what may be looked at.
pub struct CompileRequest<'a> {
    /// The frame that is about to run: its arguments, globals and cells are type feedback. Absent for a compilation on
    /// demand.
    pub frame: Option<Frame>,
    /// Code unit of the loop header at which the frame stands, when it is to be entered in the middle.
    pub loop_header: Option<u32>,
    /// Guesses that failed too often: to be generalised.
    pub generalise: &'a [ExitKey],
    /// The last version allowed: no guess at all.
    pub generic: bool,
    /// Collect the text of every stage ([`CompiledCode::dump`]).
    pub dump: bool,
}

/// Machine code of one version of a code object.
pub struct CompiledCode {
    pub entry: Entry,
    pub ctx: *const c_void,
    /// Keeps machine code, context and referenced objects alive.
    pub owner: Box<dyn Any>,
    /// Where compiled code can be entered with the state in the frame: (code unit that runs next, entry number),
    /// sorted. A fresh function frame is code unit 0; a generator resumes at the unit after its `YIELD_VALUE`.
    pub entries: Box<[(u32, i64)]>,
    pub exits: Box<[Exit]>,
    /// Words of the `out` buffer that entries need, at least 1.
    pub out_words: usize,
    /// Size of the machine code.
    pub bytes: usize,
    pub compile_time: Duration,
    pub tier: &'static str,
    pub optimisations: Vec<String>,
    /// IR before lowering, and machine code, as text; `native` is the machine code itself.
    pub ir: String,
    pub native: Vec<u8>,
    pub dump: String,
}

impl CompiledCode {
    /// The entry number for a frame whose next instruction is at this code unit.
    #[inline]
    pub fn entry_at(&self, offset: u32) -> Option<i64> {
        self.entries.binary_search_by_key(&offset, |entry| entry.0).ok().map(|index| self.entries[index].1)
    }
}

/// Why a code object was not compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    pub reason: String,
}

/// Compiles a code object.
pub fn compile(code: Code, request: &CompileRequest<'_>) -> Result<CompiledCode, Refusal> {
    let _ = (code, request);
    Err(Refusal { reason: "there is no compiler yet".to_owned() })
}

/// `dis(f)`: the bytecode with the types that were inferred, as text.
pub fn disassemble(code: Code) -> Result<String, Refusal> {
    let _ = code;
    Err(Refusal { reason: "there is no compiler yet".to_owned() })
}
