//! Sessions come and go: what is written of it, and what is told with it, in one transaction.

mod claims;
mod ending;
mod refusals;
mod tidings;

pub(crate) use claims::{Answer, Claims, settle};
pub(crate) use ending::{end, end_of_lost_node, take_away};
pub(crate) use refusals::tell as tell_refusals;
pub(crate) use tidings::Tidings;
