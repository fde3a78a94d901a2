//! The rules of the door, apart from all I/O; `now` is an argument, in UTC milliseconds.

pub(crate) mod acks;
pub(crate) mod aliases;
pub(crate) mod attempts;
pub(crate) mod ending;
pub(crate) mod heard;
pub(crate) mod inflight;
pub(crate) mod rate;
pub(crate) mod reading;
pub(crate) mod refused;
pub(crate) mod rrpc;
pub(crate) mod source;
pub(crate) mod subscriptions;
