//! What services can rely on between each other, against a real NATS.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Lane, Receipts, inbox, parked};
use chassis::Noun;
use futures::FutureExt;
use proto::hoshu::bus::v1::{
    DeviceRef, Down, DownBatch, DownOutcome, DownOutcomes, LogBatch, LogEntry, LogLine, UpBatch,
    UpMessage,
};
use testbench::{House, wait_until};

/// What this test's thread has logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false);
        tracing::subscriber::set_default(lines.with_writer(move || log.clone()).finish())
    }

    fn lines(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn entry(part: u32) -> LogEntry {
    LogEntry {
        part,
        ..LogEntry::default()
    }
}

fn large(part: u32, bytes: usize) -> LogEntry {
    let line = LogLine {
        detail: "x".repeat(bytes),
        ..LogLine::default()
    };
    LogEntry {
        lines: vec![line],
        ..entry(part)
    }
}

async fn publish(bus: &Bus, parts: std::ops::Range<u32>) {
    let publisher = bus.publisher::<LogBatch>();
    let lane = Lane::log(bus.partition(&DeviceRef::default()));
    let mut last = None;
    for part in parts {
        last = Some(publisher.publish(lane, &entry(part)).await);
    }
    last.expect("one at least")
        .durable()
        .await
        .expect("durable");
}

#[tokio::test]
async fn what_is_durable_is_consumed_once_and_in_order() {
    let house = House::new().await;
    let bus = Bus::connect(&house.chassis(Noun::DeviceLog)).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = seen.clone();
    bus.consume(inbox::DEVICELOG, move |entries: Vec<LogEntry>| {
        heard
            .lock()
            .unwrap()
            .extend(entries.iter().map(|entry| entry.part));
        async { Ok(()) }
    });
    publish(&bus, 0..3000).await;
    house.settled(&bus).await;
    assert_eq!(*seen.lock().unwrap(), (0..3000).collect::<Vec<_>>());
    house.stop().await;
}

#[tokio::test]
async fn a_backlog_of_large_items_is_handled_in_groups_of_bounded_bytes() {
    const ITEM: usize = 256 * 1024;
    let house = House::new().await;
    let bus = Bus::connect(&house.chassis(Noun::DeviceLog)).await.unwrap();
    let publisher = bus.publisher::<LogBatch>();
    let lane = Lane::log(bus.partition(&DeviceRef::default()));
    for part in 0..45 {
        let receipt = publisher.publish(lane, &large(part, ITEM)).await;
        receipt.durable().await.expect("durable");
    }
    let groups = Arc::new(Mutex::new(Vec::new()));
    let heard = groups.clone();
    bus.consume(inbox::DEVICELOG, move |entries: Vec<LogEntry>| {
        heard.lock().unwrap().push(entries.len());
        // Meanwhile the others come.
        tokio::time::sleep(Duration::from_millis(300)).map(Ok)
    });
    house.settled(&bus).await;
    let groups = groups.lock().unwrap().clone();
    assert_eq!(groups.iter().sum::<usize>(), 45);
    let most = groups.iter().max().unwrap() * ITEM;
    assert!(most <= 4 * 1024 * 1024 + ITEM, "{groups:?}");
    house.stop().await;
}

#[tokio::test]
async fn a_group_is_acknowledged_when_what_it_told_is_durable_and_the_next_does_not_wait_for_it() {
    let house = House::with(&[], |settings| settings.stream_bytes = 1 << 20).await;
    let bus = Bus::connect(&house.chassis(Noun::Thing)).await.unwrap();
    let device = DeviceRef::default();
    let lines = bus.publisher::<LogBatch>();
    let lane = Lane::log(bus.partition(&device));
    // More than the stream holds, and nobody reads it yet.
    for part in 0..20 {
        lines.publish(lane, &large(part, 64 * 1024)).await;
    }
    let handled = Arc::new(AtomicU64::new(0));
    let counted = handled.clone();
    bus.consume(inbox::THING_UP, move |messages: Vec<UpMessage>| {
        counted.fetch_add(messages.len() as u64, Ordering::SeqCst);
        let lines = lines.clone();
        async move { Ok(Receipts::from_iter([lines.publish(lane, &entry(20)).await])) }
    });
    let up = bus.publisher::<UpBatch>();
    for number in 1..=3 {
        let lane = Lane::up(Noun::Thing, bus.partition(&device));
        let receipt = up.publish(lane, &UpMessage::default()).await;
        receipt.durable().await.expect("durable");
        wait_until("it is handled", || async {
            handled.load(Ordering::SeqCst) == number
        })
        .await;
    }
    assert!(bus.pending().await.unwrap() >= 3, "none is acknowledged");
    bus.consume(inbox::DEVICELOG, |_| std::future::ready(Ok(())));
    house.settled(&bus).await;
    assert_eq!(handled.load(Ordering::SeqCst), 3);
    house.stop().await;
}

#[tokio::test]
async fn a_cut_link_delays_messages_and_loses_none() {
    let house = House::new().await;
    let bus = Bus::connect(&house.chassis(Noun::DeviceLog)).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = seen.clone();
    bus.consume(inbox::DEVICELOG, move |entries: Vec<LogEntry>| {
        heard
            .lock()
            .unwrap()
            .extend(entries.iter().map(|entry| entry.part));
        async { Ok(()) }
    });
    publish(&bus, 0..10).await;
    house.nats_link().cut();
    let mend = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        house.nats_link().mend();
    };
    tokio::join!(publish(&bus, 10..500), mend);
    let all: Vec<u32> = (0..500).collect();
    wait_until("all are seen", || async {
        let mut seen = seen.lock().unwrap().clone();
        seen.sort_unstable();
        seen.dedup();
        seen == all
    })
    .await;
    house.stop().await;
}

