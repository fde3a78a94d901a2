//! Messages to devices, from whoever has one: found by device, handed to its session, and answered.

use std::{collections::HashMap, sync::Arc, time::Duration};

use alink::MessageId;
use bus::Addressee;
use proto::hoshu::bus::v1::{
    Close, Down, DownBatch, DownOutcome, DownOutcomes, close::Why, down::Action,
    down_outcome::Kind, publish::Answer,
};

use crate::{
    answers::{Answers, Ticket, outcome},
    directory::{Delivery, Handle},
    domain::ending::End,
    gateway::Gateway,
    store::queue::Offline,
};

/// How long a PUBACK is awaited.
const PATIENCE: Duration = Duration::from_secs(1);

/// # Errors
/// When NATS refuses the subscription.
pub(crate) async fn serve(gateway: &Arc<Gateway>) -> anyhow::Result<()> {
    let served = gateway.clone();
    gateway
        .bus
        .serve_down(move |to, batch| {
            let gateway = served.clone();
            async move { deliver(&gateway, to, batch).await }
        })
        .await
}

async fn deliver(gateway: &Arc<Gateway>, to: Addressee, batch: DownBatch) -> DownOutcomes {
    let answers = Answers::new(batch.items.len());
    let asked = oldest_asked(&batch.items);
    let mut offline = Vec::new();
    for (index, item) in batch.items.into_iter().enumerate() {
        let ticket = answers.ticket(index);
        if let Some(left) = hand_over(gateway, to, item, ticket) {
            offline.push(left);
        }
    }
    if !offline.is_empty() {
        keep(gateway, offline).await;
    }
    let outcomes = answers.wait(PATIENCE).await;
    count(gateway, &outcomes);
    let is_written = |outcome: &DownOutcome| outcome.kind() == Kind::Written;
    if let Some(asked) = asked.filter(|_| outcomes.iter().any(is_written)) {
        let took = gateway.clock.now_ms().saturating_sub(asked);
        let took = Duration::from_millis(took.try_into().unwrap_or_default());
        gateway.metrics.replied(took);
    }
    DownOutcomes { outcomes }
}

/// A batch has few outcomes, so that they are counted before they are told.
fn count(gateway: &Gateway, outcomes: &[DownOutcome]) {
    let mut kinds: HashMap<&str, u64> = HashMap::new();
    for outcome in outcomes {
        *kinds.entry(outcome.kind().as_str_name()).or_default() += 1;
    }
    for (kind, messages) in kinds {
        gateway.metrics.delivered(kind, messages);
    }
}

/// When the oldest message came that is replied to here, in UTC milliseconds. Nothing for other
/// deliveries: their outcomes wait for devices. A reply has the id of what it answers.
fn oldest_asked(items: &[Down]) -> Option<i64> {
    let asked = items.iter().map(|item| match &item.action {
        Some(Action::Publish(publish)) if publish.answer() == Answer::Unspecified => {
            let id = MessageId::try_from(&item.message_id[..]).ok()?;
            Some(id.time_ms())
        }
        _ => None,
    });
    asked.collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// Gives the item to its session; what may be kept for a device that is away comes back.
fn hand_over(
    gateway: &Arc<Gateway>,
    to: Addressee,
    item: Down,
    ticket: Ticket,
) -> Option<(Offline, Ticket)> {
    let device_id = item.device.as_ref().map_or(0, |device| device.device_id);
    let held = gateway.sessions.get(device_id);
    let is_meant = |handle: &Arc<Handle>| {
        !handle.is_over() && (item.session == 0 || item.session == handle.session)
    };
    let handle = held.filter(is_meant);
    match (item.action, handle) {
        (Some(Action::Publish(publish)), Some(handle)) => {
            handle.deliver(Delivery {
                message_id: item.message_id,
                publish,
                ticket,
            });
        }
        (Some(Action::Publish(publish)), None) if publish.keep && to == Addressee::Any => {
            let expires_at = gateway.clock.now_ms() + gateway.keep_ms(publish.keep_ms);
            let message_id = item.message_id;
            return Some((
                Offline {
                    device_id,
                    message_id,
                    publish,
                    expires_at,
                },
                ticket,
            ));
        }
        (Some(Action::Close(close)), Some(handle)) => end(gateway, &handle, close, ticket),
        (_, None) => ticket.settle(outcome(Kind::NotConnected)),
        (None, Some(_)) => ticket.settle(outcome(Kind::Unspecified)),
    }
    None
}

/// Ends a connection; answered when what it leaves is stored, so that the next can have it.
fn end(gateway: &Gateway, handle: &Arc<Handle>, close: Close, ticket: Ticket) {
    handle.end(match close.why() {
        Why::Kicked => End::Kicked,
        Why::Disabled => End::Disabled,
        Why::Deleted => End::Deleted,
        Why::Unspecified => End::Internal,
    });
    ticket.note(outcome(Kind::Closed));
    let handle = handle.clone();
    gateway.chassis.track(chassis::Phase::Inbox, async move {
        let _ = tokio::time::timeout(PATIENCE, handle.until_gone()).await;
        drop(ticket);
    });
}

async fn keep(gateway: &Gateway, offline: Vec<(Offline, Ticket)>) {
    let (messages, tickets): (Vec<_>, Vec<_>) = offline.into_iter().unzip();
    let kinds = match gateway.store.keep(&messages, gateway.clock.now_ms()).await {
        Ok(kinds) => kinds,
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                "messages for devices that are away could not be kept"
            );
            vec![Kind::NotConnected; tickets.len()]
        }
    };
    for ((ticket, kind), message) in tickets.into_iter().zip(kinds).zip(messages) {
        let topic = message.publish.topic;
        ticket.settle(proto::hoshu::bus::v1::DownOutcome {
            topic,
            qos: 1,
            ..outcome(kind)
        });
    }
}
