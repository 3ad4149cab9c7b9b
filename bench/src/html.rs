//! A report as one HTML file that needs nothing else: no scripts, no fonts, no network; plots are inline SVG.
//!
//! Invariant: whatever comes from workers or the machine is escaped.

use crate::{
    Result, plot,
    report::Report,
    tables::{self, Table},
};
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:1180px;margin:2em auto;padding:0 1em}\
h1{font-size:1.7em}h2{margin-top:2.4em;border-bottom:1px solid #ddd}h3{font-size:1em;margin:1.8em 0 .4em}\
table{border-collapse:collapse;font-size:13px;display:block;overflow-x:auto}th{text-align:left;border-bottom:2px solid #999}\
td,th{padding:2px 12px 2px 0;white-space:nowrap}tr:nth-child(even) td{background:#f6f6f6}\
.number{text-align:right;font-variant-numeric:tabular-nums}.missed{color:#b00020;font-weight:600}\
figure{margin:1em 0}figcaption span{margin-right:1.6em}figcaption i{display:inline-block;width:12px;height:12px;margin-right:5px}\
svg{max-width:100%;height:auto}.lead{max-width:75ch}";

/// The whole page.
pub fn render(report: &Report) -> Result<String> {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Columba: benchmarks of {}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>Columba: benchmarks of {}</h1>\n",
        escape(&report.machine.date),
        escape(&report.machine.date)
    );
    page.push_str(
        "<p class=\"lead\">How fast Python programs run under Columba, by backend, next to the plain interpreter. A figure is the \
         median over several processes that took turns with those of the other columns; what stands in parentheses is the \
         range. Results were compared with the plain interpreter's.</p>\n",
    );
    for remark in &report.remarks {
        let _ = writeln!(page, "<p class=\"lead\">{}</p>", escape(remark));
    }
    page.push_str("<table>\n");
    for (name, value) in tables::facts(report) {
        let _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(&value));
    }
    page.push_str("</table>\n");
    for suite in &report.suites {
        let _ = writeln!(page, "<h2>{}</h2>\n<p class=\"lead\">{}</p>", escape(&suite.name), escape(&suite.lead));
        for plot in plot::of_suite(report, suite)? {
            let _ = writeln!(page, "<h3>{}</h3>\n<figure>\n<figcaption>", escape(&plot.title));
            for (name, colour) in &plot.legend {
                let _ = write!(page, "<span><i style=\"background:{colour}\"></i>{}</span>", escape(name));
            }
            let _ = writeln!(page, "</figcaption>\n{}</figure>", plot.svg);
        }
        for table in tables::of_suite(report, suite) {
            push_table(&mut page, &table);
        }
        let failures = suite
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().filter_map(move |cell| Some((row, cell, cell.failure.as_ref()?))));
        for (row, cell, failure) in failures {
            let what = format!("{} ({}, {}): {failure}", row.program, row.way, cell.column);
            let _ = writeln!(page, "<p class=\"missed\">{}</p>", escape(&what));
        }
    }
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

fn push_table(page: &mut String, table: &Table) {
    let _ = writeln!(page, "<h3>{}</h3>\n<table>", escape(&table.title));
    let header: String = table.header.iter().map(|cell| format!("<th>{}</th>", escape(cell))).collect();
    let _ = writeln!(page, "<tr>{header}</tr>");
    for row in &table.rows {
        page.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let class = match cell {
                cell if cell.contains("MISSED") || cell.starts_with("FAILED") => " class=\"missed\"",
                _ if at >= 2 => " class=\"number\"",
                _ => "",
            };
            let _ = write!(page, "<td{class}>{}</td>", escape(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_page_stands_by_itself() {
        let page = render(&samples::report()).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
        assert_eq!(page.matches("<svg").count(), 4);
        for outside in ["<script", "<link", "@import", "src=", "href="] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn what_is_written_is_escaped() {
        let page = render(&samples::report()).unwrap();
        assert!(page.contains("Some CPU &amp; more") && page.contains("wrong &lt;result&gt;"));
        assert!(!page.contains("wrong <result>"));
    }

    #[test]
    fn missed_bars_stand_out() {
        let page = render(&samples::report()).unwrap();
        assert!(page.contains("<td class=\"missed\">&lt;= 800 us MISSED</td>"));
    }
}
