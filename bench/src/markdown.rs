//! A report as a Markdown document, for `docs/benchmarks`.
//!
//! Tables are those of the terminal. Invariant: text of workers (failures, names) cannot break a table: bars are escaped.

use crate::{report::Report, tables};
use std::fmt::Write;

/// The whole document.
pub fn render(report: &Report, title: &str) -> String {
    let mut text = format!("# {title}\n\n");
    for remark in &report.remarks {
        let _ = writeln!(text, "{remark}\n");
    }
    text.push_str("| | |\n|---|---|\n");
    for (name, value) in tables::facts(report) {
        let _ = writeln!(text, "| {name} | {} |", escape(&value));
    }
    for suite in &report.suites {
        let _ = writeln!(text, "\n## {}\n\n{}", suite.name, suite.lead);
        for table in tables::of_suite(report, suite) {
            let _ = writeln!(text, "\n**{}**\n", escape(&table.title));
            line(&mut text, &table.header);
            let rules: Vec<String> =
                (0..table.header.len()).map(|at| if at < 2 { "---" } else { "---:" }.into()).collect();
            line(&mut text, &rules);
            for row in &table.rows {
                line(&mut text, row);
            }
        }
        let missed = suite.missed();
        if !missed.is_empty() {
            let _ = writeln!(text, "\nBars missed: {}.", escape(&missed.join(", ")));
        }
    }
    text
}

fn line(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn machine_suites_and_missed_bars_are_there() {
        let text = render(&samples::report(), "A run");
        assert!(text.starts_with("# A run\n\nOther load was present.\n"), "{text}");
        assert!(text.contains("| CPU | Some CPU & more |"));
        assert!(text.contains(
            "| float_loop | repeated | 120 ms (108-150) | 10.0 ms (9.00-12.5) 12.00x, best 12.00x | >= 8x ok |"
        ));
        assert!(text.contains("Bars missed: five lines (total, cranelift)."));
    }

    #[test]
    fn cells_cannot_break_a_table() {
        assert_eq!(escape("a|b\nc"), "a\\|b c");
    }
}
