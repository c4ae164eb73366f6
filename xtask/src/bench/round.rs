//! What one round of one side came to, and what several rounds together.

use serde::Serialize;

use crate::figures::{median, percentile};

/// One round.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    /// Of everything that succeeded, in milliseconds.
    pub(super) latencies_ms: Vec<f64>,
    pub(super) seconds: f64,
    pub(super) failures: u64,
    /// The first failure, for people.
    pub(super) example: Option<String>,
}

/// The medians of some rounds; failures are added up.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Summary {
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) failures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<String>,
}

impl Summary {
    pub(super) fn of(rounds: &[Round]) -> Self {
        let middle = |figure: &dyn Fn(&Round) -> f64| {
            median(&rounds.iter().map(figure).collect::<Vec<_>>()).unwrap_or_default()
        };
        Self {
            per_second: middle(&Round::per_second),
            p50_ms: middle(&|round| percentile(&round.latencies_ms, 50.0).unwrap_or_default()),
            p99_ms: middle(&|round| percentile(&round.latencies_ms, 99.0).unwrap_or_default()),
            failures: rounds.iter().map(|round| round.failures).sum(),
            example: rounds.iter().find_map(|round| round.example.clone()),
        }
    }
}

impl Round {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
    fn per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.latencies_ms.len() as f64 / self.seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_made_of_medians() {
        let round = |count: u32, failures| Round {
            latencies_ms: (1..=count).map(f64::from).collect(),
            seconds: 2.0,
            failures,
            example: None,
        };
        let summary = Summary::of(&[round(100, 1), round(300, 0), round(200, 2)]);
        assert!((summary.per_second - 100.0).abs() < 1e-9, "{summary:?}");
        assert!(
            (summary.p50_ms - 100.0).abs() < 1e-9 && (summary.p99_ms - 198.0).abs() < 1e-9,
            "{summary:?}"
        );
        assert_eq!(summary.failures, 3);
    }
}
