//! Every helper, called through its address with operands as its signature says.
//!
//! Method: an embedded interpreter gets one C function, `call(name, *operands)`, which passes operands by the letters of the
//! helper table and takes results the same way; the tests themselves are Python (`helpers.py`), where results, messages and
//! reference counts are easiest to state. The C function is called from Python code, so that code's frame is
//! the running one.

use columba_cpython_runtime::{
    collecting::{Items, Sink},
    exits,
    frame::{Frame, Generator},
    helpers,
    thread::ThreadState,
};
use columba_jit_core::{
    exit::{Exit, Reason, Source},
    helpers::{Helper, Passing},
};
use pyo3_ffi::{self as ffi, PyObject};
use std::{
    ffi::{CStr, CString, c_char},
    ptr::null_mut,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

type Object = *mut PyObject;
/// Integer and floating-point arguments travel in registers of their own, so one type fits every helper.
type Any<R> = unsafe extern "C" fn(u64, u64, u64, u64, u64, f64, f64) -> R;

/// Stands for null among operands and results.
unsafe fn null_object() -> Object {
    unsafe { ffi::Py_NotImplemented() }
}

unsafe fn from_object(object: Object) -> Object {
    unsafe { if object == null_object() { null_mut() } else { object } }
}

/// Takes over a reference or null.
unsafe fn to_object(object: Object) -> Object {
    unsafe {
        if object.is_null() {
            ffi::Py_INCREF(null_object());
            return null_object();
        }
        object
    }
}

/// What an address operand points to: tuples are given away, lists and numbers of words come back after the call.
struct Buffer {
    words: Vec<Object>,
    returned: bool,
}

unsafe fn buffer(operand: Object) -> Buffer {
    unsafe {
        if ffi::PyLong_Check(operand) != 0 {
            let size = ffi::PyLong_AsLong(operand) as usize;
            return Buffer { words: vec![null_mut(); size], returned: true };
        }
        let is_tuple = ffi::PyTuple_Check(operand) != 0;
        let size = ffi::PySequence_Size(operand);
        let words = (0..size)
            .map(|i| {
                let item = ffi::PySequence_GetItem(operand, i);
                if item == null_object() {
                    ffi::Py_DECREF(item);
                    null_mut()
                } else {
                    item
                }
            })
            .collect();
        Buffer { words, returned: !is_tuple }
    }
}

/// The innermost frame that is not one of the functions around `call` in `helpers.py`.
unsafe fn tested_frame(thread: ThreadState) -> Frame {
    unsafe {
        let mut frame = thread.current_frame();
        loop {
            let name = CStr::from_ptr(ffi::PyUnicode_AsUTF8(frame.code().name()));
            if !matches!(name.to_bytes(), b"call" | b"fails" | b"raises") {
                return frame;
            }
            frame = Frame::new(frame.previous());
        }
    }
}

/// `call(name, *operands)`: the result, or a tuple of it and the words of returned buffers.
unsafe extern "C" fn call(_module: Object, arguments: Object) -> Object {
    unsafe {
        let name = CStr::from_ptr(ffi::PyUnicode_AsUTF8(ffi::PyTuple_GetItem(arguments, 0))).to_str().unwrap();
        let helper = Helper::by_name(name).unwrap_or_else(|| panic!("no helper {name}"));
        let thread = ThreadState::current();
        let frame = tested_frame(thread);
        let mut words = [0u64; 5];
        let mut floats = [0f64; 2];
        let (mut next_word, mut next_float) = (0, 0);
        let mut buffers: Vec<Buffer> = Vec::with_capacity(5);
        for (i, passing) in helper.params().enumerate() {
            let operand = ffi::PyTuple_GetItem(arguments, i as isize + 1);
            assert!(!operand.is_null(), "{name}: too few operands");
            let word = match passing {
                Passing::Stolen | Passing::StolenOrNull => {
                    let object = from_object(operand);
                    ffi::Py_XINCREF(object);
                    object as u64
                }
                Passing::Borrowed | Passing::BorrowedOrNull => from_object(operand) as u64,
                Passing::Int => ffi::PyLong_AsLongLong(operand) as u64,
                Passing::Float => {
                    floats[next_float] = ffi::PyFloat_AsDouble(operand);
                    next_float += 1;
                    continue;
                }
                Passing::Address if ffi::PyUnicode_Check(operand) != 0 => {
                    match CStr::from_ptr(ffi::PyUnicode_AsUTF8(operand)).to_str().unwrap() {
                        "ts" => thread.as_ptr::<u8>() as u64,
                        "frame" => frame.as_ptr::<u8>() as u64,
                        other => panic!("no address {other}"),
                    }
                }
                Passing::Address => {
                    buffers.push(buffer(operand));
                    buffers.last_mut().unwrap().words.as_mut_ptr() as u64
                }
                Passing::Nothing | Passing::Status => unreachable!(),
            };
            words[next_word] = word;
            next_word += 1;
        }
        let [a, b, c, d, e] = words;
        let [x, y] = floats;
        let address = helpers::address(helper);
        let result = match helper.result() {
            Passing::Float => {
                let function: Any<f64> = std::mem::transmute(address);
                ffi::PyFloat_FromDouble(function(a, b, c, d, e, x, y))
            }
            kind => {
                let function: Any<u64> = std::mem::transmute(address);
                let word = function(a, b, c, d, e, x, y);
                match kind {
                    Passing::Int | Passing::Status => {
                        if !ffi::PyErr_Occurred().is_null() {
                            assert!(
                                kind == Passing::Int || (word as i64) < 0,
                                "{name}: exception without error status"
                            );
                            null_mut()
                        } else {
                            assert!(kind == Passing::Int || word as i64 >= 0, "{name}: error without exception");
                            ffi::PyLong_FromLongLong(word as i64)
                        }
                    }
                    Passing::Nothing => to_object_unless_error(null_mut()),
                    _ => {
                        let object = word as Object;
                        if matches!(kind, Passing::Borrowed | Passing::BorrowedOrNull) {
                            ffi::Py_XINCREF(object);
                        }
                        to_object_unless_error(object)
                    }
                }
            }
        };
        finish(helper, result, buffers)
    }
}

unsafe fn to_object_unless_error(object: Object) -> Object {
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            return to_object(object);
        }
        assert!(object.is_null(), "result and exception");
        null_mut()
    }
}

