//! Keeps what happened: the log lines of every message and every connection.
//!
//! Owns the lines (schema `devicelog`), in daily partitions that go after `keep_days`.
//! Told by `log.*`: every service writes its own lines; one is kept once, by the message's
//! id, its emitter's part and its place therein, however often it is told. A line of no
//! message carries an id that its emitter made. Asked by gRPC (`hoshu.devicelog.v1`). Asks
//! the registry whose a product is. Tells nobody anything, and never changes a line.

mod config;
mod domain;
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod inbox;
mod metrics;
mod products;
mod store;
mod work;

use anyhow::Context;
use bus::Bus;
use chassis::{Chassis, Noun, Phase};
use proto::hoshu::devicelog::v1::device_log_service_server::DeviceLogServiceServer;
use sqlx::migrate::Migrator;
use tonic::service::Routes;

pub use config::Config;

pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Starts the role; returns when its doors are open.
///
/// # Errors
/// When its schema cannot be brought up to date, or its configuration is not possible.
pub async fn start(config: Config, chassis: Chassis) -> anyhow::Result<()> {
    config.check()?;
    let pool = chassis.database(&MIGRATOR).await?;
    // Before anything comes in: each line finds its day.
    let keeping = work::Keeping::new(pool.clone(), config.keep_days);
    keeping
        .turn(chassis.clock().now())
        .await
        .context("cannot make the days' partitions")?;
    chassis.spawn(Phase::Flush, "days", keeping.make(chassis.clock().clone()));

    let products = products::Products::new(chassis.peer(Noun::Registry)?);
    let door = grpc::Door::new(pool.clone(), products);
    chassis
        .serve(Routes::new(DeviceLogServiceServer::new(door)))
        .await?;

    let bus = Bus::connect(&chassis).await?;
    inbox::listen(&bus, &chassis, pool);
    Ok(())
}
