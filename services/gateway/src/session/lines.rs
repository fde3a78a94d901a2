//! The log lines that the door writes itself.

use alink::{
    MessageId,
    log::{Content, Reason},
};
use bus::log::{Line, line, part};
use proto::hoshu::bus::v1::{DeviceRef, LogEntry, LogLine};
use serde_json::json;

use crate::domain::{rate::Over, refused::Refused};

/// Bytes of a refused topic that its line shows. It may have 65,535, and a line has it twice.
const TOPIC_SHOWN: usize = 256;

/// A PUBLISH as its lines name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) topic: &'a str,
    pub(super) qos: u8,
    pub(super) packet_id: u16,
}

impl Named<'_> {
    fn line(&self, now: i64) -> LogLine {
        let content = Content::DevicePublish {
            topic: self.topic,
            qos: self.qos,
            protocol_message_id: self.packet_id,
        };
        line(now, &content)
    }

    fn detail(&self, extra: serde_json::Value) -> String {
        let mut detail =
            json!({"topic": self.topic, "qos": self.qos, "protocolMessageId": self.packet_id});
        if let (Some(detail), serde_json::Value::Object(extra)) = (detail.as_object_mut(), extra) {
            detail.extend(extra);
        }
        detail.to_string()
    }
}

pub(super) fn entry(id: MessageId, device: DeviceRef, lines: Vec<LogLine>) -> LogEntry {
    LogEntry {
        message_id: id.to_bytes().to_vec().into(),
        part: part::DOOR,
        device: Some(device),
        lines,
    }
}

/// A message that was carried but that nobody handles.
pub(super) fn carried(now: i64, publish: Named<'_>) -> LogLine {
    publish.line(now).with_detail(publish.detail(json!({})))
}

pub(super) fn answered(now: i64, topic: &str) -> LogLine {
    let detail = json!({"topic": topic, "qos": 0, "protocolMessageId": 0});
    line(now, &Content::PublishToDevice { qos: 0 }).with_detail(detail.to_string())
}

pub(super) fn refused(now: i64, publish: Named<'_>, why: Refused, over: Option<Over>) -> LogLine {
    let over = over.unwrap_or(Over {
        limit: 0,
        current: 0,
    });
    let end = publish.topic.floor_char_boundary(TOPIC_SHOWN);
    let publish = Named {
        topic: &publish.topic[..end],
        ..publish
    };
    publish
        .line(now)
        .because(&reason(why, over))
        .with_detail(publish.detail(json!({"refused": why.as_str()})))
}

/// The refusals that followed the first in its second.
pub(super) fn joined(now: i64, why: Refused, count: u32, limit: u32) -> LogLine {
    let over = Over {
        limit,
        current: count.saturating_add(limit),
    };
    let content = Content::DevicePublish {
        topic: "",
        qos: 0,
        protocol_message_id: 0,
    };
    line(now, &content)
        .because(&reason(why, over))
        .with_detail(json!({"refused": why.as_str(), "count": count}).to_string())
}

fn reason(why: Refused, over: Over) -> Reason<'static> {
    match why {
        Refused::Rate | Refused::AccountRate => Reason::PublishRate {
            limit: over.limit,
            current: over.current,
        },
        Refused::Topic => Reason::NoAuthorization,
        Refused::TopicTooLong | Refused::Payload => Reason::BadRequest,
    }
}

/// A kept message that goes out now.
pub(super) fn offline(
    now: i64,
    id: bytes::Bytes,
    device: DeviceRef,
    topic: &str,
    packet_id: u16,
) -> LogEntry {
    let detail = json!({"topic": topic, "qos": 1, "protocolMessageId": packet_id});
    let line = line(now, &Content::PublishOffline).with_detail(detail.to_string());
    LogEntry {
        message_id: id,
        part: part::KEPT,
        device: Some(device),
        lines: vec![line],
    }
}
