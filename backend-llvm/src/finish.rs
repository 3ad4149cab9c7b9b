//! From LLVM's module to an entry in code memory.
//!
//! *Method*: LLVM writes an ELF object into memory. Its code comes first, then its constants, then its jump tables, in one
//! block of bytes; relocations between them are distances, and are filled in. *Invariants*: the block is position-independent
//! and complete; anything that would make it otherwise (a reference to another symbol, an absolute address, data that is
//! written to) is a bug of the emitter, which must not have used what LLVM turns into that.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};

use columba_jit_core::backend::{
    Broken, CodeOrigin, CodeSink, CompileError, CompiledEntry, Config, Effort, Unsupported,
};
use gimli::{DebugLine, DebugLineOffset, LittleEndian};
use inkwell::context::Context;
use inkwell::llvm_sys::LLVMDiagnosticSeverity;
use inkwell::llvm_sys::core::{
    LLVMContextSetDiagnosticHandler, LLVMDisposeMessage, LLVMGetDiagInfoDescription, LLVMGetDiagInfoSeverity,
};
use inkwell::llvm_sys::prelude::LLVMDiagnosticInfoRef;
use inkwell::module::Module;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{FileType, TargetMachine};
use object::elf::{R_X86_64_PC32, R_X86_64_PC64, R_X86_64_PLT32, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags, SectionIndex};

use crate::emitter::NAME;

/// What is done with [`Effort::Normal`]. The core's passes have been there before: what they do once more finds little, and
/// where something new appears (addresses, loops in their final form) one look is enough. `early-cse<memssa>` finds what
/// `gvn` finds but for what is redundant on some paths only, in a third of its time; moving out of loops after their rotation
/// moves what it would before.
#[cfg(not(any(feature = "llvm16", feature = "llvm17")))]
const NORMAL: &str =
    "function(simplifycfg,loop-mssa(loop-rotate,licm),early-cse<memssa>,instcombine<no-verify-fixpoint>)";
/// The same for versions that do not verify.
#[cfg(feature = "llvm16")]
const NORMAL: &str = "function(simplifycfg,loop-mssa(loop-rotate,licm),early-cse<memssa>,instcombine)";
#[cfg(feature = "llvm17")]
const NORMAL: &str =
    "function(simplifycfg,loop-mssa(loop-rotate,licm),early-cse<memssa>,instcombine<max-iterations=1>)";
/// And with [`Effort::Fast`].
const FAST: &str = "function(early-cse,simplifycfg)";

/// Optimises and compiles a module and publishes its code.
pub(crate) fn finish(
    context: &Context,
    module: &Module<'_>,
    machine: &TargetMachine,
    config: &Config,
    name: &str,
    sink: &mut CodeSink<'_>,
) -> Result<CompiledEntry, CompileError> {
    let diagnostics = RefCell::new(None);
    // SAFETY: the handler gets the address of `diagnostics`, which it takes as what it is, and is replaced below, while
    // `diagnostics` lives.
    unsafe {
        let place = (&raw const diagnostics).cast_mut().cast();
        LLVMContextSetDiagnosticHandler(context.raw(), Some(note_diagnostic), place);
    }
    let object = generate(module, machine, config);
    // SAFETY: takes the handler away.
    unsafe { LLVMContextSetDiagnosticHandler(context.raw(), None, std::ptr::null_mut()) };
    if let Some(message) = diagnostics.into_inner() {
        return Err(Broken::Backend(message).into());
    }
    let object = object.map_err(Broken::Backend)?;
    let image = Image::link(object.as_slice())?;
    let origins =
        if config.origins { origins(object.as_slice(), image.code).map_err(Broken::Backend)? } else { vec![] };
    let code = sink.publish(&image.bytes, image.align, name)?;
    // SAFETY: LLVM compiled a function of the entry signature, which stands at `entry` and uses no `ctx`.
    Ok(unsafe { CompiledEntry::from_code(code, image.entry, origins) })
}

