//! The part of a compilation that touches nothing of CPython: passes, lowering, and the backend.
//!
//! *Problem*: this is nearly all of the time that a compilation takes, and the program shall not wait for a backend that takes
//! long. *Method*: a [`Job`] is plain data, made under the GIL by [`compile`](crate::compile); it runs at once, or on another
//! thread and without the GIL ([`background`](crate::background)). What comes of it, a [`Done`], is joined with what stayed
//! behind. *Invariants*: a job names addresses, and reads none of them; whoever runs it later keeps alive what they are of.

use crate::{
    backends,
    config::{self, OptLevel},
};
use columba_cpython_runtime::capture::Addresses;
use columba_jit_core::{
    backend::{Backend, Caps, CodeSink, CompiledEntry, Config, Cpu, Effort},
    code::{CodeMemory, CodeOptions, Placement},
    exit::Exit,
    ir::{
        balance::balance,
        function::Function,
        verify::{Level, verify},
    },
    layout::Layout,
    lower::{LowerOptions, guard_count, lower},
    passes::{self, PassOptions},
    unit::CompileUnit,
};
use std::{
    fmt::Write,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Why a code object was not compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    pub reason: String,
}

/// A stage refused or broke: its message.
pub fn refuse(stage: &str, reason: impl std::fmt::Display) -> Refusal {
    Refusal { reason: format!("{stage}: {reason}") }
}

/// IR that is to become machine code.
pub struct Job {
    function: Function,
    addresses: Addresses,
    /// Execution counts of guards, under `stress="exits"`: where, as an address of the IR.
    counters: Option<(u32, Box<[u64]>)>,
    layout: Layout,
    options: config::Config,
    symbol_name: String,
    backend: &'static dyn Backend,
    placement: Placement,
    /// Collect the text of every stage.
    watched: bool,
    /// What the stages before took.
    stages: Stages,
}

/// What came of it.
pub struct Done {
    pub entry: CompiledEntry,
    pub exits: Vec<Exit>,
    pub optimisations: Vec<(&'static str, usize)>,
    pub stages: Stages,
    /// The text of every stage, if it was to be watched.
    pub text: String,
    /// The job's own, back again.
    pub addresses: Addresses,
    pub backend: &'static str,
    symbol_name: String,
    /// The memory that the code counts in; to be kept as long as the code.
    pub counters: Box<[u64]>,
}

impl Job {
    /// For IR as it was built, and `make_addresses` for what it names, to which those given are added.
    pub fn new(
        function: Function,
        mut addresses: Vec<u64>,
        make_addresses: impl FnOnce(Vec<u64>) -> Addresses,
        options: config::Config,
        qualname: &str,
        target: Target,
        stages: Stages,
    ) -> Job {
        let counters = (options.stress == config::Stress::Exits).then(|| {
            let mut counters = vec![0; guard_count(&function)].into_boxed_slice();
            addresses.push(counters.as_mut_ptr() as u64);
            (addresses.len() as u32 - 1, counters)
        });
        Job {
            function,
            addresses: make_addresses(addresses),
            counters,
            layout: target.layout,
            options,
            symbol_name: format!("columba::{qualname}"),
            backend: target.backend,
            placement: target.placement,
            watched: target.watched,
            stages,
        }
    }

