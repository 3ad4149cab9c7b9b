//! The short run of generated IR that is part of the tests: each backend for a few seconds, by the program that runs for longer
//! on its own; and that its seeds say what they promise.

use serde_json::Value;
use std::process::Command;

/// The figures that a run ends with, and whether the program was content with them.
fn run(options: &[&str]) -> (Value, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_columba-fuzz")).args(options).output().expect("the program is built");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures = serde_json::from_str(text.trim()).unwrap_or_else(|error| {
        panic!("{error}: {text:?} after\n{}", String::from_utf8_lossy(&output.stderr));
    });
    (figures, output.status.success())
}

fn agrees_for_some_seconds(backend: &str) {
    let (figures, content) = run(&["--backend", backend, "--seconds", "5"]);
    assert!(content && figures["mismatches"] == 0, "{figures}");
    assert!(figures["runs"].as_u64().is_some_and(|runs| runs > 1000), "{figures}");
}

#[test]
#[cfg(feature = "cranelift")]
fn cranelift() {
    agrees_for_some_seconds("cranelift");
}

#[test]
#[cfg(feature = "dynasm")]
fn dynasm() {
    agrees_for_some_seconds("dynasm");
}

#[test]
#[cfg(feature = "llvm")]
fn llvm() {
    agrees_for_some_seconds("llvm");
}

#[test]
fn a_seed_is_an_address() {
    let round = |seed: &str| {
        let (mut figures, _) = run(&["--backend", "interpreter", "--seed", seed, "--count", "1"]);
        figures.as_object_mut().expect("an object").remove("seconds");
        figures
    };
    assert_eq!(round("7"), round("7"));
    assert_ne!(round("7")["runs"], round("8")["runs"]);
}

#[test]
fn an_unknown_backend_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_columba-fuzz")).args(["--backend", "fortran"]).output();
    let output = output.expect("the program is built");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("fortran"));
}
