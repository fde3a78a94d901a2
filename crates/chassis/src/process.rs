//! One process: what its roles share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tonic::service::Routes;

use crate::tasks::Tasks;
use crate::{Chassis, Clock, Noun, Peer, Secret, Settings, Vault, metrics, ops};

/// What the roles of one process share: settings, time, tasks, and the doors they show each other.
#[derive(Clone)]
pub struct Process(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Clock,
    tasks: Tasks,
    /// The roles that live in this process; the others are elsewhere.
    doors: HashMap<Noun, watch::Sender<Option<Routes>>>,
    vault: Option<Vault>,
    pools: Mutex<Vec<sqlx::PgPool>>,
}

impl Process {
    /// `roles` are those that will start here.
    ///
    /// # Errors
    /// When the master key is set and is not one.
    pub fn new(settings: Settings, clock: Clock, roles: &[Noun]) -> anyhow::Result<Self> {
        let vault = match settings.master_key.is_empty() {
            true => None,
            false => Some(Vault::new(&settings.master_key)?),
        };
        Ok(Self(Arc::new(Inner {
            settings,
            clock,
            tasks: Tasks::default(),
            doors: roles
                .iter()
                .map(|noun| (*noun, watch::Sender::new(None)))
                .collect(),
            vault,
            pools: Mutex::default(),
        })))
    }

    /// What one role stands on. `database_url` is the role's own login.
    pub fn chassis(&self, noun: Noun, database_url: Secret) -> Chassis {
        Chassis::new(self.clone(), noun, database_url)
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Opens the operators' door.
    ///
    /// # Errors
    /// When `HOSHU_OPS_ADDR` is taken.
    pub async fn serve_ops(&self) -> anyhow::Result<()> {
        metrics::show_process(&self.0.tasks);
        ops::serve(self.0.tasks.clone(), &self.0.settings.ops_addr).await
    }

    /// Closes doors, finishes inboxes, flushes, closes pools; each has its share of `limit`.
    pub async fn stop(&self, limit: Duration) {
        self.0.tasks.stop(limit).await;
        let pools = std::mem::take(&mut *self.0.pools.lock().expect("not poisoned"));
        for pool in pools {
            if tokio::time::timeout(Duration::from_secs(1), pool.close())
                .await
                .is_err()
            {
                tracing::warn!("a database pool did not close in time");
            }
        }
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    pub(crate) fn vault(&self) -> anyhow::Result<&Vault> {
        let vault = self.0.vault.as_ref();
        vault.context(
            "HOSHU_MASTER_KEY is not set: without it secrets can be neither sealed nor opened",
        )
    }

    pub(crate) fn keep(&self, pool: sqlx::PgPool) {
        self.0.pools.lock().expect("not poisoned").push(pool);
    }

    pub(crate) fn door(&self, noun: Noun) -> Option<&watch::Sender<Option<Routes>>> {
        self.0.doors.get(&noun)
    }

    /// Whether `noun` starts here together with others, and so needs no port of its own.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.doors.len() > 1
    }

    pub(crate) fn peer(&self, noun: Noun) -> anyhow::Result<Peer> {
        let token = &self.0.settings.internal_token;
        if let Some(door) = self.door(noun) {
            return Ok(Peer::here(door.subscribe(), token));
        }
        let variable = format!("HOSHU_PEER_{}", noun.word().to_uppercase());
        let address = self.0.settings.peer(noun);
        let address = address.with_context(|| {
            format!(
                "{variable} is not set: where is the {} service?",
                noun.role()
            )
        })?;
        anyhow::ensure!(
            !token.is_empty(),
            "HOSHU_INTERNAL_TOKEN is not set: services show it to each other"
        );
        Peer::there(address, token)
            .with_context(|| format!("{variable} is not an address as http://host:port"))
    }
}