    /// Compiles. Touches nothing of CPython.
    pub fn run(mut self) -> Result<Done, Refusal> {
        self.stages.begin();
        let (mut text, mut optimisations) = (String::new(), Vec::new());
        optimise(&mut self.function, &self.options, self.watched, &mut text, &mut optimisations)?;
        self.stages.done("passes");
        let stress_exits = self.counters.as_ref().map(|(address, _)| *address);
        let lowered = lower(&self.function, &self.layout, &LowerOptions { stress_exits });
        self.stages.done("lower");
        if self.watched {
            let _ = writeln!(text, "; lowered\n{lowered}");
        }
        check(&lowered, Level::Lowered, "lower")?;
        let unit = CompileUnit { function: &lowered, resolver: &self.addresses, symbol_name: &self.symbol_name };
        let entry = self
            .backend
            .compile(&unit, &settings(&self.options, self.watched), &mut CodeSink::new(memory(), self.placement))
            .map_err(|error| refuse("backend", error))?;
        self.stages.done("backend");
        Ok(Done {
            entry,
            exits: lowered.exits,
            optimisations,
            stages: self.stages,
            text,
            addresses: self.addresses,
            backend: self.backend.name(),
            symbol_name: self.symbol_name,
            counters: self.counters.map_or_else(Box::default, |(_, counters)| counters),
        })
    }
}

impl Done {
    /// Moves the code to where that of other functions lies. The GIL is held, and nobody has run the code.
    pub fn pack(&mut self) {
        self.entry.pack(memory(), &self.symbol_name);
    }
}

/// What machine code is for.
pub struct Target {
    pub layout: Layout,
    pub backend: &'static dyn Backend,
    pub placement: Placement,
    pub watched: bool,
}

/// The backend of that name.
pub fn backend(name: &str) -> Result<&'static dyn Backend, Refusal> {
    backends::by_name(name).ok_or_else(|| refuse("backend", format_args!("{name} is not compiled in")))
}

/// Whether the backend works without the GIL, and so slowly that it should.
pub fn is_slow(backend: &dyn Backend) -> bool {
    backend.caps().contains(Caps::BACKGROUND | Caps::SLOW)
}

fn memory() -> &'static CodeMemory {
    static MEMORY: OnceLock<CodeMemory> = OnceLock::new();
    MEMORY.get_or_init(|| CodeMemory::new(CodeOptions { perf_map: std::env::var_os("COLUMBA_PERF_MAP").is_some() }))
}

fn settings(options: &config::Config, origins: bool) -> Config {
    Config {
        effort: if options.opt_level == OptLevel::None { Effort::Fast } else { Effort::Normal },
        cpu: if options.cpu.is_empty() || options.cpu == "native" { Cpu::Native } else { Cpu::X86_64V3 },
        origins,
        verify: cfg!(debug_assertions),
    }
}

/// Runs the passes; with `watched`, the IR after each is added to `text`.
pub fn optimise(
    function: &mut Function,
    options: &config::Config,
    watched: bool,
    text: &mut String,
    optimisations: &mut Vec<(&'static str, usize)>,
) -> Result<(), Refusal> {
    let passes = PassOptions { disabled: options.disable_passes.clone(), verify: false };
    let reports = passes::run_and_watch(function, &passes, |pass, function| {
        if watched {
            let _ = writeln!(text, "; after {pass}\n{function}");
        }
    });
    optimisations
        .extend(reports.iter().filter(|report| report.changes > 0).map(|report| (report.name, report.changes)));
    check(function, Level::Python, "passes")
}

/// In debug builds, and where the environment asks for it, broken IR is found where it arises.
pub fn check(function: &Function, level: Level, stage: &str) -> Result<(), Refusal> {
    static ASKED: OnceLock<bool> = OnceLock::new();
    if cfg!(debug_assertions) || *ASKED.get_or_init(|| std::env::var_os("COLUMBA_VERIFY").is_some()) {
        let balanced = || if level == Level::Python { balance(function) } else { Ok(()) };
        verify(function, level).and_then(|()| balanced()).map_err(|errors| {
            eprintln!("columba: broken IR, {stage}:\n{errors}\n{function}");
            refuse(stage, errors)
        })?;
    }
    Ok(())
}

/// What each stage of a compilation took.
pub struct Stages {
    spent: Vec<(&'static str, Duration)>,
    since: Instant,
}

impl Stages {
    pub fn start() -> Stages {
        Stages { spent: Vec::with_capacity(8), since: Instant::now() }
    }

    /// The next stage begins: what has passed since the last one counts for none.
    pub fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// A stage is done, and the next one begins.
    pub fn done(&mut self, stage: &'static str) {
        self.spent.push((stage, self.since.elapsed()));
        self.begin();
    }

    /// By stage, in their order.
    pub fn spent(&self) -> &[(&'static str, Duration)] {
        &self.spent
    }

    pub fn total(&self) -> Duration {
        self.spent.iter().map(|(_, spent)| *spent).sum()
    }
}

impl std::fmt::Display for Stages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.spent.iter().try_for_each(|(stage, spent)| write!(f, " {stage} {} us", spent.as_micros()))
    }
}
