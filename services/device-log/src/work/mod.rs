//! What runs by the clock.

mod days;

pub(crate) use days::Keeping;
