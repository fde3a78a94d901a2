//! When this node is told to stop, its devices are sent away, to connect elsewhere.

use std::sync::Arc;

use chassis::Phase;

use crate::{domain::ending::End, gateway::Gateway};

pub(crate) fn start(gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    gateway.chassis.clone().track(Phase::Door, async move {
        gateway.chassis.stopping(Phase::Door).cancelled().await;
        gateway.sessions.end_all(End::Draining);
    });
}
