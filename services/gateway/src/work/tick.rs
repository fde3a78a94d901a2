//! Wakes sessions whose time has come: one timer for all of them, instead of one each.

use std::{sync::Arc, time::Duration};

use chassis::Phase;

use crate::gateway::Gateway;

const EVERY: Duration = Duration::from_millis(500);

pub(crate) fn start(gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Door, "work.tick", move |stop| {
            let gateway = gateway.clone();
            async move {
                while stop
                    .run_until_cancelled(gateway.clock.sleep(EVERY))
                    .await
                    .is_some()
                {
                    gateway.sessions.tick(gateway.clock.now_ms());
                }
                Ok(())
            }
        });
}
