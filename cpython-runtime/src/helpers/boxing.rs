//! Objects for raw values, and raw locals written back to their slots.
//!
//! *Problem*: compiled code boxes a value at places where no exception can be raised. *Method*: when CPython has no
//! memory, an object comes from a small reserve made beforehand; when that is empty too, the process ends with a message.
//! *Invariants*: the box functions never return null and never change the exception that is set; the reserve is touched
//! under the GIL only; ints of the reserve have room for [`RESERVE_DIGITS`] digits, which any `i64` needs at most.

use super::{Object, capi};
use crate::{
    layout::{build, float, interp, long, object as object_layout, runtime, thread, tracemalloc},
    object,
    thread::{gil_holder, small_ints},
};
use pyo3_ffi as ffi;
use std::{
    cell::{Cell, UnsafeCell},
    ptr::null_mut,
    sync::atomic::Ordering::Relaxed,
};

const RESERVE_SIZE: usize = 32;
const RESERVE_DIGITS: isize = 3;
const DIGIT_BITS: u32 = long::SHIFT as u32;
const DIGIT_MASK: u64 = (1 << DIGIT_BITS) - 1;

struct Reserve {
    floats: UnsafeCell<Vec<Object>>,
    ints: UnsafeCell<Vec<Object>>,
    /// Something was taken since the last [`prepare`].
    low: Cell<bool>,
}

// SAFETY: used under the GIL only, says the module.
unsafe impl Sync for Reserve {}

static RESERVE: Reserve =
    Reserve { floats: UnsafeCell::new(Vec::new()), ints: UnsafeCell::new(Vec::new()), low: Cell::new(true) };

/// Fills the reserve; called before any code is compiled and again whenever it is cheap (it does nothing while full).
/// `false`: no memory, and `MemoryError` is set.
///
/// # Safety
/// The GIL is held.
pub unsafe fn prepare() -> bool {
    if !RESERVE.low.get() {
        return true;
    }
    // SAFETY: the GIL is held; making exact floats and ints runs no Python, so nothing else touches the vectors meanwhile.
    unsafe {
        fill(&mut *RESERVE.floats.get(), || ffi::PyFloat_FromDouble(0.0))
            && fill(&mut *RESERVE.ints.get(), || ffi::PyLong_FromLongLong(i64::MAX))
            && {
                RESERVE.low.set(false);
                true
            }
    }
}

unsafe fn fill(reserve: &mut Vec<Object>, make: impl Fn() -> Object) -> bool {
    while reserve.len() < RESERVE_SIZE {
        let object = make();
        if object.is_null() {
            return false;
        }
        reserve.push(object);
    }
    true
}

#[cold]
#[inline(never)]
unsafe fn reserve_float(value: f64) -> Object {
    // SAFETY: the GIL is held; a float of the reserve has no other owner, so its value may still be set.
    unsafe {
        ffi::PyErr_Clear();
        RESERVE.low.set(true);
        let Some(object) = (*RESERVE.floats.get()).pop() else {
            ffi::Py_FatalError(c"columba: no memory for a float that must exist".as_ptr());
        };
        object.cast::<u8>().add(float::OB_FVAL).cast::<f64>().write(value);
        object
    }
}

#[cold]
#[inline(never)]
unsafe fn reserve_int(value: i64) -> Object {
    // SAFETY: the GIL is held; an int of the reserve has no other owner and room for three digits.
    unsafe {
        ffi::PyErr_Clear();
        RESERVE.low.set(true);
        let Some(object) = (*RESERVE.ints.get()).pop() else {
            ffi::Py_FatalError(c"columba: no memory for an int that must exist".as_ptr());
        };
        let digits = object.cast::<u8>().add(long::OB_DIGIT).cast::<u32>();
        let mut rest = value.unsigned_abs();
        let mut count = 0;
        while count < RESERVE_DIGITS && rest != 0 {
            digits.offset(count).write((rest & DIGIT_MASK) as u32);
            rest >>= DIGIT_BITS;
            count += 1;
        }
        let size = if value < 0 { -count } else { count };
        object.cast::<u8>().add(object_layout::OB_SIZE).cast::<isize>().write(size);
        object
    }
}

