//! What is done to a device that is there: disabled, enabled, given a new secret, deleted.

use chassis::{Caller, Refusal};
use proto::hoshu::bus::v1::close::Why;
use proto::hoshu::registry::v1::{
    DeleteDeviceRequest, DeleteDeviceResponse, Device, DisableDeviceRequest, EnableDeviceRequest,
    ResetDeviceSecretRequest,
};
use sqlx::{Postgres, Transaction};

use super::telling::Change;
use super::{devices, wire};
use crate::domain::{device, secret};
use crate::{Registry, sessions, store};

pub(super) async fn disable(
    registry: &Registry,
    caller: &Caller,
    request: DisableDeviceRequest,
) -> Result<Device, Refusal> {
    let (mut tx, before) =
        locked(registry, caller, &request.product_key, &request.device_name).await?;
    if before.status == device::Status::Disabled {
        return Ok(wire::device(before));
    }
    store::device::set_disabled(&mut tx, before.id, true).await?;
    sessions::take_away(
        &mut tx,
        registry,
        &caller.account_id,
        &before,
        Why::Disabled,
        "device disabled",
    )
    .await?;
    changed(registry, caller, tx, "device.disabled", &before).await
}

pub(super) async fn enable(
    registry: &Registry,
    caller: &Caller,
    request: EnableDeviceRequest,
) -> Result<Device, Refusal> {
    let (mut tx, before) =
        locked(registry, caller, &request.product_key, &request.device_name).await?;
    if before.status != device::Status::Disabled {
        return Ok(wire::device(before));
    }
    store::device::set_disabled(&mut tx, before.id, false).await?;
    changed(registry, caller, tx, "device.enabled", &before).await
}

pub(super) async fn reset_secret(
    registry: &Registry,
    caller: &Caller,
    request: ResetDeviceSecretRequest,
) -> Result<Device, Refusal> {
    let (mut tx, before) =
        locked(registry, caller, &request.product_key, &request.device_name).await?;
    let device_secret = secret::device_secret();
    store::device::set_secret(&mut tx, before.id, &registry.seal(&device_secret)?).await?;
    let after = changed(registry, caller, tx, "device.secret-reset", &before).await?;
    Ok(Device {
        device_secret: Some(device_secret),
        ..after
    })
}

pub(super) async fn delete(
    registry: &Registry,
    caller: &Caller,
    request: DeleteDeviceRequest,
) -> Result<DeleteDeviceResponse, Refusal> {
    let (mut tx, before) =
        locked(registry, caller, &request.product_key, &request.device_name).await?;
    store::device::delete(&mut tx, before.id).await?;
    sessions::take_away(
        &mut tx,
        registry,
        &caller.account_id,
        &before,
        Why::Deleted,
        "device deleted",
    )
    .await?;
    store::session::forget(&mut tx, before.id).await?;
    Change::of_device("device.deleted", &before.product_key, &before.device_name)
        .tell(&mut tx, registry, caller, Some(&before), None)
        .await?;
    tx.commit().await?;
    registry.written.send_replace(());
    Ok(DeleteDeviceResponse {})
}

/// The account's device, which nobody else changes until the transaction ends.
async fn locked(
    registry: &Registry,
    caller: &Caller,
    product_key: &str,
    device_name: &str,
) -> Result<(Transaction<'static, Postgres>, device::Device), Refusal> {
    let name = devices::name(product_key, device_name)?;
    let mut tx = registry.pool.begin().await?;
    let found = store::device::lock(&mut tx, &caller.account_id, product_key, name).await?;
    Ok((
        tx,
        found.ok_or_else(|| devices::missing(product_key, device_name))?,
    ))
}

/// Tells the change, commits it, and answers with the device as it is now.
async fn changed(
    registry: &Registry,
    caller: &Caller,
    mut tx: Transaction<'static, Postgres>,
    action: &str,
    before: &device::Device,
) -> Result<Device, Refusal> {
    let after = devices::found(&mut tx, caller, &before.product_key, &before.device_name).await?;
    Change::of_device(action, &after.product_key, &after.device_name)
        .tell(&mut tx, registry, caller, Some(before), Some(&after))
        .await?;
    tx.commit().await?;
    registry.written.send_replace(());
    Ok(wire::device(after))
}
