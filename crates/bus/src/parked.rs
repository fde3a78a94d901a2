//! Messages that could not be handled: kept, listed, and replayed after the mend.

use anyhow::Context;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::Stream as NatsStream;
use futures::StreamExt;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use prost::Message;
use proto::hoshu::bus::v1::Parked;

use crate::Bus;
use crate::connection::headers;
use crate::inbox::Spec;
use crate::streams::Stream;

/// Bytes that are kept free for what is said of a message, beside the message itself.
const SAID: usize = 8 * 1024;

/// A parked message and its number, by which it is replayed.
#[derive(Debug)]
pub struct Entry {
    pub number: u64,
    pub message: Parked,
}

/// Keeps what could not be handled; of what is too large for NATS with what is said of it, the beginning: none
/// of our own messages is, and another's must not come back for ever. Returns when it is durable, so that the
/// original may be acknowledged.
pub(crate) async fn park(
    bus: &Bus,
    inbox: Spec,
    subject: &str,
    mut payload: Vec<u8>,
    error: &str,
) -> anyhow::Result<()> {
    tracing::error!(inbox = inbox.name, subject, error, "a message is parked");
    let len = payload.len();
    payload.truncate(bus.client().server_info().max_payload.saturating_sub(SAID));
    let parked = Parked {
        stream: inbox.stream.name(&bus.chassis().settings().nats_prefix),
        consumer: inbox.name.to_owned(),
        subject: subject.to_owned(),
        cut: (len - payload.len()) as u64,
        payload: payload.into(),
        error: error.chars().take(SAID / 8).collect(),
        at: bus.chassis().clock().now_ms(),
    };
    let subject = bus.subject(format_args!("parked.{}", inbox.name));
    let kept = bus
        .jetstream()
        .publish(subject, parked.encode_to_vec().into())
        .await?;
    kept.await.context("parking")?;
    counter(bus).add(1, &[KeyValue::new("inbox", inbox.name)]);
    Ok(())
}

pub(crate) fn counter(bus: &Bus) -> Counter<u64> {
    let meter = bus.chassis().meter();
    let counter = meter.u64_counter("inbox.parked");
    counter
        .with_description("messages parked, by inbox")
        .build()
}

/// The parked messages, oldest first, at most `limit`.
///
/// # Errors
/// When NATS is away.
pub async fn list(bus: &Bus, limit: usize) -> anyhow::Result<Vec<Entry>> {
    let stream = stream(bus).await?;
    let consumer = stream
        .create_consumer(pull::Config {
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::None,
            ..pull::Config::default()
        })
        .await?;
    let mut entries = Vec::new();
    let mut messages = consumer.fetch().max_messages(limit).messages().await?;
    while let Some(message) = messages.next().await {
        let message = message.map_err(|error| anyhow::anyhow!("listing: {error}"))?;
        let number = message
            .info()
            .map_err(|error| anyhow::anyhow!("listing: {error}"))?
            .stream_sequence;
        entries.push(Entry {
            number,
            message: Parked::decode(message.payload.clone())?,
        });
    }
    Ok(entries)
}

/// Sends a parked message to its consumer's subject again, and takes it off the list when the stream has it.
///
/// # Errors
/// When there is no such number, or NATS is away.
pub async fn replay(bus: &Bus, number: u64) -> anyhow::Result<()> {
    let stream = stream(bus).await?;
    let raw = stream
        .get_raw_message(number)
        .await
        .with_context(|| format!("there is no parked message {number}"))?;
    let parked = Parked::decode(raw.payload)?;
    anyhow::ensure!(
        parked.cut == 0,
        "only the beginning of message {number} was kept: it was too large"
    );
    let id = format!("parked-{number}");
    let sent = bus.jetstream().publish_with_headers(
        parked.subject,
        headers(Some(&id), None),
        parked.payload,
    );
    sent.await?.await?;
    stream.delete_message(number).await?;
    Ok(())
}

async fn stream(bus: &Bus) -> anyhow::Result<NatsStream> {
    let name = Stream::Parked.name(&bus.chassis().settings().nats_prefix);
    Ok(bus.jetstream().get_stream(name).await?)
}
