//! The table of streams, and its declaration.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::{Context, CreateStreamError, CreateStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use chassis::Settings;

use crate::inbox;

/// A stream of the house; its name in NATS is `<PREFIX>_<NAME>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Up,
    Presence,
    Log,
    Event,
    Parked,
}

/// How long the server remembers message ids, and so drops what is sent again.
const DUPLICATES: Duration = Duration::from_secs(120);
/// How long a consumer may be silent about a message before another gets it.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Stream {
    pub(crate) const ALL: [Stream; 5] = [
        Stream::Up,
        Stream::Presence,
        Stream::Log,
        Stream::Event,
        Stream::Parked,
    ];

    pub(crate) fn stem(self) -> &'static str {
        match self {
            Stream::Up => "up",
            Stream::Presence => "presence",
            Stream::Log => "log",
            Stream::Event => "event",
            Stream::Parked => "parked",
        }
    }

    pub(crate) fn name(self, prefix: &str) -> String {
        format!("{prefix}_{}", self.stem())
            .replace(['.', ' ', '*', '>'], "_")
            .to_uppercase()
    }

    fn config(self, settings: &Settings) -> Config {
        let prefix = &settings.nats_prefix;
        // What devices and services wait on goes when it was read, and pushes back when it is full;
        // what is history goes by age, the oldest first.
        let (retention, discard, max_age) = match self {
            Stream::Up | Stream::Log | Stream::Presence => {
                (RetentionPolicy::Interest, DiscardPolicy::New, 7 * DAY)
            }
            Stream::Event => (RetentionPolicy::Limits, DiscardPolicy::Old, 7 * DAY),
            Stream::Parked => (RetentionPolicy::Limits, DiscardPolicy::New, 30 * DAY),
        };
        Config {
            name: self.name(prefix),
            subjects: vec![format!("{prefix}.{}.>", self.stem())],
            retention,
            discard,
            max_age,
            max_bytes: settings.stream_bytes,
            storage: StorageType::File,
            num_replicas: settings.stream_replicas,
            duplicate_window: DUPLICATES,
            ..Config::default()
        }
    }
}

/// Declares every stream and every consumer. Safe to do again, and at once with others.
pub(crate) async fn declare(jetstream: &Context, settings: &Settings) -> anyhow::Result<()> {
    for stream in Stream::ALL {
        let config = stream.config(settings);
        let known = jetstream.get_or_create_stream(config.clone()).await;
        let known = known.map_err(|error| explain(error, settings))?;
        let now = &known.cached_info().config;
        if now.max_bytes != config.max_bytes
            || now.num_replicas != config.num_replicas
            || now.max_age != config.max_age
        {
            jetstream.update_stream(config).await?;
        }
    }
    for inbox in inbox::ALL {
        let stream = jetstream
            .get_stream_no_info(inbox.stream.name(&settings.nats_prefix))
            .await?;
        let config = pull::Config {
            durable_name: Some(inbox.name.to_owned()),
            filter_subject: format!("{}.{}", settings.nats_prefix, inbox.filter),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: 4096,
            ..pull::Config::default()
        };
        stream.get_or_create_consumer(inbox.name, config).await?;
    }
    Ok(())
}

/// JetStream keeps the room of every stream free from the start.
fn explain(error: CreateStreamError, settings: &Settings) -> anyhow::Error {
    let CreateStreamErrorKind::JetStream(cause) = error.kind() else {
        return error.into();
    };
    match cause.error_code() {
        ErrorCode::STORAGE_RESOURCES_EXCEEDED => anyhow::Error::from(error).context(format!(
            "NATS has no room for {} streams of HOSHU_STREAM_BYTES={}: free some on its disk, or set less",
            Stream::ALL.len(),
            settings.stream_bytes
        )),
        _ => error.into(),
    }
}

/// Messages that consumers have still to acknowledge, all inboxes together.
pub(crate) async fn pending(jetstream: &Context, prefix: &str) -> anyhow::Result<u64> {
    let mut pending = 0;
    for inbox in inbox::ALL {
        pending += waiting(jetstream, prefix, inbox).await?;
    }
    Ok(pending)
}

/// Messages that one consumer has still to acknowledge.
pub(crate) async fn waiting(
    jetstream: &Context,
    prefix: &str,
    inbox: inbox::Spec,
) -> anyhow::Result<u64> {
    let stream = jetstream
        .get_stream_no_info(inbox.stream.name(prefix))
        .await?;
    let info = stream.consumer_info(inbox.name).await?;
    Ok(info.num_pending + info.num_ack_pending as u64)
}
