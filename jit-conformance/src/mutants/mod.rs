//! Planted mistakes: the proof that the suite sees what it is there to see.
//!
//! *Problem*: a suite that passes proves nothing unless it fails for a backend that is wrong. *Method*: a mistake is planted
//! around any backend, without its help: [`ir`] changes the function before the backend gets it, as if an operation were
//! emitted wrongly; [`entry`] puts a layer around the compiled function or around its helpers, as if a calling convention
//! were wrong; and what can be said in neither way is planted in the [`crate::TapeEmitter`]. Each mutant names the case that
//! kills it, which must pass without the mistake. *Invariants*: one mistake per mutant; a changed function is still well
//! formed, so that a mutant is killed by what it does and not by being refused.

mod entry;
mod ir;

use std::collections::BTreeMap;
use std::fmt;

use columba_jit_core::backend::Backend;
use columba_jit_core::ir::function::Function;

use crate::bench::Bench;
use crate::run::{cases, outcome};
use crate::tape::Fault;
use crate::{Options, Section, TapeBackend, TapeEmitter, run_direct_calls};
#[cfg(feature = "cpython")]
pub(crate) use ir::ILL_FORMED;

use entry::{EntryFault, HelperFault};

/// Where a mistake is planted.
#[derive(Clone, Copy)]
enum Plant {
    Ir(fn(&mut Function)),
    Entry(EntryFault),
    Helpers(HelperFault),
    /// In the tape, whatever the backend under test.
    Tape(Fault),
    /// The same, looked for by [`run_direct_calls`].
    Direct(Fault),
}

/// A planted mistake.
#[derive(Clone, Copy)]
pub struct Mutant {
    pub name: &'static str,
    /// The case that must see it: section and name.
    pub killed_by: (Section, &'static str),
    plant: Plant,
}

impl Mutant {
    /// The same mistake, to be seen by another case.
    #[cfg(feature = "cpython")]
    pub(crate) fn killed_by(self, section: Section, case: &'static str) -> Mutant {
        Mutant { killed_by: (section, case), ..self }
    }

    /// The backend with this mistake; the tape for a mistake that can only be planted there, `None` for one that
    /// [`run_direct_calls`] looks for.
    pub fn plant<'b>(&self, backend: &'b dyn Backend) -> Option<Box<dyn Backend + 'b>> {
        Some(match self.plant {
            Plant::Ir(change) => Box::new(ir::Changing { backend, change }),
            Plant::Entry(fault) => Box::new(entry::Wrapping::new(backend, fault)),
            Plant::Helpers(fault) => Box::new(entry::Thunking { backend, fault }),
            Plant::Tape(fault) => Box::new(TapeBackend::with_fault(fault)),
            Plant::Direct(_) => return None,
        })
    }
}

/// How a mutant fared.
#[derive(Clone, Debug)]
pub struct MutantOutcome {
    pub name: &'static str,
    /// `section/case` that was to kill it.
    pub by: String,
    /// What that case said; an error if it said nothing, or fails without the mistake.
    pub killed: Result<String, String>,
}

/// How all mutants fared.
#[derive(Clone, Debug)]
pub struct MutantReport {
    pub backend: String,
    pub outcomes: Vec<MutantOutcome>,
}

impl MutantReport {
    pub fn survivors(&self) -> impl Iterator<Item = &MutantOutcome> {
        self.outcomes.iter().filter(|outcome| outcome.killed.is_err())
    }

    /// Panics if a mutant survived; prints what killed each otherwise.
    #[track_caller]
    pub fn assert_all_killed(&self) {
        assert!(!self.outcomes.is_empty() && self.survivors().next().is_none(), "{self}");
        print!("{self}");
    }
}

impl fmt::Display for MutantReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let survived = self.survivors().count();
        writeln!(f, "backend {}: {} mutants, {survived} survived", self.backend, self.outcomes.len())?;
        for outcome in &self.outcomes {
            let (word, message) = match &outcome.killed {
                Ok(message) => ("killed", message),
                Err(message) => ("SURVIVED", message),
            };
            let line: String = message.lines().next().unwrap_or_default().chars().take(100).collect();
            writeln!(f, "  {word} {} by {}: {line}", outcome.name, outcome.by)?;
        }
        Ok(())
    }
}

