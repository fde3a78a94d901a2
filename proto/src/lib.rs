//! The contract between services, compiled from the .proto files beside this crate.

#![allow(clippy::all, unreachable_pub, missing_docs)]

include!(concat!(env!("OUT_DIR"), "/hoshu.rs"));

/// Every .proto file with its imports and comments, as an encoded `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
