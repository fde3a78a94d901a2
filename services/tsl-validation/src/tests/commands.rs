//! What is asked of devices.

use std::time::Duration;

use chassis::Refusal;
use proto::hoshu::bus::v1::down_outcome::Kind as Outcome;
use proto::hoshu::bus::v1::log_line::Kind;
use proto::hoshu::bus::v1::{Down, UpMessage};
use proto::hoshu::registry::v1::device::Status;
use proto::hoshu::thing::v1::{CallServiceRequest, CommandResult, SetPropertiesRequest};
use testbench::wait_until;
use tonic::Code;
use uuid::Uuid;

use super::bench::*;
use crate::commands::Order;
use crate::store;

async fn set(
    bench: &Bench,
    device: &Device,
    params: &str,
    wait: u32,
) -> Result<CommandResult, Refusal> {
    let request = SetPropertiesRequest {
        product_key: device.product_key.into(),
        device_name: device.device_name.into(),
        params: params.into(),
        wait_seconds: Some(wait),
    };
    let done = bench.client().set_properties(caller().ask(request)).await;
    done.map(tonic::Response::into_inner).map_err(Refusal::from)
}

async fn call(
    bench: &Bench,
    device: &Device,
    service: &str,
    params: &str,
) -> Result<CommandResult, Refusal> {
    let request = CallServiceRequest {
        product_key: device.product_key.into(),
        device_name: device.device_name.into(),
        identifier: service.into(),
        params: params.into(),
        wait_seconds: Some(9),
        timeout_seconds: Some(8),
    };
    let done = bench.client().call_service(caller().ask(request)).await;
    done.map(tonic::Response::into_inner).map_err(Refusal::from)
}

