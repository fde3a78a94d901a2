//! Times of the REST face: RFC 3339, written in UTC with milliseconds.

use chrono::{DateTime, SecondsFormat, Utc};

/// Seconds and nanoseconds since 1970, if the text is a time that `google.protobuf.Timestamp` holds.
pub(super) fn parse(text: &str) -> Option<(i64, i32)> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    // A leap second is counted on in nanoseconds by chrono, which a Timestamp forbids.
    let nanos = i32::try_from(time.timestamp_subsec_nanos())
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    (FIRST..=LAST)
        .contains(&time.timestamp())
        .then_some((time.timestamp(), nanos))
}

/// Nothing for a Timestamp outside its own bounds.
pub(super) fn format(seconds: i64, nanos: i32) -> Option<String> {
    let time = DateTime::<Utc>::from_timestamp(seconds, u32::try_from(nanos).ok()?)?;
    (FIRST..=LAST)
        .contains(&seconds)
        .then(|| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_in_utc_with_milliseconds() {
        for (given, written) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02T11:04:05.5+08:00", "2026-01-02T03:04:05.500Z"),
        ] {
            let (seconds, nanos) = parse(given).unwrap();
            assert_eq!(format(seconds, nanos).as_deref(), Some(written));
        }
        for bad in [
            "",
            "yesterday",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-13-02T03:04:05Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