#[tokio::test]
async fn nats_that_is_away_is_one_warning_and_one_when_it_is_back() {
    let log = Log::default();
    let _heard = log.listen();
    let house = House::new().await;
    let _bus = Bus::connect(&house.chassis(Noun::DeviceLog)).await.unwrap();
    assert_eq!(log.lines("NATS is"), [] as [String; 0]);
    house.nats_link().cut();
    wait_until("it was tried often", || async {
        house.nats_link().refused() >= 10
    })
    .await;
    house.nats_link().mend();
    wait_until("it is back", || async { log.lines("NATS is").len() >= 2 }).await;
    house.stop().await;
    let lines = log.lines("NATS is");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("NATS is away") && lines[0].contains("cause="));
    assert!(lines[1].contains("NATS is back"));
}

#[tokio::test]
async fn a_message_that_always_fails_is_parked_and_the_others_flow() {
    let house = House::new().await;
    let bus = Bus::connect(&house.chassis(Noun::DeviceLog)).await.unwrap();
    let mended = Arc::new(AtomicBool::new(false));
    let done = Arc::new(Mutex::new(Vec::new()));
    let (is_mended, heard) = (mended.clone(), done.clone());
    bus.consume(inbox::DEVICELOG, move |entries: Vec<LogEntry>| {
        let poison =
            entries.iter().any(|entry| entry.part == 7) && !is_mended.load(Ordering::SeqCst);
        if !poison {
            heard
                .lock()
                .unwrap()
                .extend(entries.iter().map(|entry| entry.part));
        }
        async move {
            if poison {
                anyhow::bail!("7 is poison")
            } else {
                Ok(())
            }
        }
    });
    publish(&bus, 0..20).await;
    house.settled(&bus).await;
    let mut flowed = done.lock().unwrap().clone();
    flowed.sort_unstable();
    assert_eq!(
        flowed,
        (0..20).filter(|part| *part != 7).collect::<Vec<_>>()
    );

    let listed = parked::list(&bus, 100).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].message.error.contains("7 is poison"));
    mended.store(true, Ordering::SeqCst);
    parked::replay(&bus, listed[0].number).await.unwrap();
    wait_until("it was replayed", || async {
        done.lock().unwrap().contains(&7)
    })
    .await;
    assert!(parked::list(&bus, 100).await.unwrap().is_empty());
    house.stop().await;
}

#[tokio::test]
async fn a_store_that_is_away_is_waited_for_and_nothing_is_parked() {
    let house = House::new().await;
    let bus = Bus::connect(&house.chassis(Noun::DeviceLog)).await.unwrap();
    let tries = Arc::new(AtomicU64::new(0));
    let counted = tries.clone();
    bus.consume(inbox::DEVICELOG, move |_: Vec<LogEntry>| {
        let away = counted.fetch_add(1, Ordering::SeqCst) < 6;
        async move {
            if away {
                Err(sqlx::Error::PoolTimedOut.into())
            } else {
                Ok(())
            }
        }
    });
    publish(&bus, 0..1).await;
    house.settled(&bus).await;
    assert_eq!(tries.load(Ordering::SeqCst), 7);
    assert!(parked::list(&bus, 100).await.unwrap().is_empty());
    house.stop().await;
}

#[tokio::test]
async fn a_delivery_is_answered_by_its_node_and_a_missing_node_is_told() {
    let house = House::new().await;
    let chassis = house.chassis(Noun::Gateway);
    let gateway = Bus::connect(&chassis).await.unwrap();
    gateway
        .serve_down(|_, batch| async move {
            DownOutcomes {
                outcomes: batch
                    .items
                    .iter()
                    .map(|item| DownOutcome {
                        limit: item.session as u32,
                        ..DownOutcome::default()
                    })
                    .collect(),
            }
        })
        .await
        .unwrap();
    let bus = house.bus().await;
    let batch = DownBatch {
        items: (0..3)
            .map(|session| Down {
                session,
                ..Down::default()
            })
            .collect(),
    };
    let outcomes = bus.down(Some(chassis.node()), batch.clone()).await.unwrap();
    assert_eq!(
        outcomes
            .outcomes
            .iter()
            .map(|outcome| outcome.limit)
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(
        bus.down(None, batch.clone()).await.unwrap().outcomes.len(),
        3
    );
    assert_eq!(
        bus.down(Some("gateway-gone"), batch).await.unwrap_err(),
        bus::DownError::Nobody
    );
    house.stop().await;
}
