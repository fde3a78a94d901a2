//! The self-batching publisher.
//!
//! It does as a good TCP stack does: with nothing in flight it sends at once, but not more often than
//! the batch's [`PACE`](Batch::PACE), and then all lanes together; while an acknowledgement is awaited it
//! gathers. Little latency when idle, large batches under load. One batch is in flight per lane, so a lane
//! keeps its order.

use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use bytes::{Bytes, BytesMut};
use chassis::{Phase, trace};
use futures::task::AtomicWaker;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::batch::put_item;
use crate::connection::{AWAITED, TOLD_AGAIN, headers};
use crate::{Batch, Bus, EncodeItem, Lane, Partition};

/// Bytes of a full batch; larger ones are slow to consume. A single larger item goes alone.
const BATCH_BYTES: usize = 64 * 1024;
/// Bytes that may wait in one lane before its senders are held up.
const LANE_BYTES: usize = 8 * 1024 * 1024;
/// How long an acknowledgement is awaited before the batch is sent again under the same id.
const ACK_PATIENCE: Duration = Duration::from_secs(5);
/// Pause before a batch that NATS refused (its stream is full) is sent again.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Publishes items of `B`, gathered into batches, lane by lane. Cheap to clone.
pub struct Publisher<B> {
    lanes: Arc<HashMap<(&'static str, Partition), Arc<LaneState>>>,
    carries: PhantomData<fn(B)>,
}

impl<B> Clone for Publisher<B> {
    fn clone(&self) -> Self {
        Self {
            lanes: self.lanes.clone(),
            carries: PhantomData,
        }
    }
}

/// The lane holds as much as it may; try again when `space` tells.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// What a sender of many messages counts on: how many of its own are durable.
#[derive(Debug, Default)]
pub struct Tally {
    durable: AtomicU64,
    grown: Notify,
    waker: AtomicWaker,
}

impl Tally {
    /// How many of the items that were published on it the stream has. Those of one lane are counted in their order.
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Resolves when the number has grown since the last time it was awaited.
    pub async fn grown(&self) {
        self.grown.notified().await;
    }

    /// For a task that polls by hand: `waker` is woken when the number grows. Register, then look.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    fn grow(&self) {
        self.durable.fetch_add(1, Ordering::AcqRel);
        self.grown.notify_one();
        self.waker.wake();
    }
}

/// Tells when an item is durable.
#[derive(Clone)]
pub struct Receipt {
    number: u64,
    durable: watch::Receiver<u64>,
}

impl Receipt {
    /// Whether the stream has the item already.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        *self.durable.borrow() >= self.number
    }

    /// Resolves when the stream has the item. While NATS is away, that takes as long as it is.
    ///
    /// # Errors
    /// When the process stops before.
    pub async fn durable(mut self) -> anyhow::Result<()> {
        let number = self.number;
        self.durable.wait_for(|durable| *durable >= number).await?;
        Ok(())
    }
}

struct LaneState {
    subject: String,
    waiting: Mutex<Waiting>,
    /// Something to send.
    filled: Notify,
    /// Room for more.
    drained: Notify,
    durable: watch::Sender<u64>,
}

#[derive(Default)]
struct Waiting {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    /// Items ever put in.
    number: u64,
}

#[derive(Default)]
struct Chunk {
    bytes: BytesMut,
    items: u64,
    /// Somebody waits for what is in it: it does not wait for its turn.
    awaited: bool,
    tallies: Vec<Arc<Tally>>,
    traceparent: Option<String>,
}

impl Waiting {
    /// Whether the next batch has no more room, or somebody waits for it.
    fn hurries(&self) -> bool {
        self.chunks.len() > 1 || self.chunks.front().is_some_and(|chunk| chunk.awaited)
    }
}

