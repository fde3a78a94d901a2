//! Users.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Cursor, role};
use crate::domain::Role;

pub(crate) struct UserRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    role: i32,
    pub(crate) created_at: DateTime<Utc>,
}

impl UserRow {
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

pub(crate) async fn page(
    pool: &PgPool,
    account: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<UserRow>> {
    sqlx::query_as!(
        UserRow,
        r#"SELECT id, name, role, created_at FROM api."user"
           WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
           ORDER BY created_at DESC, id DESC LIMIT $4"#,
        account,
        after.map(|cursor| cursor.at),
        after.map(|cursor| cursor.id),
        limit
    )
    .fetch_all(pool)
    .await
}

pub(crate) async fn find(
    tx: &mut PgConnection,
    account: Uuid,
    id: Uuid,
) -> sqlx::Result<Option<UserRow>> {
    sqlx::query_as!(
        UserRow,
        r#"SELECT id, name, role, created_at FROM api."user" WHERE account_id = $1 AND id = $2"#,
        account,
        id
    )
    .fetch_optional(tx)
    .await
}

/// The account's first ADMIN.
pub(crate) async fn first_admin(
    tx: &mut PgConnection,
    account: Uuid,
) -> sqlx::Result<Option<UserRow>> {
    sqlx::query_as!(
        UserRow,
        r#"SELECT id, name, role, created_at FROM api."user" WHERE account_id = $1 AND role = 3
           ORDER BY created_at, id LIMIT 1"#,
        account
    )
    .fetch_optional(tx)
    .await
}

/// Nothing when the name is taken.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    account: Uuid,
    name: &str,
    role: Role,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<UserRow>> {
    sqlx::query_as!(
        UserRow,
        r#"INSERT INTO api."user" (id, account_id, name, role, created_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (account_id, name) DO NOTHING RETURNING id, name, role, created_at"#,
        Uuid::now_v7(),
        account,
        name,
        role.number(),
        now
    )
    .fetch_optional(tx)
    .await
}

/// Whether another user of the account has the name.
pub(crate) async fn is_name_taken(
    tx: &mut PgConnection,
    account: Uuid,
    id: Uuid,
    name: &str,
) -> sqlx::Result<bool> {
    let taken = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM api."user" WHERE account_id = $1 AND name = $3 AND id <> $2) AS "taken!""#,
        account,
        id,
        name
    );
    taken.fetch_one(tx).await
}

pub(crate) async fn update(
    tx: &mut PgConnection,
    id: Uuid,
    name: &str,
    role: Role,
) -> sqlx::Result<UserRow> {
    sqlx::query_as!(
        UserRow,
        r#"UPDATE api."user" SET name = $2, role = $3 WHERE id = $1 RETURNING id, name, role, created_at"#,
        id,
        name,
        role.number()
    )
    .fetch_one(tx)
    .await
}

/// Its tokens go with it.
pub(crate) async fn delete(tx: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(r#"DELETE FROM api."user" WHERE id = $1"#, id)
        .execute(tx)
        .await
        .map(drop)
}

/// How many ADMIN users the account has besides this one.
pub(crate) async fn other_admins(
    tx: &mut PgConnection,
    account: Uuid,
    id: Uuid,
) -> sqlx::Result<i64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM api."user" WHERE account_id = $1 AND role = 3 AND id <> $2"#,
        account,
        id
    );
    count.fetch_one(tx).await
}
