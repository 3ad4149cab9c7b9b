//! Quotients of big ints that are small numbers.
//!
//! *Problem*: `//` of two ints of thousands of digits is a long division, which reads and writes all of them, even where the
//! quotient is a single digit: so it is in programs that take digits off a fraction, in continued fractions and in Euclid's
//! algorithm. *Method*: the leading digits of both bound the quotient from below and from above. Where the two bounds are
//! the same number, which they nearly always are, that is the quotient, and nothing else was read. *Invariants*: the result
//! is exact, or none; no Python code runs, and nothing but memory for the result can be missing.

use super::{
    Object,
    boxing::box_int,
    numbers::{FLOOR_DIVIDE, IN_PLACE, binary_op},
};
use crate::{layout::long, object};
use pyo3_ffi as ffi;

/// Leading digits of the divisor that are looked at. With one more of the dividend they fit 128 bits.
const LEADING: usize = 3;

/// `left // right`, also in place, as [`binary_op`].
pub(super) unsafe extern "C" fn floor_divide(left: Object, right: Object, operation: i64) -> Object {
    debug_assert!(operation == FLOOR_DIVIDE || operation == FLOOR_DIVIDE + IN_PLACE);
    // SAFETY: the contract of helpers; sizes are read after the exact type is known.
    unsafe {
        let int = &raw mut ffi::PyLong_Type;
        if object::type_of(left) == int
            && object::type_of(right) == int
            && let Some(quotient) = small_quotient(left, right)
        {
            let result = box_int(quotient);
            object::decref(left);
            object::decref(right);
            return result;
        }
        binary_op(left, right, operation)
    }
}

/// The quotient, if both are positive and their leading digits leave one possibility.
///
/// # Safety
/// Both are live ints.
unsafe fn small_quotient(left: Object, right: Object) -> Option<i64> {
    const { assert!(long::SHIFT == 30) };
    // SAFETY: an int has `|ob_size|` digits.
    unsafe {
        // What is negative has a size below zero.
        let (size, divisor_size) =
            (usize::try_from(object::size(left)).ok()?, usize::try_from(object::size(right)).ok()?);
        // A shorter dividend is no work for CPython.
        let longer = size.checked_sub(divisor_size)?;
        if divisor_size < LEADING || longer > 1 {
            return None;
        }
        let numerator = leading(left, size, LEADING + longer);
        let denominator = leading(right, divisor_size, LEADING);
        // In units of the last digit looked at, the operands are below these numbers plus one. So the quotient is at most
        // that of these, and at least it if it fits once more with the divisor enlarged. The first digit is not 0: the
        // denominator has more than 60 bits, the numerator at most 120, and nothing overflows.
        let quotient = numerator / denominator;
        (quotient * (denominator + 1) <= numerator).then(|| i64::try_from(quotient).ok()).flatten()
    }
}

/// The first `count` digits as one number.
///
/// # Safety
/// `int` is a live int of `size` digits, and `count` is not more.
unsafe fn leading(int: Object, size: usize, count: usize) -> u128 {
    // SAFETY: the digits exist.
    let digit = |index| u128::from(unsafe { object::long_digits(int).add(index).read() });
    (size - count..size).rev().fold(0, |number, index| number << long::SHIFT | digit(index))
}
