use proptest::prelude::*;

use super::*;

fn device() -> Device {
    Device::parse("a1B2c3D4e5F", "boiler_01").unwrap()
}

/// One of every tree.
const TOPICS: [&str; 10] = [
    "/sys/{d}/thing/service/property/set",
    "/sys/{d}/rrpc/request/1",
    "/{d}/user/get",
    "/{d}/data",
    "/ext/rrpc/1/{d}/user/get",
    "/ext/rrpc/1/sys/{d}/thing/service/set",
    "/ext/ntp/{d}/response",
    "/ext/session/{d}/combine/login_reply",
    "/ota/device/upgrade/{d}",
    "/shadow/get/{d}",
];

fn fill(text: &str) -> String {
    text.replace("{d}", "a1B2c3D4e5F/boiler_01")
}

#[test]
fn a_device_publishes_upward_in_its_own_tree() {
    for (text, verdict) in [
        ("/sys/{d}/thing/event/property/post", Ok(())),
        ("/sys/{d}/thing/event/property/batch/post", Ok(())),
        ("/sys/{d}/thing/service/property/set_reply", Ok(())),
        ("/{d}/user/update", Ok(())),
        ("/{d}/user/update?_sn=default", Ok(())),
        ("/ext/rrpc/1/sys/{d}/thing/service/Purge", Ok(())),
        ("/ota/device/request/{d}", Ok(())),
        ("/sys/{d}/thing/reset", Ok(())),
        (
            "/sys/{d}/thing/service/property/set",
            Err(Denied::NotUpward),
        ),
        (
            "/sys/{d}/thing/event/property/post_reply",
            Err(Denied::NotUpward),
        ),
        ("/ota/device/upgrade/{d}", Err(Denied::NotUpward)),
        ("/broadcast/a1B2c3D4e5F/all", Err(Denied::NotUpward)),
        ("/ext/register", Err(Denied::NotUpward)),
        (
            "/sys/a1B2c3D4e5F/boiler_02/thing/event/property/post",
            Err(Denied::OtherDevice),
        ),
        (
            "/sys/another/boiler_01/thing/event/property/post",
            Err(Denied::OtherDevice),
        ),
        (
            "/ext/rrpc/1/a1B2c3D4e5F/boiler_02/user/get",
            Err(Denied::OtherDevice),
        ),
        ("/{d}/user/1/2/3/4/5", Err(Denied::TooLong)),
    ] {
        let text = fill(text);
        assert_eq!(
            may_publish(&device(), &Topic::parse(&text).unwrap()),
            verdict,
            "{text}"
        );
    }
}

#[test]
fn the_node_sdks_sixteen_subscriptions_are_granted() {
    for filter in [
        "/sys/{d}/thing/event/property/post_reply",
        "/sys/{d}/thing/service/property/set",
        "/sys/{d}/thing/event/+/post_reply",
        "/sys/{d}/thing/deviceinfo/update_reply",
        "/sys/{d}/thing/deviceinfo/delete_reply",
        "/sys/{d}/thing/config/get_reply",
        "/shadow/get/{d}",
        "/sys/{d}/thing/config/push",
        "/sys/{d}/thing/config/push_reply",
        "/sys/{d}/thing/topo/add_reply",
        "/sys/{d}/thing/topo/delete_reply",
        "/sys/{d}/thing/topo/get_reply",
        "/ext/session/{d}/combine/login_reply",
        "/ext/session/{d}/combine/logout_reply",
        "/sys/{d}/thing/sub/register_reply",
        "/sys/{d}/rrpc/request/+",
    ] {
        assert_eq!(
            check_subscription(&device(), &fill(filter)),
            Ok(()),
            "{filter}"
        );
    }
}