impl Bus {
    /// A publisher of `B`. Its lanes are flushed in the last phase of a stop.
    pub fn publisher<B: Batch>(&self) -> Publisher<B> {
        // A prefix per start: the numbers begin anew, and the server remembers ids.
        let start = Uuid::new_v4().simple().to_string();
        let partitions = self.chassis().settings().partitions;
        let turns = Arc::new(Turns::new(B::PACE));
        let mut lanes = HashMap::new();
        for word in B::WORDS {
            for partition in Partition::all(partitions) {
                let stem = if word.is_empty() {
                    B::STEM.to_owned()
                } else {
                    format!("{}.{word}", B::STEM)
                };
                let subject = self.subject(format_args!("{stem}.{}", partition.number()));
                let lane = Arc::new(LaneState::new(subject));
                lanes.insert((*word, partition), lane.clone());
                let name = format!("publish.{stem}.{}", partition.number());
                let sender = Arc::new(Sender {
                    bus: self.clone(),
                    name: name.clone(),
                    lane,
                    turns: turns.clone(),
                    start: start.clone(),
                    sent: AtomicU64::new(0),
                });
                self.chassis()
                    .spawn(Phase::Flush, &name, move |stop| sender.clone().run(stop));
            }
        }
        Publisher {
            lanes: Arc::new(lanes),
            carries: PhantomData,
        }
    }
}

impl<B: Batch> Publisher<B> {
    /// Puts an item in its lane; waits while the lane is full.
    pub async fn publish(&self, lane: Lane<B>, item: &impl EncodeItem) -> Receipt {
        let lane = self.lane(lane);
        loop {
            let drained = lane.drained.notified();
            if let Ok(number) = lane.put(item, None, trace::parent) {
                return Receipt {
                    number,
                    durable: lane.durable.subscribe(),
                };
            }
            drained.await;
        }
    }

    /// Puts an item in its lane and counts it on `tally` when it is durable: no future per item.
    ///
    /// # Errors
    /// [`Full`] when the lane holds as much as it may; [`Publisher::space`] tells when to try again.
    pub fn try_publish(
        &self,
        lane: Lane<B>,
        item: &impl EncodeItem,
        tally: &Arc<Tally>,
    ) -> Result<(), Full> {
        self.lane(lane).put(item, Some(tally), || None).map(|_| ())
    }

    /// Sends what is in the lane without waiting for its turn: for the rare item that a person waits for.
    pub fn hurry(&self, lane: Lane<B>) {
        self.lane(lane).hurry();
    }

    /// Resolves when the lane has room.
    pub async fn space(&self, lane: Lane<B>) {
        let lane = self.lane(lane);
        loop {
            let drained = lane.drained.notified();
            if lane.waiting.lock().expect("not poisoned").bytes < LANE_BYTES {
                return;
            }
            drained.await;
        }
    }

    fn lane(&self, lane: Lane<B>) -> &Arc<LaneState> {
        self.lanes
            .get(&(lane.word, lane.partition))
            .unwrap_or_else(|| panic!("{} has no consumer", lane.subject()))
    }
}

impl LaneState {
    fn new(subject: String) -> Self {
        Self {
            subject,
            waiting: Mutex::default(),
            filled: Notify::new(),
            drained: Notify::new(),
            durable: watch::Sender::new(0),
        }
    }

    fn put(
        &self,
        item: &impl EncodeItem,
        tally: Option<&Arc<Tally>>,
        traceparent: impl FnOnce() -> Option<String>,
    ) -> Result<u64, Full> {
        let len = item.item_len();
        let mut waiting = self.waiting.lock().expect("not poisoned");
        if waiting.bytes >= LANE_BYTES {
            return Err(Full);
        }
        let fits = |chunk: &Chunk| chunk.bytes.len() + len <= BATCH_BYTES;
        if !waiting.chunks.back().is_some_and(fits) {
            waiting.chunks.push_back(Chunk {
                traceparent: traceparent(),
                ..Chunk::default()
            });
        }
        waiting.bytes += len;
        waiting.number += 1;
        let number = waiting.number;
        let chunk = waiting.chunks.back_mut().expect("one was pushed");
        put_item(item, &mut chunk.bytes);
        chunk.items += 1;
        chunk.tallies.extend(tally.cloned());
        drop(waiting);
        self.filled.notify_one();
        Ok(number)
    }

