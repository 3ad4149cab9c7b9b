//! Runs cases and collects what they say.
//!
//! *Problem*: a case states what must hold with assertions, as tests do, but one that fails must not end the suite, and the
//! same case run on a backend that is wrong on purpose must not fill the terminal. *Method*: each case runs under
//! `catch_unwind`; while one runs, a panic hook keeps message and place of this thread's panics instead of printing them.
//! *Invariants*: other threads' panics are printed as ever; cases run one after another in the order of their section.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use columba_jit_core::backend::{Backend, Caps};

use crate::bench::Bench;
use crate::report::{Failure, SectionReport};
use crate::{Options, Section, abi, chaos, edges, exits, generated, publishing, texts};

/// What a case does: it panics if something does not hold.
pub(crate) type Check = fn(&Bench<'_>);

/// One thing that must hold.
pub(crate) struct Case {
    pub name: String,
    pub run: Box<dyn Fn(&Bench<'_>)>,
}

impl Case {
    pub fn new(name: impl Into<String>, run: impl Fn(&Bench<'_>) + 'static) -> Case {
        Case { name: name.into(), run: Box::new(run) }
    }
}

/// A section's cases.
pub(crate) fn cases(section: Section, options: &Options) -> Vec<Case> {
    match section {
        Section::Texts => texts::cases(),
        Section::Edges => edges::cases(),
        Section::Abi => abi::cases(),
        Section::Generated => generated::cases(options),
        Section::Exits => exits::cases(options),
        Section::Chaos => chaos::cases(options),
        Section::Publishing => publishing::cases(),
        Section::Python => vec![Case::new("processes", |_| panic!("this section is run by `python::run`"))],
    }
}

pub(crate) fn section(section: Section, backend: &dyn Backend, options: &Options) -> SectionReport {
    let mut report = SectionReport::empty(section);
    if section == Section::Publishing && !backend.caps().contains(Caps::NATIVE) {
        report.not_applicable = Some("the backend makes no machine code");
        return report;
    }
    let bench = Bench::new(backend);
    let cases = cases(section, options).into_iter();
    let bench_of_cases = &bench;
    let cases = cases.map(|case| (case.name.clone(), move || outcome(bench_of_cases, &case)));
    judge(&mut report, backend.name(), options, cases);
    if section == Section::Generated
        && options.only.is_none()
        && report.failures.len() < options.max_failures
        && let Err(message) = generated::check_coverage(&bench, options)
    {
        report.failures.push(Failure { case: format!("{section}/coverage"), message });
    }
    report.figures = bench.figures();
    report
}

/// Runs a section's cases, given by name, and adds what they say to its report: those that the options ask for, against the
/// must-fail list for the backend of this name.
pub(crate) fn judge<Run: FnOnce() -> Result<(), String>>(
    report: &mut SectionReport,
    backend: &str,
    options: &Options,
    cases: impl IntoIterator<Item = (String, Run)>,
) {
    let prefix = format!("{}/", report.section);
    let mut listed: Vec<&str> = (options.must_fail.iter())
        .filter(|entry| entry.backend == backend && entry.case.starts_with(&prefix))
        .map(|entry| entry.case.as_str())
        .collect();
    for (name, run) in cases {
        if options.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let name = format!("{prefix}{name}");
        report.cases += 1;
        let must_fail = listed.iter().position(|&entry| entry == name);
        match (run(), must_fail) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => {
                let message = "is on the must-fail list, but passes".into();
                report.failures.push(Failure { case: name.clone(), message });
            }
            (Err(_), Some(_)) => report.expected_failures += 1,
            (Err(message), None) => report.failures.push(Failure { case: name.clone(), message }),
        }
        if let Some(index) = must_fail {
            listed.remove(index);
        }
        if report.failures.len() >= options.max_failures {
            break;
        }
    }
    if options.only.is_none() && report.failures.len() < options.max_failures {
        let gone = listed.iter().map(|&entry| Failure { case: entry.into(), message: "there is no such case".into() });
        report.failures.extend(gone);
    }
}

thread_local! {
    /// Set while a case runs: what it panicked with.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static COLLECTING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs a case; the message of its panic if it fails.
pub(crate) fn outcome(bench: &Bench<'_>, case: &Case) -> Result<(), String> {
    collect(|| (case.run)(bench))
}

/// What an action panics with, not printed.
pub(crate) fn collect(action: impl FnOnce()) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !COLLECTING.get() {
                return usual(info);
            }
            let place =
                info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
            let payload = info.payload();
            let text = payload.downcast_ref::<&str>().copied();
            let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("panicked");
            PANIC.set(Some(format!("{message}{place}")));
        }));
    });
    let before = COLLECTING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(action));
    COLLECTING.set(before);
    result.map_err(|_| PANIC.take().unwrap_or_else(|| "panicked".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MustFail, ReferenceBackend};

    #[test]
    fn must_fail_is_checked_both_ways() {
        let entry = |case: &str| MustFail { backend: "interpreter".into(), case: case.into(), reason: "test".into() };
        let options = |case: &str| Options { must_fail: vec![entry(case)], ..Options::default() };
        let backend = ReferenceBackend::new();
        let report = section(Section::Texts, &backend, &options("texts/add"));
        assert_eq!(report.failures.len(), 1, "{report}");
        assert!(report.failures[0].message.contains("but passes"), "{report}");
        let report = section(Section::Texts, &backend, &options("texts/no such"));
        assert!(report.failures[0].message.contains("no such case"), "{report}");
        // Others' entries do not matter.
        let mut other = options("texts/add");
        other.must_fail[0].backend = "other".into();
        assert!(section(Section::Texts, &backend, &other).is_clean());
    }

    #[test]
    fn failures_have_message_and_place() {
        let message = collect(|| assert_eq!(1 + 1, 3, "sum")).unwrap_err();
        assert!(message.contains("sum") && message.contains("run.rs"), "{message}");
    }
}
