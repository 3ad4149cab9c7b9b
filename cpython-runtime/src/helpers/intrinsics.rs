//! Well-known builtins: what they do, without the way through their objects.
//!
//! Method: the C functions of `bltinmodule.c`, `mathmodule.c` and of the types call these exported ones too, or are rebuilt
//! here. What `math` makes of the C library's results (`errno`, infinities, NaN) is the compiler's business, which takes finite
//! results only.

use super::{Object, Owned, capi, keys, numbers::one_digit};
use crate::{layout::str, object};
use pyo3_ffi as ffi;
use std::{
    ffi::CStr,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

mod libm {
    unsafe extern "C" {
        pub safe fn sin(x: f64) -> f64;
        pub safe fn cos(x: f64) -> f64;
        pub safe fn tan(x: f64) -> f64;
        pub safe fn atan(x: f64) -> f64;
        pub safe fn exp(x: f64) -> f64;
        pub safe fn log(x: f64) -> f64;
        pub safe fn atan2(y: f64, x: f64) -> f64;
    }
}

pub(super) unsafe extern "C" fn math_sin(x: f64) -> f64 {
    libm::sin(x)
}

pub(super) unsafe extern "C" fn math_cos(x: f64) -> f64 {
    libm::cos(x)
}

pub(super) unsafe extern "C" fn math_tan(x: f64) -> f64 {
    libm::tan(x)
}

pub(super) unsafe extern "C" fn math_atan(x: f64) -> f64 {
    libm::atan(x)
}

pub(super) unsafe extern "C" fn math_exp(x: f64) -> f64 {
    libm::exp(x)
}

/// `m_log` for positive operands; what it refuses is infinite or NaN here as well.
pub(super) unsafe extern "C" fn math_log(x: f64) -> f64 {
    libm::log(x)
}

/// `m_atan2` of mathmodule.c.
pub(super) unsafe extern "C" fn math_atan2(y: f64, x: f64) -> f64 {
    use std::f64::consts::PI;
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    if y.is_infinite() {
        let turns = match x.is_infinite() {
            true if x.is_sign_positive() => 0.25,
            true => 0.75,
            false => 0.5,
        };
        return (turns * PI).copysign(y);
    }
    if x.is_infinite() || y == 0.0 {
        return if x.is_sign_positive() { 0.0f64.copysign(y) } else { PI.copysign(y) };
    }
    libm::atan2(y, x)
}

/// `math_pow_impl`, for finite operands.
pub(super) unsafe extern "C" fn math_pow(x: f64, y: f64) -> f64 {
    // SAFETY: takes any operands.
    if x.is_finite() && y.is_finite() { unsafe { super::numbers::float_power(x, y) } } else { f64::NAN }
}

/// `len`.
pub(super) unsafe extern "C" fn len(value: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        ffi::PyObject_Size(value.as_ptr()) as i64
    }
}

/// `min` or `max` of one argument. Items of exact lists, tuples and sets that are all ints of one digit, or all floats, are
/// compared here, where nothing can run: in the order in which `min_max` asks for them, the first of equal ones being the result.
pub(super) unsafe extern "C" fn extreme(function: Object, items: Object, max: i64) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let items = Owned::steal(items);
        let found = match object::type_of(items.as_ptr()) {
            ty if ty == &raw mut ffi::PyList_Type => {
                let (array, size) = (object::list_items(items.as_ptr()), object::size(items.as_ptr()));
                extreme_number((0..size).map(|i| array.offset(i).read()), max != 0)
            }
            ty if ty == &raw mut ffi::PyTuple_Type => {
                let (array, size) = (object::tuple_items(items.as_ptr()), object::size(items.as_ptr()));
                extreme_number((0..size).map(|i| array.offset(i).read()), max != 0)
            }
            ty if ty == &raw mut ffi::PySet_Type || ty == &raw mut ffi::PyFrozenSet_Type => {
                let (mut position, mut item, mut hash) = (0, null_mut(), 0);
                let next = || {
                    let more = capi::_PySet_NextEntry(items.as_ptr(), &mut position, &mut item, &mut hash);
                    (more != 0).then_some(item)
                };
                extreme_number(std::iter::from_fn(next), max != 0)
            }
            _ => None,
        };
        match found {
            Some(item) => {
                object::incref(item);
                item
            }
            None => ffi::PyObject_CallOneArg(function, items.as_ptr()),
        }
    }
}

