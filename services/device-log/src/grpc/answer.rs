//! A line as people read it: its numbers become the texts of `alink`.

use alink::{codes, log};
use prost_types::Timestamp;
use proto::hoshu::devicelog::v1::{self as wire, line};

use crate::domain::{Found, Kind, Line, Text};

pub(super) fn line(found: Found) -> wire::Line {
    let Found {
        position,
        device,
        line,
    } = found;
    let reason = reason(&line);
    wire::Line {
        id: position.line_id(),
        time: Some(Timestamp {
            seconds: line.time.timestamp(),
            nanos: line.time.timestamp_subsec_nanos() as i32,
        }),
        r#type: kind(line.kind).into(),
        device_name: device.to_string(),
        // An activity line is of no message; the id that its emitter made is only its key.
        message_id: if line.kind == Kind::Activity {
            String::new()
        } else {
            position.message_id.to_string()
        },
        content: text(&line.content, log::content_text),
        status: if line.failed {
            line::Status::Failure
        } else {
            line::Status::Success
        }
        .into(),
        code: (line.kind == Kind::Tsl || line.code != 0).then_some(line.code),
        reason,
        detail: if line.detail.is_empty() {
            "{}".to_owned()
        } else {
            line.detail
        },
    }
}

fn kind(kind: Kind) -> line::Type {
    match kind {
        Kind::Activity => line::Type::Activity,
        Kind::Upstream => line::Type::Upstream,
        Kind::Downstream => line::Type::Downstream,
        Kind::Tsl => line::Type::Tsl,
    }
}

/// A failure that gives no reason in words is told by its code's.
fn reason(line: &Line) -> String {
    match &line.reason {
        Some(reason) => text(reason, log::reason_text),
        None if !line.failed => String::new(),
        None => codes::lookup(line.code).map_or_else(
            || format!("the device's own code {}", line.code),
            |entry| entry.title.to_owned(),
        ),
    }
}

/// While releases change, a line can be newer than the words known here: then its values are shown.
fn text(text: &Text, words: fn(u16, &[String]) -> Option<String>) -> String {
    u16::try_from(text.number)
        .ok()
        .and_then(|number| words(number, &text.args))
        .unwrap_or_else(|| format!("text {}: {}", text.number, text.args.join(", ")))
}

#[cfg(test)]
mod tests {
    use alink::log::{Content, Reason};
    use alink::{Device, MessageId};
    use chrono::DateTime;

    use super::*;
    use crate::domain::Position;

    fn shown(change: impl FnOnce(&mut Line)) -> wire::Line {
        let content = Content::DevicePublish {
            topic: "/a/b",
            qos: 1,
            protocol_message_id: 7,
        };
        let mut line = Line {
            kind: Kind::Upstream,
            failed: false,
            time: DateTime::from_timestamp_millis(1_800_000_000_123).unwrap(),
            content: Text {
                number: content.number().into(),
                args: content.values().into_iter().map(Into::into).collect(),
            },
            reason: None,
            code: 0,
            detail: String::new(),
        };
        change(&mut line);
        let position = Position {
            message_id: MessageId::at(1_800_000_000_000, [0; 10]),
            part: 2,
            index: 3,
        };
        super::line(Found {
            position,
            device: Device::parse("a1", "pump").unwrap().device_name,
            line,
        })
    }

    #[test]
    fn a_line_is_shown_in_the_words_of_the_reference() {
        let line = shown(|_| ());
        assert_eq!(line.id, format!("{}-2-3", line.message_id));
        assert_eq!(
            line.time,
            Some(Timestamp {
                seconds: 1_800_000_000,
                nanos: 123_000_000
            })
        );
        assert_eq!(
            line.content,
            "Device publish message to topic:/a/b,QoS=1,protocolMessageId:7"
        );
        assert_eq!(
            (line.code, line.reason.as_str(), line.detail.as_str()),
            (None, "", "{}")
        );

        let refused = shown(|line| {
            line.failed = true;
            line.reason = Some(Text {
                number: Reason::NoAuthorization.number().into(),
                args: Vec::new(),
            });
        });
        assert_eq!(refused.reason, "No authorization");
    }

    #[test]
    fn a_tsl_line_always_has_a_code_and_a_failed_one_its_meaning() {
        assert_eq!(shown(|line| line.kind = Kind::Tsl).code, Some(0));
        let failed = |code| {
            shown(|line| {
                line.kind = Kind::Tsl;
                line.failed = true;
                line.code = code;
            })
        };
        assert_eq!(failed(6306).reason, codes::lookup(6306).unwrap().title);
        assert_eq!(failed(100_123).reason, "the device's own code 100123");
    }

    #[test]
    fn an_activity_line_shows_no_message_id_and_a_text_of_tomorrow_its_values() {
        let line = shown(|line| {
            line.kind = Kind::Activity;
            line.content = Text {
                number: 65_000,
                args: vec!["x".into(), "y".into()],
            };
        });
        assert_eq!(line.message_id, "");
        assert_eq!(line.content, "text 65000: x, y");
    }
}
