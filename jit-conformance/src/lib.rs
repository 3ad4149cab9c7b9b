//! The suite that proves a backend.
//!
//! *Problem*: a code generator is right when everything it generates does what the IR's manual says, on every path, with
//! every register allocation, at every call; that is not seen by trying a few programs. *Method*: sections that each look
//! for another kind of mistake, all of them through the door [`Backend`], so that nothing here knows how code is made; the
//! reference interpreter says what is right; and planted mistakes ([`run_mutants`]) prove that the suite sees them.
//!
//! ```
//! use columba_jit_conformance::{Options, ReferenceBackend, Section, run_all_with, run_section};
//!
//! let backend = ReferenceBackend::new();
//! run_section(Section::Texts, &backend, &Options::default()).assert_clean();
//! let report = run_all_with(&backend, &Options::quick());
//! assert!(report.is_clean(), "{report}");
//! ```
//!
//! What each section does and how a case is added: `docs/conformance.md`.
//!
//! *Invariants*: nothing of the suite is read from files at run time; the same options give the same cases; a case that panics, in the
//! backend or here, is a failure with its message. A wrong backend can of course crash the process: each section can be run
//! on its own, and a case by name ([`Options::only`]). Needs unwinding panics.
//!
//! With the feature `cpython` there is one more section, `python`: Python programs inside CPython, each in a process of its
//! own.

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("the witnesses of the calling convention are written for x86-64 Linux");

mod abi;
mod bench;
mod chaos;
mod construct;
mod direct_calls;
mod edges;
mod exits;
mod generated;
pub mod must_fail;
mod mutants;
mod publishing;
#[cfg(feature = "cpython")]
pub mod python;
mod random;
mod reference;
mod report;
mod run;
mod section_tests;
mod tape;
mod texts;
mod witness;
mod world;

use std::fmt;

use columba_jit_core::backend::Backend;

pub use bench::{Bench, Compiled, Fake, NONE};
pub use construct::{Build, to};
pub use direct_calls::{DirectCall, run_direct_calls};
pub use must_fail::MustFail;
pub use mutants::{Mutant, MutantOutcome, MutantReport, mutants, run_mutants};
pub use reference::ReferenceBackend;
pub use report::{Failure, Report, SectionReport};
pub use tape::{Tape, TapeBackend, TapeEmitter};

/// A part of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// Functions in the IR's text form with expected results and exits.
    Texts,
    /// Every operation on every edge case; many of everything.
    Edges,
    /// The calling convention, seen by functions that look at every register.
    Abi,
    /// Random functions against the reference interpreter.
    Generated,
    /// Every guard fails once.
    Exits,
    /// Changes of the IR that must not change what it does.
    Chaos,
    /// Code in code memory: published, freed, forked. For backends that make machine code.
    Publishing,
    /// Python programs in CPython, plain and compiled: `python::run`, with the feature `cpython`. It takes processes of its
    /// own, so [`run_section`] cannot run it.
    Python,
}

impl Section {
    /// Those that [`run_all`] runs, in this process and without CPython.
    pub const ALL: [Section; 7] = [
        Section::Texts,
        Section::Edges,
        Section::Abi,
        Section::Generated,
        Section::Exits,
        Section::Chaos,
        Section::Publishing,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Section::Texts => "texts",
            Section::Edges => "edges",
            Section::Abi => "abi",
            Section::Generated => "generated",
            Section::Exits => "exits",
            Section::Chaos => "chaos",
            Section::Publishing => "publishing",
            Section::Python => "python",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the random sections begin; another seed gives other programs.
    pub seed: u64,
    /// Random functions of each kind in [`Section::Generated`].
    pub programs: u32,
    /// Contents of memory that each of those is run on, at every entry number.
    pub inputs: u32,
    /// Random functions in [`Section::Exits`].
    pub exit_programs: u32,
    /// Random functions in [`Section::Chaos`], each changed in [`Options::chaos_variants`] ways.
    pub chaos_programs: u32,
    pub chaos_variants: u32,
    /// How often each program of [`Section::Python`] is run in its process. Warm code is compiled in the 16th round.
    pub python_rounds: u32,
    /// Reasons that a backend may have to refuse a function there: parts of the messages. By default it may not have any.
    pub python_refusals: Vec<String>,
    /// After so many failures a section is given up.
    pub max_failures: usize,
    /// Cases that must fail.
    pub must_fail: Vec<MustFail>,
    /// Runs only the cases whose name contains this text.
    pub only: Option<String>,
}

impl Default for Options {
    /// What a backend's own tests run: about half a minute.
    fn default() -> Self {
        Options {
            seed: 1,
            programs: 150,
            inputs: 1,
            exit_programs: 60,
            chaos_programs: 20,
            chaos_variants: 4,
            python_rounds: 30,
            python_refusals: Vec::new(),
            max_failures: 20,
            must_fail: must_fail::built_in(),
            only: None,
        }
    }
}

impl Options {
    /// A glance, for documentation and while a backend is being written.
    pub fn quick() -> Self {
        Options {
            programs: 40,
            exit_programs: 3,
            chaos_programs: 3,
            chaos_variants: 2,
            python_rounds: 20,
            ..Options::default()
        }
    }

    /// `factor` times as many random functions, and rounds of each Python program.
    pub fn times(self, factor: u32) -> Self {
        Options {
            programs: self.programs.saturating_mul(factor),
            exit_programs: self.exit_programs.saturating_mul(factor),
            chaos_programs: self.chaos_programs.saturating_mul(factor),
            python_rounds: self.python_rounds.saturating_mul(factor),
            ..self
        }
    }

    /// The default, as the environment wants it: `COLUMBA_CONFORMANCE_TIMES` and `COLUMBA_CONFORMANCE_SEED` are numbers.
    pub fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
        let options = Options::default().times(number("COLUMBA_CONFORMANCE_TIMES").unwrap_or(1).max(1));
        Options { seed: number("COLUMBA_CONFORMANCE_SEED").map_or(options.seed, u64::from), ..options }
    }
}

/// Runs every section at its default size.
pub fn run_all(backend: &dyn Backend) -> Report {
    run_all_with(backend, &Options::default())
}

/// Runs every section.
pub fn run_all_with(backend: &dyn Backend, options: &Options) -> Report {
    let sections = Section::ALL.iter().map(|&section| run_section(section, backend, options)).collect();
    Report { backend: backend.name().to_owned(), sections }
}

/// Runs one section.
pub fn run_section(section: Section, backend: &dyn Backend, options: &Options) -> SectionReport {
    run::section(section, backend, options)
}
