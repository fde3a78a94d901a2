//! How a value misses its type: the code by type, and the words.

use crate::fault;
use crate::json::Excerpt;
use crate::model::Type;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wrong {
    /// Another kind of JSON value.
    Kind,
    Fraction,
    /// Outside the bounds, or none of the values.
    Limit,
    /// A text of so many bytes.
    Long(usize),
    /// The stored model's specification cannot be used.
    Model,
}

impl Type {
    pub(super) fn code(&self) -> u32 {
        match self {
            Type::Int { .. } => fault::NOT_INT,
            Type::Float { .. } => fault::NOT_FLOAT,
            Type::Double { .. } => fault::NOT_DOUBLE,
            Type::Bool => fault::NOT_BOOL,
            Type::Enum(_) => fault::NOT_ENUM,
            Type::Text { .. } => fault::NOT_TEXT,
            Type::Date => fault::NOT_DATE,
            Type::Struct(_) => fault::NOT_STRUCT,
            Type::Array { .. } => fault::NOT_ARRAY,
            Type::Unusable(code) => *code,
        }
    }
}

impl Wrong {
    pub(super) fn say(self, data_type: &Type, shown: &Excerpt<'_>) -> String {
        match (self, data_type) {
            (Wrong::Model, _) | (_, Type::Unusable(_)) => {
                format!("{shown} cannot be checked: its type in the stored model is unusable")
            }
            (Wrong::Long(length), Type::Text { length: limit }) => {
                format!("{shown} has {length} bytes, more than {limit}")
            }
            (Wrong::Limit, Type::Int { min, max }) => {
                format!("{shown} is not within {min} to {max}")
            }
            (Wrong::Limit, Type::Float { min, max } | Type::Double { min, max }) => {
                format!("{shown} is not within {} to {}", Bound(*min), Bound(*max))
            }
            (Wrong::Fraction, Type::Int { min, max }) => {
                format!("{shown} is no integer, wanted {min} to {max}")
            }
            (_, Type::Int { min, max }) => format!("{shown} is no number, wanted {min} to {max}"),
            (_, Type::Float { min, max } | Type::Double { min, max }) => {
                format!(
                    "{shown} is no number, wanted {} to {}",
                    Bound(*min),
                    Bound(*max)
                )
            }
            (_, Type::Bool) => format!("{shown} is neither 0 nor 1"),
            (_, Type::Enum(values)) => format!("{shown} is none of {}", listed(values)),
            (_, Type::Text { length }) => format!("{shown} is no text of at most {length} bytes"),
            (_, Type::Date) => format!("{shown} is no text of UTC milliseconds in digits"),
            (_, Type::Struct(_)) => format!("{shown} is no object"),
            (_, Type::Array { .. }) => format!("{shown} is no array"),
        }
    }
}

/// A bound in few letters: the largest double has 309 digits.
struct Bound(f64);

impl std::fmt::Display for Bound {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.abs() < 1e15 {
            write!(out, "{}", self.0)
        } else {
            write!(out, "{:e}", self.0)
        }
    }
}

/// Values of an enum that a message names.
const NAMED: usize = 10;

fn listed(values: &[i32]) -> String {
    let named: Vec<String> = values.iter().take(NAMED).map(i32::to_string).collect();
    match values.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
