//! The platform's time, asked for without an envelope.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Bytes of the device's own time as it stands in JSON, at most; milliseconds need 15.
const SENT_BYTES: usize = 32;

/// The answer to `{"deviceSendTime":…}`: the same, with our two times in UTC milliseconds as text.
/// Nothing if the question cannot be read; it is then left unanswered.
pub fn answer(payload: &[u8], received_ms: i64, sent_ms: i64) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Asked<'a> {
        #[serde(borrow, rename = "deviceSendTime")]
        sent: &'a RawValue,
    }
    let asked: Asked<'_> = serde_json::from_slice(payload).ok()?;
    let sent = asked.sent.get();
    let is_time = matches!(sent.as_bytes().first(), Some(b'"' | b'-' | b'0'..=b'9'));
    if sent.len() > SENT_BYTES || !is_time {
        return None;
    }
    let mut answer = String::with_capacity(128);
    write!(
        answer,
        r#"{{"deviceSendTime":{sent},"serverRecvTime":"{received_ms}","serverSendTime":"{sent_ms}"}}"#
    )
    .ok()?;
    Some(answer.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_devices_time_comes_back_beside_ours() {
        for sent in ["\"1700000000000\"", "1700000000000"] {
            let answer = answer(
                format!("{{\"deviceSendTime\":{sent},\"x\":1}}").as_bytes(),
                5,
                6,
            )
            .unwrap();
            assert_eq!(
                String::from_utf8(answer).unwrap(),
                format!(
                    "{{\"deviceSendTime\":{sent},\"serverRecvTime\":\"5\",\"serverSendTime\":\"6\"}}"
                )
            );
        }
    }

    #[test]
    fn what_asks_nothing_is_not_answered() {
        for bad in [
            "",
            "{}",
            "5",
            "{\"deviceSendTime\":{}}",
            "{\"deviceSendTime\":[1]}",
            "{\"deviceSendTime\":null}",
        ] {
            assert_eq!(answer(bad.as_bytes(), 0, 0), None, "{bad}");
        }
        let long = format!("{{\"deviceSendTime\":\"{}\"}}", "1".repeat(100));
        assert_eq!(answer(long.as_bytes(), 0, 0), None);
    }
}
