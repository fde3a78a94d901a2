//! Background tasks: named, restarted, listed, and stopped in order.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use opentelemetry::KeyValue;
use rand::RngExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// When a task is told to stop. Doors close first, so that nothing new comes in;
/// inboxes then finish what was taken; what was gathered is flushed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Door,
    Inbox,
    Flush,
}

impl Phase {
    pub(crate) const ALL: [Phase; 3] = [Phase::Door, Phase::Inbox, Phase::Flush];
}

/// Longest pause before a failed task is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Clone, Default)]
pub(crate) struct Tasks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    phases: [PhaseTasks; 3],
    /// What `/readyz` shows: name, and what is wrong if something is.
    states: Mutex<BTreeMap<String, Result<(), String>>>,
}

#[derive(Default)]
struct PhaseTasks {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    pub(crate) fn stopping(&self, phase: Phase) -> CancellationToken {
        self.0.phases[phase as usize].stop.clone()
    }

    pub(crate) fn report(&self, name: &str, state: Result<(), String>) {
        let mut states = self.0.states.lock().expect("not poisoned");
        states.insert(name.to_owned(), state);
    }

    pub(crate) fn states(&self) -> BTreeMap<String, Result<(), String>> {
        self.0.states.lock().expect("not poisoned").clone()
    }

    #[allow(clippy::disallowed_methods)] // the one place that spawns
    pub(crate) fn track(&self, phase: Phase, future: impl Future<Output = ()> + Send + 'static) {
        let tasks = &self.0.phases[phase as usize];
        tasks.tracker.spawn(future);
    }

    pub(crate) fn spawn<F, Fut>(&self, phase: Phase, name: String, make: F)
    where
        F: Fn(CancellationToken) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send,
    {
        self.report(&name, Ok(()));
        let tasks = self.clone();
        let stop = self.stopping(phase);
        let restarts = opentelemetry::global::meter("process")
            .u64_counter("task.restarts")
            .with_description("tasks that failed and were started again, by task")
            .build();
        let task = [KeyValue::new("task", name.clone())];
        // What stands at nothing is seen to rise; what is not there is not.
        restarts.add(0, &task);
        self.track(phase, async move {
            let mut failures = 0;
            loop {
                let began = tokio::time::Instant::now();
                let error = match AssertUnwindSafe(make(stop.clone())).catch_unwind().await {
                    Ok(Ok(())) => return tasks.report(&name, Ok(())),
                    Ok(Err(error)) => format!("{error:#}"),
                    Err(_) => "it panicked".to_owned(),
                };
                if stop.is_cancelled() {
                    return;
                }
                tracing::error!(task = name, error, "task failed and is started again");
                restarts.add(1, &task);
                tasks.report(&name, Err(error));
                if began.elapsed() > LONGEST_PAUSE * 2 {
                    failures = 0;
                }
                if stop
                    .run_until_cancelled(tokio::time::sleep(pause(failures)))
                    .await
                    .is_none()
                {
                    return;
                }
                failures += 1;
                tasks.report(&name, Ok(()));
            }
        });
    }

    /// Stops phase after phase; each has its share of `limit` to finish.
    pub(crate) async fn stop(&self, limit: Duration) {
        for phase in Phase::ALL {
            let tasks = &self.0.phases[phase as usize];
            tasks.stop.cancel();
            tasks.tracker.close();
            if tokio::time::timeout(limit / 3, tasks.tracker.wait())
                .await
                .is_err()
            {
                tracing::warn!(
                    ?phase,
                    left = tasks.tracker.len(),
                    "tasks did not end in time"
                );
            }
        }
    }
}

/// Doubles from 100 ms, and is spread so that many that fail together do not return together.
fn pause(failures: u32) -> Duration {
    let full = Duration::from_millis(100 * 2u64.pow(failures.min(10))).min(LONGEST_PAUSE);
    full.mul_f64(rand::rng().random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_fails_or_panics_is_started_again() {
        let tasks = Tasks::default();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        tasks.spawn(Phase::Inbox, "flaky".into(), move |_| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match run {
                    0 => anyhow::bail!("first"),
                    1 => panic!("second"),
                    _ => Ok(()),
                }
            }
        });
        tasks.0.phases[1].tracker.close();
        tasks.0.phases[1].tracker.wait().await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn phases_stop_one_after_the_other() {
        let tasks = Tasks::default();
        let order = Arc::new(Mutex::new(Vec::new()));
        for phase in [Phase::Flush, Phase::Door, Phase::Inbox] {
            let order = order.clone();
            tasks.spawn(phase, format!("{phase:?}"), move |stop| {
                let order = order.clone();
                async move {
                    stop.cancelled().await;
                    order.lock().unwrap().push(phase);
                    Ok(())
                }
            });
        }
        tasks.stop(Duration::from_secs(3)).await;
        assert_eq!(*order.lock().unwrap(), Phase::ALL);
    }
}
