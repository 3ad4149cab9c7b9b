//! Writes `layout.rs`: the offsets, sizes and constants of CPython's structs as Rust constants.
//!
//! The C file is compiled to *assembly* with the headers of the interpreter that PyO3 builds for; the constants
//! stand in that text (see `src/layout_3_11.c`), so nothing has to be linked or run and cross-compiling works.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf, process::Command};

fn main() {
    let config = pyo3_build_config::get();
    pyo3_build_config::use_pyo3_cfgs();
    // The tests embed the interpreter and must find its shared library.
    pyo3_build_config::add_libpython_rpath_link_args();
    let version = config.target_abi().version();
    assert!(
        (version.major, version.minor) == (3, 11),
        "Columba supports CPython 3.11; set PYO3_PYTHON to a 3.11 interpreter (found {version})"
    );
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/layout_3_11.c");
    println!("cargo:rerun-if-env-changed=COLUMBA_PYTHON_INCLUDE");

    let include = include_directory(config.executable());
    println!("cargo:rerun-if-changed={}", include.join("patchlevel.h").display());
    let assembly = compile_to_assembly(&include);
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    fs::write(out.join("layout.rs"), constants(&assembly)).unwrap();
}

/// The include directory of the target interpreter: asked of it, or given by `COLUMBA_PYTHON_INCLUDE`.
fn include_directory(executable: Option<&str>) -> PathBuf {
    if let Some(directory) = env::var_os("COLUMBA_PYTHON_INCLUDE") {
        return directory.into();
    }
    let executable = executable.unwrap_or("python3");
    let output = Command::new(executable)
        .args(["-c", "import sysconfig; print(sysconfig.get_paths()['include'])"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run {executable}: {error}"));
    let directory = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    assert!(
        directory.join("internal/pycore_frame.h").exists(),
        "CPython's headers are not in {}: install them (Debian: python3.11-dev)",
        directory.display()
    );
    directory
}

fn compile_to_assembly(include: &std::path::Path) -> String {
    let compiler = cc::Build::new().opt_level(1).warnings(false).cargo_metadata(false).get_compiler();
    let assembly = PathBuf::from(env::var_os("OUT_DIR").unwrap()).join("layout.s");
    let status = compiler
        .to_command()
        .args(["-S", "-w", "-g0", "-fno-lto", "src/layout_3_11.c", "-o"])
        .arg(&assembly)
        .arg("-I")
        .arg(include)
        .arg("-I")
        .arg(include.join("internal"))
        .status()
        .expect("cannot run the C compiler");
    assert!(status.success(), "the C compiler refused src/layout_3_11.c");
    fs::read_to_string(assembly).unwrap()
}

fn constants(assembly: &str) -> String {
    let mut modules: BTreeMap<&str, Vec<(&str, &str, &str)>> = BTreeMap::new();
    for line in assembly.lines() {
        let Some((_, fact)) = line.split_once(".ascii \"->") else {
            continue;
        };
        let words: Vec<&str> = fact.trim_end_matches('"').split(' ').collect();
        let [kind, module, name, value] = words[..] else { panic!("cannot read {line:?}") };
        modules.entry(module).or_default().push((kind, name, value));
    }
    assert!(modules.contains_key("frame"), "no constants in the C compiler's output");
    let mut text = String::new();
    for (module, facts) in modules {
        writeln!(text, "pub mod r#{module} {{").unwrap();
        for (kind, name, value) in facts {
            let ty = if kind == "value" { "i64" } else { "usize" };
            writeln!(text, "    pub const {name}: {ty} = {value};").unwrap();
        }
        writeln!(text, "}}").unwrap();
    }
    text
}
