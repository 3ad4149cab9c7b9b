//! Arithmetic.
//!
//! Method: operands of exact built-in types are computed here, the rest goes through CPython's abstract functions as
//! `UNARY_*` and `BINARY_OP` do.

use super::{
    Object, Owned,
    boxing::{box_bool, box_float, box_int, int_value},
    special_methods,
};
use crate::{
    layout::{float, long},
    object,
};
use columba_jit_core::bytecode::instruction::{Arithmetic, Unary};
use pyo3_ffi as ffi;

const POSITIVE: i64 = Unary::Positive as i64;
const NEGATIVE: i64 = Unary::Negative as i64;
const NOT: i64 = Unary::Not as i64;
const INVERT: i64 = Unary::Invert as i64;

const ADD: i64 = Arithmetic::Add as i64;
const AND: i64 = Arithmetic::And as i64;
pub(super) const FLOOR_DIVIDE: i64 = Arithmetic::FloorDivide as i64;
const LEFT_SHIFT: i64 = Arithmetic::LeftShift as i64;
const MATRIX_MULTIPLY: i64 = Arithmetic::MatrixMultiply as i64;
const MULTIPLY: i64 = Arithmetic::Multiply as i64;
const REMAINDER: i64 = Arithmetic::Remainder as i64;
const OR: i64 = Arithmetic::Or as i64;
const POWER: i64 = Arithmetic::Power as i64;
const RIGHT_SHIFT: i64 = Arithmetic::RightShift as i64;
const SUBTRACT: i64 = Arithmetic::Subtract as i64;
const TRUE_DIVIDE: i64 = Arithmetic::TrueDivide as i64;
const XOR: i64 = Arithmetic::Xor as i64;
/// Added to the number when the operation is in place.
pub(super) const IN_PLACE: i64 = 13;

/// `UNARY_POSITIVE`, `UNARY_NEGATIVE`, `UNARY_NOT`, `UNARY_INVERT`.
pub(super) unsafe extern "C" fn unary_op(value: Object, operation: i64) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        match operation {
            POSITIVE => ffi::PyNumber_Positive(value.as_ptr()),
            NEGATIVE => ffi::PyNumber_Negative(value.as_ptr()),
            INVERT => ffi::PyNumber_Invert(value.as_ptr()),
            NOT => {
                let truth = ffi::PyObject_IsTrue(value.as_ptr());
                if truth < 0 { std::ptr::null_mut() } else { box_bool(truth == 0) }
            }
            _ => unknown_operation(),
        }
    }
}

#[cold]
unsafe fn unknown_operation() -> Object {
    // SAFETY: the GIL is held.
    unsafe { super::messages::raise(ffi::PyExc_SystemError, c"unknown operation number in compiled code") };
    std::ptr::null_mut()
}

/// `BINARY_OP` and its specialised forms.
pub(super) unsafe extern "C" fn binary_op(left: Object, right: Object, operation: i64) -> Object {
    // SAFETY: the contract of helpers; values are read after the exact type is known.
    unsafe {
        let ty = object::type_of(left);
        let simple = if operation >= IN_PLACE { operation - IN_PLACE } else { operation };
        if ty == object::type_of(right) {
            if ty == &raw mut ffi::PyFloat_Type {
                let (a, b) = (object::float_value(left), object::float_value(right));
                if let Some(value) = float_operation(a, b, simple) {
                    return finish_float(left, right, value);
                }
            } else if ty == &raw mut ffi::PyLong_Type {
                if let (Some(a), Some(b)) = (one_digit(left), one_digit(right)) {
                    // Values are below 2**30 in magnitude: nothing here overflows.
                    let value = match simple {
                        ADD => Some(a + b),
                        SUBTRACT => Some(a - b),
                        MULTIPLY => Some(a * b),
                        AND => Some(a & b),
                        OR => Some(a | b),
                        XOR => Some(a ^ b),
                        _ => None,
                    };
                    if let Some(value) = value {
                        let result = box_int(value);
                        object::decref(left);
                        object::decref(right);
                        return result;
                    }
                }
            } else if ty == &raw mut ffi::PyUnicode_Type && simple == ADD {
                let result = ffi::PyUnicode_Concat(left, right);
                object::decref(left);
                object::decref(right);
                return result;
            }
        }
        if let Some((a, b)) = float_and_int(left, right) {
            if let Some(value) = float_operation(a, b, simple) {
                let result = box_float(value);
                object::decref(left);
                object::decref(right);
                return result;
            }
        } else if (*ty).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 {
            let in_place = operation >= IN_PLACE;
            if let Some(result) = special_methods::offer_operator(left, right, simple, in_place) {
                return result;
            }
        }
        let left = Owned::steal(left);
        let right = Owned::steal(right);
        let result = operate(left.as_ptr(), right.as_ptr(), operation);
        drop(left);
        drop(right);
        result
    }
}

