//! Who is let in, who is not and how it is told, and how connections end.

mod common;

use std::time::Duration;

use common::{
    Bench,
    device::{Link, LinkV5, message},
    post, set,
};
use proto::hoshu::{
    bus::v1::{Close, DeviceRef, Down, DownBatch, close::Why, down::Action, down_outcome::Kind},
    registry::internal::v1::release::Reason,
};
use rmqtt_codec::{
    types::QoS,
    v3::{self, ConnectAckReason as Code, SubscribeReturnCode},
    v5,
};
use testbench::wait_until;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn refusals_have_the_codes_of_the_protocol_page() {
    let bench = Bench::new().await;
    let device = |change: fn(&mut common::device::Device)| {
        let mut device = bench.device("pump-01");
        change(&mut device);
        device
    };
    for (device, code) in [
        (device(|d| d.name = "unknown".into()), Code::NotAuthorized),
        (device(|d| d.name = "disabled".into()), Code::NotAuthorized),
        (device(|d| d.password = "bad".into()), Code::NotAuthorized),
        (
            device(|d| d.parameters = "securemode=2".into()),
            Code::NotAuthorized,
        ),
        (
            device(|d| d.parameters = "securemode".into()),
            Code::ServiceUnavailable,
        ),
        (device(|d| d.keep_alive = 0), Code::ServiceUnavailable),
        (device(|d| d.keep_alive = 29), Code::ServiceUnavailable),
        (
            device(|d| d.password = String::new()),
            Code::BadUserNameOrPassword,
        ),
        (
            device(|d| d.name = "a/b".into()),
            Code::BadUserNameOrPassword,
        ),
        (device(|d| d.level = 3), Code::ConnectionAccepted),
    ] {
        let (mut link, ack) = device.try_connect().await;
        assert_eq!(ack.return_code, code, "{device:?}");
        if code != Code::ConnectionAccepted {
            assert_eq!(link.next().await, None, "closed after the CONNACK");
        }
    }
    let (_, ack) = bench.device("unknown").connect_v5(|_| {}).await;
    assert_eq!(u8::from(ack.reason_code), 0x87);
    let (_, ack) = bench
        .device("pump-02")
        .connect_v5(|connect| connect.keep_alive = 3)
        .await;
    assert_eq!(u8::from(ack.reason_code), 0x83);
    let (_, ack) = bench
        .device("pump-02")
        .connect_v5(|connect| connect.keep_alive = 5000)
        .await;
    assert_eq!(
        (u8::from(ack.reason_code), ack.server_keepalive_sec),
        (0, Some(1200))
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_refusal_at_the_door_is_told_with_its_device_and_a_retry_costs_no_more() {
    let bench = Bench::new().await;
    let device = |name: &str, change: fn(&mut common::device::Device)| {
        let mut device = bench.device(name);
        change(&mut device);
        device
    };
    let hasty = device("hasty", |d| d.keep_alive = 5);
    for _ in 0..20 {
        hasty.try_connect().await;
    }
    let others = [
        device("wrong-door", |d| d.parameters = "securemode=2".into()),
        device("old-method", |d| {
            d.parameters = "securemode=3,signmethod=sha256".into()
        }),
        device("no-password", |d| d.password = String::new()),
        device("a/b", |_| {}),
    ];
    for device in &others {
        device.try_connect().await;
    }
    wait_until("the registry is told", || async {
        bench.registry.refusals().len() >= 4
    })
    .await;
    let mut told = bench.registry.refusals();
    told.sort();
    // A first one goes at once; what comes while it is told is joined.
    told.dedup();
    let expected = [
        ("hasty", "keep-alive is under 30 s"),
        ("no-password", "password is missing"),
        ("old-method", "unknown sign method"),
        ("wrong-door", "secure mode is not allowed here"),
    ]
    .map(|(name, why)| (name.to_owned(), why.to_owned()));
    assert_eq!(told, expected);
    assert!(bench.registry.refusals().len() <= 8);
    assert_eq!(bench.registry.claims(), 0);
    bench.house.stop().await;
}

#[tokio::test]
async fn an_unknown_version_is_told_so() {
    let bench = Bench::new().await;
    for (level, answer) in [(1u8, &[0x20, 2, 0, 1][..]), (9, &[0x20, 3, 0, 0x84, 0][..])] {
        let mut link = Link::open(bench.doors.mqtt).await;
        link.send_bytes(&[
            0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', level, 2, 0, 60, 0, 0,
        ])
        .await;
        let mut read = Vec::new();
        link.stream.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, answer);
    }
    bench.house.stop().await;
}

#[tokio::test]
async fn a_will_of_a_quality_that_mqtt_5_was_told_we_lack_is_refused() {
    let bench = Bench::new().await;
    let will = |qos| v5::LastWill {
        qos,
        retain: false,
        topic: "/pk/pump-01/user/will".into(),
        message: bytes::Bytes::new(),
        will_delay_interval_sec: None,
        correlation_data: None,
        message_expiry_interval: None,
        content_type: None,
        user_properties: Vec::new(),
        is_utf8_payload: None,
        response_topic: None,
    };
    for (qos, answer) in [
        (QoS::ExactlyOnce, v5::ConnectAckReason::QosNotSupported),
        (QoS::AtLeastOnce, v5::ConnectAckReason::Success),
    ] {
        let device = bench.device("pump-01");
        let (_link, ack) = device
            .connect_v5(|connect| connect.last_will = Some(will(qos)))
            .await;
        assert_eq!(ack.reason_code, answer, "{qos:?}");
    }
    bench.house.stop().await;
}

#[tokio::test]
async fn an_address_that_fails_too_often_is_refused_without_asking_anybody() {
    let bench = Bench::with(|config| config.failures_per_minute = 5).await;
    let mut wrong = bench.device("pump-01");
    wrong.password = "bad".into();
    for _ in 0..5 {
        assert_eq!(wrong.try_connect().await.1.return_code, Code::NotAuthorized);
    }
    let claims = bench.registry.claims();
    for _ in 0..5 {
        assert_eq!(
            wrong.try_connect().await.1.return_code,
            Code::ServiceUnavailable
        );
    }
    assert_eq!(bench.registry.claims(), claims);
    bench.house.clock().advance(Duration::from_secs(61));
    bench.device("pump-01").connect().await;
    bench.house.stop().await;
}

#[tokio::test]
async fn hostile_bytes_end_their_own_connection_only() {
    let bench = Bench::new().await;
    let mut good = bench.device("pump-01").connect().await;
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x30, 0],
        &[0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        &[0; 64],
    ] {
        let mut link = Link::open(bench.doors.mqtt).await;
        link.send_bytes(bytes).await;
        let mut read = Vec::new();
        let _ = link.stream.read_to_end(&mut read).await;
        assert!(read.is_empty(), "{bytes:?} {read:?}");
    }
    // A second CONNECT, a PUBREL, reserved bits, a filter that is none.
    for bytes in [
        &[0x10, 0][..],
        &[0x62, 2, 0, 1],
        &[0x80, 5, 0, 1, 0, 0, 0],
        &[0xF0, 0],
    ] {
        let mut link = bench.device("pump-02").connect().await;
        link.send_bytes(bytes).await;
        assert_eq!(link.next().await, None, "{bytes:?}");
    }
    let releases = bench.registry.releases("pump-02", 4).await;
    assert!(
        releases
            .iter()
            .all(|(reason, detail)| *reason == Reason::ConnectionException && !detail.is_empty())
    );
    good.expect_nothing().await;
    bench.house.stop().await;
}

