//! Calls.
//!
//! *Invariant*: the words of `stack` are the caller's to overwrite until the helper returns, so the callee may use the word
//! below its arguments (`PY_VECTORCALL_ARGUMENTS_OFFSET`). A result found while tracing is on is stored to memory and
//! null returned: compiled code leaves after such a call.

use super::{ERROR, OK, Object, Owned, capi, messages, owned, pending, special_methods};
use crate::{
    collecting, direct_calls,
    layout::{method, type_object},
    object,
    thread::ThreadState,
    vectorcall::{Vectorcall, is_called_plainly},
};
use pyo3_ffi as ffi;
use std::{
    ptr::{null, null_mut},
    sync::atomic::Ordering::Relaxed,
};

const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// `PyObject_Vectorcall` with its checks, the slot read in line.
#[inline(always)]
unsafe fn vectorcall(
    thread: ThreadState,
    callable: Object,
    arguments: *const Object,
    count_and_flag: usize,
    names: Object,
) -> Object {
    // SAFETY: all alive, say the callers; a type with the flag has a vectorcall pointer (maybe null) in its instances.
    unsafe {
        let ty = object::type_of(callable);
        if ty == &raw mut ffi::PyCFunction_Type && names.is_null() {
            // Without a level of recursion, as the specialised instruction (`PRECALL_NO_KW_BUILTIN_FAST`).
            let function = callable.cast::<ffi::PyCFunctionObject>();
            let method = (*function).m_ml;
            if (*method).ml_flags == ffi::METH_FASTCALL {
                let count = (count_and_flag & !ARGUMENTS_OFFSET) as isize;
                let result = ((*method).ml_meth.PyCFunctionFast)((*function).m_self, arguments.cast_mut(), count);
                if result.is_null() == thread.curexc_type().is_null() {
                    return capi::_Py_CheckFunctionResult(thread.as_ptr(), callable, result, null());
                }
                return result;
            }
        }
        if (*ty).tp_flags & type_object::FLAG_VECTORCALL as std::ffi::c_ulong != 0 {
            let place = callable.cast::<u8>().offset((*ty).tp_vectorcall_offset).cast::<Option<Vectorcall>>();
            if let Some(function) = place.read() {
                let result = function(callable, arguments, count_and_flag, names);
                if result.is_null() == thread.curexc_type().is_null() {
                    return capi::_Py_CheckFunctionResult(thread.as_ptr(), callable, result, null());
                }
                return result;
            }
        }
        ffi::PyObject_Vectorcall(callable, arguments, count_and_flag, names)
    }
}

/// The result for compiled code: null with the result in `stash` when tracing was switched on. As in the interpreter,
/// signals and the like are looked at after a call.
#[inline(always)]
unsafe fn deliver(thread: ThreadState, result: Object, stash: *mut Object) -> Object {
    if result.is_null() {
        return result;
    }
    let tracing = thread.cframe().use_tracing() != 0;
    if tracing || thread.interpreter().eval_breaker().load(Relaxed) != 0 {
        // SAFETY: says the caller.
        return unsafe { deliver_slowly(thread, result, stash) };
    }
    result
}

#[cold]
unsafe fn deliver_slowly(thread: ThreadState, result: Object, stash: *mut Object) -> Object {
    // SAFETY: the GIL is held; `stash` takes a word, say the callers.
    unsafe {
        match pending::handle(thread) {
            OK => result,
            ERROR => {
                object::decref(result);
                null_mut()
            }
            _ => {
                stash.write(result);
                null_mut()
            }
        }
    }
}

/// `PRECALL` and `CALL`.
pub(super) unsafe extern "C" fn call(
    thread: *mut ffi::PyThreadState,
    stack: *mut Object,
    count: i64,
    names: Object,
) -> Object {
    // SAFETY: the contract of helpers: `stack` holds `count + 2` words, all owned, the first possibly null.
    unsafe {
        // What nearly every call is, with as few registers as that takes.
        let thread = ThreadState::new(thread);
        let bound = !stack.read().is_null();
        let base = if bound { stack } else { stack.add(1) };
        if names.is_null()
            && let Some(result) =
                direct_calls::offer(thread, base.read(), base.add(1), count as usize + usize::from(bound))
        {
            return deliver(thread, result, stack);
        }
        call_otherwise(thread, stack, count, names)
    }
}

/// The same of `tuple` or `set` with one argument: one that is a generator with compiled code is gone through here.
pub(super) unsafe extern "C" fn call_collecting(
    thread: *mut ffi::PyThreadState,
    stack: *mut Object,
    count: i64,
    names: Object,
) -> Object {
    // SAFETY: the contract of helpers: null, the type and its argument lie on the stack, the latter two owned.
    unsafe {
        let view = ThreadState::new(thread);
        let callable = stack.add(1).read();
        let argument = stack.add(2).read();
        if let Some(result) = collecting::offer(view, callable, argument) {
            object::decref(argument);
            object::decref(callable);
            return deliver(view, result, stack);
        }
        call(thread, stack, count, names)
    }
}