unsafe fn finish(helper: Helper, result: Object, buffers: Vec<Buffer>) -> Object {
    unsafe {
        let returned: Vec<Buffer> = buffers.into_iter().filter(|buffer| buffer.returned).collect();
        if result.is_null() {
            // Only in-place slots own something after an error.
            if matches!(helper, Helper::ConcatInPlace | Helper::MakeCell) {
                returned.iter().flat_map(|buffer| &buffer.words).for_each(|&word| ffi::Py_XDECREF(word));
            }
            return null_mut();
        }
        if returned.is_empty() {
            return result;
        }
        let list = ffi::PyList_New(0);
        ffi::PyList_Append(list, result);
        ffi::Py_DECREF(result);
        for buffer in returned {
            // `call` consumes its stack; only the first word may hold something afterwards.
            let count = if helper == Helper::Call { 1 } else { buffer.words.len() };
            for word in buffer.words.into_iter().take(count) {
                let object =
                    if helper == Helper::IntToI64 { ffi::PyLong_FromLongLong(word as i64) } else { to_object(word) };
                ffi::PyList_Append(list, object);
                ffi::Py_DECREF(object);
            }
        }
        let tuple = ffi::PyList_AsTuple(list);
        ffi::Py_DECREF(list);
        tuple
    }
}

