//! Accepts the connections of both doors, and lets each request end before a stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use chassis::{Chassis, Phase};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

/// How long a connection may stay without a request's headers being complete: a slow one, or one that a client keeps
/// for its next request. A program that asks every minute must not meet one that is just being closed.
const HEADERS_WITHIN: Duration = Duration::from_secs(75);
/// How long a connection may stay without a request, before its first and between two. Programs keep theirs, and
/// are told to make another for their next request.
const FIRST_WITHIN: Duration = Duration::from_secs(60);
const IDLE_WITHIN: Duration = Duration::from_secs(600);
/// How long a connection that is told so may take to end.
const LAST_WITHIN: Duration = Duration::from_secs(5);
/// Requests at one time on one HTTP/2 connection.
const STREAMS: u32 = 200;
/// How often a peer on HTTP/2 must show that it is still there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

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
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    let served = connection(stream, router.clone(), stop.clone());
                    of_connections.track(Phase::Door, async move {
                        served.await;
                        drop(place);
                    });
                }
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

async fn connection<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(SIGN_OF_LIFE)
        .max_concurrent_streams(STREAMS);
    let usage = Arc::new(Usage::default());
    let service = TowerToHyperService::new(counted(router, usage.clone()));
    let served = builder.serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let mut patience = FIRST_WITHIN;
    let mut is_ending = false;
    let ended = loop {
        tokio::select! {
            ended = served.as_mut() => break ended,
            () = stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                break served.await;
            }
            () = tokio::time::sleep(patience) => match (usage.was_used(), is_ending) {
                (true, false) => patience = IDLE_WITHIN,
                // It came before the peer could know, and is answered to its end.
                (true, true) => {}
                (false, false) => {
                    served.as_mut().graceful_shutdown();
                    (is_ending, patience) = (true, LAST_WITHIN);
                }
                (false, true) => break Ok(()),
            },
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended badly");
    }
}

/// The requests of one connection.
#[derive(Default)]
struct Usage {
    begun: AtomicBool,
    open: AtomicUsize,
}

impl Usage {
    /// Whether a request is under way, or has been since the last time that this was asked.
    fn was_used(&self) -> bool {
        self.begun.swap(false, Ordering::Relaxed) || self.open.load(Ordering::Relaxed) > 0
    }
}

/// A request that is under way until its answer's last byte.
struct UnderWay(Arc<Usage>);

impl UnderWay {
    fn begin(usage: &Arc<Usage>) -> Self {
        usage.begun.store(true, Ordering::Relaxed);
        usage.open.fetch_add(1, Ordering::Relaxed);
        Self(usage.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn counted<B>(
    router: Router,
    usage: Arc<Usage>,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    tower::service_fn(move |request: Request<B>| {
        let under_way = UnderWay::begin(&usage);
        let answer = router.clone().oneshot(request);
        async move {
            let keep = move |frame| {
                let _ = &under_way;
                frame
            };
            Ok(answer.await?.map(|body| Body::new(body.map_frame(keep))))
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use futures::StreamExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_never_ends_a_request_is_closed_within_a_minute() {
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for said in ["", "PRI * HT", preface, "GET / HT", "GET / HTTP/1.1\r\n"] {
            let (mut stranger, stream) = tokio::io::duplex(1024);
            stranger.write_all(said.as_bytes()).await.unwrap();
            let begun = Instant::now();
            connection(stream, Router::new(), CancellationToken::new()).await;
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(70), "{said:?} took {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_goes_on_keeps_its_connection() {
        let each_hour = || async {
            let hours = futures::stream::iter(0..5).then(|hour| async move {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Ok::<_, Infallible>(format!("hour {hour};"))
            });
            Body::from_stream(hours)
        };
        let router = Router::new().route("/", get(each_hour));
        let (mut program, stream) = tokio::io::duplex(1024);
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        program.write_all(request).await.unwrap();
        let served = connection(stream, router, CancellationToken::new());
        let mut answer = String::new();
        let read = program.read_to_string(&mut answer);
        let ((), read) = tokio::join!(served, read);
        read.unwrap();
        assert!(answer.contains("hour 4;"), "{answer}");
    }
}
