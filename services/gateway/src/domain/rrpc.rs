//! The topic on which a synchronous call goes to a device: by the `ext` of its connection.

use alink::topic::{Kind, RrpcInner, Topic};

/// Nothing if the topic cannot be called.
pub(crate) fn topic(plain: &str, id: u64, understands_ext: bool) -> Option<String> {
    let topic = Topic::parse(plain).ok()?;
    let device = topic.device()?;
    let inner = match topic.kind() {
        Kind::PropertySet => RrpcInner::PropertySet,
        Kind::Service { service } => RrpcInner::Service { service },
        Kind::DownRaw => RrpcInner::DownRaw,
        Kind::Custom { path } => RrpcInner::Custom { path },
        _ => return None,
    };
    let kind = if understands_ext {
        Kind::ExtRrpc { mid: id, inner }
    } else {
        Kind::RrpcRequest { mid: id }
    };
    Some(kind.topic_of(device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_the_connection() {
        let service = "/sys/pk/boiler/thing/service/SelfTest";
        for (plain, ext, expected) in [
            (service, false, Some("/sys/pk/boiler/rrpc/request/42")),
            (
                service,
                true,
                Some("/ext/rrpc/42/sys/pk/boiler/thing/service/SelfTest"),
            ),
            (
                "/pk/boiler/user/ask",
                true,
                Some("/ext/rrpc/42/pk/boiler/user/ask"),
            ),
            (
                "/pk/boiler/user/ask",
                false,
                Some("/sys/pk/boiler/rrpc/request/42"),
            ),
            ("/sys/pk/boiler/thing/event/property/post_reply", true, None),
            ("nonsense", false, None),
        ] {
            assert_eq!(topic(plain, 42, ext).as_deref(), expected, "{plain} {ext}");
        }
    }
}
