//! What the bus may bring, without a store: for the fuzz targets alone.

use std::sync::Arc;

use bus::Batch;
use proto::hoshu::bus::v1::{LogLine, UpBatch, UpMessage};
use proto::hoshu::registry::v1::{data_format_kind::DataFormat, edition_kind::Edition};
use serde::de::IgnoredAny;
use thing_model::{Model, Report};

use crate::domain::judge::{self, ProductModel};
use crate::lines::{self, Direction};

const NOW_MS: i64 = 1_700_000_000_000;

/// A batch of messages: each is judged by this model, answered, and makes its lines.
///
/// # Panics
/// When a reply or a line's detail is no JSON.
pub fn batch(payload: &[u8], model: &Arc<Model>) {
    let product = ProductModel {
        version: 1,
        document: "{}".into(),
        model: model.clone(),
    };
    let mut report = Report::new();
    for message in UpBatch::read(payload.to_vec().into()).unwrap_or_default() {
        on_message(&message, &product, &mut report);
    }
}

fn on_message(message: &UpMessage, product: &ProductModel, report: &mut Report) {
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
    let verdict = judge::judge(&up, Some(product), report, NOW_MS);
    told(&lines::upstream(message, None));
    for value in &verdict.values {
        is_json(value.json.as_bytes());
    }
    for event in &verdict.events {
        is_json(event.data.as_bytes());
    }
    if let Some(reply) = &verdict.reply {
        is_json(&reply.payload);
    }
    let said = verdict.said.or_else(|| {
        let answer = verdict.answer.as_ref()?;
        Some(answer.said("thing.service.property.set", Some(product), report))
    });
    if let Some(said) = said {
        let iot_id = &message.iot_id;
        told(&lines::tsl(
            NOW_MS,
            Direction::Upstream,
            iot_id,
            &said,
            None,
        ));
    }
}

fn told(line: &LogLine) {
    is_json(line.detail.as_bytes());
}

fn is_json(text: &[u8]) {
    // However large its numbers.
    let read = serde_json::from_slice::<IgnoredAny>(text);
    assert!(read.is_ok(), "{}: {read:?}", String::from_utf8_lossy(text));
}
