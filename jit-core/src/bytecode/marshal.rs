//! Code objects from a `.pyc` file.
//!
//! *Problem*: CPython's marshal format (`Python/marshal.c`) nests, and shares objects by reference: a few bytes can ask
//! for a very large or very deep object. *Method*: `Reader` turns bytes into values that share what the file shares, so
//! reading costs no more than the file is long; the values are then copied out into [`CodeObject`]s, which share nothing,
//! and every copied byte and item is charged to a budget that grows with the file.
//! *Invariants*: nothing is allocated for a length that the file does not have bytes for; depth is at most
//! [`MAX_DEPTH`]; a code object that is returned has as many kinds as localsplus names and room for its arguments. What its
//! code does with them is for `decode` to check.

use super::code::{CodeObject, Constant, PythonVersion, flags};
use super::v3_11;
use std::rc::Rc;
use thiserror::Error;

/// Objects inside objects, through references too; far above what CPython's parser lets a program have.
pub const MAX_DEPTH: usize = 300;

/// Why bytes are not a `.pyc` file that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MarshalError {
    #[error("not a .pyc file of a supported CPython version (magic number {magic})")]
    Magic { magic: u16 },
    #[error("cut off at byte {at}")]
    Truncated { at: usize },
    #[error("unknown object type {tag:#04x} at byte {at}")]
    UnknownType { tag: u8, at: usize },
    #[error("objects are nested more than {MAX_DEPTH} deep at byte {at}")]
    TooDeep { at: usize },
    #[error("negative length at byte {at}")]
    Length { at: usize },
    #[error("reference to object {reference}, which is not there yet, at byte {at}")]
    Reference { reference: u32, at: usize },
    #[error("broken {what} at byte {at}")]
    Value { what: &'static str, at: usize },
    #[error("a code object's {field} is not what it must be")]
    Field { field: &'static str },
    #[error("the file holds no code object")]
    NotCode,
    #[error("the objects are too large for the file they come from")]
    TooLarge,
}

/// Reads a whole `.pyc` file: header and module code.
pub fn read_pyc(bytes: &[u8]) -> Result<CodeObject, MarshalError> {
    const HEADER: usize = 16;
    let [low, high, return_, newline, ..] = *bytes else {
        return Err(MarshalError::Truncated { at: bytes.len() });
    };
    let magic = u16::from_le_bytes([low, high]);
    if [return_, newline] != *b"\r\n" {
        return Err(MarshalError::Magic { magic });
    }
    let version = match magic {
        v3_11::MAGIC => PythonVersion::V3_11,
        _ => return Err(MarshalError::Magic { magic }),
    };
    let body = bytes.get(HEADER..).ok_or(MarshalError::Truncated { at: bytes.len() })?;
    read_code(body, version)
}

/// Reads what `marshal.dumps` made of a code object.
pub fn read_code(bytes: &[u8], version: PythonVersion) -> Result<CodeObject, MarshalError> {
    let PythonVersion::V3_11 = version;
    let mut reader = Reader { bytes, at: 0, depth: 0, tallest: 0, references: Vec::new() };
    let Value::Code(code) = reader.object()? else {
        return Err(MarshalError::NotCode);
    };
    // Names are short and shared; a code object has some 300 bytes of its own for at least 60 in the file.
    let budget = bytes.len().saturating_mul(64).saturating_add(1 << 16);
    Copier { version, budget }.code(&code)
}

/// A marshalled object, sharing what the file shares.
#[derive(Clone)]
enum Value {
    /// `TYPE_NULL`: the end of a dictionary.
    Null,
    None,
    Ellipsis,
    Bool(bool),
    Int(i64),
    BigInt,
    Float(f64),
    Complex,
    /// `exact` is false when lone surrogates had to be replaced.
    Str {
        text: Rc<str>,
        exact: bool,
    },
    Bytes(Rc<[u8]>),
    Tuple(Rc<[Value]>),
    FrozenSet,
    Code(Rc<RawCode>),
    /// Objects that constants are not made of.
    Other,
}

/// The fields of a code object in the order of the file.
struct RawCode {
    argcount: i32,
    posonly_argcount: i32,
    kwonly_argcount: i32,
    stack_size: i32,
    flags: i32,
    code: Value,
    constants: Value,
    names: Value,
    locals_plus_names: Value,
    locals_plus_kinds: Value,
    filename: Value,
    name: Value,
    qualname: Value,
    first_line: i32,
    line_table: Value,
    exception_table: Value,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Objects being read, one inside the other.
    depth: usize,
    /// Height of the tallest object read so far inside the current one.
    tallest: usize,
    /// Objects that may be referred to, by number, with their heights; `None` while they are being read.
    references: Vec<Option<(Value, usize)>>,
}

impl<'a> Reader<'a> {
    fn object(&mut self) -> Result<Value, MarshalError> {
        const FLAG_REF: u8 = 0x80;
        let at = self.at;
        let byte = self.take(1)?[0];
        let tag = byte & !FLAG_REF;
        // CPython numbers some objects before and some after reading their parts; the latter have none that could be
        // referred to, so one order serves all.
        let is_numbered = byte & FLAG_REF != 0 && !matches!(tag, b'0' | b'N' | b'T' | b'F' | b'S' | b'.' | b'r');
        let reference = is_numbered.then_some(self.references.len());
        if is_numbered {
            self.references.push(None);
        }
        if self.depth == MAX_DEPTH {
            return Err(MarshalError::TooDeep { at });
        }
        self.depth += 1;
        let tallest_outside = std::mem::take(&mut self.tallest);
        let value = self.body(tag, at)?;
        let height = self.tallest + 1;
        self.tallest = tallest_outside.max(height);
        self.depth -= 1;
        if self.depth + height > MAX_DEPTH {
            return Err(MarshalError::TooDeep { at });
        }
        if let Some(reference) = reference {
            self.references[reference] = Some((value.clone(), height));
        }
        Ok(value)
    }

    fn body(&mut self, tag: u8, at: usize) -> Result<Value, MarshalError> {
        Ok(match tag {
            b'0' => Value::Null,
            b'N' => Value::None,
            b'F' => Value::Bool(false),
            b'T' => Value::Bool(true),
            b'S' => Value::Other,
            b'.' => Value::Ellipsis,
            b'i' => Value::Int(self.long()?.into()),
            b'I' => {
                let bytes = self.take(8)?;
                Value::Int(i64::from_le_bytes(bytes.try_into().expect("8 bytes were taken")))
            }
            b'l' => self.integer()?,
            b'g' => Value::Float(self.float()?),
            b'f' => Value::Float(self.written_float()?),
            b'y' => {
                self.take(16)?;
                Value::Complex
            }
            b'x' => {
                self.written_float()?;
                self.written_float()?;
                Value::Complex
            }
            b's' => {
                let length = self.length()?;
                Value::Bytes(self.take(length)?.into())
            }
            b't' | b'u' => {
                let length = self.length()?;
                self.text(length)?
            }
            b'a' | b'A' => {
                let length = self.length()?;
                self.ascii(length)?
            }
            b'z' | b'Z' => {
                let length = self.take(1)?[0].into();
                self.ascii(length)?
            }
            b')' => {
                let length = self.take(1)?[0].into();
                Value::Tuple(self.items(length)?.into())
            }
            b'(' => {
                let length = self.length()?;
                Value::Tuple(self.items(length)?.into())
            }
            b'[' | b'<' => {
                let length = self.length()?;
                self.items(length)?;
                Value::Other
            }
            b'>' => {
                let length = self.length()?;
                self.items(length)?;
                Value::FrozenSet
            }
            b'{' => {
                while !matches!(self.object()?, Value::Null) {
                    self.item()?;
                }
                Value::Other
            }
            b'r' => {
                let reference = self.long()? as u32;
                match self.references.get(reference as usize) {
                    Some(Some((value, height))) => {
                        self.tallest = height - 1;
                        value.clone()
                    }
                    _ => return Err(MarshalError::Reference { reference, at }),
                }
            }
            b'c' => Value::Code(self.code()?),
            _ => return Err(MarshalError::UnknownType { tag, at }),
        })
    }

    /// An object where there must be one.
    fn item(&mut self) -> Result<Value, MarshalError> {
        let at = self.at;
        match self.object()? {
            Value::Null => Err(MarshalError::Value { what: "object", at }),
            value => Ok(value),
        }
    }

    fn items(&mut self, length: usize) -> Result<Vec<Value>, MarshalError> {
        // Every object has at least a byte, so this reserves no more than a small multiple of the file.
        let rest = self.bytes.len() - self.at;
        if length > rest {
            return Err(MarshalError::Truncated { at: self.bytes.len() });
        }
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(self.item()?);
        }
        Ok(items)
    }

    #[inline(never)]
    fn code(&mut self) -> Result<Rc<RawCode>, MarshalError> {
        Ok(Rc::new(RawCode {
            argcount: self.long()?,
            posonly_argcount: self.long()?,
            kwonly_argcount: self.long()?,
            stack_size: self.long()?,
            flags: self.long()?,
            code: self.item()?,
            constants: self.item()?,
            names: self.item()?,
            locals_plus_names: self.item()?,
            locals_plus_kinds: self.item()?,
            filename: self.item()?,
            name: self.item()?,
            qualname: self.item()?,
            first_line: self.long()?,
            line_table: self.item()?,
            exception_table: self.item()?,
        }))
    }

    /// Digits of 15 bits, least significant first; the sign is that of their number.
    fn integer(&mut self) -> Result<Value, MarshalError> {
        let at = self.at;
        let broken = MarshalError::Value { what: "int", at };
        let signed_count = self.long()?;
        let count = signed_count.unsigned_abs() as usize;
        let bytes = self.take(count.checked_mul(2).ok_or(broken.clone())?)?;
        let mut magnitude: Option<i128> = Some(0);
        for (position, digit) in bytes.chunks_exact(2).enumerate() {
            let digit = u16::from_le_bytes([digit[0], digit[1]]);
            if digit >= 1 << 15 || (digit == 0 && position + 1 == count) {
                return Err(broken);
            }
            magnitude = magnitude.filter(|_| position < 5).map(|value| value | i128::from(digit) << (15 * position));
        }
        let value = magnitude.map(|value| if signed_count < 0 { -value } else { value });
        Ok(match value.and_then(|value| i64::try_from(value).ok()) {
            Some(value) => Value::Int(value),
            None => Value::BigInt,
        })
    }

    fn float(&mut self) -> Result<f64, MarshalError> {
        let bytes = self.take(8)?;
        Ok(f64::from_le_bytes(bytes.try_into().expect("8 bytes were taken")))
    }

    fn written_float(&mut self) -> Result<f64, MarshalError> {
        let at = self.at;
        let length = self.take(1)?[0].into();
        let text = std::str::from_utf8(self.take(length)?).ok();
        text.and_then(|text| text.parse().ok()).ok_or(MarshalError::Value { what: "float", at })
    }

    fn ascii(&mut self, length: usize) -> Result<Value, MarshalError> {
        let at = self.at;
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Ok(Value::Str { text: text.into(), exact: true }),
            _ => Err(MarshalError::Value { what: "str", at }),
        }
    }

    /// UTF-8 in which lone surrogates may be encoded like other characters.
    fn text(&mut self, length: usize) -> Result<Value, MarshalError> {
        let bytes = self.take(length)?;
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => Value::Str { text: text.into(), exact: true },
            Err(_) => Value::Str { text: String::from_utf8_lossy(bytes).into(), exact: false },
        })
    }

    fn long(&mut self) -> Result<i32, MarshalError> {
        let bytes = self.take(4)?;
        Ok(i32::from_le_bytes(bytes.try_into().expect("4 bytes were taken")))
    }

    fn length(&mut self) -> Result<usize, MarshalError> {
        let at = self.at;
        usize::try_from(self.long()?).map_err(|_| MarshalError::Length { at })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], MarshalError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or(MarshalError::Truncated { at: self.bytes.len() })?;
        self.at += count;
        Ok(taken)
    }
}

