//! Devices, with what their last session tells of them.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::device::{Device, Status, status};

/// Devices to be written, column by column, in the order asked for.
#[derive(Default)]
pub(crate) struct New {
    pub(crate) names: Vec<String>,
    pub(crate) iot_ids: Vec<String>,
    pub(crate) sealed_secrets: Vec<Vec<u8>>,
}

/// Which devices of a product are asked for.
pub(crate) struct Filter<'a> {
    pub(crate) product_id: i64,
    pub(crate) status: Option<Status>,
    /// From the first up to, not including, the second.
    pub(crate) names: (&'a str, &'a str),
}

struct Row {
    id: i64,
    product_key: String,
    name: String,
    iot_id: String,
    disabled: bool,
    created_at: DateTime<Utc>,
    activated_at: Option<DateTime<Utc>>,
    online_at: Option<DateTime<Utc>>,
    offline_at: Option<DateTime<Utc>>,
    client_address: Option<String>,
    connected: bool,
}

impl From<Row> for Device {
    fn from(row: Row) -> Self {
        Device {
            id: row.id,
            status: status(row.disabled, row.activated_at.is_some(), row.connected),
            product_key: row.product_key,
            device_name: row.name,
            iot_id: row.iot_id,
            created_at: row.created_at,
            activated_at: row.activated_at,
            last_online_at: row.online_at,
            last_offline_at: row.offline_at,
            client_address: row.client_address,
        }
    }
}

/// Writes devices in one statement; those whose name is taken are left out. Answers with the names written.
pub(crate) async fn insert(
    db: &mut PgConnection,
    product_id: i64,
    new: &New,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "INSERT INTO registry.device (product_id, name, iot_id, secret, created_at)
         SELECT $1, n.name, n.iot_id, n.secret, $5
         FROM unnest($2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS n(name, iot_id, secret, at)
         ORDER BY n.at
         ON CONFLICT (product_id, name) DO NOTHING
         RETURNING name",
        product_id,
        &new.names,
        &new.iot_ids,
        &new.sealed_secrets,
        now,
    )
    .fetch_all(db)
    .await
}

/// The account's device of that name.
pub(crate) async fn find(
    db: &mut PgConnection,
    account_id: &str,
    product_key: &str,
    name: &str,
) -> sqlx::Result<Option<Device>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT d.id, p.product_key, d.name, d.iot_id, d.disabled, d.created_at,
                  s.activated_at AS "activated_at?", s.online_at AS "online_at?", s.offline_at AS "offline_at?",
                  s.client_address AS "client_address?", s.node IS NOT NULL AS "connected!"
           FROM registry.product p
           JOIN registry.device d ON d.product_id = p.id
           LEFT JOIN registry.session s ON s.device_id = d.id
           WHERE p.account_id = $1 AND p.product_key = $2 AND d.name = $3"#,
        account_id,
        product_key,
        name,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Device::from))
}

/// As [`find`]; nobody disables, enables, resets or deletes it until the transaction ends.
pub(crate) async fn lock(
    db: &mut PgConnection,
    account_id: &str,
    product_key: &str,
    name: &str,
) -> sqlx::Result<Option<Device>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT d.id, p.product_key, d.name, d.iot_id, d.disabled, d.created_at,
                  s.activated_at AS "activated_at?", s.online_at AS "online_at?", s.offline_at AS "offline_at?",
                  s.client_address AS "client_address?", s.node IS NOT NULL AS "connected!"
           FROM registry.product p
           JOIN registry.device d ON d.product_id = p.id
           LEFT JOIN registry.session s ON s.device_id = d.id
           WHERE p.account_id = $1 AND p.product_key = $2 AND d.name = $3
           FOR UPDATE OF d"#,
        account_id,
        product_key,
        name,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Device::from))
}

/// Devices that fit, newest first, from behind the one with the id `after`.
pub(crate) async fn list(
    db: &mut PgConnection,
    filter: Filter<'_>,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Device>> {
    let (disabled, connected, activated) = match filter.status {
        None => (None, None, None),
        Some(Status::Disabled) => (Some(true), None, None),
        Some(Status::Online) => (Some(false), Some(true), None),
        Some(Status::Offline) => (Some(false), Some(false), Some(true)),
        Some(Status::Inactive) => (Some(false), None, Some(false)),
    };
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.id, p.product_key, d.name, d.iot_id, d.disabled, d.created_at,
                  s.activated_at AS "activated_at?", s.online_at AS "online_at?", s.offline_at AS "offline_at?",
                  s.client_address AS "client_address?", s.node IS NOT NULL AS "connected!"
           FROM registry.device d
           JOIN registry.product p ON p.id = d.product_id
           LEFT JOIN registry.session s ON s.device_id = d.id
           WHERE d.product_id = $1 AND d.id < $2 AND d.name >= $3 AND d.name < $4
             AND ($5::boolean IS NULL OR d.disabled = $5)
             AND ($6::boolean IS NULL OR (s.node IS NOT NULL) = $6)
             AND ($7::boolean IS NULL OR (s.activated_at IS NOT NULL) = $7)
           ORDER BY d.id DESC LIMIT $8"#,
        filter.product_id,
        after.unwrap_or(i64::MAX),
        filter.names.0,
        filter.names.1,
        disabled,
        connected,
        activated,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Device::from).collect())
}

pub(crate) async fn set_disabled(
    db: &mut PgConnection,
    id: i64,
    disabled: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE registry.device SET disabled = $2, revision = revision + 1 WHERE id = $1",
        id,
        disabled,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn set_secret(db: &mut PgConnection, id: i64, sealed: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE registry.device SET secret = $2, revision = revision + 1 WHERE id = $1",
        id,
        sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn delete(db: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM registry.device WHERE id = $1", id)
        .execute(db)
        .await?;
    Ok(())
}
