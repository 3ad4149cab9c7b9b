//! Python programs inside CPython: with the backend under test they must do what they do without it.
//!
//! *Problem*: the other sections prove that a backend emits what the IR says. What the IR is for is seen only in an
//! interpreter: exits after which CPython goes on, helpers that run other compiled code, frames that others look at, floating
//! point settings that everybody shares. And there a backend's mistake can take the whole process with it, which has one
//! interpreter at most. *Method*: each run of a program is a process of its own. It is the process that asks, executed once
//! more with `VARIABLE` in its environment: when it comes to the same call of [`run`], it runs the program instead
//! (`child`) and ends. A program is run by the plain interpreter first, whose output is what is right, and then in every
//! `Mode` with the backend; each program in each mode is a case. It passes if the process ends well, the output is the
//! same down to tracebacks, the functions named at the program's head are in use as code of this backend, and the backend
//! refused nothing. *Invariants*: the backend is registered under a name of its own (`child::NAME`), so it is the one under
//! test even where one of its name is compiled in; nothing of the caller's environment reaches the programs but what the
//! interpreter needs to find its library; a run ends after `LIMIT` at the latest.

mod child;
mod programs;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use columba_cpython_hook::config;
use columba_jit_core::backend::Backend;

use crate::mutants::{ILL_FORMED, Mutant, MutantOutcome, MutantReport, mutants};
use crate::report::SectionReport;
use crate::run::judge;
use crate::{Options, Section};
use programs::{PROGRAMS, Program};

/// Makes the backend under test, in the process that is to use it.
pub type Make = fn() -> Box<dyn Backend>;

/// In the environment of a process that is to run a program: its [`Order`].
const VARIABLE: &str = "COLUMBA_CONFORMANCE_PYTHON";

/// Begins the message of a case in which the backend gave no code.
const REFUSED: &str = "the backend refused a function:";

/// How long a run may take. At the first call everything is compiled, and a slow backend is not a wrong one.
const LIMIT: Duration = Duration::from_secs(120);

/// How this program comes to the call of [`run`] or [`run_mutants`] again when it is executed once more.
#[derive(Clone, Debug)]
pub struct Here(Vec<String>);

impl Here {
    /// The call stands in the `#[test]` function `name` of the module that gives its `module_path!()`.
    pub fn test(module_path: &str, name: &str) -> Here {
        // The harness leaves the crate's name out.
        let path = match module_path.split_once("::") {
            Some((_, module)) => format!("{module}::{name}"),
            None => name.to_owned(),
        };
        Here([&path, "--exact", "--nocapture", "--include-ignored", "--test-threads=1"].map(str::to_owned).to_vec())
    }

    /// The call is what this program does when it gets the arguments it has now.
    pub fn program() -> Here {
        Here(std::env::args().skip(1).collect())
    }
}

/// One way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Without Columba.
    Plain,
    /// Everything is compiled when it is first called: nothing is known of types but the arguments'.
    FirstCall,
    /// Compiled after the interpreter has specialised the bytecode.
    Warm,
    /// As at the first call, and each guard fails once though what it guards holds.
    Stress,
}

impl Mode {
    const ALL: [Mode; 4] = [Mode::Plain, Mode::FirstCall, Mode::Warm, Mode::Stress];
    /// Those with the backend.
    const COMPILED: [Mode; 3] = [Mode::FirstCall, Mode::Warm, Mode::Stress];

    fn name(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::FirstCall => "threshold-0",
            Mode::Warm => "warm",
            Mode::Stress => "stress",
        }
    }

    fn threshold(self) -> u32 {
        // The interpreter specialises within the first eight calls; 16 is the least that the option takes.
        if self == Mode::Warm { 16 } else { 0 }
    }
}

/// What a process is told to do.
#[derive(Clone, Debug, PartialEq)]
struct Order {
    program: String,
    mode: Mode,
    /// How often `main` is called.
    rounds: u32,
    /// The mistake to plant around the backend; empty for none.
    mutant: String,
    /// Where what the program prints goes, and what Columba says of it.
    output: PathBuf,
    report: PathBuf,
}

