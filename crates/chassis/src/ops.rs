//! The operators' door: `/livez`, `/readyz`, `/metrics`.

use std::fmt::Write as _;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::{Encoder, TextEncoder};
use tokio::net::TcpListener;

use crate::tasks::Tasks;
use crate::{Phase, telemetry};

/// Serves until the last phase of the stop, so that a drain can be watched.
pub(crate) async fn serve(tasks: Tasks, address: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("HOSHU_OPS_ADDR: cannot listen on {address}"))?;
    let stop = tasks.stopping(Phase::Flush);
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(tasks.clone());
    tasks.track(Phase::Flush, async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = server.await {
            tracing::error!(%error, "the operators' door failed");
        }
    });
    Ok(())
}

/// 200 when every part is well and the process is not stopping; one line per part either way.
async fn readyz(State(tasks): State<Tasks>) -> impl IntoResponse {
    let mut well = !tasks.stopping(Phase::Door).is_cancelled();
    let mut text = String::new();
    if !well {
        text.push_str("failing process: stopping\n");
    }
    for (name, state) in tasks.states() {
        let _ = match state {
            Ok(()) => writeln!(text, "ok {name}"),
            Err(why) => {
                well = false;
                writeln!(text, "failing {name}: {}", why.replace('\n', " "))
            }
        };
    }
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, text)
}

async fn metrics() -> impl IntoResponse {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&telemetry::registry().gather(), &mut text) {
        Ok(()) => ([("content-type", encoder.format_type().to_owned())], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
