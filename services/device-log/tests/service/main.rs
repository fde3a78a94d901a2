//! The role on real PostgreSQL and NATS, told and asked through its own doors.

mod days;
mod filters;
mod house;
mod once;
mod paging;
