//! Where functions are compiled in every mode of the backend under test, and run.
//!
//! *Problem*: a backend has several modes (effort, processor level), and a case must hold in each. *Method*: a function is
//! compiled once per mode; each run goes through [`crate::witness::enter`], which checks the registers that belong to the
//! caller; all modes must give the same status and the same out buffer. *Invariants*: code gets pages of its own, so benches
//! on several threads do not disturb each other; the out buffer has [`OUT`] words, filled with [`POISON`] before each run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr::null_mut;

use columba_jit_core::backend::{Backend, Caps, CodeSink, CompileError, CompiledEntry, Config, Cpu, Effort};
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::op::{Status, Symbol};
use columba_jit_core::unit::{CompileUnit, Resolver};

use crate::witness::enter;
use crate::world::Kind;

/// Words of the out buffer.
pub(crate) const OUT: usize = 80;
/// What the out buffer holds before a run.
pub(crate) const POISON: u64 = 0x5555_5555_5555_5555;

/// Addresses for cases: helpers from a table, symbols by a formula.
pub struct Fake {
    pub helpers: Vec<(Helper, u64)>,
    pub symbol: fn(Symbol) -> u64,
}

/// No helpers, and symbols that nobody looks at.
pub const NONE: Fake = Fake { helpers: Vec::new(), symbol: |_| 0 };

impl Resolver for Fake {
    fn symbol(&self, symbol: Symbol) -> u64 {
        (self.symbol)(symbol)
    }

    fn helper(&self, helper: Helper) -> u64 {
        let found = self.helpers.iter().find(|entry| entry.0 == helper);
        found.unwrap_or_else(|| panic!("the case gives no address of {helper:?}")).1
    }
}

/// A backend under test.
pub struct Bench<'b> {
    backend: &'b dyn Backend,
    configs: Vec<Config>,
    memory: CodeMemory,
    figures: RefCell<BTreeMap<&'static str, u64>>,
    /// Operations executed by the reference interpreter, by kind.
    pub(crate) executed: RefCell<BTreeMap<Kind, u64>>,
}

impl<'b> Bench<'b> {
    pub fn new(backend: &'b dyn Backend) -> Self {
        Bench {
            backend,
            configs: configs(backend),
            memory: CodeMemory::new(CodeOptions::default()),
            figures: RefCell::default(),
            executed: RefCell::default(),
        }
    }

    pub fn backend(&self) -> &'b dyn Backend {
        self.backend
    }

    /// Every mode that code is generated in.
    pub fn configs(&self) -> &[Config] {
        &self.configs
    }

    /// Counts for the report.
    pub(crate) fn count(&self, figure: &'static str, by: u64) {
        *self.figures.borrow_mut().entry(figure).or_default() += by;
    }

    pub(crate) fn figures(&self) -> Vec<(String, u64)> {
        let mut figures: Vec<(String, u64)> =
            self.figures.borrow().iter().map(|(&name, &count)| (name.to_owned(), count)).collect();
        let executed = self.executed.borrow();
        if !executed.is_empty() {
            figures.push(("operations executed".into(), executed.values().sum()));
            figures.push(("kinds of operations".into(), executed.len() as u64));
        }
        figures
    }

    pub fn compile(
        &self,
        function: &Function,
        resolver: &dyn Resolver,
        config: &Config,
    ) -> Result<CompiledEntry, CompileError> {
        let unit = CompileUnit { function, resolver, symbol_name: &function.name };
        let compiled = self.backend.compile(&unit, config, &mut CodeSink::new(&self.memory, Placement::Fresh))?;
        self.count("functions compiled", 1);
        self.count("bytes of code", compiled.code_size() as u64);
        Ok(compiled)
    }

    /// Compiles in every mode; a refusal fails the case.
    #[track_caller]
    pub fn compile_all(&self, function: &Function, resolver: &dyn Resolver) -> Compiled<'_> {
        let compiled = self.configs.iter().map(|config| match self.compile(function, resolver, config) {
            Ok(entry) => entry,
            Err(error) => panic!("{} was refused: {error}", function.name),
        });
        Compiled { entries: compiled.collect(), bench: self }
    }

    /// Runs an entry, with the caller's registers checked.
    ///
    /// # Safety
    /// As [`CompiledEntry::call`].
    pub unsafe fn call(&self, entry: &CompiledEntry, ts: *mut u64, frame: *mut u64, out: *mut u64, number: i64) -> i64 {
        self.count("runs", 1);
        // SAFETY: by the caller's promise; the entry's own `ctx`.
        unsafe { enter(entry.function(), entry.ctx(), ts.cast(), frame.cast(), out, number) }
    }
}

fn configs(backend: &dyn Backend) -> Vec<Config> {
    let base = Config { verify: true, ..Config::default() };
    let mut configs = vec![base];
    if backend.caps().contains(Caps::EFFORT) {
        configs.push(Config { effort: Effort::Fast, ..base });
    }
    let v3 = Config { cpu: Cpu::X86_64V3, ..base };
    if backend.caps().contains(Caps::NATIVE) && backend.check(&v3).is_ok() {
        configs.push(v3);
    }
    configs
}

/// A function compiled in every mode.
pub struct Compiled<'a> {
    pub entries: Vec<CompiledEntry>,
    bench: &'a Bench<'a>,
}

impl Compiled<'_> {
    /// Runs in every mode with `frame` at these words; the results must agree. Gives status and `out`.
    #[track_caller]
    pub fn run(&self, inputs: &[u64], entry: i64) -> (i64, Vec<u64>) {
        let (status, out, _) = self.run_on(inputs, entry);
        (status, out)
    }

    /// The same, and what is in the frame's words afterwards.
    #[track_caller]
    pub fn run_on(&self, inputs: &[u64], entry: i64) -> (i64, Vec<u64>, Vec<u64>) {
        let mut results = self.entries.iter().map(|compiled| {
            let mut frame = inputs.to_vec();
            let mut out = vec![POISON; OUT];
            // SAFETY: the functions of the cases access `frame` within `inputs` and write at most `OUT` words.
            let status = unsafe { self.bench.call(compiled, null_mut(), frame.as_mut_ptr(), out.as_mut_ptr(), entry) };
            (status, out, frame)
        });
        let first = results.next().expect("there is at least one mode");
        for other in results {
            assert_eq!(first, other, "modes disagree on {inputs:x?}");
        }
        first
    }

    /// Runs and gives the result of a function that returns.
    #[track_caller]
    pub fn value(&self, inputs: &[u64]) -> u64 {
        let (status, out) = self.run(inputs, 0);
        assert_eq!(status, Status::Returned as i64, "status for {inputs:x?}");
        out[0]
    }
}
