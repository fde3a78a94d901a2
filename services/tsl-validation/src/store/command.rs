//! Sets and calls that were sent, and their answers.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::answer::Asked;

/// A command to be sent.
#[derive(Clone, Debug)]
pub(crate) struct New<'a> {
    pub message_id: Uuid,
    pub account_id: &'a str,
    pub product_key: &'a str,
    pub device_name: &'a str,
    pub device_id: i64,
    pub sync: bool,
    pub method: &'a str,
    /// The pod that waits.
    pub node: &'a str,
    pub made_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// The ids by which a device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub wire: u32,
    /// Of a synchronous call.
    pub rrpc: Option<u64>,
}

pub(crate) async fn insert(tx: &mut PgConnection, new: &New<'_>) -> sqlx::Result<Ids> {
    let row = sqlx::query!(
        "INSERT INTO thing.command (message_id, account_id, product_key, device_name, device_id,
                                    wire_id, rrpc_id, method, node, made_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, nextval('thing.wire_id'),
                 CASE WHEN $6 THEN nextval('thing.rrpc_id') END, $7, $8, $9, $10)
         RETURNING wire_id, rrpc_id",
        new.message_id,
        new.account_id,
        new.product_key,
        new.device_name,
        new.device_id,
        new.sync,
        new.method,
        new.node,
        new.made_at,
        new.expires_at,
    )
    .fetch_one(tx)
    .await?;
    Ok(Ids {
        wire: wire_id(row.wire_id),
        rrpc: row.rrpc_id.map(i64::unsigned_abs),
    })
}

/// The commands that these devices may answer with these ids, locked in order.
/// The three lists run side by side; an id of 0 is none.
pub(crate) async fn asked(
    tx: &mut PgConnection,
    device_ids: &[i64],
    wire_ids: &[i64],
    rrpc_ids: &[i64],
) -> sqlx::Result<Vec<Asked>> {
    let rows = sqlx::query!(
        "SELECT message_id, device_id, wire_id, rrpc_id, method, node, ended_at, answer_id
         FROM thing.command
         WHERE message_id IN (
             SELECT c.message_id FROM thing.command c
             JOIN unnest($1::bigint[], $2::bigint[]) AS q (device_id, wire_id) USING (device_id, wire_id)
             UNION
             SELECT c.message_id FROM thing.command c
             JOIN unnest($1::bigint[], $3::bigint[]) AS q (device_id, rrpc_id) USING (device_id, rrpc_id))
         ORDER BY message_id FOR UPDATE",
        device_ids,
        wire_ids,
        rrpc_ids,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Asked {
            message_id: row.message_id,
            device_id: row.device_id,
            wire_id: wire_id(row.wire_id),
            rrpc_id: row.rrpc_id.map(i64::unsigned_abs),
            method: row.method,
            node: row.node,
            ended_at: row.ended_at,
            answer_id: row.answer_id,
        })
        .collect())
}

/// How a device answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub answer_id: Uuid,
    pub code: i32,
    pub message: Option<String>,
    pub data: Option<String>,
}

/// Notes the answer to a command that was locked.
pub(crate) async fn answer(
    tx: &mut PgConnection,
    message_id: Uuid,
    answered: &Answered,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE thing.command
         SET ended_at = $2, answer_id = $3, code = $4, message = $5, data = $6
         WHERE message_id = $1 AND ended_at IS NULL",
        message_id,
        now,
        answered.answer_id,
        answered.code,
        answered.message,
        answered.data,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The answer, if one has come.
pub(crate) async fn answered(
    pool: impl PgExecutor<'_>,
    message_id: Uuid,
) -> sqlx::Result<Option<Answered>> {
    let row = sqlx::query!(
        "SELECT answer_id, code, message, data FROM thing.command WHERE message_id = $1",
        message_id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        Some(Answered {
            answer_id: row.answer_id?,
            code: row.code?,
            message: row.message,
            data: row.data,
        })
    }))
}

/// Ends a command that nobody answered; false if it had ended already.
pub(crate) async fn give_up(
    pool: impl PgExecutor<'_>,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE thing.command SET ended_at = $2 WHERE message_id = $1 AND ended_at IS NULL",
        message_id,
        now,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A command whose time is over and that nobody ended: the pod that waited is gone, or nobody did.
#[derive(Clone, Debug)]
pub(crate) struct Overdue {
    pub message_id: Uuid,
    pub account_id: String,
    pub product_key: String,
    pub device_name: String,
    pub device_id: i64,
    pub sync: bool,
}

/// Locks up to `limit` of them; those that another pod works on are passed over.
pub(crate) async fn overdue(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Overdue>> {
    sqlx::query_as!(
        Overdue,
        r#"SELECT message_id, account_id, product_key, device_name, device_id,
                  rrpc_id IS NOT NULL AS "sync!"
           FROM thing.command WHERE ended_at IS NULL AND expires_at < $1
           ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED"#,
        now,
        limit,
    )
    .fetch_all(tx)
    .await
}

pub(crate) async fn give_up_all(
    tx: &mut PgConnection,
    message_ids: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE thing.command SET ended_at = $2 WHERE message_id = ANY($1)",
        message_ids,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets up to `limit` ended commands made before the one with this id would have been.
pub(crate) async fn forget(
    pool: impl PgExecutor<'_>,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM thing.command WHERE message_id IN (
             SELECT message_id FROM thing.command
             WHERE message_id < $1 AND ended_at IS NOT NULL ORDER BY message_id LIMIT $2)",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

fn wire_id(stored: i64) -> u32 {
    u32::try_from(stored).expect("the sequence keeps to 32 bits")
}
