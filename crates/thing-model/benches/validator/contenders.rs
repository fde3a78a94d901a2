//! Who is measured: from a message's bytes to the number of its faults, or only to its end.

use std::hint::black_box;

use serde::de::IgnoredAny;
use thing_model::{Document, Model, Report};

use crate::models::{self, Form};

/// Every message is judged at this time.
const NOW_MS: i64 = 1_700_000_000_000;

type Run = Box<dyn FnMut(&[u8]) -> Verdict>;

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Faults(usize),
    /// By one that does not judge.
    Parsed,
}

pub(crate) fn all(properties: usize, form: Form) -> Vec<Contender> {
    let named = |name, run| Contender { name, run };
    vec![
        named("ours", ours(properties)),
        named("jsonschema", jsonschema(properties, form)),
        named("serde_json, ignored", Box::new(serde_json_ignored)),
        named("sonic-rs, ignored", Box::new(sonic_ignored)),
        named("sonic-rs, value", Box::new(sonic_value)),
        named("simd-json, tape", simd_tape()),
    ]
}

fn ours(properties: usize) -> Run {
    let document = Document::parse(models::document(properties).as_bytes()).expect("a document");
    let model = Model::compile(&document);
    let mut report = Report::new();
    Box::new(move |bytes| {
        model.check_property_post(bytes, NOW_MS, &mut report);
        Verdict::Faults(report.total_faults())
    })
}

/// With each fault's pointer and words, as ours has them.
fn jsonschema(properties: usize, form: Form) -> Run {
    let schema = serde_json::from_str(&models::schema(properties, form)).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    Box::new(move |bytes| {
        let message: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
        let told = validator.iter_errors(&message);
        let told =
            told.map(|error| black_box((error.instance_path().to_string(), error.to_string())));
        Verdict::Faults(told.count())
    })
}

fn serde_json_ignored(bytes: &[u8]) -> Verdict {
    serde_json::from_slice::<IgnoredAny>(bytes).expect("JSON");
    Verdict::Parsed
}

fn sonic_ignored(bytes: &[u8]) -> Verdict {
    sonic_rs::from_slice::<IgnoredAny>(bytes).expect("JSON");
    Verdict::Parsed
}

fn sonic_value(bytes: &[u8]) -> Verdict {
    black_box(sonic_rs::from_slice::<sonic_rs::Value>(bytes).expect("JSON"));
    Verdict::Parsed
}

/// It writes into what it reads, so it has a copy each time.
fn simd_tape() -> Run {
    let mut copy = Vec::new();
    let mut buffers = simd_json::Buffers::default();
    Box::new(move |bytes| {
        copy.clear();
        copy.extend_from_slice(bytes);
        black_box(simd_json::to_tape_with_buffers(&mut copy, &mut buffers).expect("JSON"));
        Verdict::Parsed
    })
}
