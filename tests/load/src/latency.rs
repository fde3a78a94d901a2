//! How long answers took, told by percentiles.

use std::time::Duration;

use serde::Serialize;

/// Every duration, in microseconds: a run is short, and sorting them is exact.
#[derive(Default)]
pub(crate) struct Latency(Vec<u32>);

/// Milliseconds.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
    most: f64,
}

impl Latency {
    pub(crate) fn note(&mut self, took: Duration) {
        self.0.push(took.as_micros().try_into().unwrap_or(u32::MAX));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// None when nothing was noted.
    pub(crate) fn percentiles(mut self) -> Option<Percentiles> {
        self.0.sort_unstable();
        let last = self.0.len().checked_sub(1)?;
        let at = |share: f64| f64::from(self.0[(last as f64 * share).round() as usize]) / 1000.0;
        Some(Percentiles {
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            most: at(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_that_was_noted() {
        let mut latency = Latency::default();
        for milliseconds in (0..=100).rev() {
            latency.note(Duration::from_millis(milliseconds));
        }
        let told = Percentiles {
            p50: 50.0,
            p95: 95.0,
            p99: 99.0,
            most: 100.0,
        };
        assert_eq!(latency.percentiles(), Some(told));
        assert_eq!(Latency::default().percentiles(), None);
    }
}