impl Order {
    fn to_text(&self) -> String {
        let Order { program, mode, rounds, mutant, output, report } = self;
        [program, mode.name(), &rounds.to_string(), mutant, &output.to_string_lossy(), &report.to_string_lossy()]
            .join("\n")
    }

    fn parse(text: &str) -> Option<Order> {
        let [program, mode, rounds, mutant, output, report] = text.split('\n').collect::<Vec<_>>().try_into().ok()?;
        Some(Order {
            program: program.to_owned(),
            mode: Mode::ALL.into_iter().find(|known| known.name() == mode)?,
            rounds: rounds.parse().ok()?,
            mutant: mutant.to_owned(),
            output: output.into(),
            report: report.into(),
        })
    }
}

/// What a process says of its run beyond what the program printed: lines of a kind and a text.
#[derive(Clone, Debug, Default, PartialEq)]
struct Account {
    figures: BTreeMap<String, u64>,
    /// What is wrong: the backend cannot be used, or a function is not compiled by it.
    complaints: Vec<String>,
    /// What the backend answered instead of code.
    refusals: Vec<String>,
}

impl Account {
    fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, count) in &self.figures {
            let _ = writeln!(text, "figure {count} {name}");
        }
        for (kind, lines) in [("complaint", &self.complaints), ("refusal", &self.refusals)] {
            for line in lines {
                let _ = writeln!(text, "{kind} {}", line.replace('\n', " "));
            }
        }
        text + "end\n"
    }

    /// `None` unless it is complete.
    fn parse(text: &str) -> Option<Account> {
        let mut account = Account::default();
        for line in text.strip_suffix("end\n")?.lines() {
            match line.split_once(' ')? {
                ("figure", rest) => {
                    let (count, name) = rest.split_once(' ')?;
                    account.figures.insert(name.to_owned(), count.parse().ok()?);
                }
                ("complaint", rest) => account.complaints.push(rest.to_owned()),
                ("refusal", rest) => account.refusals.push(rest.to_owned()),
                _ => return None,
            }
        }
        Some(account)
    }
}

/// Runs the section: every program in every mode, with the backend that `make` makes.
///
/// It must be called from the same place in the process that is executed again, with the same `make`; [`python_tests!`]
/// writes such a test.
///
/// [`python_tests!`]: crate::python_tests
pub fn run(here: &Here, make: Make, options: &Options) -> SectionReport {
    child::serve(make);
    let mut report = SectionReport::empty(Section::Python);
    let name = make().name();
    let workshop = match Workshop::new(here, options) {
        Ok(workshop) => workshop,
        Err(error) => {
            judge(&mut report, name, options, [("files".to_owned(), move || Err(error.to_string()))]);
            return report;
        }
    };
    let cases: Vec<(Program, Mode)> = PROGRAMS
        .iter()
        .flat_map(|&program| Mode::COMPILED.map(|mode| (program, mode)))
        .filter(|case| options.only.as_ref().is_none_or(|only| case_name(case).contains(only.as_str())))
        .collect();
    let programs: Vec<Program> =
        PROGRAMS.iter().copied().filter(|program| cases.iter().any(|case| case.0.name == program.name)).collect();
    let plain = in_parallel(&programs, |&program| (program.name, workshop.plain(program)));
    let plain: BTreeMap<&str, Result<String, String>> = plain.into_iter().collect();
    let (failed, figures) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<String, u64>::new()));
    let outcomes = in_parallel(&cases, |&(program, mode)| {
        if failed.load(Ordering::Relaxed) >= options.max_failures {
            return None;
        }
        let outcome = workshop.case(program, mode, "", &plain[program.name]);
        if let Ok(account) = &outcome {
            let mut sums = figures.lock().expect("nothing panics with the lock held");
            account.figures.iter().for_each(|(name, count)| *sums.entry(name.clone()).or_default() += count);
        } else {
            failed.fetch_add(1, Ordering::Relaxed);
        }
        Some(outcome.map(drop))
    });
    let named = cases.iter().zip(outcomes).filter_map(|(case, outcome)| Some((case_name(case), outcome?)));
    judge(&mut report, name, options, named.map(|(name, outcome)| (name, move || outcome)));
    report.figures = figures.into_inner().expect("nothing panics with the lock held").into_iter().collect();
    report
}

