//! Operations of the IR, on two levels.
//!
//! *Problem*: optimisations speak of objects, backends of words. *Method*: one enumeration holds the operations of
//! both levels: Python operations, which know objects, slots and references, and primitive operations, which backends
//! implement; `lower` turns the first into the second. *Invariants*: an operation says by its kind what it reads,
//! whether it has effects and what it gives, never by where it stands.

use super::types::{MemTy, PyTypes, Ty};
use crate::bytecode::instruction::Offset;
use crate::exit::ExitId;
use crate::helpers::Helper;

/// Two-operand operations. Integer ones wrap; shifts take amounts 0..=63 and are undefined beyond.
/// `SDiv` and `SRem` truncate towards zero; the divisor must not be 0, nor -1 with the smallest integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Shl,
    AShr,
    LShr,
    SDiv,
    SRem,
    FAdd,
    FSub,
    FMul,
    FDiv,
}

/// One-operand operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnOp {
    Neg,
    Not,
    FNeg,
    FAbs,
    FSqrt,
    /// Largest integral float not above the operand (C `floor`).
    FFloor,
    /// Signed integer to nearest float.
    IntToFloat,
    /// Truncates; the operand must lie within the range of `I64`.
    FloatToInt,
    /// Same 64 bits, other type.
    BitsToFloat,
    FloatToBits,
    /// `Obj` or `I64` to `Ptr`, `Ptr` to `I64` or `Obj`: no code, the result's type says which.
    Cast(Ty),
}

/// Conditions. Signed integers, unsigned integers (`U..`), floats (`F..`): ordered, except `FNe` which holds for NaN.
/// Addresses compare with `Eq`, `Ne` and the unsigned ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cond {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    ULt,
    ULe,
    UGt,
    UGe,
    FEq,
    FNe,
    FLt,
    FLe,
    FGt,
    FGe,
}

/// Integer operations that can be checked for overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OverflowOp {
    Add,
    Sub,
    Mul,
}

/// An address that is known only where the code will run; resolved at emission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// `co_consts[i]`, borrowed from the code object.
    Const(u32),
    /// `co_names[i]`, borrowed from the code object.
    Name(u32),
    /// The type object of an exact built-in type (one bit).
    Type(PyTypes),
    /// The singletons, borrowed.
    None,
    True,
    False,
    /// The code unit at an offset in the live code object.
    CodeUnit(Offset),
    /// Address of the interpreter's `ceval.eval_breaker` (an `i32`).
    EvalBreaker,
    /// The small-int table's first entry (the object for -5) and its stride are data of the layout.
    SmallInts,
    /// Any other fixed address, by index into the unit's own table (see the resolver that the embedder provides).
    Address(u32),
}

/// How a compiled function ends; the number is the status it returns (`docs/exits.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i64)]
pub enum Status {
    /// `out[0]` is the result, a new reference.
    Returned = 0,
    /// An exception is set; traceback entry added.
    Raised = 1,
    /// `out[0]` is the yielded value, a new reference; the frame is suspended.
    Yielded = 2,
    /// As `Returned`, of a plain function's frame that nothing but the thread knows: the references of its locals are
    /// released, and the frame is no longer the current one.
    Finished = 3,
}

/// Exit numbers start here: status `FIRST_EXIT + n` means exit `n` was taken and its values are in `out`.
pub const FIRST_EXIT: i64 = 16;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub u32);
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block(pub u32);

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "%{}", self.0)
    }
}
impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b{}", self.0)
    }
}

/// Where an instruction leaves to when it fails: the exit's number and the values its description refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Leave {
    pub exit: ExitId,
    pub values: Vec<Value>,
}

/// A branch target with arguments for its block's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub block: Block,
    pub args: Vec<Value>,
}

/// One instruction. The comment on each variant gives `operands -> result`.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    // ---- primitive: what backends implement ----
    /// `-> I64`
    IConst(i64),
    /// `-> F64`, by bits so that NaNs and -0.0 survive.
    FConst(u64),
    /// `-> ty` (`Obj` or `Ptr`): the null address.
    Null(Ty),
    /// `-> ty` (`Obj` or `Ptr`).
    Symbol(Symbol, Ty),
    Binary(BinOp, Value, Value),
    Unary(UnOp, Value),
    /// `-> I64` 0 or 1. Operands of the same type.
    Compare(Cond, Value, Value),
    /// `I64 cond, a, b -> type of a`.
    Select(Value, Value, Value),
    /// `-> I64` the exact result, or leaves.
    BinaryOrLeave(OverflowOp, Value, Value, Leave),
    /// `I64 -> `: leaves when the operand is 0.
    Guard(Value, Leave),
    /// `base + offset -> type of the access` (`I64`, `F64`, or `ty` for `MemTy::Ptr`).
    Load {
        mem: MemTy,
        ty: Ty,
        base: Value,
        offset: i32,
    },
    Store {
        mem: MemTy,
        base: Value,
        offset: i32,
        value: Value,
    },
    /// Calls a helper with the C calling convention; signature in the helper table.
    Call(Helper, Vec<Value>),
    /// `-> Ptr`: the parameters `frame`, `ts` and `out` of the compiled function.
    Frame,
    ThreadState,
    /// The out buffer. Lowered code uses its first words as scratch memory for results of helpers, read back at once.
    Out,

    // ---- Python: turned into primitive operations by `lower` ----
    /// `Obj -> `: leaves unless the object's type is exactly the one named (one bit; operand not null).
    GuardType(Value, PyTypes, Leave),
    /// `Obj -> I64`: 1 if the object's type is exactly the one named.
    IsType(Value, PyTypes),
    /// `Obj (exact float) -> F64`
    UnboxFloat(Value),
    /// `Obj (exact int) -> I64`: leaves when the int does not fit.
    UnboxInt(Value, Leave),
    /// `Obj (True or False) -> I64`
    UnboxBool(Value),
    /// `F64 -> Obj`, new reference.
    BoxFloat(Value),
    /// `I64 -> Obj`, new reference.
    BoxInt(Value),
    /// `I64 -> Obj`, new reference.
    BoxBool(Value),
    /// `Obj -> ` not null.
    Incref(Value),
    /// `Obj -> ` not null; may run Python when it drops the last reference.
    Decref(Value),
    /// `Obj -> ` may be null.
    XDecref(Value),
    /// `-> Obj`: localsplus slot i, borrowed, may be null (stack items are slots nlocalsplus + depth).
    SlotGet(u32),
    /// `Obj -> `: stores without looking at the old content; the slot takes the reference (or null).
    SlotSet(u32, Value),
    /// `-> Ptr`: address of localsplus slot i.
    SlotAddress(u32),
    /// Marks the instruction as the one being executed (`prev_instr`): what tracebacks and handlers see.
    SetIp(Offset),

    // ---- terminators ----
    Jump(Target),
    /// `I64`: not 0 goes to the first.
    Branch(Value, Target, Target),
    /// `I64`: case k goes to the k-th target, anything else to the default.
    Switch(Value, Vec<Target>, Target),
    /// Stores the value (if any) to `out[0]` and returns the status.
    Return(Status, Option<Value>),
    /// Leaves unconditionally.
    Leave(Leave),
    Unreachable,
}
