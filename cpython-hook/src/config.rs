//! The options: one table for `config()`, for `python -m columba --option`, and for `COLUMBA_OPTION`.
//!
//! Invariant: the lock is held for copies only, never across a call into CPython. What the hook reads at every turn is
//! mirrored in atomics.

use crate::{backends, job};
use columba_cpython_runtime::helpers::{instances, keys};
use columba_jit_core::{build::SWITCHES, passes::PASSES};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

/// What is made to fail on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stress {
    None,
    /// Guard `k` of a code object fails on its `k`-th execution.
    Exits,
    /// Every loop is entered in the middle, soon. What runs is looked at after a number of polls, not of milliseconds, so a
    /// run is the same every time.
    Loops,
    /// The same, and what the first of two backends has made is made again by the second at once.
    Tiers,
}

/// How much the backend optimises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptLevel {
    None,
    Speed,
    SpeedAndSize,
}

/// The options in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    pub backend: String,
    pub threshold: i64,
    pub stress: Stress,
    pub opt_level: OptLevel,
    pub disable_passes: Vec<String>,
    pub cpu: String,
    pub loop_entry: bool,
    pub parking: bool,
    pub background: bool,
}

impl Config {
    const fn new() -> Self {
        Config {
            backend: String::new(),
            threshold: DEFAULT_THRESHOLD,
            stress: Stress::None,
            opt_level: OptLevel::Speed,
            disable_passes: Vec::new(),
            cpu: String::new(),
            loop_entry: true,
            parking: true,
            background: true,
        }
    }
}

/// Interpreting a function about a thousand times takes as long as compiling it.
const DEFAULT_THRESHOLD: i64 = 1000;

/// The smallest threshold under which calls may be sampled.
const LEAST_SAMPLED: i64 = 256;

/// Names of the options, in the order in which they are listed.
pub const NAMES: &[&str] =
    &["backend", "threshold", "stress", "opt_level", "disable_passes", "cpu", "loop_entry", "parking", "background"];

static CONFIG: Mutex<Config> = Mutex::new(Config::new());
static THRESHOLD: AtomicI64 = AtomicI64::new(DEFAULT_THRESHOLD);
static LOOP_ENTRY: AtomicBool = AtomicBool::new(true);
static MAY_PARK: AtomicBool = AtomicBool::new(true);
static IN_BACKGROUND: AtomicBool = AtomicBool::new(false);
static STRESS_LOOPS: AtomicBool = AtomicBool::new(false);
static STRESS_TIERS: AtomicBool = AtomicBool::new(false);

/// An option that cannot be set, said in one line that names the way out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    #[error("unknown option {name:?}; the options are {}", NAMES.join(", "))]
    Unknown { name: String },
    #[error("option {name}={value:?} is not possible; it must be {expected}")]
    Value { name: &'static str, value: String, expected: String },
}

/// The options in force.
pub fn current() -> Config {
    CONFIG.lock().unwrap().clone()
}

/// Puts options into force.
///
/// # Safety
/// The GIL is held.
pub unsafe fn replace(config: Config) {
    let enabled = |switch: &str| !config.disable_passes.iter().any(|name| name == switch);
    // SAFETY: says the caller.
    unsafe {
        instances::enable(enabled(instances::SWITCH));
        keys::enable(enabled(keys::SWITCH));
    }
    THRESHOLD.store(config.threshold, Ordering::Relaxed);
    LOOP_ENTRY.store(config.loop_entry, Ordering::Relaxed);
    MAY_PARK.store(config.may_park(), Ordering::Relaxed);
    IN_BACKGROUND.store(config.compiles_in_background(), Ordering::Relaxed);
    STRESS_LOOPS.store(matches!(config.stress, Stress::Loops | Stress::Tiers), Ordering::Relaxed);
    STRESS_TIERS.store(config.stress == Stress::Tiers, Ordering::Relaxed);
    *CONFIG.lock().unwrap() = config;
}

/// Calls after which a code object is compiled.
pub fn threshold() -> i64 {
    THRESHOLD.load(Ordering::Relaxed)
}

/// Whether running loops are entered in the middle.
pub fn loop_entry() -> bool {
    LOOP_ENTRY.load(Ordering::Relaxed)
}

/// Whether the hook may be parked while nothing compiled runs.
pub fn may_park() -> bool {
    MAY_PARK.load(Ordering::Relaxed)
}

/// Whether the program goes on while it is compiled.
pub fn compiles_in_background() -> bool {
    IN_BACKGROUND.load(Ordering::Relaxed)
}

/// Whether loops are pulled out for the sake of it, found by counting polls.
pub fn stress_loops() -> bool {
    STRESS_LOOPS.load(Ordering::Relaxed)
}

/// Whether everything is worth the second backend.
pub fn stress_tiers() -> bool {
    STRESS_TIERS.load(Ordering::Relaxed)
}

impl Config {
    /// Whether the hook may be parked. Who sets a small threshold or stresses anything counts on every call being seen.
    pub fn may_park(&self) -> bool {
        self.parking && self.leaves_room()
    }

    /// Whether the program goes on while it is compiled: if the backend is slow.
    pub fn compiles_in_background(&self) -> bool {
        self.background && self.leaves_room() && backends::by_name(self.backend()).is_some_and(job::is_slow)
    }

    /// Whether it does not matter at which call exactly something is compiled.
    fn leaves_room(&self) -> bool {
        self.threshold >= LEAST_SAMPLED && self.stress == Stress::None
    }

    /// The name of the backend in force; of two, the first, which compiles what is warm.
    pub fn backend(&self) -> &str {
        match self.backend.split(',').next() {
            None | Some("") => backends::default_name(),
            Some(name) => name,
        }
    }

