//! The backends that the extension can be built with, and what they need.

use crate::error::Result;
use crate::interpreter::install_packages;
use std::path::Path;

/// Features of `cpython-hook`, one per backend.
pub const ALL: &[&str] = &["cranelift", "dynasm", "llvm"];

/// What is built where a command needs any backend, and none is named.
pub const DEFAULT: &str = "cranelift";

/// The backends to build: those asked for (two, separated by a comma, for two tiers), or all.
pub fn wanted(asked: Option<&str>) -> Vec<&str> {
    asked.map_or_else(|| ALL.to_vec(), |names| names.split(',').map(str::trim).collect())
}

/// Features for commands of Cargo that work on the whole workspace: all backends, and what embeds CPython.
pub fn features() -> String {
    let backends = ALL.iter().map(|name| format!("columba/{name}"));
    backends
        .chain(["columba/cpython", "write-a-backend/cpython", "columba-fuzz/llvm"].map(str::to_owned))
        .collect::<Vec<_>>()
        .join(",")
}

/// How many times as long as usual a program may take: at threshold 0 LLVM spends seconds on what runs before it.
pub fn patience(backend: Option<&str>) -> u32 {
    if backend == Some("llvm") { 6 } else { 1 }
}

/// Installs what building these backends needs and the machine lacks. Where packages cannot be installed, the build itself
/// says what is missing.
pub fn provide(backends: &[&str]) -> Result<()> {
    let apt = Path::new("/usr/bin/apt-get").exists();
    if apt && backends.contains(&"llvm") && !has_llvm() {
        install_packages("the LLVM backend", &["llvm-19-dev"])?;
    }
    Ok(())
}

/// The places that `backend-llvm/build.rs` looks at.
fn has_llvm() -> bool {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    std::env::var_os("LLVM_SYS_191_PREFIX").is_some()
        || Path::new("/usr/lib/llvm-19/bin/llvm-config").exists()
        || std::env::split_paths(&on_path).any(|folder| folder.join("llvm-config-19").exists())
}
