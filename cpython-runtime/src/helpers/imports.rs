//! `import`.
//!
//! *Problem*: `import_name`, `import_from` and `import_all_from` of `Python/ceval.c` are hidden. *Method*: rebuilt
//! from exported functions, with CPython's messages. *Invariant*: an `__import__` that somebody has put into the
//! builtins is called as CPython would call it.

use super::{ERROR, OK, Object, Owned, capi, interned, messages, names, owned};
use crate::{frame::Frame, layout::interp, object, thread::ThreadState};
use pyo3_ffi as ffi;
use std::{ffi::CStr, ptr::null_mut};

/// `IMPORT_NAME` (`import_name` of ceval.c): `__builtins__["__import__"]`, unless it is the original.
pub(super) unsafe extern "C" fn import_name(frame: *mut u8, name: Object, fromlist: Object, level: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let fromlist = Owned::steal(fromlist);
        let level = Owned::steal(level);
        let result = import(names::view(frame), name, fromlist.as_ptr(), level.as_ptr());
        drop(level);
        drop(fromlist);
        result
    }
}

unsafe fn import(frame: Frame, name: Object, fromlist: Object, level: Object) -> Object {
    // SAFETY: all alive, says the caller; `import_func` of the interpreter is compared by address only.
    unsafe {
        let key = interned::IMPORT.get();
        if key.is_null() {
            return null_mut();
        }
        let function = ffi::PyDict_GetItemWithError(frame.f_builtins(), key);
        if function.is_null() {
            if ffi::PyErr_Occurred().is_null() {
                messages::raise(ffi::PyExc_ImportError, c"__import__ not found");
            }
            return null_mut();
        }
        let locals = if frame.f_locals().is_null() { ffi::Py_None() } else { frame.f_locals() };
        let interpreter: *mut u8 = ThreadState::current().interp_ptr().cast();
        if function == interpreter.add(interp::IMPORT_FUNC).cast::<Object>().read() {
            let number = capi::_PyLong_AsInt(level);
            if number == -1 && !ffi::PyErr_Occurred().is_null() {
                return null_mut();
            }
            return ffi::PyImport_ImportModuleLevelObject(name, frame.f_globals(), locals, fromlist, number);
        }
        let function = Owned::new_reference(function);
        let arguments = [name, frame.f_globals(), locals, fromlist, level];
        ffi::PyObject_Vectorcall(function.as_ptr(), arguments.as_ptr(), arguments.len(), null_mut())
    }
}

/// `IMPORT_FROM` (`import_from` of ceval.c): the attribute, or the module of that full name in `sys.modules`.
pub(super) unsafe extern "C" fn import_from(module: Object, name: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe {
        let mut found = null_mut();
        if capi::_PyObject_LookupAttr(module, name, &mut found) != 0 {
            return found;
        }
        let key = interned::MODULE_NAME.get();
        if key.is_null() {
            return null_mut();
        }
        let package = Owned::steal_or_null(ffi::PyObject_GetAttr(module, key));
        let package = package.filter(|package| ffi::PyUnicode_Check(package.as_ptr()) != 0);
        if let Some(package) = &package {
            let Some(full_name) =
                Owned::steal_or_null(ffi::PyUnicode_FromFormat(c"%U.%U".as_ptr(), package.as_ptr(), name))
            else {
                return null_mut();
            };
            let found = ffi::PyImport_GetModule(full_name.as_ptr());
            if !found.is_null() || !ffi::PyErr_Occurred().is_null() {
                return found;
            }
        }
        cannot_import(module, name, package);
        null_mut()
    }
}

/// The `ImportError` of `import_from`. An exception may be set already; it is replaced, as in CPython.
#[cold]
unsafe fn cannot_import(module: Object, name: Object, package: Option<Owned>) {
    // SAFETY: all alive; results are owned here.
    unsafe {
        let path = Owned::steal_or_null(ffi::PyModule_GetFilenameObject(module));
        let shown = match &package {
            Some(package) => Owned::new_reference(package.as_ptr()),
            None => match Owned::steal_or_null(ffi::PyUnicode_FromString(c"<unknown module name>".as_ptr())) {
                Some(unknown) => unknown,
                None => return,
            },
        };
        let path = path.filter(|path| ffi::PyUnicode_Check(path.as_ptr()) != 0);
        let message = match &path {
            None => {
                ffi::PyErr_Clear();
                let format = c"cannot import name %R from %R (unknown location)";
                ffi::PyUnicode_FromFormat(format.as_ptr(), name, shown.as_ptr())
            }
            Some(path) => {
                let format = message_format(module);
                ffi::PyUnicode_FromFormat(format.as_ptr(), name, shown.as_ptr(), path.as_ptr())
            }
        };
        let message = Owned::steal_or_null(message);
        ffi::PyErr_SetImportError(
            owned::as_ptr_or_null(&message),
            owned::as_ptr_or_null(&package),
            owned::as_ptr_or_null(&path),
        );
    }
}

unsafe fn message_format(module: Object) -> &'static CStr {
    // SAFETY: `module` is alive. A missing `__spec__` counts as not initialising.
    unsafe {
        let key = interned::SPEC.get();
        let spec = if key.is_null() { None } else { Owned::steal_or_null(ffi::PyObject_GetAttr(module, key)) };
        if capi::_PyModuleSpec_IsInitializing(owned::as_ptr_or_null(&spec)) != 0 {
            c"cannot import name %R from partially initialized module %R (most likely due to a circular import) (%S)"
        } else {
            c"cannot import name %R from %R (%S)"
        }
    }
}

