//! Code units: whatever they are, decoding them gives instructions or an error.

#![no_main]

use columba_jit_core::bytecode::hostile::try_units;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    try_units(bytes);
});
