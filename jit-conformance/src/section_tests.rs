//! The suite as tests of a crate.

/// One `#[test]` for each section, and one for the mutants, over the backend that the expression gives: a
/// `&'static` reference to it. Sections run side by side this way, and one that fails is named.
///
/// ```
/// mod suite {
///     columba_jit_conformance::section_tests!(Box::leak(Box::new(columba_jit_conformance::ReferenceBackend::new())));
/// }
/// ```
#[macro_export]
macro_rules! section_tests {
    ($backend:expr) => {
        $crate::section_tests! { $backend =>
            texts: Texts, edges: Edges, abi: Abi, generated: Generated, exits: Exits, chaos: Chaos, publishing: Publishing
        }

        #[test]
        fn mutants() {
            $crate::run_mutants($backend).assert_all_killed();
        }
    };
    ($backend:expr => $($name:ident: $section:ident),*) => {
        $(
            #[test]
            fn $name() {
                $crate::run_section($crate::Section::$section, $backend, &$crate::Options::from_environment()).assert_clean();
            }
        )*
    };
}
