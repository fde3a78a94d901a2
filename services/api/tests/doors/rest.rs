//! What the REST door lets in, and how it refuses.

use api::Config;
use serde_json::json;

use crate::bench::Bench;

#[tokio::test]
async fn without_a_token_nothing_is_said() {
    let bench = Bench::new().await;
    for token in [
        None,
        Some("short"),
        Some("hoshu_0000000000000000000000000000000000"),
        Some("not a token"),
    ] {
        let answer = bench.ask(token, "GET", "/api/v1/account", "").await;
        answer.refused(401);
        assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"hoshu\"");
    }
    // Neither does a body have to be right before the asker is known.
    bench
        .ask(None, "POST", "/api/v1/users", "{")
        .await
        .refused(401);
    bench.stop().await;
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let bench = Bench::new().await;
    for path in ["/api/v1/nothing", "/api/v1/users/", "/nothing", "/api/v1"] {
        bench.ask(None, "GET", path, "").await.refused(404);
    }
    let answer = bench
        .ask(Some(&bench.admin), "PUT", "/api/v1/users", "{}")
        .await;
    answer.refused(405);
    assert_eq!(answer.headers["allow"], "GET, HEAD, POST");
    assert_eq!(
        bench
            .ask(Some(&bench.admin), "HEAD", "/api/v1/users", "")
            .await
            .status,
        200
    );
    bench.stop().await;
}

#[tokio::test]
async fn every_fault_of_a_request_is_told_at_once() {
    let bench = Bench::new().await;
    let answer = bench
        .send(
            &bench.admin,
            "POST",
            "/users",
            json!({"nam": "a", "role": "BOSS"}),
        )
        .await;
    let problem = answer.refused(400);
    let expected = json!([
        {"pointer": "/nam", "message": "is unknown"},
        {"pointer": "/role", "message": "must be one of VIEWER, OPERATOR, ADMIN"},
    ]);
    assert_eq!(problem["errors"], expected);
    let problem = bench
        .get(&bench.admin, "/users?pageSize=501&pageToken=zz")
        .await
        .refused(400);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    bench.get(&bench.admin, "/users/%ff").await.refused(400);
    bench.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413() {
    let bench = Bench::with(Config {
        body_limit: 1000,
        ..Config::default()
    })
    .await;
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(1000));
    bench
        .ask(Some(&bench.admin), "POST", "/api/v1/users", body)
        .await
        .refused(413);
    bench.stop().await;
}

#[tokio::test]
async fn a_services_refusal_comes_out_with_its_code_and_never_its_insides() {
    let bench = Bench::new().await;
    let ask = async |name: &str| bench.get(&bench.admin, &format!("/products/{name}")).await;

    let problem = ask("offline").await.refused(409);
    assert_eq!(
        (&problem["code"], &problem["type"]),
        (&json!(9201), &json!("urn:hoshu:code:9201"))
    );
    let problem = ask("silent").await.refused(504);
    assert_eq!(
        (&problem["rrpcCode"], &problem["detail"]),
        (&json!("TIMEOUT"), &json!("Response timeout"))
    );

    let leaked = ask("leak").await;
    leaked.refused(500);
    assert!(!leaked.text.contains("SELECT"), "{leaked:?}");
    let away = ask("away").await;
    away.refused(503);
    assert!(
        away.headers.contains_key("retry-after") && !away.text.contains("10.0.0.7"),
        "{away:?}"
    );
    ask("panic").await.refused(500);
    ask("anything").await.refused(404);
    bench.stop().await;
}

#[tokio::test]
async fn names_are_percent_decoded_and_carried_as_they_are() {
    let bench = Bench::new().await;
    let path = "/products/a1B2c3D4e5F/devices/off%6Cine%3A%40%2F%E6%98%9F";
    assert_eq!(
        bench.get(&bench.admin, path).await.refused(409)["code"],
        9201
    );
    bench.stop().await;
}

#[tokio::test]
async fn the_browser_and_the_document_need_no_token_and_nothing_from_elsewhere() {
    let bench = Bench::new().await;
    let root = bench.ask(None, "GET", "/", "").await;
    assert_eq!(
        (root.status.as_u16(), &root.headers["location"]),
        (307, &"/api/docs".parse().unwrap())
    );
    let page = bench.ask(None, "GET", "/api/docs", "").await;
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    assert!(!page.text.contains("http://") && !page.text.contains("https://"));
    for file in ["/api/docs/page.js", "/api/docs/page.css"] {
        assert!(page.text.contains(file));
        assert_eq!(bench.ask(None, "GET", file, "").await.status, 200);
    }
    let document = bench.ask(None, "GET", "/api/openapi.json", "").await.done();
    assert_eq!(document["openapi"], "3.1.0");
    bench.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_503() {
    let bench = Bench::new().await;
    bench.get(&bench.admin, "/account").await.done();
    let unknown_here = bench.token("VIEWER").await;
    bench.house.database_link().cut();
    let answer = bench.get(&unknown_here, "/account").await;
    answer.refused(503);
    assert!(answer.headers.contains_key("retry-after"));
    bench.house.database_link().mend();
    bench.stop().await;
}
