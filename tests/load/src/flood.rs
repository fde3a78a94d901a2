//! Messages as fast as they are acknowledged, at so little cost that the other side is what is measured.
//!
//! Every packet is made once and sent again and again, half a window and more in one write.

use std::collections::BTreeMap;
use std::time::Duration;

use alink::topic::Kind;
use anyhow::{Context, ensure};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::command_line::Target;
use crate::device::Link;
use crate::fleet::{self, AT_ONCE, Member};
use crate::processes::{self, Cost};
use crate::span::Span;
use crate::wire::{self, Packet};

/// An acknowledgement that is still missing so long after the end is lost.
const LAST_WITHIN: Duration = Duration::from_secs(30);

pub(crate) struct Plan {
    pub(crate) devices: usize,
    /// With 0, a window is two halves, each with a PINGREQ at its end: the answer says that all before it was read.
    pub(crate) qos: u8,
    /// Unacknowledged messages that a device may have.
    pub(crate) window: usize,
    /// Bytes.
    pub(crate) payload: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    devices: usize,
    qos: u8,
    window: usize,
    payload_bytes: usize,
    seconds: f64,
    messages_per_second: f64,
    /// Of the whole run, warm-up included; all of them acknowledged.
    sent: usize,
    processors: BTreeMap<String, Cost>,
}

#[derive(Default)]
struct Tally {
    sent: usize,
    acknowledged_in_span: usize,
}

pub(crate) async fn measure(target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
    ensure!(plan.window >= 2, "--window must be at least 2");
    let made = fleet::make(target, plan.devices).await?;
    let welcomed = fleet::connect(target, made, AT_ONCE).await?;
    let span = Span::after(Instant::now(), plan.warm_up, plan.measured);
    let mut flooders = JoinSet::new();
    for member in welcomed.members {
        let flooder = Flooder::new(member, plan, span);
        flooders.spawn(async move {
            let ended = timeout_at(span.to + LAST_WITHIN, flooder.run()).await;
            ended.context("messages were never acknowledged")?
        });
    }
    let used = processes::busy(&target.pids, span).await;
    let mut all = Tally::default();
    while let Some(ended) = flooders.join_next().await {
        let tally = ended??;
        all.sent += tally.sent;
        all.acknowledged_in_span += tally.acknowledged_in_span;
    }
    Ok(Measured {
        devices: plan.devices,
        qos: plan.qos,
        window: plan.window,
        payload_bytes: plan.payload,
        seconds: plan.measured.as_secs_f64(),
        messages_per_second: all.acknowledged_in_span as f64 / plan.measured.as_secs_f64(),
        sent: all.sent,
        processors: processes::costs(used, plan.measured, all.acknowledged_in_span),
    })
}

struct Flooder {
    link: Link,
    ring: Ring,
    span: Span,
    /// The slot that is sent next.
    next: usize,
    /// Slots that were sent and not acknowledged; the oldest is `next - open`.
    open: usize,
    tally: Tally,
}

impl Flooder {
    fn new(member: Member, plan: &Plan, span: Span) -> Self {
        Self {
            ring: Ring::new(&member, plan),
            link: member.link,
            span,
            next: 0,
            open: 0,
            tally: Tally::default(),
        }
    }

    async fn run(mut self) -> anyhow::Result<Tally> {
        loop {
            let now = Instant::now();
            if now < self.span.to {
                if self.open <= self.ring.slots / 2 {
                    self.fill_window().await?;
                }
            } else if self.open == 0 {
                break;
            }
            self.link.fill().await?;
            self.take_in()?;
        }
        self.link.goodbye().await;
        Ok(self.tally)
    }

    async fn fill_window(&mut self) -> anyhow::Result<()> {
        let free = self.ring.slots - self.open;
        self.link.write(self.ring.run(self.next, free)).await?;
        self.next = (self.next + free) % self.ring.slots;
        self.open += free;
        self.tally.sent += free * self.ring.messages;
        Ok(())
    }

    fn take_in(&mut self) -> anyhow::Result<()> {
        let mut taken = 0;
        let counts = self.span.holds(Instant::now());
        while let Some((packet, length)) = wire::read(&self.link.inbox[taken..])? {
            taken += length;
            let oldest = (self.next + self.ring.slots - self.open) % self.ring.slots;
            match packet {
                Packet::Puback(id) => {
                    ensure!(id == packet_id(oldest), "a PUBACK of {id}, out of turn");
                }
                Packet::Pong => {}
                other => anyhow::bail!("{other:?} is no acknowledgement"),
            }
            ensure!(self.open > 0, "an acknowledgement of nothing");
            self.open -= 1;
            if counts {
                self.tally.acknowledged_in_span += self.ring.messages;
            }
        }
        self.link.take(taken);
        Ok(())
    }
}

/// A window's bytes, laid out twice, so that what is sent next is always one piece.
struct Ring {
    bytes: Vec<u8>,
    /// Where each slot begins, and where the last one ends.
    starts: Vec<usize>,
    /// What is acknowledged as one, and how many of them there are.
    slots: usize,
    messages: usize,
}

impl Ring {
    fn new(member: &Member, plan: &Plan) -> Self {
        let topic = Kind::PropertyPost.topic_of(member.made.device.as_ref());
        let payload = payload(plan.payload);
        let (slots, messages) = match plan.qos {
            0 => (2, plan.window / 2),
            _ => (plan.window, 1),
        };
        let mut bytes = Vec::new();
        let mut starts = vec![0];
        for slot in 0..2 * slots {
            if plan.qos == 0 {
                for _ in 0..messages {
                    wire::publish(&mut bytes, &topic, None, &payload);
                }
                wire::ping(&mut bytes);
            } else {
                let id = packet_id(slot % slots);
                wire::publish(&mut bytes, &topic, Some(id), &payload);
            }
            starts.push(bytes.len());
        }
        Self {
            bytes,
            starts,
            slots,
            messages,
        }
    }

    fn run(&self, from: usize, slots: usize) -> &[u8] {
        &self.bytes[self.starts[from]..self.starts[from + slots]]
    }
}

/// A slot's own, free again when it is acknowledged.
fn packet_id(slot: usize) -> u16 {
    slot as u16 + 1
}

/// A report of so many bytes, if that is enough for one.
fn payload(bytes: usize) -> Vec<u8> {
    let report = |label: &str| {
        format!(
            r#"{{"id":"1","version":"1.0","params":{{"cycles":1,"pressure":6.2,"energy":1.25,"running":1,"label":"{label}"}},"method":"thing.event.property.post"}}"#
        )
    };
    let label = "x".repeat(bytes.saturating_sub(report("").len()));
    report(&label).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_as_long_as_asked_and_json() {
        assert_eq!(payload(200).len(), 200);
        serde_json::from_slice::<serde_json::Value>(&payload(200)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&payload(1)).unwrap();
    }
}
