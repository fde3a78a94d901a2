//! Every line once, whatever happens.

use std::collections::HashSet;

use proto::hoshu::bus::v1::LogEntry;

use crate::house::{LogHouse, all, contents, down, entry, id, tsl, up};

/// Messages of two emitters each, on several devices.
fn entries(log: &LogHouse, count: i64) -> Vec<LogEntry> {
    (0..count)
        .flat_map(|n| {
            let (ms, device) = (log.now - n, format!("pump-{}", n % 7));
            let emitted = |part, lines| entry(id(ms, n as u8), part, &device, lines);
            [
                emitted(1, vec![up(ms, "/x"), tsl(ms, 200)]),
                emitted(2, vec![down(ms)]),
            ]
        })
        .collect()
}

async fn ids(log: &LogHouse) -> Vec<String> {
    let request = proto::hoshu::devicelog::v1::ListLogsRequest {
        page_size: 500,
        ..all()
    };
    log.list(request)
        .await
        .into_iter()
        .map(|line| line.id)
        .collect()
}

#[tokio::test]
async fn lines_told_twice_are_kept_once_and_new_ones_among_them_too() {
    let log = LogHouse::new().await;
    let entries = entries(&log, 60);
    log.keep(&entries[..100]).await;
    assert_eq!(ids(&log).await.len(), 150);

    // The same again, one of it twice in a batch, with new ones between.
    let again: Vec<_> = entries.iter().chain(&entries[..10]).cloned().collect();
    log.keep(&again).await;
    let ids = ids(&log).await;
    assert_eq!(ids.len(), 180);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 180);
    log.house.stop().await;
}

#[tokio::test]
async fn two_pods_keep_each_line_once() {
    let log = LogHouse::new().await;
    log.start_pod().await;
    let entries = entries(&log, 300);
    tokio::join!(log.tell(&entries), log.tell(&entries));
    log.house.settled(&log.bus).await;
    assert_eq!(ids(&log).await.len(), 900);
    log.house.stop().await;
}

#[tokio::test]
async fn a_store_that_is_away_and_comes_back_loses_nothing() {
    let log = LogHouse::new().await;
    let entries = entries(&log, 100);
    log.keep(&entries[..50]).await;
    log.house.database_link().cut();
    log.tell(&entries[50..]).await;
    log.house.database_link().mend();
    log.house.settled(&log.bus).await;
    assert_eq!(ids(&log).await.len(), 300);
    log.house.stop().await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_kept_is_parked_and_takes_no_other_with_it() {
    let log = LogHouse::new().await;
    let mut nameless = entry(id(log.now, 1), 1, "pump-1", vec![up(log.now, "/lost")]);
    nameless.message_id.clear();
    let good = entry(id(log.now, 2), 1, "pump-1", vec![up(log.now, "/kept")]);
    let more = entry(id(log.now, 3), 1, "pump-1", vec![up(log.now, "/too")]);
    log.keep(&[good, nameless, more]).await;

    let lines = log.list(all()).await;
    assert_eq!(lines.len(), 2, "{:?}", contents(&lines));
    let parked = bus::parked::list(&log.bus, 10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert!(
        parked[0].message.error.contains("UUID of version 7"),
        "{}",
        parked[0].message.error
    );
    log.house.stop().await;
}
