//! The connection to NATS.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream;
use async_nats::{Client, ClientError, ConnectOptions, Event, HeaderMap, ServerAddr};
use chassis::{Chassis, Damper, Phase, trace};
use proto::hoshu::bus::v1::DeviceRef;
use tokio::sync::watch;

use crate::absence::Absence;
use crate::{Partition, streams};

const NOT_AN_ADDRESS: &str = "HOSHU_NATS_URL is not an address as nats://host:4222";
/// Pause between two lines of the log about the same trouble: what is tried again fails ten times a second.
pub(crate) const TOLD_AGAIN: Duration = Duration::from_secs(10);

/// One role's connection to NATS. Cheap to clone.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    chassis: Chassis,
    client: Client,
    jetstream: jetstream::Context,
    /// Counts connections: an acknowledgement that was awaited on an earlier one never comes.
    connected: watch::Receiver<u64>,
}

/// What of a connection's events the log has been told.
#[derive(Default)]
struct Told {
    absence: Absence,
    others: Damper,
}

impl Told {
    fn tell(&mut self, event: &Event, now_ms: i64) {
        match event {
            Event::Disconnected => self.absence.begin(now_ms),
            Event::ClientError(ClientError::Other(cause)) => {
                if let Some(seconds) = self.absence.goes_on(now_ms) {
                    tracing::warn!(cause, seconds, "NATS is away");
                }
            }
            Event::Connected => {
                if let Some(seconds) = self.absence.end(now_ms) {
                    tracing::warn!(seconds, "NATS is back");
                }
            }
            other => {
                if let Some(times) = self.others.admit(now_ms) {
                    tracing::warn!(event = %other, times, "NATS");
                }
            }
        }
    }
}

impl Bus {
    /// Connects and declares the whole table of streams and consumers. NATS that is away is waited for.
    ///
    /// # Errors
    /// When `HOSHU_NATS_URL` is missing or no address.
    pub async fn connect(chassis: &Chassis) -> anyhow::Result<Self> {
        let url = chassis.settings().nats_url.expose();
        anyhow::ensure!(!url.is_empty(), "HOSHU_NATS_URL is not set");
        let (count, connected) = watch::channel(0);
        let shown = chassis.clone();
        let told = Mutex::<Told>::default();
        let (options, address) = options(url)?;
        let client = options
            .name(chassis.node())
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis(if attempt <= 1 { 0 } else { 100 })
            })
            .ping_interval(Duration::from_secs(2))
            .request_timeout(Some(Duration::from_secs(5)))
            .event_callback(move |event| {
                match &event {
                    Event::Connected => {
                        count.send_modify(|count| *count += 1);
                        shown.ready("nats", Ok(()));
                    }
                    // At a stop connections end: nothing is wrong.
                    _ if shown.stopping(Phase::Flush).is_cancelled() => {
                        return std::future::ready(());
                    }
                    Event::Disconnected => shown.ready("nats", Err("NATS is away".into())),
                    _ => {}
                }
                let mut told = told.lock().expect("not poisoned");
                told.tell(&event, shown.clock().now_ms());
                std::future::ready(())
            })
            .connect(address)
            .await
            .context(NOT_AN_ADDRESS)?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(Duration::from_secs(5));
        let bus = Self(Arc::new(Inner {
            chassis: chassis.clone(),
            client,
            jetstream,
            connected,
        }));
        let failures = Damper::default();
        while let Err(error) = streams::declare(bus.jetstream(), chassis.settings()).await {
            if let Some(times) = failures.admit(chassis.clock().now_ms()) {
                tracing::warn!(
                    error = format!("{error:#}"),
                    times,
                    "the streams could not be declared; trying again"
                );
            }
            chassis.ready("nats", Err(format!("{error:#}")));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        chassis.ready("nats", Ok(()));
        bus.watch_streams();
        Ok(bus)
    }

    pub fn partition(&self, device: &DeviceRef) -> Partition {
        Partition::of_device(device, self.0.chassis.settings().partitions)
    }

    /// Messages on the streams that their consumers have still to acknowledge.
    ///
    /// # Errors
    /// When NATS is away.
    pub async fn pending(&self) -> anyhow::Result<u64> {
        streams::pending(self.jetstream(), &self.0.chassis.settings().nats_prefix).await
    }

    pub(crate) fn chassis(&self) -> &Chassis {
        &self.0.chassis
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.0.jetstream
    }

    pub(crate) fn connected(&self) -> watch::Receiver<u64> {
        self.0.connected.clone()
    }

    /// The subject as NATS sees it.
    pub(crate) fn subject(&self, subject: impl std::fmt::Display) -> String {
        format!("{}.{subject}", self.0.chassis.settings().nats_prefix)
    }
}

/// User and password apart from the address: the client takes none from a URL, but logs all of it.
fn options(url: &str) -> anyhow::Result<(ConnectOptions, ServerAddr)> {
    let address: ServerAddr = url.parse().context(NOT_AN_ADDRESS)?;
    let options = match (address.username(), address.password()) {
        (Some(user), Some(password)) => {
            ConnectOptions::with_user_and_password(user.into(), password.into())
        }
        _ => ConnectOptions::new(),
    };
    let mut bare = address.into_inner();
    let is_bare = bare.set_username("").is_ok() && bare.set_password(None).is_ok();
    anyhow::ensure!(is_bare, NOT_AN_ADDRESS);
    Ok((options, ServerAddr::from_url(bare).context(NOT_AN_ADDRESS)?))
}

/// In the headers of a batch that somebody waits for.
pub(crate) const AWAITED: &str = "Hoshu-Awaited";

/// Headers with the current trace, and the message's id if it is to be known again.
pub(crate) fn headers(id: Option<&str>, traceparent: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(id) = id {
        headers.insert(async_nats::header::NATS_MESSAGE_ID, id);
    }
    if let Some(parent) = traceparent {
        headers.insert(trace::HEADER, parent);
    }
    headers
}
