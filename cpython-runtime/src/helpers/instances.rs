//! Instances of Python classes: made, and given back, without CPython's general way.
//!
//! *Problem*: programs of classes make and drop instances all the time. For one with two attributes, `object_new`,
//! `PyType_GenericAlloc`, `subtype_dealloc` and `PyObject_GC_Del` execute five hundred instructions, most of which find out what the class
//! could tell once and for all. *Method*: a class is looked at when it is met first, and what was found is kept under its version,
//! which any change of the class takes away. Instances of plain classes (attributes in line, or slots, of a class that comes from
//! `object` alone and has no finaliser) are then made and given back as those functions do it, step by step. *Invariants*:
//! - everything that can be seen happens as in CPython: the instance leaves the collector's list before its attributes are
//!   released, in the order of the keys or slots; its memory goes before the reference to its class;
//! - where the collector is to run, an instance has a dictionary, is referred to weakly, or deallocations are nested too deeply,
//!   CPython's functions do it;
//! - memory comes from and goes to CPython's allocator, which tracemalloc sees.
//!
//! *Sources* (3.11): `subtype_dealloc`, `clear_slots`, `PyType_GenericAlloc`, `object_new` in `Objects/typeobject.c`;
//! `init_inline_values`, `_PyObject_FreeInstanceAttributes` in `Objects/dictobject.c`; `PyObject_GC_Del` in `Modules/gcmodule.c`;
//! `float_dealloc` in `Objects/floatobject.c`; the trash can in `Include/cpython/object.h`.

use super::{
    Object,
    boxing::tracemalloc_off,
    capi,
    containers::{track, untrack, would_collect},
    references,
};
use crate::{
    layout::{
        build, dict_keys, dict_values, gc_head, interp, managed_dict, member, member_descriptor,
        object as object_layout, type_object,
    },
    object,
    thread::ThreadState,
};
use pyo3_ffi::{self as ffi, PyTypeObject};
use std::{
    cell::Cell,
    ptr::{null_mut, write_bytes},
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

/// The name by which this is switched off.
pub const SWITCH: &str = "plain_instances";

/// How deeply deallocations may be nested before the trash can takes them (`_PyTrash_UNWIND_LEVEL`).
const UNWIND_LEVEL: i32 = 50;

/// `READONLY` of `structmember.h`.
const READ_ONLY: i32 = 1;

/// What an instance consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// To be left to CPython.
    Other,
    /// Its attributes' values lie in memory of their own; there is a place for a dictionary that takes them over.
    Values,
    /// So many slots, and nothing else.
    Slots,
}

/// What a class says of its instances.
#[derive(Clone, Copy)]
struct Class {
    /// The version of the class, 0 if this describes none.
    version: u32,
    kind: Kind,
    /// Whether an instance has a list of weak references, behind its header.
    weak: bool,
    /// `tp_basicsize`.
    size: u32,
}

const NONE: Class = Class { version: 0, kind: Kind::Other, weak: false, size: 0 };

/// A class that was met, with memory of instances that are gone: linked through what was their count, all else as in an instance
/// without attributes that the collector does not know. Its values' memory is with it.
struct Known {
    class: Cell<Class>,
    spare: Cell<Object>,
    spares: Cell<u32>,
}

/// Memory for so many instances is kept for each class.
const MOST_SPARES: u32 = 64;

/// Classes are kept by the low bits of their versions.
struct Classes([Known; 256]);

// SAFETY: used under the GIL only.
unsafe impl Sync for Classes {}

/// For classes without a version.
struct Unversioned(Known);

// SAFETY: never changes.
unsafe impl Sync for Unversioned {}

static UNVERSIONED: Unversioned =
    Unversioned(Known { class: Cell::new(NONE), spare: Cell::new(null_mut()), spares: Cell::new(0) });

static CLASSES: Classes =
    Classes([const { Known { class: Cell::new(NONE), spare: Cell::new(null_mut()), spares: Cell::new(0) } }; 256]);
static ENABLED: AtomicBool = AtomicBool::new(true);

/// Instances that were made, and given back, here.
pub static MADE: AtomicU64 = AtomicU64::new(0);
pub static GIVEN_BACK: AtomicU64 = AtomicU64::new(0);

/// Counts one more, under the GIL.
#[inline(always)]
fn count(total: &AtomicU64) {
    total.store(total.load(Relaxed) + 1, Relaxed);
}

/// Address of `subtype_dealloc`, which is static in CPython; 0 while it is not known.
static SUBTYPE_DEALLOC: AtomicUsize = AtomicUsize::new(0);

