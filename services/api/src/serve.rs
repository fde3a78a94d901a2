//! Accepts the connections of REST, and lets each request end before a stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use chassis::{Chassis, Phase};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How long a connection may stay without a request's headers being complete: a slow one, or one that a client keeps
/// for its next request. Shorter, clients that keep connections would meet closed ones.
const HEADERS_WITHIN: Duration = Duration::from_secs(60);
/// Requests at one time on one HTTP/2 connection.
const STREAMS: u32 = 100;

/// `variable` names the setting in the error of a taken port.
pub(crate) async fn listen(address: &str, variable: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{variable}: cannot listen on {address}"))
}

/// Takes at most `connections` at a time; the next ones wait in the accept queue.
pub(crate) fn http(
    chassis: &Chassis,
    listener: TcpListener,
    router: Router,
    connections: usize,
) -> anyhow::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let places = Arc::new(Semaphore::new(connections));
    let stop = chassis.stopping(Phase::Door);
    let of_connections = chassis.clone();
    chassis.track(Phase::Door, async move {
        while let Some(Ok(place)) = stop
            .run_until_cancelled(places.clone().acquire_owned())
            .await
        {
            let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else {
                return;
            };
            match accepted {
                Ok((stream, _)) => of_connections.track(
                    Phase::Door,
                    connection(stream, router.clone(), stop.clone(), place),
                ),
                Err(error) => {
                    // No file handle left, mostly: others must end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    });
    Ok(address)
}

async fn connection(
    stream: TcpStream,
    router: Router,
    stop: CancellationToken,
    place: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended badly");
    }
    drop(place);
}
