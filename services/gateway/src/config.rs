//! What the gateway can be told. A field is set by `HOSHU_GATEWAY_<FIELD>` or in the file's `[gateway]`;
//! addresses and certificates are the house's own settings (`HOSHU_MQTT_ADDR`, `HOSHU_TLS_CERT_FILE`).

use serde::{Deserialize, Serialize};

use crate::domain::rate::Rate;

const LARGEST_PAYLOAD: usize = 512 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Messages a second that one device may publish. More carries burstier devices and lets a broken
    /// one cost more.
    pub up_per_second: u32,
    /// Messages that a device may publish at once after a rest.
    pub up_burst: u32,
    /// Messages a second that go to one device; more are refused to their sender.
    pub down_per_second: u32,
    /// Messages that go to a device at once after a rest.
    pub down_burst: u32,
    /// Messages a second that all devices of one account may publish through one gateway process.
    pub account_per_second: u32,
    /// Bytes of a payload, at most 524,288. Larger ones are discarded and logged; MQTT 5 devices are disconnected.
    pub payload_bytes: usize,
    /// Upstream QoS 1 messages of one connection that wait for the stream; then its socket is not read.
    /// Also the Receive Maximum told to MQTT 5 devices.
    pub up_unacknowledged: u16,
    /// Downstream QoS 1 messages that a device may leave unacknowledged; then new ones are refused.
    pub down_unacknowledged: u16,
    /// Messages kept for a device with a persistent session that is away.
    pub offline_messages: u16,
    /// Days that such messages and sessions are kept, at most.
    pub offline_days: u16,
    /// Subscriptions of one device.
    pub subscriptions: usize,
    /// Filters in one SUBSCRIBE.
    pub filters_per_subscribe: usize,
    /// Seconds from accepting a connection to its complete CONNECT (the TLS handshake counts).
    pub connect_seconds: u16,
    /// Connections that may be between accepting and CONNACK at once; more wait in the backlog.
    pub opening_connections: usize,
    /// Of these places, how many must be free for each that one address holds (of IPv6 one /64); who wants more
    /// is closed at once. More leaves a stranger less, and lets fewer devices behind one router connect at the
    /// same moment: 8 lets one address have 1,111 of 10,000. 0 for a gateway behind a balancer that hides
    /// the devices' addresses.
    pub opening_free_for_one: usize,
    /// Connections that the kernel keeps before they are accepted. Too few delay bursts by a second.
    pub backlog: i32,
    /// Failed CONNECTs a minute from one address; then it is refused before its credentials are looked
    /// at. Devices behind one router share an address; of IPv6 a /64 counts as one.
    pub failures_per_minute: u32,
    /// Addresses whose failures are remembered.
    pub failure_addresses: usize,
    /// Bytes that wait for a device which does not read; then messages to it are refused as slow.
    pub slow_bytes: usize,
    /// Seconds for which a device may take nothing at all; then it is disconnected.
    pub slow_seconds: u16,
    /// Whether `securemode=2` and `-2` are taken on plain connections too. The Python SDK's registration
    /// says 2 on any connection.
    pub tls_modes_on_plain: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            up_per_second: 100,
            up_burst: 200,
            down_per_second: 50,
            down_burst: 100,
            account_per_second: 100_000,
            payload_bytes: alink::limits::MQTT_PAYLOAD_BYTES,
            up_unacknowledged: 100,
            down_unacknowledged: alink::limits::UNACKNOWLEDGED as u16,
            offline_messages: 100,
            offline_days: alink::limits::SESSION_DAYS as u16,
            subscriptions: alink::limits::SUBSCRIPTIONS_PER_DEVICE,
            filters_per_subscribe: alink::limits::FILTERS_PER_SUBSCRIBE,
            connect_seconds: 10,
            opening_connections: 10_000,
            opening_free_for_one: 8,
            backlog: 8192,
            failures_per_minute: 300,
            failure_addresses: 65_536,
            slow_bytes: 1 << 20,
            slow_seconds: 60,
            tls_modes_on_plain: false,
        }
    }
}

impl Config {
    pub(crate) fn up(&self) -> Rate {
        Rate::new(self.up_per_second, self.up_burst)
    }

    pub(crate) fn down(&self) -> Rate {
        Rate::new(self.down_per_second, self.down_burst)
    }

    /// How fast a device is read, whatever it sends: ample for its messages up, PUBACKs for those down, and
    /// subscriptions.
    pub(crate) fn reading(&self) -> Rate {
        self.up().with(self.down(), 10)
    }

    /// An account may send its second's worth at once.
    pub(crate) fn account(&self) -> Rate {
        Rate::new(self.account_per_second, self.account_per_second)
    }

    /// # Errors
    /// When a message could be carried in, and not on: the bus takes 1 MiB, and a line holds the payload again.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.payload_bytes <= LARGEST_PAYLOAD,
            "HOSHU_GATEWAY_PAYLOAD_BYTES is {}: give at most {LARGEST_PAYLOAD}",
            self.payload_bytes
        );
        Ok(())
    }

    /// Bytes behind a fixed header: a full payload, the longest topic and ample MQTT 5 properties.
    pub(crate) fn packet_bytes(&self) -> usize {
        self.payload_bytes + 80 * 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_the_bus_cannot_carry_is_refused_at_start() {
        let with = |payload_bytes| Config {
            payload_bytes,
            ..Config::default()
        };
        assert!(Config::default().check().is_ok());
        assert!(with(LARGEST_PAYLOAD).check().is_ok());
        let error = with(LARGEST_PAYLOAD + 1).check().unwrap_err().to_string();
        assert!(error.contains("HOSHU_GATEWAY_PAYLOAD_BYTES"), "{error}");
    }
}
