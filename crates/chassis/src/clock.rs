//! The time, as a thing that is handed around.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// The wall clock. Held by doors and loops only (rules get `now`); tests move it.
#[derive(Clone, Debug)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
    moved: watch::Sender<()>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            ahead_ms: Arc::default(),
            moved: watch::Sender::new(()),
        }
    }
}

impl Clock {
    #[allow(clippy::disallowed_methods)] // the one place that reads the wall clock
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Acquire))
    }

    /// UTC milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.now().timestamp_millis()
    }

    /// Moves the clock forward and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        self.ahead_ms
            .fetch_add(by.as_millis() as i64, Ordering::AcqRel);
        self.moved.send_replace(());
    }

    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }

    pub async fn sleep_until(&self, then: DateTime<Utc>) {
        let mut moved = self.moved.subscribe();
        while let Ok(left) = (then - self.now()).to_std() {
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left.max(Duration::from_millis(1))) => {}
                _ = moved.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_moved_past_its_time() {
        let clock = Clock::default();
        let sleeper = {
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3600)).await }
        };
        let mover = async {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(3601));
        };
        tokio::time::timeout(Duration::from_secs(5), async {
            tokio::join!(sleeper, mover)
        })
        .await
        .expect("it wakes");
    }
}
