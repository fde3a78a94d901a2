//! An api of the test's own, and peers that note what reaches them.

use std::sync::{Arc, Mutex};

use api::{Config, MIGRATOR};
use axum::Router;
use chassis::{Caller, Noun, Refusal};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sqlx::PgPool;
use testbench::House;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

pub(crate) struct Bench {
    pub(crate) house: House,
    pub(crate) pool: PgPool,
    pub(crate) rest: String,
    pub(crate) channel: Channel,
    /// The administrator of the account `one`.
    pub(crate) admin: String,
    pub(crate) peers: Peers,
    http: reqwest::Client,
}

/// What reached the services behind: path and account.
#[derive(Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<Vec<(String, Caller)>>>);

impl Peers {
    pub(crate) fn take(&self) -> Vec<(String, Caller)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The object that was answered, if it went well.
    pub(crate) fn done(&self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json()
    }

    /// The problem that was answered.
    pub(crate) fn refused(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["traceId"].is_string());
        problem
    }
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let house = House::migrated(&[(Noun::Api, &MIGRATOR)]).await;
        let peers = Peers::default();
        for noun in [Noun::Registry, Noun::Thing, Noun::DeviceLog] {
            house
                .chassis(noun)
                .serve(peer(peers.clone()))
                .await
                .expect("served");
        }
        let doors = api::open(config, house.chassis(Noun::Api))
            .await
            .expect("the api starts");
        let pool = house.pool().await;
        let admin = api::create_account(&pool, "one", house.clock().now())
            .await
            .expect("an account");
        let channel = Channel::from_shared(format!("http://{}", doors.grpc))
            .unwrap()
            .connect_lazy();
        let redirects = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder()
            .redirect(redirects)
            .build()
            .unwrap();
        Self {
            house,
            pool,
            rest: format!("http://{}", doors.rest),
            channel,
            admin,
            peers,
            http,
        }
    }

    /// Another account's administrator.
    pub(crate) async fn other_account(&self) -> String {
        api::create_account(&self.pool, "other", self.house.clock().now())
            .await
            .expect("an account")
    }

    pub(crate) async fn ask(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: impl Into<String>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.rest))
            .body(body.into());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("an answer");
        Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(Some(token), "GET", &format!("/api/v1{path}"), "")
            .await
    }

    pub(crate) async fn send(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        self.ask(
            Some(token),
            method,
            &format!("/api/v1{path}"),
            body.to_string(),
        )
        .await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.ask(Some(token), "DELETE", &format!("/api/v1{path}"), "")
            .await
    }

    /// Id of a new user.
    pub(crate) async fn user(&self, name: &str, role: &str) -> String {
        let made = self
            .send(
                &self.admin,
                "POST",
                "/users",
                serde_json::json!({"name": name, "role": role}),
            )
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// A token of the administrator's user.
    pub(crate) async fn token(&self, role: &str) -> String {
        let made = self
            .send(
                &self.admin,
                "POST",
                "/tokens",
                serde_json::json!({"name": "t", "role": role}),
            )
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// Calls an RPC with an empty message; its answer is not looked at.
    pub(crate) async fn call(&self, token: Option<&str>, path: &str) -> Result<(), Status> {
        let mut request = Request::new(());
        if let Some(token) = token {
            request
                .metadata_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.expect("the door is open");
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        grpc.unary(request, path.parse().unwrap(), codec)
            .await
            .map(drop)
    }

    pub(crate) async fn stop(self) {
        self.pool.close().await;
        self.house.stop().await;
    }
}

/// Answers everything as if there were nothing, but for some names that stand for trouble.
fn peer(peers: Peers) -> Routes {
    let note = move |request: axum::extract::Request| {
        let peers = peers.clone();
        async move {
            let (parts, body) = request.into_parts();
            let path = parts.uri.path().to_owned();
            let mut asked = Request::new(());
            *asked.metadata_mut() = tonic::metadata::MetadataMap::from_headers(parts.headers);
            peers
                .0
                .lock()
                .unwrap()
                .push((path, Caller::of(&asked).expect("a caller")));
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let names = |word: &str| {
                body.windows(word.len())
                    .any(|window| window == word.as_bytes())
            };
            assert!(!names("panic"), "as asked");
            let status = if names("leak") {
                Status::internal("SELECT secret FROM registry.device")
            } else if names("away") {
                Status::unavailable("tcp connect error: 10.0.0.7:9090")
            } else if names("offline") {
                Refusal::conflict("the device is offline")
                    .with_code(9201)
                    .into()
            } else if names("silent") {
                Refusal::new(Code::DeadlineExceeded, "Response timeout")
                    .with_extra("rrpcCode", "TIMEOUT")
                    .into()
            } else {
                Refusal::not_found("such thing").into()
            };
            status.into_http::<axum::body::Body>()
        }
    };
    Routes::from(Router::new().fallback(note))
}
