//! Everything the device log can say: one row per text, in `log/table.rs`.
//!
//! A line carries a content, and where something went otherwise a reason; each is a number and its
//! filled-in values on the bus and in the store, and becomes text only when it is read.

use std::borrow::Cow;

mod table;

pub use table::{Content, Reason};

/// The four kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogKind {
    Activity,
    Upstream,
    Downstream,
    Tsl,
}

impl LogKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "ACTIVITY",
            Self::Upstream => "UPSTREAM",
            Self::Downstream => "DOWNSTREAM",
            Self::Tsl => "TSL",
        }
    }
}

/// How what the line tells ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Success,
    Failure,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
        }
    }
}

/// What a reason means and what to do about it, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub cause: &'static str,
    pub next_step: &'static str,
}

/// The content's text; nothing if the number is unknown.
pub fn content_text(number: u16, values: &[impl AsRef<str>]) -> Option<String> {
    Some(fill(Content::template(number)?, values))
}

/// The reason's text; nothing if the number is unknown.
pub fn reason_text(number: u16, values: &[impl AsRef<str>]) -> Option<String> {
    Some(fill(Reason::template(number)?, values))
}

/// Puts values where the template has braces, in order; those left over are left out.
fn fill(template: &str, values: &[impl AsRef<str>]) -> String {
    let mut text = String::with_capacity(
        template.len() + values.iter().map(|v| v.as_ref().len()).sum::<usize>(),
    );
    let mut values = values.iter();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        text.push_str(values.next().map_or("", AsRef::as_ref));
        rest = after.split_once('}').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    text
}

/// A value as the table's macro takes it.
trait Value {
    fn text(&self) -> Cow<'_, str>;
}

impl Value for &str {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Value for u8 {
    fn text(&self) -> Cow<'_, str> {
        match self {
            0 => Cow::Borrowed("0"),
            1 => Cow::Borrowed("1"),
            other => Cow::Owned(other.to_string()),
        }
    }
}

impl Value for u16 {
    fn text(&self) -> Cow<'_, str> {
        match self {
            0 => Cow::Borrowed("0"),
            other => Cow::Owned(other.to_string()),
        }
    }
}

impl Value for u32 {
    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

impl Value for RrpcCode {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_str())
    }
}

/// How a synchronous call ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RrpcCode {
    Unknown,
    Timeout,
    Offline,
    /// The link was half open: written, then found dead.
    HalfConn,
}

impl RrpcCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Timeout => "TIMEOUT",
            Self::Offline => "OFFLINE",
            Self::HalfConn => "HALFCONN",
        }
    }
}

#[cfg(test)]
mod tests;