fn case_name((program, mode): &(Program, Mode)) -> String {
    format!("{}[{}]", program.name, mode.name())
}

/// Mistakes, and the case of this section that kills each.
const KILLED: &[(&str, &str)] = &[
    ("operands of sub swapped", "ints[threshold-0]"),
    ("overflow check of add dropped", "ints[warm]"),
    ("guards never fail", "types_change[warm]"),
    ("float lt holds for NaN", "comparisons[threshold-0]"),
    ("yielded for raised", "generators[threshold-0]"),
    ("status of an exit off by one", "types_change_in_loops[stress]"),
    ("wrong exit number", "types_change[stress]"),
    ("rbx not kept", "calls[threshold-0]"),
    // These are seen by no other section.
    ("functions with the same IR share code", "constants[threshold-0]"),
    ("denormal floats flushed to zero", "floats[threshold-0]"),
];

/// The mutants that this section is tried with, among them some which no other section sees.
pub fn python_mutants() -> Vec<Mutant> {
    let known = [mutants(), crate::mutants::of_processes()].concat();
    let find = |name: &str| known.iter().copied().find(|mutant| mutant.name == name);
    let killed = KILLED.iter().map(|&(name, case)| (find(name).unwrap_or_else(|| panic!("no mutant {name}")), case));
    killed.map(|(mutant, case)| mutant.killed_by(Section::Python, case)).collect()
}

/// Plants mistakes around the backend and reports which of them the section saw.
pub fn run_mutants(here: &Here, make: Make) -> MutantReport {
    child::serve(make);
    let backend = make().name().to_owned();
    let mutants = python_mutants();
    let options = Options::quick();
    let workshop = Workshop::new(here, &options);
    let outcomes = in_parallel(&mutants, |mutant| {
        let (section, case) = mutant.killed_by;
        let killed = match &workshop {
            Ok(workshop) => workshop.killed(mutant.name, case),
            Err(error) => Err(error.to_string()),
        };
        MutantOutcome { name: mutant.name, by: format!("{section}/{case}"), killed }
    });
    MutantReport { backend, outcomes }
}

/// Where programs are run: a folder for them and for what they print.
struct Workshop<'a> {
    here: &'a Here,
    executable: PathBuf,
    rounds: u32,
    refusals: &'a [String],
    /// Numbers the runs.
    runs: AtomicUsize,
    folder: tempfile::TempDir,
}

/// How a run ended, and what is left of it.
struct Run {
    /// `None` when it took too long.
    status: Option<ExitStatus>,
    output: String,
    account: Option<Account>,
    /// What it printed beyond the program's output: the harness's lines, panics of the backend.
    log: String,
}