/// A device's answer to what was sent to it.
fn answer(bench: &Bench, down: &Down, code: &str, data: &str) -> UpMessage {
    let id = &payload(down)["id"];
    let rrpc = publish(down).rrpc_id;
    let path = match rrpc {
        0 => {
            let topic = &publish(down).topic;
            format!("{}_reply", topic.splitn(5, '/').nth(4).unwrap())
        }
        mid => format!("rrpc/response/{mid}"),
    };
    let text = format!(r#"{{"id":{id},"code":{code},"data":{data}}}"#);
    bench.message(&BOILER_1, &path, &text)
}

fn id_of(result: &CommandResult) -> Uuid {
    result.message_id.parse().unwrap()
}

#[tokio::test]
async fn a_set_is_answered_by_the_devices_own_code_and_fully_logged() {
    with_pod(|bench| async {
        let device = async {
            let down = bench.until_sent("property/set").await;
            assert_eq!(payload(&down)["params"]["setpoint"], 7.5);
            assert_eq!(payload(&down)["method"], "thing.service.property.set");
            let answer = answer(&bench, &down, "100001", r#"{"why":"busy"}"#);
            bench.tell(&answer).await;
            Uuid::from_slice(&answer.message_id).unwrap()
        };
        let (result, answer_id) =
            tokio::join!(set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 30), device);
        let result = result.unwrap();
        assert_eq!((result.answered, result.code), (true, Some(100_001)));
        assert_eq!(result.data.as_deref(), Some(r#"{"why":"busy"}"#));
        let id = id_of(&result);
        bench.until_lines(id, 4).await;
        assert_eq!(
            bench.kinds(id),
            [Kind::Downstream, Kind::Tsl, Kind::Upstream, Kind::Tsl]
        );
        let lines = bench.lines(id);
        assert_eq!((lines[1].code, lines[3].code), (200, 100_001));
        assert!(
            lines[3].detail.contains(&answer_id.to_string()),
            "{}",
            lines[3].detail
        );
        assert_eq!(bench.logged(), [id]);
        assert_eq!(bench.properties(&BOILER_1).await, []);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_set_that_nobody_answers_was_sent_and_is_no_failure() {
    with_pod(|bench| async {
        let result = set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 0)
            .await
            .unwrap();
        assert_eq!((result.answered, result.code), (false, None));
        bench.until_lines(id_of(&result), 2).await;
        assert!(bench.lines(id_of(&result)).iter().all(|line| !line.failed));
        bench
    })
    .await;
}

#[tokio::test]
async fn the_answer_reaches_the_caller_on_another_pod() {
    let bench = Bench::empty().await;
    crate::start(
        crate::Config::default(),
        bench.house.chassis(chassis::Noun::Thing),
    )
    .await
    .unwrap();
    bench.publish(BOILER).await;
    // It consumes nothing: the answer comes to the first pod.
    let asking = bench.pod().await;
    let order = Order {
        caller: caller(),
        product_key: PRODUCT.into(),
        device_name: "boiler_01".into(),
        service: Some("Purge".into()),
        params: r#"{"seconds":5}"#.into(),
        wait: Duration::from_secs(30),
        timeout: Duration::from_secs(8),
    };
    let device = async {
        let down = bench.until_sent("service/Purge").await;
        bench.tell(&answer(&bench, &down, "200", "{}")).await;
    };
    let (result, ()) = tokio::join!(crate::commands::run(asking, order), device);
    assert_eq!(result.unwrap().code, Some(200));
    bench.stop().await;
}

#[tokio::test]
async fn a_synchronous_call_is_answered_on_its_own_topic() {
    with_pod(|bench| async {
        let device = async {
            let down = bench.until_sent("service/SelfTest").await;
            assert_ne!(publish(&down).rrpc_id, 0);
            bench
                .tell(&answer(&bench, &down, "200", r#"{"ok":1}"#))
                .await;
        };
        let (result, ()) = tokio::join!(call(&bench, &BOILER_1, "SelfTest", "{}"), device);
        let result = result.unwrap();
        assert_eq!(
            (result.code, result.data.as_deref()),
            (Some(200), Some(r#"{"ok":1}"#))
        );
        let id = id_of(&result);
        bench.until_lines(id, 5).await;
        let kinds = [
            Kind::Downstream,
            Kind::Tsl,
            Kind::Downstream,
            Kind::Upstream,
            Kind::Tsl,
        ];
        assert_eq!(bench.kinds(id), kinds);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_synchronous_call_without_an_answer_times_out_and_a_late_answer_is_only_logged() {
    with_pod(|bench| async {
        let clock = async {
            let down = bench.until_sent("service/SelfTest").await;
            bench.house.clock().advance(Duration::from_secs(9));
            down
        };
        let (result, down) = tokio::join!(call(&bench, &BOILER_1, "SelfTest", "{}"), clock);
        let refusal = result.unwrap_err();
        assert_eq!(
            (refusal.kind, refusal.detail.as_str()),
            (Code::DeadlineExceeded, "Response timeout")
        );
        assert_eq!(refusal.extra["rrpcCode"], "TIMEOUT");
        bench
            .tell(&answer(&bench, &down, "200", r#"{"ok":1}"#))
            .await;
        bench.settled().await;
        let id = Uuid::from_slice(&down.message_id).unwrap();
        bench.until_lines(id, 5).await;
        let lines = bench.lines(id);
        assert_eq!(
            (lines[2].failed, lines[2].reason_args.as_slice()),
            (true, &["TIMEOUT".to_owned()][..])
        );
        assert!(
            lines[4].detail.contains(r#""late":true"#),
            "{}",
            lines[4].detail
        );
        bench
    })
    .await;
}

#[tokio::test]
async fn another_devices_answer_is_never_taken() {
    with_pod(|bench| async {
        let foreign = async {
            let down = bench.until_sent("property/set").await;
            let id = &payload(&down)["id"];
            let text = format!(r#"{{"id":{id},"code":500}}"#);
            let stranger = bench
                .says(&BOILER_2, "thing/service/property/set_reply", &text)
                .await;
            let other = bench
                .says(&BOILER_1, "thing/service/Purge_reply", &text)
                .await;
            bench.settled().await;
            bench.tell(&answer(&bench, &down, "200", "{}")).await;
            [stranger, other]
        };
        let (result, strangers) =
            tokio::join!(set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 30), foreign);
        assert_eq!(result.unwrap().code, Some(200));
        for stranger in strangers {
            bench.until_lines(stranger, 2).await;
            assert_eq!(bench.kinds(stranger), [Kind::Upstream, Kind::Tsl]);
        }
        bench
    })
    .await;
}

#[tokio::test]
async fn a_command_refused_before_sending_makes_one_line_with_its_code() {
    with_pod(|bench| async {
        type Change = fn(&mut proto::hoshu::registry::internal::v1::Place);
        let offline: Change = |place| place.status = Status::Offline.into();
        let inactive: Change = |place| place.activated = false;
        let disabled: Change = |place| place.status = Status::Disabled.into();
        let states = [(offline, 9201), (inactive, 9200), (disabled, 6208)];
        for (change, code) in states {
            bench.registry.change(&BOILER_2, change);
            let refusal = set(&bench, &BOILER_2, r#"{"setpoint":7}"#, 1)
                .await
                .unwrap_err();
            assert_eq!(
                (refusal.kind, refusal.code),
                (Code::FailedPrecondition, Some(code))
            );
        }
        let inputs = [
            (r#"{"setpoint":99}"#, 6307, "/params/setpoint"),
            (r#"{"pressure":1}"#, 460, "/params/pressure"),
            (r#"{"flow":1}"#, 6320, "/params/flow"),
            ("nonsense", 6207, "/params"),
        ];
        for (params, code, pointer) in inputs {
            let refusal = set(&bench, &BOILER_1, params, 1).await.unwrap_err();
            assert_eq!(
                (refusal.kind, refusal.code),
                (Code::InvalidArgument, Some(code)),
                "{params}"
            );
            assert_eq!(refusal.errors[0].pointer, pointer);
        }
        let refusal = call(&bench, &BOILER_1, "Dance", "{}").await.unwrap_err();
        assert_eq!(refusal.code, Some(6300));
        let refusal = call(&bench, &SENSOR, "Any", "{}").await.unwrap_err();
        assert_eq!(refusal.code, Some(6200));
        wait_until("each has its line", || async { bench.logged().len() == 9 }).await;
        for id in bench.logged() {
            assert_eq!(bench.kinds(id), [Kind::Tsl]);
            assert!(bench.lines(id)[0].failed);
        }
        assert_eq!(bench.sent(), []);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_basic_product_has_no_commands() {
    with_pod(|bench| async {
        let refusal = set(&bench, &METER, "{}", 1).await.unwrap_err();
        assert_eq!(
            (refusal.kind, refusal.code),
            (Code::FailedPrecondition, None)
        );
        bench
    })
    .await;
}

#[tokio::test]
async fn a_device_that_has_moved_is_found_on_its_new_node() {
    with_pod(|bench| async {
        let node = bench.second_gateway().await;
        bench
            .registry
            .change(&BOILER_1, |place| place.node = "gateway-gone".into());
        // The registry learns of the move between the two questions.
        bench
            .registry
            .change_after_an_answer(&BOILER_1, |place| place.node = node);
        let result = set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 0).await;
        assert!(!result.unwrap().answered);
        assert_eq!(bench.sent().len(), 1);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_device_that_is_nowhere_gets_its_set_kept_and_its_call_refused() {
    with_pod(|bench| async {
        bench.deliver(|down| {
            let kind = if publish(down).keep {
                Outcome::Queued
            } else {
                Outcome::NotConnected
            };
            outcome(down, kind)
        });
        let result = set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 0)
            .await
            .unwrap();
        assert!(!result.answered);
        let refusal = call(&bench, &BOILER_1, "SelfTest", "{}").await.unwrap_err();
        assert_eq!(
            (refusal.kind, refusal.code),
            (Code::FailedPrecondition, Some(9201))
        );
        assert_eq!(refusal.extra["rrpcCode"], "OFFLINE");
        bench
    })
    .await;
}

#[tokio::test]
async fn a_link_that_takes_nothing_refuses_the_command_and_says_why() {
    with_pod(|bench| async {
        let rows = [
            (
                Outcome::TooManyUnacknowledged,
                Code::ResourceExhausted,
                6452,
            ),
            (Outcome::RateLimited, Code::ResourceExhausted, 6452),
            (Outcome::NotSubscribed, Code::FailedPrecondition, 6205),
            (Outcome::HalfOpen, Code::FailedPrecondition, 9201),
        ];
        for (kind, status, code) in rows {
            bench.deliver(move |down| outcome(down, kind));
            let refusal = set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 1)
                .await
                .unwrap_err();
            assert_eq!(
                (refusal.kind, refusal.code),
                (status, Some(code)),
                "{kind:?}"
            );
        }
        bench.deliver(|down| outcome(down, Outcome::HalfOpen));
        let refusal = call(&bench, &BOILER_1, "SelfTest", "{}").await.unwrap_err();
        assert_eq!(
            (refusal.kind, refusal.extra["rrpcCode"].as_str()),
            (Code::DeadlineExceeded, "HALFCONN")
        );
        bench
    })
    .await;
}

#[tokio::test]
async fn a_command_whose_lines_are_told_is_not_told_of_again() {
    with_pod(|bench| async {
        let result = set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 0)
            .await
            .unwrap();
        bench.until_lines(id_of(&result), 2).await;
        let pool = bench.house.pool().await;
        let far = bench.house.clock().now() + Duration::from_secs(3600);
        wait_until("nothing is left to be told", || async {
            let mut tx = pool.begin().await.unwrap();
            store::unlogged::due(&mut tx, far, 10)
                .await
                .unwrap()
                .is_empty()
        })
        .await;
        bench
    })
    .await;
}

#[tokio::test]
async fn what_has_nothing_to_do_with_the_device_is_refused_first() {
    with_pod(|bench| async {
        let refusal = set(&bench, &BOILER_1, "{}", 31).await.unwrap_err();
        assert_eq!(
            (refusal.kind, refusal.errors[0].pointer.as_str()),
            (Code::InvalidArgument, "/waitSeconds")
        );
        let long = format!(r#"{{"setpoint":"{}"}}"#, "x".repeat(200_000));
        let refusal = set(&bench, &BOILER_1, &long, 1).await.unwrap_err();
        assert_eq!(refusal.errors[0].pointer, "/params");
        assert!(bench.logged().is_empty());
        bench
    })
    .await;
}

#[tokio::test]
async fn the_line_of_a_refused_command_is_json_whatever_was_asked() {
    with_pod(|bench| async {
        let offline = |place: &mut proto::hoshu::registry::internal::v1::Place| {
            place.status = Status::Offline.into();
        };
        bench.registry.change(&BOILER_2, offline);
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        for params in ["", "nonsense", "{\"setpoint\":1}}", deep.as_str()] {
            for device in [&BOILER_1, &BOILER_2] {
                set(&bench, device, params, 1).await.unwrap_err();
            }
        }
        wait_until("each has its line", || async { bench.logged().len() == 8 }).await;
        for id in bench.logged() {
            let detail = &bench.lines(id)[0].detail;
            let read = serde_json::from_str::<serde_json::Value>(detail);
            assert!(read.is_ok(), "{detail}");
        }
        bench
    })
    .await;
}

#[tokio::test]
async fn a_name_that_no_service_can_have_makes_no_line_that_nobody_can_carry() {
    with_pod(|bench| async {
        let refusal = call(&bench, &BOILER_1, &"\"".repeat(400_000), "{}")
            .await
            .unwrap_err();
        assert_eq!(
            (refusal.kind, refusal.errors[0].pointer.as_str()),
            (Code::InvalidArgument, "/identifier")
        );
        assert_eq!(refusal.code, Some(6300));
        // The lane of its lines still moves.
        let result = set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 0).await;
        bench.until_lines(id_of(&result.unwrap()), 2).await;
        assert_eq!(bench.logged().len(), 1);
        bench
    })
    .await;
}

#[tokio::test]
async fn a_command_whose_device_is_gone_on_the_way_has_its_lines() {
    with_pod(|bench| async {
        bench
            .registry
            .change(&BOILER_1, |place| place.node = "gateway-gone".into());
        bench
            .registry
            .change_after_an_answer(&BOILER_1, |place| place.account_id = "nobody".into());
        let result = set(&bench, &BOILER_1, r#"{"setpoint":7.5}"#, 1).await;
        assert_eq!(result.unwrap_err().code, Some(9201));
        wait_until("it has its lines", || async { bench.logged().len() == 1 }).await;
        let id = bench.logged()[0];
        assert_eq!(bench.kinds(id), [Kind::Downstream, Kind::Tsl]);
        assert!(bench.lines(id).iter().all(|line| line.failed));
        bench
    })
    .await;
}
