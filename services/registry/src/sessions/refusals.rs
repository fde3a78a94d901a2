//! CONNECTs that gateway nodes refused by themselves, written into the logs of the devices we know.

use super::Tidings;
use super::claims::device_ref;
use crate::domain::session::RefusedConnect;
use crate::{Registry, store};

/// Writes the lines of those that may make one. Who retries for ever costs the database only its lines.
pub(crate) async fn tell(
    registry: &Registry,
    mut refusals: Vec<RefusedConnect>,
) -> sqlx::Result<()> {
    let now_ms = registry.chassis.clock().now_ms();
    refusals.retain(|refused| registry.claims.may_make_a_line(&refused.device, now_ms));
    if refusals.is_empty() {
        return Ok(());
    }
    let (product_keys, names): (Vec<_>, Vec<_>) = refusals
        .iter()
        .map(|refused| {
            let device = &refused.device;
            (device.product_key.as_str(), device.device_name.as_str())
        })
        .unzip();
    let mut tx = registry.pool.begin().await?;
    let mut tidings = Tidings::default();
    for (at, known) in store::session::known(&mut tx, &product_keys, &names).await? {
        let refused = &refusals[at];
        let from = (refused.client_address.as_str(), refused.protocol.as_str());
        tidings.refused(
            device_ref(&refused.device, &known),
            refused.why,
            from,
            refused.at,
        );
    }
    if !tidings.is_empty() {
        store::told::insert(&mut tx, tidings.into_rows()).await?;
        tx.commit().await?;
        registry.written.send_replace(());
    }
    Ok(())
}
