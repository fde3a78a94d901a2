//! What a session holds between packets. Everything here is done without waiting.

use std::{
    collections::VecDeque, future::Future, num::NonZeroU16, pin::Pin, sync::Arc, time::Duration,
};

use alink::MessageId;
use bytes::BytesMut;
use proto::hoshu::bus::v1::{LogEntry, down_outcome::Kind};

use super::{
    lanes::{Lanes, Way},
    lines,
};
use crate::{
    answers::Ticket,
    directory::Handle,
    domain::{
        acks::{Acks, Pending},
        aliases::Aliases,
        ending::{End, Violation},
        heard::Heard,
        inflight::Inflight,
        rate::Meter,
        reading::Reading,
        refused::{Refusals, Refused},
        subscriptions::Subscriptions,
    },
    facts::{Facts, Up},
    gateway::Gateway,
    mqtt::{AckReason, Incoming, Wire, connect::Will},
    store::queue::Kept,
};

/// Bytes of answers that may wait for the device before its packets are read again.
const OUTPUT_HIGH: usize = 64 * 1024;
/// Filters of a SUBSCRIBE that are as much work as a packet.
const FILTERS_LIKE_A_PACKET: usize = 8;
/// Milliseconds after which an open window of refusals is looked at.
pub(super) const SECOND_MS: i64 = 1000;

/// Something begun that must end before the next packet is read.
pub(super) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What the work has brought.
pub(super) enum Done {
    Rest,
    Space,
    Subscribed(SubscribeDone),
}

/// SUBACK or UNSUBACK, once the subscriptions are stored.
pub(super) struct SubscribeDone {
    pub(super) packet_id: NonZeroU16,
    pub(super) answer: SubscribeAnswer,
    pub(super) stored: bool,
}

pub(super) enum SubscribeAnswer {
    Subscribed(Vec<crate::mqtt::SubscribeReason>),
    Unsubscribed(Vec<bool>),
}

/// A message on its way out of the session, and the PUBACK that waits for it.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) body: Body,
    pub(super) ack: Option<(NonZeroU16, AckReason)>,
}

#[derive(Debug)]
pub(super) enum Body {
    Up(Up),
    Log(LogEntry),
    /// The first line of a reason in its second.
    Refusal(LogEntry, Refused, i64),
}

/// A QoS 1 message that the device has not acknowledged.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ticket: Option<Ticket>,
    /// The message itself, where it outlives the connection.
    pub(super) kept: Option<Box<Kept>>,
}

/// A message that waits for room in the device's window.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) kept: Box<Kept>,
    pub(super) ticket: Option<Ticket>,
}

/// How a session outlives its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Persistence {
    /// Seconds after the end.
    pub(super) expiry: u32,
    /// A DISCONNECT may change an expiry, but not make one (MQTT 5).
    pub(super) is_kept: bool,
    /// Something is stored of it: its own, or what it found.
    pub(super) is_stored: bool,
}

pub(super) struct Session {
    pub(super) gateway: Arc<Gateway>,
    pub(super) facts: Facts,
    pub(super) handle: Arc<Handle>,
    pub(super) wire: Wire,
    pub(super) subscriptions: Subscriptions,
    pub(super) understands_ext: bool,
    pub(super) aliases: Aliases,
    pub(super) acks: Acks<AckReason>,
    pub(super) lanes: Lanes,
    pub(super) stalled: VecDeque<Outbound>,
    pub(super) inflight: Inflight<Sent>,
    pub(super) backlog: VecDeque<Waiting>,
    /// QoS 1 messages that the device takes at once.
    pub(super) window: u16,
    pub(super) up: Meter,
    pub(super) down: Meter,
    pub(super) reading: Reading,
    pub(super) refusals: Refusals,
    pub(super) will: Option<Box<Will>>,
    pub(super) persistence: Persistence,
    pub(super) work: Option<Work>,
    /// Seconds of silence that are allowed: 1.5 times the keep-alive.
    pub(super) silence_ms: u32,
    pub(super) heard: Heard,
    /// When the device was last told that it is over its rate.
    pub(super) told_throttled_ms: i64,
    pub(super) last_id: MessageId,
}

impl Session {
    pub(super) fn now(&self) -> i64 {
        self.gateway.clock.now_ms()
    }

    /// A device's messages sort as they came, also those of one millisecond: of equal times the
    /// later message's value is the latest.
    pub(super) fn message_id(&mut self, now: i64) -> MessageId {
        self.last_id = self.last_id.next_at(now, rand::random());
        self.last_id
    }

