//! What a third party needs to prove a backend.

use columba_jit_conformance::run_all;
use write_a_backend::ClosureBackend;

#[test]
fn every_section_passes() {
    run_all(&ClosureBackend).assert_clean();
}