/// Calls `make`, which may fail for want of memory only, with the exception that is set kept aside; `reserve` if it fails.
#[cold]
#[inline(never)]
unsafe fn box_beside_exception(make: impl Fn() -> Object, reserve: impl Fn() -> Object) -> Object {
    let (mut ty, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
    // SAFETY: the GIL is held; what is fetched is restored.
    unsafe {
        ffi::PyErr_Fetch(&mut ty, &mut value, &mut traceback);
        let mut object = make();
        if object.is_null() {
            object = reserve();
        }
        ffi::PyErr_Restore(ty, value, traceback);
        object
    }
}

/// `PyFloat_FromDouble` that cannot fail. Takes from the interpreter's free list directly, as that function does.
///
/// # Safety
/// The contract of helpers.
pub unsafe extern "C" fn box_float(value: f64) -> Object {
    // SAFETY: the GIL is held, so the thread state is this thread's; floats on the free list are linked through `ob_type`
    // and have no owner. Builds that count references, and tracemalloc, see the object made by CPython itself.
    unsafe {
        if build::REF_DEBUG == 0 && tracemalloc_off() {
            let interpreter = gil_holder().load(Relaxed).cast::<u8>().add(thread::INTERP).cast::<*mut u8>().read();
            let head = interpreter.add(interp::FLOAT_FREE_LIST).cast::<Object>();
            let object = head.read();
            if !object.is_null() {
                head.write(object::type_of(object).cast());
                let count = interpreter.add(interp::FLOAT_NUMFREE).cast::<i32>();
                count.write(count.read() - 1);
                let bytes = object.cast::<u8>();
                bytes.add(object_layout::OB_REFCNT).cast::<isize>().write(1);
                bytes.add(object_layout::OB_TYPE).cast::<*mut ffi::PyTypeObject>().write(&raw mut ffi::PyFloat_Type);
                bytes.add(float::OB_FVAL).cast::<f64>().write(value);
                return object;
            }
        }
        if !ffi::PyErr_Occurred().is_null() {
            return box_beside_exception(|| ffi::PyFloat_FromDouble(value), || reserve_float(value));
        }
        let object = ffi::PyFloat_FromDouble(value);
        if object.is_null() { reserve_float(value) } else { object }
    }
}

/// Whether nobody counts allocations.
#[inline(always)]
pub(crate) fn tracemalloc_off() -> bool {
    // SAFETY: an int in a static of CPython, written under the GIL.
    unsafe {
        (&raw const capi::_Py_tracemalloc_config).cast::<u8>().add(tracemalloc::TRACING).cast::<i32>().read() == 0
    }
}

/// `PyLong_FromLongLong` that cannot fail. Ints of the table and of one digit are made here, as `PyLong_FromLong` does.
///
/// # Safety
/// The contract of helpers.
pub unsafe extern "C" fn box_int(value: i64) -> Object {
    // SAFETY: the GIL is held; a new object gets every field of an int of one digit. Builds that count references, and
    // tracemalloc, see the object made by CPython itself.
    unsafe {
        if build::REF_DEBUG == 0 {
            if let Some(object) = small_int(value) {
                object::incref(object);
                return object;
            }
            if value.unsigned_abs() <= DIGIT_MASK && tracemalloc_off() {
                let bytes = ffi::PyObject_Malloc(long::OB_DIGIT + size_of::<u32>()).cast::<u8>();
                if !bytes.is_null() {
                    bytes.add(object_layout::OB_REFCNT).cast::<isize>().write(1);
                    bytes.add(object_layout::OB_TYPE).cast::<*mut ffi::PyTypeObject>().write(&raw mut ffi::PyLong_Type);
                    bytes.add(object_layout::OB_SIZE).cast::<isize>().write(value.signum() as isize);
                    bytes.add(long::OB_DIGIT).cast::<u32>().write(value.unsigned_abs() as u32);
                    return bytes.cast();
                }
            }
        }
        if !ffi::PyErr_Occurred().is_null() {
            return box_beside_exception(|| ffi::PyLong_FromLongLong(value), || reserve_int(value));
        }
        let object = ffi::PyLong_FromLongLong(value);
        if object.is_null() { reserve_int(value) } else { object }
    }
}

/// The object of the interpreter's table of small ints (`_PY_NSMALLNEGINTS` and `_PY_NSMALLPOSINTS`), if the value has one.
#[inline(always)]
fn small_int(value: i64) -> Option<Object> {
    const NEGATIVE: i64 = runtime::SMALL_INTS_NEGATIVE;
    const POSITIVE: i64 = runtime::SMALL_INTS_POSITIVE;
    (-NEGATIVE..POSITIVE)
        .contains(&value)
        .then(|| small_ints().wrapping_add((value + NEGATIVE) as usize * long::SIZE).cast_mut().cast())
}

/// `PyBool_FromLong`.
///
/// # Safety
/// The contract of helpers.
#[inline(always)]
pub unsafe fn box_bool(value: bool) -> Object {
    // SAFETY: the singletons live as long as the interpreter.
    unsafe {
        let object = if value { ffi::Py_True() } else { ffi::Py_False() };
        object::incref(object);
        object
    }
}

/// The value of an exact int, if it fits. Inverse of [`box_int`].
///
/// # Safety
/// `int` is a live int.
#[inline(always)]
pub(super) unsafe fn int_value(int: Object) -> Option<i64> {
    // SAFETY: an int has `|ob_size|` digits.
    unsafe {
        let size = object::size(int);
        let digits = object::long_digits(int);
        let digit = |i| u128::from(digits.add(i).read());
        let magnitude = match size.unsigned_abs() {
            0 => return Some(0),
            1 => {
                let value = i64::from(digits.read());
                return Some(if size < 0 { -value } else { value });
            }
            2 => digit(0) | digit(1) << DIGIT_BITS,
            3 => digit(0) | digit(1) << DIGIT_BITS | digit(2) << (2 * DIGIT_BITS),
            _ => return None,
        };
        let value = if size < 0 { -(magnitude as i128) } else { magnitude as i128 };
        i64::try_from(value).ok()
    }
}

/// Stores an owned object into a slot, then releases what the slot held.
#[inline(always)]
unsafe fn replace(slot: *mut Object, object: Object) {
    // SAFETY: the slot owns its content, says the table.
    unsafe {
        let old = slot.replace(object);
        if !old.is_null() {
            object::decref(old);
        }
    }
}

/// Whether `object` is an exact float with these bits: what the slot may keep, so that identity survives.
///
/// # Safety
/// `object` is null or alive.
#[inline(always)]
pub(crate) unsafe fn is_same_float(object: Object, value: f64) -> bool {
    // SAFETY: the type is checked before the value is read.
    unsafe {
        !object.is_null()
            && object::type_of(object) == &raw mut ffi::PyFloat_Type
            && object::float_value(object).to_bits() == value.to_bits()
    }
}

/// Whether `object` is an exact int of this value.
///
/// # Safety
/// `object` is null or alive.
#[inline(always)]
pub(crate) unsafe fn is_same_int(object: Object, value: i64) -> bool {
    // SAFETY: the type is checked before the value is read.
    unsafe {
        !object.is_null() && object::type_of(object) == &raw mut ffi::PyLong_Type && int_value(object) == Some(value)
    }
}

/// Whether `object` is this bool.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub(super) unsafe fn is_same_bool(object: Object, value: bool) -> bool {
    // SAFETY: only addresses are compared.
    unsafe { object == if value { ffi::Py_True() } else { ffi::Py_False() } }
}

