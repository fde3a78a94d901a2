//! The parts of an HTTP request, put together into the message of its RPC.

use chassis::{Fault, Refusal};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::value::RawValue;
use tonic::Code;

use super::depth::{DEEPEST, is_too_deep};
use super::members::Members;
use super::{query, scalar};
use crate::contract::{Input, Operation, Rest, is_json, is_timestamp};

/// What an HTTP request brings besides its method.
pub(crate) struct Parts<'a> {
    /// Names and decoded texts.
    pub(crate) path: &'a [(String, String)],
    /// Still encoded, without `?`.
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

/// The request's message, or every fault that it has. An empty body is `{}`; the body of a GET
/// or DELETE is not looked at.
pub(crate) fn request(
    operation: &Operation,
    rest: &Rest,
    parts: &Parts,
) -> Result<DynamicMessage, Refusal> {
    let mut message = DynamicMessage::new(operation.method.input());
    let mut faults = Faults::default();
    for field in &rest.variables {
        let text = parts
            .path
            .iter()
            .find(|(name, _)| name == field.name())
            .map_or("", |(_, text)| text);
        match scalar::from_text(&field.kind(), text) {
            Ok(value) => message.set_field(field, value),
            Err(fault) => faults.add(&pointer("", field.json_name()), fault),
        }
    }
    query::read(rest, parts.query, &mut message, &mut faults);
    match &rest.input {
        Input::Query => {}
        Input::Members => read_members(rest, parts.body, &mut message, &mut faults),
        Input::Whole(field) => read_whole(field, parts.body, &mut message, &mut faults),
    }
    faults.into_result().map(|()| message)
}

/// All that is wrong with a request.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

/// More are not told: a hostile body must not make a large answer.
const MOST_FAULTS: usize = 100;

impl Faults {
    pub(super) fn add(&mut self, pointer: &str, message: impl Into<String>) {
        if self.0.len() < MOST_FAULTS {
            self.0.push(Fault {
                pointer: pointer.to_owned(),
                code: None,
                message: message.into(),
            });
        }
    }

    fn into_result(self) -> Result<(), Refusal> {
        let Some(first) = self.0.first() else {
            return Ok(());
        };
        let mut detail = match first.pointer.as_str() {
            "" => format!("the body {}", first.message),
            pointer => format!("{} {}", pointer.trim_start_matches('/'), first.message),
        };
        if self.0.len() > 1 {
            detail = format!("{detail} (and {} more faults)", self.0.len() - 1);
        }
        Err(Refusal::new(Code::InvalidArgument, detail).with_errors(self.0))
    }
}

/// JSON pointer of a member (RFC 6901).
pub(super) fn pointer(parent: &str, member: &str) -> String {
    format!("{parent}/{}", member.replace('~', "~0").replace('/', "~1"))
}

fn read_members(rest: &Rest, body: &[u8], message: &mut DynamicMessage, faults: &mut Faults) {
    let Some(json) = parse(body, faults) else {
        return;
    };
    if let Some(json) = json {
        read_object(message, json, "", Some(rest), faults);
    }
}

fn read_whole(
    field: &FieldDescriptor,
    body: &[u8],
    message: &mut DynamicMessage,
    faults: &mut Faults,
) {
    match parse(body, faults) {
        None => {}
        Some(None) => faults.add("", "is missing"),
        Some(Some(json)) => {
            if let Some(value) = read_value(field, json, "", faults) {
                message.set_field(field, value);
            }
        }
    }
}

/// Nothing when it is no JSON; an empty body is no value.
fn parse<'a>(body: &'a [u8], faults: &mut Faults) -> Option<Option<&'a RawValue>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(None);
    }
    if is_too_deep(body) {
        faults.add("", format!("nests deeper than {DEEPEST}"));
        return None;
    }
    match serde_json::from_slice(body) {
        Ok(json) => Some(Some(json)),
        Err(error) => {
            faults.add("", format!("is not JSON: {error}"));
            None
        }
    }
}

/// `rest` is given for the request itself, whose path variables are no members.
fn read_object(
    message: &mut DynamicMessage,
    json: &RawValue,
    at: &str,
    rest: Option<&Rest>,
    faults: &mut Faults,
) {
    let members = match serde_json::from_str(json.get()) {
        Ok(Members(members)) => members,
        Err(_) if json.get().starts_with('{') => {
            return faults.add(at, "holds a name that is no text");
        }
        Err(_) => return faults.add(at, "must be an object"),
    };
    let descriptor = message.descriptor();
    let mut seen: Vec<FieldDescriptor> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let at = pointer(at, &name);
        let field = match descriptor.get_field_by_json_name(&name) {
            Some(field) if !rest.is_some_and(|rest| rest.comes_by_path(&field)) => field,
            Some(_) => {
                faults.add(&at, "stands in the path already");
                continue;
            }
            None => {
                faults.add(&at, unknown(&descriptor, &name));
                continue;
            }
        };
        if seen.contains(&field) {
            faults.add(&at, "stands there twice");
            continue;
        }
        let choice = field
            .containing_oneof()
            .filter(|choice| !choice.is_synthetic());
        if choice.is_some_and(|choice| choice.fields().any(|other| seen.contains(&other))) {
            faults.add(&at, "cannot be given together with another choice");
        }
        if let Some(value) = read_value(&field, value, &at, faults) {
            message.set_field(&field, value);
        }
        seen.push(field);
    }
}

/// What is said of an unknown member; a snake_case name is understood, and refused.
pub(super) fn unknown(descriptor: &MessageDescriptor, name: &str) -> String {
    match descriptor.get_field_by_name(name) {
        Some(field) => format!("is unknown: write {}", field.json_name()),
        None => "is unknown".to_owned(),
    }
}

/// `null` stands for an `optional` field that is not set; a `json` field takes it as its text;
/// anywhere else it is of the wrong type.
fn read_value(
    field: &FieldDescriptor,
    json: &RawValue,
    at: &str,
    faults: &mut Faults,
) -> Option<Value> {
    if is_json(field) {
        return Some(Value::String(json.get().to_owned()));
    }
    if json.get() == "null" && field.field_descriptor_proto().proto3_optional() {
        return None;
    }
    if !field.is_list() {
        return read_one(&field.kind(), json, at, faults);
    }
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json.get()) else {
        faults.add(at, "must be a list");
        return None;
    };
    let kind = field.kind();
    let read = items.into_iter().enumerate();
    let values =
        read.filter_map(|(index, item)| read_one(&kind, item, &format!("{at}/{index}"), faults));
    Some(Value::List(values.collect()))
}

fn read_one(kind: &Kind, json: &RawValue, at: &str, faults: &mut Faults) -> Option<Value> {
    if let Kind::Message(descriptor) = kind
        && !is_timestamp(descriptor)
    {
        let mut message = DynamicMessage::new(descriptor.clone());
        read_object(&mut message, json, at, None, faults);
        return Some(Value::Message(message));
    }
    scalar::from_json(kind, json)
        .map_err(|fault| faults.add(at, fault))
        .ok()
}

/// A body of any message, for tests: its faults.
#[cfg(test)]
pub(super) fn read_body(message: &mut DynamicMessage, body: &[u8]) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(Some(json)) = parse(body, &mut faults) {
        read_object(message, json, "", None, &mut faults);
    }
    faults.0
}