impl<'a> Workshop<'a> {
    fn new(here: &'a Here, options: &'a Options) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("columba-conformance-").tempdir()?;
        // Tracebacks show source lines, and where in them it happened, only of files.
        for program in PROGRAMS {
            fs::write(folder.path().join(format!("{}.py", program.name)), program.source)?;
        }
        Ok(Workshop {
            here,
            executable: std::env::current_exe()?,
            rounds: options.python_rounds,
            refusals: &options.python_refusals,
            runs: AtomicUsize::new(0),
            folder,
        })
    }

    /// What the program prints without Columba.
    fn plain(&self, program: Program) -> Result<String, String> {
        let run = self.run(program, Mode::Plain, "")?;
        match run.trouble() {
            Some(trouble) => Err(format!("without Columba it {trouble}")),
            None => Ok(run.output),
        }
    }

    /// Runs a program with the backend and compares.
    fn case(
        &self,
        program: Program,
        mode: Mode,
        mutant: &str,
        plain: &Result<String, String>,
    ) -> Result<Account, String> {
        let plain = plain.as_ref().map_err(String::clone)?;
        let run = self.run(program, mode, mutant)?;
        // A difference says more than the crash that came of it.
        let difference = difference(plain, &run.output);
        if let Some(trouble) = run.trouble() {
            let before = difference.map(|difference| format!("; before that, {difference}")).unwrap_or_default();
            return Err(format!("it {trouble}{before}"));
        }
        if let Some(difference) = difference {
            return Err(difference);
        }
        let account = run.account.unwrap_or_default();
        let listed = |refusal: &String| self.refusals.iter().any(|reason| refusal.contains(reason.as_str()));
        if let Some(refusal) = account.refusals.iter().find(|refusal| !listed(refusal)) {
            // Its panic went to the log.
            let panic = if refusal.ends_with(child::PANICKED) { last_lines(&run.log) } else { String::new() };
            return Err(format!("{REFUSED} {refusal}\n{panic}"));
        }
        // Who has reason to refuse functions is not asked which.
        if let Some(complaint) = account.complaints.first().filter(|_| account.refusals.is_empty()) {
            return Err(complaint.clone());
        }
        Ok(account)
    }

    /// Whether a case sees a mistake, and nothing without it.
    fn killed(&self, mutant: &str, case: &str) -> Result<String, String> {
        let all = PROGRAMS.iter().flat_map(|&program| Mode::COMPILED.map(|mode| (program, mode)));
        let Some((program, mode)) = all.into_iter().find(|known| case_name(known) == case) else {
            return Err(format!("there is no case {case}"));
        };
        let plain = self.plain(program);
        self.case(program, mode, "", &plain)
            .map_err(|message| format!("the case fails without the mistake: {message}"))?;
        match self.case(program, mode, mutant, &plain) {
            // Being refused is not being seen.
            Err(message) if message.contains(ILL_FORMED) || message.starts_with(REFUSED) => Err(message),
            Err(message) => Ok(message),
            Ok(_) => Err("no case saw it".into()),
        }
    }

    fn run(&self, program: Program, mode: Mode, mutant: &str) -> Result<Run, String> {
        self.try_run(program, mode, mutant).map_err(|error| format!("it cannot be run: {error}"))
    }

    fn try_run(&self, program: Program, mode: Mode, mutant: &str) -> io::Result<Run> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let file = |what: &str| self.folder.path().join(format!("{number}.{what}"));
        let order = Order {
            program: program.name.to_owned(),
            mode,
            rounds: self.rounds,
            mutant: mutant.to_owned(),
            output: file("output"),
            report: file("report"),
        };
        let log = File::create(file("log"))?;
        let mut command = Command::new(&self.executable);
        command.args(&self.here.0).current_dir(self.folder.path()).env(VARIABLE, order.to_text());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        for option in config::NAMES {
            command.env_remove(format!("COLUMBA_{}", option.to_ascii_uppercase()));
        }
        for variable in ["COLUMBA", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS"] {
            command.env_remove(variable);
        }
        command.env("PYTHONHASHSEED", "0").env("PYTHONDONTWRITEBYTECODE", "1");
        let status = wait(&mut command)?;
        let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Run {
            status,
            output: read(&order.output).unwrap_or_default(),
            account: read(&order.report).ok().and_then(|text| Account::parse(&text)),
            log: read(&file("log"))?,
        })
    }
}

/// Runs a process to its end, or to [`LIMIT`].
fn wait(command: &mut Command) -> io::Result<Option<ExitStatus>> {
    let mut process = command.spawn()?;
    let (started, mut pause) = (Instant::now(), Duration::from_millis(1));
    while started.elapsed() < LIMIT {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    process.kill()?;
    process.wait()?;
    Ok(None)
}

impl Run {
    /// Why it did not come to its end.
    fn trouble(&self) -> Option<String> {
        let what = match (self.status, &self.account) {
            (None, _) => format!("did not end within {} s", LIMIT.as_secs()),
            (Some(status), Some(_)) if status.success() => return None,
            (Some(status), None) if status.success() => {
                "did not come back to the call that started it; see `python::Here`".to_owned()
            }
            (Some(status), _) => format!("ended with {status}"),
        };
        let tail = last_lines(&self.log);
        Some(if tail.is_empty() { what } else { format!("{what}:\n{tail}") })
    }
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(6)..].join("\n")
}

