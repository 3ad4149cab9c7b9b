//! From a live code object to machine code: the seam between the hook and the compiler.
//!
//! The hook asks for a compilation ([`compile`]) and gets either something it can enter ([`CompiledCode`]) or a reason
//! ([`Refusal`]). Invariants: nothing here is visible to the Python program (no exception is left set, no Python code
//! runs); a panic of the compiler is caught by the caller and counts as a refusal.

use crate::{
    code_state::{self, ExitKey},
    config,
    job::{self, Done, Job, Refusal, Stages, Target, refuse},
};
use columba_cpython_runtime::{
    capture::{self, Addresses},
    code::Code,
    direct::Entry,
    environment::LiveEnvironment,
    frame::Frame,
    helpers, layout,
    thread::Interpreter,
};
use columba_jit_core::{
    backend::{Caps, CompiledEntry},
    build::{
        self, BuildOptions, BuildRequest, Built, Environment, Live, LoopEntry, NoEnvironment, Prelude,
        examples::Example,
    },
    bytecode::{
        code::CodeObject,
        decode::{Bytecode, decode},
        line_table::decode_line_table,
    },
    code::Placement,
    disassembly,
    exit::{Exit, Reason},
    helpers::Helper,
    ir::{op::Symbol, types::PyTypes, verify::Level},
    layout::Layout,
    unit::Resolver,
};
use pyo3::ffi;
use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    ffi::c_void,
    fmt::Write,
    rc::Rc,
    sync::OnceLock,
    time::Duration,
};

/// Why a compilation is asked for, and what may be looked at. The default: on demand, at nothing but the code object.
#[derive(Default)]
pub struct CompileRequest<'a> {
    /// The frame that is about to run: its arguments, globals and cells are type feedback. Absent for a compilation on
    /// demand.
    pub frame: Option<Frame>,
    /// Code unit of the loop header at which the frame stands, when it is to be entered in the middle.
    pub loop_header: Option<u32>,
    /// What the locals held when an activation in the interpreter ended.
    pub local_examples: Vec<Option<Rc<Example>>>,
    /// Guesses that failed too often: to be generalised.
    pub generalise: &'a [ExitKey],
    /// Versions of the types met where a guard of one failed, by the instruction.
    pub receivers: HashMap<u32, Vec<u32>>,
    /// The last version allowed: no guess at all.
    pub generic: bool,
    /// Collect the text of every stage ([`CompiledCode::dump`]).
    pub dump: bool,
}

/// Machine code of one version of a code object.
pub struct CompiledCode {
    pub entry: Entry,
    pub ctx: *const c_void,
    owner: Owner,
    /// Where compiled code can be entered with the state in the frame: (code unit that runs next, entry number),
    /// sorted. A fresh function frame is code unit 0; a generator resumes at the unit after its `YIELD_VALUE`.
    pub entries: Box<[(u32, i64)]>,
    /// The entry number of a fresh function frame, if it can be entered.
    pub start: Option<i64>,
    /// By the code unit that runs next: where a suspended generator goes on. Empty for other code, else as long as the
    /// code.
    pub resume_points: Box<[ResumePoint]>,
    /// How a call makes its generator.
    pub prelude: Option<Prelude>,
    /// Whether an entry number may have a sink above it.
    pub takes_sink: bool,
    pub exits: Box<[Exit]>,
    /// Words of the `out` buffer that entries need, at least 1.
    pub out_words: usize,
    /// Size of the machine code.
    pub bytes: usize,
    pub compile_time: Duration,
    pub tier: &'static str,
    /// How often each was applied.
    pub optimisations: Vec<(&'static str, usize)>,
    /// The name of the backend that made the code.
    pub backend: &'static str,
    /// Whether the second backend was asked to compile this, or never shall be.
    pub promoted: Cell<bool>,
    /// What was guessed, for [`ir_text`].
    guesses: Guesses,
    /// Every stage as text; empty unless asked for.
    pub dump: String,
    /// Code objects whose bodies were inlined.
    kept: Kept,
}

/// References to code objects that compiled code stands for. Given up under the GIL.
#[derive(Default)]
struct Kept(Vec<u64>);

impl Drop for Kept {
    fn drop(&mut self) {
        for code in std::mem::take(&mut self.0) {
            // SAFETY: owned since `LiveEnvironment::take_kept`; compiled code is dropped under the GIL.
            unsafe { ffi::Py_DECREF(code as *mut ffi::PyObject) };
        }
    }
}

/// Where compiled code goes on at a code unit; [`ResumePoint::NONE`] where it cannot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResumePoint {
    /// The number of the entry at this unit.
    pub entry: u16,
    /// If what yielded here only delegates (`yield from`, `await`): the entry for when the one it delegates to has returned.
    pub sent: u16,
    /// No handler is around what yielded here: an exception thrown in leaves the generator at once.
    pub bare: bool,
    /// C code that iterates enters without the hook.
    pub iterated: bool,
}

