//! Forgets sessions and messages that nobody came back for.

use std::{sync::Arc, time::Duration};

use chassis::Phase;

use crate::gateway::Gateway;

const EVERY: Duration = Duration::from_secs(3600);

pub(crate) fn start(gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Door, "work.expire", move |stop| {
            let gateway = gateway.clone();
            async move {
                while stop
                    .run_until_cancelled(gateway.clock.sleep(EVERY))
                    .await
                    .is_some()
                {
                    let now = gateway.clock.now_ms();
                    let alive_until = now + gateway.session_ms(u32::MAX);
                    // Those of connected devices first: their time runs from their end.
                    gateway
                        .store
                        .touch(&gateway.sessions.kept(), alive_until)
                        .await?;
                    gateway.store.expire(now).await?;
                }
                Ok(())
            }
        });
}
