//! Judges messages: one file for each of their forms, over the same rules for values.
//!
//! A check first clears the [`crate::Report`] it is given. A text that is no JSON has that one
//! fault; else every fault is told.

mod batch;
mod event;
pub(crate) mod history;
mod judge;
mod object;
mod point;
mod post;
pub(crate) mod report;
mod scalar;
mod seen;
mod service;
mod set;
mod wrong;
