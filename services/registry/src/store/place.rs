//! Where devices are, and what products are: for the other services, of every account.

use sqlx::PgConnection;

use super::codes;
use crate::domain::device::{self, Status};
use crate::domain::product::Traits;

/// Where a device is, and whether it may be commanded.
pub(crate) struct Place {
    pub(crate) account_id: String,
    pub(crate) device_id: i64,
    pub(crate) iot_id: String,
    pub(crate) status: Status,
    pub(crate) activated: bool,
    /// The node that holds it, when online.
    pub(crate) node: Option<String>,
    pub(crate) number: i64,
    pub(crate) traits: Traits,
}

/// The places of the devices that were named and exist, with the place of each in the question.
pub(crate) async fn locate(
    db: &mut PgConnection,
    product_keys: &[String],
    names: &[String],
) -> sqlx::Result<Vec<(usize, Place)>> {
    let rows = sqlx::query!(
        r#"SELECT q.at AS "at!", d.id, d.iot_id, d.disabled, p.account_id, p.node_type, p.data_format, p.edition,
                  s.activated_at IS NOT NULL AS "activated!", s.node AS "node?", s.number AS "number?"
           FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q(product_key, name, at)
           JOIN registry.product p ON p.product_key = q.product_key
           JOIN registry.device d ON d.product_id = p.id AND d.name = q.name
           LEFT JOIN registry.session s ON s.device_id = d.id"#,
        product_keys,
        names,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let place = Place {
                account_id: row.account_id,
                device_id: row.id,
                iot_id: row.iot_id,
                status: device::status(row.disabled, row.activated, row.node.is_some()),
                activated: row.activated,
                number: row.number.filter(|_| row.node.is_some()).unwrap_or(0),
                node: row.node,
                traits: codes::traits(row.node_type, row.data_format, row.edition)?,
            };
            Ok((row.at as usize - 1, place))
        })
        .collect()
}

/// What carries a product's messages.
pub(crate) struct Facts {
    pub(crate) product_key: String,
    pub(crate) account_id: String,
    pub(crate) traits: Traits,
}

/// Those of the products that exist.
pub(crate) async fn products(
    db: &mut PgConnection,
    product_keys: &[String],
) -> sqlx::Result<Vec<Facts>> {
    let rows = sqlx::query!(
        "SELECT product_key, account_id, node_type, data_format, edition
         FROM registry.product WHERE product_key = ANY($1)",
        product_keys,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Facts {
                product_key: row.product_key,
                account_id: row.account_id,
                traits: codes::traits(row.node_type, row.data_format, row.edition)?,
            })
        })
        .collect()
}