impl ResumePoint {
    pub const NONE: u16 = u16::MAX;
}

impl CompiledCode {
    /// Objects that this holds references to, code objects among them.
    pub fn kept(&self) -> &[u64] {
        &self.kept.0
    }

    /// Whether this was made with the knowledge that an instruction meets a class, by its version.
    pub fn was_told_of(&self, origin: u32, class: u32) -> bool {
        self.guesses.receivers.get(&origin).is_some_and(|seen| seen.contains(&class))
    }

    /// The machine code.
    pub fn native(&self) -> &[u8] {
        self.owner.entry.bytes()
    }

    /// The entry number for a frame whose next instruction is at this code unit.
    #[inline]
    pub fn entry_at(&self, offset: u32) -> Option<i64> {
        self.entries.binary_search_by_key(&offset, |entry| entry.0).ok().map(|index| self.entries[index].1)
    }
}

/// What a compilation takes from the state of the program when it starts. With it, and the same inline caches, it can be
/// repeated.
#[derive(Clone)]
struct Guesses {
    argument_types: Option<Vec<Live>>,
    loop_entry: Option<LoopEntry>,
    local_examples: Vec<Option<Rc<Example>>>,
    generalised: HashSet<(u32, Reason)>,
    receivers: HashMap<u32, Vec<u32>>,
    generic: bool,
}

impl Guesses {
    fn of(request: &CompileRequest<'_>, locals: usize) -> Guesses {
        let live_slots = |frame: Frame, range: std::ops::Range<usize>| {
            // SAFETY: the frame is live and its slots hold references or null.
            range.map(|i| unsafe { capture::live(frame.slot(i)) }).collect::<Vec<_>>()
        };
        let loop_entry = match (request.frame, request.loop_header) {
            (Some(frame), Some(offset)) => Some(LoopEntry {
                offset,
                locals: live_slots(frame, 0..locals),
                stack: live_slots(frame, locals..locals + frame.depth().max(0) as usize),
            }),
            _ => None,
        };
        let argument_types = match request.frame {
            Some(frame) if request.loop_header.is_none() && !frame.is_generator_owned() && frame.lasti() < 0 => {
                Some(live_slots(frame, 0..locals))
            }
            _ => None,
        };
        let generalised = request.generalise.iter().map(|key| (key.origin, key.reason)).collect();
        let local_examples = match request.frame {
            // A generator that is about to be resumed shows its variables.
            Some(frame) if request.local_examples.is_empty() && frame.is_generator_owned() => local_examples(frame),
            _ => request.local_examples.clone(),
        };
        let receivers = request.receivers.clone();
        Guesses { argument_types, loop_entry, local_examples, generalised, receivers, generic: request.generic }
    }
}

impl Guesses {
    fn arguments(&self) -> Vec<Option<Rc<Example>>> {
        let Some(live) = &self.argument_types else { return self.local_examples.clone() };
        live.iter().map(|live| (live.py != PyTypes::NONE).then(|| live.example.clone())).collect()
    }
}

/// What compiled code needs to stay alive: code memory, and the context.
struct Owner {
    entry: CompiledEntry,
    /// Execution counts of guards, under `stress="exits"`.
    _counters: Box<[u64]>,
}

/// A compilation whose [`Job`] has yet to be run.
pub struct Draft {
    pub job: Job,
    pub rest: Rest,
}

