//! How long each operation takes, and how it ends, at either door.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};

use crate::contract::Operation;

/// One door's requests.
pub(crate) struct Metrics(Histogram<f64>);

impl Metrics {
    pub(crate) fn of_rest(meter: &Meter) -> Self {
        Self::new(
            meter,
            "api.request.duration",
            "From a REST request's headers to its answer",
        )
    }

    pub(crate) fn of_grpc(meter: &Meter) -> Self {
        Self::new(
            meter,
            "api.call.duration",
            "From a gRPC call's headers to its answer's",
        )
    }

    fn new(meter: &Meter, name: &'static str, what: &'static str) -> Self {
        let duration = meter.f64_histogram(name).with_unit("s");
        Self(duration.with_description(what).build())
    }

    /// `status` is the door's own: HTTP's, or gRPC's.
    pub(crate) fn count(&self, operation: &Operation, status: i64, took: Duration) {
        let labels = [
            KeyValue::new("operation", operation.name().to_owned()),
            KeyValue::new("status", status),
        ];
        self.0.record(took.as_secs_f64(), &labels);
    }
}
