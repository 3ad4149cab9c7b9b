//! What the compiler asks about the live interpreter: globals, where classes keep attributes and methods, bodies to inline.
//!
//! *Method*: namespaces and types are searched at compile time, by interned names; a class is found by its version
//! ([`types_seen`]). Callees are copied as any code object ([`crate::capture`]) and numbered. *Invariants*: no Python code runs
//! here (only exact dictionaries and the method caches of types are searched), and no exception is left set; answers are
//! snapshots, which compiled code guards; the code object of a callee is held from when its number is given away.

use crate::capture::{self, EXAMPLE_ATTRIBUTES, capture, items, live, type_address, types_of};
use crate::code::Code;
use crate::helpers::{capi, namespace, special_methods, subscripts};
use crate::keys::{Keys, SharedKeys};
use crate::layout::{function, member_descriptor, method_wrapper, module};
use crate::object::{self, read};
use crate::types_seen;
use columba_jit_core::build::attributes::{ClassAttribute, ModuleAttribute};
use columba_jit_core::build::examples::Example;
use columba_jit_core::build::inlining::{Callee, is_candidate, names_globals};
use columba_jit_core::build::instances::ClassInit;
use columba_jit_core::build::intrinsics::Builtin;
use columba_jit_core::build::receivers::{Access, ClassValue, MethodPlace};
use columba_jit_core::build::state::Known;
use columba_jit_core::build::type_checks::Class;
use columba_jit_core::build::{Environment, GlobalPlace, Live};
use columba_jit_core::bytecode::decode::decode;
use columba_jit_core::bytecode::instruction::{Arithmetic, Feedback};
use columba_jit_core::ir::types::PyTypes;
use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;

/// Code units of a body that may be inlined, inline caches included.
const MOST_UNITS_INLINED: isize = 160;

/// The globals and builtins of a function, to be asked at compile time.
///
/// References to the code objects of callees are held; whoever keeps what was compiled takes them over.
pub struct LiveEnvironment {
    code: Code,
    callees: RefCell<Vec<Rc<Callee>>>,
    /// What globals are bound to, by their dictionary and name.
    examples: RefCell<HashMap<[*mut PyObject; 2], Option<Rc<Example>>>>,
    /// Where globals are.
    places: RefCell<HashMap<[*mut PyObject; 2], Option<GlobalPlace>>>,
    /// The globals and builtins of callees that have other ones than the caller, borrowed as modules are.
    foreign: RefCell<HashMap<u32, [*mut PyObject; 2]>>,
    /// Whose names are meant.
    names_of: Cell<Option<u32>>,
    /// Builtins whose identity compiled code compares: each a reference that is held.
    builtins_known: RefCell<Vec<u64>>,
    /// Modules that globals are bound to, borrowed: they are not looked into once Python may have run.
    modules: RefCell<Vec<*mut PyObject>>,
    /// Callees by code object, both kinds of defaults, and globals where they are not the caller's; `None` for one that is no
    /// candidate.
    known: RefCell<HashMap<[*mut PyObject; 4], Option<u32>>>,
    globals: *mut PyObject,
    builtins: *mut PyObject,
    /// The namespace of a module or class body, else null.
    locals: *mut PyObject,
    code_objects: &'static CodeObjects,
}

/// What is asked about code objects of whoever keeps what was compiled for them.
pub struct CodeObjects {
    /// Whether the first code object keeps the second alive: by its constants, or by code compiled for it. Whoever is compiled
    /// must not keep it in turn, since nobody would find the cycle.
    pub keeps: fn(Code, Code) -> bool,
    /// What a code object's arguments looked like when it was compiled.
    pub arguments: fn(Code) -> Vec<Option<Rc<Example>>>,
}

impl LiveEnvironment {
    /// # Safety
    /// All are alive as long as this is used, `locals` may be null, and the GIL is held.
    pub unsafe fn new(
        code: Code,
        globals: *mut PyObject,
        builtins: *mut PyObject,
        locals: *mut PyObject,
        code_objects: &'static CodeObjects,
    ) -> Self {
        LiveEnvironment {
            code,
            callees: RefCell::default(),
            examples: RefCell::default(),
            places: RefCell::default(),
            foreign: RefCell::default(),
            names_of: Cell::new(None),
            builtins_known: RefCell::default(),
            modules: RefCell::default(),
            known: RefCell::default(),
            globals,
            builtins,
            locals,
            code_objects,
        }
    }