/// The first of the least or greatest of some borrowed objects, if all are ints of one digit, or all floats.
#[inline(always)]
unsafe fn extreme_number(mut items: impl Iterator<Item = Object>, max: bool) -> Option<Object> {
    // SAFETY: live objects, say the callers; exact types are checked before contents are read.
    unsafe {
        let mut best = items.next()?;
        if object::type_of(best) == &raw mut ffi::PyFloat_Type {
            let mut number = object::float_value(best);
            for item in items {
                if object::type_of(item) != &raw mut ffi::PyFloat_Type {
                    return None;
                }
                let other = object::float_value(item);
                if if max { other > number } else { other < number } {
                    (best, number) = (item, other);
                }
            }
            return Some(best);
        }
        let mut number = short_int(best)?;
        for item in items {
            let other = short_int(item)?;
            if if max { other > number } else { other < number } {
                (best, number) = (item, other);
            }
        }
        Some(best)
    }
}

/// The value of an exact int of at most one digit.
#[inline(always)]
unsafe fn short_int(item: Object) -> Option<i64> {
    // SAFETY: a live object, says the caller.
    unsafe { if object::type_of(item) == &raw mut ffi::PyLong_Type { one_digit(item) } else { None } }
}

/// `isinstance`.
pub(super) unsafe extern "C" fn is_instance(value: Object, class: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let value = Owned::steal(value);
        let class = Owned::steal(class);
        let answer = ffi::PyObject_IsInstance(value.as_ptr(), class.as_ptr());
        drop(class);
        drop(value);
        i64::from(answer)
    }
}

/// `ord` of a str.
pub(super) unsafe extern "C" fn ord(string: Object) -> i64 {
    // SAFETY: an exact str, says the table; one of length 1 has its character.
    unsafe {
        if object::read::<isize>(string, str::LENGTH) != 1 || object::read::<u32>(string, str::STATE) & 1 << 7 == 0 {
            return -1;
        }
        i64::from(ffi::PyUnicode_ReadChar(string, 0))
    }
}

/// `range.__reversed__`, found once among the methods of the type.
pub(super) unsafe extern "C" fn reversed_range(range: Object) -> Object {
    static REVERSE: AtomicPtr<()> = AtomicPtr::new(null_mut());
    // SAFETY: the contract of helpers: an exact range. The table of a static type's methods ends with a null name; this one takes
    // no arguments.
    unsafe {
        let mut reverse = REVERSE.load(Relaxed);
        if reverse.is_null() {
            let mut method = ffi::PyRange_Type.tp_methods;
            while !(*method).ml_name.is_null() {
                if CStr::from_ptr((*method).ml_name) == c"__reversed__" {
                    reverse = (*method).ml_meth.PyCFunction as *mut ();
                }
                method = method.add(1);
            }
            REVERSE.store(reverse, Relaxed);
        }
        let reverse = std::mem::transmute::<*mut (), ffi::PyCFunction>(reverse);
        reverse(range, null_mut())
    }
}

/// `chr`.
pub(super) unsafe extern "C" fn chr(code: i64) -> Object {
    // SAFETY: the GIL is held.
    unsafe { ffi::PyUnicode_FromOrdinal(code as i32) }
}

/// `dict_get_impl`.
pub(super) unsafe extern "C" fn dict_get(dict: Object, key: Object, default: Object) -> Object {
    // SAFETY: the contract of helpers; what is found is borrowed from the dict until Python runs again.
    unsafe {
        let key = Owned::steal(key);
        let default = Owned::steal(default);
        let value = keys::get(dict, key.as_ptr());
        if !value.is_null() {
            object::incref(value);
            return value;
        }
        if ffi::PyErr_Occurred().is_null() {
            return default.into_ptr();
        }
        null_mut()
    }
}

/// `str.join`.
pub(super) unsafe extern "C" fn str_join(separator: Object, items: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let items = Owned::steal(items);
        ffi::PyUnicode_Join(separator, items.as_ptr())
    }
}
