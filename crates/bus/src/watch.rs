//! How full streams and outboxes are, and how much consumers have before them.
//!
//! Every role looks at all streams and consumers: one that is gone must not take their figures along.

use std::future::Future;
use std::time::Duration;

use chassis::{Chassis, Phase};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Gauge;
use sqlx::{AssertSqlSafe, PgPool};

use crate::streams::Stream;
use crate::{Bus, inbox};

/// How often is looked. Less costs NATS and the database more, and tells operators little more.
const LOOK: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Streams {
    size: Gauge<u64>,
    limit: Gauge<u64>,
    messages: Gauge<u64>,
    waiting: Gauge<u64>,
}

impl Bus {
    pub(crate) fn watch_streams(&self) {
        let bus = self.clone();
        let streams = Streams::new(self.chassis());
        every_look(self.chassis(), "streams", move || {
            let (bus, streams) = (bus.clone(), streams.clone());
            async move { streams.look(&bus).await }
        });
    }

    pub(crate) fn watch_outbox(&self, pool: PgPool) {
        let meter = self.chassis().meter();
        let waiting = meter
            .u64_gauge("outbox.waiting")
            .with_description("changes that are still to be told")
            .build();
        let age = meter
            .f64_gauge("outbox.age")
            .with_unit("s")
            .with_description("age of the oldest change that is still to be told")
            .build();
        let select = format!(
            "SELECT count(*), coalesce(extract(epoch FROM now() - min(made_at)), 0)::float8 FROM {}.outbox",
            self.chassis().noun().word()
        );
        every_look(self.chassis(), "outbox", move || {
            let (pool, select) = (pool.clone(), select.clone());
            let (waiting, age) = (waiting.clone(), age.clone());
            async move {
                let (rows, seconds): (i64, f64) = sqlx::query_as(AssertSqlSafe(select))
                    .fetch_one(&pool)
                    .await?;
                waiting.record(rows.unsigned_abs(), &[]);
                age.record(seconds, &[]);
                Ok(())
            }
        });
    }
}

/// What cannot be looked at keeps its last figures; `/readyz` says what is away.
fn every_look<F, Fut>(chassis: &Chassis, what: &'static str, look: F)
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = anyhow::Result<()>> + Send,
{
    let stop = chassis.stopping(Phase::Inbox);
    chassis.track(Phase::Inbox, async move {
        loop {
            if let Err(error) = look().await {
                tracing::debug!(error = format!("{error:#}"), "{what} cannot be looked at");
            }
            let pause = tokio::time::sleep(LOOK);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    });
}

impl Streams {
    fn new(chassis: &Chassis) -> Self {
        let meter = chassis.meter();
        Self {
            size: meter
                .u64_gauge("stream.size")
                .with_unit("By")
                .with_description("bytes that the stream holds")
                .build(),
            limit: meter
                .u64_gauge("stream.limit")
                .with_unit("By")
                .with_description("bytes that the stream may hold")
                .build(),
            messages: meter
                .u64_gauge("stream.messages")
                .with_description("messages that the stream holds, each a batch")
                .build(),
            waiting: meter
                .u64_gauge("inbox.waiting")
                .with_description("messages, each a batch, that the inbox has not acknowledged")
                .build(),
        }
    }

    async fn look(&self, bus: &Bus) -> anyhow::Result<()> {
        let prefix = &bus.chassis().settings().nats_prefix;
        for stream in Stream::ALL {
            let found = bus.jetstream().get_stream(stream.name(prefix)).await?;
            let info = found.cached_info();
            let labels = [KeyValue::new("stream", stream.stem())];
            self.size.record(info.state.bytes, &labels);
            let limit = u64::try_from(info.config.max_bytes).unwrap_or_default();
            self.limit.record(limit, &labels);
            self.messages.record(info.state.messages, &labels);
        }
        for inbox in inbox::ALL {
            let waiting = crate::streams::waiting(bus.jetstream(), prefix, inbox).await?;
            self.waiting
                .record(waiting, &[KeyValue::new("inbox", inbox.name)]);
        }
        Ok(())
    }
}
