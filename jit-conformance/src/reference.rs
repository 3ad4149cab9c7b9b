//! The reference interpreter as a backend: what all others are compared with passes the suite itself.
//!
//! *Problem*: the suite must be right before a backend can be wrong. *Method*: `compile` keeps a copy of the function with
//! its symbols and helpers resolved; an entry's `ctx` is that copy, and running it is [`interpret`] over the process's own
//! memory. Helpers are called by address through one C function type: on x86-64 Linux the integer registers, the float
//! registers and the stack words are filled independently, so a callee sees its own arguments whatever else is passed.
//! *Invariants*: form is checked as for every other backend, by driving an emitter; a run that reaches what the IR leaves
//! undefined gives the status [`TRAPPED`].

use std::collections::HashMap;
use std::ffi::c_void;

use columba_jit_core::backend::{Backend, Caps, CodeSink, CompileError, CompiledEntry, Config};
use columba_jit_core::drive::drive;
use columba_jit_core::emitter::{MachineTy, Signature};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::interpret::{Arguments, Environment, extend, interpret};
use columba_jit_core::ir::op::{Op, Symbol};
use columba_jit_core::ir::types::MemTy;
use columba_jit_core::unit::CompileUnit;

use crate::tape::TapeEmitter;

/// The status of a run that could not go on.
pub(crate) const TRAPPED: i64 = -1;

/// Runs the IR as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReferenceBackend;

impl ReferenceBackend {
    pub fn new() -> Self {
        ReferenceBackend
    }
}

/// A function with everything it needs of its unit.
struct Kept {
    function: Function,
    symbols: HashMap<Symbol, u64>,
    helpers: HashMap<Helper, (u64, Signature)>,
}

impl Backend for ReferenceBackend {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn caps(&self) -> Caps {
        Caps::BACKGROUND
    }

    fn check(&self, _: &Config) -> Result<(), CompileError> {
        Ok(())
    }

    fn compile(&self, unit: &CompileUnit<'_>, _: &Config, _: &mut CodeSink<'_>) -> Result<CompiledEntry, CompileError> {
        drive(unit, TapeEmitter::new())?;
        let mut kept = Kept { function: unit.function.clone(), symbols: HashMap::new(), helpers: HashMap::new() };
        for inst in unit.function.blocks.iter().flat_map(|block| &block.insts) {
            match &inst.op {
                Op::Symbol(symbol, _) => {
                    kept.symbols.entry(*symbol).or_insert_with(|| unit.resolver.symbol(*symbol));
                }
                Op::Call(helper, _) => {
                    kept.helpers
                        .entry(*helper)
                        .or_insert_with(|| (unit.resolver.helper(*helper), signature_of(*helper)));
                }
                _ => {}
            }
        }
        let kept = Box::new(kept);
        let ctx: *const c_void = std::ptr::from_ref(&*kept).cast();
        // SAFETY: `run` reads a `Kept` through `ctx`, which the owner keeps in place.
        Ok(unsafe { CompiledEntry::from_function(run, ctx, kept) })
    }
}

/// The machine-level signature of a helper.
pub(crate) fn signature_of(helper: Helper) -> Signature {
    Signature {
        params: helper.params().filter_map(|passing| passing.ty()).map(MachineTy::from).collect(),
        result: helper.result().ty().map(MachineTy::from),
    }
}

unsafe extern "C" fn run(ctx: *const c_void, ts: *mut c_void, frame: *mut c_void, out: *mut u64, entry: i64) -> i64 {
    // SAFETY: `compile` passed a `Kept` that lives as long as the entry.
    let kept = unsafe { &*ctx.cast::<Kept>() };
    let arguments = Arguments { thread_state: ts as u64, frame: frame as u64, out: out as u64, entry };
    interpret(&kept.function, &mut Process(kept), arguments, u64::MAX).map_or(TRAPPED, |outcome| outcome.status)
}

/// The process's own memory.
struct Process<'k>(&'k Kept);