/// What of a compilation stays under the GIL while its job is under way.
pub struct Rest {
    entries: Box<[(u32, i64)]>,
    start: Option<i64>,
    resume_points: Box<[ResumePoint]>,
    prelude: Option<Prelude>,
    takes_sink: bool,
    optimisations: Vec<(&'static str, usize)>,
    guesses: Guesses,
    kept: Kept,
    tier: &'static str,
    /// Whether the second backend shall be asked for a version that takes the place of this one.
    promotes: bool,
    /// The text of the stages so far, and what its listing of the code needs.
    watched: Option<(String, CodeObject)>,
    /// The text goes to standard error.
    printed: bool,
    /// The line for `COLUMBA_LOG`, if it is asked for.
    log: Option<String>,
}

/// Compiles a code object, and waits for it.
pub fn compile(code: Code, request: &CompileRequest<'_>) -> Result<CompiledCode, Refusal> {
    let Draft { job, rest } = Draft::new(code, request, Placement::Packed)?;
    let done = job.run()?;
    LAST.set(Some(LastCompilation { stages: done.stages.spent().to_vec(), bytes: done.entry.code_size() }));
    Ok(rest.with(done))
}

impl Draft {
    /// Builds the IR of a code object. The GIL is held; no Python code runs.
    pub fn new(code: Code, request: &CompileRequest<'_>, placement: Placement) -> Result<Draft, Refusal> {
        let mut stages = Stages::start();
        // SAFETY: the GIL is held. Without memory for the reserve, compiled code may stop the process where the interpreter
        // would raise MemoryError; so do not compile then.
        if !unsafe { helpers::prepare() } {
            // SAFETY: the error was set just now.
            unsafe { ffi::PyErr_Clear() };
            return Err(refuse("memory", "none left for the reserve of boxes"));
        }
        let options = config::current();
        let (captured, bytecode) = decoded(code)?;
        let mut text = String::new();
        let watched = request.dump || dump_wanted(&captured.qualname);
        if watched {
            let _ = writeln!(text, "; instructions of {}\n{bytecode}\n", captured.qualname);
            let graph = columba_jit_core::flow::graph::FlowGraph::build(&bytecode);
            let _ = writeln!(text, "; flow graph\n{}\n", graph.with_instructions(&bytecode));
        }
        stages.done("decode");
        let mixed = options.second_backend().is_some()
            && matches!(options.stress, config::Stress::None | config::Stress::Tiers);
        let layout = layout::for_compiler();
        let guesses = Guesses::of(request, captured.locals_plus_kinds.len());
        // SAFETY: the frame keeps its globals and builtins alive during this call.
        let live = request.frame.map(|frame| unsafe { environment(code, frame) });
        let environment: &dyn Environment = live.as_ref().map_or(&NoEnvironment, |live| live);
        let mut built = build_ir(&guesses, environment, &options, &captured, &bytecode, &layout, watched)?;
        let kept = Kept(live.as_ref().map_or(Vec::new(), LiveEnvironment::take_kept));
        stages.done("build");
        if watched {
            let _ = writeln!(text, "; types at the start of each block\n{}", built.types);
            let _ = writeln!(text, "; IR, {} walks\n{}", built.walks, built.function);
        }
        job::check(&built.function, Level::Python, "build")?;
        let backend = job::backend(options.backend())?;
        let mut rest = Rest {
            entries: entries(&built),
            start: built.entries.iter().position(|entry| *entry == build::Entry::Start).map(|number| number as i64),
            resume_points: resume_points(&built, &bytecode, &options, code.code_units() as usize),
            prelude: built.prelude.take(),
            takes_sink: built.takes_sink,
            optimisations: std::mem::take(&mut built.applied),
            guesses,
            kept,
            tier: if mixed { "first" } else { "optimised" },
            promotes: mixed,
            log: log_wanted().then(|| log_line(&captured, request)),
            printed: watched && !request.dump,
            watched: None,
        };
        let target = Target { layout, backend, placement, watched };
        let addresses = |others| addresses_for(code, others);
        let job = Job::new(built.function, built.addresses, addresses, options, &captured.qualname, target, stages);
        rest.watched = watched.then_some((text, captured));
        Ok(Draft { job, rest })
    }

