//! What this service can be told.

use serde::{Deserialize, Serialize};

/// A field is set by `HOSHU_THING_<FIELD>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Bytes of compiled models kept in memory. More spare the database when many products
    /// report; a product whose model is not kept costs a read at its next message.
    pub model_cache_bytes: u64,
    /// Minutes within which the answer to a set or an asynchronous call counts; later ones are
    /// logged as late. More keeps more open requests in the database.
    pub answer_minutes: u32,
    /// Hours for which sent commands are kept, so that a late answer still names its request.
    pub command_hours: u32,
    /// Days for which events are kept.
    pub event_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model_cache_bytes: 256 * 1024 * 1024,
            answer_minutes: 60,
            command_hours: 24,
            event_days: 30,
        }
    }
}
