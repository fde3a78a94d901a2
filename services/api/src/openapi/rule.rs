//! What a field must be beside its type, as JSON Schema.

use prost_reflect::FieldDescriptor;
use serde_json::{Value, json};

use crate::contract::{Form, Rule};

/// Adds the field's rule to its schema.
pub(super) fn tell(field: &FieldDescriptor, schema: &mut Value) {
    let rule = Rule::of(field);
    let (least, most) = if field.is_list() {
        ("minItems", "maxItems")
    } else {
        ("minimum", "maximum")
    };
    for (bound, name) in [(rule.min, least), (rule.max, most)] {
        if let Some(bound) = bound {
            schema[name] = bound.into();
        }
    }
    if let Some(form) = rule.form {
        let text = if field.is_list() {
            &mut schema["items"]
        } else {
            schema
        };
        for (name, value) in of_form(form) {
            text[name] = value;
        }
    }
}

fn of_form(form: Form) -> Vec<(&'static str, Value)> {
    match form {
        Form::Name => vec![
            ("minLength", json!(1)),
            ("maxLength", json!(64)),
            ("pattern", json!(NAME)),
        ],
        Form::DeviceName => vec![("pattern", json!("^[A-Za-z0-9_@.:-]{4,32}$"))],
        Form::MessageId => vec![("format", json!("uuid")), ("pattern", json!(MESSAGE_ID))],
    }
}

/// Anything without control characters, and without spaces at its ends.
const NAME: &str = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$";

const MESSAGE_ID: &str =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-7[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$";
