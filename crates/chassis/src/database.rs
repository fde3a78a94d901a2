//! PostgreSQL: one pool per role, on the role's own schema.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool};

use crate::{Noun, Secret};

/// How long a query may wait for a connection before the asker is told that the database is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that was idle for so long is tried before it is used: a round trip on each would be the dearest part
/// of a short query, and one that broke a moment ago is an error that all callers know.
const TRIED_AFTER: Duration = Duration::from_secs(1);

/// Opens the pool; connections are made when they are needed.
pub(crate) fn open(url: &Secret, noun: Noun, connections: u32) -> anyhow::Result<PgPool> {
    let options = PgConnectOptions::from_str(url.expose())
        .context("HOSHU_DATABASE_URL is not a PostgreSQL URL (postgres://user@host/database)")?
        .application_name(&format!("hoshu-{}", noun.role()))
        .options([("search_path", noun.word())]);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > TRIED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// Brings the schema up to this release; several pods take turns under sqlx's advisory lock.
pub(crate) async fn migrate(pool: &PgPool, migrator: &'static Migrator) -> anyhow::Result<()> {
    migrator
        .run(pool)
        .await
        .context("the database could not be brought up to this release")
}

/// Whether the database was away, or could not do just now what it can do later: the same work, unchanged, may
/// then succeed.
pub fn database_is_away(error: &sqlx::Error) -> bool {
    match error {
        // A link that breaks while it is made shows as a protocol error.
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| state_is_away(&code)),
        _ => false,
    }
}

/// By PostgreSQL's SQLSTATE (its appendix A).
fn state_is_away(state: &str) -> bool {
    // Connection, out of resources (also a full disk), shutdown or recovery, I/O error, read-only standby;
    // and transactions that met another's.
    ["08", "53", "57P", "58", "25006", "40001", "40P01"]
        .iter()
        .any(|class| state.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_is_waited_for_and_a_wrong_row_is_not() {
        for away in ["08006", "53100", "57P01", "57P03", "40P01", "25006"] {
            assert!(state_is_away(away), "{away}");
        }
        for wrong in ["23505", "22P02", "42P01", "57014"] {
            assert!(!state_is_away(wrong), "{wrong}");
        }
        assert!(database_is_away(&sqlx::Error::Protocol("cut".into())));
    }
}
