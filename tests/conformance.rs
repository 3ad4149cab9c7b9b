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

/// What a backend refuses is found, may be allowed by its reason, and may be expected by a list.
#[cfg(feature = "cranelift")]
mod refusals {
    use columba::backend::{Backend, Caps, CodeSink, CompileError, CompiledEntry, Config, Unsupported};
    use columba::unit::CompileUnit;
    use columba_jit_conformance::python::{self, Here};
    use columba_jit_conformance::{Options, SectionReport, must_fail};

    /// Cranelift for small functions only.
    struct Small(Box<dyn Backend>);

    impl Backend for Small {
        fn name(&self) -> &'static str {
            "small"
        }

        fn caps(&self) -> Caps {
            self.0.caps()
        }

        fn check(&self, config: &Config) -> Result<(), CompileError> {
            self.0.check(config)
        }

        fn compile(
            &self,
            unit: &CompileUnit<'_>,
            config: &Config,
            sink: &mut CodeSink<'_>,
        ) -> Result<CompiledEntry, CompileError> {
            if unit.function.blocks.len() > 60 {
                return Err(Unsupported::TooLarge.into());
            }
            self.0.compile(unit, config, sink)
        }
    }

    fn run(test: &str, options: Options) -> SectionReport {
        let options = Options { only: Some("loops[threshold-0]".into()), ..options };
        python::run(&Here::test(module_path!(), test), || Box::new(Small(super::made("cranelift"))), &options)
    }

    #[test]
    fn are_failures() {
        let report = run("are_failures", Options::quick());
        assert!(!report.failures.is_empty(), "{report}");
        for failure in &report.failures {
            assert!(
                failure.message.contains("refused a function") && failure.message.contains("too large"),
                "{report}"
            );
        }
    }

    #[test]
    fn can_be_allowed() {
        run("can_be_allowed", Options { python_refusals: vec!["too large".into()], ..Options::quick() }).assert_clean();
    }

    #[test]
    fn can_be_expected() {
        let list = "small python/loops[threshold-0]: large\nsmall python/types_change_in_loops[threshold-0]: large\n";
        let must_fail = must_fail::parse(list).expect("it is well-formed");
        let report = run("can_be_expected", Options { must_fail, ..Options::quick() });
        report.assert_clean();
        assert_eq!(report.expected_failures, 2, "{report}");
    }
}