    /// Whether the next packet may be looked at; else the device is held up, never dropped.
    pub(super) fn may_read(&self, output: usize) -> bool {
        self.work.is_none()
            && self.stalled.is_empty()
            && self.acks.len() < usize::from(self.gateway.config.up_unacknowledged)
            && output < OUTPUT_HIGH
    }

    pub(super) fn on_packet(
        &mut self,
        packet: Incoming,
        now: i64,
        output: &mut BytesMut,
    ) -> Result<(), End> {
        let filters = match &packet {
            Incoming::Subscribe { filters, .. } => filters.len(),
            Incoming::Unsubscribe { filters, .. } => filters.len(),
            _ => 0,
        };
        self.handle_packet(packet, now, output)?;
        self.rest_after(1 + filters / FILTERS_LIKE_A_PACKET, now);
        Ok(())
    }

    fn handle_packet(
        &mut self,
        packet: Incoming,
        now: i64,
        output: &mut BytesMut,
    ) -> Result<(), End> {
        match packet {
            Incoming::Publish(publish) => self.on_publish(*publish, now, output),
            Incoming::Oversized(oversized) => self.on_oversized(&oversized, now),
            Incoming::PublishAck(id) => {
                self.on_puback(id, now, output);
                Ok(())
            }
            Incoming::Subscribe {
                packet_id,
                filters,
                has_identifier,
            } => {
                if has_identifier {
                    return Err(End::Violation(Violation::SubscriptionIdentifier));
                }
                self.on_subscribe(packet_id, &filters, output)
            }
            Incoming::Unsubscribe { packet_id, filters } => {
                self.on_unsubscribe(packet_id, &filters, output)
            }
            Incoming::Ping => {
                self.wire.pingresp(output);
                Ok(())
            }
            Incoming::Disconnect {
                with_will,
                session_expiry,
            } => {
                if let Some(expiry) = session_expiry {
                    if !self.persistence.is_kept && expiry > 0 {
                        return Err(End::Violation(Violation::UnexpectedPacket));
                    }
                    self.persistence.expiry = expiry;
                }
                Err(End::Disconnected { with_will })
            }
            Incoming::Unexpected => Err(End::Violation(Violation::UnexpectedPacket)),
        }
    }

    /// Holds up a device that sends faster than it is read.
    fn rest_after(&mut self, packets: usize, now: i64) {
        let rate = self.gateway.config.reading();
        let Some(rest) = self.reading.rest_after(packets, rate, now) else {
            return;
        };
        self.gateway.metrics.held_up();
        let rest = tokio::time::sleep(Duration::from_millis(rest.unsigned_abs()));
        let begun = self.work.take();
        self.work = Some(Box::pin(async move {
            match begun {
                Some(work) => tokio::join!(work, rest).0,
                None => {
                    rest.await;
                    Done::Rest
                }
            }
        }));
    }

    /// Publishes, or holds it back until its lane has room.
    pub(super) fn send(&mut self, outbound: Outbound) {
        if !self.stalled.is_empty() || !self.try_send(&outbound) {
            self.stalled.push_back(outbound);
            self.await_space();
        }
    }

    fn try_send(&mut self, outbound: &Outbound) -> bool {
        let partition = self.facts.partition;
        let (way, sent) = match &outbound.body {
            Body::Up(up) => {
                let tally = self.lanes.tally(Way::Thing);
                let lane = bus::Lane::up(up.to, partition);
                let publisher = &self.gateway.up;
                let sent = publisher.try_publish(lane, &self.facts.message(up), tally);
                if up.awaited {
                    publisher.hurry(lane);
                }
                (Way::Thing, sent)
            }
            Body::Log(entry) | Body::Refusal(entry, ..) => {
                let tally = self.lanes.tally(Way::Log);
                (
                    Way::Log,
                    self.gateway
                        .log
                        .try_publish(bus::Lane::log(partition), entry, tally),
                )
            }
        };
        if sent.is_err() {
            return false;
        }
        let at = self.lanes.sent(way);
        if let Body::Refusal(_, why, when) = &outbound.body {
            self.refusals.told(*why, *when, at);
        }
        if let Some((packet_id, reason)) = outbound.ack {
            let came = match &outbound.body {
                Body::Up(up) => up.received_at,
                Body::Refusal(_, _, when) => *when,
                Body::Log(_) => self.heard.at_ms(),
            };
            self.acks.push(Pending {
                packet_id,
                reason,
                lane: way as u8,
                since_ms: wrapping_ms(came),
                at,
            });
        }
        true
    }

