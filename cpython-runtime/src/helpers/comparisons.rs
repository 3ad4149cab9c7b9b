//! Comparison, membership and truth.
//!
//! *Problem*: `PyObject_RichCompare` looks for methods even where two floats are compared, and boxes an answer that
//! the next jump takes apart. *Method*: pairs of exact built-in types are answered here; Python methods are called
//! directly ([`special_methods`]); with a jump behind it, a comparison gives the truth value itself. *Invariant*: the
//! short way is taken only where it can neither fail nor run Python, so nobody can tell.

use super::{
    ERROR, Object, Owned,
    boxing::box_bool,
    keys,
    numbers::{float_and_int, one_digit},
    special_methods,
};
use crate::object;
use columba_jit_core::bytecode::instruction::Comparison;
use pyo3_ffi as ffi;
use std::ffi::c_int;

const LT: i64 = Comparison::Lt as i64;
const LE: i64 = Comparison::Le as i64;
const EQ: i64 = Comparison::Eq as i64;
const NE: i64 = Comparison::Ne as i64;
const GT: i64 = Comparison::Gt as i64;
const GE: i64 = Comparison::Ge as i64;

#[inline(always)]
fn ordered<T: PartialOrd>(left: T, right: T, comparison: i64) -> bool {
    match comparison {
        LT => left < right,
        LE => left <= right,
        EQ => left == right,
        NE => left != right,
        GT => left > right,
        _ => left >= right,
    }
}

/// The answer for exact floats and short ints, for a string and itself, and for objects that know identity only: what can
/// neither fail nor run Python.
#[inline(always)]
unsafe fn quickly(left: Object, right: Object, comparison: i64) -> Option<bool> {
    const { assert!(LT == 0 && GE == 5) };
    // SAFETY: both are alive; values are read after the exact type is known.
    unsafe {
        let ty = object::type_of(left);
        let other = object::type_of(right);
        if matches!(comparison, EQ | NE) && compares_identity(ty) && compares_identity(other) {
            return Some((left == right) == (comparison == EQ));
        }
        if ty != other {
            return float_and_int(left, right).map(|(a, b)| ordered(a, b, comparison));
        }
        if ty == &raw mut ffi::PyLong_Type {
            Some(ordered(one_digit(left)?, one_digit(right)?, comparison))
        } else if ty == &raw mut ffi::PyFloat_Type {
            Some(ordered(object::float_value(left), object::float_value(right), comparison))
        } else if ty == &raw mut ffi::PyUnicode_Type && left == right && matches!(comparison, EQ | NE) {
            Some(comparison == EQ)
        } else {
            None
        }
    }
}

/// Whether a type compares as `object` does, whose `==` is identity when the other side has nothing to say either.
#[inline(always)]
unsafe fn compares_identity(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a live type.
    unsafe {
        let base = &raw const ffi::PyBaseObject_Type;
        (*ty).tp_richcompare.map(|f| f as usize) == (*base).tp_richcompare.map(|f| f as usize)
    }
}

/// `PyObject_RichCompare`; for exact strings straight to their comparison.
#[inline(always)]
unsafe fn rich_compare(left: Object, right: Object, comparison: i64) -> Object {
    // SAFETY: both are alive.
    unsafe {
        let ty = object::type_of(left);
        if ty == object::type_of(right) && ty == &raw mut ffi::PyUnicode_Type {
            return ffi::PyUnicode_RichCompare(left, right, comparison as c_int);
        }
        if (*ty).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0
            && let Some(result) = special_methods::offer_comparison(left, right, comparison)
        {
            return result;
        }
        ffi::PyObject_RichCompare(left, right, comparison as c_int)
    }
}

/// `COMPARE_OP`.
pub(super) unsafe extern "C" fn compare(left: Object, right: Object, comparison: i64) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let left = Owned::steal(left);
        let right = Owned::steal(right);
        let result = match quickly(left.as_ptr(), right.as_ptr(), comparison) {
            Some(truth) => box_bool(truth),
            None => rich_compare(left.as_ptr(), right.as_ptr(), comparison),
        };
        drop(left);
        drop(right);
        result
    }
}

/// `COMPARE_OP` and the truth test of the jump after it.
pub(super) unsafe extern "C" fn compare_truth(left: Object, right: Object, comparison: i64) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let left = Owned::steal(left);
        let right = Owned::steal(right);
        if let Some(truth) = quickly(left.as_ptr(), right.as_ptr(), comparison) {
            return i64::from(truth);
        }
        let result = Owned::steal_or_null(rich_compare(left.as_ptr(), right.as_ptr(), comparison));
        drop(left);
        drop(right);
        match result {
            Some(result) => is_true_borrowed(result.as_ptr()),
            None => ERROR,
        }
    }
}

/// `CONTAINS_OP` before its inversion.
pub(super) unsafe extern "C" fn contains(item: Object, container: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let item = Owned::steal(item);
        let container = Owned::steal(container);
        let found = if object::type_of(container.as_ptr()) == &raw mut ffi::PyDict_Type {
            keys::has(container.as_ptr(), item.as_ptr())
        } else {
            ffi::PySequence_Contains(container.as_ptr(), item.as_ptr())
        };
        drop(item);
        drop(container);
        i64::from(found)
    }
}

/// The test of `POP_JUMP_*_IF_*`.
pub(super) unsafe extern "C" fn is_true(value: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        is_true_borrowed(value.as_ptr())
    }
}

/// The test of `JUMP_IF_*_OR_POP`, which keeps its operand.
pub(super) unsafe extern "C" fn is_true_borrowed(value: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        if value == ffi::Py_True() {
            1
        } else if value == ffi::Py_False() || value == ffi::Py_None() {
            0
        } else {
            i64::from(ffi::PyObject_IsTrue(value))
        }
    }
}
