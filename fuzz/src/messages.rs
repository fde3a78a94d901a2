//! What devices say, judged by models that have one of everything.

use std::sync::{Arc, LazyLock};

use thing_model::{Document, Model, Report, Span, check_history_post};

use crate::json::is_json;

const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) static MODELS: LazyLock<Vec<Arc<Model>>> = LazyLock::new(|| {
    let documents: [&[u8]; 2] = [
        include_bytes!("../../docs/examples/boiler.tsl.json"),
        include_bytes!("models/everything.json"),
    ];
    let compile = |text| Model::compile(&Document::parse(text).expect("the document is good"));
    documents
        .into_iter()
        .map(|text| Arc::new(compile(text)))
        .collect()
});

/// Each form of a message is judged; a text is JSON to us as it is to `serde_json`.
pub fn messages(text: &[u8]) {
    let is_json = is_json(text);
    let mut report = Report::new();
    for model in &*MODELS {
        let judged = |report: &Report| told(text, is_json, report);
        model.check_property_post(text, NOW_MS, &mut report);
        judged(&report);
        model.check_batch_post(text, NOW_MS, &mut report);
        judged(&report);
        check_history_post(text, NOW_MS, |_| Ok(model.clone()), &mut report);
        judged(&report);
        model.check_property_set(text, &mut report);
        judged(&report);
        model.check_set_reply(text, &mut report);
        judged(&report);
        for event in model.events() {
            model.check_event_post(&event.identifier, text, NOW_MS, &mut report);
            judged(&report);
        }
        for service in model.services() {
            model.check_service_input(&service.identifier, text, &mut report);
            judged(&report);
            model.check_service_output(&service.identifier, text, &mut report);
            judged(&report);
        }
    }
}

fn told(text: &[u8], is_json: Option<bool>, report: &Report) {
    let not_json = report
        .faults()
        .iter()
        .any(|fault| fault.message.starts_with("not JSON"));
    if let Some(is_json) = is_json {
        assert_eq!(!not_json, is_json);
    }
    assert!(report.faults().len() <= thing_model::fault::FAULTS_KEPT);
    assert_eq!(
        report.is_good(),
        report.code() == thing_model::fault::SUCCESS
    );
    if !report.is_good() {
        return;
    }
    let whole = |span: Span| {
        let inside = span.start < span.end && span.end <= text.len();
        assert!(inside, "{span:?} lies outside");
    };
    for value in &report.values {
        whole(value.span);
        let json = value.json(text);
        assert_eq!(crate::json::is_json(json.as_bytes()), Some(true), "{json}");
    }
    for event in &report.events {
        whole(event.span);
        assert_eq!(crate::json::is_json(event.span.of(text)), Some(true));
    }
    for element in &report.elements {
        assert!(element.values.end <= report.values.len());
        assert!(element.events.end <= report.events.len());
    }
}
