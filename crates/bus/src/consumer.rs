//! The consumer loop, written once.
//!
//! What came together is handled together: decode, handle (decide and commit), acknowledge. A store that
//! is away is waited for, with the messages held; what fails three times is done item by item, and only
//! the items that still fail are parked. Groups are handled one after the other, where their order says
//! something; what a group has told others becomes durable, and the group is acknowledged, while the next
//! one is handled.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::{AckKind, Message};
use chassis::{Phase, trace};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::connection::AWAITED;
use crate::streams::ACK_WAIT;
use crate::trouble::is_away;
use crate::{Batch, Bus, Inbox, Receipt, inbox, parked};

/// Items handled at once, unless one batch alone has more. More share a transaction; fewer are answered sooner.
const GROUP_ITEMS: usize = 2_000;
/// Bytes of messages handled at once, and the one that goes beyond: a backlog of large payloads must fit in
/// memory, with what is made of it. 2,000 ordinary messages have far fewer.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// Groups that are handled, and wait to be acknowledged: more keep the next one going while the stream of
/// what they told is slow, and hold more memory.
const UNSETTLED: usize = 4;
/// Failures of a group before it is done item by item.
const ATTEMPTS: u32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a group has told others: it is acknowledged when all of that is durable.
#[derive(Default)]
pub struct Receipts(Vec<Receipt>);

impl From<()> for Receipts {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl FromIterator<Receipt> for Receipts {
    fn from_iter<I: IntoIterator<Item = Receipt>>(receipts: I) -> Self {
        Self(receipts.into_iter().collect())
    }
}

impl Receipts {
    async fn durable(self) -> anyhow::Result<()> {
        for receipt in self.0 {
            receipt.durable().await?;
        }
        Ok(())
    }
}

impl Bus {
    /// Handles the items of an inbox, group by group; in the order in which each lane has them, unless the inbox has
    /// several groups handled at once.
    ///
    /// `Ok` says that the group's effect is committed; it is acknowledged when its receipts, if it has any,
    /// are durable. An error is tried again: for as long as a store is away, else three times, then item by
    /// item; an item that still fails is parked. The same item can come twice.
    pub fn consume<B, F, Fut, R>(&self, inbox: Inbox<B>, handle: F)
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<R>> + Send,
        R: Into<Receipts>,
    {
        let handle = Arc::new(handle);
        let bus = self.clone();
        let spec = inbox.spec;
        let name = format!("inbox.{}", spec.name);
        let meter = self.chassis().meter();
        let handled = meter
            .u64_counter("inbox.items")
            .with_description("items handled, by inbox")
            .build();
        let failed = meter
            .u64_counter("inbox.failures")
            .with_description("groups that failed, by inbox")
            .build();
        // What stands at nothing is seen to rise; what is not there is not.
        failed.add(0, &[KeyValue::new("inbox", spec.name)]);
        parked::counter(self).add(0, &[KeyValue::new("inbox", spec.name)]);
        self.chassis().spawn(Phase::Inbox, &name, move |stop| {
            let consumer = Consumer {
                bus: bus.clone(),
                spec,
                name: format!("inbox.{}", spec.name),
                unsettled: Arc::new(Semaphore::new(UNSETTLED)),
                stop,
                handled: handled.clone(),
                failed: failed.clone(),
            };
            let handle = handle.clone();
            async move { consumer.run::<B, _, _, _>(&*handle).await }
        });
    }
}

struct Consumer {
    bus: Bus,
    spec: inbox::Spec,
    name: String,
    unsettled: Arc<Semaphore>,
    stop: CancellationToken,
    handled: Counter<u64>,
    failed: Counter<u64>,
}

/// Messages that came together, and their items.
struct Group<B: Batch> {
    messages: Vec<Message>,
    items: Vec<B::Item>,
}

impl Consumer {
    async fn run<B, F, Fut, R>(&self, handle: &F) -> anyhow::Result<()>
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut,
        Fut: Future<Output = anyhow::Result<R>>,
        R: Into<Receipts>,
    {
        let mut messages = self.subscribe().await?;
        let mut earliest = Instant::now();
        // Only the wait can be cut short: what was begun is finished and answered.
        let next = async |messages: &mut pull::Stream, earliest| {
            let room = self.unsettled.clone().acquire_owned().await?;
            let first = messages.next().await;
            let first = first.ok_or_else(|| anyhow!("the subscription ended"))??;
            let hurried = self.spec.hurries && is_awaited(&first);
            // A timer is a millisecond late, also for a time that has come.
            if !hurried && earliest > Instant::now() {
                tokio::time::sleep_until(earliest).await;
            }
            anyhow::Ok((room, first))
        };
        let mut handled = FuturesUnordered::new();
        loop {
            while handled.len() >= self.spec.at_once {
                handled.next().await.transpose()?;
            }
            let next = {
                let next = self.stop.run_until_cancelled(next(&mut messages, earliest));
                tokio::pin!(next);
                loop {
                    tokio::select! {
                        next = &mut next => break next,
                        Some(done) = handled.next() => done?,
                    }
                }
            };
            let Some(next) = next else { break };
            let (room, first) = next?;
            let begun = Instant::now();
            let group = self.gather::<B>(first, &mut messages).await?;
            earliest = match group.is_full() {
                true => begun,
                false => begun + self.spec.pace,
            };
            let span = tracing::info_span!(
                "inbox",
                inbox = self.spec.name,
                batch.len = group.items.len()
            );
            if let Some(parent) = traceparent(&group.messages) {
                trace::adopt(&span, &parent);
            }
            handled.push(self.settle(group, room, handle).instrument(span));
        }
        while let Some(done) = handled.next().await {
            done?;
        }
        Ok(())
    }

