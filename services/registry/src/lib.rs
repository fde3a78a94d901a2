//! Who is who, and who is connected where.
//!
//! Owns products, devices, their secrets (sealed with the master key), and sessions: which gateway node holds
//! which device. Asked by people through the api (`hoshu.registry.v1`) and by services
//! (`hoshu.registry.internal.v1`). A change of a product or device is told on EVENT, a device that comes or goes
//! on PRESENCE and as an ACTIVITY line on LOG; all of it is written with the change and cannot be lost.
//! Consumes no stream. Secrets never leave it, except to who made or reset them.

mod config;
mod domain;
mod grpc;
mod sessions;
mod store;
mod work;

use std::sync::Arc;

use bus::Bus;
use chassis::{Chassis, Phase, Refusal, Vault};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::watch;

pub use config::Config;

/// The migrations of schema `registry`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Sets the registry up and returns when its doors are open.
///
/// # Errors
/// When no master key is set, or the database or NATS refuses us.
pub async fn start(config: Config, chassis: Chassis) -> anyhow::Result<()> {
    let vault = chassis.vault()?.clone();
    let pool = chassis.database(&MIGRATOR).await?;
    let bus = Bus::connect(&chassis).await?;
    bus.outbox(pool.clone());
    let registry = Arc::new(Registry {
        claims: sessions::Claims::new(&config, &chassis.meter()),
        written: watch::Sender::new(()),
        chassis: chassis.clone(),
        config,
        pool,
        vault,
    });

    for group in 0..registry.config.claim_groups_at_once.max(1) {
        let registry = registry.clone();
        // Peers are answered until the last phase, and so are their claims.
        chassis.spawn(Phase::Flush, &format!("claims.{group}"), move |stop| {
            sessions::settle(registry.clone(), stop)
        });
    }
    let reaped = registry.clone();
    chassis.spawn(Phase::Inbox, "reaper", move |stop| {
        work::reaper::run(reaped.clone(), stop)
    });
    let (closing, asked) = (registry.clone(), bus.clone());
    chassis.spawn(Phase::Inbox, "closer", move |stop| {
        work::closer::run(closing.clone(), asked.clone(), stop)
    });
    // Ends before the publishers that it hands its rows to.
    let teller = Arc::new(work::teller::Teller::new(registry.clone(), bus));
    chassis.spawn(Phase::Inbox, "teller", move |stop| {
        work::teller::run(teller.clone(), stop)
    });

    chassis.serve(grpc::routes(registry)).await
}

/// What the doors and the loops share.
pub(crate) struct Registry {
    chassis: Chassis,
    config: Config,
    pool: PgPool,
    vault: Vault,
    claims: sessions::Claims,
    /// Something was written that is to be told.
    written: watch::Sender<()>,
}

impl Registry {
    fn now(&self) -> DateTime<Utc> {
        self.chassis.clock().now()
    }

    fn seal(&self, secret: &str) -> Result<Vec<u8>, Refusal> {
        self.vault
            .seal(secret.as_bytes())
            .map_err(Refusal::internal)
    }
}
