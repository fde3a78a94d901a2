//! A response's message as the JSON of its REST answer.

use anyhow::Context;
use bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use serde_json::value::RawValue;

use super::time;
use crate::contract::{Operation, Rest, is_json, is_timestamp};

/// The answer's text. Fields with a default are always written, `optional` ones when they are set.
pub(crate) fn answer(
    operation: &Operation,
    rest: &Rest,
    encoded: Bytes,
) -> anyhow::Result<Vec<u8>> {
    let message = DynamicMessage::decode(operation.method.output(), encoded)
        .context("decoding the answer")?;
    let mut out = Vec::with_capacity(512);
    match &rest.answer {
        Some(field) => write_field(&mut out, field, &message.get_field(field))?,
        None => write_message(&mut out, &message)?,
    }
    Ok(out)
}

pub(super) fn write_message(out: &mut Vec<u8>, message: &DynamicMessage) -> anyhow::Result<()> {
    out.push(b'{');
    let mut first = true;
    for field in message.descriptor().fields() {
        if field.supports_presence() && !message.has_field(&field) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_text(out, field.json_name())?;
        out.push(b':');
        write_field(out, &field, &message.get_field(&field))?;
    }
    out.push(b'}');
    Ok(())
}

fn write_field(out: &mut Vec<u8>, field: &FieldDescriptor, value: &Value) -> anyhow::Result<()> {
    if is_json(field) {
        return write_json(out, field, value);
    }
    let Value::List(items) = value else {
        return write_value(out, &field.kind(), value);
    };
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(out, &field.kind(), item)?;
    }
    out.push(b']');
    Ok(())
}

/// The text as it is; an empty one is `null`. Text that is no JSON is shown as a text, so that
/// one bad row does not hide the others.
fn write_json(out: &mut Vec<u8>, field: &FieldDescriptor, value: &Value) -> anyhow::Result<()> {
    let text = value.as_str().unwrap_or_default();
    if text.is_empty() {
        out.extend_from_slice(b"null");
    } else if serde_json::from_str::<&RawValue>(text).is_ok() {
        out.extend_from_slice(text.as_bytes());
    } else {
        tracing::warn!(
            field = field.full_name(),
            "a service answered with text that is no JSON"
        );
        write_text(out, text)?;
    }
    Ok(())
}

fn write_value(out: &mut Vec<u8>, kind: &Kind, value: &Value) -> anyhow::Result<()> {
    match value {
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::I32(number) => serde_json::to_writer(out, number)?,
        Value::I64(number) => serde_json::to_writer(out, number)?,
        Value::U32(number) => serde_json::to_writer(out, number)?,
        Value::U64(number) => serde_json::to_writer(out, number)?,
        Value::F32(number) => serde_json::to_writer(out, number)?,
        Value::F64(number) => serde_json::to_writer(out, number)?,
        Value::String(text) => write_text(out, text)?,
        Value::EnumNumber(number) => {
            match kind.as_enum().and_then(|values| values.get_value(*number)) {
                Some(value) => write_text(out, value.name())?,
                None => write_text(out, &number.to_string())?,
            }
        }
        Value::Message(message) if is_timestamp(&message.descriptor()) => {
            let seconds = message
                .get_field_by_number(1)
                .and_then(|value| value.as_i64())
                .unwrap_or_default();
            let nanos = message
                .get_field_by_number(2)
                .and_then(|value| value.as_i32())
                .unwrap_or_default();
            write_text(
                out,
                &time::format(seconds, nanos).context("a time out of its bounds")?,
            )?;
        }
        Value::Message(message) => write_message(out, message)?,
        Value::Bytes(_) | Value::List(_) | Value::Map(_) => {
            anyhow::bail!("a field without a form in REST")
        }
    }
    Ok(())
}

fn write_text(out: &mut Vec<u8>, text: &str) -> anyhow::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}
