//! Latest values: one packed row per device.

use std::collections::HashMap;

use sqlx::{PgConnection, PgExecutor};

/// Locks the devices' rows, making those that are missing; `device_ids` sorted and each once,
/// so that no two writers wait for each other.
pub(crate) async fn lock(
    tx: &mut PgConnection,
    device_ids: &[i64],
) -> sqlx::Result<HashMap<i64, Vec<u8>>> {
    let mut rows = lock_existing(tx, device_ids).await?;
    if rows.len() < device_ids.len() {
        let missing: Vec<i64> = device_ids
            .iter()
            .copied()
            .filter(|id| !rows.contains_key(id))
            .collect();
        sqlx::query!(
            "INSERT INTO thing.latest (device_id, packed)
             SELECT id, ''::bytea FROM unnest($1::bigint[]) AS id
             ON CONFLICT (device_id) DO NOTHING",
            &missing,
        )
        .execute(&mut *tx)
        .await?;
        rows.extend(lock_existing(tx, &missing).await?);
    }
    Ok(rows)
}

async fn lock_existing(
    tx: &mut PgConnection,
    device_ids: &[i64],
) -> sqlx::Result<HashMap<i64, Vec<u8>>> {
    let rows = sqlx::query!(
        "SELECT device_id, packed FROM thing.latest
         WHERE device_id = ANY($1) ORDER BY device_id FOR UPDATE",
        device_ids,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.device_id, row.packed))
        .collect())
}

/// Replaces rows that were locked.
pub(crate) async fn replace(tx: &mut PgConnection, rows: &[(i64, Vec<u8>)]) -> sqlx::Result<()> {
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    let packed: Vec<&[u8]> = rows.iter().map(|(_, packed)| packed.as_slice()).collect();
    sqlx::query!(
        "UPDATE thing.latest SET packed = new.packed
         FROM unnest($1::bigint[], $2::bytea[]) AS new (device_id, packed)
         WHERE latest.device_id = new.device_id",
        &ids,
        &packed as &[&[u8]],
    )
    .execute(tx)
    .await?;
    Ok(())
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
