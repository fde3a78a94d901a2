//! Whose a product is, and where a device is: asked of the registry.

use std::time::Duration;

use chassis::{Caller, Peer, Refusal};
use moka::sync::Cache;
use proto::hoshu::registry::internal::v1::session_service_client::SessionServiceClient;
use proto::hoshu::registry::internal::v1::{
    FindProductsRequest, LocateRequest, Place, ProductFacts, locate_request,
};
use proto::hoshu::registry::v1::edition_kind::Edition;

/// How long a product's facts are believed. They hardly change, and a deleted product is soon missed.
const BELIEVED: Duration = Duration::from_secs(2);
const PRODUCTS_KNOWN: u64 = 10_000;

#[derive(Clone)]
pub(crate) struct Registry {
    client: SessionServiceClient<Peer>,
    products: Cache<String, ProductFacts>,
}

impl Registry {
    pub(crate) fn new(peer: Peer) -> Self {
        Self {
            client: SessionServiceClient::new(peer),
            products: Cache::builder()
                .max_capacity(PRODUCTS_KNOWN)
                .time_to_live(BELIEVED)
                .build(),
        }
    }

    /// A PRO product of the caller's own account.
    pub(crate) async fn product(
        &self,
        caller: &Caller,
        product_key: &str,
    ) -> Result<ProductFacts, Refusal> {
        let facts = match self.products.get(product_key) {
            Some(facts) => Some(facts),
            None => self.find(caller, product_key).await?,
        };
        let facts = facts
            .filter(|facts| facts.account_id == caller.account_id)
            .ok_or_else(|| Refusal::not_found(format_args!("product {product_key}")))?;
        pro(&facts)?;
        Ok(facts)
    }

    async fn find(
        &self,
        caller: &Caller,
        product_key: &str,
    ) -> Result<Option<ProductFacts>, Refusal> {
        let question = FindProductsRequest {
            product_keys: vec![product_key.to_owned()],
        };
        let answer = self
            .client
            .clone()
            .find_products(caller.ask(question))
            .await?;
        let facts = answer.into_inner().products.into_iter().next();
        if let Some(facts) = &facts {
            self.products.insert(product_key.to_owned(), facts.clone());
        }
        Ok(facts)
    }

    /// Where a device of the caller's own account is now; its product is PRO.
    pub(crate) async fn locate(
        &self,
        caller: &Caller,
        product_key: &str,
        device_name: &str,
    ) -> Result<Place, Refusal> {
        let question = LocateRequest {
            devices: vec![locate_request::Question {
                product_key: product_key.to_owned(),
                device_name: device_name.to_owned(),
            }],
        };
        let answer = self.client.clone().locate(caller.ask(question)).await?;
        let answer = answer.into_inner().answers.into_iter().next();
        let place = answer
            .and_then(|answer| answer.place)
            .filter(|place| place.account_id == caller.account_id)
            .ok_or_else(|| {
                Refusal::not_found(format_args!("device {product_key}/{device_name}"))
            })?;
        if let Some(facts) = &place.product {
            pro(facts)?;
        }
        Ok(place)
    }
}

fn pro(facts: &ProductFacts) -> Result<(), Refusal> {
    match facts.edition() {
        Edition::Basic => Err(Refusal::conflict("a BASIC product has no thing model")),
        _ => Ok(()),
    }
}
