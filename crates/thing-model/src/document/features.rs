//! Properties, events, services and their parameters.

use std::collections::HashSet;

use super::reader::Reader;
use super::{
    Access, CallType, DataType, EventDefinition, EventKind, FunctionBlock, Parameter,
    PropertyDefinition, ServiceDefinition, identifier,
};
use crate::fault;
use crate::json::Json;
use crate::path::Path;

/// Features of a function block, at most; the generated ones do not count.
const FEATURES: usize = 300;

/// Inputs, and outputs, of one service or event, at most.
const PARAMETERS: usize = 100;

/// Inputs and outputs of one service or event together, members of structs counted, at most.
const PARAMETERS_IN_ALL: usize = 300;

pub(super) const GENERATED_EVENTS: [&str; 1] = ["post"];
pub(super) const GENERATED_SERVICES: [&str; 2] = ["set", "get"];

/// Whether an entry is one of those that the platform writes itself.
pub(super) fn is_generated(entry: &Json, generated: &[&str]) -> bool {
    entry
        .get("identifier")
        .and_then(Json::text)
        .is_some_and(|text| generated.contains(&text))
}

/// Bytes that the generated entries of a function block take in the text.
pub(super) fn generated_bytes(block: &Json) -> usize {
    let entries = |name, generated: &'static [&str]| {
        let list = block.get(name).and_then(Json::elements).unwrap_or_default();
        list.iter()
            .filter(|entry| is_generated(entry, generated))
            .map(|entry| entry.span.range().len())
    };
    entries("events", &GENERATED_EVENTS)
        .chain(entries("services", &GENERATED_SERVICES))
        .sum()
}

/// What every named part has.
struct Named {
    identifier: String,
    name: String,
    required: bool,
}

