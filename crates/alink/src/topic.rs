//! Where a message belongs: every topic of the protocol, taken apart without an allocation.
//!
//! [`Topic::parse`] reads a text, [`Kind::topic_of`] writes it. Parsing checks the form only; who may
//! use a topic, and how long it may be, is for [`crate::policy`].

use std::fmt;

use crate::{limits, names::DeviceRef};

mod kind;
mod parse;
mod write;

pub use kind::{Capability, Direction, Kind, RrpcInner};

/// A text that is no topic of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a topic of the protocol")]
pub struct BadTopic;

/// A topic name taken apart; borrows its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic<'a> {
    text: &'a str,
    device: Option<DeviceRef<'a>>,
    kind: Kind<'a>,
    asks_parsing: bool,
}

impl<'a> Topic<'a> {
    pub fn parse(text: &'a str) -> Result<Self, BadTopic> {
        parse::topic(text)
    }

    /// The topic as written, without a `?_sn=default` at its end.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The device in whose tree it lies; broadcasts and registrations lie in none.
    pub fn device(&self) -> Option<DeviceRef<'a>> {
        self.device
    }

    pub fn kind(&self) -> Kind<'a> {
        self.kind
    }

    pub fn direction(&self) -> Direction {
        self.kind.direction()
    }

    /// Who handles what comes up on it.
    pub fn capability(&self) -> Capability {
        self.kind.capability()
    }

    /// It came with `?_sn=default`: the payload wants parsing by the product's script.
    pub fn asks_parsing(&self) -> bool {
        self.asks_parsing
    }

    /// Where its answer goes; nothing if it is not answered.
    pub fn reply_topic(&self) -> Option<String> {
        Some(self.kind.reply()?.topic_of(self.device?))
    }

    /// The inner topic of `/ext/rrpc/{mid}{topic}`, any other topic itself: what the limits count.
    pub fn inner_text(&self) -> &'a str {
        match self.kind {
            Kind::ExtRrpc { .. } => parse::inner(self.text).map_or(self.text, |(_, inner)| inner),
            _ => self.text,
        }
    }

    /// Whether `method` is the one that belongs here: the path from `thing` on with dots, a reply's being
    /// that of its request. True where a topic has none.
    pub fn method_is(&self, method: &str) -> bool {
        let Some(path) = self.method_path() else {
            return true;
        };
        path.len() == method.len()
            && path
                .bytes()
                .zip(method.bytes())
                .all(|(a, b)| b == if a == b'/' { b'.' } else { a })
    }

    /// The method that belongs here; nothing on topics without the thing model's envelope.
    pub fn method(&self) -> Option<String> {
        Some(self.method_path()?.replace('/', "."))
    }

    fn method_path(&self) -> Option<&'a str> {
        let path = parse::sys_path(self.inner_text())?;
        match self.kind {
            Kind::RrpcRequest { .. }
            | Kind::RrpcResponse { .. }
            | Kind::UpRaw
            | Kind::UpRawReply
            | Kind::DownRaw
            | Kind::DownRawReply
            | Kind::OutOfScope { .. }
            | Kind::ExtRrpc {
                inner: RrpcInner::DownRaw,
                ..
            } => None,
            _ => Some(path.strip_suffix(kind::REPLY).unwrap_or(path)),
        }
    }

    /// Whether its length is within the protocol's limits; the slashes count for custom topics only, as
    /// some system topics have more.
    pub fn within_limits(&self) -> bool {
        let text = self.inner_text();
        let counted = matches!(
            self.kind,
            Kind::Custom { .. }
                | Kind::Broadcast { .. }
                | Kind::ExtRrpc {
                    inner: RrpcInner::Custom { .. },
                    ..
                }
        );
        text.len() <= limits::TOPIC_BYTES
            && (!counted
                || text.bytes().filter(|byte| *byte == b'/').count() <= limits::TOPIC_SLASHES)
    }
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

#[cfg(test)]
mod tests;
