//! Makes the days' partitions before they come and drops those that are no longer kept.

use std::time::Duration;

use chassis::Clock;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::domain::oldest;
use crate::store;

/// Often enough that a day goes soon after its time; each turn is two small queries.
const EVERY: Duration = Duration::from_secs(600);

#[derive(Clone)]
pub(crate) struct Keeping {
    pool: PgPool,
    keep_days: u16,
}

impl Keeping {
    pub(crate) fn new(pool: PgPool, keep_days: u16) -> Self {
        Self { pool, keep_days }
    }

    /// The task, as `spawn` wants it made.
    pub(crate) fn make(
        self,
        clock: Clock,
    ) -> impl Fn(CancellationToken) -> BoxFuture<'static, anyhow::Result<()>> {
        move |stop| {
            let (keeping, clock) = (self.clone(), clock.clone());
            Box::pin(async move {
                loop {
                    let now = clock.now();
                    keeping.turn(now).await?;
                    let next = clock.sleep_until(now + EVERY);
                    if stop.run_until_cancelled(next).await.is_none() {
                        return Ok(());
                    }
                }
            })
        }
    }

    /// Compares the days that are there with those that should be, and mends it.
    pub(crate) async fn turn(&self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let done = store::turn_days(&self.pool, now, self.keep_days).await?;
        let forgotten = store::forget_others(&self.pool, oldest(now, self.keep_days)).await?;
        for day in done.drop {
            tracing::info!(%day, "log lines of a day dropped: they are older than what is kept");
        }
        if forgotten > 0 {
            tracing::info!(
                rows = forgotten,
                "old log lines under ids of no kept day deleted"
            );
        }
        Ok(())
    }
}
