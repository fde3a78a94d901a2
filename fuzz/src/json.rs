//! What `serde_json` says of a text, to be held against what we say.

use serde_json::Value;

/// Whether it is JSON; nothing where the two may differ: numbers beyond a double are grammatical, and
/// `serde_json` stops at the first.
pub(crate) fn is_json(text: &[u8]) -> Option<bool> {
    match serde_json::from_slice::<Value>(text) {
        Ok(_) => Some(true),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(_) => Some(false),
    }
}
