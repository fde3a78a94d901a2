//! TSL documents, as people hand them in.

use std::fmt::Write;

use thing_model::{Document, Model, Report, normalise};

use crate::json::is_json;

const UNREADABLE: u32 = 6318;

/// A document is read or refused; a kept one says the same as the one that was handed in.
pub fn documents(text: &[u8]) {
    let read = Document::parse(text);
    let stored = Document::parse_stored(text);
    let kept = normalise(text, "a1B2c3D4e5F");
    if let Some(is_json) = is_json(text) {
        let is_object = is_json && text.trim_ascii_start().starts_with(b"{");
        assert_eq!(stored.is_ok(), is_object);
        assert_eq!(kept.is_ok(), is_object);
    }
    if let Err(rejected) = &read {
        let unreadable = rejected.code() == UNREADABLE;
        assert_eq!(unreadable, stored.is_err());
    }
    let Ok(stored) = stored else { return };
    let kept = kept.expect("a JSON object is kept");
    judges(&Model::compile(&stored));
    assert_eq!(
        normalise(kept.as_bytes(), "a1B2c3D4e5F").as_ref(),
        Ok(&kept),
        "doing it again changes nothing"
    );
    if let Ok(read) = read {
        assert_eq!(read, stored);
        assert_eq!(Document::parse(kept.as_bytes()), Ok(read));
    }
}

/// Whatever a model says, messages can be judged by it.
fn judges(model: &Model) {
    let mut message = String::from("{");
    for (index, property) in model.properties().iter().take(50).enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let name = serde_json::Value::from(property.identifier.as_str());
        let _ = write!(message, "{comma}{name}:{{\"value\":1,\"time\":0}}");
    }
    message.push('}');
    let mut report = Report::new();
    model.check_property_post(message.as_bytes(), 1, &mut report);
    model.check_property_set(message.as_bytes(), &mut report);
    for event in model.events().iter().take(10) {
        model.check_event_post(&event.identifier, b"{}", 1, &mut report);
    }
    for service in model.services().iter().take(10) {
        model.check_service_input(&service.identifier, b"{}", &mut report);
    }
}
