//! Programs of the pyperformance suite, unchanged: the yardstick of ordinary programs.
//!
//! pyperf's own runner throws results away; the worker has a stand-in for it that measures as pyperf measures programs under JITs:
//! each benchmark function in processes of its own, calls to warm up, then values. Two figures come of a process: *steady*, the
//! median of the values, and *first*, the time of the very first call.
//!
//! The bars say what one backend must reach, whichever that is, program by program; so they are judged for the best column of a
//! row. The default backend must not be far behind: it has a bar of its own, in shares of the best. What sums the programs up
//! (geometric means, the worst program) is judged the same way, of columns that have all the figures.

use super::Settings;
use crate::{
    Error, Result,
    column::Column,
    laboratory::{Laboratory, ask},
    report::{Bar, Cell, Kind, Row, Suite},
    sampling::{self, Progress, Sample, Samples, take_turns},
    stats::geometric_mean,
    worker,
};
use serde::Deserialize;

/// What the programs need.
pub const PACKAGES: [&str; 2] = ["pyperf==2.10.0", "pyperformance==1.14.0"];

/// A benchmark function.
#[derive(Clone, Copy)]
struct Program {
    /// What its rows are called.
    name: &'static str,
    /// The program of the suite, without `bm_`.
    module: &'static str,
    /// The function, where it is not called like the row.
    function: Option<&'static str>,
    /// What is one entry of the geometric means: functions of the same line count as one. `None`: not part of them.
    line: Option<&'static str>,
    /// How many times as fast as the interpreter, warmed up.
    bar: Option<f64>,
}

const fn program(name: &'static str, bar: f64) -> Program {
    Program { name, module: name, function: None, line: Some(name), bar: Some(bar) }
}

/// One of several programs in a module.
const fn part(module: &'static str, name: &'static str, bar: f64) -> Program {
    Program { name, module, function: None, line: Some(name), bar: Some(bar) }
}

/// One of several functions of a program, which have a bar each and count as one.
const fn share(module: &'static str, name: &'static str, bar: f64) -> Program {
    Program { name, module, function: None, line: Some(module), bar: Some(bar) }
}

/// Measured without a bar of its own.
const fn shown(module: &'static str, name: &'static str) -> Program {
    Program { name, module, function: None, line: None, bar: None }
}

const PROGRAMS: [Program; 38] = [
    program("nbody", 5.0),
    program("spectral_norm", 10.0),
    program("fannkuch", 2.5),
    program("float", 2.5),
    part("scimark", "scimark_sor", 8.0),
    part("scimark", "scimark_lu", 7.0),
    part("scimark", "scimark_fft", 7.0),
    part("scimark", "scimark_monte_carlo", 4.0),
    part("scimark", "scimark_sparse_mat_mult", 5.0),
    program("richards", 3.0),
    program("deltablue", 2.5),
    program("raytrace", 3.0),
    program("chaos", 4.0),
    program("go", 1.7),
    program("hexiom", 2.0),
    program("nqueens", 1.7),
    program("pyflate", 2.0),
    Program { function: Some("quadtree_nbody"), ..program("barnes_hut", 2.0) },
    program("meteor_contest", 1.2),
    program("mdp", 1.2),
    program("generators", 2.0),
    program("coroutines", 1.2),
    program("comprehensions", 1.7),
    program("unpack_sequence", 2.0),
    share("logging", "logging_format", 1.1),
    share("logging", "logging_silent", 1.1),
    share("logging", "logging_simple", 1.1),
    program("json_dumps", 1.1),
    share("deepcopy", "deepcopy", 1.1),
    share("deepcopy", "deepcopy_reduce", 1.1),
    share("deepcopy", "deepcopy_memo", 1.1),
    program("regex_compile", 1.2),
    program("telco", 1.0),
    program("pidigits", 1.0),
    shown("async_tree", "async_tree_none"),
    shown("async_tree", "async_tree_io"),
    shown("async_tree", "async_tree_memoization"),
    shown("async_tree", "async_tree_cpu_io_mixed"),
];

