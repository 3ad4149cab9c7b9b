//! Bytecode to IR: abstract interpretation and SSA construction in one walk.
//!
//! *Problem*: which values can be raw depends on what flows around loops, and what flows around loops depends on which
//! values are raw. *Method*: the builder executes the bytecode abstractly over [`state::State`], block by block in reverse
//! postorder, emitting IR as it goes. At a merge point it joins the shapes of what arrives; what arrives over a back edge
//! is first assumed to change nothing, and when that proves wrong the shape is widened and the whole walk repeated. The
//! lattice is finite, so this ends after a few walks; only the last one's IR is kept. *Invariants*:
//! - within an instruction every guard comes before every effect, so that leaving can always re-execute it;
//! - every reference is consumed exactly once on every path (the interpreter's own discipline, kept symbolically);
//! - before anything that can run Python, dirty raw locals are boxed into their slots and `prev_instr` is stored.
//!
//! *Where things are*: `plan` fixes the order of the walk, `builder` walks, `entries` is where it begins and `merges` where
//! its paths meet; `receivers` knows the classes of objects. `instructions` says which method does an instruction; these are in
//! the files named after what they deal with (`variables`, `arithmetic`, `attributes`, `subscripts`, `slices`, `containers`, `calls`,
//! `inlining`, `bodies`, `partial`, `instances`, `intrinsics`, `control`, `exceptions`, `generators`), which rest on `emission`, on
//! the parts of the state (`items`, `locals`, `names`), and on the two ways in which straight code ends early (`leaving`,
//! `unwinding`). `examples` knows what live objects suggest, `contents` what sequences were seen to contain.

mod arithmetic;
pub mod attributes;
mod bodies;
mod builder;
mod calls;
mod containers;
mod contents;
mod control;
mod emission;
mod entries;
pub mod examples;
mod exceptions;
mod generators;
pub mod inlining;
pub mod instances;
mod instructions;
pub mod intrinsics;
mod items;
mod leaving;
mod locals;
mod merges;
mod names;
mod numbers;
mod pairs;
pub mod parameters;
mod partial;
mod plan;
pub mod receivers;
mod slices;
pub mod state;
mod subscripts;
pub mod type_checks;
mod unwinding;
mod variables;

use crate::bytecode::code::CodeObject;
use crate::bytecode::decode::Bytecode;
use crate::bytecode::instruction::{Arithmetic, Feedback, Offset};
use crate::exit::Reason;
use crate::ir::function::Function;
use crate::ir::types::PyTypes;
use crate::layout::Layout;
use attributes::{ClassAttribute, ModuleAttribute};
use examples::Example;
use inlining::Callee;
use instances::ClassInit;
use receivers::{Access, ClassValue, MethodPlace};
use state::Known;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use type_checks::Class;

/// What is known of a live object at compile time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    pub py: PyTypes,
    /// An int that does not fit 64 bits.
    pub big: bool,
    /// Something beside the frame holds it too.
    pub shared: bool,
    /// The same and what it holds.
    pub example: Rc<Example>,
}

/// A loop that already runs and wants to be entered at `offset` with its state in the frame.
#[derive(Clone, Debug)]
pub struct LoopEntry {
    pub offset: Offset,
    pub locals: Vec<Live>,
    pub stack: Vec<Live>,
}

/// What the compiler may ask about the live interpreter. All answers are snapshots; the code it builds guards them.
pub trait Environment {
    /// Byte offset, from a dictionary's keys object, of the value that `LOAD_GLOBAL` would read, if the dictionary's keys
    /// have the recorded version. Second: the same in the builtins.
    fn global_value_offset(&self, name: u32, feedback: &Feedback) -> Option<GlobalPlace>;

    /// Whether the name is bound (globals, then builtins) to a builtin the compiler knows, and its address, which lives as long
    /// as the compiled code.
    fn known_global(&self, name: u32) -> Option<(Known, u64)>;

    /// What the name is bound to in the namespace of the module or class body that is to be compiled for.
    fn name_type(&self, _name: u32) -> Option<Live> {
        None
    }

