//! Tells what was written of sessions: lines to LOG, presence to PRESENCE.
//!
//! A row is deleted when the stream has all of it; told again after a crash, it does no harm: lines have their
//! ids, presence its session numbers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bus::{Batch, Bus, Lane, Partition, Publisher, Receipt};
use bytes::Bytes;
use proto::hoshu::bus::v1::{DeviceRef, LogBatch, PresenceBatch};
use tokio_util::sync::CancellationToken;

use crate::store::told::{Kind, Tiding};
use crate::{Registry, store};

/// Rows told at once, each of some hundred items.
const ROWS: i64 = 64;
/// How long a row that a pod left behind waits at most.
const PACE: Duration = Duration::from_secs(1);
/// How long streams may take. Then the rows are let go, so that no transaction stands open while NATS is away.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Teller {
    registry: Arc<Registry>,
    bus: Bus,
    lines: Publisher<LogBatch>,
    presence: Publisher<PresenceBatch>,
}

/// Tells whenever something was written; what was written before a stop is told before the end.
pub(crate) async fn run(teller: Arc<Teller>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut written = teller.registry.written.subscribe();
    loop {
        let stopping = stop.is_cancelled();
        written.mark_unchanged();
        let told = tokio::time::timeout(PATIENCE, teller.tell_some())
            .await
            .context("the streams take nothing")??;
        if told > 0 {
            continue;
        }
        if stopping {
            return Ok(());
        }
        tokio::select! {
            _ = written.changed() => {}
            () = tokio::time::sleep(PACE) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Teller {
    pub(crate) fn new(registry: Arc<Registry>, bus: Bus) -> Self {
        Self {
            lines: bus.publisher(),
            presence: bus.publisher(),
            registry,
            bus,
        }
    }

    /// Tells the oldest rows that no other pod holds. How many were told.
    async fn tell_some(&self) -> anyhow::Result<usize> {
        let mut tx = self.registry.pool.begin().await?;
        let rows = store::told::oldest(&mut tx, &[Kind::Lines, Kind::Presence], ROWS).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut awaited = Awaited::default();
        let mut told = Vec::with_capacity(rows.len());
        for (id, tiding) in rows {
            self.publish(tiding, &mut awaited).await?;
            told.push(id);
        }
        awaited.durable().await?;
        store::told::delete(&mut tx, &told).await?;
        tx.commit().await?;
        Ok(told.len())
    }

    async fn publish(&self, tiding: Tiding, awaited: &mut Awaited) -> anyhow::Result<()> {
        let batch = Bytes::from(tiding.batch);
        if tiding.kind == Kind::Lines {
            for entry in LogBatch::read(batch)? {
                let partition = self.partition(entry.device.as_ref())?;
                let receipt = self.lines.publish(Lane::log(partition), &entry).await;
                awaited.0.insert((Kind::Lines, partition), receipt);
            }
        } else {
            for item in PresenceBatch::read(batch)? {
                let partition = self.partition(item.device.as_ref())?;
                let receipt = self
                    .presence
                    .publish(Lane::presence(partition), &item)
                    .await;
                awaited.0.insert((Kind::Presence, partition), receipt);
            }
        }
        Ok(())
    }

    fn partition(&self, device: Option<&DeviceRef>) -> anyhow::Result<Partition> {
        Ok(self
            .bus
            .partition(device.context("a tiding names its device")?))
    }
}

/// The last item put in each lane: what lies before it is durable with it.
#[derive(Default)]
struct Awaited(HashMap<(Kind, Partition), Receipt>);

impl Awaited {
    async fn durable(self) -> anyhow::Result<()> {
        for receipt in self.0.into_values() {
            receipt.durable().await?;
        }
        Ok(())
    }
}
