//! Sets and calls that were sent, and their answers.

use bus::outbox;
use chrono::{DateTime, Utc};
use proto::hoshu::bus::v1::Event;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::answer::{Asked, Question};

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
    pub telling: Telling<'a>,
}

/// What the lines of a command tell beside the command itself.
#[derive(Clone, Debug)]
pub(crate) struct Telling<'a> {
    pub topic: &'a str,
    pub iot_id: &'a str,
    /// A JSON value.
    pub params: &'a str,
    /// The version that judged it.
    pub version: Option<u32>,
    /// When it is nobody's, unless it is held.
    pub due_at: DateTime<Utc>,
}

/// The ids by which a device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub wire: u32,
    /// Of a synchronous call.
    pub rrpc: Option<u64>,
}

/// Stores a command, what its lines are to tell, and the change to be told, in one statement: somebody waits.
pub(crate) async fn insert(
    connection: impl PgExecutor<'_>,
    new: &New<'_>,
    event: Event,
) -> sqlx::Result<Ids> {
    let (event_id, event) = outbox::row(event);
    let row = sqlx::query!(
        "WITH told AS (INSERT INTO thing.outbox (id, event) VALUES ($11, $12)),
         unlogged AS (
             INSERT INTO thing.unlogged (message_id, topic, iot_id, params, tsl_version, due_at)
             VALUES ($1, $13, $14, $15, $16, $17))
         INSERT INTO thing.command (message_id, account_id, product_key, device_name, device_id,
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
        event_id,
        event,
        new.telling.topic,
        new.telling.iot_id,
        new.telling.params,
        new.telling.version.map(u32::cast_signed),
        new.telling.due_at,
    )
    .fetch_one(connection)
    .await?;
    Ok(Ids {
        wire: wire_id(row.wire_id),
        rrpc: row.rrpc_id.map(i64::unsigned_abs),
    })
}

/// How a device answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub code: i32,
    pub message: Option<String>,
    pub data: Option<String>,
}

/// A device's answer, and what it names as its request.
#[derive(Clone, Debug)]
pub(crate) struct Answering<'a> {
    pub answer_id: Uuid,
    pub device_id: i64,
    pub question: &'a Question,
    pub answered: Answered,
}

/// Notes at each command the first of these answers to it, if it still waits for one. Returns the commands that were
/// asked, as they were before.
pub(crate) async fn answer(
    connection: impl PgExecutor<'_>,
    answers: &[Answering<'_>],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Asked>> {
    let column = |answer: fn(&Answering<'_>) -> i64| answers.iter().map(answer).collect::<Vec<_>>();
    let methods: Vec<&str> = answers
        .iter()
        .map(|answer| answer.question.method())
        .collect();
    let answer_ids: Vec<Uuid> = answers.iter().map(|answer| answer.answer_id).collect();
    let codes: Vec<i32> = answers.iter().map(|answer| answer.answered.code).collect();
    let messages: Vec<_> = answers
        .iter()
        .map(|answer| answer.answered.message.as_deref())
        .collect();
    let data: Vec<_> = answers
        .iter()
        .map(|answer| answer.answered.data.as_deref())
        .collect();
    // Locked in one order, so that no two pods wait for each other. An id of 0 is none.
    let rows = sqlx::query!(
        r#"WITH told AS (
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::integer[],
                                  $7::text[], $8::text[])
                 WITH ORDINALITY AS told (device_id, wire_id, rrpc_id, method, answer_id, code, message, data, place)
         ), asked AS (
             SELECT message_id, device_id, wire_id, rrpc_id, method, node, ended_at, answer_id
             FROM thing.command
             WHERE message_id IN (
                 SELECT c.message_id FROM told JOIN thing.command c USING (device_id, wire_id)
                 UNION
                 SELECT c.message_id FROM told JOIN thing.command c USING (device_id, rrpc_id))
             ORDER BY message_id FOR UPDATE
         ), first AS (
             SELECT DISTINCT ON (asked.message_id)
                    asked.message_id, told.answer_id, told.code, told.message, told.data
             FROM asked JOIN told ON told.device_id = asked.device_id
                 AND (told.rrpc_id = asked.rrpc_id OR told.wire_id = asked.wire_id AND told.method = asked.method)
             WHERE asked.ended_at IS NULL
             ORDER BY asked.message_id, told.place
         ), answered AS (
             UPDATE thing.command c
             SET ended_at = $9, answer_id = first.answer_id, code = first.code, message = first.message,
                 data = first.data
             FROM first WHERE c.message_id = first.message_id
         )
         SELECT message_id AS "message_id!", device_id AS "device_id!", wire_id AS "wire_id!", rrpc_id,
                method AS "method!", node AS "node!", ended_at, answer_id
         FROM asked"#,
        &column(|answer| answer.device_id),
        &column(|answer| answer.question.wire_id()),
        &column(|answer| answer.question.rrpc_id()),
        &methods as &[&str],
        &answer_ids,
        &codes,
        &messages as &[Option<&str>],
        &data as &[Option<&str>],
        now,
    )
    .fetch_all(connection)
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

/// The answer, if one has come.
pub(crate) async fn answered(
    pool: impl PgExecutor<'_>,
    message_id: Uuid,
) -> sqlx::Result<Option<Answered>> {
    let row = sqlx::query!(
        "SELECT code, message, data FROM thing.command WHERE message_id = $1 AND answer_id IS NOT NULL",
        message_id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        Some(Answered {
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

pub(super) fn wire_id(stored: i64) -> u32 {
    u32::try_from(stored).expect("the sequence keeps to 32 bits")
}
