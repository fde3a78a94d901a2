//! Every code that a message can raise, each where codes.md says so.

#![allow(dead_code, reason = "each test file uses its part of the support")]

mod support;

use std::sync::Arc;

use support::{BOILER, NOW_MS, boiler, document_of, made_of, parameter, property, told};
use thing_model::{CallType, Document, Fault, Identity, Model, Report, check_history_post, fault};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A message's faults must be exactly these, in this order: `pointer code` each.
fn expect(case: &str, report: &Report, faults: &[&str]) {
    let told: Vec<String> = told(report)
        .iter()
        .map(|(pointer, code)| format!("{pointer} {code}"))
        .collect();
    assert_eq!(told, faults, "{case}");
    assert_eq!(report.total_faults(), faults.len(), "{case}");
    let first = faults
        .first()
        .map_or("200", |first| first.rsplit(' ').next().unwrap_or_default());
    assert_eq!(report.code().to_string(), first, "{case}");
    for fault in report.faults() {
        assert!(
            (1..300).contains(&fault.message.len()),
            "{case}: {}",
            fault.message
        );
    }
}

#[test]
fn a_property_report_is_told_every_fault() {
    let model = boiler();
    let mut out = Report::new();
    for (params, faults) in [
        ("{}", &[][..]),
        (r#"{"cycles":412}"#, &[]),
        (r#"{"cycles":412.0}"#, &[]),
        (r#"{"cycles":4.12e2}"#, &[]),
        (r#"{"cycles":-0}"#, &[]),
        (r#"{"cycles":"412"}"#, &["/cycles 6306"]),
        (r#"{"cycles":412.5}"#, &["/cycles 6306"]),
        (r#"{"cycles":1000001}"#, &["/cycles 6306"]),
        (r#"{"cycles":-1}"#, &["/cycles 6306"]),
        (r#"{"cycles":99999999999999999999}"#, &["/cycles 6306"]),
        (r#"{"cycles":null}"#, &["/cycles 6306"]),
        (r#"{"cycles":true}"#, &["/cycles 6306"]),
        (r#"{"cycles":[1]}"#, &["/cycles 6306"]),
        (r#"{"pressure":6}"#, &[]),
        (r#"{"pressure":16}"#, &[]),
        (r#"{"pressure":16.1}"#, &["/pressure 6307"]),
        (r#"{"pressure":"6.2"}"#, &["/pressure 6307"]),
        (r#"{"pressure":1e400}"#, &["/pressure 6307"]),
        (r#"{"pressure":{"x":1}}"#, &["/pressure 6307"]),
        (r#"{"energy":1e9}"#, &[]),
        (r#"{"energy":1e400}"#, &["/energy 6322"]),
        (r#"{"energy":-1}"#, &["/energy 6322"]),
        (r#"{"energy":false}"#, &["/energy 6322"]),
        (r#"{"running":1}"#, &[]),
        (r#"{"running":true}"#, &["/running 6308"]),
        (r#"{"running":2}"#, &["/running 6308"]),
        (r#"{"mode":2}"#, &[]),
        (r#"{"mode":3}"#, &["/mode 6309"]),
        (r#"{"mode":"2"}"#, &["/mode 6309"]),
        (r#"{"label":"west"}"#, &[]),
        (r#"{"label":7}"#, &["/label 6310"]),
        (r#"{"lastService":"1699000000000"}"#, &[]),
        (r#"{"lastService":"\u0031699000000000"}"#, &[]),
        (r#"{"lastService":1699000000000}"#, &["/lastService 6311"]),
        (r#"{"lastService":"2023-11-03"}"#, &["/lastService 6311"]),
        (r#"{"lastService":""}"#, &["/lastService 6311"]),
        (r#"{"lastService":"-1"}"#, &["/lastService 6311"]),
        (r#"{"flame":{"temp":1,"lit":0}}"#, &[]),
        (r#"{"flame":{"lit":0,"temp":1}}"#, &[]),
        (r#"{"flame":{"temp":1}}"#, &["/flame 6312"]),
        (r#"{"flame":{}}"#, &["/flame 6312"]),
        (r#"{"flame":7}"#, &["/flame 6312"]),
        (r#"{"flame":{"temp":1,"lit":0,"x":1}}"#, &["/flame/x 6304"]),
        (
            r#"{"flame":{"temp":9999,"x":1}}"#,
            &["/flame/temp 6307", "/flame/x 6304", "/flame 6312"],
        ),
        (r#"{"stages":[]}"#, &[]),
        (r#"{"stages":7}"#, &["/stages 6328"]),
        (r#"{"stages":{"a":1}}"#, &["/stages 6328"]),
        (r#"{"stages":[1,2,3,4,5]}"#, &["/stages 6324"]),
        (
            r#"{"stages":[1,"2",null]}"#,
            &["/stages/1 6324", "/stages/2 6324"],
        ),
        (r#"{"nothing":1}"#, &["/nothing 6320"]),
        (r#"{"a/b~c":1}"#, &["/a~1b~0c 6320"]),
        (
            r#"{"nothing":1,"nothing":1}"#,
            &["/nothing 6207", "/nothing 6320"],
        ),
        (
            r#"{"cycles":-1,"mode":0,"mode":0}"#,
            &["/mode 6207", "/cycles 6306"],
        ),
        (
            r#"{"flame":{"temp":1,"lit":0,"lit":0}}"#,
            &["/flame/lit 6207"],
        ),
        (
            r#"{"mode":9,"x":1,"cycles":-1}"#,
            &["/mode 6309", "/x 6320", "/cycles 6306"],
        ),
    ] {
        model.check_property_post(params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, faults);
    }
}

#[test]
fn what_is_no_json_object_is_6207() {
    let model = boiler();
    let mut out = Report::new();
    let deep = format!(r#"{{"cycles":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let long = "[".repeat(100_000);
    for params in [
        "",
        "{",
        "[]",
        "7",
        "null",
        "\"text\"",
        r#"{"cycles":1"#,
        r#"{"cycles":1}x"#,
        r#"{"cycles":NaN}"#,
        r#"{"cycles":Infinity}"#,
        r#"{"cycles":01}"#,
        r#"{"cycles":1,}"#,
        r#"{"label":"\ud800"}"#,
        r#"{"mode":9,"label":"\q"}"#,
        "{'cycles':1}",
        &deep,
        &long,
    ] {
        model.check_property_post(params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, &[" 6207"]);
        model.check_event_post("OverPressure", params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, &[" 6207"]);
        model.check_batch_post(params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, &[" 6207"]);
        model.check_property_set(params.as_bytes(), &mut out);
        expect(params, &out, &[" 6207"]);
        model.check_set_reply(params.as_bytes(), &mut out);
        expect(params, &out, &[" 6207"]);
        model.check_service_input("Purge", params.as_bytes(), &mut out);
        expect(params, &out, &[" 6207"]);
        model.check_service_output("SelfTest", params.as_bytes(), &mut out);
        expect(params, &out, &[" 6207"]);
    }
    model.check_property_post(b"{\"label\":\"\xff\"}", NOW_MS, &mut out);
    expect("bytes that are no UTF-8", &out, &[" 6207"]);
}

#[test]
fn a_wrapped_value_has_a_time_of_at_most_a_day_ahead() {
    let model = boiler();
    let mut out = Report::new();
    let last = NOW_MS + DAY_MS;
    for (params, faults, time) in [
        (r#"{"pressure":{"value":6.2}}"#.to_owned(), &[][..], None),
        (
            r#"{"pressure": {"value": 6.2, "time": 5}}"#.to_owned(),
            &[],
            Some(5),
        ),
        (
            r#"{"pressure":{"time":5,"value":6.2}}"#.to_owned(),
            &[],
            Some(5),
        ),
        (
            r#"{"pressure":{"value":6.2,"time":"5"}}"#.to_owned(),
            &[],
            Some(5),
        ),
        (
            format!(r#"{{"pressure":{{"value":6.2,"time":{last}}}}}"#),
            &[],
            Some(last),
        ),
        (
            format!(r#"{{"pressure":{{"value":6.2,"time":{}}}}}"#, last + 1),
            &["/pressure/time 460"],
            None,
        ),
        (
            r#"{"pressure":{"value":6.2,"time":-1}}"#.to_owned(),
            &["/pressure/time 460"],
            None,
        ),
        (
            r#"{"pressure":{"value":6.2,"time":"soon"}}"#.to_owned(),
            &["/pressure/time 460"],
            None,
        ),
        (
            r#"{"pressure":{"value":6.2,"time":null}}"#.to_owned(),
            &["/pressure/time 460"],
            None,
        ),
        (
            r#"{"pressure":{"time":-1,"value":99}}"#.to_owned(),
            &["/pressure/time 460", "/pressure/value 6307"],
            None,
        ),
        (
            r#"{"pressure":{"value":99}}"#.to_owned(),
            &["/pressure/value 6307"],
            None,
        ),
        (
            r#"{"pressure":{"value":[{"a":1}],"time":5}}"#.to_owned(),
            &["/pressure/value 6307"],
            Some(5),
        ),
        (
            r#"{"pressure":{"value":1,"value":2}}"#.to_owned(),
            &["/pressure/value 6207"],
            None,
        ),
        (
            r#"{"pressure":{"value":1,"time":5,"time":5}}"#.to_owned(),
            &["/pressure/time 6207"],
            Some(5),
        ),
        (
            r#"{"pressure":{"value":6.2,"unit":"bar"}}"#.to_owned(),
            &["/pressure 6307"],
            None,
        ),
        (
            r#"{"pressure":{"time":5}}"#.to_owned(),
            &["/pressure 6307"],
            None,
        ),
        (
            r#"{"flame":{"value":{"temp":1,"lit":0},"time":5}}"#.to_owned(),
            &[],
            Some(5),
        ),
        (
            r#"{"flame":{"value":{"temp":1}}}"#.to_owned(),
            &["/flame/value 6312"],
            None,
        ),
        (
            r#"{"stages":{"value":[1],"time":5}}"#.to_owned(),
            &[],
            Some(5),
        ),
        (
            r#"{"stages":{"value":["1"]}}"#.to_owned(),
            &["/stages/value/0 6324"],
            None,
        ),
    ] {
        model.check_property_post(params.as_bytes(), NOW_MS, &mut out);
        expect(&params, &out, faults);
        assert_eq!(out.values[0].time, time, "{params}");
    }
}

#[test]
fn a_struct_of_value_and_time_is_itself() {
    let int = r#"{"type":"int","specs":{"min":"0","max":"9"}}"#;
    let members = [
        parameter("value", false, int),
        parameter("time", false, int),
    ]
    .join(",");
    let pair = format!(r#"{{"type":"struct","specs":[{members}]}}"#);
    let model = made_of(&format!("[{}]", property("pair", "rw", &pair)), "[]", "[]");
    let mut out = Report::new();
    for (params, faults, time) in [
        (r#"{"pair":{"value":1,"time":2}}"#, &[][..], None),
        (r#"{"pair":{"value":{"value":1,"time":2}}}"#, &[], None),
        (
            r#"{"pair":{"value":1,"time":50}}"#,
            &["/pair/time 6306"],
            None,
        ),
    ] {
        model.check_property_post(params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, faults);
        assert_eq!(out.values[0].time, time, "{params}");
    }
}

#[test]
fn a_text_is_measured_in_bytes_after_unescaping() {
    let model = boiler();
    let mut out = Report::new();
    for (inside, good) in [
        ("x".repeat(64), true),
        ("x".repeat(65), false),
        ("é".repeat(32), true),
        ("é".repeat(33), false),
        ("\\u0041".repeat(64), true),
        ("\\u0041".repeat(65), false),
        ("\\ud83d\\ude00".repeat(16), true),
        ("\\ud83d\\ude00".repeat(17), false),
        ("\\n".repeat(64), true),
    ] {
        let params = format!(r#"{{"label":"{inside}"}}"#);
        model.check_property_post(params.as_bytes(), NOW_MS, &mut out);
        expect(&params, &out, if good { &[] } else { &["/label 6310"] });
    }
}

#[test]
fn more_than_200_properties_are_6106_before_the_members_faults() {
    let int = r#"{"type":"int","specs":{"min":"0","max":"9"}}"#;
    let properties: Vec<String> = (0..201)
        .map(|index| property(&format!("p{index}"), "rw", int))
        .collect();
    let model = made_of(&format!("[{}]", properties.join(",")), "[]", "[]");
    let mut out = Report::new();
    let params = |count: usize, value: u8| {
        let members: Vec<String> = (0..count)
            .map(|index| format!(r#""p{index}":{value}"#))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    model.check_property_post(params(200, 1).as_bytes(), NOW_MS, &mut out);
    expect("200", &out, &[]);
    assert_eq!(out.values.len(), 200);
    model.check_property_post(params(201, 1).as_bytes(), NOW_MS, &mut out);
    expect("201", &out, &[" 6106"]);
    model.check_property_post(params(201, 99).as_bytes(), NOW_MS, &mut out);
    assert_eq!(
        (out.total_faults(), out.faults().len()),
        (202, fault::FAULTS_KEPT)
    );
    assert_eq!(
        told(&out)[..2],
        [(String::new(), 6106), ("/p0".to_owned(), 6306)]
    );
    model.check_property_set(params(201, 1).as_bytes(), &mut out);
    expect("a set", &out, &[" 6106"]);
}

#[test]
fn an_event_is_taken_wrapped_and_bare() {
    let model = boiler();
    let mut out = Report::new();
    for (event, params, faults, outputs) in [
        (
            "OverPressure",
            r#"{"value":{"peak":17.5}}"#,
            &[][..],
            r#"{"peak":17.5}"#,
        ),
        (
            "OverPressure",
            r#"{"value":{"peak":17.5},"time":1700000000000}"#,
            &[],
            r#"{"peak":17.5}"#,
        ),
        ("OverPressure", r#"{"peak":17.5}"#, &[], r#"{"peak":17.5}"#),
        ("OverPressure", "{}", &[], "{}"),
        ("OverPressure", r#"{"peak":41}"#, &["/peak 6307"], ""),
        (
            "OverPressure",
            r#"{"value":{"peak":41}}"#,
            &["/value/peak 6307"],
            "",
        ),
        (
            "OverPressure",
            r#"{"value":{},"time":9700000000000}"#,
            &["/time 460"],
            "",
        ),
        ("OverPressure", r#"{"value":5}"#, &["/value 6304"], ""),
        ("OverPressure", r#"{"x":5}"#, &["/x 6304"], ""),
        ("UnderPressure", r#"{"peak":17.5}"#, &[" 6300"], ""),
        ("post", r#"{"peak":17.5}"#, &[" 6300"], ""),
    ] {
        model.check_event_post(event, params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, faults);
        if faults.is_empty() {
            assert_eq!(
                out.events[0].span.of(params.as_bytes()),
                outputs.as_bytes(),
                "{params}"
            );
            assert_eq!(
                out.events[0].time.is_some(),
                params.contains("time"),
                "{params}"
            );
        }
    }
}

#[test]
fn missing_parameters_are_6302_in_the_models_order_after_the_others() {
    let int = r#"{"type":"int","specs":{"min":"0","max":"9"}}"#;
    let list = [
        parameter("a", true, int),
        parameter("b", false, int),
        parameter("c", true, int),
    ];
    let list = list.join(",");
    let event = format!(
        r#"[{{"identifier":"E","name":"E","type":"info","required":false,"method":"thing.event.E.post","outputData":[{list}]}}]"#
    );
    let service = format!(
        r#"[{{"identifier":"S","name":"S","callType":"async","required":false,"method":"thing.service.S","inputData":[{list}],"outputData":[{list}]}}]"#
    );
    let model = made_of("[]", &event, &service);
    let mut out = Report::new();
    for (params, faults) in [
        (r#"{"c":1,"a":1}"#, &[][..]),
        ("{}", &["/a 6302", "/c 6302"]),
        (
            r#"{"b":99,"x":1}"#,
            &["/b 6306", "/x 6304", "/a 6302", "/c 6302"],
        ),
        (r#"{"a":1,"a":1}"#, &["/a 6207", "/c 6302"]),
    ] {
        model.check_event_post("E", params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, faults);
        model.check_service_input("S", params.as_bytes(), &mut out);
        expect(params, &out, faults);
        model.check_service_output("S", params.as_bytes(), &mut out);
        expect(params, &out, faults);
    }
}

#[test]
fn a_set_is_of_known_writable_fitting_properties() {
    let model = boiler();
    let mut out = Report::new();
    for (params, faults) in [
        (r#"{"setpoint":7.5,"mode":1.0}"#, &[][..]),
        ("{}", &[" 460"]),
        (r#"{"pressure":7.5}"#, &["/pressure 460"]),
        (r#"{"pressure":75}"#, &["/pressure 460", "/pressure 6307"]),
        (r#"{"setpoint":13}"#, &["/setpoint 6307"]),
        (r#"{"setpoint":{"value":7.5}}"#, &["/setpoint 6307"]),
        (r#"{"nothing":1}"#, &["/nothing 6320"]),
        (r#"{"setpoint":7,"setpoint":7}"#, &["/setpoint 6207"]),
    ] {
        model.check_property_set(params.as_bytes(), &mut out);
        expect(params, &out, faults);
    }
    model.check_property_set(br#"{"setpoint":7.5,"mode":1.0}"#, &mut out);
    let values: Vec<_> = out
        .values
        .iter()
        .map(|value| value.json(br#"{"setpoint":7.5,"mode":1.0}"#))
        .collect();
    assert_eq!(values, ["7.5", "1"]);
    model.check_set_reply(br#"{"anything":[1]}"#, &mut out);
    expect("a reply", &out, &[]);
}

#[test]
fn a_service_call_is_checked_both_ways() {
    let model = boiler();
    assert_eq!(
        model.service("SelfTest").map(|service| service.call_type),
        Some(CallType::Sync)
    );
    let mut out = Report::new();
    for (service, params, faults) in [
        ("Purge", r#"{"seconds":30}"#, &[][..]),
        ("Purge", r#"{"seconds":0}"#, &["/seconds 6306"]),
        ("Purge", r#"{"minutes":1}"#, &["/minutes 6304"]),
        ("Nothing", "{}", &[" 6300"]),
        ("set", "{}", &[" 6300"]),
    ] {
        model.check_service_input(service, params.as_bytes(), &mut out);
        expect(params, &out, faults);
    }
    model.check_service_output("SelfTest", br#"{"ok":1,"log":["a","b"]}"#, &mut out);
    expect("good outputs", &out, &[]);
    model.check_service_output("SelfTest", br#"{"ok":true,"log":[1]}"#, &mut out);
    expect("bad outputs", &out, &["/ok 6308", "/log/0 6324"]);
    made_of("[]", "[]", "[]").check_service_input("Purge", b"{}", &mut out);
    expect("no services", &out, &[" 6206"]);
}

#[test]
fn a_batch_has_many_values_of_a_property() {
    let model = boiler();
    let mut out = Report::new();
    for (params, faults, values, events) in [
        ("{}", &[][..], 0, 0),
        (
            r#"{"properties":{"pressure":[{"value":6.2,"time":1},{"value":6.3,"time":2}],"mode":[]}}"#,
            &[],
            2,
            0,
        ),
        (
            r#"{"events":{"OverPressure":[{"value":{"peak":20},"time":1}]},"other":1}"#,
            &[],
            0,
            1,
        ),
        (
            r#"{"properties":{"pressure":[6.2]}}"#,
            &["/properties/pressure/0 6207"],
            1,
            0,
        ),
        (
            r#"{"properties":{"pressure":{"value":6.2}}}"#,
            &["/properties/pressure 6207"],
            0,
            0,
        ),
        (r#"{"properties":[]}"#, &["/properties 6207"], 0, 0),
        (r#"{"events":7}"#, &["/events 6207"], 0, 0),
        (
            r#"{"properties":{"nothing":[]}}"#,
            &["/properties/nothing 6320"],
            0,
            0,
        ),
        (
            r#"{"properties":{"pressure":[{"value":99}]}}"#,
            &["/properties/pressure/0/value 6307"],
            1,
            0,
        ),
        (
            r#"{"events":{"Nothing":[]}}"#,
            &["/events/Nothing 6300"],
            0,
            0,
        ),
        (
            r#"{"events":{"OverPressure":[{"value":{"peak":99}},{"value":5}]}}"#,
            &[
                "/events/OverPressure/1/value 6207",
                "/events/OverPressure/0/value/peak 6307",
            ],
            0,
            2,
        ),
        (
            r#"{"properties":{},"properties":{}}"#,
            &["/properties 6207"],
            0,
            0,
        ),
        (
            r#"{"properties":{"mode":[],"mode":[]}}"#,
            &["/properties/mode 6207"],
            0,
            0,
        ),
    ] {
        model.check_batch_post(params.as_bytes(), NOW_MS, &mut out);
        expect(params, &out, faults);
        assert_eq!(
            (out.values.len(), out.events.len()),
            (values, events),
            "{params}"
        );
    }
    let many: Vec<String> = (0..21).map(|index| format!(r#""E{index}":[]"#)).collect();
    let params = format!(r#"{{"events":{{{}}}}}"#, many.join(","));
    model.check_batch_post(params.as_bytes(), NOW_MS, &mut out);
    let codes: Vec<u32> = out.faults().iter().map(|fault| fault.code).collect();
    assert_eq!(codes[..21], [6300; 21]);
    assert_eq!(codes[21], 6356);
}

#[test]
fn a_history_names_its_devices() {
    let boiler = Arc::new(boiler());
    let mut out = Report::new();
    let judge = |params: &str, out: &mut Report| {
        let model_of = |identity: &Identity| match identity.product_key.as_str() {
            "a1B2c3D4e5F" => Ok(Arc::clone(&boiler)),
            _ => Err((6401, "not in the topology".to_owned())),
        };
        check_history_post(params.as_bytes(), NOW_MS, model_of, out);
    };
    let own = r#""identity":{"productKey":"a1B2c3D4e5F","deviceName":"boiler_01"}"#;
    let good = format!(
        r#"[{{{own},"properties":[{{"pressure":{{"value":6.2,"time":1}}}},{{"pressure":{{"value":6.3,"time":2}}}}]}},
            {{"events":[{{"OverPressure":{{"value":{{"peak":20}},"time":3}}}}],{own}}}]"#
    );
    judge(&good, &mut out);
    expect(&good, &out, &[]);
    assert_eq!(out.elements.len(), 2);
    assert_eq!(out.elements[0].identity.device_name, "boiler_01");
    assert_eq!(
        (
            out.elements[0].values.clone(),
            out.elements[1].events.clone()
        ),
        (0..2, 0..1)
    );
    assert_eq!(out.values[1].json(good.as_bytes()), "6.3");
    for (params, faults) in [
        ("{}".to_owned(), &[" 6207"][..]),
        ("[7]".to_owned(), &["/0 6207"]),
        ("[{}]".to_owned(), &["/0/identity 6207"]),
        (
            r#"[{"identity":{"productKey":1,"deviceName":"x"}}]"#.to_owned(),
            &["/0/identity 6207"],
        ),
        (
            r#"[{"identity":{"productKey":"x","deviceName":"x"}}]"#.to_owned(),
            &["/0/identity 6401"],
        ),
        (format!("[{{{own},{own}}}]"), &["/0/identity 6207"]),
        (
            format!(r#"[{{{own},"properties":[{{"pressure":6.2}}]}}]"#),
            &["/0/properties/0/pressure 6207"],
        ),
        (
            format!(r#"[{{{own},"properties":{{}}}}]"#),
            &["/0/properties 6207"],
        ),
        (
            format!(r#"[{{{own},"events":[{{"E":1}}]}}]"#),
            &["/0/events/0/E 6300"],
        ),
    ] {
        judge(&params, &mut out);
        expect(&params, &out, faults);
    }
}

#[test]
fn a_fault_of_the_envelope_takes_its_place() {
    let mut out = Report::new();
    boiler().check_property_post(br#"{"mode":9,"cycles":1,"cycles":1}"#, NOW_MS, &mut out);
    let method = |code| Fault {
        pointer: "/method".to_owned(),
        code,
        message: "method".to_owned(),
    };
    out.add(method(fault::METHOD_MISSING));
    expect(
        "6450",
        &out,
        &["/cycles 6207", "/method 6450", "/mode 6309"],
    );
    boiler().check_property_post(br#"{"mode":9}"#, NOW_MS, &mut out);
    out.add(method(fault::METHOD_NOT_FOUND));
    expect("6300", &out, &["/method 6300", "/mode 6309"]);
}

#[test]
fn a_stored_model_that_is_wrong_raises_the_systems_codes() {
    let properties = [
        property("good", "rw", r#"{"type":"bool","specs":{"0":"a","1":"b"}}"#),
        property("kind", "rw", r#"{"type":"blob","specs":{}}"#),
        property(
            "range",
            "rw",
            r#"{"type":"int","specs":{"min":"9","max":"0"}}"#,
        ),
        property("specs", "rw", r#"{"type":"struct","specs":{}}"#),
        property(
            "item",
            "rw",
            r#"{"type":"array","specs":{"size":"4","item":{"type":"bool"}}}"#,
        ),
        property(
            "size",
            "rw",
            r#"{"type":"array","specs":{"item":{"type":"int"}}}"#,
        ),
    ];
    let text = document_of(&format!("[{}]", properties.join(",")), "[]", "[]");
    assert!(Document::parse(text.as_bytes()).is_err());
    let stored = Document::parse_stored(text.as_bytes()).expect("it is a JSON object");
    let model = Model::compile(&stored);
    let mut out = Report::new();
    let params = r#"{"good":1,"kind":1,"range":1,"specs":{},"item":[1],"size":[1]}"#;
    model.check_property_post(params.as_bytes(), NOW_MS, &mut out);
    let faults = [
        "/kind 6314",
        "/range 6316",
        "/specs 6323",
        "/item 6325",
        "/size 6329",
    ];
    expect(params, &out, &faults);
    let unreadable = Document::parse_stored(b"{").expect_err("it is no JSON");
    assert_eq!(unreadable.code(), fault::MODEL_UNREADABLE);
}

#[test]
fn words_name_value_and_limit_and_stay_short() {
    let mut out = Report::new();
    let long = "x".repeat(5000);
    let params = format!(r#"{{"pressure":17.5,"label":"{long}","{long}":1}}"#);
    boiler().check_property_post(params.as_bytes(), NOW_MS, &mut out);
    assert_eq!(out.faults()[0].message, "17.5 is not within 0 to 16");
    assert!(
        out.faults()[1]
            .message
            .ends_with("… has 5000 bytes, more than 64")
    );
    for fault in out.faults() {
        assert!(fault.message.len() < 200 && fault.pointer.len() < 200);
    }
}

#[test]
fn the_worked_example_reports_and_its_spans_are_its_values() {
    let model = Model::compile(&Document::parse(BOILER).expect("the page's document is good"));
    let mut out = Report::new();
    model.check_property_post(support::BOILER_REPORT, NOW_MS, &mut out);
    expect("the page's report", &out, &[]);
    let found: Vec<(String, String)> = out
        .values
        .iter()
        .map(|value| {
            let name = model.properties()[value.property].identifier.clone();
            (name, value.json(support::BOILER_REPORT).into_owned())
        })
        .collect();
    let sent: serde_json::Value =
        serde_json::from_slice(support::BOILER_REPORT).expect("the report is JSON");
    assert_eq!(found.len(), 9);
    for (name, json) in found {
        let value: serde_json::Value = serde_json::from_str(&json).expect("a value is JSON");
        assert_eq!(value, sent[&name], "{name}");
    }
}

#[test]
fn features_of_a_module_are_named_with_it() {
    let text = r#"{"properties":[],"functionBlocks":[{"functionBlockId":"burner","functionBlockName":"Burner",
        "properties":[{"identifier":"temp","name":"T","accessMode":"rw","dataType":{"type":"int"}}],
        "events":[{"identifier":"Out","name":"Out","type":"error","method":"thing.event.burner:Out.post"}],
        "services":[{"identifier":"Light","name":"L","callType":"sync"}]}]}"#;
    let model = support::model(text.as_bytes());
    let mut out = Report::new();
    model.check_property_post(br#"{"burner:temp":5}"#, NOW_MS, &mut out);
    expect("property", &out, &[]);
    model.check_property_post(br#"{"temp":5}"#, NOW_MS, &mut out);
    expect("property without module", &out, &["/temp 6320"]);
    model.check_event_post("burner:Out", b"{}", NOW_MS, &mut out);
    expect("event", &out, &[]);
    model.check_service_input("burner:Light", b"{}", &mut out);
    expect("service", &out, &[]);
}
