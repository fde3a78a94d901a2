//! Commands whose lines are not known to be on their stream. [`super::command::insert`] puts them here.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::command::wire_id;

/// A command that no pod has in hand any more, with what its lines tell.
#[derive(Clone, Debug)]
pub(crate) struct Unlogged {
    pub message_id: Uuid,
    pub account_id: String,
    pub product_key: String,
    pub device_name: String,
    pub device_id: i64,
    pub wire_id: u32,
    pub sync: bool,
    pub method: String,
    pub made_at: DateTime<Utc>,
    pub answered: bool,
    pub topic: String,
    pub iot_id: String,
    pub params: String,
    pub version: Option<u32>,
}

/// They are still in hand: nobody else is to tell their lines before `due_at`.
pub(crate) async fn hold(
    pool: impl PgExecutor<'_>,
    message_ids: &[Uuid],
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE thing.unlogged SET due_at = $2 WHERE message_id = ANY($1)",
        message_ids,
        due_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Their lines are on their stream.
pub(crate) async fn forget(
    connection: impl PgExecutor<'_>,
    message_ids: &[Uuid],
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM thing.unlogged WHERE message_id = ANY($1)",
        message_ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks up to `limit` that are due; those that another pod works on are passed over.
pub(crate) async fn due(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Unlogged>> {
    let rows = sqlx::query!(
        r#"SELECT message_id, c.account_id, c.product_key, c.device_name, c.device_id, c.wire_id,
                  c.rrpc_id IS NOT NULL AS "sync!", c.method, c.made_at,
                  c.answer_id IS NOT NULL AS "answered!", u.topic, u.iot_id, u.params, u.tsl_version
           FROM thing.unlogged u JOIN thing.command c USING (message_id)
           WHERE u.due_at < $1
           ORDER BY u.due_at LIMIT $2 FOR UPDATE OF u SKIP LOCKED"#,
        now,
        limit,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Unlogged {
            message_id: row.message_id,
            account_id: row.account_id,
            product_key: row.product_key,
            device_name: row.device_name,
            device_id: row.device_id,
            wire_id: wire_id(row.wire_id),
            sync: row.sync,
            method: row.method,
            made_at: row.made_at,
            answered: row.answered,
            topic: row.topic,
            iot_id: row.iot_id,
            params: row.params,
            version: row.tsl_version.map(i32::cast_unsigned),
        })
        .collect())
}
