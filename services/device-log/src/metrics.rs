//! How fast lines come in, and how late.

use chassis::Chassis;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge};

use crate::store::Written;

pub(crate) struct Metrics {
    lines: Counter<u64>,
    rows: Counter<u64>,
    lag: Gauge<f64>,
}

impl Metrics {
    pub(crate) fn new(chassis: &Chassis) -> Self {
        let meter = chassis.meter();
        Self {
            lines: meter
                .u64_counter("devicelog.lines")
                .with_description("Log lines that were told, repeated ones among them")
                .build(),
            rows: meter
                .u64_counter("devicelog.rows")
                .with_description(
                    "Rows told (one for each message and emitter): new, or there already",
                )
                .build(),
            lag: meter
                .f64_gauge("devicelog.lag")
                .with_unit("s")
                .with_description(
                    "Age of the newest line when it was committed: what a reader is behind",
                )
                .build(),
        }
    }

    pub(crate) fn kept(&self, lines: u64, written: Written, lag_seconds: f64) {
        self.lines.add(lines, &[]);
        self.rows
            .add(written.new, &[KeyValue::new("outcome", "new")]);
        self.rows
            .add(written.again, &[KeyValue::new("outcome", "again")]);
        self.lag.record(lag_seconds.max(0.0), &[]);
    }
}
