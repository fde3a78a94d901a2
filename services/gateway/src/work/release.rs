//! Tells the registry which sessions have ended: gathered, and again until it has heard.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chassis::Phase;
use proto::hoshu::registry::internal::v1::{Release, ReleaseSessionsRequest};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;

/// Releases in one request.
const AT_ONCE: usize = 1000;
/// Pause after the registry could not be told.
const AGAIN: Duration = Duration::from_millis(500);
/// Tries while we stop; then our lease's end ends the sessions.
const LAST_TRIES: u32 = 4;

/// Sessions that have ended; at most as many as there were connections.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    waiting: Mutex<Vec<Release>>,
    filled: Notify,
}

impl Releases {
    pub(crate) fn push(&self, release: Release) {
        self.waiting.lock().expect("not poisoned").push(release);
        self.filled.notify_one();
    }

    fn take(&self) -> Vec<Release> {
        let mut waiting = self.waiting.lock().expect("not poisoned");
        let taken = waiting.len().min(AT_ONCE);
        let rest = waiting.split_off(taken);
        std::mem::replace(&mut *waiting, rest)
    }

    fn give_back(&self, mut releases: Vec<Release>) {
        let mut waiting = self.waiting.lock().expect("not poisoned");
        releases.append(&mut waiting);
        *waiting = releases;
    }
}

pub(crate) fn start(gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Flush, "work.release", move |stop| {
            let gateway = gateway.clone();
            async move {
                run(&gateway, &stop).await;
                Ok(())
            }
        });
}

async fn run(gateway: &Gateway, stop: &CancellationToken) {
    let mut last_tries = 0;
    loop {
        let releases = gateway.releases.take();
        if releases.is_empty() {
            if stop.is_cancelled() {
                return;
            }
            stop.run_until_cancelled(gateway.releases.filled.notified())
                .await;
            continue;
        }
        let request = ReleaseSessionsRequest {
            node: gateway.chassis.node().into(),
            releases: releases.clone(),
        };
        if let Err(status) = gateway.registry().release_sessions(request).await {
            tracing::warn!(%status, sessions = releases.len(), "ended sessions are told again");
            gateway.releases.give_back(releases);
            if stop.is_cancelled() {
                last_tries += 1;
                if last_tries == LAST_TRIES {
                    return;
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