    async fn subscribe(&self) -> anyhow::Result<pull::Stream> {
        let bus = &self.bus;
        let prefix = &bus.chassis().settings().nats_prefix;
        let stream = self.spec.stream.name(prefix);
        let found = bus
            .jetstream()
            .get_consumer_from_stream(self.spec.name, stream)
            .await;
        let consumer: PullConsumer = match found {
            Ok(consumer) => consumer,
            Err(error) => {
                crate::streams::declare(bus.jetstream(), bus.chassis().settings()).await?;
                return Err(error.into());
            }
        };
        Ok(consumer
            .stream()
            .max_messages_per_batch(256)
            .expires(Duration::from_secs(20))
            .heartbeat(Duration::from_secs(5))
            .messages()
            .await?)
    }

    /// Takes what is there already, up to a group.
    async fn gather<B: Batch>(
        &self,
        first: Message,
        messages: &mut pull::Stream,
    ) -> anyhow::Result<Group<B>> {
        let mut group = Group {
            messages: Vec::new(),
            items: Vec::new(),
        };
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            bytes += message.payload.len();
            match B::read(message.payload.clone()) {
                Ok(items) => {
                    group.items.extend(items);
                    group.messages.push(message);
                }
                Err(error) => {
                    let (subject, payload) = (&message.subject, message.payload.to_vec());
                    parked::park(&self.bus, self.spec, subject, payload, &error.to_string())
                        .await?;
                    ack(&message, AckKind::Ack).await?;
                }
            }
            next = match !group.is_full() && bytes < GROUP_BYTES {
                true => messages.next().now_or_never().flatten().transpose()?,
                false => None,
            };
        }
        Ok(group)
    }

    /// Handles a group until it is done, and has all of its messages answered.
    async fn settle<B, F, Fut, R>(
        &self,
        group: Group<B>,
        room: OwnedSemaphorePermit,
        handle: &F,
    ) -> anyhow::Result<()>
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut,
        Fut: Future<Output = anyhow::Result<R>>,
        R: Into<Receipts>,
    {
        let Group { messages, items } = group;
        if messages.is_empty() {
            return Ok(());
        }
        let work = self.work::<B, _, _, _>(&messages, items, handle);
        let receipts = keep_alive(&messages, work).await??;
        let inbox = self.spec.name;
        self.bus.chassis().track(Phase::Inbox, async move {
            if let Err(error) = answer(&messages, receipts).await {
                tracing::warn!(
                    inbox,
                    error = format!("{error:#}"),
                    "a group that was handled comes again"
                );
            }
            drop(room);
        });
        Ok(())
    }

