//! The backend that the tests are about.

pub use columba_backend_dynasm::DynasmBackend as Backend;
pub use columba_backend_dynasm::Recording;
pub use columba_backend_dynasm::emitter::DynasmEmitter;

/// Bytes of a function of the entry signature made through the emitter.
macro_rules! emit_directly {
    (|$e:ident| $body:block) => {{
        let mut recording = $crate::under_test::Recording::default();
        let mut $e = $crate::under_test::DynasmEmitter::new(&mut recording, false);
        $body
        columba_jit_core::emitter::Emitter::finish($e).unwrap();
        columba_backend_dynasm::finish(&mut recording, true, true).unwrap().bytes
    }};
}
pub(crate) use emit_directly;
