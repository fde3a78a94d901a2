//! Drafts and published versions of thing models.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

/// Versions of a product that are kept (protocol page, section 7).
pub(crate) const VERSIONS_KEPT: i32 = 10;

/// A product's model as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub document: String,
    /// The version that judges; 0: none.
    pub published: i32,
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub version: i32,
    pub published_at: DateTime<Utc>,
    pub published_by: String,
    /// Messages are judged by it.
    pub current: bool,
}

/// A published document.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub product_key: String,
    pub version: i32,
    pub document: String,
}

pub(crate) async fn draft(
    pool: impl PgExecutor<'_>,
    product_key: &str,
) -> sqlx::Result<Option<Draft>> {
    sqlx::query_as!(
        Draft,
        "SELECT draft AS document, published FROM thing.model WHERE product_key = $1",
        product_key,
    )
    .fetch_optional(pool)
    .await
}

/// As [`draft`], kept from other writers until the transaction ends.
pub(crate) async fn lock_draft(
    tx: &mut PgConnection,
    product_key: &str,
) -> sqlx::Result<Option<Draft>> {
    sqlx::query_as!(
        Draft,
        "SELECT draft AS document, published FROM thing.model WHERE product_key = $1 FOR UPDATE",
        product_key,
    )
    .fetch_optional(tx)
    .await
}

pub(crate) async fn put_draft(
    tx: &mut PgConnection,
    product_key: &str,
    document: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO thing.model (product_key, draft) VALUES ($1, $2)
         ON CONFLICT (product_key) DO UPDATE SET draft = excluded.draft",
        product_key,
        document,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes `version`, with this document, the one that judges; old versions go.
pub(crate) async fn publish(
    tx: &mut PgConnection,
    new: &Published,
    by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO thing.model_version (product_key, version, document, published_at, published_by)
         VALUES ($1, $2, $3, $4, $5)",
        new.product_key,
        new.version,
        new.document,
        now,
        by,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE thing.model SET published = $2, published_at = clock_timestamp() WHERE product_key = $1",
        new.product_key,
        new.version,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "DELETE FROM thing.model_version WHERE product_key = $1 AND version <= $2",
        new.product_key,
        new.version - VERSIONS_KEPT,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Versions below `before`, newest first.
pub(crate) async fn versions(
    pool: impl PgExecutor<'_>,
    product_key: &str,
    before: i32,
    limit: i64,
) -> sqlx::Result<Vec<Version>> {
    sqlx::query_as!(
        Version,
        r#"SELECT v.version, v.published_at, v.published_by, v.version = m.published AS "current!"
           FROM thing.model_version v JOIN thing.model m USING (product_key)
           WHERE v.product_key = $1 AND v.version < $2
           ORDER BY v.version DESC LIMIT $3"#,
        product_key,
        before,
        limit,
    )
    .fetch_all(pool)
    .await
}

pub(crate) async fn version(
    pool: impl PgExecutor<'_>,
    product_key: &str,
    version: i32,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "SELECT document FROM thing.model_version WHERE product_key = $1 AND version = $2",
        product_key,
        version,
    )
    .fetch_optional(pool)
    .await
}

/// The document that judges a product's messages.
pub(crate) async fn published(
    pool: impl PgExecutor<'_>,
    product_key: &str,
) -> sqlx::Result<Option<Published>> {
    sqlx::query_as!(
        Published,
        "SELECT v.product_key, v.version, v.document
         FROM thing.model m
         JOIN thing.model_version v ON v.product_key = m.product_key AND v.version = m.published
         WHERE m.product_key = $1",
        product_key,
    )
    .fetch_optional(pool)
    .await
}

/// Publications as another pod learns of them.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    /// The database's time, from which to ask next.
    pub until: DateTime<Utc>,
    /// Products with the version that judges now.
    pub products: Vec<(String, i32)>,
}

/// What was published since `since` (nothing: only the time is asked). A publication is seen by
/// others a little after its time, so the last ten seconds before `since` are told again.
pub(crate) async fn changes(
    tx: &mut PgConnection,
    since: Option<DateTime<Utc>>,
) -> sqlx::Result<Changes> {
    let until = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#)
        .fetch_one(&mut *tx)
        .await?;
    let rows = sqlx::query!(
        "SELECT product_key, published FROM thing.model
         WHERE published_at > $1::timestamptz - interval '10 seconds'",
        since.unwrap_or(until),
    )
    .fetch_all(tx)
    .await?;
    let products = rows
        .into_iter()
        .map(|row| (row.product_key, row.published))
        .collect();
    Ok(Changes { until, products })
}
