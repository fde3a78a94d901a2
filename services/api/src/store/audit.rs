//! The audit trail.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::Cursor;

pub(crate) struct AuditRow {
    pub(crate) id: Uuid,
    pub(crate) account_id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl AuditRow {
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            at: self.at,
            id: self.id,
        }
    }
}

pub(crate) struct Filter {
    pub(crate) account_id: String,
    /// A prefix.
    pub(crate) subject: Option<String>,
    /// The whole actor, or its user.
    pub(crate) actor: Option<String>,
    /// Inclusive.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(crate) to: Option<DateTime<Utc>>,
}

pub(crate) async fn page(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as!(
        AuditRow,
        "SELECT id, account_id, at, actor, action, subject, before, after FROM api.audit
         WHERE account_id = $1
           AND ($2::text IS NULL OR starts_with(subject, $2))
           AND ($3::text IS NULL OR actor = $3 OR starts_with(actor, $3 || '/'))
           AND ($4::timestamptz IS NULL OR at >= $4)
           AND ($5::timestamptz IS NULL OR at < $5)
           AND ($6::timestamptz IS NULL OR (at, id) < ($6, $7::uuid))
         ORDER BY at DESC, id DESC LIMIT $8",
        filter.account_id,
        filter.subject,
        filter.actor,
        filter.from,
        filter.to,
        after.map(|cursor| cursor.at),
        after.map(|cursor| cursor.id),
        limit
    )
    .fetch_all(pool)
    .await
}

/// Takes each event once, however often it is told.
pub(crate) async fn insert(pool: &PgPool, rows: &[AuditRow]) -> sqlx::Result<()> {
    let column = |pick: fn(&AuditRow) -> &String| {
        rows.iter().map(|row| pick(row).clone()).collect::<Vec<_>>()
    };
    sqlx::query!(
        "INSERT INTO api.audit (id, account_id, at, actor, action, subject, before, after)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
         ON CONFLICT (id) DO NOTHING",
        &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        &column(|row| &row.account_id),
        &rows.iter().map(|row| row.at).collect::<Vec<_>>(),
        &column(|row| &row.actor),
        &column(|row| &row.action),
        &column(|row| &row.subject),
        &column(|row| &row.before),
        &column(|row| &row.after)
    )
    .execute(pool)
    .await
    .map(drop)
}
