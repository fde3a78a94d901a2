//! The api's doors, from outside: real PostgreSQL and NATS, and peers that the tests play.

mod accounts;
mod audit;
mod bench;
mod first;
mod grpc;
mod isolation;
mod rest;
