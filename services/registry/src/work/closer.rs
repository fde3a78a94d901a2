//! Has connections closed whose session was taken away: asks their node until it has answered, or is gone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bus::Bus;
use futures::future::join_all;
use prost::Message;
use proto::hoshu::bus::v1::DownBatch;
use tokio_util::sync::CancellationToken;

use crate::store::told::{Kind, Tiding};
use crate::{Registry, store};

/// Requests at the same time.
const ROWS: i64 = 32;
/// How long a row that a pod left behind, or that a node did not answer, waits at most.
const PACE: Duration = Duration::from_secs(1);

/// Asks whenever something was written. What is left at a stop, the next start does.
pub(crate) async fn run(
    registry: Arc<Registry>,
    bus: Bus,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut written = registry.written.subscribe();
    while !stop.is_cancelled() {
        written.mark_unchanged();
        if close_some(&registry, &bus).await? > 0 {
            continue;
        }
        tokio::select! {
            _ = written.changed() => {}
            () = tokio::time::sleep(PACE) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Asks for the oldest rows that no other pod holds. How many are done with.
async fn close_some(registry: &Registry, bus: &Bus) -> anyhow::Result<usize> {
    let mut tx = registry.pool.begin().await?;
    let rows = store::told::oldest(&mut tx, &[Kind::Closings], ROWS).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let asked = rows
        .into_iter()
        .map(async |(id, tiding)| anyhow::Ok(close(registry, bus, tiding).await?.then_some(id)));
    let done: anyhow::Result<Vec<_>> = join_all(asked).await.into_iter().collect();
    let done: Vec<_> = done?.into_iter().flatten().collect();
    store::told::delete(&mut tx, &done).await?;
    tx.commit().await?;
    Ok(done.len())
}

/// Whether no more is to be done: the node has answered, or lives no more.
async fn close(registry: &Registry, bus: &Bus, tiding: Tiding) -> anyhow::Result<bool> {
    let node = tiding.node.context("a closing names its node")?;
    let batch = DownBatch::decode(tiding.batch.as_slice())?;
    let Err(error) = bus.down(Some(&node), batch).await else {
        return Ok(true);
    };
    let silent_since = registry.now() - registry.config.lease();
    let mut connection = registry.pool.acquire().await?;
    let alive = store::lease::is_alive(&mut connection, &node, silent_since).await?;
    if alive {
        tracing::warn!(node, %error, "connections could not be closed yet");
    }
    Ok(!alive)
}