/// `rebuild(locals, stack, values, names=[])`: rebuilds a frame of the caller's code from an exit; (locals, stack) as tuples.
/// A source is a tuple of a kind and a number; a value is an object, int or float.
unsafe extern "C" fn rebuild(_module: Object, arguments: Object) -> Object {
    unsafe {
        let (mut locals, mut stack, mut values, mut names): (Object, Object, Object, Object) =
            (null_mut(), null_mut(), null_mut(), null_mut());
        if ffi::PyArg_UnpackTuple(
            arguments,
            c"rebuild".as_ptr(),
            3,
            4,
            &mut locals as *mut Object,
            &mut stack as *mut Object,
            &mut values as *mut Object,
            &mut names as *mut Object,
        ) == 0
        {
            return null_mut();
        }
        let source = |description: Object, first: isize| {
            let kind = ffi::PyUnicode_AsUTF8(ffi::PyTuple_GetItem(description, first));
            let number = ffi::PyLong_AsLong(ffi::PyTuple_GetItem(description, first + 1)) as u32;
            match CStr::from_ptr(kind).to_str().unwrap() {
                "owned" => Source::Owned(number),
                "borrowed" => Source::Borrowed(number),
                "int" => Source::Int(number),
                "float" => Source::Float(number),
                "bool" => Source::Bool(number),
                "number" => Source::Number(number),
                "const" => Source::Const(number),
                _ => Source::Null,
            }
        };
        let count = ffi::PyList_Size(values);
        let mut out = Vec::new();
        let sources = |list: Object| (0..ffi::PyList_Size(list)).map(move |i| ffi::PyList_GetItem(list, i));
        let locals: Vec<(u32, Source)> = sources(locals)
            .map(|item| (ffi::PyLong_AsLong(ffi::PyTuple_GetItem(item, 0)) as u32, source(item, 1)))
            .collect();
        let numbered = |item: Object| (ffi::PyLong_AsLong(ffi::PyTuple_GetItem(item, 0)) as u32, source(item, 1));
        let names: Vec<(u32, Source)> =
            if names.is_null() { Vec::new() } else { sources(names).map(numbered).collect() };
        let stack: Vec<Source> = sources(stack).map(|item| source(item, 0)).collect();
        let all: Vec<Source> =
            locals.iter().chain(&names).map(|&(_, source)| source).chain(stack.iter().copied()).collect();
        for i in 0..count {
            let value = ffi::PyList_GetItem(values, i);
            let index = i as u32;
            out.push(
                match all
                    .iter()
                    .find(|source| matches!(source, Source::Int(n) | Source::Float(n) | Source::Bool(n) | Source::Number(n) if *n == index))
                {
                    _ if index > 0 && all.contains(&Source::Number(index - 1)) => ffi::PyLong_AsLongLong(value) as u64,
                    Some(Source::Float(_) | Source::Number(_)) => ffi::PyFloat_AsDouble(value).to_bits(),
                    Some(_) => ffi::PyLong_AsLongLong(value) as u64,
                    None => {
                        if all.contains(&Source::Owned(index)) {
                            ffi::Py_INCREF(value);
                        }
                        value as u64
                    }
                },
            );
        }
        let exit = Exit { offset: 3, origin: 3, reason: Reason::Type, locals, names, stack, value_count: count as u32 };
        // A copy of the caller's frame with its own references, so that the interpreter's own is left alone.
        let caller = ThreadState::current().current_frame();
        let nlocals = caller.code().nlocalsplus() as usize;
        let mut memory = vec![0u64; 9 + nlocals + 64];
        memory.as_mut_ptr().copy_from_nonoverlapping(caller.as_ptr::<u64>(), 9 + nlocals);
        let frame = Frame::new(memory.as_mut_ptr());
        for i in 0..nlocals {
            ffi::Py_XINCREF(frame.slot(i));
        }
        assert_eq!(exits::rebuild(frame, &exit, out.as_ptr()), exit.stack.len() as i32);
        assert_eq!(frame.lasti(), 2);
        let depth = frame.depth() as usize;
        assert_eq!(depth, exit.stack.len());
        let result = ffi::PyTuple_New((nlocals + depth) as isize);
        for i in 0..nlocals + depth {
            ffi::PyTuple_SetItem(result, i as isize, to_object(frame.slot(i)));
        }
        result
    }
}

/// The entry of a helper whose operands are all integers or addresses.
fn entry<R>(helper: Helper) -> Any<R> {
    // SAFETY: see `Any`.
    unsafe { std::mem::transmute(helpers::address(helper)) }
}

unsafe fn words<R>(helper: Helper, operands: &[u64]) -> R {
    let mut all = [0; 5];
    all[..operands.len()].copy_from_slice(operands);
    let [a, b, c, d, e] = all;
    unsafe { entry(helper)(a, b, c, d, e, 0.0, 0.0) }
}

