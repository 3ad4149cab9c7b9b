//! Decoded instructions: what every later stage sees instead of opcode bytes.
//!
//! *Problem*: opcode numbers and operand encodings change with every CPython minor version, and the interpreter
//! rewrites opcodes in place while it specialises them. *Method*: each version has one decoder module
//! (`bytecode/v3_11.rs`, ...) that turns code units into [`Instruction`]s: a version-neutral [`Op`] whose operands are
//! already decoded (indices, targets as code-unit offsets, comparison kinds), and the [`Feedback`] that the
//! interpreter's own specialisation left behind. *Invariants*: `EXTENDED_ARG` and `CACHE` never appear; every jump
//! target is the offset of a decoded instruction; an `Op` is always the base operation, never a specialised one.

/// Position in the bytecode, in code units (2 bytes) from the start of the code.
pub type Offset = u32;

/// One instruction. `offset` is where it can be resumed: its first `EXTENDED_ARG` if it has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// Code unit at which the interpreter must resume to execute this instruction (first prefix).
    pub offset: Offset,
    /// Code unit of the opcode itself: what tracebacks and the exception table refer to.
    pub opcode_offset: Offset,
    /// Code unit after the instruction and its inline caches.
    pub next: Offset,
    pub op: Op,
    pub feedback: Feedback,
}

/// Arithmetic of `BINARY_OP`, numbered as `NB_*` in CPython's `Include/opcode.h` (in-place forms are `in_place`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Arithmetic {
    Add = 0,
    And = 1,
    FloorDivide = 2,
    LeftShift = 3,
    MatrixMultiply = 4,
    Multiply = 5,
    Remainder = 6,
    Or = 7,
    Power = 8,
    RightShift = 9,
    Subtract = 10,
    TrueDivide = 11,
    Xor = 12,
}

/// Rich comparison, numbered as `Py_LT` ... `Py_GE` in CPython's `Include/object.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Comparison {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

/// `UNARY_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Unary {
    Positive = 0,
    Negative = 1,
    Not = 2,
    Invert = 3,
}

/// When a conditional jump is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JumpIf {
    False,
    True,
    None,
    NotNone,
}

/// A base operation with decoded operands. Stack effects are CPython's (`Python/ceval.c` of the version decoded);
/// `name`, `constant` and `local` are indices into `co_names`, `co_consts` and localsplus.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Nop,
    PopTop,
    PushNull,
    /// `COPY(i)`: push the i-th item from the top again; 1 is the top.
    Copy(u32),
    /// `SWAP(i)`: exchange the top with the i-th item; 1 is the top.
    Swap(u32),
    LoadConst(u32),
    LoadFast(u32),
    StoreFast(u32),
    DeleteFast(u32),
    MakeCell(u32),
    /// Pushes the cell object itself.
    LoadClosure(u32),
    LoadDeref(u32),
    LoadClassDeref(u32),
    StoreDeref(u32),
    DeleteDeref(u32),
    CopyFreeVars(u32),
    LoadGlobal {
        name: u32,
        push_null: bool,
    },
    StoreGlobal(u32),
    DeleteGlobal(u32),
    LoadName(u32),
    StoreName(u32),
    DeleteName(u32),
    LoadAttr(u32),
    LoadMethod(u32),
    StoreAttr(u32),
    DeleteAttr(u32),
    Unary(Unary),
    BinaryOp {
        op: Arithmetic,
        in_place: bool,
    },
    CompareOp(Comparison),
    IsOp {
        negate: bool,
    },
    ContainsOp {
        negate: bool,
    },
    BinarySubscr,
    StoreSubscr,
    DeleteSubscr,
    GetLen,
    BuildTuple(u32),
    BuildList(u32),
    BuildSet(u32),
    BuildMap(u32),
    BuildConstKeyMap(u32),
    BuildString(u32),
    BuildSlice(u32),
    /// `FORMAT_VALUE`: conversion 0 none, 1 str, 2 repr, 3 ascii; `with_spec` pops a format spec.
    FormatValue {
        conversion: u8,
        with_spec: bool,
    },
    ListAppend(u32),
    SetAdd(u32),
    MapAdd(u32),
    ListExtend(u32),
    SetUpdate(u32),
    DictUpdate(u32),
    DictMerge(u32),
    ListToTuple,
    UnpackSequence(u32),
    /// `before` items, then a list of the rest, then `after` items.
    UnpackEx {
        before: u32,
        after: u32,
    },
    GetIter,
    GetYieldFromIter,
    /// Falls through with the next item pushed; jumps to `exhausted` with the iterator popped.
    ForIter {
        exhausted: Offset,
    },
    JumpForward(Offset),
    /// A backward jump that polls for signals and the like before it jumps.
    JumpBackward(Offset),
    /// A backward jump that does not poll (`JUMP_BACKWARD_NO_INTERRUPT`, inside `yield from`).
    JumpBackwardNoInterrupt(Offset),
    /// Pops the condition. `backward` jumps poll when taken.
    PopJumpIf {
        when: JumpIf,
        target: Offset,
        backward: bool,
    },
    /// `JUMP_IF_{FALSE,TRUE}_OR_POP`: keeps the condition when it jumps.
    JumpIfOrPop {
        when: JumpIf,
        target: Offset,
    },
    /// Names (a constant tuple) of the keyword arguments of the `Call` that follows.
    KwNames(u32),
    /// Prepares the call that follows (3.11 `PRECALL`); resume point of a call.
    Precall(u32),
    Call(u32),
    CallFunctionEx {
        has_kwargs: bool,
    },
    /// `MAKE_FUNCTION` flags: 1 defaults, 2 kwdefaults, 4 annotations, 8 closure.
    MakeFunction(u32),
    LoadBuildClass,
    LoadAssertionError,
    ImportName(u32),
    ImportFrom(u32),
    ImportStar,
    PrintExpr,
    SetupAnnotations,
    ReturnValue,
    /// `RESUME`: 0 start, 1 after yield, 2 after yield from, 3 after await. Polls when below 2.
    Resume(u32),
    ReturnGenerator,
    YieldValue,
    AsyncGenWrap,
    /// Jumps to `done` when the receiver finished.
    Send {
        done: Offset,
    },
    GetAwaitable(u32),
    GetAiter,
    GetAnext,
    EndAsyncFor,
    BeforeWith,
    BeforeAsyncWith,
    WithExceptStart,
    PushExcInfo,
    PopExcept,
    CheckExcMatch,
    CheckEgMatch,
    PrepReraiseStar,
    /// `RAISE_VARARGS(0..=2)`.
    RaiseVarargs(u32),
    /// `RERAISE(n)`: when n is not 0, `lasti` lies n items below the exception and is restored.
    Reraise(u32),
    MatchMapping,
    MatchSequence,
    MatchKeys,
    MatchClass(u32),
}

