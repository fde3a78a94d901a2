//! What a check leaves: the values it found, or what is wrong.

use std::borrow::Cow;

use super::history::HistoryElement;
use crate::fault::{self, Fault, Faults};
use crate::json::Span;

/// The outcome of one check. Make one and use it again: its lists keep their room.
///
/// The values of a message with faults are not to be used: they may be incomplete.
#[derive(Debug, Default)]
pub struct Report {
    /// In the message's order.
    pub values: Vec<PropertyValue>,
    /// In the message's order.
    pub events: Vec<EventValue>,
    /// The parts of a history report.
    pub elements: Vec<HistoryElement>,
    pub(crate) faults: Faults,
}

/// A property's value in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PropertyValue {
    /// Index into [`crate::Model::properties`].
    pub property: usize,
    /// The value itself, without its `{"value":…}`, in the bytes that were checked.
    pub span: Span,
    /// UTC milliseconds, if the message says when.
    pub time: Option<i64>,
    /// Set when an int, bool or enum is written in another way than in digits (`5.0`).
    pub whole: Option<i32>,
}

/// An event's outputs in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventValue {
    /// Index into [`crate::Model::events`].
    pub event: usize,
    /// The object of the outputs, without its `{"value":…}`, in the bytes that were checked.
    pub span: Span,
    /// UTC milliseconds, if the message says when.
    pub time: Option<i64>,
}

impl PropertyValue {
    /// The value's JSON, out of the bytes that were checked: as it was sent, but `5.0` of an
    /// integer as `5`.
    pub fn json<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        match self.whole {
            Some(whole) => Cow::Owned(whole.to_string()),
            None => String::from_utf8_lossy(self.span.of(bytes)),
        }
    }
}

impl Report {
    pub fn new() -> Self {
        Self::default()
    }

    /// The first fault's code, or 200.
    pub fn code(&self) -> u32 {
        self.faults()
            .first()
            .map_or(fault::SUCCESS, |first| first.code)
    }

    pub fn is_good(&self) -> bool {
        self.total_faults() == 0
    }

    /// The first [`fault::FAULTS_KEPT`] faults, in the order of [`Fault`].
    pub fn faults(&self) -> &[Fault] {
        self.faults.kept()
    }

    /// All faults, also those not kept.
    pub fn total_faults(&self) -> usize {
        self.faults.total()
    }

    /// Adds a fault found elsewhere, such as an envelope's `method` (6450, 6300), in its place.
    /// To be called after the check.
    pub fn add(&mut self, fault: Fault) {
        let code = fault.code;
        self.faults.push(|| fault, code);
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.events.clear();
        self.elements.clear();
        self.faults.clear();
    }
}
