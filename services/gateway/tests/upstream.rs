//! What devices publish, and when they are told that it is ours.

mod common;

use std::time::{Duration, Instant};

use common::{Bench, device::message, post};
use proto::hoshu::bus::v1::log_line::Kind;
use rmqtt_codec::{types::QoS, v3, v5};
use testbench::wait_until;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_publish_goes_up_with_who_sent_it_and_is_acknowledged() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    device.publish(&post("pump-01"), 7, br#"{"id":"1"}"#).await;
    device.expect_puback(7).await;
    let up = bench.up(1).await.remove(0);
    let sender = up.device.unwrap();
    assert_eq!(
        (
            &*sender.product_key,
            &*sender.device_name,
            &*sender.account_id
        ),
        ("pk", "pump-01", "acme")
    );
    assert_eq!(
        (&*up.topic, &*up.payload, up.qos, up.packet_id),
        (&*post("pump-01"), &br#"{"id":"1"}"#[..], 1, 7)
    );
    assert_eq!(
        (up.node, up.session, &*up.iot_id),
        (bench.node_of("pump-01"), 1, "iot-pump-01")
    );
    assert_eq!(up.message_id.len(), 16);
    bench.house.stop().await;
}

#[tokio::test]
async fn no_puback_leaves_before_the_stream_has_the_message() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    device.publish(&post("pump-01"), 1, b"{}").await;
    device.expect_puback(1).await;
    bench.house.nats_link().cut();
    device.publish(&post("pump-01"), 2, b"{}").await;
    device.expect_nothing().await;
    bench.house.nats_link().mend();
    device.expect_puback(2).await;
    assert!(bench.up(2).await.len() >= 2);
    bench.house.stop().await;
}

#[tokio::test]
async fn pubacks_leave_in_the_order_of_their_publishes_whatever_each_waits_for() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    for round in 0..10u16 {
        // To the thing model, to nobody, and refused: three ways to three places.
        device.publish(&post("pump-01"), round * 3 + 1, b"{}").await;
        device
            .publish("/pk/pump-01/user/update", round * 3 + 2, b"x")
            .await;
        device.publish(&post("other"), round * 3 + 3, b"{}").await;
    }
    for id in 1..=30 {
        device.expect_puback(id).await;
    }
    bench.house.stop().await;
}

#[tokio::test]
async fn a_message_that_nobody_handles_has_its_line() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    device
        .publish("/pk/pump-01/user/update", 5, b"anything")
        .await;
    device.expect_puback(5).await;
    let line = bench.lines(Kind::Upstream, 1).await.remove(0);
    assert!(!line.failed);
    assert_eq!(line.content_args, ["/pk/pump-01/user/update", "1", "5"]);
    assert!(bench.ups.lock().unwrap().is_empty());
    bench.house.stop().await;
}

#[tokio::test]
async fn a_topic_that_is_too_long_is_a_bad_request() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    for (id, topic) in [
        (1, format!("/pk/pump-01/user/{}", "x".repeat(112))),
        (2, "/pk/pump-01/user/1/2/3/4/5".to_owned()),
    ] {
        device.publish(&topic, id, b"").await;
        device.expect_puback(id).await;
    }
    bench
        .house
        .clock()
        .advance(std::time::Duration::from_secs(2));
    let lines = bench.lines(Kind::Upstream, 2).await;
    assert!(
        lines.iter().all(|line| line.failed && line.reason == 203),
        "Bad Request: {lines:?}"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn the_gateway_tells_the_time() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    device
        .publish(
            "/ext/ntp/pk/pump-01/request",
            0,
            br#"{"deviceSendTime":"17"}"#,
        )
        .await;
    let answer = device.expect_publish().await;
    assert_eq!(&*answer.topic, "/ext/ntp/pk/pump-01/response");
    assert!(
        answer
            .payload
            .starts_with(br#"{"deviceSendTime":"17","serverRecvTime":""#)
    );
    bench.lines(Kind::Upstream, 1).await;
    bench.lines(Kind::Downstream, 1).await;
    bench.house.stop().await;
}

#[tokio::test]
async fn a_foreign_topic_is_refused_once_for_each_second_and_the_connection_stays() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    for id in 1..=20 {
        device.publish(&post("other"), id, b"{}").await;
    }
    for id in 1..=20 {
        device.expect_puback(id).await;
    }
    bench
        .house
        .clock()
        .advance(std::time::Duration::from_secs(2));
    let lines = bench.lines(Kind::Upstream, 2).await;
    assert!(
        lines.iter().all(|line| line.failed && line.reason == 201),
        "No authorization"
    );
    assert!(lines.len() <= 6, "joined by the second: {lines:?}");
    let told: u64 = lines
        .iter()
        .map(|line| {
            let detail: serde_json::Value = serde_json::from_str(&line.detail).unwrap();
            detail["count"].as_u64().unwrap_or(1)
        })
        .sum();
    assert_eq!(told, 20);
    assert!(bench.ups.lock().unwrap().is_empty());
    bench.house.stop().await;
}

