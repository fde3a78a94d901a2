//! Devices that report properties and wait for their PUBACK and for the platform's reply.

mod pace;
mod reporter;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::command_line::Target;
use crate::fleet;
use crate::house::House;
use crate::latency::{Latency, Percentiles};
use crate::logged::{self, Logged};
use crate::processes::processor_times;
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
}

/// When answers count: after the warm-up, until the devices stop.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
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
    /// Processors that each program kept busy, and its microseconds a post; with `--pid` alone.
    processors: BTreeMap<String, Cost>,
    logged: Logged,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    busy: f64,
    microseconds_per_post: f64,
}

pub(crate) async fn measure(target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
    let house = House::new(target)?;
    let made = fleet::make(&house, plan.devices).await?;
    let watched = logged::choose(&made);
    let (fleet, connecting) = fleet::connect(target, made).await?;

    let begun = Instant::now();
    let span = Span {
        from: begun + plan.warm_up,
        to: begun + plan.warm_up + plan.measured,
    };
    let mut reporters = JoinSet::new();
    for (place, member) in fleet.into_iter().enumerate() {
        let pace = Pace::new(begun, plan, place);
        let device = member.made.device.clone();
        reporters.spawn(async move { (device, Reporter::new(member, pace, span).run().await) });
    }
    let processors = busy(target.pid, span).await;

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
        connects_per_second: plan.devices as f64 / connecting.as_secs_f64(),
        processors: costs(processors, plan.measured, posts),
        logged: logged::wait(&house, &expected).await?,
    })
}

/// Processor time that each program used within the span, the load itself among them.
async fn busy(pid: Option<u32>, span: Span) -> BTreeMap<String, Duration> {
    let Some(pid) = pid else {
        return BTreeMap::new();
    };
    let now = || {
        let mut times = processor_times(pid);
        times.extend(processor_times(std::process::id()));
        times
    };
    tokio::time::sleep_until(span.from).await;
    let before = now();
    tokio::time::sleep_until(span.to).await;
    let mut used = now();
    for (name, time) in &mut used {
        *time = time.saturating_sub(before.get(name).copied().unwrap_or_default());
    }
    used
}

fn costs(used: BTreeMap<String, Duration>, span: Duration, posts: usize) -> BTreeMap<String, Cost> {
    let cost = |time: Duration| Cost {
        busy: time.as_secs_f64() / span.as_secs_f64(),
        microseconds_per_post: time.as_secs_f64() * 1e6 / posts.max(1) as f64,
    };
    used.into_iter()
        .map(|(name, time)| (name, cost(time)))
        .collect()
}
