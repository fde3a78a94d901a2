//! JSON, read where it lies: a cursor for messages, a small tree for documents.

mod cursor;
mod number;
mod string;
mod tree;

pub(crate) use cursor::{Cursor, Syntax};
pub(crate) use number::Number;
pub(crate) use string::Text;
pub(crate) use tree::{Json, Member, Node, parse};

use std::fmt::{self, Write};
use std::ops::Range;

/// Where a value lies in the bytes that were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The value's own bytes, out of the bytes that were checked.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }
}

/// Bytes of a value that a fault's message shows.
const SHOWN: usize = 64;

/// The value as a message shows it: on one line, shortened.
pub(crate) fn excerpt(value: &[u8]) -> Excerpt<'_> {
    Excerpt(value)
}

pub(crate) struct Excerpt<'a>(&'a [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = self;
        let whole = String::from_utf8_lossy(&value[..value.len().min(SHOWN + 4)]);
        let shown = &whole[..whole.floor_char_boundary(SHOWN)];
        for (number, part) in shown.split(char::is_control).enumerate() {
            if number > 0 {
                out.write_char(' ')?;
            }
            out.write_str(part)?;
        }
        if shown.len() < value.len() {
            out.write_char('…')?;
        }
        Ok(())
    }
}
