//! The REST door: a route for every operation that has one, the OpenAPI document and its browser.

mod operation;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use axum::routing::any;
use chassis::Chassis;
use http::{HeaderValue, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::auth::Auth;
use crate::config::Config;
use crate::contract::{Contract, Operation, ROOT, Rest};
use crate::forward::Peers;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::{docs, openapi, serve};

/// What every request needs.
pub(crate) struct Door {
    auth: Arc<Auth>,
    peers: Peers,
    body_limit: usize,
    body_within: Duration,
    metrics: Metrics,
}

pub(crate) async fn open(
    chassis: &Chassis,
    contract: &Contract,
    auth: &Arc<Auth>,
    peers: &Peers,
    config: &Config,
) -> anyhow::Result<SocketAddr> {
    let door = Door {
        auth: auth.clone(),
        peers: peers.clone(),
        body_limit: config.body_limit,
        body_within: Duration::from_secs(config.body_seconds),
        metrics: Metrics::of_rest(&chassis.meter()),
    };
    let listener = serve::listen(&chassis.settings().api_addr, "HOSHU_API_ADDR").await?;
    serve::http(
        chassis,
        listener,
        router(Arc::new(door), contract),
        config.connections,
    )
}

/// One path's operations, by their methods.
type Endpoint = Vec<(Arc<Operation>, Arc<Rest>)>;

fn router(door: Arc<Door>, contract: &Contract) -> Router {
    let mut endpoints: BTreeMap<&str, Endpoint> = BTreeMap::new();
    for operation in &contract.operations {
        if let Some(rest) = &operation.rest {
            endpoints
                .entry(&rest.path)
                .or_default()
                .push((operation.clone(), rest.clone()));
        }
    }
    let mut router = docs::routes(openapi::document(contract));
    for (path, endpoint) in endpoints {
        let (door, endpoint) = (door.clone(), Arc::new(endpoint));
        let serve = move |request: Request| {
            let (door, endpoint) = (door.clone(), endpoint.clone());
            async move { operation::serve(&door, &endpoint, request).await }
        };
        router = router.route(&format!("{ROOT}{path}"), any(serve));
    }
    router
        .fallback(|| async {
            Problem::of_http(StatusCode::NOT_FOUND, "there is nothing at this path")
                .into_response(&trace_id())
        })
        .layer(CatchPanicLayer::custom(|_| {
            let detail = "an internal fault; tell the operator, quoting the trace id";
            Problem::of_http(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response(&trace_id())
        }))
        .layer(axum::middleware::from_fn(traced))
}

/// Continues the asker's trace, and names it in the answer.
async fn traced(request: Request, next: axum::middleware::Next) -> Response {
    // The route, not the path: that may hold a token where an id belongs.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("rest", http.method = %request.method(), http.route = route);
    let parent = request
        .headers()
        .get(chassis::trace::HEADER)
        .and_then(|value| value.to_str().ok());
    if let Some(parent) = parent {
        chassis::trace::adopt(&span, parent);
    }
    async {
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&trace_id()) {
            headers.insert("x-request-id", id);
        }
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        response
    }
    .instrument(span)
    .await
}

fn trace_id() -> String {
    chassis::trace::id()
}
