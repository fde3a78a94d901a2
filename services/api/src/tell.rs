//! The api's own changes, told in the transaction that makes them.

use bytes::Bytes;
use chassis::{Noun, Refusal};
use chrono::{DateTime, Utc};
use proto::hoshu::bus::v1::Event;
use serde_json::Value;
use sqlx::PgConnection;

use crate::auth::Identity;

/// A change that somebody with a token has made.
pub(crate) struct Change<'a> {
    pub(crate) asker: &'a Identity,
    pub(crate) now: DateTime<Utc>,
    pub(crate) action: &'static str,
    pub(crate) subject: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

pub(crate) async fn tell(tx: &mut PgConnection, change: Change<'_>) -> Result<(), Refusal> {
    let event = Event {
        id: Bytes::new(),
        account_id: change.asker.account_id.to_string(),
        actor: change.asker.actor.clone(),
        at: change.now.timestamp_millis(),
        action: change.action.to_owned(),
        subject: change.subject,
        before: change
            .before
            .map(|state| state.to_string())
            .unwrap_or_default(),
        after: change
            .after
            .map(|state| state.to_string())
            .unwrap_or_default(),
    };
    Ok(bus::outbox::tell(tx, Noun::Api, event).await?)
}
