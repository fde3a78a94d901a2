//! Products.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::codes;
use crate::domain::product::{Product, Traits};

/// A product to be written.
pub(crate) struct New<'a> {
    pub(crate) product_key: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) traits: Traits,
    pub(crate) sealed_secret: &'a [u8],
    pub(crate) created_at: DateTime<Utc>,
}

struct Row {
    id: i64,
    product_key: String,
    name: String,
    node_type: i16,
    data_format: i16,
    edition: i16,
    created_at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> sqlx::Result<Product> {
        let traits = codes::traits(self.node_type, self.data_format, self.edition)?;
        Ok(Product {
            id: self.id,
            product_key: self.product_key,
            name: self.name,
            node_type: traits.node_type,
            data_format: traits.data_format,
            edition: traits.edition,
            created_at: self.created_at,
        })
    }
}

/// Writes a product; nothing if its key is taken.
pub(crate) async fn insert(db: &mut PgConnection, new: New<'_>) -> sqlx::Result<Option<Product>> {
    sqlx::query_as!(
        Row,
        "INSERT INTO registry.product (product_key, account_id, name, node_type, data_format, edition, secret, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (product_key) DO NOTHING
         RETURNING id, product_key, name, node_type, data_format, edition, created_at",
        new.product_key,
        new.account_id,
        new.name,
        new.traits.node_type.code(),
        new.traits.data_format.code(),
        new.traits.edition.code(),
        new.sealed_secret,
        new.created_at,
    )
    .fetch_optional(db)
    .await?
    .map(Row::read)
    .transpose()
}

/// The account's product of that key.
pub(crate) async fn find(
    db: &mut PgConnection,
    account_id: &str,
    product_key: &str,
) -> sqlx::Result<Option<Product>> {
    sqlx::query_as!(
        Row,
        "SELECT id, product_key, name, node_type, data_format, edition, created_at
         FROM registry.product WHERE account_id = $1 AND product_key = $2",
        account_id,
        product_key,
    )
    .fetch_optional(db)
    .await?
    .map(Row::read)
    .transpose()
}

/// As [`find`]; nobody changes it until the transaction ends.
pub(crate) async fn lock(
    db: &mut PgConnection,
    account_id: &str,
    product_key: &str,
) -> sqlx::Result<Option<Product>> {
    sqlx::query_as!(
        Row,
        "SELECT id, product_key, name, node_type, data_format, edition, created_at
         FROM registry.product WHERE account_id = $1 AND product_key = $2 FOR UPDATE",
        account_id,
        product_key,
    )
    .fetch_optional(db)
    .await?
    .map(Row::read)
    .transpose()
}

/// The account's products, newest first, from behind the one with the id `after`.
pub(crate) async fn list(
    db: &mut PgConnection,
    account_id: &str,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Product>> {
    sqlx::query_as!(
        Row,
        "SELECT id, product_key, name, node_type, data_format, edition, created_at
         FROM registry.product WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        account_id,
        after.unwrap_or(i64::MAX),
        limit,
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(Row::read)
    .collect()
}

pub(crate) async fn rename(db: &mut PgConnection, id: i64, name: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE registry.product SET name = $2 WHERE id = $1",
        id,
        name
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes the product, unless it has devices.
pub(crate) async fn delete(db: &mut PgConnection, id: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM registry.product p
         WHERE id = $1 AND NOT EXISTS (SELECT FROM registry.device d WHERE d.product_id = p.id)",
        id,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