/// Whether instances are made and given back here.
///
/// # Safety
/// The GIL is held.
pub unsafe fn enable(enabled: bool) {
    if ENABLED.swap(enabled, Relaxed) != enabled {
        // SAFETY: says the caller.
        unsafe { forget() };
    }
}

/// Looks at every class anew from now on.
///
/// # Safety
/// The GIL is held.
unsafe fn forget() {
    // SAFETY: says the caller.
    CLASSES.0.iter().for_each(|known| unsafe { known.describe(NONE) });
}

/// Learns what has to be asked of CPython; called before any code is compiled. `false`: an exception is set.
///
/// # Safety
/// The GIL is held.
pub unsafe fn prepare() -> bool {
    if SUBTYPE_DEALLOC.load(Relaxed) != 0 {
        return true;
    }
    // SAFETY: the GIL is held. Any class that is made by a call of `type` gets that function.
    unsafe {
        let class =
            ffi::PyObject_CallFunction((&raw mut ffi::PyType_Type).cast(), c"s(){}".as_ptr(), c"plain".as_ptr());
        if class.is_null() {
            return false;
        }
        let dealloc: usize = object::read(class, type_object::TP_DEALLOC);
        SUBTYPE_DEALLOC.store(dealloc, Relaxed);
        ffi::Py_DECREF(class);
        forget();
    }
    true
}

/// The place of a class in the table, which describes it.
#[inline(always)]
unsafe fn known(ty: *mut PyTypeObject) -> &'static Known {
    // SAFETY: a live type, says the caller.
    unsafe {
        let version = object::type_version(ty);
        let known = CLASSES.0.get_unchecked((version & 255) as usize);
        if known.class.get().version != version {
            // No class has version 0, but many are without one.
            if version == 0 {
                return &UNVERSIONED.0;
            }
            known.describe(look_at(ty));
        }
        known
    }
}

impl Known {
    /// Describes another class.
    #[cold]
    unsafe fn describe(&self, class: Class) {
        // SAFETY: what is kept belongs to nobody; the caller holds the GIL.
        unsafe {
            let old = self.class.replace(class);
            while let Some(instance) = self.take() {
                free(instance, old);
            }
        }
    }

    /// Memory of an instance that is gone.
    #[inline(always)]
    unsafe fn take(&self) -> Option<Object> {
        let instance = self.spare.get();
        if instance.is_null() {
            return None;
        }
        // SAFETY: what is kept is linked through this field.
        self.spare.set(unsafe { field::<Object>(instance, object_layout::OB_REFCNT as isize).read() });
        self.spares.set(self.spares.get() - 1);
        Some(instance)
    }

    /// Keeps the memory of an instance that is gone, or gives it back.
    #[inline(always)]
    unsafe fn keep(&self, instance: Object, class: Class) {
        // SAFETY: the memory is ours; its class may be described no more, after what its attributes have run.
        unsafe {
            if self.class.get().version == class.version && self.spares.get() < MOST_SPARES && tracemalloc_off() {
                field::<Object>(instance, object_layout::OB_REFCNT as isize).write(self.spare.get());
                self.spare.set(instance);
                self.spares.set(self.spares.get() + 1);
            } else {
                free(instance, class);
            }
        }
    }
}

/// Gives the memory of an instance back to CPython.
#[inline(never)]
unsafe fn free(instance: Object, class: Class) {
    // SAFETY: memory of an instance that is gone, says the caller; the byte before the values says how many lie before them.
    unsafe {
        if class.kind == Kind::Values {
            let values = field::<*mut u8>(instance, managed_dict::VALUES_OFFSET as isize).read();
            ffi::PyMem_Free(values.sub(values.sub(1).read() as usize).cast());
        }
        ffi::PyObject_Free(field::<u8>(instance, -(before_object(class) as isize)).cast());
    }
}

