//! Hostile bytes give errors, never panics.

use columba_jit_core::bytecode::code::PythonVersion;
use columba_jit_core::bytecode::exception_table::decode_exception_table;
use columba_jit_core::bytecode::hostile::{try_pyc, try_units};
use columba_jit_core::bytecode::line_table::decode_line_table;
use columba_jit_core::bytecode::marshal::read_code;
use columba_jit_core::bytecode::v3_11;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const HEADER: &[u8] = b"\xA7\x0D\r\n\0\0\0\0\0\0\0\0\0\0\0\0";

/// A module with a function with a loop, a generator and a handler, as CPython 3.11 marshals it.
const SAMPLE: &[u8] = include_bytes!("sample.marshal");

static DECODED: AtomicUsize = AtomicUsize::new(0);

fn pyc(body: &[u8]) -> Vec<u8> {
    [HEADER, body].concat()
}

#[test]
fn the_sample_is_good() {
    assert_eq!(try_pyc(&pyc(SAMPLE)), 4);
}

#[test]
fn every_prefix_and_every_changed_byte_of_the_sample() {
    for length in 0..SAMPLE.len() {
        assert_eq!(try_pyc(&pyc(&SAMPLE[..length])), 0);
    }
    let mut bytes = pyc(SAMPLE);
    for at in HEADER.len()..bytes.len() {
        let before = bytes[at];
        for change in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            bytes[at] = before ^ change;
            try_pyc(&bytes);
        }
        bytes[at] = before;
    }
}

/// Code units of which many are good: base opcodes, small operands, and a related opcode in the quickened copy.
fn units() -> impl Strategy<Value = Vec<u8>> {
    let opcodes: Vec<u8> = (0..=255).filter(|&opcode| v3_11::base(opcode) == Some(opcode)).collect();
    let unit = (prop::sample::select(opcodes), prop_oneof![Just(0u8), Just(2), 0u8..4], any::<u8>()).prop_map(
        |(opcode, operand, quickened)| {
            let caches = v3_11::caches(opcode) as usize;
            let mut unit = vec![opcode, operand, quickened];
            unit.extend([0, quickened, quickened].repeat(caches));
            unit
        },
    );
    let row = (0u8..9, 1u8..4, 0u8..9, 0u8..4)
        .prop_map(|(start, length, target, depth)| vec![start | 0x80, length, target, depth]);
    (vec(unit, 0..40), vec(row, 0..2)).prop_map(|(units, rows)| {
        let mut bytes = vec![4 * rows.len() as u8];
        bytes.extend(rows.concat());
        bytes.extend(units.concat());
        bytes.extend([v3_11::opcode::RETURN_VALUE, 0, 0]);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode_exception_table(&bytes);
        let _ = decode_line_table(&bytes, 1);
        let _ = read_code(&bytes, PythonVersion::V3_11);
        try_pyc(&bytes);
        try_pyc(&pyc(&bytes));
        try_units(&bytes);
    }

    #[test]
    fn changed_files(changes in vec((0..SAMPLE.len(), any::<u8>()), 1..6)) {
        let mut bytes = SAMPLE.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        try_pyc(&pyc(&bytes));
    }

    #[test]
    fn plausible_tables(mut bytes in vec(0u8..0x48, 0..60)) {
        for first in bytes.iter_mut().step_by(4) {
            *first |= 0x80;
        }
        let _ = decode_exception_table(&bytes);
        let _ = decode_line_table(&bytes, 1);
    }
}

#[test]
fn plausible_units() {
    let config = ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(bytes in units())| {
        DECODED.fetch_add(try_units(&bytes), Ordering::Relaxed);
    });
    let decoded = DECODED.load(Ordering::Relaxed);
    println!("{decoded} of 4000 inputs were decoded");
    assert!(decoded > 200, "only {decoded} inputs got past decoding");
}
