use serde_json::{Value, json};
use thing_model::Document;

use super::*;

const NOW: i64 = 1_700_000_000_000;

const BOILER: &str = r#"{"properties":[
    {"identifier":"pressure","name":"p","accessMode":"r","dataType":{"type":"float","specs":{"min":"0","max":"16"}}},
    {"identifier":"cycles","name":"c","accessMode":"r","dataType":{"type":"int","specs":{"min":"0","max":"1000"}}}],
  "events":[
    {"identifier":"OverPressure","name":"o","type":"alert","outputData":[
        {"identifier":"peak","name":"k","dataType":{"type":"float","specs":{"min":"0","max":"40"}}}]}],
  "services":[
    {"identifier":"Purge","name":"P","callType":"async","inputData":[
        {"identifier":"seconds","name":"s","required":true,"dataType":{"type":"int","specs":{"min":"1","max":"600"}}}],
     "outputData":[{"identifier":"done","name":"d","dataType":{"type":"bool","specs":{"0":"n","1":"y"}}}]}]}"#;

fn boiler() -> ProductModel {
    let document = Document::parse(BOILER.as_bytes()).expect("a good document");
    ProductModel {
        version: 3,
        document: BOILER.into(),
        model: Arc::new(Model::compile(&document)),
    }
}

fn up<'a>(topic: &'a str, payload: &'a str) -> UpMessage<'a> {
    UpMessage {
        topic,
        payload: payload.as_bytes(),
        received_at: NOW,
        edition: Edition::Pro,
        raw: false,
        throttled: false,
    }
}

fn judged<'a>(message: UpMessage<'a>, product: Option<&'a ProductModel>) -> Verdict<'a> {
    judge(&message, product, &mut Report::new(), NOW)
}

fn reply(verdict: &Verdict<'_>) -> Value {
    let reply = verdict.reply.as_ref().expect("it is answered");
    serde_json::from_slice(&reply.payload).expect("a reply is JSON")
}

const POST: &str = "/sys/pk/boiler_01/thing/event/property/post";
const EVENT: &str = "/sys/pk/boiler_01/thing/event/OverPressure/post";

#[test]
fn a_good_report_leaves_its_values_and_is_answered() {
    let boiler = boiler();
    let payload =
        r#"{"id":"7|x","params":{"pressure":6.2,"cycles":{"value":5.0,"time":1699999999000}}}"#;
    let verdict = judged(up(POST, payload), Some(&boiler));
    let values: Vec<_> = verdict
        .values
        .iter()
        .map(|value| (value.identifier, &*value.json, value.at_ms))
        .collect();
    assert_eq!(
        values,
        [("pressure", "6.2", NOW), ("cycles", "5", 1_699_999_999_000)]
    );
    let sent = verdict.reply.as_ref().expect("it is answered");
    assert_eq!(sent.topic, format!("{POST}_reply"));
    assert_eq!(
        reply(&verdict),
        json!({"id":"7|x","code":200,"data":{},"message":"success",
               "method":"thing.event.property.post","version":"1.0"})
    );
    let said = verdict.said.expect("it makes a TSL line");
    assert_eq!(
        (said.code, said.version, &*said.id),
        (200, Some(3), "\"7|x\"")
    );
}

