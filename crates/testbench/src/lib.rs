//! For tests alone: each has a house of its own, with a database, a NATS prefix, and a clock that is moved.
//!
//! The servers are real ones, shared by all tests of a run: `HOSHU_TEST_DATABASE_URL` (an administrator's)
//! and `HOSHU_TEST_NATS_URL`. `make test` starts them.

#![allow(clippy::disallowed_methods)] // tests may spawn

mod database;
mod house;
mod link;

pub use house::{House, wait_until};
pub use link::Link;
