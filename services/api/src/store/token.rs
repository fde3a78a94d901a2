//! Tokens, known by their hash alone.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::{Cursor, role};
use crate::domain::{Hash, Role};

pub(crate) struct TokenRow {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) name: String,
    role: i32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

impl TokenRow {
    pub(crate) fn role(&self) -> Role {
        role(self.role)
    }

    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            at: self.created_at,
            id: self.id,
        }
    }
}

/// A token with the user that it belongs to.
pub(crate) struct Holder {
    pub(crate) token_id: Uuid,
    pub(crate) token_name: String,
    token_role: i32,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) account_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) user_name: String,
    user_role: i32,
}

impl Holder {
    /// A token never reaches further than its user does now.
    pub(crate) fn role(&self) -> Role {
        role(self.token_role.min(self.user_role))
    }
}

pub(crate) async fn holder(
    executor: impl PgExecutor<'_>,
    hash: &Hash,
) -> sqlx::Result<Option<Holder>> {
    sqlx::query_as!(
        Holder,
        r#"SELECT t.id AS token_id, t.name AS token_name, t.role AS token_role, t.expires_at, t.last_used_at,
                  u.account_id, u.id AS user_id, u.name AS user_name, u.role AS user_role
           FROM api.token t JOIN api."user" u ON u.id = t.user_id WHERE t.hash = $1"#,
        &hash[..]
    )
    .fetch_optional(executor)
    .await
}

/// How exact `last_used_at` is: a token that is used all the time is written once a minute.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

pub(crate) async fn note_use(
    pool: &PgPool,
    id: Uuid,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if last.is_some_and(|last| now - last < USE_NOTED_EVERY) {
        return Ok(());
    }
    let since = now - USE_NOTED_EVERY;
    sqlx::query!(
        "UPDATE api.token SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
        id,
        now,
        since
    )
    .execute(pool)
    .await
    .map(drop)
}

pub(crate) async fn page(
    pool: &PgPool,
    account: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<TokenRow>> {
    sqlx::query_as!(
        TokenRow,
        "SELECT id, user_id, name, role, created_at, expires_at, last_used_at FROM api.token
         WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
         ORDER BY created_at DESC, id DESC LIMIT $4",
        account,
        after.map(|cursor| cursor.at),
        after.map(|cursor| cursor.id),
        limit
    )
    .fetch_all(pool)
    .await
}

pub(crate) struct NewToken<'a> {
    pub(crate) account_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) name: &'a str,
    pub(crate) role: Role,
    pub(crate) hash: Hash,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// Nothing when the very token is there already.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    new: &NewToken<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<TokenRow>> {
    sqlx::query_as!(
        TokenRow,
        "INSERT INTO api.token (id, account_id, user_id, name, role, hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (hash) DO NOTHING
         RETURNING id, user_id, name, role, created_at, expires_at, last_used_at",
        Uuid::now_v7(),
        new.account_id,
        new.user_id,
        new.name,
        new.role.number(),
        &new.hash[..],
        now,
        new.expires_at
    )
    .fetch_optional(tx)
    .await
}

/// What was deleted, if it was there.
pub(crate) async fn delete(
    tx: &mut PgConnection,
    account: Uuid,
    id: Uuid,
) -> sqlx::Result<Option<TokenRow>> {
    sqlx::query_as!(
        TokenRow,
        "DELETE FROM api.token WHERE account_id = $1 AND id = $2
         RETURNING id, user_id, name, role, created_at, expires_at, last_used_at",
        account,
        id
    )
    .fetch_optional(tx)
    .await
}

/// Takes away the user's tokens of that name, but for the one with this hash.
pub(crate) async fn delete_others_named(
    tx: &mut PgConnection,
    user: Uuid,
    name: &str,
    but: &Hash,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM api.token WHERE user_id = $1 AND name = $2 AND hash <> $3",
        user,
        name,
        &but[..]
    )
    .execute(tx)
    .await
    .map(drop)
}
