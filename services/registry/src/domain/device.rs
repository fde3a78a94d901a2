//! What a device is, as people see it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::shown;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    /// Never connected.
    Inactive,
    Online,
    Offline,
    Disabled,
}

/// A device without its secret; serialized as the audit trail shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    #[serde(skip)]
    pub(crate) id: i64,
    pub(crate) product_key: String,
    pub(crate) device_name: String,
    pub(crate) iot_id: String,
    pub(crate) status: Status,
    #[serde(serialize_with = "shown::time")]
    pub(crate) created_at: DateTime<Utc>,
    #[serde(serialize_with = "shown::time_if_any")]
    pub(crate) activated_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "shown::time_if_any")]
    pub(crate) last_online_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "shown::time_if_any")]
    pub(crate) last_offline_at: Option<DateTime<Utc>>,
    pub(crate) client_address: Option<String>,
}

/// The status of a device that was `activated` and is `connected`, or is not.
pub(crate) fn status(disabled: bool, activated: bool, connected: bool) -> Status {
    match (disabled, connected, activated) {
        (true, _, _) => Status::Disabled,
        (_, true, _) => Status::Online,
        (_, _, true) => Status::Offline,
        _ => Status::Inactive,
    }
}

/// The names that begin with `prefix` are those from the first up to, not including, the second text, in the order
/// of their bytes. Nothing if no name can begin so.
pub(crate) fn names_with(prefix: &str) -> Option<(String, String)> {
    let possible = prefix.len() <= *alink::limits::DEVICE_NAME_CHARS.end()
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_@.:".contains(&byte));
    // DEL sorts behind everything that a name may hold.
    possible.then(|| (prefix.to_owned(), format!("{prefix}\u{7f}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disabled_hides_all_else_and_inactive_means_never_connected() {
        for (disabled, activated, connected, expected) in [
            (false, false, false, Status::Inactive),
            (false, true, false, Status::Offline),
            (false, true, true, Status::Online),
            (true, true, false, Status::Disabled),
            (true, false, false, Status::Disabled),
        ] {
            assert_eq!(status(disabled, activated, connected), expected);
        }
    }

    #[test]
    fn the_audit_trail_shows_times_as_rest_does() {
        let at = DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
        let device = Device {
            id: 1,
            product_key: "pk".into(),
            device_name: "pump-01".into(),
            iot_id: "iot".into(),
            status: Status::Online,
            created_at: at,
            activated_at: Some(at),
            last_online_at: Some(at),
            last_offline_at: None,
            client_address: None,
        };
        let shown = serde_json::to_value(&device).unwrap();
        for member in ["createdAt", "activatedAt", "lastOnlineAt"] {
            assert_eq!(shown[member], "2023-11-14T22:13:20.123Z", "{member}");
        }
        assert_eq!(shown["lastOfflineAt"], serde_json::Value::Null);
    }

    #[test]
    fn a_prefix_bounds_the_names_that_begin_with_it() {
        let (from, to) = names_with("pump-").unwrap();
        for (name, inside) in [
            ("pump-", true),
            ("pump-1", true),
            ("pump-zzz", true),
            ("pump", false),
            ("pump.1", false),
            ("qump-1", false),
        ] {
            assert_eq!(
                (from.as_str()..to.as_str()).contains(&name),
                inside,
                "{name}"
            );
        }
        assert_eq!(names_with("a%"), None);
        assert_eq!(names_with("é"), None);
        assert_eq!(names_with(&"x".repeat(33)), None);
        assert!(names_with("").is_some());
    }
}
