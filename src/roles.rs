//! The one table from a role's name to what runs it.

use std::path::PathBuf;

use chassis::{Chassis, Noun, role_settings};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

pub(crate) struct Role {
    pub(crate) noun: Noun,
    pub(crate) about: &'static str,
    /// Reads the role's configuration and starts it; ready when its doors are open.
    pub(crate) start: fn(&[PathBuf], Chassis) -> LocalBoxFuture<'static, anyhow::Result<()>>,
    /// The effective configuration.
    pub(crate) config: fn(&[PathBuf]) -> anyhow::Result<toml::Value>,
}

macro_rules! role {
    ($noun:ident, $room:ident, $about:literal) => {
        Role {
            noun: Noun::$noun,
            about: $about,
            start: |files, chassis| match role_settings::<$room::Config>(Noun::$noun, files) {
                Ok(config) => $room::start(config, chassis).boxed_local(),
                Err(error) => futures::future::err(error).boxed_local(),
            },
            config: |files| {
                Ok(toml::Value::try_from(role_settings::<$room::Config>(
                    Noun::$noun,
                    files,
                )?)?)
            },
        }
    };
}

pub(crate) const ROLES: &[Role] = &[
    role!(
        Registry,
        registry,
        "Who is who: products, devices, sessions"
    ),
    role!(
        DeviceLog,
        device_log,
        "What happened: log lines, found again"
    ),
    role!(
        Thing,
        tsl_validation,
        "What a device may say: thing models, values, commands"
    ),
    role!(Gateway, gateway, "The devices' door: MQTT"),
    role!(Api, api, "The people's door: REST and gRPC"),
];