    fn take(&self) -> Option<Chunk> {
        let mut waiting = self.waiting.lock().expect("not poisoned");
        let chunk = waiting.chunks.pop_front()?;
        waiting.bytes = if waiting.chunks.is_empty() {
            0
        } else {
            waiting.bytes.saturating_sub(chunk.bytes.len())
        };
        drop(waiting);
        self.drained.notify_waiters();
        Some(chunk)
    }

    /// Resolves at `turn`, or as soon as a batch has no more room or somebody waits for it.
    async fn full_or(&self, turn: Instant) {
        // A timer is a millisecond late, also for a time that has come.
        if turn <= Instant::now() {
            return;
        }
        let pause = tokio::time::sleep_until(turn);
        tokio::pin!(pause);
        while !self.waiting.lock().expect("not poisoned").hurries() {
            tokio::select! {
                () = &mut pause => return,
                () = self.filled.notified() => {}
            }
        }
    }

    fn give_back(&self, chunk: Chunk) {
        let mut waiting = self.waiting.lock().expect("not poisoned");
        waiting.bytes += chunk.bytes.len();
        waiting.chunks.push_front(chunk);
    }

    fn hurry(&self) {
        let mut waiting = self.waiting.lock().expect("not poisoned");
        if let Some(chunk) = waiting.chunks.back_mut() {
            chunk.awaited = true;
            self.filled.notify_one();
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.lock().expect("not poisoned").chunks.is_empty()
    }
}

/// When the lanes of a publisher send: together, so that their batches share a write, a read at the other end, and
/// a group of the consumer's.
struct Turns {
    pace: Duration,
    last: Mutex<Option<Instant>>,
}

impl Turns {
    /// How long a turn lasts: lanes that wake for it are all in it.
    const LENGTH: Duration = Duration::from_millis(1);

    fn new(pace: Duration) -> Self {
        Self {
            pace,
            last: Mutex::default(),
        }
    }

    /// Now, if nothing was sent for a while or a turn is on; else when the next one begins.
    fn next(&self, now: Instant) -> Instant {
        match *self.last.lock().expect("not poisoned") {
            Some(last) if now - last >= Self::LENGTH => now.max(last + self.pace),
            _ => now,
        }
    }

    fn begun(&self, now: Instant) {
        let mut last = self.last.lock().expect("not poisoned");
        if last.is_none_or(|last| now - last >= Self::LENGTH) {
            *last = Some(now);
        }
    }
}

/// Sends one lane's batches.
struct Sender {
    bus: Bus,
    /// In `/readyz`.
    name: String,
    lane: Arc<LaneState>,
    turns: Arc<Turns>,
    start: String,
    sent: AtomicU64,
}

impl Sender {
    async fn run(self: Arc<Self>, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            if self.lane.is_empty()
                && stop
                    .run_until_cancelled(self.lane.filled.notified())
                    .await
                    .is_none()
            {
                // Told to stop: what is still there goes first.
                if self.lane.is_empty() {
                    return Ok(());
                }
            }
            self.lane.full_or(self.turns.next(Instant::now())).await;
            let Some(chunk) = self.lane.take() else {
                continue;
            };
            self.turns.begun(Instant::now());
            let mut held = Held::new(&self.lane, chunk);
            self.send(&mut held).await;
        }
    }

