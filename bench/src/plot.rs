//! Plots as SVG text, drawn with `plotters`.
//!
//! Three kinds: bars per program (how many times as fast as the plain interpreter, with the range over processes),
//! warm-up curves, and compile time against run time. Axes of times and ratios are logarithmic: twice as fast is the same
//! distance everywhere. A column has the same colour in every plot. Invariant: only what was measured is drawn; a plot of
//! nothing is not made.

use crate::{
    Error, Result,
    column::Column,
    report::{Cell, Curve, Kind, Report, Row, Suite},
};
use plotters::coord::ranged1d::{NoDefaultFormatting, Ranged, ReversibleRanged, ValueFormatter};
use plotters::prelude::*;

const WIDTH: u32 = 920;
/// Font and size of what stands at axes; `plotters` takes the size as that of a line.
const LABELS: (&str, u32) = ("sans-serif", 16);
/// Distinguishable by the colour-blind as well (Okabe and Ito); the first is the plain interpreter's.
const COLOURS: [RGBColor; 7] = [
    RGBColor(110, 110, 110),
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
];

/// A plot and what is said above it.
pub struct Plot {
    pub title: String,
    pub svg: String,
    /// What is drawn, and its colour as in CSS.
    pub legend: Vec<(String, String)>,
}

/// Every plot of a suite.
pub fn of_suite(report: &Report, suite: &Suite) -> Result<Vec<Plot>> {
    let mut plots = Vec::new();
    if suite.kind == Kind::Programs {
        let mut ways: Vec<&str> = suite.rows.iter().map(|row| row.way.as_str()).collect();
        ways.dedup();
        let mut seen: Vec<&str> = Vec::new();
        for way in ways {
            if !seen.contains(&way) {
                seen.push(way);
                plots.extend(bars(report, suite, way)?);
            }
        }
        plots.extend(compile_against_run(report, suite)?);
    } else {
        plots.extend(stages(report, suite)?);
    }
    let mut programs: Vec<&str> = suite.curves.iter().map(|curve| curve.program.as_str()).collect();
    programs.dedup();
    for program in programs {
        plots.extend(warm_up(report, suite, program)?);
    }
    Ok(plots)
}

fn colour(report: &Report, column: &str) -> RGBColor {
    let at = report.columns.iter().position(|other| other.name() == column).unwrap_or(0);
    COLOURS[at % COLOURS.len()]
}

/// What stands beside a plot: one colour for each column.
fn legend<'a>(report: &Report, columns: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    columns.map(|column| (column.to_owned(), css(colour(report, column)))).collect()
}

/// Stages are no columns, and begin after the plain interpreter's colour.
fn stage_colour(place: usize) -> RGBColor {
    COLOURS[(place + 1) % COLOURS.len()]
}

