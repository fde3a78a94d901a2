//! Between the rules' types and those of the contract.

use chassis::Refusal;
use chassis::page::Page;
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use proto::hoshu::registry::v1 as wire;

use crate::domain::device::{Device, Status};
use crate::domain::product::{Product, Traits};

pub(super) fn product(product: Product) -> wire::Product {
    wire::Product {
        product_key: product.product_key,
        name: product.name,
        node_type: product.node_type.code().into(),
        data_format: product.data_format.code().into(),
        edition: product.edition.code().into(),
        created_at: Some(timestamp(product.created_at)),
        product_secret: None,
    }
}

pub(super) fn device(device: Device) -> wire::Device {
    wire::Device {
        product_key: device.product_key,
        device_name: device.device_name,
        iot_id: device.iot_id,
        status: status(device.status).into(),
        created_at: Some(timestamp(device.created_at)),
        activated_at: device.activated_at.map(timestamp),
        last_online_at: device.last_online_at.map(timestamp),
        last_offline_at: device.last_offline_at.map(timestamp),
        client_address: device.client_address,
        device_secret: None,
    }
}

pub(super) fn status(status: Status) -> wire::device::Status {
    match status {
        Status::Inactive => wire::device::Status::Inactive,
        Status::Online => wire::device::Status::Online,
        Status::Offline => wire::device::Status::Offline,
        Status::Disabled => wire::device::Status::Disabled,
    }
}

/// The status asked for; nothing if it is none.
pub(super) fn read_status(number: i32) -> Option<Status> {
    match wire::device::Status::try_from(number).ok()? {
        wire::device::Status::Unspecified => None,
        wire::device::Status::Inactive => Some(Status::Inactive),
        wire::device::Status::Online => Some(Status::Online),
        wire::device::Status::Offline => Some(Status::Offline),
        wire::device::Status::Disabled => Some(Status::Disabled),
    }
}

/// Node type, data format and edition, as the contract numbers them.
pub(super) fn traits(traits: Traits) -> (i32, i32, i32) {
    (
        traits.node_type.code().into(),
        traits.data_format.code().into(),
        traits.edition.code().into(),
    )
}

pub(super) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos() as i32,
    }
}

/// The row id that a page begins behind.
pub(super) fn after(page: &Page) -> Result<Option<i64>, Refusal> {
    let Some(cursor) = &page.after else {
        return Ok(None);
    };
    let cursor = <[u8; 8]>::try_from(cursor.as_slice()).map_err(|_| {
        Refusal::invalid("/pageToken", "not a token that this list has answered with")
    })?;
    Ok(Some(i64::from_be_bytes(cursor)))
}

pub(super) fn cursor(id: i64) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}
