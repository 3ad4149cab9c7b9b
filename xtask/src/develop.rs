//! A virtual environment with the extension in it.
//!
//! There is one environment per interpreter, backend set and profile, under `target/venvs`. The extension is built by maturin
//! into a wheel and the wheel is installed, so that what is tested is what a user would install: the start-up file which
//! `COLUMBA=1` needs is part of it. Cargo's build folder stays the workspace's own: dependencies are built once.

use crate::error::{Error, Result};
use crate::interpreter::Interpreter;
use crate::mode::Mode;
use crate::{Common, backends, process, root, target_dir};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const MATURIN: &str = "maturin==1.16.0";

/// How the extension is built: the names of Cargo's profiles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Soon: what is tested.
    Release,
    /// As `pip install` builds it, which takes minutes longer: what is measured.
    Dist,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Dist => "dist",
        }
    }
}

/// An interpreter with Columba installed.
pub struct Environment {
    pub interpreter: Interpreter,
    pub dir: PathBuf,
    pub backend: Option<String>,
    pub profile: Profile,
}

pub fn command(common: &Common) -> Result<()> {
    let environment = Environment::prepare(common)?;
    println!("{}", environment.python().display());
    Ok(())
}

impl Environment {
    /// Creates the environment if need be, builds the extension and installs it.
    pub fn prepare(common: &Common) -> Result<Environment> {
        Environment::with_extension(common, Profile::Release)
    }

    /// The same, to be measured.
    pub fn prepare_for_measuring(common: &Common) -> Result<Environment> {
        Environment::with_extension(common, Profile::Dist)
    }

    fn with_extension(common: &Common, profile: Profile) -> Result<Environment> {
        let environment = Environment::create(common, profile)?;
        environment.install_extension()?;
        Ok(environment)
    }

    /// The environment as it is; enough for commands that only run the plain interpreter.
    pub fn without_extension(common: &Common) -> Result<Environment> {
        Environment::create(common, Profile::Release)
    }

    fn create(common: &Common, profile: Profile) -> Result<Environment> {
        let _alone = alone()?;
        let interpreter = Interpreter::find(&common.python)?.complete()?;
        let backends = backends::wanted(common.backend.as_deref()).join("-");
        let suffix = if profile == Profile::Dist { "-dist" } else { "" };
        let dir = target_dir().join("venvs").join(format!("{}-{backends}{suffix}", interpreter.tag()));
        let environment = Environment { interpreter, dir, backend: common.backend.clone(), profile };
        if !environment.dir.join("complete").exists() {
            eprintln!("creating {}", environment.dir.display());
            let mut command = Command::new(&environment.interpreter.executable);
            command.args(["-m", "venv", "--clear"]).arg(&environment.dir);
            Mode::PLAIN.apply(&mut command, None);
            process::run(&mut command, Duration::from_secs(300))?.success("python -m venv")?;
            let marker = environment.dir.join("complete");
            fs::write(&marker, "").map_err(Error::io(&marker))?;
        }
        Ok(environment)
    }

    /// The interpreter of the environment.
    pub fn python(&self) -> PathBuf {
        self.dir.join("bin/python")
    }

    /// The interpreter, to be run in `mode`.
    pub fn command(&self, mode: &Mode) -> Command {
        let mut command = Command::new(self.python());
        mode.apply(&mut command, self.backend.as_deref());
        command
    }

    /// Installs packages (`name==version`) unless just these are installed already.
    pub fn install(&self, packages: &[&str]) -> Result<()> {
        self.install_with(packages, &[])
    }

    /// Like [`Environment::install`], with options for pip.
    pub fn install_with(&self, packages: &[&str], options: &[&str]) -> Result<()> {
        let missing: Vec<&str> = packages.iter().copied().filter(|package| !self.marker(package).exists()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        eprintln!("installing {}", missing.join(" "));
        self.pip(&["install", "--quiet"], options, &missing)?;
        for package in missing {
            let marker = self.marker(package);
            fs::write(&marker, "").map_err(Error::io(&marker))?;
        }
        Ok(())
    }

    /// Where packages lie that other interpreters than this one are to use.
    pub fn packages_for_others(&self) -> PathBuf {
        self.dir.join("packages-for-others")
    }

    /// Puts packages there, without what they depend on, and whatever Python they say they need.
    pub fn install_for_others(&self, packages: &[&str]) -> Result<()> {
        let dir = self.packages_for_others();
        let marker = dir.join(packages.join("-"));
        if marker.exists() {
            return Ok(());
        }
        let target = dir.to_string_lossy().into_owned();
        let options = ["--no-deps", "--ignore-requires-python", "--upgrade", "--target", &target];
        self.pip(&["install", "--quiet"], &options, packages)?;
        fs::write(&marker, "").map_err(Error::io(&marker))
    }

    fn marker(&self, package: &str) -> PathBuf {
        self.dir.join(format!("installed-{package}"))
    }

    fn pip(&self, verb: &[&str], options: &[&str], packages: &[&str]) -> Result<()> {
        let mut command = self.command(&Mode::PLAIN);
        command.args(["-m", "pip", "--disable-pip-version-check"]).args(verb).args(options).args(packages);
        process::run(&mut command, Duration::from_secs(900))?.success("pip").map(drop)
    }

    fn install_extension(&self) -> Result<()> {
        self.install(&[MATURIN])?;
        let _alone = alone()?;
        let wheels = self.dir.join("wheel");
        if wheels.exists() {
            fs::remove_dir_all(&wheels).map_err(Error::io(&wheels))?;
        }
        let backends = backends::wanted(self.backend.as_deref());
        backends::provide(&backends)?;
        let mut command = Command::new(self.dir.join("bin/maturin"));
        Mode::PLAIN.apply(&mut command, None);
        command
            .args(["build", "--quiet", "--profile", self.profile.name(), "--compatibility", "linux"])
            .args(["--no-default-features", "--features"])
            .arg(format!("{},allocator", backends.join(",")))
            .arg("--manifest-path")
            .arg(root().join("cpython-hook/Cargo.toml"))
            .arg("--interpreter")
            .arg(self.python())
            .arg("--out")
            .arg(&wheels)
            .env("CARGO_TARGET_DIR", target_dir())
            .env("VIRTUAL_ENV", &self.dir)
            .stdout(std::io::stderr());
        process::run_visible(&mut command, "maturin build")?;
        let wheel = only_wheel(&wheels)?;
        let installed = self.dir.join("installed.whl");
        let (new, old) = (fs::read(&wheel).map_err(Error::io(&wheel))?, fs::read(&installed).unwrap_or_default());
        if new == old {
            return Ok(());
        }
        let path = wheel.to_string_lossy().into_owned();
        self.pip(&["install", "--quiet", "--force-reinstall", "--no-deps"], &[], &[&path])?;
        fs::write(&installed, new).map_err(Error::io(&installed))
    }
}

/// Waits until no other xtask works on environments; maturin, too, keeps files where a second one would look.
fn alone() -> Result<File> {
    let path = target_dir().join("venvs/lock");
    fs::create_dir_all(target_dir().join("venvs")).map_err(Error::io(&path))?;
    let file = File::create(&path).map_err(Error::io(&path))?;
    file.lock().map_err(Error::io(&path))?;
    Ok(file)
}

fn only_wheel(dir: &Path) -> Result<PathBuf> {
    let mut wheels = fs::read_dir(dir).map_err(Error::io(dir))?.filter_map(|entry| Some(entry.ok()?.path()));
    wheels
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| Error::Protocol { what: "maturin build".into(), detail: "no wheel".into() })
}
