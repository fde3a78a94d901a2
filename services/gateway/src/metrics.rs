//! What operators see of the door.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alink::topic::Capability;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter, UpDownCounter},
};

pub(crate) struct Metrics {
    connections: UpDownCounter<i64>,
    connected: Counter<u64>,
    disconnected: Counter<u64>,
    connect_failed: Counter<u64>,
    published: Arc<Published>,
    refused: Counter<u64>,
    held_up: Counter<u64>,
    delivered: Counter<u64>,
    opened: Histogram<f64>,
    acknowledged: Histogram<f64>,
    replied: Histogram<f64>,
}

/// Messages by the number of their capability. They are many: each costs an addition, and what it takes to
/// find a series is paid when somebody looks.
#[derive(Default)]
struct Published([AtomicU64; Capability::ALL.len()]);

impl Metrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        let published = Arc::<Published>::default();
        let shown = published.clone();
        meter
            .u64_observable_counter("gateway.publishes")
            .with_description("messages carried, by capability")
            .with_callback(move |observer| {
                for capability in Capability::ALL {
                    let messages = shown.0[capability as usize].load(Ordering::Relaxed);
                    if messages > 0 {
                        let label = KeyValue::new("capability", capability.as_str());
                        observer.observe(messages, &[label]);
                    }
                }
            })
            .build();
        let counter = |name, what| meter.u64_counter(name).with_description(what).build();
        let seconds = |name, what| {
            let histogram = meter.f64_histogram(name).with_unit("s");
            histogram.with_description(what).build()
        };
        let held_up: Counter<u64> = counter(
            "gateway.readings_held_up",
            "times a device was read no further for a while, as it sent ten times more than it may",
        );
        // What stands at nothing is seen to rise; what is not there is not.
        held_up.add(0, &[]);
        Self {
            connections: meter
                .i64_up_down_counter("gateway.connections")
                .with_description("devices connected now")
                .build(),
            connected: counter("gateway.connects", "devices let in"),
            disconnected: counter("gateway.disconnects", "connections ended, by reason"),
            connect_failed: counter(
                "gateway.connect_failures",
                "connections not let in, by reason",
            ),
            published,
            refused: counter(
                "gateway.publish_refusals",
                "messages refused at the door, by reason",
            ),
            held_up,
            delivered: counter("gateway.deliveries", "messages to devices, by outcome"),
            opened: seconds(
                "gateway.connect.duration",
                "from a device's CONNECT to its CONNACK",
            ),
            acknowledged: seconds(
                "gateway.puback.duration",
                "from a PUBLISH to its PUBACK: the oldest of those that leave together",
            ),
            replied: seconds(
                "gateway.reply.duration",
                "from a device's message to the reply: the oldest of those that come together",
            ),
        }
    }

    pub(crate) fn connected(&self, took: Duration) {
        self.connections.add(1, &[]);
        self.connected.add(1, &[]);
        self.opened.record(took.as_secs_f64(), &[]);
    }

    pub(crate) fn disconnected(&self, reason: &'static str) {
        self.connections.add(-1, &[]);
        self.disconnected.add(1, &[KeyValue::new("reason", reason)]);
    }

    pub(crate) fn connect_failed(&self, reason: &'static str) {
        self.connect_failed
            .add(1, &[KeyValue::new("reason", reason)]);
    }

    pub(crate) fn published(&self, capability: Capability) {
        self.published.0[capability as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.add(1, &[KeyValue::new("reason", reason)]);
    }

    pub(crate) fn held_up(&self) {
        self.held_up.add(1, &[]);
    }

    pub(crate) fn delivered(&self, outcome: &'static str, messages: u64) {
        self.delivered
            .add(messages, &[KeyValue::new("outcome", outcome)]);
    }

    /// Once for all PUBACKs that leave together.
    pub(crate) fn acknowledged(&self, took_ms: i32) {
        self.acknowledged.record(f64::from(took_ms) / 1000.0, &[]);
    }

    /// Once for all replies that come together.
    pub(crate) fn replied(&self, took: Duration) {
        self.replied.record(took.as_secs_f64(), &[]);
    }
}
