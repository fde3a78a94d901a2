//! Sees to it that every command that was to be sent has its lines, also where the pod that sent it has died.

use std::time::Duration;

use alink::log::RrpcCode;
use bus::Lane;
use proto::hoshu::bus::v1::down_outcome::Kind;
use proto::hoshu::bus::v1::{DeviceRef, DownOutcome, LogEntry, LogLine};
use uuid::Uuid;

use crate::Thing;
use crate::commands::CALL_FAILED;
use crate::domain::judge::{Said, for_a_line};
use crate::lines::{self, part};
use crate::store::unlogged::{self, Unlogged};

pub(super) const PACE: Duration = Duration::from_secs(1);
/// What this pod has in hand is moved on when less than this is left, and by twice as much.
const SOON: Duration = Duration::from_secs(10);
const ROWS: i64 = 500;

pub(crate) async fn turn(thing: &Thing) -> anyhow::Result<()> {
    let now = thing.chassis.clock().now();
    let logged = thing.unlogged.logged();
    if !logged.is_empty() {
        unlogged::forget(&thing.pool, &logged).await?;
        thing.unlogged.forget(&logged);
    }
    let in_hand = thing.unlogged.due_before(now + SOON);
    if !in_hand.is_empty() {
        unlogged::hold(&thing.pool, &in_hand, now + 2 * SOON).await?;
        thing.unlogged.held(&in_hand, now + 2 * SOON);
    }
    while tell(thing).await? == ROWS as usize {}
    Ok(())
}

/// Tells the lines of those that are nobody's. Told again after a crash, they are the same lines; and where
/// their pod had told them all the same, its own stay.
async fn tell(thing: &Thing) -> anyhow::Result<usize> {
    let now = thing.chassis.clock().now();
    let mut tx = thing.pool.begin().await?;
    let due = unlogged::due(&mut tx, now, ROWS).await?;
    if due.is_empty() {
        return Ok(0);
    }
    for command in &due {
        let device = device(command);
        let lane = Lane::log(thing.bus.partition(&device));
        for (part, lines) in lines_of(command, now.timestamp_millis()) {
            let entry = LogEntry {
                message_id: command.message_id.as_bytes().to_vec().into(),
                part,
                device: Some(device.clone()),
                lines,
            };
            thing.log.publish(lane, &entry).await.durable().await?;
        }
    }
    let told: Vec<Uuid> = due.iter().map(|command| command.message_id).collect();
    unlogged::forget(&mut *tx, &told).await?;
    tx.commit().await?;
    Ok(due.len())
}

fn device(command: &Unlogged) -> DeviceRef {
    DeviceRef {
        product_key: command.product_key.clone(),
        device_name: command.device_name.clone(),
        device_id: command.device_id,
        account_id: command.account_id.clone(),
    }
}

/// An answer shows that it was delivered; of others nobody knows.
fn lines_of(command: &Unlogged, now: i64) -> Vec<(u32, Vec<LogLine>)> {
    let outcome = command.answered.then(|| DownOutcome {
        kind: Kind::Pubacked.into(),
        ..DownOutcome::default()
    });
    let said = Said {
        code: if command.answered { 200 } else { CALL_FAILED },
        id: lines::command_id(command.wire_id).into(),
        method: command.method.clone(),
        params: for_a_line(&command.params),
        data: None,
        errors: Vec::new(),
        version: command.version,
    };
    let message = lines::command(
        command.made_at.timestamp_millis(),
        command.sync,
        &command.topic,
        outcome.as_ref(),
        &command.iot_id,
        &said,
    );
    let mut parts = vec![(part::MESSAGE, message)];
    if command.sync {
        let code = (!command.answered).then_some(RrpcCode::Unknown);
        parts.push((part::FINISHED, vec![lines::rrpc_finished(now, code)]));
    }
    parts
}
