//! The one-pass validator against a slow one that walks a tree: the same faults at the same
//! places in the same order, on models and messages made by chance.

#![allow(dead_code, reason = "each test file uses its part of the support")]

mod chance;
mod reference;
mod support;

use std::collections::BTreeSet;

use chance::{Chance, Value};
use proptest::prelude::*;
use support::{NOW_MS, told};
use thing_model::{Document, Model, Report};

/// What a seed makes.
struct Case {
    chance: Chance,
    document: Document,
    model: Model,
}

fn case(seed: u64) -> Case {
    let mut chance = Chance::new(seed);
    let text = chance.document();
    let document =
        Document::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let model = Model::compile(&document);
    Case {
        chance,
        document,
        model,
    }
}

fn agree(
    kind: &str,
    text: &str,
    out: &Report,
    expected: &reference::Faults,
) -> Result<(), TestCaseError> {
    let expected: Vec<(String, u32)> = reference::in_order(expected);
    prop_assert_eq!(out.total_faults(), expected.len(), "{} {}", kind, text);
    let kept = expected.len().min(thing_model::fault::FAULTS_KEPT);
    prop_assert_eq!(&told(out)[..], &expected[..kept], "{} {}", kind, text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_has_the_slow_validators_verdict(seed in any::<u64>()) {
        let Case { mut chance, document, model } = case(seed);
        let block = &document.blocks[0];
        let mut out = Report::new();
        for _ in 0..4 {
            let message = chance.report(&block.properties);
            let text = chance.write(&message);
            model.check_property_post(text.as_bytes(), NOW_MS, &mut out);
            agree("post", &text, &out, &reference::post(block, &message))?;
            if out.is_good() {
                let Value::Object(members) = &message else { panic!("reports are objects") };
                prop_assert_eq!(out.values.len(), members.len());
                for (value, (name, _)) in out.values.iter().zip(members) {
                    prop_assert_eq!(&model.properties()[value.property].identifier, name);
                    prop_assert!(serde_json::from_slice::<serde_json::Value>(value.span.of(text.as_bytes())).is_ok());
                }
            }
            model.check_property_set(text.as_bytes(), &mut out);
            agree("set", &text, &out, &reference::set(block, &message))?;
        }
        for event in &block.events {
            let message = chance.event(&event.outputs);
            let text = chance.write(&message);
            model.check_event_post(&event.identifier, text.as_bytes(), NOW_MS, &mut out);
            agree("event", &text, &out, &reference::event(&event.outputs, &message))?;
        }
        for service in &block.services {
            let message = chance.parameters(&service.inputs);
            let text = chance.write(&message);
            model.check_service_input(&service.identifier, text.as_bytes(), &mut out);
            agree("input", &text, &out, &reference::parameters(&service.inputs, &message))?;
        }
    }

    #[test]
    fn a_broken_message_is_6207_and_never_a_panic(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let Case { mut chance, document, model } = case(seed);
        let message = chance.report(&document.blocks[0].properties);
        let mut bytes = chance.write(&message).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        // `serde_json` refuses a number beyond a double where it meets it; ours is grammatical.
        let known = String::from_utf8_lossy(&bytes).replace("1e400", "1e300");
        let oracle = if known.contains('\u{fffd}') { bytes.clone() } else { known.into_bytes() };
        let json = match serde_json::from_slice::<serde_json::Value>(&oracle) {
            Ok(_) => true,
            Err(error) if error.to_string().starts_with("number out of range") => return Ok(()),
            Err(_) => false,
        };
        let mut out = Report::new();
        model.check_property_post(&bytes, NOW_MS, &mut out);
        let broken = told(&out) == [(String::new(), 6207)] && out.faults()[0].message.starts_with("not JSON");
        prop_assert_eq!(!json, broken, "{}", String::from_utf8_lossy(&bytes));
        model.check_batch_post(&bytes, NOW_MS, &mut out);
        for event in model.events() {
            model.check_event_post(&event.identifier, &bytes, NOW_MS, &mut out);
        }
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let model = support::boiler();
        let mut out = Report::new();
        model.check_property_post(&bytes, NOW_MS, &mut out);
        model.check_event_post("OverPressure", &bytes, NOW_MS, &mut out);
        let _ = Document::parse(&bytes);
        let _ = thing_model::normalise(&bytes, "pk");
    }
}

#[test]
fn chance_meets_every_code_of_a_value() {
    let mut met = BTreeSet::new();
    let mut out = Report::new();
    for seed in 0..2000 {
        let Case {
            mut chance,
            document,
            model,
        } = case(seed);
        let report = chance.report(&document.blocks[0].properties);
        let report = chance.write(&report);
        model.check_property_post(report.as_bytes(), NOW_MS, &mut out);
        met.insert(out.code());
        let inputs = chance.parameters(&document.blocks[0].services[0].inputs);
        let inputs = chance.write(&inputs);
        model.check_service_input("S", inputs.as_bytes(), &mut out);
        met.insert(out.code());
    }
    let codes = [
        200, 460, 6207, 6302, 6304, 6306, 6307, 6308, 6309, 6310, 6311, 6312, 6320, 6322, 6324,
        6328,
    ];
    assert_eq!(met, BTreeSet::from(codes));
}
