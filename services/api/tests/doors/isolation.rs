//! Every operation, by REST and by gRPC, with every role and with a foreign token.
//!
//! The table names each operation: a new one that is not in it fails the test, so that somebody
//! has thought about who may see it.

use std::collections::BTreeSet;

use serde_json::Value;
use tonic::Code;

use crate::bench::Bench;

/// What a token of another account meets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Foreign {
    /// 404 for an object of ours, here `user` or `token`.
    NotFound(&'static str),
    /// Only its own account's.
    OwnOnly,
    /// The service behind is told the token's account, and nothing else of it; its own tests go on from there.
    Carried,
}

use Foreign::{Carried, NotFound, OwnOnly};

const TABLE: &[(&str, &str, Foreign)] = &[
    ("GetAccount", "VIEWER", OwnOnly),
    ("ListUsers", "VIEWER", OwnOnly),
    ("CreateUser", "ADMIN", OwnOnly),
    ("GetUser", "VIEWER", NotFound("user")),
    ("UpdateUser", "ADMIN", NotFound("user")),
    ("DeleteUser", "ADMIN", NotFound("user")),
    ("ListTokens", "VIEWER", OwnOnly),
    ("CreateToken", "ADMIN", OwnOnly),
    ("DeleteToken", "ADMIN", NotFound("token")),
    ("ListAudit", "VIEWER", OwnOnly),
    ("CreateProduct", "OPERATOR", Carried),
    ("ListProducts", "VIEWER", Carried),
    ("GetProduct", "VIEWER", Carried),
    ("UpdateProduct", "OPERATOR", Carried),
    ("DeleteProduct", "OPERATOR", Carried),
    ("CreateDevice", "OPERATOR", Carried),
    ("CreateDevices", "OPERATOR", Carried),
    ("ListDevices", "VIEWER", Carried),
    ("GetDevice", "VIEWER", Carried),
    ("DeleteDevice", "OPERATOR", Carried),
    ("DisableDevice", "OPERATOR", Carried),
    ("EnableDevice", "OPERATOR", Carried),
    ("ResetDeviceSecret", "OPERATOR", Carried),
    ("GetThingModel", "VIEWER", Carried),
    ("PutThingModel", "OPERATOR", Carried),
    ("PublishThingModel", "OPERATOR", Carried),
    ("ListThingModelVersions", "VIEWER", Carried),
    ("GetThingModelVersion", "VIEWER", Carried),
    ("CheckMessage", "VIEWER", Carried),
    ("ListProperties", "VIEWER", Carried),
    ("ListEvents", "VIEWER", Carried),
    ("SetProperties", "OPERATOR", Carried),
    ("CallService", "OPERATOR", Carried),
    ("ListLogs", "VIEWER", Carried),
];

/// One route of the document.
struct Route {
    operation: String,
    method: String,
    path: String,
    rpc: String,
    role: &'static str,
    foreign: Foreign,
}

async fn routes(bench: &Bench) -> Vec<Route> {
    let document = bench.ask(None, "GET", "/api/openapi.json", "").await.done();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let operation = described["operationId"].as_str().unwrap().to_owned();
            let row = TABLE.iter().find(|(name, ..)| *name == operation);
            let (_, role, foreign) =
                row.unwrap_or_else(|| panic!("{operation} is not in the table"));
            let rpc = format!("/{}", described["x-hoshu-rpc"].as_str().unwrap());
            let (method, path) = (method.to_uppercase(), path.clone());
            routes.push(Route {
                operation,
                method,
                path,
                rpc,
                role,
                foreign: *foreign,
            });
        }
    }
    let found: BTreeSet<&str> = routes
        .iter()
        .map(|route| route.operation.as_str())
        .collect();
    let known: BTreeSet<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
    assert_eq!(found, known);
    routes
}

/// The path with `value` for every variable, but a number where a number stands.
fn filled(route: &Route, value: &str) -> String {
    let parts = route.path.split('/').map(|part| match part {
        "{version}" => "1",
        variable if variable.starts_with('{') => value,
        part => part,
    });
    format!("/api/v1{}", parts.collect::<Vec<_>>().join("/"))
}

