//! A document compiled for checking: tables by name and in order, ready keys, sorted values.

mod members;

pub(crate) use members::{Element, Members, Type};

use members::Table;

use crate::document::{
    Access, CallType, Document, EventDefinition, EventKind, FunctionBlock, PropertyDefinition,
    ServiceDefinition,
};

/// What the devices of a product have, say and do, ready to judge their messages.
/// Immutable; share it by `Arc`.
#[derive(Debug)]
pub struct Model {
    pub(crate) property_types: Members,
    properties: Vec<Property>,
    events: Table<Event>,
    services: Table<Service>,
}

/// Features of a block with an id are named `{block}:{identifier}`, here as on the wire.
#[derive(Debug)]
pub struct Property {
    pub identifier: String,
    pub name: String,
    pub access: Access,
}

#[derive(Debug)]
pub struct Event {
    pub identifier: String,
    pub name: String,
    pub kind: EventKind,
    pub(crate) outputs: Members,
}

#[derive(Debug)]
pub struct Service {
    pub identifier: String,
    pub name: String,
    pub call_type: CallType,
    pub(crate) inputs: Members,
    pub(crate) outputs: Members,
}

impl Model {
    pub fn compile(document: &Document) -> Self {
        let mut property_types = Members::default();
        let mut properties = Vec::new();
        let mut events = Table::default();
        let mut services = Table::default();
        for block in &document.blocks {
            for property in &block.properties {
                let identifier = wire_name(block, &property.identifier);
                let PropertyDefinition {
                    name,
                    access,
                    data_type,
                    ..
                } = property;
                property_types.push(&identifier, false, Type::compile(data_type));
                properties.push(Property {
                    identifier,
                    name: name.clone(),
                    access: *access,
                });
            }
            for event in &block.events {
                let identifier = wire_name(block, &event.identifier);
                let EventDefinition {
                    name,
                    kind,
                    outputs,
                    ..
                } = event;
                let outputs = Members::compile(outputs);
                let key = identifier.clone();
                events.push(
                    key,
                    Event {
                        identifier,
                        name: name.clone(),
                        kind: *kind,
                        outputs,
                    },
                );
            }
            for service in &block.services {
                let identifier = wire_name(block, &service.identifier);
                let ServiceDefinition {
                    name,
                    call_type,
                    inputs,
                    outputs,
                    ..
                } = service;
                services.push(
                    identifier.clone(),
                    Service {
                        identifier,
                        name: name.clone(),
                        call_type: *call_type,
                        inputs: Members::compile(inputs),
                        outputs: Members::compile(outputs),
                    },
                );
            }
        }
        Self {
            property_types,
            properties,
            events,
            services,
        }
    }

    /// In the document's order; a [`crate::PropertyValue`] has the index.
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// In the document's order; an [`crate::EventValue`] has the index.
    pub fn events(&self) -> &[Event] {
        self.events.list()
    }

    /// In the document's order.
    pub fn services(&self) -> &[Service] {
        self.services.list()
    }

    pub fn property(&self, identifier: &str) -> Option<&Property> {
        self.properties.get(self.property_types.find(identifier)?)
    }

    pub fn event(&self, identifier: &str) -> Option<&Event> {
        self.events().get(self.event_index(identifier)?)
    }

    pub(crate) fn event_index(&self, identifier: &str) -> Option<usize> {
        self.events.find(identifier)
    }

    pub fn service(&self, identifier: &str) -> Option<&Service> {
        self.services().get(self.services.find(identifier)?)
    }
}

fn wire_name(block: &FunctionBlock, identifier: &str) -> String {
    match &block.id {
        Some(id) => format!("{id}:{identifier}"),
        None => identifier.to_owned(),
    }
}
