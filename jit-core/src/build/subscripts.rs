//! Subscripts: reading and writing elements of containers.
//!
//! *Method*: every instruction has its generic form, a helper call; where the interpreter's inline caches or known types say
//! what the operands are, the element is read or written in line behind guards. *Invariants*: an element read in line is
//! borrowed from its container (`Own::Volatile`) until something could change the container; all guards come before the store.

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

pub(super) const LIST_OR_TUPLE: PyTypes = PyTypes::LIST.union(PyTypes::TUPLE);

impl Builder<'_> {
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
}
