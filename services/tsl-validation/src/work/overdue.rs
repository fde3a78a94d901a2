//! Ends commands that nobody ended: nobody answered, or the pod that waited is gone.

use std::time::Duration;

use alink::log::RrpcCode;
use bus::Lane;
use proto::hoshu::bus::v1::{DeviceRef, LogEntry};
use uuid::Uuid;

use crate::Thing;
use crate::lines::{self, part};
use crate::store::command::{self, Overdue};

pub(super) const PACE: Duration = Duration::from_secs(1);
const ROWS: i64 = 500;

pub(super) async fn turn(thing: &Thing) -> anyhow::Result<()> {
    loop {
        let now = thing.chassis.clock().now();
        let mut tx = thing.pool.begin().await?;
        let overdue = command::overdue(&mut tx, now, ROWS).await?;
        if overdue.is_empty() {
            return Ok(());
        }
        // The line first: told again after a crash, it is the same line.
        for call in overdue.iter().filter(|command| command.sync) {
            let entry = finished(call, now.timestamp_millis());
            let device = entry.device.clone().unwrap_or_default();
            let lane = Lane::log(thing.bus.partition(&device));
            thing.log.publish(lane, &entry).await.durable().await?;
        }
        let ids: Vec<Uuid> = overdue.iter().map(|command| command.message_id).collect();
        command::give_up_all(&mut tx, &ids, now).await?;
        tx.commit().await?;
        if overdue.len() < ROWS as usize {
            return Ok(());
        }
    }
}

fn finished(call: &Overdue, time: i64) -> LogEntry {
    LogEntry {
        message_id: call.message_id.as_bytes().to_vec().into(),
        part: part::FINISHED,
        device: Some(DeviceRef {
            product_key: call.product_key.clone(),
            device_name: call.device_name.clone(),
            device_id: call.device_id,
            account_id: call.account_id.clone(),
        }),
        lines: vec![lines::rrpc_finished(time, Some(RrpcCode::Unknown))],
    }
}
