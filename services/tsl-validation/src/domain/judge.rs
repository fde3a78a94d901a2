//! What a device's message means: its verdict, its effects, its reply.

use std::borrow::Cow;
use std::sync::Arc;

use alink::Code;
use alink::codes;
use alink::envelope::{DeviceReply, Reply, Request};
use alink::names::Device;
use alink::topic::{Kind, RrpcInner, Topic};
use thing_model::{EventKind, Fault, Model, Report};

use super::answer::Question;

mod report;

pub(crate) use report::check;

/// A product's published model, ready to judge.
#[derive(Debug)]
pub(crate) struct ProductModel {
    pub version: u32,
    /// The document as it is handed out.
    pub document: Arc<str>,
    pub model: Arc<Model>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edition {
    /// Messages are carried and answered, and never judged.
    Basic,
    Pro,
}

/// A message as the door let it in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpMessage<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// UTC milliseconds.
    pub received_at: i64,
    pub edition: Edition,
    /// Its product's devices write raw bytes, which a script parses.
    pub raw: bool,
    /// It came over its rate, and is only to be answered so.
    pub throttled: bool,
}

/// What is to be done about a message.
#[derive(Debug, Default)]
pub(crate) struct Verdict<'a> {
    /// Values that may be the latest, in the message's order.
    pub values: Vec<NewValue<'a>>,
    /// Events to be kept, in the message's order.
    pub events: Vec<NewEvent<'a>>,
    /// It answers a request of ours.
    pub answer: Option<Answer<'a>>,
    /// To be sent back.
    pub reply: Option<OutReply>,
    /// What the TSL line tells; nothing if the message makes none.
    pub said: Option<Said<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewValue<'a> {
    pub identifier: &'a str,
    pub json: Cow<'a, str>,
    /// UTC milliseconds: the message's own time, or when it came.
    pub at_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewEvent<'a> {
    pub identifier: &'a str,
    pub kind: EventKind,
    /// The outputs, a JSON object.
    pub data: Cow<'a, str>,
    /// UTC milliseconds: the message's own time, or when it came.
    pub at_ms: i64,
}

/// A device's answer; whose question it was is for the store to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub question: Question,
    /// The id as it stands on the wire.
    pub id: &'a str,
    /// The device's own code; 6207 if the answer cannot be read.
    pub code: u32,
    pub message: Option<Cow<'a, str>>,
    /// A JSON value.
    pub data: Option<&'a str>,
    /// What cannot be read of it.
    pub fault: Option<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutReply {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// What a TSL line tells of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    pub code: u32,
    /// The id as it stands on the wire, a JSON value.
    pub id: Cow<'a, str>,
    pub method: String,
    /// JSON values.
    pub params: Option<&'a str>,
    pub data: Option<&'a str>,
    pub errors: Vec<Fault>,
    /// The version that judged.
    pub version: Option<u32>,
}

/// Judges one message by its product's published model. `report` is room to work in;
/// `now_ms` (UTC milliseconds) bounds how far ahead a reported time may lie.
pub(crate) fn judge<'a>(
    message: &UpMessage<'a>,
    product: Option<&'a ProductModel>,
    report: &mut Report,
    now_ms: i64,
) -> Verdict<'a> {
    let Ok(topic) = Topic::parse(message.topic) else {
        // The door lets no such topic in; the message is logged as carried.
        return Verdict::default();
    };
    match topic.kind() {
        Kind::PropertySetReply
        | Kind::PropertyGetReply
        | Kind::ServiceReply { .. }
        | Kind::RrpcResponse { .. }
        | Kind::ExtRrpc {
            inner: RrpcInner::PropertySet | RrpcInner::Service { .. },
            ..
        } => answer(message, &topic),
        Kind::PropertyPost
        | Kind::EventPost { .. }
        | Kind::PropertyBatchPost
        | Kind::PropertyHistoryPost => requested(message, &topic, |request| {
            report::judge(message, &topic, request, product, report, now_ms)
        }),
        Kind::DesiredGet | Kind::DesiredDelete | Kind::TagsUpdate | Kind::TagsDelete => {
            requested(message, &topic, |request| {
                replied(message, &topic, request, codes::SUCCESS, "{}".into())
            })
        }
        Kind::ModelGet | Kind::DynamicModelGet => requested(message, &topic, |request| {
            let (code, data) = match product {
                _ if message.throttled => (THROTTLED, "{}".into()),
                Some(product) => (codes::SUCCESS, Cow::Borrowed(&*product.document)),
                None if message.edition == Edition::Basic => (codes::SUCCESS, "{}".into()),
                None => (Code(NO_PROPERTY_INFORMATION), "{}".into()),
            };
            replied(message, &topic, request, code, data)
        }),
        // Raw bytes wait for their script; what is left is carried and logged.
        _ => Verdict::default(),
    }
}

/// A product without a published model.
pub(crate) const NO_PROPERTY_INFORMATION: u32 = 5159;
pub(crate) const NO_EVENT_INFORMATION: u32 = 5160;
const THROTTLED: Code = Code(6452);

/// Reads a request's envelope and hands it on; answers one that cannot be read.
fn requested<'a>(
    message: &UpMessage<'a>,
    topic: &Topic<'a>,
    judge: impl FnOnce(&Request<'a>) -> Verdict<'a>,
) -> Verdict<'a> {
    match Request::parse(message.payload) {
        Ok(request) if message.edition == Edition::Basic => {
            let code = if message.throttled {
                THROTTLED
            } else {
                codes::SUCCESS
            };
            replied(message, topic, &request, code, "{}".into())
        }
        Ok(request) => judge(&request),
        Err(fault) => {
            let code = fault.code(topic.capability());
            let fault = Fault {
                pointer: String::new(),
                code: code.0,
                message: fault.to_string(),
            };
            let reply = topic.reply_topic().map(|reply_topic| OutReply {
                topic: reply_topic,
                payload: Reply::without_id(code)
                    .data(faults_as_data(std::slice::from_ref(&fault)))
                    .to_bytes(),
            });
            let said = report::is_report(topic.kind()).then(|| Said {
                code: code.0,
                id: alink::envelope::NO_ID.into(),
                method: topic.method().unwrap_or_default(),
                params: None,
                data: None,
                errors: vec![fault],
                version: None,
            });
            Verdict {
                reply,
                said: said.filter(|_| message.edition == Edition::Pro),
                ..Verdict::default()
            }
        }
    }
}