    /// A PUBACK that waits for a log line which is already on its way.
    pub(super) fn acknowledge_after(&mut self, at: u64, packet_id: NonZeroU16, reason: AckReason) {
        self.acks.push(Pending {
            packet_id,
            reason,
            lane: Way::Log as u8,
            since_ms: wrapping_ms(self.heard.at_ms()),
            at,
        });
    }

    fn await_space(&mut self) {
        if self.work.is_some() {
            return;
        }
        let Some(first) = self.stalled.front() else {
            return;
        };
        let (gateway, partition) = (self.gateway.clone(), self.facts.partition);
        let to = match &first.body {
            Body::Up(up) => Some(up.to),
            Body::Log(_) | Body::Refusal(..) => None,
        };
        self.work = Some(Box::pin(async move {
            match to {
                Some(to) => gateway.up.space(bus::Lane::up(to, partition)).await,
                None => gateway.log.space(bus::Lane::log(partition)).await,
            }
            Done::Space
        }));
    }

    pub(super) fn on_done(&mut self, done: Done, output: &mut BytesMut) -> Result<(), End> {
        match done {
            Done::Rest | Done::Space => {}
            Done::Subscribed(done) if !done.stored => return Err(End::Internal),
            Done::Subscribed(SubscribeDone {
                packet_id, answer, ..
            }) => self.answer(packet_id, &answer, output)?,
        }
        while let Some(outbound) = self.stalled.pop_front() {
            if !self.try_send(&outbound) {
                self.stalled.push_front(outbound);
                self.await_space();
                break;
            }
        }
        Ok(())
    }

    /// Lets PUBACKs go that are due, in order.
    pub(super) fn release_acks(&mut self, output: &mut BytesMut) {
        let lanes = &self.lanes;
        let mut oldest = None;
        while let Some(ack) = self.acks.next(|lane| lanes.durable(lane)) {
            self.wire.puback(output, ack.packet_id, ack.reason);
            oldest.get_or_insert(ack.since_ms);
        }
        if let Some(since) = oldest {
            // Less than nothing when the clock was set back meanwhile.
            let took = wrapping_ms(self.now()).wrapping_sub(since) as i32;
            self.gateway.metrics.acknowledged(took.max(0));
        }
    }

    /// The clock's turn: silence, and refusals that wait to be told. `held` while the device is not
    /// read because of us.
    pub(super) fn on_tick(&mut self, now: i64, held: bool) -> Result<(), End> {
        if held {
            self.heard.packet(now);
        }
        if now - self.heard.at_ms() >= i64::from(self.silence_ms) {
            return Err(End::KeepAlive);
        }
        self.tell_refusals(Some(now));
        self.set_deadline(now);
        Ok(())
    }

    pub(super) fn set_deadline(&self, now: i64) {
        let silent = self.heard.at_ms() + i64::from(self.silence_ms);
        let soon = if self.refusals.is_open() {
            now + SECOND_MS
        } else {
            i64::MAX
        };
        self.handle.wake_at(silent.min(soon));
    }

    /// Tells windows of refusals that are over; all of them at the end of a session.
    pub(super) fn tell_refusals(&mut self, now: Option<i64>) {
        let at = self.now();
        for (why, count) in self.refusals.close(now) {
            let limit = match why {
                Refused::Rate => self.gateway.config.up_per_second,
                Refused::AccountRate => self.gateway.config.account_per_second,
                _ => 0,
            };
            let line = lines::joined(at, why, count, limit);
            let entry = lines::entry(self.message_id(at), self.facts.reference(), vec![line]);
            self.send(Outbound {
                body: Body::Log(entry),
                ack: None,
            });
        }
    }

    /// The device has a message.
    fn on_puback(&mut self, id: NonZeroU16, now: i64, output: &mut BytesMut) {
        // One that we do not know was acknowledged twice: harmless.
        let Some(sent) = self.inflight.acknowledge(id) else {
            return;
        };
        if let Some(ticket) = sent.ticket {
            ticket.settle_as(Kind::Pubacked);
        }
        if let Some(stored) = sent.kept.and_then(|kept| kept.stored) {
            self.gateway.store.forget_message(stored);
        }
        self.send_waiting(now, output);
    }
}

/// Of UTC milliseconds, what tells times of 49 days apart.
fn wrapping_ms(time: i64) -> u32 {
    time as u32
}
