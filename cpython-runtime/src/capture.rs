//! From live objects to the plain data the compiler works on: code objects, the types of values, examples of what they hold.
//!
//! *Method*: everything is copied; what stays behind is named by index. *Invariants*: no Python code runs here (only exact
//! built-in types are looked into, and dictionaries are searched by interned names), and no exception is left set.

use crate::code::Code;
use crate::helpers::subscripts;
use crate::layout::{array, dict, dict_keys, enumerate, list_iterator, managed_dict, type_object, zip};
use crate::object::{self, read};
use crate::thread::small_ints;
use crate::types_seen;
use columba_jit_core::build::Live;
use columba_jit_core::build::examples::Example;
use columba_jit_core::build::parameters::{Defaults, KeywordDefaults};
use columba_jit_core::bytecode::code::{CodeObject, Constant, PythonVersion};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::op::Symbol;
use columba_jit_core::ir::types::PyTypes;
use columba_jit_core::unit::Resolver;
use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;
use std::ffi::CStr;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

unsafe extern "C" {
    /// `co.co_code`: base opcodes with zeroed caches, a new bytes object.
    fn PyCode_GetCode(code: *mut PyObject) -> *mut PyObject;
    static mut PyMethod_Type: ffi::PyTypeObject;
}

/// A code object that cannot be copied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the code object's {0} cannot be read")]
pub struct CaptureError(&'static str);

/// Copies a live code object.
///
/// # Safety
/// The GIL is held and no exception is set.
pub unsafe fn capture(code: Code) -> Result<CodeObject, CaptureError> {
    // SAFETY: `code` is a live code object, whose fields have the types that CPython documents; each is a borrowed
    // reference that the code object keeps alive, and `PyCode_GetCode` gives a new one that is dropped here.
    unsafe {
        let bytes = PyCode_GetCode(code.as_ptr());
        if bytes.is_null() {
            ffi::PyErr_Clear();
            return Err(CaptureError("bytecode"));
        }
        let base = bytes_of(bytes);
        object::decref(bytes);
        let adaptive = code.adaptive_units().iter().flat_map(|unit| unit.to_le_bytes()).collect();
        Ok(CodeObject {
            version: PythonVersion::V3_11,
            name: text(code.name()),
            qualname: text(code.qualname()),
            filename: text(code.filename()),
            first_line: code.firstlineno().max(0) as u32,
            flags: code.flags() as u32,
            argcount: code.argcount() as u32,
            posonly_argcount: code.posonlyargcount() as u32,
            kwonly_argcount: code.kwonlyargcount() as u32,
            stack_size: code.stacksize() as u32,
            code: base,
            adaptive: Some(adaptive),
            constants: items(code.co_consts()).map(|item| constant(item, 0)).collect(),
            names: items(code.co_names()).map(|item| text(item)).collect(),
            locals_plus_names: items(code.localsplusnames()).map(|item| text(item)).collect(),
            locals_plus_kinds: bytes_of(code.localspluskinds()),
            exception_table: bytes_of(code.co_exceptiontable()),
            line_table: bytes_of(code.linetable()),
            nested: Vec::new(),
        })
    }
}

/// # Safety
/// `tuple` is a live tuple.
pub(crate) unsafe fn items(tuple: *mut PyObject) -> impl Iterator<Item = *mut PyObject> {
    // SAFETY: indices are below the size.
    unsafe { (0..ffi::PyTuple_Size(tuple)).map(move |i| ffi::PyTuple_GetItem(tuple, i)) }
}

/// # Safety
/// `bytes` is a live bytes object.
unsafe fn bytes_of(bytes: *mut PyObject) -> Vec<u8> {
    // SAFETY: the buffer lives as long as the object.
    unsafe {
        let data = ffi::PyBytes_AsString(bytes).cast::<u8>();
        std::slice::from_raw_parts(data, ffi::PyBytes_Size(bytes) as usize).to_vec()
    }
}

/// The text of a str; one with lone surrogates is shown by a replacement.
///
/// # Safety
/// `string` is a live object; the GIL is held.
unsafe fn text(string: *mut PyObject) -> String {
    // SAFETY: checked to be a str; the buffer lives as long as it.
    unsafe {
        if ffi::PyUnicode_Check(string) == 0 {
            return "?".to_owned();
        }
        // Not `PyUnicode_AsUTF8`: that keeps its result in the string, which `sys.getsizeof` would show.
        let encoded = ffi::PyUnicode_AsUTF8String(string);
        if encoded.is_null() {
            ffi::PyErr_Clear();
            return "\u{fffd}".to_owned();
        }
        let text = String::from_utf8_lossy(&bytes_of(encoded)).into_owned();
        object::decref(encoded);
        text
    }
}

/// A function's defaults, if all are constants that nothing can be reached from.
///
/// # Safety
/// `tuple` is a live tuple or null; the GIL is held.
pub(crate) unsafe fn defaults(tuple: *mut PyObject) -> Option<Defaults> {
    // SAFETY: says the caller.
    unsafe {
        if tuple.is_null() {
            return None;
        }
        let items = items(tuple).map(|item| Some((simple(item)?, item as u64))).collect::<Option<Vec<_>>>()?;
        Some(Defaults { address: tuple as u64, items })
    }
}

/// A function's defaults of keyword-only parameters, if all are constants that compiled code can name.
///
/// # Safety
/// `dictionary` is null or a live dictionary; the GIL is held.
pub(crate) unsafe fn keyword_defaults(dictionary: *mut PyObject) -> Option<KeywordDefaults> {
    // SAFETY: says the caller; an exact dictionary is gone through without running anything.
    unsafe {
        if dictionary.is_null() || types_of(dictionary) != PyTypes::DICT {
            return None;
        }
        let (mut at, mut key, mut value) = (0, null_mut(), null_mut());
        let mut items = Vec::new();
        while ffi::PyDict_Next(dictionary, &raw mut at, &raw mut key, &raw mut value) != 0 {
            if types_of(key) != PyTypes::STR {
                return None;
            }
            items.push((text(key), simple(value)?, value as u64));
        }
        Some(KeywordDefaults { version: read(dictionary, dict::MA_VERSION_TAG), items })
    }
}

/// A default as a constant that nothing can be reached from.
///
/// # Safety
/// `item` is a live object; the GIL is held.
unsafe fn simple(item: *mut PyObject) -> Option<Constant> {
    // SAFETY: says the caller.
    match unsafe { constant(item, 0) } {
        Constant::Tuple(items) if !items.is_empty() => None,
        Constant::FrozenSet | Constant::Code(_) | Constant::Other => None,
        constant => Some(constant),
    }
}

/// An object as a constant.
///
/// # Safety
/// `item` is a live object; the GIL is held.
pub(crate) unsafe fn constant(item: *mut PyObject, depth: u32) -> Constant {
    // SAFETY: exact types are checked before their contents are read.
    unsafe {
        if item == ffi::Py_None() {
            return Constant::None;
        }
        if item == ffi::Py_Ellipsis() {
            return Constant::Ellipsis;
        }
        match types_of(item) {
            PyTypes::BOOL => Constant::Bool(item == ffi::Py_True()),
            PyTypes::INT => small_value(item).map_or(Constant::BigInt, Constant::Int),
            PyTypes::FLOAT => Constant::Float(object::float_value(item)),
            PyTypes::COMPLEX => Constant::Complex,
            PyTypes::STR => Constant::Str(text(item)),
            PyTypes::BYTES => Constant::Bytes(bytes_of(item)),
            PyTypes::TUPLE if depth < 8 => Constant::Tuple(items(item).map(|i| constant(i, depth + 1)).collect()),
            PyTypes::FROZENSET => Constant::FrozenSet,
            _ if ffi::PyCode_Check(item) != 0 => Constant::Code(usize::MAX),
            _ => Constant::Other,
        }
    }
}

/// The value of an exact int, if it fits.
///
/// # Safety
/// `int` is a live exact int.
unsafe fn small_value(int: *mut PyObject) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: an exact int cannot raise here.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(int, &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// The type objects behind the bits of [`PyTypes`].
fn type_addresses() -> [(PyTypes, *mut ffi::PyTypeObject); 27] {
    macro_rules! address {
        ($type:ident) => {
            (&raw const ffi::$type).cast_mut()
        };
    }
    // SAFETY: `Py_None` is a singleton that never dies.
    let none = unsafe { object::type_of(ffi::Py_None()) };
    [
        (PyTypes::NONE, none),
        (PyTypes::BOOL, address!(PyBool_Type)),
        (PyTypes::INT, address!(PyLong_Type)),
        (PyTypes::FLOAT, address!(PyFloat_Type)),
        (PyTypes::STR, address!(PyUnicode_Type)),
        (PyTypes::BYTES, address!(PyBytes_Type)),
        (PyTypes::LIST, address!(PyList_Type)),
        (PyTypes::TUPLE, address!(PyTuple_Type)),
        (PyTypes::DICT, address!(PyDict_Type)),
        (PyTypes::SET, address!(PySet_Type)),
        (PyTypes::FROZENSET, address!(PyFrozenSet_Type)),
        (PyTypes::RANGE, address!(PyRange_Type)),
        (PyTypes::RANGE_ITER, address!(PyRangeIter_Type)),
        (PyTypes::LIST_ITER, address!(PyListIter_Type)),
        (PyTypes::TUPLE_ITER, address!(PyTupleIter_Type)),
        (PyTypes::ENUMERATE, address!(PyEnum_Type)),
        (PyTypes::ZIP, address!(PyZip_Type)),
        (PyTypes::REVERSED, address!(PyReversed_Type)),
        (PyTypes::FUNCTION, address!(PyFunction_Type)),
        (PyTypes::CELL, address!(PyCell_Type)),
        (PyTypes::COMPLEX, address!(PyComplex_Type)),
        (PyTypes::SLICE, address!(PySlice_Type)),
        (PyTypes::BYTEARRAY, address!(PyByteArray_Type)),
        (PyTypes::METHOD, (&raw const PyMethod_Type).cast_mut()),
        (PyTypes::BUILTIN, address!(PyCFunction_Type)),
        (PyTypes::TYPE, address!(PyType_Type)),
        (PyTypes::MODULE, address!(PyModule_Type)),
    ]
}

/// The type object of a built-in type (one bit), if it is a static one.
pub(crate) fn type_address(py: PyTypes) -> Option<*mut ffi::PyTypeObject> {
    type_addresses().iter().find(|(bit, _)| *bit == py).map(|(_, address)| *address)
}

/// The built-in type whose type object that is.
pub(crate) fn type_behind(ty: *mut ffi::PyTypeObject) -> Option<PyTypes> {
    type_addresses().iter().find(|(_, address)| *address == ty).map(|(bit, _)| *bit)
}

/// The exact type of an object, or `OTHER`; `NULL` for null.
///
/// # Safety
/// `item` is null or a live object.
pub unsafe fn types_of(item: *mut PyObject) -> PyTypes {
    if item.is_null() {
        return PyTypes::NULL;
    }
    // SAFETY: not null, so alive.
    let ty = unsafe { object::type_of(item) };
    match type_addresses().iter().find(|(_, address)| *address == ty) {
        Some((bit, _)) => *bit,
        // SAFETY: the type of a live object.
        None if unsafe { is_array_type(ty) } => PyTypes::ARRAY,
        None => PyTypes::OTHER,
    }
}

/// `array.array`, once it was seen; a reference to it is held from then on.
static ARRAY_TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(null_mut());

/// Whether this is the type `array.array` of the extension module, whose objects have the layout of arraymodule.c.
///
/// # Safety
/// `ty` is alive; the GIL is held.
unsafe fn is_array_type(ty: *mut ffi::PyTypeObject) -> bool {
    let known = ARRAY_TYPE.load(Relaxed);
    if !known.is_null() {
        return ty == known;
    }
    // SAFETY: type fields; exact dictionaries searched by name run no Python code, and their results are borrowed.
    unsafe {
        let fits = (*ty).tp_basicsize == array::SIZE as isize
            && (*ty).tp_itemsize == 0
            && CStr::from_ptr((*ty).tp_name) == c"array.array";
        if !fits {
            return false;
        }
        let module = ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), c"array".as_ptr());
        if module.is_null() || ffi::PyModule_Check(module) == 0 {
            return false;
        }
        if ffi::PyDict_GetItemString(ffi::PyModule_GetDict(module), c"array".as_ptr()) != ty.cast() {
            return false;
        }
        object::incref(ty.cast());
        ARRAY_TYPE.store(ty, Relaxed);
        true
    }
}

