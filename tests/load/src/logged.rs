//! Whether what was acknowledged is found in the log, and how long after.

use std::time::{Duration, Instant};

use alink::Device;
use serde::Serialize;

use crate::house::{House, Made};

/// Devices whose lines are counted: enough to see all partitions, few enough to page through.
const WATCHED: usize = 8;
const WITHIN: Duration = Duration::from_secs(60);
const BETWEEN: Duration = Duration::from_millis(200);

/// Lines of the watched devices.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Logged {
    devices: usize,
    posts_acknowledged: usize,
    upstream_lines: usize,
    tsl_lines: usize,
    /// Until the last line was found, from the last answer on; an upper bound, counting takes a while itself.
    seconds_behind: f64,
}

pub(crate) fn choose(made: &[Made]) -> Vec<Device> {
    let apart = made.len().div_ceil(WATCHED).max(1);
    made.iter()
        .step_by(apart)
        .map(|made| made.device.clone())
        .collect()
}

/// Counts until there are as many lines as acknowledged posts, for a minute at most.
pub(crate) async fn wait(house: &House, expected: &[(Device, usize)]) -> anyhow::Result<Logged> {
    let begun = Instant::now();
    let posts = expected.iter().map(|(_, posts)| posts).sum();
    loop {
        let upstream = count(house, expected, "UPSTREAM").await?;
        let tsl = count(house, expected, "TSL").await?;
        if (upstream >= posts && tsl >= posts) || begun.elapsed() > WITHIN {
            return Ok(Logged {
                devices: expected.len(),
                posts_acknowledged: posts,
                upstream_lines: upstream,
                tsl_lines: tsl,
                seconds_behind: begun.elapsed().as_secs_f64(),
            });
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

async fn count(house: &House, expected: &[(Device, usize)], kind: &str) -> anyhow::Result<usize> {
    let mut count = 0;
    for (device, _) in expected {
        count += house.count_lines(device, kind).await?;
    }
    Ok(count)
}