    /// The code objects of callees and the builtins whose identity is compared, each a reference that is the caller's from now
    /// on.
    pub fn take_kept(&self) -> Vec<u64> {
        let mut kept: Vec<u64> = self.callees.borrow().iter().flat_map(|callee| held(callee)).collect();
        kept.extend(self.builtins_known.borrow().iter());
        for address in &kept {
            // SAFETY: held by this environment, and the GIL is held.
            unsafe { object::incref(*address as *mut PyObject) };
        }
        kept
    }

    /// The body of a Python function, if it is a candidate for inlining.
    ///
    /// # Safety
    /// `function` is null or alive; the GIL is held.
    unsafe fn callee_of(&self, function: *mut PyObject) -> Option<u32> {
        // SAFETY: a function's code object is alive with it, and is held when its address is given away.
        unsafe {
            if types_of(function) != PyTypes::FUNCTION {
                return None;
            }
            let code = Code::new(read::<*mut PyObject>(function, function::FUNC_CODE));
            let defaults = [function::FUNC_DEFAULTS, function::FUNC_KWDEFAULTS].map(|field| read(function, field));
            let namespaces = [function::FUNC_GLOBALS, function::FUNC_BUILTINS].map(|field| read(function, field));
            let foreign = Some(namespaces).filter(|namespaces| *namespaces != [self.globals, self.builtins]);
            let key = [code.as_ptr(), defaults[0], defaults[1], foreign.map_or(null_mut(), |[globals, _]| globals)];
            let known = self.known.borrow().get(&key).copied();
            known.unwrap_or_else(|| {
                let number = self.candidate(code, defaults, foreign);
                self.known.borrow_mut().insert(key, number);
                number
            })
        }
    }

    /// # Safety
    /// The code object is alive, defaults are alive or null, as are the namespaces; the GIL is held.
    unsafe fn candidate(
        &self,
        code: Code,
        [defaults, keyword_defaults]: [*mut PyObject; 2],
        foreign: Option<[*mut PyObject; 2]>,
    ) -> Option<u32> {
        // SAFETY: says the caller.
        unsafe {
            let small = code.code_units() <= MOST_UNITS_INLINED && code.ncellvars() == 0 && code.nfreevars() == 0;
            if !small || (self.code_objects.keeps)(code, self.code) {
                return None;
            }
            let captured = capture(code).ok()?;
            let bytecode = decode(&captured).ok()?;
            if !is_candidate(&captured, &bytecode) {
                return None;
            }
            let addresses = |tuple| items(tuple).map(|item| item as u64).collect();
            let (constants, names) = (addresses(code.co_consts()), addresses(code.co_names()));
            let defaults = capture::defaults(defaults);
            let keyword_defaults = capture::keyword_defaults(keyword_defaults);
            let foreign = foreign.filter(|_| names_globals(&bytecode));
            let mut callees = self.callees.borrow_mut();
            let address = code.as_ptr::<PyObject>() as u64;
            let arguments = (self.code_objects.arguments)(code);
            let callee = Callee {
                address,
                code: captured,
                bytecode,
                constants,
                names,
                defaults,
                keyword_defaults,
                foreign: foreign.is_some(),
                arguments,
            };
            held(&callee).for_each(|address| object::incref(address as *mut PyObject));
            callees.push(Rc::new(callee));
            let number = callees.len() as u32 - 1;
            if let Some(namespaces) = foreign {
                self.foreign.borrow_mut().insert(number, namespaces);
            }
            Some(number)
        }
    }

    /// The builtin that an object is, if the compiler knows it; from then on it is kept.
    ///
    /// # Safety
    /// `value` is null or alive; the GIL is held.
    unsafe fn known(&self, value: *mut PyObject) -> Option<(Known, u64)> {
        // SAFETY: says the caller; the function objects of a module live as long as this environment holds them.
        unsafe {
            let known = match types_of(value) {
                PyTypes::TYPE => Known::Type(capture::type_behind(value.cast())?),
                PyTypes::BUILTIN => Known::Builtin(module_function(value)?),
                _ => return None,
            };
            let mut held = self.builtins_known.borrow_mut();
            if !held.contains(&(value as u64)) {
                object::incref(value);
                held.push(value as u64);
            }
            Some((known, value as u64))
        }
    }

