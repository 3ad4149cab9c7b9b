//! `co_exceptiontable`: which handler a raising instruction goes to.
//!
//! *Problem*: rows of four big-endian 6-bit varints (start, length, target, `depth << 1 | lasti`), the first byte of a
//! row marked with 0x80 so that CPython can search by bisection (`Objects/exception_handling_notes.txt`). *Method*: read
//! them all, in order. *Invariants* of the result: rows are not empty, sorted by start and disjoint, so at most one
//! applies and bisection is right.

use super::code::Handler;
use super::instruction::Offset;
use thiserror::Error;

/// Why bytes are not an exception table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExceptionTableError {
    #[error("exception table is cut off at byte {at}")]
    Truncated { at: usize },
    #[error("exception table: wrong start-of-row mark at byte {at}")]
    Mark { at: usize },
    #[error("exception table: number out of range at byte {at}")]
    Overflow { at: usize },
    #[error("exception table: row {row} does not follow the row before it")]
    Order { row: usize },
}

/// Reads a whole table.
pub fn decode_exception_table(bytes: &[u8]) -> Result<Vec<Handler>, ExceptionTableError> {
    let mut reader = Reader { bytes, at: 0 };
    let mut handlers: Vec<Handler> = Vec::new();
    let mut row = 0;
    let mut end_before: Offset = 0;
    while reader.at < bytes.len() {
        let row_at = reader.at;
        let start = reader.varint(true)?;
        let length = reader.varint(false)?;
        let target = reader.varint(false)?;
        let depth_and_lasti = reader.varint(false)?;
        let end = start.checked_add(length).ok_or(ExceptionTableError::Overflow { at: row_at })?;
        if start < end_before {
            return Err(ExceptionTableError::Order { row });
        }
        end_before = end;
        if start < end {
            let (depth, push_lasti) = (depth_and_lasti >> 1, depth_and_lasti & 1 == 1);
            handlers.push(Handler { start, end, target, depth, push_lasti });
        }
        row += 1;
    }
    Ok(handlers)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn varint(&mut self, starts_row: bool) -> Result<u32, ExceptionTableError> {
        const MORE: u8 = 0x40;
        const ROW: u8 = 0x80;
        let mut value: u32 = 0;
        let mut expect_mark = starts_row;
        loop {
            let at = self.at;
            let byte = *self.bytes.get(at).ok_or(ExceptionTableError::Truncated { at })?;
            self.at += 1;
            if (byte & ROW != 0) != expect_mark {
                return Err(ExceptionTableError::Mark { at });
            }
            expect_mark = false;
            if value > (i32::MAX as u32) >> 6 {
                return Err(ExceptionTableError::Overflow { at });
            }
            value = value << 6 | u32::from(byte & 0x3F);
            if byte & MORE == 0 {
                return Ok(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_cpythons_notes() {
        let handlers = decode_exception_table(&[148, 8, 65, 36, 6]).unwrap();
        assert_eq!(handlers, [Handler { start: 20, end: 28, target: 100, depth: 3, push_lasti: false }]);
    }

    #[test]
    fn empty_rows_are_dropped_and_disorder_is_refused() {
        assert_eq!(decode_exception_table(&[]).unwrap(), []);
        assert_eq!(decode_exception_table(&[0x80, 0, 4, 1]).unwrap(), []);
        let second_before_first = [0x84, 1, 4, 0, 0x82, 1, 4, 0];
        assert_eq!(decode_exception_table(&second_before_first), Err(ExceptionTableError::Order { row: 1 }));
        let overlapping = [0x82, 2, 4, 0, 0x83, 1, 4, 0];
        assert_eq!(decode_exception_table(&overlapping), Err(ExceptionTableError::Order { row: 1 }));
    }

    #[test]
    fn broken_bytes_are_named() {
        assert_eq!(decode_exception_table(&[0x80, 1]), Err(ExceptionTableError::Truncated { at: 2 }));
        assert_eq!(decode_exception_table(&[0, 1, 4, 0]), Err(ExceptionTableError::Mark { at: 0 }));
        assert_eq!(decode_exception_table(&[0x80, 0x81, 4, 0]), Err(ExceptionTableError::Mark { at: 1 }));
        let long = [0xFF, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F];
        assert!(matches!(decode_exception_table(&long), Err(ExceptionTableError::Overflow { .. })));
    }
}
