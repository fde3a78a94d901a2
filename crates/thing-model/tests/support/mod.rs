//! The worked example's boiler, and a model with one of everything.

use thing_model::{Document, Model, Report};

/// Every message of these tests is judged at this time.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) const BOILER: &[u8] = include_bytes!("../data/boiler.json");
pub(crate) const BOILER_REPORT: &[u8] = include_bytes!("../data/boiler-report.json");

pub(crate) fn model(document: &[u8]) -> Model {
    Model::compile(&Document::parse(document).expect("the document is good"))
}

pub(crate) fn boiler() -> Model {
    model(BOILER)
}

/// A model with these properties, events and services, each a JSON list.
pub(crate) fn made_of(properties: &str, events: &str, services: &str) -> Model {
    let text = document_of(properties, events, services);
    model(text.as_bytes())
}

pub(crate) fn document_of(properties: &str, events: &str, services: &str) -> String {
    format!(
        r#"{{"profile":{{"productKey":"a1B2c3D4e5F"}},"properties":{properties},"events":{events},"services":{services}}}"#
    )
}

pub(crate) fn property(identifier: &str, access: &str, data_type: &str) -> String {
    format!(
        r#"{{"identifier":"{identifier}","name":"{identifier}","accessMode":"{access}","required":false,"dataType":{data_type}}}"#
    )
}

pub(crate) fn parameter(identifier: &str, required: bool, data_type: &str) -> String {
    format!(
        r#"{{"identifier":"{identifier}","name":"{identifier}","required":{required},"dataType":{data_type}}}"#
    )
}

/// Pointer and code of each fault.
pub(crate) fn told(report: &Report) -> Vec<(String, u32)> {
    report
        .faults()
        .iter()
        .map(|fault| (fault.pointer.clone(), fault.code))
        .collect()
}
