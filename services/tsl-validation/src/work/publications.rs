//! Looks for publications whose event was lost.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::Thing;

/// A published model judges everywhere within a second.
const PACE: Duration = Duration::from_millis(500);

pub(super) async fn run(thing: Thing, stop: CancellationToken) -> anyhow::Result<()> {
    let mut since = None;
    loop {
        match thing.models.refresh(since).await {
            Ok(until) => since = Some(until),
            // What is published meanwhile is found by the next look that succeeds.
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "publications cannot be read")
            }
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(PACE))
            .await
            .is_none()
        {
            return Ok(());
        }
    }
}
