//! From Cranelift's finished function to an entry in code memory.
//!
//! *Invariant*: the bytes are position-independent and complete; a relocation left over is a bug of the emitter, which must
//! not have used an operation that Cranelift turns into a call of its library.

use columba_jit_core::backend::{Broken, CodeOrigin, CodeSink, CompileError, CompiledEntry, Config, Unsupported};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenError, CompiledCode, Context};

/// Compiles what the emitter built and publishes it.
pub(crate) fn finish(
    context: &mut Context,
    isa: &dyn TargetIsa,
    control: &mut ControlPlane,
    config: &Config,
    name: &str,
    sink: &mut CodeSink<'_>,
) -> Result<CompiledEntry, CompileError> {
    let compiled = context.compile(isa, control).map_err(|error| failure(&error.inner))?;
    if let Some(relocation) = compiled.buffer.relocs().first() {
        return Err(Broken::Backend(format!("relocation left over: {relocation:?}")).into());
    }
    let origins = if config.origins { origins(compiled) } else { Vec::new() };
    let align = compiled.buffer.alignment.max(isa.function_alignment().preferred) as usize;
    let code = sink.publish(compiled.code_buffer(), align, name)?;
    // SAFETY: Cranelift compiled a function of the entry signature that starts at its first byte and uses no `ctx`.
    Ok(unsafe { CompiledEntry::from_code(code, 0, origins) })
}

/// Ranges with a source location; what lies between them has none.
fn origins(compiled: &CompiledCode) -> Vec<CodeOrigin> {
    let mut origins = Vec::new();
    let mut end = 0;
    for range in compiled.buffer.get_srclocs_sorted() {
        if range.start > end {
            origins.push(CodeOrigin { start: end, origin: None });
        }
        let origin = (!range.loc.is_default()).then(|| range.loc.bits());
        origins.push(CodeOrigin { start: range.start, origin });
        end = range.end;
    }
    origins.push(CodeOrigin { start: end, origin: None });
    origins
}

fn failure(error: &CodegenError) -> CompileError {
    match error {
        CodegenError::ImplLimitExceeded | CodegenError::CodeTooLarge => Unsupported::TooLarge.into(),
        CodegenError::Unsupported(what) => Unsupported::Construct(what.clone()).into(),
        CodegenError::Verifier(errors) => Broken::Backend(errors.to_string()).into(),
        other => Broken::Backend(format!("{other:?}")).into(),
    }
}
