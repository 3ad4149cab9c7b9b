//! The Python programs of the section, `jit-conformance/python/*.py`.
//!
//! *Problem*: a crate that was downloaded has its own folder and nothing else. *Method*: the programs are part of the library.
//! Each defines a function `main` without arguments, which is called over and over and prints what it sees, and says in the
//! comments at its head which of its functions must be compiled when it ends: `# compiled: f, C.m`. *Invariants*: a program
//! imports nothing (at the first call all of a module would be compiled as well); what it prints depends on nothing but its
//! own run: no addresses, times or orders of hashing.

/// A program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub name: &'static str,
    pub source: &'static str,
}

macro_rules! programs {
    ($($name:literal)*) => {
        pub(super) const PROGRAMS: &[Program] = &[ $(
            Program {
                name: $name,
                source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/python/", $name, ".py")),
            },
        )* ];
    };
}
include!("../../python/list.rs");

impl Program {
    pub fn by_name(name: &str) -> Option<Program> {
        PROGRAMS.iter().copied().find(|program| program.name == name)
    }

    /// The functions that must be compiled when the program ends: paths of attributes from its namespace.
    pub fn compiled(&self) -> impl Iterator<Item = &'static str> + use<> {
        let head = self.source.lines().take_while(|line| line.starts_with('#'));
        let lists = head.filter_map(|line| line.strip_prefix("# compiled:"));
        lists.flat_map(|list| list.split(',').map(str::trim)).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_file_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files: BTreeSet<String> = paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let listed: BTreeSet<String> = PROGRAMS.iter().map(|program| program.name.to_owned()).collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn every_program_says_what_must_be_compiled() {
        for program in PROGRAMS {
            assert!(program.compiled().count() > 0, "{}", program.name);
            assert!(!program.source.contains("import "), "{}", program.name);
        }
    }
}
