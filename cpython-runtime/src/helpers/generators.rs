//! Generators, coroutines and asynchronous generators.
//!
//! `_PyCoro_GetAwaitableIter`, `_PyGen_yf` and `_PyAsyncGenValueWrapperNew` are hidden in CPython 3.11 and rebuilt here.

use super::{ERROR, OK, Object, Owned, capi, exceptions, iteration, messages, names};
use crate::{
    code::Code,
    collecting::Sink,
    frame::Generator,
    generator::{self, Outcome},
    layout::{async_gen_wrapped_value, code, frame as frame_layout, generator as generator_layout, opcode},
    object,
    thread::ThreadState,
};
use pyo3_ffi as ffi;
use std::ptr::null_mut;

unsafe fn is_exact_coroutine(object: Object) -> bool {
    // SAFETY: `object` is alive.
    unsafe { object::type_of(object) == &raw mut ffi::PyCoro_Type }
}

/// A coroutine, or a generator decorated as one.
unsafe fn is_coroutine(object: Object) -> bool {
    // SAFETY: `object` is alive; the code is read after the type is known.
    unsafe {
        if is_exact_coroutine(object) {
            return true;
        }
        if object::type_of(object) != &raw mut ffi::PyGen_Type {
            return false;
        }
        let code = Code::new(object::read::<Object>(object, generator_layout::GI_CODE));
        i64::from(code.flags()) & code::CO_ITERABLE_COROUTINE != 0
    }
}

/// `_PyCoro_GetAwaitableIter`.
unsafe fn awaitable_iterator(object: Object) -> Option<Owned> {
    // SAFETY: `object` is alive.
    unsafe {
        if is_coroutine(object) {
            return Some(Owned::new_reference(object));
        }
        let ty = object::type_of(object);
        let Some(method) = (*ty).tp_as_async.as_ref().and_then(|methods| methods.am_await) else {
            let format = c"object %.100s can't be used in 'await' expression";
            ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), (*ty).tp_name);
            return None;
        };
        let iterator = Owned::steal_or_null(method(object))?;
        if is_coroutine(iterator.as_ptr()) {
            messages::raise(ffi::PyExc_TypeError, c"__await__() returned a coroutine");
            return None;
        }
        if ffi::PyIter_Check(iterator.as_ptr()) == 0 {
            let format = c"__await__() returned non-iterator of type '%.100s'";
            ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), messages::type_name(iterator.as_ptr()));
            return None;
        }
        Some(iterator)
    }
}

/// `_PyGen_yf`, as a question: is the generator suspended in a `yield from` or `await`?
unsafe fn is_delegating(object: Object) -> bool {
    // SAFETY: `object` is a generator or coroutine; its frame is alive unless it is cleared. `prev_instr` is the
    // `YIELD_VALUE`, and there is always an instruction after one.
    unsafe {
        let generator = Generator::new(object);
        let state = i64::from(generator.frame_state());
        if state >= frame_layout::STATE_CLEARED || state == frame_layout::STATE_CREATED {
            return false;
        }
        let next = generator.frame().prev_instr().add(1).read();
        let (op, operand) = (i64::from(next & 0xff), next >> 8);
        (op == opcode::RESUME || op == opcode::RESUME_QUICK) && operand >= 2
    }
}

/// `GET_YIELD_FROM_ITER`.
pub(super) unsafe extern "C" fn get_yield_from_iter(frame: *mut u8, iterable: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let iterable = Owned::steal(iterable);
        if is_exact_coroutine(iterable.as_ptr()) {
            let flags = i64::from(names::view(frame).code().flags());
            if flags & (code::CO_COROUTINE | code::CO_ITERABLE_COROUTINE) == 0 {
                drop(iterable);
                let text = c"cannot 'yield from' a coroutine object in a non-coroutine generator";
                messages::raise(ffi::PyExc_TypeError, text);
                return null_mut();
            }
            return iterable.into_ptr();
        }
        if object::type_of(iterable.as_ptr()) == &raw mut ffi::PyGen_Type {
            return iterable.into_ptr();
        }
        iteration::iterator_of(iterable.as_ptr())
    }
}

/// `ASYNC_GEN_WRAP` (`_PyAsyncGenValueWrapperNew`): made by CPython's allocator, so its own deallocator takes it back.
pub(super) unsafe extern "C" fn async_gen_wrap(value: Object) -> Object {
    // SAFETY: the contract of helpers; the new object's one field is set before the collector sees it.
    unsafe {
        let value = Owned::steal(value);
        let wrapper = capi::_PyObject_GC_New(&raw mut capi::_PyAsyncGenWrappedValue_Type);
        if !wrapper.is_null() {
            let field = wrapper.cast::<u8>().add(async_gen_wrapped_value::AGW_VAL).cast::<Object>();
            field.write(value.into_ptr());
            ffi::PyObject_GC_Track(wrapper.cast());
        }
        wrapper
    }
}

/// Gives what a generator yields to the sink it was entered with.
pub(super) unsafe extern "C" fn collect_value(sink: *mut Sink, value: Object) -> i64 {
    // SAFETY: whoever enters code with a sink keeps it, and does not look at it, until the code comes back.
    i64::from(unsafe { (*sink).take_at_once(value) })
}