#[cold]
#[inline(never)]
unsafe fn look_at(ty: *mut PyTypeObject) -> Class {
    // SAFETY: fields of a live type and of its bases.
    unsafe {
        let word = |ty: *mut PyTypeObject, offset: usize| object::read::<usize>(ty.cast(), offset);
        let other = Class { version: object::type_version(ty), ..NONE };
        let dealloc = SUBTYPE_DEALLOC.load(Relaxed);
        let wanted = ffi::Py_TPFLAGS_HEAPTYPE | ffi::Py_TPFLAGS_HAVE_GC;
        if build::REF_DEBUG != 0
            || !ENABLED.load(Relaxed)
            || dealloc == 0
            || word(ty, type_object::TP_DEALLOC) != dealloc
            || (*ty).tp_flags & (wanted | ffi::Py_TPFLAGS_IS_ABSTRACT) != wanted
            || word(ty, type_object::TP_FINALIZE) != 0
            || word(ty, type_object::TP_DEL) != 0
            || (*ty).tp_itemsize != 0
            || (*ty).tp_alloc.map(|f| f as usize) != Some(ffi::PyType_GenericAlloc as *const () as usize)
            || (*ty).tp_free.map(|f| f as usize) != Some(ffi::PyObject_GC_Del as *const () as usize)
        {
            return other;
        }
        let mut base = ty;
        while word(base, type_object::TP_DEALLOC) == dealloc {
            base = word(base, type_object::TP_BASE) as *mut PyTypeObject;
        }
        if base != &raw mut ffi::PyBaseObject_Type {
            return other;
        }
        let size = (*ty).tp_basicsize as usize;
        let weak = (*ty).tp_weaklistoffset != 0;
        let header = size_of::<ffi::PyObject>();
        let weak_words = usize::from(weak);
        if weak && (*ty).tp_weaklistoffset as usize != header {
            return other;
        }
        let kind = if (*ty).tp_flags & ffi::Py_TPFLAGS_MANAGED_DICT != 0 {
            // Bytes beyond these would be slots, of this class or a base.
            let plain = size == header + 8 * weak_words && word(ty, type_object::HT_CACHED_KEYS) != 0;
            if plain { Kind::Values } else { Kind::Other }
        } else {
            let slots = size.saturating_sub(header) / 8;
            let plain = (*ty).tp_dictoffset == 0 && !weak && (*ty).tp_base == base && has_slots(ty, slots);
            if plain { Kind::Slots } else { Kind::Other }
        };
        Class { kind, weak, size: size as u32, ..other }
    }
}

/// Whether a class has so many slots, one behind the other, and nothing else.
unsafe fn has_slots(ty: *mut PyTypeObject, count: usize) -> bool {
    // SAFETY: the members of a heap type lie behind it, as many as its size says (`PyHeapType_GET_MEMBERS`).
    unsafe {
        let members = ty.cast::<u8>().offset((*object::type_of(ty.cast())).tp_basicsize);
        object::size(ty.cast()) as usize == count
            && (0..count).all(|i| {
                let member = members.add(i * member::SIZE);
                let int = |offset: usize| member.add(offset).cast::<i32>().read();
                i64::from(int(member::TYPE)) == member_descriptor::T_OBJECT_EX
                    && int(member::FLAGS) & READ_ONLY == 0
                    && member.add(member::OFFSET).cast::<usize>().read() == size_of::<ffi::PyObject>() + 8 * i
            })
    }
}

/// A pointer to a field.
#[inline(always)]
unsafe fn field<T>(object: Object, offset: isize) -> *mut T {
    // SAFETY: the object has a field there, says the caller.
    unsafe { object.cast::<u8>().offset(offset).cast() }
}

/// `object_new` without arguments, for a class that makes plain instances.
pub(super) unsafe extern "C" fn new_instance(callable: Object) -> Object {
    // SAFETY: the contract of helpers; the empty tuple is one that exists.
    unsafe {
        let ty = callable.cast::<PyTypeObject>();
        if let Some(quick) = make(ty) {
            if quick.is_null() {
                ffi::PyErr_NoMemory();
            }
            return quick;
        }
        let special = ffi::Py_TPFLAGS_MANAGED_DICT | ffi::Py_TPFLAGS_IS_ABSTRACT;
        if (*ty).tp_flags & special == 0
            && let Some(allocate) = (*ty).tp_alloc
        {
            // All that is left of it: there are no attributes to be made room for.
            return allocate(ty, 0);
        }
        let none = ffi::PyTuple_New(0);
        let instance = match ffi::PyBaseObject_Type.tp_new {
            Some(new) => new(ty, none, null_mut()),
            None => null_mut(),
        };
        object::decref(none);
        instance
    }
}

/// The same where that runs nothing; null, without an exception, elsewhere.
pub(super) unsafe extern "C" fn new_instance_quick(callable: Object) -> Object {
    // SAFETY: the contract of helpers.
    unsafe { make(callable.cast()).unwrap_or(null_mut()) }
}

