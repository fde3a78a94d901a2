//! What is asked, in the words of the domain; every fault is told at once.

use alink::ProductKey;
use chassis::{Fault, Refusal};
use chrono::{DateTime, Utc};
use proto::hoshu::devicelog::v1::{ListLogsRequest, line};

use crate::domain::{Filter, Kind, Position, Times};

pub(super) fn position(cursor: Option<&[u8]>) -> Result<Option<Position>, Refusal> {
    let Some(bytes) = cursor else {
        return Ok(None);
    };
    Position::from_bytes(bytes).map(Some).ok_or_else(|| {
        Refusal::invalid("/pageToken", "not a token that this list has answered with")
    })
}

pub(super) fn filter(product: ProductKey, request: &ListLogsRequest) -> Result<Filter, Refusal> {
    let mut faults = Vec::new();
    let device = read(
        &mut faults,
        "/deviceName",
        request.device_name.as_deref(),
        |name| name.parse(),
    );
    let message_id = read(
        &mut faults,
        "/messageId",
        request.message_id.as_deref(),
        |id| id.parse(),
    );
    let failed = read(&mut faults, "/status", request.status, failed);
    let from = read(&mut faults, "/from", request.from.as_ref(), time);
    let to = read(&mut faults, "/to", request.to.as_ref(), time);
    let kinds: Vec<_> = request
        .r#type
        .iter()
        .filter_map(|kind| read(&mut faults, "/type", Some(*kind), self::kind))
        .collect();
    if !faults.is_empty() {
        return Err(Refusal::faults(faults));
    }
    Ok(Filter::new(
        product,
        device,
        message_id,
        (&kinds, failed),
        Times { from, to },
    ))
}

fn read<A, B, E: ToString>(
    faults: &mut Vec<Fault>,
    pointer: &str,
    asked: Option<A>,
    parse: impl FnOnce(A) -> Result<B, E>,
) -> Option<B> {
    parse(asked?)
        .map_err(|error| faults.push(Fault::new(pointer, error.to_string())))
        .ok()
}

fn kind(number: i32) -> Result<Kind, &'static str> {
    match line::Type::try_from(number) {
        Ok(line::Type::Activity) => Ok(Kind::Activity),
        Ok(line::Type::Upstream) => Ok(Kind::Upstream),
        Ok(line::Type::Downstream) => Ok(Kind::Downstream),
        Ok(line::Type::Tsl) => Ok(Kind::Tsl),
        Ok(line::Type::Unspecified) | Err(_) => Err("one of ACTIVITY, UPSTREAM, DOWNSTREAM, TSL"),
    }
}

fn failed(number: i32) -> Result<bool, &'static str> {
    match line::Status::try_from(number) {
        Ok(line::Status::Success) => Ok(false),
        Ok(line::Status::Failure) => Ok(true),
        Ok(line::Status::Unspecified) | Err(_) => Err("SUCCESS or FAILURE"),
    }
}

/// Lines have whole milliseconds: a finer bound is rounded up, which asks for the same lines.
fn time(asked: &prost_types::Timestamp) -> Result<DateTime<Utc>, &'static str> {
    let nanos = u32::try_from(asked.nanos).map_err(|_| NO_TIME)?;
    let up = i64::from(nanos.div_ceil(1_000_000));
    let ms = asked
        .seconds
        .checked_mul(1_000)
        .and_then(|ms| ms.checked_add(up))
        .ok_or(NO_TIME)?;
    TIMES
        .contains(&ms)
        .then(|| DateTime::from_timestamp_millis(ms))
        .flatten()
        .ok_or(NO_TIME)
}

const NO_TIME: &str = "not a time of the years 1 to 9999";
/// What a protobuf timestamp may be, in UTC milliseconds.
const TIMES: std::ops::Range<i64> = -62_135_596_800_000..253_402_300_800_000;

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn every_fault_of_a_question_is_told() {
        let request = ListLogsRequest {
            device_name: Some("a/b".into()),
            message_id: Some("1234".into()),
            status: Some(0),
            r#type: vec![line::Type::Tsl.into(), 77],
            from: Some(Timestamp {
                seconds: i64::MAX,
                nanos: 0,
            }),
            to: Some(Timestamp {
                seconds: 0,
                nanos: -1,
            }),
            ..ListLogsRequest::default()
        };
        let refusal = filter("a1".parse().unwrap(), &request).unwrap_err();
        let pointers: Vec<_> = refusal
            .errors
            .iter()
            .map(|fault| fault.pointer.as_str())
            .collect();
        assert_eq!(
            pointers,
            [
                "/deviceName",
                "/messageId",
                "/status",
                "/from",
                "/to",
                "/type"
            ]
        );
    }

    #[test]
    fn a_bound_between_milliseconds_asks_for_the_lines_after_it() {
        let at = |nanos| {
            time(&Timestamp { seconds: 1, nanos })
                .unwrap()
                .timestamp_millis()
        };
        assert_eq!(
            [at(0), at(1), at(1_000_000), at(999_999_999)],
            [1_000, 1_001, 1_001, 2_000]
        );
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        assert_eq!(
            position(Some(b"zzz")).unwrap_err().errors[0].pointer,
            "/pageToken"
        );
        assert_eq!(position(None), Ok(None));
    }
}
