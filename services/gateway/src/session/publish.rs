//! What a device publishes: carried, answered here, logged for nobody, or refused.

use std::num::NonZeroU16;

use alink::{
    MessageId,
    policy::{self, Denied},
    topic::{Capability, Kind, Topic},
};
use bus::Batch;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use chassis::Noun;
use proto::hoshu::bus::v1::UpBatch;
use rmqtt_codec::types::{Publish, QoS};

use super::{
    lines::{self, Named},
    state::{Body, Outbound, SECOND_MS, Session},
};
use crate::{
    domain::{
        ending::{End, Violation},
        rate::Over,
        refused::{Refused, Telling},
    },
    facts::Up,
    mqtt::{AckReason, Outgoing, Oversized, connect::Will},
};

/// A PUBLISH with its topic made out.
#[derive(Clone, Debug)]
struct Message {
    /// The platform's: of all its lines, whoever writes them.
    id: MessageId,
    topic: ByteString,
    payload: Bytes,
    qos: u8,
    packet_id: Option<NonZeroU16>,
}

impl Message {
    fn named(&self) -> Named<'_> {
        Named {
            topic: &self.topic,
            qos: self.qos,
            packet_id: self.packet_id.map_or(0, NonZeroU16::get),
        }
    }
}

/// The service that handles a capability, if it is there to hear of it.
fn consumer(capability: Capability) -> Option<Noun> {
    let noun = match capability {
        Capability::Thing => Noun::Thing,
        _ => return None,
    };
    UpBatch::WORDS.contains(&noun.word()).then_some(noun)
}

/// Replies are not answered, so that only requests are told of a rate.
fn asks_reply(topic: &Topic<'_>) -> bool {
    topic.kind().reply().is_some() && !matches!(topic.kind(), Kind::ExtRrpc { .. })
}

impl Session {
    pub(super) fn on_publish(
        &mut self,
        publish: Publish,
        now: i64,
        output: &mut BytesMut,
    ) -> Result<(), End> {
        if publish.qos == QoS::ExactlyOnce {
            return Err(End::Violation(Violation::Qos2));
        }
        let alias = publish
            .properties
            .as_ref()
            .and_then(|properties| properties.topic_alias);
        let topic = match alias {
            None if publish.topic.is_empty() => return Err(End::Violation(Violation::TopicAlias)),
            None => publish.topic,
            Some(_) => self
                .aliases
                .resolve(&publish.topic, alias, alink::limits::TOPIC_ALIAS_MAXIMUM)
                .map_err(|_| End::Violation(Violation::TopicAlias))?
                .into(),
        };
        let qos = publish.qos.value();
        let message = Message {
            id: self.message_id(now),
            topic,
            payload: publish.payload,
            qos,
            packet_id: publish.packet_id,
        };
        self.carry(&message, now, Some(output))
    }

    pub(super) fn on_oversized(&mut self, oversized: &Oversized, now: i64) -> Result<(), End> {
        let message = Message {
            id: self.message_id(now),
            topic: (*oversized.topic).into(),
            payload: Bytes::new(),
            qos: oversized.qos,
            packet_id: oversized.packet_id,
        };
        self.refuse(&message, Refused::Payload, None, now);
        self.end_if_too_large()
    }

    /// The will is a message of the device's own.
    pub(super) fn publish_will(&mut self, will: Will, now: i64) {
        let message = Message {
            id: self.message_id(now),
            topic: will.topic,
            payload: will.payload,
            qos: will.qos.min(1),
            packet_id: None,
        };
        // Whatever becomes of it, the connection is over.
        let _ = self.carry(&message, now, None);
    }

    fn carry(
        &mut self,
        message: &Message,
        now: i64,
        output: Option<&mut BytesMut>,
    ) -> Result<(), End> {
        if message.payload.len() > self.gateway.config.payload_bytes {
            self.refuse(message, Refused::Payload, None, now);
            return self.end_if_too_large();
        }
        let text = message.topic.clone();
        let topic = match Topic::parse(&text) {
            Ok(topic) => topic,
            Err(_) => {
                let why = if too_long(&text) {
                    Refused::TopicTooLong
                } else {
                    Refused::Topic
                };
                self.refuse(message, why, None, now);
                return Ok(());
            }
        };
        if let Err(denied) = policy::may_publish(&self.facts.device, &topic) {
            let why = if denied == Denied::TooLong {
                Refused::TopicTooLong
            } else {
                Refused::Topic
            };
            self.refuse(message, why, None, now);
            return Ok(());
        }
        if let Err((why, over)) = self.take_rate(now) {
            self.refuse_rate(message, &topic, why, over, now);
            return Ok(());
        }
        self.gateway.metrics.published(topic.capability());
        match consumer(topic.capability()) {
            Some(noun) => {
                let up = Up {
                    awaited: topic.kind().answers_command(),
                    ..self.up(message, noun, now, false)
                };
                self.send(Outbound {
                    body: Body::Up(up),
                    ack: success(message),
                });
            }
            None => self.log_only(message, &topic, now, output),
        }
        Ok(())
    }

