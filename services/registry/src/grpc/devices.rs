//! Devices: made one by one, listed, read.

use alink::DeviceName;
use chassis::page::Page;
use chassis::{Caller, Fault, Refusal};
use proto::hoshu::registry::v1::{
    CreateDeviceRequest, Device, GetDeviceRequest, ListDevicesRequest, ListDevicesResponse,
};
use tonic::Code;

use super::device_batches::{Made, make};
use super::telling::Change;
use super::{products, wire};
use crate::domain::device::names_with;
use crate::domain::secret;
use crate::{Registry, store};

pub(super) async fn create(
    registry: &Registry,
    caller: &Caller,
    request: CreateDeviceRequest,
) -> Result<Device, Refusal> {
    let name = request.device_name.unwrap_or_else(secret::device_name);
    let fault = name.parse::<DeviceName>().err();
    let mut tx = registry.pool.begin().await?;
    let product = store::product::find(
        &mut tx,
        &caller.account_id,
        products::key(&request.product_key)?,
    )
    .await?
    .ok_or_else(|| products::missing(&request.product_key))?;
    if let Some(fault) = fault {
        return Err(Refusal::invalid("/deviceName", fault.to_string()));
    }
    let Made {
        mut secrets,
        written,
        ..
    } = make(registry, &mut tx, &product, vec![name.clone()]).await?;
    if written.is_empty() {
        let fault = Fault::new(
            "/deviceName",
            format!("the product already has a device {name}"),
        );
        return Err(Refusal {
            kind: Code::AlreadyExists,
            ..Refusal::faults(vec![fault])
        });
    }
    let made = found(&mut tx, caller, &product.product_key, &name).await?;
    Change::of_device("device.created", &made.product_key, &made.device_name)
        .tell(&mut tx, registry, caller, None, Some(&made))
        .await?;
    tx.commit().await?;
    Ok(Device {
        device_secret: secrets.pop(),
        ..wire::device(made)
    })
}

pub(super) async fn get(
    registry: &Registry,
    caller: &Caller,
    request: GetDeviceRequest,
) -> Result<Device, Refusal> {
    let mut connection = registry.pool.acquire().await?;
    let found = found(
        &mut connection,
        caller,
        &request.product_key,
        &request.device_name,
    )
    .await?;
    Ok(wire::device(found))
}

pub(super) async fn list(
    registry: &Registry,
    caller: &Caller,
    request: ListDevicesRequest,
) -> Result<ListDevicesResponse, Refusal> {
    let mut faults = Vec::new();
    let page = Page::parse(request.page_size, &request.page_token)
        .and_then(|page| Ok((wire::after(&page)?, page)))
        .map_err(|refusal| faults.extend(refusal.errors));
    let status = request.status.map(wire::read_status);
    if status == Some(None) {
        faults.push(Fault::new(
            "/status",
            "must be INACTIVE, ONLINE, OFFLINE or DISABLED",
        ));
    }
    let mut connection = registry.pool.acquire().await?;
    let product = store::product::find(
        &mut connection,
        &caller.account_id,
        products::key(&request.product_key)?,
    )
    .await?
    .ok_or_else(|| products::missing(&request.product_key))?;
    let Ok((after, page)) = page else {
        return Err(Refusal::faults(faults));
    };
    if !faults.is_empty() {
        return Err(Refusal::faults(faults));
    }
    let Some((from, to)) = names_with(request.query.as_deref().unwrap_or_default()) else {
        return Ok(ListDevicesResponse::default());
    };
    let filter = store::device::Filter {
        product_id: product.id,
        status: status.flatten(),
        names: (&from, &to),
    };
    let mut devices = store::device::list(&mut connection, filter, after, page.limit()).await?;
    let next_page_token = page.cut(&mut devices, |device| wire::cursor(device.id));
    Ok(ListDevicesResponse {
        items: devices.into_iter().map(wire::device).collect(),
        next_page_token,
    })
}

/// The account's device of that name.
pub(super) async fn found(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
    product_key: &str,
    device_name: &str,
) -> Result<crate::domain::device::Device, Refusal> {
    let name = name(product_key, device_name)?;
    let found = store::device::find(connection, &caller.account_id, product_key, name).await?;
    found.ok_or_else(|| missing(product_key, device_name))
}

/// A pair of texts that no device can have as its names is that of no device.
pub(super) fn name<'a>(product_key: &str, device_name: &'a str) -> Result<&'a str, Refusal> {
    if alink::ProductKey::is_valid(product_key) && DeviceName::is_valid(device_name) {
        Ok(device_name)
    } else {
        Err(missing(product_key, device_name))
    }
}

pub(super) fn missing(product_key: &str, device_name: &str) -> Refusal {
    Refusal::not_found(format_args!("device {product_key}/{device_name}"))
}
