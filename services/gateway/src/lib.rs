//! The devices' door.
//!
//! It owns connections, subscriptions, rates, and what is kept for devices that are away (schema
//! `gateway`). Devices speak MQTT 3.1, 3.1.1 and 5 to it, over TCP and TLS; who may come in is the
//! registry's to say (`ClaimSession`). What devices publish goes to the streams `UP` and `LOG`, and a
//! PUBACK leaves only when the stream has the message. It is told by `gateway.<node>.down` and
//! `gateway.down` what devices shall get, and answers what became of each message.
//!
//! It never reads a message's payload, but for the time of day.

use std::{net::SocketAddr, sync::Arc};

use chassis::Chassis;

mod accounts;
mod answers;
mod config;
mod directory;
mod domain;
mod doors;
mod down;
mod facts;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod metrics;
mod mqtt;
mod session;
mod store;
mod wills;
mod work;

pub use config::Config;

pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Where the doors of one gateway are; its settings may have asked for any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors {
    pub mqtt: SocketAddr,
    pub mqtts: SocketAddr,
}

/// Starts the role; returns when its doors are open.
///
/// # Errors
/// When something is not set, a port is taken, or a store refuses us.
pub async fn start(config: Config, chassis: Chassis) -> anyhow::Result<()> {
    open(config, chassis).await.map(drop)
}

/// Starts the role and tells where its doors are.
///
/// # Errors
/// As [`start`].
pub async fn open(config: Config, chassis: Chassis) -> anyhow::Result<Doors> {
    config.check()?;
    // Before anything is waited for: a lone gateway without a certificate says so at once.
    let tls = Arc::new(doors::certificates::server_config(chassis.settings())?);
    let pool = chassis.database(&MIGRATOR).await?;
    let bus = bus::Bus::connect(&chassis).await?;
    let gateway = gateway::Gateway::new(config, chassis, bus, pool)?;
    gateway.store.start(&gateway.chassis);
    work::release::start(&gateway);
    work::lease::start(&gateway);
    work::tick::start(&gateway);
    work::turned_away::start(&gateway);
    work::unclear::start(&gateway);
    work::expire::start(&gateway);
    work::drain::start(&gateway);
    down::serve(&gateway).await?;
    Ok(Doors {
        mqtt: doors::tcp::open(&gateway)?,
        mqtts: doors::tls::open(&gateway, tls)?,
    })
}
