//! Ends the sessions of gateway nodes that are gone.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::{Registry, sessions, store};

const PACE: Duration = Duration::from_secs(1);
/// A node's name is never given again; one that comes back after so long finds its lease new.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// Rounds between two clean-ups.
const FORGET_EVERY: u32 = 600;

/// Looks every second.
pub(crate) async fn run(registry: Arc<Registry>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut rounds = 0_u32;
    while stop
        .run_until_cancelled(registry.chassis.clock().sleep(PACE))
        .await
        .is_some()
    {
        while sessions::end_of_lost_node(&registry).await? {}
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(FORGET_EVERY) {
            let mut connection = registry.pool.acquire().await?;
            store::lease::forget(&mut connection, registry.now() - REMEMBERED).await?;
        }
    }
    Ok(())
}
