//! `hoshu up`: the whole platform in one process, on servers of its own.

mod child;
mod data_folder;
mod embedded;
mod full_disk;
mod house;
mod leftover;
mod nats;
mod postgres;
mod programs;
mod secrets;
#[cfg(test)]
mod tests;

use embedded::Embedded;
pub(crate) use house::{run, servers_file};
