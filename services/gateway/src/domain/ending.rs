//! How a connection ended, told apart truly: for the log, for MQTT 5, and for the will.

use proto::hoshu::registry::internal::v1::release::Reason;

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The device sent DISCONNECT; with its will if it asked so (MQTT 5, 0x04).
    Disconnected {
        with_will: bool,
    },
    /// The link ended without DISCONNECT: reset, or closed.
    Reset,
    KeepAlive,
    /// Another connection of the same device.
    Kicked,
    Disabled,
    Deleted,
    /// This node stops.
    Draining,
    /// The registry has ended this node's sessions.
    LeaseLost,
    /// It did not take what was sent to it for too long.
    SlowReader,
    Violation(Violation),
    /// One of our own stores failed it.
    Internal,
}

/// What a device did that ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    Malformed,
    UnexpectedPacket,
    Qos2,
    PacketTooLarge,
    TopicName,
    TopicAlias,
    Retain,
    SubscriptionIdentifier,
}

impl End {
    /// Reason and detail for the registry's activity line.
    pub(crate) fn release(self) -> (Reason, &'static str) {
        match self {
            Self::Disconnected { .. } => (Reason::DeviceDisconnect, ""),
            Self::Reset => (Reason::ConnectionReset, ""),
            Self::KeepAlive => (Reason::KeepaliveTimeout, ""),
            Self::Kicked => (Reason::Kicked, ""),
            Self::Disabled => (Reason::ConnectionException, "device disabled"),
            Self::Deleted => (Reason::ConnectionException, "device deleted"),
            Self::Draining => (Reason::ConnectionException, "gateway draining"),
            Self::LeaseLost => (Reason::ConnectionException, "gateway lost its lease"),
            Self::SlowReader => (
                Reason::ConnectionException,
                "device does not take its messages",
            ),
            Self::Internal => (Reason::ConnectionException, "system error"),
            Self::Violation(violation) => (Reason::ConnectionException, violation.detail()),
        }
    }

    /// What an MQTT 5 device is told; nothing when there is nobody left to tell.
    pub(crate) fn disconnect_code(self) -> Option<u8> {
        Some(match self {
            Self::Disconnected { .. } | Self::Reset => return None,
            Self::KeepAlive => 0x8D,
            Self::Kicked => 0x8E,
            Self::Disabled | Self::Deleted => 0x98,
            Self::Draining => 0x8B,
            Self::LeaseLost => 0x89,
            Self::SlowReader => 0x97,
            Self::Internal => 0x80,
            Self::Violation(violation) => violation.disconnect_code(),
        })
    }

    /// MQTT: a will is for every end but the device's own DISCONNECT. One who was replaced by itself
    /// lives on.
    pub(crate) fn publishes_will(self) -> bool {
        !matches!(
            self,
            Self::Disconnected { with_will: false } | Self::Deleted | Self::Disabled
        )
    }

    /// The link was found dead: what was written last may never have arrived.
    pub(crate) fn found_dead(self) -> bool {
        matches!(self, Self::Reset | Self::KeepAlive | Self::SlowReader)
    }

    /// As metrics spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected { .. } => "disconnect",
            Self::Reset => "reset",
            Self::KeepAlive => "keepalive",
            Self::Kicked => "kicked",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
            Self::Draining => "draining",
            Self::LeaseLost => "lease_lost",
            Self::SlowReader => "slow_reader",
            Self::Violation(_) => "violation",
            Self::Internal => "internal",
        }
    }
}

impl Violation {
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::Malformed => "malformed packet",
            Self::UnexpectedPacket => "packet not allowed here",
            Self::Qos2 => "QoS 2 publish",
            Self::PacketTooLarge => "packet too large",
            Self::TopicName => "wildcard in a topic name",
            Self::TopicAlias => "topic alias invalid",
            Self::Retain => "retained messages are not offered",
            Self::SubscriptionIdentifier => "subscription identifiers are not offered",
        }
    }

    fn disconnect_code(self) -> u8 {
        match self {
            Self::Malformed => 0x81,
            Self::UnexpectedPacket => 0x82,
            Self::Qos2 => 0x9B,
            Self::PacketTooLarge => 0x95,
            Self::TopicName => 0x90,
            Self::TopicAlias => 0x94,
            Self::Retain => 0x9A,
            Self::SubscriptionIdentifier => 0xA1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_the_log_are_told_apart() {
        for (end, reason, code, will) in [
            (
                End::Disconnected { with_will: false },
                Reason::DeviceDisconnect,
                None,
                false,
            ),
            (
                End::Disconnected { with_will: true },
                Reason::DeviceDisconnect,
                None,
                true,
            ),
            (End::Reset, Reason::ConnectionReset, None, true),
            (End::KeepAlive, Reason::KeepaliveTimeout, Some(0x8D), true),
            (End::Kicked, Reason::Kicked, Some(0x8E), true),
            (
                End::Disabled,
                Reason::ConnectionException,
                Some(0x98),
                false,
            ),
            (End::Draining, Reason::ConnectionException, Some(0x8B), true),
            (
                End::Violation(Violation::Qos2),
                Reason::ConnectionException,
                Some(0x9B),
                true,
            ),
        ] {
            assert_eq!(
                (end.release().0, end.disconnect_code(), end.publishes_will()),
                (reason, code, will),
                "{end:?}"
            );
            assert_eq!(
                end.release().1.is_empty(),
                reason != Reason::ConnectionException,
                "{end:?}"
            );
        }
    }
}
