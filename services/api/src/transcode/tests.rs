//! Tables of requests and what becomes of them; properties for hostile ones.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value};
use proto::hoshu::{devicelog::v1 as devicelog, registry::v1 as registry, thing::v1 as thing};

use super::{Parts, answer, request};
use crate::contract::{Contract, Input, Operation, Rest, is_json, is_timestamp};

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::read(proto::DESCRIPTORS).unwrap());

fn find(name: &str) -> (Arc<Operation>, Arc<Rest>) {
    let operation = CONTRACT
        .operations
        .iter()
        .find(|operation| operation.name() == name)
        .unwrap()
        .clone();
    let rest = operation.rest.clone().unwrap();
    (operation, rest)
}

/// The message, or pointers and texts of its faults.
fn read(
    name: &str,
    path: &[(&str, &str)],
    query: &str,
    body: &[u8],
) -> Result<Vec<u8>, Vec<(String, String)>> {
    let (operation, rest) = find(name);
    let path: Vec<_> = path
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let message = request(
        &operation,
        &rest,
        &Parts {
            path: &path,
            query,
            body,
        },
    );
    message
        .map(|message| message.encode_to_vec())
        .map_err(|refusal| {
            assert_eq!(refusal.kind, tonic::Code::InvalidArgument);
            refusal
                .errors
                .into_iter()
                .map(|fault| (fault.pointer, fault.message))
                .collect()
        })
}

fn write(name: &str, message: &impl Message) -> String {
    let (operation, rest) = find(name);
    String::from_utf8(answer(&operation, &rest, message.encode_to_vec().into()).unwrap()).unwrap()
}

fn faults(name: &str, query: &str, body: &str) -> Vec<(String, String)> {
    read(name, &[], query, body.as_bytes()).unwrap_err()
}

#[test]
fn a_body_becomes_the_message() {
    let body =
        br#"{"name":"Pump \u00e9","nodeType":"GATEWAY","dataFormat":"ALINK_JSON","edition":"PRO"}"#;
    let message =
        registry::CreateProductRequest::decode(&*read("CreateProduct", &[], "", body).unwrap())
            .unwrap();
    let expected = registry::CreateProductRequest {
        name: "Pump é".into(),
        node_type: 2,
        data_format: 1,
        edition: 2,
    };
    assert_eq!(message, expected);
}

#[test]
fn an_empty_body_is_an_empty_object() {
    for body in [&b""[..], b"{}", b" \n"] {
        let bytes = read("CreateDevice", &[("product_key", "pk")], "", body).unwrap();
        let message = registry::CreateDeviceRequest::decode(&*bytes).unwrap();
        assert_eq!(
            message,
            registry::CreateDeviceRequest {
                product_key: "pk".into(),
                device_name: None
            }
        );
    }
}

