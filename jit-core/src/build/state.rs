//! The abstract state of a Python frame at a point of the bytecode: what each local and stack item is, and where.
//!
//! *Problem*: compiled code wants raw floats and ints in registers; the interpreter wants objects in slots; the two must
//! be convertible into each other at every instruction. *Method*: a [`State`] says for each local whether its slot holds
//! it or a raw value stands for it, and for each stack item which value it is and who owns the reference. *Invariants*:
//! - a local in [`Form::Slot`] is owned by its slot, which is right at all times;
//! - the slot of a local in raw form holds null or an object whose release runs no Python (stale, or equal if not dirty);
//! - an item owned by a local (`Own::Local`) is given a reference of its own before that local changes;
//! - an item that borrows from a container (`Own::Volatile`) is given one before anything can change the container.

use super::contents::Contents;
use super::intrinsics::{Builtin, Method};
use crate::ir::op::Value;
use crate::ir::types::{PyTypes, Ty};

/// Types whose objects can be released without running Python code.
pub const BENIGN: PyTypes = PyTypes::NULL
    .union(PyTypes::NONE)
    .union(PyTypes::BOOL)
    .union(PyTypes::INT)
    .union(PyTypes::FLOAT)
    .union(PyTypes::STR)
    .union(PyTypes::BYTES)
    .union(PyTypes::COMPLEX)
    .union(PyTypes::RANGE)
    .union(PyTypes::RANGE_ITER);

/// Types whose objects are iterators that loops ask without `tp_iternext`.
pub const ITERATORS: PyTypes = PyTypes::LIST_ITER
    .union(PyTypes::TUPLE_ITER)
    .union(PyTypes::ENUMERATE)
    .union(PyTypes::ZIP)
    .union(PyTypes::RANGE_ITER);

/// Who holds the reference of a stack item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Own {
    /// The item itself.
    Owned,
    /// The slot of a local, as long as the local is not changed.
    Local(u32),
    /// A container, until anything can change it.
    Volatile,
    /// Something that lives as long as the code (constants, singletons).
    Permanent,
}

/// A raw machine value that stands for an exact float, int or bool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Raw {
    Float(Value),
    Int(Value),
    Bool(Value),
}

impl Raw {
    pub fn value(self) -> Value {
        match self {
            Raw::Float(v) | Raw::Int(v) | Raw::Bool(v) => v,
        }
    }

    pub fn py(self) -> PyTypes {
        match self {
            Raw::Float(_) => PyTypes::FLOAT,
            Raw::Int(_) => PyTypes::INT,
            Raw::Bool(_) => PyTypes::BOOL,
        }
    }

    pub fn ty(self) -> Ty {
        if matches!(self, Raw::Float(_)) { Ty::F64 } else { Ty::I64 }
    }

    /// As source number `index` of an exit.
    pub fn source(self, index: u32) -> crate::exit::Source {
        match self {
            Raw::Float(_) => crate::exit::Source::Float(index),
            Raw::Int(_) => crate::exit::Source::Int(index),
            Raw::Bool(_) => crate::exit::Source::Bool(index),
        }
    }

    pub fn kind(self) -> RawKind {
        match self {
            Raw::Float(_) => RawKind::Float,
            Raw::Int(_) => RawKind::Int,
            Raw::Bool(_) => RawKind::Bool,
        }
    }
}

/// A number as a float, and whether it is an int: 1 or 0. Ints among them are smaller than 2^53, and never minus zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    pub value: Value,
    pub is_int: Value,
}

/// Types of a [`Number`].
pub const NUMBER: PyTypes = PyTypes::INT.union(PyTypes::FLOAT);

/// [`Raw`] without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RawKind {
    Float,
    Int,
    Bool,
}

impl RawKind {
    pub fn with(self, value: Value) -> Raw {
        match self {
            RawKind::Float => Raw::Float(value),
            RawKind::Int => Raw::Int(value),
            RawKind::Bool => Raw::Bool(value),
        }
    }

    pub fn py(self) -> PyTypes {
        match self {
            RawKind::Float => PyTypes::FLOAT,
            RawKind::Int => PyTypes::INT,
            RawKind::Bool => PyTypes::BOOL,
        }
    }

    pub fn ty(self) -> Ty {
        if self == RawKind::Float { Ty::F64 } else { Ty::I64 }
    }
}

