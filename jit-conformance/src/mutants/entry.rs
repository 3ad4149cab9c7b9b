//! Mistakes of calling conventions: a layer around the compiled function, or around the helpers it calls.
//!
//! *Method*: the compiled function is entered through a shim that does one thing wrong; or the resolver gives, instead of a
//! helper's address, that of a few bytes of code that spoil the call on its way. *Invariant*: the shim's and the bytes' own
//! code keeps to the convention in everything else, and lives as long as the entry.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use columba_jit_core::backend::{Backend, Caps, CodeSink, CompileError, CompiledEntry, Config, EntryFn};
use columba_jit_core::code::{CodeBlock, CodeMemory, CodeOptions, Placement};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::op::{FIRST_EXIT, Symbol};
use columba_jit_core::unit::{CompileUnit, Resolver};

use crate::Section::{self, Abi, Edges, Texts};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryFault {
    ClobbersRbx,
    ClobbersR12,
    ClobbersRbp,
    StatusOffByOne,
    WritesBeyondOut,
    ThreadStateIsFrame,
    SharedContext,
    SharedByIr,
    #[cfg(feature = "cpython")]
    DenormalsFlushed,
}

pub(super) const ENTRY_MUTANTS: &[(&str, (Section, &str), EntryFault)] = &[
    ("rbx not kept", (Texts, "add"), EntryFault::ClobbersRbx),
    ("r12 not kept", (Texts, "add"), EntryFault::ClobbersR12),
    ("rbp not kept", (Texts, "add"), EntryFault::ClobbersRbp),
    ("status of an exit off by one", (Edges, "many exits"), EntryFault::StatusOffByOne),
    ("out written beyond the values", (Texts, "add"), EntryFault::WritesBeyondOut),
    ("thread state and frame confused", (Abi, "parameters of the function"), EntryFault::ThreadStateIsFrame),
    ("entries share a context", (Abi, "entries keep their own context"), EntryFault::SharedContext),
];

/// Seen where functions of one IR have different addresses, and where others depend on the floating point settings. The
/// second stays with its thread, so it is planted only in processes of their own.
#[cfg(feature = "cpython")]
pub(super) const ENTRY_MUTANTS_OF_PROCESSES: &[(&str, (Section, &str), EntryFault)] = &[
    ("functions with the same IR share code", (Section::Python, "constants[threshold-0]"), EntryFault::SharedByIr),
    ("denormal floats flushed to zero", (Section::Python, "floats[threshold-0]"), EntryFault::DenormalsFlushed),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HelperFault {
    Misaligned,
    IntsSwapped,
    FirstIntNarrowed,
    FourthIntLost,
    FloatNarrowed,
    ResultNarrowed,
}

pub(super) const HELPER_MUTANTS: &[(&str, (Section, &str), HelperFault)] = &[
    ("stack misaligned at calls", (Abi, "stack is aligned and values survive calls"), HelperFault::Misaligned),
    ("integer argument registers swapped", (Abi, "arguments of subscr"), HelperFault::IntsSwapped),
    ("integer arguments have 32 bits", (Abi, "arguments of unary_op"), HelperFault::FirstIntNarrowed),
    ("fourth argument lost", (Abi, "arguments of call"), HelperFault::FourthIntLost),
    ("float arguments are single", (Abi, "arguments of float_remainder"), HelperFault::FloatNarrowed),
    ("results have 32 bits", (Abi, "arguments of unary_op"), HelperFault::ResultNarrowed),
];

/// Enters compiled functions through a shim.
pub(super) struct Wrapping<'b> {
    backend: &'b dyn Backend,
    fault: EntryFault,
    /// What was compiled last.
    last: Arc<Mutex<Option<Arc<CompiledEntry>>>>,
    /// What was compiled, by its IR.
    by_ir: Mutex<HashMap<String, Arc<CompiledEntry>>>,
}

struct Shim {
    inner: Arc<CompiledEntry>,
    fault: EntryFault,
    last: Arc<Mutex<Option<Arc<CompiledEntry>>>>,
}

impl<'b> Wrapping<'b> {
    pub fn new(backend: &'b dyn Backend, fault: EntryFault) -> Self {
        Wrapping { backend, fault, last: Arc::default(), by_ir: Mutex::default() }
    }
}

impl Backend for Wrapping<'_> {
    fn name(&self) -> &'static str {
        self.backend.name()
    }

    fn caps(&self) -> Caps {
        self.backend.caps()
    }

    fn check(&self, config: &Config) -> Result<(), CompileError> {
        self.backend.check(config)
    }

    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError> {
        let mut inner = Arc::new(self.backend.compile(unit, config, sink)?);
        if self.fault == EntryFault::SharedByIr {
            let ir = Function { name: String::new(), ..unit.function.clone() }.to_string();
            let mut by_ir = self.by_ir.lock().unwrap_or_else(PoisonError::into_inner);
            inner = Arc::clone(by_ir.entry(ir).or_insert(inner));
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&inner));
        let shim = Box::new(Shim { inner, fault: self.fault, last: Arc::clone(&self.last) });
        let ctx: *const c_void = std::ptr::from_ref(&*shim).cast();
        let function: EntryFn = match self.fault {
            EntryFault::ClobbersRbx => clobbers_rbx,
            EntryFault::ClobbersR12 => clobbers_r12,
            EntryFault::ClobbersRbp => clobbers_rbp,
            _ => shim_entry,
        };
        // SAFETY: these functions read a `Shim` through `ctx`, which the owner keeps in place.
        Ok(unsafe { CompiledEntry::from_function(function, ctx, shim) })
    }
}

