//! What others are told of a session's change: ACTIVITY lines, presence, and connections to be closed.
//!
//! Written with the change, told by `work::teller`. A line keeps the message id that it got here, so that
//! one told twice is stored once.

use std::collections::BTreeMap;

use alink::connect::ConnectRefusal;
use alink::log::{Content, Reason};
use alink::names::MessageId;
use bus::log::{Line, line};
use chrono::{DateTime, Utc};
use prost::Message;
use proto::hoshu::bus::v1::close::Why;
use proto::hoshu::bus::v1::{
    Close, DeviceRef, Down, DownBatch, LogBatch, LogEntry, LogLine, Presence, PresenceBatch, down,
};
use serde::Serialize;

use crate::domain::session::{Claim, EndReason, Session};
use crate::store::told::{Kind, Tiding};

/// Items in one row: some ten kilobytes.
const ITEMS: usize = 200;

/// What is to be told of one change, or of many that are committed together.
#[derive(Default)]
pub(crate) struct Tidings {
    lines: Vec<LogEntry>,
    presence: Vec<Presence>,
    closings: BTreeMap<String, Vec<Down>>,
}

/// What an ACTIVITY line says besides its text.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<i64>,
}

impl Tidings {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.presence.is_empty() && self.closings.is_empty()
    }

    /// A claim was accepted; `previous` is the session that it ended.
    pub(crate) fn online(
        &mut self,
        device: DeviceRef,
        session: &Session,
        previous: Option<&Session>,
        claim: &Claim,
        now: DateTime<Utc>,
    ) {
        let mut lines = Vec::with_capacity(2);
        if let Some(previous) = previous {
            lines.push(offline_line(previous, &EndReason::Kicked, now));
            self.presence.push(presence(&device, previous, false, now));
        }
        lines.push(
            line(now.timestamp_millis(), &Content::Online).with_detail(json(&Detail {
                client_address: Some(&claim.client_address),
                protocol: Some(&claim.protocol),
                node: Some(&session.node),
                session: Some(session.number),
                ..Detail::default()
            })),
        );
        self.presence.push(presence(&device, session, true, now));
        self.log(device, lines, now);
    }

    /// A session ended.
    pub(crate) fn offline(
        &mut self,
        device: DeviceRef,
        session: &Session,
        reason: &EndReason,
        at: DateTime<Utc>,
    ) {
        self.presence.push(presence(&device, session, false, at));
        self.log(device, vec![offline_line(session, reason, at)], at);
    }

    /// A device that we know was not let in; it came from this address with this protocol.
    pub(crate) fn refused(
        &mut self,
        device: DeviceRef,
        why: ConnectRefusal,
        (client_address, protocol): (&str, &str),
        at: DateTime<Utc>,
    ) {
        let line = line(at.timestamp_millis(), &Content::ConnectRefused)
            .because(&Reason::Refused { why: why.reason() })
            .with_detail(json(&Detail {
                client_address: Some(client_address),
                protocol: Some(protocol),
                ..Detail::default()
            }));
        self.log(device, vec![line], at);
    }

    /// The node that holds this session is to close its connection.
    pub(crate) fn close(
        &mut self,
        device: DeviceRef,
        session: &Session,
        why: Why,
        now: DateTime<Utc>,
    ) {
        self.closings
            .entry(session.node.clone())
            .or_default()
            .push(Down {
                message_id: message_id(now),
                device: Some(device),
                session: session.number as u64,
                action: Some(down::Action::Close(Close { why: why.into() })),
            });
    }

    /// Rows to be written in the change's transaction.
    pub(crate) fn into_rows(self) -> Vec<Tiding> {
        let lines = self.lines.chunks(ITEMS).map(|entries| {
            let batch = LogBatch {
                entries: entries.to_vec(),
            };
            row(Kind::Lines, None, batch.encode_to_vec())
        });
        let presence = self.presence.chunks(ITEMS).map(|items| {
            let batch = PresenceBatch {
                items: items.to_vec(),
            };
            row(Kind::Presence, None, batch.encode_to_vec())
        });
        let closings = self.closings.iter().flat_map(|(node, items)| {
            items.chunks(ITEMS).map(|items| {
                let batch = DownBatch {
                    items: items.to_vec(),
                };
                row(Kind::Closings, Some(node.clone()), batch.encode_to_vec())
            })
        });
        // What closes a connection is waited for.
        closings.chain(presence).chain(lines).collect()
    }

    fn log(&mut self, device: DeviceRef, lines: Vec<LogLine>, at: DateTime<Utc>) {
        self.lines.push(LogEntry {
            message_id: message_id(at),
            // The id was made for these lines: no other emitter has it.
            part: 0,
            device: Some(device),
            lines,
        });
    }
}

