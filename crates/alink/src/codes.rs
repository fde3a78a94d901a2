//! The numbers that devices and people are told, each with what it means, why it comes and what to do.
//!
//! One row per number, in `codes/table.rs`. A device's own codes (100000 to 110000, or any other) are
//! passed on and have no row.

use std::fmt;

use serde::{Deserialize, Serialize};

mod table;

pub use table::*;

/// A code of the device protocol, of the thing model, or a device's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(pub u32);

impl Code {
    pub fn is_success(self) -> bool {
        self == SUCCESS
    }

    /// Its meaning in a few words, as replies carry it.
    pub fn title(self) -> &'static str {
        lookup(self.0).map_or("unknown code", |entry| entry.title)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What is to be said about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub code: Code,
    pub title: &'static str,
    pub cause: &'static str,
    pub next_step: &'static str,
}

/// The row of a number; nothing for one that is a device's own.
pub fn lookup(number: u32) -> Option<&'static Entry> {
    let index = TABLE
        .binary_search_by_key(&Code(number), |entry| entry.code)
        .ok()?;
    Some(&TABLE[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_complete() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for entry in TABLE {
            assert!(
                !entry.title.is_empty() && !entry.title.ends_with('.'),
                "{}",
                entry.code
            );
            assert!(
                entry.cause.ends_with('.') && entry.next_step.ends_with('.'),
                "{}",
                entry.code
            );
            assert_eq!(lookup(entry.code.0), Some(entry));
        }
    }

    #[test]
    fn every_code_of_the_reference_has_a_row() {
        let numbers = [
            0, 200, 400, 401, 427, 428, 429, 460, 500, 520, 521, 522, 5005, 5159, 5160, 5161, 5244,
            6100, 6104, 6106, 6200, 6201, 6203, 6204, 6205, 6206, 6207, 6208, 6250, 6280, 6287,
            6288, 6289, 6292, 6300, 6301, 6302, 6304, 6306, 6307, 6308, 6309, 6310, 6311, 6312,
            6313, 6314, 6316, 6317, 6318, 6320, 6321, 6322, 6323, 6324, 6325, 6328, 6329, 6356,
            6357, 6400, 6401, 6402, 6450, 6452, 6600, 6619, 6661, 6710, 6713, 6760, 9112, 9200,
            9201, 10000, 10001, 20000, 20001, 20002, 20003, 20004, 26001, 26002, 26006, 26007,
            26010, 30001, 40000,
        ];
        for number in numbers {
            assert!(lookup(number).is_some(), "{number}");
        }
        assert_eq!(TABLE.len(), numbers.len(), "a row that no reference names");
        assert_eq!(lookup(100_001), None);
        assert_eq!(SUCCESS.title(), "success");
    }
}
