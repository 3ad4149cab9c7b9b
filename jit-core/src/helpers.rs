//! The helper table: every function that compiled code may call, by name and signature. Their bodies are in
//! `cpython-runtime`; this crate only knows what they do to values, references and control.
//!
//! Signature letters, operands then result:
//! `O` object, reference *stolen* by the helper (result: new reference); `Q` the same, may be null (result: null is not an error by
//! itself); `B` object, borrowed (result: from what the operands hold); `C` borrowed, may be null; `P` address; `I` `I64`; `F` `F64`; `V` no result; `T` `I64` result
//! that is -1 on error. A stolen operand is consumed on the error path too. With `RAISES`, an `O` result that is null or a
//! `T` result that is negative means that an exception is set, unless the comment says more.
//! `ts` is the thread state, `frame` the running `_PyInterpreterFrame`.

use crate::ir::types::Ty;
use bitflags::bitflags;

bitflags! {
    /// What a helper may do beyond computing its result.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Effects: u8 {
        /// May set an exception.
        const RAISES = 1;
        /// May run arbitrary Python code (and so look at this frame, change globals, switch threads).
        const RUNS_PYTHON = 2;
        /// Reads or writes memory that compiled code also accesses (slots, containers).
        const MEMORY = 4;
    }
}

/// How an operand or result is passed and who owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    Stolen,
    StolenOrNull,
    Borrowed,
    BorrowedOrNull,
    Address,
    Int,
    Float,
    /// Result only.
    Nothing,
    /// Result only: `I64`, negative on error.
    Status,
}

impl Passing {
    const fn of(letter: u8) -> Passing {
        match letter {
            b'O' => Passing::Stolen,
            b'Q' => Passing::StolenOrNull,
            b'B' => Passing::Borrowed,
            b'C' => Passing::BorrowedOrNull,
            b'P' => Passing::Address,
            b'I' => Passing::Int,
            b'F' => Passing::Float,
            b'V' => Passing::Nothing,
            b'T' => Passing::Status,
            _ => panic!("unknown signature letter"),
        }
    }

    /// The IR type, `None` for `Nothing`.
    pub fn ty(self) -> Option<Ty> {
        match self {
            Passing::Stolen | Passing::StolenOrNull | Passing::Borrowed | Passing::BorrowedOrNull => Some(Ty::Obj),
            Passing::Address => Some(Ty::Ptr),
            Passing::Int | Passing::Status => Some(Ty::I64),
            Passing::Float => Some(Ty::F64),
            Passing::Nothing => None,
        }
    }
}