/// Makes an instance where that runs nothing; null, without an exception, if there is no memory. `None`: CPython shall.
#[inline(always)]
unsafe fn make(ty: *mut PyTypeObject) -> Option<Object> {
    // SAFETY: a live class whose instances are made by `object`.
    unsafe {
        let known = known(ty);
        let class = known.class.get();
        if class.kind == Kind::Other || would_collect() {
            return None;
        }
        let spare = if tracemalloc_off() { known.take() } else { None };
        let Some(instance) = spare.or_else(|| allocate(ty, class)) else { return Some(null_mut()) };
        begin(instance, ty, class);
        Some(instance)
    }
}

/// Memory for an instance, as it is kept. `None`: there is none, and nothing was done.
#[inline(never)]
unsafe fn allocate(ty: *mut PyTypeObject, class: Class) -> Option<Object> {
    // SAFETY: a plain class; the memory is as large as its instances are.
    unsafe {
        let before = before_object(class);
        let bytes = ffi::PyObject_Malloc(before + class.size as usize).cast::<u8>();
        if bytes.is_null() {
            return None;
        }
        write_bytes(bytes, 0, before + class.size as usize);
        let instance: Object = bytes.add(before).cast();
        field::<*mut PyTypeObject>(instance, object_layout::OB_TYPE as isize).write(ty);
        if class.kind == Kind::Values {
            let Some(values) = new_values(object::read(ty.cast(), type_object::HT_CACHED_KEYS)) else {
                ffi::PyObject_Free(bytes.cast());
                return None;
            };
            field::<*mut u8>(instance, managed_dict::VALUES_OFFSET as isize).write(values);
        }
        Some(instance)
    }
}

/// Makes an instance of memory that is kept or new.
#[inline(always)]
unsafe fn begin(instance: Object, ty: *mut PyTypeObject, class: Class) {
    // SAFETY: every other field is as in an instance without attributes.
    unsafe {
        field::<isize>(instance, object_layout::OB_REFCNT as isize).write(1);
        object::incref(ty.cast());
        if class.kind == Kind::Values {
            field::<*mut u8>(instance, managed_dict::VALUES_OFFSET as isize).read().sub(2).write(0);
        }
        let count = ThreadState::holding_gil().interp_ptr().cast::<u8>().add(interp::GC_COUNT).cast::<i32>();
        count.write(count.read() + 1);
        track(instance);
        self::count(&MADE);
    }
}

/// Bytes of an instance's memory that lie before the object.
#[inline(always)]
fn before_object(class: Class) -> usize {
    gc_head::SIZE + if class.kind == Kind::Values { 2 * size_of::<Object>() } else { 0 }
}

/// Room for the values of an instance of a class with these keys; all are null. Before the values lie, backwards, the number of bytes
/// there, the number of values that are set, and their order.
#[inline(always)]
unsafe fn new_values(keys: *mut u8) -> Option<*mut u8> {
    // SAFETY: the keys of a live class.
    unsafe {
        let usable = keys.add(dict_keys::DK_USABLE).cast::<isize>();
        let entries = keys.add(dict_keys::DK_NENTRIES).cast::<isize>().read();
        let left = usable.read() - isize::from(usable.read() > 1);
        let size = (entries + left) as usize;
        let prefix = (size + 2).next_multiple_of(8);
        let bytes = ffi::PyMem_Malloc(prefix + 8 * size).cast::<u8>();
        if bytes.is_null() {
            return None;
        }
        usable.write(left);
        bytes.add(prefix - 1).write(prefix as u8);
        bytes.add(prefix - 2).write(0);
        let values = bytes.add(prefix);
        for i in 0..size {
            values.add(dict_values::VALUES + 8 * i).cast::<Object>().write(null_mut());
        }
        Some(values)
    }
}

/// Gives back an object whose last reference is gone, if it is a float or a plain instance. `false`: nothing was done.
///
/// # Safety
/// The GIL is held; the object's count is 0.
#[inline(always)]
pub(super) unsafe fn give_back(object: Object) -> bool {
    if build::REF_DEBUG != 0 {
        return false;
    }
    // SAFETY: says the caller.
    unsafe {
        let ty = object::type_of(object);
        if ty == &raw mut ffi::PyFloat_Type {
            return give_back_float(object);
        }
        let known = known(ty);
        match known.class.get().kind {
            Kind::Other => false,
            _ => give_back_instance(object, ty, known),
        }
    }
}