    /// The Python function that a global name is bound to, if its body may be inlined: a number for [`Environment::callee`].
    fn global_callee(&self, _name: u32) -> Option<u32> {
        None
    }

    /// The same for the function at an address that is, by that name, a method of instances of the type with that version.
    fn method_callee(&self, _type_version: u32, _name: u32, _descriptor: u64) -> Option<u32> {
        None
    }

    /// Address of the last version number that was given to a dictionary by a store in compiled code (`ma_version_tag`): no number
    /// that follows it is ever given by CPython.
    fn dictionary_versions(&self) -> Option<u64> {
        None
    }

    /// From now on names are those of the callee's `co_names`; `None`: of the function's own.
    fn names_of(&self, _callee: Option<u32>) {}

    /// The Python function that does `x[k]`, or with `store` `x[k] = v`, for instances of the type with that version, if its
    /// body may be inlined.
    fn subscript_callee(&self, _type_version: u32, _store: bool) -> Option<u32> {
        None
    }

    /// Where instances of the type with that version have an attribute, as the interpreter would record it.
    fn attribute_place(&self, _type_version: u32, _name: u32, _access: Access) -> Feedback {
        Feedback::None
    }

    /// Where instances of the type with that version find a method; the name is that of `co_names`.
    fn method_place(&self, _type_version: u32, _name: u32) -> Option<MethodPlace> {
        None
    }

    /// Where instances of the type with that version, which may have dictionaries of their own, find a method that their
    /// dictionaries do not hide: the descriptor's address, alive as long as a live type has the version.
    fn method_past_dictionary(&self, _type_version: u32, _name: u32) -> Option<u64> {
        None
    }

    /// What the class with that version, whose own type is exactly `type`, has under a name.
    fn class_attribute(&self, _version: u32, _name: u32) -> Option<ClassAttribute> {
        None
    }

    /// What instances of the class with that version find in it under a name, if it is no descriptor.
    fn class_value(&self, _version: u32, _name: u32) -> Option<ClassValue> {
        None
    }

    /// The built-in type that has that version, if it is one whose methods the compiler knows.
    fn builtin_type(&self, _version: u32) -> Option<PyTypes> {
        None
    }

    /// Address of the descriptor that a built-in type has under a name; it lives for ever.
    fn builtin_method(&self, _ty: PyTypes, _name: u32) -> Option<u64> {
        None
    }

    /// Address of the descriptor that a built-in type's attribute is, if getting it from the type gives itself; it lives for ever.
    fn builtin_type_attribute(&self, _ty: PyTypes, _name: u32) -> Option<u64> {
        None
    }

    /// What `isinstance` says of any direct instance of one class and of another class, whose own type is exactly `type`; `None`
    /// where that is to be asked of the instance.
    fn is_instance(&self, _of: Class, _class: Class) -> Option<bool> {
        None
    }

    /// The Python function that is the operator's method, of two instances of the type with that version or of one and a number,
    /// if its body may be inlined, and its address.
    fn operator_callee(&self, _type_version: u32, _op: Arithmetic, _in_place: bool) -> Option<(u32, u64)> {
        None
    }

    /// How the class with that version initialises instances.
    fn class_init(&self, _version: u32) -> Option<ClassInit> {
        None
    }

    /// What a global name is bound to, as an example.
    fn global_example(&self, _name: u32) -> Option<Rc<Example>> {
        None
    }

    /// The module that a global name is bound to: a number for [`Environment::module_attribute`].
    fn global_module(&self, _name: u32) -> Option<u32> {
        None
    }

    /// Where a module has a name.
    fn module_attribute(&self, _module: u32, _name: u32) -> Option<ModuleAttribute> {
        None
    }

    /// A function's body. Whoever keeps the compiled code keeps the code objects of those that were asked for.
    fn callee(&self, _number: u32) -> Option<Rc<Callee>> {
        None
    }
}

/// Where a global variable's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalPlace {
    pub in_builtins: bool,
    pub module_keys_version: u32,
    pub builtin_keys_version: u32,
    /// Offset of the value from the keys object of the dictionary that holds it.
    pub value_offset: i32,
}

/// An environment that knows nothing: for tools that compile without an interpreter.
pub struct NoEnvironment;

