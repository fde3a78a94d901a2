//! The role on real PostgreSQL and NATS; a test plays its neighbours.

mod bench;
mod commands;
mod doors;
mod reports;
