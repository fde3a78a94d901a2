//! Drafts and versions of thing models.

use bus::outbox;
use chassis::page::Page;
use chassis::{Caller, Fault, Noun, Refusal};
use proto::hoshu::bus::v1::Event;
use proto::hoshu::thing::v1::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use thing_model::{Document, Rejected, normalise};

use super::timestamp;
use crate::Thing;
use crate::store::model;

pub(super) async fn get(
    thing: &Thing,
    caller: Caller,
    request: GetThingModelRequest,
) -> Result<ThingModel, Refusal> {
    let product_key = &request.product_key;
    thing.registry.product(&caller, product_key).await?;
    let draft = model::draft(&thing.pool, product_key).await?;
    let document = draft.ok_or_else(|| no_draft(product_key))?.document;
    Ok(ThingModel { document })
}

pub(super) async fn put(
    thing: &Thing,
    caller: Caller,
    request: PutThingModelRequest,
) -> Result<ThingModel, Refusal> {
    let PutThingModelRequest {
        product_key,
        document,
    } = request;
    thing.registry.product(&caller, &product_key).await?;
    if document.len() > Document::MAX_BYTES {
        let message = format!(
            "{} bytes are more than {}",
            document.len(),
            Document::MAX_BYTES
        );
        return Err(Refusal::invalid("", message));
    }
    Document::parse(document.as_bytes()).map_err(rejected)?;
    let document = normalise(document.as_bytes(), &product_key).map_err(rejected)?;
    let mut tx = thing.pool.begin().await?;
    let before = model::lock_draft(&mut tx, &product_key).await?;
    model::put_draft(&mut tx, &product_key, &document).await?;
    let before = before.map(|draft| fingerprint(&draft.document));
    let event = event(
        thing,
        &caller,
        &product_key,
        "model.saved",
        before,
        fingerprint(&document),
    );
    outbox::tell(&mut tx, Noun::Thing, event).await?;
    tx.commit().await?;
    Ok(ThingModel { document })
}

pub(super) async fn publish(
    thing: &Thing,
    caller: Caller,
    request: PublishThingModelRequest,
) -> Result<ThingModelVersion, Refusal> {
    let PublishThingModelRequest { product_key } = request;
    thing.registry.product(&caller, &product_key).await?;
    let now = thing.chassis.clock().now();
    let mut tx = thing.pool.begin().await?;
    let draft = model::lock_draft(&mut tx, &product_key).await?;
    let draft = draft.ok_or_else(|| Refusal::conflict("there is no draft to publish"))?;
    // Saved under older rules, perhaps.
    Document::parse(draft.document.as_bytes()).map_err(rejected)?;
    let new = model::Published {
        product_key,
        version: draft.published + 1,
        document: draft.document,
    };
    model::publish(&mut tx, &new, &caller.actor, now).await?;
    let before = (draft.published > 0).then(|| json!({ "version": draft.published }));
    let after = json!({ "version": new.version });
    let event = event(
        thing,
        &caller,
        &new.product_key,
        "model.published",
        before,
        after,
    );
    outbox::tell(&mut tx, Noun::Thing, event).await?;
    tx.commit().await?;
    thing.models.forget(&new.product_key);
    Ok(ThingModelVersion {
        version: new.version.unsigned_abs(),
        published_at: Some(timestamp(now)),
        published_by: caller.actor,
        current: true,
    })
}

pub(super) async fn versions(
    thing: &Thing,
    caller: Caller,
    request: ListThingModelVersionsRequest,
) -> Result<ListThingModelVersionsResponse, Refusal> {
    let product_key = &request.product_key;
    thing.registry.product(&caller, product_key).await?;
    let page = Page::parse(request.page_size, &request.page_token)?;
    let before = match &page.after {
        None => i32::MAX,
        Some(cursor) => {
            i32::from_be_bytes(cursor.as_slice().try_into().map_err(|_| strange_token())?)
        }
    };
    let mut rows = model::versions(&thing.pool, product_key, before, page.limit()).await?;
    let next_page_token = page.cut(&mut rows, |row| row.version.to_be_bytes().to_vec());
    let items = rows
        .into_iter()
        .map(|row| ThingModelVersion {
            version: row.version.unsigned_abs(),
            published_at: Some(timestamp(row.published_at)),
            published_by: row.published_by,
            current: row.current,
        })
        .collect();
    Ok(ListThingModelVersionsResponse {
        items,
        next_page_token,
    })
}

pub(super) async fn version(
    thing: &Thing,
    caller: Caller,
    request: GetThingModelVersionRequest,
) -> Result<ThingModel, Refusal> {
    let GetThingModelVersionRequest {
        product_key,
        version,
    } = request;
    thing.registry.product(&caller, &product_key).await?;
    let number = i32::try_from(version).unwrap_or(0);
    let document = model::version(&thing.pool, &product_key, number).await?;
    let document = document
        .ok_or_else(|| Refusal::not_found(format_args!("version {version} of this model")))?;
    Ok(ThingModel { document })
}

pub(super) fn strange_token() -> Refusal {
    Refusal::invalid("/pageToken", "not a token that this list has answered with")
}

fn no_draft(product_key: &str) -> Refusal {
    Refusal::not_found(format_args!(
        "thing model of product {product_key}: save one first"
    ))
}

fn rejected(rejected: Rejected) -> Refusal {
    let code = rejected.code();
    let more = rejected.total > rejected.faults.len();
    let mut faults: Vec<Fault> = rejected
        .faults
        .into_iter()
        .map(|fault| Fault::new(fault.pointer, fault.message).with_code(fault.code))
        .collect();
    if more {
        faults.push(Fault::new("", "there are more faults"));
    }
    Refusal::faults(faults).with_code(code)
}

/// What the audit trail keeps of a document: enough to tell one from another.
fn fingerprint(document: &str) -> Value {
    let digest = hex::encode(Sha256::digest(document.as_bytes()));
    json!({ "bytes": document.len(), "sha256": digest })
}

fn event(
    thing: &Thing,
    caller: &Caller,
    product_key: &str,
    action: &str,
    before: Option<Value>,
    after: Value,
) -> Event {
    Event {
        account_id: caller.account_id.clone(),
        actor: caller.actor.clone(),
        at: thing.chassis.clock().now_ms(),
        action: action.to_owned(),
        subject: format!("product/{product_key}"),
        before: before.map(|before| before.to_string()).unwrap_or_default(),
        after: after.to_string(),
        ..Event::default()
    }
}
