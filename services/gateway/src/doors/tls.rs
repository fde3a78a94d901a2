//! MQTT over TLS; the server shows a certificate, devices do not.

use std::{net::SocketAddr, sync::Arc};

use alink::connect::Transport;
use chassis::Phase;
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use super::listener;
use crate::{gateway::Gateway, session};

/// # Errors
/// When the address is taken.
pub(crate) fn open(gateway: &Arc<Gateway>, tls: Arc<ServerConfig>) -> anyhow::Result<SocketAddr> {
    let settings = gateway.chassis.settings();
    let acceptor = TlsAcceptor::from(tls);
    let listener = Arc::new(listener::listen(
        &settings.mqtts_addr,
        "HOSHU_MQTTS_ADDR",
        gateway.config.backlog,
    )?);
    let address = listener.local_addr()?;
    let gateway = gateway.clone();
    gateway
        .chassis
        .clone()
        .spawn(Phase::Door, "door.mqtts", move |stop| {
            let (gateway, listener, acceptor) =
                (gateway.clone(), listener.clone(), acceptor.clone());
            async move {
                listener::accept(&listener, &stop, &gateway, |stream, peer, place| {
                    let (served, acceptor) = (gateway.clone(), acceptor.clone());
                    gateway.chassis.track(Phase::Door, async move {
                        let until = served.connect_until();
                        // Boxed, so that the handshake's memory is given back.
                        let handshake =
                            Box::pin(tokio::time::timeout_at(until, acceptor.accept(stream)));
                        match handshake.await {
                            Ok(Ok(stream)) => {
                                session::serve(served, stream, peer, Transport::Tls, place, until)
                                    .await
                            }
                            _ => served.metrics.connect_failed("tls handshake"),
                        }
                    });
                })
                .await;
                Ok(())
            }
        });
    Ok(address)
}