fn row(kind: Kind, node: Option<String>, batch: Vec<u8>) -> Tiding {
    Tiding { kind, node, batch }
}

fn message_id(at: DateTime<Utc>) -> bytes::Bytes {
    MessageId::at(at.timestamp_millis(), rand::random())
        .to_bytes()
        .to_vec()
        .into()
}

fn presence(device: &DeviceRef, session: &Session, online: bool, at: DateTime<Utc>) -> Presence {
    Presence {
        device: Some(device.clone()),
        online,
        node: session.node.clone(),
        session: session.number as u64,
        at: at.timestamp_millis(),
    }
}

fn offline_line(session: &Session, reason: &EndReason, at: DateTime<Utc>) -> LogLine {
    let (text, cause) = match reason {
        EndReason::Disconnect => (Reason::DeviceDisconnect, None),
        EndReason::ConnectionReset => (Reason::ConnectionReset, None),
        EndReason::KeepaliveTimeout => (Reason::KeepaliveTimeout, None),
        EndReason::Kicked => (Reason::KickedBySameDevice, None),
        EndReason::Exception(cause) => (Reason::ConnectionException, Some(cause.as_str())),
    };
    line(at.timestamp_millis(), &Content::Offline)
        .because(&text)
        .with_detail(json(&Detail {
            cause,
            node: Some(&session.node),
            session: Some(session.number),
            ..Detail::default()
        }))
}

fn json(detail: &Detail<'_>) -> String {
    serde_json::to_string(detail).expect("texts and numbers are JSON")
}

#[cfg(test)]
mod tests {
    use alink::log::reason_text;

    use super::*;

    fn device() -> DeviceRef {
        DeviceRef {
            product_key: "a1B2c3D4e5F".into(),
            device_name: "pump-1".into(),
            device_id: 7,
            account_id: "default".into(),
        }
    }

    fn session() -> Session {
        Session {
            node: "gateway-1".into(),
            number: 42,
        }
    }

    #[test]
    fn every_end_has_its_text_and_only_a_disconnect_is_no_failure() {
        for (reason, text, failed) in [
            (EndReason::Disconnect, "Device disconnect", false),
            (EndReason::ConnectionReset, "Connection reset by peer", true),
            (EndReason::KeepaliveTimeout, "Keepalive timeout", true),
            (EndReason::Kicked, "Kicked by the same device", true),
            (
                EndReason::ours("device disabled"),
                "Connection occurs exception",
                true,
            ),
        ] {
            let line = offline_line(&session(), &reason, DateTime::UNIX_EPOCH);
            assert_eq!(
                reason_text(line.reason as u16, &line.reason_args).unwrap(),
                text
            );
            assert_eq!(line.failed, failed, "{text}");
        }
    }

    #[test]
    fn a_cause_of_ours_is_in_the_detail() {
        let line = offline_line(
            &session(),
            &EndReason::ours("gateway node lost"),
            DateTime::UNIX_EPOCH,
        );
        assert_eq!(
            line.detail,
            r#"{"cause":"gateway node lost","node":"gateway-1","session":42}"#
        );
    }

    #[test]
    fn many_tidings_are_few_rows() {
        let mut tidings = Tidings::default();
        for _ in 0..1000 {
            tidings.offline(
                device(),
                &session(),
                &EndReason::Disconnect,
                DateTime::UNIX_EPOCH,
            );
        }
        tidings.close(device(), &session(), Why::Disabled, DateTime::UNIX_EPOCH);
        assert_eq!(tidings.into_rows().len(), 2 * 1000 / ITEMS + 1);
    }
}