unsafe extern "C" fn shim_entry(
    ctx: *const c_void,
    ts: *mut c_void,
    frame: *mut c_void,
    out: *mut u64,
    entry: i64,
) -> i64 {
    // SAFETY: `compile` passed a `Shim` that lives as long as the entry.
    let shim = unsafe { &*ctx.cast::<Shim>() };
    let (ts, frame) = if shim.fault == EntryFault::ThreadStateIsFrame { (frame, ts) } else { (ts, frame) };
    let last = (shim.fault == EntryFault::SharedContext)
        .then(|| shim.last.lock().unwrap_or_else(PoisonError::into_inner).clone())
        .flatten();
    let inner = last.as_ref().unwrap_or(&shim.inner);
    // SAFETY: by the promise of whoever runs the entry.
    let status = unsafe { inner.call(ts, frame, out, entry) };
    match shim.fault {
        EntryFault::StatusOffByOne if status >= FIRST_EXIT => status + 1,
        EntryFault::WritesBeyondOut => {
            // SAFETY: the cases' out buffers have more words than any function of theirs fills, and this one is inside.
            unsafe { out.add(70).write(status as u64) };
            status
        }
        #[cfg(feature = "cpython")]
        EntryFault::DenormalsFlushed => {
            // All exceptions masked and rounding to nearest, as everywhere, and what `-ffast-math` sets.
            let settings = 0x9fc0u32;
            // SAFETY: the mistake that is planted; the process runs one Python program and ends.
            unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &settings, options(nostack, readonly)) };
            status
        }
        _ => status,
    }
}

macro_rules! clobbering {
    ($name:ident, $register:literal) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            ctx: *const c_void,
            ts: *mut c_void,
            frame: *mut c_void,
            out: *mut u64,
            entry: i64,
        ) -> i64 {
            std::arch::naked_asm!(
                "sub rsp, 8",
                "call {inner}",
                "add rsp, 8",
                concat!("mov ", $register, ", -1"),
                "ret",
                inner = sym shim_entry,
            )
        }
    };
}

clobbering!(clobbers_rbx, "rbx");
clobbering!(clobbers_r12, "r12");
clobbering!(clobbers_rbp, "rbp");

/// Calls helpers through a few bytes that spoil the call.
pub(super) struct Thunking<'b> {
    pub backend: &'b dyn Backend,
    pub fault: HelperFault,
}

struct ThunkResolver<'r> {
    resolver: &'r dyn Resolver,
    fault: HelperFault,
    memory: CodeMemory,
    thunks: RefCell<Vec<CodeBlock>>,
}

impl Resolver for ThunkResolver<'_> {
    fn symbol(&self, symbol: Symbol) -> u64 {
        self.resolver.symbol(symbol)
    }

    fn helper(&self, helper: Helper) -> u64 {
        let bytes = thunk(self.fault, self.resolver.helper(helper));
        let block = self.memory.publish(&bytes, 16, Placement::Fresh, "thunk").expect("code memory for a thunk");
        let address = block.as_ptr() as u64;
        self.thunks.borrow_mut().push(block);
        address
    }
}

/// Machine code that calls `callee` wrongly.
fn thunk(fault: HelperFault, callee: u64) -> Vec<u8> {
    let spoil: &[u8] = match fault {
        HelperFault::IntsSwapped => &[0x48, 0x87, 0xf7], // xchg rdi, rsi
        HelperFault::FirstIntNarrowed => &[0x89, 0xff],  // mov edi, edi
        HelperFault::FourthIntLost => &[0x31, 0xc9],     // xor ecx, ecx
        // cvtsd2ss xmm0, xmm0; cvtss2sd xmm0, xmm0
        HelperFault::FloatNarrowed => &[0xf2, 0x0f, 0x5a, 0xc0, 0xf3, 0x0f, 0x5a, 0xc0],
        HelperFault::Misaligned => &[],
        HelperFault::ResultNarrowed => &[0x48, 0x83, 0xec, 0x08], // sub rsp, 8
    };
    let then: &[u8] = match fault {
        // The return address alone lies between: the callee's stack is off by 8.
        HelperFault::Misaligned => &[0xff, 0xd0, 0xc3], // call rax; ret
        // call rax; mov eax, eax; add rsp, 8; ret
        HelperFault::ResultNarrowed => &[0xff, 0xd0, 0x89, 0xc0, 0x48, 0x83, 0xc4, 0x08, 0xc3],
        _ => &[0xff, 0xe0], // jmp rax
    };
    [spoil, &[0x48, 0xb8], &callee.to_le_bytes(), then].concat() // mov rax, callee
}

impl Backend for Thunking<'_> {
    fn name(&self) -> &'static str {
        self.backend.name()
    }

    fn caps(&self) -> Caps {
        self.backend.caps()
    }

    fn check(&self, config: &Config) -> Result<(), CompileError> {
        self.backend.check(config)
    }

    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError> {
        let resolver = ThunkResolver {
            resolver: unit.resolver,
            fault: self.fault,
            memory: CodeMemory::new(CodeOptions::default()),
            thunks: RefCell::default(),
        };
        let entry = self.backend.compile(&CompileUnit { resolver: &resolver, ..*unit }, config, sink)?;
        Ok(entry.with_owner(Box::new(resolver.thunks.into_inner())))
    }
}
