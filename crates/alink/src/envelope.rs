//! What every message is wrapped in: `{"id","version","sys","params","method"}` and its answer
//! `{"id","code","data","message","method","version"}`.
//!
//! Reading borrows from the payload and looks at no member of `params` or `data`: they are handed on
//! as the text they are. An id is kept as the JSON value it came as, and echoed so.

use std::borrow::Cow;

use crate::{Code, codes, topic::Capability};

mod read;
mod write;

pub use read::{DeviceReply, Method, Request, Span};
pub use write::{OurRequest, Reply};

/// The id of an answer to a message whose id could not be read.
pub const NO_ID: &str = "\"\"";

/// Why a payload is no envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// With what the parser found, and where.
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("not a JSON object")]
    NotObject,
    #[error("the member {0} is there twice")]
    Twice(&'static str),
    #[error("the id is longer than 256 bytes")]
    LongId,
    #[error("a reply needs an id and a code, which is a number or digits")]
    NotReply,
}

impl EnvelopeFault {
    /// What the sender is told: the thing model has its own code for it.
    pub fn code(&self, capability: Capability) -> Code {
        match capability {
            Capability::Thing => codes::DATA_FORMAT,
            _ => codes::INVALID_PARAMETER,
        }
    }
}

/// The text of a JSON string; nothing if `raw` is another kind of value.
fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

#[cfg(test)]
mod tests;