#[test]
fn subscriptions_stay_in_the_devices_own_tree() {
    for (filter, verdict) in [
        ("/sys/{d}/#", Ok(())),
        ("/sys/{d}/+/+/+", Ok(())),
        ("/{d}/#", Ok(())),
        ("/{d}/user/#", Ok(())),
        ("/{d}/user/get", Ok(())),
        ("/ext/rrpc/+/{d}/user/get", Ok(())),
        ("/ext/rrpc/+/sys/{d}/thing/service/Purge", Ok(())),
        ("/ext/rrpc/+/sys/{d}/#", Ok(())),
        ("/ext/rrpc/+/{d}/#", Ok(())),
        ("/ext/ntp/{d}/+", Ok(())),
        ("/ext/error/{d}", Ok(())),
        ("/ota/device/+/{d}", Ok(())),
        ("/ota/device/upgrade/{d}/#", Ok(())),
        ("/broadcast/a1B2c3D4e5F/all", Ok(())),
        ("/broadcast/a1B2c3D4e5F/+", Ok(())),
        ("#", Err(Denied::TooWide)),
        ("+/#", Err(Denied::TooWide)),
        ("/#", Err(Denied::TooWide)),
        ("/sys/#", Err(Denied::TooWide)),
        ("/sys/a1B2c3D4e5F/#", Err(Denied::TooWide)),
        (
            "/sys/a1B2c3D4e5F/+/thing/event/property/post_reply",
            Err(Denied::TooWide),
        ),
        ("/sys/+/boiler_01/#", Err(Denied::TooWide)),
        ("/sys/a1B2c3D4e5F/boiler_02/#", Err(Denied::TooWide)),
        ("/+/a1B2c3D4e5F/boiler_01/#", Err(Denied::TooWide)),
        ("/a1B2c3D4e5F/+/user/get", Err(Denied::TooWide)),
        ("/ota/device/#", Err(Denied::TooWide)),
        ("/ota/+/upgrade/{d}", Err(Denied::TooWide)),
        ("/ext/rrpc/#", Err(Denied::TooWide)),
        ("/ext/rrpc/+", Err(Denied::Unknown)),
        ("/ext/rrpc/+/#", Err(Denied::TooWide)),
        ("/ext/rrpc/+/+/boiler_01/user/get", Err(Denied::TooWide)),
        ("/ext/rrpc/+/ext/ntp/{d}/+", Err(Denied::TooWide)),
        ("/ext/rrpc/+/ota/device/upgrade/{d}", Err(Denied::Unknown)),
        (
            "/ext/rrpc/+/a1B2c3D4e5F/boiler_02/user/get",
            Err(Denied::OtherDevice),
        ),
        ("/broadcast/another/all", Err(Denied::OtherDevice)),
        ("/broadcast/+/all", Err(Denied::TooWide)),
        (
            "/sys/a1B2c3D4e5F/boiler_02/thing/service/property/set",
            Err(Denied::OtherDevice),
        ),
        ("/ext/register", Err(Denied::OtherDevice)),
        ("/sys/{d}/thing/unknown", Err(Denied::Unknown)),
        ("$SYS/#", Err(Denied::TooWide)),
        ("$share/g/sys/{d}/#", Err(Denied::Shared)),
        ("/sys/{d}/a#", Err(Denied::BadFilter)),
        ("", Err(Denied::BadFilter)),
        ("/{d}/user/1/2/3/4/5", Err(Denied::TooLong)),
    ] {
        let filter = fill(filter);
        assert_eq!(check_subscription(&device(), &filter), verdict, "{filter}");
    }
    let long = fill(&format!("/{{d}}/+/{}", "x".repeat(128)));
    assert_eq!(check_subscription(&device(), &long), Err(Denied::TooLong));
}

#[test]
fn only_what_the_platform_sends_by_itself_is_subscribed_by_itself() {
    for (text, expected) in [
        ("/sys/{d}/thing/service/property/set", true),
        ("/sys/{d}/thing/event/property/post_reply", true),
        ("/sys/{d}/rrpc/request/1", true),
        ("/ext/rrpc/1/sys/{d}/thing/service/Purge", true),
        ("/ota/device/upgrade/{d}", true),
        ("/ota/device/request/{d}", true),
        ("/ext/ntp/{d}/response", true),
        ("/sys/{d}/thing/config/push", true),
        ("/sys/{d}/thing/event/property/post", false),
        ("/ext/rrpc/1/{d}/user/get", false),
        ("/{d}/user/get", false),
        ("/broadcast/a1B2c3D4e5F/all", false),
    ] {
        let text = fill(text);
        assert_eq!(
            is_auto_subscribed(&Topic::parse(&text).unwrap()),
            expected,
            "{text}"
        );
    }
}

proptest! {
    /// Whatever is granted, it never matches a topic of another device. The filters are made of own
    /// topics, some of whose levels became wildcards.
    #[test]
    fn no_granted_filter_reaches_another_device(
        topic in prop::sample::select(TOPICS.to_vec()),
        wildcards in prop::collection::vec(prop::bool::weighted(0.3), 10),
        cut in prop::option::of(0..9_usize),
    ) {
        let own = fill(topic);
        let mut levels: Vec<&str> = own[1..].split('/').collect();
        for (level, wildcard) in levels.iter_mut().zip(wildcards) {
            if wildcard {
                *level = "+";
            }
        }
        if let Some(cut) = cut {
            levels.truncate(cut);
            levels.push("#");
        }
        let filter = format!("/{}", levels.join("/"));
        if check_subscription(&device(), &filter).is_ok() {
            for other in ["a1B2c3D4e5F/boiler_02", "another/boiler_01"] {
                for foreign in TOPICS {
                    let foreign = foreign.replace("{d}", other);
                    prop_assert!(!filter::matches(&filter, &foreign), "{} {}", filter, foreign);
                }
            }
        }
    }

    #[test]
    fn no_filter_makes_it_panic(filter: String) {
        let _ = check_subscription(&device(), &filter);
    }
}