/// What CPython's specialising interpreter learned at an instruction; see `Python/specialize.c`.
/// Facts that hold for the opcode alone are variants; those with data carry their inline cache's contents.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Feedback {
    /// Not specialised (yet), or specialisation failed.
    #[default]
    None,
    /// `BINARY_OP_{ADD,SUBTRACT,MULTIPLY}_INT`, `COMPARE_OP_INT_JUMP`: both operands exact `int`.
    Int,
    /// `BINARY_OP_*_FLOAT`, `COMPARE_OP_FLOAT_JUMP`: both operands exact `float`.
    Float,
    /// `BINARY_OP_ADD_UNICODE`, `BINARY_OP_INPLACE_ADD_UNICODE`, `COMPARE_OP_STR_JUMP`: both exact `str`.
    Str,
    /// `*_LIST_INT`: exact `list` indexed by exact `int`; also `UNPACK_SEQUENCE_LIST`.
    List,
    /// `*_TUPLE_INT`; also `UNPACK_SEQUENCE_TUPLE` and `_TWO_TUPLE`.
    Tuple,
    /// `*_DICT`: exact `dict`.
    Dict,
    /// `BINARY_SUBSCR_GETITEM`: a Python `__getitem__`.
    GetItem { type_version: u32 },
    /// `LOAD_GLOBAL_MODULE`: index into the module dictionary's entries while its keys version holds.
    GlobalModule { index: u16, module_keys: u32 },
    /// `LOAD_GLOBAL_BUILTIN`: index into the builtins dictionary's entries.
    GlobalBuiltin { index: u16, module_keys: u32, builtin_keys: u16 },
    /// `{LOAD,STORE}_ATTR_INSTANCE_VALUE`: index into the instance's values.
    InstanceValue { type_version: u32, index: u16 },
    /// `{LOAD,STORE}_ATTR_SLOT`: byte offset of the slot in the object.
    Slot { type_version: u32, offset: u16 },
    /// `{LOAD,STORE}_ATTR_WITH_HINT`: index into the instance dictionary's entries.
    WithHint { type_version: u32, hint: u16 },
    /// `LOAD_ATTR_MODULE`.
    Module { keys_version: u32, index: u16 },
    /// `LOAD_METHOD_{WITH_VALUES,WITH_DICT,NO_DICT,CLASS,MODULE}`: `descriptor` is a borrowed address that is valid only
    /// while a live type has `type_version`.
    /// `Module`: `type_version` is 0, `keys_version` that of the module dictionary, `descriptor` the index of its entry.
    Method { kind: MethodKind, type_version: u32, keys_version: u32, descriptor: u64 },
    /// `PRECALL_*` and `CALL_*`: kind of callee.
    Call(CallKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    WithValues,
    WithDict,
    NoDict,
    Class,
    Module,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    BoundMethod,
    BuiltinClass,
    BuiltinFast,
    BuiltinFastWithKeywords,
    BuiltinO,
    IsInstance,
    Len,
    ListAppend,
    MethodDescriptorFast,
    MethodDescriptorFastWithKeywords,
    MethodDescriptorNoArgs,
    MethodDescriptorO,
    Str1,
    Tuple1,
    Type1,
    /// `version` of the function; 0 (a number no function has) when it is not known: `PRECALL_PYFUNC`.
    PyFunction {
        version: u32,
    },
}