/// The ways of measuring.
const STEADY: &str = "steady";
const FIRST: &str = "first";

/// What the geometric means must reach.
const STEADY_MEAN_BAR: f64 = 2.3;
const FIRST_MEAN_BAR: f64 = 0.9;
/// What no program may fall below.
const WORST_BAR: f64 = 0.95;

/// The backend that is used when none is named, and what share of the best one's ratio it must have.
const DEFAULT: &str = "cranelift";
const DEFAULT_SHARE: f64 = 0.85;

/// The programs of the suite by name, each once.
pub fn modules() -> Vec<&'static str> {
    let mut modules: Vec<&str> = PROGRAMS.iter().map(|program| program.module).collect();
    modules.dedup();
    modules
}

/// One benchmark function in one process.
#[derive(Clone, Deserialize)]
struct Part {
    /// Of the very first call.
    first: f64,
    #[serde(flatten)]
    sample: Sample,
}

pub fn measure(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Suite> {
    let mut columns = Vec::new();
    for column in &settings.columns {
        if laboratory.install(column, &PACKAGES)? {
            columns.push(column.clone());
        }
    }
    let wanted = |program: &&Program| settings.wanted(program.name) || settings.wanted(program.module);
    let programs: Vec<Program> = PROGRAMS.iter().filter(wanted).copied().collect();
    if programs.is_empty() {
        return Err(Error::Usage(format!(
            "no program of pyperformance is called like {}",
            settings.names.join(" or ")
        )));
    }
    let progress = Progress::new("pyperformance", programs.len() * settings.processes.max(1) * columns.len());
    let mut rows = Vec::new();
    for program in &programs {
        let samples = take_turns(settings.processes, &columns, &progress, program.name, |column| {
            run(laboratory, column, program, settings.iterations)
        });
        for way in [STEADY, FIRST] {
            let mut measured = sampling::cells(&columns, &of_way(&samples, way), |_| None);
            if let (STEADY, Some(bar)) = (way, program.bar) {
                judge(&mut measured, &settings.columns, bar);
            }
            progress.say(&sampling::line_of(program.name, way, &measured));
            let cell = |name: &str| measured.iter().find(|cell| cell.column == name).cloned();
            let absent = |name: &str| Cell { column: name.into(), ..Cell::default() };
            let cells =
                settings.columns.iter().map(Column::name).map(|name| cell(name).unwrap_or_else(|| absent(name)));
            let cells = cells.collect();
            rows.push(Row { program: program.name.into(), way: way.into(), unit: "ms".into(), cells });
        }
    }
    // A bar of the whole suite says nothing about a part of it.
    let overall = overall(&programs, &rows, &settings.columns, programs.len() == PROGRAMS.len());
    Ok(Suite {
        name: "pyperformance".into(),
        lead: format!(
            "Programs of pyperformance 1.14.0, each benchmark function in processes of its own. Steady: calls to warm up, then \
             the median of {} values or so, as pyperf measures programs under JITs. First: the first call of the process, \
             compile time included. Bars are those of the best backend; {DEFAULT} must reach {:.0} % of it. Geometric means \
             are over the programs with bars, several functions of logging and deepcopy counted as one; the worst is the \
             worst of all steady figures.",
            settings.iterations,
            DEFAULT_SHARE * 100.0
        ),
        kind: Kind::Programs,
        rows,
        overall,
        curves: Vec::new(),
    })
}

fn run(laboratory: &dyn Laboratory, column: &Column, program: &Program, values: usize) -> Result<Part> {
    let function = program.function.unwrap_or(program.name);
    let mut arguments: Vec<String> =
        ["-", program.module, &values.to_string(), "--steady", function].map(str::to_owned).into();
    arguments.extend(column.arguments());
    let parts = ask::<Vec<Part>>(laboratory, column, &worker("pyperformance_worker.py"), &arguments)?;
    parts.into_iter().next().ok_or_else(|| Error::Worker(format!("{function} gave no result")))
}

fn of_way(samples: &Samples<Part>, way: &str) -> Samples<Sample> {
    let sample = |part: &Part| Sample {
        seconds: if way == FIRST { part.first } else { part.sample.seconds },
        ..part.sample.clone()
    };
    let of_column = |parts: &Result<Vec<Part>>| match parts {
        Ok(parts) => Ok(parts.iter().map(sample).collect()),
        Err(error) => Err(Error::Worker(error.to_string())),
    };
    samples.iter().map(of_column).collect()
}

/// Gives the best of Columba's cells the bar, and the default backend's, if that is another, its share of the best.
fn judge(cells: &mut [Cell], columns: &[Column], bar: f64) {
    let ours = |cell: &Cell| columns.iter().any(|column| column.backends() == Some(&cell.column));
    let reached = |cell: &Cell| cell.ratio.filter(|_| cell.failure.is_none() && ours(cell));
    let ratios = cells.iter().enumerate().filter_map(|(at, cell)| Some((at, reached(cell)?)));
    let Some((at, best)) = ratios.max_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    cells[at].bar = Some(Bar::at_least_times(bar, best));
    for (other, cell) in cells.iter_mut().enumerate() {
        if other != at && cell.column == DEFAULT {
            cell.bar = reached(cell).map(|ratio| Bar {
                text: format!(">= {:.0} % of the best", DEFAULT_SHARE * 100.0),
                met: ratio >= DEFAULT_SHARE * best,
            });
        }
    }
}

/// What sums up: geometric means, and the worst of the warmed-up programs. Not of columns that lack a figure.
fn overall(programs: &[Program], rows: &[Row], columns: &[Column], judged: bool) -> Vec<Row> {
    let ratio = |name: &str, way: &str, column: &Column| {
        let row = rows.iter().find(|row| row.program == name && row.way == way)?;
        row.cell(column.name()).filter(|cell| cell.failure.is_none())?.ratio
    };
    let mut lines: Vec<&str> = programs.iter().filter_map(|program| program.line).collect();
    lines.dedup();
    let mean = |way: &str, column: &Column| {
        let of_line = |line: &&str| {
            let functions = programs.iter().filter(|program| program.line == Some(line));
            geometric_mean(&functions.map(|program| ratio(program.name, way, column)).collect::<Option<Vec<f64>>>()?)
        };
        geometric_mean(&lines.iter().map(of_line).collect::<Option<Vec<f64>>>()?)
    };
    let worst = |column: &Column| {
        let ratios: Option<Vec<f64>> = programs.iter().map(|program| ratio(program.name, STEADY, column)).collect();
        ratios?.into_iter().min_by(f64::total_cmp)
    };
    let row = |program: &str, way: &str, bar: f64, value: &dyn Fn(&Column) -> Option<f64>| {
        let cell = |column: &Column| Cell { column: column.name().into(), ratio: value(column), ..Cell::default() };
        let mut cells: Vec<Cell> = columns.iter().map(cell).collect();
        if judged {
            judge(&mut cells, columns, bar);
        }
        Row { program: program.into(), way: way.into(), unit: "times".into(), cells }
    };
    vec![
        row("geometric mean", STEADY, STEADY_MEAN_BAR, &|column| mean(STEADY, column)),
        row("worst", STEADY, WORST_BAR, &worst),
        row("geometric mean", FIRST, FIRST_MEAN_BAR, &|column| mean(FIRST, column)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laboratory::canned::Canned;

    fn settings(names: &[&str]) -> Settings {
        Settings {
            columns: vec![
                Column::Plain,
                Column::Columba("cranelift".into()),
                Column::Columba("llvm".into()),
                Column::Pypy,
            ],
            judged: vec!["cranelift".into()],
            processes: 1,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            one_in: 1,
            iterations: 5,
        }
    }

    /// Answers of a worker that is so many times as fast as the interpreter: by column, steady and first.
    fn faster(times: impl Fn(&Column, &str) -> (f64, f64)) -> Canned<impl Fn(&Column, &[String]) -> Result<String>> {
        Canned(move |column: &Column, arguments: &[String]| {
            assert_eq!((arguments[0].as_str(), arguments[3].as_str()), ("-", "--steady"));
            assert_eq!(arguments[5..], column.arguments());
            let (steady, first) = if *column == Column::Plain { (1.0, 1.0) } else { times(column, &arguments[4]) };
            Ok(format!(
                r#"[{{"name": "{}", "result": "1", "seconds": {}, "first": {}}}]"#,
                arguments[4],
                1.0 / steady,
                1.0 / first
            ))
        })
    }

    fn by_column(cranelift: f64, llvm: f64) -> impl Fn(&Column, &str) -> (f64, f64) {
        move |column: &Column, _: &str| match column.backends() {
            Some("cranelift") => (cranelift, 0.95),
            Some(_) => (llvm, 0.5),
            // A JIT of another interpreter is no backend.
            None => (100.0, 100.0),
        }
    }

    fn bar<'a>(suite: &'a Suite, at: usize, column: &str) -> Option<&'a Bar> {
        suite.rows[at].cell(column).unwrap().bar.as_ref()
    }

    #[test]
    fn the_best_backend_is_judged_and_the_default_one_held_against_it() {
        let suite = measure(&faster(by_column(5.0, 6.0)), &settings(&["spectral_norm"])).unwrap();
        let ways: Vec<&str> = suite.rows.iter().map(|row| row.way.as_str()).collect();
        assert_eq!(ways, ["steady", "first"]);
        assert_eq!(bar(&suite, 0, "llvm"), Some(&Bar { text: ">= 10x".into(), met: false }));
        assert_eq!(bar(&suite, 0, "cranelift"), Some(&Bar { text: ">= 85 % of the best".into(), met: false }));
        assert_eq!((bar(&suite, 0, "interpreter"), bar(&suite, 0, "pypy")), (None, None));
        assert!(suite.rows[1].cells.iter().all(|cell| cell.bar.is_none()));
        assert_eq!(suite.missed(), ["spectral_norm (steady, cranelift)", "spectral_norm (steady, llvm)"]);
        let met = measure(&faster(by_column(9.0, 10.0)), &settings(&["spectral_norm"])).unwrap();
        assert!(met.missed().is_empty());
        // The default is the best: one bar.
        let default = measure(&faster(by_column(10.0, 2.0)), &settings(&["spectral_norm"])).unwrap();
        assert_eq!(bar(&default, 0, "cranelift"), Some(&Bar { text: ">= 10x".into(), met: true }));
        assert_eq!(bar(&default, 0, "llvm"), None);
    }

    #[test]
    fn a_column_that_fails_is_not_the_best() {
        let laboratory = Canned(|column: &Column, _: &[String]| {
            let (result, seconds) = if column.backends() == Some("llvm") { (2, 0.01) } else { (1, 0.2) };
            Ok(format!(r#"[{{"name": "nbody", "result": "{result}", "seconds": {seconds}, "first": 1}}]"#))
        });
        let suite = measure(&laboratory, &settings(&["nbody"])).unwrap();
        assert_eq!(bar(&suite, 0, "llvm"), None);
        assert!(bar(&suite, 0, "cranelift").is_some_and(|bar| !bar.met));
        assert!(suite.missed().contains(&"nbody (steady, llvm)".to_owned()));
        let mean = suite.overall[0].cell("llvm").unwrap();
        assert_eq!((mean.ratio, mean.failure.as_ref()), (None, None));
    }

    #[test]
    fn a_program_is_chosen_by_its_own_name_or_that_of_a_part() {
        let rows = |names: &[&str]| {
            let suite = measure(&faster(by_column(5.0, 5.0)), &settings(names)).unwrap();
            assert!(suite.overall.iter().flat_map(|row| &row.cells).all(|cell| cell.bar.is_none()));
            suite.rows.iter().step_by(2).map(|row| row.program.clone()).collect::<Vec<_>>()
        };
        assert_eq!(rows(&["logging"]), ["logging_format", "logging_silent", "logging_simple"]);
        assert_eq!(rows(&["scimark_lu", "barnes_hut"]), ["scimark_lu", "barnes_hut"]);
        let error = measure(&faster(by_column(5.0, 5.0)), &settings(&["nothing"])).unwrap_err().to_string();
        assert_eq!(error, "no program of pyperformance is called like nothing");
    }

    #[test]
    fn the_function_of_a_program_may_be_called_otherwise() {
        let laboratory = faster(|_, function| {
            assert_eq!(function, "quadtree_nbody");
            (2.0, 1.0)
        });
        let suite = measure(&laboratory, &settings(&["barnes_hut"])).unwrap();
        assert_eq!(suite.rows[0].program, "barnes_hut");
        assert!(suite.missed().is_empty());
    }

    #[test]
    fn functions_of_a_program_count_as_one_and_the_worst_is_of_all() {
        let times = |column: &Column, function: &str| match (column.backends(), function) {
            (Some("cranelift"), "async_tree_io") => (0.9, 1.0),
            (Some(_), function) if function.starts_with("deepcopy") => (8.0, 1.0),
            _ => (2.0, 1.0),
        };
        let suite = measure(&faster(times), &settings(&["deepcopy", "async_tree", "nqueens"])).unwrap();
        let ratio = |at: usize, column: &str| suite.overall[at].cell(column).unwrap().ratio.unwrap();
        let names: Vec<(&str, &str)> =
            suite.overall.iter().map(|row| (row.program.as_str(), row.way.as_str())).collect();
        assert_eq!(names, [("geometric mean", "steady"), ("worst", "steady"), ("geometric mean", "first")]);
        assert!((ratio(0, "cranelift") - 4.0).abs() < 1e-9 && (ratio(2, "cranelift") - 1.0).abs() < 1e-9);
        assert!((ratio(1, "cranelift") - 0.9).abs() < 1e-9 && (ratio(1, "llvm") - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_whole_suite_has_bars_of_its_own() {
        let times = |column: &Column, function: &str| match (column.backends(), function) {
            (_, "async_tree_none") => (0.9, 0.8),
            (Some("cranelift"), _) => (2.0, 0.8),
            _ => (3.0, 0.9),
        };
        let suite = measure(&faster(times), &settings(&[])).unwrap();
        assert_eq!(suite.rows.len(), 2 * PROGRAMS.len());
        let overall = |at: usize, column: &str| suite.overall[at].cell(column).unwrap().bar.clone().map(|bar| bar.met);
        assert_eq!((overall(0, "llvm"), overall(0, "cranelift")), (Some(true), Some(false)));
        assert_eq!((overall(2, "llvm"), overall(2, "cranelift")), (Some(true), Some(true)));
        let missed = suite.missed();
        assert!(missed.contains(&"geometric mean (steady, cranelift)".to_owned()), "{missed:?}");
        assert!(missed.iter().any(|name| name.starts_with("worst (steady")), "{missed:?}");
    }

    #[test]
    fn every_program_is_named_once() {
        let names: std::collections::BTreeSet<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        assert_eq!(names.len(), PROGRAMS.len());
        let modules = modules();
        assert_eq!(modules.iter().collect::<std::collections::BTreeSet<_>>().len(), modules.len());
        assert!(modules.contains(&"scimark") && modules.contains(&"barnes_hut") && !modules.contains(&"scimark_lu"));
    }
}
