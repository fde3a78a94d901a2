//! What the registry can be told.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// A field is set by `HOSHU_REGISTRY_<FIELD>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Connection attempts that a device may make in a minute from one address, all at once or one after the
    /// other; counted by each pod. More lets a device with a flapping link back sooner, and lets an impostor
    /// guess more often.
    pub attempts_per_minute: u32,
    /// `connect refused` lines that one device can cause in a minute; the other refusals are metrics only.
    pub refusal_lines_per_minute: u32,
    /// Seconds without a sign of life after which a gateway node counts as lost, and its devices as offline.
    /// Less notices sooner, and ends the sessions of a node that was only slow.
    pub lease_seconds: u32,
    /// Claims committed in one transaction, at most. More carries more reconnects a second,
    /// and lets each wait longer when many come at once.
    pub claim_group: usize,
    /// Groups of claims in the database at the same time. Each takes a connection while it lasts.
    pub claim_groups_at_once: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            attempts_per_minute: 20,
            refusal_lines_per_minute: 5,
            lease_seconds: 15,
            claim_group: 1000,
            claim_groups_at_once: 2,
        }
    }
}

impl Config {
    pub(crate) fn lease(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.lease_seconds))
    }
}
