//! What operators see of every process and role, whatever it does.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};
use sqlx::PgPool;

use crate::tasks::Tasks;

/// The process: its release, and what `/readyz` says, looked at when somebody asks.
pub(crate) fn show_process(tasks: &Tasks) {
    let meter = opentelemetry::global::meter("process");
    let release = [KeyValue::new("version", env!("CARGO_PKG_VERSION"))];
    meter
        .u64_observable_gauge("build.info")
        .with_description("1, with the release that runs")
        .with_callback(move |seen| seen.observe(1, &release))
        .build();
    let tasks = tasks.clone();
    meter
        .u64_observable_gauge("ready")
        .with_description("1 for each part that /readyz shows as well, 0 as failing")
        .with_callback(move |seen| {
            for (part, state) in tasks.states() {
                seen.observe(u64::from(state.is_ok()), &[KeyValue::new("part", part)]);
            }
        })
        .build();
}

/// A role's pool: its connections in use and idle, and how many it may have.
pub(crate) fn show_pool(meter: &Meter, pool: &PgPool) {
    let shown = pool.clone();
    meter
        .u64_observable_gauge("database.connections")
        .with_description("open connections of the role's pool, by state")
        .with_callback(move |seen| {
            let open = u64::from(shown.size());
            let idle = (shown.num_idle() as u64).min(open);
            seen.observe(open - idle, &[KeyValue::new("state", "used")]);
            seen.observe(idle, &[KeyValue::new("state", "idle")]);
        })
        .build();
    let most = u64::from(pool.options().get_max_connections());
    meter
        .u64_observable_gauge("database.connection_limit")
        .with_description("connections that the role's pool may open")
        .with_callback(move |seen| seen.observe(most, &[]))
        .build();
}

/// How long the database takes to answer the question that asks for nothing.
pub(crate) fn database_answers(meter: &Meter) -> Histogram<f64> {
    meter
        .f64_histogram("database.answer")
        .with_unit("s")
        .with_description("until SELECT 1 is answered, the wait for a connection with it")
        .build()
}

/// Calls that other services make.
#[derive(Clone)]
pub(crate) struct Calls(Histogram<f64>);

impl Calls {
    pub(crate) fn new(meter: &Meter) -> Self {
        let duration = meter
            .f64_histogram("rpc.duration")
            .with_unit("s")
            .with_description("calls between services, from a request's headers to its answer's")
            .build();
        Self(duration)
    }

    pub(crate) fn count(&self, method: String, status: tonic::Code, took: Duration) {
        let labels = [
            KeyValue::new("method", method),
            KeyValue::new("status", i64::from(i32::from(status))),
        ];
        self.0.record(took.as_secs_f64(), &labels);
    }
}
