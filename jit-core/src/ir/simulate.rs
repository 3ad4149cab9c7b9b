//! A simulated heap of Python objects, for tests, fuzzing and the text files under `tests/ir`.
//!
//! *Problem*: lowered code loads from objects and calls helpers; without an interpreter there are neither. *Method*: memory
//! is a table of 8-byte words; ints and floats are laid out as a [`Layout`] says, with reference counts; a few helpers that
//! the IR's own lowering uses are implemented, others take the references they steal and return new ints, deterministically.
//! *Invariants*: an access outside a live object, the frame or the out buffer is an error, and so is a count that falls
//! below 0: wrong reference counting is found at once; [`Heap::live`] tells what was not freed.

use super::interpret::{Environment, extend};
use super::op::Symbol;
use super::types::{MemTy, PyTypes};
use crate::helpers::{Effects, Helper, Passing};
use crate::layout::Layout;
use std::collections::BTreeMap;

/// Where the fixed parts lie.
pub const FRAME: u64 = 0x10_0000;
pub const OUT: u64 = 0x20_0000;
pub const THREAD_STATE: u64 = 0x30_0000;
const ADDRESSES: u64 = 0x40_0000;
const SINGLETONS: u64 = 0x50_0000;
const CONSTANTS: u64 = 0x60_0000;
const TYPES: u64 = 0x70_0000;
const CODE: u64 = 0x80_0000;
const HEAP: u64 = 0x100_0000;
/// Distance between objects.
const OBJECT: u64 = 64;
const PAGE: u64 = 0x1_0000;

/// Contents of an object that can be made and looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Content {
    Null,
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// An object of another type, told apart by a number.
    Other(u64),
}

impl std::fmt::Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Content::Null => f.write_str("null"),
            Content::None => f.write_str("none"),
            Content::Bool(truth) => write!(f, "{truth}"),
            Content::Int(number) => write!(f, "int {number}"),
            Content::Float(number) => write!(f, "float {number:?}"),
            Content::Other(number) => write!(f, "other {number}"),
        }
    }
}

/// The simulated process.
#[derive(Clone, Debug)]
pub struct Heap {
    layout: Layout,
    words: BTreeMap<u64, u64>,
    next: u64,
    /// Helpers called, in order, and the instruction pointer then.
    pub calls: Vec<(Helper, Option<u64>)>,
    /// Objects allocated so far.
    pub allocated: u64,
    /// Result of the next unknown helper.
    unknown: u64,
}

const SINGLETON_COUNT: u64 = 1 << 20;

impl Heap {
    pub fn new(layout: Layout) -> Heap {
        let mut heap = Heap { layout, words: BTreeMap::new(), next: HEAP, calls: Vec::new(), allocated: 0, unknown: 0 };
        for (index, py) in [PyTypes::NONE, PyTypes::BOOL, PyTypes::BOOL].into_iter().enumerate() {
            let address = SINGLETONS + index as u64 * OBJECT;
            heap.put(address, heap.layout.ob_refcnt, SINGLETON_COUNT);
            heap.put(address, heap.layout.ob_type, type_address(py));
        }
        // `True` is an int of one digit, `False` of none.
        heap.put(SINGLETONS + OBJECT, heap.layout.long_size, 1);
        heap.put(SINGLETONS + OBJECT, heap.layout.long_digits, 1);
        heap.put(SINGLETONS + 2 * OBJECT, heap.layout.long_size, 0);
        heap.put(SINGLETONS + 2 * OBJECT, heap.layout.long_digits, 0);
        heap
    }

    fn put(&mut self, base: u64, offset: i32, word: u64) {
        self.words.insert(base + offset as u64, word);
    }

    /// A new reference; singletons are counted.
    pub fn make(&mut self, content: Content) -> u64 {
        let (py, first, second) = match content {
            Content::Null => return 0,
            Content::None => return self.singleton(0),
            Content::Bool(true) => return self.singleton(1),
            Content::Bool(false) => return self.singleton(2),
            Content::Int(number) => {
                let mut digits = Vec::new();
                let mut rest = number.unsigned_abs();
                while rest > 0 {
                    digits.push((rest & 0x3fff_ffff) as u64);
                    rest >>= 30;
                }
                let size = digits.len() as i64 * if number < 0 { -1 } else { 1 };
                digits.resize(6, 0);
                let address = self.allocate(PyTypes::INT);
                self.put(address, self.layout.long_size, size as u64);
                for (index, pair) in digits.chunks(2).enumerate() {
                    self.put(address, self.layout.long_digits + 8 * index as i32, pair[0] | pair[1] << 32);
                }
                return address;
            }
            Content::Float(number) => (PyTypes::FLOAT, number.to_bits(), 0),
            Content::Other(number) => (PyTypes::OTHER, number, 0),
        };
        let address = self.allocate(py);
        self.put(address, self.layout.float_value, first);
        self.put(address, self.layout.float_value + 8, second);
        address
    }

