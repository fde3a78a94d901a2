//! Where devices are, and what products are: for services, of every account.

use chassis::Refusal;
use proto::hoshu::registry::internal::v1::locate_response::Answer;
use proto::hoshu::registry::internal::v1::{
    FindProductsRequest, FindProductsResponse, LocateRequest, LocateResponse, Place, ProductFacts,
};

use super::wire;
use crate::domain::product::Traits;
use crate::{Registry, store};

/// Devices or products in one question.
const QUESTIONS: usize = 1000;

pub(super) async fn locate(
    registry: &Registry,
    request: LocateRequest,
) -> Result<LocateResponse, Refusal> {
    bounded("/devices", request.devices.len())?;
    let mut answers = vec![Answer::default(); request.devices.len()];
    let product_keys: Vec<_> = request
        .devices
        .iter()
        .map(|device| device.product_key.clone())
        .collect();
    let names: Vec<_> = request
        .devices
        .iter()
        .map(|device| device.device_name.clone())
        .collect();
    // A text that cannot be a name is asked for all the same; only a NUL would be refused by the database.
    let (product_keys, names) = (harmless(product_keys), harmless(names));
    let mut connection = registry.pool.acquire().await?;
    for (at, place) in store::place::locate(&mut connection, &product_keys, &names).await? {
        let facts = facts(
            product_keys[at].clone(),
            place.account_id.clone(),
            place.traits,
        );
        answers[at].place = Some(Place {
            account_id: place.account_id,
            device_id: place.device_id,
            iot_id: place.iot_id,
            status: wire::status(place.status).into(),
            node: place.node.unwrap_or_default(),
            session: place.number as u64,
            activated: place.activated,
            product: Some(facts),
        });
    }
    Ok(LocateResponse { answers })
}

pub(super) async fn find_products(
    registry: &Registry,
    request: FindProductsRequest,
) -> Result<FindProductsResponse, Refusal> {
    bounded("/productKeys", request.product_keys.len())?;
    let mut connection = registry.pool.acquire().await?;
    let found = store::place::products(&mut connection, &harmless(request.product_keys)).await?;
    Ok(FindProductsResponse {
        products: found
            .into_iter()
            .map(|found| facts(found.product_key, found.account_id, found.traits))
            .collect(),
    })
}

fn facts(product_key: String, account_id: String, traits: Traits) -> ProductFacts {
    let (node_type, data_format, edition) = wire::traits(traits);
    ProductFacts {
        product_key,
        account_id,
        node_type,
        data_format,
        edition,
    }
}

fn harmless(mut texts: Vec<String>) -> Vec<String> {
    texts
        .iter_mut()
        .filter(|text| text.contains('\0'))
        .for_each(String::clear);
    texts
}

fn bounded(pointer: &str, questions: usize) -> Result<(), Refusal> {
    if questions > QUESTIONS {
        return Err(Refusal::invalid(
            pointer,
            format!("at most {QUESTIONS} in one request, there are {questions}"),
        ));
    }
    Ok(())
}
