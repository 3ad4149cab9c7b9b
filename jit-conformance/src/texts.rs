//! Functions in the IR's text form, with what they must do.
//!
//! *Problem*: a case should be readable without knowing Rust, and writable by whoever found a mistake. *Method*: each file of
//! `cases/` is one function with directives in comments, read by the core's parser and built into this library. A directive:
//!
//! ```text
//! ; run: entry 3 frame (5, 1.5) => returned 7
//! ; run: entry 3 => exit 0 (1, 2.5, 0x10) frame (6, 1.5)
//! ```
//!
//! Words are decimal integers, floats (with a point, or `nan`, `inf`), or bits in hexadecimal. `frame` before the arrow is
//! the memory behind `frame` at the start, after it the memory at the end (unchanged if not given). *Invariants*: every
//! file has at least one directive; the out buffer holds exactly what is expected; `nan` expects any NaN.
//!
//! Helpers that cases may call are those of [`crate::abi::fake`]: `float_remainder` gives the difference of its operands,
//! `is_true` the negated operand, `call` the sum of its operands.

use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::op::{FIRST_EXIT, Status};
use columba_jit_core::ir::parse::parse;
use columba_jit_core::ir::verify::{Level, verify};

use crate::abi::fake;
use crate::bench::{Bench, OUT, POISON};
use crate::run::Case;

macro_rules! files {
    ($($name:literal)*) => {
        const FILES: &[(&str, &str)] = &[ $( ($name, include_str!(concat!("../cases/", $name, ".ir"))), )* ];
    };
}
include!("../cases/list.rs");

pub(crate) fn cases() -> Vec<Case> {
    FILES.iter().map(|&(name, text)| Case::new(name.replace('_', " "), move |bench| run(bench, text))).collect()
}

/// One run of a function.
#[derive(Debug, PartialEq)]
struct Directive {
    entry: i64,
    frame: Vec<Word>,
    status: i64,
    out: Vec<Word>,
    after: Option<Vec<Word>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Bits(u64),
    Nan,
}

impl Word {
    fn bits(self) -> u64 {
        match self {
            Word::Bits(bits) => bits,
            Word::Nan => f64::NAN.to_bits(),
        }
    }

    fn accepts(self, bits: u64) -> bool {
        match self {
            Word::Bits(expected) => expected == bits,
            Word::Nan => f64::from_bits(bits).is_nan(),
        }
    }
}

fn word(text: &str) -> Option<Word> {
    if text == "nan" {
        return Some(Word::Nan);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Word::Bits);
    }
    if text.contains(['.', 'f']) {
        return text.parse::<f64>().ok().map(|number| Word::Bits(number.to_bits()));
    }
    text.parse::<i64>().ok().map(|number| Word::Bits(number as u64))
}

/// `(W, W, ...)` at the start of a text, and what follows.
fn words(text: &str) -> Option<(Vec<Word>, &str)> {
    let (inside, rest) = text.trim_start().strip_prefix('(')?.split_once(')')?;
    let items = inside.split(',').map(str::trim).filter(|item| !item.is_empty());
    Some((items.map(word).collect::<Option<_>>()?, rest.trim_start()))
}

fn directive(line: &str) -> Option<Directive> {
    let (before, after) = line.split_once("=>")?;
    let before = before.trim().strip_prefix("entry ")?;
    let (entry, rest) = before.split_once(' ').unwrap_or((before, ""));
    let frame = match rest.trim().strip_prefix("frame") {
        Some(rest) => words(rest).filter(|(_, rest)| rest.is_empty())?.0,
        None if rest.trim().is_empty() => Vec::new(),
        None => return None,
    };
    let (after, changed) = match after.split_once(" frame ") {
        Some((after, changed)) => (after, Some(words(changed).filter(|(_, rest)| rest.is_empty())?.0)),
        None => (after, None),
    };
    let after = after.trim();
    let (status, out) = match after.strip_prefix("exit ") {
        Some(exit) => {
            let (number, values) = exit.split_once(' ')?;
            let (values, rest) = words(values)?;
            (FIRST_EXIT + number.parse::<i64>().ok()?, rest.is_empty().then_some(values)?)
        }
        None => {
            let (status, value) = after.split_once(' ').unwrap_or((after, ""));
            let value = if value.is_empty() { vec![] } else { vec![word(value.trim())?] };
            (Status::from_text(status)? as i64, value)
        }
    };
    Some(Directive { entry: entry.parse().ok()?, frame, status, out, after: changed })
}

fn read(text: &str) -> (Function, Vec<Directive>) {
    let function = parse(text).unwrap_or_else(|error| panic!("{error}"));
    verify(&function, Level::Lowered).unwrap_or_else(|errors| panic!("{errors}"));
    let lines = text.lines().filter_map(|line| line.strip_prefix("; run:"));
    let directives: Vec<Directive> =
        lines.map(|line| directive(line).unwrap_or_else(|| panic!("no directive: {line}"))).collect();
    assert!(!directives.is_empty(), "a file without a directive");
    assert!(directives.iter().all(|directive| directive.out.len() < OUT), "more values than the out buffer holds");
    (function, directives)
}

fn run(bench: &Bench<'_>, text: &str) {
    let (function, directives) = read(text);
    let compiled = bench.compile_all(&function, &fake());
    for Directive { entry, frame, status, out, after } in directives {
        let inputs: Vec<u64> = frame.iter().map(|word| word.bits()).collect();
        let (got_status, got, got_frame) = compiled.run_on(&inputs, entry);
        assert_eq!(got_status, status, "status at entry {entry} frame {frame:?}");
        for (index, &bits) in got.iter().enumerate() {
            match out.get(index) {
                Some(word) => assert!(
                    word.accepts(bits),
                    "value {index} is {bits:#x}, expected {word:x?}, at entry {entry} frame {frame:?}"
                ),
                None => assert_eq!(bits, POISON, "word {index} of out is written, at entry {entry} frame {frame:?}"),
            }
        }
        let after = after.unwrap_or(frame);
        let matching = after.len() == got_frame.len() && after.iter().zip(&got_frame).all(|(w, &b)| w.accepts(b));
        assert!(matching, "memory is {got_frame:x?}, expected {after:x?}, at entry {entry}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_or_refused() {
        let read = directive(" entry -3 frame (5, 1.5) => exit 2 (0x10, nan, inf) frame (6, -0.0)").unwrap();
        assert_eq!(read.entry, -3);
        assert_eq!(read.frame, [Word::Bits(5), Word::Bits(1.5f64.to_bits())]);
        assert_eq!(read.status, FIRST_EXIT + 2);
        assert_eq!(read.out, [Word::Bits(16), Word::Nan, Word::Bits(f64::INFINITY.to_bits())]);
        assert_eq!(read.after, Some(vec![Word::Bits(6), Word::Bits(1 << 63)]));
        assert_eq!(directive(" entry 0 => raised").unwrap().out, []);
        for wrong in ["entry 1", "entry x => raised", "entry 1 => exit 0", "entry 1 => gone", "entry 1 (2) => raised"] {
            assert_eq!(directive(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_file_is_on_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<String> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "ir"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, FILES.iter().map(|file| file.0).collect::<Vec<_>>());
    }
}
