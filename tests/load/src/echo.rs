//! The bare round trip of a broker: one client publishes, another answers, the first one has it.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Serialize;

use crate::answer;
use crate::command_line::Target;
use crate::device::Link;
use crate::fleet::{self, AT_ONCE};
use crate::latency::{Latency, Percentiles};
use crate::wire::{self, Packet};

/// Not counted, as with [`crate::set`].
const FIRST: usize = 50;
/// As long as a set's request.
const PAYLOAD: &[u8] = br#"{"id":"1700000000","version":"1.0","params":{"label":"label 1"},"method":"thing.service.property.set"}"#;

pub(crate) struct Plan {
    pub(crate) times: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    times: usize,
    round_trip_milliseconds: Option<Percentiles>,
}

pub(crate) async fn measure(target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
    ensure!(
        target.api.is_none(),
        "a device of Hoshu cannot publish to another: use --broker"
    );
    let made = fleet::make(target, 2).await?;
    let mut welcomed = fleet::connect(target, made, AT_ONCE).await?.members;
    let (mut asks, mut answers) = match (welcomed.pop(), welcomed.pop()) {
        (Some(asks), Some(answers)) => (asks.link, answers.link),
        _ => anyhow::bail!("two devices were to connect"),
    };
    subscribe(&mut asks, "load/answer").await?;
    subscribe(&mut answers, "load/question").await?;
    tokio::select! {
        ended = answer::every_message(answers, "load/answer", |payload| Ok(payload.to_vec())) => {
            ended?;
            anyhow::bail!("the other client stopped answering")
        }
        measured = ask(asks, plan.times) => measured,
    }
}

async fn subscribe(link: &mut Link, filter: &str) -> anyhow::Result<()> {
    let mut out = Vec::new();
    wire::subscribe(&mut out, 1, filter);
    link.write(&out).await?;
    loop {
        link.fill().await?;
        if let Some((packet, length)) = wire::read(&link.inbox)? {
            ensure!(packet == Packet::Suback, "{packet:?} is no SUBACK");
            link.take(length);
            return Ok(());
        }
    }
}

async fn ask(mut link: Link, times: usize) -> anyhow::Result<Measured> {
    let mut latency = Latency::default();
    let mut question = Vec::new();
    wire::publish(&mut question, "load/question", Some(1), PAYLOAD);
    for number in 0..FIRST + times {
        let begun = Instant::now();
        link.write(&question).await?;
        let (mut acknowledged, mut answered) = (false, None);
        while !acknowledged || answered.is_none() {
            link.fill().await?;
            let mut taken = 0;
            let mut out = Vec::new();
            while let Some((packet, length)) = wire::read(&link.inbox[taken..])? {
                taken += length;
                match packet {
                    Packet::Puback(_) => acknowledged = true,
                    Packet::Publish { packet_id, .. } => {
                        answered = Some(begun.elapsed());
                        wire::puback(&mut out, packet_id.context("an answer of QoS 0")?);
                    }
                    other => anyhow::bail!("{other:?} was not to come"),
                }
            }
            link.take(taken);
            link.write(&out).await?;
        }
        if let Some(took) = answered.filter(|_| number >= FIRST) {
            latency.note(took);
        }
    }
    Ok(Measured {
        times,
        round_trip_milliseconds: latency.percentiles(),
    })
}
