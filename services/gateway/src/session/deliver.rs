//! Messages to the device, and what became of each.

use bytes::BytesMut;
use proto::hoshu::bus::v1::{DownOutcome, Publish, down_outcome::Kind};

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
        if let Err(over) = self.down.take(self.gateway.config.down(), now) {
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
            message_id,
            topic: topic.clone(),
            payload: publish.payload.clone(),
            expires_at: now.saturating_add(keep_ms),
        });
        if self.inflight.len() >= usize::from(self.window) {
            ticket.note(known(Kind::Queued));
            self.backlog.push_back(Waiting {
                kept,
                ticket: Some(ticket),
            });
            return;
        }
        // "Written" is answer enough for replies: their sender does not wait for the PUBACK.
        ticket.note(known(Kind::Written));
        let waits = publish.answer() == proto::hoshu::bus::v1::publish::Answer::Puback;
        self.send_kept(kept, waits.then_some(ticket), output);
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
            if let Some(ticket) = &ticket {
                let (topic, qos) = (kept.topic.clone(), 1);
                ticket.note(DownOutcome {
                    topic,
                    qos,
                    ..outcome(Kind::Written)
                });
            }
            self.send_kept(kept, ticket, output);
        }
        if self.backlog.is_empty() {
            self.backlog = std::collections::VecDeque::new();
        }
    }

    fn send_kept(&mut self, kept: Box<Kept>, ticket: Option<Ticket>, output: &mut BytesMut) {
        let id = self.inflight.send(Sent { ticket, kept: None });
        let (topic, payload, dup) = (&*kept.topic, &*kept.payload, kept.was_sent);
        let outgoing = Outgoing {
            topic,
            payload,
            packet_id: Some(id),
            dup,
        };
        if self.wire.publish(output, &outgoing).is_err() {
            // Larger than the device takes: it can never have it.
            if let Some(stored) = kept.stored {
                self.gateway.store.forget_message(stored);
            }
            if let Some(ticket) = self.inflight.acknowledge(id).and_then(|sent| sent.ticket) {
                ticket.settle_as(Kind::Slow);
            }
            return;
        }
        if kept.stored.is_some() {
            self.tell_offline(&kept, id.get());
        }
        let outlives = self.persistence.is_kept || kept.stored.is_some();
        if let Some(sent) = self.inflight.get_mut(id).filter(|_| outlives) {
            sent.kept = Some(kept);
        }
    }

    fn topic_of(&self, publish: &Publish) -> Option<String> {
        match publish.rrpc_id {
            0 => Some(publish.topic.clone()),
            id => rrpc::topic(&publish.topic, id, self.understands_ext),
        }
    }
}