impl Reader<'_> {
    pub(super) fn features(
        &mut self,
        json: &Json,
        id: Option<String>,
        path: &Path<'_>,
    ) -> FunctionBlock {
        let mut taken = HashSet::new();
        let mut count = 0;
        let mut block = FunctionBlock {
            id,
            properties: Vec::new(),
            events: Vec::new(),
            services: Vec::new(),
        };
        self.entries(
            json,
            "properties",
            &[],
            &mut count,
            path,
            |reader, entry, path| {
                block
                    .properties
                    .extend(reader.property(entry, &mut taken, path));
            },
        );
        self.entries(
            json,
            "events",
            &GENERATED_EVENTS,
            &mut count,
            path,
            |reader, entry, path| {
                let event = reader.event(entry, block.id.as_deref(), &mut taken, path);
                block.events.extend(event);
            },
        );
        let generated = &GENERATED_SERVICES;
        self.entries(
            json,
            "services",
            generated,
            &mut count,
            path,
            |reader, entry, path| {
                let service = reader.service(entry, block.id.as_deref(), &mut taken, path);
                block.services.extend(service);
            },
        );
        self.at_most(count, FEATURES, "features", path);
        block
    }

    /// Goes through a list of features, which are objects; generated ones are passed over.
    fn entries(
        &mut self,
        json: &Json,
        name: &str,
        generated: &[&str],
        count: &mut usize,
        path: &Path<'_>,
        mut each: impl FnMut(&mut Self, &Json, &Path<'_>),
    ) {
        let list = self.list(json, name, path);
        let path = Path::Key(path, name);
        for (index, entry) in list.iter().enumerate() {
            if is_generated(entry, generated) {
                continue;
            }
            *count += 1;
            let path = Path::Index(&path, index);
            if entry.members().is_some() {
                each(self, entry, &path);
            } else {
                let message = format!("{} is no object", self.shown(entry));
                self.refuse(&path, fault::MODEL_WRONG, message);
            }
        }
    }

    fn property(
        &mut self,
        entry: &Json,
        taken: &mut HashSet<String>,
        path: &Path<'_>,
    ) -> Option<PropertyDefinition> {
        let named = self.feature(entry, taken, path);
        let modes = [("r", Access::Read), ("rw", Access::ReadWrite)];
        let access = self.choice(entry, "accessMode", &modes, path);
        let data_type = self.data_type(entry, true, path);
        let Named {
            identifier,
            name,
            required,
        } = named?;
        Some(PropertyDefinition {
            identifier,
            name,
            access: access.unwrap_or(Access::Read),
            required,
            data_type,
        })
    }

    fn event(
        &mut self,
        entry: &Json,
        block: Option<&str>,
        taken: &mut HashSet<String>,
        path: &Path<'_>,
    ) -> Option<EventDefinition> {
        let named = self.feature(entry, taken, path);
        let kinds = [
            ("info", EventKind::Info),
            ("alert", EventKind::Alert),
            ("error", EventKind::Error),
        ];
        let kind = self.choice(entry, "type", &kinds, path);
        let outputs = self.parameters(entry, "outputData", path);
        self.parameters_in_all(&[&outputs], path);
        let Named {
            identifier, name, ..
        } = named?;
        self.method(entry, "event", block, &identifier, ".post", path);
        let kind = kind.unwrap_or(EventKind::Info);
        Some(EventDefinition {
            identifier,
            name,
            kind,
            outputs,
        })
    }

    fn service(
        &mut self,
        entry: &Json,
        block: Option<&str>,
        taken: &mut HashSet<String>,
        path: &Path<'_>,
    ) -> Option<ServiceDefinition> {
        let named = self.feature(entry, taken, path);
        let calls = [("async", CallType::Async), ("sync", CallType::Sync)];
        let call_type = self.choice(entry, "callType", &calls, path);
        let inputs = self.parameters(entry, "inputData", path);
        let outputs = self.parameters(entry, "outputData", path);
        self.parameters_in_all(&[&inputs, &outputs], path);
        let Named {
            identifier, name, ..
        } = named?;
        self.method(entry, "service", block, &identifier, "", path);
        let call_type = call_type.unwrap_or(CallType::Async);
        Some(ServiceDefinition {
            identifier,
            name,
            call_type,
            inputs,
            outputs,
        })
    }

    fn feature(
        &mut self,
        entry: &Json,
        taken: &mut HashSet<String>,
        path: &Path<'_>,
    ) -> Option<Named> {
        let identifier = self.identifier(entry, taken, true, path);
        let name = self
            .text(entry, "name", path)
            .unwrap_or_default()
            .to_owned();
        let required = self.required(entry, path);
        Some(Named {
            identifier: identifier?,
            name,
            required,
        })
    }

    fn identifier(
        &mut self,
        entry: &Json,
        taken: &mut HashSet<String>,
        feature: bool,
        path: &Path<'_>,
    ) -> Option<String> {
        let identifier = self.text(entry, "identifier", path)?;
        let path = Path::Key(path, "identifier");
        if let Err(message) = identifier::check(identifier, feature) {
            self.refuse(&path, fault::MODEL_WRONG, message);
            return None;
        }
        if !taken.insert(identifier.to_owned()) {
            let message = format!("the identifier `{identifier}` is there twice");
            self.refuse(&path, fault::MODEL_WRONG, message);
            return None;
        }
        Some(identifier.to_owned())
    }

    /// `method` may be absent, but not contradict the identifier.
    fn method(
        &mut self,
        entry: &Json,
        kind: &str,
        block: Option<&str>,
        identifier: &str,
        end: &str,
        path: &Path<'_>,
    ) {
        let Some(method) = self.optional_text(entry, "method", path) else {
            return;
        };
        let short = format!("thing.{kind}.{identifier}{end}");
        let long = block.map(|block| format!("thing.{kind}.{block}:{identifier}{end}"));
        if method != short && Some(method) != long.as_deref() {
            let message = format!("the method is not `{short}`");
            self.refuse(&Path::Key(path, "method"), fault::MODEL_WRONG, message);
        }
    }

    fn parameters(&mut self, entry: &Json, name: &str, path: &Path<'_>) -> Vec<Parameter> {
        let list = self.list(entry, name, path);
        let path = Path::Key(path, name);
        self.at_most(list.len(), PARAMETERS, "parameters", &path);
        self.parameter_list(list, true, &path)
    }

    /// Inputs, outputs, or the members of a struct (which are no structs or arrays).
    pub(super) fn parameter_list(
        &mut self,
        list: &[Json],
        deep: bool,
        path: &Path<'_>,
    ) -> Vec<Parameter> {
        let mut taken = HashSet::new();
        let mut parameters = Vec::with_capacity(list.len());
        for (index, entry) in list.iter().enumerate() {
            let path = Path::Index(path, index);
            if entry.members().is_none() {
                let message = format!("{} is no object", self.shown(entry));
                self.refuse(&path, fault::PARAMETER_TYPE, message);
                continue;
            }
            let identifier = self.identifier(entry, &mut taken, false, &path);
            self.text(entry, "name", &path);
            let required = self.required(entry, &path);
            let data_type = self.data_type(entry, deep, &path);
            parameters.extend(identifier.map(|identifier| Parameter {
                identifier,
                required,
                data_type,
            }));
        }
        parameters
    }

    fn parameters_in_all(&mut self, lists: &[&[Parameter]], path: &Path<'_>) {
        let members = |parameter: &Parameter| match &parameter.data_type {
            DataType::Struct(members) => members.len(),
            DataType::Array { item, .. } => match item.as_ref() {
                DataType::Struct(members) => members.len(),
                _ => 0,
            },
            _ => 0,
        };
        let count = lists
            .iter()
            .flat_map(|list| list.iter())
            .map(|one| 1 + members(one))
            .sum();
        self.at_most(
            count,
            PARAMETERS_IN_ALL,
            "parameters and struct members",
            path,
        );
    }
}
