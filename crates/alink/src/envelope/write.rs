//! From envelope to payload: members always in the same order, none missing.

use std::borrow::Cow;

use super::NO_ID;
use crate::{Code, codes};

/// Our answer to a device's request. SDKs drop one that lacks any of id, code, data and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The request's id as the JSON value it was.
    pub id: Cow<'a, str>,
    pub code: Code,
    /// A JSON value, as it stands.
    pub data: Cow<'a, str>,
    pub message: Cow<'a, str>,
    pub method: Option<Cow<'a, str>>,
}

impl<'a> Reply<'a> {
    /// `id` is a JSON value, such as [`super::Request::id`].
    pub fn success(id: impl Into<Cow<'a, str>>) -> Self {
        Self::new(id, codes::SUCCESS)
    }

    /// With the code's title as message and empty data.
    pub fn new(id: impl Into<Cow<'a, str>>, code: Code) -> Self {
        Self {
            id: id.into(),
            code,
            data: Cow::Borrowed("{}"),
            message: Cow::Borrowed(code.title()),
            method: None,
        }
    }

    /// To a message whose id could not be read.
    pub fn without_id(code: Code) -> Self {
        Self::new(NO_ID, code)
    }

    /// `data` is a JSON value.
    pub fn data(self, data: impl Into<Cow<'a, str>>) -> Self {
        Self {
            data: data.into(),
            ..self
        }
    }

    pub fn message(self, message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            message: message.into(),
            ..self
        }
    }

    pub fn method(self, method: impl Into<Cow<'a, str>>) -> Self {
        Self {
            method: Some(method.into()),
            ..self
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.id.len() + self.data.len() + self.message.len() + 80;
        let mut out =
            Vec::with_capacity(size + self.method.as_ref().map_or(0, |method| method.len()));
        raw(&mut out, "{\"id\":", &self.id);
        raw(&mut out, ",\"code\":", &self.code.to_string());
        raw(&mut out, ",\"data\":", &self.data);
        text(&mut out, ",\"message\":", &self.message);
        if let Some(method) = &self.method {
            text(&mut out, ",\"method\":", method);
        }
        out.extend_from_slice(b",\"version\":\"1.0\"}");
        out
    }
}

/// A request of ours to a device: sets, calls, notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OurRequest<'a> {
    /// Unique per device while pending; written as a text of digits.
    pub id: u32,
    /// A JSON value, as it stands.
    pub params: &'a str,
    /// `thing.service.property.set`, …
    pub method: &'a str,
}

impl OurRequest<'_> {
    /// With all four members: the C SDK drops requests that lack one.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.params.len() + self.method.len() + 64);
        text(&mut out, "{\"id\":", &self.id.to_string());
        raw(&mut out, ",\"version\":\"1.0\",\"params\":", self.params);
        text(&mut out, ",\"method\":", self.method);
        out.push(b'}');
        out
    }
}

fn raw(out: &mut Vec<u8>, key: &str, value: &str) {
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(value.as_bytes());
}

fn text(out: &mut Vec<u8>, key: &str, value: &str) {
    out.extend_from_slice(key.as_bytes());
    serde_json::to_writer(out, value).expect("writing a text to memory cannot fail");
}
