//! The rules: what a product and a device may be, who gets a session, and when one is over.
//! No SQL, no NATS, no gRPC; `now` is an argument.

pub(crate) mod attempts;
pub(crate) mod batch;
pub(crate) mod device;
pub(crate) mod product;
pub(crate) mod secret;
pub(crate) mod session;
mod shown;