/// Copies shared values out, within a budget in bytes.
struct Copier {
    version: PythonVersion,
    budget: usize,
}

impl Copier {
    fn charge(&mut self, cost: usize) -> Result<(), MarshalError> {
        self.budget = self.budget.checked_sub(cost).ok_or(MarshalError::TooLarge)?;
        Ok(())
    }

    fn code(&mut self, raw: &RawCode) -> Result<CodeObject, MarshalError> {
        self.charge(size_of::<CodeObject>())?;
        let mut nested = Vec::new();
        let Value::Tuple(items) = &raw.constants else {
            return Err(MarshalError::Field { field: "co_consts" });
        };
        let mut constants = Vec::new();
        for item in items.iter() {
            constants.push(self.constant(item, &mut nested)?);
        }
        let code = CodeObject {
            version: self.version,
            name: self.text(&raw.name, "co_name")?,
            qualname: self.text(&raw.qualname, "co_qualname")?,
            filename: self.text(&raw.filename, "co_filename")?,
            first_line: count(raw.first_line, "co_firstlineno")?,
            flags: raw.flags as u32,
            argcount: count(raw.argcount, "co_argcount")?,
            posonly_argcount: count(raw.posonly_argcount, "co_posonlyargcount")?,
            kwonly_argcount: count(raw.kwonly_argcount, "co_kwonlyargcount")?,
            stack_size: count(raw.stack_size, "co_stacksize")?,
            code: self.bytes(&raw.code, "co_code")?,
            adaptive: None,
            constants,
            names: self.texts(&raw.names, "co_names")?,
            locals_plus_names: self.texts(&raw.locals_plus_names, "co_localsplusnames")?,
            locals_plus_kinds: self.bytes(&raw.locals_plus_kinds, "co_localspluskinds")?,
            exception_table: self.bytes(&raw.exception_table, "co_exceptiontable")?,
            line_table: self.bytes(&raw.line_table, "co_linetable")?,
            nested,
        };
        if code.locals_plus_kinds.len() != code.locals_plus_names.len() {
            return Err(MarshalError::Field { field: "co_localspluskinds" });
        }
        let starred = u64::from(code.flags & flags::VARARGS != 0) + u64::from(code.flags & flags::VARKEYWORDS != 0);
        let arguments = u64::from(code.argcount) + u64::from(code.kwonly_argcount) + starred;
        if code.posonly_argcount > code.argcount || arguments > code.locals_plus_names.len() as u64 {
            return Err(MarshalError::Field { field: "co_argcount" });
        }
        Ok(code)
    }

