use proptest::prelude::*;

use super::*;
use crate::topic::Topic;

#[test]
fn a_request_is_read_as_it_stands() {
    let payload = br#" {"id":"1712","version":"1.0","sys":{"ack":1},"params":{"pressure":6.2},"method":"thing.event.property.post","x":[1]}"#;
    let request = Request::parse(payload).unwrap();
    assert_eq!(request.id, "\"1712\"");
    assert_eq!(
        request.method,
        Method::Text("thing.event.property.post".into())
    );
    let params = request.params.unwrap();
    assert_eq!(params.raw, r#"{"pressure":6.2}"#);
    assert_eq!(
        &payload[params.offset..][..params.raw.len()],
        params.raw.as_bytes()
    );
    assert!(request.ack);
    assert_eq!(request.version, Some("\"1.0\""));
}

#[test]
fn any_id_is_echoed_unchanged() {
    for id in [
        r#""7|exp-topic|/sys/p/d/thing""#,
        "7",
        "12345678901234567890123",
        "null",
        r#""\u0041""#,
        "[1, 2]",
        "1.50",
    ] {
        let payload = format!(r#"{{"params":{{}},"id": {id} }}"#);
        let request = Request::parse(payload.as_bytes()).unwrap();
        assert_eq!(request.id, id);
        let reply = Reply::success(request.id).to_bytes();
        assert_eq!(
            String::from_utf8(reply).unwrap(),
            format!(r#"{{"id":{id},"code":200,"data":{{}},"message":"success","version":"1.0"}}"#)
        );
    }
    assert_eq!(Request::parse(b"{}").unwrap().id, NO_ID);
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(255));
    assert_eq!(Request::parse(long.as_bytes()), Err(EnvelopeFault::LongId));
}

#[test]
fn acknowledgement_is_wanted_unless_refused() {
    for (sys, ack) in [
        ("{\"ack\":0}", false),
        ("{\"ack\":\"0\"}", false),
        ("{\"ack\":1}", true),
        ("{}", true),
        ("5", true),
    ] {
        assert_eq!(
            Request::parse(format!("{{\"sys\":{sys}}}").as_bytes())
                .unwrap()
                .ack,
            ack,
            "{sys}"
        );
    }
}

#[test]
fn a_method_may_be_missing_but_not_wrong() {
    let post = Topic::parse("/sys/prod/dev1/thing/event/property/post").unwrap();
    for (member, verdict) in [
        (r#""x":0"#, Ok(())),
        (r#""method":"""#, Ok(())),
        (r#""method":"thing.event.property.post""#, Ok(())),
        (r#""method":"thing\u002eevent.property.post""#, Ok(())),
        (
            r#""method":"thing.event.property.set""#,
            Err(codes::METHOD_NOT_FOUND),
        ),
        (
            r#""method":"thing/event/property/post""#,
            Err(codes::METHOD_NOT_FOUND),
        ),
        (r#""method":null"#, Err(codes::METHOD_MISSING)),
        (r#""method":5"#, Err(codes::METHOD_MISSING)),
        (r#""method":"\ud800""#, Err(codes::METHOD_MISSING)),
    ] {
        let payload = format!("{{{member}}}");
        assert_eq!(
            Request::parse(payload.as_bytes())
                .unwrap()
                .check_method(&post),
            verdict,
            "{member}"
        );
    }
}

#[test]
fn what_is_no_envelope_is_said() {
    for (payload, fault) in [
        (&b"[]"[..], EnvelopeFault::NotObject),
        (b"5", EnvelopeFault::NotObject),
        (b"[\"1\",\"1.0\"]", EnvelopeFault::NotObject),
        (b"null", EnvelopeFault::NotObject),
        (b"1e400", EnvelopeFault::NotObject),
        (br#"{"id":"1","id":"2"}"#, EnvelopeFault::Twice("id")),
        (
            br#"{"params":{},"p\u0061rams":{}}"#,
            EnvelopeFault::Twice("params"),
        ),
    ] {
        assert_eq!(
            Request::parse(payload),
            Err(fault),
            "{}",
            String::from_utf8_lossy(payload)
        );
    }
    for payload in [
        &b""[..],
        b"{",
        b"{\"id\":1}x",
        b"{\"id\":}",
        b"[1",
        b"\xff{}",
        b"{id:1}",
        b"nul",
        b"{\"id\":1,}",
    ] {
        let fault = Request::parse(payload).unwrap_err();
        assert!(
            matches!(fault, EnvelopeFault::NotJson(_)),
            "{payload:?} {fault:?}"
        );
        assert_eq!(fault.code(Capability::Thing), codes::DATA_FORMAT);
        assert_eq!(fault.code(Capability::Ota), codes::INVALID_PARAMETER);
    }
}

#[test]
fn deep_nesting_is_skipped_not_climbed() {
    let deep = format!(
        r#"{{"x":{0}{1},"params":{0}{1}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(
        Request::parse(deep.as_bytes())
            .unwrap()
            .params
            .unwrap()
            .raw
            .len(),
        200_000
    );
}

#[test]
fn a_devices_answer_needs_id_and_code() {
    let reply =
        DeviceReply::parse(br#"{"id":"81","code":200,"data":{"ok":1},"message":"fine"}"#).unwrap();
    assert_eq!((reply.request_id(), reply.code), (Some(81), codes::SUCCESS));
    assert_eq!(reply.data.unwrap().raw, r#"{"ok":1}"#);
    assert_eq!(reply.message.as_deref(), Some("fine"));

    let bare = DeviceReply::parse(br#"{"id":81,"code":"100001"}"#).unwrap();
    assert_eq!(
        (bare.request_id(), bare.code, bare.data),
        (Some(81), Code(100_001), None)
    );

    let foreign = DeviceReply::parse(br#"{"id":"x","code":200}"#).unwrap();
    assert_eq!(foreign.request_id(), None);

    for bad in [
        &br#"{"code":200}"#[..],
        br#"{"id":"1"}"#,
        br#"{"id":"1","code":"x"}"#,
        br#"{"id":"1","code":2.5}"#,
        br#"{"id":"1","code":-1}"#,
    ] {
        assert_eq!(DeviceReply::parse(bad), Err(EnvelopeFault::NotReply));
    }
}

#[test]
fn an_answer_has_its_four_members_in_order() {
    let reply = Reply::new("\"1712\"", codes::PROPERTY_NOT_FOUND)
        .data(r#"{"a":1}"#)
        .message("no \"x\"")
        .method("thing.event.property.post");
    assert_eq!(
        String::from_utf8(reply.to_bytes()).unwrap(),
        r#"{"id":"1712","code":6320,"data":{"a":1},"message":"no \"x\"","method":"thing.event.property.post","version":"1.0"}"#
    );
}

#[test]
fn our_request_has_its_four_members() {
    let request = OurRequest {
        id: 81,
        params: r#"{"setpoint":7.5}"#,
        method: "thing.service.property.set",
    };
    assert_eq!(
        String::from_utf8(request.to_bytes()).unwrap(),
        r#"{"id":"81","version":"1.0","params":{"setpoint":7.5},"method":"thing.service.property.set"}"#
    );
}

proptest! {
    #[test]
    fn no_payload_makes_it_panic(bytes: Vec<u8>, text in r#"[\{\}\[\]",:a-z0-9\\ ]{0,60}"#) {
        let _ = (Request::parse(&bytes), DeviceReply::parse(&bytes));
        let _ = (Request::parse(text.as_bytes()), DeviceReply::parse(text.as_bytes()));
    }

    #[test]
    fn every_answer_is_json_whatever_its_texts(id: String, message: String, method: Option<String>, code: u32) {
        let id = serde_json::to_string(&id).unwrap();
        let mut reply = Reply::new(&*id, Code(code)).message(&*message);
        reply.method = method.as_deref().map(Cow::Borrowed);
        let bytes = reply.to_bytes();
        let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(read["id"].to_string(), id.clone());
        prop_assert_eq!(read["message"].as_str(), Some(&*message));
        if id.len() <= 256 {
            let back = DeviceReply::parse(&bytes).unwrap();
            prop_assert_eq!((back.id, back.code), (&*id, Code(code)));
        }
    }
}
