//! What one role stands on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::middleware::{self, Next};
use opentelemetry::metrics::Meter;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Code, Status, transport::Server};
use tracing::Instrument;
use uuid::Uuid;

use crate::metrics::{self, Calls};
use crate::peer::TOKEN_HEADER;
use crate::{
    Clock, Noun, Peer, Phase, Process, Secret, Settings, Vault, database, database_is_away, trace,
};

/// How often the database is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// One role's share of its process. Cheap to clone.
#[derive(Clone)]
pub struct Chassis(Arc<Inner>);

struct Inner {
    process: Process,
    noun: Noun,
    node: String,
    database_url: Secret,
}

impl Chassis {
    pub(crate) fn new(process: Process, noun: Noun, database_url: Secret) -> Self {
        let unique = Uuid::new_v4().simple().to_string();
        let node = format!("{}-{}", noun.word(), &unique[..12]);
        Self(Arc::new(Inner {
            process,
            noun,
            node,
            database_url,
        }))
    }

    pub fn noun(&self) -> Noun {
        self.0.noun
    }

    /// The role's name on the command line.
    pub fn role(&self) -> &'static str {
        self.0.noun.role()
    }

    /// Names this role in this process, unlike every other: `gateway-7f3a91c2d4e8`.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    pub fn clock(&self) -> &Clock {
        self.0.process.clock()
    }

    pub fn settings(&self) -> &Settings {
        self.0.process.settings()
    }

    /// # Errors
    /// When no master key is set.
    pub fn vault(&self) -> anyhow::Result<&Vault> {
        self.0.process.vault()
    }

    pub fn meter(&self) -> Meter {
        opentelemetry::global::meter(self.0.noun.word())
    }

    /// Runs `make(stop)` until it ends well; after an error or a panic it is made again, with
    /// growing pauses. Listed in `/readyz` as `<noun>.<name>`.
    pub fn spawn<F, Fut>(&self, phase: Phase, name: &str, make: F)
    where
        F: Fn(CancellationToken) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send,
    {
        let name = format!("{}.{name}", self.0.noun.word());
        self.0.process.tasks().spawn(phase, name, make);
    }

    /// Connections and requests: waited for at a stop, never restarted or listed.
    pub fn track(&self, phase: Phase, future: impl Future<Output = ()> + Send + 'static) {
        self.0.process.tasks().track(phase, future);
    }

    /// Cancelled when that phase is told to stop.
    pub fn stopping(&self, phase: Phase) -> CancellationToken {
        self.0.process.tasks().stopping(phase)
    }

    /// Shows in `/readyz` how something is that is no task, as `<noun>.<what>`.
    pub fn ready(&self, what: &str, state: Result<(), String>) {
        let name = format!("{}.{what}", self.0.noun.word());
        self.0.process.tasks().report(&name, state);
    }

    /// The role's pool, on its own schema, brought up to this release.
    ///
    /// # Errors
    /// When the URL is missing or wrong, or a migration fails. A database that is away is waited for.
    pub async fn database(&self, migrator: &'static Migrator) -> anyhow::Result<PgPool> {
        let url = &self.0.database_url;
        anyhow::ensure!(!url.is_empty(), "HOSHU_DATABASE_URL is not set");
        let pool = database::open(url, self.0.noun, self.settings().database_connections)?;
        loop {
            match pool.acquire().await {
                Ok(_) => break,
                Err(error) if database_is_away(&error) => self.await_database(&error).await,
                Err(error) => {
                    return Err(error)
                        .context("the database refuses us: is HOSHU_DATABASE_URL right?");
                }
            }
        }
        self.ready("database", Ok(()));
        database::migrate(&pool, migrator).await?;
        self.0.process.keep(pool.clone());
        metrics::show_pool(&self.meter(), &pool);
        self.watch_database(pool.clone());
        Ok(pool)
    }

    /// So that `/readyz` says how the database is, whether or not this role asks it anything.
    fn watch_database(&self, pool: PgPool) {
        let chassis = self.clone();
        let stop = self.stopping(Phase::Flush);
        let answers = metrics::database_answers(&self.meter());
        self.track(Phase::Flush, async move {
            while stop
                .run_until_cancelled(tokio::time::sleep(LOOK))
                .await
                .is_some()
            {
                let began = Instant::now();
                let asked = sqlx::query("SELECT 1").execute(&pool);
                tokio::pin!(asked);
                // Awaited to its end: a query that is given up keeps its connection until it is answered.
                let answer = loop {
                    tokio::select! {
                        answer = &mut asked => break answer,
                        () = tokio::time::sleep(LOOK) => {
                            chassis.ready("database", Err("it does not answer".into()));
                        }
                        () = stop.cancelled() => return,
                    }
                };
                answers.record(began.elapsed().as_secs_f64(), &[]);
                chassis.ready(
                    "database",
                    answer.map(|_| ()).map_err(|error| error.to_string()),
                );
            }
        });
    }

    async fn await_database(&self, error: &sqlx::Error) {
        tracing::warn!(%error, "the database is away; trying again");
        self.ready("database", Err(error.to_string()));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    /// Another role. Usable at once: a call waits until that role is there, within its deadline.
    ///
    /// # Errors
    /// When a lone role was not told where it is.
    pub fn peer(&self, noun: Noun) -> anyhow::Result<Peer> {
        self.0.process.peer(noun)
    }

    /// Shows this role's services to its peers: directly inside one process, on `HOSHU_GRPC_ADDR` when alone.
    /// The api shows its own to itself only this way, since 9090 is the programs' door.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn serve(&self, routes: Routes) -> anyhow::Result<()> {
        let token: Arc<str> = self.settings().internal_token.expose().into();
        anyhow::ensure!(
            !token.is_empty(),
            "HOSHU_INTERNAL_TOKEN is not set: services show it to each other"
        );
        let counted = Calls::new(&self.meter());
        let guarded = routes
            .into_axum_router()
            .layer(middleware::from_fn_with_state(counted, count))
            .layer(middleware::from_fn_with_state(token, guard));
        let routes = Routes::from(guarded).prepare();
        if let Some(door) = self.0.process.door(self.0.noun) {
            door.send_replace(Some(routes.clone()));
        }
        if self.0.process.is_shared() || self.0.noun == Noun::Api {
            return Ok(());
        }
        let address = &self.settings().grpc_addr;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("HOSHU_GRPC_ADDR: cannot listen on {address}"))?;
        // Peers are still answered while this role's inboxes finish.
        let stop = self.stopping(Phase::Flush);
        self.track(Phase::Flush, async move {
            let server = Server::builder()
                .tcp_nodelay(true)
                .http2_keepalive_interval(Some(Duration::from_secs(10)))
                .add_routes(routes)
                .serve_with_incoming_shutdown(
                    TcpListenerStream::new(listener),
                    stop.cancelled_owned(),
                );
            if let Err(error) = server.await {
                tracing::error!(%error, "the peers' door failed");
            }
        });
        Ok(())
    }
}

