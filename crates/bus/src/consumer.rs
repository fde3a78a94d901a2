//! The consumer loop, written once.
//!
//! What came together is handled together: decode, handle (decide and commit), acknowledge. A store that
//! is away is waited for, with the messages held; what fails three times is done item by item, and only
//! the items that still fail are parked.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::{AckKind, Message};
use chassis::{Phase, trace};
use futures::{FutureExt, StreamExt};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::streams::ACK_WAIT;
use crate::trouble::is_away;
use crate::{Batch, Bus, Inbox, inbox, parked};

/// Items handled at once, unless one batch alone has more. More share a transaction; fewer are answered sooner.
const GROUP_ITEMS: usize = 2_000;
/// Bytes of messages handled at once, and the one that goes beyond: a backlog of large payloads must fit in
/// memory, with what is made of it. 2,000 ordinary messages have far fewer.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// Failures of a group before it is done item by item.
const ATTEMPTS: u32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Bus {
    /// Handles the items of an inbox, in the order in which each lane has them, group by group.
    ///
    /// `Ok` acknowledges the group: its effect is committed. An error is tried again: for as long as a store
    /// is away, else three times, then item by item; an item that still fails is parked. The same item can
    /// come twice.
    pub fn consume<B, F, Fut>(&self, inbox: Inbox<B>, handle: F)
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send,
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
        self.chassis().spawn(Phase::Inbox, &name, move |stop| {
            let consumer = Consumer {
                bus: bus.clone(),
                spec,
                name: format!("inbox.{}", spec.name),
                stop,
                handled: handled.clone(),
                failed: failed.clone(),
            };
            let handle = handle.clone();
            async move { consumer.run::<B, _, _>(&*handle).await }
        });
    }
}

struct Consumer {
    bus: Bus,
    spec: inbox::Spec,
    name: String,
    stop: CancellationToken,
    handled: Counter<u64>,
    failed: Counter<u64>,
}

/// Messages that came together, and their items, each with the number of its message.
struct Group<B: Batch> {
    messages: Vec<Message>,
    items: Vec<B::Item>,
    of: Vec<usize>,
}

impl Consumer {
    async fn run<B, F, Fut>(&self, handle: &F) -> anyhow::Result<()>
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        let mut messages = self.subscribe().await?;
        // Only the wait can be cut short: what was begun is finished and answered.
        while let Some(next) = self.stop.run_until_cancelled(messages.next()).await {
            let first = next.ok_or_else(|| anyhow!("the subscription ended"))??;
            let group = self.gather::<B>(first, &mut messages).await?;
            let span = tracing::info_span!(
                "inbox",
                inbox = self.spec.name,
                batch.len = group.items.len()
            );
            if let Some(parent) = traceparent(&group.messages) {
                trace::adopt(&span, &parent);
            }
            self.settle(group, handle).instrument(span).await?;
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
            of: Vec::new(),
        };
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            bytes += message.payload.len();
            match B::read(message.payload.clone()) {
                Ok(items) => {
                    group
                        .of
                        .resize(group.of.len() + items.len(), group.messages.len());
                    group.items.extend(items);
                    group.messages.push(message);
                }
                Err(error) => {
                    parked::park(
                        &self.bus,
                        self.spec,
                        &message.subject,
                        message.payload.to_vec(),
                        &error.to_string(),
                    )
                    .await?;
                    ack(&message, AckKind::Ack).await?;
                }
            }
            next = match group.items.len() < GROUP_ITEMS && bytes < GROUP_BYTES {
                true => messages.next().now_or_never().flatten().transpose()?,
                false => None,
            };
        }
        Ok(group)
    }

    /// Handles a group until it is done, and answers for all of its messages.
    async fn settle<B, F, Fut>(&self, group: Group<B>, handle: &F) -> anyhow::Result<()>
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        if group.messages.is_empty() {
            return Ok(());
        }
        let work = self.work(&group, handle);
        let done = {
            tokio::pin!(work);
            loop {
                tokio::select! {
                    done = &mut work => break done?,
                    () = tokio::time::sleep(ACK_WAIT / 3) => {
                        for message in &group.messages {
                            ack(message, AckKind::Progress).await?;
                        }
                    }
                }
            }
        };
        for message in &group.messages {
            ack(
                message,
                if done {
                    AckKind::Ack
                } else {
                    AckKind::Nak(None)
                },
            )
            .await?;
        }
        Ok(())
    }

    /// False when the process stops before it could be done: another pod, or this one later, does it.
    async fn work<B, F, Fut>(&self, group: &Group<B>, handle: &F) -> anyhow::Result<bool>
    where
        B: Batch,
        F: Fn(Vec<B::Item>) -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        match self.persist(group.items.clone(), handle).await {
            Outcome::Done => return Ok(true),
            Outcome::Stopping => return Ok(false),
            Outcome::Fails(_) => {}
        }
        for (item, message) in group.items.iter().zip(&group.of) {
            match self.persist(vec![item.clone()], handle).await {
                Outcome::Done => {}
                Outcome::Stopping => return Ok(false),
                Outcome::Fails(error) => {
                    let subject = &group.messages[*message].subject;
                    parked::park(&self.bus, self.spec, subject, B::write(item), &error).await?;
                }
            }
        }
        Ok(true)
    }

    /// Tries until it is done, or has failed three times for a reason that waiting does not mend.
    async fn persist<I, F, Fut>(&self, items: Vec<I>, handle: &F) -> Outcome
    where
        I: Clone,
        F: Fn(Vec<I>) -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        let mut failures = 0;
        let mut pause = Duration::from_millis(50);
        loop {
            let count = items.len() as u64;
            let error = match AssertUnwindSafe(handle(items.clone())).catch_unwind().await {
                Ok(Ok(())) => {
                    self.bus.chassis().ready(&self.name, Ok(()));
                    self.handled
                        .add(count, &[KeyValue::new("inbox", self.spec.name)]);
                    return Outcome::Done;
                }
                Ok(Err(error)) => error,
                Err(_) => anyhow!("it panicked"),
            };
            self.failed
                .add(1, &[KeyValue::new("inbox", self.spec.name)]);
            let text = format!("{error:#}");
            tracing::warn!(
                inbox = self.spec.name,
                items = items.len(),
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

enum Outcome {
    Done,
    Stopping,
    Fails(String),
}

async fn ack(message: &Message, kind: AckKind) -> anyhow::Result<()> {
    message
        .ack_with(kind)
        .await
        .map_err(|error| anyhow!("acknowledging: {error}"))
}

fn traceparent(messages: &[Message]) -> Option<String> {
    let headers = messages.first()?.headers.as_ref()?;
    Some(headers.get(trace::HEADER)?.as_str().to_owned())
}
