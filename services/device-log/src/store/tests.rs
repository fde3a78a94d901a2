//! The query against the plain rule, on random entries and questions.

use alink::{DeviceName, MessageId, ProductKey};
use chassis::Noun;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use sqlx::PgPool;
use testbench::House;

use super::*;
use crate::MIGRATOR;
use crate::domain::{Entry, Filter, Gathering, Kind, Position, Times, any_entry};

const PRODUCTS: [&str; 2] = ["a1B2c3D4e5F", "z9Y8x7W6v5U"];
const DEVICES: [&str; 3] = ["pump-1", "pump-2", "a:b@c"];
const HOUR_MS: i64 = 3_600_000;

fn product() -> impl Strategy<Value = ProductKey> {
    prop::sample::select(&PRODUCTS).prop_map(|key| key.parse().unwrap())
}

fn device() -> impl Strategy<Value = DeviceName> {
    prop::sample::select(&DEVICES).prop_map(|name| name.parse().unwrap())
}

/// Within two days of `now`, and some of them where there is no day; in few steps, so that
/// ids meet and bounds hit.
fn moment(now: DateTime<Utc>) -> impl Strategy<Value = i64> {
    let near = (-48..48_i64).prop_map(|hours| hours * HOUR_MS);
    let far = prop::sample::select(vec![-400 * 24 * HOUR_MS, 400 * 24 * HOUR_MS]);
    prop_oneof![9 => near, 1 => far].prop_map(move |offset| now.timestamp_millis() + offset)
}

fn entry(now: DateTime<Utc>) -> impl Strategy<Value = Entry> {
    let lateness = prop::sample::select(vec![0, 1, 59_999, 60_001, 5 * HOUR_MS, -4_999, -6_000]);
    let id = (moment(now), 0..3_u8).prop_map(|(ms, random)| MessageId::at(ms, [random; 10]));
    (any_entry(), product(), device(), id, lateness).prop_map(
        |(mut entry, product, device, id, late)| {
            entry.device = alink::Device::new(product, device);
            entry.message_id = id;
            for (line, n) in entry.lines.iter_mut().zip(0..) {
                let ms = id.time_ms() + if n == 0 { 0 } else { late + n };
                line.time = DateTime::from_timestamp_millis(ms).unwrap();
            }
            entry
        },
    )
}

fn question(now: DateTime<Utc>) -> impl Strategy<Value = Filter> {
    let time = move || {
        prop::option::of(moment(now).prop_map(|ms| DateTime::from_timestamp_millis(ms).unwrap()))
    };
    let id = (moment(now), 0..3_u8).prop_map(|(ms, random)| MessageId::at(ms, [random; 10]));
    let kinds = prop::collection::vec(prop::sample::select(Kind::ALL.to_vec()), 0..3);
    let named = (
        product(),
        prop::option::of(device()),
        prop::option::weighted(0.2, id),
    );
    (named, kinds, any::<Option<bool>>(), time(), time()).prop_map(
        |((product, device, id), kinds, failed, from, to)| {
            Filter::new(product, device, id, (&kinds, failed), Times { from, to })
        },
    )
}

fn positions(gathering: Gathering<'_>) -> (Vec<Position>, Option<Position>) {
    let (found, next) = gathering.finish();
    let positions = found.into_iter().map(|found| found.position).collect();
    (positions, next)
}

/// All of the list, in pages of `size`.
async fn listed(pool: &PgPool, filter: &Filter, size: usize) -> Vec<Position> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let mut page = Gathering::new(filter, after, size);
        let (mut before, mut more) = (after, true);
        while more && !page.is_full() {
            let (entries, _) = older(pool, filter, before, size as i64 + 1).await.unwrap();
            assert!(entries.is_sorted_by(|a, b| (a.message_id, a.part) > (b.message_id, b.part)));
            more = entries.len() > size;
            before = entries.last().map(Position::first_of);
            entries.into_iter().for_each(|entry| page.add(entry));
        }
        let (found, next) = positions(page);
        all.extend(found);
        after = next;
        if after.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn every_question_finds_exactly_its_lines() {
    let house = House::migrated(&[(Noun::DeviceLog, &MIGRATOR)]).await;
    let pool = house
        .chassis(Noun::DeviceLog)
        .database(&MIGRATOR)
        .await
        .unwrap();
    let now = house.clock().now();
    turn_days(&pool, now, 7).await.unwrap();

    let seed = now.timestamp_micros() as u64;
    println!("seed {seed}");
    let mut random = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    });
    let mut entries: Vec<Entry> = (0..400)
        .map(|_| entry(now).new_tree(&mut random).unwrap().current())
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.message_id, entry.part)));
    entries.dedup_by_key(|entry| (entry.message_id, entry.part));
    let rows = || {
        entries
            .iter()
            .cloned()
            .map(|entry| Row::try_from(entry).unwrap())
            .collect()
    };
    let count = entries.len() as u64;
    assert_eq!(
        write(&pool, rows()).await.unwrap(),
        Written {
            new: count,
            again: 0
        }
    );
    assert_eq!(
        write(&pool, rows()).await.unwrap(),
        Written {
            new: 0,
            again: count
        }
    );

    for _ in 0..60 {
        let filter = question(now).new_tree(&mut random).unwrap().current();
        let size = (5..50_usize).new_tree(&mut random).unwrap().current();
        let mut meant = Gathering::new(&filter, None, usize::MAX - 1);
        entries.iter().cloned().for_each(|entry| meant.add(entry));
        let (meant, _) = positions(meant);
        let found = listed(&pool, &filter, size).await;
        assert_eq!(found, meant, "{filter:?} by {size}");
    }
    house.stop().await;
}