    /// The globals and builtins that names mean.
    fn namespaces(&self) -> [*mut PyObject; 2] {
        let foreign = self.names_of.get().and_then(|number| self.foreign.borrow().get(&number).copied());
        foreign.unwrap_or([self.globals, self.builtins])
    }

    /// What a global name is bound to, borrowed; null when nothing, or when a namespace is not an exact dictionary.
    fn global(&self, name: u32) -> *mut PyObject {
        let name = self.name(name);
        // SAFETY: exact dictionaries searched by an interned str run no Python code; results are borrowed.
        unsafe {
            for dictionary in self.namespaces() {
                if types_of(dictionary) != PyTypes::DICT {
                    return null_mut();
                }
                let value = ffi::PyDict_GetItemWithError(dictionary, name);
                if !value.is_null() {
                    return value;
                }
                ffi::PyErr_Clear();
            }
            null_mut()
        }
    }

    /// Where a global name's value is; the feedback says which entry it is, most likely.
    fn find_global(&self, name: *mut PyObject, feedback: &Feedback) -> Option<GlobalPlace> {
        let hint = match *feedback {
            Feedback::GlobalModule { index, .. } | Feedback::GlobalBuiltin { index, .. } => usize::from(index),
            _ => 0,
        };
        let [globals, builtins] = self.namespaces();
        // SAFETY: the dictionaries are alive, says the constructor's contract.
        unsafe {
            let module_keys = Keys::of(globals)?;
            let module_keys_version = module_keys.version_or_new()?;
            if let Some(value_offset) = module_keys.value_offset(name, hint) {
                let place =
                    GlobalPlace { in_builtins: false, module_keys_version, builtin_keys_version: 0, value_offset };
                return Some(place);
            }
            // A key that is another object with the same text is in nobody's way.
            if !namespace::peek(globals, name).is_null() {
                return None;
            }
            let builtin_keys = Keys::of(builtins)?;
            Some(GlobalPlace {
                in_builtins: true,
                module_keys_version,
                builtin_keys_version: builtin_keys.version()?,
                value_offset: builtin_keys.value_offset(name, hint)?,
            })
        }
    }

    fn name(&self, name: u32) -> *mut PyObject {
        // SAFETY: a callee's code object is held, as is this environment's; the compiler only asks for names that exist.
        unsafe {
            let code = match self.names_of.get().and_then(|number| self.callee(number)) {
                Some(callee) => Code::new(callee.address as *mut PyObject),
                None => self.code,
            };
            ffi::PyTuple_GetItem(code.co_names(), name as isize)
        }
    }

    /// What instances of the class with that version find in it under a name, if they look for attributes as `object` does and have none of
    /// that name themselves.
    ///
    /// # Safety
    /// The GIL is held.
    unsafe fn in_class(&self, version: u32, name: u32) -> Option<InClass> {
        let ty = types_seen::with_version(version)?;
        let name = self.name(name);
        // SAFETY: a live heap type, and a name that a live code object owns.
        unsafe {
            if !has_generic_getattr(ty) {
                return None;
            }
            let found = capi::_PyType_Lookup(ty, name);
            (!found.is_null()).then_some(InClass { ty, name, found })
        }
    }
}

impl Environment for LiveEnvironment {
    fn global_value_offset(&self, name: u32, feedback: &Feedback) -> Option<GlobalPlace> {
        let name = self.name(name);
        // A build walks the bytecode more than once.
        let key = [self.namespaces()[0], name];
        if let Some(known) = self.places.borrow().get(&key) {
            return *known;
        }
        let place = self.find_global(name, feedback);
        self.places.borrow_mut().insert(key, place);
        place
    }

    fn known_global(&self, name: u32) -> Option<(Known, u64)> {
        // SAFETY: the namespaces keep the value alive during this call.
        unsafe { self.known(self.global(name)) }
    }

