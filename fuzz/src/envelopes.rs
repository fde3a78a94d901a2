//! What every message is wrapped in.

use alink::{
    codes,
    envelope::{DeviceReply, EnvelopeFault, Method, OurRequest, Reply, Request, Span},
    ntp,
    topic::Topic,
};
use serde::de::IgnoredAny;

/// An envelope is read or refused as `serde_json` would, and answered with an envelope.
pub fn envelopes(payload: &[u8]) {
    let text = std::str::from_utf8(payload).ok();
    let is_json = text.is_some_and(is_grammatical);
    let is_object = is_json && text.is_some_and(|text| text.trim_start().starts_with('{'));
    let _ = ntp::answer(payload, 1, 2).map(|answer| assert!(is(&answer)));
    match Request::parse(payload) {
        Ok(request) => {
            assert!(is_object);
            on_request(payload, &request);
        }
        // Strict readers refuse half a surrogate pair, which those that pass over it do not see.
        Err(EnvelopeFault::NotJson(_)) => assert_ne!(crate::json::is_json(payload), Some(true)),
        Err(EnvelopeFault::NotObject) => assert!(is_json && !is_object),
        Err(_) => {}
    }
    if let Ok(reply) = DeviceReply::parse(payload) {
        assert!(is_object && is_grammatical(reply.id));
        if let Some(data) = reply.data {
            lies_in(payload, data);
        }
        let _ = reply.request_id();
    }
}

fn on_request(payload: &[u8], request: &Request<'_>) {
    if let Some(params) = request.params {
        lies_in(payload, params);
        let ours = OurRequest {
            id: 1,
            params: params.raw,
            method: "thing.service.property.set",
        };
        assert!(is(&ours.to_bytes()));
    }
    let post = "/sys/a1B2c3D4e5F/boiler_01/thing/event/property/post";
    let topic = Topic::parse(post).expect("a topic");
    let _ = request.check_method(&topic);
    let mut reply = Reply::new(request.id, codes::SUCCESS);
    if let Method::Text(method) = &request.method {
        reply = reply.method(method.clone()).message(method.clone());
    }
    let reply = reply.to_bytes();
    assert!(is(&reply));
    let read = DeviceReply::parse(&reply).expect("an answer is one");
    assert_eq!(read.id, request.id);
}

fn lies_in(payload: &[u8], span: Span<'_>) {
    assert_eq!(
        &payload[span.offset..][..span.raw.len()],
        span.raw.as_bytes()
    );
    assert!(is_grammatical(span.raw));
}

/// However deep, and whatever its numbers.
fn is_grammatical(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn is(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(is_grammatical)
}
