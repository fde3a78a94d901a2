//! Tells a change on EVENT, by the outbox and in the change's own transaction.

use chassis::{Caller, Noun, Refusal};
use proto::hoshu::bus::v1::Event;
use serde::Serialize;
use sqlx::PgConnection;

use crate::Registry;

/// What was changed: `device.disabled`, of `device/{pk}/{dn}`.
pub(super) struct Change<'a> {
    pub(super) action: &'a str,
    pub(super) subject: String,
}

impl<'a> Change<'a> {
    pub(super) fn of_product(action: &'a str, product_key: &str) -> Self {
        Self {
            action,
            subject: format!("product/{product_key}"),
        }
    }

    pub(super) fn of_device(action: &'a str, product_key: &str, device_name: &str) -> Self {
        Self {
            action,
            subject: format!("device/{product_key}/{device_name}"),
        }
    }

    /// `before` and `after` hold no secrets: the types that are shown to the audit trail have none.
    pub(super) async fn tell<T: Serialize>(
        self,
        tx: &mut PgConnection,
        registry: &Registry,
        caller: &Caller,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), Refusal> {
        let json = |state: Option<&T>| state.map_or(Ok(String::new()), serde_json::to_string);
        let event = Event {
            account_id: caller.account_id.clone(),
            actor: caller.actor.clone(),
            at: registry.now().timestamp_millis(),
            action: self.action.to_owned(),
            subject: self.subject,
            before: json(before).map_err(Refusal::internal)?,
            after: json(after).map_err(Refusal::internal)?,
            ..Event::default()
        };
        Ok(bus::outbox::tell(tx, Noun::Registry, event).await?)
    }
}
