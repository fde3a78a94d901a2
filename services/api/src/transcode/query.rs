//! Query parameters into request fields: `?type=TSL&type=UPSTREAM&pageSize=10`.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use super::request::{Faults, pointer, unknown};
use super::scalar;
use crate::contract::Rest;

pub(super) fn read(rest: &Rest, query: &str, message: &mut DynamicMessage, faults: &mut Faults) {
    let descriptor = message.descriptor();
    let mut seen = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(text)) = (decode(name), decode(text)) else {
            faults.add(&pointer("", name), "is not UTF-8");
            continue;
        };
        let at = pointer("", &name);
        let known = descriptor
            .get_field_by_json_name(&name)
            .filter(|field| rest.comes_by_query(field));
        let Some(field) = known else {
            let why = if descriptor.get_field_by_json_name(&name).is_some() {
                "cannot be given by the query".to_owned()
            } else {
                unknown(&descriptor, &name)
            };
            faults.add(&at, why);
            continue;
        };
        if !field.is_list() && seen.contains(&field) {
            faults.add(&at, "stands there twice");
            continue;
        }
        match scalar::from_text(&field.kind(), &text) {
            Err(fault) => faults.add(&at, fault),
            Ok(value) if field.is_list() => {
                if let Value::List(values) = message.get_field_mut(&field) {
                    values.push(value);
                }
            }
            Ok(value) => message.set_field(&field, value),
        }
        seen.push(field);
    }
}

/// As HTML forms write it: `+` is a space.
fn decode(text: &str) -> Option<String> {
    let spaced: Cow<str> = if text.contains('+') {
        text.replace('+', " ").into()
    } else {
        text.into()
    };
    percent_decode(spaced.as_bytes())
        .decode_utf8()
        .ok()
        .map(Cow::into_owned)
}
