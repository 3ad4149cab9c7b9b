//! Tables of a report, as rows of text.
//!
//! A suite of programs has one line per program, with the median, the range over processes and the ratio to the plain
//! interpreter in each column; a suite of distributions has one line per column. Numbers have three significant digits: the
//! spread forbids more.

use crate::{
    column::Column,
    report::{Cell, Kind, Report, Row, Suite},
    stats::{Summary, geometric_mean},
};

/// A table and what is said above it.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub title: String,
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// All tables of a suite.
pub fn of_suite(report: &Report, suite: &Suite) -> Vec<Table> {
    let mut tables = vec![match suite.kind {
        Kind::Programs => programs(report, suite),
        Kind::Distributions => distributions(suite),
    }];
    tables.extend(code_of_programs(report, suite));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// What a reader must know of machine and interpreter: names and values.
pub fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let (machine, interpreter) = (&report.machine, &report.interpreter);
    let mut facts = vec![
        ("CPU", machine.cpu.clone()),
        ("Cores", machine.cores.to_string()),
        ("Memory", format!("{:.0} GiB", machine.memory_gib)),
        ("Operating system", format!("{}, Linux {}", machine.os, machine.kernel)),
        ("Load when measuring began", format!("{:.1}", machine.load)),
        (
            "Interpreter",
            format!(
                "{}, {}, {}",
                interpreter.version,
                interpreter.compiler,
                if interpreter.optimised {
                    "optimised build"
                } else {
                    "no profile-guided optimisation in its build flags"
                }
            ),
        ),
    ];
    if let Some(pypy) = &interpreter.pypy {
        facts.push(("PyPy", pypy.clone()));
    }
    facts.push(("Processes per figure", report.processes.to_string()));
    facts.push(("Date", machine.date.clone()));
    facts
}

fn programs(report: &Report, suite: &Suite) -> Table {
    let mut header = vec!["program".to_owned(), "way".to_owned()];
    header.extend(report.columns.iter().map(|column| column.name().to_owned()));
    let any_bar = suite.rows.iter().chain(&suite.overall).flat_map(|row| &row.cells).any(|cell| cell.bar.is_some());
    if any_bar {
        header.push("bar".to_owned());
    }
    let mut rows: Vec<Vec<String>> = suite
        .rows
        .iter()
        .chain(&suite.overall)
        .map(|row| {
            let mut line = vec![row.program.clone(), row.way.clone()];
            line.extend(
                report.columns.iter().map(|column| row.cell(column.name()).map_or_else(dash, |cell| time(cell, row))),
            );
            if any_bar {
                line.push(verdict(row));
            }
            line
        })
        .collect();
    if suite.overall.is_empty() {
        rows.extend(means(report, suite));
    }
    Table {
        title: format!(
            "{}: median, range over processes, times as fast as the interpreter; the same of the fastest processes",
            suite.name
        ),
        header,
        rows,
    }
}

/// Geometric means of the ratios, a line for each way of measuring that has more than one program.
fn means(report: &Report, suite: &Suite) -> Vec<Vec<String>> {
    let mut ways: Vec<&str> = Vec::new();
    for row in &suite.rows {
        if !ways.contains(&row.way.as_str()) {
            ways.push(&row.way);
        }
    }
    let of_way = |way: &&str| suite.rows.iter().filter(|row| row.way == **way).count() > 1;
    let mean = |way: &str, column: &Column| {
        let cells = suite.rows.iter().filter(|row| row.way == way).filter_map(|row| row.cell(column.name()));
        let ratios: Vec<f64> = cells.filter(|cell| cell.failure.is_none()).filter_map(|cell| cell.ratio).collect();
        geometric_mean(&ratios).map_or_else(dash, |mean| format!("{mean:.2}x"))
    };
    ways.iter()
        .filter(|way| of_way(way))
        .map(|way| {
            let mut line = vec!["geometric mean".to_owned(), (*way).to_owned()];
            line.extend(report.columns.iter().map(|column| mean(way, column)));
            line
        })
        .collect()
}