/// Only a reply, if one is wanted.
fn replied<'a>(
    message: &UpMessage<'a>,
    topic: &Topic<'a>,
    request: &Request<'a>,
    code: Code,
    data: Cow<'_, str>,
) -> Verdict<'a> {
    let code = if message.throttled { THROTTLED } else { code };
    Verdict {
        reply: reply_to(topic, request, code, data),
        ..Verdict::default()
    }
}

fn reply_to(
    topic: &Topic<'_>,
    request: &Request<'_>,
    code: Code,
    data: Cow<'_, str>,
) -> Option<OutReply> {
    if !request.ack {
        return None;
    }
    let mut reply = Reply::new(request.id, code).data(data);
    if let Some(method) = topic.method() {
        reply = reply.method(method);
    }
    Some(OutReply {
        topic: topic.reply_topic()?,
        payload: reply.to_bytes(),
    })
}

/// Faults that a reply names; the log has them all.
const FAULTS_TOLD: usize = 10;

/// What is wrong, as a reply's `data` says it: member and words, the first of each member.
fn faults_as_data(faults: &[Fault]) -> String {
    let mut told = serde_json::Map::new();
    for fault in faults.iter().take(FAULTS_TOLD) {
        let place = fault.pointer.strip_prefix('/').unwrap_or("params");
        told.entry(place)
            .or_insert_with(|| fault.message.clone().into());
    }
    serde_json::Value::Object(told).to_string()
}

fn answer<'a>(message: &UpMessage<'a>, topic: &Topic<'a>) -> Verdict<'a> {
    if message.edition == Edition::Basic {
        return Verdict::default();
    }
    let read = DeviceReply::parse(message.payload).map_err(|fault| fault.to_string());
    let read = read.and_then(|reply| match reply.data {
        Some(data) if nested_too_deep(data.raw) => Err("`data` is nested too deep".to_owned()),
        _ => Ok(reply),
    });
    let wire_id = read.as_ref().ok().and_then(DeviceReply::request_id);
    let question = match (topic.kind(), wire_id) {
        (Kind::RrpcResponse { mid } | Kind::ExtRrpc { mid, .. }, _) => Question::Rrpc { id: mid },
        (_, Some(id)) => Question::Wire {
            id,
            method: topic.method().unwrap_or_default(),
        },
        (_, None) => Question::Unreadable,
    };
    let answer = match read {
        Ok(reply) => Answer {
            question,
            id: reply.id,
            code: reply.code.0,
            message: reply.message,
            data: reply.data.map(|data| data.raw),
            fault: None,
        },
        Err(fault) => Answer {
            question,
            id: alink::envelope::NO_ID,
            code: codes::DATA_FORMAT.0,
            message: Some(codes::DATA_FORMAT.title().into()),
            data: None,
            fault: Some(Fault {
                pointer: String::new(),
                code: codes::DATA_FORMAT.0,
                message: fault,
            }),
        },
    };
    Verdict {
        answer: Some(answer),
        ..Verdict::default()
    }
}

impl<'a> Answer<'a> {
    /// What the TSL line tells of an answer to a request with this method
    /// (empty: nobody's, on a topic that does not say).
    pub(crate) fn said(
        &self,
        method: &str,
        product: Option<&ProductModel>,
        report: &mut Report,
    ) -> Said<'a> {
        let mut errors: Vec<Fault> = self.fault.iter().cloned().collect();
        // A device that says what went wrong owes no outputs.
        if let Some(product) = product
            && self.fault.is_none()
            && self.code == codes::SUCCESS.0
        {
            let data = self.data.unwrap_or("{}").as_bytes();
            match method.strip_prefix("thing.service.") {
                Some("property.set" | "property.get") => {
                    product.model.check_set_reply(data, report)
                }
                Some(service) => product.model.check_service_output(service, data, report),
                None => *report = Report::new(),
            }
            errors.extend_from_slice(report.faults());
        }
        Said {
            code: errors.first().map_or(self.code, |fault| fault.code),
            id: self.id.into(),
            method: method.to_owned(),
            params: None,
            data: self.data,
            errors,
            version: product.map(|product| product.version),
        }
    }
}

/// Brackets inside one another that a reader of our lines and answers can take.
const DEPTH: usize = 100;

/// A JSON value as a line may hold it; nothing if it is none, or nested too deep.
pub(crate) fn for_a_line(text: &str) -> Option<&str> {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    Some(text).filter(|text| is_json && !nested_too_deep(text))
}

/// Whether a JSON value may have more. Brackets in its texts count too: nobody sends so many.
fn nested_too_deep(raw: &str) -> bool {
    let mut depth = 0_usize;
    raw.bytes().any(|byte| {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEPTH
    })
}

/// Whether a report's element is about the device that sent it.
fn is_own(device: Option<alink::names::DeviceRef<'_>>, identity: &thing_model::Identity) -> bool {
    let identity = Device::parse(&identity.product_key, &identity.device_name);
    device
        .zip(identity.ok())
        .is_some_and(|(own, named)| own == named)
}

#[cfg(test)]
mod tests;