    fn global_callee(&self, name: u32) -> Option<u32> {
        // SAFETY: the namespaces keep the value alive during this call.
        unsafe { self.callee_of(self.global(name)) }
    }

    fn method_callee(&self, type_version: u32, name: u32, descriptor: u64) -> Option<u32> {
        let ty = types_seen::with_version(type_version)?;
        // SAFETY: a live type; the name is a str that the code object owns. The result is borrowed from the type.
        unsafe {
            let found = capi::_PyType_Lookup(ty, self.name(name));
            if found as u64 != descriptor { None } else { self.callee_of(found) }
        }
    }

    fn dictionary_versions(&self) -> Option<u64> {
        // Compiled code counts it up while it holds the GIL; CPython counts from 1.
        static LAST: AtomicU64 = AtomicU64::new(1 << 63);
        Some(LAST.as_ptr() as u64)
    }

    fn names_of(&self, callee: Option<u32>) {
        self.names_of.set(callee);
    }

    fn subscript_callee(&self, type_version: u32, store: bool) -> Option<u32> {
        let ty = types_seen::with_version(type_version)?;
        // SAFETY: a live type; what is found is borrowed from it.
        unsafe {
            let [get, set] = subscripts::python_functions(ty);
            self.callee_of(if store { set? } else { get? })
        }
    }

    fn attribute_place(&self, type_version: u32, name: u32, access: Access) -> Feedback {
        let Some(ty) = types_seen::with_version(type_version) else { return Feedback::None };
        let name = self.name(name);
        // SAFETY: a live type, and a name that a live code object owns.
        unsafe {
            if access == Access::Store && !has_generic_setattr(ty) {
                return Feedback::None;
            }
            attribute_place(ty, type_version, name)
        }
    }

    fn method_place(&self, type_version: u32, name: u32) -> Option<MethodPlace> {
        // SAFETY: the GIL is held; what is found is alive.
        unsafe {
            let InClass { ty, name, found } = self.in_class(type_version, name)?;
            if !is_method(found) {
                return None;
            }
            Some(MethodPlace { descriptor: found as u64, shared_keys: keys_without(ty, name)? })
        }
    }

    fn class_value(&self, version: u32, name: u32) -> Option<ClassValue> {
        // SAFETY: as above.
        unsafe {
            let InClass { ty, name, found } = self.in_class(version, name)?;
            if (*object::type_of(found)).tp_descr_get.is_some() {
                return None;
            }
            let py = types_of(found);
            let number = matches!(py, PyTypes::INT | PyTypes::FLOAT).then(|| capture::constant(found, 0));
            Some(ClassValue {
                address: found as u64,
                py,
                shared_keys: keys_without(ty, name)?,
                type_version: version_of_class_of(found)?,
                number,
            })
        }
    }

    fn method_past_dictionary(&self, type_version: u32, name: u32) -> Option<u64> {
        // SAFETY: as above.
        unsafe {
            let InClass { ty, found, .. } = self.in_class(type_version, name)?;
            ((*ty).tp_flags & ffi::Py_TPFLAGS_MANAGED_DICT != 0 && is_method(found)).then_some(found as u64)
        }
    }

    fn class_attribute(&self, version: u32, name: u32) -> Option<ClassAttribute> {
        let class = types_seen::with_version(version)?;
        let name = self.name(name);
        // SAFETY: a live heap type; what is found in it, and in what is found, is borrowed from it.
        unsafe {
            let meta = &raw mut ffi::PyType_Type;
            if object::type_of(class.cast()) != meta || !capi::_PyType_Lookup(meta, name).is_null() {
                return None;
            }
            let found = capi::_PyType_Lookup(class, name);
            if found.is_null() {
                return None;
            }
            let ty = object::type_of(found);
            let is_function = |object: *mut PyObject| types_of(object) == PyTypes::FUNCTION;
            let plain = is_function(found) || (*ty).tp_descr_get.is_none();
            let takes_class = ty == &raw mut ffi::PyClassMethod_Type;
            let value = if plain {
                found
            } else if takes_class || ty == &raw mut ffi::PyStaticMethod_Type {
                read(found, method_wrapper::CALLABLE)
            } else {
                return None;
            };
            if value.is_null() || takes_class && !is_function(value) {
                return None;
            }
            let value_version = if plain { version_of_class_of(found)? } else { 0 };
            Some(ClassAttribute {
                address: value as u64,
                takes_class,
                wrapper: if plain { 0 } else { found as u64 },
                type_version: value_version,
                callee: self.callee_of(value),
            })
        }
    }

