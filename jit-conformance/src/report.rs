//! What a run of the suite found.
//!
//! *Problem*: whoever proves a backend wants to know what ran and what failed, not only that something did. *Method*: plain
//! data per section, with a text form for people. *Invariant*: a section that ran no case is not clean.

use std::fmt;

use crate::Section;

/// A case that did not do as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `section/case`.
    pub case: String,
    pub message: String,
}

/// One section's results.
#[derive(Clone, Debug)]
pub struct SectionReport {
    pub section: Section,
    /// Cases run.
    pub cases: usize,
    /// Cases of the must-fail list that failed, as they must.
    pub expected_failures: usize,
    pub failures: Vec<Failure>,
    /// The section does not apply to this backend, and why.
    pub not_applicable: Option<&'static str>,
    /// Figures: functions compiled, runs, operations executed.
    pub figures: Vec<(String, u64)>,
}

impl SectionReport {
    /// Of a section that is about to be run.
    pub(crate) fn empty(section: Section) -> Self {
        SectionReport {
            section,
            cases: 0,
            expected_failures: 0,
            failures: Vec::new(),
            not_applicable: None,
            figures: Vec::new(),
        }
    }

    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && (self.cases > 0 || self.not_applicable.is_some())
    }

    /// Panics with the whole report unless it is clean; prints it otherwise.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.is_clean(), "{self}");
        print!("{self}");
    }

    /// A figure by name, 0 if there is none.
    pub fn figure(&self, name: &str) -> u64 {
        self.figures.iter().find(|figure| figure.0 == name).map_or(0, |figure| figure.1)
    }
}

impl fmt::Display for SectionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = self.not_applicable {
            return writeln!(f, "{}: not applicable: {reason}", self.section);
        }
        write!(f, "{}: {} cases, {} failed", self.section, self.cases, self.failures.len())?;
        if self.expected_failures > 0 {
            write!(f, ", {} as the must-fail list says", self.expected_failures)?;
        }
        for (name, count) in &self.figures {
            write!(f, ", {count} {name}")?;
        }
        writeln!(f)?;
        for failure in &self.failures {
            writeln!(f, "  {}: {}", failure.case, failure.message.replace('\n', "\n    "))?;
        }
        Ok(())
    }
}

/// All sections' results for one backend.
#[derive(Clone, Debug)]
pub struct Report {
    pub backend: String,
    pub sections: Vec<SectionReport>,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        !self.sections.is_empty() && self.sections.iter().all(SectionReport::is_clean)
    }

    /// Panics with the whole report unless it is clean; prints it otherwise.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.is_clean(), "{self}");
        print!("{self}");
    }

    pub fn cases(&self) -> usize {
        self.sections.iter().map(|section| section.cases).sum()
    }

    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.sections.iter().flat_map(|section| &section.failures)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "backend {}: {} cases, {} failed", self.backend, self.cases(), self.failures().count())?;
        self.sections.iter().try_for_each(|section| section.fmt(f))
    }
}