/// `IMPORT_STAR`. Where the code has local variables too, they are merged into the namespace before and read back after,
/// by the frame object's own functions since CPython hides the ones for frames.
pub(super) unsafe extern "C" fn import_star(frame: *mut u8, module: Object) -> i64 {
    // SAFETY: the contract of helpers; `frame` is the thread's current frame, so the frame object is this frame's.
    unsafe {
        let module = Owned::steal(module);
        let frame = names::view(frame);
        let mut frame_object = None;
        if frame.code().nlocalsplus() > 0 {
            frame_object = Owned::steal_or_null(ffi::PyThreadState_GetFrame(ThreadState::current().as_ptr()).cast());
            let Some(frame_object) = &frame_object else {
                ffi::PyErr_NoMemory();
                return ERROR;
            };
            if ffi::PyFrame_FastToLocalsWithError(frame_object.as_ptr().cast()) < 0 {
                return ERROR;
            }
        } else if frame.f_locals().is_null() {
            frame.set_f_locals(ffi::PyDict_New());
            if frame.f_locals().is_null() {
                return ERROR;
            }
        }
        let locals = frame.f_locals();
        if locals.is_null() {
            messages::raise(ffi::PyExc_SystemError, c"no locals found during 'import *'");
            return ERROR;
        }
        let done = import_all_from(locals, module.as_ptr());
        if let Some(frame_object) = &frame_object {
            capi::PyFrame_LocalsToFast(frame_object.as_ptr().cast(), 0);
        }
        if done { OK } else { ERROR }
    }
}

/// `import_all_from` of ceval.c: the names of `__all__`, or of `__dict__` without those that begin with an underscore.
unsafe fn import_all_from(locals: Object, module: Object) -> bool {
    // SAFETY: both are alive.
    unsafe {
        let (all_name, dict_name) = (interned::ALL.get(), interned::DICT.get());
        if all_name.is_null() || dict_name.is_null() {
            return false;
        }
        let mut found = null_mut();
        if capi::_PyObject_LookupAttr(module, all_name, &mut found) < 0 {
            return false;
        }
        let mut all = Owned::steal_or_null(found);
        let from_dict = all.is_none();
        if from_dict {
            let mut found = null_mut();
            if capi::_PyObject_LookupAttr(module, dict_name, &mut found) < 0 {
                return false;
            }
            let Some(dict) = Owned::steal_or_null(found) else {
                messages::raise(ffi::PyExc_ImportError, c"from-import-* object has no __dict__ and no __all__");
                return false;
            };
            all = Owned::steal_or_null(ffi::PyMapping_Keys(dict.as_ptr()));
        }
        let Some(all) = all else {
            return false;
        };
        let mut position = 0;
        loop {
            let Some(name) = Owned::steal_or_null(ffi::PySequence_GetItem(all.as_ptr(), position)) else {
                if ffi::PyErr_ExceptionMatches(ffi::PyExc_IndexError) == 0 {
                    return false;
                }
                ffi::PyErr_Clear();
                return true;
            };
            position += 1;
            if ffi::PyUnicode_Check(name.as_ptr()) == 0 {
                not_a_name(module, name.as_ptr(), from_dict);
                return false;
            }
            if from_dict && is_private(name.as_ptr()) {
                continue;
            }
            let Some(value) = Owned::steal_or_null(ffi::PyObject_GetAttr(module, name.as_ptr())) else {
                return false;
            };
            let status = if object::type_of(locals) == &raw mut ffi::PyDict_Type {
                ffi::PyDict_SetItem(locals, name.as_ptr(), value.as_ptr())
            } else {
                ffi::PyObject_SetItem(locals, name.as_ptr(), value.as_ptr())
            };
            drop(name);
            drop(value);
            if status != 0 {
                return false;
            }
        }
    }
}

/// Whether a name begins with an underscore. The empty name does not.
unsafe fn is_private(name: Object) -> bool {
    // SAFETY: `name` is a str; a substring search from 0 to 1 cannot run Python.
    unsafe { ffi::PyUnicode_GetLength(name) > 0 && ffi::PyUnicode_ReadChar(name, 0) == u32::from(b'_') }
}

#[cold]
unsafe fn not_a_name(module: Object, name: Object, from_dict: bool) {
    // SAFETY: both are alive; results are owned here.
    unsafe {
        let key = interned::MODULE_NAME.get();
        if key.is_null() {
            return;
        }
        let Some(module_name) = Owned::steal_or_null(ffi::PyObject_GetAttr(module, key)) else {
            return;
        };
        if ffi::PyUnicode_Check(module_name.as_ptr()) == 0 {
            ffi::PyErr_Format(
                ffi::PyExc_TypeError,
                c"module __name__ must be a string, not %.100s".as_ptr(),
                messages::type_name(module_name.as_ptr()),
            );
            return;
        }
        let (item, place) = if from_dict { (c"Key", c"__dict__") } else { (c"Item", c"__all__") };
        ffi::PyErr_Format(
            ffi::PyExc_TypeError,
            c"%s in %U.%s must be str, not %.100s".as_ptr(),
            item.as_ptr(),
            module_name.as_ptr(),
            place.as_ptr(),
            messages::type_name(name),
        );
    }
}