/// Operands that nobody else holds: Python code cannot pass those.
unsafe fn sole_owners() {
    unsafe {
        let float = |value| ffi::PyFloat_FromDouble(value);
        let (left, right) = (float(1.5), float(2.5));
        ffi::Py_INCREF(right);
        let sum: Object = words(Helper::BinaryOp, &[left as u64, right as u64, 0]);
        assert_eq!((sum, ffi::PyFloat_AsDouble(sum)), (left, 4.0));
        assert_eq!((ffi::Py_REFCNT(sum), ffi::Py_REFCNT(right), ffi::PyFloat_AsDouble(right)), (1, 1, 2.5));
        ffi::Py_INCREF(sum);
        let difference: Object = words(Helper::BinaryOp, &[sum as u64, right as u64, 10]);
        assert_eq!((difference, ffi::PyFloat_AsDouble(difference)), (right, 1.5));
        assert_eq!((ffi::Py_REFCNT(sum), ffi::Py_REFCNT(difference), ffi::PyFloat_AsDouble(sum)), (1, 1, 4.0));
        ffi::Py_INCREF(sum);
        let square: Object = words(Helper::BinaryOp, &[sum as u64, sum as u64, 5]);
        assert_eq!(ffi::PyFloat_AsDouble(square), 16.0);
        ffi::Py_DECREF(square);
        ffi::Py_DECREF(difference);

        let piece = ffi::PyUnicode_FromString(c"piece".as_ptr());
        let mut slot = ffi::PyUnicode_FromString(c"begin".as_ptr());
        let count = ffi::Py_REFCNT(piece);
        for _ in 0..1000 {
            ffi::Py_INCREF(piece);
            assert_eq!(words::<i64>(Helper::ConcatInPlace, &[&raw mut slot as u64, piece as u64]), 0);
        }
        assert_eq!((ffi::PyUnicode_GetLength(slot), ffi::Py_REFCNT(slot), ffi::Py_REFCNT(piece)), (5005, 1, count));
        ffi::Py_DECREF(slot);

        let last = ffi::PyList_New(0);
        let inner = ffi::PyList_New(0);
        ffi::PyList_Append(last, inner);
        assert_eq!(ffi::Py_REFCNT(inner), 2);
        ffi::Py_INCREF(last);
        ffi::Py_DECREF(last);
        words::<()>(Helper::Decref, &[last as u64]);
        assert_eq!(ffi::Py_REFCNT(inner), 1);
        if columba_cpython_runtime::layout::build::REF_DEBUG == 0 {
            // What compiled code does in line: the count to 0, then the helper.
            inner.cast::<isize>().write(0);
            words::<()>(Helper::Dealloc, &[inner as u64]);
        } else {
            ffi::Py_DECREF(inner);
        }
    }
}

