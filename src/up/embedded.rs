//! The PostgreSQL and the NATS server of `hoshu up`, on its data folder.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::child::Supervised;
use super::data_folder::DataFolder;
use super::full_disk;
use super::nats::Nats;
use super::postgres::{Postgres, Socket};

/// Both servers have this long to end cleanly; `hoshu up` as a whole has ten seconds.
const END_WITHIN: Duration = Duration::from_secs(4);

/// Servers of our own, and the lock on the folder that they work in.
pub(crate) struct Embedded {
    /// The administrator's, by a socket that only this user and root can reach.
    pub(crate) database_url: Option<String>,
    /// Carries a password made at this start.
    pub(crate) nats_url: Option<String>,
    postgres: Option<(Supervised, Socket)>,
    nats: Option<Supervised>,
    _folder: DataFolder,
}

impl Embedded {
    /// Blocks until the wanted servers are ready: a second at the first start, and
    /// as long as PostgreSQL needs to replay its log after a crash.
    pub(crate) fn start(data_dir: &Path, want_postgres: bool, want_nats: bool) -> Result<Self> {
        let folder = DataFolder::take(data_dir)?;
        let mut embedded = Self {
            database_url: None,
            nats_url: None,
            postgres: None,
            nats: None,
            _folder: folder,
        };
        let path = &embedded._folder.path;
        // Both are looked for first, so that one start tells all that is missing.
        let nats = want_nats.then(|| Nats::find(path)).transpose();
        let postgres = want_postgres.then(|| Postgres::find(path)).transpose();
        let (nats, postgres) = match (nats, postgres) {
            (Err(nats), Err(postgres)) => anyhow::bail!("{postgres:#}; {nats:#}"),
            (nats, postgres) => (nats?, postgres?),
        };
        if let Some(server) = nats {
            let address = server.address();
            let nats_folder = server.folder().to_owned();
            let supervised = Supervised::start(server)?;
            full_disk::watch(nats_folder, supervised.restart())?;
            embedded.nats = Some(supervised);
            embedded.nats_url = address.url();
        }
        if let Some(server) = postgres {
            let started = server.lay_out().and_then(|server| {
                let socket = server.socket()?;
                Ok((Supervised::start(server)?, socket))
            });
            match started {
                Ok((server, socket)) => {
                    embedded.database_url = Some(socket.url());
                    embedded.postgres = Some((server, socket));
                }
                Err(error) => {
                    embedded.end();
                    return Err(error);
                }
            }
        }
        Ok(embedded)
    }

    /// Ends both, cleanly if they manage within four seconds. Call it when all
    /// that uses them has ended.
    pub(crate) async fn stop(self) {
        // It waits for processes; a panic in there has been reported by itself.
        let _ = tokio::task::spawn_blocking(move || self.end()).await;
    }

    #[cfg(test)]
    pub(super) fn pids(&self) -> Vec<rustix::process::Pid> {
        let postgres = self.postgres.as_ref().map(|(server, _socket)| server);
        postgres
            .into_iter()
            .chain(&self.nats)
            .filter_map(Supervised::pid)
            .collect()
    }

    fn end(self) {
        let postgres = self.postgres.map(|(server, _socket)| server);
        let servers: Vec<Supervised> = postgres.into_iter().chain(self.nats).collect();
        servers.iter().for_each(Supervised::ask_to_end);
        let begun = Instant::now();
        for server in servers {
            server.wait(END_WITHIN.saturating_sub(begun.elapsed()));
        }
    }
}