fn css(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

fn broken<E: std::fmt::Display>(plot: &str) -> impl Fn(E) -> Error {
    move |error| Error::Plot { plot: plot.to_owned(), detail: error.to_string() }
}

/// The smallest and largest of positive numbers, with some room.
fn range(values: impl Iterator<Item = f64>) -> Option<std::ops::Range<f64>> {
    let positive = values.filter(|value| *value > 0.0 && value.is_finite());
    let (low, high) = positive.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    (high > 0.0).then(|| low / 1.15..high * 1.15)
}

/// Horizontal bars: a group per program, a bar per column that is not the plain interpreter.
fn bars(report: &Report, suite: &Suite, way: &str) -> Result<Option<Plot>> {
    let title = format!("{}, {way}: times as fast as the interpreter", suite.name);
    let columns: Vec<&str> =
        report.columns.iter().filter(|column| **column != Column::Plain).map(Column::name).collect();
    let ratio = |cell: &Cell| cell.ratio.filter(|_| cell.failure.is_none());
    let rows: Vec<&Row> = suite
        .rows
        .iter()
        .filter(|row| {
            row.way == way && row.cells.iter().any(|c| c.column != Column::Plain.name() && ratio(c).is_some())
        })
        .collect();
    // The ratio of the slowest and of the fastest process.
    let ends = |row: &Row, cell: &Cell| {
        let plain = row.cell(Column::Plain.name())?.figure?.median;
        Some((plain / cell.figure?.max, plain / cell.figure?.min))
    };
    let all = rows.iter().flat_map(|row| {
        row.cells.iter().filter(|cell| ratio(cell).is_some()).flat_map(|cell| {
            let (low, high) = ends(row, cell).unwrap_or((1.0, 1.0));
            [1.0, low, high]
        })
    });
    let Some(extent) = range(all) else { return Ok(None) };
    let group = 1.0 / (columns.len() as f64 + 0.8);
    let height = 110 + rows.len() as u32 * (14 * columns.len() as u32 + 12);
    let mut svg = String::new();
    {
        let failed = broken(&title);
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let names: Vec<String> = rows.iter().map(|row| row.program.clone()).collect();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .set_label_area_size(LabelAreaPosition::Left, 130)
            .set_label_area_size(LabelAreaPosition::Bottom, 40)
            .build_cartesian_2d(extent.clone().log_scale(), Groups { count: rows.len(), names })
            .map_err(|error| broken::<_>(&title)(error))?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_desc("times as fast as the interpreter (logarithmic)")
            .x_label_formatter(&|value| crate::tables::number(*value))
            .y_labels(rows.len().max(1))
            .light_line_style(TRANSPARENT)
            .label_style(LABELS)
            .axis_desc_style(LABELS)
            .draw()
            .map_err(|error| failed(error.to_string()))?;
        for (place, column) in columns.iter().enumerate() {
            let colour = colour(report, column);
            let bars = rows.iter().enumerate().filter_map(|(at, row)| {
                let cell = row.cell(column)?;
                let top = at as f64 + (0.4 + place as f64) * group;
                Some((cell, ratio(cell)?, ends(row, cell)?, top))
            });
            let bars: Vec<_> = bars.collect();
            chart
                .draw_series(bars.iter().map(|(_, ratio, _, top)| {
                    Rectangle::new([(1.0, *top), (*ratio, top + group * 0.85)], colour.filled())
                }))
                .map_err(|error| failed(error.to_string()))?;
            chart
                .draw_series(bars.iter().map(|(_, _, (low, high), top)| {
                    let middle = top + group * 0.425;
                    PathElement::new([(*low, middle), (*high, middle)], BLACK.stroke_width(1))
                }))
                .map_err(|error| failed(error.to_string()))?;
        }
        area.present().map_err(|error| failed(error.to_string()))?;
    }
    let legend = legend(report, columns.into_iter());
    Ok(Some(Plot { title, svg, legend }))
}

/// An axis of groups 0..count from the top, each labelled in its middle.
struct Groups {
    count: usize,
    names: Vec<String>,
}

impl Ranged for Groups {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        // Pixels of an upright axis go from the bottom (first) to the top.
        let share = value / self.count.max(1) as f64;
        limit.1 + (f64::from(limit.0 - limit.1) * share).round() as i32
    }

    fn key_points<Hint: plotters::coord::ranged1d::KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        (0..self.count).map(|at| at as f64 + 0.5).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.count as f64
    }
}

impl ValueFormatter<f64> for Groups {
    fn format_ext(&self, value: &f64) -> String {
        self.names.get(*value as usize).cloned().unwrap_or_default()
    }
}

impl ReversibleRanged for Groups {
    fn unmap(&self, pixel: i32, limit: (i32, i32)) -> Option<f64> {
        let length = f64::from(limit.0 - limit.1);
        (length != 0.0).then(|| f64::from(pixel - limit.1) / length * self.count as f64)
    }
}

/// A line per column over the iterations of a program; the band is the range over processes.
fn warm_up(report: &Report, suite: &Suite, program: &str) -> Result<Option<Plot>> {
    let title = format!("{program}: time of each iteration in a fresh process");
    let curves: Vec<&Curve> = suite.curves.iter().filter(|curve| curve.program == program).collect();
    let extent = range(curves.iter().flat_map(|curve| curve.iterations.iter().map(|time| time.median)));
    let longest = curves.iter().map(|curve| curve.iterations.len()).max().unwrap_or(0);
    let Some(extent) = extent else { return Ok(None) };
    let lines: Vec<Line> = curves
        .iter()
        .map(|curve| Line {
            name: curve.column.clone(),
            points: curve.iterations.iter().enumerate().map(|(at, time)| (at as f64 + 1.0, time.median)).collect(),
            joined: true,
        })
        .collect();
    let axes = Axes { x: "iteration", y: "milliseconds (logarithmic)", log_x: false };
    draw(report, &title, axes, 0.5..longest as f64 + 0.5, extent, &lines).map(Some)
}

