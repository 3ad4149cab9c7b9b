//! The bodies of the helpers that `jit_core::helpers` lists.
//!
//! *Problem*: compiled code does most of Python's work by calls, and each call must behave as the opcode it stands for
//! does in CPython's `Python/ceval.c`: results, messages, order of releases. *Method*: one `extern "C"` function per
//! entry of the table, grouped by subject; where CPython keeps a function of its own hidden, its behaviour is rebuilt here
//! from exported ones (each such place says so).
//!
//! *Contract of every helper*, on which all `unsafe` blocks below rely: the GIL is held; operands are as their letters in
//! the table say (objects alive, `O` not null and owned, `B` borrowed from an owner that outlives the call, addresses valid
//! for what the comment there says); `ts` is the current thread state; `frame` is the running frame, linked as the
//! thread's current one, with `prev_instr` at the running instruction.
//! *Invariants*: an operand passed as `O` or `Q` is consumed on every path (`Owned` sees to it); results are computed
//! before operands are released; nothing here panics; no Rust borrow is held across a call into CPython.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod attributes;
mod boxing;
mod calls;
pub(crate) mod capi;
mod cells;
mod comparisons;
mod containers;
mod exception_groups;
mod exceptions;
mod functions;
mod generators;
mod imports;
pub mod instances;
mod interned;
mod intrinsics;
mod iteration;
pub mod keys;
mod matching;
mod messages;
mod names;
pub(crate) mod namespace;
mod numbers;
mod owned;
pub mod pending;
mod quotients;
mod references;
mod searches;
mod slices;
pub(crate) mod special_methods;
mod strings;
pub(crate) mod subscripts;
pub mod tracing;
mod unpacking;
mod with;

pub use boxing::{box_bool, box_float, box_int, flush_bool, flush_float, flush_int};
pub(crate) use boxing::{is_same_float, is_same_int, tracemalloc_off};

use columba_jit_core::helpers::Helper;
use owned::Owned;
use pyo3_ffi::PyObject;
pub(crate) use references::dealloc;

/// A `PyObject *`: owned or borrowed as the table says.
type Object = *mut PyObject;

/// Result of a status helper (`T`) that succeeded.
const OK: i64 = 0;
/// Result of a status helper after which an exception is set.
const ERROR: i64 = -1;

/// Prepares what helpers rely on; called before any code is compiled and again whenever it is cheap (it does nothing when all is
/// prepared). `false`: no memory, and an exception is set.
///
/// # Safety
/// The GIL is held.
pub unsafe fn prepare() -> bool {
    // SAFETY: says the caller.
    unsafe { boxing::prepare() && instances::prepare() }
}

