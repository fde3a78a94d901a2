//! What devices get, what became of it, and what is kept for those that are away.

mod common;

use std::time::Duration;

use common::{Bench, post, set};
use proto::hoshu::bus::v1::{Publish, down_outcome::Kind, log_line, publish::Answer};
use rmqtt_codec::{types::QoS, v3, v5};
use testbench::wait_until;

fn reply(name: &str) -> Publish {
    Publish {
        topic: format!("{}_reply", post(name)),
        payload: b"{}".to_vec().into(),
        qos: 1,
        ..Publish::default()
    }
}

fn kept(name: &str, payload: &str) -> Publish {
    Publish {
        keep: true,
        payload: payload.as_bytes().to_vec().into(),
        ..set(name)
    }
}

/// Waits until nobody holds the device.
async fn is_away(bench: &Bench, name: &str) {
    wait_until("the device is away", || async {
        bench.registry.node_of(name).is_none()
    })
    .await;
}

#[tokio::test]
async fn the_outcome_tells_whether_the_device_has_it() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    let node = bench.node_of("pump-01");

    let asked = bench.down(Some(&node), "pump-01", set("pump-01"));
    let (outcome, packet_id) = tokio::join!(asked, async {
        let publish = device.expect_publish().await;
        assert_eq!(
            (&*publish.topic, publish.qos),
            (&*set("pump-01").topic, QoS::AtLeastOnce)
        );
        device.acknowledge(&publish).await;
        publish.packet_id.expect("QoS 1 has one").get()
    });
    assert_eq!(outcome.packet_id, u32::from(packet_id));
    assert_eq!(
        (outcome.kind(), outcome.qos, &*outcome.topic),
        (Kind::Pubacked, 1, &*set("pump-01").topic)
    );

    // A PUBACK that does not come is waited for, and then it was written.
    let outcome = bench.down(Some(&node), "pump-01", set("pump-01")).await;
    assert_eq!(outcome.kind(), Kind::Written);
    // For a reply "written" is answer enough.
    let outcome = bench.down(Some(&node), "pump-01", reply("pump-01")).await;
    assert_eq!(outcome.kind(), Kind::Written);

    let outcome = bench.down(Some(&node), "other", set("other")).await;
    assert_eq!(outcome.kind(), Kind::NotConnected);
    let custom = Publish {
        topic: "/pk/pump-01/user/get".into(),
        ..reply("pump-01")
    };
    let outcome = bench.down(Some(&node), "pump-01", custom).await;
    assert_eq!(
        outcome.kind(),
        Kind::NotSubscribed,
        "custom topics are not subscribed by _ss"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_device_that_acknowledges_nothing_gets_no_more_than_fifty() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    let node = bench.node_of("pump-01");
    let items = || {
        (0..60)
            .map(|_| {
                (
                    "pump-01",
                    Publish {
                        answer: Answer::Unspecified.into(),
                        ..set("pump-01")
                    },
                )
            })
            .collect()
    };
    let outcomes = bench.down_all(Some(&node), items()).await;
    let count = |kind| {
        outcomes
            .iter()
            .filter(|outcome| outcome.kind() == kind)
            .count()
    };
    assert_eq!(
        (count(Kind::Written), count(Kind::TooManyUnacknowledged)),
        (50, 10)
    );
    let first = device.expect_publish().await;
    device.acknowledge(&first).await;
    device.expect_publish().await;
    wait_until("there is room again", || async {
        bench
            .down(Some(&node), "pump-01", set("pump-01"))
            .await
            .kind()
            == Kind::Written
    })
    .await;
    bench.house.stop().await;
}

#[tokio::test]
async fn over_its_downstream_rate_messages_are_refused_with_the_figures() {
    let bench = Bench::new().await;
    let _device = bench.device("pump-01").connect().await;
    let node = bench.node_of("pump-01");
    let items = (0..150)
        .map(|_| {
            (
                "pump-01",
                Publish {
                    qos: 0,
                    ..set("pump-01")
                },
            )
        })
        .collect();
    let outcomes = bench.down_all(Some(&node), items).await;
    let written = outcomes
        .iter()
        .filter(|outcome| outcome.kind() == Kind::Written)
        .count();
    assert!((100..=130).contains(&written), "{written}");
    let refused = outcomes
        .iter()
        .find(|outcome| outcome.kind() == Kind::RateLimited)
        .unwrap();
    assert!(refused.limit == 50 && refused.current > 50, "{refused:?}");
    bench.house.stop().await;
}

