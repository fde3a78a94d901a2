//! What a document may say, what it is told when it may not, and how it is kept.

#![allow(dead_code, reason = "each test file uses its part of the support")]

mod support;

use support::{BOILER, document_of, parameter, property};
use thing_model::{Access, CallType, DataType, Document, EventKind, Model, normalise};

/// The document's faults, `pointer code` each.
fn faults(text: &str) -> Vec<String> {
    match Document::parse(text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(rejected) => rejected
            .faults
            .iter()
            .inspect(|fault| assert!(!fault.message.is_empty() && fault.message.len() < 300))
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect(),
    }
}

fn of_type(data_type: &str) -> String {
    document_of(&format!("[{}]", property("p", "rw", data_type)), "[]", "[]")
}

#[test]
fn the_worked_example_is_read() {
    let document = Document::parse(BOILER).expect("the page's document is good");
    let [block] = document.blocks.as_slice() else {
        panic!("one block")
    };
    assert_eq!(
        (
            block.properties.len(),
            block.events.len(),
            block.services.len()
        ),
        (10, 1, 2)
    );
    assert_eq!(block.properties[3].access, Access::ReadWrite);
    assert_eq!(block.properties[4].data_type, DataType::Text { length: 64 });
    assert_eq!(block.properties[7].data_type, DataType::Enum(vec![0, 1, 2]));
    assert_eq!(block.events[0].kind, EventKind::Alert);
    assert_eq!(block.services[1].call_type, CallType::Sync);
}