    fn take_rate(&mut self, now: i64) -> Result<(), (Refused, Over)> {
        let config = &self.gateway.config;
        self.up
            .take(config.up(), now)
            .map_err(|over| (Refused::Rate, over))?;
        let account = self.facts.account.published.take(config.account(), now);
        account.map_err(|over| (Refused::AccountRate, over))
    }

    fn up(&self, message: &Message, to: Noun, now: i64, throttled: bool) -> Up {
        Up {
            to,
            message_id: message.id,
            topic: message.topic.clone(),
            payload: message.payload.clone(),
            qos: message.qos,
            packet_id: message.packet_id.map_or(0, NonZeroU16::get),
            received_at: now,
            throttled,
            awaited: false,
        }
    }

    /// Nobody consumes it yet: its line is all that becomes of it. Time is answered here.
    fn log_only(
        &mut self,
        message: &Message,
        topic: &Topic<'_>,
        now: i64,
        output: Option<&mut BytesMut>,
    ) {
        let mut told = vec![lines::carried(now, message.named())];
        if topic.kind() == Kind::NtpRequest
            && let Some(output) = output
            && let Some(reply) = self.answer_time(message, topic, now, output)
        {
            told.push(lines::answered(now, &reply));
        }
        let entry = lines::entry(message.id, self.facts.reference(), told);
        self.send(Outbound {
            body: Body::Log(entry),
            ack: success(message),
        });
    }

    /// The topic on which time was told; nothing if the device did not ask well or does not listen.
    fn answer_time(
        &mut self,
        message: &Message,
        topic: &Topic<'_>,
        now: i64,
        output: &mut BytesMut,
    ) -> Option<String> {
        let reply = topic.reply_topic()?;
        self.subscriptions.qos_of(&reply)?;
        let payload = alink::ntp::answer(&message.payload, now, self.now())?;
        let outgoing = Outgoing {
            topic: &reply,
            payload: &payload,
            packet_id: None,
            dup: false,
        };
        self.wire.publish(output, &outgoing).ok()?;
        Some(reply)
    }

    fn refuse_rate(
        &mut self,
        message: &Message,
        topic: &Topic<'_>,
        why: Refused,
        over: Over,
        now: i64,
    ) {
        self.refuse(message, why, Some(over), now);
        // Told at most once a second, whatever else was refused in it.
        let is_due = now - self.told_throttled_ms >= SECOND_MS && asks_reply(topic);
        if let Some(noun) = consumer(topic.capability()).filter(|_| is_due) {
            self.told_throttled_ms = now;
            let up = self.up(message, noun, now, true);
            self.send(Outbound {
                body: Body::Up(up),
                ack: None,
            });
        }
    }

    /// Not carried: its line at once, or in the line that closes this second; the PUBACK waits for the
    /// first.
    fn refuse(&mut self, message: &Message, why: Refused, over: Option<Over>, now: i64) {
        self.gateway.metrics.refused(why.as_str());
        // The count of an earlier second goes before this second's first line takes its place.
        self.tell_refusals(Some(now));
        let ack = message.packet_id.map(|id| (id, ack_reason(why)));
        match self.refusals.on(why, now) {
            Telling::Now => {
                let line = lines::refused(now, message.named(), why, over);
                let entry = lines::entry(message.id, self.facts.reference(), vec![line]);
                self.send(Outbound {
                    body: Body::Refusal(entry, why, now),
                    ack,
                });
                self.handle.wake_before(now + SECOND_MS);
            }
            Telling::Joined(at) => {
                if let Some((packet_id, reason)) = ack {
                    self.acknowledge_after(at, packet_id, reason);
                }
            }
        }
    }

    fn end_if_too_large(&self) -> Result<(), End> {
        if self.wire.is_v5() {
            Err(End::Violation(Violation::PacketTooLarge))
        } else {
            Ok(())
        }
    }
}

fn success(message: &Message) -> Option<(NonZeroU16, AckReason)> {
    message.packet_id.map(|id| (id, AckReason::Success))
}

fn too_long(topic: &str) -> bool {
    topic.len() > alink::limits::TOPIC_BYTES
}

fn ack_reason(why: Refused) -> AckReason {
    match why {
        Refused::Rate | Refused::AccountRate | Refused::Payload => AckReason::QuotaExceeded,
        Refused::Topic => AckReason::NotAuthorized,
        Refused::TopicTooLong => AckReason::TopicNameInvalid,
    }
}
