//! Names, subscripts and the building of containers.
//!
//! *Method*: every instruction has its generic form, a helper call; where the interpreter's inline caches or known types
//! say what the operands are, the read or write is emitted in line behind guards. *Invariant*: an element read in line is
//! borrowed from its container (`Own::Volatile`) until something could change the container.

use super::builder::Builder;
use super::examples::Example;
use super::state::*;
use crate::bytecode::instruction::Feedback;
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Cond, Op, Symbol, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

/// Where an element is.
pub(super) struct Place {
    pub address: Value,
    pub offset: i32,
    /// For arrays and bytes: what lies there instead of an object.
    pub numbers: Option<Numbers>,
}

/// The items of an `array.array`, and of bytes.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    typecode: u8,
    mem: MemTy,
    /// Of the item's size.
    shift: i64,
}

impl Numbers {
    fn of(typecode: u8) -> Option<Numbers> {
        let (mem, shift) = match typecode {
            b'd' => (MemTy::F64, 3),
            b'b' => (MemTy::I8, 0),
            b'B' => (MemTy::U8, 0),
            b'h' => (MemTy::I16, 1),
            b'H' => (MemTy::U16, 1),
            b'i' => (MemTy::I32, 2),
            b'I' => (MemTy::U32, 2),
            b'l' | b'q' => (MemTy::I64, 3),
            _ => return None,
        };
        Some(Numbers { typecode, mem, shift })
    }

    /// Those of bytes and bytearrays.
    const BYTES: Numbers = Numbers { typecode: b'B', mem: MemTy::U8, shift: 0 };
}

/// Types whose elements are numbers without objects.
const NUMERIC: PyTypes = PyTypes::ARRAY.union(PyTypes::BYTES).union(PyTypes::BYTEARRAY);

/// Types whose elements are read in line by an int.
const INDEXED: PyTypes = NUMERIC.union(LIST_OR_TUPLE);

const LIST_OR_TUPLE: PyTypes = PyTypes::LIST.union(PyTypes::TUPLE);