    /// Sends a batch until the stream has it, always under the same id.
    async fn send(&self, held: &mut Held<'_>) {
        let payload = held.payload.clone();
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{}-{number}", self.start, self.lane.subject);
        let traceparent = held
            .chunk
            .as_ref()
            .and_then(|chunk| chunk.traceparent.as_deref());
        let mut headers = headers(Some(&id), traceparent);
        if held.chunk.as_ref().is_some_and(|chunk| chunk.awaited) {
            headers.insert(AWAITED, "1");
        }
        let mut told = None;
        while let Err(error) = self.send_once(&headers, payload.clone()).await {
            let text = format!("{error:#}");
            if told.is_none_or(|told: Instant| told.elapsed() > TOLD_AGAIN) {
                tracing::warn!(
                    subject = self.lane.subject,
                    error = text,
                    "a batch is sent again, until its stream has it"
                );
                told = Some(Instant::now());
            }
            self.bus.chassis().ready(&self.name, Err(text));
            tokio::time::sleep(REFUSED_PAUSE).await;
        }
        if told.is_some() {
            self.bus.chassis().ready(&self.name, Ok(()));
        }
        if let Some(chunk) = held.chunk.take() {
            self.lane
                .durable
                .send_modify(|durable| *durable += chunk.items);
            chunk.tallies.iter().for_each(|tally| tally.grow());
        }
    }

    /// An acknowledgement that is awaited over a reconnect never comes: the new connection ends the wait.
    async fn send_once(
        &self,
        headers: &async_nats::HeaderMap,
        payload: Bytes,
    ) -> anyhow::Result<()> {
        let mut connected = self.bus.connected();
        connected.mark_unchanged();
        let sent = self.bus.jetstream().publish_with_headers(
            self.lane.subject.clone(),
            headers.clone(),
            payload,
        );
        let answer = async { sent.await?.await };
        tokio::select! {
            answer = tokio::time::timeout(ACK_PATIENCE, answer) => match answer {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) if error.kind() == PublishErrorKind::StreamNotFound => {
                    crate::streams::declare(self.bus.jetstream(), self.bus.chassis().settings()).await?;
                    anyhow::bail!("the stream was gone and is declared again")
                }
                Ok(Err(error)) => Err(error.into()),
                Err(_) => anyhow::bail!("no acknowledgement within {} s", ACK_PATIENCE.as_secs()),
            },
            _ = connected.changed() => anyhow::bail!("the connection was lost meanwhile"),
        }
    }
}

/// A batch in flight; put back in front if its sender ends before the stream has it.
struct Held<'a> {
    lane: &'a LaneState,
    payload: Bytes,
    /// Without its bytes.
    chunk: Option<Chunk>,
}

impl<'a> Held<'a> {
    fn new(lane: &'a LaneState, mut chunk: Chunk) -> Self {
        Self {
            lane,
            payload: std::mem::take(&mut chunk.bytes).freeze(),
            chunk: Some(chunk),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(mut chunk) = self.chunk.take() {
            chunk.bytes = BytesMut::from(self.payload.as_ref());
            self.lane.give_back(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::hoshu::bus::v1::LogEntry;

    use super::*;

    #[tokio::test]
    async fn what_somebody_waits_for_does_not_wait_for_its_turn() {
        let lane = LaneState::new("log.0".into());
        let turn = Instant::now() + Duration::from_secs(3600);
        let item = LogEntry::default();
        lane.put(&item, None, || None).unwrap();
        tokio::join!(lane.full_or(turn), async { lane.hurry() });
        lane.full_or(turn).await;
        assert!(lane.take().unwrap().awaited);
        lane.put(&item, None, || None).unwrap();
        let next = lane.full_or(Instant::now() + Duration::from_millis(50));
        let early = tokio::time::timeout(Duration::from_millis(10), next);
        assert!(early.await.is_err(), "only that batch was hurried");
    }

    #[test]
    fn lanes_send_at_once_after_a_rest_and_else_together() {
        let turns = Turns::new(Duration::from_millis(4));
        let ms = Duration::from_millis(1);
        let begin = Instant::now();
        assert_eq!(turns.next(begin), begin);
        turns.begun(begin);
        assert_eq!(turns.next(begin + ms / 2), begin + ms / 2, "the turn is on");
        let second = begin + 4 * ms;
        for wants in [1, 2, 3] {
            assert_eq!(turns.next(begin + wants * ms), second);
        }
        turns.begun(second);
        turns.begun(second + ms / 3);
        assert_eq!(
            turns.next(second + ms),
            second + 4 * ms,
            "from where it began"
        );
        assert_eq!(turns.next(second + 9 * ms), second + 9 * ms);
    }
}
