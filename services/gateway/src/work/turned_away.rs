//! Tells the registry of CONNECTs that were refused here, so that a known device's log says why.
//!
//! Refusing stays cheap: what waits is bounded, a device is told of once in a second, and what does not
//! fit is a metric only.

use std::{collections::hash_map::Entry, sync::Arc, sync::Mutex, time::Duration};

use ahash::AHashMap;
use alink::Device;
use chassis::Phase;
use proto::hoshu::registry::internal::v1::{RefusedConnect, TellRefusalsRequest};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;

/// Devices that wait to be told of: as many as the registry takes in one request.
const WAITING: usize = 1000;
/// Least time between two requests.
const EVERY: Duration = Duration::from_secs(1);

/// Refused CONNECTs, one for each device.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway {
    waiting: Mutex<AHashMap<Device, RefusedConnect>>,
    filled: Notify,
}

impl TurnedAway {
    pub(crate) fn push(&self, device: Device, refused: impl FnOnce() -> RefusedConnect) {
        let mut waiting = self.waiting.lock().expect("not poisoned");
        let has_room = waiting.len() < WAITING;
        if let Entry::Vacant(vacant) = waiting.entry(device)
            && has_room
        {
            vacant.insert(refused());
            self.filled.notify_one();
        }
    }

    fn take(&self) -> Vec<RefusedConnect> {
        let taken = std::mem::take(&mut *self.waiting.lock().expect("not poisoned"));
        taken.into_values().collect()
    }
}

pub(crate) fn start(gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Flush, "work.turned_away", move |stop| {
            let gateway = gateway.clone();
            async move {
                run(&gateway, &stop).await;
                Ok(())
            }
        });
}

async fn run(gateway: &Gateway, stop: &CancellationToken) {
    loop {
        let refusals = gateway.turned_away.take();
        if refusals.is_empty() {
            if stop.is_cancelled() {
                return;
            }
            stop.run_until_cancelled(gateway.turned_away.filled.notified())
                .await;
            continue;
        }
        let devices = refusals.len();
        let request = TellRefusalsRequest { refusals };
        if let Err(status) = gateway.registry().tell_refusals(request).await {
            tracing::warn!(%status, devices, "refused connections have no line: the registry was not told");
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}