impl Environment for Process<'_> {
    fn load(&mut self, address: u64, mem: MemTy) -> Result<u64, String> {
        // SAFETY: whoever runs the entry promised that the function's accesses are to live memory.
        Ok(unsafe { read(address, mem) })
    }

    fn store(&mut self, address: u64, mem: MemTy, bits: u64) -> Result<(), String> {
        // SAFETY: as above.
        unsafe { write(address, mem, bits) };
        Ok(())
    }

    fn symbol(&mut self, symbol: Symbol) -> Result<u64, String> {
        self.0.symbols.get(&symbol).copied().ok_or_else(|| format!("{symbol:?} was not resolved"))
    }

    fn call(&mut self, helper: Helper, args: &[u64]) -> Result<u64, String> {
        let (address, signature) = self.0.helpers.get(&helper).ok_or("a helper was not resolved")?;
        // SAFETY: the resolver gives the address of a function with the helper's signature.
        Ok(unsafe { call(*address, signature, args) })
    }
}

/// Reads memory as a load does: always, and extended.
///
/// # Safety
/// The bytes are readable.
pub(crate) unsafe fn read(address: u64, mem: MemTy) -> u64 {
    // SAFETY: by the caller's promise. Volatile: another thread may write there.
    let bits = unsafe {
        match mem.size() {
            1 => u64::from((address as *const u8).read_volatile()),
            2 => u64::from((address as *const u16).read_volatile()),
            4 => u64::from((address as *const u32).read_volatile()),
            _ => (address as *const u64).read_volatile(),
        }
    };
    extend(mem, bits)
}

/// Writes the low bytes.
///
/// # Safety
/// The bytes are writable.
pub(crate) unsafe fn write(address: u64, mem: MemTy, bits: u64) {
    // SAFETY: by the caller's promise.
    unsafe {
        match mem.size() {
            1 => (address as *mut u8).write_volatile(bits as u8),
            2 => (address as *mut u16).write_volatile(bits as u16),
            4 => (address as *mut u32).write_volatile(bits as u32),
            _ => (address as *mut u64).write_volatile(bits),
        }
    }
}

/// Stack words that [`call`] passes.
const STACK: usize = 8;

macro_rules! c_function {
    ($result:ty) => {
        unsafe extern "C" fn(
            u64, u64, u64, u64, u64, u64, f64, f64, f64, f64, f64, f64, f64, f64,
            u64, u64, u64, u64, u64, u64, u64, u64,
        ) -> $result
    };
}

/// Calls a C function of any signature with up to [`STACK`] words on the stack; gives the result's bits, 0 without one.
///
/// # Safety
/// At `callee` is a C function of that signature.
pub(crate) unsafe fn call(callee: u64, signature: &Signature, args: &[u64]) -> u64 {
    let (mut i, mut f, mut s) = ([0u64; 6], [0f64; 8], [0u64; STACK]);
    let (mut ints, mut floats, mut words) = (0, 0, 0);
    for (&bits, ty) in args.iter().zip(&signature.params) {
        if *ty == MachineTy::F64 && floats < f.len() {
            f[floats] = f64::from_bits(bits);
            floats += 1;
        } else if *ty != MachineTy::F64 && ints < i.len() {
            i[ints] = bits;
            ints += 1;
        } else {
            s[words] = bits;
            words += 1;
        }
    }
    macro_rules! with_all {
        ($function:expr) => {
            $function(
                i[0], i[1], i[2], i[3], i[4], i[5], f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], s[0], s[1], s[2],
                s[3], s[4], s[5], s[6], s[7],
            )
        };
    }
    // SAFETY: in this calling convention registers and stack words beyond the callee's own are ignored by it.
    unsafe {
        match signature.result {
            Some(MachineTy::F64) => {
                let function: c_function!(f64) = std::mem::transmute(callee as usize);
                with_all!(function).to_bits()
            }
            result => {
                let function: c_function!(u64) = std::mem::transmute(callee as usize);
                let bits = with_all!(function);
                if result.is_some() { bits } else { 0 }
            }
        }
    }
}