    /// The backends in force, as the option is written.
    pub fn backends(&self) -> &str {
        if self.backend.is_empty() { backends::default_name() } else { &self.backend }
    }

    /// The name of the second backend, which compiles what is hot, if there is one.
    pub fn second_backend(&self) -> Option<&str> {
        self.backend.split_once(',').map(|(_, name)| name)
    }

    /// The CPU that code is generated for.
    pub fn cpu(&self) -> &str {
        if self.cpu.is_empty() { "native" } else { &self.cpu }
    }

    /// Sets one option from its text form.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let text = text.trim();
        match name {
            "backend" => {
                let known = backends::names();
                let names: Vec<&str> = text.split(',').map(str::trim).collect();
                if names.len() > 2 {
                    return Err(wrong("backend", text, "one backend, or two: for warm code, for hot code"));
                }
                let names = names.iter().map(|name| one_of("backend", name, &known)).collect::<Result<Vec<_>, _>>()?;
                self.backend = names.join(",");
            }
            "threshold" => {
                self.threshold = match text.parse() {
                    Ok(number) if number == 0 || number >= 16 => number,
                    _ => {
                        return Err(wrong(
                            "threshold",
                            text,
                            "0 (compile at the first call) or a number of at least 16",
                        ));
                    }
                };
            }
            "stress" => {
                self.stress = match one_of("stress", text, &["none", "exits", "loops", "tiers"])? {
                    "exits" => Stress::Exits,
                    "loops" => Stress::Loops,
                    "tiers" => Stress::Tiers,
                    _ => Stress::None,
                };
            }
            "opt_level" => {
                self.opt_level = match one_of("opt_level", text, &["none", "speed", "speed_and_size"])? {
                    "none" => OptLevel::None,
                    "speed_and_size" => OptLevel::SpeedAndSize,
                    _ => OptLevel::Speed,
                };
            }
            "disable_passes" => {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                let known = pass_names();
                self.disable_passes = names
                    .map(|name| one_of("disable_passes", name, &known).map(str::to_owned))
                    .collect::<Result<_, _>>()?;
            }
            "cpu" => {
                self.cpu =
                    one_of("cpu", text, &["native", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"])?.to_owned();
            }
            "loop_entry" => self.loop_entry = switch("loop_entry", text)?,
            "background" => self.background = switch("background", text)?,
            "parking" => self.parking = switch("parking", text)?,
            _ => return Err(ConfigError::Unknown { name: name.to_owned() }),
        }
        Ok(())
    }

    /// Sets what `COLUMBA_<OPTION>` in the environment says.
    pub fn set_from_environment(&mut self) -> Result<(), ConfigError> {
        for name in NAMES {
            if let Ok(text) = std::env::var(format!("COLUMBA_{}", name.to_ascii_uppercase())) {
                self.set(name, &text)?;
            }
        }
        Ok(())
    }
}

/// What `disable_passes` may name: optimisations of the builder, passes over the IR, and what helpers do in their own way.
fn pass_names() -> Vec<&'static str> {
    SWITCHES
        .iter()
        .copied()
        .chain(PASSES.iter().map(|pass| pass.name))
        .chain([instances::SWITCH, keys::SWITCH])
        .collect()
}

fn switch(name: &'static str, text: &str) -> Result<bool, ConfigError> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(wrong(name, text, "true or false")),
    }
}

fn wrong(name: &'static str, value: &str, expected: &str) -> ConfigError {
    ConfigError::Value { name, value: value.to_owned(), expected: expected.to_owned() }
}

fn one_of<'a>(name: &'static str, text: &str, choices: &[&'a str]) -> Result<&'a str, ConfigError> {
    let found = choices.iter().find(|choice| **choice == text);
    found.copied().ok_or_else(|| wrong(name, text, &format!("one of {}", choices.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_below_the_quickening_of_cpython_are_refused() {
        let mut config = Config::new();
        assert!(config.set("threshold", "0").is_ok());
        assert!(config.set("threshold", "16").is_ok());
        assert_eq!(
            config.set("threshold", "3").unwrap_err().to_string(),
            "option threshold=\"3\" is not possible; it must be 0 (compile at the first call) or a number of at least 16"
        );
    }

    #[test]
    fn an_unknown_option_names_the_known_ones() {
        let message = Config::new().set("treshold", "0").unwrap_err().to_string();
        assert!(message.contains("\"treshold\"") && message.contains("threshold"));
    }

    #[test]
    fn exact_counts_are_not_sampled() {
        let mut config = Config::new();
        assert!(config.may_park());
        config.set("threshold", "20").unwrap();
        assert!(!config.may_park());
        config.set("threshold", "1000").unwrap();
        config.set("stress", "exits").unwrap();
        assert!(!config.may_park());
        config.set("stress", "none").unwrap();
        config.set("parking", "off").unwrap();
        assert!(!config.may_park());
    }

    #[test]
    fn one_backend_or_two() {
        let mut config = Config::new();
        let name = backends::default_name();
        config.set("backend", &format!("{name}, {name}")).unwrap();
        assert_eq!((config.backend(), config.second_backend()), (name, Some(name)));
        config.set("backend", name).unwrap();
        assert_eq!((config.backend(), config.second_backend()), (name, None));
        assert!(config.set("backend", &format!("{name},{name},{name}")).is_err());
        assert!(config.set("backend", "").is_err());
    }

    #[test]
    fn lists_are_split_at_commas() {
        let mut config = Config::new();
        config.set("disable_passes", "dead_code, unbox_loops").unwrap();
        assert_eq!(config.disable_passes, ["dead_code", "unbox_loops"]);
        assert!(config.set("disable_passes", "dead-code").is_err());
    }
}
