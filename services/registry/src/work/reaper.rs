//! Ends the sessions of gateway nodes that are gone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use sqlx::Connection;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Registry, sessions, store};

const PACE: Duration = Duration::from_secs(1);
/// How long a round may take. Then signs of life could not be written down either.
const PATIENCE: Duration = Duration::from_secs(10);
/// A round that took so long: this process, or the database, stood still meanwhile, and nobody could be heard.
/// Signs of life come every 5 s: a shorter gap gives nobody up.
const GAP: Duration = Duration::from_secs(4);
/// A node's name is never given again; one that comes back after so long finds its lease new.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// Rounds between two clean-ups.
const FORGET_EVERY: u32 = 600;

/// Looks every second. Silence counts only while nodes could be heard: who starts, or could not hear for a while
/// because it or the database stood still, listens for as long as a lease runs before it gives anyone up.
pub(crate) async fn run(registry: Arc<Registry>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut listens_since = registry.now();
    let mut heard = Instant::now();
    let mut rounds = 0_u32;
    while stop
        .run_until_cancelled(registry.chassis.clock().sleep(PACE))
        .await
        .is_some()
    {
        let answer = async { registry.pool.acquire().await?.ping().await };
        tokio::time::timeout(PATIENCE, answer)
            .await
            .context("the database does not answer")??;
        if heard.elapsed() > GAP {
            listens_since = registry.now();
        }
        heard = Instant::now();
        if registry.now() - listens_since < registry.config.lease() {
            continue;
        }
        while tokio::time::timeout(PATIENCE, sessions::end_of_lost_node(&registry))
            .await
            .context("the database does not answer")??
        {
            heard = Instant::now();
        }
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(FORGET_EVERY) {
            let mut connection = registry.pool.acquire().await?;
            store::lease::forget(&mut connection, registry.now() - REMEMBERED).await?;
        }
    }
    Ok(())
}