impl Environment for NoEnvironment {
    fn global_value_offset(&self, _: u32, _: &Feedback) -> Option<GlobalPlace> {
        None
    }
    fn known_global(&self, _: u32) -> Option<(Known, u64)> {
        None
    }
}

/// Everything one build needs.
pub struct BuildRequest<'a> {
    pub code: &'a CodeObject,
    pub bytecode: &'a Bytecode,
    pub layout: &'a Layout,
    pub environment: &'a dyn Environment,
    /// Types of the locals when the function is entered at its start, to be guessed and guarded.
    pub argument_types: Option<Vec<Live>>,
    pub loop_entry: Option<LoopEntry>,
    /// What locals held when an earlier activation ended; empty if that was not seen.
    pub local_examples: Vec<Option<Rc<Example>>>,
    /// Guesses that failed too often, by the instruction and the reason of the exits.
    pub generalised: &'a HashSet<(Offset, Reason)>,
    /// Versions of the types met where a guard of one failed, by the instruction; none for one that met too many.
    pub receivers: &'a HashMap<Offset, Vec<u32>>,
    pub options: BuildOptions,
    /// Write down what is known at the start of each block ([`Built::types`]).
    pub describe: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct BuildOptions {
    /// Guess types at all (else only what is proved is used).
    pub speculate: bool,
    /// Keep floats, ints and bools raw across merges and loops.
    pub unbox_loops: bool,
    /// Guess from what live objects hold ([`examples`]).
    pub examples: bool,
    /// Give a float's memory to the float that takes its place in a container.
    pub reuse_floats: bool,
    /// Read and write lists and tuples, globals, and attributes in line.
    pub inline_containers: bool,
    /// Read and assign slices without making slice objects.
    pub inline_slices: bool,
    pub inline_globals: bool,
    pub inline_attributes: bool,
    /// Keep numbers in names of module and class bodies raw in loops.
    pub promote_names: bool,
    /// Release a function's locals before it returns, where their types are known.
    pub finish_frames: bool,
    /// Put the bodies of small functions in the place of their calls ([`inlining`]).
    pub inline_calls: bool,
    /// Also of those of which only some paths can be (`partial`); methods of several classes.
    pub inline_partial: bool,
    /// Also of those with starred and keyword-only parameters; of those of other modules, which have other globals; what bodies find in
    /// dictionaries.
    pub inline_starred: bool,
    pub inline_foreign: bool,
    pub search_dictionaries: bool,
    /// Do what well-known builtins do in the place of their calls ([`intrinsics`]).
    pub intrinsics: bool,
    /// Resume generators from compiled code without CPython's calls, pass through what only delegates, make generators without
    /// the interpreter.
    pub direct_generators: bool,
    pub pass_delegators: bool,
    pub make_generators: bool,
    /// End a generator that is closed without running it, where no handler is around the yield.
    pub close_generators: bool,
    /// Let C code that iterates over a generator enter its compiled code without the hook.
    pub iterate_generators: bool,
    /// Fill tuples and sets from generators without asking for each value anew.
    pub collect_generators: bool,
    /// Let a generator that is gone through give its values to whoever collects them without being left.
    pub collect_yields: bool,
    /// Unpack what `enumerate` and `zip` give without its tuple (`pairs`).
    pub unpack_iterators: bool,
    /// Use the function objects of comprehensions again.
    pub reuse_functions: bool,
    /// Remember the items that tuples and lists were taken apart into (`contents`).
    pub known_items: bool,
    /// Leave out stores of what a local holds already.
    pub idle_stores: bool,
    /// Find quotients of big ints from their leading digits.
    pub leading_digits: bool,
}

/// Names by which the builder's optimisations are switched off, as those of the passes are.
pub const SWITCHES: &[&str] = &[
    "guess_types",
    "unbox_loops",
    "examples",
    "reuse_floats",
    "inline_containers",
    "inline_slices",
    "inline_globals",
    "inline_attributes",
    "promote_names",
    "finish_frames",
    "inline_calls",
    "inline_partial",
    "inline_starred",
    "inline_foreign",
    "search_dictionaries",
    "intrinsics",
    "direct_generators",
    "pass_delegators",
    "make_generators",
    "close_generators",
    "iterate_generators",
    "collect_generators",
    "collect_yields",
    "unpack_iterators",
    "reuse_functions",
    "known_items",
    "idle_stores",
    "leading_digits",
];