type ObjectFile<'a> = ElfFile64<'a, object::LittleEndian>;

fn generate(
    module: &Module<'_>,
    machine: &TargetMachine,
    config: &Config,
) -> Result<inkwell::memory_buffer::MemoryBuffer<'static>, String> {
    if config.verify {
        module.verify().map_err(|error| error.to_string())?;
    }
    let options = PassBuilderOptions::create();
    options.set_verify_each(false);
    let passes = if config.effort == Effort::Fast { FAST } else { NORMAL };
    module.run_passes(passes, machine, options).map_err(|error| error.to_string())?;
    machine.write_to_memory_buffer(module, FileType::Object).map_err(|error| error.to_string())
}

/// Keeps the first error that LLVM reports; without a handler it would end the process.
extern "C" fn note_diagnostic(info: LLVMDiagnosticInfoRef, first: *mut c_void) {
    // SAFETY: `info` is valid during this call, and LLVM's text is ours to dispose of; `first` is the address that was given
    // with the handler.
    unsafe {
        if LLVMGetDiagInfoSeverity(info) as u32 != LLVMDiagnosticSeverity::LLVMDSError as u32 {
            return;
        }
        let text = LLVMGetDiagInfoDescription(info);
        let message = CStr::from_ptr(text).to_string_lossy().into_owned();
        LLVMDisposeMessage(text);
        let first = &*first.cast::<RefCell<Option<String>>>();
        if let Ok(mut first) = first.try_borrow_mut() {
            first.get_or_insert(message);
        }
    }
}

/// The object's code and constants as one block.
struct Image {
    bytes: Vec<u8>,
    align: usize,
    /// Offset of the function.
    entry: usize,
    /// How many of the bytes are code.
    code: usize,
}

impl Image {
    fn link(data: &[u8]) -> Result<Image, CompileError> {
        let object = ObjectFile::parse(data).map_err(|error| Broken::Backend(format!("LLVM's object: {error}")))?;
        let mut image = Image { bytes: Vec::new(), align: 16, entry: 0, code: 0 };
        let placed = image.place(&object)?;
        for &(index, at) in &placed {
            image.relocate(&object, index, at, &placed)?;
        }
        // A symbol without a section may have the same name: the file's.
        let start = object
            .symbols()
            .filter(|symbol| symbol.name() == Ok(NAME))
            .find_map(|symbol| Some(offset_of(&placed, symbol.section_index()?)? + symbol.address() as usize));
        image.entry = start.ok_or_else(|| Broken::Backend("the object lacks the function".into()))?;
        Ok(image)
    }

