//! Rows that are no longer needed, deleted together and without anybody waiting.

use std::{sync::Arc, sync::Mutex, time::Duration};

use chassis::{Chassis, Phase};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Store;

const AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Batch {
    messages: Vec<i64>,
    /// Devices, and the highest session number that is forgotten of each.
    devices: Vec<i64>,
    numbers: Vec<i64>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.devices.is_empty()
    }
}

/// A row deleted late does no harm: a message is sent again with DUP.
#[derive(Clone, Debug, Default)]
pub(super) struct Forgetting(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    batch: Mutex<Batch>,
    filled: Notify,
}

impl Store {
    pub(crate) fn forget_message(&self, id: i64) {
        self.forgetting.put(|batch| batch.messages.push(id));
    }

    /// Forgets the device's kept session, if it is this one or an earlier one.
    pub(crate) fn forget_session(&self, device_id: i64, up_to: u64) {
        self.forgetting.put(|batch| {
            batch.devices.push(device_id);
            batch.numbers.push(up_to.cast_signed());
        });
    }
}

impl Forgetting {
    fn put(&self, add: impl FnOnce(&mut Batch)) {
        add(&mut self.0.batch.lock().expect("not poisoned"));
        self.0.filled.notify_one();
    }

    fn take(&self) -> Batch {
        std::mem::take(&mut self.0.batch.lock().expect("not poisoned"))
    }

    pub(super) fn start(&self, chassis: &Chassis, pool: &PgPool) {
        let (this, pool) = (self.clone(), pool.clone());
        chassis.spawn(Phase::Flush, "work.forget", move |stop| {
            let (this, pool) = (this.clone(), pool.clone());
            async move {
                this.run(&pool, &stop).await;
                Ok(())
            }
        });
    }

    async fn run(&self, pool: &PgPool, stop: &CancellationToken) {
        loop {
            let batch = self.take();
            if batch.is_empty() {
                if stop.is_cancelled() {
                    return;
                }
                stop.run_until_cancelled(self.0.filled.notified()).await;
                continue;
            }
            while let Err(error) = delete(pool, &batch).await {
                tracing::warn!(%error, "what is to be forgotten is deleted again");
                if stop
                    .run_until_cancelled(tokio::time::sleep(AGAIN))
                    .await
                    .is_none()
                {
                    return;
                }
            }
        }
    }
}

async fn delete(pool: &PgPool, batch: &Batch) -> sqlx::Result<()> {
    if !batch.messages.is_empty() {
        sqlx::query!(
            "DELETE FROM gateway.message WHERE id = ANY($1)",
            &batch.messages
        )
        .execute(pool)
        .await?;
    }
    if !batch.devices.is_empty() {
        sqlx::query!(
            "DELETE FROM gateway.session AS session
             USING unnest($1::bigint[], $2::bigint[]) AS forgotten (device_id, up_to)
             WHERE session.device_id = forgotten.device_id AND session.number <= forgotten.up_to",
            &batch.devices,
            &batch.numbers,
        )
        .execute(pool)
        .await?;
    }
    Ok(())
}