#[test]
fn an_event_is_kept_wrapped_or_bare() {
    let boiler = boiler();
    for (params, at) in [
        (r#"{"peak":20}"#, NOW),
        (
            r#"{"value":{"peak":20},"time":1699999999000}"#,
            1_699_999_999_000,
        ),
    ] {
        let payload = format!(r#"{{"id":1,"params":{params}}}"#);
        let verdict = judged(up(EVENT, &payload), Some(&boiler));
        let event = &verdict.events[0];
        assert_eq!(
            (event.identifier, &*event.data, event.at_ms),
            ("OverPressure", r#"{"peak":20}"#, at)
        );
        assert_eq!(event.kind, EventKind::Alert);
    }
}

#[test]
fn every_verdict_has_its_code_and_leaves_nothing_behind() {
    let boiler = boiler();
    let future = format!(
        r#"{{"id":"1","params":{{"pressure":{{"value":1,"time":{}}}}}}}"#,
        NOW + 90_000_000
    );
    let deep = format!(
        r#"{{"id":"1","params":{{"pressure":{}{}}}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let table = [
        (POST, "not json", Some(&boiler), 6207),
        (POST, "[]", Some(&boiler), 6207),
        (POST, r#"{"id":"1","params":[]}"#, Some(&boiler), 6207),
        (POST, &deep, Some(&boiler), 6207),
        (
            POST,
            r#"{"id":"1","method":5,"params":{"flow":1}}"#,
            Some(&boiler),
            6450,
        ),
        (
            POST,
            r#"{"id":"1","method":"thing.event.x.post","params":{"flow":1}}"#,
            Some(&boiler),
            6300,
        ),
        (
            POST,
            r#"{"id":"1","params":{"flow":1}}"#,
            Some(&boiler),
            6320,
        ),
        (
            POST,
            r#"{"id":"1","params":{"pressure":17,"cycles":1.5}}"#,
            Some(&boiler),
            6307,
        ),
        (
            POST,
            r#"{"id":"1","params":{"cycles":"5"}}"#,
            Some(&boiler),
            6306,
        ),
        (POST, &future, Some(&boiler), 460),
        (POST, r#"{"id":"1","params":{"pressure":1}}"#, None, 5159),
        (EVENT, r#"{"id":"1","params":{"peak":1}}"#, None, 5160),
        (
            EVENT,
            r#"{"id":"1","params":{"speed":1}}"#,
            Some(&boiler),
            6304,
        ),
        (
            "/sys/pk/boiler_01/thing/event/Fire/post",
            r#"{"id":"1","params":{}}"#,
            Some(&boiler),
            6300,
        ),
        (
            "/sys/pk/boiler_01/thing/event/property/history/post",
            r#"{"id":"1","params":[{"identity":{"productKey":"pk","deviceName":"other_01"},"properties":[]}]}"#,
            Some(&boiler),
            6401,
        ),
    ];
    for (topic, payload, product, code) in table {
        let verdict = judged(up(topic, payload), product);
        assert_eq!(reply(&verdict)["code"], code, "{payload:.80}");
        assert_eq!(
            verdict.said.as_ref().map(|said| said.code),
            Some(code),
            "{payload:.80}"
        );
        assert!(
            verdict.values.is_empty() && verdict.events.is_empty(),
            "{payload:.80}"
        );
    }
}

#[test]
fn a_refused_report_names_every_fault() {
    let boiler = boiler();
    let payload = r#"{"id":"1","params":{"pressure":17,"cycles":1.5,"flow":2}}"#;
    let verdict = judged(up(POST, payload), Some(&boiler));
    let codes: Vec<_> = verdict
        .said
        .as_ref()
        .unwrap()
        .errors
        .iter()
        .map(|fault| fault.code)
        .collect();
    assert_eq!(codes, [6307, 6306, 6320]);
    let data = &reply(&verdict)["data"];
    let named: Vec<_> = data
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(named, ["cycles", "flow", "pressure"]);
}

#[test]
fn a_device_that_wants_no_answer_gets_none() {
    let boiler = boiler();
    let payload = r#"{"id":"1","sys":{"ack":0},"params":{"pressure":1}}"#;
    let verdict = judged(up(POST, payload), Some(&boiler));
    assert!(verdict.reply.is_none());
    assert_eq!(verdict.values.len(), 1);
}

#[test]
fn a_basic_product_is_answered_and_never_judged() {
    let payload = r#"{"id":"1","params":{"anything":1}}"#;
    let verdict = judged(
        UpMessage {
            edition: Edition::Basic,
            ..up(POST, payload)
        },
        None,
    );
    assert_eq!(reply(&verdict)["code"], 200);
    assert!(verdict.said.is_none() && verdict.values.is_empty());
}

#[test]
fn what_came_over_its_rate_is_told_so() {
    let boiler = boiler();
    let payload = r#"{"id":"1","params":{"pressure":1}}"#;
    let verdict = judged(
        UpMessage {
            throttled: true,
            ..up(POST, payload)
        },
        Some(&boiler),
    );
    assert_eq!(reply(&verdict)["code"], 6452);
    assert_eq!(verdict.said.map(|said| said.code), Some(6452));
    assert!(verdict.values.is_empty());
}

#[test]
fn raw_bytes_are_carried_and_json_of_raw_products_is_refused() {
    let raw = UpMessage {
        raw: true,
        ..up("/sys/pk/boiler_01/thing/model/up_raw", "\u{1}\u{2}")
    };
    let verdict = judged(raw, None);
    assert!(verdict.reply.is_none() && verdict.said.is_none());
    let boiler = boiler();
    let json = UpMessage {
        raw: true,
        ..up(POST, r#"{"id":"1","params":{"pressure":1}}"#)
    };
    assert_eq!(reply(&judged(json, Some(&boiler)))["code"], 6207);
}

#[test]
fn history_leaves_events_and_no_latest_value() {
    let boiler = boiler();
    let payload = r#"{"id":"1","params":[{"identity":{"productKey":"pk","deviceName":"boiler_01"},
        "properties":[{"pressure":{"value":1,"time":1600000000000}}],
        "events":[{"OverPressure":{"value":{"peak":1},"time":1600000000000}}]}]}"#;
    let verdict = judged(
        up(
            "/sys/pk/boiler_01/thing/event/property/history/post",
            payload,
        ),
        Some(&boiler),
    );
    assert_eq!(reply(&verdict)["code"], 200);
    assert!(verdict.values.is_empty());
    assert_eq!(verdict.events[0].at_ms, 1_600_000_000_000);
}

#[test]
fn questions_about_itself_are_answered() {
    let boiler = boiler();
    let payload = r#"{"id":"1","params":{}}"#;
    let model = judged(
        up("/sys/pk/boiler_01/thing/dsltemplate/get", payload),
        Some(&boiler),
    );
    assert_eq!(
        reply(&model)["data"]["properties"][0]["identifier"],
        "pressure"
    );
    let none = judged(up("/sys/pk/boiler_01/thing/dsltemplate/get", payload), None);
    assert_eq!(reply(&none)["code"], 5159);
    for topic in [
        "thing/property/desired/get",
        "thing/property/desired/delete",
        "thing/deviceinfo/update",
        "thing/deviceinfo/delete",
    ] {
        let topic = format!("/sys/pk/boiler_01/{topic}");
        let verdict = judged(up(&topic, r#"{"id":"1","params":[]}"#), Some(&boiler));
        assert_eq!(
            (&reply(&verdict)["code"], &reply(&verdict)["data"]),
            (&json!(200), &json!({}))
        );
        assert!(verdict.said.is_none());
    }
}

#[test]
fn an_answer_names_its_question() {
    let wire = |id, method: &str| Question::Wire {
        id,
        method: method.into(),
    };
    let table = [
        (
            "/sys/pk/boiler_01/thing/service/property/set_reply",
            r#"{"id":"81","code":200}"#,
            wire(81, "thing.service.property.set"),
            200,
        ),
        (
            "/sys/pk/boiler_01/thing/service/Purge_reply",
            r#"{"id":81,"code":"100001"}"#,
            wire(81, "thing.service.Purge"),
            100_001,
        ),
        (
            "/sys/pk/boiler_01/rrpc/response/5",
            r#"{"id":"9","code":200}"#,
            Question::Rrpc { id: 5 },
            200,
        ),
        (
            "/ext/rrpc/5/sys/pk/boiler_01/thing/service/Purge",
            "garbage",
            Question::Rrpc { id: 5 },
            6207,
        ),
        (
            "/sys/pk/boiler_01/thing/service/Purge_reply",
            r#"{"id":"x","code":200}"#,
            Question::Unreadable,
            200,
        ),
        (
            "/sys/pk/boiler_01/thing/service/Purge_reply",
            r#"{"id":"81"}"#,
            Question::Unreadable,
            6207,
        ),
    ];
    for (topic, payload, question, code) in table {
        let verdict = judged(up(topic, payload), None);
        let answer = verdict.answer.expect("it is an answer");
        assert_eq!(
            (answer.question, answer.code),
            (question, code),
            "{topic} {payload}"
        );
        assert!(verdict.reply.is_none());
    }
}

#[test]
fn an_answers_outputs_are_judged_if_it_says_success() {
    let boiler = boiler();
    let table = [
        (r#"{"id":"1","code":200,"data":{"done":1}}"#, 200, 0),
        (r#"{"id":"1","code":200,"data":{"done":7}}"#, 6308, 1),
        (r#"{"id":"1","code":500,"data":{"done":7}}"#, 500, 0),
    ];
    for (payload, code, errors) in table {
        let verdict = judged(
            up("/sys/pk/boiler_01/thing/service/Purge_reply", payload),
            Some(&boiler),
        );
        let answer = verdict.answer.unwrap();
        let said = answer.said("thing.service.Purge", Some(&boiler), &mut Report::new());
        assert_eq!((said.code, said.errors.len()), (code, errors), "{payload}");
    }
}

#[test]
fn a_check_gives_the_verdict_that_a_message_would_get() {
    let boiler = boiler();
    let table = [
        (
            "thing.event.property.post",
            r#"{"pressure":1}"#,
            Some(&boiler),
            None,
        ),
        (
            "thing.event.property.post",
            r#"{"pressure":17}"#,
            Some(&boiler),
            Some(6307),
        ),
        (
            "thing.event.property.batch.post",
            r#"{"properties":{"pressure":[{"value":1}]}}"#,
            Some(&boiler),
            None,
        ),
        (
            "thing.event.OverPressure.post",
            r#"{"peak":1}"#,
            Some(&boiler),
            None,
        ),
        ("thing.event.Fire.post", "{}", Some(&boiler), Some(6300)),
        (
            "thing.service.property.set",
            r#"{"pressure":1}"#,
            Some(&boiler),
            Some(460),
        ),
        (
            "thing.service.Purge",
            r#"{"seconds":5}"#,
            Some(&boiler),
            None,
        ),
        ("thing.service.Purge", "{}", Some(&boiler), Some(6302)),
        ("thing.dance", "{}", Some(&boiler), Some(6300)),
        ("thing.event.property.post", "{}", None, Some(5159)),
        ("thing.event.OverPressure.post", "{}", None, Some(5160)),
        ("thing.service.Purge", "{}", None, Some(6206)),
    ];
    for (method, params, product, code) in table {
        let faults = check(method, params, product, &mut Report::new(), NOW);
        assert_eq!(
            faults.first().map(|fault| fault.code),
            code,
            "{method} {params}"
        );
    }
}
