//! From a code object to lowered IR and a listing, without an interpreter.
//!
//! *Problem*: tools that look at what the compiler does (type inference, listings, code size) have no live objects to ask and
//! no addresses to link to. *Method*: the stages of the core in their order, over the example layout of CPython 3.11, with
//! an environment that knows nothing and, for machine code, made-up addresses that carry the names of what they stand
//! for. *Invariant*: code linked by [`Unplaced`] is for reading, never for running.

use columba_jit_core::backend::{Backend, CodeSink, CompileError, CompiledEntry, Config};
use columba_jit_core::build::{self, BuildError, BuildOptions, BuildRequest, Built, NoEnvironment};
use columba_jit_core::bytecode::code::CodeObject;
use columba_jit_core::bytecode::decode::{Bytecode, DecodeError, decode};
use columba_jit_core::bytecode::line_table::{LineTable, LineTableError, decode_line_table};
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::disassembly::{Names, disassemble};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::op::Symbol;
use columba_jit_core::layout::Layout;
use columba_jit_core::lower::{LowerOptions, lower};
use columba_jit_core::passes::{self, PassOptions};
use columba_jit_core::unit::{CompileUnit, Resolver};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// Why a code object did not get through.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Lines(#[from] LineTableError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// One code object on its way; each stage's result stays to be looked at.
pub struct Pipeline {
    /// The instructions, with what their inline caches say.
    pub bytecode: Bytecode,
    /// The IR as the builder made it, with the types at the start of each block as text.
    pub built: Built,
    /// The IR after the passes.
    pub optimised: Function,
    /// Primitive operations only: what a backend is given.
    pub lowered: Function,
    name: String,
    lines: LineTable,
}

impl Pipeline {
    /// Runs the stages from decoding to lowering.
    pub fn new(code: &CodeObject) -> Result<Pipeline, PipelineError> {
        let bytecode = decode(code)?;
        let layout = Layout::EXAMPLE;
        let built = build::build(&BuildRequest {
            code,
            bytecode: &bytecode,
            layout: &layout,
            environment: &NoEnvironment,
            argument_types: None,
            loop_entry: None,
            local_examples: Vec::new(),
            generalised: &HashSet::new(),
            receivers: &HashMap::new(),
            options: BuildOptions::default(),
            describe: true,
        })?;
        let mut optimised = built.function.clone();
        passes::run(&mut optimised, &PassOptions::default());
        let lowered = lower(&optimised, &layout, &LowerOptions::default());
        let lines = decode_line_table(&code.line_table, code.first_line)?;
        Ok(Pipeline { bytecode, built, optimised, lowered, name: code.qualname.clone(), lines })
    }

    /// Machine code for the function by a backend, for reading; see [`Unplaced`].
    pub fn listing(&self, backend: &dyn Backend) -> Result<String, PipelineError> {
        let memory = CodeMemory::new(CodeOptions::default());
        let unplaced = Unplaced::default();
        let unit = CompileUnit { function: &self.lowered, resolver: &unplaced, symbol_name: &self.name };
        let config = Config { origins: true, ..Config::default() };
        backend.check(&config)?;
        let entry: CompiledEntry = backend.compile(&unit, &config, &mut CodeSink::new(&memory, Placement::Packed))?;
        Ok(disassemble(entry.bytes(), 0, &entry.origins, &self.lines, &unplaced.names.borrow()))
    }
}

/// Gives every symbol and helper an address of its own, far from any other, and remembers its name.
#[derive(Default)]
pub struct Unplaced {
    names: RefCell<Names>,
}

impl Unplaced {
    fn place(&self, name: String) -> u64 {
        let mut names = self.names.borrow_mut();
        if let Some((address, _)) = names.iter().find(|(_, known)| **known == name) {
            return *address;
        }
        let address = 0x7fff_0000_0000 + 0x1000 * names.len() as u64;
        names.insert(address, name);
        address
    }
}

impl Resolver for Unplaced {
    fn symbol(&self, symbol: Symbol) -> u64 {
        self.place(format!("{symbol:?}"))
    }

    fn helper(&self, helper: Helper) -> u64 {
        self.place(helper.name().to_owned())
    }
}
