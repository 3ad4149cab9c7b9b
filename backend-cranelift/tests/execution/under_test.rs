//! The backend that the tests are about.

pub use columba_backend_cranelift::CraneliftBackend as Backend;

/// Bytes of a function of the entry signature, made through the emitter.
macro_rules! emit_directly {
    (|$e:ident| $body:block) => {{
        let mut flags = cranelift_codegen::settings::builder();
        cranelift_codegen::settings::Configurable::set(&mut flags, "preserve_frame_pointers", "true").unwrap();
        let isa = cranelift_native::builder().unwrap().finish(cranelift_codegen::settings::Flags::new(flags)).unwrap();
        let mut context = cranelift_codegen::Context::new();
        let mut builder = cranelift_frontend::FunctionBuilderContext::new();
        let mut $e = columba_backend_cranelift::emitter::CraneliftEmitter::new(
            &mut context.func,
            &mut builder,
            &*isa,
            true,
            false,
        );
        $body
        columba_jit_core::emitter::Emitter::finish($e).unwrap();
        context.compile(&*isa, &mut Default::default()).unwrap().code_buffer().to_vec()
    }};
}
pub(crate) use emit_directly;