    fn operator_callee(&self, type_version: u32, op: Arithmetic, in_place: bool) -> Option<(u32, u64)> {
        let ty = types_seen::with_version(type_version)?;
        // SAFETY: a live type; what is found is borrowed from it.
        unsafe {
            let function = special_methods::operator_method(ty, op as i64, in_place)?;
            Some((self.callee_of(function)?, function as u64))
        }
    }

    fn class_init(&self, version: u32) -> Option<ClassInit> {
        let class = types_seen::with_version(version)?;
        // SAFETY: a live heap type; what is found in it is borrowed from it.
        unsafe {
            if object::type_of(class.cast()) != &raw mut ffi::PyType_Type
                || !special_methods::makes_plain_instances(class)
                || !has_generic_setattr(class)
            {
                return None;
            }
            let in_line = SharedKeys::of(class).is_some();
            let has_dictionary = (*class).tp_dictoffset != 0 || (*class).tp_flags & ffi::Py_TPFLAGS_MANAGED_DICT != 0;
            if !in_line && has_dictionary {
                return None;
            }
            let function = special_methods::python_init(class)?;
            Some(ClassInit { callee: self.callee_of(function)?, function: function as u64, in_line })
        }
    }

    fn global_example(&self, name: u32) -> Option<Rc<Example>> {
        let mut examples = self.examples.borrow_mut();
        let example = examples.entry([self.namespaces()[0], self.name(name)]).or_insert_with(|| {
            let value = self.global(name);
            // SAFETY: the namespaces keep the value alive during this call.
            (!value.is_null()).then(|| Rc::new(unsafe { capture::global_example(value) }))
        });
        example.clone()
    }

    fn global_module(&self, name: u32) -> Option<u32> {
        let value = self.global(name);
        // SAFETY: null or alive.
        if value.is_null() || unsafe { types_of(value) } != PyTypes::MODULE {
            return None;
        }
        let mut modules = self.modules.borrow_mut();
        let number = modules.iter().position(|module| *module == value).unwrap_or_else(|| {
            modules.push(value);
            modules.len() - 1
        });
        Some(number as u32)
    }

    fn module_attribute(&self, module: u32, name: u32) -> Option<ModuleAttribute> {
        let module = *self.modules.borrow().get(module as usize)?;
        let name = self.name(name);
        // SAFETY: a global of this code is bound to the module, and no Python code runs while code is built.
        unsafe {
            let dictionary: *mut PyObject = read(module, module::MD_DICT);
            // What the type has under that name may come first.
            let hidden = !capi::_PyType_Lookup(&raw mut ffi::PyModule_Type, name).is_null();
            if hidden || dictionary == self.builtins {
                return None;
            }
            let keys = Keys::of(dictionary)?;
            let keys_version = keys.version_or_new()?;
            let value_offset = keys.value_offset(name, 0)?;
            let value = keys.0.offset(value_offset as isize).cast::<*mut PyObject>().read();
            let (known, callee) = (self.known(value), self.callee_of(value));
            Some(ModuleAttribute { keys_version, value_offset, known, callee })
        }
    }

    fn builtin_type(&self, version: u32) -> Option<PyTypes> {
        let types = [PyTypes::LIST, PyTypes::DICT, PyTypes::SET, PyTypes::STR];
        // SAFETY: static types.
        let has = |py: &PyTypes| type_address(*py).is_some_and(|ty| unsafe { object::type_version(ty) } == version);
        types.into_iter().find(|py| version != 0 && has(py))
    }

    fn builtin_method(&self, ty: PyTypes, name: u32) -> Option<u64> {
        // SAFETY: the name is a str that the code object owns; what is found in a static type stays there.
        unsafe {
            let found = capi::_PyType_Lookup(type_address(ty)?, self.name(name));
            (!found.is_null()).then_some(found as u64)
        }
    }