/// What a live object is, for guessing.
///
/// # Safety
/// `item` is null or a live object; the GIL is held.
pub unsafe fn live(item: *mut PyObject) -> Live {
    // SAFETY: says the caller.
    unsafe {
        let example = example(item, 0, &mut EXAMPLE_NODES.to_owned());
        let shared = !item.is_null() && ffi::Py_REFCNT(item) > 1;
        Live { py: example.py, big: example.big, shared, example: Rc::new(example) }
    }
}

/// How deep and how much examples look into one object.
const EXAMPLE_DEPTH: u32 = 5;
const EXAMPLE_NODES: usize = 100;
const GLOBAL_NODES: usize = 30;
const EXAMPLE_TUPLE: isize = 8;
pub(crate) const EXAMPLE_ATTRIBUTES: usize = 24;

/// What a global variable is bound to: not looked into as deeply, since there are many.
///
/// # Safety
/// `item` is a live object; the GIL is held.
pub unsafe fn global_example(item: *mut PyObject) -> Example {
    // SAFETY: says the caller.
    unsafe { example(item, EXAMPLE_DEPTH - 2, &mut GLOBAL_NODES.to_owned()) }
}

/// # Safety
/// `item` is null or a live object; the GIL is held.
unsafe fn example(item: *mut PyObject, depth: u32, budget: &mut usize) -> Example {
    // SAFETY: exact types are checked before their contents are read; nothing here releases an object.
    unsafe {
        let py = types_of(item);
        let mut example = Example { py, ..Example::default() };
        *budget = budget.saturating_sub(1);
        match py {
            PyTypes::INT => example.big = small_value(item).is_none(),
            PyTypes::ARRAY => {
                let description: *const u8 = read(item, array::OB_DESCR);
                example.typecode = description.read();
            }
            PyTypes::TYPE => {
                // A lookup gives the class a version if it has none.
                let class = item.cast::<ffi::PyTypeObject>();
                subscripts::python_functions(class);
                example.own_version = object::type_version(class);
                if (*class).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 {
                    types_seen::note(class, example.own_version);
                }
            }
            _ if depth == EXAMPLE_DEPTH || *budget == 0 => {}
            PyTypes::TUPLE if object::size(item) <= EXAMPLE_TUPLE => {
                let items = object::tuple_items(item);
                for i in 0..object::size(item) {
                    example.elements.push(Rc::new(self::example(items.offset(i).read(), depth + 1, budget)));
                }
            }
            PyTypes::LIST | PyTypes::TUPLE | PyTypes::LIST_ITER | PyTypes::TUPLE_ITER => {
                let sequence: *mut PyObject = match py {
                    PyTypes::LIST_ITER | PyTypes::TUPLE_ITER => read(item, list_iterator::IT_SEQ),
                    _ => item,
                };
                if sequence.is_null() {
                    return example;
                }
                let items = match types_of(sequence) {
                    PyTypes::LIST => object::list_items(sequence),
                    PyTypes::TUPLE => object::tuple_items(sequence),
                    _ => return example,
                };
                // A few of them stand for all.
                let size = object::size(sequence);
                let mut all: Option<Example> = None;
                for i in [0, size / 2, size - 1] {
                    if (0..size).contains(&i) {
                        let one = self::example(items.offset(i).read(), depth + 1, budget);
                        all = Some(all.map_or_else(|| one.clone(), |all| all.join(&one)));
                    }
                }
                if py != PyTypes::TUPLE {
                    example.elements.extend(all.map(Rc::new));
                }
            }
            PyTypes::ENUMERATE => {
                let inner = self::example(read(item, enumerate::EN_SIT), depth + 1, budget);
                let index = Rc::new(Example { py: PyTypes::INT, ..Example::default() });
                let element = inner.elements.first().cloned().unwrap_or_default();
                let pair = Example { py: PyTypes::TUPLE, elements: vec![index, element], ..Example::default() };
                example.elements.push(Rc::new(pair));
            }
            PyTypes::ZIP => {
                let inner = self::example(read(item, zip::ITTUPLE), depth + 1, budget);
                let elements = inner.elements.iter().map(|one| one.elements.first().cloned().unwrap_or_default());
                let tuple = Example { py: PyTypes::TUPLE, elements: elements.collect(), ..Example::default() };
                example.elements.push(Rc::new(tuple));
            }
            PyTypes::OTHER => {
                for &attribute in attributes(item) {
                    example.attributes.push(Rc::new(self::example(attribute, depth + 1, budget)));
                }
                let ty = object::type_of(item);
                if (*ty).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 {
                    // A lookup gives the type a version if it has none.
                    let functions = subscripts::python_functions(ty);
                    [example.getitem, example.setitem] = functions.map(|f| f.map_or(0, |f| f as u64));
                    example.type_version = object::type_version(ty);
                    types_seen::note(ty, example.type_version);
                }
            }
            _ => {}
        }
        example
    }
}