fn distributions(suite: &Suite) -> Table {
    let header = ["over", "what", "column", "median", "quartiles", "90 %", "largest", "total", "bar"];
    let lines = suite.rows.iter().flat_map(|row| {
        row.cells.iter().filter(|cell| cell.figure.is_some() || cell.failure.is_some()).map(|cell| {
            let mut line = vec![row.program.clone(), row.way.clone(), cell.column.clone()];
            match (&cell.failure, cell.figure) {
                (Some(failure), _) => line.extend([format!("FAILED: {failure}"), dash(), dash(), dash(), dash()]),
                (None, Some(figure)) => line.extend([
                    with_unit(figure.median, &row.unit),
                    format!("{}-{}", number(figure.lower), number(figure.upper)),
                    number(figure.p90),
                    number(figure.max),
                    total(&figure, &row.unit),
                ]),
                (None, None) => {}
            }
            line.push(
                cell.bar
                    .as_ref()
                    .map_or_else(dash, |bar| format!("{} {}", bar.text, if bar.met { "ok" } else { "MISSED" })),
            );
            line
        })
    });
    Table {
        title: format!("{}: distributions", suite.name),
        header: header.map(str::to_owned).to_vec(),
        rows: lines.collect(),
    }
}

/// Size and compile time of the programs, where they are known.
fn code_of_programs(report: &Report, suite: &Suite) -> Option<Table> {
    if suite.kind != Kind::Programs {
        return None;
    }
    let columns: Vec<&str> =
        report.columns.iter().filter(|column| column.backends().is_some()).map(Column::name).collect();
    let known = |row: &&Row| row.cells.iter().any(|cell| cell.compile_ms.is_some());
    let rows = suite.rows.iter().filter(known).map(|row| {
        let mut line = vec![row.program.clone(), row.way.clone()];
        line.extend(columns.iter().map(|column| {
            let cell = row.cell(column);
            match cell.and_then(|cell| cell.bytes.zip(cell.compile_ms)) {
                Some((bytes, compile)) => format!("{} ms, {bytes:.0} bytes", number(compile)),
                None => dash(),
            }
        }));
        line
    });
    let mut header = vec!["program".to_owned(), "way".to_owned()];
    header.extend(columns.iter().map(|name| (*name).to_owned()));
    Some(Table { title: format!("{}: compile time and machine code", suite.name), header, rows: rows.collect() })
}

fn time(cell: &Cell, row: &Row) -> String {
    match (&cell.failure, cell.figure) {
        (Some(_), _) => "FAILED".into(),
        (None, None) => cell.ratio.map_or_else(dash, |ratio| format!("{ratio:.2}x")),
        (None, Some(figure)) => {
            let median = with_unit(figure.median, &row.unit);
            let spread = format!("{median} ({}-{})", number(figure.min), number(figure.max));
            match cell.ratio.filter(|_| cell.column != Column::Plain.name()) {
                Some(ratio) => format!("{spread} {ratio:.2}x{}", best(row, &figure)),
                None => spread,
            }
        }
    }
}

/// Disturbances only ever add: the fastest of several processes are what the least disturbed machine gave.
fn best(row: &Row, figure: &Summary) -> String {
    let plain = row.cell(Column::Plain.name()).and_then(|cell| cell.figure);
    let several = plain.filter(|plain| plain.count > 1 && figure.count > 1);
    several.map_or_else(String::new, |plain| format!(", best {:.2}x", plain.min / figure.min))
}

/// The bars of a row, and who missed them. The column is named where not all that have a bar have the same.
fn verdict(row: &Row) -> String {
    let mut bars: Vec<(&str, Vec<&Cell>)> = Vec::new();
    for cell in &row.cells {
        let Some(bar) = &cell.bar else { continue };
        match bars.iter_mut().find(|(text, _)| *text == bar.text) {
            Some((_, cells)) => cells.push(cell),
            None => bars.push((&bar.text, vec![cell])),
        }
    }
    // Those that have no bar can fail nevertheless.
    let Some((_, first)) = bars.first_mut() else { return dash() };
    first.extend(row.cells.iter().filter(|cell| cell.bar.is_none() && !cell.met()));
    let several = bars.len() > 1;
    let verdicts = bars.iter().map(|(text, cells)| {
        let missed: Vec<&str> = cells.iter().filter(|cell| !cell.met()).map(|cell| cell.column.as_str()).collect();
        let judged: Vec<&str> =
            cells.iter().filter(|cell| cell.bar.is_some()).map(|cell| cell.column.as_str()).collect();
        match missed.is_empty() {
            true if several => format!("{}: {text} ok", judged.join(" and ")),
            true => format!("{text} ok"),
            false => format!("{text} MISSED by {}", missed.join(" and ")),
        }
    });
    verdicts.collect::<Vec<_>>().join("; ")
}

