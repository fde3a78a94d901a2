//! Messages and fields as JSON Schema.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::comments::Comments;
use super::rule;
use crate::contract::{Rule, is_json, is_timestamp};

/// The messages met so far, each a component.
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    components: BTreeMap<String, Value>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(comments: &'a Comments) -> Self {
        Self {
            comments,
            components: BTreeMap::new(),
        }
    }

    pub(super) fn into_components(self) -> Map<String, Value> {
        self.components.into_iter().collect()
    }

    pub(super) fn comment(&self, field: &FieldDescriptor) -> &str {
        self.comments.of(&field.parent_file(), field.path())
    }

    pub(super) fn of_field(&mut self, field: &FieldDescriptor) -> Value {
        if is_json(field) {
            return json!({ "description": "JSON; its text is kept" });
        }
        let one = self.of_kind(&field.kind());
        let mut schema = if field.is_list() {
            json!({ "type": "array", "items": one })
        } else {
            one
        };
        rule::tell(field, &mut schema);
        schema
    }

    /// A request's own object: nothing but these fields is taken.
    pub(super) fn of_request(&mut self, fields: &[FieldDescriptor]) -> Value {
        let required: Vec<&str> = fields
            .iter()
            .filter(|field| Rule::of(field).required)
            .map(FieldDescriptor::json_name)
            .collect();
        let mut properties = self.properties(fields);
        for field in fields {
            if let Some(schema) = properties
                .get_mut(field.json_name())
                .filter(|_| field.field_descriptor_proto().proto3_optional())
            {
                allow_null(schema);
            }
        }
        json!({
            "type": "object",
            "required": required,
            "properties": properties,
            "additionalProperties": false,
        })
    }

    pub(super) fn of_message(&mut self, message: &MessageDescriptor) -> Value {
        let name = component(message.full_name());
        if !self.components.contains_key(&name) {
            // In place before its fields are looked at, since a message may hold itself.
            self.components.insert(name.clone(), Value::Null);
            let fields: Vec<FieldDescriptor> = message.fields().collect();
            let always = fields
                .iter()
                .filter(|field| !field.field_descriptor_proto().proto3_optional());
            let required: Vec<&str> = always
                .filter(|field| field.containing_oneof().is_none())
                .map(FieldDescriptor::json_name)
                .collect();
            let schema = json!({
                "type": "object",
                "description": self.comments.of(&message.parent_file(), message.path()),
                "required": required,
                "properties": self.properties(&fields),
            });
            self.components.insert(name.clone(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    fn properties(&mut self, fields: &[FieldDescriptor]) -> Map<String, Value> {
        let mut properties = Map::new();
        for field in fields {
            let mut schema = self.of_field(field);
            let comment = self.comment(field);
            if !comment.is_empty() {
                schema["description"] = comment.into();
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        properties
    }

    fn of_kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String | Kind::Bytes => json!({ "type": "string" }),
            Kind::Double => json!({ "type": "number", "format": "double" }),
            Kind::Float => json!({ "type": "number", "format": "float" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({ "type": "integer", "format": "int32" })
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({ "type": "integer", "format": "int64" })
            }
            Kind::Uint32 | Kind::Fixed32 => {
                json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX })
            }
            Kind::Enum(values) => self.of_enum(values),
            Kind::Message(message) if is_timestamp(message) => {
                json!({ "type": "string", "format": "date-time" })
            }
            Kind::Message(message) => self.of_message(message),
        }
    }

    fn of_enum(&self, values: &EnumDescriptor) -> Value {
        let known = values.values().filter(|value| value.number() != 0);
        json!({ "type": "string", "enum": known.map(|value| value.name().to_owned()).collect::<Vec<_>>() })
    }
}

/// An optional field may be said not to be set.
fn allow_null(schema: &mut Value) {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
}

/// `hoshu.registry.v1.Device` as `registry.Device`.
fn component(full_name: &str) -> String {
    let words: Vec<&str> = full_name
        .split('.')
        .filter(|word| !matches!(*word, "hoshu" | "v1"))
        .collect();
    words.join(".")
}
