//! Replies to devices, one request per gateway node.

use std::collections::HashMap;

use futures::future::join_all;
use proto::hoshu::bus::v1::{Down, DownBatch, DownOutcome, Publish, down};

use super::Item;
use crate::Thing;

/// What became of an item's reply.
pub(super) struct Sent {
    pub(super) topic: String,
    /// Nothing when the gateway node could not be asked.
    pub(super) outcome: Option<DownOutcome>,
}

/// Sends all replies; the answer has a place for every item.
pub(super) async fn send(thing: &Thing, items: &mut [Item<'_>]) -> Vec<Option<Sent>> {
    let mut sent: Vec<Option<Sent>> = Vec::new();
    let mut nodes: HashMap<&str, (Vec<usize>, Vec<Down>)> = HashMap::new();
    for (index, item) in items.iter_mut().enumerate() {
        // A message that no connection brought has no way back.
        let reply = item.verdict.reply.take();
        let Some(reply) = reply.filter(|_| !item.message.node.is_empty()) else {
            sent.push(None);
            continue;
        };
        let (indices, downs) = nodes.entry(&item.message.node).or_default();
        indices.push(index);
        downs.push(Down {
            message_id: item.message.message_id.clone(),
            device: Some(item.device.clone()),
            session: item.message.session,
            action: Some(down::Action::Publish(Publish {
                topic: reply.topic.clone(),
                payload: reply.payload.into(),
                qos: item.message.qos,
                ..Publish::default()
            })),
        });
        sent.push(Some(Sent {
            topic: reply.topic,
            outcome: None,
        }));
    }
    let requests = nodes
        .into_iter()
        .map(|(node, (indices, items))| async move {
            let outcomes = thing.bus.down(Some(node), DownBatch { items }).await;
            (node, indices, outcomes)
        });
    for (node, indices, outcomes) in join_all(requests).await {
        match outcomes {
            Ok(outcomes) => {
                for (index, outcome) in indices.into_iter().zip(outcomes.outcomes) {
                    if let Some(sent) = &mut sent[index] {
                        sent.outcome = Some(outcome);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(gateway.node = node, replies = indices.len(), %error, "replies were not delivered")
            }
        }
    }
    sent
}
