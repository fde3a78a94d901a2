//! Users, tokens, and who may do what.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::Bench;

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let bench = Bench::new().await;
    let made = bench
        .send(
            &bench.admin,
            "POST",
            "/tokens",
            json!({"name": "ci", "role": "OPERATOR"}),
        )
        .await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let (id, token) = (
        made["id"].as_str().unwrap(),
        made["token"].as_str().unwrap(),
    );
    assert!(token.starts_with("hoshu_"));
    assert_eq!(made["role"], "OPERATOR");

    assert_eq!(bench.get(token, "/account").await.done()["name"], "one");
    let listed = bench.get(&bench.admin, "/tokens").await;
    assert!(!listed.text.contains(token), "{listed:?}");
    let listed = listed.json();
    let ours = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["id"] == id)
        .unwrap();
    assert!(
        ours["lastUsedAt"].is_string() && ours.get("token").is_none(),
        "{ours}"
    );

    let gone = bench.delete(&bench.admin, &format!("/tokens/{id}")).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    bench.get(token, "/account").await.refused(401);
    bench
        .delete(&bench.admin, &format!("/tokens/{id}"))
        .await
        .refused(404);
    bench.stop().await;
}

#[tokio::test]
async fn a_token_ends_at_its_time() {
    let bench = Bench::new().await;
    let end = (bench.house.clock().now() + Duration::from_secs(60)).to_rfc3339();
    let body = json!({"name": "short", "role": "VIEWER", "expiresAt": end});
    let made = bench
        .send(&bench.admin, "POST", "/tokens", body)
        .await
        .done();
    let token = made["token"].as_str().unwrap();
    bench.get(token, "/account").await.done();
    bench.house.clock().advance(Duration::from_secs(61));
    bench.get(token, "/account").await.refused(401);

    let past = json!({"name": "past", "role": "VIEWER", "expiresAt": "2020-01-01T00:00:00Z"});
    let problem = bench
        .send(&bench.admin, "POST", "/tokens", past)
        .await
        .refused(400);
    assert_eq!(problem["errors"][0]["pointer"], "/expiresAt");
    bench.stop().await;
}

#[tokio::test]
async fn a_token_never_reaches_further_than_its_user() {
    let bench = Bench::new().await;
    let user = bench.user("ada", "OPERATOR").await;
    let ask = |role: &str| json!({"name": "t", "role": role, "userId": user});
    let problem = bench
        .send(&bench.admin, "POST", "/tokens", ask("ADMIN"))
        .await
        .refused(400);
    assert_eq!(problem["errors"][0]["pointer"], "/role");
    let made = bench
        .send(&bench.admin, "POST", "/tokens", ask("OPERATOR"))
        .await
        .done();
    let token = made["token"].as_str().unwrap();
    bench
        .send(token, "POST", "/products", json!({"name": "p"}))
        .await
        .refused(404);

    // Demoted, the user takes its tokens along at once.
    bench
        .send(
            &bench.admin,
            "PATCH",
            &format!("/users/{user}"),
            json!({"role": "VIEWER"}),
        )
        .await
        .done();
    let refused = bench
        .send(token, "POST", "/products", json!({"name": "p"}))
        .await;
    refused.refused(403);
    assert!(
        refused.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("insufficient_scope")
    );

    // And removed, it takes them away.
    assert_eq!(
        bench
            .delete(&bench.admin, &format!("/users/{user}"))
            .await
            .status,
        204
    );
    bench.get(token, "/account").await.refused(401);
    bench.stop().await;
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let bench = Bench::new().await;
    let users = bench.get(&bench.admin, "/users").await.done();
    let first = format!("/users/{}", users["items"][0]["id"].as_str().unwrap());
    bench.delete(&bench.admin, &first).await.refused(409);
    bench
        .send(&bench.admin, "PATCH", &first, json!({"role": "OPERATOR"}))
        .await
        .refused(409);
    bench
        .send(&bench.admin, "PATCH", &first, json!({"name": "root"}))
        .await
        .done();

    bench.user("second", "ADMIN").await;
    let demoted = bench
        .send(&bench.admin, "PATCH", &first, json!({"role": "OPERATOR"}))
        .await
        .done();
    assert_eq!(
        (&demoted["name"], &demoted["role"]),
        (&json!("root"), &json!("OPERATOR"))
    );
    bench.stop().await;
}

#[tokio::test]
async fn two_admins_who_demote_each_other_leave_one() {
    let bench = Bench::new().await;
    let users = bench.get(&bench.admin, "/users").await.done();
    let first = format!("/users/{}", users["items"][0]["id"].as_str().unwrap());
    let second = format!("/users/{}", bench.user("second", "ADMIN").await);
    let demote = json!({"role": "VIEWER"});
    tokio::join!(
        bench.send(&bench.admin, "PATCH", &first, demote.clone()),
        bench.send(&bench.admin, "PATCH", &second, demote.clone()),
    );
    let admins: i64 = sqlx::query_scalar(r#"SELECT count(*) FROM api."user" WHERE role = 3"#)
        .fetch_one(&bench.pool)
        .await
        .unwrap();
    assert_eq!(admins, 1);
    bench.stop().await;
}

#[tokio::test]
async fn users_are_listed_page_by_page_newest_first() {
    let bench = Bench::new().await;
    for name in ["a", "b", "c"] {
        bench.user(name, "VIEWER").await;
    }
    bench
        .send(
            &bench.admin,
            "POST",
            "/users",
            json!({"name": "a", "role": "VIEWER"}),
        )
        .await
        .refused(409);
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = bench
            .get(
                &bench.admin,
                &format!("/users?pageSize=3&pageToken={token}"),
            )
            .await
            .done();
        names.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["name"].clone()),
        );
        match page.get("nextPageToken").and_then(Value::as_str) {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["c", "b", "a", "admin"]);
    bench.stop().await;
}
