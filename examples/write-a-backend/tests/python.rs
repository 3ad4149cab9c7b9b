//! Python programs inside CPython, compiled by the closures.
#![cfg(feature = "cpython")]

use std::path::Path;
use std::process::Command;
use write_a_backend::ClosureBackend;

// The last section of the conformance suite, and the mistakes it must see.
columba_jit_conformance::python_tests!(|| Box::new(ClosureBackend));

#[test]
fn nbody_gives_the_interpreters_result() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/nbody.py");
    let python = std::env::var_os("PYO3_PYTHON").unwrap_or_else(|| "python3".into());
    let plain = Command::new(python).arg(&program).output().expect("Python runs");
    let compiled = Command::new(env!("CARGO_BIN_EXE_closures")).arg(&program).output().expect("the program runs");
    let report = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{report}");
    assert_eq!(compiled.stdout, plain.stdout);
    let count = report.trim().rsplit(' ').next().and_then(|count| count.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count >= 1), "nothing was compiled: {report}");
}