/// A point per program and column: what compiling cost, and how fast the code is.
fn compile_against_run(report: &Report, suite: &Suite) -> Result<Option<Plot>> {
    let title = format!("{}: compile time against run time", suite.name);
    let point = |cell: &Cell| Some((cell.compile_ms?, cell.ratio.filter(|_| cell.failure.is_none())?.recip()));
    let lines: Vec<Line> = report
        .columns
        .iter()
        .map(|column| Line {
            name: column.name().to_owned(),
            points: suite
                .rows
                .iter()
                .filter(|row| row.way == "repeated")
                .filter_map(|row| point(row.cell(column.name())?))
                .collect(),
            joined: false,
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let x = range(lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)));
    let y = range(lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)));
    let (Some(x), Some(y)) = (x, y) else { return Ok(None) };
    let axes = Axes {
        x: "compile time, milliseconds (logarithmic)",
        y: "run time, interpreter = 1 (logarithmic)",
        log_x: true,
    };
    draw(report, &title, axes, x, y, &lines).map(Some)
}

/// The median of each stage, a line per column.
fn stages(report: &Report, suite: &Suite) -> Result<Option<Plot>> {
    let title = format!("{}: medians by stage, five lines", suite.name);
    let stages = crate::suites::compile::STAGES;
    let row = |stage: &str| suite.rows.iter().find(|row| row.program == "five lines" && row.way == stage);
    let columns: Vec<&str> = report
        .columns
        .iter()
        .map(Column::name)
        .filter(|name| stages.iter().any(|stage| row(stage).and_then(|row| row.cell(name)?.figure).is_some()))
        .collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let median = |stage: &str, name: &str| row(stage).and_then(|row| row.cell(name)?.figure).map_or(0.0, |f| f.median);
    let sums = columns.iter().map(|name| stages.iter().map(|stage| median(stage, name)).sum::<f64>());
    // Bars are cumulative and LLVM's hide the others', hence shares of the whole.
    let sums: Vec<f64> = sums.collect();
    let names =
        columns.iter().zip(&sums).map(|(name, sum)| format!("{name}, {} us", crate::tables::number(*sum))).collect();
    let mut svg = String::new();
    {
        let failed = broken::<String>(&title);
        let area = SVGBackend::with_string(&mut svg, (WIDTH, 110 + 40 * columns.len() as u32)).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .set_label_area_size(LabelAreaPosition::Left, 150)
            .set_label_area_size(LabelAreaPosition::Bottom, 40)
            .build_cartesian_2d(0.0..100.0, Groups { count: columns.len(), names })
            .map_err(|error| failed(error.to_string()))?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_desc("share of the compile time, per cent")
            .light_line_style(TRANSPARENT)
            .label_style(LABELS)
            .axis_desc_style(LABELS)
            .draw()
            .map_err(|error| failed(error.to_string()))?;
        for (place, stage) in stages.iter().enumerate() {
            let colour = stage_colour(place);
            let pieces = columns.iter().zip(&sums).enumerate().map(|(at, (name, sum))| {
                let start: f64 = stages[..place].iter().map(|stage| median(stage, name)).sum();
                let end = start + median(stage, name);
                let share = |value: f64| if *sum > 0.0 { value / sum * 100.0 } else { 0.0 };
                Rectangle::new([(share(start), at as f64 + 0.2), (share(end), at as f64 + 0.8)], colour.filled())
            });
            chart.draw_series(pieces).map_err(|error| failed(error.to_string()))?;
        }
        area.present().map_err(|error| failed(error.to_string()))?;
    }
    let legend = stages.iter().enumerate().map(|(place, stage)| ((*stage).to_owned(), css(stage_colour(place))));
    Ok(Some(Plot { title, svg, legend: legend.collect() }))
}