    /// Nothing when the process stops before it could be done: another pod, or this one later, does it.
    async fn work<B, F, Fut, R>(
        &self,
        messages: &[Message],
        items: Vec<B::Item>,
        handle: &F,
    ) -> anyhow::Result<Option<Receipts>>
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut,
        Fut: Future<Output = anyhow::Result<R>>,
        R: Into<Receipts>,
    {
        let mut first = Some(items);
        let again = || messages.iter().filter_map(read::<B>).flatten().collect();
        let items = || first.take().unwrap_or_else(again);
        match self.persist(items, handle).await {
            Outcome::Done(receipts) => return Ok(Some(receipts)),
            Outcome::Stopping => return Ok(None),
            Outcome::Fails(_) => {}
        }
        let mut all = Receipts::default();
        for message in messages {
            for item in read::<B>(message).into_iter().flatten() {
                match self.persist(|| vec![item.clone()], handle).await {
                    Outcome::Done(receipts) => all.0.extend(receipts.0),
                    Outcome::Stopping => return Ok(None),
                    Outcome::Fails(error) => {
                        let (subject, payload) = (&message.subject, B::write(&item));
                        parked::park(&self.bus, self.spec, subject, payload, &error).await?;
                    }
                }
            }
        }
        Ok(Some(all))
    }

    /// Tries until it is done, or has failed three times for a reason that waiting does not mend.
    async fn persist<I, F, Fut, R>(&self, mut items: impl FnMut() -> Vec<I>, handle: &F) -> Outcome
    where
        F: Fn(Vec<I>) -> Fut,
        Fut: Future<Output = anyhow::Result<R>>,
        R: Into<Receipts>,
    {
        let inbox = [KeyValue::new("inbox", self.spec.name)];
        let mut failures = 0;
        let mut pause = Duration::from_millis(50);
        loop {
            let items = items();
            let count = items.len();
            let error = match AssertUnwindSafe(handle(items)).catch_unwind().await {
                Ok(Ok(receipts)) => {
                    self.bus.chassis().ready(&self.name, Ok(()));
                    self.handled.add(count as u64, &inbox);
                    return Outcome::Done(receipts.into());
                }
                Ok(Err(error)) => error,
                Err(_) => anyhow!("it panicked"),
            };
            self.failed.add(1, &inbox);
            let text = format!("{error:#}");
            tracing::warn!(
                inbox = self.spec.name,
                items = count,
                error = text,
                "a group failed"
            );
            if is_away(&error) {
                self.bus.chassis().ready(&self.name, Err(text));
            } else {
                failures += 1;
                if failures == ATTEMPTS {
                    return Outcome::Fails(text);
                }
            }
            if self
                .stop
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return Outcome::Stopping;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl<B: Batch> Group<B> {
    fn is_full(&self) -> bool {
        self.items.len() >= GROUP_ITEMS
    }
}

enum Outcome {
    Done(Receipts),
    Stopping,
    Fails(String),
}

/// What was read once is read again alike.
fn read<B: Batch>(message: &Message) -> Option<Vec<B::Item>> {
    B::read(message.payload.clone()).ok()
}

/// Works, and has nobody else given the messages meanwhile.
async fn keep_alive<T>(messages: &[Message], work: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            () = tokio::time::sleep(ACK_WAIT / 3) => {
                for message in messages {
                    ack(message, AckKind::Progress).await?;
                }
            }
        }
    }
}

/// Acknowledges messages when what was told of them is durable; gives back those that could not be handled.
async fn answer(messages: &[Message], receipts: Option<Receipts>) -> anyhow::Result<()> {
    let durable = match receipts {
        Some(receipts) => keep_alive(messages, receipts.durable()).await?,
        None => Err(anyhow!("the process stops")),
    };
    for message in messages {
        let kind = match &durable {
            Ok(()) => AckKind::Ack,
            Err(_) => AckKind::Nak(None),
        };
        ack(message, kind).await?;
    }
    durable
}

async fn ack(message: &Message, kind: AckKind) -> anyhow::Result<()> {
    message
        .ack_with(kind)
        .await
        .map_err(|error| anyhow!("acknowledging: {error}"))
}

fn is_awaited(message: &Message) -> bool {
    let headers = message.headers.as_ref();
    headers.is_some_and(|headers| headers.get(AWAITED).is_some())
}

fn traceparent(messages: &[Message]) -> Option<String> {
    let headers = messages.first()?.headers.as_ref()?;
    Some(headers.get(trace::HEADER)?.as_str().to_owned())
}
