//! The effects of a group. Each is the same however often it happens, so that they need no
//! transaction together: a group that fails in the middle is done again.

use std::collections::BTreeMap;

use anyhow::bail;
use chrono::{DateTime, Utc};
use proto::hoshu::bus::v1::Answered;
use sqlx::PgConnection;

use super::Item;
use crate::Thing;
use crate::domain::answer::{Question, Standing};
use crate::domain::judge::Answer;
use crate::domain::latest::{self, Value};
use crate::store;

/// Times that values are read and merged until nobody else has changed them in between.
const ROUNDS: usize = 10;

/// Commits values, events and answers, then tells the pods that wait for the answers.
pub(super) async fn commit(
    thing: &Thing,
    items: &mut [Item<'_>],
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let has_effect = |item: &Item<'_>| {
        let verdict = &item.verdict;
        !verdict.values.is_empty() || !verdict.events.is_empty() || verdict.answer.is_some()
    };
    if !items.iter().any(has_effect) {
        return Ok(());
    }
    let mut connection = thing.pool.acquire().await?;
    values(&mut connection, items).await?;
    answers(&mut connection, items, now).await?;
    events(&mut connection, items).await?;
    drop(connection);
    tell(thing, items).await;
    Ok(())
}

async fn answers(
    connection: &mut PgConnection,
    items: &mut [Item<'_>],
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let answers: Vec<_> = items.iter().filter_map(answering).collect();
    if answers.is_empty() {
        return Ok(());
    }
    let mut known = store::command::answer(connection, &answers, now).await?;
    for item in items.iter_mut() {
        let Some(answer) = &item.verdict.answer else {
            continue;
        };
        let device = item.device.device_id;
        let Some(asked) = known
            .iter_mut()
            .find(|asked| asked.is_asked_by(device, &answer.question))
        else {
            continue;
        };
        let standing = asked.standing(item.id);
        item.asked = Some((asked.clone(), standing));
        if standing == Standing::First {
            // A second answer in the same group comes after this one.
            asked.answer_id = Some(item.id);
            asked.ended_at = Some(now);
        }
    }
    Ok(())
}

fn answering<'a>(item: &'a Item<'_>) -> Option<store::command::Answering<'a>> {
    let answer = item.verdict.answer.as_ref()?;
    if answer.question == Question::Unreadable {
        return None;
    }
    Some(store::command::Answering {
        answer_id: item.id,
        device_id: item.device.device_id,
        question: &answer.question,
        answered: answered(answer),
    })
}

fn answered(answer: &Answer<'_>) -> store::command::Answered {
    // PostgreSQL has no text with a NUL in it.
    let message = answer.message.as_deref().map(|text| text.replace('\0', ""));
    store::command::Answered {
        code: i32::try_from(answer.code).unwrap_or(i32::MAX),
        message,
        data: answer.data.map(str::to_owned),
    }
}

/// No row is locked while it is merged: one that changed meanwhile is read and merged again.
async fn values(connection: &mut PgConnection, items: &[Item<'_>]) -> anyhow::Result<()> {
    let mut open: BTreeMap<i64, Vec<Value<'_>>> = BTreeMap::new();
    for item in items.iter().filter(|item| !item.verdict.values.is_empty()) {
        let values = item.verdict.values.iter().map(|value| Value {
            identifier: value.identifier,
            json: &value.json,
            at_ms: value.at_ms,
            by: item.id.into_bytes(),
        });
        open.entry(item.device.device_id)
            .or_default()
            .extend(values);
    }
    for _ in 0..ROUNDS {
        if open.is_empty() {
            return Ok(());
        }
        let devices: Vec<i64> = open.keys().copied().collect();
        let mut rows = store::latest::of_devices(connection, &devices).await?;
        let mut changes = Vec::with_capacity(devices.len());
        for (&device_id, values) in &mut open {
            let seen = rows.remove(&device_id);
            if let Some(packed) = latest::merge(seen.as_deref().unwrap_or_default(), values)? {
                changes.push(store::latest::Change {
                    device_id,
                    seen,
                    packed,
                });
            }
        }
        let done = store::latest::replace(connection, &changes).await?;
        open = changes
            .iter()
            .filter(|change| !done.contains(&change.device_id))
            .filter_map(|change| open.remove_entry(&change.device_id))
            .collect();
    }
    bail!(
        "the values of {} devices were changed by others {ROUNDS} times",
        open.len()
    )
}

async fn events(connection: &mut PgConnection, items: &[Item<'_>]) -> anyhow::Result<()> {
    let mut events = Vec::new();
    for item in items {
        for (position, event) in (0..).zip(&item.verdict.events) {
            events.push(store::event::Event {
                message_id: item.id,
                position,
                device_id: item.device.device_id,
                identifier: event.identifier.to_owned(),
                kind: event.kind,
                data: event.data.clone().into_owned(),
                reported_at: DateTime::from_timestamp_millis(event.at_ms).unwrap_or_default(),
            });
        }
    }
    if !events.is_empty() {
        store::event::keep(connection, &events).await?;
    }
    Ok(())
}

async fn tell(thing: &Thing, items: &[Item<'_>]) {
    for item in items {
        let (Some((asked, Standing::First | Standing::Again)), Some(answer)) =
            (&item.asked, &item.verdict.answer)
        else {
            continue;
        };
        let store::command::Answered {
            code,
            message,
            data,
        } = answered(answer);
        let answered = Answered {
            message_id: asked.message_id.as_bytes().to_vec().into(),
            code,
            message,
            data,
        };
        thing.bus.answered(&asked.node, &answered).await;
    }
}