/// `+ - & | ^ << >>` of two exact ints.
pub(super) unsafe extern "C" fn int_binary_op(left: Object, right: Object, operation: i64) -> Object {
    // SAFETY: the contract of helpers; the type's own slots take any two ints.
    unsafe {
        let left = Owned::steal(left);
        let right = Owned::steal(right);
        let methods = ffi::PyLong_Type.tp_as_number;
        let simple = if operation >= IN_PLACE { operation - IN_PLACE } else { operation };
        let method = match simple {
            ADD => (*methods).nb_add,
            SUBTRACT => (*methods).nb_subtract,
            AND => (*methods).nb_and,
            OR => (*methods).nb_or,
            XOR => (*methods).nb_xor,
            LEFT_SHIFT => (*methods).nb_lshift,
            RIGHT_SHIFT => (*methods).nb_rshift,
            _ => None,
        };
        match method {
            Some(method) => method(left.as_ptr(), right.as_ptr()),
            None => operate(left.as_ptr(), right.as_ptr(), operation),
        }
    }
}

/// Both as floats, where one is an exact float and the other an exact int of at most one digit.
///
/// # Safety
/// Both are alive.
#[inline(always)]
pub(super) unsafe fn float_and_int(left: Object, right: Object) -> Option<(f64, f64)> {
    // SAFETY: values are read after the exact type is known.
    unsafe {
        let types = (object::type_of(left), object::type_of(right));
        let (float, int) = (&raw mut ffi::PyFloat_Type, &raw mut ffi::PyLong_Type);
        if types == (float, int) {
            Some((object::float_value(left), one_digit(right)? as f64))
        } else if types == (int, float) {
            Some((one_digit(left)? as f64, object::float_value(right)))
        } else {
            None
        }
    }
}

/// What cannot fail, of two floats.
#[inline(always)]
fn float_operation(a: f64, b: f64, operation: i64) -> Option<f64> {
    match operation {
        ADD => Some(a + b),
        SUBTRACT => Some(a - b),
        MULTIPLY => Some(a * b),
        TRUE_DIVIDE if b != 0.0 => Some(a / b),
        _ => None,
    }
}

/// The float result; an operand that nobody else holds gives its memory for it.
#[inline(always)]
unsafe fn finish_float(left: Object, right: Object, value: f64) -> Object {
    // SAFETY: both are owned exact floats. With a count of one the object is ours alone, so its value may be changed
    // (`left` and `right` may be the same object, but then the count is at least two). tracemalloc and debug builds
    // notice nothing: the object stays allocated.
    unsafe {
        if ffi::Py_REFCNT(left) == 1 {
            left.cast::<u8>().add(float::OB_FVAL).cast::<f64>().write(value);
            object::decref(right);
            return left;
        }
        if ffi::Py_REFCNT(right) == 1 {
            right.cast::<u8>().add(float::OB_FVAL).cast::<f64>().write(value);
            object::decref(left);
            return right;
        }
        let result = box_float(value);
        object::decref(left);
        object::decref(right);
        result
    }
}

/// The value of an int of at most one digit.
#[inline(always)]
pub(super) unsafe fn one_digit(int: Object) -> Option<i64> {
    // SAFETY: `int` is a live int; `ob_size` is its signed number of digits.
    unsafe {
        let size = object::size(int);
        match size {
            0 => Some(0),
            1 => Some(i64::from(object::long_digits(int).read())),
            -1 => Some(-i64::from(object::long_digits(int).read())),
            _ => None,
        }
    }
}

