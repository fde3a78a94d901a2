//! Messages to the device, and what became of each.

use std::num::NonZeroU16;

use bytes::BytesMut;
use proto::hoshu::bus::v1::{DownOutcome, Publish, down_outcome::Kind, publish::Answer};

use super::state::{Sent, Session, Waiting};
use crate::{
    answers::{Ticket, outcome},
    directory::Delivery,
    domain::rrpc,
    mqtt::Outgoing,
    store::queue::Kept,
};

impl Session {
    pub(super) fn on_delivery(&mut self, delivery: Delivery, now: i64, output: &mut BytesMut) {
        let Delivery {
            message_id,
            publish,
            ticket,
        } = delivery;
        let Some(topic) = self.topic_of(&publish) else {
            return ticket.settle(outcome(Kind::NotSubscribed));
        };
        let Some(granted) = self.subscriptions.qos_of(&topic) else {
            return ticket.settle(DownOutcome {
                topic,
                ..outcome(Kind::NotSubscribed)
            });
        };
        let qos = publish.qos.min(granted.into());
        let known = |kind| DownOutcome {
            topic: topic.clone(),
            qos,
            ..outcome(kind)
        };
        if output.len() > self.gateway.config.slow_bytes {
            return ticket.settle(known(Kind::Slow));
        }
        let outstanding = self.inflight.len() + self.backlog.len();
        if qos == 1 && outstanding >= usize::from(self.gateway.config.down_unacknowledged) {
            return ticket.settle(known(Kind::TooManyUnacknowledged));
        }
        // "Written" is answer enough for replies: their sender does not wait for the PUBACK. They are as
        // many as the device's own messages, whose rate was taken when they came.
        let is_reply = publish.answer() != Answer::Puback;
        if !is_reply && let Err(over) = self.down.take(self.gateway.config.down(), now) {
            let (limit, current) = (over.limit, over.current);
            return ticket.settle(DownOutcome {
                limit,
                current,
                ..known(Kind::RateLimited)
            });
        }
        if qos == 0 {
            let outgoing = Outgoing {
                topic: &topic,
                payload: &publish.payload,
                packet_id: None,
                dup: false,
            };
            let kind = if self.wire.publish(output, &outgoing).is_ok() {
                Kind::Written
            } else {
                Kind::Slow
            };
            return ticket.settle(known(kind));
        }
        let keep_ms = self.gateway.keep_ms(publish.keep_ms);
        let kept = Box::new(Kept {
            stored: None,
            was_sent: false,
            packet_id: None,
            message_id,
            topic: topic.clone(),
            payload: publish.payload.clone(),
            expires_at: now.saturating_add(keep_ms),
        });
        if self.inflight.len() >= usize::from(self.window) {
            ticket.note(known(Kind::Queued));
            let ticket = (!is_reply).then_some(ticket);
            self.backlog.push_back(Waiting { kept, ticket });
            return;
        }
        match self.send_kept(kept, output) {
            None => ticket.settle(known(Kind::Slow)),
            Some(id) => {
                ticket.note(DownOutcome {
                    packet_id: id.get().into(),
                    ..known(Kind::Written)
                });
                self.await_puback(id, (!is_reply).then_some(ticket));
            }
        }
    }

    /// Sends what waited, as far as the window reaches; what is too old goes nowhere.
    pub(super) fn send_waiting(&mut self, now: i64, output: &mut BytesMut) {
        while self.inflight.len() < usize::from(self.window) {
            let Some(Waiting { kept, ticket }) = self.backlog.pop_front() else {
                break;
            };
            if kept.expires_at <= now {
                if let Some(stored) = kept.stored {
                    self.gateway.store.forget_message(stored);
                }
                continue;
            }
            let topic = kept.topic.clone();
            let sent = self.send_kept(kept, output);
            match (sent, ticket) {
                (Some(id), Some(ticket)) => {
                    ticket.note(DownOutcome {
                        topic,
                        qos: 1,
                        packet_id: id.get().into(),
                        ..outcome(Kind::Written)
                    });
                    self.await_puback(id, Some(ticket));
                }
                (None, Some(ticket)) => ticket.settle_as(Kind::Slow),
                (_, None) => {}
            }
        }
        if self.backlog.is_empty() {
            self.backlog = std::collections::VecDeque::new();
        }
    }

    /// Its packet id; nothing if it is larger than the device takes: it can never have it.
    fn send_kept(&mut self, kept: Box<Kept>, output: &mut BytesMut) -> Option<NonZeroU16> {
        let sent = Sent {
            ticket: None,
            kept: None,
        };
        let id = match kept.packet_id {
            Some(id) => self.inflight.send_again(id, sent),
            None => self.inflight.send(sent),
        };
        let outgoing = Outgoing {
            topic: &kept.topic,
            payload: &kept.payload,
            packet_id: Some(id),
            dup: kept.was_sent,
        };
        if self.wire.publish(output, &outgoing).is_err() {
            self.inflight.acknowledge(id);
            if let Some(stored) = kept.stored {
                self.gateway.store.forget_message(stored);
            }
            return None;
        }
        if kept.stored.is_some() {
            self.tell_offline(&kept, id.get());
        }
        let outlives = self.persistence.is_kept || kept.stored.is_some();
        if let Some(sent) = self.inflight.get_mut(id).filter(|_| outlives) {
            sent.kept = Some(kept);
        }
        Some(id)
    }

    fn await_puback(&mut self, id: NonZeroU16, ticket: Option<Ticket>) {
        if let Some(sent) = self.inflight.get_mut(id) {
            sent.ticket = ticket;
        }
    }

    fn topic_of(&self, publish: &Publish) -> Option<String> {
        match publish.rrpc_id {
            0 => Some(publish.topic.clone()),
            id => rrpc::topic(&publish.topic, id, self.understands_ext),
        }
    }
}