/// A builtin that the compiler recognises by identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Known {
    /// The type object of a built-in type (one bit).
    Type(PyTypes),
    /// A function of a builtin module.
    Builtin(Builtin),
    /// The descriptor of a built-in type's method.
    Method(Method),
    /// A Python function whose body may be inlined, by its number.
    Function(u32),
    /// One of several Python functions, by the number of their list.
    OneOf(u32),
    /// A module, by its number: a guess, which whoever uses it guards.
    Module(u32),
}

/// An item of the value stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// The null that calls and methods use.
    Null,
    /// `co_consts[i]`.
    Const(u32),
    /// An object; null only if its types say so. `big`: an int known not to be worth unboxing.
    Object { value: Value, own: Own, py: PyTypes, big: bool, known: Option<Known> },
    /// A raw value; `local` when it is the current raw value of that local.
    Raw { raw: Raw, local: Option<u32> },
    /// A raw number that is an int at one time and a float at another (`numbers`).
    Number(Number),
    /// An exact range iterator (owned) whose next index is `index`; the object's own index field is kept right.
    RangeIter { iter: Value, index: Value },
    /// In the body of an inlined function only: a tuple that was not built, by the number of its items.
    Tuple(u32),
    /// In the body of an inlined function only: the empty dictionary of its `**` parameter, which was not made.
    NoKeywords,
    /// In the body of an inlined `__init__` only: the instance, which is made when the body is over.
    Instance,
}

impl Item {
    /// Whether it borrows from a container.
    pub fn is_volatile(&self) -> bool {
        matches!(self, Item::Object { own: Own::Volatile, .. })
    }

    pub fn owned(value: Value, py: PyTypes) -> Item {
        Item::Object { value, own: Own::Owned, py, big: false, known: None }
    }

    pub fn raw(raw: Raw) -> Item {
        Item::Raw { raw, local: None }
    }

    /// Whether it is that raw value.
    pub fn is_raw(&self, raw: Raw) -> bool {
        matches!(self, Item::Raw { raw: held, .. } if *held == raw)
    }
}

/// Where a local's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// In its slot; `value` is the slot's content if it was loaded already (borrowed from the slot).
    Slot { value: Option<Value> },
    /// Raw; `dirty` when the slot does not hold an equal object.
    Raw { raw: Raw, dirty: bool },
    /// Where `bound` is 1, as raw and dirty; where it is 0, unbound, the slot being null. Loops need this: what their body
    /// assigns is unbound when they are entered.
    MaybeRaw { raw: Raw, bound: Value },
    /// Raw and dirty, an int at one time and a float at another (`numbers`).
    Number(Number),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    pub form: Form,
    /// Types of the value (of the slot's content in `Form::Slot`).
    pub py: PyTypes,
    /// An int that should stay an object.
    pub big: bool,
}

impl Local {
    pub fn slot(py: PyTypes) -> Local {
        Local { form: Form::Slot { value: None }, py, big: false }
    }
}

#[derive(Debug, PartialEq)]
pub struct State {
    pub locals: Vec<Local>,
    /// Names of a module or class body that the build follows.
    pub names: Vec<Name>,
    pub stack: Vec<Item>,
    /// Python ran in the middle of the current instruction: 0 if it changed the type of a name. Then what `names` says
    /// does not hold, and the dictionary is right.
    pub suspect: Option<Value>,
    /// Items of sequences that were read.
    pub(super) contents: Vec<Contents>,
}

impl Clone for State {
    fn clone(&self) -> State {
        State {
            locals: self.locals.clone(),
            names: self.names.clone(),
            stack: self.stack.clone(),
            suspect: self.suspect,
            contents: self.contents.clone(),
        }
    }

    /// A copy is made at every instruction: into the memory of the one before.
    fn clone_from(&mut self, from: &State) {
        self.locals.clone_from(&from.locals);
        self.names.clone_from(&from.names);
        self.stack.clone_from(&from.stack);
        self.suspect = from.suspect;
        self.contents.clone_from(&from.contents);
    }
}

/// What is known of a name whose value lives in the frame's namespace dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    Unknown,
    /// A number; `constant`: it is that entry of `co_consts`.
    Raw {
        raw: Raw,
        kept: Kept,
        constant: Option<u32>,
    },
}

/// Whether the dictionary holds the object of a raw name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// It does.
    Clean,
    /// It may: an equal number of the same type there is the object.
    Unsure,
    /// It does not, and no such object exists.
    Dirty,
}