/// Writes a raw float back to its slot.
///
/// # Safety
/// The contract of helpers.
pub unsafe extern "C" fn flush_float(slot: *mut Object, value: f64) {
    // SAFETY: the slot is valid and owns its content, says the table.
    unsafe {
        let old = slot.read();
        if !old.is_null() && object::type_of(old) == &raw mut ffi::PyFloat_Type {
            if object::float_value(old).to_bits() == value.to_bits() {
                return;
            }
            // A float that only the slot holds: nobody can tell its memory from a new one's.
            if build::REF_DEBUG == 0 && ffi::Py_REFCNT(old) == 1 {
                old.cast::<u8>().add(float::OB_FVAL).cast::<f64>().write(value);
                return;
            }
        }
        replace(slot, box_float(value));
    }
}

/// Writes a number back to its slot that is an int or a float.
///
/// # Safety
/// The contract of helpers.
pub unsafe extern "C" fn flush_number(slot: *mut Object, value: f64, is_int: i64) {
    // SAFETY: says the caller.
    unsafe {
        if is_int != 0 {
            flush_int(slot, value as i64);
        } else {
            flush_float(slot, value);
        }
    }
}

/// Writes a raw int back to its slot.
///
/// # Safety
/// The contract of helpers.
pub unsafe extern "C" fn flush_int(slot: *mut Object, value: i64) {
    // SAFETY: the slot is valid and owns its content, says the table.
    unsafe {
        let old = slot.read();
        if !old.is_null() && object::type_of(old) == &raw mut ffi::PyLong_Type {
            let magnitude = value.unsigned_abs();
            let count = if magnitude <= DIGIT_MASK { isize::from(magnitude != 0) } else { 2 };
            let size = if value < 0 { -count } else { count };
            if magnitude >> (2 * DIGIT_BITS) == 0 {
                let digits = object::long_digits(old).cast_mut();
                let (low, high) = ((magnitude & DIGIT_MASK) as u32, (magnitude >> DIGIT_BITS) as u32);
                let had = object::size(old);
                if had == size && (count == 0 || digits.read() == low) && (count < 2 || digits.add(1).read() == high) {
                    return;
                }
                // An int that only the slot holds, as for floats. Ints of the table stay the only ones of their value.
                if build::REF_DEBUG == 0 && ffi::Py_REFCNT(old) == 1 && small_int(value).is_none() && had.abs() >= count
                {
                    old.cast::<u8>().add(object_layout::OB_SIZE).cast::<isize>().write(size);
                    digits.write(low);
                    if count == 2 {
                        digits.add(1).write(high);
                    }
                    return;
                }
            } else if int_value(old) == Some(value) {
                return;
            }
        }
        replace(slot, box_int(value));
    }
}

/// Writes a raw truth value back to its slot.
///
/// # Safety
/// The contract of helpers.
pub unsafe extern "C" fn flush_bool(slot: *mut Object, value: i64) {
    // SAFETY: the slot is valid and owns its content, says the table.
    unsafe {
        if !is_same_bool(slot.read(), value != 0) {
            replace(slot, box_bool(value != 0));
        }
    }
}
