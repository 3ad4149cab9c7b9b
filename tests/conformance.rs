//! The backends that come with Columba, in CPython: the section `python` of the conformance suite. Their other sections are
//! tests of their own packages, which know nothing of CPython.

use columba::backend::Backend;
use columba::backends::by_name;

fn made(name: &str) -> Box<dyn Backend> {
    by_name(name).expect("its feature is on")
}

#[cfg(feature = "cranelift")]
mod cranelift {
    columba_jit_conformance::python_tests!(|| super::made("cranelift"));
}

#[cfg(feature = "dynasm")]
mod dynasm {
    columba_jit_conformance::python_tests!(|| super::made("dynasm"));
}

#[cfg(feature = "llvm")]
mod llvm {
    columba_jit_conformance::python_tests!(|| super::made("llvm"));
}
