//! Machine code as text, for people and golden files.
//!
//! *Method*: one instruction per line with its offset; the bytecode offset it stems from in the margin where that changes;
//! known addresses by name. *Limit*: tables that a backend places among the code are listed as instructions.

use std::collections::HashMap;
use std::fmt::Write;

use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, NasmFormatter, SymbolResolver, SymbolResult};

use crate::backend::CodeOrigin;

/// Names of addresses that code may mention.
pub type Names = HashMap<u64, String>;

/// Lists `code` as if it stood at `base`.
pub fn disassemble(code: &[u8], base: u64, origins: &[CodeOrigin], names: &Names) -> String {
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
    for instruction in Decoder::with_ip(64, code, base, DecoderOptions::NONE).iter() {
        let at = instruction.ip() - base;
        let mut origin = shown;
        while let Some(entry) = origins.next_if(|entry| u64::from(entry.start) <= at) {
            origin = entry.origin;
        }
        let margin = match origin {
            Some(offset) if origin != shown => format!("@{offset}"),
            _ => String::new(),
        };
        shown = origin;
        text.clear();
        formatter.format(&instruction, &mut text);
        writeln!(listing, "{margin:>6} {at:6x}  {text}").expect("a string takes any text");
    }
    listing
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
        let listing = disassemble(&code, 0x10000, &origins, &names);
        assert_eq!(listing, "   @12      0  mov rax, box_float\n            a  call rax\n   @14      c  ret\n");
    }
}
