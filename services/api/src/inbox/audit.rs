//! Every service's changes into the audit trail, each once.

use anyhow::Context;
use chrono::DateTime;
use proto::hoshu::bus::v1::Event;
use sqlx::PgPool;
use uuid::Uuid;

use crate::store::audit::{AuditRow, insert};

pub(super) async fn on_events(pool: &PgPool, events: Vec<Event>) -> anyhow::Result<()> {
    let rows = events
        .into_iter()
        .map(row)
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(insert(pool, &rows).await?)
}

fn row(event: Event) -> anyhow::Result<AuditRow> {
    Ok(AuditRow {
        id: Uuid::from_slice(&event.id).context("the event's id")?,
        account_id: event.account_id,
        at: DateTime::from_timestamp_millis(event.at).context("the event's time")?,
        actor: event.actor,
        action: event.action,
        subject: event.subject,
        before: event.before,
        after: event.after,
    })
}
