//! What there is to know about an interpreter before working with it.

use crate::error::{Error, Result};
use crate::process;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Asked of the interpreter itself, because launchers such as pyenv's are not where the interpreter is. Debian's package is
/// built with profiles and link-time optimisation by its own rules (`debian/rules`), of which the recorded flags, those of the
/// shared library, say nothing.
const QUESTIONS: &str = r#"
import importlib.util as u, json, os, sys, sysconfig as s
args = s.get_config_var("CONFIG_ARGS") or ""
debug = hasattr(sys, "gettotalrefcount")
debians = sys.base_prefix == "/usr" and os.path.exists("/etc/debian_version") and not debug
print(json.dumps({
    "executable": os.path.realpath(sys.executable) if sys.prefix == sys.base_prefix else sys.executable,
    "version": "%d.%d.%d" % sys.version_info[:3],
    "minor": sys.version_info[1],
    "implementation": sys.implementation.name,
    "debug": debug,
    "optimised": debians or "--enable-optimizations" in args or "-fprofile-use" in (s.get_config_var("PY_CFLAGS") or ""),
    "library_dir": s.get_config_var("LIBDIR"),
    "has_venv": bool(u.find_spec("venv")) and bool(u.find_spec("ensurepip")),
    "has_headers": os.path.exists(os.path.join(s.get_path("include"), "Python.h")),
    "has_tests": bool(u.find_spec("test")) and bool(u.find_spec("test.libregrtest"))
        and bool(u.find_spec("test.test_grammar")),
}))
"#;

#[derive(Clone, Debug, Deserialize)]
pub struct Interpreter {
    pub executable: PathBuf,
    pub version: String,
    minor: u32,
    implementation: String,
    pub debug: bool,
    pub optimised: bool,
    pub library_dir: Option<PathBuf>,
    has_venv: bool,
    has_headers: bool,
    has_tests: bool,
}

impl Interpreter {
    /// Asks the interpreter called `name`, and checks that it is one Columba can work in.
    pub fn find(name: &str) -> Result<Interpreter> {
        let interpreter = ask(name)?;
        if interpreter.implementation != "cpython" {
            return Err(Error::Usage(format!(
                "{name} is {}, and Columba works in CPython",
                interpreter.implementation
            )));
        }
        if interpreter.minor != 11 {
            return Err(Error::Usage(format!(
                "{name} is CPython {}, and Columba works in CPython 3.11",
                interpreter.version
            )));
        }
        Ok(interpreter)
    }

    /// A name for folders that belong to this interpreter: version, kind and a digest of where it lies.
    pub fn tag(&self) -> String {
        let kind = if self.debug { "-debug" } else { "" };
        format!("{}{kind}-{:08x}", self.version, digest(&self.executable.to_string_lossy()))
    }

    /// Makes sure that `venv`, the C headers and CPython's tests are there. Debian keeps them in packages of their own.
    pub fn complete(self) -> Result<Interpreter> {
        let mut packages = Vec::new();
        let debug = if self.debug { "-dbg" } else { "" };
        let series = format!("3.{}", self.minor);
        if !self.has_venv {
            packages.push(format!("python{series}-venv"));
        }
        if !self.has_headers {
            packages.push(if self.debug { format!("python{series}{debug}") } else { format!("python{series}-dev") });
        }
        if !self.has_tests {
            packages.push(format!("libpython{series}-testsuite"));
        }
        if packages.is_empty() {
            return Ok(self);
        }
        let distribution = self.executable.starts_with("/usr/bin") && Path::new("/usr/bin/apt-get").exists();
        if !distribution {
            return Err(Error::Usage(format!(
                "{} lacks {}; install them, or choose another interpreter with --python",
                self.executable.display(),
                [(!self.has_venv, "venv"), (!self.has_headers, "the C headers"), (!self.has_tests, "the test package")]
                    .iter()
                    .filter(|(missing, _)| *missing)
                    .map(|(_, what)| *what)
                    .collect::<Vec<_>>()
                    .join(" and ")
            )));
        }
        let names: Vec<&str> = packages.iter().map(String::as_str).collect();
        install_packages(&self.executable.display().to_string(), &names)?;
        ask(&self.executable.to_string_lossy())
    }
}

fn ask(name: &str) -> Result<Interpreter> {
    let outcome = process::run(Command::new(name).args(["-c", QUESTIONS]), Duration::from_secs(60))
        .map_err(|error| Error::Usage(format!("no interpreter {name}: {error}")))?;
    let text = outcome.success(&format!("{name} -c ..."))?;
    serde_json::from_str(&text).map_err(|error| Error::Protocol { what: name.to_string(), detail: error.to_string() })
}

/// Installs packages of the distribution, and says so.
pub fn install_packages(user: &str, packages: &[&str]) -> Result<()> {
    eprintln!("installing with apt-get, which {user} needs: {}", packages.join(" "));
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt_get(args: &[&str]) -> Result<()> {
    // SAFETY: `geteuid` takes nothing and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
    if !root {
        command.arg("apt-get");
    }
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    process::run(&mut command, Duration::from_secs(900))?.success("apt-get").map(drop)
}

/// FNV-1a, 32 bits: stable from build to build, which the standard library's hasher is not.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
