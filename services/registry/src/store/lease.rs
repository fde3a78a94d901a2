//! Leases of gateway nodes: their signs of life.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Makes sure that each node that gets sessions has a lease whose end will be noticed. Until the transaction ends
/// no one reaps the nodes; renewing goes on. `nodes` are sorted, none is there twice.
pub(crate) async fn hold(
    db: &mut PgConnection,
    nodes: &[String],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let held = sqlx::query_scalar!(
        "SELECT node FROM registry.node_lease WHERE node = ANY($1) AND NOT reaped ORDER BY node FOR KEY SHARE",
        nodes,
    )
    .fetch_all(&mut *db)
    .await?;
    let missing: Vec<String> = nodes
        .iter()
        .filter(|node| !held.contains(node))
        .cloned()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO registry.node_lease AS l (node, renewed_at)
         SELECT node, $2 FROM unnest($1::text[]) AS n(node) ORDER BY node
         ON CONFLICT (node) DO UPDATE SET renewed_at = greatest(l.renewed_at, excluded.renewed_at), reaped = false",
        &missing,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes a sign of life. Whether the node's sessions were ended since it was last told.
pub(crate) async fn renew(
    db: &mut PgConnection,
    node: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let lapsed = sqlx::query_scalar!(
        "SELECT lapsed FROM registry.node_lease WHERE node = $1 FOR NO KEY UPDATE",
        node,
    )
    .fetch_optional(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO registry.node_lease (node, renewed_at) VALUES ($1, $2)
         ON CONFLICT (node) DO UPDATE SET renewed_at = excluded.renewed_at, reaped = false, lapsed = false",
        node,
        now,
    )
    .execute(db)
    .await?;
    Ok(lapsed.unwrap_or(false))
}

/// A node without a sign of life since `silent_since` whose sessions are still to be ended, and which no other pod
/// is about to reap; it is locked against new claims.
pub(crate) async fn next_lost(
    db: &mut PgConnection,
    silent_since: DateTime<Utc>,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "SELECT node FROM registry.node_lease WHERE renewed_at < $1 AND NOT reaped
         ORDER BY renewed_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        silent_since,
    )
    .fetch_optional(db)
    .await
}

/// Notes that sessions of the node were ended, and whether they were its last.
pub(crate) async fn lapse(db: &mut PgConnection, node: &str, last: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE registry.node_lease SET lapsed = true, reaped = $2 WHERE node = $1",
        node,
        last,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets nodes that will not come back.
pub(crate) async fn forget(db: &mut PgConnection, silent_since: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM registry.node_lease WHERE reaped AND renewed_at < $1",
        silent_since,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the node has given a sign of life since `silent_since`.
pub(crate) async fn is_alive(
    db: &mut PgConnection,
    node: &str,
    silent_since: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM registry.node_lease WHERE node = $1 AND renewed_at >= $2 AND NOT reaped
           ) AS "alive!""#,
        node,
        silent_since,
    )
    .fetch_one(db)
    .await
}
