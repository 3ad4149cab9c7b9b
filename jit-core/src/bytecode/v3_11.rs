//! Bytecode of CPython 3.11 (magic number 3495).
//!
//! *Problem*: opcode numbers, operand encodings, inline caches and specialised opcodes belong to one minor version.
//! *Method*: four questions, one function each: how many caches follow ([`caches`]), what is the base of a specialised
//! opcode ([`base`]), which [`Op`] is a base opcode with its operand ([`operation`]), what does a specialised opcode
//! with its caches say ([`feedback`]). Sources: `Include/opcode.h`, `Include/internal/pycore_opcode.h` (deoptimisation
//! table), `Include/internal/pycore_code.h` (cache layouts), `Python/ceval.c` (operands).
//! *Invariants*: nothing here looks at more than one instruction; every function is total over its byte arguments.

use super::code::CodeObject;
use super::decode::OperandError;
use super::instruction::{Arithmetic, CallKind, Comparison, Feedback, JumpIf, MethodKind, Offset, Op, Unary};

/// First two bytes of a `.pyc`, little endian.
pub const MAGIC: u16 = 3495;

macro_rules! opcodes {
    ($($name:ident = $number:literal,)*) => {
        /// Opcode numbers, base and specialised.
        pub mod opcode {
            $(pub const $name: u8 = $number;)*
        }

        /// CPython's name of an opcode, base or specialised.
        pub fn name(opcode: u8) -> Option<&'static str> {
            match opcode {
                $($number => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}

opcodes! {
    CACHE = 0,
    POP_TOP = 1,
    PUSH_NULL = 2,
    BINARY_OP_ADAPTIVE = 3,
    BINARY_OP_ADD_FLOAT = 4,
    BINARY_OP_ADD_INT = 5,
    BINARY_OP_ADD_UNICODE = 6,
    BINARY_OP_INPLACE_ADD_UNICODE = 7,
    BINARY_OP_MULTIPLY_FLOAT = 8,
    NOP = 9,
    UNARY_POSITIVE = 10,
    UNARY_NEGATIVE = 11,
    UNARY_NOT = 12,
    BINARY_OP_MULTIPLY_INT = 13,
    BINARY_OP_SUBTRACT_FLOAT = 14,
    UNARY_INVERT = 15,
    BINARY_OP_SUBTRACT_INT = 16,
    BINARY_SUBSCR_ADAPTIVE = 17,
    BINARY_SUBSCR_DICT = 18,
    BINARY_SUBSCR_GETITEM = 19,
    BINARY_SUBSCR_LIST_INT = 20,
    BINARY_SUBSCR_TUPLE_INT = 21,
    CALL_ADAPTIVE = 22,
    CALL_PY_EXACT_ARGS = 23,
    CALL_PY_WITH_DEFAULTS = 24,
    BINARY_SUBSCR = 25,
    COMPARE_OP_ADAPTIVE = 26,
    COMPARE_OP_FLOAT_JUMP = 27,
    COMPARE_OP_INT_JUMP = 28,
    COMPARE_OP_STR_JUMP = 29,
    GET_LEN = 30,
    MATCH_MAPPING = 31,
    MATCH_SEQUENCE = 32,
    MATCH_KEYS = 33,
    EXTENDED_ARG_QUICK = 34,
    PUSH_EXC_INFO = 35,
    CHECK_EXC_MATCH = 36,
    CHECK_EG_MATCH = 37,
    JUMP_BACKWARD_QUICK = 38,
    LOAD_ATTR_ADAPTIVE = 39,
    LOAD_ATTR_INSTANCE_VALUE = 40,
    LOAD_ATTR_MODULE = 41,
    LOAD_ATTR_SLOT = 42,
    LOAD_ATTR_WITH_HINT = 43,
    LOAD_CONST__LOAD_FAST = 44,
    LOAD_FAST__LOAD_CONST = 45,
    LOAD_FAST__LOAD_FAST = 46,
    LOAD_GLOBAL_ADAPTIVE = 47,
    LOAD_GLOBAL_BUILTIN = 48,
    WITH_EXCEPT_START = 49,
    GET_AITER = 50,
    GET_ANEXT = 51,
    BEFORE_ASYNC_WITH = 52,
    BEFORE_WITH = 53,
    END_ASYNC_FOR = 54,
    LOAD_GLOBAL_MODULE = 55,
    LOAD_METHOD_ADAPTIVE = 56,
    LOAD_METHOD_CLASS = 57,
    LOAD_METHOD_MODULE = 58,
    LOAD_METHOD_NO_DICT = 59,
    STORE_SUBSCR = 60,
    DELETE_SUBSCR = 61,
    LOAD_METHOD_WITH_DICT = 62,
    LOAD_METHOD_WITH_VALUES = 63,
    PRECALL_ADAPTIVE = 64,
    PRECALL_BOUND_METHOD = 65,
    PRECALL_BUILTIN_CLASS = 66,
    PRECALL_BUILTIN_FAST_WITH_KEYWORDS = 67,
    GET_ITER = 68,
    GET_YIELD_FROM_ITER = 69,
    PRINT_EXPR = 70,
    LOAD_BUILD_CLASS = 71,
    PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS = 72,
    PRECALL_NO_KW_BUILTIN_FAST = 73,
    LOAD_ASSERTION_ERROR = 74,
    RETURN_GENERATOR = 75,
    PRECALL_NO_KW_BUILTIN_O = 76,
    PRECALL_NO_KW_ISINSTANCE = 77,
    PRECALL_NO_KW_LEN = 78,
    PRECALL_NO_KW_LIST_APPEND = 79,
    PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST = 80,
    PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS = 81,
    LIST_TO_TUPLE = 82,
    RETURN_VALUE = 83,
    IMPORT_STAR = 84,
    SETUP_ANNOTATIONS = 85,
    YIELD_VALUE = 86,
    ASYNC_GEN_WRAP = 87,
    PREP_RERAISE_STAR = 88,
    POP_EXCEPT = 89,
    STORE_NAME = 90,
    DELETE_NAME = 91,
    UNPACK_SEQUENCE = 92,
    FOR_ITER = 93,
    UNPACK_EX = 94,
    STORE_ATTR = 95,
    DELETE_ATTR = 96,
    STORE_GLOBAL = 97,
    DELETE_GLOBAL = 98,
    SWAP = 99,
    LOAD_CONST = 100,
    LOAD_NAME = 101,
    BUILD_TUPLE = 102,
    BUILD_LIST = 103,
    BUILD_SET = 104,
    BUILD_MAP = 105,
    LOAD_ATTR = 106,
    COMPARE_OP = 107,
    IMPORT_NAME = 108,
    IMPORT_FROM = 109,
    JUMP_FORWARD = 110,
    JUMP_IF_FALSE_OR_POP = 111,
    JUMP_IF_TRUE_OR_POP = 112,
    PRECALL_NO_KW_METHOD_DESCRIPTOR_O = 113,
    POP_JUMP_FORWARD_IF_FALSE = 114,
    POP_JUMP_FORWARD_IF_TRUE = 115,
    LOAD_GLOBAL = 116,
    IS_OP = 117,
    CONTAINS_OP = 118,
    RERAISE = 119,
    COPY = 120,
    PRECALL_NO_KW_STR_1 = 121,
    BINARY_OP = 122,
    SEND = 123,
    LOAD_FAST = 124,
    STORE_FAST = 125,
    DELETE_FAST = 126,
    PRECALL_NO_KW_TUPLE_1 = 127,
    POP_JUMP_FORWARD_IF_NOT_NONE = 128,
    POP_JUMP_FORWARD_IF_NONE = 129,
    RAISE_VARARGS = 130,
    GET_AWAITABLE = 131,
    MAKE_FUNCTION = 132,
    BUILD_SLICE = 133,
    JUMP_BACKWARD_NO_INTERRUPT = 134,
    MAKE_CELL = 135,
    LOAD_CLOSURE = 136,
    LOAD_DEREF = 137,
    STORE_DEREF = 138,
    DELETE_DEREF = 139,
    JUMP_BACKWARD = 140,
    PRECALL_NO_KW_TYPE_1 = 141,
    CALL_FUNCTION_EX = 142,
    PRECALL_PYFUNC = 143,
    EXTENDED_ARG = 144,
    LIST_APPEND = 145,
    SET_ADD = 146,
    MAP_ADD = 147,
    LOAD_CLASSDEREF = 148,
    COPY_FREE_VARS = 149,
    RESUME_QUICK = 150,
    RESUME = 151,
    MATCH_CLASS = 152,
    STORE_ATTR_ADAPTIVE = 153,
    STORE_ATTR_INSTANCE_VALUE = 154,
    FORMAT_VALUE = 155,
    BUILD_CONST_KEY_MAP = 156,
    BUILD_STRING = 157,
    STORE_ATTR_SLOT = 158,
    STORE_ATTR_WITH_HINT = 159,
    LOAD_METHOD = 160,
    STORE_FAST__LOAD_FAST = 161,
    LIST_EXTEND = 162,
    SET_UPDATE = 163,
    DICT_MERGE = 164,
    DICT_UPDATE = 165,
    PRECALL = 166,
    STORE_FAST__STORE_FAST = 167,
    STORE_SUBSCR_ADAPTIVE = 168,
    STORE_SUBSCR_DICT = 169,
    STORE_SUBSCR_LIST_INT = 170,
    CALL = 171,
    KW_NAMES = 172,
    POP_JUMP_BACKWARD_IF_NOT_NONE = 173,
    POP_JUMP_BACKWARD_IF_NONE = 174,
    POP_JUMP_BACKWARD_IF_FALSE = 175,
    POP_JUMP_BACKWARD_IF_TRUE = 176,
    UNPACK_SEQUENCE_ADAPTIVE = 177,
    UNPACK_SEQUENCE_LIST = 178,
    UNPACK_SEQUENCE_TUPLE = 179,
    UNPACK_SEQUENCE_TWO_TUPLE = 180,
    DO_TRACING = 255,
}

use opcode::*;

/// Inline cache units that follow a base opcode.
pub fn caches(base: u8) -> u32 {
    match base {
        BINARY_OP | PRECALL | STORE_SUBSCR | UNPACK_SEQUENCE => 1,
        COMPARE_OP => 2,
        BINARY_SUBSCR | CALL | LOAD_ATTR | STORE_ATTR => 4,
        LOAD_GLOBAL => 5,
        LOAD_METHOD => 10,
        _ => 0,
    }
}

/// The base opcode of any opcode the interpreter can leave in `co_code_adaptive`; `None` for numbers that name no
/// executable instruction (`CACHE`, `DO_TRACING`, gaps).
pub fn base(opcode: u8) -> Option<u8> {
    Some(match opcode {
        BINARY_OP_ADAPTIVE
        | BINARY_OP_ADD_FLOAT
        | BINARY_OP_ADD_INT
        | BINARY_OP_ADD_UNICODE
        | BINARY_OP_INPLACE_ADD_UNICODE
        | BINARY_OP_MULTIPLY_FLOAT
        | BINARY_OP_MULTIPLY_INT
        | BINARY_OP_SUBTRACT_FLOAT
        | BINARY_OP_SUBTRACT_INT => BINARY_OP,
        BINARY_SUBSCR_ADAPTIVE
        | BINARY_SUBSCR_DICT
        | BINARY_SUBSCR_GETITEM
        | BINARY_SUBSCR_LIST_INT
        | BINARY_SUBSCR_TUPLE_INT => BINARY_SUBSCR,
        CALL_ADAPTIVE | CALL_PY_EXACT_ARGS | CALL_PY_WITH_DEFAULTS => CALL,
        COMPARE_OP_ADAPTIVE | COMPARE_OP_FLOAT_JUMP | COMPARE_OP_INT_JUMP | COMPARE_OP_STR_JUMP => COMPARE_OP,
        EXTENDED_ARG_QUICK => EXTENDED_ARG,
        JUMP_BACKWARD_QUICK => JUMP_BACKWARD,
        LOAD_ATTR_ADAPTIVE | LOAD_ATTR_INSTANCE_VALUE | LOAD_ATTR_MODULE | LOAD_ATTR_SLOT | LOAD_ATTR_WITH_HINT => {
            LOAD_ATTR
        }
        LOAD_CONST__LOAD_FAST => LOAD_CONST,
        LOAD_FAST__LOAD_CONST | LOAD_FAST__LOAD_FAST => LOAD_FAST,
        LOAD_GLOBAL_ADAPTIVE | LOAD_GLOBAL_BUILTIN | LOAD_GLOBAL_MODULE => LOAD_GLOBAL,
        LOAD_METHOD_ADAPTIVE
        | LOAD_METHOD_CLASS
        | LOAD_METHOD_MODULE
        | LOAD_METHOD_NO_DICT
        | LOAD_METHOD_WITH_DICT
        | LOAD_METHOD_WITH_VALUES => LOAD_METHOD,
        PRECALL_ADAPTIVE
        | PRECALL_BOUND_METHOD
        | PRECALL_BUILTIN_CLASS
        | PRECALL_BUILTIN_FAST_WITH_KEYWORDS
        | PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS
        | PRECALL_NO_KW_BUILTIN_FAST
        | PRECALL_NO_KW_BUILTIN_O
        | PRECALL_NO_KW_ISINSTANCE
        | PRECALL_NO_KW_LEN
        | PRECALL_NO_KW_LIST_APPEND
        | PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST
        | PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS
        | PRECALL_NO_KW_METHOD_DESCRIPTOR_O
        | PRECALL_NO_KW_STR_1
        | PRECALL_NO_KW_TUPLE_1
        | PRECALL_NO_KW_TYPE_1
        | PRECALL_PYFUNC => PRECALL,
        RESUME_QUICK => RESUME,
        STORE_ATTR_ADAPTIVE | STORE_ATTR_INSTANCE_VALUE | STORE_ATTR_SLOT | STORE_ATTR_WITH_HINT => STORE_ATTR,
        STORE_FAST__LOAD_FAST | STORE_FAST__STORE_FAST => STORE_FAST,
        STORE_SUBSCR_ADAPTIVE | STORE_SUBSCR_DICT | STORE_SUBSCR_LIST_INT => STORE_SUBSCR,
        UNPACK_SEQUENCE_ADAPTIVE | UNPACK_SEQUENCE_LIST | UNPACK_SEQUENCE_TUPLE | UNPACK_SEQUENCE_TWO_TUPLE => {
            UNPACK_SEQUENCE
        }
        CACHE | DO_TRACING => return None,
        other => {
            name(other)?;
            other
        }
    })
}

/// The operation of base opcode `opcode` with its whole operand. `next` is the code unit after the instruction and its
/// caches: what jumps are relative to. `None` when `opcode` is not a base instruction.
pub fn operation(code: &CodeObject, opcode: u8, operand: u32, next: Offset) -> Option<Result<Op, OperandError>> {
    let index = |table: &'static str, length: usize, make: fn(u32) -> Op| {
        if (operand as usize) < length {
            Ok(make(operand))
        } else {
            Err(OperandError::Index { table, index: operand, length })
        }
    };
    let name = |make: fn(u32) -> Op| index("co_names", code.names.len(), make);
    let constant = |make: fn(u32) -> Op| index("co_consts", code.constants.len(), make);
    let local = |make: fn(u32) -> Op| index("localsplus", code.locals_plus_names.len(), make);
    let within = |most: u32, make: fn(u32) -> Op| {
        if operand <= most { Ok(make(operand)) } else { Err(OperandError::Range { operand }) }
    };
    let position = |make: fn(u32) -> Op| {
        if operand >= 1 { Ok(make(operand)) } else { Err(OperandError::Range { operand }) }
    };
    let truth = |make: fn(bool) -> Op| {
        if operand <= 1 { Ok(make(operand == 1)) } else { Err(OperandError::Range { operand }) }
    };
    let forward = || next.checked_add(operand).ok_or(OperandError::Jump);
    let backward = || next.checked_sub(operand).ok_or(OperandError::Jump);
    let pop_jump = |when: JumpIf, is_backward: bool| {
        let target = if is_backward { backward() } else { forward() };
        target.map(|target| Op::PopJumpIf { when, target, backward: is_backward })
    };

    Some(match opcode {
        NOP => Ok(Op::Nop),
        POP_TOP => Ok(Op::PopTop),
        PUSH_NULL => Ok(Op::PushNull),
        COPY => position(Op::Copy),
        SWAP => position(Op::Swap),
        LOAD_CONST => constant(Op::LoadConst),
        LOAD_FAST => local(Op::LoadFast),
        STORE_FAST => local(Op::StoreFast),
        DELETE_FAST => local(Op::DeleteFast),
        MAKE_CELL => local(Op::MakeCell),
        LOAD_CLOSURE => local(Op::LoadClosure),
        LOAD_DEREF => local(Op::LoadDeref),
        LOAD_CLASSDEREF => local(Op::LoadClassDeref),
        STORE_DEREF => local(Op::StoreDeref),
        DELETE_DEREF => local(Op::DeleteDeref),
        COPY_FREE_VARS => within(code.locals_plus_names.len() as u32, Op::CopyFreeVars),
        LOAD_GLOBAL => {
            let name = operand >> 1;
            if (name as usize) < code.names.len() {
                Ok(Op::LoadGlobal { name, push_null: operand & 1 == 1 })
            } else {
                Err(OperandError::Index { table: "co_names", index: name, length: code.names.len() })
            }
        }
        STORE_GLOBAL => name(Op::StoreGlobal),
        DELETE_GLOBAL => name(Op::DeleteGlobal),
        LOAD_NAME => name(Op::LoadName),
        STORE_NAME => name(Op::StoreName),
        DELETE_NAME => name(Op::DeleteName),
        LOAD_ATTR => name(Op::LoadAttr),
        LOAD_METHOD => name(Op::LoadMethod),
        STORE_ATTR => name(Op::StoreAttr),
        DELETE_ATTR => name(Op::DeleteAttr),
        UNARY_POSITIVE => Ok(Op::Unary(Unary::Positive)),
        UNARY_NEGATIVE => Ok(Op::Unary(Unary::Negative)),
        UNARY_NOT => Ok(Op::Unary(Unary::Not)),
        UNARY_INVERT => Ok(Op::Unary(Unary::Invert)),
        BINARY_OP => match arithmetic(operand) {
            Some((op, in_place)) => Ok(Op::BinaryOp { op, in_place }),
            None => Err(OperandError::Range { operand }),
        },
        COMPARE_OP => match operand {
            0 => Ok(Op::CompareOp(Comparison::Lt)),
            1 => Ok(Op::CompareOp(Comparison::Le)),
            2 => Ok(Op::CompareOp(Comparison::Eq)),
            3 => Ok(Op::CompareOp(Comparison::Ne)),
            4 => Ok(Op::CompareOp(Comparison::Gt)),
            5 => Ok(Op::CompareOp(Comparison::Ge)),
            _ => Err(OperandError::Range { operand }),
        },
        IS_OP => truth(|negate| Op::IsOp { negate }),
        CONTAINS_OP => truth(|negate| Op::ContainsOp { negate }),
        BINARY_SUBSCR => Ok(Op::BinarySubscr),
        STORE_SUBSCR => Ok(Op::StoreSubscr),
        DELETE_SUBSCR => Ok(Op::DeleteSubscr),
        GET_LEN => Ok(Op::GetLen),
        BUILD_TUPLE => Ok(Op::BuildTuple(operand)),
        BUILD_LIST => Ok(Op::BuildList(operand)),
        BUILD_SET => Ok(Op::BuildSet(operand)),
        BUILD_MAP => Ok(Op::BuildMap(operand)),
        BUILD_CONST_KEY_MAP => Ok(Op::BuildConstKeyMap(operand)),
        BUILD_STRING => Ok(Op::BuildString(operand)),
        BUILD_SLICE => {
            if operand == 2 || operand == 3 {
                Ok(Op::BuildSlice(operand))
            } else {
                Err(OperandError::Range { operand })
            }
        }
        FORMAT_VALUE => {
            if operand <= 7 {
                Ok(Op::FormatValue { conversion: (operand & 3) as u8, with_spec: operand & 4 != 0 })
            } else {
                Err(OperandError::Range { operand })
            }
        }
        LIST_APPEND => position(Op::ListAppend),
        SET_ADD => position(Op::SetAdd),
        MAP_ADD => position(Op::MapAdd),
        LIST_EXTEND => position(Op::ListExtend),
        SET_UPDATE => position(Op::SetUpdate),
        DICT_UPDATE => position(Op::DictUpdate),
        DICT_MERGE => position(Op::DictMerge),
        LIST_TO_TUPLE => Ok(Op::ListToTuple),
        UNPACK_SEQUENCE => Ok(Op::UnpackSequence(operand)),
        UNPACK_EX => Ok(Op::UnpackEx { before: operand & 0xFF, after: operand >> 8 }),
        GET_ITER => Ok(Op::GetIter),
        GET_YIELD_FROM_ITER => Ok(Op::GetYieldFromIter),
        FOR_ITER => forward().map(|exhausted| Op::ForIter { exhausted }),
        JUMP_FORWARD => forward().map(Op::JumpForward),
        JUMP_BACKWARD => backward().map(Op::JumpBackward),
        JUMP_BACKWARD_NO_INTERRUPT => backward().map(Op::JumpBackwardNoInterrupt),
        POP_JUMP_FORWARD_IF_FALSE => pop_jump(JumpIf::False, false),
        POP_JUMP_FORWARD_IF_TRUE => pop_jump(JumpIf::True, false),
        POP_JUMP_FORWARD_IF_NONE => pop_jump(JumpIf::None, false),
        POP_JUMP_FORWARD_IF_NOT_NONE => pop_jump(JumpIf::NotNone, false),
        POP_JUMP_BACKWARD_IF_FALSE => pop_jump(JumpIf::False, true),
        POP_JUMP_BACKWARD_IF_TRUE => pop_jump(JumpIf::True, true),
        POP_JUMP_BACKWARD_IF_NONE => pop_jump(JumpIf::None, true),
        POP_JUMP_BACKWARD_IF_NOT_NONE => pop_jump(JumpIf::NotNone, true),
        JUMP_IF_FALSE_OR_POP => forward().map(|target| Op::JumpIfOrPop { when: JumpIf::False, target }),
        JUMP_IF_TRUE_OR_POP => forward().map(|target| Op::JumpIfOrPop { when: JumpIf::True, target }),
        KW_NAMES => constant(Op::KwNames),
        PRECALL => Ok(Op::Precall(operand)),
        CALL => Ok(Op::Call(operand)),
        CALL_FUNCTION_EX => truth(|has_kwargs| Op::CallFunctionEx { has_kwargs }),
        MAKE_FUNCTION => within(15, Op::MakeFunction),
        LOAD_BUILD_CLASS => Ok(Op::LoadBuildClass),
        LOAD_ASSERTION_ERROR => Ok(Op::LoadAssertionError),
        IMPORT_NAME => name(Op::ImportName),
        IMPORT_FROM => name(Op::ImportFrom),
        IMPORT_STAR => Ok(Op::ImportStar),
        PRINT_EXPR => Ok(Op::PrintExpr),
        SETUP_ANNOTATIONS => Ok(Op::SetupAnnotations),
        RETURN_VALUE => Ok(Op::ReturnValue),
        RESUME => Ok(Op::Resume(operand)),
        RETURN_GENERATOR => Ok(Op::ReturnGenerator),
        YIELD_VALUE => Ok(Op::YieldValue),
        ASYNC_GEN_WRAP => Ok(Op::AsyncGenWrap),
        SEND => forward().map(|done| Op::Send { done }),
        GET_AWAITABLE => Ok(Op::GetAwaitable(operand)),
        GET_AITER => Ok(Op::GetAiter),
        GET_ANEXT => Ok(Op::GetAnext),
        END_ASYNC_FOR => Ok(Op::EndAsyncFor),
        BEFORE_WITH => Ok(Op::BeforeWith),
        BEFORE_ASYNC_WITH => Ok(Op::BeforeAsyncWith),
        WITH_EXCEPT_START => Ok(Op::WithExceptStart),
        PUSH_EXC_INFO => Ok(Op::PushExcInfo),
        POP_EXCEPT => Ok(Op::PopExcept),
        CHECK_EXC_MATCH => Ok(Op::CheckExcMatch),
        CHECK_EG_MATCH => Ok(Op::CheckEgMatch),
        PREP_RERAISE_STAR => Ok(Op::PrepReraiseStar),
        RAISE_VARARGS => within(2, Op::RaiseVarargs),
        RERAISE => Ok(Op::Reraise(operand)),
        MATCH_MAPPING => Ok(Op::MatchMapping),
        MATCH_SEQUENCE => Ok(Op::MatchSequence),
        MATCH_KEYS => Ok(Op::MatchKeys),
        MATCH_CLASS => Ok(Op::MatchClass(operand)),
        _ => return None,
    })
}

/// `NB_*` and `NB_INPLACE_*` of `Include/opcode.h`.
fn arithmetic(operand: u32) -> Option<(Arithmetic, bool)> {
    const COUNT: u32 = 13;
    let op = match operand % COUNT {
        0 => Arithmetic::Add,
        1 => Arithmetic::And,
        2 => Arithmetic::FloorDivide,
        3 => Arithmetic::LeftShift,
        4 => Arithmetic::MatrixMultiply,
        5 => Arithmetic::Multiply,
        6 => Arithmetic::Remainder,
        7 => Arithmetic::Or,
        8 => Arithmetic::Power,
        9 => Arithmetic::RightShift,
        10 => Arithmetic::Subtract,
        11 => Arithmetic::TrueDivide,
        _ => Arithmetic::Xor,
    };
    (operand < 2 * COUNT).then_some((op, operand >= COUNT))
}

/// What the opcode found in the quickened copy says about an instruction whose base operation is `op`. `cache` holds
/// the instruction's cache units as bytes. Anything that does not fit `op` says nothing.
pub fn feedback(op: &Op, adaptive: u8, cache: &[u8]) -> Feedback {
    let cache = Cache(cache);
    let call = |kind| Feedback::Call(kind);
    match op {
        Op::BinaryOp { op, .. } => match (adaptive, op) {
            (BINARY_OP_ADD_INT, Arithmetic::Add)
            | (BINARY_OP_SUBTRACT_INT, Arithmetic::Subtract)
            | (BINARY_OP_MULTIPLY_INT, Arithmetic::Multiply) => Feedback::Int,
            (BINARY_OP_ADD_FLOAT, Arithmetic::Add)
            | (BINARY_OP_SUBTRACT_FLOAT, Arithmetic::Subtract)
            | (BINARY_OP_MULTIPLY_FLOAT, Arithmetic::Multiply) => Feedback::Float,
            (BINARY_OP_ADD_UNICODE | BINARY_OP_INPLACE_ADD_UNICODE, Arithmetic::Add) => Feedback::Str,
            _ => Feedback::None,
        },
        // The interpreter's form also does the conditional jump that follows; the base code still has that jump.
        Op::CompareOp(_) => match adaptive {
            COMPARE_OP_INT_JUMP => Feedback::Int,
            COMPARE_OP_FLOAT_JUMP => Feedback::Float,
            COMPARE_OP_STR_JUMP => Feedback::Str,
            _ => Feedback::None,
        },
        Op::BinarySubscr => match adaptive {
            BINARY_SUBSCR_LIST_INT => Feedback::List,
            BINARY_SUBSCR_TUPLE_INT => Feedback::Tuple,
            BINARY_SUBSCR_DICT => Feedback::Dict,
            BINARY_SUBSCR_GETITEM => Feedback::GetItem { type_version: cache.word(1) },
            _ => Feedback::None,
        },
        Op::StoreSubscr => match adaptive {
            STORE_SUBSCR_LIST_INT => Feedback::List,
            STORE_SUBSCR_DICT => Feedback::Dict,
            _ => Feedback::None,
        },
        Op::UnpackSequence(_) => match adaptive {
            UNPACK_SEQUENCE_LIST => Feedback::List,
            UNPACK_SEQUENCE_TUPLE | UNPACK_SEQUENCE_TWO_TUPLE => Feedback::Tuple,
            _ => Feedback::None,
        },
        Op::LoadGlobal { .. } => match adaptive {
            LOAD_GLOBAL_MODULE => Feedback::GlobalModule { index: cache.unit(1), module_keys: cache.word(2) },
            LOAD_GLOBAL_BUILTIN => Feedback::GlobalBuiltin {
                index: cache.unit(1),
                module_keys: cache.word(2),
                builtin_keys: cache.unit(4),
            },
            _ => Feedback::None,
        },
        Op::LoadAttr(_) => match adaptive {
            LOAD_ATTR_INSTANCE_VALUE => Feedback::InstanceValue { type_version: cache.word(1), index: cache.unit(3) },
            LOAD_ATTR_SLOT => Feedback::Slot { type_version: cache.word(1), offset: cache.unit(3) },
            LOAD_ATTR_WITH_HINT => Feedback::WithHint { type_version: cache.word(1), hint: cache.unit(3) },
            LOAD_ATTR_MODULE => Feedback::Module { keys_version: cache.word(1), index: cache.unit(3) },
            _ => Feedback::None,
        },
        Op::StoreAttr(_) => match adaptive {
            STORE_ATTR_INSTANCE_VALUE => Feedback::InstanceValue { type_version: cache.word(1), index: cache.unit(3) },
            STORE_ATTR_SLOT => Feedback::Slot { type_version: cache.word(1), offset: cache.unit(3) },
            STORE_ATTR_WITH_HINT => Feedback::WithHint { type_version: cache.word(1), hint: cache.unit(3) },
            _ => Feedback::None,
        },
        Op::LoadMethod(_) => {
            let method = |kind, keys_version| Feedback::Method {
                kind,
                type_version: cache.word(1),
                keys_version,
                descriptor: cache.address(6),
            };
            match adaptive {
                LOAD_METHOD_WITH_VALUES => method(MethodKind::WithValues, cache.word(4)),
                LOAD_METHOD_WITH_DICT => method(MethodKind::WithDict, cache.word(4)),
                LOAD_METHOD_NO_DICT => method(MethodKind::NoDict, 0),
                LOAD_METHOD_CLASS => method(MethodKind::Class, 0),
                // Uses the layout of an attribute cache, not of a method cache.
                LOAD_METHOD_MODULE => Feedback::Method {
                    kind: MethodKind::Module,
                    type_version: 0,
                    keys_version: cache.word(1),
                    descriptor: u64::from(cache.unit(3)),
                },
                _ => Feedback::None,
            }
        }
        Op::Precall(_) => match adaptive {
            PRECALL_BOUND_METHOD => call(CallKind::BoundMethod),
            PRECALL_BUILTIN_CLASS => call(CallKind::BuiltinClass),
            PRECALL_BUILTIN_FAST_WITH_KEYWORDS => call(CallKind::BuiltinFastWithKeywords),
            PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS => call(CallKind::MethodDescriptorFastWithKeywords),
            PRECALL_NO_KW_BUILTIN_FAST => call(CallKind::BuiltinFast),
            PRECALL_NO_KW_BUILTIN_O => call(CallKind::BuiltinO),
            PRECALL_NO_KW_ISINSTANCE => call(CallKind::IsInstance),
            PRECALL_NO_KW_LEN => call(CallKind::Len),
            PRECALL_NO_KW_LIST_APPEND => call(CallKind::ListAppend),
            PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST => call(CallKind::MethodDescriptorFast),
            PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS => call(CallKind::MethodDescriptorNoArgs),
            PRECALL_NO_KW_METHOD_DESCRIPTOR_O => call(CallKind::MethodDescriptorO),
            PRECALL_NO_KW_STR_1 => call(CallKind::Str1),
            PRECALL_NO_KW_TUPLE_1 => call(CallKind::Tuple1),
            PRECALL_NO_KW_TYPE_1 => call(CallKind::Type1),
            PRECALL_PYFUNC => call(CallKind::PyFunction { version: 0 }),
            _ => Feedback::None,
        },
        Op::Call(_) => match adaptive {
            CALL_PY_EXACT_ARGS | CALL_PY_WITH_DEFAULTS => call(CallKind::PyFunction { version: cache.word(1) }),
            _ => Feedback::None,
        },
        _ => Feedback::None,
    }
}

/// Cache units, numbered from the one after the opcode (unit 0 is the counter). Units that are not there read as 0.
struct Cache<'a>(&'a [u8]);

impl Cache<'_> {
    fn unit(&self, index: usize) -> u16 {
        match self.0.get(2 * index..2 * index + 2) {
            Some(bytes) => u16::from_le_bytes([bytes[0], bytes[1]]),
            None => 0,
        }
    }

    fn word(&self, index: usize) -> u32 {
        u32::from(self.unit(index)) | u32::from(self.unit(index + 1)) << 16
    }

    fn address(&self, index: usize) -> u64 {
        u64::from(self.word(index)) | u64::from(self.word(index + 2)) << 32
    }
}