fn total(figure: &Summary, unit: &str) -> String {
    match unit {
        "us" => format!("{} ms", number(figure.total / 1e3)),
        "bytes" => format!("{} KiB", number(figure.total / 1024.0)),
        // A sum of averages says nothing.
        _ => dash(),
    }
}

fn dash() -> String {
    "-".to_owned()
}

fn with_unit(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value))
}

/// A number with about three significant digits.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size => (2 - size.log10().floor() as i32).clamp(3, 9) as usize,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Bar, samples};

    #[test]
    fn programs_have_a_line_each() {
        let report = samples::report();
        let tables = of_suite(&report, &report.suites[0]);
        assert_eq!(tables[0].header, ["program", "way", "interpreter", "cranelift", "bar"]);
        assert_eq!(
            tables[0].rows[0],
            ["float_loop", "repeated", "120 ms (108-150)", "10.0 ms (9.00-12.5) 12.00x, best 12.00x", ">= 8x ok"]
        );
        assert_eq!(tables[0].rows[1], ["broken", "repeated", "120 ms (108-150)", "FAILED", "-"]);
        assert_eq!(tables[0].rows[2], ["geometric mean", "repeated", "1.00x", "12.00x"]);
        assert_eq!(tables[1].rows, [["float_loop", "repeated", "1.50 ms, 2048 bytes"]]);
    }

    #[test]
    fn what_a_suite_sums_up_itself_is_shown_instead_of_means() {
        let mut report = samples::report();
        let cell = |column: &str, ratio: f64, bar: Option<Bar>| Cell {
            column: column.into(),
            ratio: Some(ratio),
            bar,
            ..Cell::default()
        };
        report.suites[0].overall = vec![Row {
            program: "worst".into(),
            way: "repeated".into(),
            unit: "times".into(),
            cells: vec![cell("interpreter", 1.0, None), cell("cranelift", 0.5, Some(Bar::at_least_times(0.95, 0.5)))],
        }];
        let table = of_suite(&report, &report.suites[0]).remove(0);
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.rows[2], ["worst", "repeated", "1.00x", "0.50x", ">= 0.95x MISSED by cranelift"]);
        assert!(report.missed().contains(&"worst (repeated, cranelift)".to_owned()));
    }

    #[test]
    fn different_bars_of_a_row_are_all_shown() {
        let cell = |column: &str, text: &str, met: bool| Cell {
            column: column.into(),
            bar: Some(Bar { text: text.into(), met }),
            ..Cell::default()
        };
        let row = |cells: Vec<Cell>| Row { program: "p".into(), way: "repeated".into(), unit: "ms".into(), cells };
        let same = row(vec![cell("cranelift", ">= 8x", true), cell("llvm", ">= 8x", false)]);
        assert_eq!(verdict(&same), ">= 8x MISSED by llvm");
        let both = |met| row(vec![cell("cranelift", ">= 8x", true), cell("dynasm", "<= 1.6x", met)]);
        assert_eq!(verdict(&both(true)), "cranelift: >= 8x ok; dynasm: <= 1.6x ok");
        assert_eq!(verdict(&both(false)), "cranelift: >= 8x ok; <= 1.6x MISSED by dynasm");
    }

    #[test]
    fn distributions_have_a_line_per_column_that_takes_part() {
        let report = samples::report();
        let tables = of_suite(&report, &report.suites[1]);
        assert_eq!(tables.len(), 1);
        assert_eq!(
            tables[0].rows[2],
            ["five lines", "total", "cranelift", "900 us", "855-1012", "1080", "1125", "2.83 ms", "<= 800 us MISSED"]
        );
    }

    #[test]
    fn a_suite_without_rows_has_no_table() {
        let report = samples::report();
        assert!(of_suite(&report, &report.suites[2]).is_empty());
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(
            [1234.4, 99.96, 5.0, 0.1234, 0.01726, 0.0].map(number),
            ["1234", "100.0", "5.00", "0.123", "0.0173", "0"]
        );
    }
}
