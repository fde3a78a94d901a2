use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::Device;

const PK: &str = "a1B2c3D4e5F";
const DN: &str = "boiler_01";

fn device() -> Device {
    Device::parse(PK, DN).unwrap()
}

/// Every row of the protocol page's table, `{d}` for `{pk}/{dn}`.
#[rustfmt::skip]
fn rows() -> Vec<(&'static str, Kind<'static>, Direction, Capability)> {
    use {Capability as C, Direction::*, Kind as K};
    let (purge, over) = ("Purge", "OverPressure");
    vec![
        ("/sys/{d}/thing/event/property/post", K::PropertyPost, Up, C::Thing),
        ("/sys/{d}/thing/event/property/post_reply", K::PropertyPostReply, Down, C::Thing),
        ("/sys/{d}/thing/event/OverPressure/post", K::EventPost { event: over }, Up, C::Thing),
        ("/sys/{d}/thing/event/OverPressure/post_reply", K::EventPostReply { event: over }, Down, C::Thing),
        ("/sys/{d}/thing/event/mod:E/post", K::EventPost { event: "mod:E" }, Up, C::Thing),
        ("/sys/{d}/thing/event/property/batch/post", K::PropertyBatchPost, Up, C::Thing),
        ("/sys/{d}/thing/event/property/history/post", K::PropertyHistoryPost, Up, C::Thing),
        ("/sys/{d}/thing/event/property/pack/post", K::PropertyPackPost, Up, C::Thing),
        ("/sys/{d}/thing/event/property/pack/post_reply", K::PropertyPackPostReply, Down, C::Thing),
        ("/sys/{d}/thing/service/property/set", K::PropertySet, Down, C::Thing),
        ("/sys/{d}/thing/service/property/set_reply", K::PropertySetReply, Up, C::Thing),
        ("/sys/{d}/thing/service/property/get", K::PropertyGet, Down, C::Thing),
        ("/sys/{d}/thing/service/property/get_reply", K::PropertyGetReply, Up, C::Thing),
        ("/sys/{d}/thing/service/Purge", K::Service { service: purge }, Down, C::Thing),
        ("/sys/{d}/thing/service/Purge_reply", K::ServiceReply { service: purge }, Up, C::Thing),
        ("/sys/{d}/rrpc/request/12", K::RrpcRequest { mid: 12 }, Down, C::Thing),
        ("/sys/{d}/rrpc/response/12", K::RrpcResponse { mid: 12 }, Up, C::Thing),
        ("/ext/rrpc/12/sys/{d}/thing/service/Purge", K::ExtRrpc { mid: 12, inner: RrpcInner::Service { service: purge }, }, Both, C::Thing),
        ("/ext/rrpc/12/sys/{d}/thing/service/property/set", K::ExtRrpc { mid: 12, inner: RrpcInner::PropertySet, }, Both, C::Thing),
        ("/ext/rrpc/12/sys/{d}/thing/model/down_raw", K::ExtRrpc { mid: 12, inner: RrpcInner::DownRaw, }, Both, C::Thing),
        ("/ext/rrpc/12/{d}/user/get", K::ExtRrpc { mid: 12, inner: RrpcInner::Custom { path: "user/get" }, }, Both, C::Custom),
        ("/sys/{d}/thing/property/desired/get", K::DesiredGet, Up, C::Thing),
        ("/sys/{d}/thing/property/desired/delete_reply", K::DesiredDeleteReply, Down, C::Thing),
        ("/sys/{d}/thing/deviceinfo/update", K::TagsUpdate, Up, C::Thing),
        ("/sys/{d}/thing/deviceinfo/delete", K::TagsDelete, Up, C::Thing),
        ("/sys/{d}/thing/dsltemplate/get", K::ModelGet, Up, C::Thing),
        ("/sys/{d}/thing/dynamicTsl/get", K::DynamicModelGet, Up, C::Thing),
        ("/sys/{d}/thing/config/log/get", K::ConfigLogGet, Up, C::Log),
        ("/sys/{d}/thing/config/log/push", K::ConfigLogPush, Down, C::Log),
        ("/sys/{d}/thing/log/post", K::LogPost, Up, C::Log),
        ("/sys/{d}/_thing/diag/post", K::DiagnosisPost, Up, C::Log),
        ("/sys/{d}/_thing/diag/post_reply", K::DiagnosisPostReply, Down, C::Log),
        ("/ext/ntp/{d}/request", K::NtpRequest, Up, C::Ntp),
        ("/ext/ntp/{d}/response", K::NtpResponse, Down, C::Ntp),
        ("/shadow/update/{d}", K::ShadowUpdate, Up, C::Shadow),
        ("/shadow/get/{d}", K::ShadowGet, Down, C::Shadow),
        ("/sys/{d}/thing/topo/add", K::TopoAdd, Up, C::Registry),
        ("/sys/{d}/thing/topo/delete", K::TopoDelete, Up, C::Registry),
        ("/sys/{d}/thing/topo/get", K::TopoGet, Up, C::Registry),
        ("/sys/{d}/thing/list/found", K::ListFound, Up, C::Registry),
        ("/sys/{d}/thing/sub/register", K::SubRegister, Up, C::Registry),
        ("/sys/{d}/thing/sub/unregister", K::SubUnregister, Up, C::Registry),
        ("/sys/{d}/thing/proxy/provisioning/product_register", K::ProxyRegister, Up, C::Registry),
        ("/sys/{d}/thing/topo/add/notify", K::TopoAddNotify, Down, C::Registry),
        ("/sys/{d}/thing/topo/add/notify_reply", K::TopoAddNotifyReply, Up, C::Registry),
        ("/sys/{d}/thing/topo/change", K::TopoChange, Down, C::Registry),
        ("/ext/session/{d}/combine/login", K::SessionLogin, Up, C::Registry),
        ("/ext/session/{d}/combine/logout", K::SessionLogout, Up, C::Registry),
        ("/ext/session/{d}/combine/batch_login", K::SessionBatchLogin, Up, C::Registry),
        ("/ext/session/{d}/combine/batch_logout_reply", K::SessionBatchLogoutReply, Down, C::Registry),
        ("/sys/{d}/thing/disable", K::Disable, Down, C::Registry),
        ("/sys/{d}/thing/enable", K::Enable, Down, C::Registry),
        ("/sys/{d}/thing/delete_reply", K::DeleteReply, Up, C::Registry),
        ("/ext/error/{d}", K::ExtError, Down, C::Registry),
        ("/sys/{d}/thing/model/up_raw", K::UpRaw, Up, C::Thing),
        ("/sys/{d}/thing/model/up_raw_reply", K::UpRawReply, Down, C::Thing),
        ("/sys/{d}/thing/model/down_raw", K::DownRaw, Down, C::Thing),
        ("/sys/{d}/thing/model/down_raw_reply", K::DownRawReply, Up, C::Thing),
        ("/ota/device/inform/{d}", K::OtaInform, Up, C::Ota),
        ("/ota/device/progress/{d}", K::OtaProgress, Up, C::Ota),
        ("/ota/device/upgrade/{d}", K::OtaUpgrade, Down, C::Ota),
        ("/ota/device/request/{d}", K::OtaRequest, Both, C::Ota),
        ("/sys/{d}/thing/ota/firmware/get", K::FirmwareGet, Up, C::Ota),
        ("/sys/{d}/thing/file/download", K::FileDownload, Up, C::Ota),
        ("/sys/{d}/thing/config/get", K::ConfigGet, Up, C::RemoteConfig),
        ("/sys/{d}/thing/config/push", K::ConfigPush, Down, C::RemoteConfig),
        ("/sys/{d}/thing/config/push_reply", K::ConfigPushReply, Up, C::RemoteConfig),
        ("/{d}/user/update", K::Custom { path: "user/update", }, Both, C::Custom),
        ("/{d}/user/update/error", K::Custom { path: "user/update/error", }, Both, C::Custom),
        ("/{d}/data", K::Custom { path: "data" }, Both, C::Custom),
        ("/broadcast/a1B2c3D4e5F/all", K::Broadcast { product_key: PK, path: "all", }, Down, C::Custom),
        ("/ext/register", K::Register, Down, C::Registration),
        ("/ext/regnwl", K::RegisterNew, Down, C::Registration),
        ("/sys/{d}/thing/reset", K::OutOfScope { path: "thing/reset", }, Both, C::OutOfScope),
        ("/sys/{d}/thing/job/notify", K::OutOfScope { path: "thing/job/notify", }, Both, C::OutOfScope),
        ("/sys/{d}/thing/awss/enrollee/match", K::OutOfScope { path: "thing/awss/enrollee/match", }, Both, C::OutOfScope),
    ]
}