#[tokio::test]
async fn a_device_that_does_not_read_holds_up_no_other() {
    let bench = Bench::with(|config| {
        config.slow_bytes = 200_000;
        (config.down_per_second, config.down_burst) = (10_000, 10_000);
    })
    .await;
    let _stuck = bench.device("stuck").connect().await;
    let mut quick = bench.device("quick").connect().await;
    let node = bench.node_of("stuck");
    let large = || Publish {
        qos: 0,
        payload: vec![b'x'; 200_000].into(),
        ..reply("stuck")
    };
    wait_until("its link takes no more", || async {
        bench.down(Some(&node), "stuck", large()).await.kind() == Kind::Slow
    })
    .await;
    let (outcomes, ()) = tokio::join!(
        bench.down_all(
            Some(&node),
            vec![("stuck", large()), ("quick", set("quick"))]
        ),
        async {
            let publish = quick.expect_publish().await;
            quick.acknowledge(&publish).await;
        }
    );
    assert_eq!(
        outcomes
            .iter()
            .map(|outcome| outcome.kind())
            .collect::<Vec<_>>(),
        [Kind::Slow, Kind::Pubacked]
    );
    bench.house.clock().advance(Duration::from_secs(61));
    let (_, detail) = bench.registry.releases("stuck", 1).await.remove(0);
    assert!(
        detail == "device does not take its messages" || detail.is_empty(),
        "{detail}"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_call_goes_out_in_the_form_that_the_connection_understands() {
    let bench = Bench::new().await;
    let call = |name: &str| Publish {
        topic: format!("/sys/pk/{name}/thing/service/SelfTest"),
        rrpc_id: 4711,
        ..reply(name)
    };
    let mut python = bench.device("python").connect().await;
    let mut node_js = bench.device("node-js").plain().connect().await;
    node_js.subscribe(&["/sys/pk/node-js/rrpc/request/+"]).await;
    let node = bench.node_of("python");
    let outcomes = bench
        .down_all(
            Some(&node),
            vec![("python", call("python")), ("node-js", call("node-js"))],
        )
        .await;
    let ext = "/ext/rrpc/4711/sys/pk/python/thing/service/SelfTest";
    assert_eq!(
        (&*outcomes[0].topic, &*python.expect_publish().await.topic),
        (ext, ext)
    );
    let old = "/sys/pk/node-js/rrpc/request/4711";
    assert_eq!(
        (&*outcomes[1].topic, &*node_js.expect_publish().await.topic),
        (old, old)
    );
    // The answer on the same topic goes up, and never back.
    python.publish(ext, 1, b"{}").await;
    python
        .send(v3::Packet::PublishAck {
            packet_id: common::device::id(1),
        })
        .await;
    python.expect_puback(1).await;
    python.expect_nothing().await;
    assert_eq!(bench.up(1).await[0].topic, ext);
    bench.house.stop().await;
}

#[tokio::test]
async fn an_explicit_subscription_makes_no_second_copy() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    device
        .subscribe(&["/sys/pk/pump-01/#", "/sys/pk/pump-01/thing/service/+/+"])
        .await;
    let node = bench.node_of("pump-01");
    bench.down(Some(&node), "pump-01", reply("pump-01")).await;
    device.expect_publish().await;
    device.expect_nothing().await;
    bench.house.stop().await;
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_with_dup() {
    let bench = Bench::new().await;
    let pump = bench.device("pump-01").persistent();
    let (mut device, ack) = pump.try_connect().await;
    assert!(!ack.session_present);
    let node = bench.node_of("pump-01");
    bench
        .down(Some(&node), "pump-01", kept("pump-01", "one"))
        .await;
    let first = device.expect_publish().await;
    assert!(!first.dup);
    device.acknowledge(&first).await;
    bench
        .down(Some(&node), "pump-01", kept("pump-01", "two"))
        .await;
    let second = device.expect_publish().await;
    // Once from what was written now, once from what was stored before.
    for _ in 0..2 {
        drop(device);
        is_away(&bench, "pump-01").await;
        let ack;
        (device, ack) = pump.try_connect().await;
        assert!(ack.session_present);
        let again = device.expect_publish().await;
        assert_eq!((&*again.payload, again.dup), (&b"two"[..], true));
        assert_eq!(again.packet_id, second.packet_id);
    }
    device.acknowledge(&second).await;
    device.expect_nothing().await;
    let pool = bench.house.pool().await;
    wait_until("what was acknowledged is forgotten", || async {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM gateway.message")
            .fetch_one(&pool)
            .await
            .unwrap();
        left == 0
    })
    .await;
    bench.house.stop().await;
}

#[tokio::test]
async fn messages_for_a_device_that_is_away_wait_in_order_and_survive_a_restart() {
    let bench = Bench::new().await;
    let second = bench.second_gateway().await;
    let pump = bench.device("pump-01").plain().persistent();
    let mut device = pump.connect().await;
    device
        .subscribe(&["/sys/pk/pump-01/thing/service/property/set"])
        .await;
    device.send(v3::Packet::Disconnect).await;
    is_away(&bench, "pump-01").await;

    let items = ["one", "two", "three"].map(|payload| ("pump-01", kept("pump-01", payload)));
    let outcomes = bench.down_all(None, items.into()).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.kind() == Kind::Queued),
        "{outcomes:?}"
    );
    let refused = [
        ("pump-01", set("pump-01"), Kind::NotConnected),
        (
            "pump-01",
            Publish {
                keep: true,
                ..reply("pump-01")
            },
            Kind::NotSubscribed,
        ),
        ("stranger", kept("stranger", "x"), Kind::NotConnected),
    ];
    for (name, publish, kind) in refused {
        assert_eq!(bench.down(None, name, publish).await.kind(), kind);
    }

    let (mut device, ack) = pump.at(second.mqtt).try_connect().await;
    assert!(ack.session_present);
    for expected in ["one", "two", "three"] {
        let publish = device.expect_publish().await;
        assert_eq!(
            (&*publish.payload, publish.dup),
            (expected.as_bytes(), false)
        );
        device.acknowledge(&publish).await;
    }
    device.expect_nothing().await;
    let lines = bench.lines(log_line::Kind::Downstream, 3).await;
    assert!(
        lines.iter().all(|line| line.content == 304),
        "Publish offline message to device"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn only_so_many_messages_are_kept_and_only_so_long() {
    let bench = Bench::with(|config| config.offline_messages = 5).await;
    let pump = bench.device("pump-01").persistent();
    drop(pump.connect().await);
    is_away(&bench, "pump-01").await;
    let short = Publish {
        keep_ms: 1000,
        ..kept("pump-01", "short")
    };
    assert_eq!(
        bench.down(None, "pump-01", short).await.kind(),
        Kind::Queued
    );
    let items = (0..6)
        .map(|n| ("pump-01", kept("pump-01", &n.to_string())))
        .collect();
    let outcomes = bench.down_all(None, items).await;
    let kinds: Vec<Kind> = outcomes.iter().map(|outcome| outcome.kind()).collect();
    assert_eq!(kinds[..4], [Kind::Queued; 4]);
    assert_eq!(kinds[4..], [Kind::TooManyUnacknowledged; 2]);
    bench.house.clock().advance(Duration::from_secs(2));
    let mut device = pump.connect().await;
    assert_eq!(
        &*device.expect_publish().await.payload,
        b"0",
        "the short-lived one is over"
    );
    bench.house.stop().await;
}

#[tokio::test]
async fn a_clean_session_forgets_what_was_kept() {
    let bench = Bench::new().await;
    let pump = bench.device("pump-01").persistent();
    drop(pump.connect().await);
    is_away(&bench, "pump-01").await;
    assert_eq!(
        bench
            .down(None, "pump-01", kept("pump-01", "old"))
            .await
            .kind(),
        Kind::Queued
    );
    let (mut device, ack) = bench.device("pump-01").try_connect().await;
    assert!(!ack.session_present);
    device.expect_nothing().await;
    device.send(v3::Packet::Disconnect).await;
    is_away(&bench, "pump-01").await;
    wait_until("nothing is kept for it", || async {
        bench
            .down(None, "pump-01", kept("pump-01", "new"))
            .await
            .kind()
            == Kind::NotConnected
    })
    .await;
    bench.house.stop().await;
}

#[tokio::test]
async fn a_take_over_hands_on_what_was_not_acknowledged() {
    let bench = Bench::new().await;
    let second = bench.second_gateway().await;
    let pump = bench.device("pump-01").persistent();
    let mut device = pump.connect().await;
    let node = bench.node_of("pump-01");
    bench
        .down(Some(&node), "pump-01", kept("pump-01", "one"))
        .await;
    device.expect_publish().await;
    // The former connection is still there, here and then elsewhere.
    for door in [bench.doors.mqtt, second.mqtt] {
        let mut next = pump.clone().at(door).connect().await;
        assert!(next.expect_publish().await.dup);
        assert_eq!(device.next().await, None, "the former is kicked");
        device = next;
    }
    bench.house.stop().await;
}

#[tokio::test]
async fn the_receive_maximum_and_packet_size_of_a_device_are_kept() {
    let bench = Bench::new().await;
    let (mut device, _) = bench
        .device("pump-01")
        .connect_v5(|connect| {
            connect.receive_max = std::num::NonZeroU16::new(1);
            connect.max_packet_size = std::num::NonZeroU32::new(500);
        })
        .await;
    let node = bench.node_of("pump-01");
    let large = Publish {
        payload: vec![0; 600].into(),
        ..reply("pump-01")
    };
    assert_eq!(
        bench.down(Some(&node), "pump-01", large).await.kind(),
        Kind::Slow
    );
    let items = (0..2).map(|_| ("pump-01", reply("pump-01"))).collect();
    bench.down_all(Some(&node), items).await;
    let Some(v5::Packet::Publish(first)) = device.next().await else {
        panic!()
    };
    device.send(v5::Packet::PingRequest).await;
    assert_eq!(
        device.next().await,
        Some(v5::Packet::PingResponse),
        "the second waits for the first"
    );
    let ack = v5::PublishAck {
        packet_id: first.packet_id.unwrap(),
        reason_code: v5::PublishAckReason::Success,
        properties: Vec::new(),
        reason_string: None,
    };
    device.send(v5::Packet::PublishAck(ack)).await;
    assert!(matches!(device.next().await, Some(v5::Packet::Publish(_))));
    bench.house.stop().await;
}

#[tokio::test]
async fn a_link_found_dead_is_told_to_who_waits() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").connect().await;
    let node = bench.node_of("pump-01");
    let (outcome, ()) = tokio::join!(bench.down(Some(&node), "pump-01", set("pump-01")), async {
        device.expect_publish().await;
        drop(device);
    });
    assert_eq!(outcome.kind(), Kind::HalfOpen);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_device_that_takes_nothing_is_dropped_in_time_whatever_else_its_clock_is_for() {
    let bench = Bench::with(|config| {
        config.slow_bytes = 200_000;
        (config.down_per_second, config.down_burst) = (10_000, 10_000);
    })
    .await;
    let mut stuck = bench.device("stuck");
    stuck.keep_alive = 1200;
    let _stuck = stuck.connect().await;
    let node = bench.node_of("stuck");
    // Just before its silence is looked at.
    bench.house.clock().advance(Duration::from_secs(1770));
    let large = || Publish {
        qos: 0,
        payload: vec![b'x'; 200_000].into(),
        ..reply("stuck")
    };
    wait_until("its link takes no more", || async {
        bench.down(Some(&node), "stuck", large()).await.kind() == Kind::Slow
    })
    .await;
    bench.house.clock().advance(Duration::from_secs(31));
    for _ in 0..20 {
        bench.down(Some(&node), "stuck", large()).await;
    }
    bench.house.clock().advance(Duration::from_secs(30));
    bench.registry.releases("stuck", 1).await;
    bench.house.stop().await;
}

#[tokio::test]
async fn a_message_that_could_not_be_kept_is_not_called_queued() {
    let bench = Bench::new().await;
    let mut device = bench.device("pump-01").persistent().connect().await;
    let node = bench.node_of("pump-01");
    let (outcome, ()) = tokio::join!(
        bench.down(Some(&node), "pump-01", kept("pump-01", "one")),
        async {
            device.expect_publish().await;
            bench.house.database_link().cut();
            drop(device);
        }
    );
    bench.house.database_link().mend();
    assert_ne!(outcome.kind(), Kind::Queued);
    bench.house.stop().await;
}

#[tokio::test]
async fn a_session_without_expiry_ends_with_its_connection_also_one_that_was_kept() {
    let bench = Bench::new().await;
    let pump = bench.device("pump-01").persistent();
    let (mut device, _) = pump
        .connect_v5(|connect| connect.session_expiry_interval_secs = 1000)
        .await;
    let goodbye = || v5::Packet::Disconnect(v5::Disconnect::default());
    device.send(goodbye()).await;
    assert_eq!(device.next().await, None);
    let (mut device, ack) = pump.connect_v5(|_| {}).await;
    assert!(ack.session_present, "it goes on what was kept");
    device.send(goodbye()).await;
    assert_eq!(device.next().await, None);
    wait_until("it is forgotten", || async {
        let (mut device, ack) = pump.connect_v5(|_| {}).await;
        device.send(goodbye()).await;
        assert_eq!(device.next().await, None);
        !ack.session_present
    })
    .await;
    bench.house.stop().await;
}
