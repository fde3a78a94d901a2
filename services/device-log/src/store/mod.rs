//! Entries in PostgreSQL.

mod copy;
mod days;
pub(crate) mod packed;
mod read;
mod row;
mod write;

pub(crate) use days::{forget_others, turn_days};
pub(crate) use read::{older, took_too_long};
pub(crate) use row::Row;
pub(crate) use write::{Written, write};

#[cfg(test)]
mod tests;
