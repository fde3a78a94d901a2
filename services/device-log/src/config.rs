//! What device-log can be told.

use serde::{Deserialize, Serialize};

/// A field is set by `HOSHU_DEVICELOG_<FIELD>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Days for which lines are kept, 1 to 3,650. More costs disk in proportion (about
    /// 110 bytes a line) and little time; a whole day is dropped at once, when all of it is older.
    pub keep_days: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self { keep_days: 7 }
    }
}

impl Config {
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (1..=3_650).contains(&self.keep_days),
            "HOSHU_DEVICELOG_KEEP_DAYS is {}: give 1 to 3650",
            self.keep_days
        );
        Ok(())
    }
}
