//! SQL of schema `registry`, a file per noun. A function that takes a connection leaves the transaction to its caller.

pub(crate) mod codes;
pub(crate) mod device;
pub(crate) mod lease;
pub(crate) mod place;
pub(crate) mod product;
pub(crate) mod session;
pub(crate) mod told;
