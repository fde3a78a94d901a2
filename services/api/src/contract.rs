//! The public operations, read from the descriptors of the .proto files.
//!
//! The routers, the role check and the OpenAPI document are all made from this one list, so an
//! RPC that is added to a .proto file is served without a line of code here.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use http::{Method, StatusCode};
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, Value,
};

use crate::domain::Role;

/// Where REST begins.
pub(crate) const ROOT: &str = "/api/v1";

pub(crate) struct Contract {
    pub(crate) pool: DescriptorPool,
    pub(crate) operations: Vec<Arc<Operation>>,
}

/// One RPC of a public package.
pub(crate) struct Operation {
    pub(crate) method: MethodDescriptor,
    /// The second word of its package, which names the service that answers: `registry`.
    pub(crate) noun: String,
    /// `/hoshu.registry.v1.RegistryService/GetDevice`
    pub(crate) rpc: String,
    /// The least role that may call it.
    pub(crate) access: Role,
    /// Absent: served by gRPC alone.
    pub(crate) rest: Option<Arc<Rest>>,
}

/// An operation seen as REST.
pub(crate) struct Rest {
    pub(crate) verb: Method,
    /// Relative to [`ROOT`], its variables named after request fields: `/users/{id}`.
    pub(crate) path: String,
    pub(crate) variables: Vec<FieldDescriptor>,
    /// Request fields that come by the query, by the members of a body, or as the whole body.
    pub(crate) input: Input,
    /// The response field that is the whole answer.
    pub(crate) answer: Option<FieldDescriptor>,
    pub(crate) status: StatusCode,
}

pub(crate) enum Input {
    /// Every field that the path does not name comes by the query.
    Query,
    /// Every field that the path does not name is a member of the body.
    Members,
    /// One field is the whole body; the rest comes by the query.
    Whole(FieldDescriptor),
}

impl Operation {
    /// The RPC's name, unique over all services: `GetDevice`.
    pub(crate) fn name(&self) -> &str {
        self.method.name()
    }
}

impl Contract {
    /// Fails on a contract that the api could not serve as it is written.
    pub(crate) fn read(descriptors: &[u8]) -> anyhow::Result<Self> {
        let pool = DescriptorPool::decode(descriptors).context("reading the descriptors")?;
        let option = pool
            .get_extension_by_name("hoshu.rest.v1.route")
            .context("hoshu.rest.v1.route is missing in the descriptors")?;
        let mut operations = Vec::new();
        for service in pool.services() {
            let Some(noun) = public_noun(service.package_name()) else {
                continue;
            };
            for method in service.methods() {
                let name = method.full_name().to_owned();
                let operation = read_operation(noun, method, &option).with_context(|| name)?;
                operations.push(Arc::new(operation));
            }
        }
        let mut names: Vec<&str> = operations
            .iter()
            .map(|operation: &Arc<Operation>| operation.name())
            .collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            bail!("two operations are named {}", twice[0]);
        }
        Ok(Self { pool, operations })
    }

    /// Full names of the public services.
    pub(crate) fn services(&self) -> BTreeSet<String> {
        self.operations
            .iter()
            .map(|operation| operation.method.parent_service().full_name().to_owned())
            .collect()
    }
}

/// `registry` for `hoshu.registry.v1`; nothing for what only services see.
pub(crate) fn public_noun(package: &str) -> Option<&str> {
    let mut words = package.split('.');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("hoshu"), Some(noun), Some(version), None)
            if noun != "bus" && version.starts_with('v') =>
        {
            Some(noun)
        }
        _ => None,
    }
}

fn read_operation(
    noun: &str,
    method: MethodDescriptor,
    option: &ExtensionDescriptor,
) -> anyhow::Result<Operation> {
    ensure!(
        !method.is_client_streaming(),
        "client streams are not served"
    );
    let options = method.options();
    ensure!(
        options.has_extension(option),
        "has no hoshu.rest.v1.route: say at least who may call it"
    );
    let value = options.get_extension(option);
    let route = value.as_message().context("the route is no message")?;
    let access = match number(route, "access") {
        1 => Role::Viewer,
        2 => Role::Operator,
        3 => Role::Admin,
        _ => bail!("does not say who may call it"),
    };
    Ok(Operation {
        noun: noun.to_owned(),
        rpc: format!("/{}/{}", method.parent_service().full_name(), method.name()),
        access,
        rest: read_rest(&method, route)?.map(Arc::new),
        method,
    })
}

