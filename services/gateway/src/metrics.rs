//! What operators see of the door.

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter, UpDownCounter},
};

pub(crate) struct Metrics {
    connections: UpDownCounter<i64>,
    connected: Counter<u64>,
    disconnected: Counter<u64>,
    connect_failed: Counter<u64>,
    published: Counter<u64>,
    refused: Counter<u64>,
    delivered: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        let counter = |name, what| meter.u64_counter(name).with_description(what).build();
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
            published: counter("gateway.publishes", "messages carried, by capability"),
            refused: counter(
                "gateway.publish_refusals",
                "messages refused at the door, by reason",
            ),
            delivered: counter("gateway.deliveries", "messages to devices, by outcome"),
        }
    }

    pub(crate) fn connected(&self) {
        self.connections.add(1, &[]);
        self.connected.add(1, &[]);
    }

    pub(crate) fn disconnected(&self, reason: &'static str) {
        self.connections.add(-1, &[]);
        self.disconnected.add(1, &[KeyValue::new("reason", reason)]);
    }

    pub(crate) fn connect_failed(&self, reason: &'static str) {
        self.connect_failed
            .add(1, &[KeyValue::new("reason", reason)]);
    }

    pub(crate) fn published(&self, capability: &'static str) {
        self.published
            .add(1, &[KeyValue::new("capability", capability)]);
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.add(1, &[KeyValue::new("reason", reason)]);
    }

    pub(crate) fn delivered(&self, outcome: &'static str) {
        self.delivered.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}
