//! What one emitter tells of one message.

use alink::{Device, MessageId};
use chrono::{DateTime, Utc};

/// The lines of one message by one emitter; told again it is the same entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// A line of no message (ACTIVITY) has an id of its own, made by its emitter.
    pub(crate) message_id: MessageId,
    /// Tells the emitters of one message's lines apart; at most `i32::MAX`.
    pub(crate) part: u32,
    pub(crate) device: Device,
    /// At least one, in the order in which things happened.
    pub(crate) lines: Vec<Line>,
}

/// One line, its words as numbers: they are put into words when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    pub(crate) failed: bool,
    pub(crate) time: DateTime<Utc>,
    pub(crate) content: Text,
    pub(crate) reason: Option<Text>,
    /// 0: none, except on a TSL line, where it is what the device said.
    pub(crate) code: u32,
    /// A JSON object; empty: none.
    pub(crate) detail: String,
}

/// A text of `alink::log` by its number, and what fills its braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) number: u32,
    pub(crate) args: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Activity,
    Upstream,
    Downstream,
    Tsl,
}

/// What is told cannot be kept as a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEntry {
    #[error(transparent)]
    Name(#[from] alink::names::BadName),
    #[error("it names no device")]
    NoDevice,
    #[error("part {0} is over {max}", max = i32::MAX)]
    Part(u32),
    #[error("it has no lines")]
    NoLines,
    #[error("line {index} has no known type ({kind})")]
    Kind { index: usize, kind: i32 },
    #[error("line {index} has no possible time ({ms} ms)")]
    Time { index: usize, ms: i64 },
    #[error("{bytes} bytes of lines are over the limit of {limit}")]
    TooLarge { bytes: usize, limit: usize },
}

impl Entry {
    /// Times of its earliest and its latest line.
    pub(crate) fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let times = || self.lines.iter().map(|line| line.time);
        (
            times().min().unwrap_or_default(),
            times().max().unwrap_or_default(),
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Kind {
        pub(crate) const ALL: [Self; 4] =
            [Self::Activity, Self::Upstream, Self::Downstream, Self::Tsl];
    }

    /// Around now, in milliseconds, as every line's time is.
    fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
        (1_700_000_000_000..1_900_000_000_000_i64)
            .prop_map(|ms| DateTime::from_timestamp_millis(ms).unwrap())
    }

    fn any_text() -> impl Strategy<Value = Text> {
        (1..100_u32, prop::collection::vec(".{0,8}", 0..3))
            .prop_map(|(number, args)| Text { number, args })
    }

    pub(crate) fn any_line() -> impl Strategy<Value = Line> {
        let kind = prop::sample::select(Kind::ALL.to_vec());
        let words = (
            any_text(),
            prop::option::of(any_text()),
            any::<u32>(),
            ".{0,20}",
        );
        (kind, any::<bool>(), any_time(), words).prop_map(
            |(kind, failed, time, (content, reason, code, detail))| Line {
                kind,
                failed,
                time,
                content,
                reason,
                code,
                detail,
            },
        )
    }

    pub(crate) fn any_entry() -> impl Strategy<Value = Entry> {
        (
            0..4_i64,
            any::<[u8; 1]>(),
            0..3_u32,
            "[a-z]{4,8}",
            prop::collection::vec(any_line(), 1..5),
        )
            .prop_map(|(ms, random, part, name, lines)| Entry {
                message_id: MessageId::at(1_800_000_000_000 + ms, [random[0]; 10]),
                part,
                device: Device::parse("a1B2c3D4e5F", &name).unwrap(),
                lines,
            })
    }
}
