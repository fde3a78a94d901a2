//! The role on real PostgreSQL and NATS; a test plays its neighbours.

mod bench;
mod commands;
mod dead_pods;
mod doors;
mod reports;
