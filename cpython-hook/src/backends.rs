//! The backends that can be chosen, by name.
//!
//! Those compiled in are Cargo features and entries of `TABLE`; nothing else in this crate names one. Others are registered
//! by the program or extension they come with ([`register`]). A backend is made when it is first used and lives as long as
//! the process.

use columba_jit_core::backend::Backend;
use std::sync::{Mutex, OnceLock};

type Make = fn() -> Box<dyn Backend>;

/// Name, and how the backend is made. The first is the default.
const TABLE: &[(&str, Make)] = &[
    #[cfg(feature = "cranelift")]
    ("cranelift", || Box::new(columba_backend_cranelift::CraneliftBackend::new())),
    #[cfg(feature = "dynasm")]
    ("dynasm", || Box::new(columba_backend_dynasm::DynasmBackend::new())),
    #[cfg(feature = "llvm")]
    ("llvm", || Box::new(columba_backend_llvm::LlvmBackend::new())),
];

/// The ones made so far, in the order of `TABLE`.
static MADE: [OnceLock<Box<dyn Backend>>; TABLE.len()] = [const { OnceLock::new() }; TABLE.len()];

/// The ones that came later. They are never removed, since code of theirs may be running.
static REGISTERED: Mutex<Vec<&'static dyn Backend>> = Mutex::new(Vec::new());

/// Why a backend was not registered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a backend named {0:?} is there already; give this one another name")]
pub struct RegisterError(&'static str);

/// Adds a backend; its name can be chosen from then on.
pub fn register(backend: Box<dyn Backend>) -> Result<(), RegisterError> {
    let name = backend.name();
    if names().contains(&name) {
        return Err(RegisterError(name));
    }
    registered().push(Box::leak(backend));
    Ok(())
}

fn registered() -> std::sync::MutexGuard<'static, Vec<&'static dyn Backend>> {
    REGISTERED.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// All names; the first is the default.
pub fn names() -> Vec<&'static str> {
    TABLE.iter().map(|entry| entry.0).chain(registered().iter().map(|backend| backend.name())).collect()
}

/// The name of the backend used when none is chosen.
pub fn default_name() -> &'static str {
    names().first().copied().unwrap_or("none")
}

/// The backend of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Backend> {
    match TABLE.iter().position(|entry| entry.0 == name) {
        Some(index) => Some(MADE[index].get_or_init(TABLE[index].1).as_ref()),
        None => registered().iter().copied().find(|backend| backend.name() == name),
    }
}