#[test]
fn null_stands_for_an_optional_field_that_is_not_set_and_nothing_else() {
    assert!(
        read(
            "CreateDevice",
            &[("product_key", "pk")],
            "",
            br#"{"deviceName":null}"#
        )
        .is_ok()
    );
    assert_eq!(
        faults("CreateProduct", "", r#"{"name":null}"#),
        [pair("/name", "must be a text")]
    );
    assert_eq!(
        faults("CreateDevices", "", r#"{"deviceNames":null}"#),
        [pair("/deviceNames", "must be a list")]
    );
}

#[test]
fn every_fault_of_a_body_is_told_at_once() {
    let body = r#"{"name":5,"node_type":"DEVICE","edition":"pro","edition":"PRO","x":1,"dataFormat":"UNSPECIFIED"}"#;
    let expected = [
        pair("/name", "must be a text"),
        pair("/node_type", "is unknown: write nodeType"),
        pair("/edition", "must be one of BASIC, PRO"),
        pair("/edition", "stands there twice"),
        pair("/x", "is unknown"),
        pair("/dataFormat", "must be one of ALINK_JSON, CUSTOM"),
    ];
    assert_eq!(faults("CreateProduct", "", body), expected);
}

#[test]
fn wrong_types_are_refused_with_words() {
    for (operation, body, pointer, message) in [
        ("CreateProduct", "[]", "", "must be an object"),
        ("CreateProduct", "null", "", "must be an object"),
        (
            "CreateProduct",
            r#"{"name":"a\u0000b"}"#,
            "/name",
            "must not hold U+0000",
        ),
        (
            "CreateProduct",
            r#"{"name":"\ud800"}"#,
            "/name",
            "must be a text",
        ),
        ("CreateProduct", r#"{"a/b~c":1}"#, "/a~1b~0c", "is unknown"),
        (
            "CreateDevices",
            r#"{"count":1.0}"#,
            "/count",
            "must be a whole number",
        ),
        (
            "CreateDevices",
            r#"{"count":"1"}"#,
            "/count",
            "must be a whole number",
        ),
        (
            "CreateDevices",
            r#"{"count":1e3}"#,
            "/count",
            "must be a whole number",
        ),
        (
            "CreateDevices",
            r#"{"count":-1}"#,
            "/count",
            "must be from 0 to 4294967295",
        ),
        (
            "CreateDevices",
            r#"{"count":4294967296}"#,
            "/count",
            "must be from 0 to 4294967295",
        ),
        (
            "CreateDevices",
            r#"{"deviceNames":["a",1]}"#,
            "/deviceNames/1",
            "must be a text",
        ),
        (
            "CreateDevices",
            r#"{"productKey":"x"}"#,
            "/productKey",
            "stands in the path already",
        ),
        (
            "CreateToken",
            r#"{"expiresAt":"soon"}"#,
            "/expiresAt",
            "must be a time such as \"2026-01-31T08:00:00.000Z\"",
        ),
        (
            "CreateToken",
            r#"{"expiresAt":1}"#,
            "/expiresAt",
            "must be a time such as \"2026-01-31T08:00:00.000Z\"",
        ),
    ] {
        assert_eq!(
            faults(operation, "", body),
            [pair(pointer, message)],
            "{operation} {body}"
        );
    }
}

#[test]
fn what_is_no_json_is_one_fault() {
    for body in [
        "{",
        "{\"a\":}",
        "{} x",
        "{'a':1}",
        "\u{feff}{}",
        "{\"a\":01}",
        "nul",
    ] {
        let told = faults("CreateProduct", "", body);
        assert_eq!(told.len(), 1, "{body}");
        assert!(told[0].1.starts_with("is not JSON"), "{told:?}");
    }
    let told = read("CreateProduct", &[], "", b"{\"name\":\"\xff\"}").unwrap_err();
    assert_eq!(told.len(), 1);
    assert_eq!(
        faults("CreateProduct", "", &"[".repeat(100_000)),
        [pair("", "nests deeper than 64")]
    );
}

#[test]
fn inline_json_keeps_its_text() {
    let text = r#"{ "b" : 9007199254740993, "a":1.0,"a":1e400, "é":"\u00e9" }"#;
    let path = [("product_key", "pk"), ("device_name", "dn")];
    let body = format!(r#"{{"params":{text},"waitSeconds":3}}"#);
    let message = thing::SetPropertiesRequest::decode(
        &*read("SetProperties", &path, "", body.as_bytes()).unwrap(),
    )
    .unwrap();
    assert_eq!(message.params, text);
    assert_eq!(message.wait_seconds, Some(3));

    let result = thing::CommandResult {
        message_id: "m".into(),
        answered: true,
        code: Some(200),
        data: Some(text.into()),
        message: None,
    };
    assert_eq!(
        write("SetProperties", &result),
        format!(r#"{{"messageId":"m","answered":true,"code":200,"data":{text}}}"#)
    );
}

#[test]
fn a_whole_body_is_the_document_and_the_answer_too() {
    let text = "{\n  \"schema\": \"x\",\n  \"n\": 1.50\n}";
    let bytes = read(
        "PutThingModel",
        &[("product_key", "pk")],
        "",
        text.as_bytes(),
    )
    .unwrap();
    let message = thing::PutThingModelRequest::decode(&*bytes).unwrap();
    assert_eq!(
        message,
        thing::PutThingModelRequest {
            product_key: "pk".into(),
            document: text.into()
        }
    );
    assert_eq!(
        write(
            "GetThingModel",
            &thing::ThingModel {
                document: text.into()
            }
        ),
        text
    );
    assert_eq!(
        read("PutThingModel", &[], "", b" ").unwrap_err(),
        [pair("", "is missing")]
    );
}

#[test]
fn fields_with_a_default_are_always_written_and_optional_ones_when_set() {
    let product = registry::Product {
        product_key: "pk".into(),
        ..Default::default()
    };
    assert_eq!(
        write("GetProduct", &product),
        r#"{"productKey":"pk","name":"","nodeType":"UNSPECIFIED","dataFormat":"UNSPECIFIED","edition":"UNSPECIFIED"}"#
    );
    assert_eq!(
        write("ListProducts", &registry::ListProductsResponse::default()),
        r#"{"items":[]}"#
    );
    let line = devicelog::Line {
        id: "i".into(),
        r#type: 4,
        code: Some(0),
        status: 1,
        ..Default::default()
    };
    let expected = concat!(
        r#"{"items":[{"id":"i","type":"TSL","deviceName":"","messageId":"","content":"","status":"SUCCESS","#,
        r#""code":0,"reason":"","detail":null}]}"#
    );
    assert_eq!(
        write(
            "ListLogs",
            &devicelog::ListLogsResponse {
                items: vec![line],
                next_page_token: None
            }
        ),
        expected
    );
}

#[test]
fn a_query_becomes_the_message() {
    let query = "type=TSL&type=UPSTREAM&deviceName=a%2Bb+c&from=2026-01-01T00%3A00%3A00Z&pageSize=10&pageToken=";
    let bytes = read("ListLogs", &[("product_key", "pk")], query, b"ignored").unwrap();
    let message = devicelog::ListLogsRequest::decode(&*bytes).unwrap();
    assert_eq!(message.r#type, [4, 2]);
    assert_eq!(message.device_name.as_deref(), Some("a+b c"));
    assert_eq!(message.from.unwrap().seconds, 1_767_225_600);
    assert_eq!(message.page_size, 10);
}

#[test]
fn every_fault_of_a_query_is_told_at_once() {
    let query =
        "type=tsl&page_size=1&pageSize=x&pageSize=2&deviceName=a&deviceName=b&productKey=p&z&%ff=1";
    let expected = [
        pair(
            "/type",
            "must be one of ACTIVITY, UPSTREAM, DOWNSTREAM, TSL",
        ),
        pair("/page_size", "is unknown: write pageSize"),
        pair("/pageSize", "must be a whole number"),
        pair("/pageSize", "stands there twice"),
        pair("/deviceName", "stands there twice"),
        pair("/productKey", "cannot be given by the query"),
        pair("/z", "is unknown"),
        pair("/%ff", "is not UTF-8"),
    ];
    assert_eq!(faults("ListLogs", query, ""), expected);
    assert_eq!(
        faults("CreateProduct", "nmae=x", "{}"),
        [pair("/nmae", "is unknown")]
    );
}

#[test]
fn a_path_variable_is_read_by_its_type() {
    let version = |text| {
        read(
            "GetThingModelVersion",
            &[("product_key", "pk"), ("version", text)],
            "",
            b"",
        )
    };
    assert!(version("7").is_ok());
    assert_eq!(
        version("seven").unwrap_err(),
        [pair("/version", "must be a whole number")]
    );
}

fn pair(pointer: &str, message: &str) -> (String, String) {
    (pointer.to_owned(), message.to_owned())
}

/// Any message of this kind that a REST body can bring.
fn any_message(descriptor: MessageDescriptor) -> BoxedStrategy<DynamicMessage> {
    let fields: Vec<_> = descriptor.fields().collect();
    let mut strategy = Just(DynamicMessage::new(descriptor)).boxed();
    for field in fields {
        let one = match field.kind() {
            Kind::String if is_json(&field) => prop_oneof![
                "\"[a-z]{0,8}\"",
                "-?[1-9][0-9]{0,30}",
                Just("{ \"a\" : [ 1.0 ] }".to_owned())
            ]
            .prop_map(Value::String)
            .boxed(),
            Kind::String => "[^\0]{0,12}".prop_map(Value::String).boxed(),
            Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            Kind::Int32 => any::<i32>().prop_map(Value::I32).boxed(),
            Kind::Int64 => any::<i64>().prop_map(Value::I64).boxed(),
            Kind::Uint32 => any::<u32>().prop_map(Value::U32).boxed(),
            Kind::Uint64 => any::<u64>().prop_map(Value::U64).boxed(),
            Kind::Enum(values) => (1..values.values().len() as i32)
                .prop_map(Value::EnumNumber)
                .boxed(),
            Kind::Message(inner) if is_timestamp(&inner) => (0i64..253_402_300_799, 0i32..1000)
                .prop_map(move |(seconds, millis)| {
                    let mut time = DynamicMessage::new(inner.clone());
                    time.set_field_by_number(1, Value::I64(seconds));
                    time.set_field_by_number(2, Value::I32(millis * 1_000_000));
                    Value::Message(time)
                })
                .boxed(),
            Kind::Message(inner) => any_message(inner).prop_map(Value::Message).boxed(),
            other => panic!("no REST field is a {other:?}"),
        };
        let value = if field.is_list() {
            prop::collection::vec(one, 0..4)
                .prop_map(Value::List)
                .boxed()
        } else {
            one
        };
        let is_given = if field.field_descriptor_proto().proto3_optional() {
            any::<bool>().boxed()
        } else {
            Just(true).boxed()
        };
        strategy = (strategy, value, is_given)
            .prop_map(move |(mut message, value, is_given)| {
                if is_given {
                    message.set_field(&field, value);
                }
                message
            })
            .boxed();
    }
    strategy
}

/// Written as an answer would be and read as a body, a message is the same.
fn goes_round(message: &DynamicMessage) -> Result<(), TestCaseError> {
    let mut text = Vec::new();
    super::answer::write_message(&mut text, message).unwrap();
    let mut read = DynamicMessage::new(message.descriptor());
    let faults = super::request::read_body(&mut read, &text);
    prop_assert!(
        faults.is_empty(),
        "{:?} {}",
        faults,
        String::from_utf8_lossy(&text)
    );
    prop_assert_eq!(&read, message);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back_the_same(index in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let outputs: Vec<_> = CONTRACT.operations.iter().map(|operation| operation.method.output()).collect();
        let descriptor = outputs[index.index(outputs.len())].clone();
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(
            ProptestConfig::default(),
            proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed_bytes(seed)),
        );
        let message = proptest::strategy::ValueTree::current(&any_message(descriptor).new_tree(&mut runner).unwrap());
        goes_round(&message)?;
    }

    #[test]
    fn no_body_breaks_the_reader(body in prop::collection::vec(any::<u8>(), 0..200), query in ".{0,60}") {
        for operation in CONTRACT.operations.iter() {
            let Some(rest) = operation.rest.clone() else { continue };
            let _ = request(operation, &rest, &Parts { path: &[], query: &query, body: &body });
        }
    }

    #[test]
    fn no_json_breaks_the_reader(
        body in r#"(\{|\[|\}|\]|,|:|"name"|"role"|"params"|"deviceNames"|"expiresAt"|null|true|-1|1e999|"\\ud800"|""| ){0,24}"#
    ) {
        for operation in CONTRACT.operations.iter() {
            let Some(rest) = operation.rest.clone() else { continue };
            if !matches!(rest.input, Input::Query) {
                let _ = request(operation, &rest, &Parts { path: &[], query: "", body: body.as_bytes() });
            }
        }
    }

    #[test]
    fn no_answer_of_a_service_breaks_the_writer(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        for operation in CONTRACT.operations.iter() {
            let Some(rest) = operation.rest.clone() else { continue };
            let _ = answer(operation, &rest, bytes.clone().into());
        }
    }
}

fn seed_bytes(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes
}
