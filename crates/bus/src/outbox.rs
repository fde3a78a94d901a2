//! Telling a change: the row is written with the change, in its transaction; a loop tells it.
//!
//! Every schema with an outbox has this table:
//! `outbox (id uuid PRIMARY KEY, event bytea NOT NULL, made_at timestamptz NOT NULL DEFAULT now())`.

use std::time::Duration;

use anyhow::Context;
use chassis::{Noun, Phase};
use prost::Message;
use proto::hoshu::bus::v1::Event;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Bus;
use crate::connection::headers;

/// Rows told at once.
const ROWS: i64 = 200;
/// How often the table is looked at. A change is told this late at most, plus the way. Few at a time, so that a
/// burst of them keeps no command waiting.
const PACE: Duration = Duration::from_millis(50);

/// Writes a change to be told, in the transaction of the change itself. An event without an id gets one.
///
/// # Errors
/// As the database.
pub async fn tell(connection: &mut PgConnection, noun: Noun, event: Event) -> sqlx::Result<()> {
    let (id, event) = row(event);
    let insert = format!(
        "INSERT INTO {}.outbox (id, event) VALUES ($1, $2)",
        noun.word()
    );
    sqlx::query(AssertSqlSafe(insert))
        .bind(id)
        .bind(event)
        .execute(connection)
        .await?;
    Ok(())
}

/// The `id` and `event` of a change's row, for a statement that makes the change and writes the row at once.
/// An event without an id gets one.
pub fn row(mut event: Event) -> (Uuid, Vec<u8>) {
    if event.id.is_empty() {
        event.id = Uuid::now_v7().as_bytes().to_vec().into();
    }
    let id = Uuid::from_slice(&event.id).unwrap_or_else(|_| Uuid::now_v7());
    (id, event.encode_to_vec())
}

impl Bus {
    /// Tells the rows of this role's outbox, each until the stream has it.
    pub fn outbox(&self, pool: PgPool) {
        self.watch_outbox(pool.clone());
        let bus = self.clone();
        self.chassis().spawn(Phase::Flush, "outbox", move |stop| {
            let (bus, pool) = (bus.clone(), pool.clone());
            async move { bus.tell_all(&pool, &stop).await }
        });
    }

    async fn tell_all(&self, pool: &PgPool, stop: &CancellationToken) -> anyhow::Result<()> {
        loop {
            let stopping = stop.is_cancelled();
            let told = self.tell_some(pool).await?;
            if told == ROWS as usize {
                continue;
            }
            // What was written before the stop is told before the end.
            if stopping {
                return Ok(());
            }
            let _ = stop.run_until_cancelled(tokio::time::sleep(PACE)).await;
        }
    }

    /// Several pods share a table: each takes rows that no other holds. A row that was told and not yet
    /// deleted is told again under the same id.
    async fn tell_some(&self, pool: &PgPool) -> anyhow::Result<usize> {
        let noun = self.chassis().noun().word();
        // Nearly always there is nothing, which needs no transaction.
        let any = format!("SELECT EXISTS (SELECT FROM {noun}.outbox)");
        if !sqlx::query_scalar(AssertSqlSafe(any))
            .fetch_one(pool)
            .await?
        {
            return Ok(0);
        }
        let mut tx = pool.begin().await?;
        let select = format!(
            "SELECT id, event FROM {noun}.outbox ORDER BY id LIMIT {ROWS} FOR UPDATE SKIP LOCKED"
        );
        let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(AssertSqlSafe(select))
            .fetch_all(&mut *tx)
            .await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut told = Vec::with_capacity(rows.len());
        for (id, row) in &rows {
            let event = Event::decode(row.as_slice())?;
            let subject = self.subject(format_args!("event.{noun}.{}", event.action));
            let headers = headers(Some(&id.to_string()), None);
            let publish =
                self.jetstream()
                    .publish_with_headers(subject, headers, row.clone().into());
            told.push(publish.await?);
        }
        // They are on their way in order; each is waited for while the next ones go.
        for told in told {
            told.await.context("telling a change")?;
        }
        let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
        let delete = format!("DELETE FROM {noun}.outbox WHERE id = ANY($1)");
        sqlx::query(AssertSqlSafe(delete))
            .bind(ids)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(rows.len())
    }
}
