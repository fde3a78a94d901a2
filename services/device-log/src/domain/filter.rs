//! Which lines a question is about.

use alink::{DeviceName, MessageId, ProductKey};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Entry, Kind, Line, Marks};

/// How long after its message's own time a line is an ordinary one. A command's answer
/// or a backlog after an outage comes later; such lines are strays.
const LATE: TimeDelta = TimeDelta::seconds(60);
/// How far before: the clocks of two nodes are never quite the same.
const EARLY: TimeDelta = TimeDelta::seconds(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) product: ProductKey,
    pub(crate) device: Option<DeviceName>,
    /// Finds all lines that carry this id: a command's answers carry the command's.
    pub(crate) message_id: Option<MessageId>,
    pub(crate) marks: Marks,
    pub(crate) times: Times,
}

/// A span of line times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(crate) to: Option<DateTime<Utc>>,
}

impl Filter {
    /// `kinds` empty and `failed` absent mean all.
    pub(crate) fn new(
        product: ProductKey,
        device: Option<DeviceName>,
        message_id: Option<MessageId>,
        (kinds, failed): (&[Kind], Option<bool>),
        times: Times,
    ) -> Self {
        let marks = Marks::wanted(kinds, failed);
        // An activity line is of no message: the id it is kept under is not a message's.
        let marks = if message_id.is_some() {
            marks.without(Kind::Activity)
        } else {
            marks
        };
        Self {
            product,
            device,
            message_id,
            marks,
            times,
        }
    }

    pub(crate) fn is_about(&self, entry: &Entry) -> bool {
        let device = &entry.device;
        device.product_key == self.product
            && self
                .device
                .as_ref()
                .is_none_or(|name| *name == device.device_name)
            && self.message_id.is_none_or(|id| id == entry.message_id)
    }

    pub(crate) fn takes(&self, line: &Line) -> bool {
        self.marks.takes(line) && self.times.contain(line.time)
    }
}

impl Times {
    pub(crate) fn contain(self, time: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }

    /// Message ids (from, to exclusive) of all entries, strays apart, with a line in this span.
    pub(crate) fn message_ids(self) -> (Option<Uuid>, Option<Uuid>) {
        let shifted = |time: Option<DateTime<Utc>>, by: TimeDelta| {
            time.map(|time| {
                first_id_at(
                    time.timestamp_millis()
                        .saturating_add(by.num_milliseconds()),
                )
            })
        };
        (shifted(self.from, -LATE), shifted(self.to, EARLY))
    }
}

/// A line of the entry is so far from the time of its message that a search by time,
/// which looks at message ids first, would miss it.
pub(crate) fn is_stray(entry: &Entry) -> bool {
    let (first, last) = entry.span();
    let sent = entry.message_id.time_ms();
    first.timestamp_millis() < sent.saturating_sub(EARLY.num_milliseconds())
        || last.timestamp_millis() > sent.saturating_add(LATE.num_milliseconds())
}

/// The lowest id of a message made at `ms` (UTC milliseconds) or later.
pub(crate) fn first_id_at(ms: i64) -> Uuid {
    let ms = u128::try_from(ms).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(ms << 80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::entry::tests::any_entry;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(ms).unwrap()
    }

    proptest! {
        #[test]
        fn a_search_by_time_misses_no_line(
            mut entry in any_entry(),
            offset in -120_000..120_000_i64,
            from in -120_000..120_000_i64,
            length in 0..120_000_i64,
        ) {
            let sent = entry.message_id.time_ms();
            entry.lines.truncate(1);
            entry.lines[0].time = at(sent + offset);
            let times = Times { from: Some(at(sent + from)), to: Some(at(sent + from + length)) };
            let (Some(low), Some(high)) = times.message_ids() else { unreachable!() };
            let found = is_stray(&entry) || (low..high).contains(&entry.message_id.uuid());
            prop_assert!(found || !times.contain(entry.lines[0].time));
        }
    }

    #[test]
    fn a_span_holds_its_first_moment_and_not_its_last() {
        let times = Times {
            from: Some(at(10)),
            to: Some(at(20)),
        };
        assert!(times.contain(at(10)) && times.contain(at(19)));
        assert!(!times.contain(at(9)) && !times.contain(at(20)));
        assert!(Times::default().contain(at(0)));
    }

    #[test]
    fn the_first_id_of_a_moment_is_under_all_of_its_ids() {
        for ms in [0, 1, 1_800_000_000_000, (1 << 48) - 1] {
            let first = first_id_at(ms);
            assert!(first < MessageId::at(ms, [0; 10]).uuid());
            assert!(ms == 0 || MessageId::at(ms - 1, [255; 10]).uuid() < first);
        }
        assert_eq!(first_id_at(-1), Uuid::nil());
        assert_eq!(first_id_at(i64::MAX), first_id_at((1 << 48) - 1));
    }
}
