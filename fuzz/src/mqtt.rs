//! MQTT, as strangers speak it.

use gateway::fuzzing::{Version, connection, packets};

/// A connection from its first byte; or, behind a byte that no connection begins with, what follows an
/// accepted CONNECT: 0 before MQTT 5, 1 of it.
pub fn mqtt(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, rest)) => packets(Version::V3, rest),
        Some((1, rest)) => packets(Version::V5, rest),
        _ => connection(bytes),
    }
}
