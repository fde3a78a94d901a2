//! Keeps this node's sessions alive at the registry.

use std::{sync::Arc, time::Duration};

use chassis::Phase;
use proto::hoshu::registry::internal::v1::RenewLeaseRequest;

use crate::{domain::ending::End, gateway::Gateway};

const EVERY: Duration = Duration::from_secs(5);
/// Pause after a renewal that failed: the lease runs out after 15 s.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) fn start(gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Flush, "work.lease", move |stop| {
            let gateway = gateway.clone();
            async move {
                let mut pause = Duration::ZERO;
                while stop
                    .run_until_cancelled(gateway.clock.sleep(pause))
                    .await
                    .is_some()
                {
                    pause = renew(&gateway).await;
                }
                Ok(())
            }
        });
}

async fn renew(gateway: &Gateway) -> Duration {
    let request = RenewLeaseRequest {
        node: gateway.chassis.node().into(),
    };
    match gateway.registry().renew_lease(request).await {
        Ok(answer) => {
            if answer.into_inner().lapsed {
                tracing::warn!(
                    "the registry has ended this node's sessions: all devices must connect again"
                );
                gateway.sessions.end_all(End::LeaseLost);
            }
            EVERY
        }
        Err(status) => {
            tracing::warn!(%status, "the lease could not be renewed");
            AGAIN
        }
    }
}
