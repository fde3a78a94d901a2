//! The thing model (TSL) document, compiled into a one-pass validator.
//!
//! [`Document::parse`] reads a document and names everything that is wrong with it;
//! [`normalise`] makes the text that is kept and handed out; [`Model::compile`] turns a
//! document into the validator of a product's messages, shared by `Arc`. A check goes once
//! over the bytes of a message's `params`, without a tree, and leaves in a [`Report`] either
//! the spans of all values or every fault with the code that the device is told.
//!
//! Pure: no I/O, no clock (`now` is an argument), nothing is stored here. JSON pointers of
//! faults are relative to the bytes that were given (`params`, `data`, or the document).

mod check;
mod document;
pub mod fault;
mod json;
mod model;
mod path;

pub use check::history::{HistoryElement, Identity, check_history_post};
pub use check::report::{EventValue, PropertyValue, Report};
pub use document::normalise::normalise;
pub use document::{
    Access, CallType, DataType, Document, EventDefinition, EventKind, FunctionBlock, Parameter,
    PropertyDefinition, ServiceDefinition,
};
pub use fault::{Fault, Rejected};
pub use json::Span;
pub use model::{Event, Model, Property, Service};