fn read_rest(method: &MethodDescriptor, route: &DynamicMessage) -> anyhow::Result<Option<Rest>> {
    let verbs = ["get", "post", "put", "patch", "delete"];
    let Some(verb) = verbs.into_iter().find(|verb| route.has_field_by_name(verb)) else {
        return Ok(None);
    };
    ensure!(
        !method.is_server_streaming(),
        "a stream is not a REST answer"
    );
    let path = text(route, verb);
    let input = method.input();
    let variables = path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let field = input
                .get_field_by_name(name)
                .with_context(|| format!("the path names {name}"))?;
            ensure!(is_scalar(&field), "{name} cannot stand in a path");
            Ok(field)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let by_name = |message: &MessageDescriptor, name: String| {
        message
            .get_field_by_name(&name)
            .with_context(|| format!("{} has no {name}", message.full_name()))
    };
    let body = text(route, "body");
    let form = match verb {
        "get" | "delete" => Input::Query,
        _ if body.is_empty() => Input::Members,
        _ => Input::Whole(by_name(&input, body)?),
    };
    let answer = text(route, "answer");
    let answer = if answer.is_empty() {
        None
    } else {
        Some(by_name(&method.output(), answer)?)
    };
    let status = match number(route, "status") {
        0 => StatusCode::OK,
        given => StatusCode::from_u16(u16::try_from(given)?)?,
    };
    let rest = Rest {
        verb: Method::from_bytes(verb.to_uppercase().as_bytes())?,
        path,
        variables,
        input: form,
        answer,
        status,
    };
    for field in input.fields() {
        check_readable(&field, &mut Vec::new())?;
        if rest.comes_by_query(&field) {
            ensure!(
                is_scalar(&field) || is_list_of_scalars(&field),
                "{} cannot stand in a query",
                field.full_name()
            );
        }
    }
    for field in method.output().fields() {
        check_readable(&field, &mut Vec::new())?;
    }
    Ok(Some(rest))
}

impl Rest {
    pub(crate) fn comes_by_path(&self, field: &FieldDescriptor) -> bool {
        self.variables.contains(field)
    }

    pub(crate) fn comes_by_query(&self, field: &FieldDescriptor) -> bool {
        !self.comes_by_path(field)
            && match &self.input {
                Input::Query => true,
                Input::Members => false,
                Input::Whole(body) => body != field,
            }
    }
}

/// Whether the field's text is JSON, to be shown inline.
pub(crate) fn is_json(field: &FieldDescriptor) -> bool {
    option(field, "hoshu.rest.v1.json").is_some_and(|value| value.as_bool() == Some(true))
}

/// What the field must be beside its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) required: bool,
    pub(crate) min: Option<u32>,
    pub(crate) max: Option<u32>,
    pub(crate) form: Option<Form>,
}

/// Texts of a form that several fields share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Name,
    DeviceName,
    MessageId,
}

impl Rule {
    pub(crate) fn of(field: &FieldDescriptor) -> Self {
        let value = option(field, "hoshu.rest.v1.rule");
        let Some(rule) = value.as_ref().and_then(Value::as_message) else {
            return Self::default();
        };
        let bound = |name| rule.has_field_by_name(name).then(|| number(rule, name));
        Self {
            required: rule
                .get_field_by_name("required")
                .is_some_and(|value| value.as_bool() == Some(true)),
            min: bound("min"),
            max: bound("max"),
            form: match number(rule, "form") {
                1 => Some(Form::Name),
                2 => Some(Form::DeviceName),
                3 => Some(Form::MessageId),
                _ => None,
            },
        }
    }
}

/// Nothing when the field does not set it.
fn option(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let option = field
        .parent_file()
        .parent_pool()
        .get_extension_by_name(name)?;
    let options = field.options();
    options
        .has_extension(&option)
        .then(|| options.get_extension(&option).into_owned())
}

pub(crate) fn is_timestamp(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

fn is_scalar(field: &FieldDescriptor) -> bool {
    !field.is_list()
        && !field.is_map()
        && field.kind().as_message().is_none_or(is_timestamp)
        && !is_json(field)
}

fn is_list_of_scalars(field: &FieldDescriptor) -> bool {
    field.is_list() && field.kind().as_message().is_none()
}

/// Refuses the kinds of fields for which the contract has no JSON form.
fn check_readable(field: &FieldDescriptor, seen: &mut Vec<String>) -> anyhow::Result<()> {
    let name = field.full_name();
    ensure!(!field.is_map(), "{name}: maps have no form in REST");
    match field.kind() {
        Kind::Bytes => bail!("{name}: bytes have no form in REST"),
        Kind::Message(message) if !is_timestamp(&message) => {
            ensure!(
                !message.full_name().starts_with("google."),
                "{name}: has no form in REST"
            );
            if !seen.iter().any(|name| name == message.full_name()) {
                seen.push(message.full_name().to_owned());
                for inner in message.fields() {
                    check_readable(&inner, seen)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn text(route: &DynamicMessage, field: &str) -> String {
    route
        .get_field_by_name(field)
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn number(message: &DynamicMessage, field: &str) -> u32 {
    match message.get_field_by_name(field).as_deref() {
        Some(Value::U32(number)) => *number,
        Some(Value::EnumNumber(number)) => u32::try_from(*number).unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_operation_can_be_served() {
        let contract = Contract::read(proto::DESCRIPTORS).unwrap();
        let find = |name: &str| {
            contract
                .operations
                .iter()
                .find(|operation| operation.name() == name)
        };
        let device = find("GetDevice").unwrap();
        assert_eq!(device.rpc, "/hoshu.registry.v1.RegistryService/GetDevice");
        assert_eq!(
            device.rest.as_ref().unwrap().path,
            "/products/{product_key}/devices/{device_name}"
        );
        assert_eq!(device.access, Role::Viewer);
        assert!(
            find("ClaimSession").is_none(),
            "what only services call is no operation"
        );
    }

    #[test]
    fn internal_packages_are_not_public() {
        assert_eq!(public_noun("hoshu.registry.v1"), Some("registry"));
        for hidden in [
            "hoshu.registry.internal.v1",
            "hoshu.bus.v1",
            "google.protobuf",
            "hoshu",
        ] {
            assert_eq!(public_noun(hidden), None, "{hidden}");
        }
    }
}