    fn allocate(&mut self, py: PyTypes) -> u64 {
        let address = self.next;
        self.next += OBJECT;
        self.allocated += 1;
        self.put(address, self.layout.ob_refcnt, 1);
        self.put(address, self.layout.ob_type, type_address(py));
        address
    }

    fn singleton(&mut self, index: u64) -> u64 {
        let address = SINGLETONS + index * OBJECT;
        *self.words.get_mut(&(address + self.layout.ob_refcnt as u64)).expect("a singleton") += 1;
        address
    }

    fn word(&self, address: u64, offset: i32) -> Result<u64, String> {
        let address = address.wrapping_add_signed(offset.into());
        self.words.get(&address).copied().ok_or_else(|| format!("nothing at {address:#x}"))
    }

    /// What an address refers to.
    pub fn content(&self, address: u64) -> Result<Content, String> {
        if address == 0 {
            return Ok(Content::Null);
        }
        let py = self.word(address, self.layout.ob_type)?;
        let first = self.word(address, self.layout.float_value);
        Ok(if py == type_address(PyTypes::NONE) {
            Content::None
        } else if py == type_address(PyTypes::BOOL) {
            Content::Bool(address == SINGLETONS + OBJECT)
        } else if py == type_address(PyTypes::FLOAT) {
            Content::Float(f64::from_bits(first?))
        } else if py == type_address(PyTypes::INT) {
            let size = first? as i64;
            let mut magnitude = 0i128;
            for index in (0..size.unsigned_abs().min(4) as i32).rev() {
                let pair = self.word(address, self.layout.long_digits + 8 * (index / 2))?;
                let digit = if index % 2 == 0 { pair & 0xffff_ffff } else { pair >> 32 };
                magnitude = magnitude << 30 | i128::from(digit);
            }
            Content::Int(if size < 0 { -magnitude } else { magnitude })
        } else {
            Content::Other(first?)
        })
    }

    pub fn incref(&mut self, address: u64) -> Result<(), String> {
        let count = self.word(address, self.layout.ob_refcnt)?;
        self.put(address, self.layout.ob_refcnt, count + 1);
        Ok(())
    }

    pub fn decref(&mut self, address: u64) -> Result<(), String> {
        let count = self.word(address, self.layout.ob_refcnt)?;
        if count == 0 {
            return Err(format!("count of {address:#x} falls below 0"));
        }
        self.put(address, self.layout.ob_refcnt, count - 1);
        if count == 1 { self.deallocate(address) } else { Ok(()) }
    }

    fn deallocate(&mut self, address: u64) -> Result<(), String> {
        if self.word(address, self.layout.ob_refcnt)? != 0 {
            return Err(format!("{address:#x} is deallocated while it is referred to"));
        }
        for offset in 0..OBJECT {
            self.words.remove(&(address + offset));
        }
        Ok(())
    }

    /// Objects that exist, with their counts. Constants and singletons are not among them.
    pub fn live(&self) -> Vec<(u64, u64)> {
        let refcnt = self.layout.ob_refcnt as u64;
        let counts = self.words.range(HEAP..).filter(|(address, _)| (*address - HEAP) % OBJECT == refcnt);
        counts.map(|(address, count)| (address - refcnt, *count)).collect()
    }

    pub fn set_slot(&mut self, slot: u32, object: u64) {
        self.put(FRAME, self.layout.frame_localsplus + 8 * slot as i32, object);
    }

    pub fn slot(&self, slot: u32) -> u64 {
        self.word(FRAME, self.layout.frame_localsplus + 8 * slot as i32).unwrap_or(0)
    }

    /// Word `index` behind `Symbol::Address(0)`.
    pub fn address_word(&self, index: u32) -> u64 {
        self.words.get(&(ADDRESSES + 8 * u64::from(index))).copied().unwrap_or(0)
    }

    /// The offset of the code unit that `prev_instr` points to, if it was set.
    pub fn ip(&self) -> Option<u64> {
        self.word(FRAME, self.layout.frame_prev_instr).ok()?.checked_sub(CODE)
    }

    /// `co_consts[index]` is an int of that value plus 1000.
    fn constant(&mut self, index: u64) -> u64 {
        let address = CONSTANTS + index * OBJECT;
        if !self.words.contains_key(&(address + self.layout.ob_refcnt as u64)) {
            self.put(address, self.layout.ob_refcnt, SINGLETON_COUNT);
            self.put(address, self.layout.ob_type, type_address(PyTypes::INT));
            self.put(address, self.layout.long_size, 1);
            self.put(address, self.layout.long_digits, index + 1000);
        }
        address
    }

    fn plain(address: u64) -> bool {
        (FRAME..FRAME + PAGE).contains(&address)
            || (OUT..OUT + PAGE).contains(&address)
            || (ADDRESSES..ADDRESSES + PAGE).contains(&address)
    }
}

fn type_address(py: PyTypes) -> u64 {
    TYPES + u64::from(py.bits().trailing_zeros()) * OBJECT
}