/// Deallocates an object to which there is one reference, if that runs nothing: 1; else 0.
pub(super) unsafe extern "C" fn give_back_quietly(object: Object) -> i64 {
    if build::REF_DEBUG != 0 {
        return 0;
    }
    // SAFETY: the contract of helpers; what is quiet is gone with its count at 0, as CPython's functions expect.
    unsafe {
        let ty = object::type_of(object);
        let count = field::<isize>(object, object_layout::OB_REFCNT as isize);
        if is_quiet(ty) {
            count.write(0);
            references::dealloc(object);
            return 1;
        }
        let known = known(ty);
        let class = known.class.get();
        let (values, number) = match class.kind {
            Kind::Other => return 0,
            Kind::Values => {
                let keys: *mut u8 = object::read(ty.cast(), type_object::HT_CACHED_KEYS);
                let values = field::<*mut u8>(object, managed_dict::VALUES_OFFSET as isize).read();
                if values.is_null() {
                    return 0;
                }
                (
                    values.add(dict_values::VALUES).cast(),
                    keys.add(dict_keys::DK_NENTRIES).cast::<isize>().read() as usize,
                )
            }
            Kind::Slots => {
                let header = size_of::<ffi::PyObject>();
                (field::<Object>(object, header as isize), (class.size as usize - header) / 8)
            }
        };
        // An object may be the value of several attributes.
        let stays = |value: Object| {
            value.is_null()
                || field::<isize>(value, object_layout::OB_REFCNT as isize).read() > number as isize
                || is_quiet(object::type_of(value))
        };
        if !(0..number).all(|i| stays(values.add(i).read())) {
            return 0;
        }
        count.write(0);
        let done = give_back_instance(object, ty, known);
        if !done {
            count.write(1);
        }
        i64::from(done)
    }
}

/// Whether objects of exactly this type refer to nothing.
#[inline(always)]
fn is_quiet(ty: *mut PyTypeObject) -> bool {
    ty == &raw mut ffi::PyFloat_Type
        || ty == &raw mut ffi::PyLong_Type
        || ty == &raw mut ffi::PyUnicode_Type
        || ty == &raw mut ffi::PyBytes_Type
}

#[inline(always)]
unsafe fn give_back_float(float: Object) -> bool {
    // SAFETY: the list of the interpreter whose GIL is held; floats on it are linked through `ob_type`.
    unsafe {
        let interpreter = ThreadState::holding_gil().interp_ptr().cast::<u8>();
        let count = interpreter.add(interp::FLOAT_NUMFREE).cast::<i32>();
        if i64::from(count.read()) >= interp::FLOAT_MAXFREE {
            return false;
        }
        count.write(count.read() + 1);
        let head = interpreter.add(interp::FLOAT_FREE_LIST).cast::<Object>();
        field::<Object>(float, object_layout::OB_TYPE as isize).write(head.read());
        head.write(float);
        true
    }
}

#[inline(never)]
unsafe fn give_back_instance(instance: Object, ty: *mut PyTypeObject, known: &Known) -> bool {
    // SAFETY: nobody refers to the instance, so none of its fields changes but here; the thread state outlives what its attributes run.
    unsafe {
        let class = known.class.get();
        let thread = ThreadState::holding_gil();
        if thread.trash_delete_nesting() >= UNWIND_LEVEL {
            return false;
        }
        let mut values = null_mut::<u8>();
        if class.kind == Kind::Values {
            values = field::<*mut u8>(instance, managed_dict::VALUES_OFFSET as isize).read();
            let weak_references = size_of::<ffi::PyObject>() as isize;
            if values.is_null() || class.weak && !field::<Object>(instance, weak_references).read().is_null() {
                return false;
            }
        }
        untrack(instance);
        thread.set_trash_delete_nesting(thread.trash_delete_nesting() + 1);
        if class.kind == Kind::Values {
            let keys: *mut u8 = object::read(ty.cast(), type_object::HT_CACHED_KEYS);
            let mut index = 0;
            while index < keys.add(dict_keys::DK_NENTRIES).cast::<isize>().read() {
                references::xdecref(values.add(dict_values::VALUES).cast::<Object>().offset(index).replace(null_mut()));
                index += 1;
            }
        } else {
            let header = size_of::<ffi::PyObject>();
            for offset in (header..class.size as usize).step_by(8) {
                let place = field::<Object>(instance, offset as isize);
                references::xdecref(place.replace(null_mut()));
            }
        }
        let count = thread.interp_ptr().cast::<u8>().add(interp::GC_COUNT).cast::<i32>();
        if count.read() > 0 {
            count.write(count.read() - 1);
        }
        self::count(&GIVEN_BACK);
        known.keep(instance, class);
        object::decref(ty.cast());
        let nesting = thread.trash_delete_nesting();
        if nesting == 1 && !thread.trash_delete_later().is_null() {
            capi::_PyTrash_end(thread.as_ptr());
        } else {
            thread.set_trash_delete_nesting(nesting - 1);
        }
        true
    }
}
