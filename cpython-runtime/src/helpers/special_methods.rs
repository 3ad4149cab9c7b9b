//! Special methods that are Python functions, called without the slots between them and CPython's abstract functions.
//!
//! *Problem*: `Class(...)`, `a - b` and `a < b` on instances of Python classes reach a Python function by way of a tuple, a slot
//! function and a second look at the call. *Method*: a class whose method resolution finds a Python function under a special
//! name has the slot that would call it, so the function is found the same way (`_PyType_Lookup`, which caches) and entered as any
//! call from compiled code ([`crate::direct_calls`]). What CPython does after a method has said `NotImplemented` is done here likewise.
//! *Invariants*: an offer that is refused (`None`) has changed nothing and consumed nothing; recursion levels are those of the
//! functions that are passed over. *Sources*: `type_call`, `slot_nb_*`, `slot_tp_richcompare` in `Objects/typeobject.c`,
//! `binary_op1` in `Objects/abstract.c`, `do_richcompare` in `Objects/object.c`.

use super::{
    Object,
    boxing::box_bool,
    capi, instances,
    interned::{self, Name},
    messages,
};
use crate::{direct_calls, object, thread::ThreadState};
use columba_jit_core::bytecode::instruction::{Arithmetic, Comparison};
use pyo3_ffi as ffi;
use std::{
    ffi::{CStr, c_int},
    ptr::null_mut,
};

/// The Python function that implements a special method of a type's instances, if one does: borrowed from the type. A class
/// whose method resolution finds a Python function has the slot that calls it.
///
/// # Safety
/// The type is alive; the GIL is held.
#[inline(always)]
pub(super) unsafe fn python_method(ty: *mut ffi::PyTypeObject, name: &Name) -> Option<Object> {
    // SAFETY: the type is alive.
    unsafe {
        if (*ty).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return None;
        }
        let found = capi::_PyType_Lookup(ty, name.get());
        (!found.is_null() && object::type_of(found) == &raw mut ffi::PyFunction_Type).then_some(found)
    }
}

/// Calls a Python function, which is borrowed, with owned arguments, of which the last may have keyword `names` (or null).
///
/// # Safety
/// All are alive; the GIL is held.
#[inline(always)]
pub(super) unsafe fn call(
    thread: ThreadState,
    function: Object,
    arguments: *const Object,
    count: usize,
    names: Object,
) -> Object {
    // SAFETY: an accepted offer consumes the references, a vectorcall does not.
    unsafe {
        object::incref(function);
        if names.is_null()
            && let Some(result) = direct_calls::offer(thread, function, arguments, count)
        {
            return result;
        }
        let named = if names.is_null() { 0 } else { object::size(names) as usize };
        let result = ffi::PyObject_Vectorcall(function, arguments, count - named, names);
        object::decref(function);
        for i in 0..count {
            object::decref(arguments.add(i).read());
        }
        result
    }
}

/// Calls a class, or an instance whose class has a `__call__`, with owned arguments: `callable[0]` is what is called, the
/// arguments follow it. `Some`: all were consumed; null with an exception set, or a new reference.
///
/// # Safety
/// All are alive; the words are the callee's to change; the GIL is held.
#[inline(always)]
pub(super) unsafe fn offer_call(
    thread: ThreadState,
    callable: *mut Object,
    count: usize,
    names: Object,
) -> Option<Object> {
    // SAFETY: says the caller; type fields.
    unsafe {
        let called = callable.read();
        let ty = object::type_of(called);
        // `_PyObject_MakeTpCall`, which would be passed over, takes a level; near the limit it says so itself.
        if (*ty).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 && ty != &raw mut ffi::PyType_Type
            || thread.recursion_remaining() <= 1
        {
            return None;
        }
        if (*ty).tp_flags & ffi::Py_TPFLAGS_TYPE_SUBCLASS != 0 {
            return instantiate(thread, callable, count, names);
        }
        if (*ty).tp_flags & crate::layout::type_object::FLAG_VECTORCALL as std::ffi::c_ulong != 0 {
            return None;
        }
        let method = python_method(ty, &interned::CALL)?;
        thread.set_recursion_remaining(thread.recursion_remaining() - 1);
        let result = call(thread, method, callable, count + 1, names);
        thread.set_recursion_remaining(thread.recursion_remaining() + 1);
        Some(result)
    }
}

