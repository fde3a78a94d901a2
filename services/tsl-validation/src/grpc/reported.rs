//! What devices reported: latest values and events.

use std::ops::RangeInclusive;

use chassis::page::{self, Page};
use chassis::{Caller, Refusal};
use chrono::{DateTime, Datelike, Utc};
use prost_types::Timestamp;
use proto::hoshu::thing::v1::event::Type;
use proto::hoshu::thing::v1::list_properties_response::Property;
use proto::hoshu::thing::v1::*;
use thing_model::EventKind;
use uuid::Uuid;

use super::model::strange_token;
use super::timestamp;
use crate::Thing;
use crate::domain::latest;
use crate::store;
use crate::store::event::{Cursor, Wanted};

pub(super) async fn properties(
    thing: &Thing,
    caller: Caller,
    request: ListPropertiesRequest,
) -> Result<ListPropertiesResponse, Refusal> {
    let ListPropertiesRequest {
        product_key,
        device_name,
    } = request;
    let place = thing
        .registry
        .locate(&caller, &product_key, &device_name)
        .await?;
    let packed = store::latest::of_device(&thing.pool, place.device_id).await?;
    let values = latest::unpack(&packed).map_err(Refusal::internal)?;
    let items = values
        .into_iter()
        .map(|value| Property {
            identifier: value.identifier.to_owned(),
            value: value.json.to_owned(),
            reported_at: DateTime::from_timestamp_millis(value.at_ms).map(timestamp),
        })
        .collect();
    Ok(ListPropertiesResponse { items })
}

pub(super) async fn events(
    thing: &Thing,
    caller: Caller,
    request: ListEventsRequest,
) -> Result<ListEventsResponse, Refusal> {
    let kind = match request.r#type() {
        Type::Unspecified => None,
        Type::Info => Some(EventKind::Info),
        Type::Alert => Some(EventKind::Alert),
        Type::Error => Some(EventKind::Error),
    };
    let wanted = Wanted {
        kind,
        identifier: identifier(request.identifier)?,
        from: time("/from", request.from)?,
        to: time("/to", request.to)?,
    };
    let page = Page::parse(request.page_size, &request.page_token)?;
    let cursor = page.after.as_deref().map(read_cursor).transpose()?;
    let (product_key, device_name) = (&request.product_key, &request.device_name);
    let place = thing
        .registry
        .locate(&caller, product_key, device_name)
        .await?;
    let (mut rows, heavy) =
        store::event::of_device(&thing.pool, place.device_id, &wanted, cursor, page.limit())
            .await?;
    let next_page_token = page.cut(&mut rows, write_cursor).or_else(|| {
        let last = rows.last().filter(|_| heavy)?;
        Some(page::token(&write_cursor(last)))
    });
    let items = rows
        .into_iter()
        .map(|row| Event {
            message_id: row.message_id.to_string(),
            identifier: row.identifier,
            r#type: match row.kind {
                EventKind::Info => Type::Info,
                EventKind::Alert => Type::Alert,
                EventKind::Error => Type::Error,
            }
            .into(),
            data: row.data,
            reported_at: Some(timestamp(row.reported_at)),
        })
        .collect();
    Ok(ListEventsResponse {
        items,
        next_page_token,
    })
}

fn identifier(asked: Option<String>) -> Result<Option<String>, Refusal> {
    // PostgreSQL has no text with a NUL in it.
    match asked.filter(|identifier| !identifier.is_empty()) {
        Some(identifier) if identifier.contains('\0') => {
            Err(Refusal::invalid("/identifier", "no event has this name"))
        }
        asked => Ok(asked),
    }
}

/// The years that a protobuf timestamp may be of, which the store can hold too.
const YEARS: RangeInclusive<i32> = 1..=9999;

fn time(pointer: &str, time: Option<Timestamp>) -> Result<Option<DateTime<Utc>>, Refusal> {
    let Some(time) = time else { return Ok(None) };
    u32::try_from(time.nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(time.seconds, nanos))
        .filter(|time| YEARS.contains(&time.year()))
        .map(Some)
        .ok_or_else(|| Refusal::invalid(pointer, "not a time of the years 1 to 9999"))
}

fn write_cursor(row: &store::event::Event) -> Vec<u8> {
    let mut cursor = row.reported_at.timestamp_micros().to_be_bytes().to_vec();
    cursor.extend_from_slice(row.message_id.as_bytes());
    cursor.extend_from_slice(&row.position.to_be_bytes());
    cursor
}

fn read_cursor(cursor: &[u8]) -> Result<Cursor, Refusal> {
    let read = || {
        let (micros, rest) = cursor.split_first_chunk::<8>()?;
        let (message_id, rest) = rest.split_first_chunk::<16>()?;
        Some(Cursor {
            reported_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))
                .filter(|time| YEARS.contains(&time.year()))?,
            message_id: Uuid::from_bytes(*message_id),
            position: i32::from_be_bytes(rest.try_into().ok()?),
        })
    };
    read().ok_or_else(strange_token)
}
