//! JSON and text of the REST face to protobuf messages, and back, by the contract's rules:
//! camelCase only, 64-bit numbers as numbers, bare enum names, times in RFC 3339 with
//! milliseconds, fields marked `json` inline with their text untouched. Reading is strict and
//! tells every fault at once.

mod answer;
mod depth;
mod members;
mod query;
mod request;
mod scalar;
mod time;

pub(crate) use answer::answer;
pub(crate) use request::{Parts, request};

#[cfg(test)]
mod tests;