/// Whether a call of the class makes an instance as `object` does and initialises it.
///
/// # Safety
/// A live class; the GIL is held.
pub(crate) unsafe fn makes_plain_instances(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: type fields.
    unsafe {
        let new = |ty: *const ffi::PyTypeObject| (*ty).tp_new.map(|f| f as usize);
        let call = |ty: *const ffi::PyTypeObject| (*ty).tp_call.map(|f| f as usize);
        (*ty).tp_flags & (ffi::Py_TPFLAGS_HEAPTYPE | ffi::Py_TPFLAGS_IS_ABSTRACT) == ffi::Py_TPFLAGS_HEAPTYPE
            && call(object::type_of(ty.cast())) == call(&raw const ffi::PyType_Type)
            && (*ty).tp_vectorcall.is_none()
            && new(ty) == new(&raw const ffi::PyBaseObject_Type)
    }
}

/// The `__init__` of a class, if it is a Python function: borrowed.
///
/// # Safety
/// A live class; the GIL is held.
pub(crate) unsafe fn python_init(ty: *mut ffi::PyTypeObject) -> Option<Object> {
    // SAFETY: says the caller.
    unsafe { python_method(ty, &interned::INIT) }
}

/// `type_call` for classes that make their instances as `object` does and initialise them by a Python function, or not at all.
unsafe fn instantiate(thread: ThreadState, callable: *mut Object, count: usize, names: Object) -> Option<Object> {
    // SAFETY: a live class; type fields.
    unsafe {
        let class = callable.read();
        let ty = class.cast::<ffi::PyTypeObject>();
        let base = &raw const ffi::PyBaseObject_Type;
        if !makes_plain_instances(ty) {
            return None;
        }
        let method = python_method(ty, &interned::INIT);
        if method.is_none() {
            let plain = (*ty).tp_init.map(|f| f as usize) == (*base).tp_init.map(|f| f as usize);
            if !plain || count != 0 {
                return None;
            }
        }
        // `object_new`, whose complaints about arguments are not due: the class has an `__init__`, or there are none.
        // A class may replace its `__init__` while that runs, or while a finaliser does that garbage collection finds.
        if let Some(method) = method {
            object::incref(method);
        }
        let instance = instances::new_instance(class);
        if instance.is_null() {
            for i in 0..=count {
                object::decref(callable.add(i).read());
            }
            if let Some(method) = method {
                object::decref(method);
            }
            return Some(null_mut());
        }
        let Some(method) = method else {
            object::decref(class);
            return Some(instance);
        };
        object::incref(instance);
        callable.write(instance);
        thread.set_recursion_remaining(thread.recursion_remaining() - 1);
        let result = call(thread, method, callable, count + 1, names);
        thread.set_recursion_remaining(thread.recursion_remaining() + 1);
        object::decref(method);
        let none = result == ffi::Py_None();
        if !result.is_null() {
            if !none {
                ffi::PyErr_Format(
                    ffi::PyExc_TypeError,
                    c"__init__() should return None, not '%.200s'".as_ptr(),
                    messages::type_name(result),
                );
            }
            object::decref(result);
        }
        object::decref(class);
        if none {
            return Some(instance);
        }
        object::decref(instance);
        Some(null_mut())
    }
}

/// A binary operator: the names of its method and of the reflected one, its slots, and how messages call it.
struct Operator {
    method: &'static Name,
    reflected: &'static Name,
    slot: fn(&ffi::PyNumberMethods) -> Option<ffi::binaryfunc>,
    in_place_slot: fn(&ffi::PyNumberMethods) -> Option<ffi::binaryfunc>,
    symbol: &'static CStr,
    in_place_symbol: &'static CStr,
}

macro_rules! operators {
    ($operation:expr; $( $name:ident $method:ident $reflected:ident $slot:ident $in_place:ident $symbol:literal $assigned:literal; )*) => {
        match $operation {
            $( operation if operation == Arithmetic::$name as i64 => Some(Operator {
                method: &interned::$method,
                reflected: &interned::$reflected,
                slot: |methods| methods.$slot,
                in_place_slot: |methods| methods.$in_place,
                symbol: $symbol,
                in_place_symbol: $assigned,
            }), )*
            _ => None,
        }
    };
}

