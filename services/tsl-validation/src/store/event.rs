//! Events that devices raised.

use chassis::page::PAGE_BYTES;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sqlx::{PgConnection, PgExecutor};
use thing_model::EventKind;
use uuid::Uuid;

/// An event of one device.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub message_id: Uuid,
    /// Place among the events of its message.
    pub position: i32,
    pub device_id: i64,
    pub identifier: String,
    pub kind: EventKind,
    pub data: String,
    pub reported_at: DateTime<Utc>,
}

/// Keeps events; those that are kept already stay as they are.
pub(crate) async fn keep(tx: &mut PgConnection, events: &[Event]) -> sqlx::Result<()> {
    let message_ids: Vec<Uuid> = events.iter().map(|event| event.message_id).collect();
    let positions: Vec<i32> = events.iter().map(|event| event.position).collect();
    let device_ids: Vec<i64> = events.iter().map(|event| event.device_id).collect();
    let identifiers: Vec<&str> = events
        .iter()
        .map(|event| event.identifier.as_str())
        .collect();
    let kinds: Vec<i16> = events.iter().map(|event| number(event.kind)).collect();
    let data: Vec<&str> = events.iter().map(|event| event.data.as_str()).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|event| event.reported_at).collect();
    sqlx::query!(
        "INSERT INTO thing.event
             (message_id, position, device_id, identifier, kind, data, reported_at)
         SELECT * FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::smallint[],
                              $6::text[], $7::timestamptz[])
         ON CONFLICT (message_id, position) DO NOTHING",
        &message_ids,
        &positions,
        &device_ids,
        &identifiers as &[&str],
        &kinds,
        &data as &[&str],
        &times,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What is looked for among a device's events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub identifier: Option<String>,
    pub kind: Option<EventKind>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// Where a page of events ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub reported_at: DateTime<Utc>,
    pub message_id: Uuid,
    pub position: i32,
}

/// A device's events, newest first, after `cursor`; fewer than `limit` when they are the last, or
/// when they are as heavy as a page may be, which is said.
pub(crate) async fn of_device(
    pool: impl PgExecutor<'_>,
    device_id: i64,
    wanted: &Wanted,
    cursor: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<(Vec<Event>, bool)> {
    let mut rows = sqlx::query!(
        r#"SELECT message_id, position, identifier, kind, data, reported_at FROM thing.event
           WHERE device_id = $1
             AND ($2::text IS NULL OR identifier = $2)
             AND ($3::smallint IS NULL OR kind = $3)
             AND ($4::timestamptz IS NULL OR reported_at >= $4)
             AND ($5::timestamptz IS NULL OR reported_at < $5)
             AND ($6::timestamptz IS NULL
                  OR (reported_at, message_id, position) < ($6, $7::uuid, $8::integer))
           ORDER BY reported_at DESC, message_id DESC, position DESC
           LIMIT $9"#,
        device_id,
        wanted.identifier.as_deref(),
        wanted.kind.map(number),
        wanted.from,
        wanted.to,
        cursor.map(|cursor| cursor.reported_at),
        cursor.map(|cursor| cursor.message_id),
        cursor.map(|cursor| cursor.position),
        limit,
    )
    .fetch(pool);
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        bytes += row.data.len();
        events.push(Event {
            message_id: row.message_id,
            position: row.position,
            device_id,
            identifier: row.identifier,
            kind: kind(row.kind),
            data: row.data,
            reported_at: row.reported_at,
        });
        if bytes >= PAGE_BYTES {
            return Ok((events, true));
        }
    }
    Ok((events, false))
}

/// Forgets up to `limit` events whose message came before the one with this id would have.
pub(crate) async fn forget(
    pool: impl PgExecutor<'_>,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM thing.event WHERE (message_id, position) IN (
             SELECT message_id, position FROM thing.event
             WHERE message_id < $1 ORDER BY message_id LIMIT $2)",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

fn number(kind: EventKind) -> i16 {
    match kind {
        EventKind::Info => 1,
        EventKind::Alert => 2,
        EventKind::Error => 3,
    }
}

fn kind(number: i16) -> EventKind {
    match number {
        2 => EventKind::Alert,
        3 => EventKind::Error,
        _ => EventKind::Info,
    }
}
