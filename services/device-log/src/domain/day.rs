//! The days in which entries are kept: each is one partition.

use std::fmt;

use chrono::{DateTime, Days as CalendarDays, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use super::filter::first_id_at;

/// Days made before they come: the service may be away for this long, and what
/// arrives then still finds its day.
const AHEAD: u64 = 3;

/// A day in UTC, by the time in the message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(NaiveDate);

impl Day {
    /// The ids of its messages: from, to exclusive.
    pub(crate) fn bounds(self) -> (Uuid, Uuid) {
        let next = self.0.succ_opt().unwrap_or(NaiveDate::MAX);
        let start = |date: NaiveDate| {
            first_id_at(date.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
        };
        (start(self.0), start(next))
    }

    /// Its table's name without the schema, `entry_20261123`.
    pub(crate) fn table(self) -> String {
        format!("entry_{}", self.0.format("%Y%m%d"))
    }

    pub(crate) fn from_table(name: &str) -> Option<Self> {
        let day = NaiveDate::parse_from_str(name.strip_prefix("entry_")?, "%Y%m%d")
            .ok()
            .map(Self)?;
        (day.table() == name).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is to be done that the days are those that should be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) make: Vec<Day>,
    pub(crate) drop: Vec<Day>,
}

impl Days {
    /// Every day of the kept time and some ahead is to be there; what is wholly older than
    /// `keep_days` goes. A day further ahead stays: it was made by a clock that was later.
    pub(crate) fn due(there: &[Day], now: DateTime<Utc>, keep_days: u16) -> Self {
        let oldest = Day(oldest(now, keep_days).date_naive());
        let today = now.date_naive();
        let newest = today
            .checked_add_days(CalendarDays::new(AHEAD))
            .unwrap_or(today);
        let wanted = oldest
            .0
            .iter_days()
            .take_while(|date| *date <= newest)
            .map(Day);
        Self {
            make: wanted.filter(|day| !there.contains(day)).collect(),
            drop: there.iter().copied().filter(|day| *day < oldest).collect(),
        }
    }
}

/// What happened before is no longer kept.
pub(crate) fn oldest(now: DateTime<Utc>, keep_days: u16) -> DateTime<Utc> {
    now.checked_sub_days(CalendarDays::new(keep_days.into()))
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod tests {
    use alink::MessageId;

    use super::*;

    fn day(text: &str) -> Day {
        Day(text.parse().unwrap())
    }

    #[test]
    fn a_days_bounds_hold_its_ids_and_no_others() {
        for (date, from, to) in [
            (
                "1970-01-01",
                "00000000-0000-0000-0000-000000000000",
                "00000526-5c00-0000-0000-000000000000",
            ),
            (
                "2026-11-23",
                "01a205b3-d000-0000-0000-000000000000",
                "01a20ada-2c00-0000-0000-000000000000",
            ),
            // A leap day.
            (
                "2028-02-29",
                "01ab5614-3400-0000-0000-000000000000",
                "01ab5b3a-9000-0000-0000-000000000000",
            ),
        ] {
            let (low, high) = day(date).bounds();
            assert_eq!(
                (low.to_string().as_str(), high.to_string().as_str()),
                (from, to),
                "{date}"
            );
            let start = i64::try_from(low.as_u128() >> 80).unwrap();
            let (first, last) = (
                MessageId::at(start, [0; 10]),
                MessageId::at(start + 86_399_999, [255; 10]),
            );
            let (before, after) = (
                MessageId::at(start - 1, [255; 10]),
                MessageId::at(start + 86_400_000, [0; 10]),
            );
            assert!(low < first.uuid() && last.uuid() < high, "{date}");
            assert!(
                (start == 0 || before.uuid() < low) && high < after.uuid(),
                "{date}"
            );
        }
    }

    #[test]
    fn a_table_tells_its_day() {
        assert_eq!(day("2026-11-23").table(), "entry_20261123");
        assert_eq!(Day::from_table("entry_20261123"), Some(day("2026-11-23")));
        for other in [
            "entry_other",
            "entry_2026112",
            "entry_20261323",
            "line_20261123",
        ] {
            assert_eq!(Day::from_table(other), None, "{other}");
        }
    }

    #[test]
    fn a_day_is_dropped_when_all_of_it_is_older_than_what_is_kept() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let there = ["2026-11-14", "2026-11-15", "2026-11-16", "2026-12-24"].map(day);
        let due = Days::due(&there, now, 7);
        assert_eq!(due.drop, [day("2026-11-14"), day("2026-11-15")]);
        assert_eq!(due.make.first(), Some(&day("2026-11-17")));
        assert_eq!(due.make.last(), Some(&day("2026-11-26")));
        assert_eq!(due.make.len(), 10);

        let mut done: Vec<Day> = due.make;
        done.push(day("2026-11-16"));
        assert_eq!(Days::due(&done, now, 7), Days::default());
    }
}