/// All but `**`, whose slot has a third operand.
#[inline(always)]
fn operator(operation: i64) -> Option<Operator> {
    operators! { operation;
        Add ADD RADD nb_add nb_inplace_add c"+" c"+=";
        Subtract SUB RSUB nb_subtract nb_inplace_subtract c"-" c"-=";
        Multiply MUL RMUL nb_multiply nb_inplace_multiply c"*" c"*=";
        TrueDivide TRUEDIV RTRUEDIV nb_true_divide nb_inplace_true_divide c"/" c"/=";
        FloorDivide FLOORDIV RFLOORDIV nb_floor_divide nb_inplace_floor_divide c"//" c"//=";
        Remainder MOD RMOD nb_remainder nb_inplace_remainder c"%" c"%=";
        And AND RAND nb_and nb_inplace_and c"&" c"&=";
        Or OR ROR nb_or nb_inplace_or c"|" c"|=";
        Xor XOR RXOR nb_xor nb_inplace_xor c"^" c"^=";
        LeftShift LSHIFT RLSHIFT nb_lshift nb_inplace_lshift c"<<" c"<<=";
        RightShift RSHIFT RRSHIFT nb_rshift nb_inplace_rshift c">>" c">>=";
        MatrixMultiply MATMUL RMATMUL nb_matrix_multiply nb_inplace_matrix_multiply c"@" c"@=";
    }
}

/// The Python function that is a binary operator's method, for instances of a class and what is neither of a subclass nor a
/// sequence: borrowed.
///
/// # Safety
/// A live type; the GIL is held.
pub(crate) unsafe fn operator_method(ty: *mut ffi::PyTypeObject, operation: i64, in_place: bool) -> Option<Object> {
    // SAFETY: says the caller.
    unsafe {
        let operator = operator(operation)?;
        let method = python_method(ty, operator.method)?;
        let other = is_sequence(ty) || in_place && number_slot(ty, operator.in_place_slot).is_some();
        (!other).then_some(method)
    }
}

/// A binary operator whose left operand's class implements it by a Python function. `Some`: both operands, which were owned,
/// are consumed; null with an exception set, or a new reference.
///
/// # Safety
/// The operands are alive, the number is one of [`Arithmetic`]; the GIL is held.
pub(super) unsafe fn offer_operator(left: Object, right: Object, operation: i64, in_place: bool) -> Option<Object> {
    // SAFETY: says the caller; type fields.
    unsafe {
        let (ty, other) = (object::type_of(left), object::type_of(right));
        let method = operator_method(ty, operation, in_place)?;
        let operator = operator(operation)?;
        // A subclass on the right may come first; sequences have slots of their own for some operators.
        if ty != other && (ffi::PyType_IsSubtype(other, ty) != 0 || is_sequence(other)) {
            return None;
        }
        // The call takes references, and so does what may follow it.
        object::incref(left);
        object::incref(right);
        let mut result = call(ThreadState::current(), method, [left, right].as_ptr(), 2, null_mut());
        if result == ffi::Py_NotImplemented() {
            object::decref(result);
            result = ask_the_other(left, right, &operator);
            if result == ffi::Py_NotImplemented() {
                object::decref(result);
                result = null_mut();
                let symbol = if in_place { operator.in_place_symbol } else { operator.symbol };
                ffi::PyErr_Format(
                    ffi::PyExc_TypeError,
                    c"unsupported operand type(s) for %.100s: '%.100s' and '%.100s'".as_ptr(),
                    symbol.as_ptr(),
                    messages::type_name(left),
                    messages::type_name(right),
                );
            }
        }
        object::decref(left);
        object::decref(right);
        Some(result)
    }
}

/// What `binary_op1` does when the left operand's method has said `NotImplemented`.
#[cold]
unsafe fn ask_the_other(left: Object, right: Object, operator: &Operator) -> Object {
    // SAFETY: both are alive.
    unsafe {
        let (ty, other) = (object::type_of(left), object::type_of(right));
        let slot = number_slot(other, operator.slot).filter(|_| ty != other);
        let Some(slot) = slot else { return new_reference(ffi::Py_NotImplemented()) };
        if number_slot(ty, operator.slot).map(|own| own as usize) != Some(slot as usize) {
            return slot(left, right);
        }
        // The slot function they share asks for the reflected method itself.
        let method = capi::_PyObject_LookupSpecial(right, operator.reflected.get());
        if method.is_null() {
            if !ffi::PyErr_Occurred().is_null() {
                return null_mut();
            }
            return new_reference(ffi::Py_NotImplemented());
        }
        let result = ffi::PyObject_CallOneArg(method, left);
        object::decref(method);
        result
    }
}

