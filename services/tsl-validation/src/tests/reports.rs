//! What devices report.

use proto::hoshu::bus::v1::down_outcome::Kind as Outcome;
use proto::hoshu::bus::v1::log_line::Kind;
use serde_json::json;
use testbench::wait_until;
use uuid::Uuid;

use super::bench::*;
use crate::{inbox, work};

const POST: &str = "thing/event/property/post";

#[tokio::test]
async fn a_report_is_stored_answered_and_logged() {
    with_pod(|bench| async {
        let payload =
            r#"{"id":"1712","params":{"pressure":6.2},"method":"thing.event.property.post"}"#;
        let id = bench.says(&BOILER_1, POST, payload).await;
        bench.settled().await;
        assert_eq!(
            bench.properties(&BOILER_1).await,
            [("pressure".into(), "6.2".into())]
        );
        let reply = json!({"id":"1712","code":200,"data":{},"message":"success",
                           "method":"thing.event.property.post","version":"1.0"});
        let topic = format!("/sys/{PRODUCT}/boiler_01/{POST}_reply");
        assert_eq!(bench.sent(), [(topic, reply)]);
        bench.until_lines(id, 3).await;
        assert_eq!(
            bench.kinds(id),
            [Kind::Upstream, Kind::Tsl, Kind::Downstream]
        );
        let lines = bench.lines(id);
        assert!(lines.iter().all(|line| !line.failed), "{lines:?}");
        let detail: serde_json::Value = serde_json::from_str(&lines[1].detail).unwrap();
        assert_eq!(detail["tslVersion"], 1);
        assert_eq!(detail["params"], json!({"pressure": 6.2}));
        assert_eq!(
            (lines[1].code, &detail["direction"]),
            (200, &json!("UPSTREAM"))
        );
        bench
    })
    .await;
}