/// Whether the object is a class of CPython or an extension that no Python code has made.
#[inline(always)]
unsafe fn is_static_type(callable: Object) -> bool {
    // SAFETY: alive, says the caller.
    unsafe {
        object::type_of(callable) == &raw mut ffi::PyType_Type
            && (*callable.cast::<ffi::PyTypeObject>()).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0
    }
}

/// The same for what is no Python function with compiled code.
#[inline(never)]
unsafe fn call_otherwise(thread: ThreadState, stack: *mut Object, count: i64, names: Object) -> Object {
    // SAFETY: as in `call`.
    unsafe {
        let mut total = count as usize;
        let mut base = stack.add(1);
        if stack.read().is_null() {
            let callable = base.read();
            if names.is_null() && is_static_type(callable) {
                // `tuple`, `set`, `range` and the like: nothing of them is written in Python.
                let result = vectorcall(thread, callable, base.add(1), total | ARGUMENTS_OFFSET, names);
                for i in 0..=total {
                    object::decref(base.add(i).read());
                }
                return deliver(thread, result, stack);
            }
            if object::type_of(callable) == &raw mut capi::PyMethod_Type {
                let function: Object = object::read(callable, method::IM_FUNC);
                let receiver: Object = object::read(callable, method::IM_SELF);
                object::incref(function);
                object::incref(receiver);
                base.write(receiver);
                stack.write(function);
                object::decref(callable);
                base = stack;
                total += 1;
            }
        } else {
            base = stack;
            total += 1;
        }
        let callable = base.read();
        let arguments = base.add(1);
        if !names.is_null() {
            let positional = total - object::size(names) as usize;
            if let Some(result) = direct_calls::offer_with_keywords(thread, callable, arguments, positional, names) {
                return deliver(thread, result, stack);
            }
        } else if base == stack
            && let Some(result) = direct_calls::offer(thread, callable, arguments, total)
        {
            return deliver(thread, result, stack);
        }
        if let Some(result) = special_methods::offer_call(thread, base, total, names) {
            return deliver(thread, result, stack);
        }
        let positional = if names.is_null() { total } else { total - object::size(names) as usize };
        let result = vectorcall(thread, callable, arguments, positional | ARGUMENTS_OFFSET, names);
        object::decref(callable);
        for i in 0..total {
            object::decref(arguments.add(i).read());
        }
        deliver(thread, result, stack)
    }
}

/// `CALL_FUNCTION_EX`.
pub(super) unsafe extern "C" fn call_function_ex(
    thread: *mut ffi::PyThreadState,
    function: Object,
    args: Object,
    kwargs: Object,
    stash: *mut Object,
) -> Object {
    // SAFETY: the contract of helpers; `stash` takes a word.
    unsafe {
        let function = Owned::steal(function);
        let mut args = Owned::steal(args);
        let mut kwargs = Owned::steal_or_null(kwargs);
        if let Some(mapping) = &kwargs
            && object::type_of(mapping.as_ptr()) != &raw mut ffi::PyDict_Type
        {
            let Some(dict) = Owned::steal_or_null(ffi::PyDict_New()) else {
                return null_mut();
            };
            if capi::_PyDict_MergeEx(dict.as_ptr(), mapping.as_ptr(), 2) < 0 {
                drop(dict);
                messages::kwargs_error(function.as_ptr(), mapping.as_ptr());
                return null_mut();
            }
            kwargs = Some(dict);
        }
        if object::type_of(args.as_ptr()) != &raw mut ffi::PyTuple_Type {
            if !messages::check_args_iterable(function.as_ptr(), args.as_ptr()) {
                return null_mut();
            }
            args = match Owned::steal_or_null(ffi::PySequence_Tuple(args.as_ptr())) {
                Some(tuple) => tuple,
                None => return null_mut(),
            };
        }
        let thread = ThreadState::new(thread);
        let result = match offer_items(thread, function.as_ptr(), args.as_ptr(), &kwargs) {
            Some(result) => result,
            None => ffi::PyObject_Call(function.as_ptr(), args.as_ptr(), owned::as_ptr_or_null(&kwargs)),
        };
        drop(function);
        drop(args);
        drop(kwargs);
        deliver(thread, result, stash)
    }
}

/// A call of a Python function with compiled code by the items of a tuple, without keywords.
#[inline(always)]
unsafe fn offer_items(thread: ThreadState, function: Object, args: Object, kwargs: &Option<Owned>) -> Option<Object> {
    // SAFETY: alive, says the caller; `kwargs` is an exact dictionary by now.
    unsafe {
        let has_keywords = kwargs.as_ref().is_some_and(|kwargs| ffi::PyDict_Size(kwargs.as_ptr()) != 0);
        if object::type_of(function) != &raw mut ffi::PyFunction_Type || has_keywords || !is_called_plainly(function) {
            return None;
        }
        let count = object::size(args) as usize;
        direct_calls::offer_borrowed(thread, function, object::tuple_items(args), count, null_mut(), false)
    }
}
