//! From payload to envelope, in one pass and without an allocation unless a text is escaped.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{EnvelopeFault, NO_ID, text_of};
use crate::{Code, codes, limits, topic::Topic};

/// A JSON value as it stands in the payload, `offset` bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<'a> {
    pub raw: &'a str,
    pub offset: usize,
}

/// The `method` of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method<'a> {
    /// Left out, or empty: some SDKs do, and the topic says it.
    Absent,
    Text(Cow<'a, str>),
    /// There, but no text.
    NotText,
}

/// A device's request: reports, questions, notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The id as a JSON value, to be echoed; `""` if there is none.
    pub id: &'a str,
    pub method: Method<'a>,
    pub params: Option<Span<'a>>,
    /// Whether an answer is wanted (`sys.ack`); so it is unless it says 0.
    pub ack: bool,
    /// As a JSON value.
    pub version: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub fn parse(payload: &'a [u8]) -> Result<Self, EnvelopeFault> {
        let members = Members::parse(payload)?;
        let method = match members.method {
            None => Method::Absent,
            Some(raw) => match text_of(raw) {
                Some(text) if text.is_empty() => Method::Absent,
                Some(text) => Method::Text(text),
                None => Method::NotText,
            },
        };
        Ok(Self {
            id: members.id()?.unwrap_or(NO_ID),
            method,
            params: members.params.map(|raw| span(payload, raw)),
            ack: members.sys.is_none_or(wants_ack),
            version: members.version,
        })
    }

    /// Whether its method is that of its topic, with the thing model's code if not.
    pub fn check_method(&self, topic: &Topic<'_>) -> Result<(), Code> {
        match &self.method {
            Method::Absent => Ok(()),
            Method::Text(method) if topic.method_is(method) => Ok(()),
            Method::Text(_) => Err(codes::METHOD_NOT_FOUND),
            Method::NotText => Err(codes::METHOD_MISSING),
        }
    }
}

/// A device's answer to a request of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceReply<'a> {
    /// The id as a JSON value.
    pub id: &'a str,
    /// The device's own code, passed on.
    pub code: Code,
    pub data: Option<Span<'a>>,
    pub message: Option<Cow<'a, str>>,
}

impl<'a> DeviceReply<'a> {
    /// Asks for `id` and `code` only; the code may be a text of digits.
    pub fn parse(payload: &'a [u8]) -> Result<Self, EnvelopeFault> {
        let members = Members::parse(payload)?;
        let code = members
            .code
            .and_then(digits)
            .ok_or(EnvelopeFault::NotReply)?;
        Ok(Self {
            id: members.id()?.ok_or(EnvelopeFault::NotReply)?,
            code: Code(code),
            data: members.data.map(|raw| span(payload, raw)),
            message: members.message.and_then(text_of),
        })
    }

    /// The id as the number that we gave our request; devices echo it as text or as a number.
    pub fn request_id(&self) -> Option<u32> {
        digits(self.id)
    }
}

/// A number, or a text of digits.
fn digits(raw: &str) -> Option<u32> {
    let text = text_of(raw).unwrap_or(Cow::Borrowed(raw));
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

fn span<'a>(payload: &[u8], raw: &'a str) -> Span<'a> {
    // `raw` lies in `payload`: it was borrowed from it.
    Span {
        raw,
        offset: raw.as_ptr() as usize - payload.as_ptr() as usize,
    }
}

fn wants_ack(sys: &str) -> bool {
    #[derive(Deserialize)]
    struct Sys<'a> {
        #[serde(borrow)]
        ack: Option<&'a RawValue>,
    }
    let ack = serde_json::from_str::<Sys<'_>>(sys)
        .ok()
        .and_then(|sys| sys.ack);
    !matches!(ack.map(RawValue::get), Some("0" | "\"0\"" | "false"))
}

/// The members of either envelope, each as a JSON value.
#[derive(Default)]
struct Members<'a> {
    id: Option<&'a str>,
    version: Option<&'a str>,
    sys: Option<&'a str>,
    params: Option<&'a str>,
    method: Option<&'a str>,
    code: Option<&'a str>,
    data: Option<&'a str>,
    message: Option<&'a str>,
}

impl<'a> Members<'a> {
    fn parse(payload: &'a [u8]) -> Result<Self, EnvelopeFault> {
        let text = std::str::from_utf8(payload)
            .map_err(|error| EnvelopeFault::NotJson(error.to_string()))?;
        let mut twice = None;
        let mut parser = serde_json::Deserializer::from_str(text);
        let members = parser.deserialize_any(MembersVisitor { twice: &mut twice });
        match members.and_then(|members| parser.end().map(|()| members)) {
            Ok(members) => Ok(members),
            Err(_) if twice.is_some() => Err(EnvelopeFault::Twice(twice.unwrap_or_default())),
            Err(_) if !text.trim_start().starts_with('{') => {
                // What stands there is a value of another kind, if it is whole.
                match serde_json::from_str::<IgnoredAny>(text) {
                    Ok(_) => Err(EnvelopeFault::NotObject),
                    Err(error) => Err(EnvelopeFault::NotJson(error.to_string())),
                }
            }
            Err(error) => Err(EnvelopeFault::NotJson(error.to_string())),
        }
    }

    fn id(&self) -> Result<Option<&'a str>, EnvelopeFault> {
        match self.id {
            Some(id) if id.len() > limits::REQUEST_ID_BYTES => Err(EnvelopeFault::LongId),
            id => Ok(id),
        }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Id,
    Version,
    Sys,
    Params,
    Method,
    Code,
    Data,
    Message,
    #[serde(other)]
    Unknown,
}

struct MembersVisitor<'t> {
    twice: &'t mut Option<&'static str>,
}

impl<'de> Visitor<'de> for MembersVisitor<'_> {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key()? {
            let (slot, name) = match key {
                Key::Id => (&mut members.id, "id"),
                Key::Version => (&mut members.version, "version"),
                Key::Sys => (&mut members.sys, "sys"),
                Key::Params => (&mut members.params, "params"),
                Key::Method => (&mut members.method, "method"),
                Key::Code => (&mut members.code, "code"),
                Key::Data => (&mut members.data, "data"),
                Key::Message => (&mut members.message, "message"),
                Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value: &'de RawValue = map.next_value()?;
            if slot.replace(value.get()).is_some() {
                *self.twice = Some(name);
                return Err(de::Error::duplicate_field(name));
            }
        }
        Ok(members)
    }
}
