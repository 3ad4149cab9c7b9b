//! `co_linetable`: where in the source each code unit comes from.
//!
//! *Problem*: a run of entries, each covering 1 to 8 code units, with lines as differences (`Objects/locations.md`).
//! *Method*: read them all, keep one row per run of equal positions, and find rows by bisection. *Invariants*: rows are
//! sorted and join without gaps from code unit 0; a table may end before the code does (then there is no position).

use super::instruction::Offset;
use thiserror::Error;

/// Why bytes are not a line table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LineTableError {
    #[error("line table is cut off at byte {at}")]
    Truncated { at: usize },
    #[error("line table: wrong start-of-entry mark at byte {at}")]
    Mark { at: usize },
    #[error("line table: number out of range at byte {at}")]
    Overflow { at: usize },
}

/// A piece of source. Lines count from 1; columns are UTF-8 bytes from 0, the end one past the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Signed, since a syntax tree made by hand may say anything.
    pub line: i32,
    pub end_line: i32,
    pub column: Option<u32>,
    pub end_column: Option<u32>,
}

/// Code units that share a position. `position` is `None` for instructions that belong to no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRow {
    pub start: Offset,
    pub end: Offset,
    pub position: Option<Position>,
}

/// A decoded table.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LineTable {
    pub rows: Vec<LineRow>,
}

impl LineTable {
    /// Where the instruction at a code unit comes from.
    pub fn position(&self, offset: Offset) -> Option<Position> {
        let index = self.rows.partition_point(|row| row.end <= offset);
        self.rows.get(index)?.position
    }

    /// Its first line.
    pub fn line(&self, offset: Offset) -> Option<i32> {
        self.position(offset).map(|position| position.line)
    }
}

/// Reads a whole table; `first_line` is `co_firstlineno`.
pub fn decode_line_table(bytes: &[u8], first_line: u32) -> Result<LineTable, LineTableError> {
    let mut reader = Reader { bytes, at: 0 };
    let mut rows: Vec<LineRow> = Vec::new();
    let mut line = i64::from(first_line);
    let mut start: Offset = 0;
    while reader.at < bytes.len() {
        let entry_at = reader.at;
        let first = bytes[entry_at];
        reader.at += 1;
        if first & 0x80 == 0 {
            return Err(LineTableError::Mark { at: entry_at });
        }
        let units = Offset::from(first & 7) + 1;
        let overflow = LineTableError::Overflow { at: entry_at };
        let mut advance = |delta: i64| -> Result<i32, LineTableError> {
            line += delta;
            i32::try_from(line).map_err(|_| overflow.clone())
        };
        let position = match first >> 3 & 15 {
            code @ 0..=9 => {
                let line = advance(0)?;
                let second = u32::from(reader.byte()?);
                let column = u32::from(code) * 8 + (second >> 4 & 7);
                let end_column = Some(column + (second & 15));
                Some(Position { line, end_line: line, column: Some(column), end_column })
            }
            code @ 10..=12 => {
                let line = advance(i64::from(code) - 10)?;
                let column = Some(u32::from(reader.byte()?));
                let end_column = Some(u32::from(reader.byte()?));
                Some(Position { line, end_line: line, column, end_column })
            }
            13 => {
                let line = advance(reader.signed()?)?;
                Some(Position { line, end_line: line, column: None, end_column: None })
            }
            14 => {
                let line = advance(reader.signed()?)?;
                let end_line = i64::from(line) + i64::from(reader.varint()?);
                let end_line = i32::try_from(end_line).map_err(|_| overflow.clone())?;
                let column = reader.varint()?.checked_sub(1);
                let end_column = reader.varint()?.checked_sub(1);
                Some(Position { line, end_line, column, end_column })
            }
            _ => None,
        };
        let end = start.checked_add(units).ok_or(overflow)?;
        match rows.last_mut() {
            Some(row) if row.position == position => row.end = end,
            _ => rows.push(LineRow { start, end, position }),
        }
        start = end;
    }
    Ok(LineTable { rows })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// A byte inside an entry.
    fn byte(&mut self) -> Result<u8, LineTableError> {
        let at = self.at;
        let byte = *self.bytes.get(at).ok_or(LineTableError::Truncated { at })?;
        self.at += 1;
        Ok(byte)
    }

    /// Little-endian 6-bit groups.
    fn varint(&mut self) -> Result<u32, LineTableError> {
        let mut value: u64 = 0;
        let mut shift = 0;
        loop {
            let at = self.at;
            let byte = self.byte()?;
            if byte & 0x80 != 0 {
                return Err(LineTableError::Mark { at });
            }
            if shift > 30 {
                return Err(LineTableError::Overflow { at });
            }
            value |= u64::from(byte & 0x3F) << shift;
            shift += 6;
            if byte & 0x40 == 0 {
                return u32::try_from(value).map_err(|_| LineTableError::Overflow { at });
            }
        }
    }

    /// The sign is the lowest bit.
    fn signed(&mut self) -> Result<i64, LineTableError> {
        let value = i64::from(self.varint()?);
        Ok(if value & 1 == 1 { -(value >> 1) } else { value >> 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: i32, end_line: i32, columns: Option<(u32, u32)>) -> Option<Position> {
        let (column, end_column) = (columns.map(|columns| columns.0), columns.map(|columns| columns.1));
        Some(Position { line, end_line, column, end_column })
    }

    #[test]
    fn every_form() {
        let bytes = [
            0x80 | 15 << 3,    // no location, 1 unit
            0x80 | 2 << 3 | 1, // short, 2 units
            0x35,              // columns 19..24
            0x80 | 11 << 3,    // next line
            100,
            0xFE,               // a whole byte
            0x80 | 13 << 3 | 7, // no columns, 8 units
            0x05,               // line - 2
            0x80 | 14 << 3,     // long
            0x48,
            0x03, // line + 100
            2,    // end line + 2
            1,    // column 0
            0,    // no end column
        ];
        let table = decode_line_table(&bytes, 10).unwrap();
        assert_eq!(table.position(0), None);
        assert_eq!(table.position(1), at(10, 10, Some((19, 24))));
        assert_eq!(table.position(2), at(10, 10, Some((19, 24))));
        assert_eq!(table.position(3), at(11, 11, Some((100, 254))));
        assert_eq!(table.position(4), at(9, 9, None));
        assert_eq!(table.line(11), Some(9));
        let long = Position { line: 109, end_line: 111, column: Some(0), end_column: None };
        assert_eq!(table.position(12), Some(long));
        assert_eq!(table.position(13), None);
    }

    #[test]
    fn broken_bytes_are_named() {
        assert_eq!(decode_line_table(&[0], 1), Err(LineTableError::Mark { at: 0 }));
        assert_eq!(decode_line_table(&[0x80], 1), Err(LineTableError::Truncated { at: 1 }));
        assert_eq!(decode_line_table(&[0xE8, 0x80], 1), Err(LineTableError::Mark { at: 1 }));
        let long = [0xE8, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F];
        assert!(matches!(decode_line_table(&long, 1), Err(LineTableError::Overflow { .. })));
        let beyond = [0xE8, 0x7E, 0x7F, 0x7F, 0x7F, 0x7F, 0x03, 0xE8, 2];
        assert!(matches!(decode_line_table(&beyond, 1), Err(LineTableError::Overflow { .. })));
    }
}
