//! What device-log is told.

mod lines;

pub(crate) use lines::{listen, read_entry};