impl BuildOptions {
    /// Everything but what `disabled` names (see [`SWITCHES`]; other names are left to the passes).
    pub fn without(disabled: &[String]) -> BuildOptions {
        let enabled = |name: &str| !disabled.iter().any(|other| other == name);
        BuildOptions {
            speculate: enabled("guess_types"),
            unbox_loops: enabled("unbox_loops"),
            examples: enabled("examples"),
            reuse_floats: enabled("reuse_floats"),
            inline_containers: enabled("inline_containers"),
            inline_slices: enabled("inline_slices"),
            inline_globals: enabled("inline_globals"),
            inline_attributes: enabled("inline_attributes"),
            promote_names: enabled("promote_names"),
            finish_frames: enabled("finish_frames"),
            inline_calls: enabled("inline_calls"),
            inline_partial: enabled("inline_partial"),
            inline_starred: enabled("inline_starred"),
            inline_foreign: enabled("inline_foreign"),
            search_dictionaries: enabled("search_dictionaries"),
            intrinsics: enabled("intrinsics"),
            direct_generators: enabled("direct_generators"),
            pass_delegators: enabled("pass_delegators"),
            make_generators: enabled("make_generators"),
            close_generators: enabled("close_generators"),
            iterate_generators: enabled("iterate_generators"),
            collect_generators: enabled("collect_generators"),
            collect_yields: enabled("collect_yields"),
            unpack_iterators: enabled("unpack_iterators"),
            reuse_functions: enabled("reuse_functions"),
            known_items: enabled("known_items"),
            idle_stores: enabled("idle_stores"),
            leading_digits: enabled("leading_digits"),
        }
    }
}

impl Default for BuildOptions {
    fn default() -> Self {
        BuildOptions::without(&[])
    }
}

/// Entry numbers are below this many bits; above them may stand, shifted, the address of a sink for what is yielded.
pub const SINK_BITS: u32 = 16;

/// Where compiled code can be entered. The entry number is the index in [`Built::entries`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The function's first instruction.
    Start,
    /// After the `YIELD_VALUE` (or `RETURN_GENERATOR`) whose opcode is at this offset; the sent value is on the stack.
    Resume(Offset),
    /// Behind a `SEND` whose receiver has returned; the value is on the stack.
    Sent { send: Offset, done: Offset },
    /// At a loop header, all state in the frame.
    Loop(Offset),
}

/// What the code of a generator function does before it makes the generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prelude {
    /// `COPY_FREE_VARS`.
    pub free_variables: bool,
    /// Slots that `MAKE_CELL` turns into cells.
    pub cells: Box<[u32]>,
    /// Where `RETURN_GENERATOR` is.
    pub unit: Offset,
}

/// How often each optimisation of the builder was applied, by name.
pub type Applied = Vec<(&'static str, usize)>;

/// The result of a build.
pub struct Built {
    pub function: Function,
    pub entries: Vec<Entry>,
    /// Whether entry numbers may have the address of a sink above their lowest [`SINK_BITS`].
    pub takes_sink: bool,
    /// How the code of a generator function makes its generator, if that can be done without running it.
    pub prelude: Option<Prelude>,
    pub applied: Applied,
    /// Walks over the bytecode until the shapes settled.
    pub walks: u32,
    /// The state at the start of each bytecode block, as text, for `dump`; empty unless asked for.
    pub types: String,
    /// Addresses behind `Symbol::Address(i)`.
    pub addresses: Vec<u64>,
}

/// Why a function is not compiled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BuildError {
    #[error("unsupported: {0}")]
    Unsupported(String),
    #[error("internal error in the builder: {0}")]
    Invariant(String),
}

/// Builds the IR of one code object.
pub fn build(request: &BuildRequest<'_>) -> Result<Built, BuildError> {
    builder::run(request)
}
