//! What a device may publish and subscribe: its own tree, upward, within the limits.

use crate::{
    filter, limits,
    names::Device,
    topic::{Kind, RrpcInner, Topic},
};

/// Why a topic or filter is refused; every one is the log's `No authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denied {
    #[error("not a topic of the protocol")]
    Unknown,
    #[error("the topic is another device's")]
    OtherDevice,
    #[error("the topic is for messages to devices")]
    NotUpward,
    #[error("a topic is at most 128 bytes, a custom one at most 7 slashes")]
    TooLong,
    #[error("the filter is ill-formed")]
    BadFilter,
    #[error("shared subscriptions are not offered")]
    Shared,
    #[error("the filter reaches beyond the device's own topics")]
    TooWide,
}

/// Whether `device` may publish on `topic`. A gateway asks with the sub-device that it speaks for.
pub fn may_publish(device: &Device, topic: &Topic<'_>) -> Result<(), Denied> {
    if !topic.within_limits() {
        Err(Denied::TooLong)
    } else if !topic.direction().goes_up() {
        Err(Denied::NotUpward)
    } else if topic.device().is_none_or(|owner| owner != *device) {
        Err(Denied::OtherDevice)
    } else {
        Ok(())
    }
}

/// Whether `device` may subscribe `filter`. Own topics that bring nothing are granted too: SDKs
/// subscribe some.
pub fn check_subscription(device: &Device, filter: &str) -> Result<(), Denied> {
    if filter.starts_with("$share/") {
        return Err(Denied::Shared);
    }
    filter::check(filter).map_err(|_| Denied::BadFilter)?;
    if filter::has_wildcards(filter) {
        return check_wildcards(device, filter);
    }
    let topic = Topic::parse(filter).map_err(|_| Denied::Unknown)?;
    let own = match topic.kind() {
        Kind::Broadcast { product_key, .. } => device.product_key == product_key,
        _ => topic.device().is_some_and(|owner| owner == *device),
    };
    if !own {
        Err(Denied::OtherDevice)
    } else if !topic.within_limits() {
        Err(Denied::TooLong)
    } else {
        Ok(())
    }
}

/// Every topic that the filter can match must be the device's own.
fn check_wildcards(device: &Device, filter: &str) -> Result<(), Denied> {
    // The id of a synchronous call is never known before.
    let inner = filter.strip_prefix("/ext/rrpc/+").unwrap_or(filter);
    if inner.len() > limits::TOPIC_BYTES {
        return Err(Denied::TooLong);
    }
    if !filter::has_wildcards(inner) {
        return match Topic::parse(inner).map_err(|_| Denied::Unknown)?.kind() {
            Kind::Custom { .. } | Kind::Service { .. } | Kind::PropertySet | Kind::DownRaw => {
                check_subscription(device, inner)
            }
            _ => Err(Denied::Unknown),
        };
    }
    if is_own_tree(device, inner, inner.len() != filter.len()) {
        Ok(())
    } else {
        Err(Denied::TooWide)
    }
}

/// Whether the filter names product and device where its topics have them, without a wildcard.
fn is_own_tree(device: &Device, filter: &str, in_rrpc: bool) -> bool {
    let (pk, dn) = (device.product_key.as_str(), device.device_name.as_str());
    let mut levels = filter.split('/');
    let mut next = || levels.next().unwrap_or_default();
    if !next().is_empty() {
        return false;
    }
    match next() {
        "sys" => next() == pk && next() == dn,
        "ext" | "ota" | "shadow" | "broadcast" if in_rrpc => false,
        "ext" => matches!(next(), "ntp" | "session" | "error") && next() == pk && next() == dn,
        "ota" => next() == "device" && next() != "#" && next() == pk && next() == dn,
        "shadow" => next() != "#" && next() == pk && next() == dn,
        "broadcast" => next() == pk,
        first => first == pk && next() == dn,
    }
}

/// Whether a device with `_ss=1` gets messages on `topic` without a SUBSCRIBE.
pub fn is_auto_subscribed(topic: &Topic<'_>) -> bool {
    topic.direction().goes_down()
        && !matches!(
            topic.kind(),
            Kind::Custom { .. }
                | Kind::Broadcast { .. }
                | Kind::ExtRrpc {
                    inner: RrpcInner::Custom { .. },
                    ..
                }
        )
}

#[cfg(test)]
mod tests;
