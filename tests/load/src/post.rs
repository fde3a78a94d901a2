//! Devices that report properties and wait for their PUBACK and for the platform's reply.

mod pace;
mod reporter;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::command_line::Target;
use crate::fleet::{self, AT_ONCE};
use crate::house::House;
use crate::latency::{Latency, Percentiles};
use crate::logged::{self, Logged};
use crate::processes::{self, Cost};
use crate::span::Span;
use pace::Pace;
use reporter::Reporter;

pub(crate) struct Plan {
    pub(crate) devices: usize,
    /// Posts a second of all together; none: each as soon as it was answered.
    pub(crate) rate: Option<u64>,
    /// Unanswered posts that a device may have.
    pub(crate) window: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    /// Waits for the posts' lines in the log; without it `logged` is not told.
    pub(crate) looks_in_log: bool,
}

/// What devices saw; of all of them when merged.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) sent: usize,
    pub(crate) acknowledged: usize,
    /// Replies by code.
    pub(crate) replies: BTreeMap<i64, usize>,
    /// Of the span alone.
    pub(crate) puback: Latency,
    pub(crate) reply: Latency,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        for (code, count) in other.replies {
            *self.replies.entry(code).or_default() += count;
        }
        self.puback.merge(other.puback);
        self.reply.merge(other.reply);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    devices: usize,
    /// Asked for; absent: as fast as answered.
    rate: Option<u64>,
    window: usize,
    seconds: f64,
    posts_per_second: f64,
    reply_milliseconds: Option<Percentiles>,
    puback_milliseconds: Option<Percentiles>,
    /// Of the whole run, warm-up included.
    sent: usize,
    acknowledged: usize,
    replies: BTreeMap<i64, usize>,
    connects_per_second: f64,
    processors: BTreeMap<String, Cost>,
    logged: Option<Logged>,
}

pub(crate) async fn measure(target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
    let house = House::new(target)?;
    let made = fleet::make_with_model(&house, plan.devices).await?;
    let watched = logged::choose(&made);
    let welcomed = fleet::connect(target, made, AT_ONCE).await?;
    let connects_per_second = welcomed.per_second();

    let begun = Instant::now();
    let span = Span::after(begun, plan.warm_up, plan.measured);
    let mut reporters = JoinSet::new();
    for (place, member) in welcomed.members.into_iter().enumerate() {
        let pace = Pace::new(begun, plan, place);
        let device = member.made.device.clone();
        reporters.spawn(async move { (device, Reporter::new(member, pace, span).run().await) });
    }
    let used = processes::busy(&target.pids, span).await;

    let mut all = Tally::default();
    let mut expected = Vec::new();
    while let Some(ended) = reporters.join_next().await {
        let (device, tally) = ended?;
        let tally = tally?;
        if watched.contains(&device) {
            expected.push((device, tally.acknowledged));
        }
        all.merge(tally);
    }
    let posts = all.reply.count();
    let logged = if plan.looks_in_log {
        Some(logged::wait(&house, &expected).await?)
    } else {
        None
    };
    Ok(Measured {
        devices: plan.devices,
        rate: plan.rate,
        window: plan.window,
        seconds: plan.measured.as_secs_f64(),
        posts_per_second: posts as f64 / plan.measured.as_secs_f64(),
        reply_milliseconds: all.reply.percentiles(),
        puback_milliseconds: all.puback.percentiles(),
        sent: all.sent,
        acknowledged: all.acknowledged,
        replies: all.replies,
        connects_per_second,
        processors: processes::costs(used, plan.measured, posts),
        logged,
    })
}
