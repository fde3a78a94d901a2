//! What device-log can be told.

use serde::{Deserialize, Serialize};

/// A field is set by `HOSHU_DEVICELOG_<FIELD>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Days for which lines are kept, 1 to 366. More costs disk in proportion (about
    /// 110 bytes a line) and little time; a whole day is dropped at once, when all of it is older.
    pub keep_days: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self { keep_days: 7 }
    }
}

impl Config {
    /// Most of `keep_days`. A search that names no time locks six relations of each day (measured: 2,190
    /// at 366 days, 21,900 and 14 s of planning at 3,650), and PostgreSQL as we set it up has room for 12,800.
    const MOST_DAYS: u16 = 366;

    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (1..=Self::MOST_DAYS).contains(&self.keep_days),
            "HOSHU_DEVICELOG_KEEP_DAYS is {}: give 1 to {}",
            self.keep_days,
            Self::MOST_DAYS
        );
        Ok(())
    }
}
