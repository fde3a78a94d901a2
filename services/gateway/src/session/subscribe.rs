//! SUBSCRIBE and UNSUBSCRIBE: a device's own topics, QoS 1 at most.

use std::num::NonZeroU16;

use alink::policy::{self, Denied};
use bytes::BytesMut;
use bytestring::ByteString;

use super::state::{Done, Session, SubscribeAnswer, SubscribeDone};
use crate::mqtt::SubscribeReason;

impl Session {
    pub(super) fn on_subscribe(
        &mut self,
        packet_id: NonZeroU16,
        filters: &[(ByteString, u8)],
        output: &mut BytesMut,
    ) {
        let before = self.subscriptions.clone();
        let reasons: Vec<_> = filters
            .iter()
            .enumerate()
            .map(|(index, (filter, qos))| self.subscribe(index, filter, *qos))
            .collect();
        if self.subscriptions == before || !self.persistence.is_kept {
            return self.wire.suback(output, packet_id, &reasons);
        }
        self.store_subscriptions(packet_id, SubscribeAnswer::Subscribed(reasons));
    }

    pub(super) fn on_unsubscribe(
        &mut self,
        packet_id: NonZeroU16,
        filters: &[ByteString],
        output: &mut BytesMut,
    ) {
        let existed: Vec<_> = filters
            .iter()
            .map(|filter| self.subscriptions.remove(filter))
            .collect();
        if !existed.contains(&true) || !self.persistence.is_kept {
            return self.wire.unsuback(output, packet_id, &existed);
        }
        self.store_subscriptions(packet_id, SubscribeAnswer::Unsubscribed(existed));
    }

    fn subscribe(&mut self, index: usize, filter: &str, qos: u8) -> SubscribeReason {
        let config = &self.gateway.config;
        if index >= config.filters_per_subscribe {
            return SubscribeReason::QuotaExceeded;
        }
        match policy::check_subscription(&self.facts.device, filter) {
            Err(Denied::Shared) => SubscribeReason::Shared,
            Err(Denied::BadFilter | Denied::TooLong) => SubscribeReason::BadFilter,
            Err(_) => SubscribeReason::NotAuthorized,
            Ok(())
                if !self
                    .subscriptions
                    .add(filter, qos.min(1), config.subscriptions) =>
            {
                SubscribeReason::QuotaExceeded
            }
            Ok(()) => SubscribeReason::Granted(qos.min(1)),
        }
    }

    /// A device that is told of a subscription has it after a restart of ours too.
    fn store_subscriptions(&mut self, packet_id: NonZeroU16, answer: SubscribeAnswer) {
        let (gateway, subscriptions) = (self.gateway.clone(), self.subscriptions.clone());
        let (device_id, session) = (self.facts.device_id, self.facts.session);
        self.work = Some(Box::pin(async move {
            let stored = gateway
                .store
                .subscribe(device_id, session, &subscriptions)
                .await;
            if let Err(error) = &stored {
                tracing::error!(
                    error = format!("{error:#}"),
                    "subscriptions could not be stored"
                );
            }
            Done::Subscribed(SubscribeDone {
                packet_id,
                answer,
                stored: stored.is_ok(),
            })
        }));
    }
}
