//! To the gateway node that holds the device.

use std::time::Duration;

use alink::log::RrpcCode;
use alink::names::DeviceRef as TopicDevice;
use alink::topic::Kind as TopicKind;
use bus::DownError;
use chassis::Refusal;
use proto::hoshu::bus::v1::down_outcome::Kind;
use proto::hoshu::bus::v1::publish::Answer;
use proto::hoshu::bus::v1::{Down, DownBatch, DownOutcome, Publish, down};
use proto::hoshu::registry::v1::device::Status;
use tonic::Code;

use super::{Command, Order, no_answer};
use crate::domain::command::OFFLINE;
use crate::store::command::Ids;

/// How long a command is kept for a device that was lost on the way to it and has a persistent
/// session: long enough for a reconnect, too short for a surprise.
const KEPT: Duration = Duration::from_secs(60);
pub(crate) const CALL_FAILED: u32 = 6205;
const THROTTLED: u32 = 6452;

/// Where the device of an order listens for it.
pub(super) fn topic(order: &Order) -> String {
    let kind = match &order.service {
        Some(service) => TopicKind::Service { service },
        None => TopicKind::PropertySet,
    };
    let device = TopicDevice::parse(&order.product_key, &order.device_name);
    device
        .map(|device| kind.topic_of(device))
        .unwrap_or_default()
}

impl Command {
    /// Sends it to the node that holds the device; not there any more: to the node that the
    /// registry names now; an asynchronous one at last to any node, which may keep it.
    /// A device that the registry has no more, or cannot name the place of, is not connected.
    /// Returns nothing when a gateway node was asked and never said.
    pub(super) async fn deliver(&self, ids: Ids) -> Option<DownOutcome> {
        let publish = self.publish(ids);
        let mut node = self.place.node.clone();
        let mut outcome = self.send(Some(&node), publish.clone()).await;
        if outcome
            .as_ref()
            .is_some_and(|outcome| outcome.kind() == Kind::NotConnected)
        {
            let (caller, order) = (&self.order.caller, &self.order);
            let registry = &self.thing.registry;
            let place = registry
                .locate(caller, &order.product_key, &order.device_name)
                .await;
            let Ok(place) = place else {
                return outcome;
            };
            if place.status() == Status::Online && place.node != node {
                node = place.node;
                outcome = self.send(Some(&node), publish.clone()).await;
            }
        }
        let lost = outcome
            .as_ref()
            .is_some_and(|outcome| outcome.kind() == Kind::NotConnected);
        if lost && !self.sync {
            let kept = Publish {
                keep: true,
                keep_ms: KEPT.as_millis() as u64,
                ..publish
            };
            outcome = self.send(None, kept).await;
        }
        outcome
    }

    async fn send(&self, node: Option<&str>, publish: Publish) -> Option<DownOutcome> {
        let down = Down {
            message_id: self.id.as_bytes().to_vec().into(),
            device: Some(self.device.clone()),
            session: 0,
            action: Some(down::Action::Publish(publish)),
        };
        let not_connected = DownOutcome {
            kind: Kind::NotConnected.into(),
            ..DownOutcome::default()
        };
        if node == Some("") {
            return Some(not_connected);
        }
        match self
            .thing
            .bus
            .down(node, DownBatch { items: vec![down] })
            .await
        {
            Ok(outcomes) => outcomes.outcomes.into_iter().next(),
            Err(DownError::Nobody) => Some(not_connected),
            Err(DownError::Silent) => None,
        }
    }

    fn publish(&self, ids: Ids) -> Publish {
        let request = alink::envelope::OurRequest {
            id: ids.wire,
            params: &self.order.params,
            method: &self.method,
        };
        Publish {
            topic: self.topic.clone(),
            payload: request.to_bytes().into(),
            qos: 1,
            answer: Answer::Puback.into(),
            rrpc_id: ids.rrpc.unwrap_or_default(),
            ..Publish::default()
        }
    }
}

/// Why a command that was not delivered has failed; nothing if it is on its way.
pub(super) fn refusal(outcome: Option<&DownOutcome>, sync: bool) -> Option<Refusal> {
    let Some(outcome) = outcome else {
        let refusal = Refusal::unavailable("the device's gateway").with_code(CALL_FAILED);
        return Some(ended(refusal, sync, RrpcCode::Unknown));
    };
    let slow_down = |detail: &str| {
        Refusal::new(Code::ResourceExhausted, detail)
            .with_code(THROTTLED)
            .with_retry_after(Duration::from_secs(1))
    };
    let (refusal, code) = match outcome.kind() {
        Kind::Pubacked | Kind::Written | Kind::Queued => return None,
        Kind::HalfOpen if sync => {
            return Some(no_answer(RrpcCode::HalfConn).with_code(CALL_FAILED));
        }
        Kind::NotConnected | Kind::Closed | Kind::HalfOpen => {
            let refusal = Refusal::conflict("the device is offline").with_code(OFFLINE);
            (refusal, RrpcCode::Offline)
        }
        Kind::NotSubscribed => {
            let detail = "the device has not subscribed the topic of the request";
            (
                Refusal::conflict(detail).with_code(CALL_FAILED),
                RrpcCode::Unknown,
            )
        }
        Kind::TooManyUnacknowledged => (
            slow_down("the device leaves 50 messages unacknowledged"),
            RrpcCode::Unknown,
        ),
        Kind::RateLimited => {
            let detail = format!("the device may get {} messages a second", outcome.limit);
            (slow_down(&detail), RrpcCode::Unknown)
        }
        Kind::Slow => (
            slow_down("the device's link takes no more"),
            RrpcCode::Unknown,
        ),
        Kind::Unspecified => {
            let refusal = Refusal::unavailable("the device's gateway").with_code(CALL_FAILED);
            (refusal, RrpcCode::Unknown)
        }
    };
    Some(ended(refusal, sync, code))
}

fn ended(refusal: Refusal, sync: bool, code: RrpcCode) -> Refusal {
    if sync {
        refusal.with_extra("rrpcCode", code.as_str())
    } else {
        refusal
    }
}
