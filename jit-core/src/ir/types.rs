//! Machine-level types of IR values and the lattice of Python types.

use bitflags::bitflags;

/// What an IR value is made of. Backends see `Obj` as `Ptr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    /// A `PyObject *` (possibly null where the operation says so).
    Obj,
    /// A 64-bit integer; truth values are 0 and 1.
    I64,
    F64,
    /// Any other address.
    Ptr,
}

/// Width and extension of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemTy {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    I64,
    F64,
    Ptr,
}

bitflags! {
    /// The set of Python types a value may have. A set with one bit is an exact built-in type; `OTHER` stands for every
    /// type without a bit of its own, subclasses of the built-in ones included. Join is union, so the lattice's height is
    /// the number of bits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct PyTypes: u32 {
        /// No object: an unbound local, or the null that `PUSH_NULL` pushes.
        const NULL = 1 << 0;
        const NONE = 1 << 1;
        const BOOL = 1 << 2;
        const INT = 1 << 3;
        const FLOAT = 1 << 4;
        const STR = 1 << 5;
        const BYTES = 1 << 6;
        const LIST = 1 << 7;
        const TUPLE = 1 << 8;
        const DICT = 1 << 9;
        const SET = 1 << 10;
        const FROZENSET = 1 << 11;
        const RANGE = 1 << 12;
        const RANGE_ITER = 1 << 13;
        const LIST_ITER = 1 << 14;
        const TUPLE_ITER = 1 << 15;
        const FUNCTION = 1 << 16;
        const CELL = 1 << 17;
        const COMPLEX = 1 << 18;
        const SLICE = 1 << 19;
        const BYTEARRAY = 1 << 20;
        const METHOD = 1 << 21;
        const BUILTIN = 1 << 22;
        const TYPE = 1 << 23;
        const MODULE = 1 << 24;
        const ARRAY = 1 << 25;
        const ENUMERATE = 1 << 26;
        const ZIP = 1 << 27;
        const REVERSED = 1 << 28;
        const OTHER = 1 << 31;
    }
}

impl PyTypes {
    /// Any object, never null.
    pub const OBJECT: PyTypes = PyTypes::all().difference(PyTypes::NULL);

    /// The single built-in type this set names, if it is exact.
    pub fn exact(self) -> Option<PyTypes> {
        (self.bits().count_ones() == 1 && !self.intersects(PyTypes::OTHER | PyTypes::NULL)).then_some(self)
    }

    pub fn may_be_null(self) -> bool {
        self.contains(PyTypes::NULL)
    }
}
