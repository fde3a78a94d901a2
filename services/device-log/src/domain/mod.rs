//! The rules of the log: what a line is, where it is kept, which lines answer a question.

mod cursor;
mod day;
mod entry;
mod filter;
mod gather;
mod key;
mod marks;

pub(crate) use cursor::Position;
pub(crate) use day::{Day, Days, oldest};
#[cfg(test)]
pub(crate) use entry::tests::any_entry;
pub(crate) use entry::{BadEntry, Entry, Kind, Line, Text};
pub(crate) use filter::{Filter, Times, is_stray};
pub(crate) use gather::{Found, Gathering};
pub(crate) use key::Key;
pub(crate) use marks::Marks;