/// The first line that differs.
fn difference(right: &str, got: &str) -> Option<String> {
    let (mut right, mut got, mut round) = (right.lines(), got.lines(), "before the first round");
    loop {
        match (right.next(), got.next()) {
            (None, None) => return None,
            (Some(right), Some(got)) if right == got => {
                if right.starts_with(child::ROUND) {
                    round = right;
                }
            }
            (right, got) => {
                let from = match (right, got) {
                    (Some(right), Some(got)) => right.chars().zip(got.chars()).take_while(|(a, b)| a == b).count(),
                    _ => 0,
                };
                // Lines can be long: what comes a little before the difference, and a little after.
                let excerpt = |text: Option<&str>| match text {
                    Some(text) => {
                        let begin = from.saturating_sub(20);
                        let part: String = text.chars().skip(begin).take(80).collect();
                        format!("{}{part:?}", if begin > 0 { "..." } else { "" })
                    }
                    None => "nothing".to_owned(),
                };
                return Some(format!("in {round} it prints {} instead of {}", excerpt(got), excerpt(right)));
            }
        }
    }
}

/// Does `work` for each item, on as many threads as there are processors; the results in the items' order.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let workers = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(index)
                {
                    let result = work(item);
                    results.lock().expect("nothing panics with the lock held").push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("nothing panics with the lock held");
    results.sort_by_key(|result| result.0);
    results.into_iter().map(|result| result.1).collect()
}

/// The section as tests of a crate: `python`, and `python_mutants`, which plants mistakes around the backend.
///
/// The argument makes the backend: `fn() -> Box<dyn Backend>`, a closure that captures nothing will do. The package needs
/// the feature `cpython` of this crate, and its tests must find CPython's shared library (`docs/conformance.md`).
///
/// ```no_run
/// mod suite {
///     columba_jit_conformance::python_tests!(|| Box::new(columba_jit_conformance::ReferenceBackend::new()));
/// }
/// ```
#[macro_export]
macro_rules! python_tests {
    ($make:expr) => {
        #[test]
        fn python() {
            let here = $crate::python::Here::test(module_path!(), "python");
            $crate::python::run(&here, $make, &$crate::Options::from_environment()).assert_clean();
        }

        #[test]
        fn python_mutants() {
            let here = $crate::python::Here::test(module_path!(), "python_mutants");
            $crate::python::run_mutants(&here, $make).assert_all_killed();
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_accounts_survive_their_text() {
        let order = Order {
            program: "ints".into(),
            mode: Mode::Stress,
            rounds: 3,
            mutant: "operands of sub swapped".into(),
            output: "/tmp/a b/0.output".into(),
            report: "/tmp/a b/0.report".into(),
        };
        assert_eq!(Order::parse(&order.to_text()), Some(order));
        assert_eq!(Order::parse("ints"), None);
        let account = Account {
            figures: BTreeMap::from([("functions compiled".to_owned(), 7)]),
            complaints: vec!["f is not compiled".into()],
            refusals: vec!["the function is too large".into()],
        };
        assert_eq!(Account::parse(&account.to_text()), Some(account));
        // A process that was ended while it wrote.
        assert_eq!(Account::parse("figure 7 functions compiled\n"), None);
    }

    #[test]
    fn the_harness_is_told_the_path_within_its_crate() {
        assert_eq!(Here::test("python", "passes").0[0], "passes");
        assert_eq!(Here::test("suite::llvm::quick", "passes").0[0], "llvm::quick::passes");
    }

    #[test]
    fn differences_are_shown_with_their_round() {
        let right = "round 1\n[1, 2]\nround 2\n[1, 2]\n";
        assert_eq!(difference(right, right), None);
        let message = difference(right, "round 1\n[1, 2]\nround 2\n[1, 3]\n").unwrap();
        assert_eq!(message, r#"in round 2 it prints "[1, 3]" instead of "[1, 2]""#);
        let message = difference(right, "round 1\n").unwrap();
        assert_eq!(message, r#"in round 1 it prints nothing instead of "[1, 2]""#);
    }

    #[test]
    fn cases_and_mutants_exist() {
        let known: Vec<String> =
            PROGRAMS.iter().flat_map(|&program| Mode::COMPILED.map(|mode| case_name(&(program, mode)))).collect();
        for mutant in python_mutants() {
            assert!(known.iter().any(|case| case == mutant.killed_by.1), "{}", mutant.killed_by.1);
        }
    }

    #[test]
    fn results_keep_the_order_of_their_items() {
        let items: Vec<u32> = (0..50).collect();
        assert_eq!(in_parallel(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
    }
}
