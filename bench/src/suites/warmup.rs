//! How a program gets faster: the time of iteration 1, 2, ... in fresh processes.
//!
//! An iteration is one call of a kernel, short enough that compilation falls between iterations, not all into the first. A
//! curve is the median over processes, iteration by iteration; rows say what a curve comes to.

use super::Settings;
use crate::{
    Error, Result,
    laboratory::{Laboratory, ask},
    report::{Curve, Kind, Row, Suite},
    root,
    sampling::{self, Progress, Sample, Samples, take_turns},
    stats::Summary,
    worker,
};
use serde::Deserialize;

const PROGRAMS: [&str; 6] = ["float_loop", "int_mask", "nbody", "spectral_norm", "scimark_lu", "bigint_overflow"];

#[derive(Debug, Deserialize)]
struct Iterations {
    seconds: Vec<f64>,
    result: String,
}

/// What a curve comes to: a name, and the seconds of it.
type Aspect = (&'static str, fn(&[f64]) -> f64);

const ASPECTS: [Aspect; 3] = [
    ("first iteration", |seconds| seconds.first().copied().unwrap_or(f64::NAN)),
    ("all iterations", |seconds| seconds.iter().sum()),
    ("last quarter, each", |seconds| {
        let last = &seconds[seconds.len() - seconds.len().div_ceil(4).min(seconds.len())..];
        Summary::of(last).map_or(f64::NAN, |summary| summary.median)
    }),
];

pub fn measure(laboratory: &dyn Laboratory, settings: &Settings) -> Result<Suite> {
    let programs: Vec<&str> = PROGRAMS.into_iter().filter(|name| settings.wanted(name)).collect();
    let progress = Progress::new("warmup", programs.len() * settings.processes.max(1) * settings.columns.len());
    let folder = root().join("tests/kernels").display().to_string();
    let (mut rows, mut curves) = (Vec::new(), Vec::new());
    for program in programs {
        let samples = take_turns(settings.processes, &settings.columns, &progress, program, |column| {
            let mut arguments = vec![folder.clone(), program.to_owned(), settings.iterations.to_string()];
            arguments.extend(column.arguments());
            ask::<Iterations>(laboratory, column, &worker("warmup_worker.py"), &arguments)
        });
        for (column, samples) in settings.columns.iter().zip(&samples) {
            curves.extend(samples.as_ref().ok().map(|samples| curve(program, column.name(), samples)));
        }
        for (way, aspect) in ASPECTS {
            let cells = sampling::cells(&settings.columns, &aspect_of(&samples, aspect), |_| None);
            progress.say(&sampling::line_of(program, way, &cells));
            rows.push(Row { program: program.into(), way: way.into(), unit: "ms".into(), cells });
        }
    }
    Ok(Suite {
        name: "warmup".into(),
        lead: format!(
            "Time of iterations 1 to {} of short programs in fresh processes: median over the processes, iteration by \
             iteration.",
            settings.iterations
        ),
        kind: Kind::Programs,
        rows,
        overall: Vec::new(),
        curves,
    })
}

fn aspect_of(samples: &Samples<Iterations>, aspect: fn(&[f64]) -> f64) -> Samples<Sample> {
    let sample = |process: &Iterations| Sample {
        seconds: aspect(&process.seconds),
        result: process.result.clone(),
        bytes: None,
        compile_time: None,
    };
    let of_column = |samples: &Result<Vec<Iterations>>| match samples {
        Ok(samples) => Ok(samples.iter().map(sample).collect()),
        Err(error) => Err(Error::Worker(error.to_string())),
    };
    samples.iter().map(of_column).collect()
}

fn curve(program: &str, column: &str, samples: &[Iterations]) -> Curve {
    let length = samples.iter().map(|process| process.seconds.len()).min().unwrap_or(0);
    let iterations = (0..length).filter_map(|at| {
        let values: Vec<f64> = samples.iter().map(|process| process.seconds[at] * 1e3).collect();
        Summary::of(&values)
    });
    Curve { program: program.into(), column: column.into(), iterations: iterations.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{column::Column, laboratory::canned::Canned};

    #[test]
    fn curves_and_what_they_come_to() {
        let settings = Settings {
            columns: vec![Column::Plain, Column::Columba("dynasm".into())],
            judged: vec![],
            processes: 3,
            names: vec!["nbody".into()],
            one_in: 1,
            iterations: 4,
        };
        let laboratory = Canned(|column: &Column, _: &[String]| {
            let last = if column.backends().is_some() { 0.001 } else { 0.004 };
            Ok(format!(r#"{{"seconds": [0.004, 0.003, 0.002, {last}], "result": "1"}}"#))
        });
        let suite = measure(&laboratory, &settings).unwrap();
        assert_eq!(suite.curves.len(), 2);
        let medians: Vec<f64> = suite.curves[1].iterations.iter().map(|summary| summary.median).collect();
        assert_eq!(medians, [4.0, 3.0, 2.0, 1.0]);
        let ratio = |row: usize| suite.rows[row].cell("dynasm").unwrap().ratio.unwrap();
        assert!((ratio(0) - 1.0).abs() < 1e-9 && (ratio(1) - 1.3).abs() < 1e-9 && (ratio(2) - 4.0).abs() < 1e-9);
    }
}