#[tokio::test]
async fn a_faulty_report_stores_nothing_and_its_line_names_every_fault() {
    with_pod(|bench| async {
        let payload = r#"{"id":"1","params":{"pressure":99,"flow":1,"setpoint":2}}"#;
        let id = bench.says(&BOILER_1, POST, payload).await;
        bench.settled().await;
        assert_eq!(bench.properties(&BOILER_1).await, []);
        assert_eq!(bench.sent()[0].1["code"], 6307);
        bench.until_lines(id, 3).await;
        let line = &bench.lines(id)[1];
        let detail: serde_json::Value = serde_json::from_str(&line.detail).unwrap();
        assert_eq!((line.code, line.failed), (6307, true));
        assert_eq!(detail["errors"][0]["pointer"], "/pressure");
        assert_eq!(detail["errors"][1]["code"], 6320);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_value_reported_late_does_not_replace_a_newer_one() {
    with_pod(|bench| async {
        for (value, time) in [(1, 2_000), (2, 3_000), (3, 1_000)] {
            let payload = format!(
                r#"{{"id":"1","params":{{"pressure":{{"value":{value},"time":{time}}}}}}}"#
            );
            bench.says(&BOILER_1, POST, &payload).await;
        }
        bench.settled().await;
        assert_eq!(
            bench.properties(&BOILER_1).await,
            [("pressure".into(), "2".into())]
        );
        bench
    })
    .await;
}

#[tokio::test]
async fn a_batch_delivered_twice_has_one_effect() {
    with_pod(|bench| async {
        let event = r#"{"id":"1","params":{"value":{"peak":20}}}"#;
        let event = bench.message(&BOILER_1, "thing/event/OverPressure/post", event);
        let value = bench.message(&BOILER_1, POST, r#"{"id":"2","params":{"pressure":1}}"#);
        for _ in 0..2 {
            bench.tell(&event).await;
            bench.tell(&value).await;
            bench.settled().await;
        }
        let events = bench.events(&BOILER_1).await;
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].identifier.as_str(), events[0].data.as_str()),
            ("OverPressure", r#"{"peak":20}"#)
        );
        assert_eq!(bench.properties(&BOILER_1).await.len(), 1);
        let id = Uuid::from_slice(&event.message_id).unwrap();
        bench.until_lines(id, 3).await;
        assert_eq!(bench.lines(id).len(), 3);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_reply_that_nobody_subscribed_makes_no_line() {
    with_pod(|bench| async {
        bench.deliver(|down| outcome(down, Outcome::NotSubscribed));
        let id = bench
            .says(&BOILER_1, POST, r#"{"id":"1","params":{"pressure":1}}"#)
            .await;
        bench.settled().await;
        bench.until_lines(id, 2).await;
        assert_eq!(bench.kinds(id), [Kind::Upstream, Kind::Tsl]);
        bench
    })
    .await;
}

#[tokio::test]
async fn without_a_model_a_pro_product_is_told_so_and_a_basic_one_is_answered() {
    let bench = Bench::empty().await;
    crate::start(
        crate::Config::default(),
        bench.house.chassis(chassis::Noun::Thing),
    )
    .await
    .unwrap();
    let property = bench
        .says(&BOILER_1, POST, r#"{"id":"1","params":{"pressure":1}}"#)
        .await;
    let event = bench
        .says(
            &BOILER_1,
            "thing/event/Any/post",
            r#"{"id":"2","params":{}}"#,
        )
        .await;
    let basic = bench
        .says(&METER, POST, r#"{"id":"3","params":{"anything":1}}"#)
        .await;
    let raw = bench.says(&SENSOR, "thing/model/up_raw", "bytes").await;
    bench.settled().await;
    for (id, count) in [(property, 3), (event, 3), (basic, 2), (raw, 1)] {
        bench.until_lines(id, count).await;
    }
    assert_eq!(
        (bench.lines(property)[1].code, bench.lines(event)[1].code),
        (5159, 5160)
    );
    assert_eq!(bench.kinds(basic), [Kind::Upstream, Kind::Downstream]);
    assert_eq!(bench.kinds(raw), [Kind::Upstream]);
    let codes: Vec<_> = bench
        .sent()
        .iter()
        .map(|(_, reply)| reply["code"].clone())
        .collect();
    assert_eq!(codes.len(), 3);
    assert!(
        [5159, 5160, 200]
            .iter()
            .all(|code| codes.contains(&json!(code))),
        "{codes:?}"
    );
    bench.stop().await;
}

#[tokio::test]
async fn what_came_over_its_rate_is_answered_and_not_carried() {
    with_pod(|bench| async {
        let mut message = bench.message(&BOILER_1, POST, r#"{"id":"1","params":{"pressure":1}}"#);
        message.throttled = true;
        bench.tell(&message).await;
        bench.settled().await;
        assert_eq!(bench.sent()[0].1["code"], 6452);
        assert_eq!(bench.properties(&BOILER_1).await, []);
        let id = Uuid::from_slice(&message.message_id).unwrap();
        bench.until_lines(id, 2).await;
        assert_eq!(bench.kinds(id), [Kind::Tsl, Kind::Downstream]);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_published_model_judges_on_every_pod_even_if_its_event_is_lost() {
    let bench = Bench::empty().await;
    crate::start(
        crate::Config::default(),
        bench.house.chassis(chassis::Noun::Thing),
    )
    .await
    .unwrap();
    bench.publish(BOILER).await;
    // It hears no event: what it knows is older than the next publication.
    let deaf = crate::models::Models::new(bench.house.pool().await, 1 << 20);
    let since = deaf.refresh(None).await.unwrap();
    assert_eq!(deaf.get(PRODUCT).await.unwrap().unwrap().version, 1);
    bench.publish(BOILER).await;
    assert_eq!(deaf.get(PRODUCT).await.unwrap().unwrap().version, 1);
    deaf.refresh(Some(since)).await.unwrap();
    assert_eq!(deaf.get(PRODUCT).await.unwrap().unwrap().version, 2);
    // The pod that judges learns of it by its event.
    wait_until("the pod judges by version 2", || async {
        let id = bench
            .says(&BOILER_1, POST, r#"{"id":"1","params":{"pressure":1}}"#)
            .await;
        bench.until_lines(id, 3).await;
        bench.lines(id)[1].detail.contains(r#""tslVersion":2"#)
    })
    .await;
    bench.stop().await;
}

#[tokio::test]
async fn two_pods_may_write_the_same_devices_at_once() {
    let bench = Bench::empty().await;
    crate::start(
        crate::Config::default(),
        bench.house.chassis(chassis::Noun::Thing),
    )
    .await
    .unwrap();
    let second = bench.pod().await;
    work::spawn(&second);
    inbox::up::consume(&second);
    bench.publish(BOILER).await;
    for round in 0..40 {
        for device in [&BOILER_1, &BOILER_2] {
            let payload = format!(
                r#"{{"id":"1","params":{{"pressure":{{"value":{},"time":{round}}}}}}}"#,
                round % 16
            );
            bench.says(device, POST, &payload).await;
        }
    }
    bench.settled().await;
    for device in [&BOILER_1, &BOILER_2] {
        assert_eq!(
            bench.properties(device).await,
            [("pressure".into(), "7".into())]
        );
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for_and_nothing_is_lost() {
    with_pod(|bench| async {
        bench.house.database_link().cut();
        let id = bench
            .says(&BOILER_1, POST, r#"{"id":"1","params":{"pressure":1}}"#)
            .await;
        bench.house.database_link().mend();
        bench.settled().await;
        bench.until_lines(id, 3).await;
        assert_eq!(
            bench.properties(&BOILER_1).await,
            [("pressure".into(), "1".into())]
        );
        bench
    })
    .await;
}