impl Name {
    pub fn is_dirty(self) -> bool {
        matches!(self, Name::Raw { kept: Kept::Unsure | Kept::Dirty, .. })
    }
}

/// What a merge point expects of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameShape {
    /// Nothing yet: it can be read where another side has it raw.
    Unknown,
    Raw(RawKind),
    /// Sides disagree: it stays in the dictionary.
    Dictionary,
}

impl NameShape {
    fn join(self, other: NameShape) -> NameShape {
        match (self, other) {
            (a, b) if a == b => a,
            (NameShape::Unknown, x) | (x, NameShape::Unknown) => x,
            _ => NameShape::Dictionary,
        }
    }
}

/// What a merge point expects of a stack item: the join of what arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemShape {
    Null,
    Object { py: PyTypes, big: bool, known: Option<Known> },
    Raw(RawKind),
    RangeIter,
}

/// What a merge point expects of a local. `Raw` arrives dirty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalShape {
    Slot {
        py: PyTypes,
        big: bool,
    },
    Raw(RawKind),
    MaybeRaw(RawKind),
    /// An int over one edge and a float over another.
    Number,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub locals: Vec<LocalShape>,
    pub names: Vec<NameShape>,
    pub stack: Vec<ItemShape>,
}

impl ItemShape {
    /// Types of the item as an object.
    fn py(self) -> PyTypes {
        match self {
            ItemShape::Null => PyTypes::NULL,
            ItemShape::Object { py, .. } => py,
            ItemShape::Raw(kind) => kind.py(),
            ItemShape::RangeIter => PyTypes::RANGE_ITER,
        }
    }

    /// A number of one exact type, raw or to be made raw.
    fn is_number(self) -> bool {
        !matches!(self, ItemShape::Object { big: true, .. })
            && matches!(self.py(), PyTypes::INT | PyTypes::FLOAT | PyTypes::BOOL)
    }

    /// `unboxing`: an object of the exact type may be made raw where the other side is.
    fn join(self, other: ItemShape, unboxing: bool) -> ItemShape {
        if self == other {
            return self;
        }
        if unboxing
            && let (raw @ ItemShape::Raw(kind), ItemShape::Object { py, big: false, .. })
            | (ItemShape::Object { py, big: false, .. }, raw @ ItemShape::Raw(kind)) = (self, other)
            && py == kind.py()
        {
            return raw;
        }
        let (big, known) = match (self, other) {
            (ItemShape::Object { big: a, known: x, .. }, ItemShape::Object { big: b, known: y, .. }) => {
                (a || b, if x == y { x } else { None })
            }
            (ItemShape::Object { big, .. }, _) | (_, ItemShape::Object { big, .. }) => (big, None),
            _ => (false, None),
        };
        ItemShape::Object { py: self.py() | other.py(), big, known }
    }
}

impl LocalShape {
    fn join(self, other: LocalShape, allow_raw: bool, allow_unboxing: bool, allow_number: bool) -> LocalShape {
        use LocalShape::*;
        let is_number = |shape: LocalShape| NUMBER.contains(shape.parts().0);
        match (self, other) {
            (Raw(a), Raw(b)) if a == b && allow_raw => self,
            (Raw(a) | MaybeRaw(a), Raw(b) | MaybeRaw(b)) if a == b && allow_raw => MaybeRaw(a),
            (Raw(kind) | MaybeRaw(kind), Slot { py: PyTypes::NULL, .. })
            | (Slot { py: PyTypes::NULL, .. }, Raw(kind) | MaybeRaw(kind))
                if allow_raw =>
            {
                MaybeRaw(kind)
            }
            (MaybeRaw(kind), Slot { py, big: false }) | (Slot { py, big: false }, MaybeRaw(kind))
                if py == kind.py() && allow_unboxing =>
            {
                MaybeRaw(kind)
            }
            (Raw(kind), Slot { py, big: false }) | (Slot { py, big: false }, Raw(kind))
                if py == kind.py() && allow_unboxing =>
            {
                Raw(kind)
            }
            (Raw(_) | Number, Raw(_) | Number) if allow_number && is_number(self) && is_number(other) => Number,
            (Raw(_) | Number, Slot { py: PyTypes::INT | PyTypes::FLOAT, big: false })
            | (Slot { py: PyTypes::INT | PyTypes::FLOAT, big: false }, Raw(_) | Number)
                if allow_number && is_number(self) && is_number(other) =>
            {
                Number
            }
            _ => {
                let (a, x) = self.parts();
                let (b, y) = other.parts();
                Slot { py: a | b, big: x || y }
            }
        }
    }