/// The table `binary_ops` of ceval.c.
unsafe fn operate(left: Object, right: Object, operation: i64) -> Object {
    const IN_PLACE_ADD: i64 = ADD + IN_PLACE;
    const IN_PLACE_AND: i64 = AND + IN_PLACE;
    const IN_PLACE_FLOOR_DIVIDE: i64 = FLOOR_DIVIDE + IN_PLACE;
    const IN_PLACE_LEFT_SHIFT: i64 = LEFT_SHIFT + IN_PLACE;
    const IN_PLACE_MATRIX_MULTIPLY: i64 = MATRIX_MULTIPLY + IN_PLACE;
    const IN_PLACE_MULTIPLY: i64 = MULTIPLY + IN_PLACE;
    const IN_PLACE_REMAINDER: i64 = REMAINDER + IN_PLACE;
    const IN_PLACE_OR: i64 = OR + IN_PLACE;
    const IN_PLACE_POWER: i64 = POWER + IN_PLACE;
    const IN_PLACE_RIGHT_SHIFT: i64 = RIGHT_SHIFT + IN_PLACE;
    const IN_PLACE_SUBTRACT: i64 = SUBTRACT + IN_PLACE;
    const IN_PLACE_TRUE_DIVIDE: i64 = TRUE_DIVIDE + IN_PLACE;
    const IN_PLACE_XOR: i64 = XOR + IN_PLACE;
    // SAFETY: both operands are alive.
    unsafe {
        match operation {
            ADD => ffi::PyNumber_Add(left, right),
            AND => ffi::PyNumber_And(left, right),
            FLOOR_DIVIDE => ffi::PyNumber_FloorDivide(left, right),
            LEFT_SHIFT => ffi::PyNumber_Lshift(left, right),
            MATRIX_MULTIPLY => ffi::PyNumber_MatrixMultiply(left, right),
            MULTIPLY => ffi::PyNumber_Multiply(left, right),
            REMAINDER => ffi::PyNumber_Remainder(left, right),
            OR => ffi::PyNumber_Or(left, right),
            POWER => ffi::PyNumber_Power(left, right, ffi::Py_None()),
            RIGHT_SHIFT => ffi::PyNumber_Rshift(left, right),
            SUBTRACT => ffi::PyNumber_Subtract(left, right),
            TRUE_DIVIDE => ffi::PyNumber_TrueDivide(left, right),
            XOR => ffi::PyNumber_Xor(left, right),
            IN_PLACE_ADD => ffi::PyNumber_InPlaceAdd(left, right),
            IN_PLACE_AND => ffi::PyNumber_InPlaceAnd(left, right),
            IN_PLACE_FLOOR_DIVIDE => ffi::PyNumber_InPlaceFloorDivide(left, right),
            IN_PLACE_LEFT_SHIFT => ffi::PyNumber_InPlaceLshift(left, right),
            IN_PLACE_MATRIX_MULTIPLY => ffi::PyNumber_InPlaceMatrixMultiply(left, right),
            IN_PLACE_MULTIPLY => ffi::PyNumber_InPlaceMultiply(left, right),
            IN_PLACE_REMAINDER => ffi::PyNumber_InPlaceRemainder(left, right),
            IN_PLACE_OR => ffi::PyNumber_InPlaceOr(left, right),
            IN_PLACE_POWER => ffi::PyNumber_InPlacePower(left, right, ffi::Py_None()),
            IN_PLACE_RIGHT_SHIFT => ffi::PyNumber_InPlaceRshift(left, right),
            IN_PLACE_SUBTRACT => ffi::PyNumber_InPlaceSubtract(left, right),
            IN_PLACE_TRUE_DIVIDE => ffi::PyNumber_InPlaceTrueDivide(left, right),
            IN_PLACE_XOR => ffi::PyNumber_InPlaceXor(left, right),
            _ => unknown_operation(),
        }
    }
}

/// `float_rem` of floatobject.c: the sign is the divisor's, also of a zero. C's `fmod` is Rust's `%`.
pub(super) unsafe extern "C" fn float_remainder(left: f64, right: f64) -> f64 {
    let remainder = left % right;
    if remainder == 0.0 {
        0.0f64.copysign(right)
    } else if (right < 0.0) != (remainder < 0.0) {
        remainder + right
    } else {
        remainder
    }
}

/// `float_floor_div` of floatobject.c (`_float_div_mod`).
pub(super) unsafe extern "C" fn float_floor_divide(left: f64, right: f64) -> f64 {
    let remainder = left % right;
    let mut quotient = (left - remainder) / right;
    if remainder != 0.0 && (right < 0.0) != (remainder < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return 0.0f64.copysign(left / right);
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

/// `pow` of the C library, as `float_pow` of floatobject.c uses it.
pub(super) unsafe extern "C" fn float_power(left: f64, right: f64) -> f64 {
    unsafe extern "C" {
        fn pow(base: f64, exponent: f64) -> f64;
    }
    // SAFETY: any operands are allowed; `errno` is nobody's here.
    unsafe { pow(left, right) }
}

/// An exact int as a machine integer: 1 and the value, or 0.
pub(super) unsafe extern "C" fn int_to_i64(int: Object, dest: *mut i64) -> i64 {
    const { assert!(long::SHIFT == 30) };
    // SAFETY: `int` is an int and `dest` takes an I64, says the table.
    unsafe {
        match int_value(int) {
            Some(value) => {
                dest.write(value);
                1
            }
            None => 0,
        }
    }
}
