//! Summaries of measurements.
//!
//! Problem: times of one program scatter to one side, since disturbances only ever add. Method: order statistics, never
//! means: the median as the figure, and the range and quartiles to say how far to trust it. Quantiles are interpolated
//! linearly between neighbours. Invariant: a summary is of at least one measurement, all finite.

use serde::{Deserialize, Serialize};

/// What is kept of a list of measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub count: usize,
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// The quartiles: half of the measurements lie between them.
    pub lower: f64,
    pub upper: f64,
    /// Nine tenths of the measurements are below.
    pub p90: f64,
    pub total: f64,
}

impl Summary {
    /// `None` when there is no measurement, or one that is not a number.
    pub fn of(values: &[f64]) -> Option<Summary> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Summary {
            count: sorted.len(),
            median: quantile(&sorted, 0.5),
            min: sorted[0],
            max: sorted[sorted.len() - 1],
            lower: quantile(&sorted, 0.25),
            upper: quantile(&sorted, 0.75),
            p90: quantile(&sorted, 0.9),
            total: sorted.iter().sum(),
        })
    }

    /// The same in another unit.
    pub fn scaled(self, factor: f64) -> Summary {
        Summary {
            count: self.count,
            median: self.median * factor,
            min: self.min * factor,
            max: self.max * factor,
            lower: self.lower * factor,
            upper: self.upper * factor,
            p90: self.p90 * factor,
            total: self.total * factor,
        }
    }
}

/// The value below which the given share of a sorted, non-empty list lies.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

/// The geometric mean: what ratios are averaged by. `None` for no ratios.
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let usable = !ratios.is_empty() && ratios.iter().all(|ratio| *ratio > 0.0 && ratio.is_finite());
    usable.then(|| (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics_of_few_values() {
        let summary = Summary::of(&[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((summary.median, summary.min, summary.max), (2.5, 1.0, 4.0));
        assert_eq!((summary.lower, summary.upper, summary.total), (1.75, 3.25, 10.0));
        let one = Summary::of(&[7.0]).unwrap();
        assert_eq!((one.median, one.p90, one.lower, one.upper), (7.0, 7.0, 7.0, 7.0));
    }

    #[test]
    fn one_slow_process_does_not_move_the_median() {
        assert_eq!(Summary::of(&[1.0, 1.0, 1.0, 1.0, 900.0]).unwrap().median, 1.0);
    }

    #[test]
    fn ninety_percent() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(Summary::of(&values).unwrap().p90, 90.0);
    }

    #[test]
    fn nothing_measured_has_no_summary() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[1.0, f64::NAN]), None);
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(geometric_mean(&[1.0, 0.0]), None);
    }

    #[test]
    fn ratios_average_geometrically() {
        assert!((geometric_mean(&[2.0, 8.0]).unwrap() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn scaling_keeps_the_count() {
        let summary = Summary::of(&[1.0, 3.0]).unwrap().scaled(1e3);
        assert_eq!((summary.count, summary.median, summary.total), (2, 2e3, 4e3));
    }
}
