//! `.pyc` files: whatever bytes they hold, reading one gives code or an error.

#![no_main]

use columba_jit_core::bytecode::hostile::try_pyc;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    try_pyc(bytes);
});