#[tokio::test]
async fn half_packets_are_read_when_the_rest_comes() {
    let bench = Bench::new().await;
    let mut link = bench.device("pump-01").connect().await;
    link.send_bytes(&[0xC0]).await;
    link.send_bytes(&[0]).await;
    assert_eq!(link.next().await, Some(v3::Packet::PingResponse));
    bench.house.stop().await;
}

#[tokio::test]
async fn subscriptions_are_a_devices_own_topics_and_granted_at_most_qos_1() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").plain().connect().await;
    let granted = SubscribeReturnCode::Success(v3::QoS::AtLeastOnce);
    let reasons = device
        .subscribe(&[
            "/sys/pk/pump-01/thing/service/property/set",
            "/sys/pk/pump-01/#",
            "/sys/pk/other/thing/service/property/set",
            "#",
            "$share/g/sys/pk/pump-01/thing/service/property/set",
        ])
        .await;
    let refused = SubscribeReturnCode::Failure;
    assert_eq!(reasons, [granted, granted, refused, refused, refused]);
    let filters: Vec<String> = (0..9).map(|n| format!("/pk/pump-01/user/t{n}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let reasons = device.subscribe(&filters).await;
    assert_eq!(reasons[..8], [granted; 8]);
    assert_eq!(reasons[8], refused, "8 filters in one SUBSCRIBE");
    bench.house.stop().await;
}

#[tokio::test]
async fn the_reasons_of_an_end_are_told_apart() {
    let bench = Bench::new().await;
    let device = |name| bench.device(name);

    let mut said = device("said-bye").connect().await;
    said.send(v3::Packet::Disconnect).await;
    drop(device("was-reset").connect().await);
    let mut silent = device("silent").connect().await;
    let _first = device("kicked").connect().await;
    let _second = device("kicked").connect().await;
    let mut disabled = device("was-disabled").connect().await;
    let close = Down {
        device: Some(DeviceRef {
            device_id: common::registry::id_of("was-disabled"),
            ..Default::default()
        }),
        action: Some(Action::Close(Close {
            why: Why::Disabled.into(),
        })),
        ..Down::default()
    };
    let node = bench.node_of("was-disabled");
    let outcomes = bench
        .bus
        .down(Some(&node), DownBatch { items: vec![close] })
        .await
        .unwrap()
        .outcomes;
    assert_eq!(outcomes[0].kind(), Kind::Closed);
    assert_eq!(disabled.next().await, None);

    bench.registry.releases("was-reset", 1).await;
    bench.house.clock().advance(Duration::from_secs(91));
    assert_eq!(silent.next().await, None);
    for (name, reason, detail) in [
        ("said-bye", Reason::DeviceDisconnect, ""),
        ("was-reset", Reason::ConnectionReset, ""),
        ("silent", Reason::KeepaliveTimeout, ""),
        ("kicked", Reason::Kicked, ""),
        (
            "was-disabled",
            Reason::ConnectionException,
            "device disabled",
        ),
    ] {
        assert_eq!(
            bench.registry.releases(name, 1).await[0],
            (reason, detail.to_owned()),
            "{name}"
        );
    }
    bench.house.stop().await;
}

#[tokio::test]
async fn the_newer_connection_wins_also_on_another_gateway() {
    let bench = Bench::new().await;
    let second = bench.second_gateway().await;
    let (mut first, _) = bench.device("pump-01").connect_v5(|_| {}).await;
    let mut newer = bench.device("pump-01").at(second.mqtt).connect().await;
    let Some(v5::Packet::Disconnect(disconnect)) = first.next().await else {
        panic!()
    };
    assert_eq!(u8::from(disconnect.reason_code), 0x8E);
    assert_eq!(
        bench.registry.releases("pump-01", 1).await[0].0,
        Reason::Kicked
    );
    newer.publish(&post("pump-01"), 1, b"{}").await;
    newer.expect_puback(1).await;
    let node = bench.node_of("pump-01");
    assert_eq!(bench.up(1).await[0].node, node);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_ping_in_time_keeps_a_connection_alive() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    for _ in 0..4 {
        bench.house.clock().advance(Duration::from_secs(60));
        device.expect_nothing().await;
    }
    bench.house.stop().await;
}

#[tokio::test]
async fn who_sends_no_connect_is_dropped() {
    let bench = Bench::with(|config| config.connect_seconds = 1).await;
    let mut link = LinkV5::open(bench.doors.mqtt).await;
    link.send_bytes(&[0x10]).await;
    assert_eq!(link.next().await, None);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_lost_lease_sends_all_devices_away() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    bench.registry.lapse();
    bench.house.clock().advance(Duration::from_secs(6));
    assert_eq!(device.next().await, None);
    let (reason, detail) = bench.registry.releases("pump-01", 1).await.remove(0);
    assert_eq!(
        (reason, &*detail),
        (Reason::ConnectionException, "gateway lost its lease")
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_stop_sends_devices_away_and_tells_the_registry() {
    let bench = Bench::new().await;
    bench.registry.refuse_releases(2);
    let (mut device, _) = bench.device("pump-01").connect_v5(|_| {}).await;
    device
        .send(v5::Packet::Publish(Box::new(message(
            &post("pump-01"),
            1,
            b"{}",
        ))))
        .await;
    let registry = bench.registry.clone();
    let (_, goodbye) = tokio::join!(bench.house.stop(), async {
        loop {
            match device.next().await {
                Some(v5::Packet::Disconnect(disconnect)) => break u8::from(disconnect.reason_code),
                Some(_) => {}
                None => panic!("closed without a word"),
            }
        }
    });
    assert_eq!(goodbye, 0x8B);
    assert_eq!(
        registry.releases("pump-01", 1).await[0].1,
        "gateway draining"
    );
}

#[tokio::test]
async fn an_ended_session_is_told_until_the_registry_has_heard() {
    let bench = Bench::new().await;
    bench.registry.refuse_releases(3);
    drop(bench.device("pump-01").connect().await);
    assert_eq!(bench.registry.releases("pump-01", 1).await.len(), 1);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_taken_port_names_its_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let house = testbench::House::with(
        &[(chassis::Noun::Gateway, &gateway::MIGRATOR)],
        |settings| {
            settings.mqtt_addr = address;
            settings.data_dir = Some(folder.path().to_owned());
        },
    )
    .await;
    let error = gateway::start(
        gateway::Config::default(),
        house.chassis(chassis::Noun::Gateway),
    )
    .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("HOSHU_MQTT_ADDR") && error.contains("taken"),
        "{error}"
    );
    house.stop().await;
}

#[tokio::test]
async fn a_registry_that_is_away_lets_nobody_in_and_breaks_nothing() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    bench.house.nats_link().cut();
    bench.house.nats_link().mend();
    wait_until("deliveries work again", || async {
        let node = bench.node_of("pump-01");
        let item = Down {
            device: Some(DeviceRef {
                device_id: common::registry::id_of("pump-01"),
                ..Default::default()
            }),
            action: Some(Action::Publish(set("pump-01"))),
            ..Down::default()
        };
        bench
            .bus
            .down(Some(&node), DownBatch { items: vec![item] })
            .await
            .is_ok()
    })
    .await;
    assert_eq!(
        &*device.expect_publish().await.topic,
        "/sys/pk/pump-01/thing/service/property/set"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_session_whose_claim_was_not_answered_is_given_back() {
    let bench = Bench::new().await;
    let mut other = bench.device("pump-02");
    other.keep_alive = 1200;
    let _other = other.connect().await;
    bench.registry.lose_answer();
    let (_link, ack) = bench.device("pump-01").try_connect().await;
    assert_eq!(ack.return_code, Code::ServiceUnavailable);
    assert!(
        bench.registry.node_of("pump-01").is_some(),
        "the registry has it"
    );

    wait_until("the registry has it no longer", || async {
        bench.house.clock().advance(Duration::from_secs(5));
        bench.registry.node_of("pump-01").is_none()
    })
    .await;
    assert!(
        bench.registry.node_of("pump-02").is_some(),
        "who is connected stays"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_device_that_came_back_after_an_unanswered_claim_stays() {
    let bench = Bench::new().await;
    bench.registry.lose_answer();
    let _ = bench.device("pump-01").try_connect().await;
    let _link = bench.device("pump-01").connect().await;
    for _ in 0..8 {
        bench.house.clock().advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(bench.registry.node_of("pump-01").is_some());
    bench.house.stop().await;
}