    fn constant(&mut self, value: &Value, nested: &mut Vec<CodeObject>) -> Result<Constant, MarshalError> {
        self.charge(size_of::<Constant>())?;
        Ok(match value {
            Value::None => Constant::None,
            Value::Ellipsis => Constant::Ellipsis,
            Value::Bool(value) => Constant::Bool(*value),
            Value::Int(value) => Constant::Int(*value),
            Value::BigInt => Constant::BigInt,
            Value::Float(value) => Constant::Float(*value),
            Value::Complex => Constant::Complex,
            Value::Str { text, exact: true } => {
                self.charge(text.len())?;
                Constant::Str(text.to_string())
            }
            Value::Bytes(bytes) => {
                self.charge(bytes.len())?;
                Constant::Bytes(bytes.to_vec())
            }
            Value::Tuple(items) => {
                let mut copied = Vec::new();
                for item in items.iter() {
                    copied.push(self.constant(item, nested)?);
                }
                Constant::Tuple(copied)
            }
            Value::FrozenSet => Constant::FrozenSet,
            Value::Code(raw) => {
                let code = self.code(raw)?;
                nested.push(code);
                Constant::Code(nested.len() - 1)
            }
            Value::Str { exact: false, .. } | Value::Null | Value::Other => Constant::Other,
        })
    }

