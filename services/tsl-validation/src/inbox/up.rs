//! Messages from devices: judged, committed, answered, logged; a whole group at once.
//!
//! A reply goes out after the commit. Only the acknowledgement waits until the lines are on
//! their stream, so after a crash a device may be answered twice, and no line is lost.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use bus::Receipts;
use chrono::{DateTime, Utc};
use opentelemetry::KeyValue;
use proto::hoshu::bus::v1::{DeviceRef, UpMessage};
use proto::hoshu::registry::v1::data_format_kind::DataFormat;
use proto::hoshu::registry::v1::edition_kind::Edition;
use thing_model::Report;
use uuid::Uuid;

use crate::Thing;
use crate::domain::answer::{Asked, Standing};
use crate::domain::judge::{self, ProductModel, Verdict};

mod commit;
mod log;
mod reply;

/// A message of the group with all that is known of it.
struct Item<'a> {
    id: Uuid,
    message: &'a UpMessage,
    device: &'a DeviceRef,
    product: Option<&'a ProductModel>,
    verdict: Verdict<'a>,
    /// The request of ours that it answers.
    asked: Option<(Asked, Standing)>,
}

pub(crate) fn consume(thing: &Thing) {
    let handler = thing.clone();
    thing.bus.consume(bus::inbox::THING_UP, move |messages| {
        let thing = handler.clone();
        async move { on_group(&thing, &messages).await }
    });
}

async fn on_group(thing: &Thing, messages: &[UpMessage]) -> anyhow::Result<Receipts> {
    let models = models_of(thing, messages).await?;
    let now = thing.chassis.clock().now();
    let mut items = judge_all(messages, &models, now).await?;
    commit::commit(thing, &mut items, now).await?;
    let outcomes = reply::send(thing, &mut items).await;
    let lines = log::write(thing, &items, &outcomes).await;
    count(thing, &items);
    Ok(lines)
}

/// A group has few codes, so that they are counted before they are told. Codes of a device's own are one:
/// a device must not make metrics.
fn count(thing: &Thing, items: &[Item<'_>]) {
    let mut codes: HashMap<u32, u64> = HashMap::new();
    for said in items.iter().filter_map(|item| item.verdict.said.as_ref()) {
        let code = alink::codes::lookup(said.code).map_or(0, |_| said.code);
        *codes.entry(code).or_default() += 1;
    }
    for (code, times) in codes {
        thing
            .judged
            .add(times, &[KeyValue::new("code", i64::from(code))]);
    }
}

type Models = HashMap<String, Option<Arc<ProductModel>>>;

/// The models of the products that have one to be judged by.
async fn models_of(thing: &Thing, messages: &[UpMessage]) -> anyhow::Result<Models> {
    let mut models = Models::new();
    for message in messages {
        let Some(device) = &message.device else {
            continue;
        };
        if message.edition() != Edition::Basic && !models.contains_key(&device.product_key) {
            let model = thing.models.get(&device.product_key).await?;
            models.insert(device.product_key.clone(), model);
        }
    }
    Ok(models)
}

/// Messages that are judged, or put into lines, at a stretch: in one process with the door, a large group
/// must not keep devices waiting for their PUBACKs.
const STRETCH: usize = 64;

async fn judge_all<'a>(
    messages: &'a [UpMessage],
    models: &'a Models,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Item<'a>>> {
    let mut report = Report::new();
    let mut items = Vec::with_capacity(messages.len());
    for stretch in messages.chunks(STRETCH) {
        for message in stretch {
            items.push(judge(message, models, &mut report, now)?);
        }
        tokio::task::yield_now().await;
    }
    Ok(items)
}

fn judge<'a>(
    message: &'a UpMessage,
    models: &'a Models,
    report: &mut Report,
    now: DateTime<Utc>,
) -> anyhow::Result<Item<'a>> {
    let id = Uuid::from_slice(&message.message_id).context("the message id")?;
    let device = message
        .device
        .as_ref()
        .context("the message names no device")?;
    let product = models.get(&device.product_key).and_then(Option::as_deref);
    let up = judge::UpMessage {
        topic: &message.topic,
        payload: &message.payload,
        received_at: message.received_at,
        edition: match message.edition() {
            Edition::Basic => judge::Edition::Basic,
            _ => judge::Edition::Pro,
        },
        raw: message.data_format() == DataFormat::Custom,
        throttled: message.throttled,
    };
    let verdict = judge::judge(&up, product, report, now.timestamp_millis());
    Ok(Item {
        id,
        message,
        device,
        product,
        verdict,
        asked: None,
    })
}
