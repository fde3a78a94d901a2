//! The platform's own id of a message: the log's MessageID and the trace's key.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};
use uuid::{Builder, Uuid, Variant};

use super::BadName;

/// A UUIDv7: ids made later sort later, and the day of a message is read from its id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MessageId(Uuid);

/// The bits behind a UUID's variant: 62 of them, so that counting on never comes round.
const COUNTER: u128 = (1 << 62) - 1;

impl MessageId {
    /// `unix_ms` in UTC milliseconds (before 1970 counts as 1970); `random` fills the rest.
    pub fn at(unix_ms: i64, random: [u8; 10]) -> Self {
        let millis = u64::try_from(unix_ms).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The id of what comes after this one: it sorts later, also within the millisecond, and when
    /// the clock was set back.
    #[must_use]
    pub fn next_at(self, unix_ms: i64, random: [u8; 10]) -> Self {
        let fresh = Self::at(unix_ms, random);
        if fresh.time_ms() > self.time_ms() {
            return fresh;
        }
        let last = self.0.as_u128();
        Self(Uuid::from_u128(
            (last & !COUNTER) | (last.wrapping_add(1) & COUNTER),
        ))
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, BadName> {
        Self::checked(Uuid::from_bytes(bytes))
    }

    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// When it was made, in UTC milliseconds.
    pub fn time_ms(self) -> i64 {
        i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX)
    }

    fn checked(uuid: Uuid) -> Result<Self, BadName> {
        (uuid.get_version_num() == 7 && uuid.get_variant() == Variant::RFC4122)
            .then_some(Self(uuid))
            .ok_or(BadName::MessageId)
    }
}

impl TryFrom<&[u8]> for MessageId {
    type Error = BadName;

    fn try_from(bytes: &[u8]) -> Result<Self, BadName> {
        Self::from_bytes(bytes.try_into().map_err(|_| BadName::MessageId)?)
    }
}

impl TryFrom<Uuid> for MessageId {
    type Error = BadName;

    fn try_from(uuid: Uuid) -> Result<Self, BadName> {
        Self::checked(uuid)
    }
}

impl FromStr for MessageId {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        // The parser also takes braces, URNs and bare digits; one id has one text.
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return Err(BadName::MessageId);
        }
        Self::checked(text.parse().map_err(|_| BadName::MessageId)?)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::checked(Uuid::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_keeps_its_time_and_its_text(ms in 0..(1_i64 << 48), random: [u8; 10]) {
            let id = MessageId::at(ms, random);
            prop_assert_eq!(id.time_ms(), ms);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(MessageId::from_bytes(id.to_bytes()), Ok(id));
            prop_assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        }
    }

    #[test]
    fn what_comes_after_sorts_after() {
        let first = MessageId::at(1_700_000_000_000, [200; 10]);
        let mut last = first;
        for ms in [1_700_000_000_000, 1_700_000_000_000, 1_699_999_999_999] {
            let next = last.next_at(ms, [0; 10]);
            assert!(next > last && next.time_ms() == first.time_ms());
            assert_eq!(MessageId::from_bytes(next.to_bytes()), Ok(next));
            last = next;
        }
        assert_eq!(
            last.next_at(1_700_000_000_001, [9; 10]),
            MessageId::at(1_700_000_000_001, [9; 10])
        );
    }

    #[test]
    fn ids_sort_by_time() {
        assert!(MessageId::at(1, [255; 10]) < MessageId::at(2, [0; 10]));
    }

    #[test]
    fn other_uuids_and_other_spellings_are_refused() {
        let id = MessageId::at(1_700_000_000_000, [7; 10]);
        for bad in [
            "67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned(),
            format!("{{{id}}}"),
            id.to_string().replace('-', ""),
            String::new(),
        ] {
            assert_eq!(bad.parse::<MessageId>(), Err(BadName::MessageId), "{bad}");
        }
        assert_eq!(MessageId::try_from(&[0_u8; 3][..]), Err(BadName::MessageId));
    }
}
