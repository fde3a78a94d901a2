//! `log.*`: lines, told by every service.

use std::sync::Arc;

use alink::{Device, MessageId};
use anyhow::ensure;
use bus::{Bus, inbox};
use chassis::{Chassis, Clock};
use chrono::{DateTime, Utc};
use proto::hoshu::bus::v1::{LogEntry, LogLine, log_line};
use sqlx::PgPool;

use crate::domain::{BadEntry, Entry, Kind, Line, Text};
use crate::metrics::Metrics;
use crate::store::{self, Row};

/// Entries that are read at a stretch: in one process with the door, a large group must not keep devices
/// waiting for their PUBACKs.
const STRETCH: usize = 64;

struct Lines {
    pool: PgPool,
    clock: Clock,
    metrics: Metrics,
}

pub(crate) fn listen(bus: &Bus, chassis: &Chassis, pool: PgPool) {
    let lines = Arc::new(Lines {
        pool,
        clock: chassis.clock().clone(),
        metrics: Metrics::new(chassis),
    });
    bus.consume(inbox::DEVICELOG, move |entries| {
        let lines = Arc::clone(&lines);
        async move { lines.keep(entries).await }
    });
}

impl Lines {
    /// Keeps what can be kept. What cannot fails the whole, so that the bus tells it again
    /// entry by entry and parks it; the others are there already by then, and stay once each.
    #[tracing::instrument(name = "devicelog.inbox.lines", skip_all, fields(batch.len = entries.len()))]
    async fn keep(&self, entries: Vec<LogEntry>) -> anyhow::Result<()> {
        let lines = entries.iter().map(|entry| entry.lines.len() as u64).sum();
        let mut rows = Vec::with_capacity(entries.len());
        let mut newest = DateTime::<Utc>::MIN_UTC;
        let mut bad = Vec::new();
        for (number, entry) in entries.into_iter().enumerate() {
            if number % STRETCH == 0 {
                tokio::task::yield_now().await;
            }
            let row = read_entry(entry).and_then(|entry| {
                newest = newest.max(entry.span().1);
                Row::try_from(entry)
            });
            match row {
                Ok(row) => rows.push(row),
                Err(error) => bad.push(error),
            }
        }
        if !rows.is_empty() {
            let written = store::write(&self.pool, rows).await?;
            let lag = (self.clock.now() - newest).as_seconds_f64();
            self.metrics.kept(lines, written, lag);
        }
        ensure!(
            bad.is_empty(),
            "{} entries cannot be kept, the first: {}",
            bad.len(),
            bad[0]
        );
        Ok(())
    }
}

pub(crate) fn read_entry(entry: LogEntry) -> Result<Entry, BadEntry> {
    let device = entry.device.ok_or(BadEntry::NoDevice)?;
    if entry.lines.is_empty() {
        return Err(BadEntry::NoLines);
    }
    let lines: Result<_, _> = entry.lines.into_iter().enumerate().map(read_line).collect();
    Ok(Entry {
        message_id: MessageId::try_from(entry.message_id.as_ref())?,
        part: entry.part,
        device: Device::parse(&device.product_key, &device.device_name)?,
        lines: lines?,
    })
}

fn read_line((index, line): (usize, LogLine)) -> Result<Line, BadEntry> {
    let kind = match line.kind() {
        log_line::Kind::Activity => Kind::Activity,
        log_line::Kind::Upstream => Kind::Upstream,
        log_line::Kind::Downstream => Kind::Downstream,
        log_line::Kind::Tsl => Kind::Tsl,
        log_line::Kind::Unspecified => {
            return Err(BadEntry::Kind {
                index,
                kind: line.kind,
            });
        }
    };
    Ok(Line {
        kind,
        failed: line.failed,
        time: possible_time(line.time).ok_or(BadEntry::Time {
            index,
            ms: line.time,
        })?,
        content: Text {
            number: line.content,
            args: line.content_args,
        },
        reason: (line.reason != 0).then_some(Text {
            number: line.reason,
            args: line.reason_args,
        }),
        code: line.code,
        detail: line.detail,
    })
}

/// From 1970 on, up to the year 9999: what people and the store can be shown.
fn possible_time(ms: i64) -> Option<DateTime<Utc>> {
    (0..253_402_300_800_000)
        .contains(&ms)
        .then(|| DateTime::from_timestamp_millis(ms))
        .flatten()
}

#[cfg(test)]
mod tests {
    use proto::hoshu::bus::v1::DeviceRef;

    use super::*;

    fn told() -> LogEntry {
        LogEntry {
            message_id: MessageId::at(1_800_000_000_000, [1; 10])
                .to_bytes()
                .to_vec()
                .into(),
            part: 1,
            device: Some(DeviceRef {
                product_key: "a1B2".into(),
                device_name: "pump".into(),
                ..DeviceRef::default()
            }),
            lines: vec![LogLine {
                kind: log_line::Kind::Tsl.into(),
                time: 1_800_000_000_000,
                content: 400,
                ..LogLine::default()
            }],
        }
    }

    fn with(change: impl FnOnce(&mut LogEntry)) -> Result<Row, BadEntry> {
        let mut entry = told();
        change(&mut entry);
        read_entry(entry).and_then(Row::try_from)
    }

    #[test]
    fn an_entry_that_cannot_be_kept_says_why() {
        assert!(with(|_| ()).is_ok());
        let id = BadEntry::Name(alink::names::BadName::MessageId);
        assert_eq!(with(|entry| entry.message_id.clear()).unwrap_err(), id);
        assert_eq!(
            with(|entry| entry.message_id = vec![7; 16].into()).unwrap_err(),
            id
        );
        assert_eq!(
            with(|entry| entry.device = None).unwrap_err(),
            BadEntry::NoDevice
        );
        assert_eq!(
            with(|entry| entry.lines.clear()).unwrap_err(),
            BadEntry::NoLines
        );
        assert_eq!(
            with(|entry| entry.part = u32::MAX).unwrap_err(),
            BadEntry::Part(u32::MAX)
        );
        assert_eq!(
            with(|entry| entry.lines[0].kind = 9).unwrap_err(),
            BadEntry::Kind { index: 0, kind: 9 }
        );
        for ms in [-1, i64::MIN, i64::MAX] {
            assert_eq!(
                with(|entry| entry.lines[0].time = ms).unwrap_err(),
                BadEntry::Time { index: 0, ms }
            );
        }
        let huge = with(|entry| entry.lines[0].detail = "x".repeat(4 * 1024 * 1024));
        assert!(matches!(huge, Err(BadEntry::TooLarge { .. })));
    }
}