/// Boxing while every allocation fails: the reserve gives the objects, and the exception that is set stays.
unsafe fn boxes_without_memory() {
    unsafe {
        let module = ffi::PyImport_ImportModule(c"_testcapi".as_ptr());
        if module.is_null() {
            ffi::PyErr_Clear();
            eprintln!("no _testcapi: the reserve is not tested");
            return;
        }
        let set = ffi::PyObject_GetAttrString(module, c"set_nomemory".as_ptr());
        let remove = ffi::PyObject_GetAttrString(module, c"remove_mem_hooks".as_ptr());
        let arguments = ffi::PyTuple_New(1);
        ffi::PyTuple_SetItem(arguments, 0, ffi::PyLong_FromLong(0));
        let no_arguments = ffi::PyTuple_New(0);
        assert!(helpers::prepare());
        for exception in [false, true] {
            if exception {
                ffi::PyErr_SetString(ffi::PyExc_KeyError, c"kept".as_ptr());
            }
            let (mut ty, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
            ffi::PyErr_Fetch(&mut ty, &mut value, &mut traceback);
            ffi::Py_XDECREF(ffi::PyObject_Call(set, arguments, null_mut()));
            ffi::PyErr_Restore(ty, value, traceback);
            let numbers = [i64::MIN, i64::MAX, 1 << 40, -(1 << 30), 300];
            let ints = numbers.map(|number| helpers::box_int(number));
            // More than CPython's free list may hold in this thread's state so early, and fewer than would exhaust both.
            let floats: Vec<Object> = (0..8).map(|i| helpers::box_float(f64::from(i) + 0.5)).collect();
            let kept = !ffi::PyErr_Occurred().is_null();
            ffi::PyErr_Fetch(&mut ty, &mut value, &mut traceback);
            ffi::Py_XDECREF(ffi::PyObject_Call(remove, no_arguments, null_mut()));
            assert_eq!(kept, exception, "boxing changed the exception");
            for (number, int) in numbers.into_iter().zip(ints) {
                assert_eq!(ffi::PyLong_AsLongLong(int), number);
                assert_eq!(ffi::Py_REFCNT(int), 1);
                ffi::Py_DECREF(int);
            }
            for (i, float) in floats.into_iter().enumerate() {
                assert_eq!(ffi::PyFloat_AsDouble(float), i as f64 + 0.5);
                ffi::Py_DECREF(float);
            }
            ffi::Py_XDECREF(ty);
            ffi::Py_XDECREF(value);
            ffi::Py_XDECREF(traceback);
            assert!(ffi::PyErr_Occurred().is_null());
            assert!(helpers::prepare());
        }
    }
}

/// The order of attributes is written backwards before the values: capacity, count, first index, second index.
unsafe fn first_stores() {
    unsafe {
        let mut before = [0xffu8, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 8];
        let values = before.as_mut_ptr_range().end as u64;
        for index in [3, 0] {
            words::<()>(Helper::NoteFirstStore, &[values, index]);
        }
        assert_eq!(before, [0xff, 0xff, 0xff, 0xff, 0, 3, 2, 8]);
    }
}

/// The polls of a compiled loop: no Python runs in this thread but what `handle_pending` lets run.
unsafe fn polls() {
    unsafe {
        let thread = ThreadState::current();
        let breaker = thread.interpreter().eval_breaker();
        let poll = || words::<i64>(Helper::HandlePending, &[thread.as_ptr::<u8>() as u64, 0]);
        breaker.store(1, Relaxed);
        assert_eq!((poll(), breaker.load(Relaxed)), (0, 0), "a wake-up without a reason stays set");

        let begin = c"import threading
count, stop = 0, False
def work():
    global count
    while not stop: count += 1
worker = threading.Thread(target=work); worker.start()";
        assert_eq!(ffi::PyRun_SimpleString(begin.as_ptr()), 0);
        let main = ffi::PyImport_AddModule(c"__main__".as_ptr());
        let count = || {
            let value = ffi::PyObject_GetAttrString(main, c"count".as_ptr());
            let number = ffi::PyLong_AsLong(value);
            ffi::Py_DECREF(value);
            number
        };
        let before = count();
        let end = Instant::now() + Duration::from_millis(60);
        let mut served = 0;
        while Instant::now() < end {
            if breaker.load(Relaxed) != 0 {
                assert_eq!(poll(), 0);
                served += 1;
            }
        }
        assert!(served > 0 && count() > before, "the other thread starved: {served} polls");
        assert_eq!(ffi::PyRun_SimpleString(c"stop = True; worker.join()".as_ptr()), 0);

        let id = ffi::PyThread_get_thread_ident() as _;
        assert_eq!(ffi::PyThreadState_SetAsyncExc(id, ffi::PyExc_KeyError), 1);
        assert_eq!((poll(), breaker.load(Relaxed)), (1, 1), "an asynchronous exception is the interpreter's");
        assert_eq!(ffi::PyThreadState_SetAsyncExc(id, null_mut()), 1);
        assert_eq!(poll(), 0);
    }
}

/// The state of a generator and `copy_free_vars`, on a generator made for it: the slots of one that has not started are empty.
unsafe fn generator_parts() {
    unsafe {
        let make = c"def _outer(seen):
    def inner():
        yield seen
    return inner
_generator = _outer([1])()";
        assert_eq!(ffi::PyRun_SimpleString(make.as_ptr()), 0);
        let main = ffi::PyImport_AddModule(c"__main__".as_ptr());
        let object = ffi::PyObject_GetAttrString(main, c"_generator".as_ptr());
        let generator = Generator::new(object);
        let frame = generator.frame();
        // Where compiled code stores when it yields.
        let layout = columba_cpython_runtime::layout::for_compiler();
        let state = frame.as_ptr::<i8>().offset(layout.frame_generator_state as isize).read();
        assert_eq!((state, generator.frame_state()), (-2, -2));
        assert_eq!(layout.generator_suspended, -1);
        let slot = (frame.code().nlocals() + frame.code().nplaincellvars()) as usize;
        let old = frame.slot(slot);
        words::<()>(Helper::CopyFreeVars, &[frame.as_ptr::<u8>() as u64, 1]);
        let cell = frame.slot(slot);
        assert!(!cell.is_null() && (old.is_null() || old == cell));
        assert_eq!(ffi::Py_TYPE(cell), &raw mut ffi::PyCell_Type);
        ffi::Py_DECREF(cell);
        frame.set_slot(slot, old);
        ffi::Py_DECREF(object);
        assert_eq!(ffi::PyRun_SimpleString(c"assert list(_generator) == [[1]]".as_ptr()), 0);
    }
}

/// What a yield gives to a sink: anything to a tuple as long as there is room, plain values to a set of plain values.
unsafe fn sinks() {
    unsafe {
        let give =
            |sink: &mut Sink, value| words::<i64>(Helper::CollectValue, &[sink as *mut Sink as u64, value as u64]);
        let (number, list) = (ffi::PyLong_FromLong(1000), ffi::PyList_New(0));
        let set = ffi::PySet_New(null_mut());
        let mut plain = Sink::Set { set, plain: true };
        ffi::Py_INCREF(number);
        assert_eq!((give(&mut plain, number), give(&mut plain, list)), (1, 0));
        assert_eq!((ffi::PySet_Size(set), ffi::Py_REFCNT(number), ffi::Py_REFCNT(list)), (1, 2, 1));
        let mut mixed = Sink::Set { set, plain: false };
        assert_eq!((give(&mut mixed, number), ffi::PySet_Size(set)), (0, 1));
        ffi::Py_DECREF(set);
        let mut sink = Sink::Items(Items::default());
        let taken = (0..40).take_while(|_| {
            ffi::Py_INCREF(list);
            give(&mut sink, list) == 1
        });
        let taken = taken.count();
        assert_eq!((taken, ffi::Py_REFCNT(list)), (32, 34), "the last one is not taken");
        // Where memory has to be asked for, whoever fills the tuple does it.
        assert!(sink.take(list));
        ffi::Py_INCREF(list);
        assert_eq!(give(&mut sink, list), 1);
        let Sink::Items(items) = &mut sink else { unreachable!() };
        let tuple = items.finish(true);
        assert_eq!((ffi::PyTuple_Size(tuple), ffi::PyTuple_GetItem(tuple, 33)), (34, list));
        ffi::Py_DECREF(tuple);
        assert_eq!(ffi::Py_REFCNT(list), 1);
        ffi::Py_DECREF(list);
        ffi::Py_DECREF(number);
    }
}

#[test]
fn helpers_behave_as_the_opcodes_they_stand_for() {
    unsafe {
        ffi::Py_InitializeEx(0);
        assert!(helpers::prepare());
        let mut methods = [
            ffi::PyMethodDef {
                ml_name: c"call".as_ptr(),
                ml_meth: ffi::PyMethodDefPointer { PyCFunction: call },
                ml_flags: ffi::METH_VARARGS,
                ml_doc: null_mut::<c_char>(),
            },
            ffi::PyMethodDef {
                ml_name: c"rebuild".as_ptr(),
                ml_meth: ffi::PyMethodDefPointer { PyCFunction: rebuild },
                ml_flags: ffi::METH_VARARGS,
                ml_doc: null_mut::<c_char>(),
            },
        ];
        let main = ffi::PyImport_AddModule(c"__main__".as_ptr());
        for method in &mut methods {
            let function = ffi::PyCFunction_NewEx(method, null_mut(), null_mut());
            ffi::PyObject_SetAttrString(main, method.ml_name, function);
            ffi::Py_DECREF(function);
        }
        let names: Vec<String> = Helper::ALL.iter().map(|helper| format!("'{}'", helper.name())).collect();
        let prelude = CString::new(format!("HELPERS = [{}]", names.join(", "))).unwrap();
        assert_eq!(ffi::PyRun_SimpleString(prelude.as_ptr()), 0);
        sole_owners();
        boxes_without_memory();
        first_stores();
        polls();
        generator_parts();
        sinks();
        let tests = CString::new(include_str!("helpers.py")).unwrap();
        let status = ffi::PyRun_SimpleString(tests.as_ptr());
        assert_eq!(status, 0, "see the Python traceback above");
    }
}
