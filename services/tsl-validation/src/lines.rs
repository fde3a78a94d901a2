//! The log lines that this service writes, as `docs/codes.md` says which message makes which.

use std::fmt::Write;

use alink::log::{Content, Reason};
use bus::log::{Line, line};
use proto::hoshu::bus::v1::down_outcome::Kind;
use proto::hoshu::bus::v1::{DownOutcome, LogLine, UpMessage};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::judge::Said;

pub(crate) use bus::log::part;

/// Bytes of a message that a TSL line's content shows; `detail` has it whole.
const SHOWN: usize = 1_024;

/// Which way a TSL line's message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Upstream,
    Downstream,
}

/// The UPSTREAM line of a message that was carried.
pub(crate) fn upstream(message: &UpMessage, answer_id: Option<Uuid>) -> LogLine {
    let packet = u16::try_from(message.packet_id).unwrap_or_default();
    let content = Content::DevicePublish {
        topic: &message.topic,
        qos: message.qos.min(1) as u8,
        protocol_message_id: packet,
    };
    let detail = carried(&message.topic, message.qos, packet, answer_id);
    line(message.received_at, &content).with_detail(detail)
}

/// The TSL line of a message.
pub(crate) fn tsl(
    time: i64,
    direction: Direction,
    iot_id: &str,
    said: &Said<'_>,
    answer: Option<AnswerNote>,
) -> LogLine {
    let shown = shown(iot_id, said);
    let content = match direction {
        Direction::Upstream => Content::Reported { message: &shown },
        Direction::Downstream => Content::Sent { message: &shown },
    };
    line(time, &content)
        .with_code(said.code)
        .with_detail(tsl_detail(direction, said, answer))
}

/// What a TSL line says of an answer beyond what the device said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerNote {
    /// The answer's own message.
    pub id: Uuid,
    /// Nobody waited for it any more.
    pub late: bool,
}

/// The DOWNSTREAM line of a message to a device by what became of it;
/// nothing for a reply that nobody subscribed.
pub(crate) fn reply(
    time: i64,
    topic: &str,
    qos: u32,
    outcome: Option<&DownOutcome>,
) -> Option<LogLine> {
    match outcome.map(DownOutcome::kind) {
        Some(Kind::NotSubscribed) => None,
        _ => Some(to_device(time, topic, qos, outcome)),
    }
}

/// The id of a command as it stands on the wire.
pub(crate) fn command_id(wire_id: u32) -> String {
    format!("\"{wire_id}\"")
}

/// The lines of a command that was to be sent. No outcome: nobody knows it.
pub(crate) fn command(
    time: i64,
    sync: bool,
    topic: &str,
    outcome: Option<&DownOutcome>,
    iot_id: &str,
    said: &Said<'_>,
) -> Vec<LogLine> {
    let sent = match sync {
        true => rrpc(time, topic, outcome),
        false => to_device(time, topic, 1, outcome),
    };
    vec![sent, tsl(time, Direction::Downstream, iot_id, said, None)]
}

/// The DOWNSTREAM line of a set or an asynchronous call, or of a reply. No outcome: nobody knows it.
pub(crate) fn to_device(
    time: i64,
    topic: &str,
    qos: u32,
    outcome: Option<&DownOutcome>,
) -> LogLine {
    let went = outcome.filter(|outcome| !outcome.topic.is_empty());
    let topic = went.map_or(topic, |outcome| outcome.topic.as_str());
    let qos = went.map_or(qos, |outcome| outcome.qos).min(1);
    let kind = outcome.map_or(Kind::Unspecified, DownOutcome::kind);
    let content = match kind {
        Kind::NotSubscribed => Content::PublishToTopic {
            topic,
            protocol_message_id: 0,
        },
        _ => Content::PublishToDevice { qos: qos as u8 },
    };
    let line = line(time, &content).with_detail(carried(topic, qos, packet(outcome), None));
    let (limit, current) = outcome.map_or((0, 0), |outcome| (outcome.limit, outcome.current));
    match kind {
        Kind::Pubacked | Kind::Written | Kind::Queued => line,
        Kind::NotSubscribed => line.because(&Reason::NoAuthorization),
        Kind::TooManyUnacknowledged => line.because(&Reason::HubCannotPublish),
        Kind::RateLimited => line.because(&Reason::SendRate { limit, current }),
        _ => line.because(&Reason::DeviceCannotReceive),
    }
}

