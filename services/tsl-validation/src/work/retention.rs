//! Forgets events and commands that are older than they are kept.

use std::time::Duration;

use alink::MessageId;
use chrono::TimeDelta;
use uuid::Uuid;

use crate::Thing;
use crate::store;

pub(super) const PACE: Duration = Duration::from_secs(300);
/// Rows of one statement: few enough to hold nobody up.
const ROWS: i64 = 5_000;

pub(super) async fn turn(thing: &Thing) -> anyhow::Result<()> {
    let before = |age: TimeDelta| -> Uuid {
        let time = thing.chassis.clock().now() - age;
        MessageId::at(time.timestamp_millis(), [0; 10]).uuid()
    };
    let events = before(TimeDelta::days(i64::from(thing.config.event_days)));
    while store::event::forget(&thing.pool, events, ROWS).await? == ROWS as u64 {}
    let commands = before(TimeDelta::hours(i64::from(thing.config.command_hours)));
    while store::command::forget(&thing.pool, commands, ROWS).await? == ROWS as u64 {}
    Ok(())
}