#[test]
fn every_row_of_the_table_is_read_and_written() {
    for (pattern, kind, direction, capability) in rows() {
        let text = pattern.replace("{d}", &format!("{PK}/{DN}"));
        let topic = Topic::parse(&text).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(
            (topic.kind(), topic.direction(), topic.capability()),
            (kind, direction, capability),
            "{text}"
        );
        assert_eq!(
            topic.device().is_some_and(|owner| owner == device()),
            pattern.contains("{d}"),
            "{text}"
        );
        assert_eq!(kind.topic_of(device().as_ref()), text);
        assert!(topic.within_limits(), "{text}");
    }
}

#[test]
fn answered_rows_and_their_answers_go_opposite_ways() {
    let mut texts = HashSet::new();
    for &(request, reply) in Kind::ANSWERED {
        assert_eq!(request.reply(), Some(reply));
        assert_eq!(reply.reply(), None);
        assert_ne!(request.direction(), reply.direction());
        let (request_text, reply_text) = (
            request.topic_of(device().as_ref()),
            reply.topic_of(device().as_ref()),
        );
        assert_eq!(format!("{request_text}_reply"), reply_text);
        let topic = Topic::parse(&request_text).unwrap();
        assert_eq!(
            (topic.kind(), topic.reply_topic()),
            (request, Some(reply_text.clone()))
        );
        assert_eq!(Topic::parse(&reply_text).unwrap().kind(), reply);
        assert!(texts.insert(request_text) && texts.insert(reply_text));
    }
}