#[tokio::test]
async fn a_flood_of_refusals_is_counted_in_full_over_many_seconds() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    // Longer than a second, so that a second's first refusal meets an earlier one's count.
    for _ in 0..60 {
        device.publish(&post("other"), 0, b"{}").await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    device.expect_nothing().await;
    drop(device);
    let told = || {
        let lines = bench.lines.lock().unwrap();
        lines
            .iter()
            .filter(|line| line.kind() == Kind::Upstream)
            .map(|line| {
                let detail: serde_json::Value = serde_json::from_str(&line.detail).unwrap();
                detail["count"].as_u64().unwrap_or(1)
            })
            .sum::<u64>()
    };
    wait_until("all are told", || async { told() == 60 }).await;
    bench.house.stop().await;
}

#[tokio::test]
async fn over_its_rate_a_device_is_told_once_a_second_and_its_window_does_not_jam() {
    let bench = Bench::with(|config| (config.up_per_second, config.up_burst) = (1, 10)).await;
    let mut device = bench.device("pump-01").connect().await;
    for id in 1..=60 {
        device.publish(&post("pump-01"), id, b"{}").await;
    }
    for id in 1..=60 {
        device.expect_puback(id).await;
    }
    let ups = bench.up(11).await;
    let throttled = ups.iter().filter(|up| up.throttled).count();
    assert!((1..=5).contains(&throttled), "{throttled}");
    assert!((10..=15).contains(&(ups.len() - throttled)));
    let line = bench.lines(Kind::Upstream, 1).await.remove(0);
    assert_eq!((line.reason, &*line.reason_args[0]), (200, "1"));
    let of_throttled: Vec<_> = ups
        .iter()
        .filter(|up| up.throttled)
        .map(|up| up.message_id.clone())
        .collect();
    wait_until(
        "the refusal has a line under the id of its answer",
        || async {
            let told = bench.told.lock().unwrap();
            of_throttled.iter().all(|id| told.contains(id))
        },
    )
    .await;
    bench.house.stop().await;
}

#[tokio::test]
async fn a_payload_over_the_limit_is_discarded_and_acknowledged() {
    let bench = Bench::with(|config| config.payload_bytes = 1000).await;
    let mut device = bench.device("pump-01").connect().await;
    device.publish(&post("pump-01"), 1, &[b'x'; 1001]).await;
    device
        .publish(&post("pump-01"), 2, &vec![b'x'; 500_000])
        .await;
    device.publish(&post("pump-01"), 3, &[b'x'; 1000]).await;
    for id in 1..=3 {
        device.expect_puback(id).await;
    }
    assert_eq!(bench.up(1).await.len(), 1);
    let line = bench.lines(Kind::Upstream, 1).await.remove(0);
    assert_eq!(line.reason, 203, "Bad Request");
    bench.house.stop().await;
}

