//! A house of a test's own.

use std::future::Future;
use std::time::Duration;

use bus::Bus;
use chassis::{Chassis, Clock, Noun, Process, Secret, Settings};
use futures::StreamExt;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use uuid::Uuid;

use crate::{Link, database};

/// How long [`wait_until`] waits: far longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One process with all roles' doors, on a database and a NATS prefix of its own. Roles that are started on it
/// find each other; a test may serve a room's gRPC door itself.
pub struct House {
    process: Process,
    admin_url: String,
    database: String,
    database_link: Link,
    nats_link: Link,
}

impl House {
    /// With empty schemas: a role that starts makes its own tables.
    pub async fn new() -> Self {
        Self::migrated(&[]).await
    }

    /// With the tables of some roles, copied from a template: starting on it takes milliseconds.
    pub async fn migrated(roles: &[(Noun, &'static Migrator)]) -> Self {
        Self::with(roles, |_| {}).await
    }

    /// With settings of the test's own.
    pub async fn with(
        roles: &[(Noun, &'static Migrator)],
        set: impl FnOnce(&mut Settings),
    ) -> Self {
        let admin_url = variable("HOSHU_TEST_DATABASE_URL");
        let nats_url = variable("HOSHU_TEST_NATS_URL");
        let database = database::create(&admin_url, roles).await;
        let database_link = Link::to(&host_and_port(&admin_url)).await;
        let nats_link = Link::to(&host_and_port(&nats_url)).await;
        let mut settings = Settings {
            nats_url: Secret::new(format!("nats://{}", nats_link.address())),
            nats_prefix: format!("t{}", &Uuid::new_v4().simple().to_string()[..12]),
            stream_bytes: 16 << 20,
            partitions: 2,
            database_connections: 6,
            internal_token: Secret::new("house"),
            master_key: Secret::new("07".repeat(32)),
            mqtt_addr: "127.0.0.1:0".into(),
            mqtts_addr: "127.0.0.1:0".into(),
            api_addr: "127.0.0.1:0".into(),
            grpc_addr: "127.0.0.1:0".into(),
            ops_addr: "127.0.0.1:0".into(),
            ..Settings::default()
        };
        set(&mut settings);
        let process = Process::new(settings, Clock::default(), &Noun::ALL).expect("a process");
        Self {
            process,
            admin_url,
            database,
            database_link,
            nats_link,
        }
    }

    /// What a role starts on. Each call is another node of that role.
    pub fn chassis(&self, noun: Noun) -> Chassis {
        let direct = database::url(&self.admin_url, &self.database);
        let through_link = direct.replace(
            &host_and_port(&direct),
            &self.database_link.address().to_string(),
        );
        self.process.chassis(noun, Secret::new(through_link))
    }

    pub fn clock(&self) -> &Clock {
        self.process.clock()
    }

    /// A connection of the test's own.
    pub async fn bus(&self) -> Bus {
        Bus::connect(&self.chassis(Noun::OnlineDebug))
            .await
            .expect("NATS is there")
    }

    /// To look into the database, past the link.
    pub async fn pool(&self) -> PgPool {
        PgPool::connect(&database::url(&self.admin_url, &self.database))
            .await
            .expect("the test's database")
    }

    /// The roles' way to PostgreSQL.
    pub fn database_link(&self) -> &Link {
        &self.database_link
    }

    /// The roles' way to NATS.
    pub fn nats_link(&self) -> &Link {
        &self.nats_link
    }

    /// Waits until no stream has a message that a consumer has still to acknowledge.
    pub async fn settled(&self, bus: &Bus) {
        wait_until("the streams are read", || async {
            bus.pending().await.ok() == Some(0)
        })
        .await;
    }

    /// Stops the roles and removes the database and the streams.
    pub async fn stop(self) {
        self.process.stop(Duration::from_secs(15)).await;
        // Each stream reserves its room on the server.
        let prefix = self.process.settings().nats_prefix.to_uppercase();
        let client = async_nats::connect(variable("HOSHU_TEST_NATS_URL")).await;
        let jetstream = async_nats::jetstream::new(client.expect("NATS is there"));
        let mut names = jetstream.stream_names();
        while let Some(Ok(name)) = names.next().await {
            if name.starts_with(&format!("{prefix}_")) {
                // Another test may be removing its own: what is gone is gone.
                let _ = jetstream.delete_stream(&name).await;
            }
        }
        database::drop(&self.admin_url, &self.database).await;
    }
}

/// Waits for a state, never for a duration.
///
/// # Panics
/// When it does not come.
pub async fn wait_until<F, Fut>(what: &str, state: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = bool>,
{
    let waited = tokio::time::timeout(PATIENCE, async {
        while !state().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(
        waited.await.is_ok(),
        "waited {} s in vain until {what}",
        PATIENCE.as_secs()
    );
}

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: `make test` starts the servers and sets it"))
}

fn host_and_port(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
        .to_owned()
}
