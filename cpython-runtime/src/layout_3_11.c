/* Facts about CPython 3.11's structs, for build.rs.
 *
 * This file is compiled to assembly, never linked or run, so that it also works when cross-compiling: each fact
 * becomes one line `->kind module NAME value` in the assembly, from which build.rs writes the Rust constants of
 * `layout.rs`. Kinds: `offset` (offsetof, usize), `size` (sizeof, usize), `value` (i64). */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <structmember.h>
#include "internal/pycore_frame.h"
#include "internal/pycore_code.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_function.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_list.h"
#include "internal/pycore_long.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pymem.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_tuple.h"
#include "opcode.h"

/* Iterators whose structs stand in listobject.c, tupleobject.c and rangeobject.c and not in a header. */
typedef struct { PyObject_HEAD long index; long start; long step; long len; } RangeIterator;
typedef struct { PyObject_HEAD Py_ssize_t it_index; PyListObject *it_seq; } ListIterator;
/* enumobject.c and bltinmodule.c. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t en_index; PyObject *en_sit; PyObject *en_result; PyObject *en_longindex; PyObject *one;
} Enumerate;
typedef struct { PyObject_HEAD Py_ssize_t tuplesize; PyObject *ittuple; PyObject *result; int strict; } Zip;
/* arraymodule.c. */
typedef struct {
    PyObject_VAR_HEAD
    char *ob_item; Py_ssize_t allocated; const char *ob_descr; PyObject *weakreflist; Py_ssize_t ob_exports;
} Array;
/* What an asynchronous generator yields, wrapped: genobject.c. */
typedef struct { PyObject_HEAD PyObject *agw_val; } AsyncGenWrappedValue;
/* classmethod and staticmethod alike: funcobject.c. */
typedef struct { PyObject_HEAD PyObject *callable; PyObject *dict; } MethodWrapper;

#define EMIT(kind, module, name, value) \
    __asm__ volatile("\n.ascii \"->" kind " " module " " name " %c0\"" : : "i"((long long)(value)))
#define O(module, name, type, member) EMIT("offset", module, name, offsetof(type, member))
#define Z(module, type) EMIT("size", module, "SIZE", sizeof(type))
#define V(module, name, value) EMIT("value", module, name, value)