/// Remembers the class of an object, if it is a heap type with a version, which is given back.
///
/// # Safety
/// `item` is null or a live object; the GIL is held, and no exception is set.
pub unsafe fn note_class(item: *mut PyObject) -> Option<u32> {
    // SAFETY: says the caller.
    unsafe {
        if item.is_null() || (*object::type_of(item)).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return None;
        }
        let ty = object::type_of(item);
        let version = object::type_version(ty);
        types_seen::note(ty, version);
        (version != 0).then_some(version)
    }
}

/// The attributes of an instance that has them in line, in the order of the keys its type shares; those that are not set
/// are null. Empty for any other object.
///
/// # Safety
/// `item` is a live object; the GIL is held; the result is used before anything else happens to the instance.
unsafe fn attributes<'a>(item: *mut PyObject) -> &'a [*mut PyObject] {
    // SAFETY: instances of a heap type with a managed dictionary have the two words before them, and room for as many
    // values as the shared keys have entries.
    unsafe {
        let ty = object::type_of(item);
        let flags = (*ty).tp_flags;
        if flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 || flags & ffi::Py_TPFLAGS_MANAGED_DICT == 0 {
            return &[];
        }
        let values: *const *mut PyObject =
            item.byte_offset(managed_dict::VALUES_OFFSET as isize).cast::<*const *mut PyObject>().read();
        let keys: *const u8 = read(ty.cast(), type_object::HT_CACHED_KEYS);
        if values.is_null() || keys.is_null() {
            return &[];
        }
        let count = keys.add(dict_keys::DK_NENTRIES).cast::<isize>().read();
        std::slice::from_raw_parts(values, (count as usize).min(EXAMPLE_ATTRIBUTES))
    }
}

