//! The account that `hoshu up` makes.

use crate::bench::Bench;

#[tokio::test]
async fn the_default_account_is_made_once() {
    let bench = Bench::new().await;
    let now = bench.house.clock().now();
    let made = api::ensure_default_account(&bench.pool, None, now)
        .await
        .unwrap()
        .expect("a token, the first time");
    assert_eq!(bench.get(&made, "/account").await.done()["name"], "default");
    assert_eq!(
        api::ensure_default_account(&bench.pool, None, now)
            .await
            .unwrap(),
        None
    );
    bench.get(&made, "/users").await.done();
    bench.stop().await;
}

#[tokio::test]
async fn a_token_that_is_set_replaces_the_one_set_before() {
    let bench = Bench::new().await;
    let now = bench.house.clock().now();
    for _ in 0..2 {
        api::ensure_default_account(&bench.pool, Some("first-secret"), now)
            .await
            .unwrap();
    }
    bench.get("first-secret", "/users").await.done();
    api::ensure_default_account(&bench.pool, Some("second-secret"), now)
        .await
        .unwrap();
    bench.get("second-secret", "/users").await.done();
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM api.token WHERE name = 'HOSHU_ADMIN_TOKEN'")
            .fetch_one(&bench.pool)
            .await
            .unwrap();
    assert_eq!(left, 1);

    let error = api::ensure_default_account(&bench.pool, Some(&bench.admin), now)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("somebody else's"), "{error}");
    let error = api::create_account(&bench.pool, "default", now)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("there already"), "{error}");
    bench.stop().await;
}
