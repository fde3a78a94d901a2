//! What runs by the clock.

pub(crate) mod drain;
pub(crate) mod expire;
pub(crate) mod lease;
pub(crate) mod release;
pub(crate) mod tick;
pub(crate) mod turned_away;
pub(crate) mod unclear;
