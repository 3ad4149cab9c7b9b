//! How a Python program is run: plain, or under Columba with given options.
//!
//! Everything is said through the environment, so that the program, its children and their arguments stay the same.

use std::process::Command;

/// A threshold that no code object reaches: the hook is installed and compiles nothing.
const NEVER: u64 = 1 << 60;

/// One way to run a Python program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    pub name: &'static str,
    pub enabled: bool,
    pub threshold: Option<u64>,
    pub stress: bool,
}

impl Mode {
    pub const PLAIN: Mode = Mode { name: "plain", enabled: false, threshold: None, stress: false };
    pub const NULL: Mode = Mode { name: "null", enabled: true, threshold: Some(NEVER), stress: false };
    pub const DEFAULT: Mode = Mode { name: "default", enabled: true, threshold: None, stress: false };
    pub const FIRST_CALL: Mode = Mode { name: "threshold-0", enabled: true, threshold: Some(0), stress: false };
    pub const STRESS: Mode = Mode { name: "stress", enabled: true, threshold: Some(0), stress: true };
    /// Compiled after the interpreter has specialised the bytecode, but soon enough for a short program.
    pub const WARM: Mode = Mode { name: "warm", enabled: true, threshold: Some(20), stress: false };
    pub const STRESS_WARM: Mode = Mode { name: "stress-warm", enabled: true, threshold: Some(20), stress: true };

    /// The modes every program of `tests/python` is run in, unless it says otherwise.
    pub const TESTED: [Mode; 5] = [Mode::FIRST_CALL, Mode::DEFAULT, Mode::WARM, Mode::STRESS, Mode::STRESS_WARM];

    pub fn by_name(name: &str) -> Option<Mode> {
        [Mode::PLAIN, Mode::NULL].into_iter().chain(Mode::TESTED).find(|mode| mode.name == name)
    }

    /// Gives `command` the environment of this mode, and takes away whatever the caller's environment says.
    pub fn apply(&self, command: &mut Command, backend: Option<&str>) {
        for (name, _) in std::env::vars_os() {
            let ours = name.to_str().is_some_and(|name| name == "COLUMBA" || name.starts_with("COLUMBA_"));
            if ours || name == "PYTHONPATH" || name == "PYTHONHOME" {
                command.env_remove(name);
            }
        }
        if !self.enabled {
            return;
        }
        command.env("COLUMBA", "1");
        if let Some(threshold) = self.threshold {
            command.env("COLUMBA_THRESHOLD", threshold.to_string());
        }
        if self.stress {
            command.env("COLUMBA_STRESS", "exits");
        }
        if let Some(backend) = backend {
            command.env("COLUMBA_BACKEND", backend);
        }
    }
}