fn body(route: &Route) -> &'static str {
    if ["GET", "DELETE"].contains(&route.method.as_str()) {
        ""
    } else {
        "{}"
    }
}

#[tokio::test]
async fn every_role_may_what_the_table_says_and_no_more() {
    let bench = Bench::new().await;
    let roles = ["VIEWER", "OPERATOR", "ADMIN"];
    let mut tokens = Vec::new();
    for role in roles {
        tokens.push(bench.token(role).await);
    }
    for route in routes(&bench).await {
        let path = filled(&route, "nothing");
        bench
            .ask(None, &route.method, &path, body(&route))
            .await
            .refused(401);
        assert_eq!(
            bench.call(None, &route.rpc).await.unwrap_err().code(),
            Code::Unauthenticated
        );
        let needed = roles.iter().position(|role| *role == route.role).unwrap();
        for (rank, token) in tokens.iter().enumerate() {
            let what = format!("{} {} as {}", route.method, path, roles[rank]);
            let status = bench
                .ask(Some(token), &route.method, &path, body(&route))
                .await
                .status
                .as_u16();
            let code = bench
                .call(Some(token), &route.rpc)
                .await
                .err()
                .map(|status| status.code());
            if rank < needed {
                assert_eq!(
                    (status, code),
                    (403, Some(Code::PermissionDenied)),
                    "{what}"
                );
            } else {
                assert!(
                    ![401, 403, 405].contains(&status) && status < 500,
                    "{what}: {status}"
                );
                let refused = [
                    Some(Code::Unauthenticated),
                    Some(Code::PermissionDenied),
                    Some(Code::Internal),
                ];
                assert!(!refused.contains(&code), "{what}: {code:?}");
            }
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_foreign_token_meets_nothing_of_ours() {
    let bench = Bench::new().await;
    let foreign = bench.other_account().await;
    let ours = bench.get(&bench.admin, "/account").await.done()["id"].clone();
    let theirs = bench.get(&foreign, "/account").await.done()["id"].clone();
    let user = bench.user("ours", "VIEWER").await;
    let token = bench.get(&bench.admin, "/tokens").await.done()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(ours, theirs);
    for route in routes(&bench).await {
        let what = &route.operation;
        bench.peers.take();
        match route.foreign {
            NotFound(object) => {
                let id = if object == "user" { &user } else { &token };
                bench
                    .ask(
                        Some(&foreign),
                        &route.method,
                        &filled(&route, id),
                        body(&route),
                    )
                    .await
                    .refused(404);
            }
            OwnOnly => {
                let answer = bench
                    .ask(
                        Some(&foreign),
                        &route.method,
                        &filled(&route, "x"),
                        body(&route),
                    )
                    .await;
                for hidden in [ours.as_str().unwrap(), &user, &token, "ours"] {
                    assert!(!answer.text.contains(hidden), "{what}: {answer:?}");
                }
            }
            Carried => {
                bench
                    .ask(
                        Some(&foreign),
                        &route.method,
                        &filled(&route, "x"),
                        body(&route),
                    )
                    .await
                    .refused(404);
                let status = bench.call(Some(&foreign), &route.rpc).await.unwrap_err();
                assert_eq!(status.code(), Code::NotFound, "{what}");
                let carried = bench.peers.take();
                assert_eq!(carried.len(), 2, "{what}");
                for (path, caller) in carried {
                    assert_eq!(
                        (&path, Value::from(caller.account_id)),
                        (&route.rpc, theirs.clone())
                    );
                    assert_eq!(caller.actor, "admin/first");
                }
            }
        }
    }
    // A token for somebody else's user is as impossible as one for nobody's.
    let body = serde_json::json!({"name": "t", "role": "VIEWER", "userId": user});
    bench
        .send(&foreign, "POST", "/tokens", body)
        .await
        .refused(404);
    bench
        .get(&bench.admin, &format!("/users/{user}"))
        .await
        .done();
    bench.stop().await;
}