    fn text(&mut self, value: &Value, field: &'static str) -> Result<String, MarshalError> {
        match value {
            Value::Str { text, .. } => {
                self.charge(size_of::<String>() + text.len())?;
                Ok(text.to_string())
            }
            _ => Err(MarshalError::Field { field }),
        }
    }

    fn texts(&mut self, value: &Value, field: &'static str) -> Result<Vec<String>, MarshalError> {
        match value {
            Value::Tuple(items) => items.iter().map(|item| self.text(item, field)).collect(),
            _ => Err(MarshalError::Field { field }),
        }
    }

    fn bytes(&mut self, value: &Value, field: &'static str) -> Result<Vec<u8>, MarshalError> {
        match value {
            Value::Bytes(bytes) => {
                self.charge(bytes.len())?;
                Ok(bytes.to_vec())
            }
            _ => Err(MarshalError::Field { field }),
        }
    }
}

fn count(value: i32, field: &'static str) -> Result<u32, MarshalError> {
    u32::try_from(value).map_err(|_| MarshalError::Field { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constants(consts: &[u8]) -> Result<Vec<Constant>, MarshalError> {
        read_code(&code_with(consts), PythonVersion::V3_11).map(|code| code.constants)
    }

    /// A code object whose `co_consts` is the given object.
    fn code_with(consts: &[u8]) -> Vec<u8> {
        let mut bytes = vec![b'c'];
        bytes.extend([0; 12]);
        bytes.extend(1i32.to_le_bytes());
        bytes.extend(0i32.to_le_bytes());
        bytes.extend(b"s\x04\0\0\0d\0\x53\0");
        bytes.extend(consts);
        bytes.extend(b")\0)\0s\0\0\0\0z\x04f.pyz\x01fz\x01f");
        bytes.extend(7i32.to_le_bytes());
        bytes.extend(b"s\0\0\0\0s\0\0\0\0");
        bytes
    }

    #[test]
    fn every_kind_of_constant() {
        let bytes = b")\x10NTF.i\xFE\xFF\xFF\xFFl\xFD\xFF\xFF\xFF\x01\0\x02\0\x03\0l\x05\0\0\0\0\0\0\0\0\0\0\0\x08\0\
            g\0\0\0\0\0\0\xF8\x3Ff\x031.5y0123456789abcdefx\x011\x012s\x01\0\0\0\xFFu\x02\0\0\0\xC3\xA9\
            u\x03\0\0\0\xED\xA0\x80)\x01\xE9\x05\0\0\0>\x01\0\0\0T";
        assert_eq!(
            constants(bytes).unwrap(),
            [
                Constant::None,
                Constant::Bool(true),
                Constant::Bool(false),
                Constant::Ellipsis,
                Constant::Int(-2),
                Constant::Int(-(1 + (2 << 15) + (3 << 30))),
                Constant::BigInt,
                Constant::Float(1.5),
                Constant::Float(1.5),
                Constant::Complex,
                Constant::Complex,
                Constant::Bytes(vec![0xFF]),
                Constant::Str("\u{e9}".into()),
                Constant::Other,
                Constant::Tuple(vec![Constant::Int(5)]),
                Constant::FrozenSet,
            ]
        );
        let limits = b")\x02l\x05\0\0\0\xFF\x7F\xFF\x7F\xFF\x7F\xFF\x7F\x07\0l\xFB\xFF\xFF\xFF\0\0\0\0\0\0\0\0\x08\0";
        assert_eq!(constants(limits).unwrap(), [Constant::Int(i64::MAX), Constant::Int(i64::MIN)]);
    }

    #[test]
    fn references_count_in_reading_order() {
        let bytes = b")\x05\xA9\x01\xFA\x01ar\x01\0\0\0r\0\0\0\0\xCEr\x01\0\0\0";
        let a = Constant::Str("a".into());
        let tuple = Constant::Tuple(vec![a.clone()]);
        assert_eq!(constants(bytes), Ok(vec![tuple.clone(), a.clone(), tuple, Constant::None, a]));
        assert_eq!(constants(b"\xA9\x01r\0\0\0\0"), Err(MarshalError::Reference { reference: 0, at: 32 }));
    }

    #[test]
    fn short_files_cannot_ask_for_large_objects() {
        // Each tuple holds the one before it twice.
        let mut doubling = vec![b')', 40, 0xA9, 0];
        for reference in 0..39u8 {
            doubling.extend([0xA9, 2, b'r', reference, 0, 0, 0, b'r', reference, 0, 0, 0]);
        }
        assert_eq!(constants(&doubling), Err(MarshalError::TooLarge));
        // Each tuple holds the one before it.
        let mut chain = vec![b'('];
        chain.extend(100_000i32.to_le_bytes());
        chain.extend([0xA9, 0]);
        for reference in 0..99_999i32 {
            chain.extend([0xA9, 1, b'r']);
            chain.extend(reference.to_le_bytes());
        }
        assert!(matches!(constants(&chain), Err(MarshalError::TooDeep { .. })));
        assert!(matches!(constants(&[b')', 1].repeat(100_000)), Err(MarshalError::TooDeep { .. })));
        assert!(matches!(constants(b"(\xFF\xFF\xFF\x7F"), Err(MarshalError::Truncated { .. })));
        assert!(matches!(constants(b"s\xFF\xFF\xFF\x7F"), Err(MarshalError::Truncated { .. })));
        assert!(matches!(constants(b"l\0\0\0\x80"), Err(MarshalError::Truncated { .. })));
        assert!(matches!(constants(b"(\xFF\xFF\xFF\xFF"), Err(MarshalError::Length { .. })));
    }

    #[test]
    fn the_deepest_nesting_fits_a_thread() {
        let mut bytes = b")\0".to_vec();
        for _ in 0..MAX_DEPTH / 2 - 1 {
            let code = code_with(&bytes);
            bytes = b")\x01".to_vec();
            bytes.extend(code);
        }
        let mut depth = 0;
        let code = read_code(&code_with(&bytes), PythonVersion::V3_11).unwrap();
        let mut inner = &code;
        while let Some(next) = inner.nested.first() {
            inner = next;
            depth += 1;
        }
        assert_eq!(depth, MAX_DEPTH / 2 - 1);
    }

    #[test]
    fn other_files_are_named() {
        assert_eq!(read_pyc(b"\xCB\x0D\r\n").unwrap_err(), MarshalError::Magic { magic: 3531 });
        assert_eq!(read_pyc(b"\xA7\x0D\r\n").unwrap_err(), MarshalError::Truncated { at: 4 });
        assert_eq!(read_code(b"N", PythonVersion::V3_11).unwrap_err(), MarshalError::NotCode);
        assert_eq!(constants(b"N"), Err(MarshalError::Field { field: "co_consts" }));
    }
}
