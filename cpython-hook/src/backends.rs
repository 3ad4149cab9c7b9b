//! The backends compiled in, by name.
//!
//! Each is a Cargo feature and one entry of `TABLE`; nothing else in this crate names one. A backend is made when it is
//! first used and lives as long as the process.

use columba_jit_core::backend::Backend;
use std::sync::OnceLock;

type Make = fn() -> Box<dyn Backend>;

/// Name, and how the backend is made. The first is the default.
const TABLE: &[(&str, Make)] = &[
    #[cfg(feature = "cranelift")]
    ("cranelift", || Box::new(columba_backend_cranelift::CraneliftBackend::new())),
    #[cfg(feature = "llvm")]
    ("llvm", || Box::new(columba_backend_llvm::LlvmBackend::new())),
];

/// The ones made so far, in the order of `TABLE`.
static MADE: [OnceLock<Box<dyn Backend>>; TABLE.len()] = [const { OnceLock::new() }; TABLE.len()];

/// Their names; the first is the default.
pub fn names() -> Vec<&'static str> {
    TABLE.iter().map(|entry| entry.0).collect()
}

/// The name of the backend used when none is chosen.
pub fn default_name() -> &'static str {
    TABLE.first().map_or("none", |entry| entry.0)
}

/// The backend of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Backend> {
    let index = TABLE.iter().position(|entry| entry.0 == name)?;
    Some(MADE[index].get_or_init(TABLE[index].1).as_ref())
}