impl Builder<'_> {
    // ---- locals ----

    pub fn load_fast(&mut self, local: u32) {
        self.check_bound(local);
        let Local { form, py, big } = self.state.locals[local as usize];
        match form {
            Form::Raw { raw, .. } => self.push(Item::Raw { raw, local: Some(local) }),
            Form::Number(number) if self.feeds_arithmetic() => self.push(Item::Number(number)),
            Form::Number(_) => {
                self.flush_local(local);
                let value = self.local_object(local);
                self.push(Item::Object { value, own: Own::Local(local), py: NUMBER, big: false, known: None });
            }
            Form::Slot { .. } | Form::MaybeRaw { .. } => {
                let value = self.local_object(local);
                self.exemplify_local(local, value);
                self.push(Item::Object { value, own: Own::Local(local), py, big, known: None });
            }
        }
    }

    /// Raises UnboundLocalError if the local may be and is unbound.
    fn check_bound(&mut self, local: u32) {
        let py = self.state.locals[local as usize].py;
        if !py.may_be_null() {
            return;
        }
        if let Form::MaybeRaw { raw, bound } = self.state.locals[local as usize].form {
            let unbound = self.branch(bound, true);
            self.aside(unbound, |b| {
                b.state.locals[local as usize] = Local::slot(PyTypes::NULL);
                b.raise_unbound(Helper::UnboundLocal, local);
            });
            let form = Form::Raw { raw, dirty: true };
            self.state.locals[local as usize] = Local { form, py: raw.py(), big: false };
            return;
        }
        let value = self.local_object(local);
        self.check_value(value, Helper::UnboundLocal, local);
        self.state.locals[local as usize].py.remove(PyTypes::NULL);
        let py = self.state.locals[local as usize].py;
        if py.is_empty() {
            // Always unbound: what follows is never reached, but must be well formed.
            self.state.locals[local as usize].py = PyTypes::OBJECT;
        }
    }

    /// Raises if a variable's value is null, by a helper as [`Self::raise_unbound`] wants it.
    fn check_value(&mut self, value: Value, helper: Helper, local: u32) {
        let null = self.emit(Op::Null(Ty::Obj));
        let bound = self.compare(Cond::Ne, value, null);
        let unbound = self.branch(bound, true);
        self.aside(unbound, |b| b.raise_unbound(helper, local));
    }

    /// Raises the error that names an unbound variable: the helper, of (frame, index), is known to set it.
    fn raise_unbound(&mut self, helper: Helper, local: u32) {
        let frame = self.frame();
        let index = self.int(i64::from(local));
        self.call_for_null(helper, vec![frame, index]);
        let block = self.block;
        self.unwind_from(block, true);
    }

    pub fn delete_fast(&mut self, local: u32) {
        self.check_bound(local);
        self.detach(local);
        self.flush_local(local);
        let py = self.state.locals[local as usize].py;
        let value = self.local_object(local);
        let null = self.emit(Op::Null(Ty::Obj));
        self.effect(Op::SlotSet(local, null));
        self.state.locals[local as usize] = Local::slot(PyTypes::NULL);
        self.release_value(value, py);
    }

    // ---- cells ----

    pub fn make_cell(&mut self, local: u32) {
        self.detach(local);
        self.flush_local(local);
        let slot = self.emit(Op::SlotAddress(local));
        self.state.locals[local as usize] = Local::slot(PyTypes::all());
        self.call_status(Helper::MakeCell, vec![slot]);
        self.state.locals[local as usize] = Local::slot(PyTypes::CELL);
    }

    pub fn load_closure(&mut self, local: u32) {
        let value = self.emit(Op::SlotGet(local));
        self.typed(value, PyTypes::OBJECT);
        self.effect(Op::Incref(value));
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn load_deref(&mut self, local: u32) {
        let cell = self.emit(Op::SlotGet(local));
        let value = self.load(MemTy::Ptr, Ty::Obj, cell, self.request.layout.cell_value);
        self.check_value(value, Helper::LoadDeref, local);
        self.typed(value, PyTypes::OBJECT);
        self.push(Item::Object { value, own: Own::Volatile, py: PyTypes::OBJECT, big: false, known: None });
    }

    pub fn store_deref(&mut self, local: u32) {
        let value = self.pop_owned();
        let cell = self.emit(Op::SlotGet(local));
        self.call(Helper::StoreDeref, vec![cell, value]);
    }

    /// A helper of (frame, index) whose status tells of errors.
    pub fn frame_index_status(&mut self, helper: Helper, index: u32) {
        let frame = self.frame();
        let index = self.int(i64::from(index));
        self.call_status(helper, vec![frame, index]);
    }

    pub fn load_classderef(&mut self, local: u32) {
        let frame = self.frame();
        let index = self.int(i64::from(local));
        let value = self.call_object(Helper::LoadClassDeref, vec![frame, index]);
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn copy_free_vars(&mut self, count: u32) {
        let frame = self.frame();
        let n = self.int(i64::from(count));
        self.call(Helper::CopyFreeVars, vec![frame, n]);
        let total = self.state.locals.len();
        for local in total - count as usize..total {
            self.state.locals[local] = Local::slot(PyTypes::CELL);
        }
    }

    // ---- globals and names ----

    pub fn load_global(&mut self, name: u32, push_null: bool, feedback: &Feedback) {
        if push_null {
            self.push(Item::Null);
        }
        self.flush_names();
        self.start_as_owned();
        let environment = self.request.environment;
        let place = if self.request.options.inline_globals && self.may_guess(Reason::Version) {
            environment.global_value_offset(name, feedback)
        } else {
            None
        };
        let Some(place) = place else {
            let frame = self.frame();
            let symbol = self.name_symbol(name);
            let value = self.call_object(Helper::LoadGlobal, vec![frame, symbol]);
            self.exemplify(value, environment.global_example(name));
            self.push_owned(value, PyTypes::OBJECT);
            self.recognise(name, value);
            return;
        };
        // Guards leave to the start of the instruction: the null just pushed is not part of it.
        let layout = self.request.layout;
        let foreign = self.inlining.and_then(|body| body.foreign);
        let (holder, globals, builtins) = match foreign {
            Some(function) => (function, layout.function_globals, layout.function_builtins),
            None => (self.frame(), layout.frame_globals, layout.frame_builtins),
        };
        let globals = self.load(MemTy::Ptr, Ty::Ptr, holder, globals);
        let mut keys = self.load(MemTy::Ptr, Ty::Ptr, globals, layout.dict_keys);
        self.guard_keys_version(keys, place.module_keys_version);
        if place.in_builtins {
            let builtins = self.load(MemTy::Ptr, Ty::Ptr, holder, builtins);
            keys = self.load(MemTy::Ptr, Ty::Ptr, builtins, layout.dict_keys);
            self.guard_keys_version(keys, place.builtin_keys_version);
        }
        let value = self.load(MemTy::Ptr, Ty::Obj, keys, place.value_offset);
        let known;
        let mut own = Own::Volatile;
        if let Some((builtin, address)) = environment.known_global(name) {
            self.addresses.push(address);
            let symbol = Symbol::Address(self.addresses.len() as u32 - 1);
            let expected = self.emit(Op::Symbol(symbol, Ty::Obj));
            let same = self.compare(Cond::Eq, value, expected);
            self.guard(same, Reason::Version);
            known = Some(builtin);
            own = Own::Permanent;
        } else {
            self.guard_there(value, Ty::Obj);
            known = self.guess_global(name);
            self.exemplify(value, environment.global_example(name));
        }
        self.count("inline_globals");
        self.typed(value, PyTypes::OBJECT);
        self.push(Item::Object { value, own, py: PyTypes::OBJECT, big: false, known });
    }

    /// Guards that a global just pushed is the builtin that the name is bound to now, if the compiler knows that one.
    fn recognise(&mut self, name: u32, value: Value) {
        if !self.request.options.inline_globals || !self.may_guess(Reason::Version) {
            return;
        }
        let Some((builtin, address)) = self.request.environment.known_global(name) else {
            let guess = self.guess_global(name);
            return self.recognise_top(guess);
        };
        self.addresses.push(address);
        let symbol = Symbol::Address(self.addresses.len() as u32 - 1);
        let expected = self.emit(Op::Symbol(symbol, Ty::Obj));
        let same = self.compare(Cond::Eq, value, expected);
        // The load is done: a wrong guess goes on after it.
        let state = self.state.clone();
        let leave = self.leave_with(&state, self.at.next, Reason::Version);
        self.effect(Op::Guard(same, leave));
        self.recognise_top(Some(builtin));
    }

    /// What a global name is bound to now, where whoever uses that guards what it is.
    fn guess_global(&self, name: u32) -> Option<Known> {
        let environment = self.request.environment;
        let callee = environment.global_callee(name).map(Known::Function);
        callee.or_else(|| environment.global_module(name).map(Known::Module))
    }

    pub(super) fn guard_keys_version(&mut self, keys: Value, version: u32) {
        let found = self.load(MemTy::U32, Ty::I64, keys, self.request.layout.keys_version);
        let expected = self.int(i64::from(version));
        let same = self.compare(Cond::Eq, found, expected);
        self.guard(same, Reason::Version);
    }

    /// `LOAD_NAME` and its like: helper of (frame, name).
    pub fn load_named(&mut self, helper: Helper, name: u32) {
        let frame = self.frame();
        let symbol = self.name_symbol(name);
        let value = self.call_object(helper, vec![frame, symbol]);
        self.push_owned(value, PyTypes::OBJECT);
    }

    pub fn store_named(&mut self, helper: Helper, name: u32) {
        let value = self.pop_owned();
        let frame = self.frame();
        let symbol = self.name_symbol(name);
        self.call_status(helper, vec![frame, symbol, value]);
    }

    pub fn delete_named(&mut self, helper: Helper, name: u32) {
        let frame = self.frame();
        let symbol = self.name_symbol(name);
        self.call_status(helper, vec![frame, symbol]);
    }

    // ---- subscripts ----

    /// Guards what an access to an element of a list, a tuple, bytes or an array of numbers needs: the container's exact type and
    /// an int index within range.
    pub(super) fn element(&mut self, feedback: &Feedback) -> Option<Place> {
        if !self.request.options.inline_containers
            || !self.may_guess(Reason::Type)
            || !self.may_guess(Reason::Range)
            || !self.may_guess(Reason::Overflow)
        {
            return None;
        }
        let container = self.state.stack[self.position(2)];
        let index = self.state.stack[self.position(1)];
        let Item::Object { py, .. } = container else { return None };
        let wanted = match (py.exact(), feedback) {
            (Some(exact), _) => exact,
            (None, Feedback::List) => PyTypes::LIST,
            (None, Feedback::Tuple) => PyTypes::TUPLE,
            (None, _) => self.container_type(container)?,
        };
        if !INDEXED.contains(wanted) {
            return None;
        }
        if !py.contains(wanted) {
            return None;
        }
        let index_py = self.item_py(index);
        // An array that is not indexed by ints is rare, and the interpreter records nothing about it.
        let int_index = index_py == PyTypes::INT
            || ((matches!(feedback, Feedback::List | Feedback::Tuple)
                || (NUMERIC.contains(wanted) && self.example(index).is_none())
                || self.example_type(index) == Some(PyTypes::INT))
                && index_py.contains(PyTypes::INT)
                && matches!(index, Item::Object { .. }));
        let fits = matches!(index, Item::Object { big: false, .. }) || self.number(index).is_some();
        if !int_index || !fits {
            return None;
        }
        let numbers = match wanted {
            PyTypes::ARRAY => Some(Numbers::of(self.example(container)?.typecode)?),
            PyTypes::BYTES | PyTypes::BYTEARRAY => Some(Numbers::BYTES),
            _ => None,
        };
        self.refine(2, wanted);
        if matches!(index, Item::Object { .. }) {
            self.refine(1, PyTypes::INT);
        }
        let Item::Object { value: container, .. } = container else { unreachable!("checked above") };
        let layout = self.request.layout;
        if let Some(numbers) = numbers.filter(|_| wanted == PyTypes::ARRAY) {
            let description = self.load(MemTy::Ptr, Ty::Ptr, container, layout.array_description);
            let found = self.load(MemTy::U8, Ty::I64, description, 0);
            let expected = self.int(i64::from(numbers.typecode));
            let same = self.compare(Cond::Eq, found, expected);
            self.guard(same, Reason::Type);
        }
        let raw = self.raw_at(1).value();
        let size = self.load(MemTy::I64, Ty::I64, container, layout.var_size);
        let index = match self.constant_index() {
            Some(i) if i >= 0 => raw,
            _ => {
                let zero = self.int(0);
                let negative = self.compare(Cond::Lt, raw, zero);
                let wrapped = self.binary(BinOp::Add, raw, size);
                self.emit(Op::Select(negative, wrapped, raw))
            }
        };
        let inside = self.compare(Cond::ULt, index, size);
        self.guard(inside, Reason::Range);
        let shift = self.int(numbers.map_or(3, |numbers| numbers.shift));
        let bytes = self.binary(BinOp::Shl, index, shift);
        let (base, offset) = match wanted {
            PyTypes::LIST => (self.load(MemTy::Ptr, Ty::Ptr, container, layout.list_items), 0),
            PyTypes::ARRAY => (self.load(MemTy::Ptr, Ty::Ptr, container, layout.array_items), 0),
            PyTypes::BYTEARRAY => (self.load(MemTy::Ptr, Ty::Ptr, container, layout.bytearray_start), 0),
            PyTypes::BYTES => (self.emit(Op::Unary(UnOp::Cast(Ty::Ptr), container)), layout.bytes_items),
            _ => (self.emit(Op::Unary(UnOp::Cast(Ty::Ptr), container)), layout.tuple_items),
        };
        let address = self.offset_by(base, bytes);
        Some(Place { address, offset, numbers })
    }

    /// The exact type of a container by its example, if its elements can be accessed in line.
    fn container_type(&self, container: Item) -> Option<PyTypes> {
        self.example(container)?.py.exact().filter(|py| INDEXED.contains(*py))
    }

    pub(super) fn constant_index(&self) -> Option<i64> {
        match self.state.stack[self.position(1)] {
            Item::Const(i) => match *self.constant(i) {
                crate::bytecode::code::Constant::Int(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn binary_subscr(&mut self, feedback: &Feedback) {
        if let Some(value) = self.known_element() {
            self.pop();
            self.pop();
            self.push_known(value);
            self.count("known_items");
            return;
        }
        let example = match (self.example(self.state.stack[self.position(2)]), self.constant_index()) {
            (Some(container), index) => Self::element_example(&container, index),
            _ => None,
        };
        if let Some(Place { address, offset, numbers }) = self.element(feedback) {
            self.count("inline_containers");
            if let Some(numbers) = numbers {
                let raw = match numbers.mem {
                    MemTy::F64 => Raw::Float(self.load(MemTy::F64, Ty::F64, address, offset)),
                    mem => Raw::Int(self.load(mem, Ty::I64, address, offset)),
                };
                let index = self.pop();
                let container = self.pop();
                self.release(index);
                self.release(container);
                self.push(Item::raw(raw));
                return;
            }
            let value = self.load(MemTy::Ptr, Ty::Obj, address, offset);
            self.typed(value, PyTypes::OBJECT);
            self.exemplify(value, example);
            let index = self.pop();
            let container = self.pop();
            let owned = |item: Item| matches!(item, Item::Object { own: Own::Owned, .. });
            if owned(container) || owned(index) {
                self.effect(Op::Incref(value));
                self.release(index);
                self.release(container);
                self.push_owned(value, PyTypes::OBJECT);
            } else {
                let own = Own::Volatile;
                self.push(Item::Object { value, own, py: PyTypes::OBJECT, big: false, known: None });
            }
            return;
        }
        let function = self.subscript_function(|example| example.getitem);
        let key = self.pop_owned();
        let container = self.pop_owned();
        let value = match function {
            Some(function) => {
                let ts = self.thread();
                self.call_object(Helper::SubscrFunction, vec![ts, function, container, key])
            }
            None => self.call_object(Helper::Subscr, vec![container, key]),
        };
        self.exemplify(value, example);
        self.push_owned(value, PyTypes::OBJECT);
    }

    /// The Python function that subscripts of the container call, by its example: what was found in a type is right, and
    /// alive, as long as the type has that version.
    fn subscript_function(&mut self, of: fn(&Example) -> u64) -> Option<Value> {
        let example = self.example(self.state.stack[self.position(2)])?;
        let function = of(&example);
        if function == 0 {
            return None;
        }
        self.guard_type_version(2, example.type_version)?;
        self.count("inline_methods");
        self.addresses.push(function);
        let symbol = Symbol::Address(self.addresses.len() as u32 - 1);
        let function = self.emit(Op::Symbol(symbol, Ty::Obj));
        Some(self.defined(function, PyTypes::OBJECT))
    }

    pub fn store_subscr(&mut self, feedback: &Feedback) {
        if self.storable(feedback)
            && let Some(Place { address, offset, numbers }) = self.element(feedback)
        {
            self.count("inline_containers");
            match numbers {
                Some(numbers) => self.store_number(address, offset, numbers),
                None => self.store_object(address, offset),
            }
            return;
        }
        let function = self.subscript_function(|example| example.setitem);
        let key = self.pop_owned();
        let container = self.pop_owned();
        let value = self.pop_owned();
        match function {
            Some(function) => {
                let ts = self.thread();
                self.call_status(Helper::StoreSubscrFunction, vec![ts, function, value, container, key]);
            }
            None => {
                self.call_status(Helper::StoreSubscr, vec![value, container, key]);
            }
        }
    }

    /// Whether the container of a store may be written in line, and if it is an array, the value is a number that fits
    /// (guarded where it is a guess).
    pub(super) fn storable(&mut self, feedback: &Feedback) -> bool {
        let container = self.state.stack[self.position(2)];
        let py = self.item_py(container);
        let guess = py.exact().or(if *feedback == Feedback::List {
            Some(PyTypes::LIST)
        } else {
            self.container_type(container)
        });
        match guess {
            Some(PyTypes::LIST) => py != PyTypes::TUPLE,
            Some(guess @ (PyTypes::ARRAY | PyTypes::BYTEARRAY)) => {
                let numbers = match guess {
                    PyTypes::ARRAY => self.example(container).and_then(|example| Numbers::of(example.typecode)),
                    _ => Some(Numbers::BYTES),
                };
                let Some(numbers) = numbers else { return false };
                if !self.may_guess(Reason::Type) || !self.may_guess(Reason::Overflow) {
                    return false;
                }
                let value = self.state.stack[self.position(3)];
                let floats = numbers.mem == MemTy::F64;
                match (self.number(value), value) {
                    (Some(RawKind::Int), _) => true,
                    (Some(RawKind::Float), _) => floats,
                    (None, Item::Object { py, big: false, .. }) => {
                        let wanted = if floats { PyTypes::FLOAT } else { PyTypes::INT };
                        let sure = self.example_type(value).is_none_or(|guess| guess == wanted);
                        if sure && py.contains(wanted) && !py.may_be_null() {
                            self.refine(3, wanted);
                        }
                        sure && py.contains(wanted) && !py.may_be_null()
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Pops index, container and number, which goes into the array.
    pub(super) fn store_number(&mut self, address: Value, offset: i32, numbers: Numbers) {
        let raw = self.raw_at(3);
        let value = if numbers.mem == MemTy::F64 {
            self.float_of(raw)
        } else {
            let value = raw.value();
            if matches!(numbers.mem, MemTy::U8 | MemTy::U16 | MemTy::U32) {
                let beyond = self.int(1 << (8 << numbers.shift));
                let fits = self.compare(Cond::ULt, value, beyond);
                self.guard(fits, Reason::Overflow);
            } else if numbers.mem != MemTy::I64 {
                let bits = self.int(64 - (8 << numbers.shift));
                let high = self.binary(BinOp::Shl, value, bits);
                let back = self.binary(BinOp::AShr, high, bits);
                let same = self.compare(Cond::Eq, back, value);
                self.guard(same, Reason::Overflow);
            }
            value
        };
        self.store(numbers.mem, address, offset, value);
        let index = self.pop();
        let container = self.pop();
        let item = self.pop();
        self.release(container);
        self.release(index);
        self.release(item);
    }

    /// Pops index, container and item, which takes the place of an element of a list.
    fn store_object(&mut self, address: Value, offset: i32) {
        let layout = self.request.layout;
        let index = self.pop();
        let container = self.pop();
        let item = self.pop();
        // Whatever else holds the value would have the same box.
        let number = match item {
            Item::Raw { raw: Raw::Float(number), .. } if !self.is_seen_elsewhere(Raw::Float(number)) => Some(number),
            _ => None,
        };
        if let Some(number) = number
            && self.request.options.reuse_floats
            && !layout.refcount_by_helper
        {
            self.count("reuse_floats");
            self.settle_volatile();
            let old = self.load(MemTy::Ptr, Ty::Obj, address, offset);
            self.typed(old, PyTypes::OBJECT);
            let done = self.function.new_block();
            let float = self.emit(Op::IsType(old, PyTypes::FLOAT));
            let other = self.branch(float, true);
            let count = self.load(MemTy::I64, Ty::I64, old, layout.ob_refcnt);
            let one = self.int(1);
            let alone = self.compare(Cond::Eq, count, one);
            let shared = self.branch(alone, true);
            // A float that only the list holds: nobody can tell its memory from a new one's.
            self.store(MemTy::F64, old, layout.float_value, number);
            self.goto(done);
            for (block, py) in [(shared, PyTypes::FLOAT), (other, PyTypes::OBJECT)] {
                self.aside(block, |b| {
                    let value = b.box_raw(Raw::Float(number));
                    b.store(MemTy::Ptr, address, offset, value);
                    b.release_value(old, py);
                    b.goto(done);
                });
            }
            self.block = done;
        } else {
            let value = self.own(item);
            self.settle_volatile();
            let old = self.load(MemTy::Ptr, Ty::Obj, address, offset);
            self.store(MemTy::Ptr, address, offset, value);
            self.release_value(old, PyTypes::OBJECT);
        }
        self.release(container);
        self.release(index);
    }

    // ---- building ----

    /// Stores the topmost items, owned, to consecutive stack slots; pops them; gives the address of the first.
    pub fn spill(&mut self, count: u32) -> Value {
        let first = self.position(count);
        let mut values = Vec::new();
        for position in first..self.state.stack.len() {
            values.push(self.own_at_keeping_null(position));
        }
        self.state.stack.truncate(first);
        for (i, value) in values.into_iter().enumerate() {
            self.effect(Op::SlotSet(self.stack_slot(first + i), value));
        }
        self.emit(Op::SlotAddress(self.stack_slot(first)))
    }

    fn own_at_keeping_null(&mut self, position: usize) -> Value {
        match self.state.stack[position] {
            Item::Null => self.emit(Op::Null(Ty::Obj)),
            _ => self.own_at(position),
        }
    }

    /// A container from `count` stack items, by helper of (items, n).
    pub fn build_from_items(&mut self, helper: Helper, count: u32, n: u32, py: PyTypes) {
        let items = self.spill(count);
        let n = self.int(i64::from(n));
        let value = self.call_object(helper, vec![items, n]);
        self.push_owned(value, py);
    }

    pub fn format_value(&mut self, conversion: u8, with_spec: bool) {
        let spec = if with_spec { self.pop_owned() } else { self.emit(Op::Null(Ty::Obj)) };
        let value = self.pop_owned();
        let conversion = self.int(i64::from(conversion));
        let result = self.call_object(Helper::FormatValue, vec![value, spec, conversion]);
        // __format__ may return a subclass of str.
        self.push_owned(result, PyTypes::OBJECT);
    }

    /// `LIST_APPEND` and its like: the container lies `depth` below the items consumed.
    pub fn add_to(&mut self, helper: Helper, depth: u32, items: u32) {
        let mut values = Vec::new();
        for _ in 0..items {
            values.insert(0, self.pop_owned());
        }
        let position = self.position(depth);
        let container = self.own_at(position);
        let mut args = vec![container];
        args.extend(values);
        self.call_status(helper, args);
    }

    pub fn dict_merge(&mut self, depth: u32) {
        let update = self.pop_owned();
        let dict_position = self.position(depth);
        let callee_position = self.position(depth + 2);
        let dict = self.own_at(dict_position);
        let callee = self.own_at(callee_position);
        self.call_status(Helper::DictMerge, vec![dict, update, callee]);
    }

    /// One object in, one object out.
    pub fn convert_object(&mut self, helper: Helper, py: PyTypes) {
        let value = self.pop_owned();
        let result = self.call_object(helper, vec![value]);
        self.push_owned(result, py);
    }

    pub fn unpack_sequence(&mut self, count: u32, feedback: &Feedback) {
        if self.unpack_inline(count, feedback) {
            return;
        }
        let sequence = self.pop_owned();
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        let n = self.int(i64::from(count));
        self.call_status(Helper::UnpackSequence, vec![sequence, dest, n]);
        self.push_from_slots(first, count);
    }

    fn unpack_inline(&mut self, count: u32, feedback: &Feedback) -> bool {
        if !self.request.options.inline_containers || !self.may_guess(Reason::Range) {
            return false;
        }
        let item = self.state.stack[self.position(1)];
        let Item::Object { value: sequence, own, py, .. } = item else { return false };
        if own != Own::Owned
            && let Some(items) = self.known_items(sequence)
            && items.len() == count as usize
        {
            self.pop();
            items.iter().rev().for_each(|item| self.push_known(*item));
            self.count("known_items");
            return true;
        }
        let wanted = match (py.exact(), feedback) {
            // A list at one time and a tuple at another: this was found here, or where the same local was taken apart.
            (None, _) if !self.may_guess(Reason::Type) || LIST_OR_TUPLE.contains(py) => LIST_OR_TUPLE,
            (Some(PyTypes::LIST), _) | (None, Feedback::List) => PyTypes::LIST,
            (Some(PyTypes::TUPLE), _) | (None, Feedback::Tuple) => PyTypes::TUPLE,
            (None, _) => match self.example_type(item) {
                Some(exact @ (PyTypes::LIST | PyTypes::TUPLE)) => exact,
                _ => return false,
            },
            _ => return false,
        };
        let example = self.example(item);
        if !py.contains(wanted) || py.may_be_null() || count > 16 {
            return false;
        }
        let (base, offset) = if wanted == LIST_OR_TUPLE {
            let items = self.items_of_either(sequence, py);
            if let Own::Local(local) = own {
                self.state.locals[local as usize].py = wanted;
            }
            (items, 0)
        } else {
            self.refine(1, wanted);
            self.items_of(sequence, wanted == PyTypes::TUPLE)
        };
        let layout = self.request.layout;
        let size = self.load(MemTy::I64, Ty::I64, sequence, layout.var_size);
        let expected = self.int(i64::from(count));
        let same = self.compare(Cond::Eq, size, expected);
        self.guard(same, Reason::Range);
        let mut values = Vec::new();
        for i in 0..count {
            let value = self.load(MemTy::Ptr, Ty::Obj, base, offset + 8 * i as i32);
            values.push(self.typed(value, PyTypes::OBJECT));
            let element = example.as_ref().and_then(|example| Self::element_example(example, Some(i64::from(i))));
            self.exemplify(value, element);
        }
        self.count("inline_containers");
        let volatile = own != Own::Owned;
        if volatile {
            if let Some(items) = self.likely_items(sequence).filter(|items| items.len() == values.len())
                && self.may_guess(Reason::Version)
            {
                self.expect_items(&values, &items);
                values.copy_from_slice(&items);
                self.count("known_items");
            }
            self.remember_items(sequence, &values, wanted == PyTypes::TUPLE);
        }
        let item = self.pop();
        if volatile {
            values.into_iter().rev().for_each(|value| self.push_known(value));
        } else {
            for value in &values {
                self.effect(Op::Incref(*value));
            }
            self.release(match item {
                Item::Object { value, own, .. } => Item::Object { value, own, py: wanted, big: false, known: None },
                other => other,
            });
            values.into_iter().rev().for_each(|value| self.push(Item::owned(value, PyTypes::OBJECT)));
        }
        true
    }

    /// Where the items of a list or tuple are: a base and the first one's offset from it.
    fn items_of(&mut self, sequence: Value, tuple: bool) -> (Value, i32) {
        let layout = self.request.layout;
        match tuple {
            true => (self.emit(Op::Unary(UnOp::Cast(Ty::Ptr), sequence)), layout.tuple_items),
            false => (self.load(MemTy::Ptr, Ty::Ptr, sequence, layout.list_items), 0),
        }
    }

    /// The address of the first item of what may be a list or a tuple; leaves if it is neither.
    fn items_of_either(&mut self, sequence: Value, py: PyTypes) -> Value {
        let join = self.new_join();
        let items = self.function.add_param(join, Ty::Ptr);
        let tuple = self.emit(Op::IsType(sequence, PyTypes::TUPLE));
        let other = self.branch(tuple, false);
        let bytes = self.int(i64::from(self.request.layout.tuple_items));
        let of_tuple = self.offset_by(sequence, bytes);
        self.goto_with(join, of_tuple);
        self.block = other;
        if !LIST_OR_TUPLE.contains(py) {
            let list = self.emit(Op::IsType(sequence, PyTypes::LIST));
            self.guard(list, Reason::Range);
        }
        let (of_list, _) = self.items_of(sequence, false);
        self.goto_with(join, of_list);
        self.block = join;
        items
    }

    pub fn unpack_ex(&mut self, before: u32, after: u32) {
        let iterable = self.pop_owned();
        let first = self.state.stack.len();
        let dest = self.emit(Op::SlotAddress(self.stack_slot(first)));
        let (b, a) = (self.int(i64::from(before)), self.int(i64::from(after)));
        self.call_status(Helper::UnpackEx, vec![iterable, dest, b, a]);
        self.push_from_slots(first, before + 1 + after);
    }

    /// Pushes references that a helper left in stack slots.
    pub fn push_from_slots(&mut self, first: usize, count: u32) {
        for i in 0..count as usize {
            let value = self.emit(Op::SlotGet(self.stack_slot(first + i)));
            self.push_owned(value, PyTypes::OBJECT);
        }
    }

    pub fn get_len(&mut self) {
        let position = self.position(1);
        let value = self.own_at(position);
        let length = self.call_object(Helper::GetLen, vec![value]);
        self.push_owned(length, PyTypes::INT);
    }

    /// Helper of two borrowed operands at the top, which stay; the result is pushed.
    pub fn peek_two(&mut self, helper: Helper) {
        let (a, b) = (self.position(2), self.position(1));
        let (a, b) = (self.own_at(a), self.own_at(b));
        let result = self.call_object(helper, vec![a, b]);
        self.push_owned(result, PyTypes::OBJECT);
    }

    pub fn contains(&mut self, negate: bool) {
        let container = self.pop_owned();
        let item = self.pop_owned();
        let found = self.call_status(Helper::Contains, vec![item, container]);
        let result = if negate { self.negate(found) } else { found };
        self.push(Item::raw(Raw::Bool(result)));
    }
}
