//! Sessions that outlive their connection, in PostgreSQL.

use chassis::Chassis;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

mod forget;
pub(crate) mod queue;
pub(crate) mod session;

use forget::Forgetting;

pub(crate) struct Store {
    pool: PgPool,
    forgetting: Forgetting,
    /// Messages kept for one device.
    offline_messages: u16,
}

impl Store {
    pub(crate) fn new(pool: PgPool, offline_messages: u16) -> Self {
        Self {
            pool,
            forgetting: Forgetting::default(),
            offline_messages,
        }
    }

    /// Begins to delete what is to be forgotten.
    pub(crate) fn start(&self, chassis: &Chassis) {
        self.forgetting.start(chassis, &self.pool);
    }
}

/// UTC milliseconds as the database takes them.
fn at(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
