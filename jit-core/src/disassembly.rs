//! Machine code as text, for people and golden files.
//!
//! *Method*: one instruction per line with its offset; in the margin, where they change, the source line and the bytecode
//! offset it stems from; known addresses by name. Data that a backend places among the code is told from it by how it is
//! addressed: what an instruction reads relative to `rip` is a constant, and constants stand behind all code; where an
//! address relative to `rip` is taken, a table of jump targets begins, each relative to the table, which ends where the
//! first of its targets begins.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use iced_x86::{
    Decoder, DecoderOptions, Formatter, Instruction, Mnemonic, NasmFormatter, SymbolResolver, SymbolResult,
};

use crate::backend::CodeOrigin;
use crate::bytecode::line_table::LineTable;

/// Names of addresses that code may mention.
pub type Names = HashMap<u64, String>;

/// Lists `code` as if it stood at `base`.
pub fn disassemble(code: &[u8], base: u64, origins: &[CodeOrigin], lines: &LineTable, names: &Names) -> String {
    let names = Resolver { names: names.clone(), code: base..base + code.len() as u64 };
    let mut formatter = NasmFormatter::with_options(Some(Box::new(names)), None);
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_space_after_operand_separator(true);
    options.set_rip_relative_addresses(false);

    let mut listing = String::new();
    let mut text = String::new();
    let mut origins = origins.iter().peekable();
    let mut shown = None;
    let mut line_shown = None;
    let mut tables = BTreeSet::new();
    let mut end = code.len();
    let mut decoder = Decoder::with_ip(64, code, base, DecoderOptions::NONE);
    while decoder.position() < end {
        let position = decoder.position();
        if tables.contains(&position) {
            let after = end_of_table(code, position, end);
            let words =
                code[position..after].chunks_exact(4).map(|word| i32::from_le_bytes(word.try_into().expect("4")));
            for (i, word) in words.enumerate() {
                let target = position as i64 + i64::from(word);
                writeln!(listing, "{:>12} {:6x}  table +{target:x}", "", position + 4 * i)
                    .expect("a string takes any text");
            }
            if after == position || decoder.set_position(after).is_err() {
                break;
            }
            decoder.set_ip(base + after as u64);
            continue;
        }
        if end < code.len() && code[position..end].iter().all(|byte| *byte == 0) {
            break; // what aligns the constants
        }
        let instruction = decoder.decode();
        if instruction.is_ip_rel_memory_operand() {
            let place = instruction.ip_rel_memory_address().wrapping_sub(base) as usize;
            if instruction.mnemonic() == Mnemonic::Lea {
                tables.insert(place);
            } else if place > position {
                end = end.min(place);
            }
        }
        let at = instruction.ip() - base;
        let mut origin = shown;
        while let Some(entry) = origins.next_if(|entry| u64::from(entry.start) <= at) {
            origin = entry.origin;
        }
        let margin = match origin {
            Some(offset) if origin != shown => format!("@{offset}"),
            _ => String::new(),
        };
        let line = origin.and_then(|offset| lines.line(offset));
        let line_margin = match line {
            Some(number) if line != line_shown => number.to_string(),
            _ => String::new(),
        };
        shown = origin;
        line_shown = line.or(line_shown);
        text.clear();
        formatter.format(&instruction, &mut text);
        writeln!(listing, "{line_margin:>5} {margin:>6} {at:6x}  {text}").expect("a string takes any text");
    }
    if end < code.len() {
        writeln!(listing, "{:>12} {end:6x}  {} bytes of constants", "", code.len() - end)
            .expect("a string takes any text");
    }
    listing
}

/// Where a table of jump targets at `start` ends, which is `limit` at the latest.
fn end_of_table(code: &[u8], start: usize, limit: usize) -> usize {
    let mut end = limit;
    let mut at = start;
    while at + 4 <= end {
        let word = i32::from_le_bytes(code[at..at + 4].try_into().expect("4 bytes"));
        let target = start as i64 + i64::from(word);
        if target > start as i64 {
            end = end.min(target as usize);
        }
        at += 4;
    }
    at.min(end)
}

struct Resolver {
    names: Names,
    code: std::ops::Range<u64>,
}

impl SymbolResolver for Resolver {
    fn symbol(
        &mut self,
        _instruction: &Instruction,
        _operand: u32,
        _instruction_operand: Option<u32>,
        address: u64,
        _address_size: u32,
    ) -> Option<SymbolResult<'_>> {
        if let Some(name) = self.names.get(&address) {
            return Some(SymbolResult::with_str(address, name));
        }
        // Places in the code itself by their offset, so that listings do not depend on where it stands. Small numbers
        // are not addresses.
        (self.code.start > 0xffff && self.code.contains(&address))
            .then(|| SymbolResult::with_string(address, format!("+{:x}", address - self.code.start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_origins_are_shown() {
        // mov rax, 0x123456789; call rax; ret
        let code = [0x48, 0xb8, 0x89, 0x67, 0x45, 0x23, 0x01, 0, 0, 0, 0xff, 0xd0, 0xc3];
        let names = Names::from([(0x1_2345_6789, "box_float".to_owned())]);
        let origins = [CodeOrigin { start: 0, origin: Some(12) }, CodeOrigin { start: 12, origin: Some(14) }];
        let listing = disassemble(&code, 0x10000, &origins, &LineTable::default(), &names);
        assert_eq!(
            listing,
            "         @12      0  mov rax, box_float\n                  a  call rax\n         @14      c  ret\n"
        );
    }

    #[test]
    fn tables_and_constants_are_not_taken_for_instructions() {
        // lea rax, [rip + 1]; ret; two targets (8, 9 from the table); ret; ret; then movsd xmm0, [rip + 1]; ret; 8 bytes
        let mut code = vec![0x48, 0x8d, 0x05, 1, 0, 0, 0, 0xc3, 8, 0, 0, 0, 9, 0, 0, 0, 0xc3, 0xc3];
        code.extend([0xf2, 0x0f, 0x10, 0x05, 1, 0, 0, 0, 0xc3, 6, 6, 6, 6, 6, 6, 6, 6]);
        let listing = disassemble(&code, 0x10000, &[], &LineTable::default(), &Names::new());
        let texts: Vec<&str> = listing.lines().map(|line| line[12..].trim_start()).collect();
        assert_eq!(texts[2..6], ["8  table +10", "c  table +11", "10  ret", "11  ret"]);
        assert_eq!(texts[7..], ["1a  ret", "1b  8 bytes of constants"]);
    }
}
