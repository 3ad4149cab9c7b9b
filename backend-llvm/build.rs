//! Finds LLVM's shared library and links to it.
//!
//! *Problem*: `llvm-sys` looks for LLVM by itself, and where there is none fails with a page that names no package; linked
//! statically, LLVM makes the extension large and asks for the libraries of all its parts. *Method*: `llvm-sys` is built
//! without linking, and this script asks `llvm-config` of the wanted version where the shared library is. *Invariant*: what
//! is missing is said in one line.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Feature, major version, and the number in the variable by which `llvm-sys` and its users name another place.
const VERSIONS: [(&str, u32, u32); 7] = [
    ("LLVM16", 16, 160),
    ("LLVM17", 17, 170),
    ("LLVM18", 18, 181),
    ("LLVM19", 19, 191),
    ("LLVM20", 20, 201),
    ("LLVM21", 21, 211),
    ("LLVM22", 22, 221),
];

fn main() {
    if let Err(missing) = link() {
        println!("cargo::error={missing}");
    }
}

fn link() -> Result<(), String> {
    let chosen: Vec<_> =
        VERSIONS.iter().filter(|entry| env::var_os(format!("CARGO_FEATURE_{}", entry.0)).is_some()).collect();
    let &[&(_, version, number)] = chosen.as_slice() else {
        return Err(format!("{} versions of LLVM are chosen by features, and it must be one", chosen.len()));
    };
    let variable = format!("LLVM_SYS_{number}_PREFIX");
    println!("cargo::rerun-if-env-changed={variable}");
    println!("cargo::rerun-if-env-changed=PATH");
    let missing = |what: &str| {
        format!("LLVM {version} {what}: install the package llvm-{version}-dev, or set {variable} to where LLVM is")
    };
    let config = find(version, &variable).ok_or_else(|| missing("is not installed"))?;
    println!("cargo::rerun-if-changed={}", config.display());
    let found = ask(&config, &["--version"]).unwrap_or_default();
    if found.split('.').next() != Some(version.to_string().as_str()) {
        return Err(missing(&format!("is wanted, and {} is {found}", config.display())));
    }
    let folder = ask(&config, &["--libdir"]).ok_or_else(|| missing("does not say where it is"))?;
    let name = format!("LLVM-{version}");
    if !Path::new(&folder).join(format!("lib{name}.so")).exists() {
        return Err(missing(&format!("has no shared library in {folder}")));
    }
    println!("cargo::rustc-link-search=native={folder}");
    println!("cargo::rustc-link-lib=dylib={name}");
    Ok(())
}

/// The `llvm-config` of this version.
fn find(version: u32, variable: &str) -> Option<PathBuf> {
    if let Some(prefix) = env::var_os(variable) {
        let config = Path::new(&prefix).join("bin/llvm-config");
        return config.exists().then_some(config);
    }
    let on_path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&on_path)
        .map(|folder| folder.join(format!("llvm-config-{version}")))
        .chain([PathBuf::from(format!("/usr/lib/llvm-{version}/bin/llvm-config"))])
        .find(|config| config.exists())
}

fn ask(config: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(config).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