#[test]
fn answers_that_have_topics_of_their_own_go_there() {
    for (text, reply) in [
        ("/ext/ntp/{d}/request", Some("/ext/ntp/{d}/response")),
        ("/sys/{d}/rrpc/request/9", Some("/sys/{d}/rrpc/response/9")),
        ("/ext/rrpc/9/{d}/user/get", Some("/ext/rrpc/9/{d}/user/get")),
        ("/ota/device/request/{d}", Some("/ota/device/request/{d}")),
        (
            "/sys/{d}/thing/event/E/post",
            Some("/sys/{d}/thing/event/E/post_reply"),
        ),
        ("/ota/device/inform/{d}", None),
        ("/ota/device/progress/{d}", None),
        ("/shadow/update/{d}", None),
        ("/{d}/user/update", None),
        ("/sys/{d}/thing/service/property/set_reply", None),
    ] {
        let fill = |text: &str| text.replace("{d}", &format!("{PK}/{DN}"));
        assert_eq!(
            Topic::parse(&fill(text)).unwrap().reply_topic(),
            reply.map(fill),
            "{text}"
        );
    }
}

#[test]
fn a_command_is_answered_on_its_reply_topic_and_nothing_else_is() {
    let purge = "Purge";
    for command in [
        Kind::PropertySet,
        Kind::DownRaw,
        Kind::Service { service: purge },
        Kind::RrpcRequest { mid: 7 },
    ] {
        let reply = command.reply().unwrap();
        assert!(reply.answers_command() && !command.answers_command());
    }
    for other in [
        Kind::PropertyPost,
        Kind::PropertyPostReply,
        Kind::EventPost { event: purge },
        Kind::NtpRequest,
    ] {
        assert!(!other.answers_command(), "{other:?}");
    }
}

#[test]
fn a_method_is_the_path_with_dots() {
    for (text, method) in [
        (
            "/sys/{d}/thing/event/property/post",
            Some("thing.event.property.post"),
        ),
        (
            "/sys/{d}/thing/event/m:E/post",
            Some("thing.event.m:E.post"),
        ),
        (
            "/sys/{d}/thing/service/property/set_reply",
            Some("thing.service.property.set"),
        ),
        ("/sys/{d}/thing/service/Purge", Some("thing.service.Purge")),
        (
            "/ext/rrpc/1/sys/{d}/thing/service/Purge",
            Some("thing.service.Purge"),
        ),
        ("/sys/{d}/thing/model/up_raw", None),
        ("/sys/{d}/rrpc/response/1", None),
        ("/{d}/user/update", None),
        ("/ota/device/inform/{d}", None),
    ] {
        let text = text.replace("{d}", &format!("{PK}/{DN}"));
        let topic = Topic::parse(&text).unwrap();
        assert_eq!(topic.method().as_deref(), method, "{text}");
        assert!(topic.method_is(method.unwrap_or("anything")));
        assert_eq!(
            topic.method_is("thing.event.property.pos/"),
            method.is_none()
        );
    }
}

#[test]
fn parsing_is_asked_for_on_custom_topics_only() {
    let topic = Topic::parse("/a1B2c3D4e5F/boiler_01/user/update?_sn=default").unwrap();
    assert!(topic.asks_parsing());
    assert_eq!(topic.text(), "/a1B2c3D4e5F/boiler_01/user/update");
    assert_eq!(
        topic.kind(),
        Kind::Custom {
            path: "user/update"
        }
    );
    assert!(Topic::parse("/ota/device/inform/a1B2c3D4e5F/boiler_01?_sn=default").is_err());
    assert!(Topic::parse("/a1B2c3D4e5F/boiler_01/user/update?_sn=other").is_err());
}