/// Lets only our own services in, and continues their trace.
async fn guard(
    State(token): State<Arc<str>>,
    request: axum::extract::Request,
    next: Next,
) -> axum::response::Response {
    let shown = request
        .headers()
        .get(TOKEN_HEADER)
        .map(|value| value.as_bytes());
    if !shown.is_some_and(|shown| same(shown, token.as_bytes())) {
        return Status::unauthenticated("HOSHU_INTERNAL_TOKEN of the two services differs")
            .into_http();
    }
    let span = tracing::info_span!("rpc", rpc.method = request.uri().path());
    if let Some(parent) = request
        .headers()
        .get(trace::HEADER)
        .and_then(|value| value.to_str().ok())
    {
        trace::adopt(&span, parent);
    }
    next.run(request).instrument(span).await
}

/// Only what was let in: a stranger must not make metrics.
async fn count(
    State(calls): State<Calls>,
    request: axum::extract::Request,
    next: Next,
) -> axum::response::Response {
    let method = request.uri().path().trim_start_matches('/').to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    // An answer that goes well has its status behind its messages.
    let status = Status::from_header_map(response.headers());
    let code = status.map_or(Code::Ok, |status| status.code());
    calls.count(method, code, began.elapsed());
    response
}

/// Compares without telling by its time how much was right.
fn same(shown: &[u8], token: &[u8]) -> bool {
    shown.len() == token.len()
        && shown
            .iter()
            .zip(token)
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}
