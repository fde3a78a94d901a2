use alink::log::reason_text;
use serde_json::{Value, json};

use super::*;
use thing_model::Fault;

fn outcome(kind: Kind) -> DownOutcome {
    DownOutcome {
        kind: kind.into(),
        limit: 50,
        current: 61,
        topic: "/a/b".into(),
        qos: 1,
        packet_id: 9,
    }
}

fn reason(line: &LogLine) -> Option<String> {
    reason_text(line.reason as u16, &line.reason_args).filter(|_| line.reason != 0)
}

fn detail(line: &LogLine) -> Value {
    serde_json::from_str(&line.detail).expect("a detail is JSON")
}

#[test]
fn a_delivery_is_told_by_its_outcome() {
    let table = [
        (Kind::Pubacked, None),
        (Kind::Written, None),
        (Kind::Queued, None),
        (Kind::NotSubscribed, Some("No authorization")),
        (
            Kind::TooManyUnacknowledged,
            Some("IoT Hub cannot publish messages"),
        ),
        (Kind::RateLimited, Some("Rate limit:50,current qps:61")),
        (Kind::Slow, Some("Device cannot receive messages")),
        (Kind::Closed, Some("Device cannot receive messages")),
        (Kind::NotConnected, Some("Device cannot receive messages")),
    ];
    for (kind, text) in table {
        let line = to_device(1, "/a/b", 1, Some(&outcome(kind)));
        assert_eq!(reason(&line).as_deref(), text, "{kind:?}");
        assert_eq!(line.failed, text.is_some());
    }
    assert!(reply(1, "/a/b", 1, Some(&outcome(Kind::NotSubscribed))).is_none());
    assert!(to_device(1, "/a/b", 1, None).failed);
    assert_eq!(
        detail(&to_device(1, "/a/b", 1, Some(&outcome(Kind::Written)))),
        json!({"topic": "/a/b", "qos": 1, "protocolMessageId": 9})
    );
}

#[test]
fn a_synchronous_call_is_told_by_its_outcome() {
    let table = [
        (Kind::Written, None),
        (
            Kind::TooManyUnacknowledged,
            Some("IoT hub cannot publish messages"),
        ),
        (Kind::NotConnected, Some("Response timeout")),
        (Kind::Unspecified, Some("System error")),
    ];
    for (kind, text) in table {
        let line = rrpc(1, "/a/b", Some(&outcome(kind)));
        assert_eq!(reason(&line).as_deref(), text, "{kind:?}");
    }
    assert_eq!(
        detail(&rrpc(1, "/x", Some(&outcome(Kind::Written)))),
        json!({"topic": "/a/b", "qos": 1, "protocolMessageId": 9})
    );
}

#[test]
fn a_detail_is_json_whatever_a_device_writes() {
    let message = UpMessage {
        topic: "/sys/pk/dn/thing/event/a\"b\\\n/post".into(),
        qos: 1,
        packet_id: 7,
        ..UpMessage::default()
    };
    let line = upstream(&message, None);
    assert_eq!(
        detail(&line),
        json!({"topic": message.topic, "qos": 1, "protocolMessageId": 7})
    );
    let said = Said {
        code: 6304,
        id: "\"1\"".into(),
        method: "thing.event.a\"b.post".into(),
        params: Some(r#"{"x": 1}"#),
        data: None,
        errors: vec![Fault {
            pointer: "/x\"".into(),
            code: 6304,
            message: "`\"` \u{1} is strange".into(),
        }],
        version: Some(3),
    };
    let line = tsl(1, Direction::Upstream, "iot", &said, None);
    assert_eq!((line.code, line.failed), (6304, true));
    assert_eq!(
        detail(&line),
        json!({"id": "1", "method": said.method, "direction": "UPSTREAM", "params": {"x": 1}, "tslVersion": 3,
               "errors": [{"pointer": "/x\"", "code": 6304, "message": "`\"` \u{1} is strange"}]})
    );
    assert_eq!(
        line.content_args,
        [r#"{"iotId":"iot","method":"thing.event.a\"b.post","id":"1","params":{"x": 1}}"#]
    );
}

#[test]
fn a_long_message_is_cut_in_the_content_and_whole_in_the_detail() {
    let params = format!(r#"{{"text":"{}"}}"#, "é".repeat(5_000));
    let said = Said {
        code: 200,
        id: "1".into(),
        method: "thing.event.property.post".into(),
        params: Some(&params),
        data: None,
        errors: Vec::new(),
        version: None,
    };
    let line = tsl(1, Direction::Downstream, "iot", &said, None);
    assert!(line.content_args[0].len() < SHOWN + 16);
    assert_eq!(
        detail(&line)["params"]["text"]
            .as_str()
            .unwrap()
            .chars()
            .count(),
        5_000
    );
}

#[test]
fn parts_fit_the_log_and_tell_answers_apart() {
    let ids = [
        Uuid::from_u128(u128::MAX),
        Uuid::from_u128(1),
        Uuid::from_u128(0),
    ];
    let parts = ids.map(part::answer);
    assert!(
        parts
            .iter()
            .all(|part| *part > part::FINISHED && *part <= i32::MAX as u32)
    );
    assert!(parts[0] != parts[1] && parts[1] != parts[2]);
}
