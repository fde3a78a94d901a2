//! What runs by the clock, or when something was written. Safe on several pods at once.

pub(crate) mod closer;
pub(crate) mod reaper;
pub(crate) mod teller;