macro_rules! helpers {
    ($( $(#[$doc:meta])* $name:ident $text:literal ( $params:literal ) $ret:literal [ $($effect:ident)* ]; )*) => {
        /// A function of the runtime that compiled code calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Helper { $( $(#[$doc])* $name, )* }

        impl Helper {
            /// Every helper, in table order.
            pub const ALL: &'static [Helper] = &[ $( Helper::$name, )* ];

            /// Name in the IR's text form.
            pub const fn name(self) -> &'static str {
                match self { $( Helper::$name => $text, )* }
            }

            const fn letters(self) -> (&'static str, u8) {
                match self { $( Helper::$name => ($params, $ret.as_bytes()[0]), )* }
            }

            pub const fn effects(self) -> Effects {
                match self { $( Helper::$name => Effects::empty()$(.union(Effects::$effect))*, )* }
            }
        }
    };
}

impl Helper {
    pub fn params(self) -> impl ExactSizeIterator<Item = Passing> {
        self.letters().0.bytes().map(Passing::of)
    }

    pub fn result(self) -> Passing {
        Passing::of(self.letters().1)
    }

    pub fn by_name(name: &str) -> Option<Helper> {
        Helper::ALL.iter().copied().find(|h| h.name() == name)
    }
}

helpers! {
    // ---- numbers, comparison, truth ----
    /// (value, `Unary` number)
    UnaryOp "unary_op" ("OI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (left, right, `Arithmetic` number, plus 13 when in place)
    BinaryOp "binary_op" ("OOI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// The same for `//`, where both may be big ints.
    FloorDivide "floor_divide" ("OOI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (address of the local's slot, right): `local += right` where the slot holds an exact str and right is one; keeps
    /// CPython's in-place growth. On error the slot is null.
    ConcatInPlace "concat_in_place" ("PO") "T" [RAISES MEMORY];
    /// (left, right, `Comparison` number)
    Compare "compare" ("OOI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// The same followed by truth: 0, 1, or -1 on error.
    CompareTruth "compare_truth" ("OOI") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (item, container): 0, 1, -1.
    Contains "contains" ("OO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// 0, 1, -1.
    IsTrue "is_true" ("O") "T" [RAISES RUNS_PYTHON MEMORY];
    /// 0, 1, -1 without consuming the reference.
    IsTrueBorrowed "is_true_borrowed" ("B") "T" [RAISES RUNS_PYTHON MEMORY];
    /// The same for two exact ints and `+ - & | ^ << >>`, which run no Python.
    IntBinaryOp "int_binary_op" ("OOI") "O" [RAISES];
    /// Python's float `%`, divisor not 0.
    FloatRemainder "float_remainder" ("FF") "F" [];
    /// Python's float `//`, divisor not 0.
    FloatFloorDivide "float_floor_divide" ("FF") "F" [];
    /// The C library's `pow`.
    FloatPower "float_power" ("FF") "F" [];
    /// The C library's function, for any operand; `errno` is nobody's.
    MathSin "math_sin" ("F") "F" [];
    MathCos "math_cos" ("F") "F" [];
    MathTan "math_tan" ("F") "F" [];
    MathAtan "math_atan" ("F") "F" [];
    MathExp "math_exp" ("F") "F" [];
    MathLog "math_log" ("F") "F" [];
    /// `math.atan2`: NaN for NaNs.
    MathAtan2 "math_atan2" ("FF") "F" [];
    /// `math.pow` of finite operands, where that does not raise; NaN or infinite else.
    MathPow "math_pow" ("FF") "F" [];
    /// Exact int to `I64`: (int, address of an I64 for the value) 1 when it fits, 0 when not; never raises.
    IntToI64 "int_to_i64" ("BP") "I" [MEMORY];
    BoxFloat "box_float" ("F") "O" [];
    BoxInt "box_int" ("I") "O" [];

    // ---- subscripts, attributes, names ----
    /// (container, key)
    Subscr "subscr" ("OO") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (ts, Python function that is the container type's `__getitem__`, container, key)
    SubscrFunction "subscr_function" ("PBOO") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (value, container, key)
    StoreSubscr "store_subscr" ("OOO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (ts, Python function that is the container type's `__setitem__`, value, container, key)
    StoreSubscrFunction "store_subscr_function" ("PBOOO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (any container, key): the borrowed value that an exact dict has for an exact int of one digit or an exact str; null, without an
    /// exception, where there is none or that cannot be found out without running Python.
    DictSearch "dict_search" ("BB") "C" [MEMORY];
    /// (container, start, stop, step or null)
    SubscrSlice "subscr_slice" ("OOOQ") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (start, stop, step): the iterator of a range; null, without an exception: there is none of that type.
    RangeIterator "range_iterator" ("III") "Q" [MEMORY];
    /// The iterator of an exact list or tuple; null, without an exception: making it could run Python.
    SequenceIterator "sequence_iterator" ("B") "Q" [MEMORY];
    /// (container, start, stop, step): a slice of an exact list, tuple, str or bytes; null: nothing was done, and no exception is set.
    /// A bound that is not given is the first or last number there is, as in `PySlice_Unpack`.
    SubscrSliceQuick "subscr_slice_quick" ("BIII") "Q" [MEMORY];
    /// (value, container, start, stop, step or null)
    StoreSubscrSlice "store_subscr_slice" ("OOOOQ") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (value, container, start, stop): replaces items of an exact list by those of another, or of an exact tuple: null; or gives
    /// the value back, and nothing was done.
    StoreSliceQuick "store_slice_quick" ("OBII") "Q" [MEMORY];
    /// (container, key)
    DeleteSubscr "delete_subscr" ("OO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// `GET_LEN`: the length as an int object.
    GetLen "get_len" ("B") "O" [RAISES RUNS_PYTHON MEMORY];
    LoadAttr "load_attr" ("OB") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (object, name, dest): `dest[0]`, `dest[1]` become (method, object) or (null, attribute), new references.
    LoadMethod "load_method" ("OBP") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (instance with a managed dictionary, name): 1 if the instance itself may have the attribute, whatever its class has.
    InstanceHas "instance_has" ("BB") "I" [MEMORY];
    /// (class whose instances are made by `object`): an instance whose values are unset.
    NewInstance "new_instance" ("B") "O" [RAISES RUNS_PYTHON MEMORY];
    /// The same; null, without an exception: making it could run Python.
    NewInstanceQuick "new_instance_quick" ("B") "Q" [MEMORY];
    /// (value, owner, name)
    StoreAttr "store_attr" ("OOB") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (values of an instance, index): notes that an attribute without a value gets one, for the order of attributes.
    NoteFirstStore "note_first_store" ("PI") "V" [MEMORY];
    /// (exact dict, what was stored in it): makes the dict known to the garbage collector where its contents now ask for it.
    TrackDictionary "track_dictionary" ("BB") "V" [MEMORY];
    DeleteAttr "delete_attr" ("OB") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (frame, name)
    LoadGlobal "load_global" ("PB") "O" [RAISES RUNS_PYTHON MEMORY];
    StoreGlobal "store_global" ("PBO") "T" [RAISES RUNS_PYTHON MEMORY];
    DeleteGlobal "delete_global" ("PB") "T" [RAISES RUNS_PYTHON MEMORY];
    LoadName "load_name" ("PB") "O" [RAISES RUNS_PYTHON MEMORY];
    StoreName "store_name" ("PBO") "T" [RAISES RUNS_PYTHON MEMORY];
    DeleteName "delete_name" ("PB") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (frame, localsplus index): raises UnboundLocalError for it.
    UnboundLocal "unbound_local" ("PI") "V" [RAISES MEMORY];

    // ---- cells ----
    /// (address of slot): `MAKE_CELL`.
    MakeCell "make_cell" ("P") "T" [RAISES MEMORY];
    /// (frame, localsplus index)
    LoadDeref "load_deref" ("PI") "O" [RAISES MEMORY];
    LoadClassDeref "load_class_deref" ("PI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (cell, value)
    StoreDeref "store_deref" ("BO") "V" [RUNS_PYTHON MEMORY];
    DeleteDeref "delete_deref" ("PI") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (frame, count): `COPY_FREE_VARS`.
    CopyFreeVars "copy_free_vars" ("PI") "V" [MEMORY];

    // ---- building; `items` is the address of consecutive references, all stolen ----
    BuildTuple "build_tuple" ("PI") "O" [RAISES RUNS_PYTHON MEMORY];
    BuildList "build_list" ("PI") "O" [RAISES RUNS_PYTHON MEMORY];
    BuildSet "build_set" ("PI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (items, number of pairs)
    BuildMap "build_map" ("PI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (items: n values, then the keys tuple; n)
    BuildConstKeyMap "build_const_key_map" ("PI") "O" [RAISES RUNS_PYTHON MEMORY];
    BuildString "build_string" ("PI") "O" [RAISES MEMORY];
    /// (start, stop, step or null)
    BuildSlice "build_slice" ("OOQ") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (value, spec or null, conversion as in `FORMAT_VALUE`)
    FormatValue "format_value" ("OQI") "O" [RAISES RUNS_PYTHON MEMORY];
    ListAppend "list_append" ("BO") "T" [RAISES MEMORY];
    /// (list, index, item): `list.insert`.
    ListInsert "list_insert" ("BIO") "T" [RAISES MEMORY];
    /// (list, index): `list.pop`.
    ListPop "list_pop" ("BI") "O" [RAISES MEMORY];
    SetAdd "set_add" ("BO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (dict, key, value)
    MapAdd "map_add" ("BOO") "T" [RAISES RUNS_PYTHON MEMORY];
    ListExtend "list_extend" ("BO") "T" [RAISES RUNS_PYTHON MEMORY];
    SetUpdate "set_update" ("BO") "T" [RAISES RUNS_PYTHON MEMORY];
    DictUpdate "dict_update" ("BO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (dict, update, callee: named in the error message)
    DictMerge "dict_merge" ("BOB") "T" [RAISES RUNS_PYTHON MEMORY];
    ListToTuple "list_to_tuple" ("O") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (sequence, dest, n): `dest[0..n]` become the stack items from the bottom (`dest[n-1]` is the first element).
    UnpackSequence "unpack_sequence" ("OPI") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (iterable, dest, before, after): `dest[0..before+1+after]`, bottom first.
    UnpackEx "unpack_ex" ("OPII") "T" [RAISES RUNS_PYTHON MEMORY];

    // ---- well-known builtins, where no operand's type is known ----
    /// `len(x)`
    Len "len" ("O") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (the builtin `min` or `max`, iterable, 1 for `max`): that function of one argument.
    Extreme "extreme" ("BOI") "O" [RAISES RUNS_PYTHON MEMORY];
    /// `isinstance(x, class or tuple)`: 0, 1, -1.
    IsInstance "is_instance" ("OO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// The code point of an exact str of one character, else -1; never raises.
    Ord "ord" ("B") "I" [];
    /// The str of a code point, which is one.
    Chr "chr" ("I") "O" [RAISES];
    /// The iterator over an exact range from its end: `range.__reversed__`.
    ReversedRange "reversed_range" ("B") "O" [RAISES MEMORY];
    /// (exact dict, key, default): `dict.get`
    DictGet "dict_get" ("BOO") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (exact str, iterable): `str.join`; an exact str.
    StrJoin "str_join" ("BO") "O" [RAISES RUNS_PYTHON MEMORY];

    // ---- iteration ----
    GetIter "get_iter" ("O") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (frame, iterable): `GET_YIELD_FROM_ITER`.
    GetYieldFromIter "get_yield_from_iter" ("PO") "O" [RAISES RUNS_PYTHON MEMORY];
    /// Next item; null with no exception set: exhausted; null with one: error.
    ForIter "for_iter" ("B") "Q" [RAISES RUNS_PYTHON MEMORY];
    /// (ts, iterator): the same; a generator whose code is compiled is entered directly.
    ForIterDirect "for_iter_direct" ("PB") "Q" [RAISES RUNS_PYTHON MEMORY];
    /// (ts): 1 if an exception is set.
    ErrorSet "error_set" ("P") "I" [MEMORY];

    // ---- calls ----
    /// (ts, stack, nargs, keyword names or null): `stack` is method or null, callable or self, arguments..., nargs counts
    /// the arguments incl. keyword ones, as `CALL`'s operand. All references are stolen. Null with no exception set means: the
    /// call succeeded, its result is in `stack[0]`, and compiled code must be left (tracing was switched on).
    Call "call" ("PPIC") "O" [RAISES RUNS_PYTHON MEMORY];
    /// The same of `tuple` or `set` with one argument, which is a generator more often than not.
    CallCollecting "call_collecting" ("PPIC") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (sink, what a generator yields): 1: the sink has taken the value, with its reference, and the generator may go on at once. 0:
    /// nothing was done.
    CollectValue "collect_value" ("PB") "I" [MEMORY];
    /// (ts, function, args, kwargs or null, stash): as `CALL_FUNCTION_EX`; asks to leave like `call`, result in `stash[0]`.
    CallFunctionEx "call_function_ex" ("POOQP") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (frame, items: the operands of `MAKE_FUNCTION` from the bottom, code object last; flags, and 256 if it is called at once)
    MakeFunction "make_function" ("PPI") "O" [RAISES RUNS_PYTHON MEMORY];
    LoadBuildClass "load_build_class" ("P") "O" [RAISES RUNS_PYTHON MEMORY];
    LoadAssertionError "load_assertion_error" ("") "O" [];
    /// (frame, name, fromlist, level)
    ImportName "import_name" ("PBOO") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (module, name)
    ImportFrom "import_from" ("BB") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (frame, module)
    ImportStar "import_star" ("PO") "T" [RAISES RUNS_PYTHON MEMORY];
    PrintExpr "print_expr" ("O") "T" [RAISES RUNS_PYTHON MEMORY];
    SetupAnnotations "setup_annotations" ("P") "T" [RAISES RUNS_PYTHON MEMORY];

    // ---- generators and coroutines ----
    AsyncGenWrap "async_gen_wrap" ("O") "O" [RAISES];
    /// (receiver, value, dest): sends; 1 yielded, 0 returned (value in `dest[0]`, new reference), -1 error.
    Send "send" ("BOP") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (ts, receiver, value, dest): the same; a generator or coroutine whose code is compiled is entered directly.
    SendDirect "send_direct" ("PBOP") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (iterable, operand, offset of the instruction): `GET_AWAITABLE`.
    GetAwaitable "get_awaitable" ("POI") "O" [RAISES RUNS_PYTHON MEMORY];
    GetAiter "get_aiter" ("O") "O" [RAISES RUNS_PYTHON MEMORY];
    GetAnext "get_anext" ("B") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (aiter, exception): 0 when it was StopAsyncIteration; -1 restores the exception (no traceback entry to add).
    EndAsyncFor "end_async_for" ("OO") "T" [RAISES RUNS_PYTHON MEMORY];

    // ---- with ----
    /// (manager, dest): `dest[0]` bound `__exit__`, `dest[1]` result of `__enter__`.
    BeforeWith "before_with" ("OP") "T" [RAISES RUNS_PYTHON MEMORY];
    BeforeAsyncWith "before_async_with" ("OP") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (bound exit function, exception)
    WithExceptStart "with_except_start" ("BB") "O" [RAISES RUNS_PYTHON MEMORY];

    // ---- exceptions ----
    /// (ts, frame): adds this frame to the traceback of the exception that is set (CPython's `error:` path).
    AddTraceback "add_traceback" ("PP") "V" [MEMORY];
    /// (ts): takes the exception that is set, normalised, with its traceback; new reference, never null.
    CatchException "catch_exception" ("P") "O" [MEMORY];
    /// (ts, new exception): makes it the handled one; the previous one (or None), new reference.
    PushExcInfo "push_exc_info" ("PB") "O" [MEMORY];
    /// (ts, previous exception)
    PopExcept "pop_except" ("PO") "V" [RUNS_PYTHON MEMORY];
    /// (exception, type): 0, 1, -1.
    CheckExcMatch "check_exc_match" ("BO") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (exception, type, dest): `dest[0]` rest, `dest[1]` match.
    CheckEgMatch "check_eg_match" ("OOP") "T" [RAISES RUNS_PYTHON MEMORY];
    /// (original exception, list of raised ones)
    PrepReraiseStar "prep_reraise_star" ("OO") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (ts, exception or null, cause or null): sets an exception; 1 when it is a re-raise that adds no traceback entry, else 0.
    RaiseVarargs "raise_varargs" ("PQQ") "I" [RAISES RUNS_PYTHON MEMORY];
    /// (frame, exception, lasti object or null): sets the exception again; restores `prev_instr` from lasti.
    Reraise "reraise" ("POQ") "V" [RAISES MEMORY];
    /// (ts, frame): services signals, pending calls, GIL requests; 0 go on, 1 leave compiled code, -1 error.
    HandlePending "handle_pending" ("PP") "T" [RAISES RUNS_PYTHON MEMORY];

    // ---- match ----
    MatchMapping "match_mapping" ("B") "I" [];
    MatchSequence "match_sequence" ("B") "I" [];
    /// (subject, keys): tuple of values or None.
    MatchKeys "match_keys" ("BB") "O" [RAISES RUNS_PYTHON MEMORY];
    /// (subject, type, names, positional count): tuple of attributes or None.
    MatchClass "match_class" ("OOOI") "O" [RAISES RUNS_PYTHON MEMORY];

    // ---- references ----
    /// An object whose count just became 0.
    Dealloc "dealloc" ("B") "V" [RUNS_PYTHON MEMORY];
    /// Of an object to which the only reference is the operand: 1 if it was deallocated; 0: that could run Python, and nothing was done.
    GiveBack "give_back" ("B") "I" [MEMORY];
    Decref "decref" ("O") "V" [RUNS_PYTHON MEMORY];
    XDecref "xdecref" ("Q") "V" [RUNS_PYTHON MEMORY];
    /// Counted increment, where the build of CPython needs more than an addition (debug builds).
    Incref "incref" ("B") "V" [];
    /// (address of slot, raw): boxes a raw local into its slot, keeping an object there that is equal and of that exact type.
    FlushFloat "flush_float" ("PF") "V" [MEMORY];
    FlushInt "flush_int" ("PI") "V" [MEMORY];
    FlushBool "flush_bool" ("PI") "V" [MEMORY];
    /// (slot, value, is an int): a number that is an int or a float.
    FlushNumber "flush_number" ("PFI") "V" [MEMORY];

    // ---- module and class bodies ----
    // None of these runs Python or raises. A namespace is *plain* when it is an exact dict whose keys are all exact strs.
    /// (frame, name): borrowed value of a name in the frame's namespace only; null when absent or the namespace is not plain.
    PeekName "peek_name" ("PB") "C" [MEMORY];
    /// (frame, name): borrowed value of a name as `LOAD_NAME` finds it; null when unbound or some namespace is not plain.
    LookName "look_name" ("PB") "C" [MEMORY];
    /// (frame, name): 1 exact float, 2 exact int that fits 64 bits, 3 bool; 0 anything else, absent, namespace not plain.
    NameKind "name_kind" ("PB") "I" [MEMORY];
    /// (frame, name): the value of a name whose kind is 1.
    NameFloat "name_float" ("PB") "F" [MEMORY];
    /// (frame, name): the value of a name whose kind is 2 or 3; 0 for others.
    NameInt "name_int" ("PB") "I" [MEMORY];
    /// (frame, name, value): `STORE_NAME` if the name is there and the release of its old value runs no Python: 1; else 0, and
    /// nothing was done.
    ReplaceName "replace_name" ("PBB") "I" [MEMORY];
    /// (frame, name, raw): boxes a raw value into its name, keeping an object there that is equal and of that exact type.
    FlushNameFloat "flush_name_float" ("PBF") "V" [MEMORY];
    FlushNameInt "flush_name_int" ("PBI") "V" [MEMORY];
    FlushNameBool "flush_name_bool" ("PBI") "V" [MEMORY];
}