/// `SEND`.
pub(super) unsafe extern "C" fn send(receiver: Object, value: Object, dest: *mut Object) -> i64 {
    // SAFETY: the contract of helpers; `dest` takes a word.
    unsafe {
        let value = Owned::steal(value);
        let mut result = null_mut();
        let status = ffi::PyIter_Send(receiver, value.as_ptr(), &mut result);
        drop(value);
        dest.write(result);
        status as i64
    }
}

/// `SEND` to what may be a generator or coroutine whose code is compiled.
pub(super) unsafe extern "C" fn send_direct(
    thread: *mut ffi::PyThreadState,
    receiver: Object,
    value: Object,
    dest: *mut Object,
) -> i64 {
    // SAFETY: the contract of helpers; a refused offer has not consumed the value; `dest` takes a word.
    unsafe {
        let Some((outcome, result)) = generator::offer(ThreadState::new(thread), receiver, value) else {
            return send(receiver, value, dest);
        };
        dest.write(result);
        match outcome {
            Outcome::Returned => 0,
            Outcome::Yielded => 1,
            Outcome::Raised => ERROR,
        }
    }
}

/// `GET_AWAITABLE`. The operand says where the object came from: 1 `__aenter__`, 2 `__aexit__`.
pub(super) unsafe extern "C" fn get_awaitable(frame: *mut u8, iterable: Object, origin: i64) -> Object {
    let _ = frame;
    // SAFETY: the contract of helpers.
    unsafe {
        let iterable = Owned::steal(iterable);
        let iterator = awaitable_iterator(iterable.as_ptr());
        if iterator.is_none() {
            awaitable_error(iterable.as_ptr(), origin);
        }
        drop(iterable);
        let Some(iterator) = iterator else {
            return null_mut();
        };
        if is_exact_coroutine(iterator.as_ptr()) && is_delegating(iterator.as_ptr()) {
            drop(iterator);
            messages::raise(ffi::PyExc_RuntimeError, c"coroutine is being awaited already");
            return null_mut();
        }
        iterator.into_ptr()
    }
}

/// `format_awaitable_error` of ceval.c.
#[cold]
unsafe fn awaitable_error(object: Object, origin: i64) {
    // SAFETY: `object` is alive.
    unsafe {
        let ty = object::type_of(object);
        if (*ty).tp_as_async.as_ref().is_some_and(|methods| methods.am_await.is_some()) {
            return;
        }
        let format = match origin {
            1 => c"'async with' received an object from __aenter__ that does not implement __await__: %.100s",
            2 => c"'async with' received an object from __aexit__ that does not implement __await__: %.100s",
            _ => return,
        };
        ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), (*ty).tp_name);
    }
}

/// `GET_AITER`.
pub(super) unsafe extern "C" fn get_aiter(iterable: Object) -> Object {
    // SAFETY: the contract of helpers; the type outlives the object's last use.
    unsafe {
        let iterable = Owned::steal(iterable);
        let ty = object::type_of(iterable.as_ptr());
        let Some(method) = (*ty).tp_as_async.as_ref().and_then(|methods| methods.am_aiter) else {
            let format = c"'async for' requires an object with __aiter__ method, got %.100s";
            ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), (*ty).tp_name);
            return null_mut();
        };
        let iterator = Owned::steal_or_null(method(iterable.as_ptr()));
        drop(iterable);
        let Some(iterator) = iterator else {
            return null_mut();
        };
        let ty = object::type_of(iterator.as_ptr());
        if (*ty).tp_as_async.as_ref().and_then(|methods| methods.am_anext).is_none() {
            let format = c"'async for' received an object from __aiter__ that does not implement __anext__: %.100s";
            ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), (*ty).tp_name);
            return null_mut();
        }
        iterator.into_ptr()
    }
}

/// `GET_ANEXT`.
pub(super) unsafe extern "C" fn get_anext(iterator: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let ty = object::type_of(iterator);
        let Some(method) = (*ty).tp_as_async.as_ref().and_then(|methods| methods.am_anext) else {
            let format = c"'async for' requires an iterator with __anext__ method, got %.100s";
            ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), (*ty).tp_name);
            return null_mut();
        };
        let Some(next) = Owned::steal_or_null(method(iterator)) else {
            return null_mut();
        };
        if ty == &raw mut ffi::PyAsyncGen_Type {
            return next.into_ptr();
        }
        match awaitable_iterator(next.as_ptr()) {
            Some(awaitable) => {
                drop(next);
                awaitable.into_ptr()
            }
            None => {
                capi::_PyErr_FormatFromCause(
                    ffi::PyExc_TypeError,
                    c"'async for' received an invalid object from __anext__: %.100s".as_ptr(),
                    messages::type_name(next.as_ptr()),
                );
                null_mut()
            }
        }
    }
}

/// `END_ASYNC_FOR`.
pub(super) unsafe extern "C" fn end_async_for(iterator: Object, exception: Object) -> i64 {
    // SAFETY: the contract of helpers.
    unsafe {
        let iterator = Owned::steal(iterator);
        let exception = Owned::steal(exception);
        if ffi::PyErr_GivenExceptionMatches(exception.as_ptr(), ffi::PyExc_StopAsyncIteration) != 0 {
            drop(exception);
            drop(iterator);
            return OK;
        }
        exceptions::restore(exception);
        drop(iterator);
        ERROR
    }
}
