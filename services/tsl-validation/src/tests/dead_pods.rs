//! Commands whose pod is gone, and answers to them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proto::hoshu::bus::v1::log_line::Kind;
use proto::hoshu::bus::v1::{Event, LogLine};
use testbench::wait_until;
use uuid::Uuid;

use super::bench::*;
use crate::domain::answer::{Question, Standing};
use crate::{inbox, store, work};

/// A synchronous call, made by a pod that is none of the test's.
fn self_test(now: DateTime<Utc>) -> store::command::New<'static> {
    store::command::New {
        message_id: alink::MessageId::at(now.timestamp_millis(), random()).uuid(),
        account_id: ACCOUNT,
        product_key: PRODUCT,
        device_name: "boiler_01",
        device_id: 1,
        sync: true,
        method: "thing.service.SelfTest",
        node: "thing-dead",
        made_at: now,
        expires_at: now + Duration::from_secs(15),
        telling: store::command::Telling {
            topic: "/sys/boilers/boiler_01/thing/service/SelfTest",
            iot_id: "iot-1",
            params: r#"{"level":2}"#,
            version: Some(1),
            due_at: now + Duration::from_secs(15),
        },
    }
}

/// What the boiler answers.
fn answering(code: i32, question: &Question) -> store::command::Answering<'_> {
    store::command::Answering {
        answer_id: Uuid::from_u128(code as u128),
        device_id: 1,
        question,
        answered: store::command::Answered {
            code,
            message: Some(format!("the answer {code}")),
            data: None,
        },
    }
}

/// A set, made by the same.
fn set_by_the_dead(now: DateTime<Utc>) -> store::command::New<'static> {
    store::command::New {
        sync: false,
        method: "thing.service.property.set",
        ..self_test(now)
    }
}

#[tokio::test]
async fn a_call_whose_pod_has_died_is_ended_by_another() {
    let bench = Bench::empty().await;
    let pool = bench.house.pool().await;
    let now = bench.house.clock().now();
    let call = self_test(now);
    let id = call.message_id;
    store::command::insert(&pool, &call, Event::default())
        .await
        .unwrap();
    let other = bench.pod().await;
    work::spawn(&other);
    inbox::up::consume(&other);
    bench.house.clock().advance(Duration::from_secs(60));
    let unknown = |line: &LogLine| line.reason_args == ["UNKNOWN"];
    wait_until("its last line is told", || async {
        bench.lines(id).iter().any(unknown)
    })
    .await;
    wait_until("it has ended", || async {
        !store::command::give_up(&pool, id, now).await.unwrap()
    })
    .await;
    bench.stop().await;
}

#[tokio::test]
async fn a_command_whose_pod_died_before_its_lines_were_told_has_them_from_another() {
    let bench = Bench::empty().await;
    let pool = bench.house.pool().await;
    let now = bench.house.clock().now();
    let (unheard, answered) = (set_by_the_dead(now), set_by_the_dead(now));
    for set in [&unheard, &answered] {
        let ids = store::command::insert(&pool, set, Event::default())
            .await
            .unwrap();
        if set.message_id == answered.message_id {
            let question = Question::Wire {
                id: ids.wire,
                method: set.method.into(),
            };
            let answer = answering(200, &question);
            store::command::answer(&pool, &[answer], now).await.unwrap();
        }
    }
    let other = bench.pod().await;
    work::unlogged::turn(&other).await.unwrap();
    bench.house.clock().advance(Duration::from_secs(16));
    work::unlogged::turn(&other).await.unwrap();
    work::unlogged::turn(&other).await.unwrap();
    for (set, code) in [(&unheard, 6205), (&answered, 200)] {
        bench.until_lines(set.message_id, 2).await;
        let lines = bench.lines(set.message_id);
        assert_eq!(bench.kinds(set.message_id), [Kind::Downstream, Kind::Tsl]);
        assert_eq!((lines[0].failed, lines[1].code), (code != 200, code));
        assert_eq!(lines[0].time, now.timestamp_millis());
        assert!(lines[1].detail.contains(r#""params":{"level":2}"#));
    }
    bench.stop().await;
}

#[tokio::test]
async fn the_lines_of_a_command_are_its_own_pods_to_tell_for_as_long_as_it_lives() {
    let bench = Bench::empty().await;
    let pool = bench.house.pool().await;
    let (clock, now) = (bench.house.clock(), bench.house.clock().now());
    let (own, other) = (bench.pod().await, bench.pod().await);
    let set = set_by_the_dead(now);
    let id = set.message_id;
    let in_hand = own.unlogged.begin(id, set.telling.due_at);
    store::command::insert(&pool, &set, Event::default())
        .await
        .unwrap();
    for _ in 0..5 {
        clock.advance(Duration::from_secs(9));
        work::unlogged::turn(&own).await.unwrap();
        work::unlogged::turn(&other).await.unwrap();
        assert_eq!(bench.lines(id), []);
    }
    drop(in_hand);
    clock.advance(Duration::from_secs(30));
    work::unlogged::turn(&own).await.unwrap();
    bench.until_lines(id, 2).await;
    bench.stop().await;
}

#[tokio::test]
async fn of_answers_that_come_together_the_first_counts_and_counts_once() {
    let bench = Bench::empty().await;
    let pool = bench.house.pool().await;
    let now = bench.house.clock().now();
    let call = self_test(now);
    let ids = store::command::insert(&pool, &call, Event::default())
        .await
        .unwrap();
    let by_topic = Question::Rrpc {
        id: ids.rrpc.unwrap(),
    };
    let by_id = Question::Wire {
        id: ids.wire,
        method: call.method.into(),
    };
    let foreign = Question::Wire {
        id: ids.wire,
        method: "thing.service.Purge".into(),
    };
    let other = store::command::Answering {
        device_id: 2,
        ..answering(300, &by_topic)
    };
    let answers = [
        other,
        answering(301, &foreign),
        answering(200, &by_topic),
        answering(400, &by_id),
    ];
    for waits in [true, false] {
        let asked = store::command::answer(&pool, &answers, now).await.unwrap();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].message_id, call.message_id);
        assert_eq!(asked[0].ended_at.is_none(), waits);
        let known = store::command::answered(&pool, call.message_id)
            .await
            .unwrap();
        assert_eq!(known.as_ref(), Some(&answers[2].answered));
    }
    assert!(
        !store::command::give_up(&pool, call.message_id, now)
            .await
            .unwrap()
    );
    let late = store::command::answer(&pool, &answers[3..], now)
        .await
        .unwrap();
    let standings = [200, 400].map(|answer| late[0].standing(Uuid::from_u128(answer)));
    assert_eq!(standings, [Standing::Again, Standing::Late]);
}
