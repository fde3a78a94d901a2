//! Subscriptions that are kept, and the coming and going of their devices.

use super::{
    Store, at,
    queue::{self, Kept},
};
use crate::domain::subscriptions::Subscriptions;

/// Milliseconds that a session is kept while nobody says that its device is still connected.
const ALIVE_MS: i64 = alink::limits::SESSION_DAYS as i64 * 86_400_000;

/// A device comes, perhaps to what it left.
#[derive(Debug)]
pub(crate) struct Resume {
    pub(crate) device_id: i64,
    pub(crate) session: u64,
    pub(crate) automatic: bool,
    pub(crate) understands_ext: bool,
    /// It wants what was kept; else that is forgotten.
    pub(crate) resumes: bool,
    /// The session will outlive this connection.
    pub(crate) is_kept: bool,
}

#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) subscriptions: Subscriptions,
    pub(crate) queue: Vec<Kept>,
    pub(crate) was_there: bool,
}

/// A device goes, and leaves messages that it has not acknowledged.
#[derive(Debug)]
pub(crate) struct Suspended {
    pub(crate) device_id: i64,
    pub(crate) session: u64,
    pub(crate) expires_at: i64,
    pub(crate) messages: Vec<Kept>,
}

struct Row {
    filters: Vec<String>,
    qos: Vec<i16>,
    was_there: bool,
}

impl Store {
    pub(crate) async fn resume(&self, resume: &Resume, now: i64) -> anyhow::Result<Resumed> {
        if !resume.resumes && !resume.is_kept {
            // The common clean session waits for no database.
            self.forget_session(resume.device_id, resume.session.saturating_sub(1));
            return Ok(fresh(resume.automatic));
        }
        let mut tx = self.pool.begin().await?;
        let expired_before = if resume.resumes {
            at(now)
        } else {
            at(i64::MAX)
        };
        sqlx::query!(
            "DELETE FROM gateway.session WHERE device_id = $1 AND expires_at < $2",
            resume.device_id,
            expired_before,
        )
        .execute(&mut *tx)
        .await?;
        let row = if resume.is_kept {
            sqlx::query_as!(
                Row,
                r#"INSERT INTO gateway.session (device_id, number, automatic, understands_ext, expires_at)
                   VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (device_id) DO UPDATE SET
                     number = excluded.number, automatic = excluded.automatic,
                     understands_ext = excluded.understands_ext, expires_at = excluded.expires_at
                   RETURNING filters, qos, xmax <> 0 AS "was_there!""#,
                resume.device_id,
                resume.session.cast_signed(),
                resume.automatic,
                resume.understands_ext,
                at(now + ALIVE_MS),
            )
            .fetch_optional(&mut *tx)
            .await?
        } else {
            sqlx::query_as!(
                Row,
                r#"SELECT filters, qos, true AS "was_there!" FROM gateway.session WHERE device_id = $1"#,
                resume.device_id,
            )
            .fetch_optional(&mut *tx)
            .await?
        };
        let queue = match &row {
            Some(row) if row.was_there => queue::of_device(&mut tx, resume.device_id, now).await?,
            _ => Vec::new(),
        };
        tx.commit().await?;
        Ok(match row {
            None => fresh(resume.automatic),
            Some(row) => Resumed {
                subscriptions: Subscriptions::new(resume.automatic, filters(row.filters, &row.qos)),
                queue,
                was_there: row.was_there,
            },
        })
    }

    /// Keeps what is subscribed now; nothing happens when a newer connection holds the session.
    pub(crate) async fn subscribe(
        &self,
        device_id: i64,
        session: u64,
        subscriptions: &Subscriptions,
    ) -> anyhow::Result<()> {
        let (filters, qos): (Vec<String>, Vec<i16>) = subscriptions
            .filters()
            .iter()
            .map(|(filter, qos)| (filter.to_string(), i16::from(*qos)))
            .unzip();
        sqlx::query!(
            "UPDATE gateway.session SET filters = $3, qos = $4 WHERE device_id = $1 AND number = $2",
            device_id,
            session.cast_signed(),
            &filters,
            &qos,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    pub(crate) async fn suspend(&self, suspended: &Suspended) -> anyhow::Result<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query!(
            "UPDATE gateway.session SET expires_at = $3 WHERE device_id = $1 AND number = $2",
            suspended.device_id,
            suspended.session.cast_signed(),
            at(suspended.expires_at),
        )
        .execute(&mut *tx)
        .await?;
        queue::put_back(&mut tx, suspended.device_id, &suspended.messages).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Pushes the end of connected devices' sessions forward.
    pub(crate) async fn touch(&self, devices: &[i64], expires_at: i64) -> anyhow::Result<()> {
        sqlx::query!(
            "UPDATE gateway.session SET expires_at = $2 WHERE device_id = ANY($1)",
            devices,
            at(expires_at),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Deletes sessions and messages whose time is over.
    pub(crate) async fn expire(&self, now: i64) -> anyhow::Result<()> {
        sqlx::query!("DELETE FROM gateway.session WHERE expires_at < $1", at(now))
            .execute(&self.pool)
            .await?;
        sqlx::query!("DELETE FROM gateway.message WHERE expires_at < $1", at(now))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn fresh(automatic: bool) -> Resumed {
    Resumed {
        subscriptions: Subscriptions::new(automatic, Vec::new()),
        queue: Vec::new(),
        was_there: false,
    }
}

pub(super) fn filters(filters: Vec<String>, qos: &[i16]) -> Vec<(Box<str>, u8)> {
    let granted = qos.iter().map(|qos| u8::from(*qos > 0));
    filters
        .into_iter()
        .map(String::into_boxed_str)
        .zip(granted)
        .collect()
}
