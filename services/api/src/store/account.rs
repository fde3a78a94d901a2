//! Accounts.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub(crate) struct AccountRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
}

pub(crate) async fn find(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as!(
        AccountRow,
        "SELECT id, name, created_at FROM api.account WHERE id = $1",
        id
    )
    .fetch_optional(pool)
    .await
}

/// Nothing when the name is taken.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    name: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "INSERT INTO api.account (id, name, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO NOTHING RETURNING id",
        Uuid::now_v7(),
        name,
        now
    )
    .fetch_optional(tx)
    .await
}

/// Holds the account until the transaction ends, so that its users are changed one after the other.
pub(crate) async fn lock(tx: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("SELECT id FROM api.account WHERE id = $1 FOR UPDATE", id)
        .fetch_optional(tx)
        .await
        .map(drop)
}

pub(crate) async fn lock_by_name(tx: &mut PgConnection, name: &str) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "SELECT id FROM api.account WHERE name = $1 FOR UPDATE",
        name
    )
    .fetch_optional(tx)
    .await
}
