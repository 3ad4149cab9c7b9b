//! The must-fail list: cases that a named backend cannot pass yet.
//!
//! *Problem*: a skipped test is forgotten. *Method*: one list, `must_fail.txt`, of `BACKEND SECTION/CASE: REASON`. The cases
//! on it are run all the same. *Invariant*: a listed case that passes, and one that does not exist, is a failure.

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MustFail {
    pub backend: String,
    /// `section/case`.
    pub case: String,
    pub reason: String,
}

/// The list that comes with the suite.
pub fn built_in() -> Vec<MustFail> {
    parse(include_str!("../must_fail.txt")).unwrap_or_else(|line| panic!("must_fail.txt: {line}"))
}

/// Reads a list; gives back the first line that is none.
pub fn parse(text: &str) -> Result<Vec<MustFail>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| entry(line).ok_or_else(|| line.to_owned())).collect()
}

fn entry(line: &str) -> Option<MustFail> {
    let (head, reason) = line.split_once(": ")?;
    let (backend, case) = head.split_once(' ')?;
    let complete = case.contains('/') && !reason.trim().is_empty();
    complete.then(|| MustFail { backend: backend.into(), case: case.trim().into(), reason: reason.trim().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_complete_or_refused() {
        let list = parse("# comment\n\nmine edges/int operations: 32-bit machine\n").unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].backend.as_str(), list[0].case.as_str()), ("mine", "edges/int operations"));
        for line in ["mine edges/a", "mine edges/a: ", "mine a: reason", "edges/a: reason"] {
            assert!(parse(line).is_err(), "{line}");
        }
        built_in();
    }
}
