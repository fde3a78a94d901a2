//! The audit trail: every service's changes, each once.

use bytes::Bytes;
use chassis::Noun;
use proto::hoshu::bus::v1::Event;
use serde_json::{Value, json};
use testbench::wait_until;
use uuid::Uuid;

use crate::bench::Bench;

async fn trail(bench: &Bench, query: &str) -> Vec<Value> {
    bench
        .get(&bench.admin, &format!("/audit?{query}"))
        .await
        .done()["items"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_change_is_found_with_its_actor_and_both_states() {
    let bench = Bench::new().await;
    let user = bench.user("ada", "VIEWER").await;
    bench
        .send(
            &bench.admin,
            "PATCH",
            &format!("/users/{user}"),
            json!({"role": "OPERATOR"}),
        )
        .await
        .done();
    let query = format!("subject=user/{user}");
    wait_until("the trail knows both changes", async || {
        trail(&bench, &query).await.len() == 2
    })
    .await;
    let entries = trail(&bench, &query).await;
    assert_eq!(entries[0]["action"], "user.updated");
    assert_eq!(entries[0]["actor"], "admin/first");
    assert_eq!(
        entries[0]["before"],
        json!({"name": "ada", "role": "VIEWER"})
    );
    assert_eq!(
        entries[0]["after"],
        json!({"name": "ada", "role": "OPERATOR"})
    );
    assert_eq!(
        (&entries[1]["action"], &entries[1]["before"]),
        (&json!("user.created"), &Value::Null)
    );

    assert_eq!(trail(&bench, "subject=user/&actor=admin").await.len(), 2);
    assert!(trail(&bench, "actor=adm").await.is_empty());
    assert!(trail(&bench, "to=2020-01-01T00:00:00Z").await.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn an_event_told_twice_is_one_entry_and_stays_in_its_account() {
    let bench = Bench::new().await;
    let other = bench.other_account().await;
    let account = bench.get(&bench.admin, "/account").await.done()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let event = |id: Uuid| Event {
        id: Bytes::copy_from_slice(id.as_bytes()),
        account_id: account.clone(),
        actor: "bot/ci".into(),
        at: bench.house.clock().now_ms(),
        action: "product.created".into(),
        subject: "product/pk".into(),
        before: String::new(),
        after: r#"{"n": 9007199254740993}"#.into(),
    };
    // As another pod would: the same event from another outbox row.
    let id = Uuid::now_v7();
    let bus = bench.house.bus().await;
    for _ in 0..2 {
        let mut connection = bench.pool.acquire().await.unwrap();
        bus::outbox::tell(&mut connection, Noun::Api, event(id))
            .await
            .unwrap();
        wait_until("it was told", async || {
            let left: i64 = sqlx::query_scalar("SELECT count(*) FROM api.outbox")
                .fetch_one(&bench.pool)
                .await
                .unwrap();
            left == 0
        })
        .await;
    }
    wait_until("it was heard", async || {
        !trail(&bench, "subject=product/").await.is_empty()
    })
    .await;
    bench.house.settled(&bus).await;
    assert_eq!(trail(&bench, "subject=product/").await.len(), 1);
    let shown = bench.get(&bench.admin, "/audit?subject=product/").await;
    assert!(
        shown.text.contains(r#""after":{"n": 9007199254740993}"#),
        "{shown:?}"
    );
    let foreign = bench.get(&other, "/audit").await.done();
    assert!(
        foreign["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["actor"] != "bot/ci")
    );
    bench.stop().await;
}
