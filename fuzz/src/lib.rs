//! What reads input from outside, each as a function of bytes: it panics when a promise is broken.
//!
//! The fuzzer (`make fuzz`, `targets/`) looks for such bytes and keeps what led it further in `corpus/`.
//! `tests/` runs that corpus and a bounded number of changes of it, in `make test`.

mod batches;
mod connect;
mod documents;
mod envelopes;
mod json;
mod messages;
mod mqtt;
mod topics;

pub use batches::batches;
pub use connect::connect;
pub use documents::documents;
pub use envelopes::envelopes;
pub use messages::messages;
pub use mqtt::mqtt;
pub use topics::topics;
