//! Devices made many at a time, all or none.

use std::collections::HashSet;

use chassis::{Caller, Refusal};
use proto::hoshu::registry::v1::create_devices_response::Made as MadeItem;
use proto::hoshu::registry::v1::{CreateDevicesRequest, CreateDevicesResponse};
use serde::Serialize;
use sqlx::PgConnection;
use tonic::Code;

use super::products;
use super::telling::Change;
use crate::domain::product::Product;
use crate::domain::{batch, secret};
use crate::{Registry, store};

/// Names in one event, which must fit a message of the bus.
const NAMES_TOLD: usize = 1000;

pub(super) async fn create(
    registry: &Registry,
    caller: &Caller,
    request: CreateDevicesRequest,
) -> Result<CreateDevicesResponse, Refusal> {
    let names = batch::judge(&request.device_names, request.count);
    let mut tx = registry.pool.begin().await?;
    let product = store::product::find(
        &mut tx,
        &caller.account_id,
        products::key(&request.product_key)?,
    )
    .await?
    .ok_or_else(|| products::missing(&request.product_key))?;
    let names = names.map_err(Refusal::faults)?;
    let made = make(registry, &mut tx, &product, names).await?;
    if made.written.len() < made.names.len() {
        let written: HashSet<_> = made.written.iter().map(String::as_str).collect();
        let faults = batch::taken_faults(&made.names, |name| !written.contains(name));
        return Err(Refusal {
            kind: Code::AlreadyExists,
            ..Refusal::faults(faults)
        });
    }
    for names in made.names.chunks(NAMES_TOLD) {
        Change::of_product("devices.created", &product.product_key)
            .tell(
                &mut tx,
                registry,
                caller,
                None,
                Some(&Told {
                    device_names: names,
                }),
            )
            .await?;
    }
    tx.commit().await?;
    let items = made.names.into_iter().zip(made.secrets).zip(made.iot_ids);
    Ok(CreateDevicesResponse {
        items: items
            .map(|((device_name, device_secret), iot_id)| MadeItem {
                device_name,
                device_secret,
                iot_id,
            })
            .collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    device_names: &'a [String],
}

/// Devices that were made, column by column, and the names of those that were written.
pub(super) struct Made {
    pub(super) names: Vec<String>,
    pub(super) secrets: Vec<String>,
    pub(super) iot_ids: Vec<String>,
    pub(super) written: Vec<String>,
}

/// Makes devices with secrets of their own; those whose name is taken are not written.
pub(super) async fn make(
    registry: &Registry,
    tx: &mut PgConnection,
    product: &Product,
    names: Vec<String>,
) -> Result<Made, Refusal> {
    let secrets: Vec<_> = names.iter().map(|_| secret::device_secret()).collect();
    let sealed: Result<Vec<_>, _> = secrets.iter().map(|secret| registry.seal(secret)).collect();
    let new = store::device::New {
        iot_ids: names.iter().map(|_| secret::iot_id()).collect(),
        sealed_secrets: sealed?,
        names,
    };
    let written = store::device::insert(tx, product.id, &new, registry.now())
        .await
        .map_err(|error| match error {
            // The product was deleted meanwhile.
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => {
                products::missing(&product.product_key)
            }
            error => error.into(),
        })?;
    Ok(Made {
        names: new.names,
        iot_ids: new.iot_ids,
        secrets,
        written,
    })
}