unsafe fn new_reference(object: Object) -> Object {
    // SAFETY: alive, say the callers.
    unsafe { object::incref(object) };
    object
}

#[inline(always)]
unsafe fn number_slot(
    ty: *mut ffi::PyTypeObject,
    slot: fn(&ffi::PyNumberMethods) -> Option<ffi::binaryfunc>,
) -> Option<ffi::binaryfunc> {
    // SAFETY: a live type; the table is null or the type's.
    unsafe { (*ty).tp_as_number.as_ref().and_then(slot) }
}

/// Whether `+` or `*` may mean concatenation or repetition.
#[inline(always)]
unsafe fn is_sequence(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a live type; the table is null or the type's.
    unsafe {
        (*ty).tp_as_sequence.as_ref().is_some_and(|methods| {
            methods.sq_concat.is_some()
                || methods.sq_repeat.is_some()
                || methods.sq_inplace_concat.is_some()
                || methods.sq_inplace_repeat.is_some()
        })
    }
}

/// A comparison whose left operand's class implements it by a Python function. Operands are borrowed; a new reference, or null
/// with an exception set.
///
/// # Safety
/// The operands are alive, the number is one of [`Comparison`]; the GIL is held.
#[inline(always)]
pub(super) unsafe fn offer_comparison(left: Object, right: Object, comparison: i64) -> Option<Object> {
    // SAFETY: says the caller; type fields.
    unsafe {
        let (ty, other) = (object::type_of(left), object::type_of(right));
        let name = match comparison {
            LT => &interned::LT,
            LE => &interned::LE,
            EQ => &interned::EQ,
            NE => &interned::NE,
            GT => &interned::GT,
            _ => &interned::GE,
        };
        let method = python_method(ty, name)?;
        let thread = ThreadState::current();
        // `PyObject_RichCompare` takes a level; near the limit it says so itself.
        if ty != other && ffi::PyType_IsSubtype(other, ty) != 0 || thread.recursion_remaining() <= 1 {
            return None;
        }
        object::incref(left);
        object::incref(right);
        thread.set_recursion_remaining(thread.recursion_remaining() - 1);
        let mut result = call(thread, method, [left, right].as_ptr(), 2, null_mut());
        if result == ffi::Py_NotImplemented() {
            object::decref(result);
            result = compare_reflected(left, right, comparison);
        }
        thread.set_recursion_remaining(thread.recursion_remaining() + 1);
        Some(result)
    }
}

/// What `do_richcompare` does when the left operand's method has said `NotImplemented`.
#[cold]
unsafe fn compare_reflected(left: Object, right: Object, comparison: i64) -> Object {
    // SAFETY: both are alive.
    unsafe {
        let (reflected, symbol) = match comparison {
            LT => (GT, c"<"),
            LE => (GE, c"<="),
            EQ => (EQ, c"=="),
            NE => (NE, c"!="),
            GT => (LT, c">"),
            _ => (LE, c">="),
        };
        if let Some(compare) = (*object::type_of(right)).tp_richcompare {
            let result = compare(right, left, reflected as c_int);
            if result != ffi::Py_NotImplemented() {
                return result;
            }
            object::decref(result);
        }
        match comparison {
            EQ => box_bool(left == right),
            NE => box_bool(left != right),
            _ => {
                ffi::PyErr_Format(
                    ffi::PyExc_TypeError,
                    c"'%s' not supported between instances of '%.100s' and '%.100s'".as_ptr(),
                    symbol.as_ptr(),
                    messages::type_name(left),
                    messages::type_name(right),
                );
                null_mut()
            }
        }
    }
}

const LT: i64 = Comparison::Lt as i64;
const LE: i64 = Comparison::Le as i64;
const EQ: i64 = Comparison::Eq as i64;
const NE: i64 = Comparison::Ne as i64;
const GT: i64 = Comparison::Gt as i64;
const GE: i64 = Comparison::Ge as i64;
