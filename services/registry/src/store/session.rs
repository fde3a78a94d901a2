//! Sessions. Whoever writes many rows locks them in the order of their devices, or pods would wait for each other.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::codes;
use crate::domain::session::{End, Known, Session};

/// What is known of the devices that were named, with the place of each in the question.
pub(crate) async fn known(
    db: &mut PgConnection,
    product_keys: &[&str],
    names: &[&str],
) -> sqlx::Result<Vec<(usize, Known)>> {
    let rows = sqlx::query!(
        r#"SELECT q.at AS "at!", d.id, d.iot_id, d.secret, d.disabled, d.revision,
                  p.account_id, p.node_type, p.data_format, p.edition
           FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q(product_key, name, at)
           JOIN registry.product p ON p.product_key = q.product_key
           JOIN registry.device d ON d.product_id = p.id AND d.name = q.name"#,
        product_keys as &[&str],
        names as &[&str],
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let known = Known {
                device_id: row.id,
                iot_id: row.iot_id,
                account_id: row.account_id,
                traits: codes::traits(row.node_type, row.data_format, row.edition)?,
                sealed_secret: row.secret,
                disabled: row.disabled,
                revision: row.revision,
            };
            Ok((row.at as usize - 1, known))
        })
        .collect()
}

/// Accepted claims, column by column. No device is there twice.
#[derive(Default)]
pub(crate) struct Claims {
    pub(crate) device_ids: Vec<i64>,
    pub(crate) revisions: Vec<i32>,
    pub(crate) nodes: Vec<String>,
    pub(crate) client_addresses: Vec<String>,
}

/// What a claim was given, and whom it took it from.
pub(crate) struct Granted {
    pub(crate) device_id: i64,
    pub(crate) number: i64,
    pub(crate) previous: Option<Session>,
}

/// Gives each device's session to its claimant, one statement for all.
pub(crate) async fn claim(
    db: &mut PgConnection,
    claims: &Claims,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Granted>> {
    // The number of an update is drawn after its row is locked: so the highest is the latest.
    let rows = sqlx::query!(
        "INSERT INTO registry.session AS s (device_id, number, node, activated_at, online_at, client_address)
         SELECT c.device_id, nextval('registry.session_number'), c.node, $4, $4, c.client_address
         FROM unnest($1::bigint[], $2::text[], $3::text[]) AS c(device_id, node, client_address)
         ORDER BY c.device_id
         ON CONFLICT (device_id) DO UPDATE SET
             number = nextval('registry.session_number'),
             node = excluded.node,
             previous_number = s.number,
             previous_node = s.node,
             activated_at = coalesce(s.activated_at, excluded.activated_at),
             online_at = excluded.online_at,
             client_address = excluded.client_address
         RETURNING s.device_id, s.number, s.previous_number, s.previous_node",
        &claims.device_ids,
        &claims.nodes,
        &claims.client_addresses,
        now,
    )
    .fetch_all(db)
    .await?;
    let granted = rows.into_iter().map(|row| Granted {
        device_id: row.device_id,
        number: row.number,
        previous: row
            .previous_node
            .zip(row.previous_number)
            .map(|(node, number)| Session { node, number }),
    });
    Ok(granted.collect())
}

/// Whether every device is still as it was judged. Asked after [`claim`], whose locks make who disables,
/// resets or deletes one either be seen here, or find the session that was claimed.
pub(crate) async fn unchanged(db: &mut PgConnection, claims: &Claims) -> sqlx::Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM unnest($1::bigint[], $2::integer[]) AS c(device_id, revision)
               LEFT JOIN registry.device d ON d.id = c.device_id AND d.revision = c.revision
               WHERE d.id IS NULL
           ) AS "changed!""#,
        &claims.device_ids,
        &claims.revisions,
    )
    .fetch_one(db)
    .await?;
    Ok(!changed)
}

/// A session that was ended, and whose it was.
pub(crate) struct Ended {
    pub(crate) device_id: i64,
    pub(crate) account_id: String,
    pub(crate) product_key: String,
    pub(crate) device_name: String,
    pub(crate) session: Session,
}

