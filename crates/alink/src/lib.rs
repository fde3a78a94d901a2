//! Pure rules of the device protocol (Alink): no I/O, no clock, no async.
//!
//! [`names`] who is meant · [`connect`] and [`sign`] who may come in ·
//! [`topic`], [`filter`] and [`policy`] where a message belongs and who may send it ·
//! [`envelope`] what every message is wrapped in · [`ntp`] the one answer without it ·
//! [`codes`] and [`log`] what devices and people are told · [`limits`] how much of it all.

pub mod codes;
pub mod connect;
pub mod envelope;
pub mod filter;
pub mod limits;
pub mod log;
pub mod names;
pub mod ntp;
pub mod policy;
pub mod sign;
pub mod topic;

pub use codes::Code;
pub use names::{Device, DeviceName, IotId, MessageId, ProductKey};
