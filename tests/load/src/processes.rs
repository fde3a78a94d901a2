//! What the platform's process and its servers use, as /proc tells it.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde::Serialize;

use crate::span::Span;

/// Linux tells processor time in hundredths of a second, whatever the kernel's own clock.
const TICK: Duration = Duration::from_millis(10);

/// What a program used: processors that it kept busy, and its microseconds a message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cost {
    busy: f64,
    microseconds_per_message: f64,
}

/// One process, as it is now.
struct Process {
    pid: u32,
    parent: u32,
    name: String,
    processor: Duration,
}

/// Processor time that each program used within the span, the load itself among them.
pub(crate) async fn busy(pids: &[u32], span: Span) -> BTreeMap<String, Duration> {
    let roots = [pids, &[std::process::id()]].concat();
    tokio::time::sleep_until(span.from).await;
    let before = processor_times(&roots);
    tokio::time::sleep_until(span.to).await;
    let mut used = processor_times(&roots);
    for (name, time) in &mut used {
        *time = time.saturating_sub(before.get(name).copied().unwrap_or_default());
    }
    used
}

pub(crate) fn costs(
    used: BTreeMap<String, Duration>,
    span: Duration,
    messages: usize,
) -> BTreeMap<String, Cost> {
    let cost = |time: Duration| Cost {
        busy: time.as_secs_f64() / span.as_secs_f64(),
        microseconds_per_message: time.as_secs_f64() * 1e6 / messages.max(1) as f64,
    };
    used.into_iter()
        .map(|(name, time)| (name, cost(time)))
        .collect()
}

/// Processor time used until now by processes and all they have started, by program name.
fn processor_times(roots: &[u32]) -> BTreeMap<String, Duration> {
    let all = all();
    let mut family = roots.to_vec();
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(
            all.iter()
                .filter(|one| one.parent == parent)
                .map(|one| one.pid),
        );
        next += 1;
    }
    let mut times = BTreeMap::new();
    for one in all.into_iter().filter(|one| family.contains(&one.pid)) {
        *times.entry(one.name).or_default() += one.processor;
    }
    times
}

/// Memory of one process that is in RAM, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kibibytes = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
    });
    Ok(kibibytes.ok_or_else(|| anyhow::anyhow!("process {pid} has ended"))? * 1024)
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            parse(pid, &fs::read_to_string(entry.path().join("stat")).ok()?)
        })
        .collect()
}

/// `stat` is `pid (name) state parent …`; a name may hold spaces and brackets.
fn parse(pid: u32, stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    // utime and stime, the 14th and 15th of all.
    let ticks = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        name: before.split_once('(')?.1.to_owned(),
        processor: TICK * ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_line_is_read_whatever_its_name() {
        let stat = "7 (a (b) c) S 3 7 7 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 1 0 9 8 7";
        let process = parse(7, stat).unwrap();
        assert_eq!((process.parent, process.name.as_str()), (3, "a (b) c"));
        assert_eq!(process.processor, Duration::from_millis(1750));
    }

    #[test]
    fn this_process_uses_memory_and_is_listed() {
        let own = std::process::id();
        assert!(resident_bytes(own).unwrap() > 0);
        assert!(!processor_times(&[own]).is_empty());
    }
}
