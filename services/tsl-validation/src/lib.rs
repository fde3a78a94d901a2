//! What a device may say and be told: thing models, latest values, events, commands.
//!
//! Owns schema `thing`: drafts and versions of thing models, the latest value of every
//! property, events, and the sets and calls that were sent. Hears `up.thing`, asks the
//! registry who owns and holds a device, answers devices by `down`, tells `event.thing`
//! and the UPSTREAM, TSL and DOWNSTREAM lines of all it handles. Asked by gRPC
//! (`hoshu.thing.v1`). A message is judged once, by the version its TSL line names; what
//! it changes is the same however often and in whatever order it comes. Never keeps a
//! connection to a device, and never changes a latest value but by a report.

mod commands;
mod config;
mod domain;
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod inbox;
mod lines;
mod models;
mod registry;
mod store;
mod work;

use std::sync::Arc;

use bus::Bus;
use chassis::{Chassis, Noun};
use proto::hoshu::bus::v1::{Answered, Event, LogBatch};
use proto::hoshu::thing::v1::thing_service_server::ThingServiceServer;
use tonic::service::Routes;

pub use config::Config;

pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// What every door and loop of this role works with.
#[derive(Clone)]
struct Thing {
    chassis: Chassis,
    pool: sqlx::PgPool,
    bus: Bus,
    log: bus::Publisher<LogBatch>,
    models: models::Models,
    registry: registry::Registry,
    waiters: Arc<commands::Waiters>,
    unlogged: Arc<commands::Unlogged>,
    config: Arc<Config>,
    /// Messages by their code.
    judged: opentelemetry::metrics::Counter<u64>,
}

/// Sets the role up; returns when its doors are open.
pub async fn start(config: Config, chassis: Chassis) -> anyhow::Result<()> {
    let thing = Thing::new(config, chassis).await?;
    thing.bus.outbox(thing.pool.clone());
    work::spawn(&thing);
    inbox::up::consume(&thing);
    let door = ThingServiceServer::new(grpc::Door(thing.clone()))
        .max_decoding_message_size(grpc::REQUEST_BYTES);
    thing.chassis.serve(Routes::new(door)).await
}

impl Thing {
    /// With its stores and what it hears of others, and no door open yet.
    async fn new(config: Config, chassis: Chassis) -> anyhow::Result<Self> {
        let pool = chassis.database(&MIGRATOR).await?;
        let bus = Bus::connect(&chassis).await?;
        let thing = Self {
            log: bus.publisher(),
            models: models::Models::new(pool.clone(), config.model_cache_bytes),
            registry: registry::Registry::new(chassis.peer(Noun::Registry)?),
            waiters: Arc::default(),
            unlogged: Arc::default(),
            config: Arc::new(config),
            judged: chassis
                .meter()
                .u64_counter("thing.messages")
                .with_description("thing-model messages judged, by their code")
                .build(),
            chassis,
            bus,
            pool,
        };
        let waiters = thing.waiters.clone();
        let answered = move |answer: Answered| waiters.tell(answer);
        thing.bus.listen_answered(answered).await?;
        let models = thing.models.clone();
        let heard = move |event: Event| models.heard(&event);
        thing.bus.listen_events(Noun::Thing, heard).await?;
        Ok(thing)
    }
}

#[cfg(test)]
mod tests;