/// The entry address of a helper; C calling convention, signature as in the table.
pub fn address(helper: Helper) -> usize {
    macro_rules! addresses {
        ($($helper:ident => $function:path,)*) => {
            match helper { $( Helper::$helper => $function as *const () as usize, )* }
        };
    }
    addresses! {
        UnaryOp => numbers::unary_op,
        BinaryOp => numbers::binary_op,
        IntBinaryOp => numbers::int_binary_op,
        FloorDivide => quotients::floor_divide,
        ConcatInPlace => strings::concat_in_place,
        Compare => comparisons::compare,
        CompareTruth => comparisons::compare_truth,
        Contains => comparisons::contains,
        IsTrue => comparisons::is_true,
        IsTrueBorrowed => comparisons::is_true_borrowed,
        FloatRemainder => numbers::float_remainder,
        FloatFloorDivide => numbers::float_floor_divide,
        FloatPower => numbers::float_power,
        MathSin => intrinsics::math_sin,
        MathCos => intrinsics::math_cos,
        MathTan => intrinsics::math_tan,
        MathAtan => intrinsics::math_atan,
        MathExp => intrinsics::math_exp,
        MathLog => intrinsics::math_log,
        MathAtan2 => intrinsics::math_atan2,
        MathPow => intrinsics::math_pow,
        IntToI64 => numbers::int_to_i64,
        BoxFloat => boxing::box_float,
        BoxInt => boxing::box_int,
        Subscr => subscripts::subscr,
        SubscrFunction => subscripts::subscr_function,
        StoreSubscr => subscripts::store_subscr,
        StoreSubscrFunction => subscripts::store_subscr_function,
        DictSearch => searches::dict_search,
        SubscrSlice => slices::subscr_slice,
        RangeIterator => iteration::range_iterator,
        SequenceIterator => iteration::sequence_iterator,
        SubscrSliceQuick => slices::subscr_slice_quick,
        StoreSubscrSlice => slices::store_subscr_slice,
        StoreSliceQuick => slices::store_slice_quick,
        DeleteSubscr => subscripts::delete_subscr,
        GetLen => subscripts::get_len,
        LoadAttr => attributes::load_attr,
        LoadMethod => attributes::load_method,
        InstanceHas => attributes::instance_has,
        NewInstance => instances::new_instance,
        NewInstanceQuick => instances::new_instance_quick,
        GiveBack => instances::give_back_quietly,
        StoreAttr => attributes::store_attr,
        CollectValue => generators::collect_value,
        NoteFirstStore => attributes::note_first_store,
        TrackDictionary => attributes::track_dictionary,
        DeleteAttr => attributes::delete_attr,
        LoadGlobal => names::load_global,
        StoreGlobal => names::store_global,
        DeleteGlobal => names::delete_global,
        LoadName => names::load_name,
        StoreName => names::store_name,
        DeleteName => names::delete_name,
        UnboundLocal => names::unbound_local,
        MakeCell => cells::make_cell,
        LoadDeref => cells::load_deref,
        LoadClassDeref => cells::load_class_deref,
        StoreDeref => cells::store_deref,
        DeleteDeref => cells::delete_deref,
        CopyFreeVars => cells::copy_free_vars,
        BuildTuple => containers::build_tuple,
        BuildList => containers::build_list,
        BuildSet => containers::build_set,
        BuildMap => containers::build_map,
        BuildConstKeyMap => containers::build_const_key_map,
        BuildString => strings::build_string,
        BuildSlice => containers::build_slice,
        FormatValue => strings::format_value,
        ListAppend => containers::list_append,
        ListInsert => containers::list_insert,
        ListPop => containers::list_pop,
        SetAdd => containers::set_add,
        MapAdd => containers::map_add,
        ListExtend => containers::list_extend,
        SetUpdate => containers::set_update,
        DictUpdate => containers::dict_update,
        DictMerge => containers::dict_merge,
        ListToTuple => containers::list_to_tuple,
        UnpackSequence => unpacking::unpack_sequence,
        UnpackEx => unpacking::unpack_ex,
        Len => intrinsics::len,
        Extreme => intrinsics::extreme,
        IsInstance => intrinsics::is_instance,
        Ord => intrinsics::ord,
        Chr => intrinsics::chr,
        ReversedRange => intrinsics::reversed_range,
        DictGet => intrinsics::dict_get,
        StrJoin => intrinsics::str_join,
        GetIter => iteration::get_iter,
        GetYieldFromIter => generators::get_yield_from_iter,
        ForIter => iteration::for_iter,
        ForIterDirect => iteration::for_iter_direct,
        ErrorSet => exceptions::error_set,
        Call => calls::call,
        CallCollecting => calls::call_collecting,
        CallFunctionEx => calls::call_function_ex,
        MakeFunction => functions::make_function,
        LoadBuildClass => names::load_build_class,
        LoadAssertionError => exceptions::load_assertion_error,
        ImportName => imports::import_name,
        ImportFrom => imports::import_from,
        ImportStar => imports::import_star,
        PrintExpr => functions::print_expr,
        SetupAnnotations => names::setup_annotations,
        AsyncGenWrap => generators::async_gen_wrap,
        Send => generators::send,
        SendDirect => generators::send_direct,
        GetAwaitable => generators::get_awaitable,
        GetAiter => generators::get_aiter,
        GetAnext => generators::get_anext,
        EndAsyncFor => generators::end_async_for,
        BeforeWith => with::before_with,
        BeforeAsyncWith => with::before_async_with,
        WithExceptStart => with::with_except_start,
        AddTraceback => exceptions::add_traceback,
        CatchException => exceptions::catch_exception,
        PushExcInfo => exceptions::push_exc_info,
        PopExcept => exceptions::pop_except,
        CheckExcMatch => exceptions::check_exc_match,
        CheckEgMatch => exception_groups::check_eg_match,
        PrepReraiseStar => exception_groups::prep_reraise_star,
        RaiseVarargs => exceptions::raise_varargs,
        Reraise => exceptions::reraise,
        HandlePending => pending::handle_pending,
        MatchMapping => matching::match_mapping,
        MatchSequence => matching::match_sequence,
        MatchKeys => matching::match_keys,
        MatchClass => matching::match_class,
        Dealloc => references::dealloc,
        Decref => references::decref,
        XDecref => references::xdecref,
        Incref => references::incref,
        FlushFloat => boxing::flush_float,
        FlushInt => boxing::flush_int,
        FlushBool => boxing::flush_bool,
        FlushNumber => boxing::flush_number,
        PeekName => namespace::peek_name,
        LookName => namespace::look_name,
        NameKind => namespace::name_kind,
        NameFloat => namespace::name_float,
        NameInt => namespace::name_int,
        ReplaceName => namespace::replace_name,
        FlushNameFloat => namespace::flush_name_float,
        FlushNameInt => namespace::flush_name_int,
        FlushNameBool => namespace::flush_name_bool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_helper_has_an_address() {
        let mut addresses: Vec<usize> = Helper::ALL.iter().map(|&helper| address(helper)).collect();
        assert!(addresses.iter().all(|&address| address != 0));
        addresses.sort_unstable();
        addresses.dedup();
        assert!(addresses.len() > Helper::ALL.len() / 2);
    }
}
