//! Latest values: one packed row per device.

use std::collections::{HashMap, HashSet};

use sqlx::{PgConnection, PgExecutor};

/// A row that takes the place of another.
pub(crate) struct Change {
    pub device_id: i64,
    /// The row as it was read; nothing if there was none.
    pub seen: Option<Vec<u8>>,
    pub packed: Vec<u8>,
}

/// The devices' packed values; devices that never reported one are left out.
pub(crate) async fn of_devices(
    connection: &mut PgConnection,
    device_ids: &[i64],
) -> sqlx::Result<HashMap<i64, Vec<u8>>> {
    let rows = sqlx::query!(
        "SELECT device_id, packed FROM thing.latest WHERE device_id = ANY($1)",
        device_ids,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.device_id, row.packed))
        .collect())
}

/// Writes the rows that are still as they were read, and tells whose they are.
pub(crate) async fn replace(
    connection: &mut PgConnection,
    changes: &[Change],
) -> sqlx::Result<HashSet<i64>> {
    let (known, new): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.seen.is_some());
    let ids = |changes: &[&Change]| changes.iter().map(|change| change.device_id).collect();
    let mut done = HashSet::with_capacity(changes.len());
    if !known.is_empty() {
        let ids: Vec<i64> = ids(&known);
        let seen: Vec<&[u8]> = known.iter().filter_map(|c| c.seen.as_deref()).collect();
        let packed: Vec<&[u8]> = known
            .iter()
            .map(|change| change.packed.as_slice())
            .collect();
        let written = sqlx::query_scalar!(
            "UPDATE thing.latest SET packed = new.packed
             FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS new (device_id, seen, packed)
             WHERE latest.device_id = new.device_id AND latest.packed = new.seen
             RETURNING latest.device_id",
            &ids,
            &seen as &[&[u8]],
            &packed as &[&[u8]],
        )
        .fetch_all(&mut *connection)
        .await?;
        done.extend(written);
    }
    if !new.is_empty() {
        let ids: Vec<i64> = ids(&new);
        let packed: Vec<&[u8]> = new.iter().map(|change| change.packed.as_slice()).collect();
        let written = sqlx::query_scalar!(
            "INSERT INTO thing.latest (device_id, packed)
             SELECT * FROM unnest($1::bigint[], $2::bytea[])
             ON CONFLICT (device_id) DO NOTHING
             RETURNING device_id",
            &ids,
            &packed as &[&[u8]],
        )
        .fetch_all(connection)
        .await?;
        done.extend(written);
    }
    Ok(done)
}

/// A device's packed values; empty if it never reported one.
pub(crate) async fn of_device(pool: impl PgExecutor<'_>, device_id: i64) -> sqlx::Result<Vec<u8>> {
    let packed = sqlx::query_scalar!(
        "SELECT packed FROM thing.latest WHERE device_id = $1",
        device_id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(packed.unwrap_or_default())
}