/// Every mutant.
pub fn mutants() -> Vec<Mutant> {
    let mut all = Vec::new();
    let mut add = |name, killed_by, plant| all.push(Mutant { name, killed_by, plant });
    for &(name, killed_by, change) in ir::MUTANTS {
        add(name, killed_by, Plant::Ir(change));
    }
    for &(name, killed_by, fault) in entry::ENTRY_MUTANTS {
        add(name, killed_by, Plant::Entry(fault));
    }
    for &(name, killed_by, fault) in entry::HELPER_MUTANTS {
        add(name, killed_by, Plant::Helpers(fault));
    }
    use Section::{Abi, Edges, Texts};
    add("edge moves in order", (Texts, "swap in a loop"), Plant::Tape(Fault::EdgeMovesInOrder));
    let both = (Edges, "branch with both edges to one block");
    add("edges of a branch share arguments", both, Plant::Tape(Fault::BranchSharesArguments));
    add(
        "float argument from another's register",
        (Abi, "helpers by resolver"),
        Plant::Tape(Fault::FloatArgumentReused),
    );
    add("out is the frame", (Abi, "parameters of the function"), Plant::Tape(Fault::OutIsFrame));
    add("returns share a status", (Texts, "statuses"), Plant::Tape(Fault::ReturnsShared));
    add("registers outlive the activation", (Abi, "recursion"), Plant::Tape(Fault::StaticRegisters));
    add("stack words in reverse", (Abi, "direct"), Plant::Direct(Fault::StackWordsReversed));
    all
}

/// Mutants that are planted in processes of their own only: the section [`Section::Python`] sees them.
#[cfg(feature = "cpython")]
pub(crate) fn of_processes() -> Vec<Mutant> {
    let known = entry::ENTRY_MUTANTS_OF_PROCESSES.iter();
    known.map(|&(name, killed_by, fault)| Mutant { name, killed_by, plant: Plant::Entry(fault) }).collect()
}

/// Plants every mistake around a backend and reports which the suite saw.
pub fn run_mutants(backend: &dyn Backend) -> MutantReport {
    let mut honest: BTreeMap<String, Result<(), String>> = BTreeMap::new();
    let outcomes = mutants()
        .into_iter()
        .map(|mutant| {
            let (section, case) = mutant.killed_by;
            let by = format!("{section}/{case}");
            let tape = TapeBackend::new();
            let about: &dyn Backend = if matches!(mutant.plant, Plant::Tape(_)) { &tape } else { backend };
            let Some(planted) = mutant.plant(backend) else {
                return MutantOutcome { name: mutant.name, by, killed: direct(mutant.plant) };
            };
            let key = format!("{} {by}", about.name());
            let passes = honest.entry(key).or_insert_with(|| run_case(about, section, case));
            let killed = match passes {
                Err(message) => Err(format!("the case fails without the mistake: {message}")),
                Ok(()) => match run_case(&*planted, section, case) {
                    Err(message) if message.contains(ir::ILL_FORMED) => Err(message),
                    Err(message) => Ok(message),
                    Ok(()) => Err("no case saw it".into()),
                },
            };
            MutantOutcome { name: mutant.name, by, killed }
        })
        .collect();
    MutantReport { backend: backend.name().to_owned(), outcomes }
}

/// Looks for a mistake of calls through the emitter.
fn direct(plant: Plant) -> Result<String, String> {
    let Plant::Direct(fault) = plant else { return Err("it cannot be planted".into()) };
    let report = run_direct_calls(|call| Ok(call.emit(TapeEmitter::with_fault(Some(fault)))?.into_entry()));
    report.failures.into_iter().next().map(|failure| failure.message).ok_or_else(|| "no case saw it".into())
}

fn run_case(backend: &dyn Backend, section: Section, name: &str) -> Result<(), String> {
    let found = cases(section, &Options::default()).into_iter().find(|case| case.name == name);
    let case = found.ok_or_else(|| format!("there is no case {section}/{name}"))?;
    outcome(&Bench::new(backend), &case)
}
