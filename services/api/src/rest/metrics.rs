//! How long each route takes, and how it ends.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};

use crate::contract::Operation;

pub(crate) struct Metrics {
    duration: Histogram<f64>,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        let duration = meter
            .f64_histogram("api.request.duration")
            .with_unit("s")
            .with_description("From a REST request's headers to its answer")
            .build();
        Self { duration }
    }

    pub(crate) fn count(&self, operation: &Operation, status: u16, took: Duration) {
        let labels = [
            KeyValue::new("operation", operation.name().to_owned()),
            KeyValue::new("status", i64::from(status)),
        ];
        self.duration.record(took.as_secs_f64(), &labels);
    }
}
