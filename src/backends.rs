//! The backends that Cargo features have compiled in.

use columba_jit_core::backend::Backend;

/// A backend's name, and how one is made.
type Entry = (&'static str, fn() -> Box<dyn Backend>);

const TABLE: &[Entry] = &[
    #[cfg(feature = "cranelift")]
    ("cranelift", || Box::new(columba_backend_cranelift::CraneliftBackend::new())),
    #[cfg(feature = "dynasm")]
    ("dynasm", || Box::new(columba_backend_dynasm::DynasmBackend::new())),
    #[cfg(feature = "llvm")]
    ("llvm", || Box::new(columba_backend_llvm::LlvmBackend::new())),
];

/// Their names; the first is the default. Empty without any of the features.
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// A backend by its name; `None` when it is not compiled in.
pub fn by_name(name: &str) -> Option<Box<dyn Backend>> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
}