void columba_layout(void) {
    V("build", "PY_VERSION_HEX", PY_VERSION_HEX);
#ifdef Py_DEBUG
    V("build", "DEBUG", 1);
#else
    V("build", "DEBUG", 0);
#endif
#ifdef Py_REF_DEBUG
    V("build", "REF_DEBUG", 1);
#else
    V("build", "REF_DEBUG", 0);
#endif
#ifdef Py_TRACE_REFS
    V("build", "TRACE_REFS", 1);
#else
    V("build", "TRACE_REFS", 0);
#endif

    /* The interpreter's frame. */
    Z("frame", _PyInterpreterFrame);
    V("frame", "SPECIALS_WORDS", FRAME_SPECIALS_SIZE);
    O("frame", "F_FUNC", _PyInterpreterFrame, f_func);
    O("frame", "F_GLOBALS", _PyInterpreterFrame, f_globals);
    O("frame", "F_BUILTINS", _PyInterpreterFrame, f_builtins);
    O("frame", "F_LOCALS", _PyInterpreterFrame, f_locals);
    O("frame", "F_CODE", _PyInterpreterFrame, f_code);
    O("frame", "FRAME_OBJ", _PyInterpreterFrame, frame_obj);
    O("frame", "PREVIOUS", _PyInterpreterFrame, previous);
    O("frame", "PREV_INSTR", _PyInterpreterFrame, prev_instr);
    O("frame", "STACKTOP", _PyInterpreterFrame, stacktop);
    O("frame", "IS_ENTRY", _PyInterpreterFrame, is_entry);
    O("frame", "OWNER", _PyInterpreterFrame, owner);
    O("frame", "LOCALSPLUS", _PyInterpreterFrame, localsplus);
    V("frame", "OWNED_BY_THREAD", FRAME_OWNED_BY_THREAD);
    V("frame", "OWNED_BY_GENERATOR", FRAME_OWNED_BY_GENERATOR);
    V("frame", "OWNED_BY_FRAME_OBJECT", FRAME_OWNED_BY_FRAME_OBJECT);
    V("frame", "STATE_CREATED", FRAME_CREATED);
    V("frame", "STATE_SUSPENDED", FRAME_SUSPENDED);
    V("frame", "STATE_EXECUTING", FRAME_EXECUTING);
    V("frame", "STATE_COMPLETED", FRAME_COMPLETED);
    V("frame", "STATE_CLEARED", FRAME_CLEARED);

    Z("frame_object", PyFrameObject);
    O("frame_object", "F_BACK", PyFrameObject, f_back);
    O("frame_object", "F_FRAME", PyFrameObject, f_frame);
    O("frame_object", "F_TRACE", PyFrameObject, f_trace);
    O("frame_object", "F_LINENO", PyFrameObject, f_lineno);
    O("frame_object", "F_TRACE_LINES", PyFrameObject, f_trace_lines);
    O("frame_object", "F_TRACE_OPCODES", PyFrameObject, f_trace_opcodes);
    O("frame_object", "F_FAST_AS_LOCALS", PyFrameObject, f_fast_as_locals);
    O("frame_object", "F_FRAME_DATA", PyFrameObject, _f_frame_data);

    /* Threads. */
    Z("thread", PyThreadState);
    O("thread", "NEXT", PyThreadState, next);
    O("thread", "INTERP", PyThreadState, interp);
    O("thread", "COROUTINE_ORIGIN_TRACKING_DEPTH", PyThreadState, coroutine_origin_tracking_depth);
    O("thread", "RECURSION_REMAINING", PyThreadState, recursion_remaining);
    O("thread", "RECURSION_LIMIT", PyThreadState, recursion_limit);
    O("thread", "RECURSION_HEADROOM", PyThreadState, recursion_headroom);
    O("thread", "TRACING", PyThreadState, tracing);
    O("thread", "TRACING_WHAT", PyThreadState, tracing_what);
    O("thread", "CFRAME", PyThreadState, cframe);
    O("thread", "C_PROFILEFUNC", PyThreadState, c_profilefunc);
    O("thread", "C_TRACEFUNC", PyThreadState, c_tracefunc);
    O("thread", "C_PROFILEOBJ", PyThreadState, c_profileobj);
    O("thread", "C_TRACEOBJ", PyThreadState, c_traceobj);
    O("thread", "CUREXC_TYPE", PyThreadState, curexc_type);
    O("thread", "CUREXC_VALUE", PyThreadState, curexc_value);
    O("thread", "CUREXC_TRACEBACK", PyThreadState, curexc_traceback);
    O("thread", "EXC_INFO", PyThreadState, exc_info);
    O("thread", "EXC_STATE", PyThreadState, exc_state);
    O("thread", "ASYNC_EXC", PyThreadState, async_exc);
    O("thread", "THREAD_ID", PyThreadState, thread_id);
    O("thread", "ID", PyThreadState, id);
    O("thread", "TRASH_DELETE_NESTING", PyThreadState, trash_delete_nesting);
    O("thread", "TRASH_DELETE_LATER", PyThreadState, trash_delete_later);
    O("thread", "DATASTACK_CHUNK", PyThreadState, datastack_chunk);
    O("thread", "DATASTACK_TOP", PyThreadState, datastack_top);
    O("thread", "DATASTACK_LIMIT", PyThreadState, datastack_limit);

    Z("cframe", _PyCFrame);
    O("cframe", "USE_TRACING", _PyCFrame, use_tracing);
    O("cframe", "CURRENT_FRAME", _PyCFrame, current_frame);
    O("cframe", "PREVIOUS", _PyCFrame, previous);

    Z("exc_info", _PyErr_StackItem);
    O("exc_info", "EXC_VALUE", _PyErr_StackItem, exc_value);
    O("exc_info", "PREVIOUS_ITEM", _PyErr_StackItem, previous_item);

    O("stack_chunk", "PREVIOUS", _PyStackChunk, previous);
    O("stack_chunk", "SIZE_FIELD", _PyStackChunk, size);
    O("stack_chunk", "TOP", _PyStackChunk, top);
    O("stack_chunk", "DATA", _PyStackChunk, data);

    /* Interpreter and runtime: only fields listed here, since these structs grow between patch releases. */
    O("interp", "EVAL_FRAME", PyInterpreterState, eval_frame);
    O("interp", "EVAL_BREAKER", PyInterpreterState, ceval.eval_breaker);
    O("interp", "GIL_DROP_REQUEST", PyInterpreterState, ceval.gil_drop_request);
    O("interp", "PENDING_CALLS_TO_DO", PyInterpreterState, ceval.pending.calls_to_do);
    O("interp", "FLOAT_FREE_LIST", PyInterpreterState, float_state.free_list);
    O("interp", "FLOAT_NUMFREE", PyInterpreterState, float_state.numfree);
    V("interp", "FLOAT_MAXFREE", PyFloat_MAXFREELIST);
#if PyTuple_NFREELISTS > 0
    O("interp", "TUPLE_FREE_LIST", PyInterpreterState, tuple.free_list);
    O("interp", "TUPLE_NUMFREE", PyInterpreterState, tuple.numfree);
#else
    EMIT("offset", "interp", "TUPLE_FREE_LIST", 0);
    EMIT("offset", "interp", "TUPLE_NUMFREE", 0);
#endif
    V("interp", "TUPLE_FREE_LISTS", PyTuple_NFREELISTS);
#if PyList_MAXFREELIST > 0
    O("interp", "LIST_FREE_LIST", PyInterpreterState, list.free_list);
    O("interp", "LIST_NUMFREE", PyInterpreterState, list.numfree);
#else
    EMIT("offset", "interp", "LIST_FREE_LIST", 0);
    EMIT("offset", "interp", "LIST_NUMFREE", 0);
#endif
    V("interp", "LIST_FREE_LISTS", PyList_MAXFREELIST);
    O("interp", "GC_GENERATION0", PyInterpreterState, gc.generation0);
    O("interp", "GC_ENABLED", PyInterpreterState, gc.enabled);
    O("interp", "GC_THRESHOLD", PyInterpreterState, gc.generations[0].threshold);
    O("interp", "GC_COUNT", PyInterpreterState, gc.generations[0].count);
    O("gc_head", "GC_NEXT", PyGC_Head, _gc_next);
    O("gc_head", "GC_PREV", PyGC_Head, _gc_prev);
    Z("gc_head", PyGC_Head);
    O("tracemalloc", "TRACING", struct _PyTraceMalloc_Config, tracing);
    V("gc_head", "PREV_SHIFT", _PyGC_PREV_SHIFT);
    O("interp", "PENDING_ASYNC_EXC", PyInterpreterState, ceval.pending.async_exc);
    O("interp", "IMPORT_FUNC", PyInterpreterState, import_func);
    O("runtime", "TSTATE_CURRENT", _PyRuntimeState, gilstate.tstate_current);
    O("runtime", "MAIN_THREAD", _PyRuntimeState, main_thread);
    O("runtime", "SIGNALS_PENDING", _PyRuntimeState, ceval.signals_pending);
    O("runtime", "SMALL_INTS", _PyRuntimeState, global_objects.singletons.small_ints);
    V("runtime", "SMALL_INTS_NEGATIVE", _PY_NSMALLNEGINTS);
    V("runtime", "SMALL_INTS_POSITIVE", _PY_NSMALLPOSINTS);

    /* Code, functions, generators. */
    Z("code", PyCodeObject);
    O("code", "CO_CONSTS", PyCodeObject, co_consts);
    O("code", "CO_NAMES", PyCodeObject, co_names);
    O("code", "CO_EXCEPTIONTABLE", PyCodeObject, co_exceptiontable);
    O("code", "CO_FLAGS", PyCodeObject, co_flags);
    O("code", "CO_WARMUP", PyCodeObject, co_warmup);
    O("code", "CO_ARGCOUNT", PyCodeObject, co_argcount);
    O("code", "CO_POSONLYARGCOUNT", PyCodeObject, co_posonlyargcount);
    O("code", "CO_KWONLYARGCOUNT", PyCodeObject, co_kwonlyargcount);
    O("code", "CO_STACKSIZE", PyCodeObject, co_stacksize);
    O("code", "CO_FIRSTLINENO", PyCodeObject, co_firstlineno);
    O("code", "CO_NLOCALSPLUS", PyCodeObject, co_nlocalsplus);
    O("code", "CO_NLOCALS", PyCodeObject, co_nlocals);
    O("code", "CO_NPLAINCELLVARS", PyCodeObject, co_nplaincellvars);
    O("code", "CO_NCELLVARS", PyCodeObject, co_ncellvars);
    O("code", "CO_NFREEVARS", PyCodeObject, co_nfreevars);
    O("code", "CO_LOCALSPLUSNAMES", PyCodeObject, co_localsplusnames);
    O("code", "CO_LOCALSPLUSKINDS", PyCodeObject, co_localspluskinds);
    O("code", "CO_FILENAME", PyCodeObject, co_filename);
    O("code", "CO_NAME", PyCodeObject, co_name);
    O("code", "CO_QUALNAME", PyCodeObject, co_qualname);
    O("code", "CO_LINETABLE", PyCodeObject, co_linetable);
    O("code", "FIRSTTRACEABLE", PyCodeObject, _co_firsttraceable);
    O("code", "CO_EXTRA", PyCodeObject, co_extra);
    O("code", "CO_CODE_ADAPTIVE", PyCodeObject, co_code_adaptive);
    V("code", "CO_OPTIMIZED", CO_OPTIMIZED);
    V("code", "CO_NEWLOCALS", CO_NEWLOCALS);
    V("code", "CO_GENERATOR", CO_GENERATOR);
    V("code", "CO_COROUTINE", CO_COROUTINE);
    V("code", "CO_ITERABLE_COROUTINE", CO_ITERABLE_COROUTINE);
    V("code", "CO_ASYNC_GENERATOR", CO_ASYNC_GENERATOR);
    V("code", "CO_FAST_LOCAL", CO_FAST_LOCAL);
    V("code", "CO_FAST_CELL", CO_FAST_CELL);
    V("code", "CO_FAST_FREE", CO_FAST_FREE);

    Z("function", PyFunctionObject);
    O("function", "FUNC_GLOBALS", PyFunctionObject, func_globals);
    O("function", "FUNC_BUILTINS", PyFunctionObject, func_builtins);
    O("function", "FUNC_NAME", PyFunctionObject, func_name);
    O("function", "FUNC_QUALNAME", PyFunctionObject, func_qualname);
    O("function", "FUNC_CODE", PyFunctionObject, func_code);
    O("function", "FUNC_DEFAULTS", PyFunctionObject, func_defaults);
    O("function", "FUNC_KWDEFAULTS", PyFunctionObject, func_kwdefaults);
    O("function", "FUNC_CLOSURE", PyFunctionObject, func_closure);
    O("function", "FUNC_DOC", PyFunctionObject, func_doc);
    O("function", "FUNC_DICT", PyFunctionObject, func_dict);
    O("function", "FUNC_MODULE", PyFunctionObject, func_module);
    O("function", "FUNC_WEAKREFLIST", PyFunctionObject, func_weakreflist);
    O("function", "FUNC_ANNOTATIONS", PyFunctionObject, func_annotations);
    O("function", "VECTORCALL", PyFunctionObject, vectorcall);
    O("function", "FUNC_VERSION", PyFunctionObject, func_version);

    Z("generator", PyGenObject);
    O("generator", "GI_EXC_STATE", PyGenObject, gi_exc_state);
    O("generator", "GI_CODE", PyGenObject, gi_code);
    O("generator", "GI_WEAKREFLIST", PyGenObject, gi_weakreflist);
    O("generator", "GI_NAME", PyGenObject, gi_name);
    O("generator", "GI_QUALNAME", PyGenObject, gi_qualname);
    O("generator", "ORIGIN_OR_FINALIZER", PyGenObject, gi_origin_or_finalizer);
    O("generator", "HOOKS_INITED", PyGenObject, gi_hooks_inited);
    O("generator", "GI_FRAME_STATE", PyGenObject, gi_frame_state);
    O("generator", "GI_IFRAME", PyGenObject, gi_iframe);
    O("generator", "AG_RUNNING_ASYNC", PyAsyncGenObject, ag_running_async);
    O("generator", "AG_CLOSED", PyAsyncGenObject, ag_closed);

    /* Objects. */
    Z("object", PyObject);
    O("object", "OB_REFCNT", PyObject, ob_refcnt);
    O("object", "OB_TYPE", PyObject, ob_type);
    O("object", "OB_SIZE", PyVarObject, ob_size);
    Z("float", PyFloatObject);
    O("float", "OB_FVAL", PyFloatObject, ob_fval);
    Z("long", PyLongObject);
    O("long", "OB_DIGIT", PyLongObject, ob_digit);
    V("long", "SHIFT", PyLong_SHIFT);
    V("long", "DIGIT_SIZE", sizeof(digit));
    Z("complex", PyComplexObject);
    O("complex", "REAL", PyComplexObject, cval.real);
    O("complex", "IMAG", PyComplexObject, cval.imag);
    Z("list", PyListObject);
    O("list", "OB_ITEM", PyListObject, ob_item);
    O("list", "ALLOCATED", PyListObject, allocated);
    Z("array", Array);
    O("array", "OB_ITEM", Array, ob_item);
    O("array", "OB_DESCR", Array, ob_descr);

    Z("list_iterator", ListIterator);
    O("list_iterator", "IT_INDEX", ListIterator, it_index);
    O("list_iterator", "IT_SEQ", ListIterator, it_seq);
    O("enumerate", "EN_INDEX", Enumerate, en_index);
    O("enumerate", "EN_SIT", Enumerate, en_sit);
    O("zip", "TUPLESIZE", Zip, tuplesize);
    O("zip", "ITTUPLE", Zip, ittuple);
    O("zip", "STRICT", Zip, strict);
    Z("range_iterator", RangeIterator);
    O("range_iterator", "INDEX", RangeIterator, index);
    O("range_iterator", "START", RangeIterator, start);
    O("range_iterator", "STEP", RangeIterator, step);
    O("range_iterator", "LEN", RangeIterator, len);
    Z("tuple", PyTupleObject);
    O("tuple", "OB_ITEM", PyTupleObject, ob_item);
    O("bytearray", "OB_START", PyByteArrayObject, ob_start);
    O("bytes", "OB_SVAL", PyBytesObject, ob_sval);
    O("str", "LENGTH", PyASCIIObject, length);
    O("str", "HASH", PyASCIIObject, hash);
    O("str", "STATE", PyASCIIObject, state);
    V("str", "ASCII_HEADER", sizeof(PyASCIIObject));
    V("str", "COMPACT_HEADER", sizeof(PyCompactUnicodeObject));
    Z("cell", PyCellObject);
    O("cell", "OB_REF", PyCellObject, ob_ref);
    Z("method", PyMethodObject);
    O("method", "IM_FUNC", PyMethodObject, im_func);
    O("method", "IM_SELF", PyMethodObject, im_self);
    O("method", "VECTORCALL", PyMethodObject, vectorcall);
    O("slice", "START", PySliceObject, start);
    O("slice", "STOP", PySliceObject, stop);
    O("slice", "STEP", PySliceObject, step);
    O("c_function", "M_ML", PyCFunctionObject, m_ml);
    O("c_function", "M_SELF", PyCFunctionObject, m_self);
    O("c_function", "M_MODULE", PyCFunctionObject, m_module);
    O("c_function", "VECTORCALL", PyCFunctionObject, vectorcall);
    O("set", "USED", PySetObject, used);
    Z("async_gen_wrapped_value", AsyncGenWrappedValue);
    O("async_gen_wrapped_value", "AGW_VAL", AsyncGenWrappedValue, agw_val);
    O("exception", "NOTES", PyBaseExceptionObject, notes);
    O("exception", "TRACEBACK", PyBaseExceptionObject, traceback);
    O("exception", "CONTEXT", PyBaseExceptionObject, context);
    O("exception", "CAUSE", PyBaseExceptionObject, cause);
    O("exception_group", "EXCS", PyBaseExceptionGroupObject, excs);
    O("name_error", "NAME", PyNameErrorObject, name);

    O("method_wrapper", "CALLABLE", MethodWrapper, callable);
    O("module", "MD_DICT", PyModuleObject, md_dict);

    Z("dict", PyDictObject);
    O("dict", "MA_USED", PyDictObject, ma_used);
    O("dict", "MA_VERSION_TAG", PyDictObject, ma_version_tag);
    O("dict", "MA_KEYS", PyDictObject, ma_keys);
    O("dict", "MA_VALUES", PyDictObject, ma_values);
    O("dict_keys", "DK_REFCNT", PyDictKeysObject, dk_refcnt);
    O("dict_keys", "DK_LOG2_SIZE", PyDictKeysObject, dk_log2_size);
    O("dict_keys", "DK_LOG2_INDEX_BYTES", PyDictKeysObject, dk_log2_index_bytes);
    O("dict_keys", "DK_KIND", PyDictKeysObject, dk_kind);
    O("dict_keys", "DK_VERSION", PyDictKeysObject, dk_version);
    O("dict_keys", "DK_USABLE", PyDictKeysObject, dk_usable);
    O("dict_keys", "DK_NENTRIES", PyDictKeysObject, dk_nentries);
    O("dict_keys", "DK_INDICES", PyDictKeysObject, dk_indices);
    V("dict_keys", "KIND_GENERAL", DICT_KEYS_GENERAL);
    V("dict_keys", "KIND_UNICODE", DICT_KEYS_UNICODE);
    V("dict_keys", "KIND_SPLIT", DICT_KEYS_SPLIT);
    Z("dict_entry", PyDictKeyEntry);
    O("dict_entry", "ME_HASH", PyDictKeyEntry, me_hash);
    O("dict_entry", "ME_KEY", PyDictKeyEntry, me_key);
    O("dict_entry", "ME_VALUE", PyDictKeyEntry, me_value);
    Z("dict_unicode_entry", PyDictUnicodeEntry);
    O("dict_unicode_entry", "ME_KEY", PyDictUnicodeEntry, me_key);
    O("dict_unicode_entry", "ME_VALUE", PyDictUnicodeEntry, me_value);
    O("dict_values", "VALUES", PyDictValues, values);
    /* Managed dictionaries lie before the object: values at -4 words, dict at -3 (3.11). */
    V("managed_dict", "VALUES_OFFSET", -4 * (long long)sizeof(PyObject *));
    V("managed_dict", "DICT_OFFSET", -3 * (long long)sizeof(PyObject *));

    O("member_descriptor", "D_TYPE", PyMemberDescrObject, d_common.d_type);
    O("member_descriptor", "D_MEMBER", PyMemberDescrObject, d_member);
    V("member_descriptor", "T_OBJECT_EX", T_OBJECT_EX);
    Z("member", PyMemberDef);
    O("member", "TYPE", PyMemberDef, type);
    O("member", "OFFSET", PyMemberDef, offset);
    O("member", "FLAGS", PyMemberDef, flags);

    Z("type_object", PyTypeObject);
    O("type_object", "TP_NAME", PyTypeObject, tp_name);
    O("type_object", "TP_BASICSIZE", PyTypeObject, tp_basicsize);
    O("type_object", "TP_ITEMSIZE", PyTypeObject, tp_itemsize);
    O("type_object", "TP_DEALLOC", PyTypeObject, tp_dealloc);
    O("type_object", "TP_VECTORCALL_OFFSET", PyTypeObject, tp_vectorcall_offset);
    O("type_object", "TP_AS_ASYNC", PyTypeObject, tp_as_async);
    O("type_object", "TP_AS_NUMBER", PyTypeObject, tp_as_number);
    O("type_object", "TP_AS_SEQUENCE", PyTypeObject, tp_as_sequence);
    O("type_object", "TP_AS_MAPPING", PyTypeObject, tp_as_mapping);
    O("type_object", "TP_GETATTRO", PyTypeObject, tp_getattro);
    O("type_object", "TP_SETATTRO", PyTypeObject, tp_setattro);
    O("type_object", "TP_FLAGS", PyTypeObject, tp_flags);
    O("type_object", "TP_RICHCOMPARE", PyTypeObject, tp_richcompare);
    O("type_object", "TP_ITER", PyTypeObject, tp_iter);
    O("type_object", "TP_ITERNEXT", PyTypeObject, tp_iternext);
    O("type_object", "TP_DICT", PyTypeObject, tp_dict);
    O("type_object", "TP_DESCR_GET", PyTypeObject, tp_descr_get);
    O("type_object", "TP_DESCR_SET", PyTypeObject, tp_descr_set);
    O("type_object", "TP_DICTOFFSET", PyTypeObject, tp_dictoffset);
    O("type_object", "TP_WEAKLISTOFFSET", PyTypeObject, tp_weaklistoffset);
    O("type_object", "TP_BASE", PyTypeObject, tp_base);
    O("type_object", "TP_FREE", PyTypeObject, tp_free);
    O("type_object", "TP_DEL", PyTypeObject, tp_del);
    O("type_object", "TP_FINALIZE", PyTypeObject, tp_finalize);
    O("type_object", "TP_INIT", PyTypeObject, tp_init);
    O("type_object", "TP_ALLOC", PyTypeObject, tp_alloc);
    O("type_object", "TP_NEW", PyTypeObject, tp_new);
    O("type_object", "TP_MRO", PyTypeObject, tp_mro);
    O("type_object", "TP_VERSION_TAG", PyTypeObject, tp_version_tag);
    O("type_object", "TP_VECTORCALL", PyTypeObject, tp_vectorcall);
    O("type_object", "HT_CACHED_KEYS", PyHeapTypeObject, ht_cached_keys);
    V("type_object", "FLAG_MANAGED_DICT", Py_TPFLAGS_MANAGED_DICT);
    V("type_object", "FLAG_HEAPTYPE", Py_TPFLAGS_HEAPTYPE);
    V("type_object", "FLAG_VALID_VERSION_TAG", Py_TPFLAGS_VALID_VERSION_TAG);
    V("type_object", "FLAG_SEQUENCE", Py_TPFLAGS_SEQUENCE);
    V("type_object", "FLAG_MAPPING", Py_TPFLAGS_MAPPING);
    V("type_object", "FLAG_MATCH_SELF", _Py_TPFLAGS_MATCH_SELF);
    V("type_object", "FLAG_VECTORCALL", Py_TPFLAGS_HAVE_VECTORCALL);

    /* Opcodes that the runtime itself has to know. */
    V("opcode", "CACHE", CACHE);
    V("opcode", "LOAD_GLOBAL", LOAD_GLOBAL);
    V("opcode", "LOAD_GLOBAL_ADAPTIVE", LOAD_GLOBAL_ADAPTIVE);
    V("opcode", "LOAD_GLOBAL_MODULE", LOAD_GLOBAL_MODULE);
    V("opcode", "LOAD_GLOBAL_BUILTIN", LOAD_GLOBAL_BUILTIN);
    V("opcode", "PUSH_NULL", PUSH_NULL);
    V("opcode", "RETURN_VALUE", RETURN_VALUE);
    V("opcode", "EXTENDED_ARG", EXTENDED_ARG);
    V("opcode", "JUMP_BACKWARD", JUMP_BACKWARD);
    V("opcode", "JUMP_BACKWARD_QUICK", JUMP_BACKWARD_QUICK);
    V("opcode", "JUMP_BACKWARD_NO_INTERRUPT", JUMP_BACKWARD_NO_INTERRUPT);
    V("opcode", "POP_JUMP_BACKWARD_IF_TRUE", POP_JUMP_BACKWARD_IF_TRUE);
    V("opcode", "POP_JUMP_BACKWARD_IF_FALSE", POP_JUMP_BACKWARD_IF_FALSE);
    V("opcode", "POP_JUMP_BACKWARD_IF_NONE", POP_JUMP_BACKWARD_IF_NONE);
    V("opcode", "POP_JUMP_BACKWARD_IF_NOT_NONE", POP_JUMP_BACKWARD_IF_NOT_NONE);
    V("opcode", "RESUME", RESUME);
    V("opcode", "RESUME_QUICK", RESUME_QUICK);
    V("opcode", "RETURN_GENERATOR", RETURN_GENERATOR);
    V("opcode", "YIELD_VALUE", YIELD_VALUE);
}

