//! `hoshu up`: the whole platform in one process, on servers of its own.

mod child;
mod data_folder;
mod embedded;
mod leftover;
mod nats;
mod postgres;
mod programs;
#[cfg(test)]
mod tests;

pub(crate) use embedded::Embedded;