#[tokio::test]
async fn mqtt_5_says_why_a_publish_is_refused() {
    let bench = Bench::with(|config| (config.up_per_second, config.up_burst) = (1, 1)).await;
    let (mut device, ack) = bench.device("pump-01").connect_v5(|_| {}).await;
    assert_eq!(
        (ack.max_qos, ack.retain_available, ack.topic_alias_max),
        (QoS::AtLeastOnce, false, 20)
    );
    let long = format!("/pk/pump-01/user/{}", "x".repeat(200));
    let mut codes = Vec::new();
    for (id, topic) in [
        (1, post("other")),
        (2, long),
        (3, post("pump-01")),
        (4, post("pump-01")),
    ] {
        device
            .send(v5::Packet::Publish(Box::new(message(&topic, id, b"{}"))))
            .await;
        let Some(v5::Packet::PublishAck(ack)) = device.next().await else {
            panic!()
        };
        assert_eq!(ack.packet_id.get(), id);
        codes.push(u8::from(ack.reason_code));
    }
    assert_eq!(codes, [0x87, 0x90, 0, 0x97]);
    device
        .send(v5::Packet::Publish(Box::new(message(
            &post("pump-01"),
            5,
            &vec![0; 262_145],
        ))))
        .await;
    let mut last = None;
    while let Some(packet) = device.next().await {
        last = Some(packet);
    }
    let Some(v5::Packet::Disconnect(disconnect)) = last else {
        panic!("{last:?}")
    };
    assert_eq!(u8::from(disconnect.reason_code), 0x95);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_qos_2_publish_ends_the_connection_as_each_version_prescribes() {
    let bench = Bench::new().await;
    let two = v3::QoS::ExactlyOnce;
    let mut publish = message(&post("pump-01"), 1, b"{}");
    publish.qos = two;
    let mut device = bench.device("pump-01").connect().await;
    device
        .send(v3::Packet::Publish(Box::new(publish.clone())))
        .await;
    assert_eq!(device.next().await, None);
    let (mut device, _) = bench.device("pump-02").connect_v5(|_| {}).await;
    device.send(v5::Packet::Publish(Box::new(publish))).await;
    let Some(v5::Packet::Disconnect(disconnect)) = device.next().await else {
        panic!()
    };
    assert_eq!(u8::from(disconnect.reason_code), 0x9B);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_topic_alias_stands_for_its_topic() {
    let bench = Bench::new().await;
    let (mut device, _) = bench.device("pump-01").connect_v5(|_| {}).await;
    for (topic, packet_id) in [(post("pump-01"), 1), (String::new(), 2)] {
        let mut publish = message(&topic, packet_id, b"{}");
        publish.properties = Some(v5::PublishProperties {
            topic_alias: Some(common::device::id(3)),
            ..v5::PublishProperties::default()
        });
        device.send(v5::Packet::Publish(Box::new(publish))).await;
        assert!(matches!(
            device.next().await,
            Some(v5::Packet::PublishAck(_))
        ));
    }
    assert!(
        bench
            .up(2)
            .await
            .iter()
            .all(|up| up.topic == post("pump-01"))
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_will_is_published_only_when_the_device_does_not_say_goodbye() {
    let bench = Bench::new().await;
    let mut pump = bench.device("pump-01");
    pump.will = Some(v3::LastWill {
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: post("pump-01").into(),
        message: b"gone".to_vec().into(),
    });
    let mut device = pump.connect().await;
    device.send(v3::Packet::Disconnect).await;
    assert_eq!(device.next().await, None);
    bench.registry.releases("pump-01", 1).await;
    drop(pump.connect().await);
    let ups = bench.up(1).await;
    assert_eq!(ups.len(), 1);
    assert_eq!((&*ups[0].payload, ups[0].session), (&b"gone"[..], 2));
    bench.house.stop().await;
}

#[tokio::test]
async fn a_will_that_waits_is_dropped_when_the_device_comes_back() {
    let bench = Bench::new().await;
    let pump = bench.device("pump-01");
    let with_will = |connect: &mut v5::Connect| {
        connect.session_expiry_interval_secs = 1000;
        connect.last_will = Some(v5::LastWill {
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: post("pump-01").into(),
            message: b"gone".to_vec().into(),
            will_delay_interval_sec: Some(600),
            correlation_data: None,
            message_expiry_interval: None,
            content_type: None,
            user_properties: Vec::new(),
            is_utf8_payload: None,
            response_topic: None,
        });
    };
    drop(pump.connect_v5(with_will).await);
    bench.registry.releases("pump-01", 1).await;
    let (mut device, _) = pump.connect_v5(with_will).await;
    let goodbye = v5::Disconnect::default();
    device.send(v5::Packet::Disconnect(goodbye)).await;
    assert_eq!(device.next().await, None);
    bench.registry.releases("pump-01", 2).await;
    bench
        .house
        .clock()
        .advance(std::time::Duration::from_secs(601));
    // What the will would have come before.
    drop(pump.connect_v5(with_will).await);
    wait_until("a will is due", || async {
        bench
            .house
            .clock()
            .advance(std::time::Duration::from_secs(601));
        !bench.ups.lock().unwrap().is_empty()
    })
    .await;
    let ups = bench.up(1).await;
    assert_eq!(
        ups.iter().map(|up| up.session).collect::<Vec<_>>(),
        [3],
        "only the last connection's will is due"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn bytes_of_a_packet_that_never_ends_are_no_sign_of_life() {
    let bench = Bench::new().await;
    let mut trickling = bench.device("pump-01").connect().await;
    // A PUBLISH of 300 bytes.
    trickling.send_bytes(&[0x30, 0xAC, 0x02]).await;
    for _ in 0..4 {
        bench.house.clock().advance(Duration::from_secs(30));
        // Its keep-alive is 60 s: at 90 s the door may have closed already.
        let _ = trickling.stream.write_all(&[0]).await;
        tokio::task::yield_now().await;
    }
    bench.registry.releases("pump-01", 1).await;
    bench.house.stop().await;
}

#[tokio::test]
async fn a_device_that_sends_ten_times_more_than_it_may_is_read_later_and_loses_nothing() {
    let bench = Bench::with(|config| {
        (config.up_per_second, config.up_burst) = (1, 1);
        (config.down_per_second, config.down_burst) = (1, 1);
    })
    .await;
    let mut flood = bench.device("pump-01").connect().await;
    let mut neighbour = bench.device("pump-02").connect().await;
    let start = Instant::now();
    for _ in 0..40 {
        flood.send(v3::Packet::PingRequest).await;
    }
    neighbour.expect_nothing().await;
    for _ in 0..40 {
        assert_eq!(flood.next().await, Some(v3::Packet::PingResponse));
    }
    assert!(start.elapsed() >= Duration::from_millis(900));
    bench.house.stop().await;
}
