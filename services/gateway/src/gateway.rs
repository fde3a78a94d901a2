//! What all sessions of this process share.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bus::{Bus, Publisher};
use chassis::{Chassis, Clock, Damper, Noun, Peer};
use proto::hoshu::{
    bus::v1::{LogBatch, UpBatch},
    registry::internal::v1::session_service_client::SessionServiceClient,
};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{
    Config,
    accounts::Accounts,
    directory::Directory,
    domain::attempts::Attempts,
    doors::opening::Opening,
    metrics::Metrics,
    store::Store,
    wills::Wills,
    work::{release::Releases, turned_away::TurnedAway, unclear::Unclear},
};

const DAY_SECONDS: u32 = 86_400;

pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) chassis: Chassis,
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) up: Publisher<UpBatch>,
    pub(crate) log: Publisher<LogBatch>,
    pub(crate) store: Store,
    pub(crate) sessions: Directory,
    pub(crate) accounts: Accounts,
    pub(crate) releases: Releases,
    pub(crate) turned_away: TurnedAway,
    pub(crate) unclear: Unclear,
    pub(crate) wills: Wills,
    pub(crate) metrics: Metrics,
    /// Connections between accepting and CONNACK.
    pub(crate) opening: Arc<Opening>,
    registry: SessionServiceClient<Peer>,
    attempts: Mutex<Attempts>,
    /// Of addresses without attempts.
    held_off: Damper,
    /// Of claims that the registry did not answer: one for each device that comes back.
    pub(crate) unasked: Damper,
}

impl Gateway {
    /// # Errors
    /// When a lone gateway was not told where the registry is.
    pub(crate) fn new(
        config: Config,
        chassis: Chassis,
        bus: Bus,
        pool: PgPool,
    ) -> anyhow::Result<Arc<Self>> {
        let registry = SessionServiceClient::new(chassis.peer(Noun::Registry)?);
        Ok(Arc::new(Self {
            clock: chassis.clock().clone(),
            up: bus.publisher(),
            log: bus.publisher(),
            store: Store::new(pool, config.offline_messages),
            sessions: Directory::default(),
            accounts: Accounts::default(),
            releases: Releases::default(),
            turned_away: TurnedAway::default(),
            unclear: Unclear::default(),
            wills: Wills::default(),
            metrics: Metrics::new(&chassis.meter()),
            opening: Arc::new(Opening::new(
                config.opening_connections,
                config.opening_free_for_one,
            )),
            attempts: Mutex::new(Attempts::new(
                config.failure_addresses,
                config.failures_per_minute,
            )),
            held_off: Damper::default(),
            unasked: Damper::default(),
            registry,
            config,
            chassis,
            bus,
        }))
    }

    /// When a connection that is accepted now must have sent its CONNECT.
    pub(crate) fn connect_until(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.config.connect_seconds.into())
    }

    pub(crate) fn registry(&self) -> SessionServiceClient<Peer> {
        self.registry.clone()
    }

    pub(crate) fn may_attempt(&self, address: IpAddr) -> bool {
        let now = self.clock.now_ms();
        let attempts = self.attempts.lock().expect("not poisoned");
        let may = attempts.may_try(address.into(), now);
        drop(attempts);
        if !may && let Some(times) = self.held_off.admit(now) {
            tracing::warn!(
                %address,
                times,
                "connections refused unread: their address failed too often in this minute"
            );
        }
        may
    }

    pub(crate) fn attempt_failed(&self, address: IpAddr) {
        self.attempts
            .lock()
            .expect("not poisoned")
            .failed(address.into(), self.clock.now_ms());
    }

    pub(crate) fn longest_session_seconds(&self) -> u32 {
        u32::from(self.config.offline_days) * DAY_SECONDS
    }

    /// Milliseconds that a session outlives its connection.
    pub(crate) fn session_ms(&self, expiry_seconds: u32) -> i64 {
        i64::from(expiry_seconds.min(self.longest_session_seconds())) * 1000
    }

    /// Milliseconds that a message is kept; 0 asks for as long as may be.
    pub(crate) fn keep_ms(&self, asked: u64) -> i64 {
        let longest = i64::from(self.longest_session_seconds()) * 1000;
        match i64::try_from(asked) {
            Ok(0) | Err(_) => longest,
            Ok(asked) => asked.min(longest),
        }
    }
}