    /// Copies the sections that are loaded: code, constants, tables (which refer to code).
    fn place(&mut self, object: &ObjectFile<'_>) -> Result<Vec<(SectionIndex, usize)>, CompileError> {
        let mut loaded = Vec::new();
        for section in object.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
            if !sh_flags.contains(SHF_ALLOC) || section.size() == 0 {
                continue;
            }
            if sh_flags.contains(SHF_WRITE) {
                return Err(broken_section("has data that is written to", section.name()));
            }
            let rank = match (sh_flags.contains(SHF_EXECINSTR), section.relocations().next().is_some()) {
                (true, _) => 0,
                (false, false) => 1,
                (false, true) => 2,
            };
            loaded.push((rank, section));
        }
        loaded.sort_by_key(|entry| entry.0);
        let mut placed = Vec::with_capacity(loaded.len());
        let mut before = 0;
        for (rank, section) in loaded {
            let bytes = section.data().map_err(|error| Broken::Backend(format!("a section of LLVM's: {error}")))?;
            let align = usize::try_from(section.align()).unwrap_or(0).max(1);
            if !align.is_power_of_two() || align > 4096 {
                return Err(broken_section("is aligned impossibly", section.name()));
            }
            self.align = self.align.max(align);
            // Between code and tables a listing would take zeros for instructions; before constants it looks for them.
            let fill = if before == 0 && rank == 2 { 0xcc } else { 0 };
            self.bytes.resize(self.bytes.len().next_multiple_of(align), fill);
            placed.push((section.index(), self.bytes.len()));
            self.bytes.extend_from_slice(bytes);
            if rank == 0 {
                self.code = self.bytes.len();
            }
            before = rank;
        }
        // Distances are 32 bits.
        if self.bytes.len() > i32::MAX as usize {
            return Err(Unsupported::TooLarge.into());
        }
        Ok(placed)
    }

    /// Fills in the distances that a section at `at` lacks.
    fn relocate(
        &mut self,
        object: &ObjectFile<'_>,
        index: SectionIndex,
        at: usize,
        placed: &[(SectionIndex, usize)],
    ) -> Result<(), CompileError> {
        let section = object.section_by_index(index).map_err(|error| Broken::Backend(error.to_string()))?;
        for (offset, relocation) in section.relocations() {
            let target = match relocation.target() {
                RelocationTarget::Symbol(symbol) => object.symbol_by_index(symbol).ok(),
                _ => None,
            };
            let place = target
                .as_ref()
                .and_then(|target| Some(offset_of(placed, target.section_index()?)? as i64 + target.address() as i64));
            let Some(place) = place else {
                let name = target.and_then(|target| Some(target.name().ok()?.to_owned())).unwrap_or_default();
                return Err(Broken::Backend(format!("the code refers to {name:?} outside of it")).into());
            };
            let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
            let from = at + offset as usize;
            let distance = place + relocation.addend() - from as i64;
            let (bytes, width) = match r_type {
                R_X86_64_PC32 | R_X86_64_PLT32 if i32::try_from(distance).is_ok() => (distance.to_le_bytes(), 4),
                R_X86_64_PC64 => (distance.to_le_bytes(), 8),
                _ => return Err(Broken::Backend(format!("relocation of type {r_type} over {distance:#x}")).into()),
            };
            self.bytes
                .get_mut(from..from + width)
                .ok_or_else(|| Broken::Backend("a relocation outside its section".into()))?
                .copy_from_slice(&bytes[..width]);
        }
        Ok(())
    }
}

fn offset_of(placed: &[(SectionIndex, usize)], section: SectionIndex) -> Option<usize> {
    placed.iter().find(|entry| entry.0 == section).map(|entry| entry.1)
}

fn broken_section(what: &str, name: object::Result<&str>) -> CompileError {
    Broken::Backend(format!("section {} {what}", name.unwrap_or("?"))).into()
}

/// From the line table: the line of an instruction is one more than the offset of the bytecode it stems from.
fn origins(data: &[u8], code: usize) -> Result<Vec<CodeOrigin>, String> {
    let object = ObjectFile::parse(data).map_err(|error| error.to_string())?;
    let Some(section) = object.section_by_name(".debug_line") else { return Ok(Vec::new()) };
    let bytes = section.data().map_err(|error| error.to_string())?;
    let program = DebugLine::new(bytes, LittleEndian)
        .program(DebugLineOffset(0), 8, None, None)
        .map_err(|error| error.to_string())?;
    let mut origins: Vec<CodeOrigin> = Vec::new();
    let mut rows = program.rows();
    while let Some((_, row)) = rows.next_row().map_err(|error| error.to_string())? {
        let origin = match row.line() {
            Some(line) if !row.end_sequence() => u32::try_from(line.get() - 1).ok(),
            _ => None,
        };
        let start = row.address().min(code as u64) as u32;
        match origins.last_mut() {
            // Of several rows for one place the last one counts.
            Some(last) if last.start >= start => last.origin = origin,
            Some(last) if last.origin == origin => {}
            _ => origins.push(CodeOrigin { start, origin }),
        }
    }
    Ok(origins)
}