#[test]
fn what_is_no_topic_is_refused() {
    for text in [
        "",
        "/",
        "sys/a1/boiler/thing/topo/get",
        "/sys/a1B2c3D4e5F/boiler_01",
        "/sys/a1B2c3D4e5F/boiler_01/",
        "/sys/a1B2c3D4e5F/boiler_01/thing/unknown",
        "/sys/a1B2c3D4e5F/boiler_01/thing/event//post",
        "/sys/a1B2c3D4e5F/boiler_01/thing/event/a/b/post",
        "/sys/a1B2c3D4e5F/boiler_01/thing/service/",
        "/sys/a1B2c3D4e5F/boiler_01/thing/service/a/b",
        "/sys/a1B2c3D4e5F/boiler_01/thing/event/property/post/",
        "/sys/a1B2c3D4e5F/boiler_01/thing/event/+/post",
        "/sys/+/boiler_01/thing/topo/get",
        "/sys/a1B2c3D4e5F/boi/thing/topo/get",
        "/sys/a1B2c3D4e5F/boiler_01/rrpc/request/",
        "/sys/a1B2c3D4e5F/boiler_01/rrpc/request/x",
        "/sys/a1B2c3D4e5F/boiler_01/rrpc/request/01",
        "/sys/a1B2c3D4e5F/boiler_01/rrpc/request/12345678901234567890",
        "/sys/a1B2c3D4e5F/boiler_01/thing/reset/x",
        "/sys/a1B2c3D4e5F/boiler_01/thing/job/",
        "/ext/rrpc/1",
        "/ext/rrpc/1/sys/a1B2c3D4e5F/boiler_01/thing/event/property/post",
        "/ext/rrpc/1/ext/rrpc/2/a1B2c3D4e5F/boiler_01/user/get",
        "/ext/rrpc/1/ota/device/inform/a1B2c3D4e5F/boiler_01",
        "/ext/ntp/a1B2c3D4e5F/boiler_01/answer",
        "/ext/unknown",
        "/ota/device/unknown/a1B2c3D4e5F/boiler_01",
        "/shadow/put/a1B2c3D4e5F/boiler_01",
        "/a1B2c3D4e5F/boiler_01/user/",
        "/a1B2c3D4e5F/boiler_01/user/with space",
        "/a1B2c3D4e5F/boiler_01/user/#",
        "/broadcast/a1B2c3D4e5F",
        "$SYS/broker",
    ] {
        assert_eq!(Topic::parse(text), Err(BadTopic), "{text}");
    }
}

#[test]
fn limits_count_the_inner_topic() {
    let deep = format!("/{PK}/{DN}/user/1/2/3/4");
    assert!(Topic::parse(&deep).unwrap().within_limits());
    assert!(!Topic::parse(&format!("{deep}/5")).unwrap().within_limits());
    let call = format!("/ext/rrpc/1234567890123456789{deep}");
    assert!(Topic::parse(&call).unwrap().within_limits());
    assert_eq!(Topic::parse(&call).unwrap().inner_text(), deep);
    let long = format!("/{PK}/{DN}/user/{}", "x".repeat(128 - 28));
    assert_eq!(long.len(), 128);
    assert!(Topic::parse(&long).unwrap().within_limits());
    assert!(!Topic::parse(&format!("{long}x")).unwrap().within_limits());
}

proptest! {
    #[test]
    fn what_parses_is_written_the_same(
        head in prop::sample::select(vec![
            "/sys", "/ext/rrpc/7/sys", "/ext/ntp", "/ext/session", "/ota/device/inform", "/shadow/get", "/broadcast", "",
            "/ext/rrpc/7", "/ext/error",
        ]),
        tail in prop::sample::select(vec![
            "/thing/event/property/post", "/thing/event/x_reply/post_reply", "/thing/service/a_reply_reply",
            "/rrpc/response/0", "/thing/job/a_reply", "/combine/login_reply", "/request", "", "/user/a", "/thing/reset_reply",
        ]),
        name in "[A-Za-z0-9_@.:-]{3,6}",
    ) {
        let text = format!("{head}/{PK}/{name}{tail}");
        if let Ok(topic) = Topic::parse(&text) {
            let owner = topic.device().map_or(device(), DeviceRef::to_device);
            prop_assert_eq!(topic.kind().topic_of(owner.as_ref()), text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(/(sys|ext|rrpc|ota|device|thing|a1|boiler|[^/]{0,6})){0,9}", any: String) {
        for text in [text, any] {
            if let Ok(topic) = Topic::parse(&text) {
                let _ = (topic.reply_topic(), topic.method(), topic.within_limits(), topic.inner_text());
            }
        }
    }
}

#[test]
fn a_capabilitys_number_is_its_place() {
    for (place, capability) in Capability::ALL.into_iter().enumerate() {
        assert_eq!(capability as usize, place, "{capability:?}");
    }
}
