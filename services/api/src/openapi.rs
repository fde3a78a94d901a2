//! The OpenAPI 3.1 document, made from the contract and the comments of the .proto files.

mod comments;
mod links;
mod rule;
mod schema;

use serde_json::{Map, Value, json};

use crate::contract::{Contract, Input, Operation, ROOT, Rest};
use crate::problem;
use comments::Comments;
use schema::Schemas;

/// The whole document.
pub(crate) fn document(contract: &Contract) -> Value {
    let comments = Comments::read(&contract.pool);
    let mut schemas = Schemas::new(&comments);
    let mut paths: Map<String, Value> = Map::new();
    for operation in &contract.operations {
        let Some(rest) = &operation.rest else {
            continue;
        };
        let path = paths.entry(json_path(rest)).or_insert_with(|| json!({}));
        let mut about = described(operation, rest, &comments, &mut schemas);
        let links = links::of(contract, operation, rest);
        if !links.is_empty() {
            about["responses"][rest.status.as_str()]["links"] = links.into();
        }
        path[rest.verb.as_str().to_lowercase()] = about;
    }
    let mut components = schemas.into_components();
    components.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hoshu",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": ROOT }],
        "security": [{ "token": [] }],
        "tags": tags(contract, &comments),
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": { "Problem": {
                "description": "It was not done; the body says why.",
                "content": { problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

const ABOUT: &str = "\
Each route is an RPC of the same name (`operationId`) on the gRPC port, with the same messages.

- Names are camelCase; a field that is unknown, stands there twice or has the wrong type is refused, all faults at once.
- Whole numbers are JSON numbers, 64-bit ones too. Times are RFC 3339; answers write them in UTC with milliseconds.
- `null` stands for an optional field that is not set. Optional fields that are not set are left out of answers.
- Thing-model documents, `params` and `data` keep their text: member order, spaces, big numbers.
- Lists take `pageSize` (1 to 500, default 50) and `pageToken`; the last page has no `nextPageToken`.
- No text holds U+0000. A refusal lists as many faults as it has room for.
- A body holds at most 1 MiB. An empty body stands for `{}`. The Content-Type is not looked at.
- A token that another api pod revoked may work for up to 5 s more.";

/// `/products/{product_key}` as `/products/{productKey}`.
fn json_path(rest: &Rest) -> String {
    rest.variables
        .iter()
        .fold(rest.path.clone(), |path, field| {
            path.replace(
                &format!("{{{}}}", field.name()),
                &format!("{{{}}}", field.json_name()),
            )
        })
}

fn tag(operation: &Operation) -> String {
    operation
        .method
        .parent_service()
        .name()
        .trim_end_matches("Service")
        .to_owned()
}

fn tags(contract: &Contract, comments: &Comments) -> Vec<Value> {
    let mut tags: Vec<Value> = Vec::new();
    for operation in &contract.operations {
        let name = tag(operation);
        if tags.iter().all(|known| known["name"] != name.as_str()) {
            let file = operation.method.parent_file();
            tags.push(json!({ "name": name, "description": comments.of_package(&file) }));
        }
    }
    tags
}

fn described(
    operation: &Operation,
    rest: &Rest,
    comments: &Comments,
    schemas: &mut Schemas,
) -> Value {
    let comment = comments.of(&operation.method.parent_file(), operation.method.path());
    let mut about = json!({
        "operationId": operation.name(),
        "tags": [tag(operation)],
        "summary": in_words(operation.name()),
        "description": format!("{}\n\nRole: {} or more.", comment, operation.access.name()).trim(),
        "x-hoshu-role": operation.access.name(),
        "x-hoshu-rpc": operation.rpc.trim_start_matches('/'),
        "parameters": parameters(operation, rest, schemas),
        "responses": { rest.status.as_str(): success(operation, rest, schemas), "4XX": problem_answer(), "5XX": problem_answer() },
    });
    if let Some(schema) = body(operation, rest, schemas) {
        let required = matches!(rest.input, Input::Whole(_)) || schema["required"] != json!([]);
        about["requestBody"] = json!({ "required": required, "content": { "application/json": { "schema": schema } } });
    }
    about
}

fn problem_answer() -> Value {
    json!({ "$ref": "#/components/responses/Problem" })
}

fn parameters(operation: &Operation, rest: &Rest, schemas: &mut Schemas) -> Vec<Value> {
    let mut parameters = Vec::new();
    for field in &rest.variables {
        parameters.push(json!({
            "name": field.json_name(), "in": "path", "required": true,
            "description": schemas.comment(field), "schema": schemas.of_field(field),
        }));
    }
    for field in operation
        .method
        .input()
        .fields()
        .filter(|field| rest.comes_by_query(field))
    {
        parameters.push(json!({
            "name": field.json_name(), "in": "query", "required": false,
            "description": schemas.comment(&field), "schema": schemas.of_field(&field),
        }));
    }
    parameters
}

fn body(operation: &Operation, rest: &Rest, schemas: &mut Schemas) -> Option<Value> {
    match &rest.input {
        Input::Query => None,
        Input::Whole(field) => Some(schemas.of_field(field)),
        Input::Members => {
            let fields: Vec<_> = operation
                .method
                .input()
                .fields()
                .filter(|field| !rest.comes_by_path(field))
                .collect();
            (!fields.is_empty()).then(|| schemas.of_request(&fields))
        }
    }
}

fn success(operation: &Operation, rest: &Rest, schemas: &mut Schemas) -> Value {
    let mut answer = json!({ "description": rest.status.canonical_reason().unwrap_or("Done") });
    if rest.status != http::StatusCode::NO_CONTENT {
        let schema = match &rest.answer {
            Some(field) => schemas.of_field(field),
            None => schemas.of_message(&operation.method.output()),
        };
        answer["content"] = json!({ "application/json": { "schema": schema } });
    }
    answer
}

/// `ListThingModelVersions` as "List thing model versions".
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    for (index, letter) in name.char_indices() {
        if index > 0 && letter.is_uppercase() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457. Further members may say more, as `rrpcCode`.",
        "required": ["type", "title", "status", "detail", "traceId"],
        "properties": {
            "type": { "type": "string", "description": "`urn:hoshu:code:<code>` where there is a code" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong, and what to do" },
            "traceId": { "type": "string", "description": "To be quoted to the operator" },
            "code": { "type": "integer", "description": "One of the codes of the documentation" },
            "errors": { "type": "array", "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "pointer": { "type": "string", "description": "JSON pointer into the request" },
                    "code": { "type": "integer" },
                    "message": { "type": "string" },
                },
            } },
        },
        "example": {
            "type": "about:blank", "title": "Bad Request", "status": 400, "detail": "nodeTyp is unknown",
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "errors": [{ "pointer": "/nodeTyp", "message": "is unknown" }],
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn read() -> (Contract, Value) {
        let contract = Contract::read(proto::DESCRIPTORS).unwrap();
        let document = document(&contract);
        (contract, document)
    }

    #[test]
    fn every_route_stands_in_the_document_under_its_rpcs_name() {
        let (contract, document) = read();
        for operation in &contract.operations {
            let Some(rest) = &operation.rest else {
                continue;
            };
            let described = &document["paths"][json_path(rest)][rest.verb.as_str().to_lowercase()];
            assert_eq!(described["operationId"], operation.name());
            assert!(
                described["responses"][rest.status.as_str()].is_object(),
                "{}",
                operation.name()
            );
        }
    }

    #[test]
    fn every_path_variable_is_described() {
        let (_, document) = read();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let named: BTreeSet<&str> = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            for (method, operation) in methods.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().unwrap().iter();
                let described = parameters
                    .filter(|one| one["in"] == "path")
                    .map(|one| one["name"].as_str().unwrap());
                assert_eq!(described.collect::<BTreeSet<_>>(), named, "{method} {path}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(
                        members
                            .get("$ref")
                            .and_then(Value::as_str)
                            .map(str::to_owned),
                    );
                    members.values().for_each(|member| walk(member, found));
                }
                Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
                _ => {}
            }
        }
        let (_, document) = read();
        let mut found = Vec::new();
        walk(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn what_a_field_must_be_is_said() {
        let (_, document) = read();
        let body = |path: &str, verb: &str| {
            document["paths"][path][verb]["requestBody"]["content"]["application/json"]["schema"]
                .clone()
        };
        let product = body("/products", "post");
        assert_eq!(product["required"], json!(["name", "nodeType", "edition"]));
        assert_eq!(product["properties"]["name"]["maxLength"], 64);
        let user = &body("/users/{id}", "patch")["properties"];
        assert_eq!(user["name"]["type"], json!(["string", "null"]));
        assert_eq!(
            user["role"]["enum"],
            json!(["VIEWER", "OPERATOR", "ADMIN", null])
        );
        let batch = &body("/products/{productKey}/device-batches", "post")["properties"];
        assert_eq!(batch["count"]["minimum"], 1);
        assert_eq!(batch["deviceNames"]["maxItems"], 10_000);
        assert!(batch["deviceNames"]["items"]["pattern"].is_string());
        let users = &document["paths"]["/users"]["get"]["parameters"][0];
        assert_eq!(
            (&users["name"], &users["schema"]["maximum"]),
            (&json!("pageSize"), &json!(500))
        );
    }

    #[test]
    fn what_was_made_leads_to_what_can_be_done_with_it() {
        let (_, document) = read();
        let links = |path: &str| &document["paths"][path]["post"]["responses"]["201"]["links"];
        assert_eq!(
            links("/products/{productKey}/devices")["GetDevice"],
            json!({ "operationId": "GetDevice", "parameters": {
                "productKey": "$request.path.productKey",
                "deviceName": "$response.body#/deviceName",
            } })
        );
        assert_eq!(
            links("/users")["UpdateUser"]["parameters"],
            json!({ "id": "$response.body#/id" })
        );
        // Its answer names no single device.
        assert!(links("/products/{productKey}/device-batches").is_null());
    }

    #[test]
    fn a_route_reads_as_its_comments_say() {
        let (_, document) = read();
        let made = &document["paths"]["/products/{productKey}/device-batches"]["post"];
        assert_eq!(made["summary"], "Create devices");
        assert!(
            made["description"]
                .as_str()
                .unwrap()
                .starts_with("Makes up to 10,000 devices, all or none.")
        );
        let properties =
            &made["requestBody"]["content"]["application/json"]["schema"]["properties"];
        assert_eq!(properties["deviceNames"]["type"], "array");
        let device = &document["components"]["schemas"]["registry.Device"];
        assert_eq!(
            device["properties"]["status"]["enum"],
            json!(["INACTIVE", "ONLINE", "OFFLINE", "DISABLED"])
        );
        assert_eq!(device["properties"]["createdAt"]["format"], "date-time");
        assert!(
            !device["required"]
                .as_array()
                .unwrap()
                .contains(&json!("deviceSecret"))
        );
    }
}
