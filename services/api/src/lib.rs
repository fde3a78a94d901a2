//! The people's and programs' door: REST and gRPC over every service of the house.
//!
//! Has no handler per operation: `contract` reads the RPCs and their REST routes from the .proto
//! files, `rest` and `grpc` serve them, `forward` carries them to the service that owns them.
//! Of its own it has accounts, users, tokens and the audit trail (`hoshu.account.v1`, schema
//! `api`). Told by every `event.>`, for the audit trail; tells `event.api`.
//! Knows no rule of the other services, and trusts none of their inner texts to be shown.

mod account;
mod auth;
mod config;
mod contract;
mod docs;
mod domain;
mod first;
mod forward;
mod grpc;
mod inbox;
mod metrics;
mod openapi;
mod problem;
mod rest;
mod serve;
mod store;
mod tell;
mod transcode;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use chassis::Chassis;
use sqlx::migrate::Migrator;

pub use config::Config;
pub use first::{create_account, ensure_default_account};

/// The tables of schema `api`.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Returns when the doors are open.
///
/// # Errors
/// When a setting is missing, or an address is taken.
pub async fn start(config: Config, chassis: Chassis) -> anyhow::Result<()> {
    open(config, chassis).await.map(drop)
}

/// Where the doors are, when the ports were left to the system.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    pub rest: SocketAddr,
    pub grpc: SocketAddr,
}

/// As [`start`], and says where.
///
/// # Errors
/// As [`start`].
pub async fn open(config: Config, chassis: Chassis) -> anyhow::Result<Doors> {
    let contract =
        contract::Contract::read(proto::DESCRIPTORS).context("the contract cannot be served")?;
    let pool = chassis.database(&MIGRATOR).await?;
    let bus = bus::Bus::connect(&chassis).await?;
    bus.outbox(pool.clone());
    inbox::start(&bus, pool.clone());
    let auth = Arc::new(auth::Auth::new(pool.clone(), chassis.clock().clone()));
    chassis
        .serve(account::routes(pool, auth.clone(), chassis.clock().clone()))
        .await?;
    let peers = forward::Peers::of(&contract, &chassis, &config)?;
    let grpc = grpc::open(&chassis, &contract, &auth, &peers, &config).await?;
    let rest = rest::open(&chassis, &contract, &auth, &peers, &config).await?;
    Ok(Doors { rest, grpc })
}
