//! The registry on real PostgreSQL and NATS, through its own doors.

mod fixture;

mod accounts;
mod batches;
mod devices;
mod leases;
mod products;
mod sessions;
mod states;
mod tidings;
