//! The days in which lines are kept.

use std::time::Duration;

use sqlx::PgPool;
use testbench::wait_until;

use crate::house::{LogHouse, all, contents, entry, id, up};

const DAY_MS: i64 = 86_400_000;
const DAY: Duration = Duration::from_secs(86_400);

async fn days(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'devicelog.entry'::regclass AND relname <> 'entry_other' ORDER BY 1")
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn rows_of_no_day(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM devicelog.entry_other")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_day_is_dropped_when_it_is_over_and_younger_lines_stay() {
    let log = LogHouse::new().await;
    let pool = log.house.pool().await;
    let before = days(&pool).await;
    // Seven days kept, today, three ahead.
    assert_eq!(before.len(), 11);

    let old = log.now - 6 * DAY_MS;
    log.keep(&[
        entry(id(old, 1), 1, "pump-1", vec![up(old, "/old")]),
        entry(id(log.now, 2), 1, "pump-1", vec![up(log.now, "/young")]),
    ])
    .await;
    assert_eq!(log.list(all()).await.len(), 2);

    log.house.clock().advance(DAY * 3);
    wait_until("days are dropped and made", || async {
        let now = days(&pool).await;
        now.len() == 11 && now[0] == before[3]
    })
    .await;
    let lines = log.list(all()).await;
    assert_eq!(
        contents(&lines),
        ["Device publish message to topic:/young,QoS=1,protocolMessageId:7"]
    );
    log.house.stop().await;
}

#[tokio::test]
async fn ids_of_no_kept_day_are_kept_by_their_lines_time_and_find_their_day_when_it_comes() {
    let log = LogHouse::new().await;
    let pool = log.house.pool().await;
    let (ancient, ahead) = (id(log.now - 40 * DAY_MS, 1), id(log.now + 5 * DAY_MS, 2));
    log.keep(&[
        entry(ancient, 1, "pump-1", vec![up(log.now, "/late-answer")]),
        entry(ahead, 1, "pump-1", vec![up(log.now, "/clock-ahead")]),
    ])
    .await;
    assert_eq!(rows_of_no_day(&pool).await, 2);
    let mut request = all();
    request.from = Some(prost_types::Timestamp {
        seconds: log.now / 1_000 - 10,
        nanos: 0,
    });
    assert_eq!(log.list(request.clone()).await.len(), 2);

    // Its day is made: it moves there, and nothing is lost.
    log.house.clock().advance(DAY * 3);
    wait_until("the day ahead is made", || async {
        rows_of_no_day(&pool).await == 1
    })
    .await;
    assert_eq!(log.list(request.clone()).await.len(), 2);

    log.house.clock().advance(DAY * 5);
    wait_until("old lines are forgotten", || async {
        rows_of_no_day(&pool).await == 0
    })
    .await;
    assert_eq!(log.list(request).await.len(), 1);
    log.house.stop().await;
}