/// Ends those sessions that are still their device's current one.
pub(crate) async fn end(db: &mut PgConnection, ends: &[End]) -> sqlx::Result<Vec<Ended>> {
    let device_ids: Vec<_> = ends.iter().map(|end| end.device_id).collect();
    let numbers: Vec<_> = ends.iter().map(|end| end.number).collect();
    let at: Vec<_> = ends.iter().map(|end| end.at).collect();
    let rows = sqlx::query!(
        r#"WITH held AS (
               SELECT s.device_id, s.number, s.node, e.at
               FROM registry.session s
               JOIN unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS e(device_id, number, at)
                 ON e.device_id = s.device_id AND e.number = s.number
               WHERE s.node IS NOT NULL
               ORDER BY s.device_id
               FOR NO KEY UPDATE OF s
           )
           UPDATE registry.session s SET node = NULL, offline_at = held.at
           FROM held
           JOIN registry.device d ON d.id = held.device_id
           JOIN registry.product p ON p.id = d.product_id
           WHERE s.device_id = held.device_id
           RETURNING s.device_id, s.number, held.node AS "node!", d.name, p.product_key, p.account_id"#,
        &device_ids,
        &numbers,
        &at,
    )
    .fetch_all(db)
    .await?;
    let ended = rows.into_iter().map(|row| Ended {
        device_id: row.device_id,
        account_id: row.account_id,
        product_key: row.product_key,
        device_name: row.name,
        session: Session {
            node: row.node,
            number: row.number,
        },
    });
    Ok(ended.collect())
}

/// Ends sessions of a node, at most `limit`.
pub(crate) async fn end_of_node(
    db: &mut PgConnection,
    node: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Ended>> {
    let rows = sqlx::query!(
        "WITH held AS (
             SELECT device_id FROM registry.session WHERE node = $1
             ORDER BY device_id LIMIT $3
             FOR NO KEY UPDATE
         )
         UPDATE registry.session s SET node = NULL, offline_at = $2
         FROM held
         JOIN registry.device d ON d.id = held.device_id
         JOIN registry.product p ON p.id = d.product_id
         WHERE s.device_id = held.device_id
         RETURNING s.device_id, s.number, d.name, p.product_key, p.account_id",
        node,
        now,
        limit,
    )
    .fetch_all(db)
    .await?;
    let ended = rows.into_iter().map(|row| Ended {
        device_id: row.device_id,
        account_id: row.account_id,
        product_key: row.product_key,
        device_name: row.name,
        session: Session {
            node: node.to_owned(),
            number: row.number,
        },
    });
    Ok(ended.collect())
}

/// Takes the device's session away, whichever it is, and answers with it. Called after the device's row was
/// changed: no claim that was judged by the old one comes through.
pub(crate) async fn take_away(
    db: &mut PgConnection,
    device_id: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Session>> {
    // The insert waits for a first claim that is not committed yet; an update would not see it.
    sqlx::query!(
        "INSERT INTO registry.session (device_id, number) VALUES ($1, 0) ON CONFLICT (device_id) DO NOTHING",
        device_id,
    )
    .execute(&mut *db)
    .await?;
    let held = sqlx::query!(
        "SELECT number, node FROM registry.session WHERE device_id = $1 FOR NO KEY UPDATE",
        device_id,
    )
    .fetch_one(&mut *db)
    .await?;
    let Some(node) = held.node else {
        return Ok(None);
    };
    sqlx::query!(
        "UPDATE registry.session SET node = NULL, offline_at = $2 WHERE device_id = $1",
        device_id,
        now,
    )
    .execute(db)
    .await?;
    Ok(Some(Session {
        node,
        number: held.number,
    }))
}

/// Forgets a deleted device's sessions.
pub(crate) async fn forget(db: &mut PgConnection, device_id: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM registry.session WHERE device_id = $1",
        device_id
    )
    .execute(db)
    .await?;
    Ok(())
}