    /// For the second backend, when the first has made a version, with `frame` an activation of its code: the IR is built again
    /// from the same guesses, so both have the same entries. `None` when that does not work out. The GIL is held. Whoever runs
    /// the job keeps the code object alive until then.
    pub fn again(frame: Frame, first: &CompiledCode) -> Option<Draft> {
        let stages = Stages::start();
        let options = config::current();
        let backend = job::backend(options.second_backend()?).ok()?;
        if !backend.caps().contains(Caps::BACKGROUND) {
            return None;
        }
        let code = frame.code();
        let (captured, bytecode) = decoded(code).ok()?;
        let layout = layout::for_compiler();
        // SAFETY: the frame keeps its namespaces alive during this call.
        let environment = unsafe { environment(code, frame) };
        let built = build_ir(&first.guesses, &environment, &options, &captured, &bytecode, &layout, false).ok()?;
        if entries(&built) != first.entries {
            return None;
        }
        let rest = Rest {
            entries: first.entries.clone(),
            start: first.start,
            resume_points: first.resume_points.clone(),
            prelude: first.prelude.clone(),
            takes_sink: first.takes_sink,
            optimisations: Vec::new(),
            guesses: first.guesses.clone(),
            kept: Kept(environment.take_kept()),
            tier: "second",
            promotes: false,
            log: None,
            printed: false,
            watched: None,
        };
        let target = Target { layout, backend, placement: Placement::Fresh, watched: false };
        let addresses = |others| addresses_for(code, others);
        let job = Job::new(built.function, built.addresses, addresses, options, &captured.qualname, target, stages);
        Some(Draft { job, rest })
    }
}

impl Rest {
    /// The version that came of the job. The GIL is held.
    pub fn with(mut self, mut done: Done) -> CompiledCode {
        done.pack();
        self.optimisations.extend_from_slice(&done.optimisations);
        let mut dump = String::new();
        if let Some((text, captured)) = self.watched {
            let native = done.entry.bytes();
            let listing = list(native, &done.entry, &captured, &done.addresses);
            dump = format!("{text}{}; machine code, {} bytes\n{listing}\n", done.text, native.len());
        }
        if self.printed {
            eprintln!("{dump}");
        }
        if let Some(line) = self.log {
            let at = done.entry.code.as_ref().map_or(0, |code| code.as_ptr() as usize);
            eprintln!("columba: {at:#x}+{:#x} {line};{}", done.entry.code_size(), done.stages);
        }
        CompiledCode {
            entry: erase(done.entry.function()),
            ctx: done.entry.ctx(),
            start: self.start,
            entries: self.entries,
            resume_points: self.resume_points,
            prelude: self.prelude,
            takes_sink: self.takes_sink,
            out_words: out_words(&done.exits),
            exits: done.exits.into_boxed_slice(),
            bytes: done.entry.code_size(),
            compile_time: done.stages.total(),
            tier: self.tier,
            backend: done.backend,
            promoted: Cell::new(!self.promotes),
            optimisations: self.optimisations,
            guesses: self.guesses,
            dump,
            kept: self.kept,
            owner: Owner { entry: done.entry, _counters: done.counters },
        }
    }
}

/// What the builder may look at for code that runs in a frame.
///
/// # Safety
/// The GIL is held, and the frame keeps its namespaces alive as long as this is used.
unsafe fn environment(code: Code, frame: Frame) -> LiveEnvironment {
    let (globals, builtins, locals) = (frame.f_globals(), frame.f_builtins(), frame.f_locals());
    // SAFETY: says the caller.
    unsafe { LiveEnvironment::new(code, globals, builtins, locals, &code_state::CODE_OBJECTS) }
}

fn addresses_for(code: Code, others: Vec<u64>) -> Addresses {
    // SAFETY: the GIL is held, so there is a current interpreter, which outlives its code; the code object is alive.
    unsafe {
        let eval_breaker = Interpreter::new(ffi::PyInterpreterState_Get()).eval_breaker();
        Addresses::new(code, std::ptr::from_ref(eval_breaker) as u64, others, helpers::address)
    }
}

/// Words of `out` that code with these exits needs.
fn out_words(exits: &[Exit]) -> usize {
    exits.iter().map(|exit| exit.value_count as usize).max().unwrap_or(0).max(2)
}

/// With `COLUMBA_DUMP` set to a qualified name: every stage of its compilations goes to standard error.
fn dump_wanted(qualname: &str) -> bool {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    NAME.get_or_init(|| std::env::var("COLUMBA_DUMP").ok()).as_deref() == Some(qualname)
}

/// What a compilation took.
pub struct LastCompilation {
    /// By stage, in their order.
    pub stages: Vec<(&'static str, Duration)>,
    /// Size of the machine code.
    pub bytes: usize,
}

thread_local! {
    static LAST: Cell<Option<LastCompilation>> = const { Cell::new(None) };
}

/// What this thread's last compilation that succeeded took; `None` when asked again.
pub fn take_last_compilation() -> Option<LastCompilation> {
    LAST.take()
}

/// With `COLUMBA_LOG` set: a line on standard error for each compilation.
fn log_wanted() -> bool {
    static ASKED: OnceLock<bool> = OnceLock::new();
    *ASKED.get_or_init(|| std::env::var_os("COLUMBA_LOG").is_some())
}

/// What is compiled, for such a line.
fn log_line(captured: &CodeObject, request: &CompileRequest<'_>) -> String {
    let place = request.loop_header.map_or(String::new(), |offset| format!(", for the loop at {offset}"));
    let generic = if request.generic { ", generic" } else { "" };
    format!("{} ({}:{}){place}{generic}", captured.qualname, captured.filename, captured.first_line)
}

fn erase(entry: columba_jit_core::backend::EntryFn) -> Entry {
    // SAFETY: the two signatures differ only in what the thread state pointer is declared to point to.
    unsafe { std::mem::transmute::<columba_jit_core::backend::EntryFn, Entry>(entry) }
}

fn entries(built: &Built) -> Box<[(u32, i64)]> {
    let mut entries: Vec<(u32, i64)> = built
        .entries
        .iter()
        .enumerate()
        .map(|(number, entry)| {
            let unit = match *entry {
                build::Entry::Start => 0,
                build::Entry::Resume(offset) => offset + 1,
                build::Entry::Sent { done, .. } => done,
                build::Entry::Loop(offset) => offset,
            };
            (unit, number as i64)
        })
        .collect();
    entries.sort_unstable();
    entries.into_boxed_slice()
}

/// The entries of a generator's code by code unit.
fn resume_points(
    built: &Built,
    bytecode: &Bytecode,
    options: &config::Config,
    code_units: usize,
) -> Box<[ResumePoint]> {
    if !built.entries.iter().any(|entry| matches!(entry, build::Entry::Resume(_))) {
        return Box::default();
    }
    let options = BuildOptions::without(&options.disable_passes);
    let nowhere = ResumePoint {
        entry: ResumePoint::NONE,
        sent: ResumePoint::NONE,
        bare: false,
        iterated: options.iterate_generators,
    };
    let mut points = vec![nowhere; code_units + 1];
    for (number, entry) in built.entries.iter().enumerate() {
        let number = u16::try_from(number).unwrap_or(ResumePoint::NONE);
        match *entry {
            build::Entry::Resume(offset) => {
                let point = &mut points[offset as usize + 1];
                point.entry = number;
                point.bare = options.close_generators && bytecode.handler_for(offset).is_none();
            }
            build::Entry::Sent { send, .. } => {
                // A delegating loop yields in the unit behind its `SEND`.
                points[send as usize + 2].sent = number;
            }
            _ => {}
        }
    }
    points.into_boxed_slice()
}

impl Rest {
    /// What the arguments looked like.
    pub fn arguments(&self) -> Vec<Option<Rc<Example>>> {
        self.guesses.arguments()
    }
}

impl CompiledCode {
    /// What the arguments looked like when this was compiled.
    pub fn arguments(&self) -> Vec<Option<Rc<Example>>> {
        self.guesses.arguments()
    }
}

/// What a frame's locals hold, for later compilations of its code. Nothing for cells.
pub fn local_examples(frame: Frame) -> Vec<Option<Rc<Example>>> {
    let count = frame.code().nlocalsplus() as usize;
    // SAFETY: the frame is live and its slots hold references or null.
    let slots = (0..count).map(|i| unsafe { capture::live(frame.slot(i)) });
    slots.map(|live| (!matches!(live.py, PyTypes::NULL | PyTypes::NONE)).then_some(live.example)).collect()
}

fn build_ir(
    guesses: &Guesses,
    environment: &dyn Environment,
    options: &config::Config,
    captured: &CodeObject,
    bytecode: &Bytecode,
    layout: &Layout,
    describe: bool,
) -> Result<Built, Refusal> {
    let switches = BuildOptions::without(&options.disable_passes);
    build::build(&BuildRequest {
        code: captured,
        bytecode,
        layout,
        environment,
        argument_types: guesses.argument_types.clone(),
        loop_entry: guesses.loop_entry.clone(),
        local_examples: guesses.local_examples.clone(),
        generalised: &guesses.generalised,
        receivers: &guesses.receivers,
        options: BuildOptions { speculate: switches.speculate && !guesses.generic, ..switches },
        describe,
    })
    .map_err(|error| refuse("build", error))
}

/// Machine code with the bytecode and source line in the margin.
fn list(native: &[u8], entry: &CompiledEntry, captured: &CodeObject, resolver: &Addresses) -> String {
    let mut names = disassembly::Names::new();
    for helper in Helper::ALL {
        names.insert(resolver.helper(*helper), helper.name().to_owned());
    }
    for (symbol, name) in [(Symbol::None, "None"), (Symbol::True, "True"), (Symbol::False, "False")] {
        names.insert(resolver.symbol(symbol), name.to_owned());
    }
    // A table that cannot be read costs the listing its lines only.
    let lines = decode_line_table(&captured.line_table, captured.first_line).unwrap_or_default();
    let base = entry.code.as_ref().map_or(0, |code| code.as_ptr() as u64);
    disassembly::disassemble(native, base, &entry.origins, &lines, &names)
}

/// `dis(f)`: the bytecode with the types that were inferred, as text.
pub fn disassemble(code: Code) -> Result<String, Refusal> {
    let request = CompileRequest::default();
    let (captured, bytecode) = decoded(code)?;
    let guesses = Guesses::of(&request, captured.locals_plus_kinds.len());
    let layout = layout::for_compiler();
    let built = build_ir(&guesses, &NoEnvironment, &config::current(), &captured, &bytecode, &layout, true)?;
    Ok(format!("{bytecode}\n{}", built.types))
}

/// `ir(f)`: the IR of a version after the passes, as text. It is built again, from what was guessed then and from the
/// inline caches and the namespaces (globals and builtins, alive during the call) as they are now.
pub fn ir_text(
    code: Code,
    compiled: &CompiledCode,
    namespaces: Option<(*mut ffi::PyObject, *mut ffi::PyObject)>,
) -> Result<String, Refusal> {
    let (captured, bytecode) = decoded(code)?;
    // SAFETY: the caller keeps both namespaces alive during this call.
    let live = namespaces.map(|(globals, builtins)| unsafe {
        LiveEnvironment::new(code, globals, builtins, std::ptr::null_mut(), &code_state::CODE_OBJECTS)
    });
    let environment: &dyn Environment = live.as_ref().map_or(&NoEnvironment, |live| live);
    let (options, layout) = (config::current(), layout::for_compiler());
    let mut built = build_ir(&compiled.guesses, environment, &options, &captured, &bytecode, &layout, false)?;
    job::optimise(&mut built.function, &options, false, &mut String::new(), &mut Vec::new())?;
    Ok(built.function.to_string())
}

fn decoded(code: Code) -> Result<(CodeObject, Bytecode), Refusal> {
    // SAFETY: the caller holds the GIL and no exception is set.
    let captured = unsafe { capture::capture(code) }.map_err(|error| refuse("capture", error))?;
    let bytecode = decode(&captured).map_err(|error| refuse("decode", error))?;
    Ok((captured, bytecode))
}