/// Addresses for code that runs in this interpreter as some code object: a snapshot, so that it can be asked without the
/// GIL. What it names lives as long as the code object.
pub struct Addresses {
    constants: Vec<u64>,
    names: Vec<u64>,
    first_unit: u64,
    eval_breaker: u64,
    small_ints: u64,
    /// Behind `Symbol::Address`.
    others: Vec<u64>,
    helper: fn(Helper) -> usize,
}

impl Addresses {
    /// # Safety
    /// The GIL is held and the code object is alive.
    pub unsafe fn new(code: Code, eval_breaker: u64, others: Vec<u64>, helper: fn(Helper) -> usize) -> Self {
        // SAFETY: both are tuples that the code object owns.
        let items = |tuple: *mut PyObject| unsafe {
            let items = object::tuple_items(tuple);
            (0..object::size(tuple)).map(|i| items.offset(i).read() as u64).collect()
        };
        Addresses {
            constants: items(code.co_consts()),
            names: items(code.co_names()),
            first_unit: code.first_unit() as u64,
            eval_breaker,
            small_ints: small_ints() as u64,
            others,
            helper,
        }
    }
}

impl Resolver for Addresses {
    fn symbol(&self, symbol: Symbol) -> u64 {
        // SAFETY: the singletons never move.
        unsafe {
            match symbol {
                Symbol::Const(i) => self.constants[i as usize],
                Symbol::Name(i) => self.names[i as usize],
                Symbol::Type(PyTypes::ARRAY) => ARRAY_TYPE.load(Relaxed) as u64,
                Symbol::Type(py) => {
                    type_addresses().iter().find(|(bit, _)| *bit == py).map_or(0, |(_, address)| *address as u64)
                }
                Symbol::None => ffi::Py_None() as u64,
                Symbol::True => ffi::Py_True() as u64,
                Symbol::False => ffi::Py_False() as u64,
                Symbol::CodeUnit(offset) => self.first_unit + 2 * u64::from(offset),
                Symbol::EvalBreaker => self.eval_breaker,
                Symbol::SmallInts => self.small_ints,
                Symbol::Address(i) => self.others[i as usize],
            }
        }
    }

    fn helper(&self, helper: Helper) -> u64 {
        (self.helper)(helper) as u64
    }
}
