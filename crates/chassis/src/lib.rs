//! What every service stands on: configuration, telemetry, health, clock, tasks,
//! PostgreSQL, secrets, calls between services, refusals and shutdown.
//!
//! A process has one [`Process`]; each role in it has a [`Chassis`]. No role reads
//! process globals, so that all roles can live in one process (`hoshu up`).

mod caller;
mod chassis;
mod clock;
mod damper;
mod database;
mod metrics;
mod noun;
mod ops;
pub mod page;
mod peer;
mod process;
mod refusal;
mod secret;
mod settings;
mod tasks;
pub mod telemetry;
pub mod trace;
mod vault;

pub use caller::Caller;
pub use chassis::Chassis;
pub use clock::Clock;
pub use damper::Damper;
pub use database::database_is_away;
pub use noun::Noun;
pub use peer::Peer;
pub use process::Process;
pub use refusal::{Fault, Refusal};
pub use secret::Secret;
pub use settings::{Settings, role_settings};
pub use tasks::Phase;
pub use vault::Vault;