impl Environment for Heap {
    fn load(&mut self, address: u64, mem: MemTy) -> Result<u64, String> {
        let base = address & !7;
        let word = match self.words.get(&base) {
            Some(word) => *word,
            None if Heap::plain(base) => 0,
            None => return Err(format!("load from {address:#x}")),
        };
        if !address.is_multiple_of(mem.size() as u64) {
            return Err(format!("misaligned load from {address:#x}"));
        }
        Ok(extend(mem, word >> (8 * (address - base))))
    }

    fn store(&mut self, address: u64, mem: MemTy, bits: u64) -> Result<(), String> {
        let base = address & !7;
        if !address.is_multiple_of(mem.size() as u64) || !(self.words.contains_key(&base) || Heap::plain(base)) {
            return Err(format!("store to {address:#x}"));
        }
        let shift = 8 * (address - base);
        let mask = (u64::MAX >> (64 - 8 * mem.size())) << shift;
        let word = self.words.entry(base).or_insert(0);
        *word = *word & !mask | bits << shift & mask;
        Ok(())
    }

    fn symbol(&mut self, symbol: Symbol) -> Result<u64, String> {
        Ok(match symbol {
            Symbol::Const(index) => self.constant(index.into()),
            Symbol::Name(index) => self.constant(0x200 + u64::from(index)),
            Symbol::Type(py) => type_address(py),
            Symbol::None => SINGLETONS,
            Symbol::True => SINGLETONS + OBJECT,
            Symbol::False => SINGLETONS + 2 * OBJECT,
            Symbol::CodeUnit(offset) => CODE + u64::from(offset),
            Symbol::EvalBreaker => ADDRESSES + PAGE - 8,
            Symbol::SmallInts => return Err("there is no table of small ints".into()),
            Symbol::Address(index) => ADDRESSES + 0x100 * u64::from(index),
        })
    }

    fn call(&mut self, helper: Helper, args: &[u64]) -> Result<u64, String> {
        let ip = self.ip();
        self.calls.push((helper, ip));
        match helper {
            Helper::BoxFloat => return Ok(self.make(Content::Float(f64::from_bits(args[0])))),
            Helper::BoxInt => return Ok(self.make(Content::Int((args[0] as i64).into()))),
            Helper::IntToI64 => {
                let Content::Int(number) = self.content(args[0])? else {
                    return Err("int_to_i64 of another type".into());
                };
                let Ok(number) = i64::try_from(number) else { return Ok(0) };
                self.store(args[1], MemTy::I64, number as u64)?;
                return Ok(1);
            }
            Helper::Incref => return self.incref(args[0]).map(|()| 0),
            Helper::Decref => return self.decref(args[0]).map(|()| 0),
            Helper::XDecref if args[0] == 0 => return Ok(0),
            Helper::XDecref => return self.decref(args[0]).map(|()| 0),
            Helper::Dealloc => return self.deallocate(args[0]).map(|()| 0),
            Helper::FloatRemainder => {
                let (a, b) = (f64::from_bits(args[0]), f64::from_bits(args[1]));
                return Ok((a - b * (a / b).floor()).to_bits());
            }
            _ => {}
        }
        for (arg, passing) in args.iter().zip(helper.params()) {
            match passing {
                Passing::Stolen => self.decref(*arg)?,
                Passing::StolenOrNull if *arg != 0 => self.decref(*arg)?,
                Passing::Borrowed => {
                    self.content(*arg)?;
                }
                _ => {}
            }
        }
        self.unknown += 1;
        let unknown = self.unknown;
        Ok(match helper.result() {
            Passing::Nothing => 0,
            Passing::Float => (unknown as f64 + 0.5).to_bits(),
            Passing::Int | Passing::Status | Passing::Address => unknown % 2,
            _ if helper.effects().contains(Effects::RAISES) && unknown.is_multiple_of(5) => 0,
            _ => self.make(Content::Int(unknown.into())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_keep_their_content() {
        let mut heap = Heap::new(Layout::EXAMPLE);
        for content in [
            Content::Null,
            Content::None,
            Content::Bool(true),
            Content::Bool(false),
            Content::Int(0),
            Content::Int(-1),
            Content::Int(1 << 30),
            Content::Int(-(1 << 60)),
            Content::Int(i64::MIN.into()),
            Content::Int(1 << 64),
            Content::Float(-0.0),
            Content::Other(7),
        ] {
            let address = heap.make(content);
            assert_eq!(heap.content(address).unwrap().to_string(), content.to_string());
        }
    }

    #[test]
    fn counting_is_checked() {
        let mut heap = Heap::new(Layout::EXAMPLE);
        let object = heap.make(Content::Float(1.0));
        heap.incref(object).unwrap();
        heap.decref(object).unwrap();
        assert_eq!(heap.live(), [(object, 1)]);
        heap.decref(object).unwrap();
        assert!(heap.live().is_empty());
        assert!(heap.decref(object).is_err());
    }
}
