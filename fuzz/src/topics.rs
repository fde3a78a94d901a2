//! Topics and filters: the first line is a filter, the second a topic that a message might go out on.

use alink::{
    Device, filter,
    policy::{self, Denied},
    topic::{Kind, Topic},
};

/// A topic is what it is written as, and a filter that a device may have brings only its own.
pub fn topics(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (filter, topic) = text.split_once('\n').unwrap_or((&text, &text));
    let device = Device::parse("a1B2c3D4e5F", "boiler_01").expect("a good name");
    let granted = policy::check_subscription(&device, filter);
    if filter::check(filter).is_err() {
        assert!(matches!(granted, Err(Denied::BadFilter | Denied::Shared)));
    }
    let matches = filter::matches(filter, topic);
    let Ok(topic) = Topic::parse(topic) else {
        return;
    };
    read(&topic);
    if let Ok(()) = policy::may_publish(&device, &topic) {
        assert!(topic.direction().goes_up() && topic.within_limits());
        assert!(topic.device().is_some_and(|owner| owner == device));
    }
    if granted.is_ok() && matches {
        let own = match topic.kind() {
            Kind::Broadcast { product_key, .. } => device.product_key == product_key,
            _ => topic.device().is_some_and(|owner| owner == device),
        };
        assert!(own, "{filter} brings {}", topic.text());
    }
}

fn read(topic: &Topic<'_>) {
    assert!(filter::check(topic.text()).is_ok() && !filter::has_wildcards(topic.text()));
    assert!(filter::matches(topic.text(), topic.text()));
    let device = topic.device().map(|device| device.to_device());
    if let Some(device) = &device {
        assert_eq!(topic.kind().topic_of(device.as_ref()), topic.text());
    }
    if let Some(method) = topic.method() {
        assert!(topic.method_is(&method));
    }
    if let Some(reply) = topic.reply_topic() {
        let reply = Topic::parse(&reply).expect("a reply's topic is one");
        assert_eq!(reply.device(), topic.device());
        assert_eq!(reply.method(), topic.method());
    }
}