/// The DOWNSTREAM line of a synchronous call.
pub(crate) fn rrpc(time: i64, topic: &str, outcome: Option<&DownOutcome>) -> LogLine {
    let went = outcome.filter(|outcome| !outcome.topic.is_empty());
    let topic = went.map_or(topic, |outcome| outcome.topic.as_str());
    let qos = went.map_or(1, |outcome| outcome.qos);
    let detail = carried(topic, qos, packet(outcome), None);
    let line = line(time, &Content::PublishRrpc).with_detail(detail);
    match outcome.map(DownOutcome::kind) {
        Some(Kind::Pubacked | Kind::Written | Kind::Queued) => line,
        Some(Kind::TooManyUnacknowledged | Kind::RateLimited | Kind::Slow) => {
            line.because(&Reason::RrpcCannotPublish)
        }
        Some(Kind::NotConnected | Kind::NotSubscribed | Kind::Closed | Kind::HalfOpen) => {
            line.because(&Reason::ResponseTimeout)
        }
        _ => line.because(&Reason::SystemError),
    }
}

/// The last line of a synchronous call; nothing went wrong if there is no code.
pub(crate) fn rrpc_finished(time: i64, code: Option<alink::log::RrpcCode>) -> LogLine {
    let line = line(time, &Content::RrpcFinished);
    match code {
        Some(code) => line.because(&Reason::Rrpc { code }),
        None => line,
    }
}

/// The packet id that a message to the device went out with; 0 if there is none.
fn packet(outcome: Option<&DownOutcome>) -> u16 {
    outcome.map_or(0, |outcome| {
        outcome.packet_id.try_into().unwrap_or_default()
    })
}

fn carried(topic: &str, qos: u32, packet: u16, answer_id: Option<Uuid>) -> String {
    let mut detail = format!(
        "{{\"topic\":{},\"qos\":{qos},\"protocolMessageId\":{packet}",
        quoted(topic)
    );
    if let Some(id) = answer_id {
        let _ = write!(detail, ",\"answerId\":\"{id}\"");
    }
    detail.push('}');
    detail
}

/// The message with the device's id and its method, cut to what a line shows.
fn shown(iot_id: &str, said: &Said<'_>) -> String {
    let mut text = String::with_capacity(SHOWN + 64);
    let _ = write!(
        text,
        "{{\"iotId\":\"{iot_id}\",\"method\":{},\"id\":{}",
        quoted(&said.method),
        said.id
    );
    for (name, value) in [("params", said.params), ("data", said.data)] {
        let room = SHOWN.saturating_sub(text.len());
        match value {
            Some(value) if value.len() > room => {
                let cut = value.floor_char_boundary(room);
                let _ = write!(text, ",\"{name}\":{}…", &value[..cut]);
            }
            Some(value) => {
                let _ = write!(text, ",\"{name}\":{value}");
            }
            None => {}
        }
    }
    text.push('}');
    text
}

fn tsl_detail(direction: Direction, said: &Said<'_>, answer: Option<AnswerNote>) -> String {
    let size = said.params.map_or(0, str::len) + said.data.map_or(0, str::len) + 192;
    let mut out = String::with_capacity(size);
    let direction = match direction {
        Direction::Upstream => "UPSTREAM",
        Direction::Downstream => "DOWNSTREAM",
    };
    let _ = write!(
        out,
        "{{\"id\":{},\"method\":{},\"direction\":\"{direction}\"",
        said.id,
        quoted(&said.method)
    );
    for (name, value) in [("params", said.params), ("data", said.data)] {
        if let Some(value) = value {
            let _ = write!(out, ",\"{name}\":{value}");
        }
    }
    if let Some(version) = said.version {
        let _ = write!(out, ",\"tslVersion\":{version}");
    }
    if let Some(answer) = answer {
        let _ = write!(out, ",\"answerId\":\"{}\"", answer.id);
        if answer.late {
            out.push_str(",\"late\":true");
        }
    }
    if !said.errors.is_empty() {
        out.push_str(",\"errors\":[");
        for (index, fault) in said.errors.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(
                out,
                "{comma}{{\"pointer\":{},\"code\":{},\"message\":{}}}",
                quoted(&fault.pointer),
                fault.code,
                quoted(&fault.message)
            );
        }
        out.push(']');
    }
    out.push('}');
    out
}

fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    match text.bytes().all(plain) {
        true => format!("\"{text}\""),
        false => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests;
