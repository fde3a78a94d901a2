//! What can be done with a thing that was just made.

use prost_reflect::FieldDescriptor;
use serde_json::{Map, Value, json};

use crate::contract::{Contract, Operation, Rest};

/// The operations on what `made` makes: those below its collection's path whose variables are
/// known from its path and its answer.
pub(super) fn of(contract: &Contract, made: &Operation, rest: &Rest) -> Map<String, Value> {
    let mut links = Map::new();
    if rest.status != http::StatusCode::CREATED {
        return links;
    }
    let answer = made.method.output();
    let value = |variable: &FieldDescriptor| {
        let name = variable.json_name();
        let source = if rest.variables.iter().any(|field| field.json_name() == name) {
            "$request.path."
        } else {
            answer.get_field_by_json_name(name)?;
            "$response.body#/"
        };
        Some((name.to_owned(), Value::from(format!("{source}{name}"))))
    };
    let below = format!("{}/{{", rest.path);
    for operation in &contract.operations {
        let Some(target) = &operation.rest else {
            continue;
        };
        if !target.path.starts_with(&below) {
            continue;
        }
        let parameters: Option<Map<String, Value>> = target.variables.iter().map(value).collect();
        if let Some(parameters) = parameters {
            links.insert(
                operation.name().to_owned(),
                json!({ "operationId": operation.name(), "parameters": parameters }),
            );
        }
    }
    links
}
