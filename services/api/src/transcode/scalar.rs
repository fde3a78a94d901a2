//! One value: from a text of a path or query, or from a JSON text.

use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, Value};
use serde_json::value::RawValue;

use super::time;

/// From a path variable or query parameter.
pub(super) fn from_text(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::String => plain(text.to_owned()),
        Kind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("must be true or false".into()),
        },
        Kind::Enum(values) => named(values, text),
        Kind::Message(message) => timestamp(message, text),
        _ => numeric(kind, text),
    }
}

/// From a member of a body, which is not an object of its own.
pub(super) fn from_json(kind: &Kind, json: &RawValue) -> Result<Value, String> {
    let raw = json.get();
    match kind {
        Kind::String => plain(string(raw).ok_or("must be a text")?),
        Kind::Bool => match raw {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("must be true or false".into()),
        },
        Kind::Enum(values) => named(values, &string(raw).ok_or_else(|| one_of(values))?),
        Kind::Message(message) => timestamp(message, &string(raw).ok_or(A_TIME)?),
        _ => numeric(kind, raw),
    }
}

const A_TIME: &str = "must be a time such as \"2026-01-31T08:00:00.000Z\"";

fn string(raw: &str) -> Option<String> {
    raw.starts_with('"')
        .then(|| serde_json::from_str(raw).ok())?
}

/// U+0000 is refused for all: no store behind takes it in a text.
fn plain(text: String) -> Result<Value, String> {
    if text.contains('\0') {
        Err("must not hold U+0000".into())
    } else {
        Ok(Value::String(text))
    }
}

fn named(values: &EnumDescriptor, name: &str) -> Result<Value, String> {
    let value = values
        .get_value_by_name(name)
        .filter(|value| value.number() != 0);
    value
        .map(|value| Value::EnumNumber(value.number()))
        .ok_or_else(|| one_of(values))
}

fn one_of(values: &EnumDescriptor) -> String {
    let names: Vec<String> = values
        .values()
        .filter(|value| value.number() != 0)
        .map(|value| value.name().to_owned())
        .collect();
    format!("must be one of {}", names.join(", "))
}

fn timestamp(message: &MessageDescriptor, text: &str) -> Result<Value, String> {
    let (seconds, nanos) = time::parse(text).ok_or(A_TIME)?;
    let mut value = DynamicMessage::new(message.clone());
    value.set_field_by_number(1, Value::I64(seconds));
    value.set_field_by_number(2, Value::I32(nanos));
    Ok(Value::Message(value))
}

fn numeric(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            whole(text, i32::MIN.into(), i32::MAX.into()).map(|number| Value::I32(number as i32))
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            whole(text, i64::MIN.into(), i64::MAX.into()).map(|number| Value::I64(number as i64))
        }
        Kind::Uint32 | Kind::Fixed32 => {
            whole(text, 0, u32::MAX.into()).map(|number| Value::U32(number as u32))
        }
        Kind::Uint64 | Kind::Fixed64 => {
            whole(text, 0, u64::MAX.into()).map(|number| Value::U64(number as u64))
        }
        Kind::Float => {
            let number = real(text)? as f32;
            if number.is_finite() {
                Ok(Value::F32(number))
            } else {
                Err("is too large".into())
            }
        }
        Kind::Double => real(text).map(Value::F64),
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Message(_) => {
            Err("cannot be given here".into())
        }
    }
}

/// Digits only, as JSON writes them: `5`, not `5.0`, `05` or `+5`.
fn whole(text: &str, least: i128, most: i128) -> Result<i128, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_whole = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if !is_whole {
        return Err("must be a whole number".into());
    }
    match text.parse::<i128>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("must be from {least} to {most}")),
    }
}

fn real(text: &str) -> Result<f64, String> {
    let number: f64 = serde_json::from_str(text).map_err(|_| "must be a number")?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("is too large".into())
    }
}