    fn builtin_type_attribute(&self, ty: PyTypes, name: u32) -> Option<u64> {
        let (ty, name) = (type_address(ty)?, self.name(name));
        // SAFETY: static types; the name is a str that the code object owns; what is found in a static type stays there.
        unsafe {
            let (flags, heap) = ((*ty).tp_flags, ffi::Py_TPFLAGS_HEAPTYPE);
            if flags & heap != 0 || object::type_of(ty.cast()) != &raw mut ffi::PyType_Type {
                return None;
            }
            let first = capi::_PyType_Lookup(&raw mut ffi::PyType_Type, name);
            if !first.is_null() && (*object::type_of(first)).tp_descr_set.is_some() {
                return None;
            }
            let found = capi::_PyType_Lookup(ty, name);
            let is_itself = !found.is_null() && {
                let of = object::type_of(found);
                of == &raw mut ffi::PyWrapperDescr_Type || of == &raw mut ffi::PyMethodDescr_Type
            };
            is_itself.then_some(found as u64)
        }
    }

    fn is_instance(&self, of: Class, class: Class) -> Option<bool> {
        let find = |class| match class {
            Class::Builtin(py) => type_address(py),
            Class::Version(version) => types_seen::with_version(version),
        };
        let (ty, class) = (find(of)?, find(class)?);
        // SAFETY: live types; what is found in them is borrowed, and only compared.
        unsafe {
            if object::type_of(class.cast()) != &raw mut ffi::PyType_Type {
                return None;
            }
            if ffi::PyType_IsSubtype(ty, class) != 0 {
                return Some(true);
            }
            // What an instance says about its `__class__` counts as well: here it says the truth.
            let name = ffi::PyUnicode_InternFromString(c"__class__".as_ptr());
            if name.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            let usual = capi::_PyType_Lookup(&raw mut ffi::PyBaseObject_Type, name);
            let plain = has_generic_getattr(ty) && capi::_PyType_Lookup(ty, name) == usual;
            object::decref(name);
            plain.then_some(false)
        }
    }

    fn callee(&self, number: u32) -> Option<Rc<Callee>> {
        self.callees.borrow().get(number as usize).cloned()
    }

    fn name_type(&self, name: u32) -> Option<Live> {
        // SAFETY: plain namespaces are searched without running Python; the result is borrowed.
        unsafe {
            let value = namespace::peek(self.locals, self.name(name));
            (!value.is_null()).then(|| live(value))
        }
    }
}

impl Drop for LiveEnvironment {
    fn drop(&mut self) {
        for callee in self.callees.take() {
            for address in held(&callee) {
                // SAFETY: the reference that `candidate` took; the GIL is held as long as an environment is used.
                unsafe { object::decref(address as *mut PyObject) };
            }
        }
        for builtin in self.builtins_known.take() {
            // SAFETY: the reference that `known` took.
            unsafe { object::decref(builtin as *mut PyObject) };
        }
    }
}

/// Addresses of what a callee's body names.
fn held(callee: &Callee) -> impl Iterator<Item = u64> + use<> {
    [Some(callee.address), callee.defaults.as_ref().map(|tuple| tuple.address)].into_iter().flatten()
}

/// Where instances of a type have an attribute: among the values in line, if nothing in the type has that name, or in a slot.
///
/// # Safety
/// A live heap type with that version, and a live interned str; the GIL is held.
unsafe fn attribute_place(ty: *mut ffi::PyTypeObject, type_version: u32, name: *mut PyObject) -> Feedback {
    // SAFETY: instances of such a type have the managed dictionary's words; the keys have as many entries as they say.
    unsafe {
        if !has_generic_getattr(ty) {
            return Feedback::None;
        }
        let found = capi::_PyType_Lookup(ty, name);
        if !found.is_null() {
            if object::type_of(found) != &raw mut ffi::PyMemberDescr_Type {
                return Feedback::None;
            }
            // One that was borrowed from a class with another layout raises.
            let owner: *mut ffi::PyTypeObject = read(found, member_descriptor::D_TYPE);
            if ffi::PyType_IsSubtype(ty, owner) == 0 {
                return Feedback::None;
            }
            let member: *const ffi::PyMemberDef = read(found, member_descriptor::D_MEMBER);
            return match u16::try_from((*member).offset) {
                Ok(offset)
                    if i64::from((*member).type_code) == member_descriptor::T_OBJECT_EX && (*member).flags == 0 =>
                {
                    Feedback::Slot { type_version, offset }
                }
                _ => Feedback::None,
            };
        }
        match SharedKeys::of(ty).and_then(|keys| keys.position(name)) {
            Some(index) if index < EXAMPLE_ATTRIBUTES => Feedback::InstanceValue { type_version, index: index as u16 },
            _ => Feedback::None,
        }
    }
}