/// Points of one column, joined by a line or not.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
    joined: bool,
}

struct Axes {
    x: &'static str,
    y: &'static str,
    log_x: bool,
}

fn draw(
    report: &Report,
    title: &str,
    axes: Axes,
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
    lines: &[Line],
) -> Result<Plot> {
    let mut svg = String::new();
    {
        let failed = broken::<String>(title);
        let area = SVGBackend::with_string(&mut svg, (WIDTH, 380)).into_drawing_area();
        let mut builder = ChartBuilder::on(&area);
        builder
            .margin(12)
            .set_label_area_size(LabelAreaPosition::Left, 64)
            .set_label_area_size(LabelAreaPosition::Bottom, 40);
        // The two kinds of axis are different types.
        macro_rules! on {
            ($x:expr) => {{
                let mut chart = builder.build_cartesian_2d($x, y.log_scale()).map_err(|e| failed(e.to_string()))?;
                chart
                    .configure_mesh()
                    .x_desc(axes.x)
                    .y_desc(axes.y)
                    .x_label_formatter(&|value| crate::tables::number(*value))
                    .y_label_formatter(&|value| crate::tables::number(*value))
                    .light_line_style(TRANSPARENT)
                    .label_style(LABELS)
                    .axis_desc_style(LABELS)
                    .draw()
                    .map_err(|e| failed(e.to_string()))?;
                for line in lines {
                    let colour = colour(report, &line.name);
                    let points = line.points.iter().copied();
                    if line.joined {
                        chart
                            .draw_series(LineSeries::new(points, colour.stroke_width(2)))
                            .map_err(|e| failed(e.to_string()))?;
                    } else {
                        chart
                            .draw_series(points.map(|point| Circle::new(point, 4, colour.mix(0.8).filled())))
                            .map_err(|e| failed(e.to_string()))?;
                    }
                }
            }};
        }
        if axes.log_x {
            on!(x.log_scale());
        } else {
            on!(x);
        }
        area.present().map_err(|error| failed(error.to_string()))?;
    }
    let legend = legend(report, lines.iter().map(|line| line.name.as_str()));
    Ok(Plot { title: title.to_owned(), svg, legend })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn bars_and_points_of_programs() {
        let report = samples::report();
        let plots = of_suite(&report, &report.suites[0]).unwrap();
        let titles: Vec<&str> = plots.iter().map(|plot| plot.title.as_str()).collect();
        assert_eq!(
            titles,
            ["kernels, repeated: times as fast as the interpreter", "kernels: compile time against run time"]
        );
        assert!(plots[0].svg.contains("float_loop"));
        // A figure that failed is not drawn.
        assert!(!plots[0].svg.contains("broken"));
    }

    #[test]
    fn stages_and_curves() {
        let report = samples::report();
        let stages = &of_suite(&report, &report.suites[1]).unwrap()[0];
        assert!(stages.svg.contains("cranelift, 710 us"));
        assert_eq!(stages.legend.len(), 5);
        let curves = of_suite(&report, &report.suites[2]).unwrap();
        assert_eq!(curves.len(), 1);
        assert!(curves[0].svg.contains("polyline"));
        assert_eq!(
            curves[0].legend,
            [("interpreter".into(), "#6e6e6e".into()), ("cranelift".into(), "#0072b2".into())]
        );
    }

    #[test]
    fn a_column_has_one_colour() {
        let report = samples::report();
        let bars = &of_suite(&report, &report.suites[0]).unwrap()[0];
        assert_eq!(bars.legend, [("cranelift".to_owned(), "#0072b2".to_owned())]);
        assert!(bars.svg.contains("#0072B2"));
    }

    #[test]
    fn nothing_measured_is_no_plot() {
        let report = samples::report();
        assert!(of_suite(&report, &Suite::default()).unwrap().is_empty());
    }

    #[test]
    fn ranges_leave_out_what_has_no_logarithm() {
        assert!(range([0.0, -1.0].into_iter()).is_none());
        let extent = range([1.0, 0.0, 100.0].into_iter()).unwrap();
        assert!(extent.start < 1.0 && extent.start > 0.0 && extent.end > 100.0);
    }
}