#[test]
fn numbers_of_specs_are_text_or_any_number() {
    for (data_type, read) in [
        (
            r#"{"type":"int","specs":{"min":"-1e2","max":100.0,"step":"1"}}"#,
            DataType::Int {
                min: -100,
                max: 100,
            },
        ),
        (
            r#"{"type":"int","specs":{"min":"","max":" 7 "}}"#,
            DataType::Int {
                min: i32::MIN,
                max: 7,
            },
        ),
        (
            r#"{"type":"int"}"#,
            DataType::Int {
                min: i32::MIN,
                max: i32::MAX,
            },
        ),
        (
            r#"{"type":"float","specs":{"min":"-3.4028235E38","max":"3.4028235E38"}}"#,
            DataType::Float {
                min: -3.402_823_5e38,
                max: 3.402_823_5e38,
            },
        ),
        (
            r#"{"type":"double","specs":{"min":1e-3,"max":"1.7976931348623157e308"}}"#,
            DataType::Double {
                min: 1e-3,
                max: f64::MAX,
            },
        ),
        (
            r#"{"type":"text","specs":{"length":10240}}"#,
            DataType::Text { length: 10_240 },
        ),
        (
            r#"{"type":"enum","specs":{"5":"a","-1":"b"}}"#,
            DataType::Enum(vec![-1, 5]),
        ),
        (r#"{"type":"bool","specs":{}}"#, DataType::Bool),
        (r#"{"type":"date"}"#, DataType::Date),
    ] {
        let document = Document::parse(of_type(data_type).as_bytes()).expect(data_type);
        assert_eq!(
            document.blocks[0].properties[0].data_type, read,
            "{data_type}"
        );
    }
}

#[test]
fn a_wrong_type_is_told_where_it_is_wrong() {
    let at = |rest: &str| format!("/properties/0/dataType{rest}");
    for (data_type, fault) in [
        ("7", at(" 6323")),
        (r#"{"specs":{}}"#, at(" 6323")),
        (r#"{"type":"blob"}"#, at("/type 6314")),
        (r#"{"type":"int","specs":[]}"#, at("/specs 6323")),
        (
            r#"{"type":"int","specs":{"min":"9","max":"0"}}"#,
            at("/specs 6316"),
        ),
        (
            r#"{"type":"int","specs":{"min":"0.5"}}"#,
            at("/specs/min 6316"),
        ),
        (
            r#"{"type":"int","specs":{"max":"2147483648"}}"#,
            at("/specs/max 6316"),
        ),
        (
            r#"{"type":"int","specs":{"max":"lots"}}"#,
            at("/specs/max 6316"),
        ),
        (
            r#"{"type":"int","specs":{"max":null}}"#,
            at("/specs/max 6316"),
        ),
        (
            r#"{"type":"int","specs":{"step":"-1"}}"#,
            at("/specs/step 6316"),
        ),
        (
            r#"{"type":"float","specs":{"max":"1e39"}}"#,
            at("/specs/max 6316"),
        ),
        (
            r#"{"type":"double","specs":{"max":"1e400"}}"#,
            at("/specs/max 6316"),
        ),
        (
            r#"{"type":"double","specs":{"max":"NaN"}}"#,
            at("/specs/max 6316"),
        ),
        (r#"{"type":"bool","specs":{"0":"off"}}"#, at("/specs 6316")),
        (
            r#"{"type":"bool","specs":{"0":"off","2":"on"}}"#,
            at("/specs 6316"),
        ),
        (
            r#"{"type":"bool","specs":{"0":"off","1":1}}"#,
            at("/specs/1 6323"),
        ),
        (r#"{"type":"enum","specs":{}}"#, at("/specs 6316")),
        (
            r#"{"type":"enum","specs":{"01":"a"}}"#,
            at("/specs/01 6316"),
        ),
        (r#"{"type":"enum","specs":{"a":"a"}}"#, at("/specs/a 6316")),
        (
            r#"{"type":"text","specs":{"length":"0"}}"#,
            at("/specs/length 6316"),
        ),
        (
            r#"{"type":"text","specs":{"length":"10241"}}"#,
            at("/specs/length 6316"),
        ),
        (r#"{"type":"struct","specs":[]}"#, at("/specs 6316")),
        (r#"{"type":"struct","specs":{}}"#, at("/specs 6323")),
        (r#"{"type":"struct","specs":[7]}"#, at("/specs/0 6323")),
        (
            r#"{"type":"struct","specs":[{"identifier":"a","name":"a","dataType":{"type":"array"}}]}"#,
            at("/specs/0/dataType/type 6314"),
        ),
        (
            r#"{"type":"array","specs":{"size":"513","item":{"type":"int"}}}"#,
            at("/specs/size 6316"),
        ),
        (
            r#"{"type":"array","specs":{"item":{"type":"int"}}}"#,
            at("/specs/size 6329"),
        ),
        (
            r#"{"type":"array","specs":{"size":"4"}}"#,
            at("/specs/item 6329"),
        ),
        (
            r#"{"type":"array","specs":{"size":"4","item":{"type":"bool"}}}"#,
            at("/specs/item/type 6325"),
        ),
        (
            r#"{"type":"array","specs":{"size":"4","item":{"type":"array"}}}"#,
            at("/specs/item/type 6325"),
        ),
        (
            r#"{"type":"array","specs":{"size":"4","item":{"type":"struct"}}}"#,
            at("/specs/item/specs 6323"),
        ),
    ] {
        assert_eq!(faults(&of_type(data_type)), [fault], "{data_type}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = r#"{"profile":7,"properties":[
        {"identifier":"a b","name":"x","accessMode":"w","dataType":{"type":"int"}},
        {"identifier":"time","name":"x","accessMode":"r","dataType":{"type":"int"}},
        {"identifier":"ok","accessMode":"r","required":1},
        7],
      "events":[{"identifier":"ok","name":"x","type":"loud","method":"thing.event.other.post"}],
      "services":[{"identifier":"S","name":"x","callType":"later","inputData":{},"method":"thing.event.S"}]}"#;
    assert_eq!(
        faults(text),
        [
            "/profile 6317",
            "/properties/0/identifier 6317",
            "/properties/0/accessMode 6317",
            "/properties/1/identifier 6317",
            "/properties/2/name 6317",
            "/properties/2/required 6317",
            "/properties/2/dataType 6323",
            "/properties/3 6317",
            "/events/0/identifier 6317",
            "/events/0/type 6317",
            "/services/0/callType 6317",
            "/services/0/inputData 6317",
            "/services/0/method 6317",
        ]
    );
}

#[test]
fn nothing_may_be_there_twice() {
    let int = r#"{"type":"int"}"#;
    let twice = [property("a", "r", int), property("a", "r", int)].join(",");
    assert_eq!(
        faults(&document_of(&format!("[{twice}]"), "[]", "[]")),
        ["/properties/1/identifier 6317"]
    );
    let members = [parameter("m", false, int), parameter("m", false, int)].join(",");
    let pair = format!(r#"{{"type":"struct","specs":[{members}]}}"#);
    assert_eq!(
        faults(&of_type(&pair)),
        ["/properties/0/dataType/specs/1/identifier 6317"]
    );
    assert_eq!(
        faults(r#"{"properties":[],"properties":[]}"#),
        ["/properties 6317"]
    );
    let enumeration = r#"{"type":"enum","specs":{"1":"a","1":"b"}}"#;
    assert_eq!(
        faults(&of_type(enumeration)),
        ["/properties/0/dataType/specs/1 6317"]
    );
    let blocks = r#"{"functionBlocks":[{"functionBlockId":"a"},{"functionBlockId":"a"},{},7]}"#;
    assert_eq!(
        faults(blocks),
        [
            "/functionBlocks/1/functionBlockId 6317",
            "/functionBlocks/2/functionBlockId 6317",
            "/functionBlocks/3 6317"
        ]
    );
}

/// Ten times what the door lets in, so that a reader that compares each with all others is noticed.
#[test]
fn very_many_function_blocks_are_read_and_kept_in_a_moment() {
    let blocks = |block: fn(usize) -> String| {
        let list: Vec<String> = (0..100_000).map(block).collect();
        format!(r#"{{"functionBlocks":[{}]}}"#, list.join(","))
    };
    let named = blocks(|index| format!(r#"{{"functionBlockId":"b{index}"}}"#));
    let read = Document::parse_stored(named.as_bytes()).expect("an object");
    assert_eq!(read.blocks.len(), 100_001);
    let empty = blocks(|_| "{}".to_owned());
    let kept = normalise(empty.as_bytes(), "pk").expect("an object");
    assert_eq!(kept.matches("thing.event.property.post").count(), 100_001);
}

#[test]
fn limits_are_those_of_the_page() {
    let int = r#"{"type":"int"}"#;
    let properties = |count: usize| {
        let list: Vec<String> = (0..count)
            .map(|index| property(&format!("p{index}"), "r", int))
            .collect();
        document_of(&format!("[{}]", list.join(",")), "[]", "[]")
    };
    assert_eq!(faults(&properties(300)), [""; 0]);
    assert_eq!(faults(&properties(301)), [" 6317"]);
    let list = |count: usize, data_type: &str| {
        let list: Vec<String> = (0..count)
            .map(|index| parameter(&format!("m{index}"), false, data_type))
            .collect();
        format!("[{}]", list.join(","))
    };
    let structure = |count: usize| format!(r#"{{"type":"struct","specs":{}}}"#, list(count, int));
    assert_eq!(faults(&of_type(&structure(50))), [""; 0]);
    assert_eq!(
        faults(&of_type(&structure(51))),
        ["/properties/0/dataType/specs 6316"]
    );
    let labels = |count: usize| {
        let labels: Vec<String> = (0..count)
            .map(|value| format!(r#""{value}":"x""#))
            .collect();
        format!(r#"{{"type":"enum","specs":{{{}}}}}"#, labels.join(","))
    };
    assert_eq!(faults(&of_type(&labels(100))), [""; 0]);
    assert_eq!(
        faults(&of_type(&labels(101))),
        ["/properties/0/dataType/specs 6316"]
    );
    let service = |inputs: &str, outputs: &str| {
        let service = format!(
            r#"[{{"identifier":"S","name":"S","callType":"sync","inputData":{inputs},"outputData":{outputs}}}]"#
        );
        document_of("[]", "[]", &service)
    };
    assert_eq!(faults(&service(&list(100, int), &list(100, int))), [""; 0]);
    assert_eq!(
        faults(&service(&list(101, int), "[]")),
        ["/services/0/inputData 6317"]
    );
    assert_eq!(faults(&service(&list(30, &structure(9)), "[]")), [""; 0]);
    assert_eq!(
        faults(&service(&list(30, &structure(9)), &list(1, int))),
        ["/services/0 6317"]
    );
    let long = "x".repeat(51);
    let text = document_of(&format!("[{}]", property(&long, "r", int)), "[]", "[]");
    assert_eq!(faults(&text), ["/properties/0/identifier 6317"]);
    let padding = |bytes: usize| format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - 8));
    assert_eq!(faults(&padding(Document::MAX_BYTES)), [""; 0]);
    assert_eq!(faults(&padding(Document::MAX_BYTES + 1)), [" 6317"]);
}

#[test]
fn faults_are_bounded_and_counted() {
    let text = format!(r#"{{"properties":[{}7]}}"#, "7,".repeat(5_000));
    let rejected = Document::parse(text.as_bytes()).expect_err("none is a property");
    assert_eq!(rejected.faults.len(), 100);
    assert_eq!(rejected.faults[99].pointer, "/properties/99");
    // One more: so many features are too many.
    assert_eq!(rejected.total, 5_002);
    assert_eq!(
        rejected.to_string(),
        "/properties/0: 7 is no object (and 5001 more)"
    );
}

#[test]
fn what_is_no_json_object_is_6318() {
    for text in ["", "[]", "7", "{", "{\"a\":1,}", "{}x"] {
        assert_eq!(faults(text), [" 6318"], "{text}");
        assert!(normalise(text.as_bytes(), "pk").is_err(), "{text}");
    }
}

#[test]
fn the_kept_text_has_the_key_and_the_generated_entries() {
    let kept = normalise(BOILER, "b9Z8").expect("the page's document is good");
    let json: serde_json::Value = serde_json::from_str(&kept).expect("what is kept is JSON");
    assert_eq!(json["profile"]["productKey"], "b9Z8");
    assert_eq!(json["profile"]["version"], "1.0");
    let identifiers = |list: &serde_json::Value| -> Vec<String> {
        let list = list.as_array().expect("a list");
        list.iter()
            .filter_map(|entry| entry["identifier"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(identifiers(&json["events"]), ["post", "OverPressure"]);
    assert_eq!(
        identifiers(&json["services"]),
        ["set", "get", "Purge", "SelfTest"]
    );
    let post = &json["events"][0];
    assert_eq!(
        (&post["method"], &post["type"]),
        (&"thing.event.property.post".into(), &"info".into())
    );
    assert_eq!(identifiers(&post["outputData"]).len(), 10);
    assert_eq!(
        post["outputData"][1]["dataType"],
        json["properties"][1]["dataType"]
    );
    let [set, get] = [&json["services"][0], &json["services"][1]];
    assert_eq!(
        identifiers(&set["inputData"]),
        ["setpoint", "label", "lastService", "mode"]
    );
    assert_eq!(get["inputData"][0], "cycles");
    assert_eq!(identifiers(&get["outputData"]).len(), 10);
    for entry in [post, set, get] {
        assert_eq!(entry["required"], true);
        assert_eq!(entry["name"], entry["identifier"]);
    }
    assert_eq!([&set["callType"], &get["callType"]], ["async", "async"]);
    let read = Document::parse(kept.as_bytes()).expect("what is kept can be read");
    assert_eq!(Some(read), Document::parse(BOILER).ok());
    assert_eq!(normalise(kept.as_bytes(), "b9Z8").expect("again"), kept);
}

#[test]
fn all_else_stays_as_it_was_written() {
    for (given, profile) in [
        ("{}", r#"{"profile":{"productKey":"pk"},"events":"#),
        ("{ }", r#"{"profile":{"productKey":"pk"},"events":"#),
        (
            r#"{"z":1e400, "a":[ 1 ]}"#,
            r#"{"profile":{"productKey":"pk"},"z":1e400, "a":[ 1 ],"events":"#,
        ),
        (
            r#"{"profile":{},"x":1}"#,
            r#"{"profile":{"productKey":"pk"},"x":1,"events":"#,
        ),
        (
            r#"{"profile":{"v":"1"}}"#,
            r#"{"profile":{"productKey":"pk","v":"1"},"events":"#,
        ),
        (
            r#"{"profile":null}"#,
            r#"{"profile":{"productKey":"pk"},"events":"#,
        ),
        (
            r#"{"profile":{"v":1,"productKey":"old"}}"#,
            r#"{"profile":{"v":1,"productKey":"pk"},"events":"#,
        ),
    ] {
        let kept = normalise(given.as_bytes(), "pk").expect(given);
        assert!(kept.starts_with(profile), "{given} became {kept}");
        serde_json::from_str::<serde_json::Value>(&kept.replace("1e400", "1")).expect(given);
        assert_eq!(normalise(kept.as_bytes(), "pk").expect("again"), kept);
    }
    let given = r#"{"functionBlocks":[{"functionBlockId":"b","x":12345678901234567890123},{}],
        "services":[{"identifier":"get","old":1}, {"identifier":"S", "é":"\u00e9"}],"events":[]}"#;
    let kept = normalise(given.as_bytes(), "pk").expect(given);
    assert!(kept.contains(r#""x":12345678901234567890123,"events":[{"identifier":"post""#));
    assert!(kept.contains(r#"{},"x""#) || kept.contains(r#"},{"events":[{"identifier":"post""#));
    assert!(kept.contains(r#",{"identifier":"S", "é":"\u00e9"}]"#) && !kept.contains("old"));
    serde_json::from_str::<serde_json::Value>(&kept).expect("what is kept is JSON");
}

#[test]
fn a_kept_document_that_grew_is_still_read() {
    let int = r#"{"type":"int","specs":{"min":"0","max":"9","unitName":""#;
    let label = "x".repeat(700);
    let list: Vec<String> = (0..290)
        .map(|index| property(&format!("p{index}"), "rw", &format!("{int}{label}\"}}}}")))
        .collect();
    let given = document_of(&format!("[{}]", list.join(",")), "[]", "[]");
    let kept = normalise(given.as_bytes(), "pk").expect("it is JSON");
    assert!(kept.len() > 3 * Document::MAX_BYTES);
    assert!(Document::parse(kept.as_bytes()).is_ok());
    let model = Model::compile(&Document::parse(given.as_bytes()).expect("within the limits"));
    assert_eq!(model.properties().len(), 290);
}