/// The well-known function that a builtin function object is: one that a module was made with, which stands in the table of that
/// module's definition.
///
/// # Safety
/// A live object of the exact type of builtin functions; the GIL is held.
unsafe fn module_function(function: *mut PyObject) -> Option<Builtin> {
    // SAFETY: definitions and their tables are static; a table ends with an entry without a name.
    unsafe {
        let function = function.cast::<ffi::PyCFunctionObject>();
        let module = (*function).m_self;
        if types_of(module) != PyTypes::MODULE {
            return None;
        }
        let definition = ffi::PyModule_GetDef(module).as_ref()?;
        let mut entry = definition.m_methods;
        while !entry.is_null() && entry != (*function).m_ml {
            entry = if (*entry).ml_name.is_null() { null_mut() } else { entry.add(1) };
        }
        let entry = entry.as_ref().filter(|entry| !entry.ml_name.is_null())?;
        let text = |text| CStr::from_ptr(text).to_str().ok();
        Builtin::find(text(definition.m_name.as_ref()?)?, text(entry.ml_name)?)
    }
}

/// # Safety
/// A live type.
unsafe fn has_generic_getattr(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: says the caller.
    let get = unsafe { (*ty).tp_getattro };
    get.is_some_and(|get| get as usize == ffi::PyObject_GenericGetAttr as *const () as usize)
}

/// # Safety
/// A live type.
unsafe fn has_generic_setattr(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: says the caller.
    let set = unsafe { (*ty).tp_setattro };
    set.is_some_and(|set| set as usize == ffi::PyObject_GenericSetAttr as *const () as usize)
}

/// What a class, or a base of it, has under a name.
struct InClass {
    ty: *mut ffi::PyTypeObject,
    name: *mut PyObject,
    /// Borrowed from the class.
    found: *mut PyObject,
}

/// Whether an object is called as a method without being bound: `Py_TPFLAGS_METHOD_DESCRIPTOR`.
///
/// # Safety
/// A live object.
unsafe fn is_method(object: *mut PyObject) -> bool {
    // SAFETY: says the caller.
    unsafe { (*object::type_of(object)).tp_flags & ffi::Py_TPFLAGS_METHOD_DESCRIPTOR != 0 }
}

/// How many names instances of a class share, none of which is `name`: `Some(None)` where instances have no dictionary. `None`
/// where some instance may have an attribute of that name without a dictionary of its own.
///
/// # Safety
/// As for [`SharedKeys::of`].
unsafe fn keys_without(ty: *mut ffi::PyTypeObject, name: *mut PyObject) -> Option<Option<i64>> {
    // SAFETY: says the caller.
    unsafe {
        if (*ty).tp_flags & ffi::Py_TPFLAGS_MANAGED_DICT == 0 {
            return ((*ty).tp_dictoffset == 0).then_some(None);
        }
        let keys = SharedKeys::of(ty)?;
        keys.position(name).is_none().then_some(Some(keys.count as i64))
    }
}

/// The version of an object's type if that may still come to have a `__get__`, else 0. `None`: it has no version.
///
/// # Safety
/// A live object; the GIL is held.
unsafe fn version_of_class_of(object: *mut PyObject) -> Option<u32> {
    // SAFETY: says the caller.
    unsafe {
        let ty = object::type_of(object);
        if (*ty).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return Some(0);
        }
        // A lookup gives the type a version if it has none.
        subscripts::python_functions(ty);
        match object::type_version(ty) {
            0 => None,
            version => Some(version),
        }
    }
}
