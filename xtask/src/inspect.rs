//! `cargo xtask coverage` and `cargo xtask dump`: what the compiler makes of given code, without running it.

use crate::develop::Environment;
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::process;
use crate::{Common, driver, table};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The share of the standard library's code objects that must compile.
const COVERAGE_BAR: f64 = 0.995;

#[derive(Args)]
pub struct CoverageArgs {
    #[command(flatten)]
    common: Common,
    /// Walks this folder instead of the standard library.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Stops after this many files of each worker; for a quick look.
    #[arg(long, value_name = "N")]
    files: Option<usize>,
}

#[derive(Args)]
pub struct DumpArgs {
    #[command(flatten)]
    common: Common,
    /// A Python file.
    file: PathBuf,
    /// A function of it by its qualified name, such as `C.m` or `f.<locals>.g`; `<module>` is the module body.
    function: String,
}

#[derive(Default, Deserialize, Serialize)]
struct Coverage {
    files: u64,
    compiled: u64,
    refused: BTreeMap<String, u64>,
    /// An example per reason.
    examples: BTreeMap<String, String>,
    seconds: f64,
}

pub fn coverage(args: &CoverageArgs) -> Result<()> {
    let environment = Environment::prepare(&args.common)?;
    let workers = args.common.jobs.max(1);
    let parts = process::in_parallel(workers, (0..workers).collect(), |worker| {
        let mut command = environment.command(&Mode::PLAIN);
        command.arg(driver("coverage.py")).args(["--part", &format!("{worker}/{workers}")]);
        if let Some(folder) = &args.folder {
            command.arg("--folder").arg(folder);
        }
        if let Some(files) = args.files {
            command.args(["--files", &files.to_string()]);
        }
        if let Some(backend) = &args.common.backend {
            command.args(["--backend", backend]);
        }
        let text = process::run(&mut command, Duration::from_secs(3600))?.success("coverage")?;
        serde_json::from_str::<Coverage>(&text)
            .map_err(|error| Error::Protocol { what: "coverage".into(), detail: error.to_string() })
    });
    let mut total = Coverage::default();
    for part in parts {
        let part = part?;
        total.files += part.files;
        total.compiled += part.compiled;
        total.seconds += part.seconds;
        total.examples.extend(part.examples);
        for (reason, count) in part.refused {
            *total.refused.entry(reason).or_default() += count;
        }
    }
    let refused: u64 = total.refused.values().sum();
    let all = total.compiled + refused;
    let share = total.compiled as f64 / all.max(1) as f64;
    if args.common.json {
        println!("{}", serde_json::to_string_pretty(&total).expect("counts are plain data"));
    } else {
        let mut reasons: Vec<(&String, &u64)> = total.refused.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let rows: Vec<Vec<String>> = std::iter::once(vec!["compiled".into(), total.compiled.to_string()])
            .chain(reasons.iter().map(|(reason, count)| {
                let example = total.examples.get(*reason).map_or("", String::as_str);
                vec![format!("refused: {reason}"), count.to_string(), example.to_string()]
            }))
            .collect();
        print!("{}", table::render(&["outcome", "code objects", "for example"], &rows));
    }
    eprintln!(
        "{} of {all} code objects compiled ({:.2} %), {} files, {:.1} s of compiling",
        total.compiled,
        share * 100.0,
        total.files,
        total.seconds
    );
    match share >= COVERAGE_BAR {
        true => Ok(()),
        false => Err(Error::Missed(format!("less than {:.1} % compiled", COVERAGE_BAR * 100.0))),
    }
}

pub fn dump(args: &DumpArgs) -> Result<()> {
    let environment = Environment::prepare(&args.common)?;
    let mut command = environment.command(&Mode::PLAIN);
    command.arg(driver("dump.py")).arg(&args.file).arg(&args.function);
    if let Some(backend) = &args.common.backend {
        command.args(["--backend", backend]);
    }
    print!("{}", process::run(&mut command, Duration::from_secs(300))?.success("dump")?);
    Ok(())
}
