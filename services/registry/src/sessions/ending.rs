//! Sessions that end.

use std::collections::HashMap;

use proto::hoshu::bus::v1::DeviceRef;
use proto::hoshu::bus::v1::close::Why;
use sqlx::PgConnection;

use super::Tidings;
use crate::Registry;
use crate::domain::device::Device;
use crate::domain::session::{End, EndReason};
use crate::store;
use crate::store::session::Ended;

/// Sessions of a lost node that are ended in one transaction.
const LOST_AT_ONCE: i64 = 1000;

/// Ends those sessions that are still their device's current one; the others were ended by someone else.
/// `tidings` are told with it.
pub(crate) async fn end(
    registry: &Registry,
    ends: &[End],
    mut tidings: Tidings,
) -> sqlx::Result<()> {
    let mut tx = registry.pool.begin().await?;
    let by_number: HashMap<_, _> = ends.iter().map(|end| (end.number, end)).collect();
    for ended in store::session::end(&mut tx, ends).await? {
        if let Some(end) = by_number.get(&ended.session.number) {
            tidings.offline(device_ref(&ended), &ended.session, &end.reason, end.at);
        }
    }
    if tidings.is_empty() {
        return Ok(());
    }
    store::told::insert(&mut tx, tidings.into_rows()).await?;
    tx.commit().await?;
    registry.written.send_replace(());
    Ok(())
}

/// Ends sessions of one node that gives no sign of life. Whether there may be more to end.
pub(crate) async fn end_of_lost_node(registry: &Registry) -> sqlx::Result<bool> {
    let now = registry.now();
    let silent_since = now - registry.config.lease();
    let mut tx = registry.pool.begin().await?;
    let Some(node) = store::lease::next_lost(&mut tx, silent_since).await? else {
        return Ok(false);
    };
    let ended = store::session::end_of_node(&mut tx, &node, now, LOST_AT_ONCE).await?;
    let last = (ended.len() as i64) < LOST_AT_ONCE;
    store::lease::lapse(&mut tx, &node, last).await?;
    let mut tidings = Tidings::default();
    let reason = EndReason::ours("gateway node lost");
    for ended in &ended {
        tidings.offline(device_ref(ended), &ended.session, &reason, now);
    }
    store::told::insert(&mut tx, tidings.into_rows()).await?;
    tx.commit().await?;
    registry.written.send_replace(());
    if ended.is_empty() {
        // One that stopped in order has closed its sessions itself: every restart would look like a loss.
        tracing::info!(node, "a gateway node is gone, and left no session");
    } else {
        tracing::warn!(
            node,
            sessions = ended.len(),
            "a gateway node is lost; its sessions were ended"
        );
    }
    Ok(true)
}

/// Takes a device's session away, in the transaction of the change that is the cause,
/// and has its connection closed.
pub(crate) async fn take_away(
    tx: &mut PgConnection,
    registry: &Registry,
    account_id: &str,
    device: &Device,
    why: Why,
    cause: &str,
) -> sqlx::Result<()> {
    let now = registry.now();
    let Some(session) = store::session::take_away(tx, device.id, now).await? else {
        return Ok(());
    };
    let device_ref = DeviceRef {
        product_key: device.product_key.clone(),
        device_name: device.device_name.clone(),
        device_id: device.id,
        account_id: account_id.to_owned(),
    };
    let mut tidings = Tidings::default();
    tidings.close(device_ref.clone(), &session, why, now);
    tidings.offline(device_ref, &session, &EndReason::ours(cause), now);
    store::told::insert(tx, tidings.into_rows()).await
}

fn device_ref(ended: &Ended) -> DeviceRef {
    DeviceRef {
        product_key: ended.product_key.clone(),
        device_name: ended.device_name.clone(),
        device_id: ended.device_id,
        account_id: ended.account_id.clone(),
    }
}
