//! NATS: what services tell each other.
//!
//! All subjects and messages are typed here, on protobuf messages of `hoshu.bus.v1`, under a prefix
//! from configuration. The unit on a stream is a batch: whoever publishes gathers ([`Publisher`]),
//! whoever consumes handles what came together at once ([`Bus::consume`]).

mod absence;
mod answers;
mod batch;
mod connection;
mod consumer;
mod down;
mod events;
pub mod inbox;
mod lane;
pub mod log;
pub mod outbox;
pub mod parked;
mod partition;
mod publisher;
mod streams;
mod trouble;
mod watch;

pub use batch::{Batch, EncodeItem};
pub use connection::Bus;
pub use consumer::Receipts;
pub use down::{Addressee, DownError};
pub use inbox::Inbox;
pub use lane::Lane;
pub use partition::Partition;
pub use publisher::{Full, Publisher, Receipt, Tally};