    fn parts(self) -> (PyTypes, bool) {
        match self {
            LocalShape::Slot { py, big } => (py, big),
            LocalShape::Raw(kind) => (kind.py(), false),
            LocalShape::MaybeRaw(kind) => (kind.py() | PyTypes::NULL, false),
            LocalShape::Number => (NUMBER, false),
        }
    }
}

impl Shape {
    /// The least shape above both; `allow_raw` is off where raw merges were given up, `allow_unboxing` where only those that
    /// unbox what arrives as an object were. `allow_number`: whether a local may be a number of either kind. `consumed`: so many
    /// items at the top are the operands of arithmetic.
    pub fn join(
        &self,
        other: &Shape,
        allow_raw: bool,
        allow_unboxing: bool,
        allow_number: impl Fn(u32) -> bool,
        consumed: usize,
    ) -> Shape {
        assert_eq!(self.stack.len(), other.stack.len(), "stack depths differ at a merge");
        let computed = self.stack.len().saturating_sub(consumed);
        let numbers = |shape: &Shape| shape.stack[computed..].iter().all(|item| item.is_number());
        // Numbers among themselves do not show whether they are the same objects as elsewhere.
        let unboxing = allow_raw && allow_unboxing && consumed > 0 && numbers(self) && numbers(other);
        Shape {
            locals: (0..)
                .zip(self.locals.iter().zip(&other.locals))
                .map(|(local, (a, b))| a.join(*b, allow_raw, allow_unboxing, a != b && allow_number(local)))
                .collect(),
            names: self.names.iter().zip(&other.names).map(|(a, b)| a.join(*b)).collect(),
            stack: (0..)
                .zip(self.stack.iter().zip(&other.stack))
                .map(|(position, (a, b))| a.join(*b, unboxing && position >= computed))
                .collect(),
        }
    }
}

impl State {
    /// A state in which nothing is known of `names` names.
    pub fn new(locals: Vec<Local>, names: usize) -> State {
        State { locals, names: vec![Name::Unknown; names], stack: Vec::new(), suspect: None, contents: Vec::new() }
    }

    /// What this state offers to a merge point; `constant` gives the type of an entry of `co_consts`, and whether
    /// it is a big int.
    pub fn shape(&self, allow_raw: bool, constant: impl Fn(u32) -> (PyTypes, bool)) -> Shape {
        Shape {
            locals: self
                .locals
                .iter()
                .map(|local| match local.form {
                    // A clean raw value merges as the object in its slot: reboxing would lose its identity.
                    Form::Raw { raw, dirty: true } if allow_raw => LocalShape::Raw(raw.kind()),
                    Form::MaybeRaw { raw, .. } if allow_raw => LocalShape::MaybeRaw(raw.kind()),
                    Form::Number(_) if allow_raw => LocalShape::Number,
                    _ => LocalShape::Slot { py: local.py, big: local.big },
                })
                .collect(),
            names: self
                .names
                .iter()
                .map(|name| match name {
                    Name::Unknown => NameShape::Unknown,
                    Name::Raw { raw, .. } if allow_raw => NameShape::Raw(raw.kind()),
                    Name::Raw { .. } => NameShape::Dictionary,
                })
                .collect(),
            stack: self
                .stack
                .iter()
                .map(|item| match *item {
                    Item::Null => ItemShape::Null,
                    Item::Const(i) => {
                        let (py, big) = constant(i);
                        ItemShape::Object { py, big, known: None }
                    }
                    Item::Object { py, big, known, .. } => ItemShape::Object { py, big, known },
                    Item::Raw { raw, .. } if allow_raw => ItemShape::Raw(raw.kind()),
                    Item::Raw { raw, .. } => ItemShape::Object { py: raw.py(), big: false, known: None },
                    Item::RangeIter { .. } => ItemShape::RangeIter,
                    Item::Number(_) => ItemShape::Object { py: NUMBER, big: false, known: None },
                    Item::Tuple(_) | Item::NoKeywords | Item::Instance => {
                        ItemShape::Object { py: PyTypes::OBJECT, big: false, known: None }
                    }
                })
                .collect(),
        }
    }
}
