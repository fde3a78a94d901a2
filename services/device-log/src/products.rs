//! Whose a product is, asked of the registry.

use std::time::Duration;

use alink::ProductKey;
use chassis::{Caller, Peer, Refusal};
use moka::sync::Cache;
use proto::hoshu::registry::internal::v1::FindProductsRequest;
use proto::hoshu::registry::internal::v1::session_service_client::SessionServiceClient;

/// How long an answer is taken as still true. A product never changes hands; a deleted one's
/// log is shown for this long.
const REMEMBER: Duration = Duration::from_secs(10);
/// Products remembered at once, about 200 bytes each.
const MOST: u64 = 10_000;

pub(crate) struct Products {
    registry: SessionServiceClient<Peer>,
    accounts: Cache<ProductKey, String>,
}

impl Products {
    pub(crate) fn new(registry: Peer) -> Self {
        Self {
            registry: SessionServiceClient::new(registry),
            accounts: Cache::builder()
                .max_capacity(MOST)
                .time_to_live(REMEMBER)
                .build(),
        }
    }

    /// The product of this name, if there is one and it is the caller's.
    ///
    /// # Errors
    /// NOT_FOUND, whether there is none or it is another's: a stranger learns nothing.
    pub(crate) async fn of_caller(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<ProductKey, Refusal> {
        let none = || Refusal::not_found(format_args!("product {name}"));
        let product: ProductKey = name.parse().map_err(|_| none())?;
        let account = self.account_of(caller, &product).await?.ok_or_else(none)?;
        (account == caller.account_id)
            .then_some(product)
            .ok_or_else(none)
    }

    async fn account_of(
        &self,
        caller: &Caller,
        product: &ProductKey,
    ) -> Result<Option<String>, Refusal> {
        if let Some(account) = self.accounts.get(product) {
            return Ok(Some(account));
        }
        let request = FindProductsRequest {
            product_keys: vec![product.to_string()],
        };
        let found = self
            .registry
            .clone()
            .find_products(caller.ask(request))
            .await?
            .into_inner();
        let Some(facts) = found.products.into_iter().next() else {
            return Ok(None);
        };
        self.accounts
            .insert(product.clone(), facts.account_id.clone());
        Ok(Some(facts.account_id))
    }
}
