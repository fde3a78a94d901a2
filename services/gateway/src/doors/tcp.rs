//! MQTT over TCP.

use std::{net::SocketAddr, sync::Arc};

use alink::connect::Transport;
use chassis::Phase;

use super::listener;
use crate::{gateway::Gateway, session};

/// # Errors
/// When the address is taken.
pub(crate) fn open(gateway: &Arc<Gateway>) -> anyhow::Result<SocketAddr> {
    let settings = gateway.chassis.settings();
    let listener = Arc::new(listener::listen(
        &settings.mqtt_addr,
        "HOSHU_MQTT_ADDR",
        gateway.config.backlog,
    )?);
    let address = listener.local_addr()?;
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Door, "door.mqtt", move |stop| {
            let (gateway, listener) = (gateway.clone(), listener.clone());
            async move {
                listener::accept(&listener, &stop, &gateway, |stream, peer, place| {
                    let served = gateway.clone();
                    let until = gateway.connect_until();
                    let connection =
                        session::serve(served, stream, peer, Transport::Plain, place, until);
                    gateway.chassis.track(Phase::Door, connection);
                })
                .await;
                Ok(())
            }
        });
    Ok(address)
}
