//! SUBSCRIBE and UNSUBSCRIBE: a device's own topics, QoS 1 at most.

use std::num::NonZeroU16;

use alink::policy::{self, Denied};
use bytes::BytesMut;
use bytestring::ByteString;

use super::state::{Done, Session, SubscribeAnswer, SubscribeDone};
use crate::{
    domain::ending::{End, Violation},
    mqtt::{SubscribeReason, TooLarge},
};

impl Session {
    pub(super) fn on_subscribe(
        &mut self,
        packet_id: NonZeroU16,
        filters: &[(ByteString, u8)],
        output: &mut BytesMut,
    ) -> Result<(), End> {
        let before = self.subscriptions.clone();
        let reasons: Vec<_> = filters
            .iter()
            .enumerate()
            .map(|(index, (filter, qos))| self.subscribe(index, filter, *qos))
            .collect();
        let answer = SubscribeAnswer::Subscribed(reasons);
        if self.subscriptions == before || !self.persistence.is_kept {
            return self.answer(packet_id, &answer, output);
        }
        self.store_subscriptions(packet_id, answer);
        Ok(())
    }

    pub(super) fn on_unsubscribe(
        &mut self,
        packet_id: NonZeroU16,
        filters: &[ByteString],
        output: &mut BytesMut,
    ) -> Result<(), End> {
        let existed: Vec<_> = filters
            .iter()
            .map(|filter| self.subscriptions.remove(filter))
            .collect();
        let is_new = existed.contains(&true);
        let answer = SubscribeAnswer::Unsubscribed(existed);
        if !is_new || !self.persistence.is_kept {
            return self.answer(packet_id, &answer, output);
        }
        self.store_subscriptions(packet_id, answer);
        Ok(())
    }

    /// Who cannot take the answer has asked for too much.
    pub(super) fn answer(
        &self,
        packet_id: NonZeroU16,
        answer: &SubscribeAnswer,
        output: &mut BytesMut,
    ) -> Result<(), End> {
        let written = match answer {
            SubscribeAnswer::Subscribed(reasons) => self.wire.suback(output, packet_id, reasons),
            SubscribeAnswer::Unsubscribed(existed) => {
                self.wire.unsuback(output, packet_id, existed)
            }
        };
        written.map_err(|TooLarge| End::Violation(Violation::PacketTooLarge))
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
