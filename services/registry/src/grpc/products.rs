//! Products: made, listed, read, renamed, deleted.

use chassis::page::Page;
use chassis::{Caller, Refusal};
use proto::hoshu::registry::v1::{
    CreateProductRequest, DeleteProductRequest, DeleteProductResponse, GetProductRequest,
    ListProductsRequest, ListProductsResponse, Product, UpdateProductRequest,
};

use super::telling::Change;
use super::wire;
use crate::domain::product::{self, DataFormat, Edition, NodeType, Wish};
use crate::domain::secret;
use crate::{Registry, store};

pub(super) async fn create(
    registry: &Registry,
    caller: &Caller,
    request: CreateProductRequest,
) -> Result<Product, Refusal> {
    let wish = Wish {
        node_type: NodeType::from_code(request.node_type),
        data_format: DataFormat::from_code(request.data_format),
        edition: Edition::from_code(request.edition),
        name: request.name,
    };
    let traits = product::judge(&wish).map_err(Refusal::faults)?;
    let product_secret = secret::product_secret();
    let sealed = registry.seal(&product_secret)?;
    let mut tx = registry.pool.begin().await?;
    // Keys are drawn from 62^11; one that is taken is drawn again.
    let made = loop {
        let new = store::product::New {
            product_key: &secret::product_key(),
            account_id: &caller.account_id,
            name: &wish.name,
            traits,
            sealed_secret: &sealed,
            created_at: registry.now(),
        };
        if let Some(made) = store::product::insert(&mut tx, new).await? {
            break made;
        }
    };
    Change::of_product("product.created", &made.product_key)
        .tell(&mut tx, registry, caller, None, Some(&made))
        .await?;
    tx.commit().await?;
    Ok(Product {
        product_secret: Some(product_secret),
        ..wire::product(made)
    })
}

pub(super) async fn list(
    registry: &Registry,
    caller: &Caller,
    request: ListProductsRequest,
) -> Result<ListProductsResponse, Refusal> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let after = wire::after(&page)?;
    let mut connection = registry.pool.acquire().await?;
    let mut products =
        store::product::list(&mut connection, &caller.account_id, after, page.limit()).await?;
    let next_page_token = page.cut(&mut products, |product| wire::cursor(product.id));
    Ok(ListProductsResponse {
        items: products.into_iter().map(wire::product).collect(),
        next_page_token,
    })
}

pub(super) async fn get(
    registry: &Registry,
    caller: &Caller,
    request: GetProductRequest,
) -> Result<Product, Refusal> {
    let mut connection = registry.pool.acquire().await?;
    let found = store::product::find(
        &mut connection,
        &caller.account_id,
        key(&request.product_key)?,
    )
    .await?;
    Ok(wire::product(
        found.ok_or_else(|| missing(&request.product_key))?,
    ))
}

pub(super) async fn update(
    registry: &Registry,
    caller: &Caller,
    request: UpdateProductRequest,
) -> Result<Product, Refusal> {
    let fault = request.name.as_deref().and_then(product::name_fault);
    let mut tx = registry.pool.begin().await?;
    let before = store::product::lock(&mut tx, &caller.account_id, key(&request.product_key)?)
        .await?
        .ok_or_else(|| missing(&request.product_key))?;
    if let Some(fault) = fault {
        return Err(Refusal::faults(vec![fault]));
    }
    let Some(name) = request.name.filter(|name| *name != before.name) else {
        return Ok(wire::product(before));
    };
    store::product::rename(&mut tx, before.id, &name).await?;
    let after = product::Product {
        name,
        ..before.clone()
    };
    Change::of_product("product.updated", &after.product_key)
        .tell(&mut tx, registry, caller, Some(&before), Some(&after))
        .await?;
    tx.commit().await?;
    Ok(wire::product(after))
}

pub(super) async fn delete(
    registry: &Registry,
    caller: &Caller,
    request: DeleteProductRequest,
) -> Result<DeleteProductResponse, Refusal> {
    let mut tx = registry.pool.begin().await?;
    // Devices made meanwhile wait for this lock, and then find no product.
    let before = store::product::lock(&mut tx, &caller.account_id, key(&request.product_key)?)
        .await?
        .ok_or_else(|| missing(&request.product_key))?;
    if !store::product::delete(&mut tx, before.id).await? {
        return Err(Refusal::conflict(
            "the product still has devices: delete them first",
        ));
    }
    Change::of_product("product.deleted", &before.product_key)
        .tell(&mut tx, registry, caller, Some(&before), None)
        .await?;
    tx.commit().await?;
    Ok(DeleteProductResponse {})
}

/// A text that no product can have as its key is that of no product.
pub(super) fn key(text: &str) -> Result<&str, Refusal> {
    if alink::ProductKey::is_valid(text) {
        Ok(text)
    } else {
        Err(missing(text))
    }
}

/// Also said of another account's product: who has no part in it does not learn that it is there.
pub(super) fn missing(product_key: &str) -> Refusal {
    Refusal::not_found(format_args!("product {product_key}"))
}
