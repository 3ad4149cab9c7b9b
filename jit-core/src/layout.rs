//! Byte offsets and constants of the running CPython's structures, given to this crate as data.
//!
//! *Invariant*: filled by whoever embeds the compiler (`cpython-runtime` takes them from CPython's own headers); nothing in
//! this crate knows a number of its own.

/// Offsets in bytes unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub ob_refcnt: i32,
    pub ob_type: i32,
    pub float_value: i32,
    /// Signed digit count of an int.
    pub long_size: i32,
    /// First 30-bit digit (`u32`).
    pub long_digits: i32,
    /// `ob_size` of variable-sized objects (list, tuple).
    pub var_size: i32,
    /// Pointer to a list's items.
    pub list_items: i32,
    /// A tuple's first item (in line).
    pub tuple_items: i32,
    /// Of an `array.array`: its numbers, and the description that starts with the type code.
    pub array_items: i32,
    pub array_description: i32,
    /// The first byte of bytes (in line), and of a bytearray (a pointer).
    pub bytes_items: i32,
    pub bytearray_start: i32,
    pub range_iter_index: i32,
    pub range_iter_start: i32,
    pub range_iter_step: i32,
    pub range_iter_len: i32,
    pub list_iter_index: i32,
    pub list_iter_list: i32,
    pub tuple_iter_index: i32,
    pub tuple_iter_tuple: i32,
    /// Of an `enumerate`: the next index, and what it goes through.
    pub enumerate_index: i32,
    pub enumerate_iterator: i32,
    /// Of a `zip`: how many iterators, the tuple of them, and whether they must end together (`i32`).
    pub zip_size: i32,
    pub zip_iterators: i32,
    pub zip_strict: i32,
    pub cell_value: i32,
    /// How many items a set or frozenset has.
    pub set_used: i32,
    /// How many characters a str has, and the word of its flags (`u32`), which hold `str_ready` once that is right.
    pub str_length: i32,
    pub str_state: i32,
    pub str_ready: i64,
    pub frame_prev_instr: i32,
    pub frame_localsplus: i32,
    pub frame_globals: i32,
    pub frame_builtins: i32,
    /// The frame object, null while nobody asked for one.
    pub frame_object: i32,
    /// The frame below.
    pub frame_previous: i32,
    /// One past the slots in use (`i32`).
    pub frame_stacktop: i32,
    /// From a generator's frame to the generator's state (`i8`), and that state while it is suspended.
    pub frame_generator_state: i32,
    pub generator_suspended: i32,
    pub dict_keys: i32,
    /// How many entries a dictionary has.
    pub dict_used: i32,
    pub dict_values: i32,
    /// A number that no other dictionary has, and that changes with every change of the dictionary.
    pub dict_version: i32,
    /// From an object that the garbage collector may know, back to a word that is not 0 while it does.
    pub gc_next: i32,
    pub module_dict: i32,
    /// Of a static or class method: what it stands for.
    pub method_wrapper_callable: i32,
    pub keys_version: i32,
    /// How many entries are used.
    pub keys_entries: i32,
    pub keys_log2_index_bytes: i32,
    /// 0 where keys other than strings are possible (`u8`).
    pub keys_kind: i32,
    pub keys_indices: i32,
    /// Size of a unicode entry and offset of its value.
    pub unicode_entry_size: i32,
    pub unicode_entry_value: i32,
    pub type_version: i32,
    /// The keys that instances of a heap type share.
    pub type_cached_keys: i32,
    /// Offset (negative) of the instance values pointer from the object.
    pub instance_values: i32,
    /// The same of its dictionary pointer; null while the values are in line.
    pub instance_dict: i32,
    pub thread_curexc_type: i32,
    pub thread_cframe: i32,
    /// Calls until the recursion limit (`i32`).
    pub thread_recursion_remaining: i32,
    pub function_code: i32,
    pub function_globals: i32,
    pub function_builtins: i32,
    /// The tuple of its defaults, or null.
    pub function_defaults: i32,
    /// The dictionary of the defaults of keyword-only parameters, or null.
    pub function_keyword_defaults: i32,
    pub cframe_use_tracing: i32,
    pub cframe_current_frame: i32,
    /// Size of one entry of the small-int table, which holds -5..=256.
    pub small_int_stride: i32,
    /// Reference counts must be changed by helpers (builds of CPython that count all references).
    pub refcount_by_helper: bool,
}

impl Layout {
    /// The layout of a 64-bit release build of CPython 3.11, for tests and tools that run without an interpreter.
    pub const EXAMPLE: Layout = Layout {
        ob_refcnt: 0,
        ob_type: 8,
        float_value: 16,
        long_size: 16,
        long_digits: 24,
        var_size: 16,
        list_items: 24,
        tuple_items: 24,
        array_items: 24,
        array_description: 40,
        bytes_items: 32,
        bytearray_start: 40,
        range_iter_index: 16,
        range_iter_start: 24,
        range_iter_step: 32,
        range_iter_len: 40,
        list_iter_index: 16,
        list_iter_list: 24,
        tuple_iter_index: 16,
        tuple_iter_tuple: 24,
        enumerate_index: 16,
        enumerate_iterator: 24,
        zip_size: 16,
        zip_iterators: 24,
        zip_strict: 40,
        cell_value: 16,
        set_used: 24,
        str_length: 16,
        str_state: 32,
        str_ready: 1 << 7,
        frame_prev_instr: 56,
        frame_localsplus: 72,
        frame_globals: 8,
        frame_builtins: 16,
        frame_object: 40,
        frame_previous: 48,
        frame_stacktop: 64,
        frame_generator_state: -5,
        generator_suspended: -1,
        dict_keys: 32,
        dict_used: 16,
        dict_values: 40,
        dict_version: 24,
        gc_next: -16,
        module_dict: 16,
        method_wrapper_callable: 16,
        keys_version: 12,
        keys_entries: 24,
        keys_log2_index_bytes: 9,
        keys_kind: 10,
        keys_indices: 32,
        unicode_entry_size: 16,
        unicode_entry_value: 8,
        type_version: 384,
        type_cached_keys: 872,
        instance_values: -32,
        instance_dict: -24,
        thread_curexc_type: 96,
        thread_cframe: 56,
        thread_recursion_remaining: 32,
        function_code: 48,
        function_globals: 16,
        function_builtins: 24,
        function_defaults: 56,
        function_keyword_defaults: 64,
        cframe_use_tracing: 0,
        cframe_current_frame: 8,
        small_int_stride: 32,
        refcount_by_helper: false,
    };
}
