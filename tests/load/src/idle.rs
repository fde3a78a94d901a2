//! Connections that say nothing: what one more costs the platform in memory.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::command_line::Target;
use crate::fleet::{self, AT_ONCE};
use crate::processes::resident_bytes;

/// Memory is read until it stays the same for this many readings.
const STILL: usize = 3;
const READINGS: usize = 30;
const BETWEEN: Duration = Duration::from_secs(1);

pub(crate) struct Plan {
    /// Connections whose cost is measured.
    pub(crate) devices: usize,
    /// Connections made first: pools, caches and code that all share are theirs.
    pub(crate) before: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    connections: usize,
    connections_before: usize,
    resident_bytes_before: u64,
    resident_bytes_after: u64,
    bytes_per_connection: f64,
    connects_per_second: f64,
}

pub(crate) async fn measure(target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
    let pid = *target
        .pids
        .first()
        .context("--pid names the process whose memory is read")?;
    let mut made = fleet::make(target, plan.before + plan.devices).await?;
    let rest = made.split_off(plan.before);

    let first = fleet::connect(target, made, AT_ONCE).await?;
    let before = settled(pid).await?;
    let measured = fleet::connect(target, rest, AT_ONCE).await?;
    let after = settled(pid).await?;

    let connections = measured.members.len();
    let connects_per_second = measured.per_second();
    for member in first.members.into_iter().chain(measured.members) {
        member.link.goodbye().await;
    }
    Ok(Measured {
        connections,
        connections_before: plan.before,
        resident_bytes_before: before,
        resident_bytes_after: after,
        bytes_per_connection: (after as f64 - before as f64) / connections as f64,
        connects_per_second,
    })
}

/// Resident bytes when they no longer change by more than a thousandth, or as they are after half a minute.
async fn settled(pid: u32) -> anyhow::Result<u64> {
    let mut last = resident_bytes(pid)?;
    let mut same = 0;
    for _ in 0..READINGS {
        tokio::time::sleep(BETWEEN).await;
        let now = resident_bytes(pid)?;
        same = if now.abs_diff(last) <= last / 1000 {
            same + 1
        } else {
            0
        };
        last = now;
        if same == STILL {
            break;
        }
    }
    Ok(last)
}
